//! Hop 5 of a command: sending each letter until its receipt is here.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::stream::{FuturesUnordered, StreamExt as _};
use prost::Message as _;
use spean_eventstore::points::{lacks, lacks_for};
use spean_eventstore::{StoreError, Transaction};
use spean_identity::{Envelope, Header};
use spean_vocabulary::{NodeId, Timestamp};
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row as _};
use tokio::sync::watch;
use tracing::Instrument as _;

use super::outbox::number;
use super::{LOOK_EVERY, Sent, Shared, Unusable, incarnation, locked, store_error};
use crate::broker::BrokerError;
use crate::letter::{Address, Content, SignedPlace, letter_id, parse_address};
use crate::topology;
use crate::trace::continue_trace;

/// How many letters are under way at a time.
const WINDOW: i64 = 64;
/// How many of them to one peer.
const WINDOW_OF_ONE: i64 = 16;
/// The pause after the broker refused, before the same attempt is repeated.
const AFTER_REFUSAL: Duration = Duration::from_millis(500);
/// How long a receipt may take before the first resend, in seconds. Doubled with each attempt.
const FIRST_RESEND_SECONDS: i64 = 15;
/// The longest wait between two attempts, in seconds: a peer that is dark for weeks must not find thousands of copies.
const LONGEST_RESEND_SECONDS: i64 = 6 * 3_600;

/// How much later a letter is sent again when this service is behind with its own mail, in seconds. Not for ever: whoever
/// fills the mailbox on purpose must not keep letters to others from being sent again.
const LONGEST_HEAP_SECONDS: i64 = 120;

/// By how much a clock is set now and then without anybody noticing, in seconds.
const A_STEP_SECONDS: i64 = 5;

struct Waiting {
    peer: Address,
    incarnation: u64,
    sequence: u64,
    attempt: i64,
    published_before: bool,
    content: Content,
    attachment: Option<String>,
}

pub(super) async fn run(shared: Arc<Shared>, mut connected: watch::Receiver<bool>) {
    let mut head = shared.store.head();
    loop {
        if connected.wait_for(|connected| *connected).await.is_err() {
            return;
        }
        match send_due(&shared).await {
            Ok(sent) if sent.refused => tokio::time::sleep(AFTER_REFUSAL).await,
            Ok(sent) if sent.more => continue,
            Ok(_) => {}
            Err(error) => tracing::debug!(error = %error, "letters could not be sent now"),
        }
        tokio::select! {
            changed = head.changed() => if changed.is_err() { return },
            () = shared.resend_wanted.notified() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

/// Sends what is due.
pub(super) async fn send_due(shared: &Shared) -> Result<Sent, StoreError> {
    let nothing = Sent { published: 0, refused: false, more: false };
    if shared.is_recovering() {
        return Ok(nothing);
    }
    let now = (shared.now)();
    let due = due(shared, now).await?;
    if due.is_empty() {
        return Ok(nothing);
    }
    // A log that is put back to where it was before a letter would give the number of that letter to another one. Where
    // the letter has left, the mark shows that it was: also to a node whose peers say nothing.
    if due.iter().any(|waiting| !waiting.published_before)
        && let Err(error) = incarnation::move_mark(shared).await
    {
        tracing::warn!(error = %error, "the mark of the log could not be written; letters wait");
        return Ok(Sent { refused: true, ..nothing });
    }
    // A peer may have shown meanwhile that the log is an old one.
    if shared.is_recovering() {
        return Ok(nothing);
    }
    let full = due.len() >= usize::try_from(WINDOW_OF_ONE).unwrap_or(usize::MAX);
    let mut sending: FuturesUnordered<_> = due
        .into_iter()
        .map(|waiting| async move {
            let outcome = send(shared, &waiting).await;
            (waiting, outcome)
        })
        .collect();
    let mut published = Vec::new();
    let mut places: BTreeMap<NodeId, u64> = BTreeMap::new();
    let mut refused = false;
    while let Some((waiting, outcome)) = sending.next().await {
        match outcome {
            Ok(place) => {
                let highest = places.entry(waiting.peer.node.clone()).or_default();
                *highest = place.max(*highest);
                published.push((waiting.peer, waiting.incarnation, waiting.sequence, waiting.attempt));
            }
            Err(error) => {
                refused = true;
                tracing::debug!(peer = %waiting.peer, error = %error, "a letter could not be given to the broker");
            }
        }
    }
    for (node, place) in places {
        notice_lost_mail(shared, &node, place).await;
    }
    let sent = Sent { published: published.len(), refused, more: full && !refused };
    fail::fail_point!("relay::before_note");
    note_published(shared, published, now).await?;
    fail::fail_point!("relay::after_note");
    Ok(sent)
}

/// A mailbox whose numbering went back was wiped or rolled back: what it held is gone, so all is due again. Letters that
/// are under way together may be answered in any order, so it is the highest place of them that counts.
async fn notice_lost_mail(shared: &Shared, node: &NodeId, place: u64) {
    let before = locked(&shared.highest_places).insert(node.to_string(), place);
    if before.is_none_or(|before| before <= place) {
        return;
    }
    tracing::warn!(peer = %node, "the peer's mailbox went back; sending again what it has not confirmed");
    if let Err(error) = make_due(shared, &format!("{node}/%"), 0).await {
        tracing::warn!(error = %error, "what the mailbox lost will be sent later");
    }
}

/// How long a letter was given to the broker before it counts as overdue, in so many times the time for the first
/// attempt: a peer that is slow shows life as well, and must not be sent everything again with each sign of it.
const OVERDUE: &str = "case when attempt <= 1 then 1 when attempt = 2 then 2 when attempt = 3 then 4 when attempt = 4 \
                       then 8 else 16 end";

/// Whatever waits for these peers (a pattern) and was given to the broker so many seconds ago or earlier is due now;
/// what was given repeatedly, after as much longer as [`OVERDUE`] says.
pub(super) async fn make_due(shared: &Shared, peers: &str, given_seconds_ago: i64) -> Result<(), StoreError> {
    let now = (shared.now)().as_micros();
    let is_overdue = format!(
        "peer like $2 and settled_at is null and published_at <= $1 - cast($3 as bigint) * {OVERDUE}
         and next_attempt_at > $1"
    );
    let overdue = sqlx::query(AssertSqlSafe(format!("select count(*) from post_out where {is_overdue}")))
        .bind(now)
        .bind(peers)
        .bind(given_seconds_ago * 1_000_000)
        .fetch_one(shared.store.reader())
        .await?;
    // Nearly always there is none, and a look costs no flush of the disk.
    if overdue.try_get::<i64, _>(0)? == 0 {
        return Ok(());
    }
    let peers = peers.to_owned();
    let due = shared.store.transact(move |transaction| {
        Box::pin(async move {
            sqlx::query(AssertSqlSafe(format!("update post_out set next_attempt_at = $1 where {is_overdue}")))
                .bind(now)
                .bind(peers)
                .bind(given_seconds_ago * 1_000_000)
                .execute(transaction.connection())
                .await?;
            Ok::<_, StoreError>(())
        })
    });
    due.await.map_err(store_error)?;
    shared.resend_wanted.notify_one();
    Ok(())
}

/// A peer that works through its mailbox, however slowly, is not sent a second time what lies there: the time for the
/// first resend begins anew with each step. What is due already, because it was lost, stays due.
pub(super) async fn postpone(
    peer: &Address,
    incarnation: u64,
    now: Timestamp,
    transaction: &mut Transaction,
) -> Result<(), StoreError> {
    sqlx::query(
        "update post_out set next_attempt_at = $1
         where peer = $2 and incarnation = $3 and settled_at is null and next_attempt_at > $4 and next_attempt_at < $1",
    )
    .bind(now.as_micros() + FIRST_RESEND_SECONDS * 1_000_000)
    .bind(peer.to_string())
    .bind(number(incarnation))
    .bind(now.as_micros())
    .execute(transaction.connection())
    .await?;
    Ok(())
}

async fn due(shared: &Shared, now: Timestamp) -> Result<Vec<Waiting>, StoreError> {
    // Whoever is behind with the mail has not read the receipts yet that may lie there.
    let again = if shared.mail_waits.is_behind() {
        now.as_micros() - LONGEST_HEAP_SECONDS * 1_000_000
    } else {
        now.as_micros()
    };
    // A clock that was set back must not stop the post: what was never sent waits for nothing, and what was sent at a time
    // that has not come yet is sent once more. Peers take turns, so that one whose mailbox is full holds up nobody else.
    let rows = sqlx::query(
        "select peer, incarnation, sequence, attempt, kind, case_id, body, attachment, trace, posted_at, published_at
         from (select post_out.*, row_number() over (partition by peer order by incarnation, sequence) as turn
               from post_out where settled_at is null
                  and (published_at is null or next_attempt_at <= $1 or published_at > $2)) waiting
         where turn <= $4 order by turn, peer limit $3",
    )
    .bind(again)
    .bind(now.as_micros() + A_STEP_SECONDS * 1_000_000)
    .bind(WINDOW)
    .bind(WINDOW_OF_ONE)
    .fetch_all(shared.store.reader())
    .await?;
    Ok(rows.iter().map(|row| waiting(row, shared)).collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
}

fn waiting(row: &AnyRow, shared: &Shared) -> Result<Option<Waiting>, sqlx::Error> {
    let Some(peer) = parse_address(row.try_get::<&str, _>(0)?) else { return Ok(None) };
    let (incarnation, sequence) = (row.try_get::<i64, _>(1)?.unsigned_abs(), row.try_get::<i64, _>(2)?.unsigned_abs());
    let content = Content {
        from_service: shared.me.service.to_string(),
        to_service: peer.service.to_string(),
        kind: row.try_get(4)?,
        case: row.try_get(5)?,
        body: row.try_get(6)?,
        attachment: None,
        trace: row.try_get(8)?,
        posted_at: row.try_get(9)?,
        place: Some(SignedPlace::sign(&shared.keys, &shared.me, &peer, incarnation, sequence)),
        awaits_answer: false,
    };
    Ok(Some(Waiting {
        peer,
        incarnation,
        sequence,
        attempt: row.try_get(3)?,
        published_before: row.try_get::<Option<i64>, _>(10)?.is_some(),
        content,
        attachment: row.try_get(7)?,
    }))
}

/// What was written to a peer that lost it: what follows this letter of the present incarnation, settled or not, and of
/// earlier incarnations all that was settled. What is not settled of those gets a new number when this node, which is
/// recovering itself, has done so, and before it whatever it has written while it recovers: none of that leaves now.
pub(super) async fn sent_after(
    shared: &Shared,
    peer: &Address,
    after: u64,
    is_recovering: bool,
) -> Result<Vec<(u64, u64, Content)>, StoreError> {
    let rows = sqlx::query(
        "select peer, incarnation, sequence, attempt, kind, case_id, body, attachment, trace, posted_at, published_at
         from post_out
         where peer = $1
           and ((incarnation = $2 and sequence > $3) or (incarnation < $2 and settled_at is not null))
         order by incarnation, sequence",
    )
    .bind(peer.to_string())
    .bind(number(shared.incarnation()))
    .bind(if is_recovering { i64::MAX } else { number(after) })
    .fetch_all(shared.store.reader())
    .await?;
    let mut letters = Vec::with_capacity(rows.len());
    for row in &rows {
        let Some(letter) = waiting(row, shared)? else { continue };
        letters.push((letter.incarnation, letter.sequence, complete(shared, &letter).await?));
    }
    Ok(letters)
}

/// A letter with what travels along with it.
async fn complete(shared: &Shared, letter: &Waiting) -> Result<Content, StoreError> {
    let mut content = letter.content.clone();
    if let Some(reference) = &letter.attachment {
        content.attachment = match shared.correspondence.attachment(reference).await {
            Ok(attachment) => attachment,
            Err(Unusable::Store(error)) => return Err(error),
            Err(Unusable::Refused(reason)) => {
                tracing::error!(reason, "what should travel with a letter is unusable; the letter goes alone");
                None
            }
        };
    }
    Ok(content)
}

async fn send(shared: &Shared, waiting: &Waiting) -> Result<u64, BrokerError> {
    if lacks_for("fault::held_back", &waiting.content.kind) {
        return Err(BrokerError::TimedOut);
    }
    let content = complete(shared, waiting).await.map_err(|error| BrokerError::Refused(error.to_string()))?;
    let id = letter_id(&shared.me, &waiting.peer, waiting.incarnation, waiting.sequence);
    if waiting.published_before {
        tracing::debug!(peer = %waiting.peer, letter = %id, attempt = waiting.attempt, "sending again");
    }
    let header = Header {
        from: shared.me.node.clone(),
        to: waiting.peer.node.clone(),
        incarnation: waiting.incarnation,
        sequence: waiting.sequence,
        letter: id,
    };
    let span = tracing::info_span!(
        "messaging.letter.publish",
        messaging.message.id = %id,
        peer = %waiting.peer,
        kind = %content.kind,
        attempt = waiting.attempt,
    );
    continue_trace(&span, Some(content.trace.as_str()).filter(|trace| !trace.is_empty()));
    // Each attempt has an id of its own: the broker would swallow the same one as a duplicate.
    let message_id = format!("{id}.{}", waiting.attempt);
    if lacks_for("fault::doubled", &content.kind) {
        dispatch(shared, &waiting.peer, header.clone(), &content, &format!("{message_id}.twice")).await?;
    }
    fail::fail_point!("relay::before_publish");
    let place = dispatch(shared, &waiting.peer, header, &content, &message_id).instrument(span).await?;
    fail::fail_point!("relay::after_publish");
    Ok(place)
}

/// Seals, signs and publishes. The only way out.
pub(super) async fn dispatch(
    shared: &Shared,
    peer: &Address,
    header: Header,
    content: &Content,
    message_id: &str,
) -> Result<u64, BrokerError> {
    let refused = |error: &dyn std::fmt::Display| BrokerError::Refused(error.to_string());
    let envelope = Envelope::seal(&header, &content.encode_to_vec(), &shared.keys, &shared.directory.current())
        .map_err(|error| refused(&error))?;
    let subject = topology::mailbox_subject(&peer.node, peer.service, &shared.me.node, shared.me.service);
    shared.carrier.publish(subject, message_id, envelope).await
}

async fn note_published(
    shared: &Shared,
    published: Vec<(Address, u64, u64, i64)>,
    now: Timestamp,
) -> Result<(), StoreError> {
    if published.is_empty() {
        return Ok(());
    }
    let noted = shared.store.transact(move |transaction| {
        Box::pin(async move {
            for (peer, incarnation, sequence, attempt) in published {
                let wait = FIRST_RESEND_SECONDS.saturating_mul(1 << attempt.clamp(0, 20)).min(LONGEST_RESEND_SECONDS);
                sqlx::query(
                    "update post_out set attempt = $1, published_at = $2, next_attempt_at = $3
                     where peer = $4 and incarnation = $5 and sequence = $6 and settled_at is null",
                )
                .bind(attempt + 1)
                .bind(now.as_micros())
                .bind(now.as_micros() + wait * 1_000_000)
                .bind(peer.to_string())
                .bind(number(incarnation))
                .bind(number(sequence))
                .execute(transaction.connection())
                .await?;
                if lacks("sabotage::resending") {
                    sqlx::query(
                        "update post_out set settled_at = $1 where peer = $2 and incarnation = $3 and sequence = $4",
                    )
                    .bind(now.as_micros())
                    .bind(peer.to_string())
                    .bind(number(incarnation))
                    .bind(number(sequence))
                    .execute(transaction.connection())
                    .await?;
                }
            }
            Ok::<_, StoreError>(())
        })
    });
    noted.await.map_err(store_error)
}
