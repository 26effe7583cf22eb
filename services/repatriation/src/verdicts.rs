//! The rows of manifests as a person looks at them: what became of each, and whether the import has ended.

use spean_eventstore::{BoxFuture, ReadModel, Recorded};
use spean_vocabulary::{ManifestId, OfficeId, Timestamp};
use sqlx::any::AnyRow;
use sqlx::{Any, AnyConnection, Executor, Row as _};

use crate::manifest::{Event, Manifest, Outcome, Verdict};

/// Tables and projection of the manifests.
pub struct Verdicts;

impl ReadModel for Verdicts {
    fn name(&self) -> &'static str {
        "verdicts"
    }

    fn version(&self) -> i64 {
        2
    }

    fn tables(&self) -> &'static [&'static str] {
        &["manifest", "manifest_row"]
    }

    fn ddl(&self) -> &'static [&'static str] {
        &[
            "create table manifest (
                manifest_id text primary key,
                office text not null,
                row_total bigint not null,
                finished_at bigint
            )",
            "create table manifest_row (
                manifest_id text not null,
                line bigint not null,
                arrival_id text not null,
                reason text not null,
                column_name text not null,
                missing text not null,
                notes text not null,
                known text not null,
                same_as bigint not null,
                primary key (manifest_id, line)
            )",
        ]
    }

    fn apply<'a>(
        &'a self,
        event: &'a Recorded,
        connection: &'a mut AnyConnection,
    ) -> BoxFuture<'a, Result<(), sqlx::Error>> {
        Box::pin(async move {
            let Some(Ok(what)) = event.event::<Manifest>() else { return Ok(()) };
            apply(event, what, connection).await
        })
    }
}

async fn apply(recorded: &Recorded, event: Event, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    match event {
        Event::Begun { office, rows, .. } => {
            sqlx::query("insert into manifest (manifest_id, office, row_total) values ($1, $2, $3)")
                .bind(&recorded.id)
                .bind(office.as_str())
                .bind(i64::from(rows))
                .execute(connection)
                .await?;
        }
        Event::RowsJudged { verdicts } => {
            for verdict in verdicts {
                insert(&recorded.id, verdict, connection).await?;
            }
        }
        Event::Finished {} => {
            sqlx::query("update manifest set finished_at = $2 where manifest_id = $1")
                .bind(&recorded.id)
                .bind(recorded.metadata.recorded_at.as_micros())
                .execute(connection)
                .await?;
        }
    }
    Ok(())
}

async fn insert(manifest: &str, verdict: Verdict, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    let Seen { line, arrival_id, reason, column, missing, notes, known, same_as } = verdict.into();
    sqlx::query(
        "insert into manifest_row (manifest_id, line, arrival_id, reason, column_name, missing, notes, known, same_as)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(manifest)
    .bind(line)
    .bind(arrival_id)
    .bind(reason)
    .bind(column)
    .bind(missing.join(","))
    .bind(notes.join(","))
    .bind(known.join(","))
    .bind(same_as)
    .execute(connection)
    .await?;
    Ok(())
}

/// A manifest as a person looks at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Rows of the file.
    pub rows: i64,
    /// When the last of them got its verdict; none while some are left.
    pub finished_at: Option<Timestamp>,
    /// The verdicts so far, in the order of the file.
    pub verdicts: Vec<Seen>,
}

/// What became of a row. What does not apply is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the wire's RowVerdict")]
pub struct Seen {
    pub line: i64,
    pub arrival_id: String,
    pub reason: String,
    pub column: String,
    pub missing: Vec<String>,
    pub notes: Vec<String>,
    pub known: Vec<String>,
    /// Zero when there is none.
    pub same_as: i64,
}

impl From<Verdict> for Seen {
    fn from(Verdict { line, outcome }: Verdict) -> Self {
        let nothing = Self {
            line: line.into(),
            arrival_id: String::new(),
            reason: String::new(),
            column: String::new(),
            missing: vec![],
            notes: vec![],
            known: vec![],
            same_as: 0,
        };
        match outcome {
            Outcome::Accepted { arrival, missing, notes, known } => Self {
                arrival_id: arrival.to_string(),
                missing,
                notes: notes.iter().map(ToString::to_string).collect(),
                known: known.iter().map(ToString::to_string).collect(),
                ..nothing
            },
            Outcome::Refused { reason, column, same_as } => Self {
                reason: reason.to_string(),
                column: column.map(|column| column.to_string()).unwrap_or_default(),
                same_as: same_as.unwrap_or(0).into(),
                ..nothing
            },
        }
    }
}

/// A manifest of an office; none when there is no such manifest there.
pub async fn report<'e, E>(
    manifest: ManifestId,
    office: &OfficeId,
    executor: &'e E,
) -> Result<Option<Report>, sqlx::Error>
where
    &'e E: Executor<'e, Database = Any>,
{
    let row = sqlx::query("select row_total, finished_at from manifest where manifest_id = $1 and office = $2")
        .bind(manifest.to_string())
        .bind(office.as_str())
        .fetch_optional(executor)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let verdicts = sqlx::query(
        "select line, arrival_id, reason, column_name, missing, notes, known, same_as from manifest_row
         where manifest_id = $1 order by line",
    )
    .bind(manifest.to_string())
    .fetch_all(executor)
    .await?;
    Ok(Some(Report {
        rows: row.try_get(0)?,
        finished_at: row.try_get::<Option<i64>, _>(1)?.map(Timestamp::from_micros),
        verdicts: verdicts.iter().map(seen).collect::<Result<_, _>>()?,
    }))
}

fn seen(row: &AnyRow) -> Result<Seen, sqlx::Error> {
    let list = |column: usize| {
        let text: String = row.try_get(column)?;
        Ok::<_, sqlx::Error>(text.split(',').filter(|entry| !entry.is_empty()).map(str::to_owned).collect::<Vec<_>>())
    };
    Ok(Seen {
        line: row.try_get(0)?,
        arrival_id: row.try_get(1)?,
        reason: row.try_get(2)?,
        column: row.try_get(3)?,
        missing: list(4)?,
        notes: list(5)?,
        known: list(6)?,
        same_as: row.try_get(7)?,
    })
}
