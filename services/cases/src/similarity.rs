//! Whether two descriptions may be of one person. Explains itself, tolerates spelling, and never decides.
//!
//! Khmer names are written in Latin letters in many ways (Srey, Srei; Sok, Sokh; Chea, Jea), and one office writes Khmer
//! script where another writes Latin. Names are therefore compared by how they sound, see [`sound`].

mod sound;

use std::borrow::Borrow;
use std::cmp::Reverse;
use std::fmt;

use spean_vault::{Birth, Contact, Identity, Name};
use spean_vocabulary::{PlaceCode, Sex};

use sound::Sound;

/// From this score on somebody is shown as a candidate.
pub const CANDIDATE: u8 = 60;

/// Names at least this alike count as similar: it tolerates one or two differing letters in a usual name.
const SIMILAR_NAME: f64 = 0.86;
/// Years by which a year of birth may be off.
const YEARS_OFF: i32 = 2;
/// Years by which an estimate of it may be off.
const YEARS_OFF_WHEN_ESTIMATED: i32 = 5;
/// Digits of a telephone number that tell it from others, without the country.
const DIGITS_OF_TELEPHONE: usize = 7;
/// Digits of the code of a province, and of a village.
const PROVINCE: usize = 2;
const VILLAGE: usize = 8;

/// Most that a name alone can say, see [`Spoken::like`].
const MOST_FOR_A_NAME: i32 = 45;

/// What of somebody is compared, worked out once for all comparisons. Holds personal data: keep it no longer than a
/// search.
#[derive(Clone)]
pub struct Traits {
    names: Vec<Spoken>,
    papers: Vec<String>,
    telephone: Option<String>,
    birth: Birth,
    sex: Sex,
    home: Option<String>,
}

impl fmt::Debug for Traits {
    /// Leaves out who it is.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Traits(..)")
    }
}

impl Traits {
    /// Of what is known of somebody.
    pub fn of(identity: &Identity, contact: Option<&Contact>) -> Self {
        let telephone = contact.and_then(|contact| {
            let digits: String = contact.telephone.as_ref()?.chars().filter(char::is_ascii_digit).collect();
            let tail = digits.len().checked_sub(DIGITS_OF_TELEPHONE)?;
            Some(digits[tail..].to_owned())
        });
        let papers = identity.documents.iter().map(|paper| sound::plain(&paper.number));
        Self {
            names: [&identity.latin, &identity.khmer].into_iter().flatten().filter_map(Spoken::of).collect(),
            papers: papers.filter(|number| number.len() >= 4).collect(),
            telephone,
            birth: identity.birth,
            sex: identity.sex,
            home: contact.and_then(|contact| contact.home_place).map(|place: PlaceCode| place.to_string()),
        }
    }
}

/// How alike two people are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Likeness {
    /// 0 to 100.
    pub score: u8,
    /// Why, as codes.
    pub reasons: Vec<&'static str>,
}

/// Those of everybody who may be the one who is sought, the likeliest first, and no more than `most`: of a name that
/// half a village bears, a list of all would be read by nobody.
pub fn likeliest<K: Copy + Ord>(
    sought: &Traits,
    everybody: impl IntoIterator<Item = (K, impl Borrow<Traits>)>,
    most: usize,
) -> Vec<(K, Likeness)> {
    let likeness = |(key, other): (K, _)| Some((key, candidate(sought, Borrow::<Traits>::borrow(&other))?));
    let mut found: Vec<_> = everybody.into_iter().filter_map(likeness).collect();
    found.sort_by_key(|(key, likeness)| (Reverse(likeness.score), *key));
    found.truncate(most);
    found
}

/// The likeness of two people who are to be shown to somebody; none of all others.
fn candidate(one: &Traits, other: &Traits) -> Option<Likeness> {
    // Comparing names costs the most, and most people are told apart by the rest.
    let beside_the_name: i32 = circumstances(one, other).into_iter().flatten().map(|(points, _)| points).sum();
    if beside_the_name + MOST_FOR_A_NAME < i32::from(CANDIDATE) {
        return None;
    }
    Some(compare(one, other)).filter(|likeness| likeness.score >= CANDIDATE)
}

/// Compares two people by what is known of both. A paper with the same number weighs most, then the name.
fn compare(one: &Traits, other: &Traits) -> Likeness {
    let [paper, telephone, rest @ ..] = circumstances(one, other);
    let evidence = [paper, telephone, best_name(one, other)].into_iter().chain(rest).flatten();
    let (points, reasons): (Vec<i32>, Vec<_>) = evidence.unzip();
    let score: i32 = points.into_iter().sum();
    Likeness { score: u8::try_from(score.clamp(0, 100)).unwrap_or(0), reasons }
}

/// Points and why.
type Evidence = Option<(i32, &'static str)>;

/// All but the name.
fn circumstances(one: &Traits, other: &Traits) -> [Evidence; 5] {
    [
        one.papers.iter().any(|number| other.papers.contains(number)).then_some((70, "SAME_DOCUMENT")),
        same_telephone(one, other),
        births(one.birth, other.birth),
        sexes(one.sex, other.sex),
        homes(one, other),
    ]
}

/// A family may share a telephone, so it says less than a paper.
fn same_telephone(one: &Traits, other: &Traits) -> Evidence {
    (one.telephone.as_ref()? == other.telephone.as_ref()?).then_some((25, "SAME_TELEPHONE"))
}

fn births(one: Birth, other: Birth) -> Evidence {
    if let (Birth::On { date }, Birth::On { date: their }) = (one, other)
        && date == their
    {
        return Some((25, "SAME_BIRTH_DATE"));
    }
    let estimated = |birth| matches!(birth, Birth::Year { approximate: true, .. });
    let off = (year(one)? - year(other)?).abs();
    Some(if off == 0 {
        (18, "SAME_BIRTH_YEAR")
    } else if off <= YEARS_OFF {
        (12, "SIMILAR_AGE")
    } else if off <= YEARS_OFF_WHEN_ESTIMATED && (estimated(one) || estimated(other)) {
        (6, "SIMILAR_AGE")
    } else {
        (-25, "OTHER_AGE")
    })
}

fn sexes(one: Sex, other: Sex) -> Evidence {
    if one == Sex::Unknown || other == Sex::Unknown {
        return None;
    }
    Some(if one == other { (5, "SAME_SEX") } else { (-15, "OTHER_SEX") })
}

fn homes(one: &Traits, other: &Traits) -> Evidence {
    let (one, other) = (one.home.as_ref()?, other.home.as_ref()?);
    if one.len() == VILLAGE && one == other {
        return Some((10, "SAME_VILLAGE"));
    }
    (one.get(..PROVINCE)? == other.get(..PROVINCE)?).then_some((3, "SAME_PROVINCE"))
}

fn year(birth: Birth) -> Option<i32> {
    match birth {
        Birth::Unknown => None,
        Birth::Year { year, .. } => Some(year),
        Birth::On { date } => Some(date.year()),
    }
}

fn best_name(one: &Traits, other: &Traits) -> Evidence {
    let pairs = one.names.iter().flat_map(|one| other.names.iter().filter_map(move |other| one.like(other)));
    pairs.max_by_key(|(points, _)| *points)
}

/// A name as it sounds.
#[derive(Clone, Debug)]
struct Spoken {
    family: Sound,
    given: Sound,
    /// All of it without blanks: some write in one field what others write in two.
    whole: Sound,
}

impl Spoken {
    fn of(name: &Name) -> Option<Self> {
        let (family, given) = (Sound::of(&name.family), Sound::of(&name.given));
        let whole = Sound::of(&format!("{}{}", name.family, name.given));
        (!whole.is_empty()).then_some(Self { family, given, whole })
    }

    /// The only half that is known, when it is but one.
    fn half(&self) -> Option<&Sound> {
        match (self.family.is_empty(), self.given.is_empty()) {
            (true, false) => Some(&self.given),
            (false, true) => Some(&self.family),
            _ => None,
        }
    }

    fn like(&self, other: &Self) -> Evidence {
        if self.family.is_spelt_like(&other.family) && self.given.is_spelt_like(&other.given) {
            return Some((45, "SAME_NAME"));
        }
        if self.family.sounds_like(&other.family) && self.given.sounds_like(&other.given)
            || self.whole.sounds_like(&other.whole)
        {
            return Some((43, "SAME_SOUND"));
        }
        if let Some(half) = self.half().or_else(|| other.half()) {
            let parts = [&self.family, &self.given, &other.family, &other.given];
            let found = parts.into_iter().filter(|part| !part.is_empty() && part.sounds_like(half)).count();
            // The half itself is one of them.
            return if found > 1 { Some((20, "PART_OF_NAME")) } else { self.similar(other) };
        }
        let is_swapped =
            self.family.likeness(&other.given) >= SIMILAR_NAME && self.given.likeness(&other.family) >= SIMILAR_NAME;
        if is_swapped {
            return Some((42, "SWAPPED_NAME"));
        }
        self.similar(other)
    }

    fn similar(&self, other: &Self) -> Evidence {
        let is_alike =
            self.given.likeness(&other.given) >= SIMILAR_NAME && self.whole.likeness(&other.whole) >= SIMILAR_NAME;
        is_alike.then_some((35, "SIMILAR_NAME"))
    }
}

#[cfg(test)]
mod tests;
