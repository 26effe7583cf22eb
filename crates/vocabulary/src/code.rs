//! Readable codes of agencies, nodes, offices and staff. They stand in subjects, configuration and logs.

use std::fmt;
use std::str::FromStr;

use crate::{Malformed, travels_as_text};

/// Longest code, in characters: it must fit into a subject, a stream name and a line of a table.
const LONGEST: usize = 40;

fn check(text: &str) -> Result<(), Malformed> {
    let sound = (2..=LONGEST).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-');
    if sound { Ok(()) } else { Err(Malformed { expected: "2 to 40 of a-z, 0-9 and inner hyphens" }) }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => { $(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The code as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = Malformed;

            fn from_str(text: &str) -> Result<Self, Malformed> {
                check(text).map(|()| Self(text.to_owned()))
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

        travels_as_text!($name);
    )* };
}

codes! {
    /// An agency: the unit of ownership and trust. `moSVY` writes `mosvy`.
    AgencyId,
    /// One installation of the software, serving one or more offices of one agency.
    NodeId,
    /// A place of work. Letters are addressed to offices, never to people: staff leave, offices stay.
    OfficeId,
    /// A member of staff, as the agency's own token names them. A staff number, never a name.
    StaffId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_that_would_break_a_subject_are_refused() {
        for text in ["", "a", "Poipet", "a.b", "a b", "-a", "a-", "a>", "*", &"a".repeat(41)] {
            assert!(text.parse::<OfficeId>().is_err(), "{text:?} was accepted");
        }
        assert_eq!("kandal-province".parse::<OfficeId>().expect("sound").as_str(), "kandal-province");
    }
}
