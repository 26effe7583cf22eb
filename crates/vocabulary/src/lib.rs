//! The words that all of Spean shares: ids, codes, case numbers, places, times, and the fixed lists of the field.
//!
//! One meaning each. A **person** is somebody we help (never "client", which is a program). A **case** is the work
//! done for one person; one office *holds* it at a time. A **referral** asks another office for help; as a *service*
//! the case stays where it is, as a *transfer* the case moves. An **offer** is one referral put to one office.
//! An office that accepted is *bound* until the certificate arrives, and *holds* the case from then on.
//! An **agency** owns its data; an **office** is one of its places of work; a **node** is one installation that
//! serves one or more offices of one agency.

mod case_number;
mod code;
mod codes;
mod id;
mod place;
mod time;
mod words;

pub use case_number::{CaseNumber, NodeTag};
pub use code::{AgencyId, NodeId, OfficeId, StaffId};
pub use codes::Codes;
pub use id::*;
pub use place::{PlaceCode, PlaceLevel};
pub use time::{Date, Timestamp};
pub use words::*;

/// A text that is not what it should be. Says what was expected and never repeats what was given: it may be a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}")]
pub struct Malformed {
    /// What would have been accepted, in words that fit after "expected".
    pub expected: &'static str,
}

/// Serde for a type that travels as its `Display` text and is checked by `FromStr` on the way in.
macro_rules! travels_as_text {
    ($type:ty) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use travels_as_text;
