//! The only place that makes a `tonic::Status`. Every refusal carries `google.rpc.ErrorInfo`.

use std::time::Duration;

use spean_eventsourcing::{Fault, Refusal};
use spean_eventstore::{HandleError, StoreError, TransactError, disk_is_full};
use spean_vault::VaultError;
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

/// Something else was done in the same moment, and what was asked no longer fits: asking again shows how things stand.
pub fn changed_meanwhile(reason: &'static str, message: &str) -> Status {
    build(Code::Aborted, reason, message, |details| {
        details.set_retry_info(Some(RETRY));
    })
}

/// The node cannot do it at the moment; the caller should try again with the same command id.
pub fn unavailable(reason: &'static str, message: &str) -> Status {
    build(Code::Unavailable, reason, message, |details| {
        details.set_retry_info(Some(RETRY));
    })
}

/// There is too much to do at the moment. Nothing was done.
pub fn overloaded() -> Status {
    let message = "the node has too much to do; nothing was done, and it may be asked again a little later";
    build(Code::ResourceExhausted, "OVERLOADED", message, |details| {
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

/// A command was not carried out.
pub fn handled<E: Refusal>(error: HandleError<E>) -> Status {
    match error {
        HandleError::Refused(error) => refused(&error),
        HandleError::CommandIdReused => build(
            Code::AlreadyExists,
            "COMMAND_ID_REUSED",
            "metadata: spean-command-id: it was used before for another request",
            |_| (),
        ),
        HandleError::Store(error) => store(&error),
    }
}

/// A job whose own refusals are statuses already.
pub fn transacted(error: TransactError<Status>) -> Status {
    match error {
        TransactError::Work(status) => status,
        TransactError::Store(error) => store(&error),
    }
}

/// The log could not be read or written.
pub fn store(error: &StoreError) -> Status {
    match error {
        StoreError::Overloaded => overloaded(),
        StoreError::NotTheWriter => unavailable("STANDBY", "another instance writes; ask that one, or wait"),
        error if error.is_full() => full(),
        StoreError::TookTooLong => unavailable("TOO_SLOW", "the database took too long, and nothing was done"),
        StoreError::Unavailable | StoreError::Closed | StoreError::Database(_) => {
            tracing::warn!(error = %error, "the database could not do it");
            unavailable("DATABASE_AWAY", "the database is away; retry with the same command id")
        }
        _ => bug(error),
    }
}

/// A query failed.
pub fn query(error: sqlx::Error) -> Status {
    store(&StoreError::Database(error))
}

/// The vault could not be read or written.
pub fn vault(error: &VaultError) -> Status {
    match error {
        VaultError::Database(error) if disk_is_full(error) => full(),
        VaultError::Database(_) => {
            tracing::warn!(error = %error, "the vault could not do it");
            unavailable("VAULT_AWAY", "the vault is away; retry with the same command id")
        }
        _ => bug(error),
    }
}

/// Reading goes on; so does writing, by itself, once there is space.
fn full() -> Status {
    tracing::error!("the disk of the database is full");
    unavailable("DISK_FULL", "the node's disk is full; retry with the same command id when there is space again")
}

/// Our mistake. What went wrong is logged here and told to nobody.
pub fn bug(error: &dyn std::error::Error) -> Status {
    tracing::error!(error = %error, "internal error");
    build(Code::Internal, "INTERNAL", "the server made a mistake; it is in its log", |_| ())
}
