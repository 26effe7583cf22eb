//! What follows from our events: letters of the custody protocol to other desks, and news for our own agency.

use prost::Message as _;
use spean_chassis::words::{write_age_band, write_need, write_sex};
use spean_contracts::referral::v1 as wire;
use spean_custody::case::{Asked, CaseCustody, Event, Message, OfferTerms, SignedCertificate, messages};
use spean_eventstore::Recorded;
use spean_messaging::{Address, Posting};
use spean_vocabulary::{CaseId, OfferId, OfferKind, OfficeId, Service, WithdrawReason};

use crate::desk::{CustodyLetter, Desk, place};
use crate::{needs, news, open_matters, reports};

/// Name of [`wire::StandingChanged`] on the wire.
const STANDING_CHANGED: &str = "spean.referral.v1.StandingChanged";
/// Name of [`wire::OfferAnswered`] on the wire.
const OFFER_ANSWERED: &str = "spean.referral.v1.OfferAnswered";

/// Who is told what an office has to do with a case.
const TOLD_OF_STANDING: [Service; 4] = [Service::Cases, Service::Repatriation, Service::Shelter, Service::Followup];
/// Who is told how an offer ended.
const TOLD_OF_ANSWERS: [Service; 2] = [Service::Repatriation, Service::Shelter];

/// The letters that follow from an event.
pub(crate) fn postings(desk: &Desk, recorded: &Recorded) -> Vec<Posting> {
    let Some(Ok(event)) = recorded.event::<CaseCustody>() else {
        return [
            news::letters::postings(desk, recorded),
            reports::letters::postings(desk, recorded),
            needs::letters::postings(desk, recorded),
            open_matters::letters::postings(desk, recorded),
        ]
        .concat();
    };
    let Some((office, case)) = place(recorded) else { return vec![] };
    let Some(me) = desk.party(&office) else { return vec![] };
    let registry = desk.party(&desk.directory().registry);
    let mut postings: Vec<_> = messages(&event, &me, registry.as_ref())
        .into_iter()
        .map(|outgoing| {
            let (to, kind) = (outgoing.to.clone(), <&'static str>::from(&outgoing.message));
            let attachment = travels_with(&outgoing.message).map(|offer| offer.to_string());
            let letter = CustodyLetter { from: me.clone(), to: outgoing.to, message: outgoing.message };
            let body = serde_json::to_vec(&letter).expect("a message has text keys only");
            let to = Address { node: to.node, service: Service::Referral };
            Posting { to, kind, case: Some(case), body, attachment }
        })
        .collect();
    let mut tell = |services: &[Service], kind: &'static str, body: Vec<u8>| {
        for service in services {
            let to = desk.node.address(*service);
            postings.push(Posting { to, kind, case: Some(case), body: body.clone(), attachment: None });
        }
    };
    if let Some(told) = standing(&event, &office, case) {
        tell(&TOLD_OF_STANDING, STANDING_CHANGED, told.encode_to_vec());
    }
    if let Some(told) = answered(&event, &office, case) {
        tell(&TOLD_OF_ANSWERS, OFFER_ANSWERED, told.encode_to_vec());
    }
    postings.extend(needs::letters::postings(desk, recorded));
    postings
}

/// The dossier travels once the receiver has accepted and the holder has recorded it, and not before.
pub(crate) const fn travels_with(message: &Message) -> Option<OfferId> {
    match message {
        Message::Transfer { offer, .. } | Message::Agreed { offer, .. } => Some(*offer),
        _ => None,
    }
}

/// How an office's standing changed by an event; none when it did not.
fn standing(event: &Event, office: &OfficeId, case: CaseId) -> Option<wire::StandingChanged> {
    let told = wire::StandingChanged {
        case_id: case.to_string(),
        office_id: office.to_string(),
        ..wire::StandingChanged::default()
    };
    let with = |standing: wire::Standing, offer: Option<OfferId>, other: Option<&OfficeId>| wire::StandingChanged {
        standing: standing.into(),
        offer_id: offer.map(|offer| offer.to_string()).unwrap_or_default(),
        other_office_id: other.map(ToString::to_string).unwrap_or_default(),
        ..told.clone()
    };
    match event {
        Event::Opened { .. } => Some(with(wire::Standing::Holds, None, None)),
        Event::OfferReceived { offer, from, terms, .. } => {
            let told = with(wire::Standing::Offered, Some(*offer), Some(&from.office));
            Some(described(told, terms))
        }
        Event::Accepted { offer, to, .. } => Some(with(wire::Standing::Bound, Some(*offer), Some(&to.office))),
        Event::AgreementReceived { offer, from, .. } => {
            Some(with(wire::Standing::Helps, Some(*offer), Some(&from.office)))
        }
        // What the offer had brought about ends with it.
        Event::Declined { offer, .. }
        | Event::WithdrawalReceived { offer, .. }
        | Event::OfferVoided { offer, .. }
        | Event::Concluded { offer, .. } => Some(with(wire::Standing::Unspecified, Some(*offer), None)),
        Event::Transferred { offer, to, .. } => Some(with(wire::Standing::Held, Some(*offer), Some(&to.office))),
        Event::TransferReceived { offer, chain, .. } => {
            let issued_by = chain.last().map(|signed| &signed.certificate.issued_by.office);
            holds(office, chain).then(|| with(wire::Standing::Holds, Some(*offer), issued_by))
        }
        Event::CertificatesLearned { chain, .. } | Event::OverrideIssued { chain, .. } => {
            let newest = chain.last()?;
            if holds(office, chain) {
                let issued_by = &newest.certificate.issued_by.office;
                return Some(with(wire::Standing::Holds, newest.certificate.offer, Some(issued_by)));
            }
            let held = chain.iter().any(|signed| signed.certificate.holder.office == *office);
            let holder = Some(&newest.certificate.holder.office);
            if held {
                return Some(with(wire::Standing::Held, None, holder));
            }
            // An override sets aside certificates of a lower term, and this chain has them no more: whoever was told by one
            // of them that the office holds the case hears that it does not. Whether they were, they know.
            (newest.certificate.term > 0).then(|| with(wire::Standing::Unspecified, None, holder))
        }
        _ => None,
    }
}

fn holds(office: &OfficeId, chain: &[SignedCertificate]) -> bool {
    chain.last().is_some_and(|signed| signed.certificate.holder.office == *office)
}

fn described(told: wire::StandingChanged, terms: &OfferTerms) -> wire::StandingChanged {
    wire::StandingChanged {
        case_number: terms.case_number.map(|number| number.to_string()).unwrap_or_default(),
        sex: write_sex(terms.preview.sex).into(),
        age_band: write_age_band(terms.preview.age_band).into(),
        need: write_need(terms.need).into(),
        kind: write_kind(terms.kind).into(),
        ..told
    }
}

/// How an offer of this office ended; none when it did not.
fn answered(event: &Event, office: &OfficeId, case: CaseId) -> Option<wire::OfferAnswered> {
    let told = |offer: &OfferId, state: wire::OfferState| wire::OfferAnswered {
        offer_id: offer.to_string(),
        case_id: case.to_string(),
        from_office_id: office.to_string(),
        state: state.into(),
        ..wire::OfferAnswered::default()
    };
    let of = |offer: &OfferId, asked: Option<&Asked>, state: wire::OfferState| match asked {
        Some(Asked { of, kind, need }) => wire::OfferAnswered {
            to_office_id: of.to_string(),
            kind: write_kind(*kind).into(),
            need: write_need(*need).into(),
            ..told(offer, state)
        },
        None => told(offer, state),
    };
    Some(match event {
        Event::Transferred { offer, to, .. } => wire::OfferAnswered {
            to_office_id: to.office.to_string(),
            kind: wire::OfferKind::Transfer.into(),
            ..told(offer, wire::OfferState::Accepted)
        },
        Event::ServiceAgreed { offer, to, need, .. } => wire::OfferAnswered {
            to_office_id: to.office.to_string(),
            kind: wire::OfferKind::Service.into(),
            need: write_need(*need).into(),
            ..told(offer, wire::OfferState::Accepted)
        },
        Event::OfferDeclined { offer, asked, .. } => of(offer, asked.as_ref(), wire::OfferState::Declined),
        Event::Withdrawn { offer, reason, asked, .. } => {
            let escalated = *reason == WithdrawReason::Escalated;
            let state = if escalated { wire::OfferState::Escalated } else { wire::OfferState::Withdrawn };
            of(offer, asked.as_ref(), state)
        }
        Event::ServiceConcluded { offer, asked, .. } => of(offer, asked.as_ref(), wire::OfferState::Concluded),
        // Without it, the offer was somebody else's.
        Event::OfferVoided { offer, asked: Some(asked), .. } => of(offer, Some(asked), wire::OfferState::Voided),
        _ => return None,
    })
}

/// The kind of an offer on the wire.
pub(crate) const fn write_kind(kind: OfferKind) -> wire::OfferKind {
    match kind {
        OfferKind::Service => wire::OfferKind::Service,
        OfferKind::Transfer => wire::OfferKind::Transfer,
    }
}

#[cfg(test)]
mod tests;
