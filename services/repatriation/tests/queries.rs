//! What a transit centre sees in its lists, on both databases.

mod support;

use std::collections::BTreeSet;

use spean_eventstore::EventStore;
use spean_repatriation::arrival::{Arrival, Command, DepartureKind};
use spean_repatriation::arrivals::{self, Entry, Reconciliation};
use spean_vocabulary::{ArrivalId, CaseNumber, Need, OfficeId};

use support::{at, centre, circumstances, codes, databases, day, handle, id, office};

async fn ask(store: &EventStore, arrival: u8, command: Command) {
    handle::<Arrival>(store, id::<ArrivalId>(arrival).to_string(), command, &at(centre())).await;
}

async fn arrive(store: &EventStore, arrival: u8, office: OfficeId, on: &str) {
    let command = Command::Register {
        person: id(arrival),
        circumstances: circumstances(on),
        codes: codes(),
        needs: BTreeSet::from([Need::Livelihood]),
    };
    handle::<Arrival>(store, id::<ArrivalId>(arrival).to_string(), command, &at(office)).await;
}

async fn list(store: &EventStore, present_only: bool) -> Vec<Entry> {
    arrivals::of_office(&centre(), present_only, 10, 0, store.reader()).await.expect("a query")
}

fn ids(entries: &[Entry]) -> Vec<String> {
    entries.iter().map(|entry| entry.arrival_id.clone()).collect()
}

fn texts(numbers: impl IntoIterator<Item = u8>) -> Vec<String> {
    numbers.into_iter().map(|number| id::<ArrivalId>(number).to_string()).collect()
}

async fn a_week(store: &EventStore) {
    for (arrival, on) in [(1, "2026-09-01"), (2, "2026-09-03"), (3, "2026-09-03"), (4, "2026-09-02")] {
        arrive(store, arrival, centre(), on).await;
    }
    arrive(store, 5, office("battambang"), "2026-09-01").await;
    let case_number = CaseNumber::draw("PP".parse().expect("a tag"), [1, 2, 3, 4, 5]);
    ask(store, 1, Command::NoteCase { case_number }).await;
    let needs = BTreeSet::from([Need::Medical, Need::Legal]);
    ask(store, 1, Command::RecordNeeds { needs, urgent: false, responsible_adult: None }).await;
    for (arrival, night_of) in [(1, "2026-09-01"), (1, "2026-09-02"), (1, "2026-09-02"), (4, "2026-09-02")] {
        ask(store, arrival, Command::RecordStay { night_of: day(night_of) }).await;
    }
    for arrival in [1, 2] {
        ask(store, arrival, Command::NoteAcceptance { offer: Some(id(9)), office: office("kandal") }).await;
    }
    let handed_over = Command::RecordDeparture { kind: DepartureKind::HandedOver, on: day("2026-09-03") };
    ask(store, 1, handed_over).await;
    ask(store, 4, Command::RecordDeparture { kind: DepartureKind::OwnWill, on: day("2026-09-03") }).await;
}

#[tokio::test]
async fn the_latest_arrivals_stand_first_and_those_who_left_are_told_from_those_who_are_here() {
    for database in databases() {
        let store = database.open().await;
        a_week(&store).await;
        let all = list(&store, false).await;
        assert_eq!(ids(&all), texts([3, 2, 4, 1]));
        assert_eq!(ids(&list(&store, true).await), texts([3, 2]));
        let first = all.last().expect("four of them");
        assert_eq!(first.needs, ["medical", "legal"]);
        assert_eq!((first.nights, first.accepted_by.as_str()), (2, "kandal"));
        assert_eq!((first.departure.as_str(), first.departed_on.as_str()), ("handed_over", "2026-09-03"));
        assert!(first.case_number.parse::<CaseNumber>().is_ok());
        assert_eq!((first.sex.as_str(), first.age_band.as_str(), first.home_place.as_str()), ("male", "adult", "0203"));
        store.rebuild("arrivals").await.expect("it can be rebuilt");
        assert_eq!(list(&store, false).await, all);
        store.close().await;
    }
}

#[tokio::test]
async fn everybody_who_arrived_is_here_handed_over_or_left_of_their_own_will() {
    for database in databases() {
        let store = database.open().await;
        a_week(&store).await;
        let reconciled = arrivals::reconcile(&centre(), None, day("2026-09-30"), store.reader()).await;
        let expected =
            Reconciliation { arrived: 4, present: 2, handed_over: 1, own_will: 1, bed_nights: 3, waiting: texts([3]) };
        assert_eq!(reconciled.expect("a query"), expected);
        let one_day = arrivals::reconcile(&centre(), Some(day("2026-09-02")), day("2026-09-02"), store.reader()).await;
        let expected = Reconciliation { arrived: 1, own_will: 1, bed_nights: 1, ..Reconciliation::default() };
        assert_eq!(one_day.expect("a query"), expected);
        ask(&store, 2, Command::NoteReturn { offer: id(10) }).await;
        let reconciled = arrivals::reconcile(&centre(), None, day("2026-09-30"), store.reader()).await;
        assert_eq!(reconciled.expect("a query").waiting, texts([2, 3]));
        store.close().await;
    }
}
