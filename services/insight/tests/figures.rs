//! Figures are what a plain recount of the events gives, on both databases, for histories that nobody thought of, and in
//! whatever order and however often they are told.
#![expect(clippy::unwrap_used, reason = "a specification fails by panicking")]

mod recount;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use recount::{History, Numbers, Recount, day, histories, subject};
use spean_eventsourcing::Context;
use spean_eventstore::{EventStore, Metadata, Options};
use spean_insight::figures::{self, Figures};
use spean_insight::measure::{Dimension, Measure, OpenThing};
use spean_insight::period::Period;
use spean_insight::report::{self, Issued, Report};
use spean_insight::subject::Subject;
use spean_testkit::{Postgres, a_folder};
use spean_vocabulary::{NodeId, Timestamp};
use sqlx::Row as _;
use strum::IntoEnumIterator as _;

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
        let told = store.handle::<Subject>(subject(*number).to_string(), command.clone(), context, metadata).await;
        told.unwrap();
    }
}

/// All that the figures are drawn from.
async fn tables(store: &EventStore) -> BTreeSet<String> {
    let mut rows = BTreeSet::new();
    for (table, columns) in [
        ("counted_subject", "subject_id, sex, age_band, home_province, route, country, sector, need, case_id"),
        ("counted_fact", "subject_id, fact_id, measure, office, agency, province, occurred_on, detail, thing"),
        ("counted_fact", "subject_id, fact_id, cast(hours as text)"),
    ] {
        let sql = format!("select {columns} from {table}");
        for row in sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(store.reader()).await.unwrap() {
            let cells: Vec<String> = (0..row.len()).map(|cell| row.get(cell)).collect();
            rows.insert(format!("{table}: {}", cells.join(" | ")));
        }
    }
    rows
}

async fn figures_are_a_plain_recount(urls: [String; 2], history: History, shuffled: History) {
    let store = open(&urls[0]).await;
    tell(&store, &history).await;
    compare(&store, &Recount::of(&history)).await;
    let as_told = tables(&store).await;
    // Dropped and made again from the events, they are the same.
    store.rebuild("figures").await.unwrap();
    assert_eq!(tables(&store).await, as_told, "made anew");
    store.close().await;
    // Late, early and doubled they are the same.
    let store = open(&urls[1]).await;
    tell(&store, &shuffled).await;
    assert_eq!(tables(&store).await, as_told, "in another order, and twice");
    store.close().await;
}

async fn compare(store: &EventStore, recount: &Recount) {
    let (from, to) = (day(20), day(150));
    for measure in Measure::iter() {
        for first in std::iter::once(None).chain(Dimension::iter().map(Some)) {
            // Alone, and now and then with another.
            let second = [None, Some(Dimension::Detail)].into_iter().take(1 + usize::from(measure.answers().len() > 1));
            for second in second {
                let by: Vec<_> = first.into_iter().chain(second).collect();
                let counted = figures::by_group(measure, from, to, &by, store.reader()).await.unwrap();
                let counted: BTreeMap<_, _> =
                    counted.into_iter().map(|(values, counted)| (values, (counted.count, counted.hours))).collect();
                assert_eq!(counted, recount.count(measure, from, to, &by), "{measure} by {by:?}");
            }
        }
    }
    for thing in OpenThing::iter() {
        for by in [None, Some(Dimension::Sex), Some(Dimension::Office), Some(Dimension::Need)] {
            let open = figures::open(thing, by, store.reader()).await.unwrap();
            let mut open: Vec<_> = open.into_iter().map(|open| (open.since, open.value)).collect();
            open.sort();
            assert_eq!(open, recount.open(thing, by), "{thing} by {by:?}");
        }
    }
}

fn draw<S: Strategy>(strategy: &S, runner: &mut TestRunner) -> S::Value {
    strategy.new_tree(runner).unwrap().current()
}

/// The same history in another order, some of it told twice.
fn shuffled(history: &History, runner: &mut TestRunner) -> History {
    let doubled: History = history.iter().chain(history.iter().step_by(3)).cloned().collect();
    draw(&Just(doubled).prop_shuffle(), runner)
}

#[tokio::test]
async fn on_sqlite_figures_are_what_a_recount_gives() {
    let folder = a_folder();
    let mut runner = TestRunner::deterministic();
    for number in 0..8 {
        let url = |name: &str| format!("sqlite://{}", folder.path().join(format!("{number}-{name}.db")).display());
        let history = draw(&histories(20..140), &mut runner);
        let shuffled = shuffled(&history, &mut runner);
        figures_are_a_plain_recount([url("told"), url("shuffled")], history, shuffled).await;
    }
}

#[tokio::test]
async fn on_postgres_figures_are_what_a_recount_gives() {
    let mut runner = TestRunner::deterministic();
    let urls = [Postgres::shared().database(), Postgres::shared().database()];
    let history = draw(&histories(120..140), &mut runner);
    let shuffled = shuffled(&history, &mut runner);
    figures_are_a_plain_recount(urls, history, shuffled).await;
}

#[tokio::test]
async fn a_report_is_a_recount_of_its_period_and_is_amended_by_what_comes_late() {
    let folder = a_folder();
    let store = open(&format!("sqlite://{}", folder.path().join("insight.db").display())).await;
    let mut runner = TestRunner::deterministic();
    let history = draw(&histories(120..140), &mut runner);
    let (early, late) = history.split_at(history.len() / 2);
    tell(&store, &early.to_vec()).await;
    let first = issue(&store, "2026-2").await;
    assert_eq!(first, Recount::of(&early.to_vec()).report(&["2026-1", "2026-2"]), "what is known when it is issued");
    tell(&store, &late.to_vec()).await;
    let node = node();
    let mut connection = store.reader().acquire().await.unwrap();
    let outdated = figures::outdated(None, &node, &mut connection).await.unwrap();
    assert_eq!(outdated.len(), 2, "both periods would be reported otherwise now");
    drop(connection);
    let amended = issue(&store, "2026-2").await;
    assert_eq!(amended, Recount::of(&history).report(&["2026-1", "2026-2"]));
    issue(&store, "2026-2").await;
    let editions: Vec<_> =
        reports(&store).await.iter().map(|report| (report.period.to_string(), report.edition)).collect();
    let expected = [("2026-2", 1), ("2026-2", 0), ("2026-1", 1), ("2026-1", 0)];
    assert_eq!(editions, expected.map(|(period, edition)| (period.to_owned(), edition)), "asked again nothing happens");
}

fn node() -> NodeId {
    "ministry".parse().unwrap()
}

async fn reports(store: &EventStore) -> Vec<Issued> {
    figures::reports(None, store.reader()).await.unwrap()
}

/// Issues the report of a period; the answer is what the newest editions of all periods say.
async fn issue(store: &EventStore, period: &str) -> Numbers {
    let period: Period = period.parse().unwrap();
    let issued = store.transact(move |transaction| {
        Box::pin(async move {
            let outdated = figures::outdated(Some(period), &node(), transaction.connection()).await.unwrap();
            for (period, figures) in outdated {
                let (agency, issued_at) = ("mosvy".parse().unwrap(), context().now);
                let report = Issued { period, node: node(), agency, issued_at, edition: 0, figures };
                let (context, metadata) = (context(), Metadata::of(&context()));
                let command = report::Command::Issue(report);
                let id = format!("ministry/{period}");
                transaction.decide::<Report>(&id, command, &context, &metadata).await.unwrap();
            }
            Ok::<_, std::convert::Infallible>(())
        })
    });
    issued.await.unwrap();
    let mut numbers = Numbers::new();
    for report in reports(store).await.into_iter().rev() {
        numbers.retain(|(period, ..), _| *period != report.period.to_string());
        for figure in report.figures {
            numbers.insert((report.period.to_string(), figure.measure, figure.dimension, figure.value), figure.count);
        }
    }
    numbers
}
