//! The store as its users see it.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use opentelemetry::KeyValue;
use opentelemetry::metrics::Histogram;
use spean_eventsourcing::Aggregate;
use sqlx::{AnyPool, AssertSqlSafe, Row as _};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tracing::{Instrument as _, Span};

use crate::dialect::Dialect;
use crate::event::COLUMNS;
use crate::transaction::load;
use crate::verify::{Verified, verify};
use crate::writer::{Conditions, Job, Task, Writer};
use crate::{
    BoxFuture, HandleError, Handled, Loaded, Metadata, Options, Recorded, StoreError, TransactError, Transaction,
    VerifyError,
};

/// How many jobs may wait for the writer before callers are turned away.
const QUEUE: usize = 2_048;

/// What this instance does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It reads and writes.
    Writer,
    /// It reads, and takes over when the writer is gone.
    Standby,
}

/// The log of one service of one node. Cheap to clone. When the last clone is dropped, the writer finishes what waits.
#[derive(Clone)]
pub struct EventStore {
    shared: Arc<Shared>,
}

struct Shared {
    /// None once the store is closed.
    jobs: RwLock<Option<mpsc::Sender<Box<dyn Job>>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
    reader: AnyPool,
    role: watch::Receiver<Role>,
    head: watch::Receiver<i64>,
    duration: Histogram<f64>,
    service: KeyValue,
}

impl std::fmt::Debug for EventStore {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("EventStore")
            .field("role", &*self.shared.role.borrow())
            .field("head", &*self.shared.head.borrow())
            .finish_non_exhaustive()
    }
}

impl EventStore {
    /// Opens the log, as the writer if nobody else is. Makes and changes tables, and brings read models to the end of
    /// the log before it returns.
    ///
    /// # Errors
    /// When the database cannot be reached, could lose what it acknowledges, or was made by a newer program.
    pub async fn open(options: Options) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let dialect = Dialect::of(&options.url, &options.service)?;
        let reader = dialect.reader(&options.url)?;
        let service = KeyValue::new("spean.service", options.service.clone());
        let (send_job, jobs) = mpsc::channel(QUEUE);
        let (send_role, role) = watch::channel(Role::Standby);
        let (send_head, head) = watch::channel(0);
        let (send_opened, opened) = oneshot::channel();
        let writer = Writer { dialect, options, reader: reader.clone(), jobs, role: send_role, head: send_head };
        let writer = tokio::spawn(writer.run(send_opened));
        opened.await.map_err(|_| StoreError::Closed)??;
        let (jobs, writer) = (RwLock::new(Some(send_job)), Mutex::new(Some(writer)));
        // Measures nothing unless the program that opens the log collects metrics.
        let meter = opentelemetry::global::meter("spean");
        let duration = meter.f64_histogram("spean.append.duration").with_unit("s").build();
        Ok(Self { shared: Arc::new(Shared { jobs, writer, reader, role, head, duration, service }) })
    }

    /// Runs a job in the writer, together with others in one transaction, and answers after the commit. When it fails,
    /// what it wrote is undone, and nothing else.
    ///
    /// # Errors
    /// The job's own, or the store's.
    pub async fn transact<T, E, F>(&self, work: F) -> Result<T, TransactError<E>>
    where
        T: Send + 'static,
        E: Send + 'static,
        F: for<'t> FnOnce(&'t mut Transaction) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
    {
        let submitted = self.submit(Conditions::Anything, work);
        // What nobody asked for is no part of a trace.
        if Span::current().is_none() {
            return submitted.await;
        }
        submitted.instrument(tracing::info_span!("eventstore.transaction")).await
    }

    /// Carries out a command: loads the stream, folds it, decides, appends. When the command id of the metadata was
    /// seen before with the same digest, the earlier outcome is returned and nothing is decided.
    ///
    /// A command that led to nothing leaves no trace: sent again it is decided again.
    ///
    /// # Errors
    /// When the rules refuse it, the command id was used for another request, or the store cannot run it.
    pub async fn handle<A: Aggregate>(
        &self,
        id: impl Into<String>,
        command: A::Command,
        context: A::Context,
        metadata: Metadata,
    ) -> Result<Handled, HandleError<A::Error>>
    where
        A::Context: Send + 'static,
    {
        let id = id.into();
        let decide = self.submit(Conditions::Command, move |transaction| {
            Box::pin(async move { transaction.decide_once::<A>(&id, command, &context, &metadata, true).await })
        });
        let span = tracing::info_span!("eventstore.command", spean.category = A::CATEGORY);
        Ok(decide.instrument(span).await?)
    }

    /// Connections for queries. They cannot write.
    pub fn reader(&self) -> &AnyPool {
        &self.shared.reader
    }

    /// An aggregate as the committed events say it is.
    ///
    /// # Errors
    /// When the database fails, or an event is of a shape that this program does not know.
    pub async fn load<A: Aggregate>(&self, id: &str) -> Result<Loaded<A>, StoreError> {
        let mut connection = self.shared.reader.acquire().await?;
        load(&mut connection, id).await
    }

    /// The committed events after a position, at most `limit`, in order and without gaps.
    ///
    /// # Errors
    /// When the database fails, or an event cannot be read by this version of the program.
    pub async fn events_after(&self, position: i64, limit: i64) -> Result<Vec<Recorded>, StoreError> {
        page(&self.shared.reader, position, limit).await
    }

    /// The position of the last committed event, to be woken by. A standby hears of it within half a second or so.
    pub fn head(&self) -> watch::Receiver<i64> {
        self.shared.head.clone()
    }

    /// How far a follower of the log has come; 0 when it has not begun. Saved by [`Transaction::save_position`].
    ///
    /// # Errors
    /// When the database fails.
    pub async fn saved_position(&self, reader: &str) -> Result<i64, StoreError> {
        let row = sqlx::query("select position from reader_position where reader = $1")
            .bind(reader)
            .fetch_optional(&self.shared.reader)
            .await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?.unwrap_or(0))
    }

    /// Empties a read model and fills it from the log, in one transaction: queries see the old rows until it is done,
    /// and commands wait.
    ///
    /// # Errors
    /// When there is no such read model, or the store cannot run it.
    pub async fn rebuild(&self, read_model: &str) -> Result<(), StoreError> {
        let name = read_model.to_owned();
        let rebuild = self.submit(Conditions::Maintenance, move |transaction| {
            Box::pin(async move { transaction.rebuild(&name).await })
        });
        match rebuild.await {
            Ok(()) => Ok(()),
            Err(TransactError::Work(error) | TransactError::Store(error)) => Err(error),
        }
    }

    /// Recomputes the hashes of the whole log.
    ///
    /// # Errors
    /// The first position at which the log is not what was written, or why it cannot be read.
    pub async fn verify(&self) -> Result<Verified, VerifyError> {
        verify(&self.shared.reader).await
    }

    /// Whether this instance is the writer, now and later.
    pub fn role(&self) -> watch::Receiver<Role> {
        self.shared.role.clone()
    }

    /// Finishes what waits, gives up the lock and closes all connections, for all clones. Later calls answer
    /// [`StoreError::Closed`].
    pub async fn close(self) {
        drop(self.shared.jobs.write().unwrap_or_else(PoisonError::into_inner).take());
        let writer = self.shared.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer {
            // It catches the panics of its jobs, and has nothing else to tell.
            let _ = writer.await;
        }
        self.shared.reader.close().await;
    }

    async fn submit<T, E, F>(&self, conditions: Conditions, work: F) -> Result<T, TransactError<E>>
    where
        T: Send + 'static,
        E: Send + 'static,
        F: for<'t> FnOnce(&'t mut Transaction) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
    {
        let began = Instant::now();
        let (answer, answered) = oneshot::channel();
        let task: Box<dyn Job> = Box::new(Task { work: Some(work), result: None, conditions, answer });
        {
            let jobs = self.shared.jobs.read().unwrap_or_else(PoisonError::into_inner);
            let jobs = jobs.as_ref().ok_or(StoreError::Closed)?;
            jobs.try_send(task).map_err(|error| match error {
                TrySendError::Full(_) => StoreError::Overloaded,
                TrySendError::Closed(_) => StoreError::Closed,
            })?;
        }
        // The writer answers every job that it took; without an answer it is gone, and nobody knows how far it came.
        let outcome = answered.await.map_err(|_| StoreError::Unavailable)?;
        self.shared.duration.record(began.elapsed().as_secs_f64(), std::slice::from_ref(&self.shared.service));
        outcome
    }
}

/// The events after a position, in order.
pub(crate) async fn page(reader: &AnyPool, position: i64, limit: i64) -> Result<Vec<Recorded>, StoreError> {
    let sql = format!("select {COLUMNS} from event where position > $1 order by position limit $2");
    let rows = sqlx::query(AssertSqlSafe(sql)).bind(position).bind(limit).fetch_all(reader).await?;
    rows.iter().map(Recorded::from_row).collect()
}
