//! The requests that an office looks at: which step of each is due, in whose hands, since when, and which are late.

use spean_eventstore::{BoxFuture, ReadModel, Recorded};
use spean_vocabulary::{Date, OfficeId, StaffId};
use sqlx::any::AnyRow;
use sqlx::{Any, AnyConnection, Executor, Row as _};
use strum::IntoEnumIterator as _;

use crate::request::{Due, Event, Owner, Request};
use crate::words::{RepatriationState as Standing, RepatriationStep as Step};

/// Tables and projection of the requests.
pub struct Requests;

impl ReadModel for Requests {
    fn name(&self) -> &'static str {
        "repatriation_requests"
    }

    fn version(&self) -> i64 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["repatriation_request", "repatriation_step", "repatriation_party"]
    }

    fn ddl(&self) -> &'static [&'static str] {
        &[
            "create table repatriation_request (
                request_id text primary key,
                office text not null,
                opened_position bigint not null,
                direction text not null,
                country text not null,
                requested_on text not null,
                state text not null,
                step text not null,
                since text not null,
                due_on text not null,
                ended_on text not null,
                people bigint not null,
                received bigint not null,
                denied bigint not null
            )",
            "create index repatriation_request_due on repatriation_request (state, due_on, opened_position)",
            "create table repatriation_step (
                request_id text not null,
                step text not null,
                office text not null,
                staff_function text not null,
                staff text not null,
                closed bigint not null,
                primary key (request_id, step)
            )",
            "create index repatriation_step_staff on repatriation_step (office, staff, closed)",
            "create table repatriation_party (
                office text not null,
                request_id text not null,
                primary key (office, request_id)
            )",
        ]
    }

    fn apply<'a>(
        &'a self,
        event: &'a Recorded,
        connection: &'a mut AnyConnection,
    ) -> BoxFuture<'a, Result<(), sqlx::Error>> {
        Box::pin(async move {
            let Some(Ok(what)) = event.event::<Request>() else { return Ok(()) };
            apply(event, what, connection).await
        })
    }
}

async fn apply(recorded: &Recorded, event: Event, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    let request = recorded.id.as_str();
    match event {
        Event::Opened { office, direction, country, people, owner, requested_on, first } => {
            sqlx::query(
                "insert into repatriation_request (request_id, office, opened_position, direction, country,
                    requested_on, state, step, since, due_on, ended_on, people, received, denied)
                 values ($1, $2, $3, $4, $5, $6, 'under_way', '', '', '', '', $7, 0, 0)",
            )
            .bind(request)
            .bind(office.as_str())
            .bind(recorded.position)
            .bind(direction.to_string())
            .bind(country)
            .bind(requested_on.to_string())
            .bind(i64::try_from(people.len()).unwrap_or(i64::MAX))
            .execute(&mut *connection)
            .await?;
            for step in Step::iter() {
                hand_to(request, step, &owner, &mut *connection).await?;
            }
            concern(request, &office, &mut *connection).await?;
            due(request, first, connection).await
        }
        Event::StepCompleted { step, next, .. } | Event::StepSkipped { step, next, .. } => {
            close(request, step, &mut *connection).await?;
            match next {
                Some(next) => due(request, next, connection).await,
                None => Ok(()),
            }
        }
        Event::TravelArranged { travel, next, .. } => {
            close(request, Step::Travel, &mut *connection).await?;
            if let Some(office) = travel.receiving_office {
                concern(request, &office, &mut *connection).await?;
            }
            due(request, next, connection).await
        }
        Event::Received { .. } => count(request, 1, 0, connection).await,
        Event::TakenOff { people, reason, .. } => {
            let denied = reason.state() == Standing::NationalityDenied;
            let denied = if denied { i64::try_from(people.len()).unwrap_or(i64::MAX) } else { 0 };
            count(request, 0, denied, connection).await
        }
        Event::Ended { standing, on } => {
            for step in Step::iter() {
                close(request, step, &mut *connection).await?;
            }
            sqlx::query(
                "update repatriation_request set state = $2, ended_on = $3, step = '', since = '', due_on = ''
                 where request_id = $1",
            )
            .bind(request)
            .bind(standing.to_string())
            .bind(on.to_string())
            .execute(connection)
            .await?;
            Ok(())
        }
        Event::Delegated { step, to, .. } => hand_to(request, step, &to, connection).await,
    }
}

async fn hand_to(request: &str, step: Step, to: &Owner, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into repatriation_step (request_id, step, office, staff_function, staff, closed)
         values ($1, $2, $3, $4, $5, 0)
         on conflict (request_id, step) do update set office = excluded.office,
            staff_function = excluded.staff_function, staff = excluded.staff",
    )
    .bind(request)
    .bind(step.to_string())
    .bind(to.office.as_str())
    .bind(to.function.to_string())
    .bind(to.staff.as_ref().map(ToString::to_string).unwrap_or_default())
    .execute(&mut *connection)
    .await?;
    concern(request, &to.office, connection).await
}

async fn concern(request: &str, office: &OfficeId, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    sqlx::query("insert into repatriation_party (office, request_id) values ($1, $2) on conflict do nothing")
        .bind(office.as_str())
        .bind(request)
        .execute(connection)
        .await?;
    Ok(())
}

async fn close(request: &str, step: Step, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    sqlx::query("update repatriation_step set closed = 1 where request_id = $1 and step = $2")
        .bind(request)
        .bind(step.to_string())
        .execute(connection)
        .await?;
    Ok(())
}

async fn due(request: &str, due: Due, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    sqlx::query("update repatriation_request set step = $2, since = $3, due_on = $4 where request_id = $1")
        .bind(request)
        .bind(due.step.to_string())
        .bind(due.since.to_string())
        .bind(due.due_on.to_string())
        .execute(connection)
        .await?;
    Ok(())
}

async fn count(request: &str, received: i64, denied: i64, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    sqlx::query("update repatriation_request set received = received + $2, denied = denied + $3 where request_id = $1")
        .bind(request)
        .bind(received)
        .bind(denied)
        .execute(connection)
        .await?;
    Ok(())
}

/// Which requests are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// Those under way.
    Open,
    /// Those under way whose step is overdue.
    Late,
    /// Those that denied somebody's nationality.
    NationalityDenied,
    /// Those that have ended.
    Ended,
}

/// A request in a list. What does not apply is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the wire's RepatriationSummary")]
pub struct Entry {
    pub request_id: String,
    pub office: String,
    pub direction: String,
    pub country: String,
    pub requested_on: String,
    pub state: String,
    pub step: String,
    pub since: String,
    pub due_on: String,
    pub people: i64,
    pub received: i64,
    pub denied: i64,
    pub owner_office: String,
    pub owner_function: String,
    pub owner_staff: String,
}

const COLUMNS: &str =
    "request.request_id, request.office, direction, country, requested_on, state, request.step, since,
    due_on, people, received, denied, coalesce(step.office, ''), coalesce(staff_function, ''), coalesce(staff, '')";
const TABLES: &str = "repatriation_request request
    join repatriation_party party on party.request_id = request.request_id
    left join repatriation_step step on step.request_id = request.request_id and step.step = request.step";

/// The requests that concern an office, the one that is due first comes first.
pub async fn of_office(
    office: &OfficeId,
    view: View,
    step: Option<Step>,
    today: Date,
    (limit, offset): (i64, i64),
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<Entry>, sqlx::Error> {
    let wanted = match view {
        View::Open => "state = 'under_way'",
        View::Late => "state = 'under_way' and due_on < $3",
        View::NationalityDenied => "denied > 0",
        View::Ended => "state <> 'under_way'",
    };
    // The parameters are all used in every view: one of the databases insists on knowing their types.
    let sql = format!(
        "select {COLUMNS} from {TABLES}
         where party.office = $1 and ($2 = '' or request.step = $2) and $3 <> '' and {wanted}
         order by due_on, ended_on desc, opened_position limit $4 offset $5"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(office.as_str())
        .bind(step.map(|step| step.to_string()).unwrap_or_default())
        .bind(today.to_string())
        .bind(limit)
        .bind(offset)
        .fetch_all(executor)
        .await?;
    rows.iter().map(entry).collect()
}

/// One request that concerns an office; none when there is no such request, or it does not.
pub async fn find(
    request: &str,
    office: &OfficeId,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Option<Entry>, sqlx::Error> {
    let sql = format!("select {COLUMNS} from {TABLES} where party.office = $1 and request.request_id = $2");
    let row =
        sqlx::query(sqlx::AssertSqlSafe(sql)).bind(office.as_str()).bind(request).fetch_optional(executor).await?;
    row.as_ref().map(entry).transpose()
}

/// The steps that a member of staff has at an office and that are not closed, as pairs of request and step.
pub async fn steps_of(
    staff: &StaffId,
    office: &OfficeId,
    connection: &mut AnyConnection,
) -> Result<Vec<(String, Step)>, sqlx::Error> {
    let rows = sqlx::query(
        "select request_id, step from repatriation_step where office = $1 and staff = $2 and closed = 0
         order by request_id, step",
    )
    .bind(office.as_str())
    .bind(staff.as_str())
    .fetch_all(connection)
    .await?;
    let step = |row: &AnyRow| {
        let step = row.try_get::<String, _>(1)?.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
        Ok((row.try_get(0)?, step))
    };
    rows.iter().map(step).collect()
}

fn entry(row: &AnyRow) -> Result<Entry, sqlx::Error> {
    Ok(Entry {
        request_id: row.try_get(0)?,
        office: row.try_get(1)?,
        direction: row.try_get(2)?,
        country: row.try_get(3)?,
        requested_on: row.try_get(4)?,
        state: row.try_get(5)?,
        step: row.try_get(6)?,
        since: row.try_get(7)?,
        due_on: row.try_get(8)?,
        people: row.try_get(9)?,
        received: row.try_get(10)?,
        denied: row.try_get(11)?,
        owner_office: row.try_get(12)?,
        owner_function: row.try_get(13)?,
        owner_staff: row.try_get(14)?,
    })
}
