//! Nothing that was withheld can be found out: tried with everything that was ever published, over three periods with two
//! corrections each, for random histories, by somebody who knows how it is made.
#![expect(clippy::unwrap_used, reason = "a specification fails by panicking")]

mod attack;

use std::collections::BTreeMap;

use attack::{Equations, Unknown};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use spean_eventsourcing::{Aggregate as _, Context};
use spean_insight::measure::{Dimension, Measure};
use spean_insight::publication::{Command, Event, OTHER, Publication, Published};
use spean_insight::report::{Figure, Issued, REPORTED_BY};
use spean_insight::suppression::{POSSIBILITIES, SMALLEST};
use spean_vocabulary::Timestamp;

const PERIODS: [&str; 3] = ["2025-1", "2025-2", "2025-3"];
const NODES: [&str; 3] = ["kandal", "poipet", "takeo"];
const MEASURES: [Measure; 3] = [Measure::CaseRegistered, Measure::Arrived, Measure::Visit];
/// How often a period is published: once, and two corrections.
const BATCHES: usize = 3;
/// Values of each dimension that can occur.
const VALUES: usize = 4;

/// One thing that happened: where, when, what it is like by each dimension, and in which edition it came in.
#[derive(Clone, Debug)]
struct Happened {
    node: usize,
    period: usize,
    measure: usize,
    values: Vec<usize>,
    batch: usize,
}

/// Many of one value and few of the others, as it is with most things that are counted; now and then it is late.
fn happened() -> impl Strategy<Value = Happened> {
    let value = || prop_oneof![12 => Just(0_usize), 5 => Just(1_usize), 2 => Just(2_usize), 1 => Just(3_usize)];
    let values = prop::collection::vec(value(), REPORTED_BY.len());
    let batch = prop_oneof![8 => Just(0_usize), 2 => Just(1_usize), 1 => Just(2_usize)];
    (0..NODES.len(), 0..PERIODS.len(), 0..MEASURES.len(), values, batch)
        .prop_map(|(node, period, measure, values, batch)| Happened { node, period, measure, values, batch })
}

/// Whoever arrives is registered, so what is told of arrivals tells of registrations as well.
fn histories(people: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Happened>> {
    prop::collection::vec(happened(), people).prop_map(|history| {
        let arrived = history.iter().filter(|happened| MEASURES[happened.measure] == Measure::Arrived);
        let registered: Vec<_> = arrived.map(|happened| Happened { measure: 0, ..happened.clone() }).collect();
        history.into_iter().chain(registered).collect()
    })
}

fn value(dimension: usize, value: usize) -> String {
    format!("{}-{value}", REPORTED_BY[dimension])
}

fn report(history: &[Happened], node: usize, period: usize, batch: usize) -> Issued {
    let mut numbers = BTreeMap::<(Measure, Option<Dimension>, String), u64>::new();
    let of = |happened: &&Happened| happened.node == node && happened.period == period && happened.batch <= batch;
    for happened in history.iter().filter(of) {
        let measure = MEASURES[happened.measure];
        *numbers.entry((measure, None, String::new())).or_default() += 1;
        for (dimension, by) in REPORTED_BY.into_iter().enumerate() {
            *numbers.entry((measure, Some(by), value(dimension, happened.values[dimension]))).or_default() += 1;
        }
    }
    let figure = |((measure, dimension, value), count)| Figure { measure, dimension, value, count };
    Issued {
        period: PERIODS[period].parse().unwrap(),
        node: NODES[node].parse().unwrap(),
        agency: "dsvy".parse().unwrap(),
        issued_at: Timestamp::default(),
        edition: u32::try_from(batch).unwrap(),
        figures: numbers.into_iter().map(figure).collect(),
    }
}

/// All that is ever published of a period, by the batch it was published after.
fn publish(history: &[Happened], period: usize) -> BTreeMap<usize, Published> {
    let now = Timestamp::from_micros(1_795_300_200_000_000);
    let context = Context { office: "ministry".parse().unwrap(), staff: None, now };
    let mut publication = Publication::default();
    let (mut reports, mut published) = (Vec::new(), BTreeMap::new());
    for batch in 0..BATCHES {
        reports.extend((0..NODES.len()).map(|node| report(history, node, period, batch)));
        let period = PERIODS[period].parse().unwrap();
        let command = Command::Publish { period, reports: reports.clone(), is_ministry: true };
        for event in publication.decide(command, &context).unwrap() {
            if let Event::Published(of) = &event {
                published.insert(batch, of.clone());
            }
            publication = publication.evolve(&event);
        }
    }
    published
}

/// What is withheld of a table, what is true of it, and the unknown that stands for it.
struct Withheld {
    name: String,
    truth: u64,
    unknown: Unknown,
}

/// The equations that follow from all publications, for somebody who knows which batch each fact was counted in.
struct Attack<'h> {
    history: &'h [Happened],
    equations: Equations,
    withheld: Vec<Withheld>,
    /// Unknowns of what is in a cell of a measure, of each publication that counted it.
    cells: BTreeMap<(usize, usize, usize, usize), Vec<Unknown>>,
    /// Until which batch a measure of a period was told: what came later is in no publication.
    told_until: BTreeMap<(usize, usize), usize>,
}

impl Attack<'_> {
    /// One measure of one publication. `since` is the batch from which on it counts.
    fn read(&mut self, published: &Published, measure: usize, period: usize, since: usize, batch: usize) {
        let figures: Vec<_> = published.figures.iter().filter(|figure| figure.measure == MEASURES[measure]).collect();
        let counted = |happened: &&Happened| {
            happened.period == period && happened.measure == measure && (since..=batch).contains(&happened.batch)
        };
        let counted: Vec<_> = self.history.iter().filter(counted).collect();
        self.told_until.insert((measure, period), batch);
        let total = figures.iter().find(|figure| figure.dimension.is_none()).and_then(|figure| figure.count);
        for (dimension, by) in REPORTED_BY.into_iter().enumerate() {
            let table: Vec<_> = figures.iter().filter(|figure| figure.dimension == Some(by)).collect();
            let others = table.iter().find(|figure| figure.value == OTHER).and_then(|figure| figure.count);
            let mut hidden = Vec::new();
            let mut all = Vec::new();
            for number in 0..VALUES {
                let name = value(dimension, number);
                let named = table.iter().find(|figure| figure.value == name).and_then(|figure| figure.count);
                let truth = counted.iter().filter(|happened| happened.values[dimension] == number).count();
                let truth = u64::try_from(truth).unwrap();
                let unknown = if let Some(named) = named {
                    assert_eq!(named, truth, "{name} is told as it is");
                    let named = i64::try_from(named).unwrap();
                    self.equations.unknown(named, named)
                } else {
                    let unknown = self.equations.count();
                    hidden.push(unknown);
                    if (1..SMALLEST).contains(&truth) {
                        let name = format!("{} {name} of {} until {batch}", MEASURES[measure], PERIODS[period]);
                        self.withheld.push(Withheld { name, truth, unknown });
                    }
                    unknown
                };
                all.push(unknown);
                self.cells.entry((measure, dimension, number, period)).or_default().push(unknown);
            }
            if let Some(total) = total {
                let told: u64 = table.iter().filter_map(|figure| figure.count).sum();
                assert_eq!(told, total, "what is told of {by} adds up");
                self.equations.sum(hidden, i64::try_from(others.unwrap_or(0)).unwrap());
                self.equations.sum(all, i64::try_from(total).unwrap());
            } else {
                let few = self.equations.unknown(1, i64::try_from(SMALLEST).unwrap() - 1);
                self.equations.is_sum(few, &all);
            }
        }
    }

    /// What is true over the year, and of each period with its corrections.
    fn add_up(&mut self) {
        let mut years = BTreeMap::<(usize, usize, usize), Vec<Unknown>>::new();
        for ((measure, dimension, number, period), parts) in self.cells.clone() {
            let is = |happened: &&Happened| self.is_told(happened, measure, dimension, number);
            let truth = self.history.iter().filter(is).filter(|happened| happened.period == period).count();
            let whole = self.equations.count();
            self.equations.is_sum(whole, &parts);
            self.note(
                format!("{} {} of {}", MEASURES[measure], value(dimension, number), PERIODS[period]),
                truth,
                whole,
            );
            years.entry((measure, dimension, number)).or_default().push(whole);
        }
        for ((measure, dimension, number), parts) in years {
            let is = |happened: &&Happened| self.is_told(happened, measure, dimension, number);
            let truth = self.history.iter().filter(is).count();
            let whole = self.equations.count();
            self.equations.is_sum(whole, &parts);
            self.note(format!("{} {} of the year", MEASURES[measure], value(dimension, number)), truth, whole);
        }
    }

    fn is_told(&self, happened: &Happened, measure: usize, dimension: usize, number: usize) -> bool {
        let until = self.told_until.get(&(measure, happened.period));
        happened.measure == measure
            && happened.values[dimension] == number
            && until.is_some_and(|until| happened.batch <= *until)
    }

    fn note(&mut self, name: String, truth: usize, unknown: Unknown) {
        let truth = u64::try_from(truth).unwrap();
        if (1..SMALLEST).contains(&truth) {
            self.withheld.push(Withheld { name, truth, unknown });
        }
    }
}

/// Sets up all that follows from what is published of a history.
fn attack(history: &[Happened]) -> Attack<'_> {
    let mut attack = Attack {
        history,
        equations: Equations::default(),
        withheld: vec![],
        cells: BTreeMap::new(),
        told_until: BTreeMap::new(),
    };
    for period in 0..PERIODS.len() {
        let published = publish(history, period);
        for (measure, asked) in MEASURES.iter().enumerate() {
            let mut since = 0;
            let tells = |published: &Published| {
                let mut figures = published.figures.iter().filter(|figure| figure.measure == *asked);
                figures.find(|figure| figure.dimension.is_none()).map(|figure| figure.count)
            };
            let last =
                published.iter().filter(|(_, published)| tells(published).is_some()).map(|(batch, _)| *batch).max();
            for (batch, published) in &published {
                match tells(published) {
                    Some(Some(_)) => {
                        attack.read(published, measure, period, since, *batch);
                        since = batch + 1;
                    }
                    // What is withheld is told with the next batch that can be; of the last one it is known that it is little.
                    Some(None) if last == Some(*batch) => attack.read(published, measure, period, since, *batch),
                    _ => {}
                }
            }
        }
    }
    attack
}

fn draw(people: std::ops::Range<usize>, runner: &mut TestRunner) -> Vec<Happened> {
    histories(people).new_tree(runner).unwrap().current()
}

#[test]
fn what_is_withheld_can_be_found_out_by_no_sums_and_differences_of_all_that_is_published() {
    let mut runner = TestRunner::deterministic();
    let (mut tried, mut published) = (0, 0);
    for people in [20..60, 60..200, 200..600].into_iter().cycle().take(30) {
        let history = draw(people, &mut runner);
        let mut attack = attack(&history);
        published += attack.withheld.len();
        attack.add_up();
        let (bounds, solved) = (attack.equations.narrow(), attack.equations.solved());
        for Withheld { name, truth, unknown } in &attack.withheld {
            let (least, most) = bounds[*unknown];
            let is_possible = (least..=most).contains(&i64::try_from(*truth).unwrap());
            assert!(is_possible, "the attack itself is wrong about {name}: {least} to {most}, not {truth}");
            assert!(!solved.contains(unknown), "{name} is solved");
            let possibilities = u64::try_from(most - least + 1).unwrap();
            assert!(possibilities >= POSSIBILITIES, "{name} is one of {least} to {most}");
            tried += 1;
        }
    }
    assert!(tried > 1_000 && published > 500, "hardly anything was withheld: {tried}, {published}");
}

/// Even for somebody who knows that every arrival is registered, so that what is told of the one tells of the other.
#[test]
fn what_is_told_of_a_part_does_not_tell_what_is_withheld_of_the_whole() {
    let mut runner = TestRunner::deterministic();
    let mut tried = 0;
    for people in [60..200, 200..400].into_iter().cycle().take(16) {
        let mut history = draw(people, &mut runner);
        // What came late makes batches that need not be parts of each other.
        history.retain(|happened| happened.batch == 0);
        let mut attack = attack(&history);
        for ((measure, dimension, number, period), parts) in attack.cells.clone() {
            let whole = attack.cells.get(&(0, dimension, number, period));
            if MEASURES[measure] == Measure::Arrived
                && let (Some(whole), [part]) = (whole, parts.as_slice())
            {
                attack.equations.part(*part, whole[0]);
            }
        }
        let bounds = attack.equations.narrow();
        for Withheld { name, unknown, .. } in &attack.withheld {
            let (least, most) = bounds[*unknown];
            assert!(most > least, "{name} is {least}");
            tried += 1;
        }
    }
    assert!(tried > 500, "hardly anything was withheld: {tried}");
}

/// What is hidden badly is found: one value alone by its total, and what came late by the difference.
#[test]
fn the_attack_finds_what_is_hidden_badly() {
    let mut equations = Equations::default();
    let (alone, late, before) = (equations.count(), equations.count(), equations.count());
    equations.sum(vec![before], 16);
    equations.sum(vec![alone, before], 19);
    let after = equations.count();
    equations.sum(vec![after], 17);
    equations.is_sum(after, &[before, late]);
    let (bounds, solved) = (equations.narrow(), equations.solved());
    assert_eq!((bounds[alone], bounds[late]), ((3, 3), (1, 1)));
    assert!(solved.contains(&alone) && solved.contains(&late));
}
