//! Where `SQLite` and `PostgreSQL` differ, side by side, and nowhere else.

use std::path::PathBuf;
use std::str::FromStr as _;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{AnyConnection, AnyPool, AssertSqlSafe, ConnectOptions as _, Executor as _, Row as _};

use crate::StoreError;
use crate::event::Digest;

/// Connections for queries: a file is read by one process, a server by many.
const SQLITE_READERS: u32 = 4;
const POSTGRES_READERS: u32 = 8;

/// How long a query waits for a connection.
const ACQUIRE_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(5);

/// What a new writing session of `PostgreSQL` says first. A writer that is gone without a farewell loses its session,
/// and with it the lock, within about fifteen seconds: by the keep-alive when its machine is gone, by the other
/// two when the process hangs (a live writer says something every few seconds).
const POSTGRES_SESSION: &str = "set tcp_keepalives_idle = 5; set tcp_keepalives_interval = 3; \
    set tcp_keepalives_count = 3; set tcp_user_timeout = 15000; set idle_session_timeout = '15s'; \
    set idle_in_transaction_session_timeout = '15s'";

const SQLITE_SESSION: &str = "pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on; \
                              pragma busy_timeout = 5000";

const SQLITE_READER: &str = "pragma foreign_keys = on; pragma query_only = on; pragma busy_timeout = 5000";

/// One of the two databases.
#[derive(Clone, Debug)]
pub(crate) enum Dialect {
    /// One file per service, and beside it the file that the writer locks.
    Sqlite {
        /// The lock file.
        lock: PathBuf,
    },
    /// One schema per service.
    Postgres {
        /// The schema.
        schema: String,
    },
}

impl Dialect {
    /// Reads it off the URL.
    pub(crate) fn of(url: &str, service: &str) -> Result<Self, StoreError> {
        let sound = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if !(1..=40).contains(&service.len())
            || !service.bytes().all(sound)
            || !service.as_bytes()[0].is_ascii_lowercase()
        {
            return Err(StoreError::Options("the service must be 1 to 40 of a-z, 0-9 and _, beginning with a letter"));
        }
        if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            return Ok(Self::Postgres { schema: service.to_owned() });
        }
        let Some(path) = url.strip_prefix("sqlite://") else {
            return Err(StoreError::Options("the url must begin with sqlite:// or postgres://"));
        };
        if path.is_empty() || path.contains([':', '?', '%', '#']) {
            return Err(StoreError::Options("the url of a SQLite database must be sqlite:// and a plain path"));
        }
        Ok(Self::Sqlite { lock: format!("{path}.lock").into() })
    }

    fn connect_options(&self, url: &str, writer: bool) -> Result<AnyConnectOptions, StoreError> {
        let url = match self {
            Self::Sqlite { .. } if writer => format!("{url}?mode=rwc"),
            Self::Sqlite { .. } => format!("{url}?mode=rw"),
            Self::Postgres { schema } => {
                let mark = if url.contains('?') { '&' } else { '?' };
                let read_only = if writer { "" } else { "&options[default_transaction_read_only]=on" };
                format!("{url}{mark}options[search_path]={schema}{read_only}")
            }
        };
        Ok(AnyConnectOptions::from_str(&url)?.disable_statement_logging())
    }

    /// Connections that can only read. None is opened yet.
    pub(crate) fn reader(&self, url: &str) -> Result<AnyPool, StoreError> {
        let options = AnyPoolOptions::new().acquire_timeout(ACQUIRE_TIMEOUT);
        let options = match self {
            Self::Sqlite { .. } => options
                .max_connections(SQLITE_READERS)
                .test_before_acquire(false)
                .after_connect(|connection, _| Box::pin(async { connection.execute(SQLITE_READER).await.map(drop) })),
            // The test stays: after a restart of the server it saves the first callers from a dead connection.
            Self::Postgres { .. } => options.max_connections(POSTGRES_READERS),
        };
        Ok(options.connect_lazy_with(self.connect_options(url, false)?))
    }

    /// The connection of the writer.
    pub(crate) async fn connect(&self, url: &str, instance: &str) -> Result<AnyConnection, StoreError> {
        let mut connection = self.connect_options(url, true)?.connect().await?;
        match self {
            Self::Sqlite { .. } => {
                sqlx::raw_sql(SQLITE_SESSION).execute(&mut connection).await?;
            }
            Self::Postgres { .. } => {
                sqlx::raw_sql(POSTGRES_SESSION).execute(&mut connection).await?;
                sqlx::query("select set_config('application_name', $1, false)")
                    .bind(instance)
                    .fetch_all(&mut connection)
                    .await?;
            }
        }
        Ok(connection)
    }

    /// A connection that can only read, for somebody who looks once.
    pub(crate) async fn connect_to_look(&self, url: &str) -> Result<AnyConnection, StoreError> {
        let mut connection = self.connect_options(url, false)?.connect().await?;
        if matches!(self, Self::Sqlite { .. }) {
            connection.execute(SQLITE_READER).await?;
        }
        Ok(connection)
    }

    /// Whether this session may write: always in `SQLite`, where the lock file says so; in `PostgreSQL` the one
    /// that gets the lock, which the server gives back when the session ends for whatever reason.
    pub(crate) async fn lock_session(&self, connection: &mut AnyConnection) -> Result<bool, StoreError> {
        let Self::Postgres { schema } = self else { return Ok(true) };
        let digest = Digest::of(format!("spean event log {schema}").as_bytes());
        let (key, _) = digest.as_bytes().split_first_chunk::<8>().expect("a digest has 32 bytes");
        let row =
            sqlx::query("select pg_try_advisory_lock($1)").bind(i64::from_be_bytes(*key)).fetch_one(connection).await?;
        Ok(row.try_get(0)?)
    }

    /// Refuses a database that may lose what it acknowledged.
    pub(crate) async fn check_durability(&self, connection: &mut AnyConnection) -> Result<(), StoreError> {
        match self {
            Self::Sqlite { .. } => {
                let mode: String = sqlx::query("pragma journal_mode").fetch_one(&mut *connection).await?.try_get(0)?;
                if mode != "wal" {
                    return Err(StoreError::UnsafeDurability { setting: "journal_mode", value: mode });
                }
                let level: i64 = sqlx::query("pragma synchronous").fetch_one(connection).await?.try_get(0)?;
                if level < 2 {
                    return Err(StoreError::UnsafeDurability { setting: "synchronous", value: level.to_string() });
                }
            }
            Self::Postgres { .. } => {
                for setting in ["fsync", "full_page_writes", "synchronous_commit"] {
                    let row =
                        sqlx::query("select current_setting($1)").bind(setting).fetch_one(&mut *connection).await?;
                    let value: String = row.try_get(0)?;
                    if value == "off" {
                        return Err(StoreError::UnsafeDurability { setting, value });
                    }
                }
            }
        }
        Ok(())
    }

    /// Makes the place for the tables.
    pub(crate) async fn create_schema(&self, connection: &mut AnyConnection) -> Result<(), StoreError> {
        let Self::Postgres { schema } = self else { return Ok(()) };
        // Asked first, because "if not exists" needs the right to create even when there is nothing to create.
        let row =
            sqlx::query("select to_regnamespace($1) is not null").bind(schema).fetch_one(&mut *connection).await?;
        if !row.try_get::<bool, _>(0)? {
            connection.execute(AssertSqlSafe(format!("create schema {schema}"))).await?;
        }
        Ok(())
    }

    /// Opens a transaction that may write and tells the fence.
    pub(crate) fn begin(&self) -> &'static str {
        match self {
            Self::Sqlite { .. } => "begin immediate; select fence from writer_fence",
            Self::Postgres { .. } => "begin; select fence from writer_fence for update",
        }
    }

    /// Opens a transaction that sees one moment and cannot write.
    pub(crate) fn begin_to_look(&self) -> &'static str {
        match self {
            Self::Sqlite { .. } => "begin",
            Self::Postgres { .. } => "begin isolation level repeatable read read only",
        }
    }

    /// Opens a transaction before there is a fence.
    pub(crate) fn begin_first(&self) -> &'static str {
        match self {
            Self::Sqlite { .. } => "begin immediate",
            Self::Postgres { .. } => "begin",
        }
    }

    /// Data definition, written once with the word `blob`.
    pub(crate) fn ddl(&self, statements: &str) -> String {
        match self {
            Self::Sqlite { .. } => statements.to_owned(),
            Self::Postgres { .. } => replace_word(statements, "blob", "bytea"),
        }
    }

    /// Drops a table with all that hangs onto it.
    pub(crate) fn drop_table(&self, table: &str) -> String {
        match self {
            Self::Sqlite { .. } => format!("drop table if exists {table}"),
            Self::Postgres { .. } => format!("drop table if exists {table} cascade"),
        }
    }

    /// Whether a silent writer would lose its session.
    pub(crate) fn needs_heartbeat(&self) -> bool {
        matches!(self, Self::Postgres { .. })
    }
}

/// Replaces whole words only: `blob`, but not the `blob` in `blob_count`.
fn replace_word(text: &str, word: &str, replacement: &str) -> String {
    let of_a_word = |character: char| character.is_alphanumeric() || character == '_';
    let mut replaced = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(word) {
        let (before, after) = (&rest[..start], &rest[start + word.len()..]);
        let whole = !before.ends_with(of_a_word) && !after.starts_with(of_a_word);
        replaced.push_str(before);
        replaced.push_str(if whole { replacement } else { word });
        rest = after;
    }
    replaced + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_word_is_replaced() {
        let replaced =
            replace_word("create table t (blob_count bigint, body blob not null, ablob blob)", "blob", "bytea");
        assert_eq!(replaced, "create table t (blob_count bigint, body bytea not null, ablob bytea)");
    }

    #[test]
    fn a_memory_database_is_refused() {
        for url in ["sqlite::memory:", "sqlite://:memory:", "sqlite://", "mysql://x", "sqlite:///x?mode=memory"] {
            assert!(Dialect::of(url, "cases").is_err(), "{url} was accepted");
        }
    }

    #[test]
    fn a_service_that_would_need_quotes_is_refused() {
        for service in ["", "follow-up", "Cases", "a b", "1cases", "x;drop"] {
            assert!(Dialect::of("postgres://localhost/x", service).is_err(), "{service} was accepted");
        }
    }
}
