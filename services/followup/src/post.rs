//! The handover of a post: every open case and duty of a worker goes to a successor, who acknowledges them one by one.
//! What is not acknowledged stays the old worker's, and ages on the list of the office.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use spean_eventsourcing::{Aggregate, Context, Fault, Refusal};
use spean_vocabulary::{Date, StaffId};

use crate::codes::Duty;

/// One handover.
#[derive(Clone, Debug, Default)]
pub struct Post {
    handover: Option<Handover>,
    acknowledged: BTreeSet<Item>,
}

/// Who leaves, who follows, and all that goes along.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handover {
    /// Who leaves.
    pub from: StaffId,
    /// Who follows.
    pub to: StaffId,
    /// When.
    pub handed_over_on: Date,
    /// What.
    pub items: BTreeSet<Item>,
}

/// A piece of work.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Item {
    /// What kind.
    pub duty: Duty,
    /// Its id.
    pub id: String,
}

/// What may be asked.
#[derive(Clone, Debug)]
pub enum Command {
    /// Hand the post over.
    HandOver(Handover),
    /// Acknowledge one item.
    Acknowledge(Item),
}

/// What happened. Stored for ever: add variants and optional fields, never rename or remove.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// The post was handed over.
    PostHandedOver(Handover),
    /// The successor has one item.
    ItemAcknowledged {
        /// Which.
        item: Item,
        /// Whose it is now.
        to: StaffId,
    },
}

/// Why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum Error {
    /// Nothing is known of it.
    #[error("there is no such handover")]
    NoSuchHandover,
    /// The id is taken.
    #[error("a handover with this id says something else")]
    HandoverIdTaken,
    /// Somebody else follows.
    #[error("a post is handed over to another worker")]
    HandedToThemselves,
    /// There is nothing to hand over.
    #[error("this worker has no open case or duty")]
    NothingToHandOver,
    /// It was not handed over.
    #[error("this was not part of the handover")]
    NoSuchItem,
    /// Only the successor can say so.
    #[error("only the successor acknowledges what was handed over")]
    NotTheSuccessor,
}

impl Refusal for Error {
    fn reason(&self) -> &'static str {
        self.into()
    }

    fn fault(&self) -> Fault {
        match self {
            Self::NoSuchHandover | Self::NoSuchItem => Fault::NotThere,
            Self::HandedToThemselves => Fault::Field("to_worker"),
            Self::NotTheSuccessor => Fault::NotTheirs,
            _ => Fault::ForbiddenNow,
        }
    }
}

impl Aggregate for Post {
    const CATEGORY: &'static str = "post";
    type Command = Command;
    type Event = Event;
    type Error = Error;
    type Context = Context;

    fn decide(&self, command: Command, context: &Context) -> Result<Vec<Event>, Error> {
        match command {
            Command::HandOver(handover) => self.hand_over(handover),
            Command::Acknowledge(item) => {
                let handover = self.handover.as_ref().ok_or(Error::NoSuchHandover)?;
                if !handover.items.contains(&item) {
                    return Err(Error::NoSuchItem);
                }
                if context.staff.as_ref() != Some(&handover.to) {
                    return Err(Error::NotTheSuccessor);
                }
                let done = self.acknowledged.contains(&item);
                Ok(if done { vec![] } else { vec![Event::ItemAcknowledged { item, to: handover.to.clone() }] })
            }
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        match event.clone() {
            Event::PostHandedOver(handover) => self.handover = Some(handover),
            Event::ItemAcknowledged { item, .. } => {
                self.acknowledged.insert(item);
            }
        }
        self
    }
}

impl Post {
    /// Whether the successor has said that an item is theirs.
    pub fn has_acknowledged(&self, item: &Item) -> bool {
        self.acknowledged.contains(item)
    }

    fn hand_over(&self, handover: Handover) -> Result<Vec<Event>, Error> {
        if let Some(known) = &self.handover {
            // What was open at that time is what goes; a second look may find something else.
            let same = *known == Handover { items: known.items.clone(), ..handover };
            return if same { Ok(vec![]) } else { Err(Error::HandoverIdTaken) };
        }
        if handover.from == handover.to {
            return Err(Error::HandedToThemselves);
        }
        if handover.items.is_empty() {
            return Err(Error::NothingToHandOver);
        }
        Ok(vec![Event::PostHandedOver(handover)])
    }
}

#[cfg(test)]
mod tests;
