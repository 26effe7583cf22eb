//! What our events mean for the figures of the agency: codes and days.

use spean_chassis::fact::Fact;
use spean_contracts::insight::v1::Measure;
use spean_custody::case::{CaseCustody, Event};
use spean_eventstore::Recorded;
use spean_messaging::Posting;
use spean_vocabulary::{NeedId, NodeId, Service, WithdrawReason};

use crate::desk::place;
use crate::needs::need::{self, CaseNeed};

/// The letters to insight that follow from an event.
pub(crate) fn of(node: &NodeId, recorded: &Recorded) -> Vec<Posting> {
    if let Some(Ok(event)) = recorded.event::<CaseNeed>() {
        return of_need(node, recorded, &event);
    }
    let Some(Ok(event)) = recorded.event::<CaseCustody>() else { return vec![] };
    let Some((office, case)) = place(recorded) else { return vec![] };
    let fact = |measure| Fact::of(Service::Referral, recorded, case, measure).at(&office);
    let counted = match event {
        Event::Offered { offer, terms, .. } => fact(Measure::OfferMade).thing(offer).detail(terms.need),
        Event::ServiceAgreed { offer, need, .. } => fact(Measure::OfferAccepted).thing(offer).detail(need),
        Event::Transferred { offer, .. } => {
            return vec![
                fact(Measure::OfferAccepted).thing(offer).tell(node),
                fact(Measure::CaseHandedOn).thing(case).tell(node),
            ];
        }
        Event::OfferDeclined { offer, reason, .. } => fact(Measure::OfferDeclined).thing(offer).detail(reason),
        Event::Withdrawn { offer, reason: WithdrawReason::Escalated, .. } => fact(Measure::OfferEscalated).thing(offer),
        Event::Withdrawn { offer, reason, .. } => fact(Measure::OfferWithdrawn).thing(offer).detail(reason),
        Event::TransferReceived { .. } => fact(Measure::CaseTakenOver).thing(case),
        Event::ServiceConcluded { outcome, .. } => fact(Measure::ServiceConcluded).detail(outcome),
        _ => return vec![],
    };
    vec![counted.tell(node)]
}

/// A need is counted by itself: what its case is like is known where the case was opened, and a need outlives a transfer.
fn of_need(node: &NodeId, recorded: &Recorded, event: &need::Event) -> Vec<Posting> {
    let need = recorded.id.split_once('/').and_then(|(_, need)| need.parse::<NeedId>().ok());
    let Some(need) = need else { return vec![] };
    let fact = |measure| Fact::of(Service::Referral, recorded, need.reinterpret(), measure);
    let counted = match event {
        need::Event::Opened { described, .. } => {
            fact(Measure::NeedFound).on(described.known_since).thing(need).detail(described.need)
        }
        need::Event::Reopened => fact(Measure::NeedFound).thing(need),
        need::Event::FoundUnmet { reason, on } => fact(Measure::NeedUnmet).on(*on).detail(reason),
        need::Event::Met { outcome, met_on } => fact(Measure::NeedMet).on(*met_on).thing(need).detail(outcome),
        need::Event::NotWanted { refused_on, .. } => {
            fact(Measure::NeedEnded).on(*refused_on).thing(need).detail("not_wanted")
        }
        need::Event::WithdrawnAsMistaken => fact(Measure::NeedEnded).thing(need).detail("mistaken"),
        need::Event::HandedOver { .. } => fact(Measure::NeedEnded).thing(need).detail("handed_over"),
        need::Event::TakenOver { .. } => fact(Measure::NeedFound).thing(need).detail("taken_over"),
        _ => return vec![],
    };
    vec![counted.tell(node)]
}
