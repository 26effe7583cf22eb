//! The list of arrivals that a transit centre looks at: who is here, in which bed, who waits, and what became of each
//! offer.

use spean_eventstore::{BoxFuture, ReadModel, Recorded};
use spean_vocabulary::{ArrivalId, CaseId, Need, OfficeId, Timestamp};
use sqlx::any::AnyRow;
use sqlx::{Any, AnyConnection, Executor, Row as _};

use crate::arrival::{Arrival, Event};
use crate::words::{BedGroup, OverCapacityReason};

/// Table and projection of the arrivals.
pub struct Arrivals;

impl ReadModel for Arrivals {
    fn name(&self) -> &'static str {
        "arrivals"
    }

    fn version(&self) -> i64 {
        2
    }

    fn tables(&self) -> &'static [&'static str] {
        &["arrival", "arrival_offer", "arrival_same_person"]
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
                home_place text not null,
                route text not null,
                bed text not null,
                over_capacity text not null,
                last_night text not null
            )",
            "create index arrival_office on arrival (office, arrived_on, registered_position)",
            "create table arrival_offer (
                arrival_id text not null,
                offer_id text not null,
                office text not null,
                kind text not null,
                need text not null,
                state text not null,
                answered_at bigint not null,
                primary key (arrival_id, offer_id)
            )",
            "create table arrival_same_person (
                arrival_id text not null,
                case_id text not null,
                primary key (arrival_id, case_id)
            )",
        ]
    }

    fn apply<'a>(
        &'a self,
        event: &'a Recorded,
        connection: &'a mut AnyConnection,
    ) -> BoxFuture<'a, Result<(), sqlx::Error>> {
        Box::pin(async move {
            let Some(Ok(what)) = event.event::<Arrival>() else { return Ok(()) };
            apply(event, what, connection).await
        })
    }
}

async fn apply(recorded: &Recorded, event: Event, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    let id = || recorded.id.clone();
    let statement = match event {
        Event::Registered { office, circumstances, codes, needs, .. } => sqlx::query(
            "insert into arrival (arrival_id, office, registered_position, arrived_on, case_number, needs, nights,
                accepted_by, departure, departed_on, sex, age_band, home_place, route, bed, over_capacity, last_night)
             values ($1, $2, $3, $4, '', $5, 0, '', '', '', $6, $7, $8, $9, '', '', '')",
        )
        .bind(id())
        .bind(office.to_string())
        .bind(recorded.position)
        .bind(circumstances.arrived_on.to_string())
        .bind(words(&needs))
        .bind(codes.sex.to_string())
        .bind(codes.age_band.to_string())
        .bind(codes.home_place.map(|place| place.to_string()).unwrap_or_default())
        .bind(circumstances.route.to_string()),
        Event::CaseOpened { case_number } => sqlx::query("update arrival set case_number = $2 where arrival_id = $1")
            .bind(id())
            .bind(case_number.to_string()),
        Event::NeedsRecorded { needs, .. } => {
            sqlx::query("update arrival set needs = $2 where arrival_id = $1").bind(id()).bind(words(&needs))
        }
        Event::Stayed { night_of, .. } => sqlx::query(
            "update arrival set nights = nights + 1,
                last_night = case when last_night > $2 then last_night else $2 end
             where arrival_id = $1",
        )
        .bind(id())
        .bind(night_of.to_string()),
        Event::BedAssigned { group, over_capacity, .. } => bed(id(), Some(group), over_capacity),
        Event::OfferEnded { offer, office, kind, need, end } => sqlx::query(
            "insert into arrival_offer (arrival_id, offer_id, office, kind, need, state, answered_at)
             values ($1, $2, $3, $4, $5, $6, $7)
             on conflict (arrival_id, offer_id) do update set state = excluded.state,
                answered_at = excluded.answered_at",
        )
        .bind(id())
        .bind(offer.to_string())
        .bind(office.to_string())
        .bind(kind.to_string())
        .bind(need.map(|need| need.to_string()).unwrap_or_default())
        .bind(end.to_string())
        .bind(recorded.metadata.recorded_at.as_micros()),
        Event::SamePersonConfirmed { other, .. } => {
            sqlx::query("insert into arrival_same_person (arrival_id, case_id) values ($1, $2) on conflict do nothing")
                .bind(id())
                .bind(other.to_string())
        }
        Event::Accepted { office, .. } => accepted_by(id(), office.as_str()),
        Event::TakenBack { .. } => accepted_by(id(), ""),
        Event::FoundAgain { .. } => departed(id(), String::new(), String::new()),
        Event::Departed { kind, on, .. } => departed(id(), kind.to_string(), on.to_string()),
        Event::NeedServed { .. } => return Ok(()),
    };
    statement.execute(connection).await?;
    Ok(())
}

type Statement = sqlx::query::Query<'static, Any, sqlx::any::AnyArguments>;

fn bed(arrival: String, group: Option<BedGroup>, over_capacity: Option<OverCapacityReason>) -> Statement {
    sqlx::query("update arrival set bed = $2, over_capacity = $3 where arrival_id = $1")
        .bind(arrival)
        .bind(group.map(|group| group.to_string()).unwrap_or_default())
        .bind(over_capacity.map(|reason| reason.to_string()).unwrap_or_default())
}

/// Who left has left the bed.
fn departed(arrival: String, kind: String, on: String) -> Statement {
    sqlx::query(
        "update arrival set departure = $2, departed_on = $3, bed = '', over_capacity = '' where arrival_id = $1",
    )
    .bind(arrival)
    .bind(kind)
    .bind(on)
}

fn accepted_by(arrival: String, office: &str) -> Statement {
    sqlx::query("update arrival set accepted_by = $2 where arrival_id = $1").bind(arrival).bind(office.to_owned())
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
    pub route: String,
    pub bed: String,
    pub over_capacity: String,
    /// Offers that ended without a taker.
    pub unaccepted_offers: i64,
}

/// The columns of an [`Entry`].
const COLUMNS: &str = "arrival_id, case_number, arrived_on, needs, nights, accepted_by, departure, departed_on, sex,
    age_band, home_place, route, bed, over_capacity,
    (select count(*) from arrival_offer where arrival_offer.arrival_id = arrival.arrival_id
        and state in ('declined', 'withdrawn', 'escalated', 'voided'))";

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
        "select {COLUMNS} from arrival where office = $1 {present}
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

/// Those still here whose referral nobody has accepted, the longest here first.
pub async fn waiting(
    office: &OfficeId,
    limit: i64,
    offset: i64,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<Entry>, sqlx::Error> {
    let sql = format!(
        "select {COLUMNS} from arrival where office = $1 and departure = '' and accepted_by = ''
         order by arrived_on, registered_position limit $2 offset $3"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(office.as_str())
        .bind(limit)
        .bind(offset)
        .fetch_all(executor)
        .await?;
    rows.iter().map(entry).collect()
}

/// One arrival at an office; none when there is no such arrival there.
pub async fn find(
    arrival: ArrivalId,
    office: &OfficeId,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Option<Entry>, sqlx::Error> {
    let sql = format!("select {COLUMNS} from arrival where arrival_id = $1 and office = $2");
    let row = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(arrival.to_string())
        .bind(office.as_str())
        .fetch_optional(executor)
        .await?;
    row.as_ref().map(entry).transpose()
}

/// What became of an offer. What is not known is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the wire's OnwardOffer")]
pub struct Answer {
    pub offer_id: String,
    pub office: String,
    pub kind: String,
    pub need: String,
    pub state: String,
    pub answered_at: Timestamp,
}

/// What became of the offers of an arrival, the latest first.
pub async fn answers(
    arrival: ArrivalId,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<Answer>, sqlx::Error> {
    let rows = sqlx::query(
        "select offer_id, office, kind, need, state, answered_at from arrival_offer where arrival_id = $1
         order by answered_at desc, offer_id",
    )
    .bind(arrival.to_string())
    .fetch_all(executor)
    .await?;
    let answer = |row: &AnyRow| {
        Ok(Answer {
            offer_id: row.try_get(0)?,
            office: row.try_get(1)?,
            kind: row.try_get(2)?,
            need: row.try_get(3)?,
            state: row.try_get(4)?,
            answered_at: Timestamp::from_micros(row.try_get(5)?),
        })
    };
    rows.iter().map(answer).collect()
}

/// The earlier cases that people confirmed to be of the same person.
pub async fn same_person(
    arrival: ArrivalId,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<String>, sqlx::Error> {
    let rows = sqlx::query("select case_id from arrival_same_person where arrival_id = $1 order by case_id")
        .bind(arrival.to_string())
        .fetch_all(executor)
        .await?;
    rows.iter().map(|row| row.try_get(0)).collect()
}

/// The number of a case, as this service has heard it; empty when it has not.
pub async fn number_of(case: &str, executor: impl Executor<'_, Database = Any>) -> Result<String, sqlx::Error> {
    let row = sqlx::query(
        "select case_number from arrival where arrival_id = $1 and case_number <> ''
         union select case_number from case_standing where case_id = $1 and case_number <> ''",
    )
    .bind(case)
    .fetch_optional(executor)
    .await?;
    row.map_or(Ok(String::new()), |row| row.try_get(0))
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

/// Whether a case of this id is known at this node, by an arrival or by its desk.
pub async fn is_known(case: CaseId, executor: impl Executor<'_, Database = Any>) -> Result<bool, sqlx::Error> {
    let row =
        sqlx::query("select 1 from case_standing where case_id = $1 union select 1 from arrival where arrival_id = $1")
            .bind(case.to_string())
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
        route: row.try_get(11)?,
        bed: row.try_get(12)?,
        over_capacity: row.try_get(13)?,
        unaccepted_offers: row.try_get(14)?,
    })
}
