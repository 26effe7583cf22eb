//! What a node has stored, read from its files behind its back.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use sqlx::Row as _;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};

const SERVICES: [&str; 7] = ["cases", "directory", "followup", "insight", "referral", "repatriation", "shelter"];
/// What people have done. What follows of it by itself comes a moment later, and is nothing that a request stored.
const EVENTS: &str = "select count(*) from event where staff is not null";
const LETTERS_UNDER_WAY: &str = "select (select count(*) from post_out where settled_at is null)
                                      + (select count(*) from post_in where state = 'parked')";
const VAULT: &str = "select (select count(*) from person_key) + (select count(*) from dossier)
                          + (select count(*) from reading) + (select coalesce(sum(version), 0) from sealed_part)";

/// The files of a node.
pub(crate) struct Books(BTreeMap<&'static str, SqlitePool>);

/// How much is stored: the events of each service, then the vault's keys, parts, dossiers and recorded readings.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Stored(Vec<i64>);

impl Books {
    /// Those in a node's folder of data.
    pub(crate) fn of(data: &Path) -> Self {
        let open = |service: &'static str| {
            let file = data.join(format!("{service}.sqlite"));
            let options = SqliteConnectOptions::new().filename(file).read_only(true);
            (service, SqlitePoolOptions::new().max_connections(1).connect_lazy_with(options))
        };
        Self(SERVICES.into_iter().chain(["vault"]).map(open).collect())
    }

    /// How much is stored now.
    pub(crate) async fn stored(&self) -> Stored {
        let mut stored = Vec::new();
        for service in SERVICES {
            stored.push(self.count(service, EVENTS).await);
        }
        stored.push(self.count("vault", VAULT).await);
        Stored(stored)
    }

    /// The commands by which events came to stand in the logs.
    pub(crate) async fn commands(&self) -> BTreeSet<String> {
        let mut commands = BTreeSet::new();
        for service in SERVICES {
            let rows = sqlx::query("select distinct command_id from event where command_id is not null");
            let rows = rows.fetch_all(&self.0[service]).await.unwrap();
            commands.extend(rows.iter().map(|row| row.get::<String, _>(0)));
        }
        commands
    }

    /// How many events alone.
    pub(crate) async fn events(&self) -> i64 {
        self.stored().await.0.iter().take(SERVICES.len()).sum()
    }

    /// Letters of the node that are not applied and confirmed yet.
    pub(crate) async fn letters_under_way(&self) -> i64 {
        let mut letters = 0;
        for service in SERVICES {
            letters += self.count(service, LETTERS_UNDER_WAY).await;
        }
        letters
    }

    /// How many parts of a person's file the vault can still read.
    pub(crate) async fn parts_of(&self, person: &str) -> i64 {
        let parts = sqlx::query("select count(*) from sealed_part where person_id = $1").bind(person);
        parts.fetch_one(&self.0["vault"]).await.unwrap().get(0)
    }

    async fn count(&self, file: &str, query: &'static str) -> i64 {
        sqlx::query(query).fetch_one(&self.0[file]).await.unwrap().get(0)
    }
}
