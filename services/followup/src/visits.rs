//! The visits of each case, what was reported of them, and the list of what is due.

use spean_eventstore::{BoxFuture, ReadModel, Recorded};
use spean_vocabulary::{CaseId, Date, OfficeId, Timestamp};
use sqlx::any::AnyRow;
use sqlx::{Any, AnyConnection, Executor, Row as _};

use crate::lists::{text, write_codes};
use crate::plan::{Event, InformalVisit, Plan, Planned, Visit, settles};

/// Table, projection and queries of the visits.
pub struct Visits;

impl ReadModel for Visits {
    fn name(&self) -> &'static str {
        "visits"
    }

    fn version(&self) -> i64 {
        2
    }

    fn tables(&self) -> &'static [&'static str] {
        &["visit", "visit_report"]
    }

    fn ddl(&self) -> &'static [&'static str] {
        &[
            "create table visit (
                case_id text not null,
                number bigint not null,
                due_on text not null,
                first_due_on text not null,
                settled bigint not null,
                extra text not null,
                with_offices text not null,
                visited_on text not null,
                outcome text not null,
                next_on text not null,
                recorded_at bigint,
                primary key (case_id, number)
            );
            create index visit_due on visit (settled, due_on)",
            "create table visit_report (
                visit_id text primary key,
                case_id text not null,
                number bigint not null,
                visited_on text not null,
                recorded_at bigint not null,
                office text not null,
                staff text not null,
                outcome text not null,
                place text not null,
                responsible_adult text not null,
                present text not null,
                findings text not null,
                with_offices text not null
            );
            create index visit_report_case on visit_report (case_id, visited_on)",
        ]
    }

    fn apply<'a>(
        &'a self,
        event: &'a Recorded,
        connection: &'a mut AnyConnection,
    ) -> BoxFuture<'a, Result<(), sqlx::Error>> {
        Box::pin(async move {
            let Some(Ok(what)) = event.event::<Plan>() else { return Ok(()) };
            apply(event, what, connection).await
        })
    }
}

async fn apply(event: &Recorded, what: Event, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    let case = event.id.as_str();
    match what {
        Event::Begun { due_on, .. } => plan(case, 1, due_on, connection).await,
        Event::Extended { first_number, due_on, .. } => plan(case, first_number, due_on, connection).await,
        Event::Reopened { first_number, due_on, .. } => {
            sqlx::query("update visit set settled = 1 where case_id = $1")
                .bind(case.to_owned())
                .execute(&mut *connection)
                .await?;
            plan(case, first_number, due_on, connection).await
        }
        Event::VisitAdded { number, due_on, reason, with_offices } => {
            let planned = Planned { with_offices, ..Planned::extra(due_on, reason) };
            put(case, number, &planned, connection).await
        }
        Event::TakenUp { plan } => {
            for (number, planned) in (1_u8..).zip(&plan.visits) {
                put(case, number, planned, connection).await?;
            }
            Ok(())
        }
        Event::VisitRescheduled { number, due_on, .. } => sqlx::query(
            "update visit set first_due_on = case when first_due_on = '' then due_on else first_due_on end,
                    due_on = $3 where case_id = $1 and number = $2",
        )
        .bind(case.to_owned())
        .bind(i64::from(number))
        .bind(due_on.to_string())
        .execute(connection)
        .await
        .map(drop),
        Event::VisitsExcused { numbers, .. } => {
            for number in numbers {
                sqlx::query("update visit set settled = 1 where case_id = $1 and number = $2")
                    .bind(case.to_owned())
                    .bind(i64::from(number))
                    .execute(&mut *connection)
                    .await?;
            }
            Ok(())
        }
        Event::VisitRecorded(visit) => {
            report(event, &visit, connection).await?;
            settle(event, &visit, connection).await
        }
        Event::InformalVisitRecorded(InformalVisit { visit_id, visited_on, findings, responsible_adult }) => {
            let visit = Visit {
                visit_id,
                number: 0,
                visited_on,
                outcome: spean_vocabulary::VisitOutcome::Met,
                responsible_adult_present: responsible_adult.is_some(),
                responsible_adult,
                present: [].into(),
                findings,
                place: None,
                with_offices: [].into(),
                needs: vec![],
                next_on: None,
            };
            report(event, &visit, connection).await
        }
        Event::Moved { .. }
        | Event::HandedOver { .. }
        | Event::TakenUpElsewhere { .. }
        | Event::Closed { .. }
        | Event::PersonErased => Ok(()),
    }
}

async fn plan(
    case: &str,
    first_number: u8,
    due_on: Vec<Date>,
    connection: &mut AnyConnection,
) -> Result<(), sqlx::Error> {
    for (number, due_on) in (first_number..).zip(due_on) {
        put(case, number, &Planned::on(due_on), connection).await?;
    }
    Ok(())
}

/// What is known of a visit here stays; what was settled at either place is settled.
async fn put(case: &str, number: u8, planned: &Planned, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into visit (case_id, number, due_on, first_due_on, settled, extra, with_offices, visited_on, outcome,
            next_on)
         values ($1, $2, $3, $4, $5, $6, $7, '', '', '')
         on conflict (case_id, number) do update set due_on = excluded.due_on, first_due_on = excluded.first_due_on,
            settled = case when visit.settled = 1 then 1 else excluded.settled end, extra = excluded.extra,
            with_offices = excluded.with_offices",
    )
    .bind(case.to_owned())
    .bind(i64::from(number))
    .bind(planned.due_on.to_string())
    .bind(text(planned.first_due_on))
    .bind(i64::from(planned.settled))
    .bind(text(planned.extra))
    .bind(write_codes(&planned.with_offices))
    .execute(connection)
    .await
    .map(drop)
}

async fn settle(event: &Recorded, visit: &Visit, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    // Of several missed visits the latest in the field is shown, whenever it was entered.
    sqlx::query(
        "update visit set settled = $3, visited_on = $4, outcome = $5, recorded_at = $6, next_on = $7
         where case_id = $1 and number = $2 and settled = 0 and ($3 = 1 or visited_on <= $4)",
    )
    .bind(event.id.clone())
    .bind(i64::from(visit.number))
    .bind(i64::from(settles(visit.outcome)))
    .bind(visit.visited_on.to_string())
    .bind(visit.outcome.to_string())
    .bind(event.metadata.recorded_at.as_micros())
    .bind(text(visit.next_on))
    .execute(connection)
    .await
    .map(drop)
}

async fn report(event: &Recorded, visit: &Visit, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into visit_report (visit_id, case_id, number, visited_on, recorded_at, office, staff, outcome, place,
            responsible_adult, present, findings, with_offices)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
    )
    .bind(visit.visit_id.to_string())
    .bind(event.id.clone())
    .bind(i64::from(visit.number))
    .bind(visit.visited_on.to_string())
    .bind(event.metadata.recorded_at.as_micros())
    .bind(event.metadata.office.to_string())
    .bind(text(event.metadata.staff.as_ref()))
    .bind(visit.outcome.to_string())
    .bind(text(visit.place))
    .bind(text(visit.responsible_adult))
    .bind(write_codes(&visit.present))
    .bind(write_codes(&visit.findings))
    .bind(write_codes(&visit.with_offices))
    .execute(connection)
    .await
    .map(drop)
}

/// A visit of the plan.
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
    pub first_due_on: String,
    pub next_on: String,
    pub extra: String,
    pub with_offices: String,
    pub handed_over: bool,
    pub contact_lost: bool,
    pub worker: String,
}

impl Entry {
    /// How many days it is overdue on a day; 0 when it is not, or need not be made any more.
    pub fn overdue_days(&self, today: Date) -> i32 {
        let due_on = if self.settled { None } else { self.due_on.parse().ok() };
        due_on.map_or(0, |due_on| today.days_since(due_on).max(0))
    }
}

/// What was reported of a visit.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the wire's VisitReport")]
pub struct Report {
    pub visit_id: String,
    pub number: i64,
    pub visited_on: String,
    pub recorded_at: Timestamp,
    pub office: String,
    pub staff: String,
    pub outcome: String,
    pub place: String,
    pub responsible_adult: String,
    pub present: String,
    pub findings: String,
    pub with_offices: String,
}

const COLUMNS: &str = "visit.case_id, coalesce(case_number, ''), number, due_on, settled, visited_on, outcome,
    recorded_at, first_due_on, next_on, extra, with_offices,
    cast(case when follow_up.state = 'handed_over' and keeper = $1 then 1 else 0 end as bigint),
    cast(case when lost_on is null then 0 else 1 end as bigint), coalesce(worker, '')
    from visit
    left join follow_up on follow_up.case_id = visit.case_id
    left join case_standing on case_standing.case_id = visit.case_id and case_standing.office = $1
    left join lost_contact on lost_contact.case_id = visit.case_id
    left join assignment on assignment.office = $1 and duty = 'case' and item = visit.case_id";

/// The visits of a case in their order, numbered as an office knows the case.
pub async fn of_case(
    case: CaseId,
    office: &OfficeId,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<Entry>, sqlx::Error> {
    let statement = format!("select {COLUMNS} where visit.case_id = $2 order by due_on, number");
    let rows = sqlx::query(sqlx::AssertSqlSafe(statement))
        .bind(office.as_str())
        .bind(case.to_string())
        .fetch_all(executor)
        .await?;
    rows.iter().map(entry).collect()
}

/// What an office has to visit up to a day, the most overdue first: the visits of the cases that it holds now, those
/// that it took up, and those that it handed over and the new office has not taken up.
pub async fn due(
    office: &OfficeId,
    until: Date,
    limit: i64,
    offset: i64,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<Entry>, sqlx::Error> {
    let statement = format!(
        "select {COLUMNS}
         where settled = 0 and due_on <= $2 and follow_up.state <> 'closed'
           and (standing = 'HOLDS' or keeper = $1 and (follow_up.state = 'handed_over'
                or follow_up.state = 'open' and coalesce(standing, '') <> 'HELD'))
         order by due_on, visit.case_id, number
         limit $3 offset $4"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(statement))
        .bind(office.as_str())
        .bind(until.to_string())
        .bind(limit)
        .bind(offset)
        .fetch_all(executor)
        .await?;
    rows.iter().map(entry).collect()
}

/// What was reported of the visits of a case, by the day in the field.
pub async fn reports(case: CaseId, executor: impl Executor<'_, Database = Any>) -> Result<Vec<Report>, sqlx::Error> {
    let rows = sqlx::query(
        "select visit_id, number, visited_on, recorded_at, office, staff, outcome, place, responsible_adult, present,
            findings, with_offices
         from visit_report where case_id = $1 order by visited_on, recorded_at, visit_id",
    )
    .bind(case.to_string())
    .fetch_all(executor)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Report {
                visit_id: row.try_get(0)?,
                number: row.try_get(1)?,
                visited_on: row.try_get(2)?,
                recorded_at: Timestamp::from_micros(row.try_get(3)?),
                office: row.try_get(4)?,
                staff: row.try_get(5)?,
                outcome: row.try_get(6)?,
                place: row.try_get(7)?,
                responsible_adult: row.try_get(8)?,
                present: row.try_get(9)?,
                findings: row.try_get(10)?,
                with_offices: row.try_get(11)?,
            })
        })
        .collect()
}

fn entry(row: &AnyRow) -> Result<Entry, sqlx::Error> {
    Ok(Entry {
        case_id: row.try_get(0)?,
        case_number: row.try_get(1)?,
        number: row.try_get(2)?,
        due_on: row.try_get(3)?,
        settled: row.try_get::<i64, _>(4)? == 1,
        visited_on: row.try_get(5)?,
        outcome: row.try_get(6)?,
        recorded_at: row.try_get::<Option<i64>, _>(7)?.map(Timestamp::from_micros),
        first_due_on: row.try_get(8)?,
        next_on: row.try_get(9)?,
        extra: row.try_get(10)?,
        with_offices: row.try_get(11)?,
        handed_over: row.try_get::<i64, _>(12)? == 1,
        contact_lost: row.try_get::<i64, _>(13)? == 1,
        worker: row.try_get(14)?,
    })
}
