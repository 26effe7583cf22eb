//! The contradictions that concern an office, until somebody looked into them.

use spean_eventstore::{BoxFuture, ReadModel, Recorded};
use spean_vocabulary::{CaseId, OfficeId, Timestamp, VisitId};
use sqlx::{Any, AnyConnection, Executor, Row as _};

use crate::whereabouts::{Contradiction, Event, Met, Whereabouts};

/// Tables, projection and queries of the contradictions.
pub struct Contradictions;

impl ReadModel for Contradictions {
    fn name(&self) -> &'static str {
        "contradictions"
    }

    fn version(&self) -> i64 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["contradiction", "contradiction_office"]
    }

    fn ddl(&self) -> &'static [&'static str] {
        &[
            "create table contradiction (
                visit_id text primary key,
                case_id text not null,
                visited_by text not null,
                visited_on text not null,
                seen_by text not null,
                whereabouts text not null,
                seen_on text not null,
                raised_at bigint not null,
                resolution text not null,
                resolved_by text not null
            );
            create index contradiction_case on contradiction (case_id)",
            "create table contradiction_office (
                visit_id text not null,
                office text not null,
                primary key (visit_id, office)
            );
            create index contradiction_of_office on contradiction_office (office)",
        ]
    }

    fn apply<'a>(
        &'a self,
        event: &'a Recorded,
        connection: &'a mut AnyConnection,
    ) -> BoxFuture<'a, Result<(), sqlx::Error>> {
        Box::pin(async move {
            let Some(Ok(what)) = event.event::<Whereabouts>() else { return Ok(()) };
            match what {
                Event::Contradicted { contradiction, tell } => {
                    list(event, &contradiction, connection).await?;
                    for office in tell.iter().chain([&contradiction.visited_by]) {
                        show(contradiction.visit_id, office, connection).await?;
                    }
                    Ok(())
                }
                Event::ContradictionHeard { contradiction, by, .. } => {
                    list(event, &contradiction, connection).await?;
                    show(contradiction.visit_id, &by, connection).await
                }
                Event::Resolved { visit_id, resolution, by, .. } => {
                    sqlx::query("update contradiction set resolution = $2, resolved_by = $3 where visit_id = $1")
                        .bind(visit_id.to_string())
                        .bind(resolution.to_string())
                        .bind(by.to_string())
                        .execute(connection)
                        .await
                        .map(drop)
                }
                Event::Sighted { .. } => Ok(()),
            }
        })
    }
}

async fn list(
    event: &Recorded,
    contradiction: &Contradiction,
    connection: &mut AnyConnection,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into contradiction (visit_id, case_id, visited_by, visited_on, seen_by, whereabouts, seen_on,
            raised_at, resolution, resolved_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8, '', '') on conflict (visit_id) do nothing",
    )
    .bind(contradiction.visit_id.to_string())
    .bind(event.id.clone())
    .bind(contradiction.visited_by.as_str())
    .bind(contradiction.visited_on.to_string())
    .bind(contradiction.seen_by.as_str())
    .bind(contradiction.whereabouts.to_string())
    .bind(contradiction.seen_on.to_string())
    .bind(event.metadata.recorded_at.as_micros())
    .execute(connection)
    .await
    .map(drop)
}

async fn show(visit: VisitId, office: &OfficeId, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into contradiction_office (visit_id, office) values ($1, $2)
         on conflict (visit_id, office) do nothing",
    )
    .bind(visit.to_string())
    .bind(office.as_str())
    .execute(connection)
    .await
    .map(drop)
}

/// A contradiction.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the wire's ContradictionEntry")]
pub struct Entry {
    pub visit_id: String,
    pub case_id: String,
    pub case_number: String,
    pub visited_by: String,
    pub visited_on: String,
    pub seen_by: String,
    pub whereabouts: String,
    pub seen_on: String,
    pub raised_at: Timestamp,
    pub resolution: String,
    pub resolved_by: String,
}

const COLUMNS: &str = "contradiction.visit_id, contradiction.case_id, coalesce(case_number, ''), visited_by,
    visited_on, seen_by, whereabouts, seen_on, raised_at, resolution, resolved_by
    from contradiction
    join contradiction_office on contradiction_office.visit_id = contradiction.visit_id
        and contradiction_office.office = $1
    left join case_standing on case_standing.case_id = contradiction.case_id and case_standing.office = $1";

/// The contradictions that concern an office, the oldest first.
pub async fn of_office(
    office: &OfficeId,
    with_resolved: bool,
    limit: i64,
    offset: i64,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<Entry>, sqlx::Error> {
    let statement = format!(
        "select {COLUMNS} where (resolution = '' or $2 = 1)
         order by raised_at, contradiction.visit_id limit $3 offset $4"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(statement))
        .bind(office.as_str())
        .bind(i64::from(with_resolved))
        .bind(limit)
        .bind(offset)
        .fetch_all(executor)
        .await?;
    rows.iter().map(entry).collect()
}

/// A contradiction that concerns an office; none when there is none, or it does not concern it.
pub async fn find(
    visit: VisitId,
    office: &OfficeId,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Option<Entry>, sqlx::Error> {
    let statement = format!("select {COLUMNS} where contradiction.visit_id = $2");
    let row = sqlx::query(sqlx::AssertSqlSafe(statement))
        .bind(office.as_str())
        .bind(visit.to_string())
        .fetch_optional(executor)
        .await?;
    row.as_ref().map(entry).transpose()
}

/// Whether a case has a contradiction that nobody resolved.
pub async fn is_open(case: CaseId, executor: impl Executor<'_, Database = Any>) -> Result<bool, sqlx::Error> {
    let row = sqlx::query("select count(*) from contradiction where case_id = $1 and resolution = ''")
        .bind(case.to_string())
        .fetch_one(executor)
        .await?;
    Ok(row.try_get::<i64, _>(0)? > 0)
}

/// The visits of the plan that met the person of a case.
pub async fn met(case: CaseId, executor: impl Executor<'_, Database = Any>) -> Result<Vec<Met>, sqlx::Error> {
    let rows = sqlx::query(
        "select visit_id, office, visited_on from visit_report where case_id = $1 and outcome = 'met'
         order by visited_on, visit_id",
    )
    .bind(case.to_string())
    .fetch_all(executor)
    .await?;
    let mut met = Vec::new();
    for row in rows {
        let (visit, office, day): (String, String, String) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        if let (Ok(visit_id), Ok(office), Ok(visited_on)) = (visit.parse(), office.parse(), day.parse()) {
            met.push(Met { visit_id, office, visited_on });
        }
    }
    Ok(met)
}

fn entry(row: &sqlx::any::AnyRow) -> Result<Entry, sqlx::Error> {
    Ok(Entry {
        visit_id: row.try_get(0)?,
        case_id: row.try_get(1)?,
        case_number: row.try_get(2)?,
        visited_by: row.try_get(3)?,
        visited_on: row.try_get(4)?,
        seen_by: row.try_get(5)?,
        whereabouts: row.try_get(6)?,
        seen_on: row.try_get(7)?,
        raised_at: Timestamp::from_micros(row.try_get(8)?),
        resolution: row.try_get(9)?,
        resolved_by: row.try_get(10)?,
    })
}
