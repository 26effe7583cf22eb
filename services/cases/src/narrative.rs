//! What happened to a person, in words: what the register wrote, and what others have added since.
//!
//! Those who visit a person add dated paragraphs, each under a line that ends with the id of its visit in brackets. They
//! are theirs: whoever corrects the register's words neither changes nor loses them.

use spean_vault::Narrative;

/// The narrative after a correction of the register's own words.
pub(crate) fn corrected(present: Option<&Narrative>, told: &Narrative) -> Narrative {
    let added = present.map(|present| split(&present.text).1).unwrap_or_default();
    // A caller who sends back all that they read sends the additions too; those on record stand.
    let own = split(&told.text).0.trim();
    let text = match (own.is_empty(), added.is_empty()) {
        (_, true) => own.to_owned(),
        (true, false) => added.to_owned(),
        (false, false) => format!("{own}\n\n{added}"),
    };
    Narrative { text }
}

/// The register's own words, and what others have added.
fn split(text: &str) -> (&str, &str) {
    let mut place = 0;
    for line in text.split_inclusive('\n') {
        if is_mark(line) {
            return text.split_at(place);
        }
        place += line.len();
    }
    (text, "")
}

/// A line that begins with a day and ends with an id in brackets.
fn is_mark(line: &str) -> bool {
    let line = line.trim_end();
    let day = line.get(..10).is_some_and(|day| day.parse::<spean_vocabulary::Date>().is_ok());
    let id = line.strip_suffix(')').and_then(|line| line.rsplit_once('('));
    day && id.is_some_and(|(_, id)| id.parse::<spean_vocabulary::VisitId>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const VISIT: &str = "2026-02-27 visit 1 (00000000-0000-4000-8000-000000000001)\nWell.\n\nAt school.";

    fn words(text: &str) -> Narrative {
        Narrative { text: text.to_owned() }
    }

    #[test]
    fn what_visits_found_outlives_a_correction() {
        let present = words(&format!("She was promised work.\n\n{VISIT}"));
        let after = corrected(Some(&present), &words("She was promised work in a shop."));
        assert!(after == words(&format!("She was promised work in a shop.\n\n{VISIT}")));
    }

    #[test]
    fn what_visits_found_is_not_changed_by_whoever_sends_it_back() {
        let present = words(&format!("Promised work.\n\n{VISIT}"));
        let sent = words(&format!("Promised work.\n\n{}", VISIT.replace("Well", "Ill")));
        assert!(corrected(Some(&present), &sent) == present);
        let alone = words(VISIT);
        assert!(corrected(Some(&alone), &alone) == alone);
    }

    #[test]
    fn without_visits_the_correction_stands_alone() {
        assert!(corrected(None, &words("Nothing yet.")) == words("Nothing yet."));
        assert!(corrected(Some(&words("2026 was hard.")), &words("Later.")) == words("Later."));
    }
}
