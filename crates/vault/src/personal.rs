//! What is known of a person, in the parts that consent speaks of. None of these types has a `Display`, and their
//! `Debug` says only what kind of thing they are: a name cannot get into a log by accident.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use spean_vocabulary::{Date, Part, PlaceCode, Sex};

/// The content of one part. Each of the four types is one, and the vault keeps nothing else.
pub trait Personal: Serialize + DeserializeOwned + Send + Sync {
    /// Which part it is.
    const PART: Part;
}

macro_rules! personal {
    ($($name:ident),*) => { $(
        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    )* };
}
personal!(Identity, Contact, Narrative, Health, Name, Birth, Document);

macro_rules! parts { ($($name:ident),*) => { $(impl Personal for $name { const PART: Part = Part::$name; })* }; }
parts!(Identity, Contact, Narrative, Health);

/// Who somebody is. Every field may be missing; nobody is turned away for it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The name in Khmer script.
    #[serde(default)]
    pub khmer: Option<Name>,
    /// The name in Latin script.
    #[serde(default)]
    pub latin: Option<Name>,
    /// Birth, as far as it is known.
    pub birth: Birth,
    /// Sex as recorded.
    pub sex: Sex,
    /// Nationality as ISO 3166 alpha-2, such as `KH`.
    #[serde(default)]
    pub nationality: Option<String>,
    /// Languages as ISO 639, such as `km`; the best understood first.
    #[serde(default)]
    pub languages: Vec<String>,
    /// Papers.
    #[serde(default)]
    pub documents: Vec<Document>,
}

/// A name as one script writes it. Either half may be empty.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Name {
    /// Family name.
    pub family: String,
    /// Given name.
    pub given: String,
}

/// When somebody was born.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "known", rename_all = "snake_case")]
pub enum Birth {
    /// Not known.
    Unknown,
    /// The year.
    Year {
        /// The calendar year.
        year: i32,
        /// Whether even the year is an estimate.
        approximate: bool,
    },
    /// The day.
    On {
        /// The day.
        date: Date,
    },
}

/// A paper that names the person.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// What it is: passport, identity card, birth certificate, border pass.
    pub kind: String,
    /// Its number.
    pub number: String,
}

/// How to find and reach somebody.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// Home, as exact as known.
    #[serde(default)]
    pub home_place: Option<PlaceCode>,
    /// The rest of the address, in words.
    #[serde(default)]
    pub address: Option<String>,
    /// Telephone.
    #[serde(default)]
    pub telephone: Option<String>,
    /// How to make contact without danger; shown before anything else.
    #[serde(default)]
    pub safe_contact: Option<String>,
}

/// What happened.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Narrative {
    /// In words.
    pub text: String,
}

/// Health, as far as who helps must know.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// Conditions, in words.
    #[serde(default)]
    pub conditions: Vec<String>,
    /// Medicines that must not be interrupted.
    #[serde(default)]
    pub medicines: Vec<String>,
    /// Anything else.
    #[serde(default)]
    pub notes: Option<String>,
}

impl Birth {
    /// The age in completed years on a day; none when not even the year is known. Of the ages that a bare year allows
    /// it is the lowest, so that a child is never taken for an adult.
    pub fn age_on(&self, day: Date) -> Option<i32> {
        match *self {
            Self::Unknown => None,
            Self::Year { year, .. } => Some((day.year() - year - 1).max(0)),
            Self::On { date } => Some(day.years_since(date)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_says_what_it_is_and_never_who() {
        let name = Name { family: "Sok".to_owned(), given: "Sophea".to_owned() };
        let identity = Identity {
            khmer: None,
            latin: Some(name.clone()),
            birth: Birth::Year { year: 2009, approximate: true },
            sex: Sex::Female,
            nationality: None,
            languages: vec![],
            documents: vec![],
        };
        assert_eq!(
            format!("{identity:?} {name:?} {:?}", Some(identity.birth)),
            "Identity(..) Name(..) Some(Birth(..))"
        );
    }

    #[test]
    fn a_bare_year_gives_the_lowest_age_it_allows() {
        let day = "2026-07-01".parse().expect("a day");
        assert_eq!(Birth::Year { year: 2008, approximate: false }.age_on(day), Some(17));
        assert_eq!(Birth::Unknown.age_on(day), None);
        assert_eq!(Birth::On { date: "2008-07-01".parse().expect("a day") }.age_on(day), Some(18));
    }

    #[test]
    fn stored_parts_stay_readable() {
        let stored = r#"{"birth":{"known":"on","date":"2008-07-01"},"sex":"female"}"#;
        let identity: Identity = serde_json::from_str(stored).expect("what was once written can be read");
        assert!(identity.birth == Birth::On { date: "2008-07-01".parse().expect("a day") });
    }
}
