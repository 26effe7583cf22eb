//! A state of the whole network, and what may happen to it.

use crate::asks::Ask;
use crate::network::{Place, Seat};

/// As many nodes as a state has room for.
pub(super) const MOST_NODES: usize = 4;

/// No backup was taken.
pub(super) const NONE: u32 = u32::MAX;

/// A state of the network: numbers that the [`Library`](super::Library) knows the meaning of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct State {
    pub(super) nodes: [u32; MOST_NODES],
    pub(super) backups: [u32; MOST_NODES],
    /// Letters that no node keeps any more, and that may still lie in a broker.
    pub(super) ghosts: u32,
    /// Answers to restored nodes that are on their way.
    pub(super) flights: u32,
    pub(super) used: Used,
}

/// What was used of what the scenario allows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Used {
    pub(super) offers: u8,
    pub(super) overrides: u8,
    pub(super) forgeries: u8,
    pub(super) restores: [u8; MOST_NODES],
    pub(super) backups: [u8; MOST_NODES],
}

impl Used {
    pub(super) fn all_restores(self) -> u8 {
        self.restores.iter().sum()
    }
}

/// One step of the whole network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Somebody asks for something.
    Ask {
        /// The office.
        seat: Seat,
        /// What for.
        ask: Ask,
        /// Whether the node dies in the middle.
        torn: bool,
    },
    /// A letter comes.
    Deliver {
        /// The letter.
        letter: u32,
        /// Whether the receipt comes back.
        receipt: bool,
        /// Whether the node dies in the middle.
        torn: bool,
    },
    /// A letter is carried between two offices of a node.
    Carry(Place),
    /// A backup is taken.
    Backup(Place),
    /// A node comes back from its backup.
    Restore(Place),
    /// A restored node introduces itself to a peer.
    Greet {
        /// The restored node.
        node: Place,
        /// The peer.
        peer: Place,
        /// Whether the answer comes back at once.
        answered: bool,
    },
    /// An answer comes late.
    LateAnswer {
        /// The restored node.
        node: Place,
        /// The peer.
        peer: Place,
    },
    /// A hostile node writes a forged certificate to an office.
    Forge(Seat),
}
