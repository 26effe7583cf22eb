//! The task that owns the writing connection: many jobs, one commit, then the answers.

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::time::Duration;

use futures::FutureExt as _;
use sqlx::{AnyPool, Row as _};
use tokio::sync::{mpsc, oneshot, watch};

use crate::dialect::Dialect;
use crate::election::{Session, elect};
use crate::transaction::{Lost, Transaction};
use crate::{BoxFuture, Options, Role, StoreError, TransactError, disk_is_full};

/// How many jobs share a commit. Few enough that a savepoint each stays cheap for `PostgreSQL`, which keeps up to 64
/// per session at hand.
const GROUP: usize = 64;

/// How long one job may hold the writer.
const JOB_LIMIT: Duration = Duration::from_secs(10);

/// How long the database may take to begin or to commit.
const COMMIT_LIMIT: Duration = Duration::from_secs(15);

/// How often a standby tries to become the writer, and looks where the log ends.
const ELECTION_INTERVAL: Duration = Duration::from_millis(500);

/// How often an idle writer says something to the server.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(3);

/// How often an instance that is being opened tries to become the writer, or at least to read, before it gives up.
const OPENING_ATTEMPTS: u32 = 60;

/// A job whose types are forgotten.
pub(crate) trait Job: Send {
    /// Does it, keeps the result for later, and tells whether what it wrote is to be kept.
    fn run<'t>(&'t mut self, transaction: &'t mut Transaction) -> BoxFuture<'t, bool>;

    /// How it is to be run.
    fn conditions(&self) -> Conditions;

    /// Answers the caller: with the result when it stands, with the error otherwise.
    fn settle(self: Box<Self>, outcome: Result<(), StoreError>);
}

/// A job that ran, and whether its result stands once the group is committed.
type Settled = (Box<dyn Job>, Result<(), StoreError>);

/// How a job is to be run.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Conditions {
    /// It is given the bare connection.
    Anything,
    /// It only loads, decides and appends, and that protects itself.
    Command,
    /// It may take as long as it takes.
    Maintenance,
}

/// A job and who waits for it.
pub(crate) struct Task<T, E, F> {
    pub(crate) work: Option<F>,
    pub(crate) result: Option<Result<T, E>>,
    pub(crate) conditions: Conditions,
    pub(crate) answer: oneshot::Sender<Result<T, TransactError<E>>>,
}

impl<T, E, F> Job for Task<T, E, F>
where
    T: Send,
    E: Send,
    F: for<'t> FnOnce(&'t mut Transaction) -> BoxFuture<'t, Result<T, E>> + Send,
{
    fn run<'t>(&'t mut self, transaction: &'t mut Transaction) -> BoxFuture<'t, bool> {
        Box::pin(async {
            let Some(work) = self.work.take() else { return false };
            let result = work(transaction).await;
            let kept = result.is_ok();
            self.result = Some(result);
            kept
        })
    }

    fn conditions(&self) -> Conditions {
        self.conditions
    }

    fn settle(self: Box<Self>, outcome: Result<(), StoreError>) {
        let answer = match (outcome, self.result) {
            (Ok(()), Some(result)) => result.map_err(TransactError::Work),
            (Ok(()), None) => Err(StoreError::Panicked.into()),
            (Err(error), _) => Err(error.into()),
        };
        // The caller may have gone away: the job stands all the same.
        let _ = self.answer.send(answer);
    }
}

/// The writer of one log, or who would like to be.
pub(crate) struct Writer {
    pub(crate) dialect: Dialect,
    pub(crate) options: Options,
    pub(crate) reader: AnyPool,
    pub(crate) jobs: mpsc::Receiver<Box<dyn Job>>,
    pub(crate) role: watch::Sender<Role>,
    pub(crate) head: watch::Sender<i64>,
}

/// Why jobs are refused while there is no writing connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    Away,
    Full,
    Standby,
}

impl From<Refusal> for StoreError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Away => Self::Unavailable,
            Refusal::Full => Self::Full,
            Refusal::Standby => Self::NotTheWriter,
        }
    }
}

/// Why the writer stopped writing.
enum Ended {
    Closed,
    Lost(Lost),
}

impl Writer {
    /// Runs until the store is closed. Tells once when queries can be answered, or why they never will be.
    pub(crate) async fn run(mut self, opened: oneshot::Sender<Result<(), StoreError>>) {
        let mut opened = Some(opened);
        while let Some(mut session) = self.stand_by(&mut opened).await {
            self.reach(session.transaction.head().position);
            self.role.send_replace(Role::Writer);
            if let Some(opened) = opened.take() {
                let _ = opened.send(Ok(()));
            }
            let ended = self.write(&mut session.transaction).await;
            self.role.send_replace(Role::Standby);
            match ended {
                Ended::Closed => return session.transaction.close().await,
                Ended::Lost(Lost::Fenced) => tracing::warn!("another instance became the writer of this log"),
                Ended::Lost(Lost::Database(error)) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "the writing connection was lost");
                }
                Ended::Lost(Lost::Silent) => tracing::warn!("the database did not answer the writer in time"),
            }
        }
    }

    /// Refuses jobs until this instance becomes the writer; none when the store was closed instead.
    async fn stand_by(&mut self, opened: &mut Option<oneshot::Sender<Result<(), StoreError>>>) -> Option<Session> {
        let mut refusal = Refusal::Away;
        let mut attempts = 0;
        loop {
            attempts += 1;
            let attempt = async {
                let elected = elect(&self.dialect, &self.options).await;
                if let Ok(None) = elected {
                    // What the writer commits is told to the followers here, too.
                    let readable = committed_position(&self.reader).await;
                    return (elected, readable.ok());
                }
                (elected, None)
            };
            let (elected, position) = refuse_until(&mut self.jobs, attempt, refusal).await?;
            match elected {
                Ok(Some(session)) => return Some(session),
                Ok(None) => {
                    refusal = Refusal::Standby;
                    if let Some(position) = position {
                        self.reach(position);
                        if let Some(opened) = opened.take() {
                            let _ = opened.send(Ok(()));
                        }
                    } else if attempts > OPENING_ATTEMPTS
                        && let Some(opened) = opened.take()
                    {
                        let _ = opened.send(Err(StoreError::Unavailable));
                        return None;
                    }
                }
                Err(error) => {
                    if let Some(opened) = opened.take() {
                        let _ = opened.send(Err(error));
                        return None;
                    }
                    if refusal == Refusal::Standby || attempts == 1 {
                        tracing::warn!(
                            error = &error as &dyn std::error::Error,
                            "cannot become the writer of this log"
                        );
                    }
                    refusal = if error.is_full() { Refusal::Full } else { Refusal::Away };
                }
            }
            refuse_until(&mut self.jobs, tokio::time::sleep(ELECTION_INTERVAL), refusal).await?;
        }
    }

    async fn write(&mut self, transaction: &mut Transaction) -> Ended {
        loop {
            let job = tokio::select! {
                biased;
                job = self.jobs.recv() => match job {
                    Some(job) => job,
                    None => return Ended::Closed,
                },
                () = tokio::time::sleep(HEARTBEAT_INTERVAL), if self.dialect.needs_heartbeat() => {
                    if let Err(lost) = in_time(transaction.heartbeat()).await {
                        return Ended::Lost(lost);
                    }
                    continue;
                }
            };
            let mut group = Vec::with_capacity(GROUP);
            match self.group(transaction, job, &mut group).await {
                Ok(position) => {
                    self.reach(position);
                    for (job, outcome) in group {
                        job.settle(outcome);
                    }
                }
                Err(lost) => {
                    for (job, _) in group {
                        job.settle(Err(match &lost {
                            Lost::Fenced => StoreError::NotTheWriter,
                            Lost::Database(error) if disk_is_full(error) => StoreError::Full,
                            Lost::Database(_) | Lost::Silent => StoreError::Unavailable,
                        }));
                    }
                    return Ended::Lost(lost);
                }
            }
        }
    }

    /// Runs this job and what waits behind it, and commits.
    async fn group(
        &mut self,
        transaction: &mut Transaction,
        first: Box<dyn Job>,
        group: &mut Vec<Settled>,
    ) -> Result<i64, Lost> {
        group.push((first, Ok(())));
        in_time(transaction.begin()).await?;
        fail::fail_point!("store::after_begin");
        loop {
            let (job, outcome) = group.last_mut().expect("a job was pushed just before");
            *outcome = run(&mut **job, transaction).await?;
            if group.len() == GROUP {
                break;
            }
            let Ok(next) = self.jobs.try_recv() else { break };
            group.push((next, Ok(())));
        }
        fail::fail_point!("store::before_commit");
        let position = in_time(transaction.commit()).await?.position;
        fail::fail_point!("store::after_commit");
        Ok(position)
    }

    fn reach(&self, position: i64) {
        self.head.send_if_modified(|head| {
            let further = position > *head;
            *head = position.max(*head);
            further
        });
    }
}

/// Runs one job; what it wrote is undone unless it succeeded.
async fn run(job: &mut dyn Job, transaction: &mut Transaction) -> Result<Result<(), StoreError>, Lost> {
    transaction.start_job();
    let conditions = job.conditions();
    if !matches!(conditions, Conditions::Command)
        && let Err(StoreError::Database(error)) = transaction.protect().await
    {
        return Err(error.into());
    }
    let limit = if matches!(conditions, Conditions::Maintenance) { Duration::MAX } else { JOB_LIMIT };
    let work = tokio::time::timeout(limit, AssertUnwindSafe(job.run(transaction)).catch_unwind());
    let (kept, outcome) = match work.await {
        Ok(Ok(kept)) => (kept, Ok(())),
        Ok(Err(_panic)) => (false, Err(StoreError::Panicked)),
        Err(_elapsed) => (false, Err(StoreError::TookTooLong)),
    };
    if outcome.is_err() {
        transaction.mark_broken();
    }
    if kept {
        if matches!(conditions, Conditions::Command) || in_time_or_not(transaction.is_sound()).await {
            transaction.keep_job();
            return Ok(outcome);
        }
        in_time(transaction.undo_job()).await?;
        let swallowed = "the job went on after a statement had failed";
        return Ok(Err(StoreError::Database(sqlx::Error::InvalidArgument(swallowed.to_owned()))));
    }
    in_time(transaction.undo_job()).await?;
    Ok(outcome)
}

async fn in_time<T>(work: impl Future<Output = Result<T, Lost>>) -> Result<T, Lost> {
    tokio::time::timeout(COMMIT_LIMIT, work).await.unwrap_or(Err(Lost::Silent))
}

async fn in_time_or_not(work: impl Future<Output = bool>) -> bool {
    tokio::time::timeout(COMMIT_LIMIT, work).await.unwrap_or(false)
}

/// Answers all jobs with why they are not run, until the work is done; none when the store was closed.
async fn refuse_until<T>(
    jobs: &mut mpsc::Receiver<Box<dyn Job>>,
    work: impl Future<Output = T>,
    refusal: Refusal,
) -> Option<T> {
    let mut work = pin!(work);
    loop {
        tokio::select! {
            done = &mut work => return Some(done),
            job = jobs.recv() => {
                job?.settle(Err(refusal.into()));
            }
        }
    }
}

async fn committed_position(reader: &AnyPool) -> Result<i64, sqlx::Error> {
    sqlx::query("select coalesce(max(position), 0) from event").fetch_one(reader).await?.try_get(0)
}
