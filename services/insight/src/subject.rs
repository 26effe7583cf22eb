//! What is known of one case, or one report of a concern, as far as it can be counted: codes and days, never a person.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use spean_eventsourcing::{Aggregate, Context, Refusal};
use spean_vocabulary::{AgeBand, Date, OfficeId, PlaceCode, Sex};

use crate::measure::Measure;

#[cfg(test)]
mod tests;

/// What happened with one subject.
#[derive(Clone, Debug, Default)]
pub struct Subject {
    described: Description,
    facts: BTreeMap<String, Fact>,
}

/// What is known of the subject. What is not said changes nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// Sex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sex: Option<Sex>,
    /// Age band.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age_band: Option<AgeBand>,
    /// The province of the home.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub home_province: Option<PlaceCode>,
    /// How the person came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    /// The country the person came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// The sector of work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sector: Option<String>,
}

/// One thing that happened and counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// Its id within the node: the service, and the event's place in its log.
    pub fact_id: String,
    /// What is counted.
    pub measure: Measure,
    /// The office at which it happened.
    pub office: OfficeId,
    /// The province that the office is in; none when the directory does not know the office.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub province: Option<PlaceCode>,
    /// The day.
    pub occurred_on: Date,
    /// A code that says more; empty when there is nothing more to say.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// What has a beginning and an end; empty when nothing has.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub thing: String,
    /// Hours that it took: told by the service, or counted from when the thing began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<i64>,
    /// When it was recorded, in hours since 1970.
    #[serde(default)]
    pub recorded_hour: i64,
}

/// What may be asked. All of it comes from the services of the node.
#[derive(Clone, Debug)]
pub enum Command {
    /// Take note of what the subject is like.
    Describe(Description),
    /// Take note of something that happened.
    Record(Fact),
}

/// What happened. Stored for ever: add variants and optional fields, never rename or remove.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// More is known of the subject.
    Described(Description),
    /// Something happened.
    Recorded(Fact),
}

/// Why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum Error {
    /// The id is taken.
    #[error("a fact with this id says something else")]
    FactIdTaken,
}

impl Refusal for Error {
    fn reason(&self) -> &'static str {
        self.into()
    }
}

impl Aggregate for Subject {
    const CATEGORY: &'static str = "subject";
    type Command = Command;
    type Event = Event;
    type Error = Error;
    type Context = Context;

    fn decide(&self, command: Command, _: &Context) -> Result<Vec<Event>, Error> {
        match command {
            Command::Describe(more) => {
                let known = self.described.clone().with(&more);
                Ok(if known == self.described { vec![] } else { vec![Event::Described(more)] })
            }
            Command::Record(fact) => {
                let hours = fact.hours.or_else(|| self.waited(&fact));
                let fact = Fact { hours, ..fact };
                match self.facts.get(&fact.fact_id) {
                    Some(known) if *known == fact => Ok(vec![]),
                    Some(_) => Err(Error::FactIdTaken),
                    None => Ok(vec![Event::Recorded(fact)]),
                }
            }
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        match event {
            Event::Described(more) => self.described = self.described.with(more),
            Event::Recorded(fact) => {
                self.facts.insert(fact.fact_id.clone(), fact.clone());
            }
        }
        self
    }
}

impl Subject {
    /// Hours from the beginning of a thing to its answer.
    fn waited(&self, fact: &Fact) -> Option<i64> {
        let begins = fact.measure.answers()?;
        let begun = self.facts.values().filter(|known| known.measure == begins && known.thing == fact.thing);
        let begun = begun.map(|known| known.recorded_hour).max()?;
        Some((fact.recorded_hour - begun).max(0))
    }
}

impl Description {
    /// What is known when this is said as well.
    #[must_use]
    pub fn with(self, more: &Self) -> Self {
        Self {
            sex: more.sex.or(self.sex),
            age_band: more.age_band.or(self.age_band),
            home_province: more.home_province.or(self.home_province),
            route: more.route.clone().or(self.route),
            country: more.country.clone().or(self.country),
            sector: more.sector.clone().or(self.sector),
        }
    }
}
