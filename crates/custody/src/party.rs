//! An office together with the node that serves it.

use std::fmt;

use serde::{Deserialize, Serialize};
use spean_vocabulary::{NodeId, OfficeId};

/// One side of a handoff: custody is between offices, letters travel between nodes. One node may serve both sides.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Party {
    /// The node that serves the office, and whose key signs for it.
    pub node: NodeId,
    /// The office.
    pub office: OfficeId,
}

impl Party {
    /// Whether both are the same office, even when another node serves it by now.
    pub fn is_same_office(&self, other: &Self) -> bool {
        self.office == other.office
    }
}

impl fmt::Display for Party {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}@{}", self.office, self.node)
    }
}
