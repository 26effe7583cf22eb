//! The list of offers says what the rules fold from the same events, in whatever order they came: after a restore an answer
//! may be known before the offer that it answers.

use std::sync::Arc;

use spean_custody::Party;
use spean_custody::case::{OfferInState, OfferOutState, ServiceOutcome};
use spean_eventsourcing::Aggregate as _;
use spean_eventstore::{EventStore, Expected, Metadata, Options};
use spean_testkit::{Postgres, a_folder};
use spean_vocabulary::{DeclineReason, Need, Timestamp, WithdrawReason};

use super::*;
use crate::moves::tests::terms;

const NOW: Timestamp = Timestamp::from_micros(1_795_300_200_000_000);

fn party(office: &str) -> Party {
    Party { node: "kandal".parse().unwrap(), office: office.parse().unwrap() }
}

/// The one offer of a case.
fn offer_of(case: CaseId) -> OfferId {
    case.to_string().parse().unwrap()
}

fn case(number: usize) -> CaseId {
    format!("0b1f6f2e-5d0e-4a53-9d0e-3f6f1a2b{number:04x}").parse().unwrap()
}

/// The certificate that came of the offer.
fn chain(case: CaseId) -> Vec<SignedCertificate> {
    let certificate = Certificate {
        case,
        term: 0,
        epoch: 1,
        holder: party("saang"),
        issued_by: party("takeo"),
        offer: Some(offer_of(case)),
        previous: None,
        issued_at: NOW,
        basis: None,
    };
    vec![SignedCertificate { certificate, signatures: vec![] }]
}

/// Everything that can be said of an offer at the office that made it, the offer first.
fn made(case: CaseId) -> Vec<Event> {
    let (offer, to, position) = (offer_of(case), party("saang"), spean_custody::case::Position::default());
    let outcome = ServiceOutcome::Completed;
    vec![
        Event::Offered { case, offer, from: party("takeo"), to: to.clone(), position, terms: terms(None) },
        Event::Withdrawn { case, offer, to: to.clone(), reason: WithdrawReason::Escalated, asked: None },
        Event::OfferDeclined { case, offer, reason: DeclineReason::NoCapacity, successor: None, asked: None },
        Event::Transferred { case, offer, to: to.clone(), chain: chain(case) },
        Event::CertificatesLearned { case, at: party("takeo"), chain: chain(case) },
        Event::ServiceAgreed { case, offer, to, need: Need::Shelter },
        Event::ServiceConcluded { case, offer, outcome, asked: None },
        Event::OfferVoided { case, offer, asked: None },
        Event::OverrideProposalReceived {
            case,
            at: party("takeo"),
            from: party("ministry"),
            certificate: Certificate { term: 1, offer: None, ..chain(case)[0].certificate.clone() },
            chain: chain(case),
        },
    ]
}

/// The same at the office that it was made to.
fn got(case: CaseId) -> Vec<Event> {
    let (offer, from, at) = (offer_of(case), party("takeo"), party("saang"));
    let position = spean_custody::case::Position::default();
    let reason = DeclineReason::NoCapacity;
    vec![
        Event::OfferReceived { case, offer, from: from.clone(), to: at.clone(), position, terms: terms(None) },
        Event::Accepted { case, offer, to: from.clone(), term: 0 },
        Event::Declined { case, offer, to: from.clone(), reason, successor: Some("kandal".parse().unwrap()) },
        Event::WithdrawalReceived { case, offer, from: from.clone(), reason: WithdrawReason::SentByMistake },
        Event::TransferReceived { case, offer, at, chain: chain(case) },
        Event::AgreementReceived { case, offer, from: from.clone() },
        Event::Concluded { case, offer, to: from, outcome: ServiceOutcome::Completed },
        Event::OfferVoided { case, offer, asked: None },
    ]
}

/// All orders of so many different ones that have the first of them.
fn orders(of: usize, length: usize) -> Vec<Vec<usize>> {
    let mut orders = vec![vec![]];
    for _ in 0..length {
        let longer = |order: Vec<usize>| {
            (0..of).filter(|next| !order.contains(next)).map(|next| [&order[..], &[next]].concat()).collect::<Vec<_>>()
        };
        orders = orders.into_iter().flat_map(longer).collect();
    }
    orders.retain(|order| order.contains(&0));
    orders
}

/// How the rules say that the offer stands, in the words of the list.
fn folded(events: &[Event]) -> &'static str {
    let state = CaseCustody::fold(events);
    let withdrawn = |reason| if reason == WithdrawReason::Escalated { "ESCALATED" } else { "WITHDRAWN" };
    if let Some((_, made)) = state.offers_out().next() {
        return match made.state {
            OfferOutState::Open => "OFFERED",
            OfferOutState::Declined(_) => "DECLINED",
            OfferOutState::Withdrawn { reason, .. } => withdrawn(reason),
            OfferOutState::Transferred | OfferOutState::Agreed => "ACCEPTED",
            OfferOutState::Concluded(_) => "CONCLUDED",
            OfferOutState::Voided => "VOIDED",
        };
    }
    match state.offers_in().next().unwrap().1.state {
        OfferInState::Received => "OFFERED",
        OfferInState::Accepted => "BOUND",
        OfferInState::Declined(_) => "DECLINED",
        OfferInState::Withdrawn(reason) => withdrawn(reason),
        OfferInState::Transferred | OfferInState::Agreed => "ACCEPTED",
        OfferInState::Concluded(_) => "CONCLUDED",
        OfferInState::Voided => "VOIDED",
    }
}

async fn the_list_says_what_the_rules_fold(url: &str, length: usize) {
    let options =
        Options { read_models: vec![Arc::new(Worklist)], ..Options::new(url.to_owned(), "referral", "kandal") };
    let store = EventStore::open(options).await.unwrap();
    let (mut expected, mut streams) = (Vec::new(), Vec::new());
    for (office, events) in [("takeo", made as fn(CaseId) -> Vec<Event>), ("saang", got)] {
        for order in orders(events(case(0)).len(), length) {
            let case = case(expected.len());
            let all = events(case);
            let told: Vec<Event> = order.iter().map(|number| all[*number].clone()).collect();
            let stream = crate::desk::stream(&office.parse().unwrap(), case);
            streams.push((stream, told.iter().map(|event| serde_json::to_value(event).unwrap()).collect::<Vec<_>>()));
            expected.push((case.to_string(), folded(&told), told));
        }
    }
    let metadata = Metadata::new("kandal".parse().unwrap(), NOW);
    let written = store.transact(move |transaction| {
        Box::pin(async move {
            for (stream, events) in streams {
                transaction.append("custody", &stream, Expected::Version(0), events, &metadata).await?;
            }
            Ok::<_, spean_eventstore::AppendError>(())
        })
    });
    written.await.unwrap();
    for (case, state, told) in expected {
        let row = sqlx::query("select state from offer where case_id = $1").bind(&case).fetch_one(store.reader()).await;
        assert_eq!(row.unwrap().try_get::<String, _>(0).unwrap(), state, "{told:#?}");
    }
    let left = sqlx::query("select count(*) from offer_before").fetch_one(store.reader()).await.unwrap();
    assert_eq!(left.try_get::<i64, _>(0).unwrap(), 0, "what was known before is with its offer");
    let said = "select count(*) from offer where state = 'DECLINED' and direction = 'in' and (decline_reason = '' or \
                successor = '')";
    let silent = sqlx::query(said).fetch_one(store.reader()).await.unwrap();
    assert_eq!(silent.try_get::<i64, _>(0).unwrap(), 0, "a refusal says why, and whom to ask");
    store.close().await;
}

#[tokio::test]
async fn the_list_says_what_the_rules_fold_in_whatever_order_it_came_on_sqlite() {
    let folder = a_folder();
    the_list_says_what_the_rules_fold(&format!("sqlite://{}", folder.path().join("referral.sqlite").display()), 4)
        .await;
}

#[tokio::test]
async fn the_list_says_what_the_rules_fold_in_whatever_order_it_came_on_postgres() {
    let url = tokio::task::spawn_blocking(|| Postgres::shared().database()).await.unwrap();
    the_list_says_what_the_rules_fold(&url, 3).await;
}
