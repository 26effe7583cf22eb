//! Why a house says no.

use spean_eventsourcing::{Fault, Refusal};

/// Why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum Error {
    /// Two numbers for one group.
    #[error("each group is declared once")]
    GroupDeclaredTwice,
    /// The id is taken.
    #[error("a stay with this id is of another case or began on another day")]
    AdmissionIdTaken,
    /// One stay at a time.
    #[error("the person stays here already, under another admission")]
    StaysHereAlready,
    /// One stay at a time.
    #[error("the person stays in another house of this agency; that stay must end first")]
    StaysElsewhere,
    /// The house is full.
    #[error("there is no free place for this group")]
    NoFreePlace,
    /// Two stays on the same days.
    #[error("the person cannot have come back before the day on which the last stay ended")]
    AdmittedBeforeLastExit,
    /// There is no such stay.
    #[error("there is no such stay in this house")]
    NoSuchStay,
    /// The stay is over.
    #[error("this stay ended in another way or on another day")]
    AlreadyExited,
    /// Out before in.
    #[error("the person cannot have left before the day of admission")]
    ExitedBeforeAdmission,
    /// Out before the last thing that is known.
    #[error("the person cannot have left before the last absence began or ended")]
    ExitedBeforeLastAbsence,
    /// One sleeper in a bed.
    #[error("somebody else sleeps in this bed")]
    BedTaken,
    /// The person left.
    #[error("this stay is over")]
    StayIsOver,
    /// Two stories of one absence.
    #[error("an absence since this day was recorded with another reason or another end")]
    AbsenceAlreadyRecorded,
    /// One absence at a time.
    #[error("the person is away already, since another day")]
    AwayAlready,
    /// Away before in, or before back.
    #[error("the person cannot have been away before the admission or the last return")]
    AwayBeforePresent,
    /// The person is here.
    #[error("the person is not away")]
    NotAway,
    /// Back before away.
    #[error("the person cannot have come back before the day on which the absence began")]
    BackBeforeAway,
    /// Too soon.
    #[error("the bed is kept for some more days")]
    BedIsKept,
    /// It is free already.
    #[error("the bed was given to others on another day")]
    BedReleasedAlready,
    /// Nobody looks for the person.
    #[error("contact with the person was not lost")]
    ContactNotLost,
    /// Found before lost.
    #[error("the person cannot have been heard of before the day on which contact was lost")]
    FoundBeforeLost,
    /// Nobody agreed to it.
    #[error(
        "the person cannot be recorded as gone home: the return was not decided with their agreement, or no longer stands"
    )]
    ReturnNotDecided,
    /// Nobody will visit.
    #[error("the person cannot be recorded as gone home: no other office has taken the case to follow up yet")]
    FollowUpNotAccepted,
    /// Nobody waits for them.
    #[error("the person cannot be recorded as moved: no other office has agreed to take, shelter or treat them yet")]
    NoOtherPlaceOfCare,
}

impl Refusal for Error {
    fn reason(&self) -> &'static str {
        self.into()
    }

    fn fault(&self) -> Fault {
        match self {
            Self::GroupDeclaredTwice => Fault::Field("places"),
            Self::AdmittedBeforeLastExit => Fault::Field("admitted_on"),
            Self::ExitedBeforeAdmission | Self::ExitedBeforeLastAbsence => Fault::Field("exited_on"),
            Self::AwayBeforePresent => Fault::Field("since"),
            Self::BackBeforeAway => Fault::Field("returned_on"),
            Self::FoundBeforeLost => Fault::Field("found_on"),
            Self::NoSuchStay => Fault::NotThere,
            _ => Fault::ForbiddenNow,
        }
    }
}
