//! Finding a place by a code, a part of a code, or a name as somebody would type it.

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};
use spean_vocabulary::{PlaceCode, PlaceLevel};

use super::model::{Gazetteer, Place, PlaceKey};
use super::spelling;

/// Share of likeness (0 to 1, Jaro-Winkler) from which a differing name is worth showing.
const WORTH_SHOWING: f64 = 0.88;

/// Share of likeness that two names which sound the same must still have in writing.
const SOUND_IS_NOT_ENOUGH: f64 = 0.6;

/// "Capital": what the list puts before the name of Phnom Penh.
const CAPITAL: &str = "រាជធានី";

/// Words for a level that people put before or after a name. Written as they are compared.
const LEVEL_WORDS: [(&str, PlaceLevel); 17] = [
    (CAPITAL, PlaceLevel::Province),
    ("ខេត្ត", PlaceLevel::Province),
    ("ក្រុង", PlaceLevel::District),
    ("ស្រុក", PlaceLevel::District),
    ("ខណ្ឌ", PlaceLevel::District),
    ("សង្កាត់", PlaceLevel::Commune),
    ("ឃុំ", PlaceLevel::Commune),
    ("ភូមិ", PlaceLevel::Village),
    ("province", PlaceLevel::Province),
    ("khet", PlaceLevel::Province),
    ("district", PlaceLevel::District),
    ("srok", PlaceLevel::District),
    ("krong", PlaceLevel::District),
    ("commune", PlaceLevel::Commune),
    ("khum", PlaceLevel::Commune),
    ("sangkat", PlaceLevel::Commune),
    ("village", PlaceLevel::Village),
];

/// What is looked for.
#[derive(Clone, Copy, Debug)]
pub struct Query<'q> {
    /// A code, the beginning of a code, or a name in Khmer or Latin letters.
    pub text: &'q str,
    /// Only places of this level.
    pub level: Option<PlaceLevel>,
    /// Only places in this one, at any depth.
    pub within: Option<PlaceCode>,
    /// At most so many hits.
    pub limit: usize,
}

impl<'q> Query<'q> {
    /// Looks everywhere, for at most twenty hits.
    pub const fn new(text: &'q str) -> Self {
        Self { text, level: None, within: None, limit: 20 }
    }
}

/// Why a place was found. The order is that of the hits: the surest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, strum::Display)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Match {
    /// The very code.
    Code,
    /// The code begins with what was typed.
    CodeBegins,
    /// The very name; blanks, capitals and equal-looking Khmer spellings aside.
    Name,
    /// Another spelling of the same sound in Latin letters.
    SoundsAlike,
    /// The name begins with what was typed.
    NameBegins,
    /// What was typed stands within the name.
    NameContains,
    /// The name is written nearly the same.
    Similar,
}

/// A place that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit<'g> {
    /// The place.
    pub place: &'g Place,
    /// Why it was found.
    pub reason: Match,
    /// How alike the texts are: 0 to 1.
    pub likeness: f64,
    /// Whether the list gives the same code to other places too, so that somebody must ask which is meant.
    pub contested: bool,
}

/// The names of all places as they are compared.
#[derive(Clone, Debug)]
pub(super) struct Index(Vec<Entry>);

#[derive(Clone, Debug)]
struct Entry {
    key: PlaceKey,
    khmer: String,
    latin: String,
    sound: String,
}

impl Index {
    /// Of these places, where the newer edition comes first; an older one that says the same adds nothing.
    pub(super) fn of<'p>(places: impl Iterator<Item = &'p Place>) -> Self {
        let mut seen = std::collections::BTreeSet::new();
        let fresh = places.filter(|place| seen.insert((place.code, &place.name_km, &place.name_en)));
        Self(fresh.map(Entry::of).collect())
    }
}

impl Entry {
    fn of(place: &Place) -> Self {
        let latin = spelling::latin_key(&place.name_en);
        let sound = spelling::sound(&latin);
        let mut khmer = spelling::khmer_key(&place.name_km);
        // The list calls the capital "the capital Phnom Penh", where it calls a province by its bare name.
        if let Some(bare) = khmer.strip_prefix(CAPITAL).filter(|_| place.level() == PlaceLevel::Province) {
            khmer = bare.to_owned();
        }
        Self { key: place.key(), khmer, latin, sound }
    }

    fn matches(&self, needle: &Needle) -> Option<(Match, f64)> {
        if needle.level.is_some_and(|level| level != self.key.code.level()) {
            return None;
        }
        if !needle.digits.is_empty() && self.key.code.as_str().starts_with(&needle.digits) {
            let whole = self.key.code.as_str() == needle.digits;
            return Some((if whole { Match::Code } else { Match::CodeBegins }, 1.0));
        }
        let name = if needle.khmer { &self.khmer } else { &self.latin };
        let typed = needle.name.as_str();
        if name.is_empty() || typed.is_empty() {
            return None;
        }
        if name == typed {
            return Some((Match::Name, 1.0));
        }
        let (letters, typed_letters) = (name.chars().count(), typed.chars().count());
        let likeness = strsim::jaro_winkler(name, typed);
        let sounds = !needle.khmer && needle.sound.len() > 2 && self.sound == needle.sound;
        let close = letters.abs_diff(typed_letters) <= 3 && typed_letters > 3;
        match () {
            () if sounds && likeness >= SOUND_IS_NOT_ENOUGH => Some((Match::SoundsAlike, likeness)),
            () if name.starts_with(typed) => Some((Match::NameBegins, likeness)),
            () if typed_letters > 2 && name.contains(typed) => Some((Match::NameContains, likeness)),
            () if close && likeness >= WORTH_SHOWING => Some((Match::Similar, likeness)),
            () => None,
        }
    }
}

/// What was typed, as it is compared.
struct Needle {
    digits: String,
    khmer: bool,
    name: String,
    sound: String,
    level: Option<PlaceLevel>,
}

impl Needle {
    fn of(text: &str) -> Self {
        let khmer = spelling::is_khmer(text);
        let digits: String = text.trim().chars().map(spelling::latin_digit).collect();
        let digits = if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits } else { String::new() };
        let name = if khmer { spelling::khmer_key(text) } else { spelling::latin_key(text) };
        Self { digits, khmer, sound: spelling::sound(&name), name, level: None }
    }

    /// The same without a word for a level, if there is one: "Kandal province" asks for a province called Kandal.
    fn without_level_word(&self) -> Option<Self> {
        LEVEL_WORDS.iter().find_map(|&(word, level)| {
            let word = if self.khmer { spelling::khmer_key(word) } else { word.to_owned() };
            let name = self.name.strip_prefix(&word).or_else(|| self.name.strip_suffix(&word))?;
            (!name.is_empty()).then(|| Self {
                digits: String::new(),
                khmer: self.khmer,
                name: name.to_owned(),
                sound: spelling::sound(name),
                level: Some(level),
            })
        })
    }
}

impl Gazetteer {
    /// The places that a text may mean: the surest reason first, then the larger place, then the more alike.
    pub fn search(&self, query: &Query<'_>) -> Vec<Hit<'_>> {
        let needle = Needle::of(query.text);
        let bare = needle.without_level_word();
        let mut hits: Vec<_> = (self.index.0.iter())
            .filter(|entry| query.level.is_none_or(|level| level == entry.key.code.level()))
            .filter_map(|entry| {
                let whole = entry.matches(&needle);
                let bare = bare.as_ref().and_then(|bare| entry.matches(bare));
                let (reason, likeness) = [whole, bare].into_iter().flatten().min_by(better)?;
                Some((entry, reason, likeness))
            })
            .filter(|(entry, ..)| query.within.is_none_or(|area| self.lies_in(&entry.key, &area)))
            .collect();
        hits.sort_by(|(one, one_reason, one_likeness), (other, other_reason, other_likeness)| {
            let place = |entry: &Entry| (entry.key.code.level(), Reverse(entry.key.edition));
            (one_reason.cmp(other_reason))
                .then_with(|| place(one).0.cmp(&place(other).0))
                .then_with(|| other_likeness.total_cmp(one_likeness))
                .then_with(|| (one.key.code, place(one).1).cmp(&(other.key.code, place(other).1)))
        });
        let hits = hits.into_iter().take(query.limit);
        hits.filter_map(|(entry, reason, likeness)| self.hit(entry.key, reason, likeness)).collect()
    }

    fn lies_in(&self, key: &PlaceKey, area: &PlaceCode) -> bool {
        self.edition(key.edition).is_some_and(|edition| edition.and_above(&key.code).any(|place| place.code == *area))
    }

    fn hit(&self, key: PlaceKey, reason: Match, likeness: f64) -> Option<Hit<'_>> {
        let edition = self.edition(key.edition)?;
        let place = edition.place(&key.code)?;
        Some(Hit { place, reason, likeness, contested: !edition.contenders(&key.code).is_empty() })
    }
}

fn better(one: &(Match, f64), other: &(Match, f64)) -> std::cmp::Ordering {
    one.0.cmp(&other.0).then_with(|| other.1.total_cmp(&one.1))
}
