//! What others in the agency are told of the end of an offer.

use spean_custody::Party;
use spean_custody::case::ServiceOutcome;
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
