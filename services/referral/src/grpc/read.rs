//! Words of the wire that only the desk uses.

use spean_chassis::status::invalid;
use spean_contracts::referral::v1 as wire;
use spean_custody::case::ServiceOutcome;
use spean_vocabulary::{DeclineReason, OfferKind, WithdrawReason};
use tonic::Status;

pub(super) fn kind(value: i32) -> Result<OfferKind, Status> {
    match wire::OfferKind::try_from(value) {
        Ok(wire::OfferKind::Service) => Ok(OfferKind::Service),
        Ok(wire::OfferKind::Transfer) => Ok(OfferKind::Transfer),
        _ => Err(invalid("kind", "one of the values of OfferKind, not the unspecified one")),
    }
}

pub(super) fn decline_reason(value: i32) -> Result<DeclineReason, Status> {
    match wire::DeclineReason::try_from(value) {
        Ok(wire::DeclineReason::NoCapacity) => Ok(DeclineReason::NoCapacity),
        Ok(wire::DeclineReason::NotEligible) => Ok(DeclineReason::NotEligible),
        Ok(wire::DeclineReason::WaitingList) => Ok(DeclineReason::WaitingList),
        Ok(wire::DeclineReason::MoreAssessmentNeeded) => Ok(DeclineReason::MoreAssessmentNeeded),
        Ok(wire::DeclineReason::PersonElsewhere) => Ok(DeclineReason::PersonElsewhere),
        Ok(wire::DeclineReason::NotSafe) => Ok(DeclineReason::NotSafe),
        _ => Err(invalid("reason", "one of the values of DeclineReason, not the unspecified one")),
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

pub(super) fn outcome(value: i32) -> Result<ServiceOutcome, Status> {
    match wire::ServiceOutcome::try_from(value) {
        Ok(wire::ServiceOutcome::Completed) => Ok(ServiceOutcome::Completed),
        Ok(wire::ServiceOutcome::PartlyCompleted) => Ok(ServiceOutcome::PartlyCompleted),
        Ok(wire::ServiceOutcome::DeclinedByPerson) => Ok(ServiceOutcome::DeclinedByPerson),
        Ok(wire::ServiceOutcome::PersonNotReached) => Ok(ServiceOutcome::PersonNotReached),
        Ok(wire::ServiceOutcome::NotPossible) => Ok(ServiceOutcome::NotPossible),
        _ => Err(invalid("outcome", "one of the values of ServiceOutcome, not the unspecified one")),
    }
}
