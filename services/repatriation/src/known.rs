//! Who may be known here already, by what can be compared without judgement: the number of a paper, or the whole name
//! with the year of birth. Likenesses are for the register of people, and all decisions are for people.

use std::collections::{BTreeMap, BTreeSet};

use spean_vault::{Birth, Contact, Identity, Name};
use spean_vocabulary::{CaseId, PersonId};

use crate::sheet::document_key;

/// The same paper.
pub const SAME_DOCUMENT: &str = "SAME_DOCUMENT";
/// The same name in one of the scripts, and the same year of birth.
pub const SAME_NAME_AND_BIRTH: &str = "SAME_NAME_AND_BIRTH";

/// Most cases that are named for one person.
const MOST_CASES: usize = 20;

/// The people of the vault as they are compared. Holds personal data: keep it no longer than a request.
#[derive(Default)]
pub struct KnownPeople {
    papers: BTreeMap<String, BTreeSet<CaseId>>,
    names: BTreeMap<(String, i32), BTreeSet<CaseId>>,
}

impl std::fmt::Debug for KnownPeople {
    /// Leaves out whom it holds.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("KnownPeople").field("papers", &self.papers.len()).finish_non_exhaustive()
    }
}

impl KnownPeople {
    /// Those of the vault but for some: the ones who are being registered.
    pub fn of(people: &[(PersonId, Identity, Option<Contact>)], but: &BTreeSet<CaseId>) -> Self {
        let mut known = Self::default();
        for (person, identity, _) in people {
            let case: CaseId = person.reinterpret();
            if but.contains(&case) {
                continue;
            }
            for paper in papers(identity) {
                known.papers.entry(paper).or_default().insert(case);
            }
            for name in names(identity) {
                known.names.entry(name).or_default().insert(case);
            }
        }
        known
    }

    /// The cases that may be of this person, each with what is the same.
    pub fn like(&self, identity: &Identity) -> BTreeMap<CaseId, Vec<&'static str>> {
        let mut cases: BTreeMap<CaseId, Vec<_>> = BTreeMap::new();
        for case in papers(identity).filter_map(|paper| self.papers.get(&paper)).flatten() {
            cases.insert(*case, vec![SAME_DOCUMENT]);
        }
        let alike: BTreeSet<_> = names(identity).filter_map(|name| self.names.get(&name)).flatten().collect();
        for case in alike {
            cases.entry(*case).or_default().push(SAME_NAME_AND_BIRTH);
        }
        cases.into_iter().take(MOST_CASES).collect()
    }
}

fn papers(identity: &Identity) -> impl Iterator<Item = String> {
    identity.documents.iter().filter_map(|document| document_key(&document.number))
}

/// Family name and given name are often taken for each other, so their order does not count.
fn names(identity: &Identity) -> impl Iterator<Item = (String, i32)> {
    let year = match identity.birth {
        Birth::Unknown => None,
        Birth::Year { year, .. } => Some(year),
        Birth::On { date } => Some(date.year()),
    };
    let key = |Name { family, given }: &Name| {
        let mut words: Vec<_> =
            [family, given].into_iter().flat_map(|words| words.split_whitespace()).map(str::to_lowercase).collect();
        words.sort();
        words.join(" ")
    };
    let names = [&identity.latin, &identity.khmer].into_iter().flatten();
    let whole = names.filter(|name| !name.family.is_empty() && !name.given.is_empty()).map(key);
    let whole: Vec<_> = whole.collect();
    whole.into_iter().filter_map(move |name| Some((name, year?)))
}

#[cfg(test)]
mod tests {
    use spean_vault::Document;
    use spean_vocabulary::{Id, Sex};

    use super::*;

    fn id<K>(number: u8) -> Id<K> {
        format!("00000000-0000-4000-8000-0000000000{number:02x}").parse().expect("an id")
    }

    fn somebody(family: &str, given: &str, year: i32, paper: &str) -> Identity {
        Identity {
            khmer: None,
            latin: Some(Name { family: family.to_owned(), given: given.to_owned() }),
            birth: Birth::Year { year, approximate: true },
            sex: Sex::Male,
            nationality: None,
            languages: vec![],
            documents: vec![Document { kind: "passport".to_owned(), number: paper.to_owned() }],
        }
    }

    #[test]
    fn somebody_is_known_by_a_paper_or_by_name_and_birth_together() {
        let people = vec![
            (id(1), somebody("Kumru", "Sovann", 1988, "N0417733"), None),
            (id(2), somebody("Kumru", "Dara", 1990, "none"), None),
        ];
        let known = KnownPeople::of(&people, &BTreeSet::from([id(3)]));
        let reasons = |identity| known.like(&identity).into_iter().collect::<Vec<_>>();
        assert_eq!(reasons(somebody("Kumru", "Vibol", 1970, "n 0417733")), [(id(1), vec![SAME_DOCUMENT])]);
        assert_eq!(reasons(somebody("dara", "KUMRU", 1990, "none")), [(id(2), vec![SAME_NAME_AND_BIRTH])]);
        assert_eq!(reasons(somebody("Kumru", "Dara", 1991, "none")), []);
    }

    #[test]
    fn nobody_is_taken_for_themselves() {
        let people = [(id(1), somebody("Kumru", "Sovann", 1988, "N0417733"), None)];
        let known = KnownPeople::of(&people, &BTreeSet::from([id(1)]));
        assert!(known.like(&somebody("Kumru", "Sovann", 1988, "N0417733")).is_empty());
    }
}
