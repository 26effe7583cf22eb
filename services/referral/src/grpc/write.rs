//! What the worklists hold, as the wire says it.

use spean_chassis::words::{instant, stored, write_age_band, write_need, write_sex, write_urgency};
use spean_contracts::referral::v1 as wire;
use spean_custody::case::{ServiceOutcome, SignedCertificate};
use spean_vocabulary::{DeclineReason, LegalBasis, Redirection, Timestamp, WithdrawReason};

use crate::published::write_kind;
use crate::worklist::Entry;

pub(super) fn offer(entry: Entry, dossier_available: bool, now: Timestamp) -> wire::Offer {
    let (from, to) =
        if entry.direction == "out" { (entry.office, entry.other_office) } else { (entry.other_office, entry.office) };
    let offered_at = Timestamp::from_micros(entry.offered_at);
    wire::Offer {
        offer_id: entry.offer_id,
        case_id: entry.case_id,
        case_number: entry.case_number,
        kind: stored(&entry.kind, write_kind),
        need: stored(&entry.need, write_need),
        urgency: stored(&entry.urgency, write_urgency),
        from_office_id: from,
        to_office_id: to,
        state: state(&entry.state).into(),
        offered_at: Some(instant(offered_at)),
        answer_due_at: Some(instant(Timestamp::from_micros(entry.answer_due_at))),
        sex: stored(&entry.sex, write_sex),
        age_band: stored(&entry.age_band, write_age_band),
        language: entry.language,
        decline_reason: stored(&entry.decline_reason, decline_reason),
        withdraw_reason: stored(&entry.withdraw_reason, withdraw_reason),
        outcome: stored(&entry.outcome, outcome),
        instead_of_offer_id: entry.instead_of,
        age_hours: now.hours_since(offered_at).max(0),
        reminders: i32::try_from(entry.reminders).unwrap_or(i32::MAX),
        dossier_available,
        unanswered_at_the_top: entry.at_the_top && entry.state == "OFFERED",
        meant_for_office_id: entry.meant_for,
        redirected_because: stored(&entry.redirected_because, redirection),
        dossier_withheld: entry.dossier_withheld,
    }
}

fn state(stored: &str) -> wire::OfferState {
    wire::OfferState::from_str_name(&format!("OFFER_STATE_{stored}")).unwrap_or_default()
}

const fn decline_reason(reason: DeclineReason) -> wire::DeclineReason {
    match reason {
        DeclineReason::NoCapacity => wire::DeclineReason::NoCapacity,
        DeclineReason::NotEligible => wire::DeclineReason::NotEligible,
        DeclineReason::WaitingList => wire::DeclineReason::WaitingList,
        DeclineReason::MoreAssessmentNeeded => wire::DeclineReason::MoreAssessmentNeeded,
        DeclineReason::PersonElsewhere => wire::DeclineReason::PersonElsewhere,
        DeclineReason::NotSafe => wire::DeclineReason::NotSafe,
        DeclineReason::OfficeMoved => wire::DeclineReason::OfficeMoved,
    }
}

const fn withdraw_reason(reason: WithdrawReason) -> wire::WithdrawReason {
    match reason {
        WithdrawReason::Escalated => wire::WithdrawReason::Escalated,
        WithdrawReason::AnotherWayFound => wire::WithdrawReason::AnotherWayFound,
        WithdrawReason::ConsentWithdrawn => wire::WithdrawReason::ConsentWithdrawn,
        WithdrawReason::SentByMistake => wire::WithdrawReason::SentByMistake,
        WithdrawReason::HolderRestored => wire::WithdrawReason::HolderRestored,
        WithdrawReason::Rerouted => wire::WithdrawReason::Rerouted,
        WithdrawReason::OfficeClosed => wire::WithdrawReason::OfficeClosed,
        WithdrawReason::CaseClosed => wire::WithdrawReason::CaseClosed,
        WithdrawReason::PersonErased => wire::WithdrawReason::PersonErased,
    }
}

pub(super) const fn redirection(because: Redirection) -> wire::Redirection {
    match because {
        Redirection::Unstaffed => wire::Redirection::Unstaffed,
        Redirection::StandsIn => wire::Redirection::StandsIn,
        Redirection::Closed => wire::Redirection::Closed,
        Redirection::Moved => wire::Redirection::Moved,
        Redirection::Unanswered => wire::Redirection::Unanswered,
    }
}

pub(super) const fn legal_basis(basis: LegalBasis) -> wire::LegalBasis {
    match basis {
        LegalBasis::CourtOrder => wire::LegalBasis::CourtOrder,
        LegalBasis::OfficeDissolved => wire::LegalBasis::OfficeDissolved,
        LegalBasis::HolderUnreachable => wire::LegalBasis::HolderUnreachable,
        LegalBasis::ChildAtRisk => wire::LegalBasis::ChildAtRisk,
        LegalBasis::MinisterialDecision => wire::LegalBasis::MinisterialDecision,
        LegalBasis::PersonRequest => wire::LegalBasis::PersonRequest,
    }
}

pub(crate) const fn outcome(outcome: ServiceOutcome) -> wire::ServiceOutcome {
    match outcome {
        ServiceOutcome::Completed => wire::ServiceOutcome::Completed,
        ServiceOutcome::PartlyCompleted => wire::ServiceOutcome::PartlyCompleted,
        ServiceOutcome::DeclinedByPerson => wire::ServiceOutcome::DeclinedByPerson,
        ServiceOutcome::PersonNotReached => wire::ServiceOutcome::PersonNotReached,
        ServiceOutcome::NotPossible => wire::ServiceOutcome::NotPossible,
    }
}

pub(super) fn certificate(signed: &SignedCertificate) -> wire::Certificate {
    let certificate = &signed.certificate;
    wire::Certificate {
        case_id: certificate.case.to_string(),
        term: certificate.term,
        epoch: certificate.epoch,
        holder_office_id: certificate.holder.office.to_string(),
        issued_by_office_id: certificate.issued_by.office.to_string(),
        issued_at: Some(instant(certificate.issued_at)),
        previous_digest: certificate.previous.map(|digest| digest.to_string()).unwrap_or_default(),
        digest: certificate.digest().to_string(),
        legal_basis: certificate.basis.map_or(wire::LegalBasis::Unspecified, legal_basis).into(),
        signed: serde_json::to_string(signed).expect("certificates have text keys only"),
    }
}
