//! Hop 6 of a command: a letter is stored once, applied once and in order, and only then confirmed.

use std::sync::Arc;

use prost::Message as _;
use sha2::{Digest as _, Sha256};
use spean_custody::Digest;
use spean_custody::link::{Arrival, Hello};
use spean_eventstore::points::{lacks, lacks_for};
use spean_eventstore::{StoreError, TransactError, Transaction};
use spean_identity::{Envelope, Header};
use sqlx::Row as _;
use tracing::Instrument as _;

use super::outbox::{load_link, number, save_link};
use super::set_aside::{bury, has_room, keep_unreadable, set_state, waits_behind_another};
use super::{Shared, Taken, Unusable, receipts, recovery};
use crate::letter::{Address, Content, kind, letter_id};
use crate::trace::continue_trace;

/// A numbered letter, checked and opened.
#[derive(Clone)]
struct Arrived {
    peer: Address,
    header: Header,
    content: Content,
    digest: Vec<u8>,
}

/// Why a job about a letter was undone.
enum Undone {
    Refused(String),
    Store(StoreError),
}

impl From<Unusable> for Undone {
    fn from(unusable: Unusable) -> Self {
        match unusable {
            Unusable::Refused(reason) => Self::Refused(reason),
            Unusable::Store(error) => Self::Store(error),
        }
    }
}

impl From<StoreError> for Undone {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<sqlx::Error> for Undone {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

pub(super) async fn read(shared: &Arc<Shared>, subject: &str, payload: &[u8]) -> Result<Taken, StoreError> {
    let opened = Envelope::open(payload, &shared.keys, &shared.directory.current());
    let (header, body) = match opened {
        Ok(opened) => opened,
        Err(error) => return keep_unreadable(shared, subject, payload, &error.to_string()).await,
    };
    let Ok(content) = Content::decode(body.as_slice()) else {
        return keep_unreadable(shared, subject, payload, "the letter has another form than this version knows").await;
    };
    let peer = content.from_service.parse().ok().map(|service| Address { node: header.from.clone(), service });
    let Some(peer) = peer.filter(|peer| is_addressed(shared, subject, peer, &content)) else {
        return keep_unreadable(shared, subject, payload, "the letter lay in a mailbox that it was not written to")
            .await;
    };
    if !shared.correspondence.correspondents().contains(&peer) {
        return keep_unreadable(shared, subject, payload, "the sender has nothing to tell this service").await;
    }
    if header.sequence == 0 {
        return take_unnumbered(shared, peer, &header, content, subject, payload).await;
    }
    if header.letter != letter_id(&peer, &shared.me, header.incarnation, header.sequence) {
        return keep_unreadable(shared, subject, payload, "the letter does not bear the id of its place").await;
    }
    let digest = content.digest();
    take_letter(shared, Arrived { peer, header, content, digest }).await
}

/// The subject says who may have written it; the signature says who did. They must agree.
fn is_addressed(shared: &Shared, subject: &str, peer: &Address, content: &Content) -> bool {
    let expected = crate::topology::mailbox_subject(&shared.me.node, shared.me.service, &peer.node, peer.service);
    subject == expected && content.to_service == shared.me.service.to_string()
}

async fn take_unnumbered(
    shared: &Arc<Shared>,
    peer: Address,
    header: &Header,
    content: Content,
    subject: &str,
    payload: &[u8],
) -> Result<Taken, StoreError> {
    let outcome = match content.kind.as_str() {
        kind::RECEIPT => match serde_json::from_slice(&content.body) {
            Ok(receipt) => receipts::take(shared, peer, receipt, content.place).await,
            Err(_) => Err(Unusable::Refused("the receipt cannot be read".to_owned())),
        },
        kind::HELLO => match serde_json::from_slice::<Hello>(&content.body) {
            Ok(hello) if hello.incarnation == header.incarnation => {
                receipts::take_hello(shared, peer, hello, content.awaits_answer, content.place).await
            }
            _ => Err(Unusable::Refused("the hello cannot be read".to_owned())),
        },
        kind::RETURNED => recovery::take_returned(shared, &peer, &content.body).await,
        _ => Err(Unusable::Refused("the kind of message is not known to this version".to_owned())),
    };
    match outcome {
        Ok(()) => Ok(Taken::Stored),
        Err(Unusable::Refused(reason)) => keep_unreadable(shared, subject, payload, &reason).await,
        Err(Unusable::Store(error)) => Err(error),
    }
}

async fn take_letter(shared: &Arc<Shared>, arrived: Arrived) -> Result<Taken, StoreError> {
    let span = tracing::info_span!(
        "messaging.letter.receive",
        messaging.message.id = %arrived.header.letter,
        peer = %arrived.peer,
        kind = %arrived.content.kind,
    );
    continue_trace(&span, Some(&arrived.content.trace).filter(|trace| !trace.is_empty()).map(String::as_str));
    take_in_span(shared, arrived).instrument(span).await
}

async fn take_in_span(shared: &Arc<Shared>, arrived: Arrived) -> Result<Taken, StoreError> {
    if lacks_for("fault::put_off", &arrived.content.kind) {
        return Ok(Taken::Later);
    }
    if lacks_for("sabotage::receipt_after_commit", &arrived.content.kind) {
        receipts::give_early(shared, &arrived.peer, arrived.header.sequence).await;
    }
    fail::fail_point!("inbox::before_apply");
    let letter = arrived.content.clone().letter(arrived.header.letter, arrived.header.incarnation, &arrived.peer.node);
    if let Some(letter) = letter.as_ref().filter(|letter| letter.attachment.is_some())
        && !is_settled(shared, &arrived).await?
    {
        match shared.correspondence.keep_attachment(letter, shared.is_recovering()).await {
            Ok(()) => {}
            Err(Unusable::Store(error)) => return Err(error),
            // The letter itself is judged when it is applied.
            Err(Unusable::Refused(reason)) => tracing::warn!(reason, "what came with a letter was not kept"),
        }
    }
    let arrival = store_and_apply(shared, &arrived, true).await?;
    fail::fail_point!("inbox::after_apply");
    let taken = match arrival {
        Arrival::Next => {
            apply_parked(shared, &arrived.peer).await?;
            Taken::Stored
        }
        Arrival::Early if shared.is_recovering() => return Ok(Taken::Stored),
        Arrival::TooEarly | Arrival::NotIntroduced if shared.put_off.take(&arrived.peer, (shared.now)()) => {
            Taken::OutOfTurn
        }
        Arrival::Early | Arrival::Duplicate | Arrival::TooEarly | Arrival::NotIntroduced => Taken::Stored,
        Arrival::Refused => {
            tracing::info!(peer = %arrived.peer, "a letter from before the peer's restore was refused");
            Taken::Stored
        }
        Arrival::Fork => {
            tracing::error!(peer = %arrived.peer, "ALARM: one number, two letters: the peer's key or database is in two hands");
            let raw = arrived.content.encode_to_vec();
            let (me, peer) = (&shared.me, &arrived.peer);
            let subject = crate::topology::mailbox_subject(&me.node, me.service, &peer.node, peer.service);
            return keep_unreadable(shared, &subject, &raw, "one number, two letters").await;
        }
    };
    if !matches!(arrival, Arrival::NotIntroduced) {
        shared.want_receipt(&arrived.peer);
    }
    Ok(taken)
}

/// Whether the letter was dealt with before. What came with it then must not come back: it may have been erased since.
async fn is_settled(shared: &Shared, arrived: &Arrived) -> Result<bool, StoreError> {
    let row = sqlx::query(
        "select count(*) from post_in
         where peer = $1 and incarnation = $2 and sequence = $3 and state in ('applied', 'discarded')",
    )
    .bind(arrived.peer.to_string())
    .bind(number(arrived.header.incarnation))
    .bind(number(arrived.header.sequence))
    .fetch_one(shared.store.reader())
    .await?;
    Ok(row.try_get::<i64, _>(0)? > 0)
}

/// Stores a letter and, when it is its turn, applies it: one commit. A letter that makes no sense is stored as dead.
async fn store_and_apply(shared: &Arc<Shared>, arrived: &Arrived, apply: bool) -> Result<Arrival, StoreError> {
    let (job_shared, job_arrived) = (Arc::clone(shared), arrived.clone());
    let outcome = shared.store.transact(move |transaction| {
        Box::pin(async move { store_job(&job_shared, &job_arrived, apply, transaction).await })
    });
    match outcome.await {
        Ok(arrival) => Ok(arrival),
        Err(TransactError::Work(Undone::Refused(reason))) => {
            let (job_shared, job_arrived) = (Arc::clone(shared), arrived.clone());
            let outcome = shared.store.transact(move |transaction| {
                Box::pin(async move {
                    let arrival = store_job(&job_shared, &job_arrived, false, transaction).await?;
                    let Arrived { peer, header, .. } = &job_arrived;
                    if arrival != Arrival::Next {
                        return Ok(arrival);
                    }
                    bury(&job_shared, peer, header.incarnation, header.sequence, &reason, transaction).await?;
                    Ok::<_, Undone>(arrival)
                })
            });
            outcome.await.map_err(undone)
        }
        Err(error) => Err(undone(error)),
    }
}

async fn store_job(
    shared: &Arc<Shared>,
    arrived: &Arrived,
    apply: bool,
    transaction: &mut Transaction,
) -> Result<Arrival, Undone> {
    let Arrived { peer, header, content, digest } = arrived;
    let stored = sqlx::query("select digest from post_in where peer = $1 and incarnation = $2 and sequence = $3")
        .bind(peer.to_string())
        .bind(number(header.incarnation))
        .bind(number(header.sequence))
        .fetch_optional(transaction.connection())
        .await?;
    let stored: Option<Digest> = match stored {
        Some(row) => Some(custody_digest(row.try_get::<&[u8], _>(0)?)),
        None => None,
    };
    let mut link = load_link(peer, shared.incarnation(), transaction.connection()).await?;
    if link.peer_incarnation() == 0 {
        // The first letter ever from a peer introduces it: it is signed, and there is nothing to confuse it with.
        let receipt = spean_custody::link::Receipt {
            incarnation: 0,
            applied_up_to: 0,
            failed: std::collections::BTreeSet::new(),
            backed_up_through: 0,
        };
        link.take_hello(&Hello { incarnation: header.incarnation, receipt });
    }
    let arrival = link.arrive(header.incarnation, header.sequence, &custody_digest(digest), stored.as_ref());
    if matches!(arrival, Arrival::Next | Arrival::Early) && stored.is_none() {
        let is_early = arrival == Arrival::Early;
        if !has_room(peer, header.incarnation, &link, is_early, transaction).await? {
            return Ok(Arrival::TooEarly);
        }
        sqlx::query(
            "insert into post_in (peer, incarnation, sequence, letter_id, kind, case_id, digest, content, state, reason,
                attempts, arrived_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, 'parked', '', 0, $9)",
        )
        .bind(peer.to_string())
        .bind(number(header.incarnation))
        .bind(number(header.sequence))
        .bind(header.letter.to_string())
        .bind(&content.kind)
        .bind(&content.case)
        .bind(digest.as_slice())
        .bind(Content { attachment: None, ..content.clone() }.encode_to_vec())
        .bind((shared.now)().as_micros())
        .execute(transaction.connection())
        .await?;
    }
    save_link(peer, &link, transaction.connection()).await?;
    if arrival == Arrival::Next && apply && !shared.is_recovering() {
        apply_one(shared, arrived, transaction).await?;
    }
    let out_of_turn = match arrival {
        Arrival::Duplicate => lacks("sabotage::inbox"),
        Arrival::Early => lacks("sabotage::order"),
        Arrival::Refused => lacks("sabotage::incarnations"),
        _ => false,
    };
    if out_of_turn
        && apply
        && !shared.is_recovering()
        && let Some(letter) = content.clone().letter(header.letter, header.incarnation, &peer.node)
    {
        shared.correspondence.apply(&letter, transaction).await?;
    }
    Ok(arrival)
}

async fn apply_one(shared: &Arc<Shared>, arrived: &Arrived, transaction: &mut Transaction) -> Result<(), Undone> {
    let Arrived { peer, header, content, .. } = arrived;
    let waits = waits_behind_another(peer, &content.case, transaction).await?;
    if !waits {
        let letter = content.clone().letter(header.letter, header.incarnation, &peer.node);
        let letter = letter.ok_or_else(|| Undone::Refused("MALFORMED".to_owned()))?;
        shared.correspondence.apply(&letter, transaction).await?;
    }
    let state = if waits { "waiting" } else { "applied" };
    set_state(shared, peer, header.incarnation, header.sequence, state, "", transaction).await?;
    // Loaded only now: applying the letter may have written to the same peer, and so numbered a letter to it.
    let mut link = load_link(peer, shared.incarnation(), transaction.connection()).await?;
    if waits {
        link.failed(header.sequence);
    } else {
        link.applied(header.sequence);
    }
    Ok(save_link(peer, &link, transaction.connection()).await?)
}

/// Applies what was parked and whose turn has come, one commit each.
pub(super) async fn apply_parked(shared: &Arc<Shared>, peer: &Address) -> Result<(), StoreError> {
    loop {
        if shared.is_recovering() {
            return Ok(());
        }
        let mut connection = shared.store.reader().acquire().await?;
        let link = load_link(peer, shared.incarnation(), &mut connection).await?;
        let row = sqlx::query(
            "select letter_id, content, digest from post_in
             where peer = $1 and incarnation = $2 and sequence = $3 and state = 'parked'",
        )
        .bind(peer.to_string())
        .bind(number(link.peer_incarnation()))
        .bind(number(link.applied_up_to() + 1))
        .fetch_optional(&mut *connection)
        .await?;
        drop(connection);
        let Some(row) = row else { return Ok(()) };
        let letter = row.try_get::<&str, _>(0)?.parse();
        let content = Content::decode(row.try_get::<&[u8], _>(1)?);
        let (Ok(letter), Ok(content)) = (letter, content) else {
            return Err(StoreError::Options("a parked letter cannot be read"));
        };
        let header = Header {
            from: peer.node.clone(),
            to: shared.me.node.clone(),
            incarnation: link.peer_incarnation(),
            sequence: link.applied_up_to() + 1,
            letter,
        };
        let arrived = Arrived { peer: peer.clone(), header, content, digest: row.try_get(2)? };
        store_and_apply(shared, &arrived, true).await?;
        shared.want_receipt(peer);
    }
}

/// Applies a letter that this node had lost with its database, as the peer that wrote it gave it back.
pub(super) async fn apply_missed(
    shared: &Arc<Shared>,
    peer: &Address,
    incarnation: u64,
    sequence: u64,
    content: &[u8],
    transaction: &mut Transaction,
) -> Result<(), StoreError> {
    let Ok(content) = Content::decode(content) else { return Ok(()) };
    if content.from_service != peer.service.to_string() || content.to_service != shared.me.service.to_string() {
        return Ok(());
    }
    let id = letter_id(peer, &shared.me, incarnation, sequence);
    let inserted = sqlx::query(
        "insert into post_in (peer, incarnation, sequence, letter_id, kind, case_id, digest, content, state, reason,
            attempts, arrived_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, 'parked', '', 0, $9)
         on conflict (peer, incarnation, sequence) do nothing",
    )
    .bind(peer.to_string())
    .bind(number(incarnation))
    .bind(number(sequence))
    .bind(id.to_string())
    .bind(&content.kind)
    .bind(&content.case)
    .bind(content.digest())
    .bind(content.encode_to_vec())
    .bind((shared.now)().as_micros())
    .execute(transaction.connection())
    .await?;
    let state = sqlx::query("select state from post_in where peer = $1 and incarnation = $2 and sequence = $3")
        .bind(peer.to_string())
        .bind(number(incarnation))
        .bind(number(sequence))
        .fetch_one(transaction.connection())
        .await?;
    if inserted.rows_affected() == 0 && state.try_get::<&str, _>(0)? != "parked" {
        return Ok(());
    }
    let outcome = match content.letter(id, incarnation, &peer.node) {
        Some(letter) => shared.correspondence.apply(&letter, transaction).await,
        None => Err(Unusable::Refused("MALFORMED".to_owned())),
    };
    match outcome {
        Ok(()) => set_state(shared, peer, incarnation, sequence, "applied", "", transaction).await,
        Err(Unusable::Refused(reason)) => {
            set_state(shared, peer, incarnation, sequence, "dead", &reason, transaction).await
        }
        Err(Unusable::Store(error)) => Err(error),
    }
}

fn custody_digest(bytes: &[u8]) -> Digest {
    Digest::from_bytes(bytes.try_into().unwrap_or_else(|_| Sha256::digest(bytes).into()))
}

fn undone(error: TransactError<Undone>) -> StoreError {
    match error {
        TransactError::Work(Undone::Store(error)) | TransactError::Store(error) => error,
        TransactError::Work(Undone::Refused(_)) => StoreError::Options("a refused letter was refused again"),
    }
}
