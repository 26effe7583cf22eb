//! The rules: what is news of open matters.

use serde::{Deserialize, Serialize};
use spean_eventsourcing::{Aggregate, Context, Refusal};
use spean_vocabulary::Date;

/// What was told of one case at one office.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenMatters {
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
    /// How many, at least one.
    pub count: u32,
    /// Since when the oldest.
    pub since: Date,
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// It was counted: tell it, if it is news.
    Count(Matters),
}

/// Stored for ever: add variants and optional fields, never rename or remove.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr, strum::VariantNames)]
#[serde(tag = "type", rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Event {
    /// Something else is open than was told before.
    Counted {
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

impl Aggregate for OpenMatters {
    const CATEGORY: &'static str = "open_matters";
    type Command = Command;
    type Event = Event;
    type Error = Error;
    type Context = Context;

    fn decide(&self, Command::Count(matters): Command, _: &Context) -> Result<Vec<Event>, Error> {
        Ok(if matters == self.told { vec![] } else { vec![Event::Counted { matters }] })
    }

    fn evolve(self, Event::Counted { matters }: &Event) -> Self {
        Self { told: *matters }
    }
}
