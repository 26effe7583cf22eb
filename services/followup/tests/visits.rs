//! The lists of follow-up on both databases: what is due, for whom, and that no missed visit is forgotten.
#![expect(clippy::unwrap_used, reason = "a specification fails by panicking")]

use std::sync::Arc;

use spean_chassis::standing;
use spean_contracts::referral::v1::{Standing, StandingChanged};
use spean_eventsourcing::Context;
use spean_eventstore::{EventStore, Metadata, Options};
use spean_followup::plan::{Command, Plan, Visit};
use spean_followup::visits::{self, Entry, Visits};
use spean_testkit::{Postgres, TempDir, a_folder};
use spean_vocabulary::{Date, Id, OfficeId, Timestamp, VisitOutcome, kind};

const DISTRICT: &str = "kandal-district";
const PROVINCE: &str = "kandal-province";

fn id<K>(number: u8) -> Id<K> {
    format!("00000000-0000-4000-8000-0000000000{number:02x}").parse().unwrap()
}

fn case(number: u8) -> Id<kind::Case> {
    id(number)
}

fn office(code: &str) -> OfficeId {
    code.parse().unwrap()
}

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

async fn open(url: &str) -> EventStore {
    let options = Options {
        tables: vec![standing::TABLES],
        read_models: vec![Arc::new(Visits)],
        ..Options::new(url, "followup", "test")
    };
    EventStore::open(options).await.unwrap()
}

/// `hour` stands for the moment of recording.
async fn order(store: &EventStore, of: u8, command: Command, hour: i64) {
    let now = Timestamp::from_micros(1_795_300_200_000_000).plus_hours(hour);
    let context = Context { office: office(DISTRICT), staff: None, now };
    let metadata = Metadata::of(&context);
    store.handle::<Plan>(case(of).to_string(), command, context, metadata).await.unwrap();
}

async fn begin(store: &EventStore, of: u8, on: &str) {
    order(store, of, Command::Begin { reintegrated_on: day(on), is_holder: true }, 0).await;
}

async fn record(store: &EventStore, of: u8, number: u8, visit: u8, on: &str, outcome: VisitOutcome) {
    let responsible_adult_present = false;
    let visit = Visit { visit_id: id(visit), number, visited_on: day(on), outcome, responsible_adult_present };
    order(store, of, Command::Record { visit, is_child: false, has_findings: false }, 9).await;
}

async fn says(store: &EventStore, of: u8, at: &str, standing: Standing) {
    let told = StandingChanged {
        case_id: case(of).to_string(),
        case_number: format!("number of {of}"),
        office_id: at.to_owned(),
        standing: standing.into(),
        ..StandingChanged::default()
    };
    let recorded = store
        .transact(move |transaction| Box::pin(async move { standing::record(&told, transaction.connection()).await }));
    recorded.await.unwrap();
}

async fn due(store: &EventStore, at: &str, until: &str) -> Vec<(u8, i64)> {
    let entries = visits::due(&office(at), day(until), 100, 0, store.reader()).await.unwrap();
    entries.iter().map(short).collect()
}

/// The case and the number of a visit.
fn short(entry: &Entry) -> (u8, i64) {
    let number = (1..=9).find(|number| case(*number).to_string() == entry.case_id).unwrap();
    (number, entry.number)
}

async fn of_case(store: &EventStore, of: u8) -> Vec<Entry> {
    visits::of_case(case(of), &office(DISTRICT), store.reader()).await.unwrap()
}

/// Two people who went home, one of them earlier.
async fn the_most_overdue_visits_come_first_and_none_is_forgotten(url: &str) {
    let store = open(url).await;
    for of in [1, 2] {
        says(&store, of, DISTRICT, Standing::Holds).await;
    }
    begin(&store, 1, "2026-01-31").await;
    begin(&store, 2, "2026-02-10").await;

    assert_eq!(due(&store, DISTRICT, "2026-02-27").await, []);
    assert_eq!(due(&store, DISTRICT, "2026-03-31").await, [(1, 1), (2, 1), (1, 2)]);
    assert_eq!(due(&store, PROVINCE, "2026-03-31").await, [], "another office has other work");

    record(&store, 1, 1, 21, "2026-02-27", VisitOutcome::Missed).await;
    record(&store, 2, 1, 22, "2026-03-09", VisitOutcome::Refused).await;
    assert_eq!(due(&store, DISTRICT, "2026-03-31").await, [(1, 1), (1, 2)]);
    let years_later = due(&store, DISTRICT, "2031-01-01").await;
    assert_eq!((years_later.len(), years_later[0]), (23, (1, 1)), "the missed visit is still the first");
    record(&store, 1, 1, 23, "2026-03-01", VisitOutcome::Met).await;
    assert_eq!(due(&store, DISTRICT, "2026-03-31").await, [(1, 2)]);

    let page = visits::due(&office(DISTRICT), day("2026-05-31"), 2, 2, store.reader()).await.unwrap();
    assert_eq!(page.iter().map(short).collect::<Vec<_>>(), [(1, 3), (2, 3)]);

    let before = (of_case(&store, 1).await, of_case(&store, 2).await);
    store.rebuild("visits").await.unwrap();
    assert_eq!((of_case(&store, 1).await, of_case(&store, 2).await), before);
    store.close().await;
}

/// Entered when the social worker is back: the days in the field decide what is shown.
async fn the_day_in_the_field_and_the_moment_of_recording_are_two_things(url: &str) {
    let store = open(url).await;
    says(&store, 1, DISTRICT, Standing::Holds).await;
    begin(&store, 1, "2026-01-31").await;
    record(&store, 1, 1, 21, "2026-03-09", VisitOutcome::Missed).await;
    record(&store, 1, 1, 22, "2026-02-27", VisitOutcome::Missed).await;
    let entries = of_case(&store, 1).await;
    assert_eq!(entries.len(), 12);
    let first = &entries[0];
    assert_eq!((first.visited_on.as_str(), first.outcome.as_str(), first.settled), ("2026-03-09", "missed", false));
    assert_eq!(first.overdue_days(day("2026-03-10")), 10);
    assert_eq!(first.overdue_days(day("2026-02-28")), 0);
    assert_eq!(first.case_number, "number of 1");

    record(&store, 1, 1, 23, "2026-03-01", VisitOutcome::Met).await;
    let first = of_case(&store, 1).await.remove(0);
    assert_eq!((first.visited_on.as_str(), first.outcome.as_str(), first.settled), ("2026-03-01", "met", true));
    assert_eq!(first.overdue_days(day("2026-09-01")), 0);
    let recorded_at = Timestamp::from_micros(1_795_300_200_000_000).plus_hours(9);
    assert_eq!(first.recorded_at, Some(recorded_at));
    store.close().await;
}

async fn a_case_that_moves_takes_its_visits_along_and_leaves_the_record(url: &str) {
    let store = open(url).await;
    says(&store, 1, DISTRICT, Standing::Holds).await;
    begin(&store, 1, "2026-01-31").await;
    says(&store, 1, DISTRICT, Standing::Held).await;
    assert_eq!(due(&store, DISTRICT, "2026-03-31").await, []);
    assert_eq!(of_case(&store, 1).await.len(), 12);
    says(&store, 1, PROVINCE, Standing::Holds).await;
    assert_eq!(due(&store, PROVINCE, "2026-03-31").await, [(1, 1), (1, 2)]);
    store.close().await;
}

fn sqlite(folder: &TempDir) -> String {
    format!("sqlite://{}", folder.path().join("followup.sqlite").display())
}

macro_rules! on_both_databases {
    ($($story:ident: $on_sqlite:ident, $on_postgres:ident;)*) => { $(
        #[tokio::test]
        async fn $on_sqlite() {
            let folder = a_folder();
            $story(&sqlite(&folder)).await;
        }

        #[tokio::test]
        async fn $on_postgres() {
            $story(&Postgres::shared().database()).await;
        }
    )* };
}

on_both_databases! {
    the_most_overdue_visits_come_first_and_none_is_forgotten:
        the_most_overdue_visits_come_first_on_sqlite, the_most_overdue_visits_come_first_on_postgres;
    the_day_in_the_field_and_the_moment_of_recording_are_two_things:
        the_day_in_the_field_counts_on_sqlite, the_day_in_the_field_counts_on_postgres;
    a_case_that_moves_takes_its_visits_along_and_leaves_the_record:
        a_case_that_moves_takes_its_visits_along_on_sqlite, a_case_that_moves_takes_its_visits_along_on_postgres;
}
