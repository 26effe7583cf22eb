//! Specifications of what is told of open matters, and how they are counted, on both databases.

use std::sync::Arc;

use spean_custody::Party;
use spean_custody::case::{
    CaseCustody, Command as Custody, Message, OfferTerms, Preview, ServiceOutcome, Signer, Situation,
};
use spean_eventsourcing::Context;
use spean_eventsourcing::specification::given;
use spean_eventstore::{EventStore, Metadata, Options};
use spean_testkit::{Postgres, a_folder};
use spean_vocabulary::{AgeBand, CaseId, Id, Need, OfferKind, OfficeId, Sex, Timestamp, Urgency, WithdrawReason, kind};

use super::count::count;
use super::*;
use crate::needs::known;
use crate::needs::need::{self, CaseNeed, Described, Preferences};
use crate::needs::register::NeedRegister;
use crate::worklist::Worklist;
use crate::{routing, subject};

const NOW: Timestamp = Timestamp::from_micros(1_795_300_200_000_000);

fn id<K>(number: u8) -> Id<K> {
    format!("00000000-0000-4000-8000-0000000000{number:02x}").parse().unwrap()
}

fn kandal() -> OfficeId {
    "dsvy-kandal".parse().unwrap()
}

fn context() -> Context {
    Context { office: kandal(), staff: Some("kd-01".parse().unwrap()), now: NOW }
}

fn open(count: u32) -> Open {
    Open { count, since: NOW.date_in_cambodia() }
}

fn one_offer() -> Matters {
    Matters { offers: Some(open(1)), ..Matters::default() }
}

#[test]
fn what_is_open_is_told_when_it_changes_and_the_same_is_not_told_twice() {
    let (opened, settled) = (Event::Counted { matters: one_offer() }, Event::Counted { matters: Matters::default() });
    given::<OpenMatters>([]).when(&context(), Command::Count(one_offer())).then([opened.clone()]);
    given::<OpenMatters>([opened.clone()]).when(&context(), Command::Count(one_offer())).then_nothing();
    given::<OpenMatters>([opened]).when(&context(), Command::Count(Matters::default())).then([settled]);
}

#[test]
fn a_case_with_nothing_open_has_nothing_to_tell() {
    given::<OpenMatters>([]).when(&context(), Command::Count(Matters::default())).then_nothing();
}

#[test]
fn the_events_of_open_matters_keep_their_lines() {
    let all = Matters { offers: Some(open(2)), needs: Some(open(1)), services: Some(open(3)) };
    let events = [Event::Counted { matters: all }, Event::Counted { matters: Matters::default() }];
    crate::needs::golden::check("open_matters", &events);
}

fn party(office: &str) -> Party {
    Party { node: "kandal".parse().unwrap(), office: office.parse().unwrap() }
}

struct Desk {
    store: EventStore,
    case: CaseId,
}

impl Desk {
    async fn custody(&self, command: Custody) {
        let situation = Situation {
            context: context(),
            me: party("dsvy-kandal"),
            registry: None,
            authority: party("mosvy-atro"),
            cosigner: party("mosvy-atro"),
            signer: Signer::new(<[u8]>::to_vec),
        };
        let metadata = Metadata::of(&situation.context);
        let place = format!("{}/{}", kandal(), self.case);
        self.store.handle::<CaseCustody>(place, command, situation, metadata).await.unwrap();
    }

    async fn hears(&self, message: Message) {
        self.custody(Custody::Receive { from: party("hope"), message }).await;
    }

    async fn need(&self, command: need::Command) {
        let need = format!("{}/{}", kandal(), id::<kind::Need>(7));
        self.store.handle::<CaseNeed>(need, command, context(), Metadata::of(&context())).await.unwrap();
    }

    async fn open(&self) -> Matters {
        let mut connection = self.store.reader().acquire().await.unwrap();
        count(&kandal(), self.case, &mut connection).await.unwrap()
    }
}

fn service(offer: u8) -> Custody {
    let terms = OfferTerms {
        kind: OfferKind::Service,
        need: Need::VocationalTraining,
        urgency: Urgency::Routine,
        answer_due_at: NOW.plus_hours(48),
        case_number: None,
        preview: Preview { sex: Sex::Female, age_band: AgeBand::Adult, language: None },
        dossier_digest: None,
        consent: None,
        instead_of: None,
        meant_for: None,
        redirected_because: None,
    };
    Custody::Offer { offer: id(offer), to: party("hope"), terms }
}

/// A need is recorded, an office is asked, gives the service and ends it; another offer is taken back.
async fn play(url: &str) {
    let options = Options {
        tables: vec![subject::TABLES, routing::TABLES, known::TABLES],
        read_models: vec![Arc::new(Worklist), Arc::new(NeedRegister), Arc::new(list::Told)],
        ..Options::new(url, "referral", "test")
    };
    let desk = Desk { store: EventStore::open(options).await.unwrap(), case: id(1) };
    let case = desk.case;
    desk.custody(Custody::Open { case }).await;
    assert_eq!(desk.open().await, Matters::default());
    let described = Described {
        case,
        need: Need::VocationalTraining,
        urgency: Urgency::Routine,
        preferences: Preferences::default(),
        place: "0802".parse().unwrap(),
        known_since: NOW.date_in_cambodia(),
    };
    desk.need(need::Command::Open(described)).await;
    assert_eq!(desk.open().await, Matters { needs: Some(open(1)), ..Matters::default() });

    desk.custody(service(21)).await;
    let to = "hope".parse().unwrap();
    desk.need(need::Command::Ask { case, need: Need::VocationalTraining, offer: id(21), to }).await;
    assert_eq!(desk.open().await, Matters { needs: Some(open(1)), ..one_offer() }, "nobody has said yes");
    desk.hears(Message::Accept { case, offer: id(21), term: 0 }).await;
    let agreed = [need::OfferStanding {
        offer: id(21),
        to: "hope".parse().unwrap(),
        instead_of: None,
        stands: need::Stands::Agreed,
    }];
    let holder = Some(kandal());
    desk.need(need::Command::Settle { offers: agreed.into(), holder: holder.clone() }).await;
    assert_eq!(desk.open().await, Matters { services: Some(open(1)), ..Matters::default() }, "the service is given");

    desk.hears(Message::Conclusion { case, offer: id(21), outcome: ServiceOutcome::Completed }).await;
    let concluded = [need::OfferStanding {
        offer: id(21),
        to: "hope".parse().unwrap(),
        instead_of: None,
        stands: need::Stands::Concluded { outcome: ServiceOutcome::Completed },
    }];
    desk.need(need::Command::Settle { offers: concluded.into(), holder }).await;
    assert_eq!(desk.open().await, Matters::default());

    desk.custody(service(22)).await;
    assert_eq!(desk.open().await, one_offer());
    let untold = list::untold(desk.store.reader()).await.unwrap();
    assert_eq!(untold, [(kandal(), case)], "a log of an earlier version told nobody");
    let told = format!("{}/{case}", kandal());
    let command = Command::Count(one_offer());
    desk.store.handle::<OpenMatters>(told, command, context(), Metadata::of(&context())).await.unwrap();
    assert_eq!(list::untold(desk.store.reader()).await.unwrap(), []);
    desk.custody(Custody::Withdraw { offer: id(22), reason: WithdrawReason::AnotherWayFound }).await;
    assert_eq!(desk.open().await, Matters::default());
    desk.store.close().await;
}

#[tokio::test]
async fn open_matters_are_counted_alike_on_sqlite() {
    let folder = a_folder();
    play(&format!("sqlite://{}", folder.path().join("referral.sqlite").display())).await;
}

#[tokio::test]
async fn open_matters_are_counted_alike_on_postgres() {
    play(&Postgres::shared().database()).await;
}
