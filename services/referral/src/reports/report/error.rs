//! Why not.

use spean_eventsourcing::{Fault, Refusal};

/// Why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum Error {
    /// This office knows no such report.
    #[error("there is no such report")]
    NoSuchReport,
    /// Another report has this id.
    #[error("another report already has this id")]
    ReportIdTaken,
    /// An office passes a report on to itself.
    #[error("the report is at this office already")]
    PassedOnToOneself,
    /// It would go back to where it came from.
    #[error("the report came from that office; tell it what was found instead")]
    CameFromThere,
    /// It was found to be unfounded, or closed.
    #[error("the report has ended")]
    ReportEnded,
    /// A case came of it, so that there was something in it.
    #[error("a case came of the report; close it instead")]
    BecameACase,
    /// Nobody here looked into it.
    #[error("nobody at this office has looked into the report; take it up first")]
    NotLookedInto,
    /// It is closed because of cases, and none came of it.
    #[error("no case came of the report at this office; link it first")]
    NoCaseLinked,
    /// It is said that another office has dealt with it, and none has said so.
    #[error("no office that the report was passed on to has dealt with it yet")]
    NotDealtWithElsewhere,
    /// Nobody said who reports.
    #[error("it is not kept who reported")]
    NoReporterKept,
}

impl Refusal for Error {
    fn reason(&self) -> &'static str {
        self.into()
    }

    fn fault(&self) -> Fault {
        match self {
            Self::NoSuchReport => Fault::NotThere,
            Self::PassedOnToOneself | Self::CameFromThere => Fault::Field("to_office_id"),
            _ => Fault::ForbiddenNow,
        }
    }
}
