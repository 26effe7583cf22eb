//! Help that offices of other nodes have on offer, as their directories told it.

use serde::{Deserialize, Serialize};
use spean_eventsourcing::{Aggregate, Context, Refusal};
use spean_vocabulary::{Date, NodeId, OfferingId};

use crate::offering::Announcement;

/// An offering of another node.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HeardOffering {
    version: i64,
}

/// What another node told of its offering.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// The node.
    pub node: NodeId,
    /// The offering; another node may use the same id for something else.
    pub offering_id: OfferingId,
    /// Goes up with each change.
    pub version: i64,
    /// What is or was on offer.
    #[serde(flatten)]
    pub said: Announcement,
    /// The last day, if it ends or has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn_on: Option<Date>,
}

/// What may be asked.
#[derive(Clone, Debug)]
pub enum Command {
    /// Note what was told.
    Hear(Told),
}

/// Stored for ever: add variants and optional fields, never rename or remove.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// Another node told how its offering stands.
    Heard(Told),
}

/// Why not: never. What is older than what is known is passed over, since nothing was done wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {}

impl Refusal for Error {
    fn reason(&self) -> &'static str {
        match *self {}
    }
}

impl Aggregate for HeardOffering {
    const CATEGORY: &'static str = "heard_offering";
    type Command = Command;
    type Event = Event;
    type Error = Error;
    type Context = Context;

    fn decide(&self, Command::Hear(told): Command, _context: &Context) -> Result<Vec<Event>, Error> {
        Ok(if told.version > self.version { vec![Event::Heard(told)] } else { vec![] })
    }

    fn evolve(self, Event::Heard(told): &Event) -> Self {
        Self { version: told.version }
    }
}

impl Told {
    /// The stream of this offering.
    pub fn stream(&self) -> String {
        format!("{}/{}", self.node, self.offering_id)
    }
}

#[cfg(test)]
mod tests {
    use spean_eventsourcing::specification::given;
    use spean_vocabulary::Timestamp;

    use super::*;
    use crate::examples::an_announcement;

    fn told(version: i64) -> Told {
        Told {
            node: "poipet".parse().unwrap(),
            offering_id: "00000000-0000-4000-8000-000000000001".parse().unwrap(),
            version,
            said: an_announcement(),
            withdrawn_on: None,
        }
    }

    fn context() -> Context {
        let now = Timestamp::from_micros(1_795_300_200_000_000);
        Context { office: "poipet-shelter".parse().unwrap(), staff: None, now }
    }

    #[test]
    fn what_another_node_tells_is_noted_once() {
        given::<HeardOffering>([]).when(&context(), Command::Hear(told(1))).then([Event::Heard(told(1))]);
        given::<HeardOffering>([Event::Heard(told(1))])
            .when(&context(), Command::Hear(told(4)))
            .then([Event::Heard(told(4))]);
    }

    #[test]
    fn what_comes_late_is_passed_over() {
        for version in [1, 2] {
            given::<HeardOffering>([Event::Heard(told(2))])
                .when(&context(), Command::Hear(told(version)))
                .then_nothing();
        }
    }

    /// `SPEAN_BLESS=1` writes the file afresh; a line that is already stored somewhere may never change.
    #[test]
    fn stored_events_are_read_for_ever() {
        let ended = Told { withdrawn_on: Some("2027-06-30".parse().unwrap()), ..told(2) };
        crate::examples::are_golden("heard_offering", &[Event::Heard(told(1)), Event::Heard(ended)]);
    }
}
