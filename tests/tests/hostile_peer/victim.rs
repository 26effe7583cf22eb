//! What a node keeps, read from its files behind its back.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use spean_custody::Digest;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};
use sqlx::{AssertSqlSafe, Row as _};

const DATABASES: [&str; 8] =
    ["cases", "directory", "followup", "insight", "referral", "repatriation", "shelter", "vault"];

/// The files of a node.
pub(crate) struct Victim {
    databases: BTreeMap<&'static str, SqlitePool>,
    data: PathBuf,
}

impl Victim {
    pub(crate) fn of(data: &Path) -> Self {
        let open = |name: &'static str| {
            let options = SqliteConnectOptions::new().filename(data.join(format!("{name}.sqlite"))).read_only(true);
            (name, SqlitePoolOptions::new().max_connections(1).connect_lazy_with(options))
        };
        Self { databases: DATABASES.into_iter().map(open).collect(), data: data.to_owned() }
    }

    /// One number of a database.
    pub(crate) async fn count(&self, database: &str, query: &str) -> i64 {
        let row = sqlx::query(AssertSqlSafe(query.to_owned())).fetch_one(&self.databases[database]).await;
        row.unwrap_or_else(|error| panic!("{query}: {error}")).get(0)
    }

    /// Every row of every table but those of the post office and the notes of who writes: for each table a digest.
    pub(crate) async fn contents(&self) -> BTreeMap<String, String> {
        let mut contents = BTreeMap::new();
        for (name, pool) in &self.databases {
            let tables = sqlx::query("select name from sqlite_master where type = 'table' order by name");
            for row in tables.fetch_all(pool).await.unwrap() {
                let table: String = row.get(0);
                let apart = ["post_", "sqlite_", "writer", "claim", "schema"];
                if apart.iter().any(|apart| table.starts_with(apart)) {
                    continue;
                }
                let columns = sqlx::query(AssertSqlSafe(format!("select name from pragma_table_info('{table}')")));
                let columns = columns.fetch_all(pool).await.unwrap();
                let columns: Vec<String> =
                    columns.iter().map(|row| format!("quote(\"{}\")", row.get::<&str, _>(0))).collect();
                let rows = format!("select {} from \"{table}\" order by 1", columns.join(" || ',' || "));
                let mut digest = Sha256::new();
                for row in sqlx::query(AssertSqlSafe(rows)).fetch_all(pool).await.unwrap() {
                    digest.update(row.get::<&str, _>(0).as_bytes());
                }
                contents.insert(format!("{name}.{table}"), Digest::from_bytes(digest.finalize().into()).to_string());
            }
        }
        contents
    }

    /// How many bytes all its files take.
    pub(crate) fn bytes(&self) -> u64 {
        let entries = std::fs::read_dir(&self.data).unwrap();
        entries.map(|entry| entry.unwrap().metadata().map_or(0, |file| file.len())).sum()
    }
}
