//! People whose case an office holds and who were registered elsewhere since: news that somebody must see to.

use spean_eventstore::{BoxFuture, ReadModel, Recorded};
use spean_vocabulary::OfficeId;
use sqlx::{Any, AnyConnection, Executor, Row as _};

use crate::case::{Case, Event};

/// Table, projection and queries of the sightings.
pub struct Sightings;

impl ReadModel for Sightings {
    fn name(&self) -> &'static str {
        "sightings"
    }

    fn version(&self) -> i64 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["case_sighting"]
    }

    fn ddl(&self) -> &'static [&'static str] {
        &["create table case_sighting (
                case_id text not null,
                other_case_id text not null,
                seen_by text not null,
                seen_on text not null,
                told_at bigint not null,
                primary key (case_id, other_case_id)
            )"]
    }

    fn apply<'a>(
        &'a self,
        event: &'a Recorded,
        connection: &'a mut AnyConnection,
    ) -> BoxFuture<'a, Result<(), sqlx::Error>> {
        Box::pin(async move {
            let Some(Ok(what)) = event.event::<Case>() else { return Ok(()) };
            let statement = match what {
                Event::SeenAgain { other, by, on } => sqlx::query(
                    "insert into case_sighting (case_id, other_case_id, seen_by, seen_on, told_at)
                     values ($1, $2, $3, $4, $5)",
                )
                .bind(event.id.clone())
                .bind(other.to_string())
                .bind(by.to_string())
                .bind(on.to_string())
                .bind(event.metadata.recorded_at.as_micros()),
                Event::SeenAgainAcknowledged { other } => {
                    sqlx::query("delete from case_sighting where case_id = $1 and other_case_id = $2")
                        .bind(event.id.clone())
                        .bind(other.to_string())
                }
                _ => return Ok(()),
            };
            statement.execute(connection).await?;
            Ok(())
        })
    }
}

/// That a person was registered elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the wire's SeenAgainEntry")]
pub struct Sighting {
    pub case_id: String,
    pub case_number: String,
    pub other_case_id: String,
    pub seen_by: String,
    pub seen_on: String,
    pub told_at: i64,
}

const SIGHTING: &str =
    "select case_sighting.case_id, coalesce(case_file.case_number, ''), other_case_id, seen_by, seen_on,
    told_at from case_sighting left join case_file on case_file.case_id = case_sighting.case_id";

/// The news that an office has not seen to, the oldest first.
pub async fn of_office(
    office: &OfficeId,
    limit: i64,
    offset: i64,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<Sighting>, sqlx::Error> {
    let sql = format!(
        "{SIGHTING} join case_standing on case_standing.case_id = case_sighting.case_id and case_standing.office = $1
            and case_standing.standing = 'HOLDS'
         order by told_at, case_sighting.case_id, other_case_id limit $2 offset $3"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(office.as_str())
        .bind(limit)
        .bind(offset)
        .fetch_all(executor)
        .await?;
    rows.iter().map(sighting).collect()
}

/// The news of one case that nobody has seen to, the oldest first.
pub async fn of_case(case: &str, executor: impl Executor<'_, Database = Any>) -> Result<Vec<Sighting>, sqlx::Error> {
    let sql = format!("{SIGHTING} where case_sighting.case_id = $1 order by told_at, other_case_id");
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(case).fetch_all(executor).await?;
    rows.iter().map(sighting).collect()
}

fn sighting(row: &sqlx::any::AnyRow) -> Result<Sighting, sqlx::Error> {
    Ok(Sighting {
        case_id: row.try_get(0)?,
        case_number: row.try_get(1)?,
        other_case_id: row.try_get(2)?,
        seen_by: row.try_get(3)?,
        seen_on: row.try_get(4)?,
        told_at: row.try_get(5)?,
    })
}
