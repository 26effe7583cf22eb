//! After a restore from a backup: introducing the new incarnation, hearing from every peer what was said since, and
//! only then acting again.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use prost::Message as _;
use spean_eventstore::{StoreError, TransactError};
use sqlx::Row as _;

use super::outbox::{load_link, number, save_link};
use super::relay::make_due;
use super::{Shared, Unusable, inbox, incarnation, receipts, store_error};
use crate::letter::{Address, Content, kind, letter_id, parse_address};

/// How often a recovering node introduces itself to those who have not answered.
const GREET_EVERY: Duration = Duration::from_secs(2);
/// Letters returned in one message.
const LETTERS_A_PART: usize = 50;
/// Bytes returned in one message, roughly: far below what an envelope holds.
const BYTES_A_PART: usize = 400 * 1024;

/// One part of what a peer ever got from the restored node.
#[derive(Clone, PartialEq, prost::Message)]
struct Returned {
    /// For which incarnation.
    #[prost(uint64, tag = "1")]
    for_incarnation: u64,
    /// From 1.
    #[prost(uint32, tag = "2")]
    part: u32,
    /// How many there are.
    #[prost(uint32, tag = "3")]
    parts: u32,
    #[prost(message, repeated, tag = "4")]
    letters: Vec<ReturnedLetter>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct ReturnedLetter {
    #[prost(uint64, tag = "1")]
    incarnation: u64,
    #[prost(uint64, tag = "2")]
    sequence: u64,
    #[prost(bytes = "vec", tag = "3")]
    content: Vec<u8>,
}

/// Notes whose answers are awaited, and gives every link the new incarnation.
pub(super) async fn begin(shared: &Arc<Shared>) -> Result<(), StoreError> {
    let incarnation = shared.incarnation();
    let correspondents = shared.correspondence.correspondents();
    let noted = shared.store.transact(move |transaction| {
        Box::pin(async move {
            for peer in correspondents {
                let mut link = load_link(&peer, incarnation, transaction.connection()).await?;
                link.reincarnate(incarnation);
                save_link(&peer, &link, transaction.connection()).await?;
                sqlx::query("insert into post_recovery (peer, parts) values ($1, 0) on conflict (peer) do nothing")
                    .bind(peer.to_string())
                    .execute(transaction.connection())
                    .await?;
            }
            Ok::<_, StoreError>(())
        })
    });
    noted.await.map_err(store_error)
}

/// A peer proved that this node was restored without noticing.
pub(super) async fn discover(shared: &Arc<Shared>) -> Result<(), StoreError> {
    if shared.recovering.swap(true, Ordering::AcqRel) {
        return Ok(());
    }
    tracing::error!(me = %shared.me, "a peer confirms letters that are not in our log: the database is an old one");
    let next = incarnation::next(shared).await;
    let next = next.map_err(|_| StoreError::Options("the mark of the log could not be written"))?;
    shared.incarnation.store(next, Ordering::Release);
    shared.outbox.set_incarnation(next);
    begin(shared).await
}

/// Introduces this node to everybody it may ever write to.
pub(super) async fn greet_all(shared: &Arc<Shared>) {
    for peer in shared.correspondence.correspondents() {
        if let Err(error) = receipts::greet(shared, &peer).await {
            tracing::debug!(peer = %peer, error = %error, "could not say hello now");
        }
    }
}

pub(super) async fn awaited(shared: &Shared) -> Result<Vec<Address>, StoreError> {
    let rows = sqlx::query("select peer from post_recovery where answered_at is null order by peer")
        .fetch_all(shared.store.reader())
        .await?;
    let peers = rows.iter().map(|row| row.try_get::<&str, _>(0).map(parse_address)).collect::<Result<Vec<_>, _>>()?;
    Ok(peers.into_iter().flatten().collect())
}

pub(super) async fn run(shared: Arc<Shared>) {
    loop {
        tokio::time::sleep(GREET_EVERY).await;
        if !shared.is_recovering() {
            continue;
        }
        let progress = async {
            let awaited = awaited(&shared).await?;
            if awaited.is_empty() {
                finish(&shared).await?;
            }
            anyhow::Ok(awaited)
        };
        match progress.await {
            Ok(awaited) => {
                for peer in awaited {
                    if let Err(error) = receipts::greet(&shared, &peer).await {
                        tracing::debug!(peer = %peer, error = %error, "could not say hello now");
                    }
                }
            }
            Err(error) => tracing::warn!(error = %error, "the recovery goes on later"),
        }
    }
}

/// A restored peer asks: everything it ever said to us goes back to it.
pub(super) async fn return_letters(shared: &Arc<Shared>, peer: &Address) -> Result<(), StoreError> {
    let mut connection = shared.store.reader().acquire().await?;
    let link = load_link(peer, shared.incarnation(), &mut connection).await?;
    drop(connection);
    let rows = sqlx::query(
        "select incarnation, sequence, content from post_in
         where peer = $1 and incarnation < $2 order by incarnation, sequence",
    )
    .bind(peer.to_string())
    .bind(number(link.peer_incarnation()))
    .fetch_all(shared.store.reader())
    .await?;
    let mut parts: Vec<Vec<ReturnedLetter>> = vec![Vec::new()];
    let mut bytes = 0;
    for row in rows {
        let content: Vec<u8> = row.try_get(2)?;
        let full = parts.last().is_some_and(|part| part.len() >= LETTERS_A_PART);
        if full || bytes + content.len() > BYTES_A_PART {
            parts.push(Vec::new());
            bytes = 0;
        }
        bytes += content.len();
        let letter = ReturnedLetter {
            incarnation: row.try_get::<i64, _>(0)?.unsigned_abs(),
            sequence: row.try_get::<i64, _>(1)?.unsigned_abs(),
            content,
        };
        parts.last_mut().expect("there is always one part").push(letter);
    }
    let count = u32::try_from(parts.len()).unwrap_or(u32::MAX);
    for (part, letters) in (1..).zip(parts) {
        let returned = Returned { for_incarnation: link.peer_incarnation(), part, parts: count, letters };
        if let Err(error) = receipts::say(shared, peer, kind::RETURNED, returned.encode_to_vec()).await {
            tracing::debug!(peer = %peer, error = %error, "the peer will ask again");
        }
    }
    Ok(())
}

/// A peer returns what this node once said.
pub(super) async fn take_returned(shared: &Arc<Shared>, peer: &Address, body: &[u8]) -> Result<(), Unusable> {
    let returned =
        Returned::decode(body).map_err(|_| Unusable::Refused("what was returned cannot be read".to_owned()))?;
    if !shared.is_recovering() || returned.for_incarnation != shared.incarnation() {
        return Ok(());
    }
    let (job_shared, peer, now) = (Arc::clone(shared), peer.clone(), (shared.now)().as_micros());
    let merged = shared.store.transact(move |transaction| {
        Box::pin(async move {
            for letter in &returned.letters {
                let Ok(content) = Content::decode(letter.content.as_slice()) else { continue };
                let id = letter_id(&job_shared.me, &peer, letter.incarnation, letter.sequence);
                let Some(said) = content.letter(id, &job_shared.me.node) else { continue };
                match job_shared.correspondence.recall(&peer, &said, transaction).await {
                    Ok(()) => {}
                    // What makes no sense now made sense when it was said; it must not keep the node in quarantine.
                    Err(Unusable::Refused(reason)) => tracing::warn!(peer = %peer, reason, "not merged"),
                    Err(Unusable::Store(error)) => return Err(error),
                }
                // The peer has it: it need not be sent again under a new number.
                sqlx::query(
                    "update post_out set settled_at = $1
                     where peer = $2 and incarnation = $3 and sequence = $4 and settled_at is null",
                )
                .bind(now)
                .bind(peer.to_string())
                .bind(number(letter.incarnation))
                .bind(number(letter.sequence))
                .execute(transaction.connection())
                .await?;
            }
            sqlx::query("insert into post_returned (peer, part) values ($1, $2) on conflict (peer, part) do nothing")
                .bind(peer.to_string())
                .bind(i64::from(returned.part))
                .execute(transaction.connection())
                .await?;
            sqlx::query(
                "update post_recovery set parts = $1, answered_at = $2
                 where peer = $3 and answered_at is null
                   and (select count(*) from post_returned where post_returned.peer = $3) >= $1",
            )
            .bind(i64::from(returned.parts))
            .bind(now)
            .bind(peer.to_string())
            .execute(transaction.connection())
            .await?;
            Ok::<_, StoreError>(())
        })
    });
    merged.await.map_err(store_error)?;
    Ok(())
}

/// All have answered: what waited is applied, what nobody got is numbered anew, open offers are made afresh.
async fn finish(shared: &Arc<Shared>) -> anyhow::Result<()> {
    let (job_shared, incarnation) = (Arc::clone(shared), shared.incarnation());
    let renewed = shared.store.transact(move |transaction| {
        Box::pin(async move {
            let rows = sqlx::query(
                "select peer, incarnation, sequence from post_out
                 where settled_at is null and incarnation < $1 order by peer, incarnation, sequence",
            )
            .bind(number(incarnation))
            .fetch_all(transaction.connection())
            .await?;
            for row in rows {
                let Some(peer) = parse_address(row.try_get::<&str, _>(0)?) else { continue };
                let mut link = load_link(&peer, incarnation, transaction.connection()).await?;
                link.reincarnate(incarnation);
                let sequence = link.assign();
                save_link(&peer, &link, transaction.connection()).await?;
                sqlx::query(
                    "update post_out set incarnation = $1, sequence = $2, attempt = 0, published_at = null
                     where peer = $3 and incarnation = $4 and sequence = $5",
                )
                .bind(number(incarnation))
                .bind(number(sequence))
                .bind(peer.to_string())
                .bind(row.try_get::<i64, _>(1)?)
                .bind(row.try_get::<i64, _>(2)?)
                .execute(transaction.connection())
                .await?;
            }
            match job_shared.correspondence.recovered(transaction).await {
                Ok(()) => {}
                Err(Unusable::Store(error)) => return Err(error),
                Err(Unusable::Refused(reason)) => tracing::error!(reason, "an open offer could not be made afresh"),
            }
            for statement in ["delete from post_returned", "delete from post_recovery"] {
                sqlx::query(statement).execute(transaction.connection()).await?;
            }
            Ok::<_, StoreError>(())
        })
    });
    renewed.await.map_err(|error: TransactError<StoreError>| store_error(error))?;
    shared.recovering.store(false, Ordering::Release);
    tracing::warn!(me = %shared.me, incarnation, "all peers have answered; the node acts again");
    for peer in shared.correspondence.correspondents() {
        inbox::apply_parked(shared, &peer).await?;
        shared.want_receipt(&peer);
    }
    make_due(shared, "%", 0).await?;
    Ok(())
}
