//! Pairs of cases: those that may be of one person and wait for somebody's judgement, and those that were judged.

use spean_eventstore::{BoxFuture, ReadModel, Recorded};
use spean_vocabulary::OfficeId;
use sqlx::{Any, AnyConnection, Executor, Row as _};

use crate::case::{Case, Event};

/// Table, projection and queries of the pairs.
pub struct Pairs;

impl ReadModel for Pairs {
    fn name(&self) -> &'static str {
        "pairs"
    }

    fn version(&self) -> i64 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["case_pair"]
    }

    fn ddl(&self) -> &'static [&'static str] {
        // Each pair stands twice, once for each side, so that either office finds it.
        &["create table case_pair (
                case_id text not null,
                other_case_id text not null,
                state text not null,
                score bigint not null,
                reasons text not null,
                found_at bigint not null,
                primary key (case_id, other_case_id)
            )"]
    }

    fn apply<'a>(
        &'a self,
        event: &'a Recorded,
        connection: &'a mut AnyConnection,
    ) -> BoxFuture<'a, Result<(), sqlx::Error>> {
        Box::pin(async move {
            let Some(Ok(what)) = event.event::<Case>() else { return Ok(()) };
            apply(event, what, connection).await
        })
    }
}

async fn apply(recorded: &Recorded, event: Event, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    let case = recorded.id.as_str();
    match event {
        Event::PossibleDuplicateFound { other, score, reasons } => {
            let other = other.to_string();
            for (one, two) in [(case, other.as_str()), (other.as_str(), case)] {
                sqlx::query(
                    "insert into case_pair (case_id, other_case_id, state, score, reasons, found_at)
                     values ($1, $2, 'POSSIBLE', $3, $4, $5) on conflict (case_id, other_case_id) do nothing",
                )
                .bind(one.to_owned())
                .bind(two.to_owned())
                .bind(i64::from(score))
                .bind(reasons.join(","))
                .bind(recorded.metadata.recorded_at.as_micros())
                .execute(&mut *connection)
                .await?;
            }
            Ok(())
        }
        Event::Linked { other, .. } | Event::MergedInto { into: other, .. } | Event::Absorbed { other, .. } => {
            judge(recorded, &other.to_string(), "LINKED", connection).await
        }
        Event::Unlinked { other, .. } => judge(recorded, &other.to_string(), "UNLINKED", connection).await,
        Event::DuplicateRuledOut { other, .. } => judge(recorded, &other.to_string(), "RULED_OUT", connection).await,
        // Nobody can judge any more.
        Event::PersonErased { .. } => {
            sqlx::query("delete from case_pair where state = 'POSSIBLE' and (case_id = $1 or other_case_id = $1)")
                .bind(case.to_owned())
                .execute(connection)
                .await?;
            Ok(())
        }
        _ => Ok(()),
    }
}

async fn judge(
    recorded: &Recorded,
    other: &str,
    state: &str,
    connection: &mut AnyConnection,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into case_pair (case_id, other_case_id, state, score, reasons, found_at)
         values ($1, $2, $3, 0, '', $4)
         on conflict (case_id, other_case_id) do update set state = excluded.state",
    )
    .bind(recorded.id.clone())
    .bind(other.to_owned())
    .bind(state.to_owned())
    .bind(recorded.metadata.recorded_at.as_micros())
    .execute(connection)
    .await?;
    Ok(())
}

/// Two cases that may be of one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The case that the office holds.
    pub case_id: String,
    /// Its number.
    pub case_number: String,
    /// The other case.
    pub other_case_id: String,
    /// Its number.
    pub other_case_number: String,
    /// How alike, 0 to 100.
    pub score: i64,
    /// Why.
    pub reasons: Vec<String>,
    /// When it was noticed, in microseconds since the epoch.
    pub found_at: i64,
}

/// The pairs that an office has to judge: one of the two is a case that it holds. The likeliest first, then the oldest.
pub async fn to_judge(
    office: &OfficeId,
    limit: i64,
    offset: i64,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<Pair>, sqlx::Error> {
    let rows = sqlx::query(
        "select case_pair.case_id, coalesce(one.case_number, ''), other_case_id, coalesce(other.case_number, ''),
            score, reasons, found_at
         from case_pair
         join case_standing on case_standing.case_id = case_pair.case_id and case_standing.office = $1
            and case_standing.standing = 'HOLDS'
         left join case_file one on one.case_id = case_pair.case_id
         left join case_file other on other.case_id = case_pair.other_case_id
         where state = 'POSSIBLE'
         order by score desc, found_at, case_pair.case_id, other_case_id limit $2 offset $3",
    )
    .bind(office.as_str())
    .bind(limit)
    .bind(offset)
    .fetch_all(executor)
    .await?;
    let pair = |row: &sqlx::any::AnyRow| {
        let reasons: String = row.try_get(5)?;
        Ok(Pair {
            case_id: row.try_get(0)?,
            case_number: row.try_get(1)?,
            other_case_id: row.try_get(2)?,
            other_case_number: row.try_get(3)?,
            score: row.try_get(4)?,
            reasons: reasons.split(',').filter(|reason| !reason.is_empty()).map(str::to_owned).collect(),
            found_at: row.try_get(6)?,
        })
    };
    rows.iter().map(pair).collect()
}

/// The cases that may be, and those that were linked as, of the same person as one: `POSSIBLE` or `LINKED`.
pub async fn of_case(
    case: &str,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<(String, String)>, sqlx::Error> {
    let rows = sqlx::query(
        "select other_case_id, state from case_pair where case_id = $1 and state in ('POSSIBLE', 'LINKED')
         order by other_case_id",
    )
    .bind(case)
    .fetch_all(executor)
    .await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}
