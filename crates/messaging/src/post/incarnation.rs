//! Noticing that the database came back from a backup: a mark outside it remembers how far the log had got.
//!
//! The mark holds the incarnation and the end of the log. A log that ends before the mark, or has another hash there,
//! is not the log that this node wrote: the incarnation goes up and the node asks its peers what it said since.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use spean_eventstore::{EventStore, StoreError};
use sqlx::Row as _;

use super::Shared;
use super::outbox::number;

/// How often the mark is moved on while the log grows. What a peer confirms beyond it shows a restore as well.
const MARK_EVERY: Duration = Duration::from_secs(1);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mark {
    incarnation: u64,
    position: i64,
    hash: String,
}

pub(super) struct Started {
    pub(super) incarnation: u64,
    pub(super) recovering: bool,
}

/// Compares log and mark, and says which incarnation this is.
pub(super) async fn begin(store: &EventStore, mark_file: &Path) -> anyhow::Result<Started> {
    let mark: Option<Mark> = match tokio::fs::read(mark_file).await {
        Ok(bytes) => Some(serde_json::from_slice(&bytes)?),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(error.into()),
    };
    let known = stored_incarnation(store).await?;
    let awaited = sqlx::query("select count(*) from post_recovery where answered_at is null")
        .fetch_one(store.reader())
        .await?
        .try_get::<i64, _>(0)?;
    let restored = match (&mark, known) {
        (None, None) => false,
        // A database without its mark was copied from somewhere; a mark without its database outlived it.
        (None, Some(_)) | (Some(_), None) => true,
        (Some(mark), Some(known)) => known != mark.incarnation || !reaches(store, mark).await?,
    };
    let highest = mark.map_or(0, |mark| mark.incarnation).max(known.unwrap_or(0));
    let incarnation = if restored || highest == 0 { highest + 1 } else { highest };
    // The mark first: should the power fail between the two, the database still looks restored.
    write_mark(store, mark_file, incarnation).await?;
    store_incarnation(store, incarnation).await?;
    if restored {
        tracing::warn!(incarnation, "the database was restored from a backup; asking all peers what was said since");
    }
    Ok(Started { incarnation, recovering: restored || awaited > 0 })
}

/// A peer proved that this node forgot something: the next incarnation begins.
pub(super) async fn next(shared: &Shared) -> anyhow::Result<u64> {
    let incarnation = shared.incarnation() + 1;
    write_mark(&shared.store, &shared.mark, incarnation).await?;
    store_incarnation(&shared.store, incarnation).await?;
    Ok(incarnation)
}

/// Moves the mark on with the log.
pub(super) async fn keep_mark(shared: Arc<Shared>) {
    let mut head = shared.store.head();
    while head.changed().await.is_ok() {
        if let Err(error) = write_mark(&shared.store, &shared.mark, shared.incarnation()).await {
            tracing::warn!(error = %error, "the mark of the log could not be written");
        }
        tokio::time::sleep(MARK_EVERY).await;
    }
}

async fn reaches(store: &EventStore, mark: &Mark) -> Result<bool, StoreError> {
    if mark.position == 0 {
        return Ok(true);
    }
    let events = store.events_after(mark.position - 1, 1).await?;
    Ok(events.first().is_some_and(|event| event.position == mark.position && event.hash.to_string() == mark.hash))
}

async fn write_mark(store: &EventStore, mark_file: &Path, incarnation: u64) -> anyhow::Result<()> {
    let position = *store.head().borrow();
    let last = store.events_after((position - 1).max(0), 1).await?;
    let hash = last.first().map(|event| event.hash.to_string()).unwrap_or_default();
    let mark = Mark { incarnation, position, hash };
    let temporary = mark_file.with_extension("new");
    tokio::fs::write(&temporary, serde_json::to_vec(&mark)?).await?;
    tokio::fs::File::open(&temporary).await?.sync_all().await?;
    tokio::fs::rename(&temporary, mark_file).await?;
    Ok(())
}

async fn stored_incarnation(store: &EventStore) -> Result<Option<u64>, StoreError> {
    let row = sqlx::query("select incarnation from post_self where one = 1").fetch_optional(store.reader()).await?;
    Ok(row.map(|row| row.try_get::<i64, _>(0)).transpose()?.and_then(|incarnation| u64::try_from(incarnation).ok()))
}

async fn store_incarnation(store: &EventStore, incarnation: u64) -> Result<(), StoreError> {
    let stored = store.transact(move |transaction| {
        Box::pin(async move {
            sqlx::query(
                "insert into post_self (one, incarnation) values (1, $1)
                 on conflict (one) do update set incarnation = excluded.incarnation",
            )
            .bind(number(incarnation))
            .execute(transaction.connection())
            .await?;
            Ok::<_, StoreError>(())
        })
    });
    stored.await.map_err(super::store_error)
}
