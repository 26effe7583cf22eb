//! After a restore from a backup: introducing the new incarnation, hearing from every peer what was said since, and
//! only then acting again.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use prost::Message as _;
use spean_eventstore::points::lacks;
use spean_eventstore::{StoreError, TransactError, Transaction};
use sqlx::Row as _;

use super::outbox::{load_link, number, save_link};
use super::receipts::Unnumbered;
use super::relay::{self, make_due};
use super::{Shared, Unusable, backup, inbox, incarnation, receipts, store_error};
use crate::letter::{Address, Content, Letter, kind, letter_id, parse_address};

/// How often a recovering node looks whether all have answered.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// The most looks from one introduction to those who have not answered to the next. An answer is all that they ever got
/// from this node: whoever is asked again before it could be read sends it again.
const LOOKS_BETWEEN_INTRODUCTIONS: u32 = 15;
/// Letters returned in one message.
const LETTERS_A_PART: usize = 50;
/// Bytes returned in one message, roughly: far below what an envelope holds.
const BYTES_A_PART: usize = 400 * 1024;

/// The most parts that an answer may have: five million letters.
const MOST_PARTS: u32 = 100_000;
/// The most that is kept of one peer's answer, in bytes.
const MOST_RETURNED_BYTES: i64 = 2 * 1024 * 1024 * 1024;

/// One part of what a peer ever got from the restored node, and of what it had sent that the node lost.
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
    /// What the peer got.
    #[prost(message, repeated, tag = "4")]
    got: Vec<NumberedLetter>,
    /// What the peer had sent.
    #[prost(message, repeated, tag = "5")]
    sent: Vec<NumberedLetter>,
    /// The peer's own incarnation.
    #[prost(uint64, tag = "6")]
    incarnation: u64,
    /// The last letter of that incarnation that the peer has written to the restored node; none while it recovers itself.
    #[prost(uint64, tag = "7")]
    through: u64,
    /// How many letters the peer has no more, because they were said to be in a backup.
    #[prost(uint64, tag = "8")]
    forgotten: u64,
}

#[derive(Clone, PartialEq, prost::Message)]
struct NumberedLetter {
    #[prost(uint64, tag = "1")]
    incarnation: u64,
    #[prost(uint64, tag = "2")]
    sequence: u64,
    #[prost(bytes = "vec", tag = "3")]
    content: Vec<u8>,
}

/// Notes whose answers are awaited, and gives every link the new incarnation.
pub(super) async fn await_answers(
    peers: Vec<Address>,
    incarnation: u64,
    transaction: &mut Transaction,
) -> Result<(), StoreError> {
    sqlx::query("delete from post_returned").execute(transaction.connection()).await?;
    for peer in peers {
        let mut link = load_link(&peer, incarnation, transaction.connection()).await?;
        link.reincarnate(incarnation);
        save_link(&peer, &link, transaction.connection()).await?;
        // What was answered to an earlier incarnation may lack what happened since.
        let awaited = "insert into post_recovery (peer, parts) values ($1, 0)
             on conflict (peer) do update set answered_at = null, parts = 0";
        sqlx::query(awaited).bind(peer.to_string()).execute(transaction.connection()).await?;
    }
    Ok(())
}

/// A peer was restored after it had answered: what it told then may never have happened, so it is asked once more.
pub(super) async fn ask_again(peer: &Address, transaction: &mut Transaction) -> Result<(), StoreError> {
    if lacks("sabotage::asking_again") {
        return Ok(());
    }
    for statement in [
        "delete from post_returned where peer = $1",
        "update post_recovery set answered_at = null, parts = 0 where peer = $1",
    ] {
        sqlx::query(statement).bind(peer.to_string()).execute(transaction.connection()).await?;
    }
    Ok(())
}

/// A peer proved that this node was restored without noticing: it showed a letter of this incarnation of ours, or a later.
pub(super) async fn discover(shared: &Arc<Shared>, forgotten: u64) -> Result<(), StoreError> {
    if shared.is_recovering() || shared.discovering.swap(true, Ordering::AcqRel) {
        return Ok(());
    }
    tracing::error!(me = %shared.me, "a peer confirms letters that are not in our log: the database is an old one");
    let next = incarnation::next(shared, forgotten).await;
    shared.discovering.store(false, Ordering::Release);
    next.map_err(|_| StoreError::Options("the mark of the log could not be written"))
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
    let (mut looks, mut next_introduction) = (0_u32, 1);
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        looks = if shared.is_recovering() { looks.saturating_add(1) } else { 0 };
        // After 2, 4, 8, 16 and 32 seconds, and then every 30.
        let introduces_itself = looks <= 1 || looks >= next_introduction;
        if introduces_itself {
            next_introduction = looks.saturating_add(looks.clamp(1, LOOKS_BETWEEN_INTRODUCTIONS));
        }
        if let Err(error) = go_on(&shared, introduces_itself).await {
            tracing::warn!(error = %error, "the recovery goes on later");
        }
    }
}

/// Acts again once all have answered; asks those who have not, when it is time to.
pub(super) async fn go_on(shared: &Arc<Shared>, introduces_itself: bool) -> anyhow::Result<()> {
    if !shared.is_recovering() {
        return Ok(());
    }
    let awaited = awaited(shared).await?;
    if awaited.is_empty() {
        return finish(shared).await;
    }
    for peer in awaited.into_iter().filter(|_| introduces_itself) {
        if let Err(error) = receipts::greet(shared, &peer).await {
            tracing::debug!(peer = %peer, error = %error, "could not say hello now");
        }
    }
    Ok(())
}

/// A restored peer asks: everything it ever said to us goes back to it, with everything of ours that it does not have.
pub(super) async fn return_letters(shared: &Arc<Shared>, peer: &Address, has: u64) -> Result<(), StoreError> {
    let mut connection = shared.store.reader().acquire().await?;
    let link = load_link(peer, shared.incarnation(), &mut connection).await?;
    let forgotten = backup::forgotten_after(peer, &link, has, &mut connection).await?;
    drop(connection);
    if forgotten > 0 {
        tracing::error!(peer = %peer, forgotten, "ALARM: the peer was restored from a backup older than one it had tried");
    }
    let got = sqlx::query(
        "select incarnation, sequence, content from post_in
         where peer = $1 and incarnation < $2 and state <> 'discarded' order by incarnation, sequence",
    )
    .bind(peer.to_string())
    .bind(number(link.peer_incarnation()))
    .fetch_all(shared.store.reader())
    .await?;
    let got = got.iter().map(|row| {
        Ok::<_, sqlx::Error>(NumberedLetter {
            incarnation: row.try_get::<i64, _>(0)?.unsigned_abs(),
            sequence: row.try_get::<i64, _>(1)?.unsigned_abs(),
            content: row.try_get(2)?,
        })
    });
    let mut got = got.collect::<Result<Vec<_>, _>>()?;
    if lacks("sabotage::return_of_what_was_said") {
        got.clear();
    }
    // Asked once: what is not returned now must not be counted below as if it had been.
    let is_recovering = shared.is_recovering();
    let mut sent = relay::sent_after(shared, peer, has, is_recovering).await?;
    // Some of them may leave here for the first time.
    let marked = incarnation::move_mark(shared).await;
    marked.map_err(|_| StoreError::Options("the mark of the log could not be written"))?;
    if lacks("sabotage::return_of_what_was_heard") {
        sent.clear();
    }
    let sent = sent.into_iter().map(|(incarnation, sequence, content)| NumberedLetter {
        incarnation,
        sequence,
        content: content.encode_to_vec(),
    });
    let letters = got.into_iter().map(|letter| (true, letter)).chain(sent.map(|letter| (false, letter)));
    let mut parts = vec![Returned::default()];
    let mut bytes = 0;
    for (is_theirs, letter) in letters {
        let full = parts.last().is_some_and(|part| part.got.len() + part.sent.len() >= LETTERS_A_PART);
        if full || bytes + letter.content.len() > BYTES_A_PART {
            parts.push(Returned::default());
            bytes = 0;
        }
        bytes += letter.content.len();
        let part = parts.last_mut().expect("there is always one part");
        if is_theirs { part.got.push(letter) } else { part.sent.push(letter) }
    }
    let count = u32::try_from(parts.len()).unwrap_or(u32::MAX);
    for (part, letters) in (1..).zip(parts) {
        let returned = Returned {
            for_incarnation: link.peer_incarnation(),
            part,
            parts: count,
            incarnation: shared.incarnation(),
            through: if is_recovering { 0 } else { link.last_assigned() },
            forgotten,
            ..letters
        };
        let returned = Unnumbered::new(kind::RETURNED, returned.encode_to_vec());
        if let Err(error) = receipts::say(shared, peer, returned).await {
            tracing::debug!(peer = %peer, error = %error, "the peer will ask again");
        }
    }
    Ok(())
}

/// A peer answers. What it says is kept until the last one has answered: the order in which it is merged matters.
pub(super) async fn take_returned(shared: &Arc<Shared>, peer: &Address, body: &[u8]) -> Result<(), Unusable> {
    let mut returned =
        Returned::decode(body).map_err(|_| Unusable::Refused("what was returned cannot be read".to_owned()))?;
    if !shared.is_recovering() || returned.for_incarnation != shared.incarnation() {
        return Ok(());
    }
    if !(1..=MOST_PARTS).contains(&returned.parts) || !(1..=returned.parts).contains(&returned.part) {
        return Err(Unusable::Refused("what was returned is in more parts than there can be".to_owned()));
    }
    if !is_awaited(shared, peer).await? {
        return Ok(());
    }
    if returned.forgotten > 0 {
        let forgotten = returned.forgotten;
        tracing::error!(peer = %peer, forgotten, "ALARM: this backup is older than one that was tried; letters are gone");
    }
    for letter in &mut returned.sent {
        put_away_attachment(shared, peer, letter).await?;
    }
    let (from, body, now) = (peer.clone(), returned.encode_to_vec(), (shared.now)().as_micros());
    let incarnation = shared.incarnation();
    let kept = shared.store.transact(move |transaction| {
        Box::pin(async move {
            let link = load_link(&from, incarnation, transaction.connection()).await?;
            if returned.incarnation < link.peer_incarnation() {
                // Said before the peer itself was restored. It was asked again since.
                return Ok(());
            }
            let peer = from.to_string();
            sqlx::query(
                "insert into post_returned (peer, part, body) values ($1, $2, $3)
                 on conflict (peer, part) do update set body = excluded.body",
            )
            .bind(&peer)
            .bind(i64::from(returned.part))
            .bind(body)
            .execute(transaction.connection())
            .await?;
            sqlx::query(
                "update post_recovery set parts = $1, answered_at = $2
                 where peer = $3 and answered_at is null
                   and (select count(*) from post_returned where post_returned.peer = $3) >= $1",
            )
            .bind(i64::from(returned.parts))
            .bind(now)
            .bind(&peer)
            .execute(transaction.connection())
            .await?;
            Ok::<_, StoreError>(())
        })
    });
    kept.await.map_err(store_error)?;
    Ok(())
}

/// Whether the peer has not answered yet, and has not said more already than anybody can have to say.
async fn is_awaited(shared: &Shared, peer: &Address) -> Result<bool, StoreError> {
    let row = sqlx::query(
        "select (select count(*) from post_recovery where peer = $1 and answered_at is null),
            (select coalesce(sum(length(body)), 0) from post_returned where peer = $1)",
    )
    .bind(peer.to_string())
    .fetch_one(shared.store.reader())
    .await?;
    let (awaited, bytes): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
    if bytes > MOST_RETURNED_BYTES {
        tracing::error!(peer = %peer, bytes, "ALARM: the peer returns more than there can be");
    }
    Ok(awaited > 0 && bytes <= MOST_RETURNED_BYTES)
}

/// What travelled with a letter was lost with the database as well: it is put away before the letter is applied.
async fn put_away_attachment(shared: &Shared, peer: &Address, letter: &mut NumberedLetter) -> Result<(), Unusable> {
    let Ok(content) = Content::decode(letter.content.as_slice()) else { return Ok(()) };
    if content.attachment.is_none() {
        return Ok(());
    }
    letter.content = Content { attachment: None, ..content.clone() }.encode_to_vec();
    let id = letter_id(peer, &shared.me, letter.incarnation, letter.sequence);
    let Some(complete) = content.letter(id, letter.incarnation, &peer.node) else { return Ok(()) };
    match shared.correspondence.keep_attachment(&complete, true).await {
        // The letter itself is judged when it is applied.
        Err(Unusable::Refused(reason)) => tracing::warn!(reason, "what came with a returned letter was not kept"),
        kept => kept?,
    }
    Ok(())
}

/// All have answered. In this order: what nobody got is numbered anew, what they got is merged, what they had sent is
/// applied, and at last open offers are made afresh.
async fn finish(shared: &Arc<Shared>) -> anyhow::Result<()> {
    let job_shared = Arc::clone(shared);
    let finished = shared.store.transact(move |transaction| {
        Box::pin(async move {
            let answers = answers(transaction).await?;
            for (peer, returned) in &answers {
                settle_returned(peer, returned, (job_shared.now)().as_micros(), transaction).await?;
            }
            fail::fail_point!("recovery::settled");
            renumber(job_shared.incarnation(), transaction).await?;
            fail::fail_point!("recovery::renumbered");
            for (peer, returned) in &answers {
                for letter in &returned.got {
                    let Some(said) = letter_of(letter, &job_shared.me, peer) else { continue };
                    tolerate(job_shared.correspondence.recall(peer, &said, transaction).await, peer)?;
                }
            }
            fail::fail_point!("recovery::recalled");
            for (peer, returned) in &answers {
                for letter in &returned.sent {
                    inbox::apply_missed(
                        &job_shared,
                        peer,
                        letter.incarnation,
                        letter.sequence,
                        &letter.content,
                        transaction,
                    )
                    .await?;
                }
                let mut link = load_link(peer, job_shared.incarnation(), transaction.connection()).await?;
                link.resynced(returned.incarnation, returned.through);
                save_link(peer, &link, transaction.connection()).await?;
                // What lay here of an earlier incarnation of the peer, and was not among that, never happened.
                receipts::forget_unapplied(peer, link.peer_incarnation(), transaction).await?;
            }
            fail::fail_point!("recovery::applied");
            tolerate(job_shared.correspondence.recovered(transaction).await, &job_shared.me)?;
            fail::fail_point!("recovery::offered_afresh");
            for statement in ["delete from post_returned", "delete from post_recovery"] {
                sqlx::query(statement).execute(transaction.connection()).await?;
            }
            Ok::<_, StoreError>(())
        })
    });
    finished.await.map_err(|error: TransactError<StoreError>| store_error(error))?;
    fail::fail_point!("recovery::committed");
    shared.recovering.store(false, Ordering::Release);
    tracing::warn!(me = %shared.me, incarnation = shared.incarnation(), "all peers have answered; the node acts again");
    for peer in shared.correspondence.correspondents() {
        inbox::apply_parked(shared, &peer).await?;
        shared.want_receipt(&peer);
    }
    make_due(shared, "%", 0).await?;
    Ok(())
}

/// What each peer answered, its parts put together.
async fn answers(transaction: &mut Transaction) -> Result<Vec<(Address, Returned)>, StoreError> {
    let rows = sqlx::query("select peer, body from post_returned order by peer, part")
        .fetch_all(transaction.connection())
        .await?;
    let mut answers: Vec<(Address, Returned)> = Vec::new();
    for row in rows {
        let Some(peer) = parse_address(row.try_get::<&str, _>(0)?) else { continue };
        let Ok(part) = Returned::decode(row.try_get::<&[u8], _>(1)?) else { continue };
        match answers.last_mut().filter(|(known, _)| *known == peer) {
            Some((_, answer)) => {
                answer.got.extend(part.got);
                answer.sent.extend(part.sent);
                (answer.incarnation, answer.through) = (part.incarnation, part.through);
            }
            None => answers.push((peer, part)),
        }
    }
    Ok(answers)
}

/// What the peer has need not be sent again under a new number.
async fn settle_returned(
    peer: &Address,
    returned: &Returned,
    now: i64,
    transaction: &mut Transaction,
) -> Result<(), StoreError> {
    for letter in &returned.got {
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
    Ok(())
}

/// What nobody got is numbered anew, in the order in which it was written: what this service has recorded while it recovers
/// comes after what it had written before the restore, or peers would take the older for the newer.
async fn renumber(incarnation: u64, transaction: &mut Transaction) -> Result<(), StoreError> {
    if lacks("sabotage::renumbering") {
        return Ok(());
    }
    // Out of the way of the numbers that are given now.
    sqlx::query("update post_out set sequence = -sequence where settled_at is null and incarnation = $1")
        .bind(number(incarnation))
        .execute(transaction.connection())
        .await?;
    let rows = sqlx::query(
        "select peer, incarnation, sequence from post_out
         where settled_at is null and incarnation <= $1 order by peer, incarnation, abs(sequence)",
    )
    .bind(number(incarnation))
    .fetch_all(transaction.connection())
    .await?;
    let mut numbered = None;
    for row in rows {
        let Some(peer) = parse_address(row.try_get::<&str, _>(0)?) else { continue };
        let mut link = load_link(&peer, incarnation, transaction.connection()).await?;
        link.reincarnate(incarnation);
        if numbered.as_ref() != Some(&peer) {
            link.number_again();
            numbered = Some(peer.clone());
        }
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
    Ok(())
}

/// A letter as a peer returns it, if it is one between these two services.
fn letter_of(letter: &NumberedLetter, from: &Address, to: &Address) -> Option<Letter> {
    let content = Content::decode(letter.content.as_slice()).ok()?;
    let id = letter_id(from, to, letter.incarnation, letter.sequence);
    let between_them = content.from_service == from.service.to_string() && content.to_service == to.service.to_string();
    if between_them { content.letter(id, letter.incarnation, &from.node) } else { None }
}

/// What makes no sense now made sense when it was said; it must not keep the node in quarantine.
fn tolerate(outcome: Result<(), Unusable>, peer: &Address) -> Result<(), StoreError> {
    match outcome {
        Ok(()) => Ok(()),
        Err(Unusable::Store(error)) => Err(error),
        Err(Unusable::Refused(reason)) => {
            tracing::warn!(peer = %peer, reason, "something that was said before the restore could not be merged");
            Ok(())
        }
    }
}
