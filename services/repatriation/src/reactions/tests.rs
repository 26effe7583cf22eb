//! Letters to the centre, applied to a real log.

use std::collections::BTreeSet;
use std::sync::Arc;

use spean_chassis::person::Codes;
use spean_eventstore::{EventStore, Options, TransactError};
use spean_testkit::{TempDir, a_folder};
use spean_vocabulary::{AgeBand, CaseNumber, Id, OfficeId, Sex, Timestamp};

use super::*;
use crate::arrival::{Circumstances, Route};
use crate::arrivals::{self, Arrivals, Entry};

const ARRIVAL: &str = "00000000-0000-4000-8000-000000000001";
const CENTRE: &str = "poipet-transit-centre";

fn id<K>(number: u8) -> Id<K> {
    format!("00000000-0000-4000-8000-0000000000{number:02x}").parse().unwrap()
}

fn centre() -> OfficeId {
    CENTRE.parse().unwrap()
}

/// A log in which one person has arrived.
async fn a_log() -> (EventStore, TempDir) {
    let folder = a_folder();
    let options = Options {
        tables: vec![standing::TABLES],
        read_models: vec![Arc::new(Arrivals)],
        ..Options::new(
            format!("sqlite://{}", folder.path().join("repatriation.sqlite").display()),
            "repatriation",
            "test",
        )
    };
    let store = EventStore::open(options).await.unwrap();
    let context = Context { office: centre(), staff: None, now: Timestamp::from_micros(1_790_000_000_000_000) };
    let command = Command::Register {
        person: id(1),
        circumstances: Circumstances {
            route: Route::Alone,
            from_country: None,
            handed_over_by: None,
            authority: None,
            arrived_on: "2026-09-01".parse().unwrap(),
        },
        codes: Codes { sex: Sex::Male, age_band: AgeBand::Adult, language: None, home_place: None, missing: vec![] },
        needs: BTreeSet::new(),
        by_request: None,
    };
    store.handle::<Arrival>(ARRIVAL, command, context.clone(), Metadata::of(&context)).await.unwrap();
    (store, folder)
}

async fn deliver(store: &EventStore, kind: &str, body: Vec<u8>) -> Result<(), String> {
    let node: NodeId = "poipet".parse().unwrap();
    let letter = Letter {
        id: id(2),
        from: Address { node: node.clone(), service: Service::Referral },
        incarnation: 1,
        kind: kind.to_owned(),
        case: Some(id(1)),
        body,
        attachment: None,
        trace: None,
        posted_at: Timestamp::default(),
    };
    let reactions = Reactions { node, clock: Clock::system() };
    let applied =
        store.transact(move |transaction| Box::pin(async move { reactions.apply(&letter, transaction).await }));
    match applied.await {
        Ok(()) => Ok(()),
        Err(TransactError::Work(Unusable::Refused(code))) => Err(code),
        Err(error) => panic!("{error}"),
    }
}

async fn answered(store: &EventStore, kind: OfferKind, state: OfferState) {
    let told = OfferAnswered {
        offer_id: id::<()>(5).to_string(),
        case_id: ARRIVAL.to_owned(),
        from_office_id: CENTRE.to_owned(),
        to_office_id: "kandal".to_owned(),
        state: state.into(),
        kind: kind.into(),
        ..Default::default()
    };
    deliver(store, "spean.referral.v1.OfferAnswered", told.encode_to_vec()).await.unwrap();
}

async fn changed(store: &EventStore, standing: Standing, offer: Option<u8>) {
    let told = StandingChanged {
        case_id: ARRIVAL.to_owned(),
        office_id: CENTRE.to_owned(),
        standing: standing.into(),
        offer_id: offer.map(|offer| id::<()>(offer).to_string()).unwrap_or_default(),
        other_office_id: "kandal".to_owned(),
        ..Default::default()
    };
    deliver(store, "spean.referral.v1.StandingChanged", told.encode_to_vec()).await.unwrap();
}

async fn entry(store: &EventStore) -> Entry {
    arrivals::of_office(&centre(), false, 10, 0, store.reader()).await.unwrap().remove(0)
}

#[tokio::test]
async fn an_accepted_transfer_is_an_acceptance_and_neither_a_service_nor_a_refusal_is() {
    let (store, _folder) = a_log().await;
    answered(&store, OfferKind::Service, OfferState::Accepted).await;
    answered(&store, OfferKind::Transfer, OfferState::Declined).await;
    answered(&store, OfferKind::Transfer, OfferState::Withdrawn).await;
    assert_eq!(entry(&store).await.accepted_by, "");
    answered(&store, OfferKind::Transfer, OfferState::Accepted).await;
    assert_eq!(entry(&store).await.accepted_by, "kandal");
    store.close().await;
}

#[tokio::test]
async fn every_end_of_an_offer_is_shown_and_one_that_does_not_say_who_was_asked_is_passed_over() {
    let (store, _folder) = a_log().await;
    for (state, shown) in [
        (OfferState::Declined, "declined"),
        (OfferState::Withdrawn, "withdrawn"),
        (OfferState::Escalated, "escalated"),
        (OfferState::Voided, "voided"),
        (OfferState::Accepted, "accepted"),
        (OfferState::Concluded, "concluded"),
    ] {
        answered(&store, OfferKind::Service, state).await;
        let offers = arrivals::answers(id(1), store.reader()).await.unwrap();
        assert_eq!(offers.iter().map(|offer| offer.state.as_str()).collect::<Vec<_>>(), [shown]);
    }
    let before = store.load::<Arrival>(ARRIVAL).await.unwrap().version;
    for kind in [OfferKind::Service, OfferKind::Unspecified] {
        let told = OfferAnswered {
            offer_id: id::<()>(6).to_string(),
            case_id: ARRIVAL.to_owned(),
            from_office_id: CENTRE.to_owned(),
            state: OfferState::Concluded.into(),
            kind: kind.into(),
            ..Default::default()
        };
        deliver(&store, "spean.referral.v1.OfferAnswered", told.encode_to_vec()).await.unwrap();
    }
    assert_eq!(store.load::<Arrival>(ARRIVAL).await.unwrap().version, before);
    store.close().await;
}

#[tokio::test]
async fn a_case_that_the_centre_no_longer_holds_was_accepted_until_it_comes_back() {
    let (store, _folder) = a_log().await;
    changed(&store, Standing::Holds, None).await;
    assert_eq!(entry(&store).await.accepted_by, "");
    changed(&store, Standing::Held, Some(5)).await;
    answered(&store, OfferKind::Transfer, OfferState::Accepted).await;
    assert_eq!(entry(&store).await.accepted_by, "kandal");
    // The arrival, the acceptance, and how the offer ended.
    assert_eq!(store.load::<Arrival>(ARRIVAL).await.unwrap().version, 3, "told twice, noted once");
    changed(&store, Standing::Holds, Some(6)).await;
    assert_eq!(entry(&store).await.accepted_by, "");
    store.close().await;
}

#[tokio::test]
async fn the_number_of_the_case_is_kept_and_cases_that_began_elsewhere_are_passed_over() {
    let (store, _folder) = a_log().await;
    let number = CaseNumber::draw("PP".parse().unwrap(), [1, 2, 3, 4, 5]).to_string();
    for case in [ARRIVAL.to_owned(), id::<()>(9).to_string()] {
        let told = CaseRegistered {
            case_id: case,
            case_number: number.clone(),
            office_id: CENTRE.to_owned(),
            ..Default::default()
        };
        deliver(&store, "spean.cases.v1.CaseRegistered", told.encode_to_vec()).await.unwrap();
    }
    assert_eq!(entry(&store).await.case_number, number);
    store.close().await;
}

#[tokio::test]
async fn a_letter_that_makes_no_sense_waits_for_a_person() {
    let (store, _folder) = a_log().await;
    assert_eq!(deliver(&store, "spean.shelter.v1.Nothing", vec![]).await, Err("UNKNOWN_KIND".to_owned()));
    let told = CaseRegistered { case_id: ARRIVAL.to_owned(), ..Default::default() }.encode_to_vec();
    assert_eq!(deliver(&store, "spean.cases.v1.CaseRegistered", told).await, Err("MALFORMED".to_owned()));
    assert_eq!(deliver(&store, "spean.referral.v1.OfferAnswered", vec![0xff]).await, Err("MALFORMED".to_owned()));
    store.close().await;
}
