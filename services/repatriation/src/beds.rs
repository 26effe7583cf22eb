//! The beds of a centre: how many there are for whom, and who has them now.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use spean_eventsourcing::{Aggregate, Context, Fault, Refusal};
use spean_eventstore::{BoxFuture, ReadModel, Recorded};
use spean_vocabulary::OfficeId;
use sqlx::{Any, AnyConnection, Executor, Row as _};

use crate::words::BedGroup;

/// Most beds of one kind. More is a mistake of typing.
pub const MOST_BEDS: u32 = 10_000;

/// The beds of a centre. Its id is the code of the office.
#[derive(Clone, Debug, Default)]
pub struct Beds {
    places: Option<BTreeMap<BedGroup, u32>>,
}

/// What may be asked.
#[derive(Clone, Debug)]
pub enum Command {
    /// Say how many beds there are for whom. The whole list.
    Declare {
        /// How many for whom.
        places: BTreeMap<BedGroup, u32>,
    },
}

/// What happened. Stored for ever: add variants and optional fields, never rename or remove.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// So many beds there are.
    Declared {
        /// Where.
        office: OfficeId,
        /// How many for whom.
        places: BTreeMap<BedGroup, u32>,
    },
}

/// Why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum Error {
    /// No centre has so many.
    #[error("at most 10000 beds of one kind")]
    TooManyBeds,
}

impl Refusal for Error {
    fn reason(&self) -> &'static str {
        self.into()
    }

    fn fault(&self) -> Fault {
        match self {
            Self::TooManyBeds => Fault::Field("beds"),
        }
    }
}

impl Aggregate for Beds {
    const CATEGORY: &'static str = "centre_beds";
    type Command = Command;
    type Event = Event;
    type Error = Error;
    type Context = Context;

    fn decide(&self, command: Command, context: &Context) -> Result<Vec<Event>, Error> {
        let Command::Declare { places } = command;
        if places.values().any(|places| *places > MOST_BEDS) {
            return Err(Error::TooManyBeds);
        }
        let known = self.places.as_ref() == Some(&places);
        Ok(if known { vec![] } else { vec![Event::Declared { office: context.office.clone(), places }] })
    }

    fn evolve(mut self, event: &Event) -> Self {
        let Event::Declared { places, .. } = event;
        self.places = Some(places.clone());
        self
    }
}

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

#[cfg(test)]
mod tests {
    use spean_eventsourcing::specification::given;
    use spean_vocabulary::Timestamp;

    use super::*;

    fn at_centre() -> Context {
        Context { office: "poipet-transit-centre".parse().unwrap(), staff: None, now: Timestamp::default() }
    }

    fn declare(men: u32) -> Command {
        Command::Declare { places: BTreeMap::from([(BedGroup::Men, men), (BedGroup::Girls, 6)]) }
    }

    fn declared(men: u32) -> Event {
        let places = BTreeMap::from([(BedGroup::Men, men), (BedGroup::Girls, 6)]);
        Event::Declared { office: at_centre().office, places }
    }

    #[test]
    fn beds_are_declared_whole_and_anew() {
        given::<Beds>([]).when(&at_centre(), declare(30)).then([declared(30)]);
        given::<Beds>([declared(30)]).when(&at_centre(), declare(28)).then([declared(28)]);
    }

    #[test]
    fn a_mistake_of_typing_is_refused() {
        given::<Beds>([]).when(&at_centre(), declare(10_001)).then_error(&Error::TooManyBeds);
    }
}
