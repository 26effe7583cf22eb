//! How much room an office has for a need, as it was told last, and who was taken beyond it.
//!
//! The figures themselves are counted from the custody of cases; here is what was said of them and to whom, so that the
//! same is not said twice.

use serde::{Deserialize, Serialize};
use spean_eventsourcing::{Aggregate, Context, Refusal};
use spean_vocabulary::{OfferId, Timestamp};

use crate::needs::codes::OverCapacityReason;

/// How many places there are, and what has become of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    /// For how many persons; none when it is not limited.
    pub capacity_persons: Option<u32>,
    /// How many are being helped.
    pub taken_persons: u32,
    /// How many places are held: by open offers, and for those who waited.
    pub reserved_persons: u32,
    /// How many wait.
    pub waiting_persons: u32,
}

/// The room that is left for one offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// For how many persons; none when it is not limited.
    pub capacity_persons: Option<u32>,
    /// How many are being helped.
    pub taken_persons: u32,
    /// How many have a better right to a place: who was offered before, and for whom a place is kept.
    pub ahead_persons: u32,
}

/// What one office said of its room for one need.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Availability {
    told: Option<Figures>,
    beyond: std::collections::BTreeSet<OfferId>,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// It was counted.
    Count(Figures),
    /// Somebody is taken.
    Take {
        /// The offer.
        offer: OfferId,
        /// The room for it.
        room: Room,
        /// Why somebody is taken although there is none.
        beyond_because: Option<OverCapacityReason>,
    },
}

/// Stored for ever: add variants and optional fields, never rename or remove.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr, strum::VariantNames)]
#[serde(tag = "type", rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Event {
    /// The figures changed.
    Counted {
        /// The figures.
        figures: Figures,
        /// When they were counted.
        as_of: Timestamp,
    },
    /// Somebody was taken although no place was free.
    TakenBeyondCapacity {
        /// The offer.
        offer: OfferId,
        /// Why.
        reason: OverCapacityReason,
    },
}

/// Why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum Error {
    /// All places are taken or held for others.
    #[error("no place is free; put the person on the waiting list, or say why somebody is taken all the same")]
    NoPlaceFree,
}

impl Refusal for Error {
    fn reason(&self) -> &'static str {
        self.into()
    }
}

impl Figures {
    /// How many places are free; none when they are not limited.
    pub fn free_persons(&self) -> Option<u32> {
        let held = self.taken_persons.saturating_add(self.reserved_persons);
        self.capacity_persons.map(|capacity| capacity.saturating_sub(held))
    }
}

impl Room {
    /// Whether there is a place.
    pub fn is_enough(&self) -> bool {
        let held = self.taken_persons.saturating_add(self.ahead_persons);
        self.capacity_persons.is_none_or(|capacity| capacity > held)
    }
}

impl Aggregate for Availability {
    const CATEGORY: &'static str = "availability";
    type Command = Command;
    type Event = Event;
    type Error = Error;
    type Context = Context;

    fn decide(&self, command: Command, context: &Context) -> Result<Vec<Event>, Error> {
        match command {
            Command::Count(figures) => {
                // An office that never limited its help has nothing to tell.
                let silent = self.told.is_none() && figures.capacity_persons.is_none();
                let same = self.told == Some(figures);
                Ok(if silent || same { vec![] } else { vec![Event::Counted { figures, as_of: context.now }] })
            }
            Command::Take { offer, .. } if self.beyond.contains(&offer) => Ok(vec![]),
            Command::Take { room, .. } if room.is_enough() => Ok(vec![]),
            Command::Take { beyond_because: None, .. } => Err(Error::NoPlaceFree),
            Command::Take { offer, beyond_because: Some(reason), .. } => {
                Ok(vec![Event::TakenBeyondCapacity { offer, reason }])
            }
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        match event {
            Event::Counted { figures, .. } => self.told = Some(*figures),
            Event::TakenBeyondCapacity { offer, .. } => {
                self.beyond.insert(*offer);
            }
        }
        self
    }
}

#[cfg(test)]
mod tests;
