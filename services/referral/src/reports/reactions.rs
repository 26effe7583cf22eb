//! What other desks say of reports, and what became of the cases that came of them.

use prost::Message as _;
use spean_contracts::referral::v1 as wire;
use spean_eventsourcing::Context;
use spean_eventstore::{EventStore, HandleError, Metadata, StoreError, Transaction};
use spean_identity::OfficeLevel;
use spean_messaging::{Letter, Unusable};
use spean_vocabulary::{CaseId, OfficeId, ReportId};
use sqlx::Row as _;

use super::letters::{read_passed_on, read_told};
use super::report::{Command, Error, Report};
use super::sealed;
use crate::desk::{Desk, report_stream};
use crate::news::letters::malformed;
use crate::news::reactions::Consents;
use crate::news::{News, What};

/// Another office passes a report on to one of this node.
pub(crate) async fn passed_on(desk: &Desk, letter: &Letter, transaction: &mut Transaction) -> Result<(), Unusable> {
    let told = wire::ReportPassedOn::decode(letter.body.as_slice()).map_err(malformed)?;
    let (from, office) = desk.parties(letter, &told.from_office_id, &told.to_office_id)?;
    if desk.directory().office(&office).is_some_and(|office| office.level == OfficeLevel::Commune) {
        return Err(Unusable::Refused("A_COMMUNE_HOLDS_NO_CASES".to_owned()));
    }
    let now = desk.node.clock.now();
    let (file, pass) = read_passed_on(&told, now)?;
    let due_at = now.plus_hours(desk.node.policy.answer.of(file.urgency).answer_within_hours);
    let command = Command::Arrive { file, from, because: pass.because, silent: pass.silent, due_at };
    decide(desk, &office, &told.report_id, command, letter, transaction).await
}

/// Puts away the words that came with a report, before the report itself is stored.
pub(crate) async fn keep_words(desk: &Desk, store: &EventStore, letter: &Letter) -> Result<(), Unusable> {
    let Some(sealed) = &letter.attachment else { return Ok(()) };
    let told = wire::ReportPassedOn::decode(letter.body.as_slice()).map_err(malformed)?;
    let (from, office) = desk.parties(letter, &told.from_office_id, &told.to_office_id)?;
    let report: ReportId = told.report_id.parse().map_err(malformed)?;
    let known = store.load::<Report>(&report_stream(&office, report)).await?.state;
    if known.file().is_some() {
        // What was told first stays.
        return Ok(());
    }
    let pass = told.pass_id.parse().map_err(malformed)?;
    sealed::keep(desk, report, pass, (&from, &office), sealed).await.map_err(|error| {
        tracing::warn!(error = %error, "the vault is away; the letter waits");
        Unusable::Store(StoreError::Unavailable)
    })
}

/// An office tells what became of a report that one of this node passed on to it.
pub(crate) async fn told(desk: &Desk, letter: &Letter, transaction: &mut Transaction) -> Result<(), Unusable> {
    let told = wire::ReportTold::decode(letter.body.as_slice()).map_err(malformed)?;
    let (from, office) = desk.parties(letter, &told.from_office_id, &told.to_office_id)?;
    let command = Command::Hear { from, told: read_told(&told)? };
    decide(desk, &office, &told.report_id, command, letter, transaction).await
}

/// After a restore: what this node had passed on, as the office that it went to returns it.
pub(crate) async fn recall(desk: &Desk, letter: &Letter, transaction: &mut Transaction) -> Result<(), Unusable> {
    let told = wire::ReportPassedOn::decode(letter.body.as_slice()).map_err(malformed)?;
    let office: OfficeId = told.from_office_id.parse().map_err(malformed)?;
    let now = desk.node.clock.now();
    let (file, pass) = read_passed_on(&told, now)?;
    let due_at = now.plus_hours(desk.node.policy.answer.of(file.urgency).answer_within_hours);
    let command = Command::Recall { file, pass: super::report::Pass { due_at, ..pass } };
    decide(desk, &office, &told.report_id, command, letter, transaction).await
}

/// Something became of a case: the reports that it came of tell those who reported, as far as consent allows.
pub(crate) async fn progress(
    desk: &Desk,
    office: &OfficeId,
    case: CaseId,
    news: &News,
    consents: &Consents,
    letter: &Letter,
    transaction: &mut Transaction,
) -> Result<(), Unusable> {
    let (stage, outcome) = match news.what {
        What::Stage { stage } => (Some(stage), None),
        What::Service { outcome, .. } => (None, Some(outcome)),
        What::SeenAgain { .. } => return Ok(()),
    };
    let rows = sqlx::query("select report_id from report_person where office = $1 and case_id = $2 order by report_id")
        .bind(office.as_str())
        .bind(case.to_string())
        .fetch_all(transaction.connection())
        .await?;
    for row in rows {
        let report: String = row.try_get(0)?;
        let id: ReportId = report.parse().map_err(malformed)?;
        let known = transaction.load::<Report>(&report_stream(office, id)).await?.state;
        let left_out = known.from().filter(|from| !consents.allow(from)).cloned().collect();
        let command = Command::NoteProgress { case, stage, outcome, on: news.on, left_out };
        decide(desk, office, &report, command, letter, transaction).await?;
    }
    Ok(())
}

async fn decide(
    desk: &Desk,
    office: &OfficeId,
    report: &str,
    command: Command,
    letter: &Letter,
    transaction: &mut Transaction,
) -> Result<(), Unusable> {
    let report: ReportId = report.parse().map_err(malformed)?;
    let context = Context { office: office.clone(), staff: None, now: desk.node.clock.now() };
    let metadata = Metadata { trace: letter.trace.clone(), ..Metadata::of(&context) };
    let id = report_stream(office, report);
    transaction.decide::<Report>(&id, command, &context, &metadata).await.map_err(unusable)?;
    Ok(())
}

fn unusable(error: HandleError<Error>) -> Unusable {
    match error {
        HandleError::Refused(error) => Unusable::Refused(<&str>::from(error).to_owned()),
        HandleError::CommandIdReused => Unusable::Refused("COMMAND_ID_REUSED".to_owned()),
        HandleError::Store(error) => Unusable::Store(error),
    }
}
