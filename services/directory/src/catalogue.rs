//! The catalogue: help on offer, our own and that of other nodes as they told it, each with how it changed and with the
//! room that was last counted.

use prost::Message as _;
use spean_chassis::words::{instant, write_need};
use spean_contracts::directory::v1 as wire;
use spean_eventstore::{BoxFuture, ReadModel, Recorded, Tables};
use spean_vocabulary::{Date, Need, OfferingId, OfficeId, PlaceCode, Timestamp};
use sqlx::{Any, AnyConnection, Executor, Row as _};

use crate::announcement;
use crate::availability::{Availability, Counted};
use crate::heard_offering::{Event as Heard, HeardOffering};
use crate::offering::{Announcement, Offering};

/// Table, projection and queries.
pub(crate) struct Catalogue;

/// Where earlier versions of the program kept what other nodes told. Now it is in the log, and what is still here is
/// moved there at the next start.
pub(crate) const TABLES: Tables = Tables {
    name: "catalogue",
    steps: &["create table told_offering (
        node text not null,
        offering_id text not null,
        version bigint not null,
        office text not null,
        need bigint not null,
        places text not null,
        withdrawn_on text not null,
        offering blob not null,
        changed_at bigint not null,
        primary key (node, offering_id)
    )"],
};

impl ReadModel for Catalogue {
    fn name(&self) -> &'static str {
        "catalogue"
    }

    fn version(&self) -> i64 {
        2
    }

    fn tables(&self) -> &'static [&'static str] {
        &["offering_change", "availability"]
    }

    fn ddl(&self) -> &'static [&'static str] {
        // Once an offering ends, each of its changes says so: which of them counts depends on the day.
        &[
            "create table offering_change (
                node text not null,
                offering_id text not null,
                version bigint not null,
                office text not null,
                need bigint not null,
                places text not null,
                valid_from text not null,
                ended_on text not null,
                offering blob not null,
                changed_at bigint not null,
                primary key (node, offering_id, version)
            )",
            "create table availability (
                office text not null,
                need bigint not null,
                capacity bigint not null,
                taken bigint not null,
                reserved bigint not null,
                waiting bigint not null,
                as_of bigint not null,
                primary key (office, need)
            )",
        ]
    }

    fn apply<'a>(
        &'a self,
        event: &'a Recorded,
        connection: &'a mut AnyConnection,
    ) -> BoxFuture<'a, Result<(), sqlx::Error>> {
        Box::pin(async move {
            let at = event.metadata.recorded_at;
            if let Some(Ok(what)) = event.event::<Offering>() {
                let (said, withdrawn_on) = what.says();
                return note(("", &event.id, event.version), said, withdrawn_on, at, connection).await;
            }
            if let Some(Ok(Heard::Heard(told))) = event.event::<HeardOffering>() {
                let key = (told.node.as_str(), told.offering_id.to_string(), told.version);
                return note((key.0, &key.1, key.2), &told.said, told.withdrawn_on, at, connection).await;
            }
            match event.event::<Availability>() {
                Some(Ok(what)) => note_room(what.counted(), connection).await,
                _ => Ok(()),
            }
        })
    }
}

async fn note(
    (node, offering_id, version): (&str, &str, i64),
    said: &Announcement,
    withdrawn_on: Option<Date>,
    at: Timestamp,
    connection: &mut AnyConnection,
) -> Result<(), sqlx::Error> {
    let offering = announcement::write(offering_id, said, withdrawn_on);
    sqlx::query(
        "insert into offering_change
            (node, offering_id, version, office, need, places, valid_from, ended_on, offering, changed_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(node)
    .bind(offering_id)
    .bind(version)
    .bind(said.office.as_str())
    .bind(i64::from(offering.need))
    .bind(offering.places.join(","))
    .bind(&offering.valid_from)
    .bind(&offering.withdrawn_on)
    .bind(offering.encode_to_vec())
    .bind(at.as_micros())
    .execute(&mut *connection)
    .await?;
    sqlx::query("update offering_change set ended_on = $1 where node = $2 and offering_id = $3 and ended_on <> $1")
        .bind(&offering.withdrawn_on)
        .bind(node)
        .bind(offering_id)
        .execute(connection)
        .await?;
    Ok(())
}

async fn note_room(counted: &Counted, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into availability (office, need, capacity, taken, reserved, waiting, as_of)
         values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (office, need) do update set capacity = excluded.capacity, taken = excluded.taken,
            reserved = excluded.reserved, waiting = excluded.waiting, as_of = excluded.as_of",
    )
    .bind(counted.office.as_str())
    .bind(i64::from(i32::from(write_need(counted.need))))
    .bind(i64::from(counted.capacity_persons))
    .bind(i64::from(counted.taken_persons))
    .bind(i64::from(counted.reserved_persons))
    .bind(i64::from(counted.waiting_persons))
    .bind(counted.as_of.as_micros())
    .execute(connection)
    .await?;
    Ok(())
}

/// Which offerings are wanted.
#[derive(Clone, Debug)]
pub(crate) struct Filter {
    /// As they are on this day; one that begins later is shown with its first day.
    pub(crate) on: Date,
    /// Those that have ended before that day as well.
    pub(crate) include_withdrawn: bool,
    /// Only those that meet this need.
    pub(crate) need: Option<Need>,
    /// Only those of this office.
    pub(crate) office: Option<OfficeId>,
    /// Only those for people from the first of these places, which lies in all the others; none means all.
    pub(crate) from_place: Vec<PlaceCode>,
}

impl Filter {
    /// All that has not ended before a day.
    pub(crate) fn on(on: Date) -> Self {
        Self { on, include_withdrawn: false, need: None, office: None, from_place: Vec::new() }
    }
}

/// The offerings in the order of their offices.
pub(crate) async fn list(
    filter: &Filter,
    limit: i64,
    offset: i64,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<wire::Offering>, sqlx::Error> {
    let within = |index| format!(" or ',' || c.places || ',' like ${}", index + 7);
    let places: Vec<_> = (0..filter.from_place.len()).map(within).collect();
    let places = if places.is_empty() { String::new() } else { format!("and (c.places = ''{})", places.concat()) };
    // The change that counts on the day is the last one that holds by then; when none does, the last of all.
    let sql = format!(
        "select c.offering, c.ended_on, a.capacity, a.taken, a.reserved, a.waiting, a.as_of
         from offering_change c left join availability a on a.office = c.office and a.need = c.need
         where c.version = (
                select coalesce(max(case when d.valid_from <= $1 then d.version end), max(d.version))
                from offering_change d where d.node = c.node and d.offering_id = c.offering_id)
            and ($2 = 1 or c.ended_on = '' or c.ended_on >= $1)
            and ($3 = 0 or c.need = $3) and ($4 = '' or c.office = $4) {places}
         order by c.office, c.offering_id, c.node limit $5 offset $6"
    );
    let need = filter.need.map_or(0, |need| i32::from(write_need(need)));
    let mut query = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(filter.on.to_string())
        .bind(i64::from(filter.include_withdrawn))
        .bind(i64::from(need))
        .bind(filter.office.as_ref().map(ToString::to_string).unwrap_or_default())
        .bind(limit)
        .bind(offset);
    for place in &filter.from_place {
        query = query.bind(format!("%,{place},%"));
    }
    let rows = query.fetch_all(executor).await?;
    rows.iter().map(read).collect()
}

fn read(row: &sqlx::any::AnyRow) -> Result<wire::Offering, sqlx::Error> {
    let offering = decode(row.try_get(0)?)?;
    let offering = wire::Offering { withdrawn_on: row.try_get(1)?, ..offering };
    let Some(as_of): Option<i64> = row.try_get(6)? else { return Ok(offering) };
    let number = |index: usize| -> Result<i32, sqlx::Error> {
        let number: i64 = row.try_get(index)?;
        Ok(i32::try_from(number).unwrap_or(i32::MAX))
    };
    let (capacity, taken_persons, reserved_persons) = (number(2)?, number(3)?, number(4)?);
    let used = taken_persons.saturating_add(reserved_persons);
    Ok(wire::Offering {
        taken_persons,
        reserved_persons,
        waiting_persons: number(5)?,
        free_persons: (capacity > 0).then(|| capacity.saturating_sub(used).max(0)),
        as_of: Some(instant(Timestamp::from_micros(as_of))),
        ..offering
    })
}

fn decode(bytes: &[u8]) -> Result<wire::Offering, sqlx::Error> {
    wire::Offering::decode(bytes).map_err(|error| sqlx::Error::Decode(Box::new(error)))
}

/// How an offering changed, the oldest first; nothing when it was never heard of.
pub(crate) async fn changes(
    offering: &OfferingId,
    limit: i64,
    offset: i64,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<wire::OfferingChange>, sqlx::Error> {
    let rows = sqlx::query(
        "select offering, changed_at, version from offering_change
         where offering_id = $1 order by node, version limit $2 offset $3",
    )
    .bind(offering.to_string())
    .bind(limit)
    .bind(offset)
    .fetch_all(executor)
    .await?;
    let read = |row: &sqlx::any::AnyRow| {
        Ok(wire::OfferingChange {
            offering: Some(decode(row.try_get(0)?)?),
            recorded_at: Some(instant(Timestamp::from_micros(row.try_get(1)?))),
            version: row.try_get(2)?,
        })
    };
    rows.iter().map(read).collect()
}

/// When the catalogue was last changed at this node; none when nothing was ever on offer.
pub(crate) async fn changed_at(executor: impl Executor<'_, Database = Any>) -> Result<Option<Timestamp>, sqlx::Error> {
    let row = sqlx::query("select cast(coalesce(max(changed_at), 0) as bigint) from offering_change");
    let at: i64 = row.fetch_one(executor).await?.try_get(0)?;
    Ok((at > 0).then(|| Timestamp::from_micros(at)))
}

/// Our own offerings that were not ended, each with its office.
pub(crate) async fn own(connection: &mut AnyConnection) -> Result<Vec<(String, OfficeId)>, sqlx::Error> {
    let sql = "select distinct offering_id, office from offering_change where node = '' and ended_on = ''
         order by offering_id";
    let rows = sqlx::query(sql).fetch_all(connection).await?;
    let mut own = Vec::with_capacity(rows.len());
    for row in rows {
        let office: &str = row.try_get(1)?;
        if let Ok(office) = office.parse() {
            own.push((row.try_get(0)?, office));
        }
    }
    Ok(own)
}

/// What an earlier version of the program was told by other nodes, each with the node and the version; then it is no
/// longer there.
pub(crate) async fn take_out_told(
    connection: &mut AnyConnection,
) -> Result<Vec<(String, i64, wire::Offering)>, sqlx::Error> {
    let rows = sqlx::query("select node, version, offering from told_offering order by node, offering_id")
        .fetch_all(&mut *connection)
        .await?;
    let read = |row: &sqlx::any::AnyRow| Ok((row.try_get(0)?, row.try_get(1)?, decode(row.try_get(2)?)?));
    let told = rows.iter().map(read).collect::<Result<Vec<_>, sqlx::Error>>()?;
    if !told.is_empty() {
        sqlx::query("delete from told_offering").execute(connection).await?;
    }
    Ok(told)
}

#[cfg(test)]
mod tests;
