//! Holding a log so that nobody writes it, without opening it: for whoever puts another database in its place.

use std::fs::File;

use sqlx::{AnyConnection, Executor as _};

use crate::StoreError;
use crate::dialect::Dialect;
use crate::election::try_lock;

/// The writer's place, taken. As long as this value lives, no instance can become the writer of the log.
#[derive(Debug)]
pub struct Claim {
    _held: Held,
}

#[derive(Debug)]
enum Held {
    File { _locked: File },
    Session { _locked: Box<AnyConnection> },
}

impl Claim {
    /// Takes the writer's place of a log, whether there is one yet or not; none when an instance writes it. `url` and
    /// `service` as in [`crate::Options`].
    ///
    /// # Errors
    /// When the database cannot be reached, or the lock file not be made.
    pub async fn of(url: &str, service: &str) -> Result<Option<Self>, StoreError> {
        sqlx::any::install_default_drivers();
        let dialect = Dialect::of(url, service)?;
        let held = match &dialect {
            Dialect::Sqlite { lock } => try_lock(lock)?.map(|locked| Held::File { _locked: locked }),
            Dialect::Postgres { .. } => {
                let mut connection = dialect.connect(url, "claim").await?;
                // A writer's session ends when it is silent; this one is.
                connection.execute("set idle_session_timeout = 0").await?;
                let locked = dialect.lock_session(&mut connection).await?;
                locked.then(|| Held::Session { _locked: Box::new(connection) })
            }
        };
        Ok(held.map(|held| Self { _held: held }))
    }
}
