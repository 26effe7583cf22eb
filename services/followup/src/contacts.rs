//! The people whom nobody can find, and how the search goes.

use spean_eventstore::{BoxFuture, ReadModel, Recorded};
use spean_vocabulary::OfficeId;
use sqlx::{Any, AnyConnection, Executor, Row as _};

use crate::contact::{Contact, Event};

/// Table, projection and queries of the people who are lost.
pub struct Contacts;

impl ReadModel for Contacts {
    fn name(&self) -> &'static str {
        "contacts"
    }

    fn version(&self) -> i64 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["lost_contact"]
    }

    fn ddl(&self) -> &'static [&'static str] {
        &["create table lost_contact (
            case_id text primary key,
            lost_on text not null,
            reason text not null,
            to_meeting_on text not null,
            steps bigint not null,
            last_action text not null,
            last_step_on text not null,
            seen_by text not null,
            seen_on text not null
        )"]
    }

    fn apply<'a>(
        &'a self,
        event: &'a Recorded,
        connection: &'a mut AnyConnection,
    ) -> BoxFuture<'a, Result<(), sqlx::Error>> {
        Box::pin(async move {
            let Some(Ok(what)) = event.event::<Contact>() else { return Ok(()) };
            let statement = match what {
                Event::Lost { lost_on, reason, to_meeting_on } => sqlx::query(
                    "insert into lost_contact (case_id, lost_on, reason, to_meeting_on, steps, last_action,
                        last_step_on, seen_by, seen_on)
                     values ($1, $2, $3, $4, 0, '', '', '', '')",
                )
                .bind(event.id.clone())
                .bind(lost_on.to_string())
                .bind(reason.to_string())
                .bind(to_meeting_on.to_string()),
                Event::Searched { action, done_on, .. } => sqlx::query(
                    "update lost_contact set steps = steps + 1,
                        last_action = case when last_step_on <= $3 then $2 else last_action end,
                        last_step_on = case when last_step_on <= $3 then $3 else last_step_on end
                     where case_id = $1",
                )
                .bind(event.id.clone())
                .bind(action.to_string())
                .bind(done_on.to_string()),
                Event::SeenAgain { by, seen_on } => {
                    sqlx::query("update lost_contact set seen_by = $2, seen_on = $3 where case_id = $1")
                        .bind(event.id.clone())
                        .bind(by.to_string())
                        .bind(seen_on.to_string())
                }
                Event::Found { .. } => {
                    sqlx::query("delete from lost_contact where case_id = $1").bind(event.id.clone())
                }
            };
            statement.execute(connection).await.map(drop)
        })
    }
}

/// Somebody who is lost.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the wire's LostContact")]
pub struct Entry {
    pub case_id: String,
    pub case_number: String,
    pub lost_on: String,
    pub reason: String,
    pub to_meeting_on: String,
    pub steps: i64,
    pub last_action: String,
    pub last_step_on: String,
    pub seen_by: String,
    pub seen_on: String,
}

/// The people whom an office has lost, the longest first: of the cases that it holds, or whose plan it keeps.
pub async fn of_office(
    office: &OfficeId,
    limit: i64,
    offset: i64,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<Entry>, sqlx::Error> {
    let rows = sqlx::query(
        "select lost_contact.case_id, coalesce(case_number, ''), lost_on, reason, to_meeting_on, steps, last_action,
            last_step_on, seen_by, seen_on
         from lost_contact
         left join case_standing on case_standing.case_id = lost_contact.case_id and case_standing.office = $1
         left join follow_up on follow_up.case_id = lost_contact.case_id and keeper = $1
         where (standing in ('HOLDS', 'BOUND', 'HELPS') or follow_up.state in ('open', 'handed_over'))
         order by lost_on, lost_contact.case_id limit $2 offset $3",
    )
    .bind(office.as_str())
    .bind(limit)
    .bind(offset)
    .fetch_all(executor)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Entry {
                case_id: row.try_get(0)?,
                case_number: row.try_get(1)?,
                lost_on: row.try_get(2)?,
                reason: row.try_get(3)?,
                to_meeting_on: row.try_get(4)?,
                steps: row.try_get(5)?,
                last_action: row.try_get(6)?,
                last_step_on: row.try_get(7)?,
                seen_by: row.try_get(8)?,
                seen_on: row.try_get(9)?,
            })
        })
        .collect()
}
