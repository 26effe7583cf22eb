//! An agency's report of four months: numbers that are fixed once, so that every fact is in exactly one report.

use serde::{Deserialize, Serialize};
use spean_eventsourcing::{Aggregate, Context, Refusal};
use spean_vocabulary::{AgencyId, NodeId, Timestamp};

use crate::measure::{Dimension, Measure};
use crate::period::Period;

#[cfg(test)]
mod tests;

/// The dimensions of a report. Each table has one of them: what is published of it shares nothing but its total with
/// the other tables.
pub const REPORTED_BY: [Dimension; 9] = [
    Dimension::Province,
    Dimension::Sex,
    Dimension::AgeBand,
    Dimension::HomeProvince,
    Dimension::Route,
    Dimension::Country,
    Dimension::Sector,
    Dimension::Detail,
    Dimension::Waited,
];

/// The report of one node for one period: what was fixed, once it was.
#[derive(Clone, Debug, Default)]
pub struct Report {
    issued: Option<Issued>,
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
    /// The numbers: totals, and counts by each of [`REPORTED_BY`].
    pub figures: Vec<Figure>,
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
    /// Fix the report of this node. The numbers are those of all facts until the end of the period that are in no report.
    Issue(Issued),
    /// Keep the report that another node has fixed.
    Receive(Issued),
}

/// What happened. Stored for ever: add variants and optional fields, never rename or remove.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// This node's report was fixed.
    Issued(Issued),
    /// Another node's report came in.
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
    #[error("this node has sent another report of the period before; a report is fixed once")]
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
        match (command, &self.issued) {
            // Whatever was recorded since is for the next report.
            (Command::Issue(_), Some(_)) => Ok(vec![]),
            (Command::Issue(report), None) => {
                if context.now.date_in_cambodia() < report.period.ends_before() {
                    return Err(Error::PeriodNotOver);
                }
                Ok(vec![Event::Issued(report)])
            }
            (Command::Receive(report), Some(known)) if *known == report => Ok(vec![]),
            (Command::Receive(_), Some(_)) => Err(Error::ReportedOtherwise),
            (Command::Receive(report), None) => Ok(vec![Event::Received(report)]),
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        let (Event::Issued(report) | Event::Received(report)) = event;
        self.issued = Some(report.clone());
        self
    }
}

impl Report {
    /// What was fixed; none as long as nothing was.
    pub const fn issued(&self) -> Option<&Issued> {
        self.issued.as_ref()
    }
}
