//! Whether two descriptions may be of one person. Explains itself, tolerates spelling, and never decides.
//!
//! Khmer names are written in Latin letters in many ways (Srey, Srei; Sok, Sokh; Chea, Jea), and one office writes Khmer
//! script where another writes Latin. Names are therefore compared by how they sound, see [`sound`].

mod sound;

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

/// What is known of somebody, as far as it is compared.
#[derive(Clone, Copy, Debug)]
pub struct Known<'k> {
    /// Who.
    pub identity: &'k Identity,
    /// Where, and by which telephone.
    pub contact: Option<&'k Contact>,
}

/// How alike two people are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Likeness {
    /// 0 to 100.
    pub score: u8,
    /// Why, as codes.
    pub reasons: Vec<&'static str>,
}

/// Compares two people by what is known of both. A paper with the same number weighs most, then the name.
pub fn compare(one: Known<'_>, other: Known<'_>) -> Likeness {
    let evidence = [
        same_paper(one.identity, other.identity),
        same_telephone(one, other),
        best_name(one.identity, other.identity),
        births(one.identity.birth, other.identity.birth),
        sexes(one.identity.sex, other.identity.sex),
        homes(one, other),
    ];
    let score: i32 = evidence.iter().flatten().map(|(points, _)| points).sum();
    let reasons = evidence.into_iter().flatten().map(|(_, reason)| reason).collect();
    Likeness { score: u8::try_from(score.clamp(0, 100)).unwrap_or(0), reasons }
}

/// Points and why.
type Evidence = Option<(i32, &'static str)>;

fn same_paper(one: &Identity, other: &Identity) -> Evidence {
    let numbers = |identity: &Identity| -> Vec<String> {
        identity.documents.iter().map(|paper| sound::plain(&paper.number)).filter(|number| number.len() >= 4).collect()
    };
    let theirs = numbers(other);
    numbers(one).iter().any(|number| theirs.contains(number)).then_some((70, "SAME_DOCUMENT"))
}

/// A family may share a telephone, so it says less than a paper.
fn same_telephone(one: Known<'_>, other: Known<'_>) -> Evidence {
    let number = |known: Known<'_>| {
        let given = known.contact?.telephone.as_ref()?;
        let digits: Vec<char> = given.chars().filter(char::is_ascii_digit).collect();
        let tail = digits.len().checked_sub(DIGITS_OF_TELEPHONE)?;
        Some(digits[tail..].to_vec())
    };
    (number(one)? == number(other)?).then_some((25, "SAME_TELEPHONE"))
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

fn homes(one: Known<'_>, other: Known<'_>) -> Evidence {
    let home = |known: Known<'_>| known.contact?.home_place.map(|place: PlaceCode| place.to_string());
    let (one, other) = (home(one)?, home(other)?);
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

fn best_name(one: &Identity, other: &Identity) -> Evidence {
    let names = |identity: &Identity| -> Vec<Spoken> {
        [&identity.latin, &identity.khmer].into_iter().flatten().filter_map(Spoken::of).collect()
    };
    let theirs = names(other);
    let pairs = names(one).into_iter().flat_map(|one| theirs.iter().filter_map(move |other| one.like(other)));
    pairs.collect::<Vec<_>>().into_iter().max_by_key(|(points, _)| *points)
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
        let swapped = self.family.likeness(&other.given).min(self.given.likeness(&other.family));
        if swapped >= SIMILAR_NAME {
            return Some((42, "SWAPPED_NAME"));
        }
        self.similar(other)
    }

    fn similar(&self, other: &Self) -> Evidence {
        let alike = self.whole.likeness(&other.whole) >= SIMILAR_NAME;
        (alike && self.given.likeness(&other.given) >= SIMILAR_NAME).then_some((35, "SIMILAR_NAME"))
    }
}

#[cfg(test)]
mod tests;
