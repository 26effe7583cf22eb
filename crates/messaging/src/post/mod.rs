//! The post office of one service: what it has said goes out until the receiver confirms it, what it is told is applied
//! once and in order.
//!
//! *Out:* an event is committed together with the letters that follow from it ([`Outbox`]). The relay sends each until
//! the receiver's receipt says that it was applied; the broker's acknowledgement only slows the resending. *In:* a letter
//! is stored under (sender, incarnation, sequence) for ever, so a second copy changes nothing; what came too early is
//! parked; what cannot be applied is kept for a person and blocks only its own case. A receipt is sent after the commit,
//! never before.

mod backup;
mod dead_letters;
mod inbox;
mod incarnation;
mod local;
mod mailbox;
mod outbox;
mod ration;
mod receipts;
mod recovery;
mod relay;
mod rounds;
mod set_aside;
mod tables;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use spean_eventstore::{BoxFuture, EventStore, StoreError, TransactError, Transaction};
use spean_identity::{LiveDirectory, NodeKeys};
use spean_vocabulary::Timestamp;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use crate::broker::{Broker, Carrier};
use crate::letter::{Address, Letter};
pub use backup::{BackedUp, Heard, KEPT_DAYS};
pub use dead_letters::{DeadLetter, Retried};
pub use incarnation::{Marked, mark_as_restored, marked};
pub use outbox::{Outbox, Postings};
use ration::Ration;
pub use rounds::{Rounds, Sent, Taken};
pub use tables::TABLES;

/// How often a table is looked at when nothing tells of something new.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// A letter that cannot be stored now comes again after this.
const COME_AGAIN: Duration = Duration::from_secs(5);
/// How many letters of one peer may wait at the broker to come again. It delivers a thousand before the first is
/// acknowledged, so that one peer cannot use up what all have; who wrote the others sends them again.
const PUT_OFF: u32 = 32;
/// How many introductions of one peer are listened to in a second: each may have us send again all that there is.
const INTRODUCTIONS: u32 = 2;

/// Reads the node's clock.
pub type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// What a service does with its letters.
pub trait Correspondence: Send + Sync + 'static {
    /// Everybody this service may ever have written to or heard from, itself excepted. All of them are told of a restore
    /// and asked what was said since.
    fn correspondents(&self) -> Vec<Address>;

    /// Applies a letter: at most once, in order, in one transaction with the note that it was applied.
    fn apply<'a>(&'a self, letter: &'a Letter, transaction: &'a mut Transaction)
    -> BoxFuture<'a, Result<(), Unusable>>;

    /// Puts away what came with a letter, before the letter is stored. Must be harmless when done again. Only while the
    /// node recovers may what it belongs to be unknown: it is still on its way then.
    fn keep_attachment<'a>(&'a self, _letter: &'a Letter, _recovering: bool) -> BoxFuture<'a, Result<(), Unusable>> {
        Box::pin(async { Ok(()) })
    }

    /// The sealed bytes that a posting refers to; none when they are gone for good, as after an erasure. An error means
    /// that they cannot be had now, and the letter waits for them.
    fn attachment<'a>(&'a self, _reference: &'a str) -> BoxFuture<'a, Result<Option<Vec<u8>>, Unusable>> {
        Box::pin(async { Ok(None) })
    }

    /// The reference of what travels with a letter of this service to itself; see [`Correspondence::attachment`].
    fn local_attachment(&self, _letter: &Letter) -> Option<String> {
        None
    }

    /// Merges what this service itself said before it was restored from a backup, as a peer returned it.
    fn recall<'a>(
        &'a self,
        _to: &'a Address,
        _letter: &'a Letter,
        _transaction: &'a mut Transaction,
    ) -> BoxFuture<'a, Result<(), Unusable>> {
        Box::pin(async { Ok(()) })
    }

    /// All peers have answered after a restore: settles what must not stay open.
    fn recovered<'a>(&'a self, _transaction: &'a mut Transaction) -> BoxFuture<'a, Result<(), Unusable>> {
        Box::pin(async { Ok(()) })
    }
}

/// Why a letter was not applied.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// It makes no sense here; a person must look. A code, without content.
    #[error("{0}")]
    Refused(String),
    /// The database failed: try again later.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for Unusable {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// What a post office is opened with.
pub struct PostOptions {
    /// The service whose post it is.
    pub me: Address,
    /// The log, opened with [`TABLES`] and with [`PostOptions::outbox`] as its publisher.
    pub store: EventStore,
    /// What follows from events.
    pub outbox: Arc<Outbox>,
    /// The way to the others.
    pub carrier: Arc<dyn Carrier>,
    /// The node's keys.
    pub keys: Arc<NodeKeys>,
    /// Who is who.
    pub directory: LiveDirectory,
    /// The node's clock.
    pub now: Now,
    /// What the service does with letters.
    pub correspondence: Arc<dyn Correspondence>,
    /// A file outside the backup of the database, by which a restore is noticed.
    pub mark: PathBuf,
}

/// An open post office. Cheap to clone.
#[derive(Clone)]
pub struct Post {
    shared: Arc<Shared>,
}

/// A post office for those who look after several: it does not keep one open. Cheap to clone.
#[derive(Clone)]
pub struct PostHandle {
    shared: Weak<Shared>,
}

impl PostHandle {
    /// The post office, as long as somebody keeps it open.
    #[must_use]
    pub fn get(&self) -> Option<Post> {
        self.shared.upgrade().map(|shared| Post { shared })
    }
}

pub(crate) struct Shared {
    pub(crate) me: Address,
    pub(crate) store: EventStore,
    pub(crate) carrier: Arc<dyn Carrier>,
    pub(crate) keys: Arc<NodeKeys>,
    pub(crate) directory: LiveDirectory,
    pub(crate) now: Now,
    pub(crate) correspondence: Arc<dyn Correspondence>,
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) incarnation: AtomicU64,
    pub(crate) recovering: AtomicBool,
    pub(crate) discovering: AtomicBool,
    pub(crate) receipts_due: Mutex<BTreeSet<Address>>,
    /// What lies unread in the mailboxes.
    pub(crate) mail_waits: mailbox::MailWaits,
    pub(crate) receipt_wanted: Notify,
    pub(crate) resend_wanted: Notify,
    pub(crate) forget_wanted: Notify,
    /// The highest place that a letter of ours got in a peer's mailbox: when it goes back, the mailbox lost letters.
    pub(crate) highest_places: Mutex<BTreeMap<String, u64>>,
    /// Letters that a peer may have the broker bring again.
    pub(crate) put_off: Ration,
    /// Introductions that are answered.
    pub(crate) introductions: Ration,
    /// The mark as it was written last. Whoever writes it holds it until that is done.
    marked: tokio::sync::Mutex<Option<incarnation::Mark>>,
    /// The note of a backup that was taken last.
    noted: Mutex<Option<BackedUp>>,
    mark: PathBuf,
}

impl Shared {
    pub(crate) fn incarnation(&self) -> u64 {
        self.incarnation.load(Ordering::Acquire)
    }

    pub(crate) fn is_recovering(&self) -> bool {
        self.recovering.load(Ordering::Acquire)
    }

    /// A receipt for this peer is due: it will be sent when the commits of this moment are done.
    pub(crate) fn want_receipt(&self, peer: &Address) {
        locked(&self.receipts_due).insert(peer.clone());
        self.receipt_wanted.notify_one();
    }
}

/// A lock that outlives a panic: what it guards is never left half changed.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A peer as the node's status shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerStatus {
    /// Who.
    pub peer: Address,
    /// Letters that it has not confirmed.
    pub unconfirmed: i64,
    /// When the oldest of them was written.
    pub oldest_posted_at: Option<Timestamp>,
    /// When it was last heard.
    pub heard_at: Option<Timestamp>,
}

impl Post {
    /// Opens the post office. Its work is done by [`Post::run`], or round by round.
    ///
    /// # Errors
    /// When the log or the mark file cannot be read.
    pub async fn open(options: PostOptions) -> anyhow::Result<Self> {
        let correspondents = options.correspondence.correspondents();
        let started = incarnation::begin(&options.store, &options.mark, correspondents).await?;
        options.outbox.set_incarnation(started.incarnation);
        let shared = Arc::new(Shared {
            me: options.me,
            store: options.store,
            carrier: options.carrier,
            keys: options.keys,
            directory: options.directory,
            now: options.now,
            correspondence: options.correspondence,
            outbox: options.outbox,
            incarnation: AtomicU64::new(started.incarnation),
            recovering: AtomicBool::new(started.recovering),
            discovering: AtomicBool::new(false),
            receipts_due: Mutex::default(),
            mail_waits: mailbox::MailWaits::default(),
            receipt_wanted: Notify::new(),
            resend_wanted: Notify::new(),
            forget_wanted: Notify::new(),
            highest_places: Mutex::default(),
            put_off: Ration::new(PUT_OFF, COME_AGAIN),
            introductions: Ration::new(INTRODUCTIONS, Duration::from_secs(1)),
            marked: tokio::sync::Mutex::default(),
            noted: Mutex::default(),
            mark: options.mark,
        });
        Ok(Self { shared })
    }

    /// Starts its work, which ends when `stop` says so: the rounds of [`Post::rounds`], each whenever there is reason to.
    /// Mail is fetched from the broker, which should be the one that carries the letters of this post office.
    pub fn run(&self, broker: &Broker, tasks: &mut JoinSet<()>, stop: &watch::Receiver<bool>) {
        let shared = || Arc::clone(&self.shared);
        spawn(tasks, stop, relay::run(shared(), broker.connected()));
        spawn(tasks, stop, local::run(shared()));
        for place in broker.mailboxes() {
            spawn(tasks, stop, mailbox::run(shared(), broker.clone(), place));
        }
        spawn(tasks, stop, receipts::run(shared()));
        spawn(tasks, stop, dead_letters::run(shared()));
        spawn(tasks, stop, recovery::run(shared()));
        spawn(tasks, stop, incarnation::run(shared()));
        spawn(tasks, stop, backup::run(shared()));
    }

    /// Its work in pieces, for whoever decides what happens when.
    pub fn rounds(&self) -> Rounds {
        Rounds { shared: Arc::clone(&self.shared) }
    }

    /// Whether the way to the others stands, as far as is known.
    pub fn is_connected(&self) -> bool {
        self.shared.carrier.is_connected()
    }

    /// Goes up at each restore from a backup.
    pub fn incarnation(&self) -> u64 {
        self.shared.incarnation()
    }

    /// Whether the node came back from a backup and waits for its peers: nothing may be decided meanwhile.
    pub fn is_recovering(&self) -> bool {
        self.shared.recovering.load(Ordering::Acquire)
    }

    /// Those whose answers are awaited after a restore.
    pub async fn awaited(&self) -> Result<Vec<Address>, StoreError> {
        recovery::awaited(&self.shared).await
    }

    /// How it stands with each peer.
    pub async fn peers(&self) -> Result<Vec<PeerStatus>, StoreError> {
        receipts::peers(&self.shared).await
    }

    /// Letters that wait for a person, the oldest first.
    pub async fn dead_letters(&self, limit: i64, offset: i64) -> Result<Vec<DeadLetter>, StoreError> {
        dead_letters::list(&self.shared, limit, offset).await
    }

    /// For those who look after several post offices.
    #[must_use]
    pub fn handle(&self) -> PostHandle {
        PostHandle { shared: Arc::downgrade(&self.shared) }
    }

    /// How many letters wait for a person.
    pub async fn dead_letter_count(&self) -> Result<i64, StoreError> {
        dead_letters::count(&self.shared).await
    }

    /// Tries a dead letter again, and then what waits behind it; none when there is no such dead letter.
    pub async fn retry(&self, id: &str) -> Result<Option<Retried>, StoreError> {
        dead_letters::retry(&self.shared, id).await
    }

    /// Sets a dead letter aside for good, and applies what waits behind it. False when there is no such dead letter.
    pub async fn discard(&self, id: &str, reason: &str) -> Result<bool, StoreError> {
        dead_letters::discard(&self.shared, id, reason).await
    }
}

/// Runs a task until it ends or the process stops.
fn spawn(tasks: &mut JoinSet<()>, stop: &watch::Receiver<bool>, task: impl Future<Output = ()> + Send + 'static) {
    let mut stop = stop.clone();
    tasks.spawn(async move {
        tokio::select! {
            () = task => {}
            _ = stop.wait_for(|stop| *stop) => {}
        }
    });
}

/// The outcome of a job that only the store can fail.
pub(crate) fn store_error(error: TransactError<StoreError>) -> StoreError {
    match error {
        TransactError::Work(error) | TransactError::Store(error) => error,
    }
}
