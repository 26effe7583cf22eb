//! Whether anybody knows where a person is. Contact lost is no end: the search is recorded step by step, ages, and comes
//! before the coordination meeting; who is found again is visited again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use spean_eventsourcing::{Aggregate, Context, Fault, Refusal};
use spean_vocabulary::{Date, OfficeId, SearchStepId};

use crate::codes::{FoundPlace, LossReason, SearchAction};

/// The contact with the person of one case.
#[derive(Clone, Debug, Default)]
pub struct Contact {
    lost: Option<(Date, LossReason)>,
    steps: BTreeMap<SearchStepId, (SearchAction, Date)>,
    seen_again: Option<(OfficeId, Date)>,
    found: Option<(Date, FoundPlace)>,
}

/// What may be asked.
#[derive(Clone, Debug)]
pub enum Command {
    /// Note that contact is lost.
    Lose {
        /// Since when.
        lost_on: Date,
        /// Why.
        reason: LossReason,
        /// From when on the meeting hears of it.
        to_meeting_on: Date,
    },
    /// Note a step of the search.
    Search {
        /// Its id.
        step_id: SearchStepId,
        /// What was done.
        action: SearchAction,
        /// When.
        done_on: Date,
    },
    /// Note that another office registered the person. Whether it is them, and where they are, a worker has to find out.
    SeeAgain {
        /// The office.
        by: OfficeId,
        /// When.
        seen_on: Date,
    },
    /// Note that the person was found.
    Find {
        /// When.
        found_on: Date,
        /// Where.
        place: FoundPlace,
    },
}

/// What happened. Stored for ever: add variants and optional fields, never rename or remove.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// Contact is lost.
    Lost {
        /// Since when.
        lost_on: Date,
        /// Why.
        reason: LossReason,
        /// From when on the meeting hears of it.
        to_meeting_on: Date,
    },
    /// Somebody searched.
    Searched {
        /// Its id.
        step_id: SearchStepId,
        /// What was done.
        action: SearchAction,
        /// When.
        done_on: Date,
    },
    /// Another office registered the person.
    SeenAgain {
        /// The office.
        by: OfficeId,
        /// When.
        seen_on: Date,
    },
    /// The person was found.
    Found {
        /// When.
        found_on: Date,
        /// Where.
        place: FoundPlace,
    },
}

/// Why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum Error {
    /// It is on record already.
    #[error("contact is on record as lost since another day, or for another reason")]
    AlreadyLost,
    /// Nobody is looked for.
    #[error("contact with this person is not lost")]
    NotLost,
    /// The id is taken.
    #[error("a step with this id says something else")]
    StepIdTaken,
    /// Nobody is looked for or found before they are lost.
    #[error("nobody is searched for or found before contact was lost")]
    BeforeTheLoss,
}

impl Refusal for Error {
    fn reason(&self) -> &'static str {
        self.into()
    }

    fn fault(&self) -> Fault {
        Fault::ForbiddenNow
    }
}

impl Aggregate for Contact {
    const CATEGORY: &'static str = "contact";
    type Command = Command;
    type Event = Event;
    type Error = Error;
    type Context = Context;

    fn decide(&self, command: Command, _: &Context) -> Result<Vec<Event>, Error> {
        match command {
            Command::Lose { lost_on, reason, to_meeting_on } => match self.lost {
                Some(known) if known == (lost_on, reason) => Ok(vec![]),
                Some(_) => Err(Error::AlreadyLost),
                None => Ok(vec![Event::Lost { lost_on, reason, to_meeting_on }]),
            },
            Command::Search { step_id, action, done_on } => {
                if let Some(known) = self.steps.get(&step_id) {
                    return if *known == (action, done_on) { Ok(vec![]) } else { Err(Error::StepIdTaken) };
                }
                self.not_before_the_loss(done_on)?;
                Ok(vec![Event::Searched { step_id, action, done_on }])
            }
            Command::SeeAgain { by, seen_on } => {
                let known = self.lost.is_none() || self.seen_again.as_ref() == Some(&(by.clone(), seen_on));
                Ok(if known { vec![] } else { vec![Event::SeenAgain { by, seen_on }] })
            }
            Command::Find { found_on, place } => {
                if self.lost.is_none() && self.found == Some((found_on, place)) {
                    return Ok(vec![]);
                }
                self.not_before_the_loss(found_on)?;
                Ok(vec![Event::Found { found_on, place }])
            }
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        match event.clone() {
            Event::Lost { lost_on, reason, .. } => self.lost = Some((lost_on, reason)),
            Event::Searched { step_id, action, done_on } => {
                self.steps.insert(step_id, (action, done_on));
            }
            Event::SeenAgain { by, seen_on } => self.seen_again = Some((by, seen_on)),
            Event::Found { found_on, place } => {
                self.lost = None;
                self.found = Some((found_on, place));
            }
        }
        self
    }
}

impl Contact {
    /// Since when contact is lost; none when it is not.
    pub fn lost_on(&self) -> Option<Date> {
        self.lost.map(|(lost_on, _)| lost_on)
    }

    fn not_before_the_loss(&self, day: Date) -> Result<(), Error> {
        let lost_on = self.lost_on().ok_or(Error::NotLost)?;
        if day < lost_on { Err(Error::BeforeTheLoss) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests;
