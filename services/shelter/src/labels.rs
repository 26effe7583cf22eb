//! Short names that a house gives to its own things, and ids of what happens in it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use spean_vocabulary::{Id, Malformed};

/// Longest name, in characters.
const LONGEST: usize = 40;

macro_rules! labels {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => { $(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl FromStr for $name {
            type Err = Malformed;

            fn from_str(text: &str) -> Result<Self, Malformed> {
                let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
                let sound = (1..=LONGEST).contains(&text.len()) && text.bytes().all(plain);
                let sound = sound && !text.starts_with('-') && !text.ends_with('-');
                let expected = "1 to 40 of a-z, 0-9 and inner hyphens";
                if sound { Ok(Self(text.to_owned())) } else { Err(Malformed { expected }) }
            }
        }

        impl TryFrom<String> for $name {
            type Error = Malformed;

            fn try_from(text: String) -> Result<Self, Malformed> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(label: $name) -> Self {
                label.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }
    )* };
}

labels! {
    /// A bed, as it is painted on it: `a-12`.
    Bed,
    /// A trade that is taught: `tailoring`, `motor-repair`.
    Trade,
}

macro_rules! ids {
    ($($(#[$doc:meta])* $kind:ident $id:ident),* $(,)?) => { $(
        $(#[$doc])*
        #[derive(Debug)]
        pub enum $kind {}

        $(#[$doc])*
        pub type $id = Id<$kind>;
    )* };
}

ids! {
    /// A care plan.
    CarePlan CarePlanId,
    /// A goal of a care plan.
    Goal GoalId,
    /// A look at a care plan.
    Review ReviewId,
    /// A session with a resident.
    Session SessionId,
    /// What somebody found out of a market or of a family.
    Assessment AssessmentId,
    /// A vocational training of a resident.
    Training TrainingId,
    /// A decision about where a child lives.
    Placement PlacementId,
    /// A decision to go home.
    Reintegration ReintegrationId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_short_and_plain() {
        assert_eq!("a-12".parse::<Bed>().map(|bed| bed.to_string()).as_deref(), Ok("a-12"));
        assert_eq!(serde_json::from_str::<Trade>("\"tailoring\"").unwrap().to_string(), "tailoring");
        for text in ["", "-a", "a-", "A1", "bed 1", "គ្រែ", &"a".repeat(41)] {
            assert!(text.parse::<Bed>().is_err(), "{text:?} was accepted");
            assert!(serde_json::from_value::<Trade>(text.into()).is_err(), "{text:?} was read");
        }
    }
}
