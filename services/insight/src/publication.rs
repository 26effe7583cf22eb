//! What everybody may read: the sums of all agencies' reports, with small groups counted together.
//!
//! What came after a period was published is published as a correction, which counts that alone: whoever subtracts one
//! publication from another subtracts nothing from nothing. Of a measure of which only few were published or came late,
//! nothing is said until there are enough, and then of all of them at once.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use spean_eventsourcing::{Aggregate, Context, Fault, Refusal};
use spean_vocabulary::{NodeId, Timestamp};

use crate::measure::{Dimension, Measure};
use crate::period::Period;
use crate::report::{Issued, REPORTED_BY, is_first};
use crate::suppression::publish;

#[cfg(test)]
mod tests;

/// The value under which small groups are counted together.
pub const OTHER: &str = "OTHER";

/// What was published of one period, the first publication first; nothing as long as there is none.
#[derive(Clone, Debug, Default)]
pub struct Publication {
    editions: BTreeMap<u32, Published>,
}

/// Published figures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    /// The period.
    pub period: Period,
    /// When they were published, by the clock of the ministry's node.
    pub published_at: Timestamp,
    /// The nodes whose reports there were.
    pub nodes: Vec<NodeId>,
    /// 0 for the first publication of the period; corrections follow from 1.
    #[serde(default, skip_serializing_if = "is_first")]
    pub edition: u32,
    /// At the ministry: the editions of the reports that it was made from.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub made_from: BTreeMap<NodeId, u32>,
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
    /// Publish what these reports say and no publication of the period has counted.
    Publish {
        /// The period.
        period: Period,
        /// All reports of the period, in all their editions.
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
    #[error("no report of the period has come in")]
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
        match command {
            Command::Publish { is_ministry: false, .. } => Err(Error::NotTheMinistry),
            Command::Publish { period, reports, .. } => {
                if context.now.date_in_cambodia() < period.ends_before() {
                    return Err(Error::PeriodNotOver);
                }
                if reports.is_empty() && self.editions.is_empty() {
                    return Err(Error::NoReports);
                }
                let published = compile(period, &reports, self.editions.values(), context.now);
                // A correction that says nothing waits until it says something.
                let says_nothing = published.figures.iter().all(|figure| figure.count.is_none());
                let is_news = self.editions.is_empty() || !says_nothing;
                Ok(if is_news { vec![Event::Published(published)] } else { vec![] })
            }
            Command::Receive(published) => match self.editions.get(&published.edition) {
                Some(known) if *known == published => Ok(vec![]),
                Some(_) => Err(Error::PublishedOtherwise),
                None => Ok(vec![Event::Received(published)]),
            },
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        let (Event::Published(published) | Event::Received(published)) = event;
        self.editions.insert(published.edition, published.clone());
        self
    }
}

impl Publication {
    /// What was published last; none as long as nothing was.
    pub fn published(&self) -> Option<&Published> {
        self.editions.values().next_back()
    }
}

/// Numbers of one measure, by dimension and value; none and the empty value for the total.
type Numbers = BTreeMap<(Option<Dimension>, String), i64>;

/// Adds the reports up, leaves out what was published before, and withholds what would tell of few people.
fn compile<'p>(
    period: Period,
    reports: &[Issued],
    earlier: impl Iterator<Item = &'p Published> + Clone,
    now: Timestamp,
) -> Published {
    let mut newest = BTreeMap::<NodeId, u32>::new();
    for report in reports {
        let edition = newest.entry(report.node.clone()).or_default();
        *edition = report.edition.max(*edition);
    }
    let measures: BTreeSet<_> =
        reports.iter().flat_map(|report| &report.figures).map(|figure| figure.measure).collect();
    let mut figures = Vec::new();
    for measure in measures {
        let mut numbers = Numbers::new();
        add(&mut numbers, measure, reports, &newest, 1);
        let counted =
            earlier.clone().filter(|published| published.tells(measure)).max_by_key(|published| published.edition);
        if let Some(counted) = counted {
            add(&mut numbers, measure, reports, &counted.editions(), -1);
        }
        tell(measure, &numbers, &mut figures);
    }
    let edition = earlier.map(|published| published.edition + 1).max().unwrap_or(0);
    // That something is withheld is said once. A correction says what it tells, and nothing else.
    figures.retain(|figure| edition == 0 || figure.count.is_some());
    Published {
        period,
        published_at: now,
        nodes: newest.keys().cloned().collect(),
        edition,
        made_from: newest,
        figures,
    }
}

/// Adds the numbers of these editions, or takes them away.
fn add(numbers: &mut Numbers, measure: Measure, reports: &[Issued], editions: &BTreeMap<NodeId, u32>, sign: i64) {
    let counted = reports.iter().filter(|report| editions.get(&report.node) == Some(&report.edition));
    for figure in counted.flat_map(|report| &report.figures).filter(|figure| figure.measure == measure) {
        let count = i64::try_from(figure.count).unwrap_or(i64::MAX);
        let number = numbers.entry((figure.dimension, figure.value.clone())).or_default();
        *number = number.saturating_add(sign * count);
    }
}

/// What is said of one measure. Of a table from which something was taken away, because what is known of somebody was
/// corrected, nothing is said.
fn tell(measure: Measure, numbers: &Numbers, figures: &mut Vec<Figure>) {
    let total = numbers.get(&(None, String::new())).and_then(|total| u64::try_from(*total).ok()).unwrap_or(0);
    if total == 0 {
        return;
    }
    let whole = publish(&BTreeMap::from([(String::new(), total)]));
    figures.push(Figure { measure, dimension: None, value: String::new(), count: whole.total });
    if whole.total.is_none() {
        return;
    }
    for dimension in REPORTED_BY {
        let cells = numbers.iter().filter(|((by, _), _)| *by == Some(dimension));
        let cells = cells.map(|((_, value), count)| Some((value.clone(), u64::try_from(*count).ok()?)));
        let Some(cells) = cells.collect::<Option<BTreeMap<_, _>>>() else { continue };
        // Whoever reports tables that do not add up does not make the others' figures tell of anybody.
        if cells.values().sum::<u64>() != total {
            continue;
        }
        let table = publish(&cells);
        let other = table.other.map(|count| (OTHER.to_owned(), count));
        figures.extend(table.named.into_iter().chain(other).map(|(value, count)| Figure {
            measure,
            dimension: Some(dimension),
            value,
            count: Some(count),
        }));
    }
}

impl Published {
    /// The editions of the reports that it was made from: the first ones where that was not noted, since there were no others.
    fn editions(&self) -> BTreeMap<NodeId, u32> {
        if self.made_from.is_empty() {
            return self.nodes.iter().map(|node| (node.clone(), 0)).collect();
        }
        self.made_from.clone()
    }

    /// Whether it says how many there were of a measure.
    fn tells(&self, measure: Measure) -> bool {
        let told = |figure: &&Figure| figure.measure == measure && figure.dimension.is_none();
        self.figures.iter().find(told).is_some_and(|figure| figure.count.is_some())
    }
}
