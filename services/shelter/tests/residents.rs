//! The lists of a shelter on both databases: what was admitted is counted, listed, paged and rebuilt alike.
#![expect(clippy::unwrap_used, reason = "a specification fails by panicking")]

use std::sync::Arc;

use spean_chassis::standing;
use spean_contracts::referral::v1::{Standing, StandingChanged};
use spean_eventsourcing::Context;
use spean_eventstore::{EventStore, HandleError, Metadata, Options};
use spean_shelter::TABLES;
use spean_shelter::house::{Accountable, Admission, Command, Error, ExitKind, Group, House, Places};
use spean_shelter::residents::{self, Entry, Occupancy, Residents};
use spean_testkit::{Postgres, a_folder};
use spean_vocabulary::{CaseNumber, Date, Id, OfficeId, Sex, Timestamp};

const GIRLS: Group = Group { sex: Sex::Female, children: true };
const WOMEN: Group = Group { sex: Sex::Female, children: false };

fn id<K>(number: u8) -> Id<K> {
    format!("00000000-0000-4000-8000-0000000000{number:02x}").parse().unwrap()
}

fn office(code: &str) -> OfficeId {
    code.parse().unwrap()
}

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

async fn open(url: &str) -> EventStore {
    let options = Options {
        tables: TABLES.to_vec(),
        read_models: vec![Arc::new(Residents)],
        ..Options::new(url, "shelter", "test")
    };
    EventStore::open(options).await.unwrap()
}

async fn order(store: &EventStore, at: &str, command: Command) -> Result<(), HandleError<Error>> {
    let context = Context { office: office(at), staff: None, now: Timestamp::from_micros(1_795_300_200_000_000) };
    let metadata = Metadata::of(&context);
    store.handle::<House>(at, command, context, metadata).await.map(|_| ())
}

fn declare(girls: u32, women: u32) -> Command {
    let places = [(GIRLS, girls), (WOMEN, women)].map(|(group, capacity_persons)| Places { group, capacity_persons });
    Command::DeclareCapacity { places: places.to_vec() }
}

fn admit(stay: u8, case: u8, group: Group, on: &str) -> Command {
    Command::Admit(Admission {
        admission_id: id(stay),
        case_id: id(case),
        case_number: None,
        sex: group.sex,
        is_child: group.children,
        admitted_on: day(on),
        helping: false,
        stays_elsewhere: false,
        bed: None,
        over_capacity: None,
        plan_due_on: None,
    })
}

fn leave(stay: u8, on: &str) -> Command {
    Command::Exit {
        admission_id: id(stay),
        kind: ExitKind::OwnWill,
        exited_on: day(on),
        accountable: Accountable::ThisOffice,
        agreed: None,
        decided: false,
    }
}

fn occupancy(group: Group, capacity_persons: i64, occupied_persons: i64) -> Occupancy {
    Occupancy { sex: group.sex.to_string(), children: group.children, capacity_persons, occupied_persons }
}

async fn list(store: &EventStore, include_exited: bool, limit: i64, offset: i64) -> Vec<Entry> {
    let poipet = office("poipet-shelter");
    residents::of_office(&poipet, include_exited, limit, offset, store.reader()).await.unwrap()
}

fn admissions(entries: &[Entry]) -> Vec<Id<spean_vocabulary::kind::Admission>> {
    entries.iter().map(|entry| entry.admission_id.parse().unwrap()).collect()
}

async fn everything(store: &EventStore) -> (Vec<Occupancy>, Vec<Entry>) {
    (residents::capacity(None, store.reader()).await.unwrap(), list(store, true, 100, 0).await)
}

/// Two houses of one node, with somebody who stays, somebody who left, and somebody next door.
async fn a_shelter_shows_who_is_there(url: &str) {
    let store = open(url).await;
    order(&store, "poipet-shelter", declare(2, 1)).await.unwrap();
    order(&store, "takeo-shelter", declare(3, 0)).await.unwrap();
    order(&store, "poipet-shelter", admit(1, 11, GIRLS, "2026-09-01")).await.unwrap();
    order(&store, "poipet-shelter", admit(2, 12, GIRLS, "2026-09-05")).await.unwrap();
    order(&store, "poipet-shelter", admit(3, 13, WOMEN, "2026-08-01")).await.unwrap();
    order(&store, "takeo-shelter", admit(1, 14, GIRLS, "2026-09-02")).await.unwrap();
    order(&store, "poipet-shelter", leave(1, "2026-09-03")).await.unwrap();

    let poipet = office("poipet-shelter");
    let places = residents::capacity(Some(&poipet), store.reader()).await.unwrap();
    assert_eq!(places, [occupancy(GIRLS, 2, 1), occupancy(WOMEN, 1, 1)]);
    let places = residents::capacity(None, store.reader()).await.unwrap();
    assert_eq!(places, [occupancy(GIRLS, 5, 2), occupancy(WOMEN, 1, 1)]);

    assert_eq!(admissions(&list(&store, false, 50, 0).await), [id(2), id(3)]);
    assert_eq!(admissions(&list(&store, true, 50, 0).await), [id(2), id(1), id(3)]);
    assert_eq!(admissions(&list(&store, true, 2, 2).await), [id(3)]);
    let left = list(&store, true, 1, 1).await.remove(0);
    assert_eq!((left.exited_on.as_str(), left.exit_kind.as_str()), ("2026-09-03", "own_will"));

    let elsewhere = async |case, at| residents::stays_elsewhere(id(case), &office(at), store.reader()).await.unwrap();
    assert!(elsewhere(12, "takeo-shelter").await);
    assert!(!elsewhere(12, "poipet-shelter").await, "here is not elsewhere");
    assert!(!elsewhere(11, "takeo-shelter").await, "who left is nowhere");

    let full = order(&store, "poipet-shelter", admit(4, 15, WOMEN, "2026-09-06")).await;
    assert!(matches!(full, Err(HandleError::Refused(Error::NoFreePlace))), "{full:?}");

    number_a_case(&store, 12).await;
    let before = everything(&store).await;
    store.rebuild("residents").await.unwrap();
    assert_eq!(everything(&store).await, before);
    store.close().await;
}

/// The desk tells the number of a case after the admission, and the list shows it.
async fn number_a_case(store: &EventStore, case: u8) {
    let number = CaseNumber::draw("RK".parse().unwrap(), [1, 2, 3, 4, 5]).to_string();
    let told = StandingChanged {
        case_id: id::<spean_vocabulary::kind::Case>(case).to_string(),
        case_number: number.clone(),
        office_id: "poipet-shelter".to_owned(),
        standing: Standing::Holds.into(),
        ..StandingChanged::default()
    };
    let recorded = store
        .transact(move |transaction| Box::pin(async move { standing::record(&told, transaction.connection()).await }));
    recorded.await.unwrap();
    assert_eq!(list(store, false, 1, 0).await[0].case_number, number);
}

/// Twenty people ask for three places at the same moment.
async fn the_last_places_are_given_once(url: &str) {
    let store = open(url).await;
    order(&store, "poipet-shelter", declare(3, 0)).await.unwrap();
    let asked: Vec<_> = (0..20)
        .map(|number| {
            let store = store.clone();
            let command = admit(number + 1, number + 101, GIRLS, "2026-09-01");
            tokio::spawn(async move { order(&store, "poipet-shelter", command).await })
        })
        .collect();
    let mut admitted = 0;
    for asked in asked {
        match asked.await.unwrap() {
            Ok(()) => admitted += 1,
            Err(HandleError::Refused(Error::NoFreePlace)) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
    assert_eq!(admitted, 3);
    assert_eq!(list(&store, false, 50, 0).await.len(), 3);
    store.close().await;
}

fn sqlite(folder: &spean_testkit::TempDir) -> String {
    format!("sqlite://{}", folder.path().join("shelter.sqlite").display())
}

#[tokio::test]
async fn a_shelter_shows_who_is_there_on_sqlite() {
    let folder = a_folder();
    a_shelter_shows_who_is_there(&sqlite(&folder)).await;
}

#[tokio::test]
async fn a_shelter_shows_who_is_there_on_postgres() {
    a_shelter_shows_who_is_there(&Postgres::shared().database()).await;
}

#[tokio::test]
async fn the_last_places_are_given_once_on_sqlite() {
    let folder = a_folder();
    the_last_places_are_given_once(&sqlite(&folder)).await;
}

#[tokio::test]
async fn the_last_places_are_given_once_on_postgres() {
    the_last_places_are_given_once(&Postgres::shared().database()).await;
}
