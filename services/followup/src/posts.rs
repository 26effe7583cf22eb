//! Who has which work, what was handed over and not acknowledged, and the load of each worker.

use spean_eventstore::{BoxFuture, ReadModel, Recorded};
use spean_vocabulary::{Date, OfficeId, StaffId, Timestamp};
use sqlx::{Any, AnyConnection, Executor, Row as _};

use crate::codes::Duty;
use crate::post::{Event, Item, Post};
use crate::worker::{self, Assignment};

/// Tables, projection and queries of assignments and handovers.
pub struct Posts;

impl ReadModel for Posts {
    fn name(&self) -> &'static str {
        "posts"
    }

    fn version(&self) -> i64 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["assignment", "handed_over"]
    }

    fn ddl(&self) -> &'static [&'static str] {
        &[
            "create table assignment (
                office text not null,
                duty text not null,
                item text not null,
                worker text not null,
                primary key (office, duty, item)
            );
            create index assignment_worker on assignment (office, worker)",
            "create table handed_over (
                handover_id text not null,
                office text not null,
                duty text not null,
                item text not null,
                from_worker text not null,
                to_worker text not null,
                handed_over_on text not null,
                acknowledged_at bigint,
                primary key (handover_id, duty, item)
            );
            create index handed_over_office on handed_over (office, handed_over_on)",
        ]
    }

    fn apply<'a>(
        &'a self,
        event: &'a Recorded,
        connection: &'a mut AnyConnection,
    ) -> BoxFuture<'a, Result<(), sqlx::Error>> {
        Box::pin(async move {
            if let Some(Ok(worker::Event::Assigned { duty, item, office, worker })) = event.event::<Assignment>() {
                return sqlx::query(
                    "insert into assignment (office, duty, item, worker) values ($1, $2, $3, $4)
                     on conflict (office, duty, item) do update set worker = excluded.worker",
                )
                .bind(office.to_string())
                .bind(duty.to_string())
                .bind(item)
                .bind(worker.to_string())
                .execute(connection)
                .await
                .map(drop);
            }
            match event.event::<Post>() {
                Some(Ok(Event::PostHandedOver(handover))) => {
                    for item in &handover.items {
                        sqlx::query(
                            "insert into handed_over (handover_id, office, duty, item, from_worker, to_worker,
                                handed_over_on)
                             values ($1, $2, $3, $4, $5, $6, $7)",
                        )
                        .bind(event.id.clone())
                        .bind(event.metadata.office.to_string())
                        .bind(item.duty.to_string())
                        .bind(item.id.clone())
                        .bind(handover.from.to_string())
                        .bind(handover.to.to_string())
                        .bind(handover.handed_over_on.to_string())
                        .execute(&mut *connection)
                        .await?;
                    }
                    Ok(())
                }
                Some(Ok(Event::ItemAcknowledged { item, .. })) => sqlx::query(
                    "update handed_over set acknowledged_at = $4
                     where handover_id = $1 and duty = $2 and item = $3",
                )
                .bind(event.id.clone())
                .bind(item.duty.to_string())
                .bind(item.id)
                .bind(event.metadata.recorded_at.as_micros())
                .execute(connection)
                .await
                .map(drop),
                _ => Ok(()),
            }
        })
    }
}

/// One item of a handover.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the wire's HandedOverItem")]
pub struct Entry {
    pub handover_id: String,
    pub duty: String,
    pub item: String,
    pub from: String,
    pub to: String,
    pub handed_over_on: String,
    pub acknowledged_at: Option<Timestamp>,
}

const COLUMNS: &str = "handover_id, duty, item, from_worker, to_worker, handed_over_on, acknowledged_at
    from handed_over";

/// What was handed over at an office and not acknowledged, the oldest first.
pub async fn waiting(
    office: &OfficeId,
    limit: i64,
    offset: i64,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<Entry>, sqlx::Error> {
    let statement = format!(
        "select {COLUMNS} where office = $1 and acknowledged_at is null
         order by handed_over_on, handover_id, duty, item limit $2 offset $3"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(statement))
        .bind(office.as_str())
        .bind(limit)
        .bind(offset)
        .fetch_all(executor)
        .await?;
    rows.iter().map(entry).collect()
}

/// All items of one handover at an office.
pub async fn of_handover(
    handover: &str,
    office: &OfficeId,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<Entry>, sqlx::Error> {
    let statement = format!("select {COLUMNS} where handover_id = $1 and office = $2 order by duty, item");
    let rows = sqlx::query(sqlx::AssertSqlSafe(statement))
        .bind(handover.to_owned())
        .bind(office.as_str())
        .fetch_all(executor)
        .await?;
    rows.iter().map(entry).collect()
}

/// All open cases and duties of a worker at an office.
pub async fn of_worker(
    worker: &StaffId,
    office: &OfficeId,
    connection: &mut AnyConnection,
) -> Result<Vec<Item>, sqlx::Error> {
    let statements = [
        (
            Duty::Case,
            "select assignment.item from assignment
             join case_standing on case_standing.case_id = assignment.item and case_standing.office = assignment.office
             left join follow_up on follow_up.case_id = assignment.item
             where assignment.office = $1 and worker = $2 and duty = 'case' and standing <> 'HELD'
               and coalesce(follow_up.state, '') <> 'closed'",
        ),
        (
            Duty::Payment,
            "select payment_id from payment
             where office = $1 and state in ('requested', 'approved', 'paid')
               and coalesce((select worker from assignment where assignment.office = $1 and duty = 'payment'
                             and item = payment_id), requested_by) = $2",
        ),
        (
            Duty::SafetyPlan,
            "select danger_id from danger
             join assignment on assignment.office = $1 and duty = 'case' and item = danger.case_id and worker = $2
             where ended_on = ''",
        ),
        (
            Duty::Search,
            "select case_id from lost_contact
             join assignment on assignment.office = $1 and duty = 'case' and item = case_id and worker = $2",
        ),
        (
            Duty::SupervisionPoint,
            "select distinct supervision_id from supervision_point
             where office = $1 and worker = $2 and result <> 'good' and outcome <> 'good'",
        ),
    ];
    let mut items = Vec::new();
    for (duty, statement) in statements {
        let rows =
            sqlx::query(statement).bind(office.as_str()).bind(worker.as_str()).fetch_all(&mut *connection).await?;
        for row in rows {
            items.push(Item { duty, id: row.try_get(0)? });
        }
    }
    Ok(items)
}

/// The work of one worker.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the wire's Caseload")]
pub struct Caseload {
    pub worker: String,
    pub open_cases: i64,
    pub overdue_visits: i64,
    pub unreported_visits: i64,
    pub incomplete_cases: i64,
    pub open_dangers: i64,
    pub lost_contacts: i64,
}

/// The work at an office: the cases that nobody has first, then by how much is overdue.
pub async fn caseload(
    office: &OfficeId,
    today: Date,
    limit: i64,
    offset: i64,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<Caseload>, sqlx::Error> {
    let rows = sqlx::query(
        "select worker, count(*), cast(sum(overdue) as bigint), cast(sum(unreported) as bigint),
            cast(sum(incomplete) as bigint), cast(sum(dangers) as bigint), cast(sum(lost) as bigint)
         from (
            select coalesce(worker, '') as worker,
                (select count(*) from visit where visit.case_id = case_standing.case_id and settled = 0
                    and due_on < $2) as overdue,
                (select count(*) from visit where visit.case_id = case_standing.case_id and settled = 0
                    and due_on < $2 and outcome = '') as unreported,
                case when follow_up.case_id is null or sex in ('', 'SEX_UNSPECIFIED', 'SEX_UNKNOWN')
                    or age_band in ('', 'AGE_BAND_UNSPECIFIED', 'AGE_BAND_UNKNOWN') then 1 else 0 end as incomplete,
                (select count(*) from danger where danger.case_id = case_standing.case_id and ended_on = '')
                    as dangers,
                (select count(*) from lost_contact where lost_contact.case_id = case_standing.case_id) as lost
            from case_standing
            left join follow_up on follow_up.case_id = case_standing.case_id
            left join assignment on assignment.office = $1 and duty = 'case' and item = case_standing.case_id
            where case_standing.office = $1 and standing = 'HOLDS' and coalesce(follow_up.state, '') <> 'closed'
         ) as held
         group by worker
         order by case when worker = '' then 0 else 1 end, 3 desc, worker limit $3 offset $4",
    )
    .bind(office.as_str())
    .bind(today.to_string())
    .bind(limit)
    .bind(offset)
    .fetch_all(executor)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Caseload {
                worker: row.try_get(0)?,
                open_cases: row.try_get(1)?,
                overdue_visits: row.try_get(2)?,
                unreported_visits: row.try_get(3)?,
                incomplete_cases: row.try_get(4)?,
                open_dangers: row.try_get(5)?,
                lost_contacts: row.try_get(6)?,
            })
        })
        .collect()
}

fn entry(row: &sqlx::any::AnyRow) -> Result<Entry, sqlx::Error> {
    Ok(Entry {
        handover_id: row.try_get(0)?,
        duty: row.try_get(1)?,
        item: row.try_get(2)?,
        from: row.try_get(3)?,
        to: row.try_get(4)?,
        handed_over_on: row.try_get(5)?,
        acknowledged_at: row.try_get::<Option<i64>, _>(6)?.map(Timestamp::from_micros),
    })
}
