//! How names are cleaned when they are loaded, and folded when they are compared.

use unicode_normalization::UnicodeNormalization as _;

/// The Khmer sign that makes the next consonant a subscript.
const COENG: char = '\u{17d2}';

/// Whether a character is invisible and has no width: it only tells a printer where a line may break.
pub(super) fn has_no_width(character: char) -> bool {
    matches!(character, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{00ad}' | '\u{17b4}' | '\u{17b5}')
}

/// A Khmer vowel or sign that hangs on a consonant.
pub(super) fn is_khmer_mark(character: char) -> bool {
    matches!(character, '\u{17b6}'..='\u{17d1}' | '\u{17d3}' | '\u{17dd}')
}

/// Whether a sign stands there twice in a row.
pub(super) fn repeats_a_mark(name: &str) -> bool {
    name.chars().zip(name.chars().skip(1)).any(|(first, second)| first == second && is_khmer_mark(first))
}

/// Whether a subscript follows a vowel or sign; it belongs directly behind its consonant.
pub(super) fn misplaces_a_subscript(name: &str) -> bool {
    name.chars().zip(name.chars().skip(1)).any(|(first, second)| is_khmer_mark(first) && second == COENG)
}

/// Whether a text has Khmer letters.
pub(super) fn is_khmer(text: &str) -> bool {
    text.chars().any(|character| matches!(character, '\u{1780}'..='\u{17ff}'))
}

/// Khmer digits as Latin ones; all else as it is.
pub(super) fn latin_digit(character: char) -> char {
    match u32::from(character) {
        digit @ 0x17e0..=0x17e9 => char::from_digit(digit - 0x17e0, 10).expect("ten digits"),
        _ => character,
    }
}

/// A Khmer name as it is compared: without blanks, marks of punctuation and characters of no width; each syllable in
/// one order; and what is written in two ways, or looks the same, in one.
pub(super) fn khmer_key(name: &str) -> String {
    let mut key = String::with_capacity(name.len());
    let mut marks = String::new();
    let mut characters = name.nfc().filter(|&character| !has_no_width(character)).peekable();
    while let Some(character) = characters.next() {
        if is_khmer_mark(character) {
            if !marks.ends_with(character) {
                marks.push(character);
            }
        } else if character == COENG {
            key.push(COENG);
            // The subscripts of ដ and ត look the same, and are typed for each other every day.
            key.extend(characters.next().map(|subscript| if subscript == 'ដ' { 'ត' } else { subscript }));
        } else {
            key.push_str(&marks);
            marks.clear();
            key.extend(latin_digit(character).is_alphanumeric().then(|| latin_digit(character)));
        }
    }
    key.push_str(&marks);
    key.replace("\u{17c1}\u{17b8}", "\u{17be}").replace("\u{17c1}\u{17b6}", "\u{17c4}")
}

/// A name in Latin letters as it is compared: small ASCII letters and digits, nothing else.
pub(super) fn latin_key(name: &str) -> String {
    let plain = deunicode::deunicode(name);
    plain.chars().filter(char::is_ascii_alphanumeric).map(|character| character.to_ascii_lowercase()).collect()
}

/// The sound of a [`latin_key`], roughly: Khmer is written in Latin letters by ear, so that Poipet and Paoy Paet are
/// one town. Consonants remain, without breathing and doubling; every run of vowels becomes one `a`.
pub(super) fn sound(latin_key: &str) -> String {
    let mut sound = String::with_capacity(latin_key.len());
    for (position, character) in latin_key.chars().enumerate() {
        let heard = match character {
            'a' | 'e' | 'i' | 'o' | 'u' | 'y' => 'a',
            'h' if position > 0 => continue,
            'w' => 'v',
            'q' => 'k',
            'j' => 'c',
            other => other,
        };
        if !sound.ends_with(heard) {
            sound.push(heard);
        }
    }
    if sound.ends_with('b') {
        sound.pop();
        sound.push('p');
    }
    sound
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn khmer_that_looks_the_same_compares_the_same() {
        assert_eq!(khmer_key("កណ្ដាល"), khmer_key("កណ្តាល"), "subscript da and subscript ta");
        assert_eq!(khmer_key("អូរ\u{200b}សែន\u{200b}ជ័យ"), khmer_key("អូរ សែនជ័យ"), "blanks of no width");
        assert_eq!(khmer_key("ពៅ្ន"), khmer_key("ព្នៅ"), "the subscript behind the vowel");
        assert_eq!(khmer_key("ថ្នល់់"), khmer_key("ថ្នល់"), "a sign twice");
        assert_eq!(khmer_key("ភូមិ ៦"), khmer_key("ភូមិ6"), "digits");
        assert_ne!(khmer_key("កណ្ដាល"), khmer_key("កណ្ដោល"));
    }

    #[test]
    fn latin_spellings_by_ear_sound_the_same() {
        for (one, other) in
            [("Paoy Paet", "Poi Pet"), ("Ratanak Kiri", "Rattanakiri"), ("Kampong Speu", "Kompong Spoe")]
        {
            assert_eq!(sound(&latin_key(one)), sound(&latin_key(other)), "{one} and {other}");
        }
        assert_ne!(sound(&latin_key("Kandal")), sound(&latin_key("Kampot")));
    }
}
