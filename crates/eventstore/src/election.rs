//! Who writes: the instance that gets the lock, makes the tables, raises the fence and brings the read models to the end.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use sqlx::{AssertSqlSafe, Row as _};

use crate::dialect::Dialect;
use crate::event::{COLUMNS, Digest};
use crate::transaction::{Head, Transaction};
use crate::{Options, Recorded, StoreError, read_model, schema};

/// How long connecting may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// What the elected writer has. Dropping it gives up the lock.
#[derive(Debug)]
pub(crate) struct Session {
    /// The writing connection. In `PostgreSQL` its session holds the lock.
    pub(crate) transaction: Transaction,
    /// The locked file of `SQLite`; dropped after the connection.
    _lock: Option<File>,
}

/// Locks the file of a writer; none when somebody else has it.
pub(crate) fn try_lock(file: &Path) -> std::io::Result<Option<File>> {
    let file = File::options().create(true).truncate(false).write(true).open(file)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(std::fs::TryLockError::WouldBlock) => Ok(None),
        Err(std::fs::TryLockError::Error(error)) => Err(error),
    }
}

/// Tries to become the writer; none when another instance is.
pub(crate) async fn elect(dialect: &Dialect, options: &Options) -> Result<Option<Session>, StoreError> {
    let lock = match dialect {
        Dialect::Sqlite { lock } => match try_lock(lock)? {
            Some(file) => Some(file),
            None => return Ok(None),
        },
        Dialect::Postgres { .. } => None,
    };
    let connect = async {
        let mut connection = dialect.connect(&options.url, &options.instance).await?;
        let locked = dialect.lock_session(&mut connection).await?;
        Ok::<_, StoreError>(locked.then_some(connection))
    };
    let connected = tokio::time::timeout(CONNECT_LIMIT, connect).await.map_err(|_| StoreError::Unavailable)?;
    let Some(mut connection) = connected? else { return Ok(None) };
    dialect.check_durability(&mut connection).await?;
    dialect.create_schema(&mut connection).await?;

    sqlx::raw_sql(AssertSqlSafe(dialect.begin_first())).execute(&mut connection).await?;
    schema::migrate(dialect, &mut connection, &options.tables).await?;
    // Waits for the last transaction of the writer before, should it still be running, and stops its next one.
    let row = sqlx::query("update writer_fence set fence = fence + 1, instance = $1 returning fence")
        .bind(&options.instance)
        .fetch_one(&mut connection)
        .await?;
    let fence = row.try_get(0)?;
    read_model::prepare(dialect, &mut connection, &options.read_models).await?;
    let sql = format!("select {COLUMNS} from event order by position desc limit 1");
    let last = sqlx::query(AssertSqlSafe(sql)).fetch_optional(&mut connection).await?;
    let last = last.as_ref().map(Recorded::from_row).transpose()?;
    let head = last.map_or_else(
        || Head { position: 0, hash: Digest::default() },
        |event| Head { position: event.position, hash: event.hash },
    );
    sqlx::raw_sql("commit").execute(&mut connection).await?;

    let (read_models, publisher) = (&options.read_models, options.publisher.clone());
    let mut transaction = Transaction::new(connection, dialect.clone(), read_models, publisher, fence, head);
    read_model::catch_up(&mut transaction, read_models).await?;
    Ok(Some(Session { transaction, _lock: lock }))
}
