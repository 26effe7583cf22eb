//! Whether two descriptions may be of one person. Explains itself, tolerates spelling, and never decides.

use deunicode::deunicode;
use spean_vault::{Birth, Identity, Name};
use unicode_normalization::UnicodeNormalization as _;

/// From this score on somebody is shown as a candidate.
pub const CANDIDATE: u8 = 60;

/// Names at least this alike count as similar: it tolerates one or two differing letters in a usual name.
const SIMILAR_NAME: f64 = 0.86;
/// Years by which an approximate year of birth may be off.
const YEARS_OFF: i32 = 2;

/// How alike two people are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Likeness {
    /// 0 to 100.
    pub score: u8,
    /// Why, as codes.
    pub reasons: Vec<&'static str>,
}

/// Compares two people by what is known of both. A paper with the same number weighs most, then the name.
pub fn compare(one: &Identity, other: &Identity) -> Likeness {
    let mut score = 0_i32;
    let mut reasons = Vec::new();
    let mut because = |points: i32, reason: &'static str| {
        score += points;
        reasons.push(reason);
    };
    let same_paper = one.documents.iter().any(|paper| {
        other
            .documents
            .iter()
            .any(|their| plain(&paper.number) == plain(&their.number) && plain(&paper.number).len() >= 4)
    });
    if same_paper {
        because(70, "SAME_DOCUMENT");
    }
    match best_name(one, other) {
        NameLikeness::Same => because(45, "SAME_NAME"),
        NameLikeness::Swapped => because(42, "SWAPPED_NAME"),
        NameLikeness::Similar => because(35, "SIMILAR_NAME"),
        NameLikeness::Different => {}
    }
    match (one.birth, other.birth) {
        (Birth::On { date }, Birth::On { date: their }) if date == their => because(25, "SAME_BIRTH_DATE"),
        (one, other) => match (year(one), year(other)) {
            (Some(one), Some(other)) if one == other => because(18, "SAME_BIRTH_YEAR"),
            (Some(one), Some(other)) if (one - other).abs() <= YEARS_OFF => because(12, "SIMILAR_AGE"),
            (Some(_), Some(_)) => because(-25, "OTHER_AGE"),
            _ => {}
        },
    }
    if one.sex == other.sex {
        because(5, "SAME_SEX");
    } else if [one.sex, other.sex].iter().all(|sex| *sex != spean_vocabulary::Sex::Unknown) {
        because(-15, "OTHER_SEX");
    }
    Likeness { score: u8::try_from(score.clamp(0, 100)).unwrap_or(0), reasons }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum NameLikeness {
    Different,
    Similar,
    Swapped,
    Same,
}

fn best_name(one: &Identity, other: &Identity) -> NameLikeness {
    let names = |identity: &Identity| [identity.latin.clone(), identity.khmer.clone()].into_iter().flatten().collect();
    let (one, other): (Vec<Name>, Vec<Name>) = (names(one), names(other));
    let pairs = one.iter().flat_map(|one| other.iter().map(move |other| compare_names(one, other)));
    pairs.max().unwrap_or(NameLikeness::Different)
}

fn compare_names(one: &Name, other: &Name) -> NameLikeness {
    let [family, given, their_family, their_given] =
        [&one.family, &one.given, &other.family, &other.given].map(|part| plain(part));
    if (family.is_empty() && given.is_empty()) || (their_family.is_empty() && their_given.is_empty()) {
        return NameLikeness::Different;
    }
    let alike = |one: &str, other: &str| strsim::jaro_winkler(one, other);
    if family == their_family && given == their_given {
        return NameLikeness::Same;
    }
    if alike(&family, &their_given).min(alike(&given, &their_family)) >= SIMILAR_NAME {
        return NameLikeness::Swapped;
    }
    if alike(&format!("{family} {given}"), &format!("{their_family} {their_given}")) >= SIMILAR_NAME
        && alike(&given, &their_given) >= SIMILAR_NAME
    {
        return NameLikeness::Similar;
    }
    NameLikeness::Different
}

/// Without case, accents, spaces and marks; Khmer in a Latin transcription, so that both scripts can meet.
fn plain(text: &str) -> String {
    let text: String = text.nfc().filter(|character| !matches!(*character, '\u{200b}'..='\u{200d}')).collect();
    deunicode(&text)
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|character| character.to_ascii_lowercase())
        .collect()
}

fn year(birth: Birth) -> Option<i32> {
    match birth {
        Birth::Unknown => None,
        Birth::Year { year, .. } => Some(year),
        Birth::On { date } => Some(date.year()),
    }
}

#[cfg(test)]
mod tests {
    use spean_vault::Document;
    use spean_vocabulary::Sex;

    use super::*;

    fn person(family: &str, given: &str, year: Option<i32>) -> Identity {
        Identity {
            khmer: None,
            latin: Some(Name { family: family.to_owned(), given: given.to_owned() }),
            birth: year.map_or(Birth::Unknown, |year| Birth::Year { year, approximate: true }),
            sex: Sex::Male,
            nationality: None,
            languages: vec![],
            documents: vec![],
        }
    }

    #[test]
    fn another_spelling_and_a_guessed_age_are_tolerated() {
        let likeness = compare(&person("Kumru", "Sovannara", Some(1990)), &person("Kumrou", "Sovanara", Some(1991)));
        assert!(likeness.score < CANDIDATE && likeness.reasons.contains(&"SIMILAR_NAME"), "{likeness:?}");
        let with_year = compare(&person("Kumru", "Sovannara", Some(1990)), &person("Kumrou", "Sovannara", Some(1990)));
        assert!(with_year.reasons.contains(&"SIMILAR_NAME"), "{with_year:?}");
    }

    #[test]
    fn swapped_names_of_the_same_year_make_a_candidate() {
        let likeness = compare(&person("Kumru", "Dara", Some(1990)), &person("Dara", "Kumru", Some(1990)));
        assert!(likeness.score >= CANDIDATE && likeness.reasons.contains(&"SWAPPED_NAME"), "{likeness:?}");
    }

    #[test]
    fn one_paper_makes_a_candidate_whatever_the_name() {
        let paper = Document { kind: "passport".to_owned(), number: "N 0123-456".to_owned() };
        let one = Identity { documents: vec![paper.clone()], ..person("Kumru", "Dara", None) };
        let number = "n0123456".to_owned();
        let other = Identity { documents: vec![Document { number, ..paper }], ..person("Kumru", "Vibol", None) };
        let likeness = compare(&one, &other);
        assert!(likeness.score >= CANDIDATE, "{likeness:?}");
    }

    #[test]
    fn a_common_name_alone_accuses_nobody() {
        let likeness = compare(&person("Kumru", "Dara", Some(1960)), &person("Kumru", "Dara", Some(2005)));
        assert!(likeness.score < CANDIDATE, "{likeness:?}");
        let unnamed = Identity { latin: None, ..person("", "", None) };
        assert!(compare(&unnamed, &unnamed).score < CANDIDATE);
    }
}
