//! What a store is opened with, and what other crates and services hang onto it.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use sqlx::AnyConnection;

use crate::{Recorded, StoreError, Transaction};

/// A boxed future that borrows from its arguments.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// How to open the log of one service of one node.
#[derive(Clone)]
pub struct Options {
    /// `sqlite:///path/file.sqlite` or `postgres://user:password@host/database`.
    pub url: String,
    /// The service whose log it is, of a-z, 0-9 and `_`. In `PostgreSQL` the name of its schema, which is created when
    /// missing; in `SQLite` each service has its own file.
    pub service: String,
    /// Which instance this is, for people who look into the database.
    pub instance: String,
    /// Durable tables of other crates.
    pub tables: Vec<Tables>,
    /// What is written beside the events for queries.
    pub read_models: Vec<Arc<dyn ReadModel>>,
    /// Hears of each appended event before it is committed.
    pub publisher: Option<Arc<dyn Publisher>>,
}

impl Options {
    /// A log without further tables, read models or publisher.
    pub fn new(url: impl Into<String>, service: impl Into<String>, instance: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            service: service.into(),
            instance: instance.into(),
            tables: Vec::new(),
            read_models: Vec::new(),
            publisher: None,
        }
    }
}

impl fmt::Debug for Options {
    /// Leaves out the URL, which may contain a password.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Options")
            .field("service", &self.service)
            .field("instance", &self.instance)
            .finish_non_exhaustive()
    }
}

/// Durable tables of another crate, such as an outbox or an inbox. Never dropped.
///
/// Write bigint (also for yes and no), text, double precision and blob: those are read back alike from both databases.
/// (A column declared `boolean` cannot be read at all from `SQLite` through this driver.) `blob` becomes `bytea` where
/// it must.
#[derive(Clone, Copy, Debug)]
pub struct Tables {
    /// The name under which the steps already taken are remembered.
    pub name: &'static str,
    /// What to run, in order, once each. Only ever add to the end. A step may hold several statements.
    pub steps: &'static [&'static str],
}

/// Tables that are derived from the log, and written in the same commit as the events.
pub trait ReadModel: Send + Sync {
    /// A name that no other read model of this log has.
    fn name(&self) -> &'static str;

    /// Raise it when the tables or their meaning change: at the next start the model is dropped and rebuilt.
    fn version(&self) -> i64;

    /// What creates the tables and their indexes. See [`Tables`] for the types to use.
    fn ddl(&self) -> &'static [&'static str];

    /// The names of the tables, in the order in which they are created.
    fn tables(&self) -> &'static [&'static str];

    /// Takes in one event. Called for every event of the log in order, exactly once for what is in the tables.
    ///
    /// # Errors
    /// Those of the statements. The command that appended the event then fails.
    fn apply<'a>(
        &'a self,
        event: &'a Recorded,
        connection: &'a mut AnyConnection,
    ) -> BoxFuture<'a, Result<(), sqlx::Error>>;
}

/// Hears of each appended event in the same transaction; not when a read model is rebuilt.
pub trait Publisher: Send + Sync {
    /// Writes down what must be sent because of the event. It must not wait for anything but the database.
    ///
    /// # Errors
    /// Those of the statements. The command that appended the event then fails.
    fn publish<'a>(
        &'a self,
        event: &'a Recorded,
        transaction: &'a mut Transaction,
    ) -> BoxFuture<'a, Result<(), StoreError>>;
}
