//! Words of the wire that only the desk uses.

use spean_chassis::status::invalid;
use spean_contracts::referral::v1 as wire;
use spean_custody::case::ServiceOutcome;
use spean_vocabulary::{DeclineReason, LegalBasis, OfferKind, WithdrawReason};
use tonic::Status;

pub(super) fn kind(field: &str, value: i32) -> Result<OfferKind, Status> {
    match wire::OfferKind::try_from(value) {
        Ok(wire::OfferKind::Service) => Ok(OfferKind::Service),
        Ok(wire::OfferKind::Transfer) => Ok(OfferKind::Transfer),
        _ => Err(invalid(field, "one of the values of OfferKind, not the unspecified one")),
    }
}

/// Why people decline. That the office has closed, only the system itself says, with the successor.
pub(super) fn decline_reason(field: &str, value: i32) -> Result<DeclineReason, Status> {
    match wire::DeclineReason::try_from(value) {
        Ok(wire::DeclineReason::NoCapacity) => Ok(DeclineReason::NoCapacity),
        Ok(wire::DeclineReason::NotEligible) => Ok(DeclineReason::NotEligible),
        Ok(wire::DeclineReason::WaitingList) => Ok(DeclineReason::WaitingList),
        Ok(wire::DeclineReason::MoreAssessmentNeeded) => Ok(DeclineReason::MoreAssessmentNeeded),
        Ok(wire::DeclineReason::PersonElsewhere) => Ok(DeclineReason::PersonElsewhere),
        Ok(wire::DeclineReason::NotSafe) => Ok(DeclineReason::NotSafe),
        _ => Err(invalid(field, "one of the values of DeclineReason that people choose")),
    }
}

/// Why people withdraw. That nobody answered, or that the node was restored, only the system itself can know.
pub(super) fn withdraw_reason(value: i32) -> Result<WithdrawReason, Status> {
    match wire::WithdrawReason::try_from(value) {
        Ok(wire::WithdrawReason::AnotherWayFound) => Ok(WithdrawReason::AnotherWayFound),
        Ok(wire::WithdrawReason::ConsentWithdrawn) => Ok(WithdrawReason::ConsentWithdrawn),
        Ok(wire::WithdrawReason::SentByMistake) => Ok(WithdrawReason::SentByMistake),
        _ => Err(invalid("reason", "ANOTHER_WAY_FOUND, CONSENT_WITHDRAWN or SENT_BY_MISTAKE")),
    }
}

pub(crate) fn outcome(value: i32) -> Result<ServiceOutcome, Status> {
    match wire::ServiceOutcome::try_from(value) {
        Ok(wire::ServiceOutcome::Completed) => Ok(ServiceOutcome::Completed),
        Ok(wire::ServiceOutcome::PartlyCompleted) => Ok(ServiceOutcome::PartlyCompleted),
        Ok(wire::ServiceOutcome::DeclinedByPerson) => Ok(ServiceOutcome::DeclinedByPerson),
        Ok(wire::ServiceOutcome::PersonNotReached) => Ok(ServiceOutcome::PersonNotReached),
        Ok(wire::ServiceOutcome::NotPossible) => Ok(ServiceOutcome::NotPossible),
        _ => Err(invalid("outcome", "one of the values of ServiceOutcome, not the unspecified one")),
    }
}

pub(super) fn legal_basis(value: i32) -> Result<LegalBasis, Status> {
    match wire::LegalBasis::try_from(value) {
        Ok(wire::LegalBasis::CourtOrder) => Ok(LegalBasis::CourtOrder),
        Ok(wire::LegalBasis::OfficeDissolved) => Ok(LegalBasis::OfficeDissolved),
        Ok(wire::LegalBasis::HolderUnreachable) => Ok(LegalBasis::HolderUnreachable),
        Ok(wire::LegalBasis::ChildAtRisk) => Ok(LegalBasis::ChildAtRisk),
        Ok(wire::LegalBasis::MinisterialDecision) => Ok(LegalBasis::MinisterialDecision),
        Ok(wire::LegalBasis::PersonRequest) => Ok(LegalBasis::PersonRequest),
        _ => Err(invalid("legal_basis", "one of the values of LegalBasis, not the unspecified one")),
    }
}

/// Whether all are done or none, or each for itself.
pub(super) fn all_or_none(value: i32) -> Result<bool, Status> {
    match wire::BulkMode::try_from(value) {
        Ok(wire::BulkMode::All) => Ok(true),
        Ok(wire::BulkMode::Each) => Ok(false),
        _ => Err(invalid("mode", "one of the values of BulkMode, not the unspecified one")),
    }
}
