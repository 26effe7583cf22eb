//! The work of a post office in pieces: each is done to its end, waits for nobody and never sleeps. A running post office
//! goes round by itself ([`super::Post::run`]); a simulation says which round comes next.

use std::sync::Arc;

use spean_eventstore::StoreError;

use super::{Shared, backup, dead_letters, inbox, incarnation, local, receipts, recovery, relay};

/// What one post office has to do, again and again.
#[derive(Clone)]
pub struct Rounds {
    pub(super) shared: Arc<Shared>,
}

/// What became of the letters that were due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// How many were given to the carrier.
    pub published: usize,
    /// Whether it refused one.
    pub refused: bool,
    /// Whether more may be due.
    pub more: bool,
}

/// What became of a message that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// Applied, parked, or known: it is in the database, the carrier may forget it. Or its writer will send it again.
    Stored,
    /// Its turn has not come and there is no room to keep it, or its sender was not introduced yet. The carrier may bring
    /// it again; its writer will send it again in any case.
    OutOfTurn,
    /// Not now: the carrier shall bring it again.
    Later,
}

impl Rounds {
    /// Sends what is due. Nothing while the node recovers from a restore.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn send(&self) -> Result<Sent, StoreError> {
        relay::send_due(&self.shared).await
    }

    /// Applies what the service has written to itself.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn local(&self) -> Result<(), StoreError> {
        local::apply_all(&self.shared).await
    }

    /// A message arrives from the carrier, under this subject.
    ///
    /// # Errors
    /// When the database fails: it must come again.
    pub async fn receive(&self, subject: &str, payload: &[u8]) -> Result<Taken, StoreError> {
        inbox::read(&self.shared, subject, payload).await
    }

    /// Gives the receipts that are due.
    pub async fn give_receipts(&self) {
        receipts::give_due(&self.shared).await;
    }

    /// Introduces the node to everybody it may ever write to, as after the mailbox was opened.
    pub async fn greet(&self) {
        recovery::greet_all(&self.shared).await;
    }

    /// Goes on with the recovery after a restore: asks those who have not answered, and acts again once all have.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn recover(&self) -> anyhow::Result<()> {
        recovery::go_on(&self.shared, true).await
    }

    /// Applies letters that wait though nothing is before them any more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn free_waiting(&self) -> Result<(), StoreError> {
        dead_letters::free_waiting(&self.shared).await
    }

    /// Moves the mark on with the log and the inbox.
    ///
    /// # Errors
    /// When the database or the file fails.
    pub async fn move_mark(&self) -> anyhow::Result<()> {
        incarnation::move_mark(&self.shared).await
    }

    /// Takes the note of a backup that was tried.
    ///
    /// # Errors
    /// When the database or the file fails.
    pub async fn note_backup(&self) -> anyhow::Result<()> {
        backup::take_note(&self.shared).await
    }

    /// Deletes letters that need not be kept any longer.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget(&self) -> Result<(), StoreError> {
        backup::forget(&self.shared).await
    }
}
