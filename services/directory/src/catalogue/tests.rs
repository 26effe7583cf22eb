//! The catalogue on both databases: through the log, through letters of other nodes, and through queries.

use std::sync::Arc;

use spean_chassis::Clock;
use spean_eventsourcing::Context;
use spean_eventstore::{EventStore, Metadata, Options, TransactError};
use spean_identity::{Directory, LiveDirectory};
use spean_messaging::{Address, Correspondence as _, Letter, Unusable};
use spean_testkit::{Postgres, TempDir, a_folder};
use spean_vocabulary::{AgeBand, Service, Sex};

use super::*;
use crate::examples::{a_directory, a_node};
use crate::newcomers;
use crate::offering::{Command, Event, Terms};
use crate::places;
use crate::published::{OFFERING_CHANGED, other_directories, postings};
use crate::reactions::Reactions;

macro_rules! on_both_databases {
    ($($name:ident),* $(,)?) => {
        mod sqlite { $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name(super::Stage::on_sqlite().await).await;
            }
        )* }
        mod postgres { $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name(super::Stage::on_postgres().await).await;
            }
        )* }
    };
}

on_both_databases! {
    an_offering_is_found_by_need_and_by_where_people_come_from,
    what_has_ended_is_shown_only_when_asked_for,
    a_long_catalogue_is_read_in_pages,
    of_others_the_newest_word_counts_whatever_the_order,
    nobody_is_believed_about_an_office_of_another_node,
    a_rebuilt_catalogue_is_the_same,
    a_node_that_joins_later_hears_of_everything_once,
    what_a_backup_had_forgotten_comes_back_from_a_peer,
}

/// The directory of the node `battambang`.
struct Stage {
    store: EventStore,
    live: LiveDirectory,
    _folder: TempDir,
}

const HERE: &str = "battambang";
const PROVINCE: &str = "battambang-province";
const SHELTER: &str = "poipet-shelter";

impl Stage {
    async fn on_sqlite() -> Self {
        let folder = a_folder();
        let url = format!("sqlite://{}/directory.sqlite", folder.path().display());
        Self::open(url, folder).await
    }

    async fn on_postgres() -> Self {
        let url = tokio::task::spawn_blocking(|| Postgres::shared().database()).await.unwrap();
        Self::open(url, a_folder()).await
    }

    async fn open(url: String, folder: TempDir) -> Self {
        let options = Options {
            tables: vec![TABLES, newcomers::TABLES],
            read_models: vec![Arc::new(Catalogue)],
            ..Options::new(url, "directory", HERE)
        };
        let store = EventStore::open(options).await.unwrap();
        Self { store, live: LiveDirectory::new(a_directory()), _folder: folder }
    }

    async fn handle(&self, number: u8, command: Command) {
        let context = Context { office: PROVINCE.parse().unwrap(), staff: None, now: now() };
        let metadata = Metadata::of(&context);
        self.store.handle::<Offering>(id(number), command, context, metadata).await.unwrap();
    }

    async fn publish(&self, number: u8, need: Need, places: &[&str]) {
        self.handle(number, Command::Publish { need, terms: terms(places), valid_from: None }).await;
    }

    async fn list(&self, filter: &Filter) -> Vec<wire::Offering> {
        list(filter, 100, 0, self.store.reader()).await.unwrap()
    }

    async fn ids(&self, filter: &Filter) -> Vec<String> {
        self.list(filter).await.into_iter().map(|offering| offering.offering_id).collect()
    }

    fn reactions(&self) -> Reactions {
        Reactions { node: HERE.parse().unwrap(), directory: self.live.clone(), clock: Clock::system() }
    }

    /// Applies a letter, or recalls what this node had written itself.
    async fn receive(&self, letter: Letter) -> Result<(), String> {
        let reactions = self.reactions();
        let received = self.store.transact(move |transaction| {
            Box::pin(async move {
                if letter.from.node.as_str() == HERE {
                    let peer = directory_of("poipet");
                    return reactions.recall(&peer, &letter, transaction).await;
                }
                reactions.apply(&letter, transaction).await
            })
        });
        received.await.map_err(|error| match error {
            TransactError::Work(Unusable::Refused(code)) => code,
            other => panic!("{other:?}"),
        })
    }

    async fn greet(&self, directory: &Directory) {
        newcomers::greet(&HERE.parse().unwrap(), directory, now(), &self.store).await.unwrap();
    }

    async fn events(&self) -> Vec<Event> {
        let recorded = self.store.events_after(0, 100).await.unwrap();
        recorded.iter().map(|event| event.event::<Offering>().unwrap().unwrap()).collect()
    }
}

/// On 22 November 2026.
fn now() -> Timestamp {
    Timestamp::from_micros(1_795_300_200_000_000)
}

fn today() -> Date {
    now().date_in_cambodia()
}

fn id(number: u8) -> String {
    format!("00000000-0000-4000-8000-0000000000{number:02x}")
}

fn terms(places: &[&str]) -> Terms {
    Terms {
        serves_sexes: [Sex::Female].into(),
        serves_age_bands: [AgeBand::Adult].into(),
        languages: ["km".parse().unwrap()].into(),
        places_served: places.iter().map(|place| place.parse().unwrap()).collect(),
        capacity_persons: None,
    }
}

fn directory_of(node: &str) -> Address {
    Address { node: node.parse().unwrap(), service: Service::Directory }
}

fn told(from: &str, office: &str, version: i64, capacity_persons: i32) -> Letter {
    let offering = wire::Offering {
        offering_id: id(1),
        office_id: office.to_owned(),
        need: spean_chassis::words::write_need(Need::Shelter).into(),
        languages: vec!["th".to_owned()],
        capacity_persons,
        valid_from: "2026-12-01".to_owned(),
        ..Default::default()
    };
    Letter {
        id: id(99).parse().unwrap(),
        from: directory_of(from),
        kind: OFFERING_CHANGED.to_owned(),
        case: None,
        body: wire::OfferingChanged { offering: Some(offering), version }.encode_to_vec(),
        attachment: None,
        trace: None,
        posted_at: now(),
    }
}

fn from_place(place: &str) -> Filter {
    Filter { from_place: places::and_above(place.parse().unwrap()), ..Filter::default() }
}

async fn an_offering_is_found_by_need_and_by_where_people_come_from(stage: Stage) {
    assert_eq!(changed_at(stage.store.reader()).await.unwrap(), None);
    stage.publish(1, Need::Shelter, &["02", "0110"]).await;
    stage.publish(2, Need::Medical, &[]).await;
    stage.publish(3, Need::Shelter, &["021405"]).await;
    let legal = Filter { need: Some(Need::Legal), ..Filter::default() };
    let shelter = Filter { need: Some(Need::Shelter), ..Filter::default() };
    assert_eq!(stage.ids(&Filter::default()).await, [id(1), id(2), id(3)]);
    assert_eq!(stage.ids(&shelter).await, [id(1), id(3)]);
    assert_eq!(stage.ids(&legal).await, Vec::<String>::new());
    assert_eq!(stage.ids(&from_place("011001")).await, [id(1), id(2)], "a commune in a district that is served");
    assert_eq!(stage.ids(&from_place("12")).await, [id(2)], "from anywhere");
    assert_eq!(stage.ids(&from_place("02140408")).await, [id(1), id(2), id(3)], "by the list, not by its code");
    assert_eq!(stage.ids(&Filter { need: Some(Need::Shelter), ..from_place("12") }).await, Vec::<String>::new());
    assert_eq!(changed_at(stage.store.reader()).await.unwrap(), Some(now()));
}

async fn what_has_ended_is_shown_only_when_asked_for(stage: Stage) {
    for (number, withdrawn_on) in [(1, today().plus_days(-1)), (2, today()), (3, today().plus_days(30))] {
        stage.publish(number, Need::Shelter, &["02"]).await;
        stage.handle(number, Command::Withdraw { withdrawn_on }).await;
    }
    let open = Filter { open_on: Some(today()), ..Filter::default() };
    assert_eq!(stage.ids(&open).await, [id(2), id(3)], "the last day still counts");
    assert_eq!(stage.ids(&Filter::default()).await, [id(1), id(2), id(3)]);
    assert_eq!(stage.list(&open).await[1].withdrawn_on, "2026-12-22");
}

async fn a_long_catalogue_is_read_in_pages(stage: Stage) {
    for number in 1..=5 {
        stage.publish(number, Need::Shelter, &[]).await;
    }
    let page = list(&Filter::default(), 2, 3, stage.store.reader()).await.unwrap();
    assert_eq!(page.iter().map(|offering| offering.offering_id.clone()).collect::<Vec<_>>(), [id(4), id(5)]);
}

async fn of_others_the_newest_word_counts_whatever_the_order(stage: Stage) {
    stage.publish(1, Need::Medical, &[]).await;
    for (version, capacity) in [(1, 10), (3, 30), (2, 20), (3, 33)] {
        stage.receive(told("poipet", SHELTER, version, capacity)).await.unwrap();
    }
    let offerings = stage.list(&Filter::default()).await;
    let seen: Vec<_> = offerings.iter().map(|one| (one.office_id.as_str(), one.capacity_persons)).collect();
    assert_eq!(seen, [(PROVINCE, 0), (SHELTER, 30)], "an id that somebody else uses as well is no conflict");
}

async fn nobody_is_believed_about_an_office_of_another_node(stage: Stage) {
    for office in [SHELTER, PROVINCE, "nowhere"] {
        let answer = stage.receive(told("national", office, 1, 1)).await;
        assert_eq!(answer, Err("NOT_THEIR_OFFICE".to_owned()), "{office}");
    }
    let desk = Address { service: Service::Referral, ..directory_of("poipet") };
    let answer = stage.receive(Letter { from: desk, ..told("poipet", SHELTER, 1, 1) }).await;
    assert_eq!(answer, Err("NOT_THEIR_OFFICE".to_owned()), "only a directory tells of offerings");
    let gibberish = Letter { body: vec![255], ..told("poipet", SHELTER, 1, 1) };
    assert_eq!(stage.receive(gibberish).await, Err("MALFORMED".to_owned()));
    let unknown = Letter { kind: "spean.directory.v1.Nothing".to_owned(), ..told("poipet", SHELTER, 1, 1) };
    assert_eq!(stage.receive(unknown).await, Err("UNKNOWN_KIND".to_owned()));
    assert_eq!(stage.ids(&Filter::default()).await, Vec::<String>::new());
}

async fn a_rebuilt_catalogue_is_the_same(stage: Stage) {
    stage.publish(1, Need::Shelter, &["02"]).await;
    stage.publish(1, Need::Shelter, &["02", "01"]).await;
    stage.publish(2, Need::Medical, &[]).await;
    stage.handle(2, Command::Withdraw { withdrawn_on: today() }).await;
    stage.receive(told("poipet", SHELTER, 1, 10)).await.unwrap();
    let before = stage.list(&Filter::default()).await;
    assert_eq!(before.len(), 3);
    stage.store.rebuild("catalogue").await.unwrap();
    assert_eq!(stage.list(&Filter::default()).await, before);
}

async fn a_node_that_joins_later_hears_of_everything_once(stage: Stage) {
    stage.greet(&a_directory()).await;
    stage.publish(1, Need::Shelter, &[]).await;
    stage.publish(2, Need::Medical, &[]).await;
    stage.handle(2, Command::Withdraw { withdrawn_on: today() }).await;
    stage.greet(&Directory { edition: 8, ..a_directory() }).await;
    assert_eq!(stage.events().await.len(), 3, "nobody joined");
    let mut joined = Directory { edition: 9, ..a_directory() };
    joined.nodes.push(a_node("kampot", "friends", "DD"));
    for _ in 0..2 {
        stage.greet(&joined).await;
        let events = stage.events().await;
        assert_eq!(events.len(), 4);
        assert!(matches!(events[3], Event::Repeated { edition: 9, .. }));
    }
    let recorded = stage.store.events_after(3, 1).await.unwrap();
    let letters = postings(&HERE.parse().unwrap(), &joined, &recorded[0]);
    let to: Vec<_> = letters.iter().map(|letter| letter.to.clone()).collect();
    assert_eq!(to, ["national", "poipet", "kampot"].map(directory_of));
    let body = wire::OfferingChanged::decode(letters[2].body.as_slice()).unwrap();
    assert_eq!((body.version, body.offering.unwrap().offering_id), (2, id(1)));
    assert_eq!(other_directories(&HERE.parse().unwrap(), &joined).collect::<Vec<_>>(), to);
}

async fn what_a_backup_had_forgotten_comes_back_from_a_peer(stage: Stage) {
    stage.handle(1, Command::Publish { need: Need::Shelter, terms: terms(&[]), valid_from: None }).await;
    for _ in 0..2 {
        for (version, capacity) in [(1, 10), (2, 20), (3, 30)] {
            stage.receive(told(HERE, PROVINCE, version, capacity)).await.unwrap();
        }
    }
    assert_eq!(stage.events().await.len(), 3, "the first was not forgotten");
    assert_eq!(stage.receive(told(HERE, SHELTER, 9, 90)).await, Err("NOT_OUR_OFFICE".to_owned()));
    let offerings = stage.list(&Filter::default()).await;
    assert_eq!(offerings.iter().map(|offering| offering.capacity_persons).collect::<Vec<_>>(), [30]);
}
