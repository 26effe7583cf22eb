//! Letters need not be kept for ever: what a receiver has in a backup that was tried is never asked back.
//!
//! A backup is taken and tried outside this process. When the trial succeeded, a note is put beside the mark of the log:
//! how far the tried copy had got with each peer ([`BackedUp`]). The post office reads it, makes sure that the copy is one
//! of this very log, and says so in its receipts (`backed_up_through`). A sender keeps each letter until then, and for
//! [`KEPT_DAYS`] after the receipt whatever was said: should the newest copy turn out to be unreadable, an older one of
//! those days will do as well.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use spean_custody::link::Link;
use spean_eventstore::StoreError;
use sqlx::{AnyConnection, Row as _};

use super::outbox::{load_link, number, save_link};
use super::{Shared, incarnation, locked, store_error};
use crate::letter::{Address, parse_address};

/// For how many days after its receipt a letter is kept in any case.
pub const KEPT_DAYS: i64 = 30;

/// How often the note is looked for.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How many looks go by between two searches for letters that need not be kept.
const LOOKS_A_SEARCH: u32 = 30;
/// How many letters are deleted in one commit.
const DELETED_AT_ONCE: i64 = 1_000;
/// Microseconds of a day.
const DAY: i64 = 24 * 3_600 * 1_000_000;

/// How far a copy of the log and its tables had got that was put back and examined, and found whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackedUp {
    /// The incarnation that the copy is of; 0 when the post office had never been opened.
    pub incarnation: u64,
    /// The last event of the log; 0 when there was none.
    pub position: i64,
    /// Its hash, in hexadecimal digits.
    pub hash: String,
    /// For each peer, as `node/service`, how far its letters are in the copy.
    pub heard: BTreeMap<String, Heard>,
}

/// How far the letters of a peer are in a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Heard {
    /// The peer's incarnation.
    pub incarnation: u64,
    /// All letters up to this one.
    pub through: u64,
}

impl BackedUp {
    /// Reads off a copy how far it has got. `position` and `hash` are those of its last event, as it was verified.
    ///
    /// # Errors
    /// When the tables of the post office cannot be read.
    pub async fn of_copy(position: i64, hash: String, copy: &mut AnyConnection) -> Result<Self, StoreError> {
        let row = sqlx::query("select incarnation from post_self where one = 1").fetch_optional(&mut *copy).await?;
        let incarnation = row.map(|row| row.try_get::<i64, _>(0)).transpose()?.unwrap_or(0).unsigned_abs();
        let rows = sqlx::query("select peer, state from post_link order by peer").fetch_all(copy).await?;
        let mut heard = BTreeMap::new();
        for row in rows {
            let link: Link = serde_json::from_str(row.try_get::<&str, _>(1)?)
                .map_err(|_| StoreError::Options("the state of a link cannot be read"))?;
            if link.applied_up_to() > 0 {
                let through = Heard { incarnation: link.peer_incarnation(), through: link.applied_up_to() };
                heard.insert(row.try_get(0)?, through);
            }
        }
        Ok(Self { incarnation, position, hash, heard })
    }

    /// Whether a letter is in this copy that is not in another one.
    pub fn has_heard_more_than(&self, other: &Self) -> bool {
        self.heard.iter().any(|(peer, here)| {
            let there = other.heard.get(peer);
            there.is_none_or(|there| (here.incarnation, here.through) > (there.incarnation, there.through))
        })
    }

    /// Puts the note where the post office will find it, in the place of an earlier one.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn note_for(&self, mark: &Path) -> std::io::Result<()> {
        let file = note_file(mark);
        let temporary = file.with_extension("backed-up.new");
        std::fs::write(&temporary, serde_json::to_vec(self)?)?;
        std::fs::File::open(&temporary)?.sync_all()?;
        std::fs::rename(&temporary, &file)
    }

    /// The newest note for a log; none when no backup of it was ever tried.
    ///
    /// # Errors
    /// When there is one that cannot be read.
    pub fn noted_for(mark: &Path) -> std::io::Result<Option<Self>> {
        match std::fs::read(note_file(mark)) {
            Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn note_file(mark: &Path) -> PathBuf {
    mark.with_extension("backed-up")
}

/// Takes notes of backups, and forgets what need not be kept.
pub(super) async fn run(shared: Arc<Shared>) {
    let mut looks = 0;
    loop {
        if let Err(error) = take_note(&shared).await {
            tracing::warn!(me = %shared.me, error = %error, "the note of a backup waits");
        }
        if looks % LOOKS_A_SEARCH == 0
            && let Err(error) = forget(&shared).await
        {
            tracing::warn!(me = %shared.me, error = %error, "letters that need not be kept are deleted later");
        }
        looks += 1;
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = shared.forget_wanted.notified() => looks = 0,
        }
    }
}

/// Reads the note when it is another one than before. A node that recovers has other things to do.
pub(super) async fn take_note(shared: &Arc<Shared>) -> anyhow::Result<()> {
    if shared.is_recovering() {
        return Ok(());
    }
    let Some(note) = BackedUp::noted_for(&shared.mark)? else { return Ok(()) };
    if locked(&shared.noted).as_ref() == Some(&note) {
        return Ok(());
    }
    // One empty log looks like another; every log begins with its policy.
    if note.position > 0 && incarnation::has_event(&shared.store, note.position, &note.hash).await? {
        take(shared, note.clone()).await?;
    } else {
        // After a restore the log may have gone another way than the copy did. What is confirmed by it stays confirmed.
        tracing::warn!(me = %shared.me, position = note.position, "the noted backup is not one of this log");
    }
    *locked(&shared.noted) = Some(note);
    Ok(())
}

async fn take(shared: &Arc<Shared>, note: BackedUp) -> Result<(), StoreError> {
    let own = shared.incarnation();
    let raised = shared.store.transact(move |transaction| {
        Box::pin(async move {
            let mut raised = Vec::new();
            for (peer, heard) in &note.heard {
                let Some(peer) = parse_address(peer) else { continue };
                let mut link = load_link(&peer, own, transaction.connection()).await?;
                if link.peer_incarnation() != heard.incarnation {
                    continue;
                }
                let before = link.receipt();
                link.backed_up(heard.through);
                if link.receipt() != before {
                    save_link(&peer, &link, transaction.connection()).await?;
                    raised.push(peer);
                }
            }
            Ok::<_, StoreError>(raised)
        })
    });
    let raised = raised.await.map_err(store_error)?;
    if !raised.is_empty() {
        tracing::info!(me = %shared.me, peers = raised.len(), "a tried backup holds more of what was heard");
    }
    for peer in raised {
        shared.want_receipt(&peer);
    }
    Ok(())
}

/// Deletes what was confirmed long ago and is in a backup of its receiver: of this incarnation up to what the receiver
/// said; of earlier ones all, since a backup that holds anything of this one was taken after them.
pub(super) async fn forget(shared: &Arc<Shared>) -> Result<(), StoreError> {
    let settled_before = (shared.now)().as_micros() - KEPT_DAYS * DAY;
    let rows = sqlx::query("select peer, state from post_link").fetch_all(shared.store.reader()).await?;
    for row in rows {
        let Some(peer) = parse_address(row.try_get::<&str, _>(0)?) else { continue };
        let Ok(link) = serde_json::from_str::<Link>(row.try_get::<&str, _>(1)?) else { continue };
        if link.prunable_through() == 0 {
            continue;
        }
        while forget_some(shared, &peer, &link, settled_before).await? > 0 {}
    }
    Ok(())
}

async fn forget_some(
    shared: &Arc<Shared>,
    peer: &Address,
    link: &Link,
    settled_before: i64,
) -> Result<u64, StoreError> {
    // The numbers are the highest that the receiver ever said, so they hold in whatever order this is done.
    let (peer, incarnation, through) = (peer.to_string(), number(link.incarnation()), number(link.prunable_through()));
    let waiting = sqlx::query(
        "select count(*) from post_out where peer = $1 and settled_at <= $2
            and (incarnation < $3 or (incarnation = $3 and sequence <= $4))",
    )
    .bind(&peer)
    .bind(settled_before)
    .bind(incarnation)
    .bind(through)
    .fetch_one(shared.store.reader())
    .await?;
    // Nearly always there is none, and a look costs no flush of the disk.
    if waiting.try_get::<i64, _>(0)? == 0 {
        return Ok(0);
    }
    let deleted = shared.store.transact(move |transaction| {
        Box::pin(async move {
            let deleted = sqlx::query(
                "delete from post_out where peer = $1 and (incarnation, sequence) in (
                    select incarnation, sequence from post_out where peer = $1 and settled_at <= $2
                        and (incarnation < $3 or (incarnation = $3 and sequence <= $4))
                    order by incarnation, sequence limit $5)",
            )
            .bind(peer)
            .bind(settled_before)
            .bind(incarnation)
            .bind(through)
            .bind(DELETED_AT_ONCE)
            .execute(transaction.connection())
            .await?;
            Ok::<_, StoreError>(deleted.rows_affected())
        })
    });
    deleted.await.map_err(store_error)
}

/// How many letters of this incarnation, after the one that a peer has, were deleted because it had said that they are
/// in a backup: it was put back from an older one.
pub(super) async fn forgotten_after(
    peer: &Address,
    link: &Link,
    has: u64,
    connection: &mut AnyConnection,
) -> Result<u64, StoreError> {
    let through = link.prunable_through();
    if through <= has {
        return Ok(0);
    }
    let row = sqlx::query(
        "select count(*) from post_out where peer = $1 and incarnation = $2 and sequence > $3 and sequence <= $4",
    )
    .bind(peer.to_string())
    .bind(number(link.incarnation()))
    .bind(number(has))
    .bind(number(through))
    .fetch_one(connection)
    .await?;
    Ok((through - has).saturating_sub(row.try_get::<i64, _>(0)?.unsigned_abs()))
}
