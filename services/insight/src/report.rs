//! An agency's report of four months. What is fixed stays as it is; what comes late amends it by a further edition, which
//! says all of it anew, so that everybody can see what changed and when.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use spean_eventsourcing::{Aggregate, Context, Refusal};
use spean_vocabulary::{AgencyId, NodeId, Timestamp};

use crate::measure::{Dimension, Measure};
use crate::period::Period;

#[cfg(test)]
mod tests;

/// The dimensions of a report. Each table has one of them: what is published of it shares nothing but its total with
/// the other tables. Office and agency are not among them: together with the province they would tell of each other.
pub const REPORTED_BY: [Dimension; 11] = [
    Dimension::Province,
    Dimension::Month,
    Dimension::Sex,
    Dimension::AgeBand,
    Dimension::HomeProvince,
    Dimension::Route,
    Dimension::Country,
    Dimension::Sector,
    Dimension::Detail,
    Dimension::Waited,
    Dimension::Need,
];

/// The report of one node for one period: its editions, once there are any.
#[derive(Clone, Debug, Default)]
pub struct Report {
    editions: BTreeMap<u32, Issued>,
}

/// The numbers, and whose they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issued {
    /// The period.
    pub period: Period,
    /// The node that counted.
    pub node: NodeId,
    /// Its agency.
    pub agency: AgencyId,
    /// When it was fixed, by the clock of that node.
    pub issued_at: Timestamp,
    /// How often it was amended: 0 for the report as it was fixed first.
    #[serde(default, skip_serializing_if = "is_first")]
    pub edition: u32,
    /// The numbers: totals, and counts by each of [`REPORTED_BY`].
    pub figures: Vec<Figure>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
pub(crate) const fn is_first(edition: &u32) -> bool {
    *edition == 0
}

/// One number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figure {
    /// What is counted.
    pub measure: Measure,
    /// By what; none for the total.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dimension: Option<Dimension>,
    /// The value of the dimension; empty for the total.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub value: String,
    /// How many.
    pub count: u64,
}

/// What may be asked.
#[derive(Clone, Debug)]
pub enum Command {
    /// Fix the report of this node, or amend it when it says something else now. The numbers are those of all facts of the
    /// period; the edition follows from those that there are.
    Issue(Issued),
    /// Keep an edition of the report of another node.
    Receive(Issued),
}

/// What happened. Stored for ever: add variants and optional fields, never rename or remove.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// This node's report was fixed, or amended.
    Issued(Issued),
    /// An edition of another node's report came in.
    Received(Issued),
}

/// Why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum Error {
    /// It is too early.
    #[error("the period is not over; its report can be issued from the day after its last")]
    PeriodNotOver,
    /// It was fixed before, and says something else.
    #[error("this node has sent other figures as the same edition of its report before")]
    ReportedOtherwise,
}

impl Refusal for Error {
    fn reason(&self) -> &'static str {
        self.into()
    }
}

impl Aggregate for Report {
    const CATEGORY: &'static str = "report";
    type Command = Command;
    type Event = Event;
    type Error = Error;
    type Context = Context;

    fn decide(&self, command: Command, context: &Context) -> Result<Vec<Event>, Error> {
        match command {
            Command::Issue(report) => {
                if context.now.date_in_cambodia() < report.period.ends_before() {
                    return Err(Error::PeriodNotOver);
                }
                let edition = match self.editions.last_key_value() {
                    Some((_, known)) if known.figures == report.figures => return Ok(vec![]),
                    Some((last, _)) => last + 1,
                    None => 0,
                };
                Ok(vec![Event::Issued(Issued { edition, ..report })])
            }
            Command::Receive(report) => match self.editions.get(&report.edition) {
                Some(known) if *known == report => Ok(vec![]),
                Some(_) => Err(Error::ReportedOtherwise),
                None => Ok(vec![Event::Received(report)]),
            },
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        let (Event::Issued(report) | Event::Received(report)) = event;
        self.editions.insert(report.edition, report.clone());
        self
    }
}

impl Report {
    /// The newest edition; none as long as nothing was fixed.
    pub fn issued(&self) -> Option<&Issued> {
        self.editions.values().next_back()
    }
}
