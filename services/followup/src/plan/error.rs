//! Why a follow-up refuses something.

use spean_eventsourcing::{Fault, Refusal};

/// Why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum Error {
    /// Only the holder follows up.
    #[error("only the office that holds the case may begin its follow-up")]
    NotTheHolder,
    /// Another day is on record.
    #[error("the follow-up of this case began from another day")]
    AlreadyBegun,
    /// Nothing is planned.
    #[error("the follow-up of this case has not begun")]
    NotBegun,
    /// No such number.
    #[error("there is no visit with this number in the plan")]
    NoSuchVisit,
    /// The id is taken.
    #[error("a visit with this id says something else")]
    VisitIdTaken,
    /// The number is done.
    #[error("this visit was already made, or refused by the person, or let go by the meeting")]
    AlreadySettled,
    /// Home before the visit.
    #[error("the person cannot have been visited before the day of reintegration")]
    VisitedBeforeReintegration,
    /// A child is not met alone.
    #[error("for a child, or when the age is unknown, a responsible adult must have been present")]
    ResponsibleAdultMissing,
    /// Not everybody can answer for a child.
    #[error("somebody with this function cannot be the responsible adult of a child")]
    NotAResponsibleAdult,
    /// A second try comes after the first.
    #[error("the next day is for a missed visit, and lies after it")]
    NextDayNotAfterMissedVisit,
    /// Nothing may be kept of them.
    #[error("the person's data were erased; findings can no longer be kept")]
    Erased,
    /// What is over does not change.
    #[error("the follow-up is closed: record an informal visit, or open it again")]
    FollowUpClosed,
    /// It still runs.
    #[error("the follow-up is not closed")]
    NotClosed,
    /// Nobody closes alone.
    #[error("a follow-up is closed by a decision of the coordination meeting, and by nothing else")]
    ClosureNeedsMeeting,
    /// Not while somebody is in danger.
    #[error("the follow-up cannot be closed while a danger is open: assess it first")]
    DangerOpen,
    /// Not while nobody knows where the person is seen.
    #[error("the follow-up cannot be closed while a contradiction is open: resolve it first")]
    ContradictionOpen,
    /// Nobody is left waiting for an answer about somebody whose case is over.
    #[error("the follow-up cannot be closed while an offer of the case is open: wait for the answer, or withdraw it")]
    OfferOpen,
    /// Unmet needs are not hidden by closing.
    #[error("the follow-up cannot be closed while nobody meets a need: meet it, or record that it is not wanted")]
    NeedOpen,
    /// What others do is not cut off behind their back.
    #[error(
        "the follow-up cannot be closed while another office gives a service: it ends it, or the offer is withdrawn"
    )]
    ServiceOpen,
    /// One decision closed it.
    #[error("the follow-up was closed by another decision, or for another reason")]
    ClosedOtherwise,
    /// Visits lie ahead.
    #[error("a visit can only be planned for today or a day to come")]
    PlannedForThePast,
    /// A visit cannot be moved on and on.
    #[error("a visit can be moved to at most one month after the day on which it was first due")]
    MovedTooFar,
    /// Longer is for the meeting.
    #[error("visits beyond the last one of the plan are for the coordination meeting to decide")]
    ExtensionNeedsMeeting,
    /// The number is taken.
    #[error("the plan has another visit under this number")]
    VisitNumberTaken,
    /// Numbers have no gaps.
    #[error("a further visit gets the next free number of the plan")]
    VisitNumberNotNext,
    /// It is another office's work.
    #[error("another office goes on with this follow-up")]
    GoesOnElsewhere,
    /// Home before the move.
    #[error("the person cannot have moved before the day of reintegration")]
    MovedBeforeReintegration,
    /// The end before the beginning.
    #[error("a follow-up is opened again on or after the day on which it was closed")]
    ReopenedBeforeClosure,
    /// A longer follow-up has more visits.
    #[error("an extension names at least one day after the last visit of the plan, in their order")]
    ExtensionWithoutVisits,
    /// There are 255 numbers.
    #[error("the plan has no room for so many visits")]
    TooManyVisits,
}

impl Refusal for Error {
    fn reason(&self) -> &'static str {
        self.into()
    }

    fn fault(&self) -> Fault {
        match self {
            Self::NotTheHolder => Fault::NotTheirs,
            Self::NoSuchVisit | Self::VisitNumberNotNext => Fault::Field("number"),
            Self::VisitedBeforeReintegration => Fault::Field("visited_on"),
            Self::ResponsibleAdultMissing | Self::NotAResponsibleAdult => Fault::Field("responsible_adult"),
            Self::NextDayNotAfterMissedVisit => Fault::Field("next_on"),
            Self::PlannedForThePast | Self::MovedTooFar => Fault::Field("due_on"),
            Self::MovedBeforeReintegration => Fault::Field("moved_on"),
            Self::ReopenedBeforeClosure => Fault::Field("reopened_on"),
            _ => Fault::ForbiddenNow,
        }
    }
}
