//! Who held each case, from when until when, as the desk told it.

use spean_contracts::referral::v1::{Standing, StandingChanged};
use spean_eventstore::Tables;
use spean_vocabulary::{OfficeId, Timestamp};
use sqlx::{Any, AnyConnection, Executor, Row as _};

/// The table of the holders.
pub const TABLES: Tables = Tables {
    name: "holders",
    steps: &["create table case_holder (
        case_id text not null,
        number bigint not null,
        office text not null,
        held_from bigint,
        held_until bigint,
        primary key (case_id, number)
    )"],
};

/// An office that held a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The office.
    pub office: String,
    /// From when, as far as was told.
    pub held_from: Option<i64>,
    /// Until when; none while it holds it.
    pub held_until: Option<i64>,
}

/// Notes what the desk told of the holder. Told twice it changes nothing.
pub async fn record(told: &StandingChanged, now: Timestamp, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    let (case, office, other) = (&told.case_id, &told.office_id, &told.other_office_id);
    let holds_now = if told.standing() == Standing::Holds { office } else { other };
    if !holds_now.is_empty() && is_held_by(case, holds_now, connection).await? {
        return Ok(());
    }
    match told.standing() {
        Standing::Holds => {
            if !other.is_empty() {
                end(case, other, now, connection).await?;
            }
            begin(case, office, now, connection).await
        }
        Standing::Held => {
            end(case, office, now, connection).await?;
            if other.is_empty() { Ok(()) } else { begin(case, other, now, connection).await }
        }
        _ => Ok(()),
    }
}

/// Notes that the office that opened a case holds it.
pub async fn open(
    case: &str,
    office: &OfficeId,
    now: Timestamp,
    connection: &mut AnyConnection,
) -> Result<(), sqlx::Error> {
    let row = sqlx::query("select count(*) from case_holder where case_id = $1")
        .bind(case.to_owned())
        .fetch_one(&mut *connection)
        .await?;
    // Asked again, the case may have moved on since.
    if row.try_get::<i64, _>(0)? == 0 { begin(case, office.as_str(), now, connection).await } else { Ok(()) }
}

async fn begin(case: &str, office: &str, now: Timestamp, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    if is_held_by(case, office, connection).await? {
        return Ok(());
    }
    add(case, office, Some(now), None, connection).await
}

async fn is_held_by(case: &str, office: &str, connection: &mut AnyConnection) -> Result<bool, sqlx::Error> {
    let latest = latest(case, connection).await?;
    Ok(latest.is_some_and(|(_, holder)| holder.office == office && holder.held_until.is_none()))
}

/// An office of which nothing was known is noted with its end alone.
async fn end(case: &str, office: &str, now: Timestamp, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    match latest(case, connection).await? {
        Some((number, holder)) if holder.held_until.is_none() => {
            sqlx::query("update case_holder set held_until = $3 where case_id = $1 and number = $2")
                .bind(case.to_owned())
                .bind(number)
                .bind(now.as_micros())
                .execute(&mut *connection)
                .await?;
            if holder.office == office { Ok(()) } else { add(case, office, None, Some(now), connection).await }
        }
        // Told before.
        Some((_, holder)) if holder.office == office => Ok(()),
        _ => add(case, office, None, Some(now), connection).await,
    }
}

async fn add(
    case: &str,
    office: &str,
    from: Option<Timestamp>,
    until: Option<Timestamp>,
    connection: &mut AnyConnection,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into case_holder (case_id, number, office, held_from, held_until)
         values ($1, (select coalesce(max(number), 0) + 1 from case_holder where case_id = $1), $2, $3, $4)",
    )
    .bind(case.to_owned())
    .bind(office.to_owned())
    .bind(from.map(Timestamp::as_micros))
    .bind(until.map(Timestamp::as_micros))
    .execute(connection)
    .await?;
    Ok(())
}

async fn latest(case: &str, connection: &mut AnyConnection) -> Result<Option<(i64, Holder)>, sqlx::Error> {
    let row = sqlx::query(
        "select office, held_from, held_until, number from case_holder where case_id = $1
         order by number desc limit 1",
    )
    .bind(case.to_owned())
    .fetch_optional(connection)
    .await?;
    row.map(|row| Ok((row.try_get(3)?, holder(&row)?))).transpose()
}

/// Who held a case, the first one first.
pub async fn of_case(case: &str, executor: impl Executor<'_, Database = Any>) -> Result<Vec<Holder>, sqlx::Error> {
    let rows = sqlx::query("select office, held_from, held_until from case_holder where case_id = $1 order by number")
        .bind(case)
        .fetch_all(executor)
        .await?;
    rows.iter().map(holder).collect()
}

fn holder(row: &sqlx::any::AnyRow) -> Result<Holder, sqlx::Error> {
    Ok(Holder { office: row.try_get(0)?, held_from: row.try_get(1)?, held_until: row.try_get(2)? })
}
