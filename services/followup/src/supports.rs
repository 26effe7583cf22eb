//! The help that people were given, and the outcomes that are to be looked for.

use spean_eventstore::{BoxFuture, ReadModel, Recorded};
use spean_vocabulary::{CaseId, Date, OfficeId, SupportId};
use sqlx::{Any, AnyConnection, Executor, Row as _};

use crate::support::{Event, Given, Seen, Support};

/// Table, projection and queries of the help that was given.
pub struct Supports;

impl ReadModel for Supports {
    fn name(&self) -> &'static str {
        "supports"
    }

    fn version(&self) -> i64 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["support_outcome"]
    }

    fn ddl(&self) -> &'static [&'static str] {
        &["create table support_outcome (
            support_id text not null,
            after_months bigint not null,
            case_id text not null,
            office text not null,
            kind text not null,
            given_on text not null,
            due_on text not null,
            outcome text not null,
            seen_on text not null,
            primary key (support_id, after_months)
        );
        create index support_outcome_case on support_outcome (case_id, given_on)"]
    }

    fn apply<'a>(
        &'a self,
        event: &'a Recorded,
        connection: &'a mut AnyConnection,
    ) -> BoxFuture<'a, Result<(), sqlx::Error>> {
        Box::pin(async move {
            let Some(Ok(what)) = event.event::<Support>() else { return Ok(()) };
            match what {
                Event::SupportGiven { given, outcomes_due } => list(event, &given, &outcomes_due, connection).await,
                Event::OutcomeSeen { after_months, outcome, seen_on } => {
                    see(&event.id, Seen { after_months, outcome, seen_on }, connection).await
                }
                Event::TakenUp { given, outcomes_due, seen } => {
                    list(event, &given, &outcomes_due, &mut *connection).await?;
                    for seen in seen {
                        see(&event.id, seen, &mut *connection).await?;
                    }
                    Ok(())
                }
                Event::HandedOn { .. } => Ok(()),
            }
        })
    }
}

async fn list(
    event: &Recorded,
    given: &Given,
    outcomes_due: &[(u8, Date)],
    connection: &mut AnyConnection,
) -> Result<(), sqlx::Error> {
    let mut rows: Vec<_> = outcomes_due.iter().map(|(months, due_on)| (*months, due_on.to_string())).collect();
    if rows.is_empty() {
        rows.push((0, String::new()));
    }
    for (months, due_on) in rows {
        // Help that came back with the case is listed here already.
        sqlx::query(
            "insert into support_outcome (support_id, after_months, case_id, office, kind, given_on, due_on, outcome,
                seen_on)
             values ($1, $2, $3, $4, $5, $6, $7, '', '') on conflict (support_id, after_months) do nothing",
        )
        .bind(event.id.clone())
        .bind(i64::from(months))
        .bind(given.case.to_string())
        .bind(event.metadata.office.to_string())
        .bind(given.kind.to_string())
        .bind(given.given_on.to_string())
        .bind(due_on)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

async fn see(support: &str, seen: Seen, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    sqlx::query("update support_outcome set outcome = $3, seen_on = $4 where support_id = $1 and after_months = $2")
        .bind(support.to_owned())
        .bind(i64::from(seen.after_months))
        .bind(seen.outcome.to_string())
        .bind(seen.seen_on.to_string())
        .execute(connection)
        .await
        .map(drop)
}

/// Help, and one outcome of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the wire's OutcomeEntry")]
pub struct Entry {
    pub support_id: String,
    pub case_id: String,
    pub case_number: String,
    pub kind: String,
    pub given_on: String,
    pub after_months: i64,
    pub due_on: String,
    pub outcome: String,
    pub seen_on: String,
}

const COLUMNS: &str = "support_id, support_outcome.case_id, coalesce(case_number, ''), kind, given_on, after_months,
    due_on, outcome, seen_on
    from support_outcome
    left join case_standing on case_standing.case_id = support_outcome.case_id and case_standing.office = $1";

/// The help that a case was given, by the day.
pub async fn of_case(
    case: CaseId,
    office: &OfficeId,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<Entry>, sqlx::Error> {
    let statement =
        format!("select {COLUMNS} where support_outcome.case_id = $2 order by given_on, support_id, after_months");
    let rows = sqlx::query(sqlx::AssertSqlSafe(statement))
        .bind(office.as_str())
        .bind(case.to_string())
        .fetch_all(executor)
        .await?;
    rows.iter().map(entry).collect()
}

/// All help of a case that is known here.
pub async fn of_case_known(
    case: CaseId,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<SupportId>, sqlx::Error> {
    let rows = sqlx::query("select distinct support_id from support_outcome where case_id = $1 order by support_id")
        .bind(case.to_string())
        .fetch_all(executor)
        .await?;
    let ids = rows.iter().map(|row| row.try_get::<String, _>(0)).collect::<Result<Vec<_>, _>>()?;
    Ok(ids.iter().filter_map(|id| id.parse().ok()).collect())
}

/// The outcomes that an office has to look for up to a day, the longest over their time first: of the cases that it
/// holds, and of help that it gave while it helps with a case.
pub async fn due(
    office: &OfficeId,
    until: Date,
    limit: i64,
    offset: i64,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<Entry>, sqlx::Error> {
    let statement = format!(
        "select {COLUMNS}
         where outcome = '' and due_on <> '' and due_on <= $2
           and (standing = 'HOLDS' or standing in ('BOUND', 'HELPS') and support_outcome.office = $1)
         order by due_on, support_id, after_months limit $3 offset $4"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(statement))
        .bind(office.as_str())
        .bind(until.to_string())
        .bind(limit)
        .bind(offset)
        .fetch_all(executor)
        .await?;
    rows.iter().map(entry).collect()
}

fn entry(row: &sqlx::any::AnyRow) -> Result<Entry, sqlx::Error> {
    Ok(Entry {
        support_id: row.try_get(0)?,
        case_id: row.try_get(1)?,
        case_number: row.try_get(2)?,
        kind: row.try_get(3)?,
        given_on: row.try_get(4)?,
        after_months: row.try_get(5)?,
        due_on: row.try_get(6)?,
        outcome: row.try_get(7)?,
        seen_on: row.try_get(8)?,
    })
}
