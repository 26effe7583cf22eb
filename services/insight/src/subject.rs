//! What is known of one case, or one report of a concern, as far as it can be counted: codes and days, never a person.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use spean_eventsourcing::{Aggregate, Context, Refusal};
use spean_vocabulary::{AgeBand, AgencyId, CaseId, Date, OfficeId, PlaceCode, Sex};

use crate::measure::Measure;

#[cfg(test)]
mod tests;

/// What happened with one subject.
#[derive(Clone, Debug, Default)]
pub struct Subject {
    described: BTreeMap<Trait, Said>,
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
    /// What is needed, of a need.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub need: Option<String>,
    /// The case that it belongs to: what is known of that is known of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<CaseId>,
    /// Who said so. What was stored before this was noted gives way to whatever is said with it.
    #[serde(default, skip_serializing_if = "Source::is_not_noted")]
    pub said_by: Source,
}

/// Which service said something, in which life of its log, and where in it. The greater goes before the smaller: the register
/// of cases knows a person best, and of one service the later word counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Source {
    /// 1 for the register of cases, 0 for the others.
    pub rank: u8,
    /// Which life of its log, from 1: after a restore from a backup, what follows stands at places that were taken before.
    #[serde(default, skip_serializing_if = "is_not_told")]
    pub incarnation: u64,
    /// Place in its log, from 1.
    pub position: i64,
}

/// What can be known of a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Trait {
    Sex,
    AgeBand,
    HomeProvince,
    Route,
    Country,
    Sector,
    Need,
    Case,
}

/// A value as text, and who said it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Said {
    by: Source,
    value: String,
}

/// One thing that happened and counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// Its id within the node: the service, the event (earlier its place in the log, now its hash), and what is counted.
    pub fact_id: String,
    /// What is counted.
    pub measure: Measure,
    /// The office at which it happened.
    pub office: OfficeId,
    /// The agency of the office; none when the directory does not know the office.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agency: Option<AgencyId>,
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
    /// Hours that it took, where the service told it. Otherwise they are counted from when the thing began.
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
                let news = self.news(more);
                Ok(if news.says_nothing() { vec![] } else { vec![Event::Described(news)] })
            }
            Command::Record(fact) => match self.facts.get(&fact.fact_id) {
                Some(known) if known.tells_the_same(&fact) => Ok(vec![]),
                Some(_) => Err(Error::FactIdTaken),
                None => Ok(vec![Event::Recorded(fact)]),
            },
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        match event {
            Event::Described(more) => {
                for (of, value) in more.values() {
                    self.described.insert(of, Said { by: more.said_by, value });
                }
            }
            Event::Recorded(fact) => {
                self.facts.insert(fact.fact_id.clone(), fact.clone());
            }
        }
        self
    }
}

impl Subject {
    /// What of a description is not known yet, or takes the place of what is known: in whatever order descriptions come,
    /// what is known at the end is the same.
    fn news(&self, told: Description) -> Description {
        let is_news = |of: Trait, value: &str| {
            let noted = told.said_by != Source::default();
            self.described.get(&of).is_none_or(|known| {
                told.said_by > known.by || (!noted && told.said_by == known.by && known.value != value)
            })
        };
        let news: Vec<Trait> =
            told.values().into_iter().filter(|(of, value)| is_news(*of, value)).map(|(of, _)| of).collect();
        let has = |of| news.contains(&of);
        Description {
            sex: told.sex.filter(|_| has(Trait::Sex)),
            age_band: told.age_band.filter(|_| has(Trait::AgeBand)),
            home_province: told.home_province.filter(|_| has(Trait::HomeProvince)),
            route: told.route.filter(|_| has(Trait::Route)),
            country: told.country.filter(|_| has(Trait::Country)),
            sector: told.sector.filter(|_| has(Trait::Sector)),
            need: told.need.filter(|_| has(Trait::Need)),
            case: told.case.filter(|_| has(Trait::Case)),
            said_by: told.said_by,
        }
    }
}

impl Description {
    /// What it says.
    fn values(&self) -> Vec<(Trait, String)> {
        let values = [
            (Trait::Sex, self.sex.map(|sex| sex.to_string())),
            (Trait::AgeBand, self.age_band.map(|band| band.to_string())),
            (Trait::HomeProvince, self.home_province.map(|place| place.to_string())),
            (Trait::Route, self.route.clone()),
            (Trait::Country, self.country.clone()),
            (Trait::Sector, self.sector.clone()),
            (Trait::Need, self.need.clone()),
            (Trait::Case, self.case.map(|case| case.to_string())),
        ];
        values.into_iter().filter_map(|(of, value)| Some((of, value?))).collect()
    }

    fn says_nothing(&self) -> bool {
        self.values().is_empty()
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_not_told(incarnation: &u64) -> bool {
    *incarnation == 0
}

impl Source {
    fn is_not_noted(&self) -> bool {
        *self == Self::default()
    }
}

impl Fact {
    /// Whether a service told the same. Agency and province were looked up here, and hours were once counted here.
    fn tells_the_same(&self, told: &Self) -> bool {
        let as_told = |fact: &Self| Self { agency: None, province: None, hours: None, ..fact.clone() };
        as_told(self) == as_told(told) && (told.hours.is_none() || told.hours == self.hours)
    }
}
