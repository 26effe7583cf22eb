//! That somebody waits for a place at another office, as the office that offered was told.

use serde::{Deserialize, Serialize};
use spean_eventsourcing::{Aggregate, Context, Refusal};
use spean_vocabulary::{CaseId, Need, OfficeId, Timestamp, Urgency};

use super::codes::WaitingEnd;

/// Who waits, where, and for what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The office that keeps the list.
    pub at: OfficeId,
    /// The case.
    pub case: CaseId,
    /// What is needed.
    pub need: Need,
    /// How soon.
    pub urgency: Urgency,
}

/// A place in somebody else's line, by the offer that was put there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WaitingElsewhere {
    line: Option<Line>,
    heard: Option<Heard>,
    ended: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heard {
    Position(u32),
    Kept(Timestamp),
}

/// What is asked.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// The position was told.
    HearPosition {
        /// Where.
        line: Line,
        /// 1 is next.
        position: u32,
    },
    /// A place is kept.
    HearPlaceKept {
        /// Where.
        line: Line,
        /// Until when.
        until: Timestamp,
    },
    /// It is over.
    HearEnd {
        /// Where.
        line: Line,
        /// Why.
        why: WaitingEnd,
    },
    /// Nobody needs the place any more.
    GiveUp {
        /// Why.
        why: WaitingEnd,
    },
}

/// Stored for ever: add variants and optional fields, never rename or remove.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr, strum::VariantNames)]
#[serde(tag = "type", rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Event {
    /// The position was told.
    PositionHeard {
        /// Where.
        line: Line,
        /// 1 is next.
        position: u32,
    },
    /// A place is kept.
    PlaceKeptHeard {
        /// Where.
        line: Line,
        /// Until when.
        until: Timestamp,
    },
    /// It is over.
    EndHeard {
        /// Where.
        line: Line,
        /// Why.
        why: WaitingEnd,
    },
    /// Nobody needs the place any more: whoever keeps the list is told.
    GivenUp {
        /// Where.
        line: Line,
        /// Why.
        why: WaitingEnd,
    },
}

/// Why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum Error {
    /// Nobody waits by this offer.
    #[error("nobody waits for a place by this offer")]
    NobodyWaits,
}

impl Refusal for Error {
    fn reason(&self) -> &'static str {
        self.into()
    }
}

impl Aggregate for WaitingElsewhere {
    const CATEGORY: &'static str = "waiting_elsewhere";
    type Command = Command;
    type Event = Event;
    type Error = Error;
    type Context = Context;

    fn decide(&self, command: Command, _: &Context) -> Result<Vec<Event>, Error> {
        if self.ended {
            return Ok(vec![]);
        }
        Ok(match command {
            Command::HearPosition { position, .. } if self.heard == Some(Heard::Position(position)) => vec![],
            Command::HearPosition { line, position } => vec![Event::PositionHeard { line, position }],
            Command::HearPlaceKept { until, .. } if self.heard == Some(Heard::Kept(until)) => vec![],
            Command::HearPlaceKept { line, until } => vec![Event::PlaceKeptHeard { line, until }],
            Command::HearEnd { line, why } => vec![Event::EndHeard { line, why }],
            Command::GiveUp { why } => {
                let line = self.line.clone().ok_or(Error::NobodyWaits)?;
                vec![Event::GivenUp { line, why }]
            }
        })
    }

    fn evolve(mut self, event: &Event) -> Self {
        let (line, heard) = match event {
            Event::PositionHeard { line, position } => (line, Some(Heard::Position(*position))),
            Event::PlaceKeptHeard { line, until } => (line, Some(Heard::Kept(*until))),
            Event::EndHeard { line, .. } | Event::GivenUp { line, .. } => (line, None),
        };
        self.line = Some(line.clone());
        self.heard = heard;
        self.ended = heard.is_none();
        self
    }
}

#[cfg(test)]
mod tests;
