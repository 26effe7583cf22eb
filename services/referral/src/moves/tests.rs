//! The lists on both databases, filled through the log by the rules themselves.

use std::sync::Arc;

use spean_contracts::directory::v1::{OfficeStatus, OfficeStatusChanged};
use spean_custody::Party;
use spean_custody::case::{CaseCustody, Command, OfferTerms, Preview, Signer, Situation, messages};
use spean_eventsourcing::Context;
use spean_eventstore::{EventStore, Metadata, Options};
use spean_testkit::{Postgres, a_folder};
use spean_vocabulary::{AgeBand, Need, OfferId, OfferKind, Sex, Timestamp, Urgency, WithdrawReason};

use super::*;
use crate::routing::tests::{directory, id, today};
use crate::routing::{self, Statuses};
use crate::worklist::{self, List, Worklist};

const NOW: Timestamp = Timestamp::from_micros(1_795_300_200_000_000);

pub(crate) async fn open(url: &str) -> EventStore {
    let options = Options {
        tables: vec![routing::TABLES],
        read_models: vec![Arc::new(Worklist)],
        ..Options::new(url.to_owned(), "referral", "kandal")
    };
    EventStore::open(options).await.unwrap()
}

pub(crate) fn party(office: &str) -> Party {
    Party { node: "kandal".parse().unwrap(), office: id(office) }
}

pub(crate) fn case(number: u8) -> CaseId {
    format!("0b1f6f2e-5d0e-4a53-9d0e-3f6f1a2b3c{number:02x}").parse().unwrap()
}

pub(crate) fn offer(number: u8) -> OfferId {
    format!("000000{number:02x}-0000-4000-8000-000000000000").parse().unwrap()
}

pub(crate) fn terms(meant_for: Option<&str>) -> OfferTerms {
    OfferTerms {
        kind: OfferKind::Transfer,
        need: Need::ReintegrationFollowUp,
        urgency: Urgency::Urgent,
        answer_due_at: NOW.plus_hours(48),
        case_number: None,
        preview: Preview { sex: Sex::Female, age_band: AgeBand::Adolescent, language: None },
        dossier_digest: None,
        consent: None,
        instead_of: None,
        meant_for: meant_for.map(id),
        redirected_because: meant_for.map(|_| Redirection::Unstaffed),
    }
}

/// A command, and all letters that follow from it, delivered at once.
pub(crate) async fn act(store: &EventStore, office: &str, number: u8, command: Command) {
    let mut waiting = vec![(party(office), command)];
    while let Some((me, command)) = waiting.pop() {
        let context = Context { office: me.office.clone(), staff: Some("kd-02".parse().unwrap()), now: NOW };
        let metadata = Metadata::of(&context);
        let situation = Situation {
            context,
            me: me.clone(),
            registry: None,
            authority: party("ministry"),
            cosigner: party("takeo"),
            signer: Signer::new(|_| vec![7; 64]),
        };
        let stream = crate::desk::stream(&me.office, case(number));
        let handled = store.handle::<CaseCustody>(stream, command, situation, metadata).await.unwrap();
        for event in handled.events {
            let event = event.event::<CaseCustody>().unwrap().unwrap();
            let letters = messages(&event, &me, None).into_iter();
            let received = |from: &Party, message| Command::Receive { from: from.clone(), message };
            waiting.extend(letters.map(|letter| (letter.to, received(&me, letter.message))));
        }
    }
}

pub(crate) async fn begin(store: &EventStore, office: &str, number: u8) {
    act(store, office, number, Command::Open { case: case(number) }).await;
}

async fn say(store: &EventStore, office: &str, status: OfficeStatus, version: i64) {
    let told = OfficeStatusChanged {
        office_id: office.to_owned(),
        status: status.into(),
        version,
        ..OfficeStatusChanged::default()
    };
    let recorded = store
        .transact(move |transaction| Box::pin(async move { routing::record(&told, transaction.connection()).await }));
    recorded.await.unwrap();
}

async fn listed(store: &EventStore, office: &str, wanted: Wanted<'_>, offset: i64) -> Vec<(String, String)> {
    let (directory, statuses) = (directory(), Statuses::load(store.reader()).await.unwrap());
    let routing = Routing { directory: &directory, statuses: &statuses, today: today() };
    let found = to_move_down(&id(office), wanted, &routing, 50, offset, store).await.unwrap();
    found.into_iter().map(|held| (held.case_id, format!("{} {}", held.meant_for, held.because))).collect()
}

async fn cases_come_down_once_somebody_is_there(store: &EventStore) {
    say(store, "kien-svay", OfficeStatus::Unstaffed, 1).await;
    for number in [1, 2] {
        begin(store, "takeo", number).await;
        let terms = terms(Some("kien-svay"));
        act(store, "takeo", number, Command::Offer { offer: offer(number), to: party("kandal"), terms }).await;
        act(store, "kandal", number, Command::Accept { offer: offer(number) }).await;
    }
    begin(store, "kandal", 3).await;
    assert!(listed(store, "kandal", Wanted::default(), 0).await.is_empty(), "nobody is there");
    say(store, "kien-svay", OfficeStatus::Open, 3).await;
    say(store, "kien-svay", OfficeStatus::Unstaffed, 2).await;
    let both = [1, 2].map(|number| (case(number).to_string(), "kien-svay unstaffed".to_owned()));
    assert_eq!(
        listed(store, "kandal", Wanted::default(), 0).await,
        both,
        "what was said earlier comes too late to matter"
    );
    assert_eq!(listed(store, "kandal", Wanted::default(), 1).await, both[1..]);
    assert_eq!(listed(store, "kandal", Wanted { case: Some(case(2)), meant_for: None }, 0).await, both[1..]);
    let saang = id("saang");
    assert!(listed(store, "kandal", Wanted { case: None, meant_for: Some(&saang) }, 0).await.is_empty());
    assert!(listed(store, "takeo", Wanted::default(), 0).await.is_empty(), "who gave it away has nothing to move");

    let down = Command::Offer { offer: offer(11), to: party("kien-svay"), terms: terms(None) };
    act(store, "kandal", 1, down).await;
    let held = held_by(&[id("kandal"), id("saang")], 50, 0, store).await.unwrap();
    let open: Vec<_> = held.iter().map(|held| (held.case_id.clone(), held.transfer_open)).collect();
    assert_eq!(open, [(case(1).to_string(), true), (case(2).to_string(), false), (case(3).to_string(), false)]);
    act(store, "kien-svay", 1, Command::Accept { offer: offer(11) }).await;
    assert_eq!(listed(store, "kandal", Wanted::default(), 0).await, both[1..]);
    let held = held_by(&[id("kien-svay")], 50, 0, store).await.unwrap();
    assert_eq!(held.len(), 1, "it is held where it was meant to be: {held:?}");
}

async fn what_came_back_to_the_office_that_offered_it_goes_down_too(store: &EventStore) {
    begin(store, "kandal", 4).await;
    act(store, "kandal", 4, Command::Offer { offer: offer(4), to: party("saang"), terms: terms(None) }).await;
    let this = || Wanted { case: Some(case(4)), meant_for: None };
    assert!(listed(store, "kandal", this(), 0).await.is_empty());
    act(store, "kandal", 4, Command::Withdraw { offer: offer(4), reason: WithdrawReason::Rerouted }).await;
    let waiting = [(case(4).to_string(), "saang unstaffed".to_owned())];
    assert_eq!(listed(store, "kandal", this(), 0).await, waiting);
}

async fn both_sides_list_what_nobody_answers_at_the_top(store: &EventStore) {
    begin(store, "kandal", 5).await;
    act(store, "kandal", 5, Command::Offer { offer: offer(5), to: party("ministry"), terms: terms(None) }).await;
    for (number, lines) in [(1, 0), (2, 1), (5, 1)] {
        act(store, "kandal", 5, Command::Remind { offer: offer(5), number }).await;
        for office in ["kandal", "ministry"] {
            let list = worklist::list(&[id(office)], List::UnansweredAtTheTop, 50, 0, store.reader()).await.unwrap();
            assert_eq!(list.len(), lines, "at {office} after reminder {number}");
        }
    }
    let both = worklist::list(&[id("kandal"), id("ministry")], List::ToAnswer, 50, 0, store.reader()).await.unwrap();
    assert_eq!(both.len(), 1, "an office sees its own offers and those of the offices it answers for");
    act(
        store,
        "ministry",
        5,
        Command::Decline { offer: offer(5), reason: spean_vocabulary::DeclineReason::NotEligible },
    )
    .await;
    let list = worklist::list(&[id("kandal")], List::UnansweredAtTheTop, 50, 0, store.reader()).await.unwrap();
    assert!(list.is_empty(), "it was answered");
}

async fn all(url: String) {
    let store = open(&url).await;
    cases_come_down_once_somebody_is_there(&store).await;
    what_came_back_to_the_office_that_offered_it_goes_down_too(&store).await;
    both_sides_list_what_nobody_answers_at_the_top(&store).await;
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_where_it_is_only_for_want_of_somebody_elsewhere_is_listed_on_sqlite() {
    let folder = a_folder();
    all(format!("sqlite://{}", folder.path().join("referral.sqlite").display())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_where_it_is_only_for_want_of_somebody_elsewhere_is_listed_on_postgres() {
    all(tokio::task::spawn_blocking(|| Postgres::shared().database()).await.unwrap()).await;
}
