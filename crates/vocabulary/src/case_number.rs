//! The number of a case: made without a network, short enough to say by telephone, and silent about the person.

use std::fmt;
use std::str::FromStr;

use crate::{Malformed, travels_as_text};

/// The characters of ISO 7064 MOD 37,36, in their order.
const ALPHABET: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// What the random part is drawn from: no 0, 1, I, O or U, which are misheard or misread.
const SPOKEN: &[u8; 31] = b"23456789ABCDEFGHJKLMNPQRSTVWXYZ";

/// The two characters that all numbers made at one node begin with, so that two nodes never make the same one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeTag([u8; 2]);

/// A case number such as `PT4K-79QX`: node tag, five random characters, and a check character by ISO 7064 MOD 37,36,
/// which catches every single wrong character and nearly every swap of neighbours.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CaseNumber([u8; 8]);

impl CaseNumber {
    /// The number that these random bytes give at a node. About 28 million numbers a node: whoever keeps them refuses
    /// one that is taken and draws again.
    pub fn draw(tag: NodeTag, random: [u8; 5]) -> Self {
        let mut characters = [0; 8];
        characters[..2].copy_from_slice(&tag.0);
        for (character, byte) in characters[2..7].iter_mut().zip(random) {
            *character = SPOKEN[usize::from(byte) % SPOKEN.len()];
        }
        characters[7] = check_character(&characters[..7]);
        Self(characters)
    }
}

/// ISO 7064 hybrid system MOD 37,36.
fn check_character(characters: &[u8]) -> u8 {
    let product = characters.iter().fold(36, |product, character| {
        let value = ALPHABET.iter().position(|letter| letter == character).unwrap_or(0);
        let sum = (product + value) % 36;
        (if sum == 0 { 36 } else { sum }) * 2 % 37
    });
    ALPHABET[(37 - product) % 36]
}

impl FromStr for CaseNumber {
    type Err = Malformed;

    /// Tolerates lower case, spaces and a missing hyphen: it may have been typed from the telephone.
    fn from_str(text: &str) -> Result<Self, Malformed> {
        let malformed = Malformed { expected: "a case number of eight characters such as PT4K-79QX" };
        let characters: Vec<u8> =
            text.bytes().filter(|byte| !matches!(byte, b'-' | b' ')).map(|byte| byte.to_ascii_uppercase()).collect();
        let characters: [u8; 8] = characters.try_into().map_err(|_| malformed)?;
        if text.len() > 12 || !characters.iter().all(|character| ALPHABET.contains(character)) {
            return Err(malformed);
        }
        if check_character(&characters[..7]) != characters[7] {
            return Err(Malformed { expected: "a case number whose check character fits: one character is wrong" });
        }
        Ok(Self(characters))
    }
}

impl fmt::Display for CaseNumber {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = str::from_utf8(&self.0).expect("the alphabet is ASCII");
        write!(formatter, "{}-{}", &text[..4], &text[4..])
    }
}

impl fmt::Debug for CaseNumber {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl FromStr for NodeTag {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let malformed = Malformed { expected: "two of A-Z and 0-9" };
        let characters: [u8; 2] = text.as_bytes().try_into().map_err(|_| malformed)?;
        if characters.iter().all(|character| ALPHABET.contains(character)) {
            Ok(Self(characters))
        } else {
            Err(malformed)
        }
    }
}

impl fmt::Display for NodeTag {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(str::from_utf8(&self.0).expect("the alphabet is ASCII"))
    }
}

impl fmt::Debug for NodeTag {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

travels_as_text!(CaseNumber);
travels_as_text!(NodeTag);

#[cfg(test)]
mod tests {
    use super::*;

    fn number() -> CaseNumber {
        CaseNumber::draw("PT".parse().expect("a tag"), [3, 141, 59, 26, 53])
    }

    #[test]
    fn a_number_survives_the_telephone() {
        let written = number().to_string();
        for spoken in [written.clone(), written.to_lowercase(), written.replace('-', " "), written.replace('-', "")] {
            assert_eq!(spoken.parse::<CaseNumber>().expect("the same number"), number());
        }
    }

    #[test]
    fn the_check_character_is_that_of_the_standard() {
        // The example of ISO 7064 for MOD 37,36 in the literature: A12425GABC1234002 has check character M.
        assert_eq!(check_character(b"A12425GABC1234002"), b'M');
    }

    #[test]
    fn every_single_wrong_character_is_caught() {
        let right = number().0;
        for position in 0..8 {
            for &character in ALPHABET.iter().filter(|&&character| character != right[position]) {
                let mut wrong = right;
                wrong[position] = character;
                let text = String::from_utf8(wrong.to_vec()).expect("ASCII");
                assert!(text.parse::<CaseNumber>().is_err(), "{text} was accepted for {}", number());
            }
        }
    }
}
