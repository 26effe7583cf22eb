//! The lists and figures of needs and places on both databases: they answer alike, and can be rebuilt.

use std::sync::Arc;

use spean_custody::Party;
use spean_custody::case::{CaseCustody, Command as Custody, OfferTerms, Preview, Signer, Situation};
use spean_eventsourcing::{Aggregate, Context};
use spean_eventstore::{EventStore, Metadata, Options};
use spean_testkit::{Postgres, a_folder};
use spean_vocabulary::{AgeBand, Id, Need, OfferKind, OfficeId, Sex, Timestamp, Urgency};

use super::codes::UnmetReason;
use super::elsewhere::{self, Line, WaitingElsewhere};
use super::need::{CaseNeed, Command, Described, Preferences};
use super::register::{self, Filter, NeedRegister};
use super::{figures, known, lines};
use crate::waiting_list::{self, Entry, WaitingList};
use crate::worklist::Worklist;
use crate::{routing, subject};

fn id<K>(number: u8) -> Id<K> {
    format!("00000000-0000-4000-8000-0000000000{number:02x}").parse().unwrap()
}

fn office(code: &str) -> OfficeId {
    code.parse().unwrap()
}

fn now() -> Timestamp {
    Timestamp::from_micros(1_795_300_200_000_000)
}

fn context(at: &str) -> Context {
    Context { office: office(at), staff: Some("kd-01".parse().unwrap()), now: now() }
}

async fn decide<A: Aggregate<Context = Context>>(store: &EventStore, at: &str, of: &str, command: A::Command)
where
    A::Error: std::fmt::Debug,
{
    let context = context(at);
    let metadata = Metadata::of(&context);
    store.handle::<A>(format!("{at}/{of}"), command, context, metadata).await.unwrap();
}

fn described(case: u8, urgency: Urgency) -> Described {
    Described {
        case: id(case),
        need: Need::Shelter,
        urgency,
        preferences: Preferences { language: Some("vi".to_owned()), ..Preferences::default() },
        place: "0802".parse().unwrap(),
        known_since: "2026-11-01".parse().unwrap(),
    }
}

fn party(office_code: &str) -> Party {
    Party { node: "kandal".parse().unwrap(), office: office(office_code) }
}

fn situation(at: &str) -> Situation {
    Situation {
        context: context(at),
        me: party(at),
        registry: None,
        authority: party("mosvy-atro"),
        cosigner: party("mosvy-atro"),
        signer: Signer::new(<[u8]>::to_vec),
    }
}

async fn custody(store: &EventStore, at: &str, case: u8, command: Custody) {
    let situation = situation(at);
    let metadata = Metadata::of(&situation.context);
    let place = format!("{at}/{}", id::<spean_vocabulary::kind::Case>(case));
    store.handle::<CaseCustody>(place, command, situation, metadata).await.unwrap();
}

/// Kandal offers a case to the shelter, which hears of it.
async fn offer(store: &EventStore, case: u8, number: u8) {
    let terms = OfferTerms {
        kind: OfferKind::Service,
        need: Need::Shelter,
        urgency: Urgency::Urgent,
        answer_due_at: now().plus_hours(48),
        case_number: None,
        preview: Preview { sex: Sex::Female, age_band: AgeBand::Adult, language: None },
        dossier_digest: None,
        consent: None,
        instead_of: None,
        meant_for: None,
        redirected_because: None,
    };
    let message = spean_custody::case::Message::Offer {
        case: id(case),
        offer: id(number),
        position: spean_custody::case::Position::default(),
        terms,
    };
    custody(store, "hope", case, Custody::Receive { from: party("dsvy-kandal"), message }).await;
}

async fn play(url: &str) {
    let options = Options {
        tables: vec![subject::TABLES, routing::TABLES, known::TABLES],
        read_models: vec![Arc::new(Worklist), Arc::new(NeedRegister), Arc::new(lines::Lines)],
        ..Options::new(url, "referral", "test")
    };
    let store = EventStore::open(options).await.unwrap();
    let kandal = office("dsvy-kandal");
    for (number, urgency) in [(1, Urgency::Routine), (2, Urgency::Emergency), (3, Urgency::Urgent)] {
        let open = Command::Open(described(number, urgency));
        decide::<CaseNeed>(&store, "dsvy-kandal", &id::<()>(number).to_string(), open).await;
    }
    let unmet = Command::MarkUnmet { reason: UnmetReason::AllFull, on: "2026-11-20".parse().unwrap() };
    decide::<CaseNeed>(&store, "dsvy-kandal", &id::<()>(2).to_string(), unmet).await;
    let ask = Command::Ask { case: id(3), need: Need::Shelter, offer: id(9), to: office("hope") };
    decide::<CaseNeed>(&store, "dsvy-kandal", &id::<()>(3).to_string(), ask).await;
    needs_are_listed(&store, &kandal).await;
    store.rebuild("needs").await.unwrap();
    needs_are_listed(&store, &kandal).await;
    places_are_counted(&store).await;
    tasks_are_listed(&store, &kandal).await;
    store.close().await;
}

async fn needs_are_listed(store: &EventStore, kandal: &OfficeId) {
    let all = register::list(kandal, &Filter::default(), 10, 0, store.reader()).await.unwrap();
    let order: Vec<_> = all.iter().map(|entry| (entry.urgency.as_str(), entry.state.as_str())).collect();
    assert_eq!(order, [("emergency", "OPEN"), ("urgent", "OFFERED"), ("routine", "OPEN")]);
    let offered = Filter { state: Some("OFFERED"), ..Filter::default() };
    assert_eq!(register::list(kandal, &offered, 10, 0, store.reader()).await.unwrap().len(), 1);
    let unmet = Filter { unmet_only: true, ..Filter::default() };
    let unmet = register::list(kandal, &unmet, 10, 0, store.reader()).await.unwrap();
    assert_eq!(unmet.iter().map(|entry| entry.unmet_reason.as_str()).collect::<Vec<_>>(), ["all_full"]);
    assert_eq!(register::of_case(kandal, id(3), store.reader()).await.unwrap(), [id(3)]);
    assert_eq!(register::asked(kandal, &id::<()>(3).to_string(), store.reader()).await.unwrap()[0][2], "OFFERED");
    let counts = register::count_unmet("2026-01", "2026-12", "08", store.reader()).await.unwrap();
    let counts: Vec<_> = counts.iter().map(|count| (count.district.as_str(), count.needs, count.still_unmet)).collect();
    assert_eq!(counts, [("0802", 1, 1)]);
    assert!(register::count_unmet("2026-12", "2026-12", "", store.reader()).await.unwrap().is_empty());
}

async fn places_are_counted(store: &EventStore) {
    let hope = office("hope");
    let today = now().date_in_cambodia();
    let mut connection = store.reader().acquire().await.unwrap();
    for (case, number) in [(11, 21), (12, 22)] {
        offer(store, case, number).await;
    }
    let count = figures::count(&hope, Need::Shelter, today, &mut connection).await.unwrap();
    assert_eq!((count.taken_persons, count.reserved_persons, count.waiting_persons), (0, 2, 0));
    custody(store, "hope", 11, Custody::Accept { offer: id(21) }).await;
    let count = figures::count(&hope, Need::Shelter, today, &mut connection).await.unwrap();
    assert_eq!((count.taken_persons, count.reserved_persons), (1, 1));
    let room = figures::room(&hope, Need::Shelter, (id(22), id(12)), today, &mut connection).await.unwrap();
    assert_eq!((room.capacity_persons, room.taken_persons, room.ahead_persons), (None, 1, 0));
    let entry = Entry { case: id(13), from: office("dsvy-kandal"), urgency: Urgency::Urgent, since: now() };
    let join = waiting_list::Command::Join { offer: id(23), entry };
    decide::<WaitingList>(store, "hope", "shelter", join).await;
    let fill = waiting_list::Command::Fill { free_persons: 1, keep_until: now().plus_hours(48) };
    decide::<WaitingList>(store, "hope", "shelter", fill).await;
    let room = figures::room(&hope, Need::Shelter, (id(22), id(12)), today, &mut connection).await.unwrap();
    assert_eq!(room.ahead_persons, 1, "a place is kept for somebody else");
    let waiting = lines::waiting(&hope, Some(Need::Shelter), 10, 0, store.reader()).await.unwrap();
    assert_eq!(waiting.iter().map(|waiting| waiting.kept_until > 0).collect::<Vec<_>>(), [true]);
}

async fn tasks_are_listed(store: &EventStore, kandal: &OfficeId) {
    let line = Line { at: office("hope"), case: id(13), need: Need::Shelter, urgency: Urgency::Urgent };
    let kept = elsewhere::Command::HearPlaceKept { line, until: now().plus_hours(48) };
    decide::<WaitingElsewhere>(store, "dsvy-kandal", &id::<()>(23).to_string(), kept).await;
    let tasks = lines::tasks(kandal, now(), 10, 0, store.reader()).await.unwrap();
    assert_eq!(tasks.iter().map(|task| task.kind.as_str()).collect::<Vec<_>>(), ["OFFER_AGAIN"]);
    assert!(lines::tasks(kandal, now().plus_hours(49), 10, 0, store.reader()).await.unwrap().is_empty());
}

#[tokio::test]
async fn lists_and_figures_answer_alike_on_sqlite() {
    let folder = a_folder();
    play(&format!("sqlite://{}", folder.path().join("referral.sqlite").display())).await;
}

#[tokio::test]
async fn lists_and_figures_answer_alike_on_postgres() {
    play(&Postgres::shared().database()).await;
}
