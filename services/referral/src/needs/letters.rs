//! What others hear of our needs, places and waiting lists; and how it is written and read.

use prost::Message as _;
use serde::{Deserialize, Serialize};
use spean_chassis::words::{instant, read_need, read_sex, read_urgency, write_need, write_sex, write_urgency};
use spean_contracts::referral::v1 as wire;
use spean_custody::case::{CaseCustody, Event as Custody};
use spean_eventstore::Recorded;
use spean_messaging::{Address, Posting, Unusable};
use spean_vocabulary::{CaseId, Need, OfficeId, Service, Timestamp};

use super::elsewhere::{self, WaitingElsewhere};
use super::need::{self, Asked, CaseNeed, Described, Handed, Preferences, Stands};
use super::words;
use crate::availability::{self, Availability};
use crate::desk::{Desk, place};
use crate::waiting_list::{self, Entry, WaitingList};

/// A case has turned at an office: what its needs and places are is looked at anew. From the desk to itself.
pub(crate) const CASE_TURNED: &str = "spean.referral.v1.CaseTurned";
/// Name of [`wire::NeedHandedOver`] on the wire.
pub(crate) const NEED_HANDED_OVER: &str = "spean.referral.v1.NeedHandedOver";
/// Name of [`wire::NeedServiceEnded`] on the wire.
pub(crate) const NEED_SERVICE_ENDED: &str = "spean.referral.v1.NeedServiceEnded";
/// Name of [`wire::WaitingPositionChanged`] on the wire.
pub(crate) const WAITING_POSITION_CHANGED: &str = "spean.referral.v1.WaitingPositionChanged";
/// Name of [`wire::PlaceFree`] on the wire.
pub(crate) const PLACE_FREE: &str = "spean.referral.v1.PlaceFree";
/// Name of [`wire::WaitingGivenUp`] on the wire.
pub(crate) const WAITING_GIVEN_UP: &str = "spean.referral.v1.WaitingGivenUp";
/// Name of [`wire::AvailabilityChanged`] on the wire.
const AVAILABILITY_CHANGED: &str = "spean.referral.v1.AvailabilityChanged";

/// What the desk writes to itself when a case has turned.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct CaseTurned {
    pub(crate) office: OfficeId,
    pub(crate) case: CaseId,
}

/// Whether a letter is about needs, and so nothing that a peer returned is to be done about it after a restore: it
/// follows again from what is recalled of the cases.
pub(crate) fn is_ours(kind: &str) -> bool {
    [CASE_TURNED, NEED_HANDED_OVER, NEED_SERVICE_ENDED, WAITING_POSITION_CHANGED, PLACE_FREE, WAITING_GIVEN_UP]
        .contains(&kind)
}

/// The letters about needs that follow from an event.
pub(crate) fn postings(desk: &Desk, recorded: &Recorded) -> Vec<Posting> {
    if let (Some(Ok(event)), Some((office, case))) = (recorded.event::<CaseCustody>(), place(recorded)) {
        return turned(desk, &event, office, case).into_iter().collect();
    }
    let Some((office, other)) = recorded.id.split_once('/') else { return vec![] };
    let posting = if let Some(Ok(event)) = recorded.event::<CaseNeed>() {
        need_moved(desk, office, other, &event)
    } else if let Some(Ok(event)) = recorded.event::<WaitingList>() {
        other.parse().ok().and_then(|need| waiting_changed(desk, office, need, &event))
    } else if let Some(Ok(event)) = recorded.event::<WaitingElsewhere>() {
        given_up(desk, office, other, &event)
    } else if let Some(Ok(event)) = recorded.event::<Availability>() {
        other.parse().ok().and_then(|need| counted(desk, office, need, &event))
    } else {
        None
    };
    posting.into_iter().collect()
}

fn turned(desk: &Desk, event: &Custody, office: OfficeId, case: CaseId) -> Option<Posting> {
    let turns = match event {
        Custody::Offered { .. }
        | Custody::Withdrawn { .. }
        | Custody::OfferDeclined { .. }
        | Custody::Transferred { .. }
        | Custody::ServiceAgreed { .. }
        | Custody::ServiceConcluded { .. }
        | Custody::OfferReceived { .. }
        | Custody::WithdrawalReceived { .. }
        | Custody::Accepted { .. }
        | Custody::Declined { .. }
        | Custody::TransferReceived { .. }
        | Custody::AgreementReceived { .. }
        | Custody::Concluded { .. }
        | Custody::OfferVoided { .. }
        | Custody::OverrideIssued { .. } => true,
        // The registry hears of every case, and has to do with few.
        Custody::CertificatesLearned { chain, .. } => {
            chain.iter().any(|signed| signed.certificate.holder.office == office)
        }
        _ => false,
    };
    let body = serde_json::to_vec(&CaseTurned { office, case }).expect("codes and ids are text");
    let to = desk.node.address(Service::Referral);
    turns.then_some(Posting { to, kind: CASE_TURNED, case: None, body, attachment: None })
}

fn need_moved(desk: &Desk, office: &str, need: &str, event: &need::Event) -> Option<Posting> {
    match event {
        need::Event::HandedOver { to, told } => {
            let body = write_handed(office, to, need, told).encode_to_vec();
            to_desk(desk, to, NEED_HANDED_OVER, told.described.case, body)
        }
        need::Event::EndPassedOn { to, case, offer, outcome } => {
            let told = wire::NeedServiceEnded {
                from_office_id: office.to_owned(),
                to_office_id: to.to_string(),
                case_id: case.to_string(),
                need_id: need.to_owned(),
                offer_id: offer.to_string(),
                outcome: outcome.map(words::write_outcome).unwrap_or_default().into(),
            };
            to_desk(desk, to, NEED_SERVICE_ENDED, *case, told.encode_to_vec())
        }
        _ => None,
    }
}

fn waiting_changed(desk: &Desk, office: &str, need: Need, event: &waiting_list::Event) -> Option<Posting> {
    let position = |offer: &spean_vocabulary::OfferId, entry: &Entry, position: u32| wire::WaitingPositionChanged {
        from_office_id: office.to_owned(),
        to_office_id: entry.from.to_string(),
        case_id: entry.case.to_string(),
        offer_id: offer.to_string(),
        need: write_need(need).into(),
        urgency: write_urgency(entry.urgency).into(),
        position: i32::try_from(position).unwrap_or(i32::MAX),
        ended: wire::WaitingEnd::Unspecified.into(),
    };
    let (kind, entry, body) = match event {
        waiting_list::Event::PositionTold { offer, entry, position: told } => {
            (WAITING_POSITION_CHANGED, entry, position(offer, entry, *told).encode_to_vec())
        }
        waiting_list::Event::Left { offer, entry, why } => {
            let ended = words::write_waiting_end(*why).into();
            let told = wire::WaitingPositionChanged { ended, ..position(offer, entry, 0) };
            (WAITING_POSITION_CHANGED, entry, told.encode_to_vec())
        }
        waiting_list::Event::PlaceKept { offer, entry, until } => {
            let told = wire::PlaceFree {
                from_office_id: office.to_owned(),
                to_office_id: entry.from.to_string(),
                case_id: entry.case.to_string(),
                offer_id: offer.to_string(),
                need: write_need(need).into(),
                urgency: write_urgency(entry.urgency).into(),
                kept_until: Some(instant(*until)),
            };
            (PLACE_FREE, entry, told.encode_to_vec())
        }
        waiting_list::Event::Joined { .. } | waiting_list::Event::PlaceLapsed { .. } => return None,
    };
    to_desk(desk, &entry.from, kind, entry.case, body)
}

fn given_up(desk: &Desk, office: &str, offer: &str, event: &elsewhere::Event) -> Option<Posting> {
    let elsewhere::Event::GivenUp { line, why } = event else { return None };
    let told = wire::WaitingGivenUp {
        from_office_id: office.to_owned(),
        to_office_id: line.at.to_string(),
        case_id: line.case.to_string(),
        offer_id: offer.to_owned(),
        need: write_need(line.need).into(),
        reason: words::write_waiting_end(*why).into(),
    };
    to_desk(desk, &line.at, WAITING_GIVEN_UP, line.case, told.encode_to_vec())
}

fn counted(desk: &Desk, office: &str, need: Need, event: &availability::Event) -> Option<Posting> {
    let availability::Event::Counted { figures, as_of } = event else { return None };
    let told = wire::AvailabilityChanged {
        office_id: office.to_owned(),
        need: write_need(need).into(),
        capacity_persons: figures.capacity_persons.unwrap_or(0).into(),
        taken_persons: figures.taken_persons.into(),
        reserved_persons: figures.reserved_persons.into(),
        waiting_persons: figures.waiting_persons.into(),
        as_of: Some(instant(*as_of)),
    };
    let (to, body) = (desk.node.address(Service::Directory), told.encode_to_vec());
    Some(Posting { to, kind: AVAILABILITY_CHANGED, case: None, body, attachment: None })
}

fn to_desk(desk: &Desk, office: &OfficeId, kind: &'static str, case: CaseId, body: Vec<u8>) -> Option<Posting> {
    let party = desk.party(office)?;
    let to = Address { node: party.node, service: Service::Referral };
    Some(Posting { to, kind, case: Some(case), body, attachment: None })
}

fn write_handed(from: &str, to: &OfficeId, need: &str, told: &Handed) -> wire::NeedHandedOver {
    let described = &told.described;
    wire::NeedHandedOver {
        from_office_id: from.to_owned(),
        to_office_id: to.to_string(),
        case_id: described.case.to_string(),
        need_id: need.to_owned(),
        need: write_need(described.need).into(),
        urgency: write_urgency(described.urgency).into(),
        preferences: Some(write_preferences(&described.preferences)),
        place: described.place.to_string(),
        known_since: described.known_since.to_string(),
        opened_at: Some(instant(told.opened_at)),
        asked: told.asked.iter().map(|(offer, asked)| write_asked(&offer.to_string(), asked)).collect(),
        refused_office_ids: told.refused.iter().map(ToString::to_string).collect(),
        not_wanted: told.not_wanted,
        handovers: told.handovers,
    }
}

fn write_asked(offer: &str, asked: &Asked) -> wire::AskedOffice {
    let mut written = wire::AskedOffice {
        offer_id: offer.to_owned(),
        office_id: asked.to.to_string(),
        ..wire::AskedOffice::default()
    };
    let state = match asked.stands {
        Stands::Open => wire::OfferState::Offered,
        Stands::Agreed | Stands::Transferred => wire::OfferState::Accepted,
        Stands::Declined { reason } => {
            written.decline_reason = words::write_decline(reason).into();
            wire::OfferState::Declined
        }
        Stands::Withdrawn { .. } => wire::OfferState::Withdrawn,
        Stands::Voided => wire::OfferState::Voided,
        Stands::Concluded { outcome } => {
            written.outcome = words::write_outcome(outcome).into();
            wire::OfferState::Concluded
        }
    };
    written.state = state.into();
    written
}

/// Wishes as the wire says them.
pub(crate) fn write_preferences(preferences: &Preferences) -> wire::NeedPreferences {
    wire::NeedPreferences {
        worker_sex: preferences.worker_sex.map(write_sex).map(Into::into).unwrap_or_default(),
        language: preferences.language.clone().unwrap_or_default(),
        near_place: preferences.near.map(|place| place.to_string()).unwrap_or_default(),
        reach: words::write_reach(preferences.reach).into(),
    }
}

/// Reads a need that went with its case.
pub(crate) fn read_handed(told: &wire::NeedHandedOver) -> Result<Handed, Unusable> {
    let preferences = told.preferences.clone().unwrap_or_default();
    let described = Described {
        case: told.case_id.parse().map_err(malformed)?,
        need: read_need("need", told.need).map_err(malformed)?,
        urgency: read_urgency("urgency", told.urgency).map_err(malformed)?,
        preferences: Preferences {
            worker_sex: read_sex("worker_sex", preferences.worker_sex).ok(),
            language: Some(preferences.language).filter(|language| words::is_language(language)),
            near: preferences.near_place.parse().ok(),
            reach: words::read_reach(preferences.reach).unwrap_or_default(),
        },
        place: told.place.parse().map_err(malformed)?,
        known_since: told.known_since.parse().map_err(malformed)?,
    };
    let asked = told.asked.iter().map(|asked| {
        let offer = asked.offer_id.parse().map_err(malformed)?;
        Ok((offer, Asked { to: asked.office_id.parse().map_err(malformed)?, stands: read_stands(asked) }))
    });
    let refused = told.refused_office_ids.iter().map(|office| office.parse().map_err(malformed));
    Ok(Handed {
        described,
        opened_at: told.opened_at.as_ref().map_or(Timestamp::from_micros(0), read_instant),
        asked: asked.collect::<Result<_, Unusable>>()?,
        refused: refused.collect::<Result<_, Unusable>>()?,
        not_wanted: told.not_wanted,
        handovers: told.handovers,
    })
}

fn read_stands(asked: &wire::AskedOffice) -> Stands {
    use spean_vocabulary::{DeclineReason, WithdrawReason};
    match asked.state() {
        wire::OfferState::Accepted => Stands::Agreed,
        wire::OfferState::Declined => {
            Stands::Declined { reason: words::read_decline(asked.decline_reason).unwrap_or(DeclineReason::NotEligible) }
        }
        wire::OfferState::Concluded => {
            words::read_outcome(asked.outcome).map_or(Stands::Voided, |outcome| Stands::Concluded { outcome })
        }
        wire::OfferState::Voided => Stands::Voided,
        _ => Stands::Withdrawn { reason: WithdrawReason::AnotherWayFound },
    }
}

/// An instant as a peer wrote it.
pub(crate) fn read_instant(at: &prost_types::Timestamp) -> Timestamp {
    let micros = at.seconds.saturating_mul(1_000_000).saturating_add(i64::from(at.nanos) / 1_000);
    Timestamp::from_micros(micros)
}

/// A letter that makes no sense.
pub(crate) fn malformed<E>(_: E) -> Unusable {
    refused("MALFORMED")
}

/// A letter that a person must look at.
pub(crate) fn refused(code: &str) -> Unusable {
    Unusable::Refused(code.to_owned())
}
