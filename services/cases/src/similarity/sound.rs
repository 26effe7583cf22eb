//! How a Khmer name sounds, whichever way it is written.
//!
//! Khmer script is first written in Latin letters, letter by letter. Then letters that different spellings use for one
//! sound become one: ch, chh and j; k, kh and g; p, ph and b; t, th and d; v and w; n, ng and nh; an h elsewhere than at
//! the beginning is not heard; doubled letters count once. Of vowels three groups are left (a; e, i, y; o, u). Between
//! the two scripts vowels say nothing at all, because Khmer script does not write each of them: there the consonants
//! alone are compared.

use deunicode::deunicode;
use unicode_normalization::UnicodeNormalization as _;

/// Consonants that must agree between the scripts before it counts for anything: fewer are alike by chance.
const FEWEST_CONSONANTS: usize = 2;

/// Letters that stand for one sound, the longest first.
const CONSONANTS: [(&str, char); 36] = [
    ("chh", 'c'),
    ("ch", 'c'),
    ("jh", 'c'),
    ("kh", 'k'),
    ("gh", 'k'),
    ("ph", 'p'),
    ("bh", 'p'),
    ("th", 't'),
    ("dh", 't'),
    ("ng", 'n'),
    ("nh", 'n'),
    ("ny", 'n'),
    ("sh", 's'),
    ("lh", 'l'),
    ("rh", 'r'),
    ("mh", 'm'),
    ("vh", 'v'),
    ("c", 'c'),
    ("j", 'c'),
    ("k", 'k'),
    ("g", 'k'),
    ("p", 'p'),
    ("b", 'p'),
    ("f", 'p'),
    ("t", 't'),
    ("d", 't'),
    ("n", 'n'),
    ("m", 'm'),
    ("l", 'l'),
    ("r", 'r'),
    ("s", 's'),
    ("x", 's'),
    ("z", 's'),
    ("v", 'v'),
    ("w", 'v'),
    ("h", 'h'),
];

/// A name as it is written, and as it sounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sound {
    plain: String,
    spoken: String,
    consonants: String,
    is_khmer: bool,
}

impl Sound {
    pub(super) fn of(text: &str) -> Self {
        let plain = plain(text);
        let spoken = spoken(&plain);
        let consonants = consonants(&spoken);
        Self {
            plain,
            spoken,
            consonants,
            is_khmer: text.chars().any(|letter| ('\u{1780}'..='\u{17ff}').contains(&letter)),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.plain.is_empty()
    }

    pub(super) fn is_spelt_like(&self, other: &Self) -> bool {
        self.plain == other.plain
    }

    pub(super) fn sounds_like(&self, other: &Self) -> bool {
        if self.is_khmer == other.is_khmer {
            return self.spoken == other.spoken;
        }
        self.consonants == other.consonants
            && (self.consonants.len() >= FEWEST_CONSONANTS || self.spoken == other.spoken)
    }

    /// From 0 to 1.
    pub(super) fn likeness(&self, other: &Self) -> f64 {
        if self.is_empty() || other.is_empty() {
            0.0
        } else if self.sounds_like(other) {
            1.0
        } else if self.is_khmer == other.is_khmer {
            strsim::jaro_winkler(&self.spoken, &other.spoken)
        } else {
            0.0
        }
    }
}

/// Without case, accents, blanks and marks; Khmer in Latin letters.
pub(super) fn plain(text: &str) -> String {
    let text: String = text.nfc().filter(|character| !matches!(*character, '\u{200b}'..='\u{200d}')).collect();
    deunicode(&text)
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|character| character.to_ascii_lowercase())
        .collect()
}

fn spoken(plain: &str) -> String {
    let mut spoken = String::new();
    let mut rest = plain;
    while let Some(first) = rest.chars().next() {
        let (length, letter) = CONSONANTS
            .iter()
            .find(|(written, _)| rest.starts_with(written))
            .map_or((first.len_utf8(), vowel(first)), |(written, letter)| (written.len(), *letter));
        rest = rest.get(length..).unwrap_or_default();
        let is_heard = letter != 'h' || spoken.is_empty();
        // Of several vowels in a row the first one is kept.
        let follows = spoken.ends_with(letter) || (is_vowel(letter) && spoken.ends_with(is_vowel));
        if is_heard && !follows {
            spoken.push(letter);
        }
    }
    spoken
}

const fn vowel(letter: char) -> char {
    match letter {
        // The letter that carries a vowel at the beginning of a Khmer syllable is written as q.
        'a' | 'q' => 'a',
        'e' | 'i' | 'y' => 'i',
        'o' | 'u' => 'o',
        other => other,
    }
}

const fn is_vowel(letter: char) -> bool {
    matches!(letter, 'a' | 'i' | 'o')
}

/// The consonants alone, with a mark for a vowel at the beginning.
fn consonants(spoken: &str) -> String {
    let mut consonants = String::new();
    for (place, letter) in spoken.char_indices() {
        let letter = if is_vowel(letter) { 'a' } else { letter };
        if (letter != 'a' || place == 0) && !consonants.ends_with(letter) {
            consonants.push(letter);
        }
    }
    consonants
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_spellings_of_one_name_sound_alike() {
        for (one, other) in [
            ("Sok", "Sokh"),
            ("Srey", "Srei"),
            ("Srey Mom", "Sreymom"),
            ("Chea", "Jea"),
            ("Sovannara", "Sovanara"),
            ("Kumru", "Kumrou"),
            ("Dara", "Tara"),
            ("Vuthy", "Wuthi"),
            ("Phally", "Phaly"),
            ("Chhay", "Chay"),
        ] {
            assert!(Sound::of(one).sounds_like(&Sound::of(other)), "{one} and {other}");
        }
    }

    #[test]
    fn a_name_in_khmer_script_sounds_like_its_latin_spelling() {
        for (khmer, latin) in [
            ("សុខ", "Sok"),
            ("តារា", "Dara"),
            ("ស្រី", "Srey"),
            ("ចាន់", "Chan"),
            ("សុភា", "Sophea"),
            ("ពិសិដ្ឋ", "Piseth"),
            ("វិបុល", "Vibol"),
            ("គំរូ", "Kumru"),
            ("ក្រហម", "Kraham"),
            ("លឿង", "Loeung"),
            ("ឈឿន", "Chhoeun"),
            ("កញ្ញា", "Kanha"),
            ("ឪឡឹក", "Ovloek"),
            ("ពពក", "Popok"),
            ("អណ្តើក", "Andaek"),
            ("ធីតា", "Thida"),
            ("មករា", "Makara"),
        ] {
            assert!(Sound::of(khmer).sounds_like(&Sound::of(latin)), "{khmer} and {latin}");
        }
    }

    #[test]
    fn other_names_sound_otherwise() {
        for (one, other) in [("Sok", "Som"), ("Dara", "Sokha"), ("តារា", "Sophea"), ("Chan", "Heng"), ("ជា", "Chou")]
        {
            assert!(!Sound::of(one).sounds_like(&Sound::of(other)), "{one} and {other}");
        }
    }
}
