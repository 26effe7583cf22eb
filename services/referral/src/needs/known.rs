//! What this desk knows of help on offer, of places elsewhere, and of its own shelter: copies of what others said.

use std::collections::BTreeSet;
use std::str::FromStr;

use prost::Message as _;
use spean_chassis::words::{read_age_band, read_need, read_sex};
use spean_contracts::directory::v1::{AvailabilityReported, Offering as WireOffering, OfferingChanged};
use spean_contracts::referral::v1::{AvailabilityChanged, Stage, StageReached};
use spean_contracts::shelter::v1::OccupancyChanged;
use spean_eventstore::{Tables, Transaction};
use spean_messaging::{Letter, Unusable};
use spean_vocabulary::{Need, OfficeId, Service, Timestamp};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row as _};

use super::figures::recount;
use super::letters::{malformed, read_instant, refused};
use crate::availability::Figures;
use crate::desk::Desk;
use crate::matching::Offering;

/// The tables of these copies.
pub(crate) const TABLES: Tables = Tables {
    name: "known_services",
    steps: &["
        create table known_offering (
            offering_id text primary key,
            version bigint not null,
            office text not null,
            need text not null,
            sexes text not null,
            age_bands text not null,
            languages text not null,
            places text not null,
            capacity_persons bigint not null,
            worker_sexes text not null,
            valid_from text not null,
            withdrawn_on text not null
        );
        create index known_offering_need on known_offering (need, office);
        create table known_availability (
            office text not null,
            need text not null,
            capacity_persons bigint not null,
            taken_persons bigint not null,
            reserved_persons bigint not null,
            waiting_persons bigint not null,
            as_of bigint not null,
            primary key (office, need)
        );
        create table occupancy (
            office text primary key,
            capacity_persons bigint not null,
            occupied_persons bigint not null
        );
        create table place_left (
            office text not null,
            case_id text not null,
            need text not null,
            left_at bigint not null,
            primary key (office, case_id, need)
        )
    "],
};

/// Our directory tells of help on offer, ours or another node's.
pub(crate) async fn offering_changed(
    desk: &Desk,
    letter: &Letter,
    transaction: &mut Transaction,
) -> Result<(), Unusable> {
    from_ours(desk, letter, Service::Directory)?;
    let told = OfferingChanged::decode(letter.body.as_slice()).map_err(malformed)?;
    let offering = told.offering.ok_or_else(|| refused("MALFORMED"))?;
    let need = read_need("need", offering.need).map_err(malformed)?;
    let office: OfficeId = offering.office_id.parse().map_err(malformed)?;
    record_offering(&offering, need, told.version, transaction.connection()).await?;
    if is_ours(desk, &office) {
        return recount(desk, &office, need, letter.trace.as_ref(), transaction).await;
    }
    if let Some(as_of) = &offering.as_of {
        let as_of = read_instant(as_of).as_micros();
        let figures =
            [offering.capacity_persons, offering.taken_persons, offering.reserved_persons, offering.waiting_persons]
                .map(i64::from);
        record_availability(&office, need, figures, as_of, transaction.connection()).await?;
    }
    Ok(())
}

/// Our directory tells how many places another node's office has.
pub(crate) async fn availability_reported(
    desk: &Desk,
    letter: &Letter,
    transaction: &mut Transaction,
) -> Result<(), Unusable> {
    from_ours(desk, letter, Service::Directory)?;
    let told = AvailabilityReported::decode(letter.body.as_slice()).map_err(malformed)?;
    let figures =
        [told.capacity_persons, told.taken_persons, told.reserved_persons, told.waiting_persons].map(i64::from);
    let as_of = told.as_of.as_ref().map_or(0, |as_of| read_instant(as_of).as_micros());
    availability(desk, &told.office_id, told.need, figures, as_of, transaction).await
}

/// The same, in the words of a desk.
pub(crate) async fn availability_changed(
    desk: &Desk,
    letter: &Letter,
    transaction: &mut Transaction,
) -> Result<(), Unusable> {
    from_ours(desk, letter, Service::Directory)?;
    let told = AvailabilityChanged::decode(letter.body.as_slice()).map_err(malformed)?;
    let figures = [told.capacity_persons, told.taken_persons, told.reserved_persons, told.waiting_persons];
    let as_of = told.as_of.as_ref().map_or(0, |as_of| read_instant(as_of).as_micros());
    availability(desk, &told.office_id, told.need, figures, as_of, transaction).await
}

async fn availability(
    desk: &Desk,
    office: &str,
    need: i32,
    figures: [i64; 4],
    as_of: i64,
    transaction: &mut Transaction,
) -> Result<(), Unusable> {
    let office: OfficeId = office.parse().map_err(malformed)?;
    let need = read_need("need", need).map_err(malformed)?;
    // Our own are counted here.
    if !is_ours(desk, &office) {
        record_availability(&office, need, figures, as_of, transaction.connection()).await?;
    }
    Ok(())
}

/// Our shelter tells how many beds are taken.
pub(crate) async fn occupancy_changed(
    desk: &Desk,
    letter: &Letter,
    transaction: &mut Transaction,
) -> Result<(), Unusable> {
    from_ours(desk, letter, Service::Shelter)?;
    let told = OccupancyChanged::decode(letter.body.as_slice()).map_err(malformed)?;
    let office: OfficeId = told.office_id.parse().map_err(malformed)?;
    sqlx::query(
        "insert into occupancy (office, capacity_persons, occupied_persons) values ($1, $2, $3)
         on conflict (office) do update set capacity_persons = excluded.capacity_persons,
            occupied_persons = excluded.occupied_persons",
    )
    .bind(office.as_str())
    .bind(i64::from(told.capacity_persons))
    .bind(i64::from(told.occupied_persons))
    .execute(transaction.connection())
    .await?;
    recount(desk, &office, Need::Shelter, letter.trace.as_ref(), transaction).await
}

/// A service of ours saw a case come to a stage: whoever left, or whose case is closed, takes no place any more.
pub(crate) async fn stage_reached(desk: &Desk, letter: &Letter, transaction: &mut Transaction) -> Result<(), Unusable> {
    let told = StageReached::decode(letter.body.as_slice()).map_err(malformed)?;
    let office: OfficeId = told.office_id.parse().map_err(malformed)?;
    let now = desk.node.clock.now();
    let (left, needs) = match told.stage() {
        Stage::LeftShelter => (true, vec![Need::Shelter]),
        Stage::InShelter => (false, vec![Need::Shelter]),
        Stage::Closed => (true, needs_of(&office, &told.case_id, transaction.connection()).await?),
        Stage::Reopened => (false, needs_of(&office, &told.case_id, transaction.connection()).await?),
        _ => return Ok(()),
    };
    for need in needs {
        let statement = if left {
            sqlx::query(
                "insert into place_left (office, case_id, need, left_at) values ($1, $2, $3, $4)
                 on conflict (office, case_id, need) do update set left_at = excluded.left_at",
            )
        } else {
            sqlx::query("delete from place_left where office = $1 and case_id = $2 and need = $3 and left_at <= $4")
        };
        let statement = statement.bind(office.as_str()).bind(&told.case_id).bind(need.to_string());
        statement.bind(now.as_micros()).execute(transaction.connection()).await?;
        recount(desk, &office, need, letter.trace.as_ref(), transaction).await?;
    }
    Ok(())
}

/// For what an office took a case.
async fn needs_of(office: &OfficeId, case: &str, connection: &mut AnyConnection) -> Result<Vec<Need>, sqlx::Error> {
    let rows = sqlx::query("select distinct need from offer where office = $1 and case_id = $2 and direction = 'in'")
        .bind(office.as_str())
        .bind(case)
        .fetch_all(connection)
        .await?;
    let needs = rows.iter().map(|row| row.try_get::<String, _>(0)).collect::<Result<Vec<_>, _>>()?;
    Ok(needs.iter().filter_map(|need| need.parse().ok()).collect())
}

async fn record_offering(
    offering: &WireOffering,
    need: Need,
    version: i64,
    connection: &mut AnyConnection,
) -> Result<(), sqlx::Error> {
    let sexes =
        |sexes: &[i32]| joined(sexes.iter().filter_map(|sex| read_sex("sex", *sex).ok()).map(|sex| sex.to_string()));
    let ages = offering.age_bands.iter().filter_map(|band| read_age_band("age_band", *band).ok());
    sqlx::query(
        "insert into known_offering (offering_id, version, office, need, sexes, age_bands, languages, places,
            capacity_persons, worker_sexes, valid_from, withdrawn_on)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         on conflict (offering_id) do update set version = excluded.version, office = excluded.office,
            need = excluded.need, sexes = excluded.sexes, age_bands = excluded.age_bands,
            languages = excluded.languages, places = excluded.places, capacity_persons = excluded.capacity_persons,
            worker_sexes = excluded.worker_sexes, valid_from = excluded.valid_from,
            withdrawn_on = excluded.withdrawn_on
         where excluded.version >= known_offering.version",
    )
    .bind(&offering.offering_id)
    .bind(version)
    .bind(&offering.office_id)
    .bind(need.to_string())
    .bind(sexes(&offering.sexes))
    .bind(joined(ages.map(|band| band.to_string())))
    .bind(joined(offering.languages.iter().cloned()))
    .bind(joined(offering.places.iter().cloned()))
    .bind(i64::from(offering.capacity_persons))
    .bind(sexes(&offering.worker_sexes))
    .bind(&offering.valid_from)
    .bind(&offering.withdrawn_on)
    .execute(connection)
    .await?;
    Ok(())
}

async fn record_availability(
    office: &OfficeId,
    need: Need,
    [capacity, taken, reserved, waiting]: [i64; 4],
    as_of: i64,
    connection: &mut AnyConnection,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into known_availability (office, need, capacity_persons, taken_persons, reserved_persons,
            waiting_persons, as_of)
         values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (office, need) do update set capacity_persons = excluded.capacity_persons,
            taken_persons = excluded.taken_persons, reserved_persons = excluded.reserved_persons,
            waiting_persons = excluded.waiting_persons, as_of = excluded.as_of
         where excluded.as_of >= known_availability.as_of",
    )
    .bind(office.as_str())
    .bind(need.to_string())
    .bind(capacity)
    .bind(taken)
    .bind(reserved)
    .bind(waiting)
    .bind(as_of)
    .execute(connection)
    .await?;
    Ok(())
}

/// All that is, was or will be on offer for a need.
pub(crate) async fn offerings(need: Need, connection: &mut AnyConnection) -> Result<Vec<Offering>, sqlx::Error> {
    let rows = sqlx::query(
        "select offering_id, office, sexes, age_bands, languages, places, capacity_persons, worker_sexes, valid_from,
            withdrawn_on from known_offering where need = $1 order by office, offering_id",
    )
    .bind(need.to_string())
    .fetch_all(connection)
    .await?;
    rows.iter().filter_map(|row| offering(row, need).transpose()).collect()
}

/// One offering; none when a later version of the software wrote what this one cannot read.
fn offering(row: &AnyRow, need: Need) -> Result<Option<Offering>, sqlx::Error> {
    let text = |index: usize| row.try_get::<String, _>(index);
    let (Ok(offering_id), Ok(office), Ok(valid_from)) = (text(0)?.parse(), text(1)?.parse(), text(8)?.parse()) else {
        return Ok(None);
    };
    let withdrawn_on = text(9)?.parse().ok();
    Ok(Some(Offering {
        offering_id,
        office,
        need,
        sexes: split(&text(2)?),
        age_bands: split(&text(3)?),
        languages: split(&text(4)?),
        places: split(&text(5)?),
        capacity_persons: limit(row.try_get(6)?),
        worker_sexes: split(&text(7)?),
        valid_from,
        withdrawn_on,
    }))
}

/// What another node's office said of its places, and when it counted them.
pub(crate) async fn figures(
    office: &OfficeId,
    need: Need,
    connection: &mut AnyConnection,
) -> Result<Option<(Figures, Timestamp)>, sqlx::Error> {
    let row = sqlx::query(
        "select capacity_persons, taken_persons, reserved_persons, waiting_persons, as_of from known_availability
         where office = $1 and need = $2",
    )
    .bind(office.as_str())
    .bind(need.to_string())
    .fetch_optional(connection)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let persons = |index: usize| Ok::<_, sqlx::Error>(u32::try_from(row.try_get::<i64, _>(index)?).unwrap_or(0));
    let figures = Figures {
        capacity_persons: limit(row.try_get(0)?),
        taken_persons: persons(1)?,
        reserved_persons: persons(2)?,
        waiting_persons: persons(3)?,
    };
    Ok(Some((figures, Timestamp::from_micros(row.try_get(4)?))))
}

/// The beds of our shelter: (all, taken); none when it never said.
pub(crate) async fn occupancy(
    office: &OfficeId,
    connection: &mut AnyConnection,
) -> Result<Option<(u32, u32)>, sqlx::Error> {
    let row = sqlx::query("select capacity_persons, occupied_persons from occupancy where office = $1")
        .bind(office.as_str())
        .fetch_optional(connection)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let persons = |index: usize| Ok::<_, sqlx::Error>(u32::try_from(row.try_get::<i64, _>(index)?).unwrap_or(0));
    Ok(Some((persons(0)?, persons(1)?)))
}

/// Whether an office is one of this node's.
pub(crate) fn is_ours(desk: &Desk, office: &OfficeId) -> bool {
    desk.party(office).is_some_and(|party| party.node == desk.node.id)
}

fn from_ours(desk: &Desk, letter: &Letter, service: Service) -> Result<(), Unusable> {
    if letter.from == desk.node.address(service) { Ok(()) } else { Err(refused("NOT_OUR_SERVICE")) }
}

/// On the wire and in tables 0 means that it is not limited.
fn limit(capacity: i64) -> Option<u32> {
    u32::try_from(capacity).ok().filter(|capacity| *capacity > 0)
}

fn joined(entries: impl Iterator<Item = String>) -> String {
    entries.collect::<Vec<_>>().join(",")
}

fn split<T: FromStr + Ord>(list: &str) -> BTreeSet<T> {
    list.split(',').filter_map(|entry| entry.parse().ok()).filter(|_| !list.is_empty()).collect()
}
