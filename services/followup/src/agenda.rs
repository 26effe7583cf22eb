//! What the meeting of the province should hear of a case: found out from the facts, told when it changes.
//!
//! At the office that keeps the case the list is drawn up from what is on record, whenever that changes; at the province
//! it is kept as it was told, until the next word from there.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use spean_eventsourcing::{Aggregate, Context, Refusal};
use spean_vocabulary::{CaseNumber, Date, OfficeId};

use crate::codes::Topic;

#[cfg(test)]
mod tests;

/// What was told of one case, by us and to us.
#[derive(Clone, Debug, Default)]
pub struct Agenda {
    told: Option<Told>,
    heard: BTreeMap<(OfficeId, OfficeId), BTreeMap<Topic, Date>>,
}

/// Why a meeting should speak of a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// The office that keeps the case.
    pub office: OfficeId,
    /// The provincial office whose meeting it is.
    pub to: OfficeId,
    /// The number of the case, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case_number: Option<CaseNumber>,
    /// Why, and since when; empty when there is no reason any more.
    pub topics: BTreeMap<Topic, Date>,
}

/// What may be asked.
#[derive(Clone, Debug)]
pub enum Command {
    /// Tell how things stand now, if that is news. None when the case is no longer kept here, or no province hears of it.
    Observe(Option<Told>),
    /// Keep what another office told us.
    Hear(Told),
}

/// What happened. Stored for ever: add variants and optional fields, never rename or remove.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// The province is told.
    Told(Told),
    /// The province was told.
    Heard(Told),
}

/// Why not: it never is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
pub enum Error {}

impl Refusal for Error {
    fn reason(&self) -> &'static str {
        self.into()
    }
}

impl Aggregate for Agenda {
    const CATEGORY: &'static str = "agenda";
    type Command = Command;
    type Event = Event;
    type Error = Error;
    type Context = Context;

    fn decide(&self, command: Command, _: &Context) -> Result<Vec<Event>, Error> {
        match command {
            Command::Observe(now) => Ok(self.observe(now)),
            Command::Hear(told) => {
                let known = self.heard.get(&(told.office.clone(), told.to.clone()));
                let news = known.map_or(!told.topics.is_empty(), |known| *known != told.topics);
                Ok(if news { vec![Event::Heard(told)] } else { vec![] })
            }
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        match event.clone() {
            Event::Told(told) => self.told = Some(told),
            Event::Heard(told) => {
                self.heard.insert((told.office, told.to), told.topics);
            }
        }
        self
    }
}

impl Agenda {
    /// What stands on the agenda because we said so.
    pub fn topics(&self) -> BTreeMap<Topic, Date> {
        self.told.as_ref().map(|told| told.topics.clone()).unwrap_or_default()
    }

    fn observe(&self, now: Option<Told>) -> Vec<Event> {
        let before = self.told.as_ref().filter(|told| !told.topics.is_empty());
        let same_ends = |one: &Told, other: &Told| one.office == other.office && one.to == other.to;
        let mut events = Vec::new();
        // Whoever was told, and is told no more, takes the case off the agenda.
        if let Some(before) = before
            && now.as_ref().is_none_or(|now| !same_ends(before, now))
        {
            events.push(Event::Told(Told { topics: BTreeMap::new(), ..before.clone() }));
        }
        if let Some(now) = now {
            let known = before.filter(|before| same_ends(before, &now)).map(|before| &before.topics);
            if known.map_or(!now.topics.is_empty(), |known| *known != now.topics) {
                events.push(Event::Told(now));
            }
        }
        events
    }
}
