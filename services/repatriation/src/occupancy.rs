//! Who has the beds of a centre now.

use std::collections::BTreeMap;

use spean_eventstore::{BoxFuture, ReadModel, Recorded};
use spean_vocabulary::OfficeId;
use sqlx::{Any, AnyConnection, Executor, Row as _};

use crate::beds::{Beds, Event};
use crate::words::BedGroup;

/// Table and projection of the beds.
pub struct CentreBeds;

impl ReadModel for CentreBeds {
    fn name(&self) -> &'static str {
        "centre_beds"
    }

    fn version(&self) -> i64 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["centre_beds"]
    }

    fn ddl(&self) -> &'static [&'static str] {
        &["create table centre_beds (
            office text not null,
            bed_group text not null,
            places bigint not null,
            primary key (office, bed_group)
        )"]
    }

    fn apply<'a>(
        &'a self,
        event: &'a Recorded,
        connection: &'a mut AnyConnection,
    ) -> BoxFuture<'a, Result<(), sqlx::Error>> {
        Box::pin(async move {
            let Some(Ok(Event::Declared { office, places })) = event.event::<Beds>() else { return Ok(()) };
            sqlx::query("delete from centre_beds where office = $1")
                .bind(office.as_str())
                .execute(&mut *connection)
                .await?;
            for (group, places) in places {
                sqlx::query("insert into centre_beds (office, bed_group, places) values ($1, $2, $3)")
                    .bind(office.as_str())
                    .bind(group.to_string())
                    .bind(i64::from(places))
                    .execute(&mut *connection)
                    .await?;
            }
            Ok(())
        })
    }
}

/// The beds of a kind, and who has them now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Occupancy {
    /// How many there are.
    pub places: i64,
    /// How many people have one.
    pub occupied: i64,
    /// How many of them were taken into a full house.
    pub over_capacity: i64,
}

impl Occupancy {
    /// Whether one is free.
    pub const fn has_room(self) -> bool {
        self.occupied < self.places
    }
}

/// The beds of an office by kind, and people who are here without one.
pub async fn occupancy(
    office: &OfficeId,
    connection: &mut AnyConnection,
) -> Result<(BTreeMap<BedGroup, Occupancy>, i64), sqlx::Error> {
    let mut beds: BTreeMap<BedGroup, Occupancy> = BTreeMap::new();
    for row in fetch("select bed_group, places from centre_beds where office = $1", office, &mut *connection).await? {
        if let Ok(group) = row.try_get::<String, _>(0)?.parse() {
            beds.entry(group).or_default().places = row.try_get(1)?;
        }
    }
    let people = "select bed, over_capacity, count(*) from arrival where office = $1 and departure = ''
        group by bed, over_capacity";
    let mut without = 0;
    for row in fetch(people, office, &mut *connection).await? {
        let people: i64 = row.try_get(2)?;
        let Ok(group) = row.try_get::<String, _>(0)?.parse() else {
            without += people;
            continue;
        };
        let occupancy = beds.entry(group).or_default();
        occupancy.occupied += people;
        if !row.try_get::<String, _>(1)?.is_empty() {
            occupancy.over_capacity += people;
        }
    }
    Ok((beds, without))
}

async fn fetch(
    sql: &'static str,
    office: &OfficeId,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<sqlx::any::AnyRow>, sqlx::Error> {
    sqlx::query(sql).bind(office.as_str()).fetch_all(executor).await
}
