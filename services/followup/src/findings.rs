//! What a visit found, in words: a dated paragraph at the end of the person's narrative in the vault.

use spean_vault::{Narrative, Reader, Vault, VaultError};
use spean_vocabulary::{PersonId, Timestamp};

use crate::plan::Visit;

/// The words of one visit.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// Who was present as the responsible adult, by function.
    pub responsible_adult: Option<String>,
    /// What was found.
    pub text: Option<String>,
}

/// Adds the words of a visit to the narrative. Done again for the same visit, it changes nothing: the first words stay.
///
/// The narrative is read and written back, so only one of these may run at a time.
pub async fn keep(
    vault: &Vault,
    person: PersonId,
    visit: &Visit,
    findings: &Findings,
    reader: &Reader,
    now: Timestamp,
) -> Result<(), VaultError> {
    if *findings == Findings::default() {
        return Ok(());
    }
    let present: Option<Narrative> = vault.get(person, reader, now).await?;
    let present = present.map(|narrative| narrative.text).unwrap_or_default();
    match appended(&present, visit, findings) {
        None => Ok(()),
        Some(text) => vault.put(person, &Narrative { text }, now).await,
    }
}

/// The narrative with a further paragraph; none when that of this visit is there already.
fn appended(present: &str, visit: &Visit, findings: &Findings) -> Option<String> {
    let mark = format!("({})", visit.visit_id);
    if present.contains(&mark) {
        return None;
    }
    let mut lines = vec![format!("{} visit {} {mark}", visit.visited_on, visit.number)];
    lines.extend(findings.responsible_adult.as_ref().map(|function| format!("responsible adult: {function}")));
    lines.extend(findings.text.clone());
    let paragraph = lines.join("\n");
    Some(if present.is_empty() { paragraph } else { format!("{present}\n\n{paragraph}") })
}

#[cfg(test)]
mod tests {
    use spean_identity::NodeKeys;
    use spean_testkit::a_folder;
    use spean_vocabulary::VisitOutcome;

    use super::*;

    fn visit(number: u8) -> Visit {
        Visit {
            visit_id: format!("00000000-0000-4000-8000-0000000000{number:02x}").parse().unwrap(),
            number,
            visited_on: "2026-02-27".parse().unwrap(),
            outcome: VisitOutcome::Met,
            responsible_adult_present: true,
        }
    }

    fn findings(text: &str) -> Findings {
        Findings { responsible_adult: Some("grandmother".to_owned()), text: Some(text.to_owned()) }
    }

    fn reader() -> Reader {
        Reader {
            staff: "staff-7".parse().unwrap(),
            office: "kandal-district".parse().unwrap(),
            purpose: "to see what was kept".to_owned(),
        }
    }

    #[tokio::test]
    async fn findings_follow_what_was_known_and_are_kept_once() {
        let folder = a_folder();
        let url = format!("sqlite://{}", folder.path().join("vault.sqlite").display());
        let vault = Vault::open(&url, &NodeKeys::create(&folder.path().join("keys")).unwrap()).await.unwrap();
        let person = "00000000-0000-4000-8000-0000000000ff".parse().unwrap();
        let (reader, now) = (reader(), Timestamp::from_micros(1_795_300_200_000_000));
        vault.put(person, &Narrative { text: "Came home by bus.".to_owned() }, now).await.unwrap();
        for (number, text) in [(1, "Goes to school."), (2, "The roof leaks."), (1, "Other words on a retry.")] {
            keep(&vault, person, &visit(number), &findings(text), &reader, now).await.unwrap();
        }
        let kept: Narrative = vault.get(person, &reader, now).await.unwrap().unwrap();
        let expected = "Came home by bus.\n\n\
            2026-02-27 visit 1 (00000000-0000-4000-8000-000000000001)\nresponsible adult: grandmother\nGoes to school.\n\n\
            2026-02-27 visit 2 (00000000-0000-4000-8000-000000000002)\nresponsible adult: grandmother\nThe roof leaks.";
        assert_eq!(kept.text, expected);
    }

    #[tokio::test]
    async fn without_words_nothing_is_read_or_kept() {
        let folder = a_folder();
        let url = format!("sqlite://{}", folder.path().join("vault.sqlite").display());
        let vault = Vault::open(&url, &NodeKeys::create(&folder.path().join("keys")).unwrap()).await.unwrap();
        let person = "00000000-0000-4000-8000-0000000000ff".parse().unwrap();
        let now = Timestamp::from_micros(1_795_300_200_000_000);
        keep(&vault, person, &visit(1), &Findings::default(), &reader(), now).await.unwrap();
        assert!(vault.readings(person).await.unwrap().is_empty());
        assert!(vault.get::<Narrative>(person, &reader(), now).await.unwrap().is_none());
    }
}
