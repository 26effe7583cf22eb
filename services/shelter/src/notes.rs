//! Words of sessions, visits and looks at plans: dated paragraphs in the vault, at the end of what happened to the person.

use spean_contracts::cases::v1::PersonErased;
use spean_eventstore::Tables;
use spean_vault::{Narrative, Reader, Vault, VaultError};
use spean_vocabulary::{CaseId, Date, Id, PersonId, Timestamp};
use sqlx::{Any, AnyConnection, Executor};

/// Of whom nothing more may be kept.
pub const TABLES: Tables =
    Tables { name: "erased", steps: &["create table erased (case_id text not null primary key)"] };

/// Words of one thing that happened.
pub(crate) struct Note {
    /// What it was, in a word.
    pub(crate) what: String,
    /// Its id.
    pub(crate) id: String,
    /// Its day.
    pub(crate) on: Date,
    /// The words.
    pub(crate) text: String,
}

impl Note {
    /// Words of a thing; none when nothing was said.
    pub(crate) fn of<K>(what: &impl ToString, id: Id<K>, on: Date, text: Option<String>) -> Option<Self> {
        text.map(|text| Self { what: what.to_string(), id: id.to_string(), on, text })
    }
}

/// Remembers that a person was erased.
pub async fn record_erased(told: &PersonErased, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    sqlx::query("insert into erased (case_id) values ($1) on conflict (case_id) do nothing")
        .bind(&told.case_id)
        .execute(connection)
        .await?;
    Ok(())
}

/// Whether a person was erased.
pub async fn is_erased(case: CaseId, executor: impl Executor<'_, Database = Any>) -> Result<bool, sqlx::Error> {
    let row = sqlx::query("select 1 from erased where case_id = $1").bind(case.to_string());
    Ok(row.fetch_optional(executor).await?.is_some())
}

/// Adds the words to the narrative. Done again for the same thing, it changes nothing: the first words stay.
pub(crate) async fn keep(
    vault: &Vault,
    person: PersonId,
    note: &Note,
    reader: &Reader,
    now: Timestamp,
) -> Result<(), VaultError> {
    vault
        .revise(person, reader, now, |present: Option<Narrative>| {
            let present = present.map(|narrative| narrative.text).unwrap_or_default();
            appended(&present, note).map(|text| Narrative { text })
        })
        .await
}

/// The narrative with a further paragraph; none when that of this thing is there already.
fn appended(present: &str, note: &Note) -> Option<String> {
    let mark = format!("({})", note.id);
    if present.contains(&mark) {
        return None;
    }
    let paragraph = format!("{} {} {mark}\n{}", note.on, note.what, note.text);
    Some(if present.is_empty() { paragraph } else { format!("{present}\n\n{paragraph}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_follow_what_was_known_and_are_kept_once() {
        let note = |text: &str| Note {
            what: "counselling".to_owned(),
            id: "7".to_owned(),
            on: "2026-02-27".parse().unwrap(),
            text: text.to_owned(),
        };
        let once = appended("Came by bus.", &note("Sleeps better.")).unwrap();
        assert_eq!(once, "Came by bus.\n\n2026-02-27 counselling (7)\nSleeps better.");
        assert_eq!(appended(&once, &note("Other words on a retry.")), None);
    }
}
