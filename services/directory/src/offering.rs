//! Help that an office has on offer, from its publication through every change to its withdrawal.
//!
//! Each event says from which day it holds: an office announces today what begins next month.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use spean_eventsourcing::{Aggregate, Context};
use spean_vocabulary::{AgeBand, Date, Malformed, Need, OfficeId, PlaceCode, Sex};

/// Help on offer.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Offering {
    /// Nothing was said yet.
    #[default]
    NotPublished,
    /// Others may ask for it.
    Published(Announcement),
    /// No longer on offer.
    Withdrawn {
        /// The office that offered it.
        office: OfficeId,
        /// The first day without it.
        valid_from: Date,
    },
}

/// What an office said last about its help.
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
    /// Who is taken, by sex. Name `unknown` too, or nobody of unrecorded sex is taken.
    pub serves_sexes: BTreeSet<Sex>,
    /// Who is taken, by age. Name `unknown` too, or nobody of unknown age is taken.
    pub serves_age_bands: BTreeSet<AgeBand>,
    /// Languages in which somebody at the office can talk.
    pub languages: BTreeSet<Language>,
    /// People from these places and all within are taken.
    pub places_served: BTreeSet<PlaceCode>,
    /// How many people can be helped at a time, whether or not places are free today.
    pub capacity_persons: u32,
}

/// A language by its code in ISO 639: `km`, `th`, `vi`, `jra`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Language(String);

/// What may be asked.
#[derive(Clone, Debug)]
pub enum Command {
    /// Put help on offer.
    Publish(Announcement),
    /// Say anew for whom, where and how many, from a day on.
    Amend {
        /// The new terms, whole.
        terms: Terms,
        /// The first day on which they hold.
        valid_from: Date,
    },
    /// End the offering.
    Withdraw {
        /// The first day without it.
        valid_from: Date,
    },
}

/// Stored for ever: add variants and optional fields, never rename or remove.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// Help was put on offer.
    Published(Announcement),
    /// Its terms changed.
    Amended {
        /// The new terms, whole.
        terms: Terms,
        /// The first day on which they hold.
        valid_from: Date,
    },
    /// It ended.
    Withdrawn {
        /// The first day without it.
        valid_from: Date,
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
    #[error("an offering was already published under this number")]
    AlreadyPublished,
    /// It has ended.
    #[error("the offering was already withdrawn")]
    AlreadyWithdrawn,
    /// The day lies before the last announcement's.
    #[error("an earlier announcement holds from a later day")]
    BeginsBeforeTheLast,
    /// No sex or no age band is named.
    #[error("the offering must serve somebody: name at least one sex and one age band")]
    ServesNobody,
    /// No language is named.
    #[error("name at least one language")]
    NoLanguage,
    /// No place is named.
    #[error("name at least one place that is served")]
    NoPlaceServed,
    /// The capacity is zero.
    #[error("the capacity must be at least one person")]
    NoCapacity,
}

impl Aggregate for Offering {
    const CATEGORY: &'static str = "offering";
    type Command = Command;
    type Event = Event;
    type Error = Error;
    type Context = Context;

    fn decide(&self, command: Command, context: &Context) -> Result<Vec<Event>, Error> {
        match command {
            Command::Publish(announcement) => self.publish(announcement, &context.office),
            Command::Amend { terms, valid_from } => self.amend(terms, valid_from, &context.office),
            Command::Withdraw { valid_from } => self.withdraw(valid_from, &context.office),
        }
    }

    fn evolve(self, event: &Event) -> Self {
        match (self, event) {
            (_, Event::Published(announcement)) => Self::Published(announcement.clone()),
            (Self::Published(last), Event::Amended { terms, valid_from }) => {
                Self::Published(Announcement { terms: terms.clone(), valid_from: *valid_from, ..last })
            }
            (Self::Published(last), Event::Withdrawn { valid_from }) => {
                Self::Withdrawn { office: last.office, valid_from: *valid_from }
            }
            (state, _) => state,
        }
    }
}

impl Offering {
    fn publish(&self, announcement: Announcement, caller: &OfficeId) -> Result<Vec<Event>, Error> {
        if announcement.office != *caller {
            return Err(Error::NotTheOfferingOffice);
        }
        match self {
            Self::NotPublished => {
                announcement.terms.check()?;
                Ok(vec![Event::Published(announcement)])
            }
            Self::Published(last) if *last == announcement => Ok(vec![]),
            Self::Published(_) => Err(Error::AlreadyPublished),
            Self::Withdrawn { .. } => Err(Error::AlreadyWithdrawn),
        }
    }

    fn amend(&self, terms: Terms, valid_from: Date, caller: &OfficeId) -> Result<Vec<Event>, Error> {
        let last = self.published_by(caller)?.ok_or(Error::AlreadyWithdrawn)?;
        if (&last.terms, last.valid_from) == (&terms, valid_from) {
            return Ok(vec![]);
        }
        last.is_followed_by(valid_from)?;
        terms.check()?;
        Ok(vec![Event::Amended { terms, valid_from }])
    }

    fn withdraw(&self, valid_from: Date, caller: &OfficeId) -> Result<Vec<Event>, Error> {
        let Some(last) = self.published_by(caller)? else { return Ok(vec![]) };
        last.is_followed_by(valid_from)?;
        Ok(vec![Event::Withdrawn { valid_from }])
    }

    /// What the caller's office said last; none when it has withdrawn it.
    fn published_by(&self, caller: &OfficeId) -> Result<Option<&Announcement>, Error> {
        match self {
            Self::NotPublished => Err(Error::NotPublished),
            Self::Published(Announcement { office, .. }) | Self::Withdrawn { office, .. } if office != caller => {
                Err(Error::NotTheOfferingOffice)
            }
            Self::Published(last) => Ok(Some(last)),
            Self::Withdrawn { .. } => Ok(None),
        }
    }
}

impl Announcement {
    fn is_followed_by(&self, valid_from: Date) -> Result<(), Error> {
        if valid_from < self.valid_from { Err(Error::BeginsBeforeTheLast) } else { Ok(()) }
    }
}

impl Terms {
    fn check(&self) -> Result<(), Error> {
        if self.serves_sexes.is_empty() || self.serves_age_bands.is_empty() {
            return Err(Error::ServesNobody);
        }
        if self.languages.is_empty() {
            return Err(Error::NoLanguage);
        }
        if self.places_served.is_empty() {
            return Err(Error::NoPlaceServed);
        }
        if self.capacity_persons == 0 {
            return Err(Error::NoCapacity);
        }
        Ok(())
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
