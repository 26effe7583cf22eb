//! The visit of a supervisor to an office: what was looked at, what must be mended by when, and what came of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use spean_eventsourcing::{Aggregate, Context, Fault, Refusal};
use spean_vocabulary::{Date, OfficeId, StaffId};

use crate::codes::{Check, CheckResult};

/// One visit.
#[derive(Clone, Debug, Default)]
pub struct Supervision {
    visit: Option<Visit>,
    outcomes: BTreeMap<Check, (CheckResult, Date)>,
}

/// What was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit {
    /// The office that was visited.
    pub office: OfficeId,
    /// The office of the supervisor.
    pub by: OfficeId,
    /// The worker whose work was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker: Option<StaffId>,
    /// When.
    pub visited_on: Date,
    /// What was found.
    pub points: BTreeMap<Check, Point>,
}

/// One point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Point {
    /// What was found.
    pub result: CheckResult,
    /// By when it must be mended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mend_by: Option<Date>,
}

/// What may be asked.
#[derive(Clone, Debug)]
pub enum Command {
    /// Note the visit.
    Visit(Visit),
    /// Note what came of a point.
    See {
        /// Which.
        check: Check,
        /// How it is now.
        result: CheckResult,
        /// When it was looked at.
        seen_on: Date,
    },
    /// Note the visit of a supervisor of another node.
    Hear(Visit),
    /// Note what another office says of a point.
    HearPoint {
        /// Which.
        check: Check,
        /// How it is now.
        result: CheckResult,
        /// When it was looked at.
        seen_on: Date,
    },
}

/// What happened. Stored for ever: add variants and optional fields, never rename or remove.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// A supervisor came.
    Supervised(Visit),
    /// Somebody looked at a point again.
    PointSeen {
        /// Which.
        check: Check,
        /// How it is now.
        result: CheckResult,
        /// When.
        seen_on: Date,
        /// The other of the two offices, who is told; none where it was heard from there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tell: Option<OfficeId>,
    },
    /// A supervisor of another node came.
    SupervisionHeard(Visit),
}

/// Why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum Error {
    /// Nothing is known of it.
    #[error("there is no such visit of a supervisor")]
    NoSuchSupervision,
    /// The id is taken.
    #[error("a visit of a supervisor with this id says something else")]
    SupervisionIdTaken,
    /// What was looked at?
    #[error("name at least one point that was looked at")]
    NothingLookedAt,
    /// What is not good must be mended.
    #[error("a point that is not good needs a day by which it is mended, after the visit")]
    MendByMissing,
    /// It was not looked at.
    #[error("this was not among the points of the visit")]
    NoSuchPoint,
    /// Not before the visit.
    #[error("what came of a point cannot be older than the visit")]
    SeenBeforeVisit,
}

impl Refusal for Error {
    fn reason(&self) -> &'static str {
        self.into()
    }

    fn fault(&self) -> Fault {
        match self {
            Self::NoSuchSupervision | Self::NoSuchPoint => Fault::NotThere,
            Self::NothingLookedAt | Self::MendByMissing => Fault::Field("points"),
            Self::SeenBeforeVisit => Fault::Field("seen_on"),
            Self::SupervisionIdTaken => Fault::ForbiddenNow,
        }
    }
}

impl Aggregate for Supervision {
    const CATEGORY: &'static str = "supervision";
    type Command = Command;
    type Event = Event;
    type Error = Error;
    type Context = Context;

    fn decide(&self, command: Command, context: &Context) -> Result<Vec<Event>, Error> {
        match command {
            Command::Visit(visit) => Ok(if self.is_news(&visit)? { vec![Event::Supervised(visit)] } else { vec![] }),
            Command::Hear(visit) => {
                Ok(if self.is_news(&visit)? { vec![Event::SupervisionHeard(visit)] } else { vec![] })
            }
            Command::See { check, result, seen_on } => {
                let tell = self.visit.as_ref().and_then(|visit| visit.other_than(&context.office));
                self.see(check, result, seen_on, tell)
            }
            Command::HearPoint { check, result, seen_on } => self.see(check, result, seen_on, None),
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        match event.clone() {
            Event::Supervised(visit) | Event::SupervisionHeard(visit) => self.visit = Some(visit),
            Event::PointSeen { check, result, seen_on, .. } => {
                self.outcomes.insert(check, (result, seen_on));
            }
        }
        self
    }
}

impl Visit {
    /// The other of the two offices; none when the supervisor is of the office itself.
    fn other_than(&self, office: &OfficeId) -> Option<OfficeId> {
        let other = if self.by == *office { &self.office } else { &self.by };
        (other != office).then(|| other.clone())
    }
}

impl Supervision {
    /// The visit; none when there was none under this id.
    pub fn visit(&self) -> Option<&Visit> {
        self.visit.as_ref()
    }

    fn is_news(&self, visit: &Visit) -> Result<bool, Error> {
        if let Some(known) = &self.visit {
            return if known == visit { Ok(false) } else { Err(Error::SupervisionIdTaken) };
        }
        if visit.points.is_empty() {
            return Err(Error::NothingLookedAt);
        }
        let late = |point: &Point| point.mend_by.is_none_or(|by| by <= visit.visited_on);
        if visit.points.values().any(|point| point.result != CheckResult::Good && late(point)) {
            return Err(Error::MendByMissing);
        }
        Ok(true)
    }

    fn see(
        &self,
        check: Check,
        result: CheckResult,
        seen_on: Date,
        tell: Option<OfficeId>,
    ) -> Result<Vec<Event>, Error> {
        let visit = self.visit.as_ref().ok_or(Error::NoSuchSupervision)?;
        if !visit.points.contains_key(&check) {
            return Err(Error::NoSuchPoint);
        }
        if seen_on < visit.visited_on {
            return Err(Error::SeenBeforeVisit);
        }
        let known = self.outcomes.get(&check) == Some(&(result, seen_on));
        Ok(if known { vec![] } else { vec![Event::PointSeen { check, result, seen_on, tell }] })
    }
}

#[cfg(test)]
mod tests;
