//! The beds of a centre: how many there are for whom.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use spean_eventsourcing::{Aggregate, Context, Fault, Refusal};
use spean_vocabulary::OfficeId;

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
