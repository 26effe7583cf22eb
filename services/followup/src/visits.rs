//! The visits of each case, and the list of what is due.

use spean_eventstore::{BoxFuture, ReadModel, Recorded};
use spean_vocabulary::{CaseId, Date, OfficeId, Timestamp};
use sqlx::{Any, AnyConnection, Executor, Row as _};

use crate::plan::{Event, Plan, settles};

/// Table, projection and queries of the visits.
pub struct Visits;

impl ReadModel for Visits {
    fn name(&self) -> &'static str {
        "visits"
    }

    fn version(&self) -> i64 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["visit"]
    }

    fn ddl(&self) -> &'static [&'static str] {
        &["create table visit (
            case_id text not null,
            number bigint not null,
            due_on text not null,
            settled bigint not null,
            visited_on text not null,
            outcome text not null,
            recorded_at bigint,
            primary key (case_id, number)
        );
        create index visit_due on visit (settled, due_on)"]
    }

    fn apply<'a>(
        &'a self,
        event: &'a Recorded,
        connection: &'a mut AnyConnection,
    ) -> BoxFuture<'a, Result<(), sqlx::Error>> {
        Box::pin(async move {
            let Some(Ok(what)) = event.event::<Plan>() else { return Ok(()) };
            apply(&event.id, event.metadata.recorded_at, what, connection).await
        })
    }
}

async fn apply(
    case: &str,
    recorded_at: Timestamp,
    event: Event,
    connection: &mut AnyConnection,
) -> Result<(), sqlx::Error> {
    match event {
        Event::Begun { due_on, .. } => {
            for (number, due_on) in (1_i64..).zip(due_on) {
                sqlx::query(
                    "insert into visit (case_id, number, due_on, settled, visited_on, outcome)
                     values ($1, $2, $3, 0, '', '')",
                )
                .bind(case.to_owned())
                .bind(number)
                .bind(due_on.to_string())
                .execute(&mut *connection)
                .await?;
            }
        }
        Event::VisitRecorded(visit) => {
            // Of several missed visits the latest in the field is shown, whenever it was entered.
            sqlx::query(
                "update visit set settled = $3, visited_on = $4, outcome = $5, recorded_at = $6
                 where case_id = $1 and number = $2 and settled = 0 and ($3 = 1 or visited_on <= $4)",
            )
            .bind(case.to_owned())
            .bind(i64::from(visit.number))
            .bind(i64::from(settles(visit.outcome)))
            .bind(visit.visited_on.to_string())
            .bind(visit.outcome.to_string())
            .bind(recorded_at.as_micros())
            .execute(connection)
            .await?;
        }
        Event::PersonErased => {}
    }
    Ok(())
}

/// One of the twelve.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the wire's Visit")]
pub struct Entry {
    pub case_id: String,
    pub case_number: String,
    pub number: i64,
    pub due_on: String,
    /// Whether it need not be made any more.
    pub settled: bool,
    pub visited_on: String,
    pub outcome: String,
    pub recorded_at: Option<Timestamp>,
}

impl Entry {
    /// How many days it is overdue on a day; 0 when it is not, or need not be made any more.
    pub fn overdue_days(&self, today: Date) -> i32 {
        let due_on = if self.settled { None } else { self.due_on.parse().ok() };
        due_on.map_or(0, |due_on| today.days_since(due_on).max(0))
    }
}

/// The visits of a case in their order, numbered as an office knows the case.
pub async fn of_case(
    case: CaseId,
    office: &OfficeId,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<Entry>, sqlx::Error> {
    let rows = sqlx::query(
        "select visit.case_id, coalesce(case_number, ''), number, due_on, settled, visited_on, outcome, recorded_at
         from visit
         left join case_standing on case_standing.case_id = visit.case_id and case_standing.office = $1
         where visit.case_id = $2
         order by number",
    )
    .bind(office.as_str())
    .bind(case.to_string())
    .fetch_all(executor)
    .await?;
    rows.iter().map(entry).collect()
}

/// What an office has to visit up to a day, the most overdue first: the visits of the cases that it holds now.
pub async fn due(
    office: &OfficeId,
    until: Date,
    limit: i64,
    offset: i64,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<Entry>, sqlx::Error> {
    let rows = sqlx::query(
        "select visit.case_id, case_number, number, due_on, settled, visited_on, outcome, recorded_at
         from visit
         join case_standing on case_standing.case_id = visit.case_id
         where office = $1 and standing = 'HOLDS' and settled = 0 and due_on <= $2
         order by due_on, visit.case_id, number
         limit $3 offset $4",
    )
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
        case_id: row.try_get(0)?,
        case_number: row.try_get(1)?,
        number: row.try_get(2)?,
        due_on: row.try_get(3)?,
        settled: row.try_get::<i64, _>(4)? == 1,
        visited_on: row.try_get(5)?,
        outcome: row.try_get(6)?,
        recorded_at: row.try_get::<Option<i64>, _>(7)?.map(Timestamp::from_micros),
    })
}
