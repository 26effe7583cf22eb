//! The vault's database: `SQLite` or `PostgreSQL`, and where they differ.

use std::str::FromStr as _;
use std::time::Duration;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{Any, AnyPool, AssertSqlSafe, ConnectOptions as _, Executor as _, Transaction};

use crate::VaultError;

/// How long a caller waits for the one connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

/// `secure_delete` overwrites what is deleted, which matters for the keys of people.
const SQLITE_SESSION: &str = "pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on; \
    pragma secure_delete = on; pragma busy_timeout = 5000";

const SQLITE_LOOK: &str = "pragma foreign_keys = on; pragma query_only = on; pragma busy_timeout = 5000";

/// Held until the end of the transaction. As text, because the driver knows no `void`.
const POSTGRES_LOCK: &str = "select pg_advisory_xact_lock(hashtext('spean vault'))::text";

/// Written with `blob`, which `PostgreSQL` calls `bytea`. Instants are microseconds since the epoch.
const TABLES: &[&str] = &[
    // One row: a known text sealed with the vault's key, to notice that it is opened with another.
    "create table if not exists vault_mark (one bigint primary key check (one = 1), sealed blob not null)",
    "create table if not exists person_key (person_id text primary key, wrapped blob not null, created_at bigint not null)",
    "create table if not exists sealed_part (
        person_id text not null references person_key (person_id),
        part text not null,
        version bigint not null,
        sealed blob not null,
        recorded_at bigint not null,
        primary key (person_id, part)
    )",
    "create table if not exists dossier (
        offer_id text not null,
        direction text not null check (direction in ('out', 'in')),
        person_id text not null references person_key (person_id),
        sealed blob not null,
        digest blob not null,
        kept_at bigint not null,
        primary key (offer_id, direction)
    )",
    "create index if not exists dossier_person on dossier (person_id)",
    // What a service of this node keeps of a person for whoever holds the case next.
    "create table if not exists file_section (
        person_id text not null references person_key (person_id),
        service text not null,
        part text not null,
        sealed blob not null,
        written_at bigint not null,
        primary key (person_id, service, part)
    )",
    // What earlier holders kept, as it came with a dossier. Never written by the services of this node.
    "create table if not exists history_section (
        person_id text not null references person_key (person_id),
        origin_office text not null,
        service text not null,
        part text not null,
        sealed blob not null,
        written_at bigint not null,
        received_at bigint not null,
        primary key (person_id, origin_office, service, part)
    )",
    "create table if not exists attachment (
        person_id text not null references person_key (person_id),
        attachment_id text not null,
        sealed blob not null,
        kept_at bigint not null,
        primary key (person_id, attachment_id)
    )",
    // Without a reference to person_key: that somebody read is a fact that outlives the data.
    "create table if not exists reading (
        subject text not null,
        number bigint not null,
        staff text not null,
        office text not null,
        what text not null,
        purpose blob not null,
        read_at bigint not null,
        primary key (subject, number)
    )",
];

/// One connection: the vault is small, and whoever reads also writes down that they did.
#[derive(Debug)]
pub(crate) struct Database {
    pool: AnyPool,
    dialect: Dialect,
    /// Asks nothing. While a database in a file is open somewhere, another connection to it needs no space on the disk;
    /// the first one does, so the only one of a vault, once lost, would not come back before a full disk has space again.
    _keeper: Option<AnyPool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dialect {
    Sqlite,
    Postgres,
}

impl Database {
    /// Connects and makes the tables that are missing.
    pub(crate) async fn open(url: &str) -> Result<Self, VaultError> {
        sqlx::any::install_default_drivers();
        let dialect = Dialect::of(url)?;
        let options = AnyConnectOptions::from_str(&dialect.complete(url))?.disable_statement_logging();
        let pool = AnyPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    let session = if dialect == Dialect::Sqlite { SQLITE_SESSION } else { "set search_path to vault" };
                    connection.execute(session).await.map(drop)
                })
            })
            .connect_with(options.clone())
            .await?;
        let keeper = if dialect == Dialect::Sqlite { Some(keep_open(options).await?) } else { None };
        let database = Self { pool, dialect, _keeper: keeper };
        let mut transaction = database.begin().await?;
        if dialect == Dialect::Postgres {
            transaction.execute("create schema if not exists vault").await?;
        }
        for table in TABLES {
            transaction.execute(AssertSqlSafe(dialect.ddl(table))).await?;
        }
        transaction.commit().await?;
        Ok(database)
    }

    /// Connects to a vault that is there already, for somebody who only looks.
    pub(crate) async fn look(url: &str) -> Result<Self, VaultError> {
        sqlx::any::install_default_drivers();
        let dialect = Dialect::of(url)?;
        let url = if dialect == Dialect::Sqlite { format!("{url}?mode=rw") } else { url.to_owned() };
        let options = AnyConnectOptions::from_str(&url)?.disable_statement_logging();
        let pool = AnyPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    let session = if dialect == Dialect::Sqlite { SQLITE_LOOK } else { "set search_path to vault" };
                    connection.execute(session).await.map(drop)
                })
            })
            .connect_with(options)
            .await?;
        Ok(Self { pool, dialect, _keeper: None })
    }

    /// Begins a transaction that sees one moment and cannot write. Nobody waits for it.
    pub(crate) async fn begin_to_look(&self) -> Result<Transaction<'static, Any>, VaultError> {
        let begin = match self.dialect {
            Dialect::Sqlite => "begin",
            Dialect::Postgres => "begin isolation level repeatable read read only",
        };
        Ok(self.pool.begin_with(begin).await?)
    }

    /// Begins a transaction that may write. Whoever else writes, in this process or another, waits.
    pub(crate) async fn begin(&self) -> Result<Transaction<'static, Any>, VaultError> {
        if let Ok(transaction) = self.try_begin().await {
            return Ok(transaction);
        }
        // After a commit that failed, on a disk that is full for example, a connection begins nothing any more. Another
        // one takes its place; that the old one cannot be closed in order is no news.
        let _ = self.pool.acquire().await?.close().await;
        self.try_begin().await
    }

    async fn try_begin(&self) -> Result<Transaction<'static, Any>, VaultError> {
        match self.dialect {
            Dialect::Sqlite => Ok(self.pool.begin_with("begin immediate").await?),
            Dialect::Postgres => {
                let mut transaction = self.pool.begin().await?;
                transaction.execute(POSTGRES_LOCK).await?;
                Ok(transaction)
            }
        }
    }

    /// After an erasure: brings the overwritten pages from the write-ahead log into the file and empties the log.
    pub(crate) async fn forget_deleted(&self) -> Result<(), VaultError> {
        if self.dialect == Dialect::Sqlite {
            self.pool.execute("pragma wal_checkpoint(truncate)").await?;
        }
        Ok(())
    }
}

/// One connection that stays as long as its pool.
async fn keep_open(options: AnyConnectOptions) -> Result<AnyPool, VaultError> {
    let once = AnyPoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None);
    let keeper = once.connect_with(options).await?;
    // Opened in earnest only when something is read.
    keeper.execute("select count(*) from sqlite_master").await?;
    Ok(keeper)
}

impl Dialect {
    fn of(url: &str) -> Result<Self, VaultError> {
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            Ok(Self::Postgres)
        } else if url.strip_prefix("sqlite://").is_some_and(|path| !path.is_empty() && !path.contains(':')) {
            Ok(Self::Sqlite)
        } else {
            Err(VaultError::Url)
        }
    }

    fn complete(self, url: &str) -> String {
        if self == Self::Sqlite && !url.contains('?') { format!("{url}?mode=rwc") } else { url.to_owned() }
    }

    fn ddl(self, statement: &str) -> String {
        match self {
            Self::Sqlite => statement.to_owned(),
            Self::Postgres => statement.replace(" blob ", " bytea "),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vault_in_memory_is_refused() {
        for url in ["sqlite::memory:", "sqlite://:memory:", "sqlite://", "mysql://x/y", ""] {
            assert!(Dialect::of(url).is_err(), "{url:?} was accepted");
        }
    }
}
