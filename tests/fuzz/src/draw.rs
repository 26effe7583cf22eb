//! An input, drawn from a seed.

/// Texts that readers stumble over.
const AWKWARD: [&str; 26] = [
    "",
    "\0",
    "-1",
    "0",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "-9223372036854775808",
    "1e309",
    "-0.0",
    "null",
    "true",
    "{}",
    "[]",
    "[[[[[[[[[[[[[[[[",
    "\u{feff}",
    "\u{202e}",
    "\u{ffff}",
    "\"",
    "\\u0000",
    "\\ud800",
    "\r\n",
    "=1+1",
    "9999-12-31",
    "ខ្ញុំ",
];

/// Chance that is the same for the same seed (`SplitMix64`), or for the same choices of somebody else, as far as they reach.
#[derive(Clone, Debug)]
pub struct Draw<'c> {
    choices: &'c [u8],
    state: u64,
}

impl<'c> Draw<'c> {
    /// The chance of a seed.
    pub const fn new(seed: u64) -> Self {
        Self { choices: &[], state: seed.wrapping_mul(0xd134_2543_de82_ef95) ^ 0x5851_f42d_4c95_7f2d }
    }

    /// What somebody chose, four bytes for each number, and then the chance of seed 0.
    pub const fn of(choices: &'c [u8]) -> Self {
        Self { choices, ..Self::new(0) }
    }

    /// Any number.
    pub fn number(&mut self) -> u64 {
        if let Some((choice, rest)) = self.choices.split_first_chunk::<4>() {
            self.choices = rest;
            // The same in both halves, so that great numbers are chosen as well as small ones.
            return u64::from(u32::from_le_bytes(*choice)) * 0x1_0000_0001;
        }
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut number = self.state;
        number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        number ^ (number >> 31)
    }

    /// A number below another; 0 when that is 0.
    pub fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).expect("a length").max(1);
        usize::try_from(self.number() % end).expect("it is below a length")
    }

    /// Once in so many times.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of these.
    pub fn one_of<'a, T>(&mut self, these: &'a [T]) -> &'a T {
        &these[self.below(these.len())]
    }

    /// A number that programs stumble over, or any.
    pub fn awkward_number(&mut self) -> u64 {
        let near = self.number() % 3;
        match self.below(6) {
            0 => near,
            1 => u64::MAX - near,
            2 => (1_u64 << 63).wrapping_add(near).wrapping_sub(1),
            3 => (1_u64 << 32).wrapping_add(near).wrapping_sub(1),
            4 => self.number() % 1_000,
            _ => self.number(),
        }
    }

    /// Nothing but chance.
    pub fn bytes(&mut self, most: usize) -> Vec<u8> {
        let length = self.below(most + 1);
        (0..length).map(|_| self.number().to_le_bytes()[0]).collect()
    }

    /// A text of characters that have a meaning somewhere.
    pub fn text(&mut self, most: usize) -> String {
        let length = self.below(most + 1);
        (0..length)
            .map(|_| match self.below(4) {
                0 => char::from(b' ' + u8::try_from(self.below(95)).expect("below 95")),
                1 => *self.one_of(&['0', '1', '9', '-', '.', ':', ',', '"', '{', '}', '[', ']', '\n', '\\', '\t', '=']),
                2 => char::from_u32(u32::try_from(self.below(0x11_0000)).expect("small")).unwrap_or('\u{fffd}'),
                _ => *self.one_of(&['a', 'z', 'A', 'Z', 'ក', '០', 'é']),
            })
            .collect()
    }

    /// One of the examples, changed in some places; now and then nothing but chance.
    pub fn changed(&mut self, examples: &[Vec<u8>]) -> Vec<u8> {
        if examples.is_empty() || self.once_in(64) {
            return self.bytes(2_000);
        }
        let mut bytes = self.one_of(examples).clone();
        for _ in 0..=self.below(4) {
            self.change(&mut bytes, examples);
        }
        bytes
    }

    /// The same for texts.
    pub fn changed_text(&mut self, examples: &[String]) -> String {
        if self.once_in(64) {
            return self.text(500);
        }
        let examples: Vec<_> =
            [self.one_of(examples), self.one_of(examples)].map(|text| text.clone().into_bytes()).into();
        String::from_utf8_lossy(&self.changed(&examples)).into_owned()
    }

    fn change(&mut self, bytes: &mut Vec<u8>, examples: &[Vec<u8>]) {
        let at = self.below(bytes.len() + 1);
        let rest = bytes.len() - at;
        match self.below(10) {
            0 if rest > 0 => bytes[at] ^= 1 << self.below(8),
            1 if rest > 0 => bytes[at] = self.number().to_le_bytes()[0],
            2 => bytes.truncate(at),
            3 => {
                let end = at + self.below(rest.min(64) + 1);
                bytes.drain(at..end);
            }
            4 => {
                let end = at + self.below(rest.min(400) + 1);
                let piece = bytes[at..end].to_vec();
                for _ in 0..=self.below(20) {
                    bytes.splice(at..at, piece.iter().copied());
                }
            }
            5 => {
                let other = self.one_of(examples);
                let from = self.below(other.len() + 1);
                let piece = other[from..(from + self.below(200)).min(other.len())].to_vec();
                bytes.splice(at..at, piece);
            }
            6 => {
                let other = self.one_of(examples);
                let from = self.below(other.len() + 1);
                bytes.truncate(at);
                bytes.extend_from_slice(&other[from..]);
            }
            7 => {
                let word = self.one_of(&AWKWARD).as_bytes();
                let end = at + self.below(rest.min(24) + 1);
                bytes.splice(at..end, word.iter().copied());
            }
            8 => {
                // In the place of a number, another.
                let digits = bytes[at..].iter().position(u8::is_ascii_digit).map(|found| at + found);
                if let Some(from) = digits {
                    let length = bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
                    let number = self.awkward_number().to_string();
                    bytes.splice(from..from + length, number.into_bytes());
                }
            }
            _ => {
                let more = self.bytes(40);
                bytes.splice(at..at, more);
            }
        }
    }
}
