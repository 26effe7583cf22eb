//! What of the reports is asked for.

use spean_vocabulary::{OfficeId, ReportId, Timestamp};
use sqlx::any::AnyRow;
use sqlx::{Any, AnyConnection, AssertSqlSafe, Executor, Row as _};

use super::super::words::ReportState;

/// A report as a list shows it.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the fields are those of the wire's Report")]
pub struct Entry {
    pub report_id: String,
    pub reference: String,
    pub state: String,
    pub heard_state: String,
    pub channel: String,
    pub place: String,
    pub concerns: String,
    pub urgency: String,
    pub people: i64,
    pub sex: String,
    pub age_band: String,
    pub seen_on: String,
    pub taken_down_by: String,
    pub from_offices: String,
    pub silent_offices: String,
    pub looked_into_by: String,
    pub received_at: i64,
    pub answer_due_at: i64,
    pub heard_at: i64,
    pub unfounded: String,
    pub closed: String,
    pub has_words: bool,
    pub has_reporter: bool,
}

/// An office that a report was passed on to.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the fields are those of the wire's ReportStation")]
pub struct Station {
    pub office: String,
    pub because: String,
    pub passed_at: i64,
    pub due_at: i64,
    pub said: String,
    pub silent: bool,
}

/// What became of somebody whom a report is about.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the fields are those of the wire's PersonProgress")]
pub struct Person {
    pub at_office: String,
    pub person: i64,
    pub case_id: String,
    pub stage: String,
    pub stage_on: String,
    pub outcome: String,
    pub outcome_on: String,
}

/// Which reports of an office are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    /// All.
    All,
    /// Those that the office has to do something about.
    ToDo,
    /// Those that wait for another office.
    Waiting,
    /// Those that have ended.
    Ended,
}

/// Which reports of a list are wanted.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// The list.
    pub list: List,
    /// Only those in this state.
    pub state: Option<ReportState>,
    /// Only those that came until then.
    pub received_until: Timestamp,
}

const ENTRY: &str = "select report_id, reference, state, heard_state, channel, place, concerns, urgency, people, sex,
    age_band, seen_on, taken_down_by, from_offices, silent_offices, looked_into_by, received_at, answer_due_at, heard_at,
    unfounded, closed, has_words, has_reporter from report";

/// The reports of an office, the one whose answer is due first at the top.
pub async fn list(
    office: &OfficeId,
    wanted: Wanted,
    limit: i64,
    offset: i64,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<Entry>, sqlx::Error> {
    let condition = match wanted.list {
        List::All => "1 = 1",
        List::ToDo => "state in ('received', 'looked_into', 'became_case')",
        List::Waiting => "state = 'passed_on' and heard_state not in ('unfounded', 'closed')",
        List::Ended => {
            "(state in ('unfounded', 'closed') or (state = 'passed_on' and heard_state in ('unfounded', 'closed')))"
        }
    };
    let sql = format!(
        "{ENTRY} where office = $1 and {condition} and ($2 = '' or state = $2) and received_at <= $3
         order by answer_due_at, report_id limit $4 offset $5"
    );
    let rows = sqlx::query(AssertSqlSafe(sql))
        .bind(office.as_str())
        .bind(wanted.state.map(|state| state.to_string()).unwrap_or_default())
        .bind(wanted.received_until.as_micros())
        .bind(limit)
        .bind(offset)
        .fetch_all(executor)
        .await?;
    rows.iter().map(entry).collect()
}

/// A report of an office.
pub async fn find(
    office: &OfficeId,
    report: ReportId,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Option<Entry>, sqlx::Error> {
    let sql = format!("{ENTRY} where office = $1 and report_id = $2");
    let row =
        sqlx::query(AssertSqlSafe(sql)).bind(office.as_str()).bind(report.to_string()).fetch_optional(executor).await?;
    row.as_ref().map(entry).transpose()
}

/// A report of an office by its number for the telephone.
pub async fn by_reference(
    office: &OfficeId,
    reference: &str,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Option<Entry>, sqlx::Error> {
    let sql = format!("{ENTRY} where office = $1 and reference = $2");
    let row = sqlx::query(AssertSqlSafe(sql))
        .bind(office.as_str())
        .bind(reference.to_owned())
        .fetch_optional(executor)
        .await?;
    row.as_ref().map(entry).transpose()
}

/// Whether a number is taken by a report that any office of this node took down or got.
pub(crate) async fn is_taken(reference: &str, connection: &mut AnyConnection) -> Result<bool, sqlx::Error> {
    let row = sqlx::query("select count(*) from report where reference = $1")
        .bind(reference.to_owned())
        .fetch_one(connection)
        .await?;
    Ok(row.try_get::<i64, _>(0)? > 0)
}

/// The offices that a report was passed on to, in their order.
pub async fn stations(
    office: &OfficeId,
    report: &str,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<Station>, sqlx::Error> {
    let rows = sqlx::query(
        "select to_office, because, passed_at, due_at, said, silent from report_station
         where office = $1 and report_id = $2 order by number",
    )
    .bind(office.as_str())
    .bind(report.to_owned())
    .fetch_all(executor)
    .await?;
    let station = |row: &AnyRow| {
        Ok(Station {
            office: row.try_get(0)?,
            because: row.try_get(1)?,
            passed_at: row.try_get(2)?,
            due_at: row.try_get(3)?,
            said: row.try_get(4)?,
            silent: row.try_get::<i64, _>(5)? == 1,
        })
    };
    rows.iter().map(station).collect()
}

/// What became of the people that a report is about.
pub async fn persons(
    office: &OfficeId,
    report: &str,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<Person>, sqlx::Error> {
    let rows = sqlx::query(
        "select at_office, person, case_id, stage, stage_on, outcome, outcome_on from report_person
         where office = $1 and report_id = $2 order by at_office, person",
    )
    .bind(office.as_str())
    .bind(report.to_owned())
    .fetch_all(executor)
    .await?;
    let person = |row: &AnyRow| {
        Ok(Person {
            at_office: row.try_get(0)?,
            person: row.try_get(1)?,
            case_id: row.try_get(2)?,
            stage: row.try_get(3)?,
            stage_on: row.try_get(4)?,
            outcome: row.try_get(5)?,
            outcome_on: row.try_get(6)?,
        })
    };
    rows.iter().map(person).collect()
}

fn entry(row: &AnyRow) -> Result<Entry, sqlx::Error> {
    Ok(Entry {
        report_id: row.try_get(0)?,
        reference: row.try_get(1)?,
        state: row.try_get(2)?,
        heard_state: row.try_get(3)?,
        channel: row.try_get(4)?,
        place: row.try_get(5)?,
        concerns: row.try_get(6)?,
        urgency: row.try_get(7)?,
        people: row.try_get(8)?,
        sex: row.try_get(9)?,
        age_band: row.try_get(10)?,
        seen_on: row.try_get(11)?,
        taken_down_by: row.try_get(12)?,
        from_offices: row.try_get(13)?,
        silent_offices: row.try_get(14)?,
        looked_into_by: row.try_get(15)?,
        received_at: row.try_get(16)?,
        answer_due_at: row.try_get(17)?,
        heard_at: row.try_get(18)?,
        unfounded: row.try_get(19)?,
        closed: row.try_get(20)?,
        has_words: row.try_get::<i64, _>(21)? == 1,
        has_reporter: row.try_get::<i64, _>(22)? == 1,
    })
}
