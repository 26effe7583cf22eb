//! What others in the agency are told of the end of an offer, and of certificates that were learned.

use spean_custody::Party;
use spean_custody::case::{Certificate, ServiceOutcome};
use spean_vocabulary::{DeclineReason, Id, Need};

use super::*;

fn id<K>(number: u8) -> Id<K> {
    format!("00000000-0000-4000-8000-0000000000{number:02x}").parse().unwrap()
}

fn asked() -> Asked {
    Asked { of: "kandal".parse().unwrap(), kind: OfferKind::Service, need: Need::Shelter }
}

fn told(event: &Event) -> Option<wire::OfferAnswered> {
    answered(event, &"poipet-transit-centre".parse().unwrap(), id(1))
}

fn ends(asked: Option<Asked>) -> Vec<(Event, wire::OfferState)> {
    let (case, offer) = (id(1), id(2));
    let to = Party { node: "kandal".parse().unwrap(), office: "kandal".parse().unwrap() };
    let withdrawn = |reason| Event::Withdrawn { case, offer, to: to.clone(), reason, asked: asked.clone() };
    let declined =
        Event::OfferDeclined { case, offer, reason: DeclineReason::NoCapacity, successor: None, asked: asked.clone() };
    let outcome = ServiceOutcome::Completed;
    vec![
        (declined, wire::OfferState::Declined),
        (withdrawn(WithdrawReason::SentByMistake), wire::OfferState::Withdrawn),
        (withdrawn(WithdrawReason::Escalated), wire::OfferState::Escalated),
        (Event::ServiceConcluded { case, offer, outcome, asked: asked.clone() }, wire::OfferState::Concluded),
        (Event::OfferVoided { case, offer, asked }, wire::OfferState::Voided),
    ]
}

#[test]
fn every_end_of_an_offer_says_who_had_been_asked_and_for_what() {
    for (event, state) in ends(Some(asked())) {
        let told = told(&event).unwrap();
        assert_eq!((told.state(), told.to_office_id.as_str()), (state, "kandal"));
        assert_eq!((told.kind(), told.need), (wire::OfferKind::Service, write_need(Need::Shelter).into()), "{state:?}");
    }
}

#[test]
fn what_an_older_log_does_not_say_is_left_out_and_the_void_offer_of_another_office_is_not_told() {
    for (event, state) in ends(None) {
        let told = told(&event);
        assert_eq!(told.is_none(), state == wire::OfferState::Voided);
        assert!(told.is_none_or(|told| told.to_office_id.is_empty() && told.state() == state));
    }
}

fn learned(term: u32, holder: &str) -> Event {
    let party = |office: &str| Party { node: office.parse().unwrap(), office: office.parse().unwrap() };
    let certificate = Certificate {
        case: id(1),
        term,
        epoch: 1,
        holder: party(holder),
        issued_by: party("mosvy"),
        offer: None,
        previous: None,
        issued_at: spean_vocabulary::Timestamp::default(),
        basis: None,
    };
    let chain = vec![SignedCertificate { certificate, signatures: vec![] }];
    Event::CertificatesLearned { case: id(1), at: party("kandal"), chain }
}

/// The certificate by which the office had the case is not among those of a chain that goes on from before it.
#[test]
fn of_an_override_that_gives_the_case_to_another_office_every_office_that_learns_of_it_tells() {
    let kandal = "kandal".parse().unwrap();
    let told = |event: &Event| standing(event, &kandal, id(1));
    let set_aside = told(&learned(1, "saang")).unwrap();
    assert_eq!((set_aside.standing(), set_aside.other_office_id.as_str()), (wire::Standing::Unspecified, "saang"));
    assert_eq!(set_aside.offer_id, "", "by no offer");
    assert_eq!(told(&learned(1, "kandal")).unwrap().standing(), wire::Standing::Holds);
    // Where nothing was set aside, whoever never held the case has nothing to tell of others.
    assert_eq!(told(&learned(0, "saang")), None);
}
