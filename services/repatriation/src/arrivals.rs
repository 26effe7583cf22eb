//! The list of arrivals that a transit centre looks at, and the comparison that shows whether anybody is missing.

use spean_eventstore::{BoxFuture, ReadModel, Recorded};
use spean_vocabulary::{ArrivalId, Date, Need, OfficeId};
use sqlx::any::AnyRow;
use sqlx::{Any, AnyConnection, Executor, Row as _};

use crate::arrival::{Arrival, Event};

/// Table and projection of the arrivals.
pub struct Arrivals;

impl ReadModel for Arrivals {
    fn name(&self) -> &'static str {
        "arrivals"
    }

    fn version(&self) -> i64 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["arrival"]
    }

    fn ddl(&self) -> &'static [&'static str] {
        &[
            "create table arrival (
                arrival_id text primary key,
                office text not null,
                registered_position bigint not null,
                arrived_on text not null,
                case_number text not null,
                needs text not null,
                nights bigint not null,
                accepted_by text not null,
                departure text not null,
                departed_on text not null,
                sex text not null,
                age_band text not null,
                home_place text not null
            )",
            "create index arrival_office on arrival (office, arrived_on, registered_position)",
        ]
    }

    fn apply<'a>(
        &'a self,
        event: &'a Recorded,
        connection: &'a mut AnyConnection,
    ) -> BoxFuture<'a, Result<(), sqlx::Error>> {
        Box::pin(async move {
            let Some(Ok(what)) = event.event::<Arrival>() else { return Ok(()) };
            apply(&event.id, event.position, what, connection).await
        })
    }
}

async fn apply(arrival: &str, position: i64, event: Event, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    let statement = match event {
        Event::Registered { office, circumstances, codes, needs, .. } => sqlx::query(
            "insert into arrival (arrival_id, office, registered_position, arrived_on, case_number, needs, nights,
                accepted_by, departure, departed_on, sex, age_band, home_place)
             values ($1, $2, $3, $4, '', $5, 0, '', '', '', $6, $7, $8)",
        )
        .bind(arrival.to_owned())
        .bind(office.to_string())
        .bind(position)
        .bind(circumstances.arrived_on.to_string())
        .bind(words(&needs))
        .bind(codes.sex.to_string())
        .bind(codes.age_band.to_string())
        .bind(codes.home_place.map(|place| place.to_string()).unwrap_or_default()),
        Event::CaseOpened { case_number } => sqlx::query("update arrival set case_number = $2 where arrival_id = $1")
            .bind(arrival.to_owned())
            .bind(case_number.to_string()),
        Event::NeedsRecorded { needs, .. } => sqlx::query("update arrival set needs = $2 where arrival_id = $1")
            .bind(arrival.to_owned())
            .bind(words(&needs)),
        Event::Stayed { .. } => {
            sqlx::query("update arrival set nights = nights + 1 where arrival_id = $1").bind(arrival.to_owned())
        }
        Event::Accepted { office, .. } => accepted_by(arrival, office.as_str()),
        Event::TakenBack { .. } => accepted_by(arrival, ""),
        Event::Departed { kind, on, .. } => {
            sqlx::query("update arrival set departure = $2, departed_on = $3 where arrival_id = $1")
                .bind(arrival.to_owned())
                .bind(kind.to_string())
                .bind(on.to_string())
        }
    };
    statement.execute(connection).await?;
    Ok(())
}

fn accepted_by(arrival: &str, office: &str) -> sqlx::query::Query<'static, Any, sqlx::any::AnyArguments> {
    sqlx::query("update arrival set accepted_by = $2 where arrival_id = $1")
        .bind(arrival.to_owned())
        .bind(office.to_owned())
}

fn words<'n>(needs: impl IntoIterator<Item = &'n Need>) -> String {
    needs.into_iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

/// A row of the list. What is not known or has not happened is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the wire's Arrival")]
pub struct Entry {
    pub arrival_id: String,
    pub case_number: String,
    pub arrived_on: String,
    pub needs: Vec<String>,
    pub nights: i64,
    pub accepted_by: String,
    pub departure: String,
    pub departed_on: String,
    pub sex: String,
    pub age_band: String,
    pub home_place: String,
}

/// The arrivals at an office, the latest first.
pub async fn of_office(
    office: &OfficeId,
    present_only: bool,
    limit: i64,
    offset: i64,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<Entry>, sqlx::Error> {
    let present = if present_only { "and departure = ''" } else { "" };
    let sql = format!(
        "select arrival_id, case_number, arrived_on, needs, nights, accepted_by, departure, departed_on, sex, age_band,
            home_place
         from arrival where office = $1 {present}
         order by arrived_on desc, registered_position desc limit $2 offset $3"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(office.as_str())
        .bind(limit)
        .bind(offset)
        .fetch_all(executor)
        .await?;
    rows.iter().map(entry).collect()
}

/// Arrivals compared with departures. Always arrived = present + handed over + left of their own will.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reconciliation {
    /// People who arrived.
    pub arrived: i64,
    /// Still here.
    pub present: i64,
    /// Handed over.
    pub handed_over: i64,
    /// Left of their own will.
    pub own_will: i64,
    /// Nights in all.
    pub bed_nights: i64,
    /// Those still here whom nobody has accepted, the longest here first.
    pub waiting: Vec<String>,
}

/// Compares, for the people who arrived at an office from one day to another, both included.
pub async fn reconcile<'e, E>(
    office: &OfficeId,
    from: Option<Date>,
    to: Date,
    executor: &'e E,
) -> Result<Reconciliation, sqlx::Error>
where
    &'e E: Executor<'e, Database = Any>,
{
    let from = from.map(|from| from.to_string()).unwrap_or_default();
    let rows = sqlx::query(
        "select departure, count(*), cast(sum(nights) as bigint) from arrival
         where office = $1 and arrived_on >= $2 and arrived_on <= $3 group by departure",
    )
    .bind(office.as_str())
    .bind(&from)
    .bind(to.to_string())
    .fetch_all(executor)
    .await?;
    let mut reconciliation = Reconciliation::default();
    for row in rows {
        let (departure, people, nights): (String, i64, i64) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        reconciliation.arrived += people;
        reconciliation.bed_nights += nights;
        match departure.as_str() {
            "" => reconciliation.present += people,
            "handed_over" => reconciliation.handed_over += people,
            _ => reconciliation.own_will += people,
        }
    }
    let rows = sqlx::query(
        "select arrival_id from arrival
         where office = $1 and arrived_on >= $2 and arrived_on <= $3 and departure = '' and accepted_by = ''
         order by arrived_on, registered_position",
    )
    .bind(office.as_str())
    .bind(&from)
    .bind(to.to_string())
    .fetch_all(executor)
    .await?;
    reconciliation.waiting = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    Ok(reconciliation)
}

/// Whether a case of this id is known that did not begin with an arrival here: its person must not be overwritten.
/// Asks the table of [`spean_chassis::standing`].
pub async fn is_case_elsewhere(
    arrival: ArrivalId,
    executor: impl Executor<'_, Database = Any>,
) -> Result<bool, sqlx::Error> {
    let row = sqlx::query("select 1 from case_standing where case_id = $1 limit 1")
        .bind(arrival.to_string())
        .fetch_optional(executor)
        .await?;
    Ok(row.is_some())
}

fn entry(row: &AnyRow) -> Result<Entry, sqlx::Error> {
    let needs: String = row.try_get(3)?;
    Ok(Entry {
        arrival_id: row.try_get(0)?,
        case_number: row.try_get(1)?,
        arrived_on: row.try_get(2)?,
        needs: needs.split(',').filter(|need| !need.is_empty()).map(str::to_owned).collect(),
        nights: row.try_get(4)?,
        accepted_by: row.try_get(5)?,
        departure: row.try_get(6)?,
        departed_on: row.try_get(7)?,
        sex: row.try_get(8)?,
        age_band: row.try_get(9)?,
        home_place: row.try_get(10)?,
    })
}
