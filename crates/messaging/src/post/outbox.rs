//! Hop 4 of a command: what follows from an event for others is written in the event's own transaction.

use std::sync::atomic::{AtomicU64, Ordering};

use spean_custody::link::Link;
use spean_eventstore::points::lacks_for;
use spean_eventstore::{BoxFuture, Publisher, Recorded, StoreError, Transaction};
use sqlx::{AnyConnection, Row as _};

use super::local;
use crate::letter::{Address, Posting};

/// Turns events into letters. The one thing that a service says of its events is in the function it is made with.
pub struct Outbox {
    me: Address,
    postings: Box<Postings>,
    incarnation: AtomicU64,
}

/// What follows from an event for others.
pub type Postings = dyn Fn(&Recorded) -> Vec<Posting> + Send + Sync;

impl Outbox {
    /// The outbox of a service, with what follows from an event. The function must depend on nothing but the event.
    pub fn new(me: Address, postings: Box<Postings>) -> Self {
        Self { me, postings, incarnation: AtomicU64::new(0) }
    }

    pub(crate) fn set_incarnation(&self, incarnation: u64) {
        self.incarnation.store(incarnation, Ordering::Release);
    }
}

impl Publisher for Outbox {
    fn publish<'a>(
        &'a self,
        event: &'a Recorded,
        transaction: &'a mut Transaction,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let incarnation = self.incarnation.load(Ordering::Acquire);
            if incarnation == 0 {
                return Err(StoreError::Options("the post office must be started before anything is decided"));
            }
            if lacks_for("sabotage::letters_with_their_event", &event.event_type) {
                return Ok(());
            }
            for posting in (self.postings)(event) {
                if posting.to == self.me {
                    local::deliver(&posting, event, transaction.connection()).await?;
                } else {
                    post(&posting, event, incarnation, transaction.connection()).await?;
                }
            }
            Ok(())
        })
    }
}

async fn post(
    posting: &Posting,
    event: &Recorded,
    incarnation: u64,
    connection: &mut AnyConnection,
) -> Result<(), StoreError> {
    let mut link = load_link(&posting.to, incarnation, connection).await?;
    let sequence = link.assign();
    save_link(&posting.to, &link, connection).await?;
    let posted_at = event.metadata.recorded_at.as_micros();
    sqlx::query(
        "insert into post_out (peer, incarnation, sequence, kind, case_id, body, attachment, trace, posted_at, attempt,
            next_attempt_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, $9)",
    )
    .bind(posting.to.to_string())
    .bind(number(incarnation))
    .bind(number(sequence))
    .bind(posting.kind)
    .bind(posting.case.map(|case| case.to_string()).unwrap_or_default())
    .bind(posting.body.as_slice())
    .bind(posting.attachment.as_deref())
    .bind(event.metadata.trace.as_deref().unwrap_or_default())
    .bind(posted_at)
    .execute(connection)
    .await?;
    Ok(())
}

/// The numbering between this service and a peer.
pub(crate) async fn load_link(
    peer: &Address,
    incarnation: u64,
    connection: &mut AnyConnection,
) -> Result<Link, StoreError> {
    let row = sqlx::query("select state from post_link where peer = $1")
        .bind(peer.to_string())
        .fetch_optional(connection)
        .await?;
    let Some(row) = row else { return Ok(Link::new(incarnation)) };
    let state: String = row.try_get(0)?;
    serde_json::from_str(&state).map_err(|_| StoreError::Options("the state of a link cannot be read"))
}

pub(crate) async fn save_link(peer: &Address, link: &Link, connection: &mut AnyConnection) -> Result<(), StoreError> {
    let state = serde_json::to_string(link).expect("numbers are always JSON");
    sqlx::query(
        "insert into post_link (peer, state) values ($1, $2) on conflict (peer) do update set state = excluded.state",
    )
    .bind(peer.to_string())
    .bind(state)
    .execute(connection)
    .await?;
    Ok(())
}

/// A counter as the database keeps it.
pub(crate) fn number(counter: u64) -> i64 {
    i64::try_from(counter).unwrap_or(i64::MAX)
}
