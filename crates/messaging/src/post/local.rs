//! Letters of a service to itself, as between two offices of one node: they never leave the database.

use std::sync::Arc;

use prost::Message as _;
use spean_eventstore::{Recorded, StoreError, TransactError};
use sqlx::{AnyConnection, Row as _};
use tracing::Instrument as _;

use super::set_aside::{set_state, stored_letter, waits_behind_another};
use super::{Shared, Unusable, store_error};
use crate::letter::{Content, Posting, letter_id};
use crate::trace::continue_trace;

/// Local letters have one order for ever: no restore can come between a service and itself.
const INCARNATION: u64 = 0;

/// Puts a letter into the service's own inbox, in the transaction of the event that it follows from.
pub(super) async fn deliver(
    posting: &Posting,
    event: &Recorded,
    connection: &mut AnyConnection,
) -> Result<(), StoreError> {
    let me = &posting.to;
    let row = sqlx::query("select coalesce(max(sequence), 0) + 1 from post_in where peer = $1 and incarnation = 0")
        .bind(me.to_string())
        .fetch_one(&mut *connection)
        .await?;
    let sequence: i64 = row.try_get(0)?;
    let posted_at = event.metadata.recorded_at.as_micros();
    let content = Content {
        from_service: me.service.to_string(),
        to_service: me.service.to_string(),
        kind: posting.kind.to_owned(),
        case: posting.case.map(|case| case.to_string()).unwrap_or_default(),
        body: posting.body.clone(),
        attachment: None,
        trace: event.metadata.trace.clone().unwrap_or_default(),
        posted_at,
        place: None,
        awaits_answer: false,
    };
    sqlx::query(
        "insert into post_in (peer, incarnation, sequence, letter_id, kind, case_id, digest, content, state, reason,
            attempts, arrived_at)
         values ($1, 0, $2, $3, $4, $5, $6, $7, 'parked', '', 0, $8)",
    )
    .bind(me.to_string())
    .bind(sequence)
    .bind(letter_id(me, me, INCARNATION, sequence.unsigned_abs()).to_string())
    .bind(posting.kind)
    .bind(&content.case)
    .bind(content.digest())
    .bind(content.encode_to_vec())
    .bind(posted_at)
    .execute(connection)
    .await?;
    Ok(())
}

/// Applies local letters as they come.
pub(super) async fn run(shared: Arc<Shared>) {
    let mut head = shared.store.head();
    loop {
        if let Err(error) = apply_all(&shared).await {
            tracing::warn!(me = %shared.me, error = %error, "a local letter waits for the database");
        }
        tokio::select! {
            changed = head.changed() => if changed.is_err() { return },
            () = tokio::time::sleep(super::LOOK_EVERY) => {}
        }
    }
}

/// Applies what is there, and what is written meanwhile.
pub(super) async fn apply_all(shared: &Arc<Shared>) -> Result<(), StoreError> {
    while !shared.is_recovering() && apply_next(shared).await? {}
    Ok(())
}

/// Applies the next one; false when there is none.
async fn apply_next(shared: &Arc<Shared>) -> Result<bool, StoreError> {
    let row = sqlx::query(
        "select sequence, letter_id, case_id, content from post_in
         where peer = $1 and incarnation = 0 and state = 'parked' order by sequence limit 1",
    )
    .bind(shared.me.to_string())
    .fetch_optional(shared.store.reader())
    .await?;
    let Some(row) = row else { return Ok(false) };
    let sequence = row.try_get::<i64, _>(0)?.unsigned_abs();
    let (id, case): (String, String) = (row.try_get(1)?, row.try_get(2)?);
    let mut letter = stored_letter(&id, INCARNATION, &shared.me, row.try_get::<&[u8], _>(3)?)
        .ok_or(StoreError::Options("a local letter cannot be read"))?;
    if let Some(reference) = shared.correspondence.local_attachment(&letter) {
        letter.attachment = match shared.correspondence.attachment(&reference).await {
            Ok(attachment) => attachment,
            Err(Unusable::Store(error)) => return Err(error),
            Err(Unusable::Refused(_)) => None,
        };
        match shared.correspondence.keep_attachment(&letter, false).await {
            Ok(()) => {}
            Err(Unusable::Store(error)) => return Err(error),
            Err(Unusable::Refused(reason)) => tracing::warn!(reason, "what came with a local letter was not kept"),
        }
    }
    let span = tracing::info_span!("messaging.letter.receive", messaging.message.id = %letter.id, kind = %letter.kind);
    continue_trace(&span, letter.trace.as_deref());
    let job_shared = Arc::clone(shared);
    let applied = shared.store.transact(move |transaction| {
        Box::pin(async move {
            let state = if waits_behind_another(&job_shared.me, &case, transaction).await? {
                "waiting"
            } else {
                job_shared.correspondence.apply(&letter, transaction).await?;
                "applied"
            };
            set_state(&job_shared, &job_shared.me, INCARNATION, sequence, state, "", transaction).await?;
            Ok::<_, Unusable>(())
        })
    });
    match applied.instrument(span).await {
        Ok(()) => Ok(true),
        Err(TransactError::Work(Unusable::Refused(reason))) => {
            tracing::warn!(me = %shared.me, reason, "a local letter could not be applied and waits for a person");
            let job_shared = Arc::clone(shared);
            let buried = shared.store.transact(move |transaction| {
                Box::pin(async move {
                    set_state(&job_shared, &job_shared.me, INCARNATION, sequence, "dead", &reason, transaction).await
                })
            });
            buried.await.map_err(store_error)?;
            Ok(true)
        }
        Err(TransactError::Work(Unusable::Store(error)) | TransactError::Store(error)) => Err(error),
    }
}
