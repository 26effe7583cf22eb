//! Help that an office has on offer, from its publication through every change to its withdrawal.
//!
//! Each event says from which day it holds: an office announces today what begins next month.

use std::collections::BTreeSet;
use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use spean_eventsourcing::{Aggregate, Context, Fault, Refusal};
use spean_vocabulary::{AgeBand, Date, Malformed, Need, OfficeId, PlaceCode, Sex};

/// Most changes that are taken back from a peer at once: more is no memory but a mistake, or malice.
const MOST_FORGOTTEN: usize = 1_000;

/// Help on offer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Offering {
    said: Option<Announcement>,
    withdrawn_on: Option<Date>,
    /// How often something was said: the version by which others tell the news from the old.
    version: i64,
    /// The edition of the directory whose newcomers were told last.
    told_to: u64,
}

/// What an office says about its help.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announcement {
    /// The office that helps.
    pub office: OfficeId,
    /// What it helps with.
    pub need: Need,
    /// For whom, where, and for how many.
    pub terms: Terms,
    /// The first day on which this holds.
    pub valid_from: Date,
}

/// Whom an office helps, in what language, where, and how many at a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// Who is taken, by sex; nobody named means everybody. Where somebody is named, name `unknown` too, or nobody of
    /// unrecorded sex is taken.
    pub serves_sexes: BTreeSet<Sex>,
    /// Who is taken, by age; as with the sexes.
    pub serves_age_bands: BTreeSet<AgeBand>,
    /// Languages in which somebody at the office can talk.
    pub languages: BTreeSet<Language>,
    /// People from these places and all within are taken; none named means from anywhere.
    pub places_served: BTreeSet<PlaceCode>,
    /// How many people can be helped at a time, whether or not places are free today; none means not limited.
    pub capacity_persons: Option<NonZeroU32>,
    /// Sexes of the staff who can serve; none means that it is not said.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub worker_sexes: BTreeSet<Sex>,
}

/// A language by its code in ISO 639: `km`, `th`, `vi`, `jra`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Language(String);

/// What may be asked.
#[derive(Clone, Debug)]
pub enum Command {
    /// Put help of the caller's office on offer, or say anew for whom, where and how many.
    Publish {
        /// What the office helps with.
        need: Need,
        /// The terms, whole.
        terms: Terms,
        /// The first day on which they hold; when left out, today, or as before when they are the same.
        valid_from: Option<Date>,
    },
    /// End the offering.
    Withdraw {
        /// The last day on which somebody is taken.
        withdrawn_on: Date,
    },
    /// Say again how it stands, for nodes that have joined the network since.
    Repeat {
        /// The edition of the directory that names them.
        edition: u64,
    },
    /// Take back what was said before a restore from a backup, as a peer returned it.
    Recall {
        /// The version that the peer had.
        version: i64,
        /// What was said.
        said: Announcement,
        /// The last day, if it had ended.
        withdrawn_on: Option<Date>,
    },
}

/// Stored for ever: add variants and optional fields, never rename or remove. Each one says the whole, because it is
/// told to others as it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// Help was put on offer.
    Published(Announcement),
    /// Its terms changed.
    Amended(Announcement),
    /// It ended.
    Withdrawn {
        /// What was on offer.
        #[serde(flatten)]
        said: Announcement,
        /// The last day on which somebody was taken.
        withdrawn_on: Date,
    },
    /// It was said again without a change, for nodes that have joined the network since.
    Repeated {
        /// What is on offer.
        #[serde(flatten)]
        said: Announcement,
        /// The edition of the directory that names them.
        edition: u64,
    },
    /// It had been said before a restore from a backup, and a peer returned it.
    Recalled {
        /// What was said.
        #[serde(flatten)]
        said: Announcement,
        /// The last day, if it had ended.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        withdrawn_on: Option<Date>,
    },
}

/// Why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum Error {
    /// The caller acts for another office.
    #[error("only the office that helps may say what it offers")]
    NotTheOfferingOffice,
    /// There is no such offering.
    #[error("the offering was never published")]
    NotPublished,
    /// The id is in use for something else.
    #[error("an offering for another need was already published under this id")]
    AlreadyPublished,
    /// It has ended.
    #[error("the offering was already withdrawn")]
    AlreadyWithdrawn,
    /// The day lies before the last announcement's.
    #[error("an earlier announcement holds from a later day")]
    BeginsBeforeTheLast,
    /// No language is named.
    #[error("name at least one language")]
    NoLanguage,
    /// A peer remembers far more than was ever said.
    #[error("nobody forgets as many changes as that")]
    ForgottenTooMuch,
}

impl Refusal for Error {
    fn reason(&self) -> &'static str {
        self.into()
    }

    fn fault(&self) -> Fault {
        match self {
            Self::NotTheOfferingOffice => Fault::NotTheirs,
            Self::NotPublished => Fault::NotThere,
            Self::NoLanguage => Fault::Field("offering.languages"),
            Self::BeginsBeforeTheLast => Fault::Field("offering.valid_from"),
            Self::AlreadyPublished | Self::AlreadyWithdrawn | Self::ForgottenTooMuch => Fault::ForbiddenNow,
        }
    }
}

impl Aggregate for Offering {
    const CATEGORY: &'static str = "offering";
    type Command = Command;
    type Event = Event;
    type Error = Error;
    type Context = Context;

    fn decide(&self, command: Command, context: &Context) -> Result<Vec<Event>, Error> {
        match command {
            Command::Publish { need, terms, valid_from } => self.publish(need, terms, valid_from, context),
            Command::Withdraw { withdrawn_on } => self.withdraw(withdrawn_on, &context.office),
            Command::Repeat { edition } => Ok(self.repeat(edition)),
            Command::Recall { version, said, withdrawn_on } => self.recall(version, said, withdrawn_on),
        }
    }

    fn evolve(self, event: &Event) -> Self {
        let told_to = if let Event::Repeated { edition, .. } = event { *edition } else { self.told_to };
        let (said, withdrawn_on) = event.says();
        Self { said: Some(said.clone()), withdrawn_on, version: self.version + 1, told_to }
    }
}

impl Event {
    /// How the offering stands after it: what is or was on offer, and the last day if it has ended.
    pub fn says(&self) -> (&Announcement, Option<Date>) {
        match self {
            Self::Published(said) | Self::Amended(said) | Self::Repeated { said, .. } => (said, None),
            Self::Withdrawn { said, withdrawn_on } => (said, Some(*withdrawn_on)),
            Self::Recalled { said, withdrawn_on } => (said, *withdrawn_on),
        }
    }
}

impl Offering {
    fn publish(
        &self,
        need: Need,
        terms: Terms,
        valid_from: Option<Date>,
        context: &Context,
    ) -> Result<Vec<Event>, Error> {
        if terms.languages.is_empty() {
            return Err(Error::NoLanguage);
        }
        let office = context.office.clone();
        let today = context.now.date_in_cambodia();
        let Some(last) = &self.said else {
            let valid_from = valid_from.unwrap_or(today);
            return Ok(vec![Event::Published(Announcement { office, need, terms, valid_from })]);
        };
        if last.office != office {
            return Err(Error::NotTheOfferingOffice);
        }
        if self.withdrawn_on.is_some() {
            return Err(Error::AlreadyWithdrawn);
        }
        if last.need != need {
            return Err(Error::AlreadyPublished);
        }
        let same_terms = last.terms == terms;
        let valid_from = valid_from.unwrap_or(if same_terms { last.valid_from } else { today });
        if same_terms && last.valid_from == valid_from {
            return Ok(vec![]);
        }
        if valid_from < last.valid_from {
            return Err(Error::BeginsBeforeTheLast);
        }
        Ok(vec![Event::Amended(Announcement { office, need, terms, valid_from })])
    }

    /// It may end before it began: then nobody is ever taken.
    fn withdraw(&self, withdrawn_on: Date, caller: &OfficeId) -> Result<Vec<Event>, Error> {
        let last = self.said.as_ref().ok_or(Error::NotPublished)?;
        if last.office != *caller {
            return Err(Error::NotTheOfferingOffice);
        }
        if self.withdrawn_on.is_some() {
            return Ok(vec![]);
        }
        Ok(vec![Event::Withdrawn { said: last.clone(), withdrawn_on }])
    }

    /// As many events as were forgotten, or what is said next would be taken for old by those who remember.
    fn recall(&self, version: i64, said: Announcement, withdrawn_on: Option<Date>) -> Result<Vec<Event>, Error> {
        let forgotten = usize::try_from(version.saturating_sub(self.version)).unwrap_or(0);
        if forgotten > MOST_FORGOTTEN {
            return Err(Error::ForgottenTooMuch);
        }
        Ok(vec![Event::Recalled { said, withdrawn_on }; forgotten])
    }

    fn repeat(&self, edition: u64) -> Vec<Event> {
        match &self.said {
            Some(said) if self.withdrawn_on.is_none() && self.told_to < edition => {
                vec![Event::Repeated { said: said.clone(), edition }]
            }
            _ => vec![],
        }
    }
}

impl Language {
    /// The code as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Language {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let sound = matches!(text.len(), 2 | 3) && text.bytes().all(|byte| byte.is_ascii_lowercase());
        if sound {
            Ok(Self(text.to_owned()))
        } else {
            Err(Malformed { expected: "a language code of ISO 639: 2 or 3 of a-z" })
        }
    }
}

impl TryFrom<String> for Language {
    type Error = Malformed;

    fn try_from(text: String) -> Result<Self, Malformed> {
        text.parse()
    }
}

impl From<Language> for String {
    fn from(language: Language) -> Self {
        language.0
    }
}

impl fmt::Debug for Language {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests;
