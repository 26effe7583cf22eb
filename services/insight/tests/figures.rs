//! Figures are what a plain recount of the events gives, on both databases and for histories that nobody thought of.
#![expect(clippy::unwrap_used, reason = "a specification fails by panicking")]

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use spean_eventsourcing::Context;
use spean_eventstore::{EventStore, Metadata, Options};
use spean_insight::figures::{self, Figures};
use spean_insight::measure::{Dimension, Measure, OpenThing};
use spean_insight::period::Period;
use spean_insight::report::{self, Issued, Report};
use spean_insight::subject::{Command, Description, Fact, Subject};
use spean_testkit::{Postgres, a_folder};
use spean_vocabulary::{AgeBand, CaseId, Date, Sex, Timestamp};

/// What the services told, in order: about which subject, and what.
type History = Vec<(u8, Command)>;

const SUBJECTS: u8 = 12;

fn subject(number: u8) -> CaseId {
    format!("00000000-0000-4000-8000-0000000000{number:02x}").parse().unwrap()
}

fn day(offset: i32) -> Date {
    "2026-01-01".parse::<Date>().unwrap().plus_days(offset)
}

fn a_fact() -> impl Strategy<Value = Command> {
    let measures = [
        Measure::CaseRegistered,
        Measure::OfferMade,
        Measure::OfferAccepted,
        Measure::OfferDeclined,
        Measure::NeedFound,
        Measure::NeedMet,
    ];
    let (measure, office) = (prop::sample::select(measures.to_vec()), prop::sample::select(vec!["poipet", "takeo"]));
    let (detail, thing) = (prop::sample::select(vec!["", "shelter", "medical"]), 0..6_u8);
    let hours = prop::option::of(0..900_i64);
    (any::<u32>(), measure, office, 0..200_i32, detail, thing, hours).prop_map(
        |(id, measure, office, on, detail, thing, hours)| {
            Command::Record(Fact {
                fact_id: format!("referral/{id}"),
                measure,
                office: office.parse().unwrap(),
                province: Some(if office == "poipet" { "01" } else { "21" }.parse().unwrap()),
                occurred_on: day(on),
                detail: detail.to_owned(),
                recorded_hour: 490_000,
                thing: if thing == 0 { String::new() } else { format!("thing-{thing}") },
                hours,
            })
        },
    )
}

fn a_description() -> impl Strategy<Value = Command> {
    let sex = prop::option::of(prop::sample::select(vec![Sex::Female, Sex::Male]));
    let band = prop::option::of(prop::sample::select(vec![AgeBand::Child, AgeBand::Adult]));
    (sex, band).prop_map(|(sex, age_band)| Command::Describe(Description { sex, age_band, ..Description::default() }))
}

fn histories() -> impl Strategy<Value = History> {
    let command = prop_oneof![4 => a_fact(), 1 => a_description()];
    prop::collection::vec((0..SUBJECTS, command), 1..60)
}

async fn open(url: &str) -> EventStore {
    let options = Options { read_models: vec![Arc::new(Figures)], ..Options::new(url, "insight", "test") };
    EventStore::open(options).await.unwrap()
}

fn context() -> Context {
    let now = Timestamp::from_micros(1_795_300_200_000_000);
    Context { office: "ministry".parse().unwrap(), staff: None, now }
}

async fn tell(store: &EventStore, history: &History) {
    for (number, command) in history {
        let (context, metadata) = (context(), Metadata::of(&context()));
        // A fact id that is taken by another fact is refused; the recount does not count it either.
        let _ = store.handle::<Subject>(subject(*number).to_string(), command.clone(), context, metadata).await;
    }
}

/// The recount: from the history alone, with nothing but loops.
struct Recount {
    facts: Vec<(u8, Fact)>,
    described: BTreeMap<u8, Description>,
}

impl Recount {
    fn of(history: &History) -> Self {
        let mut recount = Self { facts: vec![], described: BTreeMap::new() };
        for (number, command) in history {
            match command {
                Command::Record(fact) => {
                    let taken = |(other, known): &(u8, Fact)| other == number && known.fact_id == fact.fact_id;
                    if !recount.facts.iter().any(taken) {
                        // All facts of these histories are recorded in the same hour.
                        let asked = recount.facts.iter().any(|(other, known)| {
                            other == number
                                && known.thing == fact.thing
                                && Some(known.measure) == fact.measure.answers()
                        });
                        let hours = fact.hours.or(asked.then_some(0));
                        recount.facts.push((*number, Fact { hours, ..fact.clone() }));
                    }
                }
                Command::Describe(more) => {
                    let known = recount.described.remove(number).unwrap_or_default();
                    recount.described.insert(*number, known.with(more));
                }
            }
        }
        recount
    }

    fn value(&self, number: u8, fact: &Fact, by: Dimension) -> String {
        let described = self.described.get(&number);
        let value = match by {
            Dimension::Office => Some(fact.office.to_string()),
            Dimension::Province => fact.province.map(|place| place.to_string()),
            Dimension::Month => Some(fact.occurred_on.to_string()[..7].to_owned()),
            Dimension::Detail => Some(fact.detail.clone()).filter(|detail| !detail.is_empty()),
            Dimension::Sex => described.and_then(|known| known.sex).map(|sex| sex.to_string()),
            Dimension::AgeBand => described.and_then(|known| known.age_band).map(|band| band.to_string()),
            _ => unreachable!("not asked for here"),
        };
        value.unwrap_or_else(|| figures::UNKNOWN.to_owned())
    }

    fn count(
        &self,
        measure: Measure,
        from: Date,
        to: Date,
        by: &[Dimension],
    ) -> BTreeMap<Vec<String>, (u64, Vec<i64>)> {
        let mut groups = BTreeMap::<_, (u64, Vec<i64>)>::new();
        for (number, fact) in &self.facts {
            if fact.measure == measure && (from..=to).contains(&fact.occurred_on) {
                let group = by.iter().map(|by| self.value(*number, fact, *by)).collect::<Vec<_>>();
                let (count, hours) = groups.entry(group).or_default();
                *count += 1;
                hours.extend(fact.hours);
                hours.sort_unstable();
            }
        }
        groups
    }

    fn open(&self, thing: OpenThing) -> Vec<Date> {
        let (begins, ends) = thing.bounds();
        let mut things = BTreeMap::<&str, (i64, Option<Date>)>::new();
        for (_, fact) in self.facts.iter().filter(|(_, fact)| !fact.thing.is_empty()) {
            let (balance, since) = things.entry(&fact.thing).or_default();
            if begins.contains(&fact.measure) {
                *balance += 1;
                *since = (*since).max(Some(fact.occurred_on));
            } else if ends.contains(&fact.measure) {
                *balance -= 1;
            }
        }
        let mut open: Vec<_> =
            things.into_values().filter(|(balance, _)| *balance > 0).filter_map(|(_, since)| since).collect();
        open.sort();
        open
    }
}

async fn figures_are_a_plain_recount(url: &str, history: History) {
    let store = open(url).await;
    tell(&store, &history).await;
    compare(&store, &Recount::of(&history)).await;
    // Dropped and made again from the events, they are the same.
    store.rebuild("figures").await.unwrap();
    compare(&store, &Recount::of(&history)).await;
    store.close().await;
}

async fn compare(store: &EventStore, recount: &Recount) {
    let (from, to) = (day(20), day(150));
    let pairs = [
        vec![],
        vec![Dimension::Sex],
        vec![Dimension::Office, Dimension::Month],
        vec![Dimension::AgeBand, Dimension::Detail],
        vec![Dimension::Province],
    ];
    for measure in [Measure::CaseRegistered, Measure::OfferAccepted, Measure::NeedMet] {
        for by in &pairs {
            let counted = figures::by_group(measure, from, to, by, store.reader()).await.unwrap();
            let counted: BTreeMap<_, _> =
                counted.into_iter().map(|(values, counted)| (values, (counted.count, counted.hours))).collect();
            assert_eq!(counted, recount.count(measure, from, to, by), "{measure} by {by:?}");
        }
    }
    for thing in [OpenThing::Offers, OpenThing::Needs] {
        let open = figures::open(thing, None, store.reader()).await.unwrap();
        assert_eq!(open.into_iter().map(|open| open.since).collect::<Vec<_>>(), recount.open(thing), "{thing}");
    }
}

fn draw<S: Strategy>(strategy: &S, runner: &mut TestRunner) -> S::Value {
    strategy.new_tree(runner).unwrap().current()
}

#[tokio::test]
async fn on_sqlite_figures_are_what_a_recount_gives() {
    let folder = a_folder();
    let mut runner = TestRunner::deterministic();
    for number in 0..24 {
        let url = format!("sqlite://{}", folder.path().join(format!("{number}.db")).display());
        figures_are_a_plain_recount(&url, draw(&histories(), &mut runner)).await;
    }
}

#[tokio::test]
async fn on_postgres_figures_are_what_a_recount_gives() {
    let mut runner = TestRunner::deterministic();
    for _ in 0..4 {
        let url = Postgres::shared().database();
        figures_are_a_plain_recount(&url, draw(&histories(), &mut runner)).await;
    }
}

#[tokio::test]
async fn every_fact_is_in_exactly_one_report() {
    let folder = a_folder();
    let store = open(&format!("sqlite://{}", folder.path().join("insight.db").display())).await;
    let mut runner = TestRunner::deterministic();
    let history = draw(&prop::collection::vec((0..SUBJECTS, a_fact()), 40..60), &mut runner);
    let recount = Recount::of(&history);
    let (early, late) = history.split_at(history.len() / 2);
    tell(&store, &early.to_vec()).await;
    let mut reported = issue(&store, "2026-1").await;
    // What is recorded after the report was fixed, though it happened before, is in the next one.
    tell(&store, &late.to_vec()).await;
    reported += issue(&store, "2026-2").await;
    assert_eq!(issue(&store, "2026-2").await, 0, "a report is fixed once");
    assert_eq!(reported, u64::try_from(recount.facts.len()).unwrap());
}

/// Fixes the report of a period; the answer is the sum of its totals, and 0 when it was fixed before.
async fn issue(store: &EventStore, period: &str) -> u64 {
    let period: Period = period.parse().unwrap();
    let written = store.transact(move |transaction| {
        Box::pin(async move {
            let figures = figures::unreported(period, transaction.connection()).await.unwrap();
            let issued_at = context().now;
            let (node, agency) = ("ministry".parse().unwrap(), "mosvy".parse().unwrap());
            let report = Issued { period, node, agency, issued_at, figures };
            let (context, metadata) = (context(), Metadata::of(&context()));
            let id = format!("ministry/{period}");
            let decided =
                transaction.decide::<Report>(&id, report::Command::Issue(report.clone()), &context, &metadata).await;
            let news = !decided.unwrap().is_empty();
            let totals = report.figures.iter().filter(|figure| figure.dimension.is_none()).map(|figure| figure.count);
            Ok::<_, std::convert::Infallible>(if news { totals.sum() } else { 0_u64 })
        })
    });
    written.await.unwrap()
}
