//! The only place that makes a `tonic::Status`. Every refusal carries `google.rpc.ErrorInfo`.

use std::time::Duration;

use spean_eventsourcing::{Fault, Refusal};
use spean_eventstore::{AppendError, HandleError, StoreError, TransactError};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

/// `ErrorInfo.domain` of every refusal.
const DOMAIN: &str = "spean";

/// When a caller may try again after the database or the broker was away.
const RETRY: Duration = Duration::from_secs(2);

fn build(code: Code, reason: &str, message: impl Into<String>, complete: impl FnOnce(&mut ErrorDetails)) -> Status {
    let mut details = ErrorDetails::with_error_info(reason, DOMAIN, std::collections::HashMap::new());
    complete(&mut details);
    Status::with_error_details(code, message, details)
}

/// A field of the request is wrong: `INVALID_ARGUMENT` with the field's path. Never repeats what was given.
pub fn invalid(field: &str, expected: impl std::fmt::Display) -> Status {
    let description = format!("expected {expected}");
    build(Code::InvalidArgument, "INVALID_FIELD", format!("{field}: {description}"), |details| {
        details.add_bad_request_violation(field, description);
    })
}

/// Nobody showed a valid token.
pub fn unauthenticated(reason: &str, message: &str) -> Status {
    build(Code::Unauthenticated, reason, message, |_| ())
}

/// The caller is known, but this is not theirs to do.
pub fn denied() -> Status {
    build(Code::PermissionDenied, "NOT_PERMITTED", "this is not permitted to your role or office", |_| ())
}

/// There is no such thing, or the caller may not know of it: one answer for both.
pub fn not_found(what: &str) -> Status {
    build(Code::NotFound, "NOT_FOUND", format!("there is no such {what}"), |_| ())
}

/// The rules forbid it now.
pub fn forbidden(reason: &'static str, message: impl Into<String>) -> Status {
    let message = message.into();
    build(Code::FailedPrecondition, reason, message.clone(), |details| {
        details.add_precondition_failure_violation(reason, "", message);
    })
}

/// The node cannot do it at the moment; the caller should try again with the same command id.
pub fn unavailable(reason: &'static str, message: &str) -> Status {
    build(Code::Unavailable, reason, message, |details| {
        details.set_retry_info(Some(RETRY));
    })
}

/// A rule said no.
pub fn refused<E: Refusal>(error: &E) -> Status {
    let message = error.to_string();
    let reason = error.reason();
    match error.fault() {
        Fault::Field(field) => build(Code::InvalidArgument, reason, message.clone(), |details| {
            details.add_bad_request_violation(field, message);
        }),
        Fault::ForbiddenNow => forbidden(reason, message),
        Fault::NotThere => build(Code::NotFound, reason, message, |_| ()),
        Fault::NotTheirs => build(Code::PermissionDenied, reason, message, |_| ()),
    }
}
