//! The papers and photographs of each case, without what they show.

use spean_eventstore::{BoxFuture, ReadModel, Recorded};
use sqlx::{Any, AnyConnection, Executor, Row as _};

use crate::case::{Case, Event};

/// Table, projection and query of the attachments.
pub struct Shelf;

impl ReadModel for Shelf {
    fn name(&self) -> &'static str {
        "shelf"
    }

    fn version(&self) -> i64 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["case_attachment"]
    }

    fn ddl(&self) -> &'static [&'static str] {
        &["create table case_attachment (
                case_id text not null,
                attachment_id text not null,
                kind text not null,
                media_type text not null,
                size_bytes bigint not null,
                digest text not null,
                made_on text not null,
                added_at bigint not null,
                added_by text not null,
                primary key (case_id, attachment_id)
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
                Event::AttachmentAdded { attachment_id, attachment } => sqlx::query(
                    "insert into case_attachment (case_id, attachment_id, kind, media_type, size_bytes, digest, made_on,
                        added_at, added_by)
                     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                )
                .bind(event.id.clone())
                .bind(attachment_id.to_string())
                .bind(attachment.kind.to_string())
                .bind(attachment.media_type.to_string())
                .bind(i64::try_from(attachment.size_bytes).unwrap_or(i64::MAX))
                .bind(attachment.digest)
                .bind(attachment.made_on.to_string())
                .bind(event.metadata.recorded_at.as_micros())
                .bind(event.metadata.staff.as_ref().map(ToString::to_string).unwrap_or_default()),
                Event::AttachmentRemoved { attachment_id, .. } => {
                    sqlx::query("delete from case_attachment where case_id = $1 and attachment_id = $2")
                        .bind(event.id.clone())
                        .bind(attachment_id.to_string())
                }
                Event::PersonErased { .. } => {
                    sqlx::query("delete from case_attachment where case_id = $1").bind(event.id.clone())
                }
                _ => return Ok(()),
            };
            statement.execute(connection).await?;
            Ok(())
        })
    }
}

/// A paper or photograph, without its content.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the wire's Attachment")]
pub struct Paper {
    pub attachment_id: String,
    pub kind: String,
    pub media_type: String,
    pub size_bytes: i64,
    pub digest: String,
    pub made_on: String,
    pub added_at: i64,
    pub added_by: String,
}

/// What is on the shelf of a case, the newest first.
pub async fn of_case(case: &str, executor: impl Executor<'_, Database = Any>) -> Result<Vec<Paper>, sqlx::Error> {
    let rows = sqlx::query(
        "select attachment_id, kind, media_type, size_bytes, digest, made_on, added_at, added_by from case_attachment
         where case_id = $1 order by added_at desc, attachment_id",
    )
    .bind(case)
    .fetch_all(executor)
    .await?;
    let paper = |row: &sqlx::any::AnyRow| {
        Ok(Paper {
            attachment_id: row.try_get(0)?,
            kind: row.try_get(1)?,
            media_type: row.try_get(2)?,
            size_bytes: row.try_get(3)?,
            digest: row.try_get(4)?,
            made_on: row.try_get(5)?,
            added_at: row.try_get(6)?,
            added_by: row.try_get(7)?,
        })
    };
    rows.iter().map(paper).collect()
}
