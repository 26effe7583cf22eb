//! What happened in a case at this agency, in the order of recording: codes, days, and by whom.

use spean_eventstore::{BoxFuture, ReadModel, Recorded};
use sqlx::{Any, AnyConnection, Executor, Row as _};

use crate::case::{Case, detail, occurred_on};

/// Table, projection and query of the history.
pub struct Timeline;

impl ReadModel for Timeline {
    fn name(&self) -> &'static str {
        "timeline"
    }

    fn version(&self) -> i64 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["case_timeline"]
    }

    fn ddl(&self) -> &'static [&'static str] {
        &["create table case_timeline (
                case_id text not null,
                position bigint not null,
                what text not null,
                detail text not null,
                occurred_on text not null,
                recorded_at bigint not null,
                staff text not null,
                office text not null,
                primary key (case_id, position)
            )"]
    }

    fn apply<'a>(
        &'a self,
        event: &'a Recorded,
        connection: &'a mut AnyConnection,
    ) -> BoxFuture<'a, Result<(), sqlx::Error>> {
        Box::pin(async move {
            let Some(Ok(what)) = event.event::<Case>() else { return Ok(()) };
            sqlx::query(
                "insert into case_timeline (case_id, position, what, detail, occurred_on, recorded_at, staff, office)
                 values ($1, $2, $3, $4, $5, $6, $7, $8)",
            )
            .bind(event.id.clone())
            .bind(event.position)
            .bind(event.event_type.to_ascii_uppercase())
            .bind(detail(&what))
            .bind(occurred_on(&what).map(|day| day.to_string()).unwrap_or_default())
            .bind(event.metadata.recorded_at.as_micros())
            .bind(event.metadata.staff.as_ref().map(ToString::to_string).unwrap_or_default())
            .bind(event.metadata.office.to_string())
            .execute(connection)
            .await?;
            Ok(())
        })
    }
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the wire's HistoryEntry")]
pub struct Moment {
    pub what: String,
    pub detail: String,
    pub occurred_on: String,
    pub recorded_at: i64,
    pub staff: String,
    pub office: String,
}

/// What happened in a case, in the order of recording.
pub async fn of_case(
    case: &str,
    limit: i64,
    offset: i64,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<Moment>, sqlx::Error> {
    let rows = sqlx::query(
        "select what, detail, occurred_on, recorded_at, staff, office from case_timeline where case_id = $1
         order by position limit $2 offset $3",
    )
    .bind(case)
    .bind(limit)
    .bind(offset)
    .fetch_all(executor)
    .await?;
    let moment = |row: &sqlx::any::AnyRow| {
        Ok(Moment {
            what: row.try_get(0)?,
            detail: row.try_get(1)?,
            occurred_on: row.try_get(2)?,
            recorded_at: row.try_get(3)?,
            staff: row.try_get(4)?,
            office: row.try_get(5)?,
        })
    };
    rows.iter().map(moment).collect()
}
