//! How the follow-ups stand: who keeps each, since when, what waits for the meeting.

use spean_eventstore::{BoxFuture, ReadModel, Recorded};
use spean_vocabulary::{CaseId, Date, OfficeId};
use sqlx::{Any, AnyConnection, Executor, Row as _};

use crate::codes::FollowUpState;
use crate::lists::text;
use crate::plan::{Event, Plan};

/// Table, projection and queries of the follow-ups.
pub struct FollowUps;

impl ReadModel for FollowUps {
    fn name(&self) -> &'static str {
        "follow_ups"
    }

    fn version(&self) -> i64 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["follow_up"]
    }

    fn ddl(&self) -> &'static [&'static str] {
        &["create table follow_up (
            case_id text primary key,
            keeper text not null,
            reintegrated_on text not null,
            state text not null,
            since text not null,
            handed_to text not null,
            moved_to text not null
        );
        create index follow_up_keeper on follow_up (keeper, state)"]
    }

    fn apply<'a>(
        &'a self,
        event: &'a Recorded,
        connection: &'a mut AnyConnection,
    ) -> BoxFuture<'a, Result<(), sqlx::Error>> {
        Box::pin(async move {
            let Some(Ok(what)) = event.event::<Plan>() else { return Ok(()) };
            let case = event.id.as_str();
            let day = event.metadata.occurred_on.unwrap_or_else(|| event.metadata.recorded_at.date_in_cambodia());
            match what {
                Event::Begun { reintegrated_on, office, .. } => {
                    let keeper = office.unwrap_or_else(|| event.metadata.office.clone());
                    keep(case, &keeper, reintegrated_on, reintegrated_on, connection).await
                }
                Event::TakenUp { plan } => keep(case, &plan.to, plan.reintegrated_on, day, connection).await,
                Event::HandedOver { to, .. } => {
                    stands(case, "handed_over", day, connection).await?;
                    sqlx::query("update follow_up set handed_to = $2 where case_id = $1")
                        .bind(case.to_owned())
                        .bind(text(to))
                        .execute(connection)
                        .await
                        .map(drop)
                }
                Event::TakenUpElsewhere { .. } => stands(case, "elsewhere", day, connection).await,
                Event::Closed { closed_on, .. } => stands(case, "closed", closed_on, connection).await,
                Event::Reopened { reopened_on, .. } => stands(case, "open", reopened_on, connection).await,
                Event::Moved { place, .. } => sqlx::query("update follow_up set moved_to = $2 where case_id = $1")
                    .bind(case.to_owned())
                    .bind(place.to_string())
                    .execute(connection)
                    .await
                    .map(drop),
                _ => Ok(()),
            }
        })
    }
}

async fn keep(
    case: &str,
    keeper: &OfficeId,
    reintegrated_on: Date,
    since: Date,
    connection: &mut AnyConnection,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into follow_up (case_id, keeper, reintegrated_on, state, since, handed_to, moved_to)
         values ($1, $2, $3, 'open', $4, '', '')
         on conflict (case_id) do update set keeper = excluded.keeper, state = 'open', since = excluded.since,
            handed_to = ''",
    )
    .bind(case.to_owned())
    .bind(keeper.as_str())
    .bind(reintegrated_on.to_string())
    .bind(since.to_string())
    .execute(connection)
    .await
    .map(drop)
}

async fn stands(case: &str, state: &str, since: Date, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    sqlx::query("update follow_up set state = $2, since = $3 where case_id = $1")
        .bind(case.to_owned())
        .bind(state.to_owned())
        .bind(since.to_string())
        .execute(connection)
        .await
        .map(drop)
}

/// How a follow-up stands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the wire's FollowUp")]
pub struct Entry {
    pub case_id: String,
    pub case_number: String,
    pub reintegrated_on: String,
    pub state: String,
    pub since: String,
    pub visits: i64,
    pub visits_open: i64,
    pub next_due_on: String,
    pub handed_to: String,
    pub worker: String,
    pub moved_to: String,
}

/// The follow-ups that an office keeps, holds or handed over, the longest in their state first; what is over comes last.
pub async fn of_office(
    office: &OfficeId,
    state: Option<FollowUpState>,
    limit: i64,
    offset: i64,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<Entry>, sqlx::Error> {
    let rows = sqlx::query(
        "select case_id, case_number, reintegrated_on, stands, since, visits, visits_open, next_due_on, handed_to,
            worker, moved_to
         from (
            select follow_up.case_id as case_id, coalesce(case_number, '') as case_number, reintegrated_on,
                case when state = 'closed' then 'closed' when state = 'elsewhere' then 'taken_up_elsewhere'
                     when state = 'handed_over' and keeper = $1 then 'handed_over'
                     when lost_on is not null then 'contact_lost'
                     when (select count(*) from visit where visit.case_id = follow_up.case_id and settled = 0) = 0
                     then 'due_to_close' else 'open' end as stands,
                case when state = 'open' then coalesce(lost_on, since) else since end as since,
                (select count(*) from visit where visit.case_id = follow_up.case_id) as visits,
                (select count(*) from visit where visit.case_id = follow_up.case_id and settled = 0) as visits_open,
                coalesce((select min(due_on) from visit where visit.case_id = follow_up.case_id and settled = 0), '')
                    as next_due_on,
                handed_to, coalesce(worker, '') as worker, moved_to
            from follow_up
            left join case_standing on case_standing.case_id = follow_up.case_id and case_standing.office = $1
            left join lost_contact on lost_contact.case_id = follow_up.case_id
            left join assignment on assignment.office = $1 and duty = 'case' and item = follow_up.case_id
            where keeper = $1 or standing = 'HOLDS'
         ) as listed
         where $2 = '' or stands = $2
         order by case when stands in ('closed', 'taken_up_elsewhere') then 1 else 0 end, since, case_id
         limit $3 offset $4",
    )
    .bind(office.as_str())
    .bind(text(state))
    .bind(limit)
    .bind(offset)
    .fetch_all(executor)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Entry {
                case_id: row.try_get(0)?,
                case_number: row.try_get(1)?,
                reintegrated_on: row.try_get(2)?,
                state: row.try_get(3)?,
                since: row.try_get(4)?,
                visits: row.try_get(5)?,
                visits_open: row.try_get(6)?,
                next_due_on: row.try_get(7)?,
                handed_to: row.try_get(8)?,
                worker: row.try_get(9)?,
                moved_to: row.try_get(10)?,
            })
        })
        .collect()
}

/// The office that keeps the follow-up of a case; none when there is none here, or it goes on elsewhere.
pub async fn keeper(
    case: CaseId,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Option<OfficeId>, sqlx::Error> {
    let row = sqlx::query("select keeper from follow_up where case_id = $1 and state <> 'elsewhere'")
        .bind(case.to_string())
        .fetch_optional(executor)
        .await?;
    let keeper: Option<String> = row.map(|row| row.try_get(0)).transpose()?;
    Ok(keeper.and_then(|keeper| keeper.parse().ok()))
}
