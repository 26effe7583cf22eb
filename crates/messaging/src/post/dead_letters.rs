//! Letters that could not be applied: shown to people, tried again by people, set aside by people. Never by a timer.

use std::sync::Arc;
use std::time::Duration;

use spean_eventstore::{StoreError, TransactError};
use spean_vocabulary::Timestamp;
use sqlx::Row as _;

use super::outbox::{load_link, save_link};
use super::{Shared, Unusable, set_aside, store_error};
use crate::letter::{Address, parse_address};

/// How often letters are looked for that wait for nothing.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// A letter that waits for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// Its id.
    pub id: String,
    /// Who wrote it; none when not even that can be read.
    pub from: Option<Address>,
    /// What it says.
    pub kind: String,
    /// Why it could not be applied.
    pub reason: String,
    /// When it came.
    pub arrived_at: Timestamp,
    /// How many letters about the same case wait behind it.
    pub waiting_behind: i64,
    /// How often it was tried.
    pub attempts: i64,
}

/// What came of trying again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Retried {
    /// It is applied now, and so is what waited behind it.
    Applied,
    /// It still cannot be applied.
    Refused(String),
}

pub(super) async fn list(shared: &Shared, limit: i64, offset: i64) -> Result<Vec<DeadLetter>, StoreError> {
    // Without naming both states of the partial index `post_in_stuck`, SQLite reads the whole table.
    let rows = sqlx::query(
        "select letter_id, peer, kind, reason, arrived_at, attempts,
            (select count(*) from post_in behind where behind.case_id = post_in.case_id and behind.case_id <> ''
                and behind.peer = post_in.peer and behind.state in ('dead', 'waiting')
                and behind.state = 'waiting') as waiting_behind
         from post_in where state in ('dead', 'waiting') and state = 'dead'
         union all
         select id, '', subject, reason, arrived_at, 1, 0 from post_unreadable
         order by 5, 1 limit $1 offset $2",
    )
    .bind(limit)
    .bind(offset)
    .fetch_all(shared.store.reader())
    .await?;
    let mut letters = Vec::with_capacity(rows.len());
    for row in rows {
        letters.push(DeadLetter {
            id: row.try_get(0)?,
            from: parse_address(row.try_get::<&str, _>(1)?),
            kind: row.try_get(2)?,
            reason: row.try_get(3)?,
            arrived_at: Timestamp::from_micros(row.try_get(4)?),
            attempts: row.try_get(5)?,
            waiting_behind: row.try_get(6)?,
        });
    }
    Ok(letters)
}

pub(super) async fn count(shared: &Shared) -> Result<i64, StoreError> {
    let row = sqlx::query(
        "select (select count(*) from post_in where state in ('dead', 'waiting') and state = 'dead')
            + (select count(*) from post_unreadable)",
    )
    .fetch_one(shared.store.reader())
    .await?;
    Ok(row.try_get(0)?)
}

pub(super) async fn retry(shared: &Arc<Shared>, id: &str) -> Result<Option<Retried>, StoreError> {
    let Some((peer, case)) = case_of(shared, id).await? else { return Ok(None) };
    match apply(shared, id).await? {
        Retried::Applied => {}
        refused @ Retried::Refused(_) => return Ok(Some(refused)),
    }
    apply_waiting(shared, &peer, &case).await?;
    Ok(Some(Retried::Applied))
}

pub(super) async fn discard(shared: &Arc<Shared>, id: &str, reason: &str) -> Result<bool, StoreError> {
    let case = case_of(shared, id).await?;
    let (id, reason, now) = (id.to_owned(), reason.to_owned(), (shared.now)().as_micros());
    let discarded = shared.store.transact(move |transaction| {
        Box::pin(async move {
            let letter = sqlx::query(
                "update post_in set state = 'discarded', reason = $1, settled_at = $2
                 where letter_id = $3 and state = 'dead'",
            )
            .bind(reason)
            .bind(now)
            .bind(&id)
            .execute(transaction.connection())
            .await?;
            let unreadable = sqlx::query("delete from post_unreadable where id = $1")
                .bind(&id)
                .execute(transaction.connection())
                .await?;
            Ok::<_, StoreError>(letter.rows_affected() + unreadable.rows_affected() > 0)
        })
    });
    let discarded = discarded.await.map_err(store_error)?;
    if let Some((peer, case)) = case {
        apply_waiting(shared, &peer, &case).await?;
    }
    Ok(discarded)
}

/// Applies letters that wait though nothing is before them any more: the power may have gone between the two commits.
pub(super) async fn run(shared: Arc<Shared>) {
    loop {
        if let Err(error) = free_waiting(&shared).await {
            tracing::debug!(error = %error, "waiting letters are looked at later");
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

pub(super) async fn free_waiting(shared: &Arc<Shared>) -> Result<(), StoreError> {
    if shared.is_recovering() {
        return Ok(());
    }
    let rows = sqlx::query(
        "select distinct peer, case_id from post_in waiting where state = 'waiting'
            and not exists (select 1 from post_in dead
                where dead.case_id = waiting.case_id and dead.peer = waiting.peer and dead.state = 'dead')",
    )
    .fetch_all(shared.store.reader())
    .await?;
    for row in rows {
        apply_waiting(shared, row.try_get(0)?, row.try_get(1)?).await?;
    }
    Ok(())
}

/// Who wrote a dead letter, and the case it is about.
async fn case_of(shared: &Shared, id: &str) -> Result<Option<(String, String)>, StoreError> {
    let row = sqlx::query("select peer, case_id from post_in where letter_id = $1 and state = 'dead'")
        .bind(id)
        .fetch_optional(shared.store.reader())
        .await?;
    Ok(row.map(|row| Ok::<_, sqlx::Error>((row.try_get(0)?, row.try_get(1)?))).transpose()?)
}

/// What waited behind a dead letter of the same writer, in its order, until one of them cannot be applied either.
async fn apply_waiting(shared: &Arc<Shared>, peer: &str, case: &str) -> Result<(), StoreError> {
    loop {
        let row = sqlx::query(
            "select letter_id from post_in where peer = $1 and case_id = $2 and case_id <> '' and state = 'waiting'
                and not exists (select 1 from post_in dead
                    where dead.peer = $1 and dead.case_id = $2 and dead.state = 'dead')
             order by arrived_at, incarnation, sequence limit 1",
        )
        .bind(peer)
        .bind(case)
        .fetch_optional(shared.store.reader())
        .await?;
        let Some(row) = row else { return Ok(()) };
        let id: String = row.try_get(0)?;
        if let Retried::Refused(reason) = apply(shared, &id).await? {
            let dead = shared.store.transact(move |transaction| {
                Box::pin(async move {
                    sqlx::query("update post_in set state = 'dead', reason = $1 where letter_id = $2")
                        .bind(reason)
                        .bind(id)
                        .execute(transaction.connection())
                        .await?;
                    Ok::<_, StoreError>(())
                })
            });
            return dead.await.map_err(store_error);
        }
    }
}

async fn apply(shared: &Arc<Shared>, id: &str) -> Result<Retried, StoreError> {
    let row = sqlx::query("select peer, incarnation, sequence, content from post_in where letter_id = $1")
        .bind(id)
        .fetch_one(shared.store.reader())
        .await?;
    let peer = parse_address(row.try_get::<&str, _>(0)?).ok_or(StoreError::Options("a peer cannot be read"))?;
    let incarnation = row.try_get::<i64, _>(1)?.unsigned_abs();
    let sequence = row.try_get::<i64, _>(2)?.unsigned_abs();
    let Some(letter) = set_aside::stored_letter(id, incarnation, &peer, row.try_get::<&[u8], _>(3)?) else {
        return Ok(Retried::Refused("MALFORMED".to_owned()));
    };
    let job_shared = Arc::clone(shared);
    let receipt_to = peer.clone();
    let applied = shared.store.transact(move |transaction| {
        Box::pin(async move {
            let claimed = sqlx::query(
                "update post_in set attempts = attempts where letter_id = $1 and state in ('dead', 'waiting')",
            )
            .bind(letter.id.to_string())
            .execute(transaction.connection())
            .await?;
            // Somebody else was quicker: to apply it, or to set it aside.
            if claimed.rows_affected() == 0 {
                return Ok(());
            }
            job_shared.correspondence.apply(&letter, transaction).await?;
            set_aside::set_state(&job_shared, &peer, incarnation, sequence, "applied", "", transaction).await?;
            let mut link = load_link(&peer, job_shared.incarnation(), transaction.connection()).await?;
            link.repaired(sequence);
            save_link(&peer, &link, transaction.connection()).await?;
            Ok::<_, Unusable>(())
        })
    });
    match applied.await {
        Ok(()) => {
            shared.want_receipt(&receipt_to);
            Ok(Retried::Applied)
        }
        Err(TransactError::Work(Unusable::Refused(reason))) => Ok(Retried::Refused(reason)),
        Err(TransactError::Work(Unusable::Store(error)) | TransactError::Store(error)) => Err(error),
    }
}
