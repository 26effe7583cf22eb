//! What the desk says is open of a case: offers that nobody has answered, needs that nobody meets, services that others
//! give. A follow-up is not closed over it, and the meeting of the province hears of it.

use serde::{Deserialize, Serialize};
use spean_eventsourcing::{Aggregate, Context, Refusal};
use spean_vocabulary::Date;

/// What an office's desk told last of one case.
#[derive(Clone, Debug, Default)]
pub struct AtTheDesk {
    told: Matters,
}

/// What is open, by its kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Matters {
    /// Offers that nobody has answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offers: Option<Open>,
    /// Needs that nobody meets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needs: Option<Open>,
    /// Services that others give.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub services: Option<Open>,
}

/// Something of one kind that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    /// How many.
    pub count: u32,
    /// Since when the oldest.
    pub since: Date,
}

/// What may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Keep what the desk tells.
    Hear(Matters),
}

/// What happened. Stored for ever: add variants and optional fields, never rename or remove.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// The desk told it.
    Heard {
        /// What is open now.
        matters: Matters,
    },
}

/// Why not: it never is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
pub enum Error {}

impl Refusal for Error {
    fn reason(&self) -> &'static str {
        self.into()
    }
}

impl Aggregate for AtTheDesk {
    const CATEGORY: &'static str = "at_the_desk";
    type Command = Command;
    type Event = Event;
    type Error = Error;
    type Context = Context;

    fn decide(&self, Command::Hear(matters): Command, _: &Context) -> Result<Vec<Event>, Error> {
        Ok(if matters == self.told { vec![] } else { vec![Event::Heard { matters }] })
    }

    fn evolve(self, Event::Heard { matters }: &Event) -> Self {
        Self { told: *matters }
    }
}

#[cfg(test)]
mod tests;
