//! Noticing that the database came back from a backup: a mark outside it remembers how far the log had got.
//!
//! The mark holds the incarnation, the end of the log, and how many letters were applied. A log that ends before the
//! mark, has another hash there, or has applied fewer letters, is not the log that this node wrote: the incarnation goes
//! up and the node asks its peers what was said since.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use spean_eventstore::points::lacks;
use spean_eventstore::{EventStore, StoreError};
use sqlx::Row as _;

use super::outbox::number;
use super::{Shared, recovery};
use crate::letter::Address;

/// How often the mark is moved on while the log grows. It is moved on as well before a letter leaves for the first time.
const MARK_EVERY: Duration = Duration::from_secs(1);

/// Stands in the place of a hash in the mark of a log that was put back.
const RESTORED: &str = "restored";

/// How far the log and the inbox had got.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Mark {
    incarnation: u64,
    position: i64,
    hash: String,
    #[serde(default)]
    applied: i64,
}

/// How far a log had got, as its mark says: the log itself must have got at least as far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marked {
    /// The last event; 0 when there was none.
    pub position: i64,
    /// Its hash, in hexadecimal digits.
    pub hash: String,
}

/// Reads a mark; none when there is no such file, or when the log was put back since.
///
/// # Errors
/// When it is there and cannot be read.
pub fn marked(mark_file: &Path) -> std::io::Result<Option<Marked>> {
    let mark = read(mark_file)?;
    Ok(mark.filter(|mark| mark.hash != RESTORED).map(|mark| Marked { position: mark.position, hash: mark.hash }))
}

/// Sees to it that the next start takes the log for restored, also when nothing was written since the backup. Without a
/// mark it does so anyhow.
///
/// # Errors
/// When the mark cannot be read or written.
pub fn mark_as_restored(mark_file: &Path) -> std::io::Result<()> {
    let Some(mark) = read(mark_file)? else { return Ok(()) };
    // No event has this hash, so no log reaches the mark.
    let mark = Mark { position: mark.position.max(1), hash: RESTORED.to_owned(), ..mark };
    let temporary = mark_file.with_extension("new");
    std::fs::write(&temporary, serde_json::to_vec(&mark)?)?;
    std::fs::File::open(&temporary)?.sync_all()?;
    std::fs::rename(&temporary, mark_file)?;
    std::fs::File::open(folder_of(mark_file))?.sync_all()
}

/// The folder whose sync keeps the name of the mark: without it a power cut leaves the mark before, or none.
fn folder_of(mark_file: &Path) -> &Path {
    mark_file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn read(mark_file: &Path) -> std::io::Result<Option<Mark>> {
    match std::fs::read(mark_file) {
        Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

pub(super) struct Started {
    pub(super) incarnation: u64,
    pub(super) recovering: bool,
}

/// Compares log and mark, and says which incarnation this is.
pub(super) async fn begin(
    store: &EventStore,
    mark_file: &Path,
    correspondents: Vec<Address>,
) -> anyhow::Result<Started> {
    let mark = read(mark_file)?;
    let known = stored_incarnation(store).await?;
    // Those who have answered as well: what they returned is merged at the end, and then all of this is deleted.
    let unfinished = sqlx::query("select count(*) from post_recovery").fetch_one(store.reader()).await?;
    let is_unfinished = unfinished.try_get::<i64, _>(0)? > 0;
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
    if lacks("sabotage::quarantine") {
        store_incarnation(store, incarnation, vec![]).await?;
        return Ok(Started { incarnation, recovering: false });
    }
    let awaited_from_now_on = if restored { correspondents } else { vec![] };
    store_incarnation(store, incarnation, awaited_from_now_on).await?;
    if restored {
        tracing::warn!(incarnation, "the database was restored from a backup; asking all peers what was said since");
    }
    Ok(Started { incarnation, recovering: restored || is_unfinished })
}

/// A peer proved that this node forgot something: the next incarnation begins, after the one that was forgotten.
pub(super) async fn next(shared: &Shared, forgotten: u64) -> anyhow::Result<()> {
    let mut marked = shared.marked.lock().await;
    let incarnation = shared.incarnation().max(forgotten) + 1;
    *marked = None;
    write_mark(&shared.store, &shared.mark, incarnation).await?;
    store_incarnation(&shared.store, incarnation, shared.correspondence.correspondents()).await?;
    // Before anybody else may write the mark, or send what was waiting for it.
    shared.incarnation.store(incarnation, Ordering::Release);
    shared.outbox.set_incarnation(incarnation);
    shared.recovering.store(true, Ordering::Release);
    Ok(())
}

/// Keeps the mark near the end of the log.
pub(super) async fn run(shared: Arc<Shared>) {
    loop {
        if let Err(error) = move_mark(&shared).await {
            tracing::warn!(error = %error, "the mark of the log could not be written");
        }
        tokio::time::sleep(MARK_EVERY).await;
    }
}

/// Moves the mark on with the log and the inbox.
pub(super) async fn move_mark(shared: &Shared) -> anyhow::Result<()> {
    let mut marked = shared.marked.lock().await;
    let mark = mark(&shared.store, shared.incarnation()).await?;
    if marked.as_ref() != Some(&mark) {
        write(&mark, &shared.mark).await?;
        *marked = Some(mark);
    }
    Ok(())
}

async fn reaches(store: &EventStore, mark: &Mark) -> Result<bool, StoreError> {
    if applied(store).await? < mark.applied {
        return Ok(false);
    }
    has_event(store, mark.position, &mark.hash).await
}

/// Whether the log has this event; 0 stands for the beginning, which every log has.
pub(super) async fn has_event(store: &EventStore, position: i64, hash: &str) -> Result<bool, StoreError> {
    if position == 0 {
        return Ok(true);
    }
    let events = store.events_after(position - 1, 1).await?;
    Ok(events.first().is_some_and(|event| event.position == position && event.hash.to_string() == hash))
}

async fn write_mark(store: &EventStore, mark_file: &Path, incarnation: u64) -> anyhow::Result<()> {
    write(&mark(store, incarnation).await?, mark_file).await
}

/// Where log and inbox stand now.
async fn mark(store: &EventStore, incarnation: u64) -> Result<Mark, StoreError> {
    // By the database, and not by what this process noted of its own commits: letters that are sent are read there too.
    let row = sqlx::query("select coalesce(max(position), 0) from event").fetch_one(store.reader()).await?;
    let position: i64 = row.try_get(0)?;
    let last = store.events_after((position - 1).max(0), 1).await?;
    let hash = last.first().map(|event| event.hash.to_string()).unwrap_or_default();
    Ok(Mark { incarnation, position, hash, applied: applied(store).await? })
}

async fn write(mark: &Mark, mark_file: &Path) -> anyhow::Result<()> {
    let temporary = mark_file.with_extension("new");
    tokio::fs::write(&temporary, serde_json::to_vec(mark)?).await?;
    tokio::fs::File::open(&temporary).await?.sync_all().await?;
    tokio::fs::rename(&temporary, mark_file).await?;
    tokio::fs::File::open(folder_of(mark_file)).await?.sync_all().await?;
    Ok(())
}

/// How many letters were applied here.
async fn applied(store: &EventStore) -> Result<i64, StoreError> {
    let row = sqlx::query("select applied from post_self where one = 1").fetch_optional(store.reader()).await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?.unwrap_or(0))
}

async fn stored_incarnation(store: &EventStore) -> Result<Option<u64>, StoreError> {
    let row = sqlx::query("select incarnation from post_self where one = 1").fetch_optional(store.reader()).await?;
    Ok(row.map(|row| row.try_get::<i64, _>(0)).transpose()?.and_then(|incarnation| u64::try_from(incarnation).ok()))
}

/// Notes the incarnation and, after a restore, whose answers are awaited: both or neither.
async fn store_incarnation(store: &EventStore, incarnation: u64, awaited: Vec<Address>) -> Result<(), StoreError> {
    let stored = store.transact(move |transaction| {
        Box::pin(async move {
            sqlx::query(
                "insert into post_self (one, incarnation, applied) values (1, $1, 0)
                 on conflict (one) do update set incarnation = excluded.incarnation",
            )
            .bind(number(incarnation))
            .execute(transaction.connection())
            .await?;
            if awaited.is_empty() {
                return Ok(());
            }
            recovery::await_answers(awaited, incarnation, transaction).await
        })
    });
    stored.await.map_err(super::store_error)
}
