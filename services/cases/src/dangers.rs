//! What endangers the people whose cases an office has: a list that is looked at before any other.

use spean_eventstore::{BoxFuture, ReadModel, Recorded};
use spean_vocabulary::OfficeId;
use sqlx::{Any, AnyConnection, Executor, Row as _};

use crate::case::words::Severity;
use crate::case::{Case, Event};

/// Table, projection and queries of the dangers.
pub struct Dangers;

impl ReadModel for Dangers {
    fn name(&self) -> &'static str {
        "dangers"
    }

    fn version(&self) -> i64 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["case_risk"]
    }

    fn ddl(&self) -> &'static [&'static str] {
        &["create table case_risk (
                case_id text not null,
                risk_id text not null,
                kind text not null,
                severity text not null,
                weight bigint not null,
                raised_on text not null,
                raised_by text not null,
                lowered_on text not null,
                primary key (case_id, risk_id)
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
                Event::RiskRaised { risk_id, risk } => sqlx::query(
                    "insert into case_risk (case_id, risk_id, kind, severity, weight, raised_on, raised_by, lowered_on)
                     values ($1, $2, $3, $4, $5, $6, $7, '')",
                )
                .bind(event.id.clone())
                .bind(risk_id.to_string())
                .bind(risk.kind.to_string())
                .bind(risk.severity.to_string())
                .bind(weight(risk.severity))
                .bind(risk.raised_on.to_string())
                .bind(event.metadata.staff.as_ref().map(ToString::to_string).unwrap_or_default()),
                Event::RiskLowered { risk_id, lowered_on } => {
                    sqlx::query("update case_risk set lowered_on = $3 where case_id = $1 and risk_id = $2")
                        .bind(event.id.clone())
                        .bind(risk_id.to_string())
                        .bind(lowered_on.to_string())
                }
                // There is nobody left to act for.
                Event::PersonErased { .. } => {
                    sqlx::query("delete from case_risk where case_id = $1").bind(event.id.clone())
                }
                _ => return Ok(()),
            };
            statement.execute(connection).await?;
            Ok(())
        })
    }
}

const fn weight(severity: Severity) -> i64 {
    match severity {
        Severity::Watch => 1,
        Severity::Serious => 2,
        Severity::Acute => 3,
    }
}

/// A danger and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the wire's RaisedRisk")]
pub struct Danger {
    pub case_id: String,
    pub case_number: String,
    pub risk_id: String,
    pub kind: String,
    pub severity: String,
    pub raised_on: String,
    pub raised_by: String,
}

const DANGER: &str =
    "select case_risk.case_id, coalesce(case_file.case_number, ''), risk_id, kind, severity, raised_on,
    raised_by from case_risk left join case_file on case_file.case_id = case_risk.case_id";

/// The dangers that last in the cases that an office holds or helps with: the gravest first, then the oldest.
pub async fn of_office(
    office: &OfficeId,
    limit: i64,
    offset: i64,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<Danger>, sqlx::Error> {
    let sql = format!(
        "{DANGER} join case_standing on case_standing.case_id = case_risk.case_id and case_standing.office = $1
            and case_standing.standing in ('HOLDS', 'HELPS', 'BOUND')
         where lowered_on = '' order by weight desc, raised_on, case_risk.case_id, risk_id limit $2 offset $3"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(office.as_str())
        .bind(limit)
        .bind(offset)
        .fetch_all(executor)
        .await?;
    rows.iter().map(danger).collect()
}

/// The dangers that last in one case: the gravest first, then the oldest.
pub async fn of_case(case: &str, executor: impl Executor<'_, Database = Any>) -> Result<Vec<Danger>, sqlx::Error> {
    let sql =
        format!("{DANGER} where case_risk.case_id = $1 and lowered_on = '' order by weight desc, raised_on, risk_id");
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(case).fetch_all(executor).await?;
    rows.iter().map(danger).collect()
}

fn danger(row: &sqlx::any::AnyRow) -> Result<Danger, sqlx::Error> {
    Ok(Danger {
        case_id: row.try_get(0)?,
        case_number: row.try_get(1)?,
        risk_id: row.try_get(2)?,
        kind: row.try_get(3)?,
        severity: row.try_get(4)?,
        raised_on: row.try_get(5)?,
        raised_by: row.try_get(6)?,
    })
}
