//! What events may know of a person.

use serde::{Deserialize, Serialize};

use crate::{AgeBand, PlaceCode, Sex};

/// What events may know of a person: codes, never words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Codes {
    /// Sex as recorded.
    pub sex: Sex,
    /// Age band on the day.
    pub age_band: AgeBand,
    /// The language best understood, as ISO 639.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Home place, as exact as known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub home_place: Option<PlaceCode>,
    /// What is missing: accepted and marked, never a reason to refuse.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
}
