//! What the tests of the store share: a real `PostgreSQL`, databases to throw away, and a small aggregate.

#![allow(dead_code, reason = "each test program uses a part of it")]

pub(crate) mod postgres;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use spean_eventsourcing::{Aggregate, Context};
use spean_eventstore::{Digest, EventStore, Metadata, Options, Role};
use spean_testkit::Postgres;
use spean_vocabulary::{CommandId, Timestamp};
use sqlx::AnyConnection;
use sqlx::any::AnyConnectOptions;
use sqlx::{ConnectOptions as _, Row as _};

/// How long anything may take before a test gives up.
pub(crate) const DEADLINE: Duration = Duration::from_mins(1);

/// A database of its own for one test.
pub(crate) struct Database {
    pub(crate) url: String,
    _directory: Option<tempfile::TempDir>,
}

impl Database {
    pub(crate) fn sqlite() -> Self {
        let directory = tempfile::tempdir().expect("a place for the file");
        let url = format!("sqlite://{}", directory.path().join("tally.sqlite").display());
        Self { url, _directory: Some(directory) }
    }

    pub(crate) async fn postgres() -> Self {
        Self {
            url: tokio::task::spawn_blocking(|| Postgres::shared().database()).await.expect("a database"),
            _directory: None,
        }
    }

    pub(crate) fn is_postgres(&self) -> bool {
        self.url.starts_with("postgres")
    }

    pub(crate) fn options(&self) -> Options {
        Options::new(&self.url, "tally", "test")
    }

    pub(crate) async fn open(&self) -> EventStore {
        EventStore::open(self.options()).await.expect("the store opens")
    }

    /// A connection past the store, as a meddler has it.
    pub(crate) async fn meddler(&self) -> AnyConnection {
        sqlx::any::install_default_drivers();
        let parameter = if self.is_postgres() { "options[search_path]=tally" } else { "mode=rw" };
        let options: AnyConnectOptions = format!("{}?{parameter}", self.url).parse().expect("a well-formed url");
        options.connect().await.expect("the database can be reached")
    }

    /// Runs statements past the store.
    pub(crate) async fn meddle(&self, statements: &'static str) {
        sqlx::raw_sql(statements).execute(&mut self.meddler().await).await.expect("the statements run");
    }
}

/// Counts up, to nine at most.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally(pub(crate) i64);

#[derive(Clone, Debug)]
pub(crate) enum Command {
    Add(i64),
    Reach(i64),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Event {
    Added { amount: i64 },
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("too much")]
pub(crate) struct TooMuch;

/// Above this the tally refuses.
pub(crate) const MOST: i64 = 1_000_000;

impl Aggregate for Tally {
    const CATEGORY: &'static str = "tally";
    type Command = Command;
    type Event = Event;
    type Error = TooMuch;
    type Context = Context;

    fn decide(&self, command: Command, _context: &Context) -> Result<Vec<Event>, TooMuch> {
        match command {
            Command::Add(amount) if self.0 + amount > MOST => Err(TooMuch),
            Command::Add(amount) => Ok(vec![Event::Added { amount }]),
            Command::Reach(amount) if self.0 >= amount => Ok(vec![]),
            Command::Reach(amount) => Ok(vec![Event::Added { amount: amount - self.0 }]),
        }
    }

    fn evolve(self, &Event::Added { amount }: &Event) -> Self {
        Self(self.0 + amount)
    }
}

pub(crate) fn context() -> Context {
    Context {
        office: "poipet-transit".parse().expect("sound"),
        staff: Some("staff-17".parse().expect("sound")),
        now: Timestamp::from_micros(1_795_300_200_000_000),
    }
}

pub(crate) fn metadata() -> Metadata {
    Metadata::of(&context())
}

/// The metadata of the numbered command; the digest is that of the request.
pub(crate) fn command(number: u128, request: &str) -> Metadata {
    metadata().with_command(CommandId::from_uuid(uuid::Uuid::from_u128(number)), Digest::of(request.as_bytes()))
}

/// Waits for a condition.
pub(crate) async fn eventually<F: Future<Output = bool>>(what: &str, mut condition: impl FnMut() -> F) {
    let met = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(tokio::time::timeout(DEADLINE, met).await.is_ok(), "it never came true that {what}");
}

pub(crate) async fn becomes(store: &EventStore, role: Role) {
    let mut roles = store.role();
    let waited = tokio::time::timeout(DEADLINE, roles.wait_for(|now| *now == role)).await;
    assert!(waited.is_ok_and(|reached| reached.is_ok()), "the store never became {role:?}");
}

pub(crate) async fn count(store: &EventStore, sql: &'static str) -> i64 {
    sqlx::query(sql).fetch_one(store.reader()).await.expect("the query runs").try_get(0).expect("a number")
}

/// All positions of the log, which must be 1, 2, 3 and so on.
pub(crate) async fn gapless_length(store: &EventStore) -> i64 {
    let events = store.events_after(0, i64::MAX).await.expect("the log can be read");
    for (expected, event) in (1..).zip(&events) {
        assert_eq!(event.position, expected, "a gap");
    }
    i64::try_from(events.len()).expect("few")
}
