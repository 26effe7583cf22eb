//! The lists of news on both databases.

use std::sync::Arc;

use spean_custody::case::{Preview, ServiceOutcome};
use spean_eventsourcing::Context;
use spean_eventstore::{EventStore, Metadata, Options};
use spean_testkit::{Postgres, a_folder};
use spean_vocabulary::{AgeBand, Need, Sex};

use super::*;
use crate::desk::stream;
use crate::news::{Command, News, Stage, Tell};
use crate::subject;

const NOW: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);

fn office(code: &str) -> OfficeId {
    code.parse().expect("a code")
}

fn id<K>(number: u8) -> spean_vocabulary::Id<K> {
    format!("00000000-0000-4000-8000-0000000000{number:02x}").parse().expect("an id")
}

struct Desk {
    store: EventStore,
}

impl Desk {
    async fn open(url: &str) -> Self {
        let options = Options {
            tables: vec![subject::TABLES],
            read_models: vec![Arc::new(NewsList)],
            ..Options::new(url, "referral", "test")
        };
        Self { store: EventStore::open(options).await.expect("the log opens") }
    }

    async fn at(&self, code: &str, case: u8, hours: i64, command: Command) {
        let context = Context { office: office(code), staff: None, now: NOW.plus_hours(hours) };
        let metadata = Metadata::of(&context);
        let stream = stream(&office(code), id(case));
        self.store.handle::<CaseNews>(stream, command, context, metadata).await.expect("it is allowed");
    }

    async fn unread(&self, code: &str) -> Vec<(String, i64)> {
        let entries = of_office(&office(code), false, 10, 0, self.store.reader()).await.expect("a list");
        entries.into_iter().map(|entry| (entry.case_id, entry.number)).collect()
    }
}

fn hear(what: What, from: Option<&str>) -> Command {
    let on = "2026-09-03".parse().expect("a day");
    let news = News { what, seen_by: office("house-of-hope-phnom-penh"), on };
    Command::Hear { news, from: from.map(office), tell: Tell::default() }
}

fn stage(stage: Stage) -> What {
    What::Stage { stage }
}

async fn what_others_told_is_listed_until_somebody_has_read_it(url: &str) {
    let desk = Desk::open(url).await;
    let case = |number: u8| id::<spean_vocabulary::kind::Case>(number).to_string();
    desk.at("dsvy-kandal", 1, 0, hear(stage(Stage::Registered), None)).await;
    desk.at("dsvy-kandal", 1, 3, hear(stage(Stage::InShelter), Some("osvy-kien-svay"))).await;
    desk.at("dsvy-kandal", 2, 1, hear(stage(Stage::ContactLost), Some("osvy-saang"))).await;
    desk.at("dsvy-kandal", 2, 4, hear(stage(Stage::Closed), Some("osvy-saang"))).await;
    assert_eq!(desk.unread("dsvy-kandal").await, [(case(2), 1), (case(1), 2), (case(2), 2)], "the oldest first");
    desk.at("dsvy-kandal", 2, 5, Command::Acknowledge { up_to: 1 }).await;
    assert_eq!(desk.unread("dsvy-kandal").await, [(case(1), 2), (case(2), 2)]);
    let all = of_office(&office("dsvy-kandal"), true, 10, 0, desk.store.reader()).await.expect("a list");
    assert_eq!(all.len(), 3);
    assert_eq!(all[0].read_at, Some(NOW.plus_hours(5).as_micros()));
    assert_eq!(desk.unread("osvy-saang").await, [], "another office's");
}

async fn that_somebody_is_known_already_is_for_who_registered_them_too(url: &str) {
    let desk = Desk::open(url).await;
    let seen_again = What::SeenAgain { other: id(9), taken_back: false };
    desk.at("poipet-transit-centre", 1, 0, hear(seen_again, None)).await;
    let entries = of_office(&office("poipet-transit-centre"), false, 10, 0, desk.store.reader()).await;
    let [entry] = entries.expect("a list").try_into().expect("one piece of news");
    assert_eq!(entry.other_case_id, id::<spean_vocabulary::kind::Case>(9).to_string());
    assert!(!entry.taken_back && entry.from_office.is_empty());
}

async fn what_became_of_a_case_is_told_in_the_order_in_which_it_was_heard(url: &str) {
    let desk = Desk::open(url).await;
    let case: CaseId = id(1);
    let preview = Preview { sex: Sex::Female, age_band: AgeBand::Adult, language: None };
    let kept = desk.store.transact(move |transaction| {
        Box::pin(async move {
            let kept = subject::keep(&case.to_string(), "KD4K-79QX", &preview, transaction.connection()).await;
            kept.map_err(spean_eventstore::StoreError::from)
        })
    });
    kept.await.expect("it is kept");
    let service = What::Service { offer: id(7), need: Some(Need::Medical), outcome: ServiceOutcome::Completed };
    desk.at("dsvy-kandal", 1, 0, hear(service, Some("house-of-hope-phnom-penh"))).await;
    desk.at("dsvy-kandal", 1, 1, hear(stage(Stage::LeftShelter), Some("osvy-kien-svay"))).await;
    let told = of_case(&office("dsvy-kandal"), case, 10, 0, desk.store.reader()).await.expect("a list");
    let said: Vec<_> = told.iter().map(|entry| (entry.outcome.as_str(), entry.stage.as_str())).collect();
    assert_eq!(said, [("completed", ""), ("", "left_shelter")]);
    assert_eq!((told[0].need.as_str(), told[0].case_number.as_str()), ("medical", "KD4K-79QX"));
    let second = of_case(&office("dsvy-kandal"), case, 1, 1, desk.store.reader()).await.expect("a page");
    assert_eq!(second[0].number, 2);
}

macro_rules! on_both_databases {
    ($($story:ident)*) => { $(
        mod $story {
            use super::*;

            #[tokio::test]
            async fn on_sqlite() {
                let folder = a_folder();
                let file = folder.path().join("referral.sqlite");
                super::$story(&format!("sqlite://{}", file.display())).await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn on_postgres() {
                super::$story(&Postgres::shared().database()).await;
            }
        }
    )* };
}

on_both_databases! {
    what_others_told_is_listed_until_somebody_has_read_it
    that_somebody_is_known_already_is_for_who_registered_them_too
    what_became_of_a_case_is_told_in_the_order_in_which_it_was_heard
}
