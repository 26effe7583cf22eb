//! Typed identifiers: one generic type, one alphabetical list of what can be identified.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::str::FromStr;

use uuid::Uuid;

use crate::Malformed;

/// An identifier of one kind of thing. Minted by whoever asks first, so that asking again is harmless.
///
/// Random (UUID version 4) for anything about a person: an ordered id would tell when it was made.
pub struct Id<K>(Uuid, PhantomData<fn() -> K>);

/// What can be identified.
pub mod kind {
    macro_rules! kinds { ($($(#[$doc:meta])* $kind:ident),* $(,)?) => { $($(#[$doc])* #[derive(Debug)] pub enum $kind {})* } }
    kinds! {
        /// A stay in a shelter, from admission to exit.
        Admission,
        /// One person's arrival at a transit centre.
        Arrival,
        /// A file of a person: a paper or a photograph.
        Attachment,
        /// The work done for one person.
        Case,
        /// One request of a caller, however often it is sent.
        Command,
        /// What somebody concluded from facts.
        Conclusion,
        /// A permission given by a person, or by who decides for a child.
        Consent,
        /// A danger that somebody reported.
        Danger,
        /// A decision of a coordination meeting.
        Decision,
        /// What was done to a person.
        Fact,
        /// One letter between two nodes.
        Letter,
        /// A list of arrivals handed over in one piece.
        Manifest,
        /// Something that somebody was found to need.
        Need,
        /// A referral put to one office.
        Offer,
        /// Help that an office has on offer.
        Offering,
        /// Money that was asked of a fund.
        Payment,
        /// Somebody we help.
        Person,
        /// The handover of a post from one worker to another.
        PostHandover,
        /// A request to bring people home across a border.
        RepatriationRequest,
        /// Something that endangers a person.
        Risk,
        /// A report that somebody may be in danger or in need.
        Report,
        /// One step in the search for somebody.
        SearchStep,
        /// A visit of a supervisor.
        Supervision,
        /// Help that was given: goods, money, training, care.
        Support,
        /// A follow-up visit.
        Visit,
    }
}

/// A stay in a shelter.
pub type AdmissionId = Id<kind::Admission>;
/// One person's arrival.
pub type ArrivalId = Id<kind::Arrival>;
/// A file of a person.
pub type AttachmentId = Id<kind::Attachment>;
/// The work done for one person.
pub type CaseId = Id<kind::Case>;
/// One request of a caller.
pub type CommandId = Id<kind::Command>;
/// What somebody concluded.
pub type ConclusionId = Id<kind::Conclusion>;
/// A permission given.
pub type ConsentId = Id<kind::Consent>;
/// A danger reported.
pub type DangerId = Id<kind::Danger>;
/// A decision of a meeting.
pub type DecisionId = Id<kind::Decision>;
/// What was done to a person.
pub type FactId = Id<kind::Fact>;
/// One letter between two nodes.
pub type LetterId = Id<kind::Letter>;
/// A list of arrivals.
pub type ManifestId = Id<kind::Manifest>;
/// A need found.
pub type NeedId = Id<kind::Need>;
/// A referral put to one office.
pub type OfferId = Id<kind::Offer>;
/// Help on offer.
pub type OfferingId = Id<kind::Offering>;
/// Money asked of a fund.
pub type PaymentId = Id<kind::Payment>;
/// Somebody we help.
pub type PersonId = Id<kind::Person>;
/// The handover of a post.
pub type PostHandoverId = Id<kind::PostHandover>;
/// A request to bring people home.
pub type RepatriationRequestId = Id<kind::RepatriationRequest>;
/// Something that endangers a person.
pub type RiskId = Id<kind::Risk>;
/// A report that somebody may be in danger or in need.
pub type ReportId = Id<kind::Report>;
/// One step of a search.
pub type SearchStepId = Id<kind::SearchStep>;
/// A supervisor's visit.
pub type SupervisionId = Id<kind::Supervision>;
/// Help that was given.
pub type SupportId = Id<kind::Support>;
/// A follow-up visit.
pub type VisitId = Id<kind::Visit>;

impl<K> Id<K> {
    /// Takes a value that was made elsewhere: ids are minted only at the edges of the system.
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid, PhantomData)
    }

    /// The bare value, for keys and wires.
    pub const fn as_uuid(&self) -> Uuid {
        self.0
    }

    /// The same value as the id of another kind of thing: an arrival opens the case of the same number, so that
    /// opening it twice is impossible.
    pub const fn reinterpret<L>(&self) -> Id<L> {
        Id(self.0, PhantomData)
    }
}

impl<K> FromStr for Id<K> {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let malformed = Malformed { expected: "a UUID in its hyphenated form, not all zeros" };
        let uuid = Uuid::try_parse(text).map_err(|_| malformed)?;
        if uuid.is_nil() || text.len() != 36 { Err(malformed) } else { Ok(Self::from_uuid(uuid)) }
    }
}

impl<K> fmt::Display for Id<K> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(formatter)
    }
}

impl<K> fmt::Debug for Id<K> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for Id<K> {}
impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<K> Eq for Id<K> {}
impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}
impl<K> Hash for Id<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl<K> serde::Serialize for Id<K> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, K> serde::Deserialize<'de> for Id<K> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_back_as_it_was_written() {
        let id: CaseId = "0b1f6f2e-5d0e-4a53-9d0e-3f6f1a2b3c4d".parse().expect("a well-formed id");
        let json = serde_json::to_string(&id).expect("ids are text");
        assert_eq!(serde_json::from_str::<CaseId>(&json).expect("its own text"), id);
    }

    #[test]
    fn other_spellings_and_the_nil_id_are_refused() {
        for text in ["", "0b1f6f2e5d0e4a539d0e3f6f1a2b3c4d", "00000000-0000-0000-0000-000000000000", "not-an-id"] {
            assert!(text.parse::<CaseId>().is_err(), "{text:?} was accepted");
        }
    }
}
