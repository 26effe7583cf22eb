//! What was found, in words: dated paragraphs at the end of the person's narrative in the vault.

use spean_vault::{Narrative, Reader, Vault, VaultError};
use spean_vocabulary::{Date, PersonId, Timestamp};

/// Words that belong to one visit, plan or assessment.
pub struct Words<'w> {
    /// The day in the field.
    pub on: Date,
    /// What they belong to, such as `visit 3`.
    pub about: String,
    /// Its id: the same id is kept once.
    pub id: String,
    /// What was found.
    pub text: &'w str,
}

/// Adds words to the narrative. Done again for the same id, it changes nothing: the first words stay.
///
/// The narrative is read and written back, so only one of these may run at a time.
pub async fn keep(
    vault: &Vault,
    person: PersonId,
    words: &Words<'_>,
    reader: &Reader,
    now: Timestamp,
) -> Result<(), VaultError> {
    let present: Option<Narrative> = vault.get(person, reader, now).await?;
    let present = present.map(|narrative| narrative.text).unwrap_or_default();
    match appended(&present, words) {
        None => Ok(()),
        Some(text) => vault.put(person, &Narrative { text }, now).await,
    }
}

/// The narrative with a further paragraph; none when that of this id is there already.
fn appended(present: &str, words: &Words<'_>) -> Option<String> {
    let Words { on, about, id, text } = words;
    let mark = format!("({id})");
    if present.contains(&mark) {
        return None;
    }
    let paragraph = format!("{on} {about} {mark}\n{text}");
    Some(if present.is_empty() { paragraph } else { format!("{present}\n\n{paragraph}") })
}

#[cfg(test)]
mod tests {
    use spean_identity::NodeKeys;
    use spean_testkit::a_folder;

    use super::*;

    fn words(number: u8, text: &str) -> Words<'_> {
        let id = format!("00000000-0000-4000-8000-0000000000{number:02x}");
        Words { on: "2026-02-27".parse().unwrap(), about: format!("visit {number}"), id, text }
    }

    #[tokio::test]
    async fn findings_follow_what_was_known_and_are_kept_once() {
        let folder = a_folder();
        let url = format!("sqlite://{}", folder.path().join("vault.sqlite").display());
        let vault = Vault::open(&url, &NodeKeys::create(&folder.path().join("keys")).unwrap()).await.unwrap();
        let person = "00000000-0000-4000-8000-0000000000ff".parse().unwrap();
        let reader = Reader {
            staff: "staff-7".parse().unwrap(),
            office: "kandal-district".parse().unwrap(),
            purpose: "to see what was kept".to_owned(),
        };
        let now = Timestamp::from_micros(1_795_300_200_000_000);
        vault.put(person, &Narrative { text: "Came home by bus.".to_owned() }, now).await.unwrap();
        for (number, text) in [(1, "Goes to school."), (2, "The roof leaks."), (1, "Other words on a retry.")] {
            keep(&vault, person, &words(number, text), &reader, now).await.unwrap();
        }
        let kept: Narrative = vault.get(person, &reader, now).await.unwrap().unwrap();
        let expected = "Came home by bus.\n\n\
            2026-02-27 visit 1 (00000000-0000-4000-8000-000000000001)\nGoes to school.\n\n\
            2026-02-27 visit 2 (00000000-0000-4000-8000-000000000002)\nThe roof leaks.";
        assert_eq!(kept.text, expected);
    }
}
