//! Receipts: what ends the resending. Sent after the commit, cumulative, so that a lost one is healed by the next.

use std::sync::Arc;
use std::time::Duration;

use prost::Message as _;
use sha2::{Digest as _, Sha256};
use spean_custody::link::{Hello, HelloEffect, Link, Receipt, ReceiptEffect};
use spean_eventstore::points::lacks;
use spean_eventstore::{StoreError, Transaction};
use spean_identity::Header;
use spean_vocabulary::{LetterId, Timestamp};
use sqlx::{AnyConnection, Row as _};

use super::outbox::{load_link, number, save_link};
use super::relay::{self, dispatch, make_due};
use super::{PeerStatus, Shared, Unusable, locked, recovery, store_error};
use crate::letter::{Address, Content, SignedPlace, kind, parse_address};

/// Receipts of one moment are sent as one.
const GATHER: Duration = Duration::from_millis(20);
/// The pause after receipts were given. Who is written to without end must not answer without end: a receipt costs both
/// ends as much as a letter.
const BREATH: Duration = Duration::from_millis(500);
/// The longest pause: it doubles for as long as receipts are due again at its end. A receipt confirms all that came
/// before, so the fewer there are while letters come without end, whoever writes them, the more time there is for those.
const LONGEST_BREATH: Duration = Duration::from_secs(4);
/// Why a receipt or a hello is refused.
const CONFIRMS_TOO_MUCH: &str = "the peer confirms what was never written, or contradicts itself";
/// A letter given to the broker so many seconds ago should have its receipt when the peer shows life.
const OVERDUE_SECONDS: i64 = 5;
/// The same when the peer says hello: its mailbox may be new, but it may also only have been opened anew.
const DUE_AFTER_HELLO_SECONDS: i64 = 1;

pub(super) async fn run(shared: Arc<Shared>) {
    let mut breath = BREATH;
    loop {
        shared.receipt_wanted.notified().await;
        tokio::time::sleep(GATHER).await;
        give_due(&shared).await;
        tokio::time::sleep(breath).await;
        let has_no_rest = !locked(&shared.receipts_due).is_empty();
        breath = next_breath(breath, has_no_rest);
    }
}

/// The pause after the next receipts.
fn next_breath(breath: Duration, has_no_rest: bool) -> Duration {
    if has_no_rest { (breath * 2).min(LONGEST_BREATH) } else { BREATH }
}

/// Gives the receipts that are due. A node that recovers gives none; its peers ask again.
pub(super) async fn give_due(shared: &Shared) {
    let due = std::mem::take(&mut *locked(&shared.receipts_due));
    if shared.is_recovering() {
        return;
    }
    for peer in due {
        if let Err(error) = give(shared, &peer).await {
            tracing::debug!(peer = %peer, error = %error, "a receipt could not be sent; the next one heals it");
        }
    }
}

async fn give(shared: &Shared, peer: &Address) -> anyhow::Result<()> {
    let mut connection = shared.store.reader().acquire().await?;
    let link = load_link(peer, shared.incarnation(), &mut connection).await?;
    let proof = proof(peer, &link, &mut connection).await?;
    drop(connection);
    fail::fail_point!("receipt::before");
    say(
        shared,
        peer,
        Unnumbered { place: proof, ..Unnumbered::new(kind::RECEIPT, serde_json::to_vec(&link.receipt())?) },
    )
    .await?;
    fail::fail_point!("receipt::after");
    Ok(())
}

/// Confirms a letter that is not applied yet: only where a test took away that receipts follow the commit.
pub(super) async fn give_early(shared: &Shared, peer: &Address, sequence: u64) {
    let given = async {
        let mut connection = shared.store.reader().acquire().await?;
        let link = load_link(peer, shared.incarnation(), &mut connection).await?;
        drop(connection);
        let receipt = Receipt { applied_up_to: sequence, ..link.receipt() };
        say(shared, peer, Unnumbered::new(kind::RECEIPT, serde_json::to_vec(&receipt)?)).await
    };
    if let Err(error) = given.await {
        tracing::debug!(peer = %peer, error = %error, "a receipt could not be sent");
    }
}

/// Introduces this node to a peer, or shows it a sign of life.
pub(super) async fn greet(shared: &Shared, peer: &Address) -> anyhow::Result<()> {
    let mut connection = shared.store.reader().acquire().await?;
    let mut link = load_link(peer, shared.incarnation(), &mut connection).await?;
    let place = proof(peer, &link, &mut connection).await?;
    drop(connection);
    link.reincarnate(shared.incarnation());
    let awaits_answer = shared.is_recovering() && recovery::awaited(shared).await?.contains(peer);
    let hello = Unnumbered::new(kind::HELLO, serde_json::to_vec(&link.hello())?);
    say(shared, peer, Unnumbered { place, awaits_answer, ..hello }).await
}

/// The highest place of the peer's letters here, as the peer itself signed it: should its database be an old one, it
/// believes that, and not what anybody says.
async fn proof(peer: &Address, link: &Link, connection: &mut AnyConnection) -> Result<Option<SignedPlace>, StoreError> {
    let row = sqlx::query(
        "select content from post_in where peer = $1 and incarnation = $2 and sequence <= $3
         order by sequence desc limit 1",
    )
    .bind(peer.to_string())
    .bind(number(link.peer_incarnation()))
    .bind(number(link.applied_up_to()))
    .fetch_optional(connection)
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Content::decode(row.try_get::<&[u8], _>(0)?).ok().and_then(|content| content.place))
}

/// Whether a peer shows that we wrote it something that this database does not have.
fn is_shown(shared: &Shared, peer: &Address, link: &Link, shown: Option<&SignedPlace>) -> bool {
    let ours = (shared.incarnation(), link.last_assigned());
    shown.is_some_and(|place| {
        (place.incarnation, place.sequence) > ours && place.is_genuine(&shared.keys.public(), &shared.me, peer)
    })
}

/// Something that has no number: it is repeated whenever there is reason to.
pub(super) struct Unnumbered {
    kind: &'static str,
    body: Vec<u8>,
    place: Option<SignedPlace>,
    awaits_answer: bool,
}

impl Unnumbered {
    pub(super) fn new(kind: &'static str, body: Vec<u8>) -> Self {
        Self { kind, body, place: None, awaits_answer: false }
    }
}

/// Says something that has no number.
pub(super) async fn say(shared: &Shared, peer: &Address, said: Unnumbered) -> anyhow::Result<()> {
    let Unnumbered { kind, body, place, awaits_answer } = said;
    let now = (shared.now)();
    let content = Content {
        from_service: shared.me.service.to_string(),
        to_service: peer.service.to_string(),
        kind: kind.to_owned(),
        posted_at: now.as_micros(),
        body,
        place,
        awaits_answer,
        ..Content::default()
    };
    let mut digest = Sha256::new();
    digest.update(format!("{} {peer} {kind} {}", shared.me, now.as_micros()).as_bytes());
    digest.update(&content.body);
    let bytes: [u8; 16] = digest.finalize()[..16].try_into().expect("a SHA-256 has 32 bytes");
    let letter = LetterId::from_uuid(uuid::Builder::from_custom_bytes(bytes).into_uuid());
    let header = Header {
        from: shared.me.node.clone(),
        to: peer.node.clone(),
        incarnation: shared.incarnation(),
        sequence: 0,
        letter,
    };
    dispatch(shared, peer, header, &content, &letter.to_string()).await?;
    Ok(())
}

/// A peer's receipt arrived.
///
/// That it confirms what we do not know of may be a lie, and the consequence, that nothing may be decided here until
/// everybody has answered, is grave. So it is believed when the peer shows our own signature on such a place.
pub(super) async fn take(
    shared: &Arc<Shared>,
    peer: Address,
    receipt: Receipt,
    shown: Option<SignedPlace>,
) -> Result<(), Unusable> {
    let now = (shared.now)();
    let restored_since = shown.as_ref().map_or(0, |place| place.incarnation);
    let (incarnation, from) = (shared.incarnation(), peer.clone());
    let job_shared = Arc::clone(shared);
    let taken = shared.store.transact(move |transaction| {
        Box::pin(async move {
            let mut link = load_link(&from, incarnation, transaction.connection()).await?;
            let kept_from = link.prunable_through();
            let effect = link.take_receipt(&receipt);
            if effect == ReceiptEffect::WeWereRestored && !is_shown(&job_shared, &from, &link, shown.as_ref()) {
                return Ok((ReceiptEffect::Absurd, false));
            }
            link.sign_of_life();
            save_link(&from, &link, transaction.connection()).await?;
            note_heard(&from, now, transaction).await?;
            settle(&from, incarnation, &receipt, now, transaction).await?;
            if matches!(effect, ReceiptEffect::Advanced { .. }) {
                relay::postpone(&from, incarnation, now, transaction).await?;
            }
            Ok::<_, StoreError>((effect, link.prunable_through() > kept_from))
        })
    });
    let (effect, more_is_backed_up) = taken.await.map_err(store_error)?;
    if more_is_backed_up {
        shared.forget_wanted.notify_one();
    }
    match effect {
        ReceiptEffect::WeWereRestored => recovery::discover(shared, restored_since).await.map_err(Unusable::from),
        ReceiptEffect::Absurd => Err(Unusable::Refused(CONFIRMS_TOO_MUCH.to_owned())),
        // It works through what it has: what is behind that in its mailbox must not come a second time.
        ReceiptEffect::Advanced { .. } => Ok(()),
        ReceiptEffect::Nothing | ReceiptEffect::Stale => {
            Ok(make_due(shared, &peer.to_string(), OVERDUE_SECONDS).await?)
        }
    }
}

/// A peer's hello arrived.
///
/// A node that recovers itself answers too, with what it has: two that were restored together, such as the services of
/// one node, would wait for each other for ever. What it says later, it says under new numbers.
pub(super) async fn take_hello(
    shared: &Arc<Shared>,
    peer: Address,
    hello: Hello,
    awaits_answer: bool,
    shown: Option<SignedPlace>,
) -> Result<(), Unusable> {
    if shared.is_recovering() && lacks("sabotage::mutual_answers") {
        return Ok(());
    }
    if !shared.introductions.take(&peer, (shared.now)()) {
        return Ok(());
    }
    let now = (shared.now)();
    let restored_since = shown.as_ref().map_or(0, |place| place.incarnation);
    let job_shared = Arc::clone(shared);
    let (incarnation, from) = (shared.incarnation(), peer.clone());
    let has = if hello.receipt.incarnation == incarnation { hello.receipt.applied_up_to } else { 0 };
    let taken = shared.store.transact(move |transaction| {
        Box::pin(async move {
            let mut link = load_link(&from, incarnation, transaction.connection()).await?;
            let before = link.peer_incarnation();
            let effect = link.take_hello(&hello);
            if effect == HelloEffect::WeWereRestored && !is_shown(&job_shared, &from, &link, shown.as_ref()) {
                return Ok((None, before));
            }
            link.sign_of_life();
            save_link(&from, &link, transaction.connection()).await?;
            note_heard(&from, now, transaction).await?;
            if matches!(effect, HelloEffect::Known | HelloEffect::Restored) {
                // A hello holds a receipt, and may bring it first. It may also have less than was confirmed before.
                settle(&from, incarnation, &hello.receipt, now, transaction).await?;
                unsettle(&from, incarnation, has + 1, now, transaction).await?;
            }
            if effect == HelloEffect::Restored && before > 0 {
                forget_unapplied(&from, link.peer_incarnation(), transaction).await?;
                recovery::ask_again(&from, transaction).await?;
            }
            Ok::<_, StoreError>((Some(effect), before))
        })
    });
    let (effect, before) = taken.await.map_err(store_error)?;
    let Some(effect) = effect else { return Err(Unusable::Refused(CONFIRMS_TOO_MUCH.to_owned())) };
    match (effect, before) {
        (HelloEffect::WeWereRestored, _) => recovery::discover(shared, restored_since).await?,
        (HelloEffect::Restored, before) if before > 0 => {
            tracing::warn!(peer = %peer, "the peer was restored from a backup; returning what it had said");
            recovery::return_letters(shared, &peer, has).await?;
        }
        (HelloEffect::Stale, _) => return Ok(()),
        // It may still be waiting for an answer to an earlier hello of the same incarnation.
        (HelloEffect::Known, _) if awaits_answer || looks_unanswered(shared, &peer).await? => {
            recovery::return_letters(shared, &peer, has).await?;
        }
        (HelloEffect::Known | HelloEffect::Restored, _) => {}
    }
    make_due(shared, &peer.to_string(), DUE_AFTER_HELLO_SECONDS).await?;
    shared.want_receipt(&peer);
    Ok(())
}

/// A peer in a later incarnation than its first may have missed our answer; answering again is harmless. Earlier versions
/// do not say that they wait. It is no sure sign: what a service recorded while it recovered may have become known here by
/// its own answer to us.
async fn looks_unanswered(shared: &Shared, peer: &Address) -> Result<bool, StoreError> {
    let mut connection = shared.store.reader().acquire().await?;
    let link = load_link(peer, shared.incarnation(), &mut connection).await?;
    Ok(link.peer_incarnation() > 1 && link.applied_up_to() == 0)
}

async fn note_heard(peer: &Address, now: Timestamp, transaction: &mut Transaction) -> Result<(), StoreError> {
    sqlx::query("update post_link set heard_at = $1 where peer = $2")
        .bind(now.as_micros())
        .bind(peer.to_string())
        .execute(transaction.connection())
        .await?;
    Ok(())
}

/// What the peer has confirmed need not be sent again.
async fn settle(
    peer: &Address,
    incarnation: u64,
    receipt: &Receipt,
    now: Timestamp,
    transaction: &mut Transaction,
) -> Result<(), StoreError> {
    if receipt.incarnation != incarnation {
        return Ok(());
    }
    if lacks("sabotage::archive") {
        sqlx::query("delete from post_out where peer = $1 and incarnation = $2 and sequence <= $3")
            .bind(peer.to_string())
            .bind(number(incarnation))
            .bind(number(receipt.applied_up_to))
            .execute(transaction.connection())
            .await?;
    }
    sqlx::query(
        "update post_out set settled_at = $1
         where peer = $2 and incarnation = $3 and sequence <= $4 and settled_at is null",
    )
    .bind(now.as_micros())
    .bind(peer.to_string())
    .bind(number(incarnation))
    .bind(number(receipt.applied_up_to))
    .execute(transaction.connection())
    .await?;
    Ok(())
}

/// What a restored peer had said and was never applied here never happened.
pub(super) async fn forget_unapplied(
    peer: &Address,
    incarnation: u64,
    transaction: &mut Transaction,
) -> Result<(), StoreError> {
    sqlx::query(
        "update post_in set state = 'discarded', reason = 'BEFORE_THE_RESTORE'
         where peer = $1 and incarnation < $2 and state = 'parked'",
    )
    .bind(peer.to_string())
    .bind(number(incarnation))
    .execute(transaction.connection())
    .await?;
    Ok(())
}

/// The peer lost what it had confirmed, whether it noticed or not (a log that no event was added to since the backup
/// looks complete): all from here on is sent again.
async fn unsettle(
    peer: &Address,
    incarnation: u64,
    from: u64,
    now: Timestamp,
    transaction: &mut Transaction,
) -> Result<(), StoreError> {
    if lacks("sabotage::resending") {
        return Ok(());
    }
    sqlx::query(
        "update post_out set settled_at = null, next_attempt_at = $1, attempt = attempt + 1
         where peer = $2 and incarnation = $3 and sequence >= $4 and settled_at is not null",
    )
    .bind(now.as_micros())
    .bind(peer.to_string())
    .bind(number(incarnation))
    .bind(number(from))
    .execute(transaction.connection())
    .await?;
    Ok(())
}

pub(super) async fn peers(shared: &Shared) -> Result<Vec<PeerStatus>, StoreError> {
    let rows = sqlx::query(
        "select post_link.peer, post_link.heard_at, count(post_out.sequence), min(post_out.posted_at)
         from post_link left join post_out on post_out.peer = post_link.peer and post_out.settled_at is null
         group by post_link.peer, post_link.heard_at order by post_link.peer",
    )
    .fetch_all(shared.store.reader())
    .await?;
    let mut peers = Vec::with_capacity(rows.len());
    for row in rows {
        let Some(peer) = parse_address(row.try_get::<&str, _>(0)?) else { continue };
        peers.push(PeerStatus {
            peer,
            heard_at: row.try_get::<Option<i64>, _>(1)?.map(Timestamp::from_micros),
            unconfirmed: row.try_get(2)?,
            oldest_posted_at: row.try_get::<Option<i64>, _>(3)?.map(Timestamp::from_micros),
        });
    }
    Ok(peers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_written_to_without_end_gives_a_receipt_in_four_seconds_and_soon_again_after_a_rest() {
        let mut breath = BREATH;
        let pauses = [true, true, true, true, false, true].map(|has_no_rest| {
            breath = next_breath(breath, has_no_rest);
            breath.as_millis()
        });
        assert_eq!(pauses, [1_000, 2_000, 4_000, 4_000, 500, 1_000]);
    }
}
