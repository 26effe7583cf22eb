//! Places of Cambodia by their official code: province 2 digits, district 4, commune 6, village 8.

use std::fmt;
use std::str::FromStr;

use crate::{Malformed, travels_as_text};

/// The administrative level of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlaceLevel {
    /// The whole country.
    Country,
    /// ខេត្ត or the capital.
    Province,
    /// ស្រុក, ខណ្ឌ or ក្រុង.
    District,
    /// ឃុំ or សង្កាត់.
    Commune,
    /// ភូមិ.
    Village,
}

/// The official code of a place. Being well formed does not mean that the gazetteer knows it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlaceCode {
    digits: [u8; 8],
    length: u8,
}

impl PlaceCode {
    /// The code as text, with its leading zeros.
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.digits[..usize::from(self.length)]).expect("digits are ASCII")
    }

    /// The level that the length of the code says.
    pub fn level(&self) -> PlaceLevel {
        match self.length {
            2 => PlaceLevel::Province,
            4 => PlaceLevel::District,
            6 => PlaceLevel::Commune,
            _ => PlaceLevel::Village,
        }
    }

    /// The place that this one lies in by its code; none above a province.
    pub fn parent(&self) -> Option<Self> {
        (self.length > 2).then(|| self.prefix(self.length - 2))
    }

    /// This place and all that it lies in, the smallest first.
    pub fn and_above(self) -> impl Iterator<Item = Self> {
        std::iter::successors(Some(self), Self::parent)
    }

    /// Whether `other` is this place or lies in it.
    pub fn contains(&self, other: &Self) -> bool {
        other.as_str().starts_with(self.as_str())
    }

    /// The province that this place lies in.
    #[must_use]
    pub fn province(&self) -> Self {
        self.prefix(2)
    }

    fn prefix(&self, length: u8) -> Self {
        let mut digits = [0; 8];
        digits[..usize::from(length)].copy_from_slice(&self.digits[..usize::from(length)]);
        Self { digits, length }
    }
}

impl FromStr for PlaceCode {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let sound = matches!(text.len(), 2 | 4 | 6 | 8) && text.bytes().all(|byte| byte.is_ascii_digit());
        if !sound {
            return Err(Malformed { expected: "a place code of 2, 4, 6 or 8 digits" });
        }
        let mut digits = [0; 8];
        digits[..text.len()].copy_from_slice(text.as_bytes());
        Ok(Self { digits, length: u8::try_from(text.len()).expect("at most 8") })
    }
}

impl fmt::Display for PlaceCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl fmt::Debug for PlaceCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

travels_as_text!(PlaceCode);

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> PlaceCode {
        text.parse().expect("a well-formed code")
    }

    #[test]
    fn a_village_knows_where_it_lies() {
        let above: Vec<_> = code("08050203").and_above().map(|place| place.to_string()).collect();
        assert_eq!(above, ["08050203", "080502", "0805", "08"]);
        assert!(code("08").contains(&code("08050203")) && !code("0805").contains(&code("08")));
    }

    #[test]
    fn defective_codes_of_the_lists_are_refused() {
        for text in ["", "1", "010", "0506140-", "05061401\u{200b}", "០១"] {
            assert!(text.parse::<PlaceCode>().is_err(), "{text:?} was accepted");
        }
    }
}
