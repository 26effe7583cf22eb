//! How complete the files are: a list of those in which something is missing, for the longest time first.

use spean_eventstore::{BoxFuture, ReadModel, Recorded};
use spean_vocabulary::{Date, OfficeId};
use sqlx::{Any, AnyConnection, Executor, Row as _};

use crate::case::{Case, Checklist, Event};

/// Table, projection and queries of the checklists.
pub struct Files;

impl ReadModel for Files {
    fn name(&self) -> &'static str {
        "files"
    }

    fn version(&self) -> i64 {
        2
    }

    fn tables(&self) -> &'static [&'static str] {
        &["case_checklist"]
    }

    fn ddl(&self) -> &'static [&'static str] {
        &["create table case_checklist (
                case_id text primary key,
                checklist text not null,
                missing_since text not null,
                at_rest bigint not null
            )"]
    }

    fn apply<'a>(
        &'a self,
        event: &'a Recorded,
        connection: &'a mut AnyConnection,
    ) -> BoxFuture<'a, Result<(), sqlx::Error>> {
        Box::pin(async move {
            let Some(Ok(what)) = event.event::<Case>() else { return Ok(()) };
            apply(&event.id, &what, connection).await
        })
    }
}

async fn apply(case: &str, event: &Event, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    let row = sqlx::query("select checklist, at_rest from case_checklist where case_id = $1")
        .bind(case.to_owned())
        .fetch_optional(&mut *connection)
        .await?;
    let (known, at_rest) = match row {
        None => (Checklist::default(), 0),
        Some(row) => (read(&row.try_get::<String, _>(0)?)?, row.try_get::<i64, _>(1)?),
    };
    let checklist = known.clone().after(event);
    // Nobody completes a file that rests, or of somebody who was erased.
    let at_rest = match event {
        Event::MergedInto { .. } | Event::PersonErased { .. } => 1,
        Event::Unmerged { .. } => 0,
        _ => at_rest,
    };
    let missing_since = checklist.missing().first().map(|(_, entry)| entry.since.to_string()).unwrap_or_default();
    let text = serde_json::to_string(&checklist).map_err(|error| sqlx::Error::Encode(error.into()))?;
    sqlx::query(
        "insert into case_checklist (case_id, checklist, missing_since, at_rest) values ($1, $2, $3, $4)
         on conflict (case_id) do update set checklist = excluded.checklist, missing_since = excluded.missing_since,
            at_rest = excluded.at_rest",
    )
    .bind(case.to_owned())
    .bind(text)
    .bind(missing_since)
    .bind(at_rest)
    .execute(connection)
    .await?;
    Ok(())
}

fn read(text: &str) -> Result<Checklist, sqlx::Error> {
    serde_json::from_str(text).map_err(|error| sqlx::Error::Decode(error.into()))
}

/// A file in which something is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncompleteFile {
    /// The case.
    pub case_id: String,
    /// Its number.
    pub case_number: String,
    /// How the file stands.
    pub checklist: Checklist,
}

/// The files of cases that an office holds in which something has been missing since this day or longer, for the longest
/// time first.
pub async fn incomplete(
    office: &OfficeId,
    since: Date,
    limit: i64,
    offset: i64,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<IncompleteFile>, sqlx::Error> {
    let rows = sqlx::query(
        "select case_checklist.case_id, coalesce(case_file.case_number, ''), checklist
         from case_checklist
         join case_standing on case_standing.case_id = case_checklist.case_id and case_standing.office = $1
            and case_standing.standing = 'HOLDS'
         left join case_file on case_file.case_id = case_checklist.case_id
         where missing_since <> '' and missing_since <= $2 and at_rest = 0
         order by missing_since, case_checklist.case_id limit $3 offset $4",
    )
    .bind(office.as_str())
    .bind(since.to_string())
    .bind(limit)
    .bind(offset)
    .fetch_all(executor)
    .await?;
    let file = |row: &sqlx::any::AnyRow| {
        Ok(IncompleteFile {
            case_id: row.try_get(0)?,
            case_number: row.try_get(1)?,
            checklist: read(&row.try_get::<String, _>(2)?)?,
        })
    };
    rows.iter().map(file).collect()
}
