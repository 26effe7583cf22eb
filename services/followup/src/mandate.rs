//! A decision of the meeting at the office that has to carry it out: done at once, to be done, or refused because things
//! have changed since. What is refused is shown on both sides, and the meeting hears of the case again.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use spean_eventsourcing::{Aggregate, Context, Refusal};
use spean_vocabulary::{CaseId, Date, OfficeId};

use crate::codes::Topic;
use crate::meeting::Decision;

#[cfg(test)]
mod tests;

/// One decision.
#[derive(Clone, Debug, Default)]
pub struct Mandate {
    received: Option<Received>,
    state: State,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Unknown,
    Open,
    CarriedOut,
    Refused,
}

/// A decision as it came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Received {
    /// The meeting.
    pub meeting: String,
    /// The case.
    pub case: CaseId,
    /// The office that keeps the case.
    pub office: OfficeId,
    /// The provincial office.
    pub province: OfficeId,
    /// What was decided.
    pub decision: Decision,
    /// What the meeting knew.
    pub known: BTreeSet<Topic>,
    /// The day of the meeting.
    pub decided_on: Date,
}

/// What may be asked.
#[derive(Clone, Debug)]
pub enum Command {
    /// Take note of a decision, and of what came of carrying it out at once.
    Receive {
        /// The decision.
        received: Received,
        /// What came of it.
        answer: Answer,
    },
    /// Note that what was to be done is done.
    Complete,
}

/// What comes of a decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Answer {
    /// It was carried out.
    CarriedOut,
    /// The office has work to do first.
    Open,
    /// It was not carried out.
    Refused {
        /// Why, as a code.
        reason: String,
    },
}

/// What happened. Stored for ever: add variants and optional fields, never rename or remove.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// The decision came, and was answered.
    Received {
        /// The decision.
        received: Received,
        /// What came of it.
        answer: Answer,
    },
    /// What was to be done is done.
    Completed {
        /// The decision, as it came.
        received: Received,
    },
}

/// Why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum Error {
    /// The id is taken.
    #[error("another decision already has this id")]
    DecisionIdTaken,
    /// Nothing is to be done.
    #[error("there is no such decision that waits to be carried out")]
    NothingToDo,
}

impl Refusal for Error {
    fn reason(&self) -> &'static str {
        self.into()
    }
}

impl Aggregate for Mandate {
    const CATEGORY: &'static str = "mandate";
    type Command = Command;
    type Event = Event;
    type Error = Error;
    type Context = Context;

    fn decide(&self, command: Command, _: &Context) -> Result<Vec<Event>, Error> {
        match (command, &self.received) {
            // However often it comes: it is carried out once.
            (Command::Receive { received, .. }, Some(known)) if *known == received => Ok(vec![]),
            (Command::Receive { .. }, Some(_)) => Err(Error::DecisionIdTaken),
            (Command::Receive { received, answer }, None) => Ok(vec![Event::Received { received, answer }]),
            (Command::Complete, Some(received)) if self.state == State::Open => {
                Ok(vec![Event::Completed { received: received.clone() }])
            }
            (Command::Complete, Some(_)) if self.state == State::CarriedOut => Ok(vec![]),
            (Command::Complete, _) => Err(Error::NothingToDo),
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        match event.clone() {
            Event::Received { received, answer } => {
                self.received = Some(received);
                self.state = match answer {
                    Answer::CarriedOut => State::CarriedOut,
                    Answer::Open => State::Open,
                    Answer::Refused { .. } => State::Refused,
                };
            }
            Event::Completed { .. } => self.state = State::CarriedOut,
        }
        self
    }
}

impl Mandate {
    /// Whether the decision came before.
    pub const fn is_known(&self) -> bool {
        self.received.is_some()
    }
}
