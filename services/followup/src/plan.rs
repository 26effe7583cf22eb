//! The follow-up of one case: twelve visits, due one to twelve months after the day of reintegration.
//!
//! A number is *settled* by the first visit that met the person, or at which the person refused. A missed visit is kept
//! and settles nothing: its number stays due until somebody is met or refuses, however long that takes. Visits are
//! entered when the social worker is back, perhaps weeks later: the day in the field and the moment of recording are two
//! things, and the order of recording means nothing.
//!
//! The plan belongs to the case and not to an office: when another office of the same node takes the case over, what is
//! due appears on its list.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use spean_eventsourcing::{Aggregate, Context, Fault, Refusal};
use spean_vocabulary::{Date, VisitId, VisitOutcome};

#[cfg(test)]
mod tests;

/// How many visits there are, one each month.
pub const VISITS: u8 = 12;

/// The follow-up of one case.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    year: Option<Year>,
    recorded: BTreeMap<VisitId, Visit>,
    settled: BTreeSet<u8>,
    erased: bool,
}

#[derive(Clone, Debug)]
struct Year {
    reintegrated_on: Date,
    due_on: Vec<Date>,
}

/// A visit, or an attempt at one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit {
    /// Its id.
    pub visit_id: VisitId,
    /// Which of the twelve, from 1.
    pub number: u8,
    /// The day in the field.
    pub visited_on: Date,
    /// How it ended.
    pub outcome: VisitOutcome,
    /// Whether a responsible adult was present. Who, is in the vault.
    pub responsible_adult_present: bool,
}

/// What may be asked.
#[derive(Clone, Debug)]
pub enum Command {
    /// Begin the year.
    Begin {
        /// The day of reintegration.
        reintegrated_on: Date,
        /// Whether the asking office holds the case.
        is_holder: bool,
    },
    /// Note what came of a visit.
    Record {
        /// The visit.
        visit: Visit,
        /// Whether the protection of a child is due.
        is_child: bool,
        /// Whether there are findings in words, for the vault.
        has_findings: bool,
    },
    /// Note that the person's key was destroyed.
    Erase,
}

/// What happened. Stored for ever: add variants and optional fields, never rename or remove.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// The year began.
    Begun {
        /// The day of reintegration.
        reintegrated_on: Date,
        /// When each visit is due, in their order.
        due_on: Vec<Date>,
    },
    /// A visit took place, or was tried.
    VisitRecorded(Visit),
    /// The person's key was destroyed; the facts stay.
    PersonErased,
}

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
    /// There are twelve.
    #[error("there is no visit with this number in the plan")]
    NoSuchVisit,
    /// The id is taken.
    #[error("a visit with this id says something else")]
    VisitIdTaken,
    /// The number is done.
    #[error("this visit was already made, or refused by the person")]
    AlreadySettled,
    /// Home before the visit.
    #[error("the person cannot have been visited before the day of reintegration")]
    VisitedBeforeReintegration,
    /// A child is not met alone.
    #[error("for a child, or when the age is unknown, a responsible adult must have been present")]
    ResponsibleAdultMissing,
    /// Nothing may be kept of them.
    #[error("the person's data were erased; findings can no longer be kept")]
    Erased,
}

impl Refusal for Error {
    fn reason(&self) -> &'static str {
        self.into()
    }

    fn fault(&self) -> Fault {
        match self {
            Self::NotTheHolder => Fault::NotTheirs,
            Self::NoSuchVisit => Fault::Field("number"),
            Self::VisitedBeforeReintegration => Fault::Field("visited_on"),
            Self::ResponsibleAdultMissing => Fault::Field("responsible_adult"),
            _ => Fault::ForbiddenNow,
        }
    }
}

impl Aggregate for Plan {
    const CATEGORY: &'static str = "follow_up";
    type Command = Command;
    type Event = Event;
    type Error = Error;
    type Context = Context;

    fn decide(&self, command: Command, _: &Context) -> Result<Vec<Event>, Error> {
        match command {
            Command::Begin { reintegrated_on, is_holder } => self.begin(reintegrated_on, is_holder),
            Command::Record { visit, is_child, has_findings } => self.record(visit, is_child, has_findings),
            Command::Erase => Ok(if self.erased { vec![] } else { vec![Event::PersonErased] }),
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        match event.clone() {
            Event::Begun { reintegrated_on, due_on } => self.year = Some(Year { reintegrated_on, due_on }),
            Event::VisitRecorded(visit) => {
                if settles(visit.outcome) {
                    self.settled.insert(visit.number);
                }
                self.recorded.insert(visit.visit_id, visit);
            }
            Event::PersonErased => self.erased = true,
        }
        self
    }
}

impl Plan {
    /// Whether the person's data were erased: nothing in words may be kept of them.
    pub fn is_erased(&self) -> bool {
        self.erased
    }

    fn begin(&self, reintegrated_on: Date, is_holder: bool) -> Result<Vec<Event>, Error> {
        match &self.year {
            Some(year) if year.reintegrated_on == reintegrated_on => Ok(vec![]),
            Some(_) => Err(Error::AlreadyBegun),
            None if !is_holder => Err(Error::NotTheHolder),
            None => {
                let due_on = (1..=VISITS).map(|month| reintegrated_on.plus_months(month.into())).collect();
                Ok(vec![Event::Begun { reintegrated_on, due_on }])
            }
        }
    }

    fn record(&self, visit: Visit, is_child: bool, has_findings: bool) -> Result<Vec<Event>, Error> {
        if let Some(known) = self.recorded.get(&visit.visit_id) {
            return if *known == visit { Ok(vec![]) } else { Err(Error::VisitIdTaken) };
        }
        let year = self.year.as_ref().ok_or(Error::NotBegun)?;
        if !(1..=year.due_on.len()).contains(&usize::from(visit.number)) {
            return Err(Error::NoSuchVisit);
        }
        if visit.visited_on < year.reintegrated_on {
            return Err(Error::VisitedBeforeReintegration);
        }
        if self.settled.contains(&visit.number) {
            return Err(Error::AlreadySettled);
        }
        if visit.outcome == VisitOutcome::Met && is_child && !visit.responsible_adult_present {
            return Err(Error::ResponsibleAdultMissing);
        }
        if self.erased && has_findings {
            return Err(Error::Erased);
        }
        Ok(vec![Event::VisitRecorded(visit)])
    }
}

/// Whether a visit that ended so need not be made again.
pub const fn settles(outcome: VisitOutcome) -> bool {
    matches!(outcome, VisitOutcome::Met | VisitOutcome::Refused)
}
