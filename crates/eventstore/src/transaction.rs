//! What a job works with: the writing connection inside a transaction that it shares with other jobs.

use std::sync::Arc;

use serde_json::Value;
use spean_eventsourcing::Aggregate;
use sqlx::{AnyConnection, AssertSqlSafe, Executor as _, Row as _};

use crate::dialect::Dialect;
use crate::event::{COLUMN_COUNT, COLUMNS, Digest};
use crate::points::lacks_for;
use crate::{
    AppendError, Expected, HandleError, Handled, Loaded, Metadata, Publisher, ReadModel, Recorded, StoreError,
};

/// How many events one statement inserts.
const ROWS: usize = 50;

/// One job's part of a transaction. What it writes is kept when the job succeeds and undone when it fails, without
/// touching what other jobs wrote. Wait for nothing but the database while holding it: everybody waits for you.
pub struct Transaction {
    connection: AnyConnection,
    dialect: Dialect,
    read_models: Arc<[Arc<dyn ReadModel>]>,
    publisher: Option<Arc<dyn Publisher>>,
    fence: i64,
    /// The end of the log as this transaction sees it, when the current job began, and as committed.
    head: Head,
    job_start: Head,
    committed: Head,
    /// Whether earlier jobs of this group wrote something that is kept.
    dirty: bool,
    /// Whether a savepoint of an earlier job is still there.
    leftover: bool,
    job: JobState,
}

/// What is known of the job that runs.
#[derive(Clone, Copy, Debug, Default)]
struct JobState {
    /// It may have written something.
    wrote: bool,
    /// A statement of it failed, or was broken off.
    broken: bool,
    /// It can be undone alone, by its savepoint.
    protected: bool,
}

/// The end of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) position: i64,
    pub(crate) hash: Digest,
}

/// Why a transaction with all its jobs came to nothing.
#[derive(Debug)]
pub(crate) enum Lost {
    /// Another writer was elected meanwhile.
    Fenced,
    /// The database failed.
    Database(sqlx::Error),
    /// The database did not answer in time.
    Silent,
}

impl From<sqlx::Error> for Lost {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

impl std::fmt::Debug for Transaction {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Transaction").field("head", &self.head).finish_non_exhaustive()
    }
}

impl Transaction {
    /// The bare connection, for the tables of other crates. Only what it writes within this job is undone with it: do
    /// not begin, commit or roll back here.
    pub fn connection(&mut self) -> &mut AnyConnection {
        self.job.wrote = true;
        &mut self.connection
    }

    /// An aggregate as its events say it is, those of this transaction included.
    ///
    /// # Errors
    /// When the database fails, or an event is of a shape that this program does not know.
    pub async fn load<A: Aggregate>(&mut self, id: &str) -> Result<Loaded<A>, StoreError> {
        let loaded = load(&mut self.connection, id).await;
        self.job.broken |= matches!(loaded, Err(StoreError::Database(_)));
        loaded
    }

    /// Loads, decides and appends. When a command id is given that was seen before this job, nothing is decided: the
    /// events of that time are returned.
    ///
    /// # Errors
    /// When the rules refuse it, the command id was used for another request, or the database fails.
    pub async fn decide<A: Aggregate>(
        &mut self,
        id: &str,
        command: A::Command,
        context: &A::Context,
        metadata: &Metadata,
    ) -> Result<Vec<Recorded>, HandleError<A::Error>> {
        let handled = self.decide_once::<A>(id, command, context, metadata, false).await?;
        Ok(handled.events)
    }

    /// Appends events, which must be JSON objects with a text in `type`. Returns them as they were stored.
    ///
    /// # Errors
    /// When the stream is not at the expected version, or the database fails.
    pub async fn append(
        &mut self,
        category: &str,
        id: &str,
        expected: Expected,
        events: Vec<Value>,
        metadata: &Metadata,
    ) -> Result<Vec<Recorded>, AppendError> {
        let version = sqlx::query("select coalesce(max(version), 0) from event where category = $1 and id = $2")
            .bind(category)
            .bind(id)
            .fetch_one(&mut self.connection)
            .await
            .and_then(|row| row.try_get(0));
        let actual: i64 = self.note(version)?;
        match expected {
            Expected::Version(expected) if expected != actual => Err(AppendError::VersionConflict { expected, actual }),
            _ => Ok(self.append_after(category, id, actual, events, metadata).await?),
        }
    }

    /// Remembers how far a follower of the log has come. Read it with [`crate::EventStore::saved_position`].
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save_position(&mut self, reader: &str, position: i64) -> Result<(), StoreError> {
        let statement = sqlx::query(
            "insert into reader_position (reader, position) values ($1, $2)
             on conflict (reader) do update set position = excluded.position",
        );
        let saved = statement.bind(reader).bind(position).execute(self.connection()).await;
        self.note(saved)?;
        Ok(())
    }

    /// The events that a command led to before this job; none when it was not seen.
    ///
    /// # Errors
    /// When the id was used for another request, or the database fails.
    pub async fn seen<E>(&mut self, metadata: &Metadata) -> Result<Vec<Recorded>, HandleError<E>> {
        let Some(command_id) = metadata.command_id else { return Ok(Vec::new()) };
        let sql = format!("select {COLUMNS} from event where command_id = $1 and position <= $2 order by position");
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(command_id.to_string())
            .bind(self.job_start.position)
            .fetch_all(&mut self.connection)
            .await;
        let events = self.note(rows)?.iter().map(Recorded::from_row).collect::<Result<Vec<_>, _>>()?;
        if events.iter().any(|event| event.metadata.request_digest != metadata.request_digest) {
            return Err(HandleError::CommandIdReused);
        }
        Ok(events)
    }

    /// As [`Self::decide`]. `alone`: the command is all that the request does, so its id cannot belong elsewhere.
    pub(crate) async fn decide_once<A: Aggregate>(
        &mut self,
        id: &str,
        command: A::Command,
        context: &A::Context,
        metadata: &Metadata,
        alone: bool,
    ) -> Result<Handled, HandleError<A::Error>> {
        let mut events = self.seen(metadata).await?;
        let any = !events.is_empty();
        events.retain(|event| event.category == A::CATEGORY && event.id == id);
        if let Some(last) = events.last() {
            return Ok(Handled { version: last.version, events, replayed: true });
        }
        if any && alone {
            return Err(HandleError::CommandIdReused);
        }
        let Loaded { state, version } = self.load::<A>(id).await?;
        let decided = state.decide(command, context).map_err(HandleError::Refused)?;
        let values = decided.iter().map(serde_json::to_value).collect::<Result<Vec<_>, _>>();
        let values = values.map_err(|_| StoreError::Untagged)?;
        let events = self.append_after(A::CATEGORY, id, version, values, metadata).await?;
        let version = events.last().map_or(version, |event| event.version);
        Ok(Handled { events, version, replayed: false })
    }

    async fn append_after(
        &mut self,
        category: &str,
        id: &str,
        version: i64,
        events: Vec<Value>,
        metadata: &Metadata,
    ) -> Result<Vec<Recorded>, StoreError> {
        let mut head = self.head;
        let mut recorded = Vec::with_capacity(events.len());
        for (version, event) in (version + 1..).zip(events) {
            let Some(Value::String(event_type)) = event.get("type") else { return Err(StoreError::Untagged) };
            let mut event = Recorded {
                position: head.position + 1,
                category: category.to_owned(),
                id: id.to_owned(),
                version,
                event_type: event_type.clone(),
                payload: event.to_string(),
                metadata: metadata.clone(),
                hash: Digest::default(),
            };
            event.hash = event.hash_after(&head.hash);
            head = Head { position: event.position, hash: event.hash };
            recorded.push(event);
        }
        if recorded.is_empty() {
            return Ok(recorded);
        }
        self.protect().await?;
        self.job.wrote = true;
        for rows in recorded.chunks(ROWS) {
            let inserted = insert(&mut self.connection, rows).await;
            self.note(inserted)?;
        }
        self.head = head;
        let (read_models, publisher) = (Arc::clone(&self.read_models), self.publisher.clone());
        for event in &recorded {
            for read_model in &*read_models {
                let applied = read_model.apply(event, &mut self.connection).await;
                self.note(applied)?;
            }
            if let Some(publisher) = &publisher {
                publisher.publish(event, self).await?;
            }
        }
        Ok(recorded)
    }

    fn note<T>(&mut self, result: Result<T, sqlx::Error>) -> Result<T, StoreError> {
        self.job.broken |= result.is_err();
        Ok(result?)
    }
}

/// What the writer does with it.
impl Transaction {
    pub(crate) fn new(
        connection: AnyConnection,
        dialect: Dialect,
        read_models: &[Arc<dyn ReadModel>],
        publisher: Option<Arc<dyn Publisher>>,
        fence: i64,
        head: Head,
    ) -> Self {
        Self {
            connection,
            dialect,
            read_models: read_models.into(),
            publisher,
            fence,
            head,
            job_start: head,
            committed: head,
            dirty: false,
            leftover: false,
            job: JobState::default(),
        }
    }

    pub(crate) fn head(&self) -> Head {
        self.head
    }

    pub(crate) fn raw(&mut self) -> &mut AnyConnection {
        &mut self.connection
    }

    /// Opens the transaction, unless another writer was elected meanwhile. The fence stays locked until the commit, so
    /// nobody can be elected in between.
    pub(crate) async fn begin(&mut self) -> Result<(), Lost> {
        let rows = sqlx::raw_sql(self.dialect.begin()).fetch_all(&mut self.connection).await?;
        let fence: i64 = rows.first().ok_or(Lost::Fenced)?.try_get(0)?;
        if fence != self.fence {
            sqlx::raw_sql("rollback").execute(&mut self.connection).await?;
            return Err(Lost::Fenced);
        }
        (self.head, self.job_start) = (self.committed, self.committed);
        (self.dirty, self.leftover) = (false, false);
        self.start_job();
        Ok(())
    }

    pub(crate) fn start_job(&mut self) {
        self.job_start = self.head;
        self.job = JobState::default();
    }

    /// Makes the job undoable alone. Needed only after a job whose work must stay: otherwise the whole transaction is
    /// rolled back and begun again.
    pub(crate) async fn protect(&mut self) -> Result<(), StoreError> {
        if !self.dirty || self.job.protected {
            return Ok(());
        }
        let again = "release savepoint job; savepoint job";
        let statement = if self.leftover { again } else { "savepoint job" };
        let done = sqlx::raw_sql(statement).execute(&mut self.connection).await;
        self.note(done)?;
        (self.job.protected, self.leftover) = (true, true);
        Ok(())
    }

    /// Whether the transaction can still be committed. `PostgreSQL` answers the commit of a transaction in which a
    /// statement failed with a silent rollback, and a job may have swallowed such an error.
    pub(crate) async fn is_sound(&mut self) -> bool {
        if !self.job.wrote {
            return !self.job.broken;
        }
        sqlx::raw_sql("select 1").execute(&mut self.connection).await.is_ok()
    }

    pub(crate) fn keep_job(&mut self) {
        self.dirty |= self.job.wrote;
    }

    pub(crate) fn mark_broken(&mut self) {
        self.job.broken = true;
    }

    pub(crate) async fn undo_job(&mut self) -> Result<(), Lost> {
        if self.job.protected {
            sqlx::raw_sql("rollback to savepoint job").execute(&mut self.connection).await?;
        } else if !self.dirty && (self.job.wrote || self.job.broken) {
            sqlx::raw_sql("rollback").execute(&mut self.connection).await?;
            self.begin().await?;
        } else if self.job.broken {
            // It only read, but the others' work is in doubt if a statement failed.
            sqlx::raw_sql("select 1").execute(&mut self.connection).await?;
        }
        self.head = self.job_start;
        Ok(())
    }

    /// Commits the jobs that were kept; without any that wrote, it costs no flush.
    pub(crate) async fn commit(&mut self) -> Result<Head, Lost> {
        if !self.dirty {
            sqlx::raw_sql("rollback").execute(&mut self.connection).await?;
            return Ok(self.committed);
        }
        if self.head != self.committed && !self.read_models.is_empty() {
            sqlx::query("update read_model set position = $1 where live = 1")
                .bind(self.head.position)
                .execute(&mut self.connection)
                .await?;
        }
        // The query makes the commit of a failed transaction fail, see is_sound.
        sqlx::raw_sql("select 1; commit").execute(&mut self.connection).await?;
        self.committed = self.head;
        Ok(self.committed)
    }

    /// Says something, so that the server does not take this session for dead.
    pub(crate) async fn heartbeat(&mut self) -> Result<(), Lost> {
        self.connection.execute("select 1").await?;
        Ok(())
    }

    /// Empties a read model and fills it again from the log.
    pub(crate) async fn rebuild(&mut self, name: &str) -> Result<(), StoreError> {
        let read_models = Arc::clone(&self.read_models);
        let read_model =
            read_models.iter().find(|read_model| read_model.name() == name).ok_or(StoreError::UnknownReadModel)?;
        let connection = self.connection();
        for table in read_model.tables().iter().rev() {
            connection.execute(AssertSqlSafe(format!("delete from {table}"))).await?;
        }
        fail::fail_point!("rebuild::emptied");
        let mut position = 0;
        while let Some(reached) = crate::read_model::apply_page(&**read_model, position, connection).await? {
            position = reached;
        }
        Ok(())
    }

    /// Closes the connection with a farewell.
    pub(crate) async fn close(self) {
        // Only good manners: the database notices by itself.
        let _ = sqlx::Connection::close(self.connection).await;
    }
}

/// Folds a stream.
pub(crate) async fn load<A: Aggregate>(connection: &mut AnyConnection, id: &str) -> Result<Loaded<A>, StoreError> {
    let rows = sqlx::query(
        "select position, version, payload, event_type from event where category = $1 and id = $2 order by version",
    )
    .bind(A::CATEGORY)
    .bind(id)
    .fetch_all(connection)
    .await?;
    let mut loaded = Loaded { state: A::default(), version: 0 };
    for row in rows {
        let payload: &str = row.try_get(2)?;
        if lacks_for("sabotage::memory", row.try_get(3)?) {
            loaded.version = row.try_get(1)?;
            continue;
        }
        let Ok(event) = serde_json::from_str(payload) else {
            return Err(StoreError::Unreadable { position: row.try_get(0)? });
        };
        loaded = Loaded { state: loaded.state.evolve(&event), version: row.try_get(1)? };
    }
    Ok(loaded)
}

/// One statement for all rows: with this driver the cost is per statement.
async fn insert(connection: &mut AnyConnection, events: &[Recorded]) -> Result<(), sqlx::Error> {
    let row = |row: usize| {
        let parameters: Vec<_> = (1..=COLUMN_COUNT).map(|column| format!("${}", row * COLUMN_COUNT + column)).collect();
        format!("({})", parameters.join(", "))
    };
    let rows: Vec<_> = (0..events.len()).map(row).collect();
    let sql = format!("insert into event ({COLUMNS}) values {}", rows.join(", "));
    let mut statement = sqlx::query(AssertSqlSafe(sql));
    for Recorded { position, category, id, version, event_type, payload, metadata, hash } in events {
        statement = statement
            .bind(position)
            .bind(category)
            .bind(id)
            .bind(version)
            .bind(event_type)
            .bind(payload)
            .bind(metadata.command_id.map(|id| id.to_string()))
            .bind(metadata.request_digest.map(|digest| digest.as_bytes().to_vec()))
            .bind(metadata.office.as_str())
            .bind(metadata.staff.as_ref().map(|staff| staff.as_str().to_owned()))
            .bind(metadata.recorded_at.as_micros())
            .bind(metadata.occurred_on.map(|date| date.to_string()))
            .bind(metadata.trace.clone())
            .bind(hash.as_bytes().to_vec());
    }
    statement.execute(connection).await.map(drop)
}
