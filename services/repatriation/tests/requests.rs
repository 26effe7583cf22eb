//! What an office sees of the requests to bring people home, on both databases.

mod support;

use std::collections::BTreeSet;

use spean_eventstore::EventStore;
use spean_repatriation::request::{Command, Deadlines, Owner, Request};
use spean_repatriation::requests::{self, View};
use spean_repatriation::words::{
    DelegateReason, EndReason, RepatriationDirection as Direction, RepatriationStep as Step, StaffFunction,
};
use spean_vocabulary::{OfficeId, RepatriationRequestId, StaffId};

use support::{at, centre, databases, day, handle, id, office};

const DEADLINES: Deadlines = Deadlines([10; 7]);

async fn ask(store: &EventStore, request: u8, office: OfficeId, command: Command) {
    handle::<Request>(store, id::<RepatriationRequestId>(request).to_string(), command, &at(office)).await;
}

fn owner(staff: &str) -> Owner {
    Owner {
        office: centre(),
        function: StaffFunction::RepatriationOfficer,
        staff: Some(staff.parse().expect("a code")),
    }
}

async fn open(store: &EventStore, request: u8, on: &str) {
    let command = Command::Open {
        direction: Direction::ToHere,
        country: "TH".to_owned(),
        people: BTreeSet::from([id(request), id(request + 50)]),
        owner: owner("ptc-11"),
        owner_is_here: true,
        requested_on: day(on),
        deadlines: DEADLINES,
    };
    ask(store, request, centre(), command).await;
}

async fn list(store: &EventStore, office: &OfficeId, view: View, step: Option<Step>) -> Vec<requests::Entry> {
    let today = day("2026-09-20");
    requests::of_office(office, view, step, today, (10, 0), store.reader()).await.expect("a query")
}

fn ids(entries: &[requests::Entry]) -> Vec<String> {
    entries.iter().map(|entry| entry.request_id.clone()).collect()
}

fn texts(numbers: impl IntoIterator<Item = u8>) -> Vec<String> {
    numbers.into_iter().map(|number| id::<RepatriationRequestId>(number).to_string()).collect()
}

async fn a_month(store: &EventStore) {
    for (request, on) in [(1, "2026-09-12"), (2, "2026-09-01"), (3, "2026-09-05")] {
        open(store, request, on).await;
    }
    let done = Command::Complete { step: Step::Documents, on: day("2026-09-18"), deadlines: DEADLINES };
    ask(store, 3, centre(), done).await;
    let to = Owner { office: office("osvy-poipet"), function: StaffFunction::Caseworker, staff: None };
    let (reason, on) = (DelegateReason::NotInCharge, day("2026-09-18"));
    ask(store, 3, centre(), Command::Delegate { step: Step::Nationality, to, to_is_here: true, reason, on }).await;
}

#[tokio::test]
async fn what_is_due_first_stands_first_and_what_is_late_is_listed_apart() {
    for database in databases() {
        let store = database.open().await;
        a_month(&store).await;
        let open = list(&store, &centre(), View::Open, None).await;
        assert_eq!(ids(&open), texts([2, 1, 3]));
        assert_eq!((open[0].step.as_str(), open[0].due_on.as_str()), ("documents", "2026-09-11"));
        assert_eq!((open[2].owner_office.as_str(), open[2].since.as_str()), ("osvy-poipet", "2026-09-18"));
        assert_eq!(ids(&list(&store, &centre(), View::Late, None).await), texts([2]));
        assert_eq!(ids(&list(&store, &centre(), View::Open, Some(Step::Nationality)).await), texts([3]));
        assert_eq!(ids(&list(&store, &office("osvy-poipet"), View::Open, None).await), texts([3]));
        assert!(list(&store, &office("battambang"), View::Open, None).await.is_empty());
        store.rebuild("repatriation_requests").await.expect("it can be rebuilt");
        assert_eq!(list(&store, &centre(), View::Open, None).await, open);
        store.close().await;
    }
}

#[tokio::test]
async fn who_was_denied_stays_visible_when_the_request_goes_on_and_when_it_has_ended() {
    for database in databases() {
        let store = database.open().await;
        a_month(&store).await;
        let denied =
            |people: BTreeSet<_>| Command::End { people, reason: EndReason::OtherNational, on: day("2026-09-19") };
        ask(&store, 1, centre(), denied(BTreeSet::from([id(1)]))).await;
        ask(&store, 2, centre(), denied(BTreeSet::new())).await;
        let listed = list(&store, &centre(), View::NationalityDenied, None).await;
        let listed: BTreeSet<_> = listed.iter().map(|entry| (entry.request_id.clone(), entry.denied)).collect();
        assert_eq!(listed, texts([1, 2]).into_iter().zip([1, 2]).collect());
        let ended = list(&store, &centre(), View::Ended, None).await;
        assert_eq!((ids(&ended), ended[0].state.as_str()), (texts([2]), "nationality_denied"));
        assert_eq!(ids(&list(&store, &centre(), View::Open, None).await), texts([1, 3]));
        let found = requests::find(&texts([2])[0], &centre(), store.reader()).await.expect("a query");
        assert_eq!(found, ended.into_iter().next());
        store.close().await;
    }
}

#[tokio::test]
async fn all_open_steps_of_somebody_are_found() {
    for database in databases() {
        let store = database.open().await;
        a_month(&store).await;
        let mut connection = store.reader().acquire().await.expect("a connection");
        let staff: StaffId = "ptc-11".parse().expect("a code");
        let steps = requests::steps_of(&staff, &centre(), &mut connection).await.expect("a query");
        // Seven of two requests each; of the third, one is done and one is in other hands.
        assert_eq!(steps.len(), 7 + 7 + 5);
        assert!(!steps.contains(&(texts([3]).remove(0), Step::Nationality)));
        drop(connection);
        store.close().await;
    }
}
