//! What waits: plans and looks at plans, placements of children, families that are looked for. Tables, projection and
//! queries together.

use spean_eventstore::Recorded;
use spean_vocabulary::{Date, OfficeId};
use sqlx::{Any, AnyConnection, Executor, Row as _};

use crate::care::{Care, Event as CareEvent};
use crate::homecoming::{CareOption, Event as HomeEvent, Homecoming, Recommendation, TracingOutcome};
use crate::house::Event as HouseEvent;

/// What is due for residents, by kind.
pub(crate) const CARE_DUE: &str = "create table care_due (
    office text not null,
    case_id text not null,
    kind text not null,
    due_on text not null,
    primary key (office, case_id, kind)
);
create index care_due_on on care_due (office, due_on)";

/// What each search for a family waits for.
pub(crate) const TRACING_STEP: &str = "create table tracing_step (
    office text not null,
    case_id text not null,
    offer_id text not null,
    step text not null,
    since text not null,
    due_on text not null,
    primary key (office, case_id)
);
create index tracing_step_due on tracing_step (office, due_on)";

/// What is due for somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::Display, strum::EnumString)]
#[strum(serialize_all = "snake_case")]
pub enum Due {
    /// A plan, since the admission.
    Plan,
    /// A look at the plan.
    Review,
    /// A word on why this child lives in an institution.
    Placement,
}

/// What a search for a family waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::Display, strum::EnumString)]
#[strum(serialize_all = "snake_case")]
pub enum Step {
    /// The answer of the home district.
    Answer,
    /// A visit to the family that was found.
    Assessment,
    /// Another visit.
    AssessmentAgain,
    /// Another search.
    SearchAgain,
    /// Another home.
    OtherHome,
}

/// Takes in what happened in a house.
pub(crate) async fn apply_house(
    office: &str,
    event: &HouseEvent,
    connection: &mut AnyConnection,
) -> Result<(), sqlx::Error> {
    match event {
        HouseEvent::Admitted { case_id, group, admitted_on, plan_due_on, .. } => {
            let case = case_id.to_string();
            let due_on = plan_due_on.unwrap_or(*admitted_on);
            fall_due(office, &case, Due::Plan, due_on, connection).await?;
            if group.children {
                fall_due(office, &case, Due::Placement, due_on, connection).await?;
            }
        }
        HouseEvent::Exited { admission_id, .. } => {
            sqlx::query(
                "delete from care_due where office = $1
                   and case_id = (select case_id from stay where stay.office = $1 and admission_id = $2)",
            )
            .bind(office.to_owned())
            .bind(admission_id.to_string())
            .execute(connection)
            .await?;
        }
        _ => {}
    }
    Ok(())
}

/// Takes in what happened in the care for somebody or on their way home.
pub(crate) async fn apply(recorded: &Recorded, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    let Some((office, case)) = recorded.id.split_once('/') else { return Ok(()) };
    if let Some(Ok(event)) = recorded.event::<Care>() {
        if let CareEvent::PlanAgreed { review_due_on, .. } | CareEvent::PlanReviewed { review_due_on, .. } = event {
            done(office, case, Due::Plan, connection).await?;
            fall_due(office, case, Due::Review, review_due_on, connection).await?;
        }
        return Ok(());
    }
    let Some(Ok(event)) = recorded.event::<Homecoming>() else { return Ok(()) };
    match event {
        HomeEvent::TracingRequested { offer, requested_on, answer_due_on } => {
            let offer = offer.to_string();
            step(office, case, Some(&offer), Step::Answer, requested_on, answer_due_on, connection).await
        }
        HomeEvent::TracingAnswered { outcome, answered_on, assessment_due_on, .. } => {
            let next = match outcome {
                TracingOutcome::Found => Step::Assessment,
                TracingOutcome::NotFound => Step::SearchAgain,
                TracingOutcome::FamilyRefuses | TracingOutcome::Unsafe => Step::OtherHome,
            };
            let due_on = assessment_due_on.unwrap_or(answered_on);
            step(office, case, None, next, answered_on, due_on, connection).await
        }
        HomeEvent::FamilyAssessed { assessment, again_due_on } => {
            let assessed_on = assessment.assessed_on;
            match assessment.recommendation {
                Recommendation::Return => at_its_end(office, case, connection).await,
                Recommendation::NotYet => {
                    let due_on = again_due_on.unwrap_or(assessed_on);
                    step(office, case, None, Step::AssessmentAgain, assessed_on, due_on, connection).await
                }
                Recommendation::NotSafe => {
                    step(office, case, None, Step::OtherHome, assessed_on, assessed_on, connection).await
                }
            }
        }
        HomeEvent::PlacementDecided { placement } => {
            done(office, case, Due::Placement, connection).await?;
            if placement.option == CareOption::Permanency {
                at_its_end(office, case, connection).await?;
            }
            Ok(())
        }
        HomeEvent::ReintegrationDecided { .. } => at_its_end(office, case, connection).await,
    }
}

/// Only for residents: nothing is due for somebody who left.
async fn fall_due(
    office: &str,
    case: &str,
    kind: Due,
    due_on: Date,
    connection: &mut AnyConnection,
) -> Result<(), sqlx::Error> {
    if kind == Due::Review {
        let stays = sqlx::query("select 1 from stay where office = $1 and case_id = $2 and exited_on = '' limit 1")
            .bind(office.to_owned())
            .bind(case.to_owned())
            .fetch_optional(&mut *connection)
            .await?;
        if stays.is_none() {
            return Ok(());
        }
    }
    sqlx::query(
        "insert into care_due (office, case_id, kind, due_on) values ($1, $2, $3, $4)
         on conflict (office, case_id, kind) do update set due_on = excluded.due_on",
    )
    .bind(office.to_owned())
    .bind(case.to_owned())
    .bind(kind.to_string())
    .bind(due_on.to_string())
    .execute(connection)
    .await?;
    Ok(())
}

async fn done(office: &str, case: &str, kind: Due, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    sqlx::query("delete from care_due where office = $1 and case_id = $2 and kind = $3")
        .bind(office.to_owned())
        .bind(case.to_owned())
        .bind(kind.to_string())
        .execute(connection)
        .await?;
    Ok(())
}

async fn step(
    office: &str,
    case: &str,
    offer: Option<&str>,
    step: Step,
    since: Date,
    due_on: Date,
    connection: &mut AnyConnection,
) -> Result<(), sqlx::Error> {
    // What was entered late does not replace what is known since.
    sqlx::query(
        "insert into tracing_step (office, case_id, offer_id, step, since, due_on) values ($1, $2, $3, $4, $5, $6)
         on conflict (office, case_id) do update set
            offer_id = case when excluded.offer_id = '' then tracing_step.offer_id else excluded.offer_id end,
            step = excluded.step, since = excluded.since, due_on = excluded.due_on
         where tracing_step.since <= excluded.since",
    )
    .bind(office.to_owned())
    .bind(case.to_owned())
    .bind(offer.unwrap_or_default().to_owned())
    .bind(step.to_string())
    .bind(since.to_string())
    .bind(due_on.to_string())
    .execute(connection)
    .await?;
    Ok(())
}

async fn at_its_end(office: &str, case: &str, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    sqlx::query("delete from tracing_step where office = $1 and case_id = $2")
        .bind(office.to_owned())
        .bind(case.to_owned())
        .execute(connection)
        .await?;
    Ok(())
}

/// Something that is due for a resident.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the wire's CareDue")]
pub struct CareDue {
    pub case_id: String,
    pub case_number: String,
    pub kind: String,
    pub due_on: String,
}

/// A family that is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the wire's TracingEntry")]
pub struct TracingEntry {
    pub case_id: String,
    pub case_number: String,
    pub offer_id: String,
    pub step: String,
    pub since: String,
    pub due_on: String,
}

/// What is due at an office up to a day, the most overdue first.
pub async fn care(
    office: &OfficeId,
    until: Date,
    limit: i64,
    offset: i64,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<CareDue>, sqlx::Error> {
    let rows = sqlx::query(
        "select care_due.case_id, coalesce(case_standing.case_number, ''), kind, due_on
         from care_due
         left join case_standing on case_standing.case_id = care_due.case_id and case_standing.office = care_due.office
         where care_due.office = $1 and due_on <= $2
         order by due_on, care_due.case_id, kind
         limit $3 offset $4",
    )
    .bind(office.as_str())
    .bind(until.to_string())
    .bind(limit)
    .bind(offset)
    .fetch_all(executor)
    .await?;
    let due = |row: &sqlx::any::AnyRow| {
        Ok(CareDue {
            case_id: row.try_get(0)?,
            case_number: row.try_get(1)?,
            kind: row.try_get(2)?,
            due_on: row.try_get(3)?,
        })
    };
    rows.iter().map(due).collect()
}

/// The families that an office has looked for, the most overdue first.
pub async fn tracing(
    office: &OfficeId,
    limit: i64,
    offset: i64,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<TracingEntry>, sqlx::Error> {
    let rows = sqlx::query(
        "select tracing_step.case_id, coalesce(case_standing.case_number, ''), tracing_step.offer_id, step, since, due_on
         from tracing_step
         left join case_standing
            on case_standing.case_id = tracing_step.case_id and case_standing.office = tracing_step.office
         where tracing_step.office = $1
         order by due_on, tracing_step.case_id
         limit $2 offset $3",
    )
    .bind(office.as_str())
    .bind(limit)
    .bind(offset)
    .fetch_all(executor)
    .await?;
    let entry = |row: &sqlx::any::AnyRow| {
        Ok(TracingEntry {
            case_id: row.try_get(0)?,
            case_number: row.try_get(1)?,
            offer_id: row.try_get(2)?,
            step: row.try_get(3)?,
            since: row.try_get(4)?,
            due_on: row.try_get(5)?,
        })
    };
    rows.iter().map(entry).collect()
}
