//! How much room an office has for a need, as its desk counts it. A figure is only worth something with its age, so each
//! comes with the instant at which it was true.

use serde::{Deserialize, Serialize};
use spean_eventsourcing::{Aggregate, Context, Refusal};
use spean_vocabulary::{Need, OfficeId, Timestamp};

/// The room that an office has for one need.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Availability {
    last: Option<Counted>,
}

/// What was counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// The office that helps.
    pub office: OfficeId,
    /// With what.
    pub need: Need,
    /// For how many at a time; 0 means that it is not limited.
    pub capacity_persons: u32,
    /// How many are being helped.
    pub taken_persons: u32,
    /// How many places are held for people who have not come yet.
    pub reserved_persons: u32,
    /// How many people wait.
    pub waiting_persons: u32,
    /// When this was true.
    pub as_of: Timestamp,
}

/// What may be asked.
#[derive(Clone, Debug)]
pub enum Command {
    /// Note what the desk of our node counted.
    Report(Counted),
    /// Note what another node tells of its office.
    Hear(Counted),
}

/// Stored for ever: add variants and optional fields, never rename or remove.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// Our desk counted.
    Reported(Counted),
    /// Another node told.
    Heard(Counted),
}

/// Why not: never. A figure that is older than what is known is passed over, since nothing was done wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {}

impl Refusal for Error {
    fn reason(&self) -> &'static str {
        match *self {}
    }
}

impl Aggregate for Availability {
    const CATEGORY: &'static str = "availability";
    type Command = Command;
    type Event = Event;
    type Error = Error;
    type Context = Context;

    fn decide(&self, command: Command, _context: &Context) -> Result<Vec<Event>, Error> {
        let (counted, event): (_, fn(Counted) -> Event) = match command {
            Command::Report(counted) => (counted, Event::Reported),
            Command::Hear(counted) => (counted, Event::Heard),
        };
        let newer = self.last.as_ref().is_none_or(|last| last.as_of < counted.as_of);
        Ok(if newer { vec![event(counted)] } else { vec![] })
    }

    fn evolve(self, event: &Event) -> Self {
        Self { last: Some(event.counted().clone()) }
    }
}

impl Event {
    /// What was counted.
    pub fn counted(&self) -> &Counted {
        let (Self::Reported(counted) | Self::Heard(counted)) = self;
        counted
    }
}

impl Counted {
    /// The stream of this office and need.
    pub fn stream(&self) -> String {
        format!("{}/{}", self.office, self.need)
    }

    /// How many places are free; none when their number is not limited.
    pub fn free_persons(&self) -> Option<u32> {
        let used = self.taken_persons.saturating_add(self.reserved_persons);
        (self.capacity_persons > 0).then(|| self.capacity_persons.saturating_sub(used))
    }
}

#[cfg(test)]
mod tests {
    use spean_eventsourcing::specification::given;

    use super::*;

    fn counted(taken_persons: u32, as_of: i64) -> Counted {
        Counted {
            office: "poipet-shelter".parse().unwrap(),
            need: Need::Shelter,
            capacity_persons: 24,
            taken_persons,
            reserved_persons: 2,
            waiting_persons: 3,
            as_of: Timestamp::from_micros(as_of),
        }
    }

    fn context() -> Context {
        let now = Timestamp::from_micros(1_795_300_200_000_000);
        Context { office: "poipet-shelter".parse().unwrap(), staff: None, now }
    }

    #[test]
    fn what_the_desk_counts_is_noted_once() {
        let report = Command::Report(counted(20, 2));
        given::<Availability>([]).when(&context(), report.clone()).then([Event::Reported(counted(20, 2))]);
        given::<Availability>([Event::Reported(counted(19, 1))])
            .when(&context(), report)
            .then([Event::Reported(counted(20, 2))]);
    }

    #[test]
    fn what_another_node_tells_is_noted_once() {
        let hear = Command::Hear(counted(20, 2));
        given::<Availability>([]).when(&context(), hear).then([Event::Heard(counted(20, 2))]);
    }

    #[test]
    fn a_figure_that_comes_late_is_passed_over() {
        for as_of in [1, 2] {
            given::<Availability>([Event::Reported(counted(20, 2))])
                .when(&context(), Command::Report(counted(9, as_of)))
                .then_nothing();
        }
    }

    #[test]
    fn places_that_are_held_are_not_free_and_nothing_is_less_than_nothing() {
        assert_eq!(counted(20, 1).free_persons(), Some(2));
        assert_eq!(counted(30, 1).free_persons(), Some(0));
        assert_eq!(Counted { capacity_persons: 0, ..counted(30, 1) }.free_persons(), None);
    }

    /// `SPEAN_BLESS=1` writes the file afresh; a line that is already stored somewhere may never change.
    #[test]
    fn stored_events_are_read_for_ever() {
        let events = [Event::Reported(counted(20, 1_795_300_200_000_000)), Event::Heard(counted(0, 1))];
        crate::examples::are_golden("availability", &events);
    }
}
