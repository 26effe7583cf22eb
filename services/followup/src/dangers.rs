//! The dangers that an office has to see to, or watches over.

use spean_eventstore::{BoxFuture, ReadModel, Recorded};
use spean_vocabulary::{CaseId, DangerId, OfficeId, Timestamp};
use sqlx::{Any, AnyConnection, Executor, Row as _};

use crate::danger::{Danger, Event, Report};
use crate::lists::{text, write_codes};

/// Tables, projection and queries of the dangers.
pub struct Dangers;

impl ReadModel for Dangers {
    fn name(&self) -> &'static str {
        "dangers"
    }

    fn version(&self) -> i64 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["danger", "danger_office"]
    }

    fn ddl(&self) -> &'static [&'static str] {
        &[
            "create table danger (
                danger_id text primary key,
                case_id text not null,
                office text not null,
                signs text not null,
                urgency text not null,
                found_on text not null,
                raised_at bigint not null,
                plan_due_at bigint not null,
                plan_made_on text not null,
                review_on text not null,
                ended_on text not null
            );
            create index danger_case on danger (case_id)",
            "create table danger_office (
                danger_id text not null,
                office text not null,
                primary key (danger_id, office)
            );
            create index danger_of_office on danger_office (office)",
        ]
    }

    fn apply<'a>(
        &'a self,
        event: &'a Recorded,
        connection: &'a mut AnyConnection,
    ) -> BoxFuture<'a, Result<(), sqlx::Error>> {
        Box::pin(async move {
            let Some(Ok(what)) = event.event::<Danger>() else { return Ok(()) };
            let danger = event.id.as_str();
            match what {
                Event::Raised { report, .. } => list(danger, &report, &report.office.clone(), connection).await,
                Event::Heard { report, by, .. } => list(danger, &report, &by, connection).await,
                Event::HandedOn { .. } => Ok(()),
                Event::PlanRecorded { made_on, review_on, .. } => {
                    sqlx::query("update danger set plan_made_on = $2, review_on = $3 where danger_id = $1")
                        .bind(danger.to_owned())
                        .bind(made_on.to_string())
                        .bind(text(review_on))
                        .execute(connection)
                        .await
                        .map(drop)
                }
                Event::Assessed { assessed_on, is_over, .. } => {
                    let ended_on = is_over.then_some(assessed_on);
                    sqlx::query("update danger set ended_on = $2 where danger_id = $1")
                        .bind(danger.to_owned())
                        .bind(text(ended_on))
                        .execute(connection)
                        .await
                        .map(drop)
                }
                Event::AnswerHeard { plan_made_on, ended_on, .. } => sqlx::query(
                    "update danger set plan_made_on = case when $2 = '' then plan_made_on else $2 end,
                        ended_on = case when $3 = '' then ended_on else $3 end
                     where danger_id = $1",
                )
                .bind(danger.to_owned())
                .bind(text(plan_made_on))
                .bind(text(ended_on))
                .execute(connection)
                .await
                .map(drop),
            }
        })
    }
}

async fn list(
    danger: &str,
    report: &Report,
    office: &OfficeId,
    connection: &mut AnyConnection,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into danger (danger_id, case_id, office, signs, urgency, found_on, raised_at, plan_due_at,
            plan_made_on, review_on, ended_on)
         values ($1, $2, $3, $4, $5, $6, $7, $8, '', '', '') on conflict (danger_id) do nothing",
    )
    .bind(danger.to_owned())
    .bind(report.case.to_string())
    .bind(report.office.as_str())
    .bind(write_codes(&report.signs))
    .bind(report.urgency.to_string())
    .bind(report.found_on.to_string())
    .bind(report.raised_at.as_micros())
    .bind(report.plan_due_at.as_micros())
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "insert into danger_office (danger_id, office) values ($1, $2) on conflict (danger_id, office) do nothing",
    )
    .bind(danger.to_owned())
    .bind(office.as_str())
    .execute(connection)
    .await
    .map(drop)
}

/// A danger.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the wire's DangerEntry")]
pub struct Entry {
    pub danger_id: String,
    pub case_id: String,
    pub case_number: String,
    pub office: String,
    pub signs: String,
    pub urgency: String,
    pub found_on: String,
    pub raised_at: Timestamp,
    pub plan_due_at: Timestamp,
    pub plan_made_on: String,
    pub review_on: String,
    pub ended_on: String,
    /// Whether the office sees to the person of this case.
    pub cares: bool,
}

impl Entry {
    /// Whether there is no plan in time.
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.plan_made_on.is_empty() && self.ended_on.is_empty() && self.plan_due_at <= now
    }
}

/// The dangers of an office: those without a plan in time first, then by urgency and age.
pub async fn of_office(
    office: &OfficeId,
    with_ended: bool,
    now: Timestamp,
    limit: i64,
    offset: i64,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<Entry>, sqlx::Error> {
    let rows = sqlx::query(
        "select danger.danger_id, danger.case_id, coalesce(case_number, ''), danger.office, signs, urgency, found_on,
            raised_at, plan_due_at, plan_made_on, review_on, ended_on,
            cast(case when standing in ('HOLDS', 'BOUND', 'HELPS') then 1 else 0 end as bigint)
         from danger
         left join danger_office on danger_office.danger_id = danger.danger_id and danger_office.office = $1
         left join case_standing on case_standing.case_id = danger.case_id and case_standing.office = $1
         where (danger_office.office is not null or standing in ('HOLDS', 'BOUND', 'HELPS'))
           and (ended_on = '' or $2 = 1)
         order by case when ended_on <> '' then 2 when plan_made_on = '' and plan_due_at <= $3 then 0 else 1 end,
            case urgency when 'emergency' then 0 when 'urgent' then 1 else 2 end, raised_at, danger.danger_id
         limit $4 offset $5",
    )
    .bind(office.as_str())
    .bind(i64::from(with_ended))
    .bind(now.as_micros())
    .bind(limit)
    .bind(offset)
    .fetch_all(executor)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Entry {
                danger_id: row.try_get(0)?,
                case_id: row.try_get(1)?,
                case_number: row.try_get(2)?,
                office: row.try_get(3)?,
                signs: row.try_get(4)?,
                urgency: row.try_get(5)?,
                found_on: row.try_get(6)?,
                raised_at: Timestamp::from_micros(row.try_get(7)?),
                plan_due_at: Timestamp::from_micros(row.try_get(8)?),
                plan_made_on: row.try_get(9)?,
                review_on: row.try_get(10)?,
                ended_on: row.try_get(11)?,
                cares: row.try_get::<i64, _>(12)? == 1,
            })
        })
        .collect()
}

/// The open dangers of a case.
pub async fn open_of(case: CaseId, executor: impl Executor<'_, Database = Any>) -> Result<Vec<DangerId>, sqlx::Error> {
    let rows = sqlx::query("select danger_id from danger where case_id = $1 and ended_on = '' order by danger_id")
        .bind(case.to_string())
        .fetch_all(executor)
        .await?;
    let ids: Result<Vec<String>, _> = rows.iter().map(|row| row.try_get(0)).collect();
    Ok(ids?.iter().filter_map(|id| id.parse().ok()).collect())
}
