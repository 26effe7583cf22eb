//! Who waits for a place at an office, for one need: the most urgent first, then who came first. When a place becomes
//! free it is kept for the first one, for some hours, and then for the next. Nobody falls off the list by silence.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use spean_eventsourcing::{Aggregate, Context, Refusal};
use spean_vocabulary::{CaseId, OfferId, OfficeId, Timestamp, Urgency};

use crate::needs::codes::WaitingEnd;

/// Somebody who waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The case.
    pub case: CaseId,
    /// The office that offered.
    pub from: OfficeId,
    /// How soon help is needed.
    pub urgency: Urgency,
    /// Waiting since.
    pub since: Timestamp,
}

/// The waiting list of one office for one need.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WaitingList {
    waiting: BTreeMap<OfferId, Place>,
    left: std::collections::BTreeSet<OfferId>,
}

/// Somebody's place on the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Who.
    pub entry: Entry,
    /// Until when a place is kept.
    pub kept_until: Option<Timestamp>,
    /// How often a kept place was not taken: whoever let one pass goes behind those who did not.
    pub passed: u32,
    told: u32,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Somebody waits from now on.
    Join {
        /// The offer that was put on the list.
        offer: OfferId,
        /// Who.
        entry: Entry,
    },
    /// Somebody does not wait any longer.
    Leave {
        /// The offer that was put on the list.
        offer: OfferId,
        /// Why.
        why: WaitingEnd,
    },
    /// The case was taken: whoever waited for it does not.
    LeaveAll {
        /// The case.
        case: CaseId,
        /// Why.
        why: WaitingEnd,
    },
    /// So many places are free, those that are kept counted in.
    Fill {
        /// How many.
        free_persons: u32,
        /// Until when a place is kept for whoever is told of it now.
        keep_until: Timestamp,
    },
}

/// Stored for ever: add variants and optional fields, never rename or remove.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr, strum::VariantNames)]
#[serde(tag = "type", rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Event {
    /// Somebody waits.
    Joined {
        /// The offer.
        offer: OfferId,
        /// Who.
        entry: Entry,
    },
    /// Whoever offered was told the position.
    PositionTold {
        /// The offer.
        offer: OfferId,
        /// Who.
        entry: Entry,
        /// 1 is next.
        position: u32,
    },
    /// A place is kept.
    PlaceKept {
        /// The offer.
        offer: OfferId,
        /// For whom.
        entry: Entry,
        /// Until when.
        until: Timestamp,
    },
    /// The place was not taken in time.
    PlaceLapsed {
        /// The offer.
        offer: OfferId,
    },
    /// Somebody does not wait any longer.
    Left {
        /// The offer.
        offer: OfferId,
        /// Who.
        entry: Entry,
        /// Why.
        why: WaitingEnd,
    },
}

/// Why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum Error {
    /// Nobody waits by this offer.
    #[error("nobody waits for a place by this offer")]
    NotOnTheList,
}

impl Refusal for Error {
    fn reason(&self) -> &'static str {
        self.into()
    }
}

impl Aggregate for WaitingList {
    const CATEGORY: &'static str = "waiting_list";
    type Command = Command;
    type Event = Event;
    type Error = Error;
    type Context = Context;

    fn decide(&self, command: Command, context: &Context) -> Result<Vec<Event>, Error> {
        let events = match command {
            Command::Join { offer, entry } => self.join(offer, entry),
            Command::Leave { offer, why } => self.leave(offer, why)?,
            Command::LeaveAll { case, why } => self.leave_all(case, why),
            Command::Fill { free_persons, keep_until } => self.fill(free_persons, keep_until, context.now),
        };
        let after = events.iter().fold(self.clone(), Self::evolve);
        Ok(events.into_iter().chain(after.positions_to_tell()).collect())
    }

    fn evolve(mut self, event: &Event) -> Self {
        match event {
            Event::Joined { offer, entry } => {
                self.waiting.insert(*offer, Place { entry: entry.clone(), kept_until: None, passed: 0, told: 0 });
                self.left.remove(offer);
            }
            Event::PositionTold { offer, position, .. } => self.change(*offer, |place| place.told = *position),
            Event::PlaceKept { offer, until, .. } => self.change(*offer, |place| {
                place.kept_until = Some(*until);
                place.told = 0;
            }),
            Event::PlaceLapsed { offer } => self.change(*offer, |place| {
                place.kept_until = None;
                place.passed += 1;
            }),
            Event::Left { offer, .. } => {
                self.waiting.remove(offer);
                self.left.insert(*offer);
            }
        }
        self
    }
}

impl WaitingList {
    /// Everybody on the list, in order; those for whom a place is kept first.
    pub fn in_order(&self) -> Vec<(OfferId, &Place)> {
        let mut places: Vec<_> = self.waiting.iter().map(|(offer, place)| (*offer, place)).collect();
        places.sort_by_key(|(offer, place)| {
            (place.kept_until.is_none(), place.passed, place.entry.urgency, place.entry.since, *offer)
        });
        places
    }

    fn join(&self, offer: OfferId, entry: Entry) -> Vec<Event> {
        if self.waiting.contains_key(&offer) || self.left.contains(&offer) {
            return vec![];
        }
        // Whoever was offered again and is still to wait keeps the place in the line.
        let earlier = self.waiting.iter().find(|(_, place)| place.entry.case == entry.case);
        let since = earlier.map_or(entry.since, |(_, place)| place.entry.since.min(entry.since));
        let replaced = earlier.map(|(earlier, place)| Event::Left {
            offer: *earlier,
            entry: place.entry.clone(),
            why: WaitingEnd::OfferedAgain,
        });
        replaced.into_iter().chain([Event::Joined { offer, entry: Entry { since, ..entry } }]).collect()
    }

    fn leave(&self, offer: OfferId, why: WaitingEnd) -> Result<Vec<Event>, Error> {
        match self.waiting.get(&offer) {
            Some(place) => Ok(vec![Event::Left { offer, entry: place.entry.clone(), why }]),
            None if self.left.contains(&offer) => Ok(vec![]),
            None => Err(Error::NotOnTheList),
        }
    }

    fn leave_all(&self, case: CaseId, why: WaitingEnd) -> Vec<Event> {
        let theirs = self.waiting.iter().filter(|(_, place)| place.entry.case == case);
        theirs.map(|(offer, place)| Event::Left { offer: *offer, entry: place.entry.clone(), why }).collect()
    }

    fn fill(&self, free_persons: u32, keep_until: Timestamp, now: Timestamp) -> Vec<Event> {
        let is_over = |place: &&Place| place.kept_until.is_some_and(|until| until <= now);
        let lapsed = self.waiting.iter().filter(|(_, place)| is_over(place));
        let mut events: Vec<_> = lapsed.map(|(offer, _)| Event::PlaceLapsed { offer: *offer }).collect();
        let after = events.iter().fold(self.clone(), Self::evolve);
        let in_order = after.in_order();
        let kept = in_order.iter().filter(|(_, place)| place.kept_until.is_some()).count();
        let to_keep = usize::try_from(free_persons).unwrap_or(usize::MAX).saturating_sub(kept);
        let next = in_order.into_iter().filter(|(_, place)| place.kept_until.is_none()).take(to_keep);
        events.extend(next.map(|(offer, place)| Event::PlaceKept {
            offer,
            entry: place.entry.clone(),
            until: keep_until,
        }));
        events
    }

    fn positions_to_tell(&self) -> Vec<Event> {
        let waiting = self.in_order().into_iter().filter(|(_, place)| place.kept_until.is_none());
        let numbered = (1u32..).zip(waiting);
        numbered
            .filter(|(position, (_, place))| place.told != *position)
            .map(|(position, (offer, place))| Event::PositionTold { offer, entry: place.entry.clone(), position })
            .collect()
    }

    fn change(&mut self, offer: OfferId, change: impl FnOnce(&mut Place)) {
        if let Some(place) = self.waiting.get_mut(&offer) {
            change(place);
        }
    }
}

#[cfg(test)]
mod tests;
