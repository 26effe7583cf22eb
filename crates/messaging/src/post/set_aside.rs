//! What could not be applied: how it is kept for people, how much of it, and what it holds up.

use prost::Message as _;
use spean_custody::Digest;
use spean_custody::link::Link;
use spean_eventstore::{StoreError, Transaction};
use sqlx::Row as _;

use super::outbox::{load_link, number, save_link};
use super::{Shared, Taken, store_error};
use crate::letter::{Address, Content, Letter};

/// How much of one unreadable message is kept for people, in bytes.
const KEPT_UNREADABLE_BYTES: usize = 64 * 1024;
/// How many unreadable messages are kept: whoever sends more must not fill the disk.
const KEPT_UNREADABLE: i64 = 1_000;
/// How many of them of one node.
const KEPT_UNREADABLE_OF_ONE: i64 = 100;
/// How much of a peer's letters that came before their turn is kept, in bytes. What is beyond comes again.
const PARKED_BYTES: i64 = 16 * 1024 * 1024;
/// How many of a peer's letters may wait for people. Then no more are taken until people have dealt with them: the peer
/// keeps what it has, and sends it again.
const STUCK_LETTERS: i64 = 1_000;
/// How much of them, in bytes.
const STUCK_BYTES: i64 = 64 * 1024 * 1024;

/// Whether another letter of the peer can be stored: one before its turn, or one that may have to wait for people.
pub(super) async fn has_room(
    peer: &Address,
    incarnation: u64,
    link: &Link,
    is_early: bool,
    transaction: &mut Transaction,
) -> Result<bool, StoreError> {
    let stored = if is_early {
        sqlx::query(
            "select count(*), coalesce(sum(length(content)), 0) from post_in
             where peer = $1 and incarnation = $2 and sequence > $3",
        )
        .bind(peer.to_string())
        .bind(number(incarnation))
        .bind(number(link.applied_up_to()))
        .fetch_one(transaction.connection())
        .await?
    } else {
        // Those that wait are few, and the peer's letters are many: the index of the first is to be used.
        sqlx::query(
            "select count(*), coalesce(sum(length(content)), 0) from post_in
             where state in ('dead', 'waiting') and peer || '' = $1",
        )
        .bind(peer.to_string())
        .fetch_one(transaction.connection())
        .await?
    };
    let (letters, bytes): (i64, i64) = (stored.try_get(0)?, stored.try_get(1)?);
    let has_room = if is_early { bytes < PARKED_BYTES } else { letters < STUCK_LETTERS && bytes < STUCK_BYTES };
    if !has_room && !is_early {
        tracing::error!(
            peer = %peer, letters, "ALARM: so many letters of the peer wait for people that no more are taken"
        );
    }
    Ok(has_room)
}

/// A letter that cannot be applied: kept for a person, confirmed as received, and in nobody's way but its own case's.
pub(super) async fn bury(
    shared: &Shared,
    peer: &Address,
    incarnation: u64,
    sequence: u64,
    reason: &str,
    transaction: &mut Transaction,
) -> Result<(), StoreError> {
    tracing::warn!(peer = %peer, sequence, reason, "a letter could not be applied and waits for a person");
    set_state(shared, peer, incarnation, sequence, "dead", reason, transaction).await?;
    let mut link = load_link(peer, shared.incarnation(), transaction.connection()).await?;
    link.failed(sequence);
    save_link(peer, &link, transaction.connection()).await
}

pub(super) async fn set_state(
    shared: &Shared,
    peer: &Address,
    incarnation: u64,
    sequence: u64,
    state: &'static str,
    reason: &str,
    transaction: &mut Transaction,
) -> Result<(), StoreError> {
    if state == "applied" {
        // How far the inbox has got: a database that was put back shows by it, even when no event followed.
        sqlx::query("update post_self set applied = applied + 1").execute(transaction.connection()).await?;
    }
    sqlx::query(
        "update post_in set state = $1, reason = $2, attempts = attempts + 1, settled_at = $3
         where peer = $4 and incarnation = $5 and sequence = $6",
    )
    .bind(state)
    .bind(reason)
    .bind((shared.now)().as_micros())
    .bind(peer.to_string())
    .bind(number(incarnation))
    .bind(number(sequence))
    .execute(transaction.connection())
    .await?;
    Ok(())
}

/// Whether another letter of this peer about the case waits for people. What others say of it does not wait: a peer could
/// stop a case with which it has nothing to do.
pub(super) async fn waits_behind_another(
    peer: &Address,
    case: &str,
    transaction: &mut Transaction,
) -> Result<bool, StoreError> {
    if case.is_empty() {
        return Ok(false);
    }
    let query = "select count(*) from post_in
         where case_id = $1 and state in ('dead', 'waiting') and peer || '' = $2";
    let row = sqlx::query(query).bind(case).bind(peer.to_string()).fetch_one(transaction.connection()).await?;
    Ok(row.try_get::<i64, _>(0)? > 0)
}

pub(super) async fn keep_unreadable(
    shared: &Shared,
    subject: &str,
    payload: &[u8],
    reason: &str,
) -> Result<Taken, StoreError> {
    let raw = payload[..payload.len().min(KEPT_UNREADABLE_BYTES)].to_vec();
    let id = Digest::of(payload).to_string();
    // Who wrote it is in the third place, and the broker sees to it that it is true.
    let writer: String = subject.split_inclusive('.').take(3).collect();
    let (subject, why, now) = (subject.to_owned(), reason.to_owned(), (shared.now)().as_micros());
    let kept = shared.store.transact(move |transaction| {
        Box::pin(async move {
            let inserted = sqlx::query(
                "insert into post_unreadable (id, subject, raw, reason, arrived_at)
                 select $1, $2, $3, $4, $5 where (select count(*) from post_unreadable) < $6
                    and (select count(*) from post_unreadable where substr(subject, 1, $7) = $8) < $9
                 on conflict (id) do nothing",
            )
            .bind(id)
            .bind(subject)
            .bind(raw)
            .bind(why)
            .bind(now)
            .bind(KEPT_UNREADABLE)
            .bind(i32::try_from(writer.len()).unwrap_or(i32::MAX))
            .bind(&writer)
            .bind(KEPT_UNREADABLE_OF_ONE)
            .execute(transaction.connection())
            .await?;
            Ok::<_, StoreError>(inserted.rows_affected() > 0)
        })
    });
    if kept.await.map_err(store_error)? {
        tracing::warn!(me = %shared.me, reason, "a message that is no letter for this service was set aside");
    }
    Ok(Taken::Stored)
}

/// What a dead letter says, for another try.
pub(super) fn stored_letter(letter_id: &str, incarnation: u64, peer: &Address, content: &[u8]) -> Option<Letter> {
    Content::decode(content).ok()?.letter(letter_id.parse().ok()?, incarnation, &peer.node)
}
