//! What of a report is personal: the words about what was seen, and, apart from them, who reports.
//!
//! Both are in the vault under ids that nobody can choose, so that no report can be written over a person's file.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};
use spean_vault::{Direction, Dossier, DossierError, Narrative, Part, Personal, Reader, VaultError};
use spean_vocabulary::{OfferId, OfficeId, PersonId, ReportId, Timestamp};

use super::report::Pass;
use crate::desk::Desk;
use crate::dossiers::derived;

/// What a reference to sealed words begins with.
const REFERENCE: &str = "report/";

/// Who reports, and how they can be reached.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reporter {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) telephone: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) safe_contact: Option<String>,
}

impl Personal for Reporter {
    const PART: Part = Part::Contact;
}

impl fmt::Debug for Reporter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Reporter(..)")
    }
}

/// Under which id the words of a report are kept.
pub(crate) fn words_id(report: ReportId) -> PersonId {
    derived("spean words of a report v1", &[report.as_uuid().as_bytes()])
}

/// What a letter refers to when words travel with it.
pub(super) fn reference(pass: OfferId) -> String {
    format!("{REFERENCE}{pass}")
}

/// Seals the words of a report for the office that it goes to.
pub(crate) async fn seal(
    desk: &Desk,
    report: ReportId,
    pass: &Pass,
    reader: &Reader,
    now: Timestamp,
) -> Result<(), DossierError> {
    let (vault, subject) = (&desk.node.vault, words_id(report));
    let parts = BTreeSet::from([Part::Narrative]);
    let dossier = Dossier::compose(vault, report.reinterpret(), subject, &parts, String::new(), reader, now).await?;
    let directory = desk.directory();
    let receiver = directory.office(&pass.to).and_then(|office| directory.node(&office.node));
    let key = receiver.map(|receiver| receiver.keys.sealing.as_str()).unwrap_or_default();
    let (sealed, _) = dossier.seal_for(key, pass.pass, &reader.office, &pass.to)?;
    vault.keep_dossier(storage_id(pass.pass), Direction::Out, subject, &sealed, now).await?;
    Ok(())
}

/// The sealed words that a letter refers to; the outer none when the reference is to something else.
pub(crate) async fn referred_to(desk: &Desk, reference: &str) -> Option<Result<Option<Vec<u8>>, VaultError>> {
    let pass: OfferId = reference.strip_prefix(REFERENCE)?.parse().ok()?;
    Some(desk.node.vault.sealed_dossier(storage_id(pass), Direction::Out).await)
}

/// Opens the words that came with a report, and keeps them. Words that do not open are left where they are: the report
/// itself must not be lost for them.
pub(super) async fn keep(
    desk: &Desk,
    report: ReportId,
    pass: OfferId,
    (from, to): (&OfficeId, &OfficeId),
    sealed: &[u8],
) -> Result<(), VaultError> {
    match Dossier::open(&desk.node.keys, pass, from, to, sealed) {
        Ok(Dossier { narrative: Some(words), .. }) => {
            desk.node.vault.put(words_id(report), &words, desk.node.clock.now()).await
        }
        Ok(_) => Ok(()),
        Err(error) => {
            tracing::error!(%report, error = %error, "the words that came with a report cannot be read");
            Ok(())
        }
    }
}

/// The words of a report. The reading is on record before the answer is given.
pub(crate) async fn words(
    desk: &Desk,
    report: ReportId,
    reader: &Reader,
    now: Timestamp,
) -> Result<Option<String>, VaultError> {
    let words: Option<Narrative> = desk.node.vault.get(words_id(report), reader, now).await?;
    Ok(words.map(|words| words.text))
}

/// Where sealed words are kept: not under the id that a letter names, since whoever wrote the letter chose that.
fn storage_id(pass: OfferId) -> OfferId {
    derived("spean sealed words of a report v1", &[pass.as_uuid().as_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_caller_can_choose_where_words_are_kept() {
        let report: ReportId = "6ecd8c99-47a6-4a3b-bd3f-0f5f0b1c2d3e".parse().expect("an id");
        assert_ne!(words_id(report), report.reinterpret(), "a report with the id of a case writes over nobody's file");
        assert_eq!(words_id(report), words_id(report));
        assert_ne!(storage_id(report.reinterpret()), words_id(report).reinterpret());
    }

    #[test]
    fn who_reports_cannot_get_into_a_log_by_accident() {
        let reporter = Reporter { name: Some("Kumru Tola".to_owned()), telephone: None, safe_contact: None };
        assert_eq!(format!("{reporter:?}"), "Reporter(..)");
    }
}
