//! One moment of a log, for whoever examines it: nothing is written, and nothing that is committed meanwhile shows.

use sqlx::{AnyConnection, AssertSqlSafe, Row as _};

use crate::dialect::Dialect;
use crate::event::{COLUMNS, Digest};
use crate::{Recorded, StoreError, Verified, VerifyError};

/// A log and the tables beside it as they were at one moment. The node may run and write meanwhile.
#[derive(Debug)]
pub struct Snapshot {
    connection: AnyConnection,
}

/// How far a read model of a log has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadModelState {
    /// See [`crate::ReadModel::version`].
    pub version: i64,
    /// The last event that is in it.
    pub position: i64,
    /// Whether the program that wrote last keeps it.
    pub is_live: bool,
}

impl Snapshot {
    /// Looks at the log of a service; `url` and `service` as in [`crate::Options`].
    ///
    /// # Errors
    /// When the database is not there, or holds no log of this service.
    pub async fn open(url: &str, service: &str) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let dialect = Dialect::of(url, service)?;
        let mut connection = dialect.connect_to_look(url).await?;
        sqlx::raw_sql(dialect.begin_to_look()).execute(&mut connection).await?;
        // SQLite takes its view of the database with the first look, and not before.
        sqlx::query("select count(*) from writer_fence").fetch_one(&mut connection).await?;
        Ok(Self { connection })
    }

    /// The events after a position, at most `limit`, in order.
    ///
    /// # Errors
    /// When the database fails, or an event cannot be read by this version of the program.
    pub async fn events_after(&mut self, position: i64, limit: i64) -> Result<Vec<Recorded>, StoreError> {
        let sql = format!("select {COLUMNS} from event where position > $1 order by position limit $2");
        let rows = sqlx::query(AssertSqlSafe(sql)).bind(position).bind(limit).fetch_all(&mut self.connection).await?;
        rows.iter().map(Recorded::from_row).collect()
    }

    /// How far a read model has come; none when it was never made.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn read_model(&mut self, name: &str) -> Result<Option<ReadModelState>, StoreError> {
        let row = sqlx::query("select version, position, live from read_model where name = $1")
            .bind(name)
            .fetch_optional(&mut self.connection)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let (version, position) = (row.try_get(0)?, row.try_get(1)?);
        Ok(Some(ReadModelState { version, position, is_live: row.try_get::<i64, _>(2)? == 1 }))
    }

    /// The connection, for queries about the tables of other crates.
    pub fn connection(&mut self) -> &mut AnyConnection {
        &mut self.connection
    }

    /// Ends the look.
    pub async fn close(self) {
        // Only good manners: it wrote nothing.
        let _ = sqlx::Connection::close(self.connection).await;
    }
}

/// Follows a log from its beginning, event by event, and notices the first that is not as it was written.
#[derive(Clone, Copy, Debug)]
pub struct Chain {
    verified: Verified,
}

impl Default for Chain {
    fn default() -> Self {
        Self { verified: Verified { events: 0, head_hash: Digest::default() } }
    }
}

impl Chain {
    /// Takes the next event.
    ///
    /// # Errors
    /// When it is missing, was moved or was changed.
    pub fn follow(&mut self, event: &Recorded) -> Result<(), VerifyError> {
        let position = self.verified.events + 1;
        if event.position != position || event.hash_after(&self.verified.head_hash) != event.hash {
            return Err(VerifyError::Broken { position });
        }
        self.verified = Verified { events: position, head_hash: event.hash };
        Ok(())
    }

    /// How far it was followed.
    pub const fn verified(&self) -> Verified {
        self.verified
    }
}
