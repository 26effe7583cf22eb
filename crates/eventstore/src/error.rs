//! Why something could not be read or written. No message repeats what an event or a bound value says.

/// The log could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Too much is waiting already. Nothing was done; try again later.
    #[error("too many commands are waiting")]
    Overloaded,
    /// The database went away before the outcome was known: it may have been stored, or not. Retry with the same
    /// command id.
    #[error("the database is away and the outcome unknown; retry with the same command id")]
    Unavailable,
    /// The disk of the database is full. What was asked for counts as not known: retry with the same command id when there
    /// is space again. Nothing else need be done then.
    #[error("the disk of the database is full; retry with the same command id")]
    Full,
    /// Another instance writes this log. Nothing was done; ask that one, or wait until this one takes over.
    #[error("another instance is the writer of this log")]
    NotTheWriter,
    /// The store was closed. Nothing was done.
    #[error("the event store is closed")]
    Closed,
    /// The job panicked: a bug. It was undone; the writer goes on.
    #[error("the job panicked and was undone")]
    Panicked,
    /// The job held the writer for more than ten seconds and was undone.
    #[error("the job took too long and was undone")]
    TookTooLong,
    /// The database refused or failed a statement.
    #[error("the database failed a statement")]
    Database(#[from] sqlx::Error),
    /// The database may lose what it acknowledged: it is configured so, or does not do as it was told.
    #[error("{setting} is {value}: what is acknowledged could be lost, so nothing will be written")]
    UnsafeDurability {
        /// The setting of the database.
        setting: &'static str,
        /// Its value.
        value: String,
    },
    /// A stored event cannot be read by this version of the program.
    #[error("the event at position {position} cannot be read")]
    Unreadable {
        /// Where it stands in the log.
        position: i64,
    },
    /// An event did not become a JSON object with a text in `type`.
    #[error("an event must be a JSON object with a text in \"type\"")]
    Untagged,
    /// The tables were made by a newer version of the program than this one.
    #[error("the tables of {name} are newer than this program")]
    NewerTables {
        /// The name of the set of tables.
        name: String,
    },
    /// There is no read model of this name.
    #[error("there is no such read model")]
    UnknownReadModel,
    /// The options cannot be used.
    #[error("{0}")]
    Options(&'static str),
    /// The lock file beside the database cannot be used.
    #[error("the lock file beside the database cannot be used")]
    LockFile(#[from] std::io::Error),
}

impl StoreError {
    /// Whether the disk of the database is full.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Full) || matches!(self, Self::Database(error) if disk_is_full(error))
    }
}

/// Whether a database refused because its disk is full.
pub fn disk_is_full(error: &sqlx::Error) -> bool {
    /// `SQLITE_FULL`.
    const SQLITE: &str = "13";
    /// `disk_full`.
    const POSTGRES: &str = "53100";
    let sqlx::Error::Database(error) = error else { return false };
    error.code().is_some_and(|code| code == SQLITE || code == POSTGRES)
}

/// A job given to [`crate::EventStore::transact`] did not come through. Nothing of it was stored, except perhaps when
/// the error is [`StoreError::Unavailable`].
#[derive(Debug, thiserror::Error)]
pub enum TransactError<E> {
    /// The job itself said no.
    #[error("the job was refused")]
    Work(E),
    /// The store could not run it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A command was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum HandleError<E> {
    /// The rules say no.
    #[error("the rules refuse the command")]
    Refused(E),
    /// The command id was used before, for another request.
    #[error("the command id was used before for another request")]
    CommandIdReused,
    /// The store could not run it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Events were not appended.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// The stream is not where the caller thought it is.
    #[error("the stream is at version {actual}, not at {expected}")]
    VersionConflict {
        /// What the caller expected.
        expected: i64,
        /// The version of the last event; 0 when there is none.
        actual: i64,
    },
    /// The store could not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The log is not what was written, or could not be read.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// An event is missing, was moved or was changed.
    #[error("the log is broken at position {position}")]
    Broken {
        /// The first position that is not as it was written.
        position: i64,
    },
    /// The log could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for AppendError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

impl From<sqlx::Error> for VerifyError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

impl<E> From<TransactError<Self>> for HandleError<E> {
    fn from(error: TransactError<Self>) -> Self {
        match error {
            TransactError::Work(error) => error,
            TransactError::Store(error) => Self::Store(error),
        }
    }
}
