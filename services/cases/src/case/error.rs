//! Why a case refuses.

use spean_eventsourcing::{Fault, Refusal};

/// Why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum Error {
    /// There is no file of this case here.
    #[error("there is no such case")]
    NoSuchCase,
    /// The id is taken.
    #[error("a case with this id was opened with other particulars")]
    CaseIdTaken,
    /// The person's data were destroyed.
    #[error("the person's data were erased; nothing can be added")]
    Erased,
    /// The case rests.
    #[error("the case was merged into another of the same person; record it there")]
    Merged,
    /// Nothing is covered.
    #[error("a consent must cover at least one part of the file")]
    CoversNothing,
    /// The id is taken.
    #[error("a consent with this id says something else")]
    ConsentIdTaken,
    /// There is no such consent.
    #[error("there is no such consent in this case")]
    NoSuchConsent,
    /// It was taken back before it was given.
    #[error("a consent cannot be withdrawn before the day on which it was given")]
    WithdrawnBeforeGiven,
    /// A child cannot consent alone.
    #[error("for a child, or when the age is unknown, a guardian consents or a best-interest decision is recorded")]
    ChildNeedsGuardian,
    /// A guardian is somebody.
    #[error("a consent of a guardian says which guardian gave it")]
    GuardianNotNamed,
    /// A decision must be on record.
    #[error("a consent in the best interest rests on a decision, which must be recorded with it")]
    DecisionMissing,
    /// What belongs to another basis was said.
    #[error("a guardian is named for a guardian's consent alone, a decision for one in the best interest alone")]
    OtherBasis,
    /// Nobody decides alone for a child.
    #[error("at least two people must have taken part in a best-interest decision")]
    OneDecidesAlone,
    /// The consent is older than its decision.
    #[error("the decision must not be later than the consent that rests on it")]
    DecidedAfterwards,
    /// There is always something.
    #[error("say at least one need")]
    NothingNeeded,
    /// A fact says something.
    #[error("a fact names at least one act, means, purpose or kind of abuse")]
    FactSaysNothing,
    /// Time runs one way.
    #[error("it cannot have ended before it began")]
    EndedBeforeItBegan,
    /// The id is taken.
    #[error("a fact with this id says something else")]
    FactIdTaken,
    /// There is no such fact.
    #[error("there is no such fact in this case")]
    NoSuchFact,
    /// The id is taken.
    #[error("a conclusion with this id says something else")]
    ConclusionIdTaken,
    /// There is nothing to revise.
    #[error("there is no such conclusion to revise in this case")]
    NoSuchConclusion,
    /// Another took its place.
    #[error("this conclusion was revised already; revise the one that took its place")]
    AlreadyRevised,
    /// The id is taken.
    #[error("a danger with this id says something else")]
    RiskIdTaken,
    /// There is no such danger.
    #[error("there is no such danger in this case")]
    NoSuchRisk,
    /// Time runs one way.
    #[error("a danger cannot have passed before the day since which it is known")]
    LoweredBeforeRaised,
    /// The id is taken.
    #[error("a file with this id is another one")]
    AttachmentIdTaken,
    /// There are enough.
    #[error("a person's file holds at most 50 papers and photographs; remove one first")]
    TooManyAttachments,
    /// There is no such file.
    #[error("there is no such paper or photograph in this case")]
    NoSuchAttachment,
    /// Consent is given or not.
    #[error("a consent cannot be waived: it is given, or nothing travels")]
    ConsentCannotBeWaived,
    /// It is there already.
    #[error("this is in the file; there is nothing to waive")]
    AlreadyInTheFile,
    /// A case is not its own duplicate.
    #[error("a case cannot be linked to itself")]
    LinkedToItself,
    /// They never were.
    #[error("the two cases are not linked")]
    NotLinked,
    /// First things first.
    #[error("one of the cases is merged into the other; unmerge them first")]
    StillMerged,
    /// Staff said the contrary.
    #[error("the two cases are linked as of one person; unlink them first")]
    LinkedAsOne,
    /// A case is not its own duplicate.
    #[error("a case cannot be merged into itself")]
    MergedIntoItself,
    /// It rests already.
    #[error("the case was merged into another already; unmerge it first")]
    MergedElsewhere,
    /// It goes on for others.
    #[error("other cases were merged into this one; it must be the one that goes on")]
    OthersMergedIntoIt,
    /// Staff said the contrary.
    #[error("the two cases were judged to be of two people; link them first")]
    JudgedAnotherPerson,
    /// Somebody else is accountable for one of them.
    #[error("both cases must be held by the office that merges them; have the other handed over first")]
    NotBothHeld,
    /// It never was.
    #[error("the case is not merged into another")]
    NotMerged,
    /// Nobody said so.
    #[error("nobody has told that this person was registered under that case")]
    NotSeenAgain,
    /// Nobody will visit.
    #[error("the return cannot be completed: no office has accepted the follow-up yet")]
    FollowUpNotAccepted,
    /// It happened before anything else.
    #[error("the person cannot have returned before the day of registration")]
    ReturnedBeforeRegistration,
    /// Another day is on record.
    #[error("another day of return is on record")]
    AlreadyReturned,
}

impl Refusal for Error {
    fn reason(&self) -> &'static str {
        self.into()
    }

    fn fault(&self) -> Fault {
        match self {
            Self::NoSuchCase
            | Self::NoSuchConsent
            | Self::NoSuchFact
            | Self::NoSuchConclusion
            | Self::NoSuchRisk
            | Self::NoSuchAttachment
            | Self::NotSeenAgain => Fault::NotThere,
            Self::CoversNothing => Fault::Field("consent.parts"),
            Self::ChildNeedsGuardian | Self::OtherBasis => Fault::Field("consent.basis"),
            Self::GuardianNotNamed => Fault::Field("consent.given_by"),
            Self::DecisionMissing => Fault::Field("consent.decision"),
            Self::OneDecidesAlone => Fault::Field("consent.decision.deciders"),
            Self::DecidedAfterwards => Fault::Field("consent.decision.decided_on"),
            Self::NothingNeeded => Fault::Field("needs"),
            Self::FactSaysNothing => Fault::Field("fact"),
            Self::EndedBeforeItBegan => Fault::Field("fact.until_day"),
            Self::ConsentCannotBeWaived => Fault::Field("item"),
            Self::LinkedToItself => Fault::Field("other_case_id"),
            Self::MergedIntoItself => Fault::Field("into_case_id"),
            Self::WithdrawnBeforeGiven => Fault::Field("withdrawn_on"),
            Self::LoweredBeforeRaised => Fault::Field("lowered_on"),
            Self::ReturnedBeforeRegistration => Fault::Field("returned_on"),
            _ => Fault::ForbiddenNow,
        }
    }
}
