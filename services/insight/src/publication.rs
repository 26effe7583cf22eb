//! What everybody may read: the sums of all agencies' reports, with small groups counted together.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use spean_eventsourcing::{Aggregate, Context, Fault, Refusal};
use spean_vocabulary::{AgeBand, NodeId, Sex, Timestamp};
use strum::IntoEnumIterator as _;

use crate::measure::{Dimension, Measure};
use crate::period::Period;
use crate::report::Issued;
use crate::suppression::publish;

#[cfg(test)]
mod tests;

/// The value under which small groups are counted together.
pub const OTHER: &str = "OTHER";

/// The publication of one period, once there is one.
#[derive(Clone, Debug, Default)]
pub struct Publication {
    published: Option<Published>,
}

/// Published figures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    /// The period.
    pub period: Period,
    /// When they were published, by the clock of the ministry's node.
    pub published_at: Timestamp,
    /// The nodes whose reports are in it, also those of earlier periods that came in late.
    pub nodes: Vec<NodeId>,
    /// The figures.
    pub figures: Vec<Figure>,
}

/// One published figure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figure {
    /// What is counted.
    pub measure: Measure,
    /// By what; none for the total.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dimension: Option<Dimension>,
    /// The value of the dimension, or [`OTHER`]; empty for the total.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub value: String,
    /// How many; none when fewer than five people are behind the whole measure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
}

/// What may be asked.
#[derive(Clone, Debug)]
pub enum Command {
    /// Publish these reports.
    Publish {
        /// The period.
        period: Period,
        /// All reports that are in no publication yet, of this period and of earlier ones.
        reports: Vec<Issued>,
        /// Whether the caller's office is the one that keeps the network's registry.
        is_ministry: bool,
    },
    /// Keep what the ministry has published.
    Receive(Published),
}

/// What happened. Stored for ever: add variants and optional fields, never rename or remove.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// The figures were published here.
    Published(Published),
    /// The figures came from the ministry.
    Received(Published),
}

/// Why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum Error {
    /// Only one office publishes, so that nothing can be subtracted from anything.
    #[error("only the office that keeps the registry of the network publishes figures")]
    NotTheMinistry,
    /// It is too early.
    #[error("the period is not over")]
    PeriodNotOver,
    /// There is nothing to publish.
    #[error("no report has come in that was not published before")]
    NoReports,
    /// The ministry does not publish twice.
    #[error("other figures of this period were published before")]
    PublishedOtherwise,
}

impl Refusal for Error {
    fn reason(&self) -> &'static str {
        self.into()
    }

    fn fault(&self) -> Fault {
        match self {
            Self::NotTheMinistry => Fault::NotTheirs,
            _ => Fault::ForbiddenNow,
        }
    }
}

impl Aggregate for Publication {
    const CATEGORY: &'static str = "publication";
    type Command = Command;
    type Event = Event;
    type Error = Error;
    type Context = Context;

    fn decide(&self, command: Command, context: &Context) -> Result<Vec<Event>, Error> {
        match (command, &self.published) {
            (Command::Publish { is_ministry: false, .. }, _) => Err(Error::NotTheMinistry),
            (Command::Publish { .. }, Some(_)) => Ok(vec![]),
            (Command::Publish { period, reports, .. }, None) => {
                if context.now.date_in_cambodia() < period.ends_before() {
                    return Err(Error::PeriodNotOver);
                }
                if reports.is_empty() {
                    return Err(Error::NoReports);
                }
                Ok(vec![Event::Published(compile(period, &reports, context.now))])
            }
            (Command::Receive(published), Some(known)) if *known == published => Ok(vec![]),
            (Command::Receive(_), Some(_)) => Err(Error::PublishedOtherwise),
            (Command::Receive(published), None) => Ok(vec![Event::Received(published)]),
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        let (Event::Published(published) | Event::Received(published)) = event;
        self.published = Some(published.clone());
        self
    }
}

impl Publication {
    /// What was published; none as long as nothing was.
    pub const fn published(&self) -> Option<&Published> {
        self.published.as_ref()
    }
}

/// Adds the reports up, and withholds what would tell of few people.
fn compile(period: Period, reports: &[Issued], now: Timestamp) -> Published {
    let mut tables = BTreeMap::<(Measure, Dimension), BTreeMap<String, u64>>::new();
    let mut totals = BTreeMap::<Measure, u64>::new();
    for figure in reports.iter().flat_map(|report| &report.figures) {
        match figure.dimension {
            None => *totals.entry(figure.measure).or_default() += figure.count,
            Some(dimension) => {
                let table = tables.entry((figure.measure, dimension)).or_insert_with(|| every_value(dimension));
                *table.entry(figure.value.clone()).or_default() += figure.count;
            }
        }
    }
    let mut figures = Vec::new();
    for (measure, total) in totals {
        let whole = publish(&BTreeMap::from([(String::new(), total)]));
        figures.push(Figure { measure, dimension: None, value: String::new(), count: whole.total });
        if whole.total.is_none() {
            continue;
        }
        for ((_, dimension), cells) in tables.range((measure, Dimension::Province)..=(measure, Dimension::Waited)) {
            let table = publish(cells);
            let other = table.other.map(|count| (OTHER.to_owned(), count));
            figures.extend(table.named.into_iter().chain(other).map(|(value, count)| Figure {
                measure,
                dimension: Some(*dimension),
                value,
                count: Some(count),
            }));
        }
    }
    let mut nodes: Vec<_> = reports.iter().map(|report| report.node.clone()).collect();
    nodes.sort();
    nodes.dedup();
    Published { period, published_at: now, nodes, figures }
}

/// The values that everybody knows to be possible, each with nobody: that a value is not there must tell nothing either.
fn every_value(dimension: Dimension) -> BTreeMap<String, u64> {
    let nobody = |value: String| (value, 0);
    match dimension {
        Dimension::Sex => Sex::iter().map(|sex| nobody(sex.to_string())).collect(),
        Dimension::AgeBand => AgeBand::iter().map(|band| nobody(band.to_string())).collect(),
        // The codes of the 25 provinces are 01 to 25.
        Dimension::Province | Dimension::HomeProvince => (1..=25).map(|code| nobody(format!("{code:02}"))).collect(),
        _ => BTreeMap::new(),
    }
}
