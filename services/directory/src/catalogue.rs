//! The catalogue: help on offer, our own as the log says, and that of other nodes as they told it.

use prost::Message as _;
use spean_contracts::directory::v1 as wire;
use spean_eventstore::{BoxFuture, ReadModel, Recorded, Tables};
use spean_vocabulary::{Date, Need, NodeId, OfficeId, PlaceCode, Timestamp};
use sqlx::{Any, AnyConnection, Executor, Row as _};

use crate::announcement;
use crate::offering::Offering;

macro_rules! table {
    ($name:literal) => {
        concat!(
            "create table ",
            $name,
            " (
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
            )"
        )
    };
}

/// Table, projection and queries of our own part.
pub(crate) struct Catalogue;

/// The part of the others. It is not in our log, so it is not a read model.
pub(crate) const TABLES: Tables = Tables { name: "catalogue", steps: &[table!("told_offering")] };

impl ReadModel for Catalogue {
    fn name(&self) -> &'static str {
        "catalogue"
    }

    fn version(&self) -> i64 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["own_offering"]
    }

    fn ddl(&self) -> &'static [&'static str] {
        &[table!("own_offering")]
    }

    fn apply<'a>(
        &'a self,
        event: &'a Recorded,
        connection: &'a mut AnyConnection,
    ) -> BoxFuture<'a, Result<(), sqlx::Error>> {
        Box::pin(async move {
            let Some(Ok(what)) = event.event::<Offering>() else { return Ok(()) };
            let (said, withdrawn_on) = what.says();
            let offering = announcement::write(&event.id, said, withdrawn_on);
            write("own_offering", "", event.version, &offering, event.metadata.recorded_at, connection).await
        })
    }
}

/// Writes down what another node says of its offering, unless something newer is known.
pub(crate) async fn record(
    from: &NodeId,
    version: i64,
    offering: &wire::Offering,
    at: Timestamp,
    connection: &mut AnyConnection,
) -> Result<(), sqlx::Error> {
    write("told_offering", from.as_str(), version, offering, at, connection).await
}

async fn write(
    table: &'static str,
    node: &str,
    version: i64,
    offering: &wire::Offering,
    at: Timestamp,
    connection: &mut AnyConnection,
) -> Result<(), sqlx::Error> {
    let sql = format!(
        "insert into {table} (node, offering_id, version, office, need, places, withdrawn_on, offering, changed_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         on conflict (node, offering_id) do update set version = excluded.version, office = excluded.office,
            need = excluded.need, places = excluded.places, withdrawn_on = excluded.withdrawn_on,
            offering = excluded.offering, changed_at = excluded.changed_at
         where excluded.version > {table}.version"
    );
    sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(node)
        .bind(&offering.offering_id)
        .bind(version)
        .bind(&offering.office_id)
        .bind(i64::from(offering.need))
        .bind(offering.places.join(","))
        .bind(&offering.withdrawn_on)
        .bind(offering.encode_to_vec())
        .bind(at.as_micros())
        .execute(connection)
        .await?;
    Ok(())
}

/// Which offerings are wanted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    /// Only those that meet this need.
    pub(crate) need: Option<Need>,
    /// Only those for people from the first of these places, which lies in all the others; none means all.
    pub(crate) from_place: Vec<PlaceCode>,
    /// Only those that have not ended before this day.
    pub(crate) open_on: Option<Date>,
}

const BOTH: &str = "(select node, offering_id, office, need, places, withdrawn_on, offering, changed_at from own_offering
    union all
    select node, offering_id, office, need, places, withdrawn_on, offering, changed_at from told_offering) as catalogue";

/// The offerings in the order of their offices.
pub(crate) async fn list(
    filter: &Filter,
    limit: i64,
    offset: i64,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<wire::Offering>, sqlx::Error> {
    let within = |index| format!(" or ',' || places || ',' like ${}", index + 5);
    let places: Vec<_> = (0..filter.from_place.len()).map(within).collect();
    let places = if places.is_empty() { String::new() } else { format!("and (places = ''{})", places.concat()) };
    let sql = format!(
        "select offering from {BOTH}
         where ($1 = 0 or need = $1) and ($2 = '' or withdrawn_on = '' or withdrawn_on >= $2) {places}
         order by office, offering_id, node limit $3 offset $4"
    );
    let need = filter.need.map_or(0, |need| i32::from(spean_chassis::words::write_need(need)));
    let mut query = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(i64::from(need))
        .bind(filter.open_on.map(|day| day.to_string()).unwrap_or_default())
        .bind(limit)
        .bind(offset);
    for place in &filter.from_place {
        query = query.bind(format!("%,{place},%"));
    }
    let rows = query.fetch_all(executor).await?;
    let decode = |row: &sqlx::any::AnyRow| {
        wire::Offering::decode(row.try_get::<&[u8], _>(0)?).map_err(|error| sqlx::Error::Decode(Box::new(error)))
    };
    rows.iter().map(decode).collect()
}

/// When the catalogue was last changed at this node; none when nothing was ever on offer.
pub(crate) async fn changed_at(executor: impl Executor<'_, Database = Any>) -> Result<Option<Timestamp>, sqlx::Error> {
    let sql = format!("select cast(coalesce(max(changed_at), 0) as bigint) from {BOTH}");
    let at: i64 = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_one(executor).await?.try_get(0)?;
    Ok((at > 0).then(|| Timestamp::from_micros(at)))
}

/// Our own offerings that were not ended, each with its office.
pub(crate) async fn own(connection: &mut AnyConnection) -> Result<Vec<(String, OfficeId)>, sqlx::Error> {
    let rows = sqlx::query("select offering_id, office from own_offering where withdrawn_on = '' order by offering_id")
        .fetch_all(connection)
        .await?;
    let mut own = Vec::with_capacity(rows.len());
    for row in rows {
        let office: &str = row.try_get(1)?;
        if let Ok(office) = office.parse() {
            own.push((row.try_get(0)?, office));
        }
    }
    Ok(own)
}

#[cfg(test)]
mod tests;
