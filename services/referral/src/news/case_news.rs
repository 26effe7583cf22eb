//! What one office has heard of one case.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use spean_custody::case::ServiceOutcome;
use spean_eventsourcing::{Aggregate, Context, Fault, Refusal};
use spean_vocabulary::{CaseId, Date, Need, OfferId, OfficeId};
use strum::{Display, EnumIter, EnumString};

/// The news of a case at one office.
#[derive(Clone, Debug, Default)]
pub struct CaseNews {
    heard: Vec<News>,
    read_up_to: u32,
}

/// How far a case has come, as the service that saw it says.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Display, EnumString, EnumIter,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Stage {
    /// The person is in the register.
    Registered,
    /// What the person needs is known.
    Identified,
    /// The person has a place in a shelter.
    InShelter,
    /// The person left the shelter.
    LeftShelter,
    /// The person is back home.
    ReturnedHome,
    /// Somebody visits the person at home.
    FollowUp,
    /// Nobody knows where the person is.
    ContactLost,
    /// The person was found to be in danger.
    Danger,
    /// The case was closed.
    Closed,
    /// The case was opened again.
    Reopened,
    /// The case was found to be the same as another.
    Merged,
}

/// One piece of news. Two that are equal are the same piece, however they came.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct News {
    /// What it is about.
    #[serde(flatten)]
    pub what: What,
    /// The office that saw it.
    pub seen_by: OfficeId,
    /// The day on which it happened in the field.
    pub on: Date,
}

/// What news is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum What {
    /// The case came to a stage.
    Stage {
        /// Which.
        stage: Stage,
    },
    /// A service ended.
    Service {
        /// The offer by which it was asked for.
        offer: OfferId,
        /// What was asked for; none when that is not known here.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        need: Option<Need>,
        /// What came of it.
        outcome: ServiceOutcome,
    },
    /// The person was registered again, as another case.
    SeenAgain {
        /// The other case.
        other: CaseId,
        /// Whether it was found that it is somebody else after all.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        taken_back: bool,
    },
}

/// Who is told of a piece of news.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tell {
    /// Offices towards the one that holds the case: they pass it on.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub towards_holder: BTreeSet<OfficeId>,
    /// Offices that had the case before: they do not.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub for_information: BTreeSet<OfficeId>,
    /// Whether the services of this node are told.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub own_services: bool,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Write a piece of news down.
    Hear {
        /// What.
        news: News,
        /// Who told it; none when this office saw it itself.
        from: Option<OfficeId>,
        /// Who is told in turn.
        tell: Tell,
    },
    /// Somebody read the news.
    Acknowledge {
        /// Up to and with this number.
        up_to: u32,
    },
}

/// Stored for ever: add variants and optional fields, never rename or remove.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// A piece of news was heard.
    Heard {
        /// Counts the news of the case at this office, from 1.
        number: u32,
        /// What.
        news: News,
        /// Who told it; none when this office saw it itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<OfficeId>,
        /// Who is told in turn.
        #[serde(default)]
        tell: Tell,
    },
    /// Somebody read the news.
    Acknowledged {
        /// Up to and with this number.
        up_to: u32,
    },
}

/// Why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum Error {
    /// There is no news of the case here, or not so much.
    #[error("there is no such news of the case")]
    NoSuchNews,
}

impl Refusal for Error {
    fn reason(&self) -> &'static str {
        self.into()
    }

    fn fault(&self) -> Fault {
        Fault::Field("up_to_number")
    }
}

impl Aggregate for CaseNews {
    const CATEGORY: &'static str = "news";
    type Command = Command;
    type Event = Event;
    type Error = Error;
    type Context = Context;

    fn decide(&self, command: Command, _context: &Context) -> Result<Vec<Event>, Error> {
        match command {
            Command::Hear { news, .. } if self.heard.iter().any(|heard| heard.is_same(&news)) => Ok(vec![]),
            Command::Hear { news, from, tell } => {
                let number = self.count().saturating_add(1);
                Ok(vec![Event::Heard { number, news, from, tell }])
            }
            Command::Acknowledge { up_to } if up_to == 0 || up_to > self.count() => Err(Error::NoSuchNews),
            Command::Acknowledge { up_to } if up_to <= self.read_up_to => Ok(vec![]),
            Command::Acknowledge { up_to } => Ok(vec![Event::Acknowledged { up_to }]),
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        match event {
            Event::Heard { news, .. } => self.heard.push(news.clone()),
            Event::Acknowledged { up_to } => self.read_up_to = *up_to,
        }
        self
    }
}

impl CaseNews {
    fn count(&self) -> u32 {
        u32::try_from(self.heard.len()).unwrap_or(u32::MAX)
    }
}

impl News {
    /// Whether two are the same piece. What came of a service is said once for each offer, by whichever way it comes.
    fn is_same(&self, other: &Self) -> bool {
        match (&self.what, &other.what) {
            (What::Service { offer, .. }, What::Service { offer: same, .. }) => offer == same,
            _ => self == other,
        }
    }
}

/// Who is told of news, by what this office has to do with the case: the office that holds it, by whoever hears first;
/// and by that office, those that held it before, but for those whom the person's consent leaves out. That the person was
/// seen again goes to the holder alone, and to the services of its node.
pub fn who_is_told(
    me: &OfficeId,
    news: &News,
    from: Option<&OfficeId>,
    for_information: bool,
    chain: &Chain<'_>,
    left_out: &BTreeSet<OfficeId>,
) -> Tell {
    let knows = |office: &OfficeId| office == me || Some(office) == from || *office == news.seen_by;
    let others = |offices: &BTreeSet<OfficeId>| -> BTreeSet<OfficeId> {
        offices.iter().filter(|office| !knows(office)).cloned().collect()
    };
    if for_information {
        return Tell::default();
    }
    if chain.holder == Some(me) {
        if matches!(news.what, What::SeenAgain { .. }) {
            return Tell { own_services: from.is_some(), ..Tell::default() };
        }
        let mut for_information = others(chain.earlier);
        for_information.retain(|office| !left_out.contains(office) || news.what.is_about_custody());
        return Tell { for_information, ..Tell::default() };
    }
    let mut towards: BTreeSet<OfficeId> = chain.holder.into_iter().cloned().collect();
    if from.is_none() || towards.is_empty() {
        towards.extend(chain.asked_by.iter().cloned());
    }
    Tell { towards_holder: others(&towards), ..Tell::default() }
}

/// What an office knows of the way that a case went.
#[derive(Clone, Copy, Debug)]
pub struct Chain<'c> {
    /// Who holds it.
    pub holder: Option<&'c OfficeId>,
    /// Who held it before.
    pub earlier: &'c BTreeSet<OfficeId>,
    /// Who asked this office for a service.
    pub asked_by: &'c BTreeSet<OfficeId>,
}

impl What {
    /// Whether it concerns custody itself, which the offices that held the case hear of by certificates anyway: then a
    /// consent that leaves an office out does not hide it.
    const fn is_about_custody(&self) -> bool {
        matches!(self, Self::Stage { stage: Stage::Closed | Stage::Reopened })
    }
}

#[cfg(test)]
mod specifications;
