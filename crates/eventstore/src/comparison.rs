//! Read models built again from the log, beside the ones in use, and compared with them row by row.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use futures::TryStreamExt as _;
use sha2::{Digest as _, Sha256};
use sqlx::any::{AnyRow, AnyTypeInfoKind};
use sqlx::{AnyConnection, AssertSqlSafe, Executor as _, Row as _, TypeInfo as _, ValueRef as _};

use crate::dialect::Dialect;
use crate::{ReadModel, Recorded, Snapshot, StoreError, Tables, read_model, schema};

/// How many rows that differ are told of each table.
const TOLD: usize = 5;

/// Read models in a database of their own, filled from a log.
pub struct Beside {
    connection: AnyConnection,
    read_models: Vec<Arc<dyn ReadModel>>,
}

/// What came of comparing a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// The read model.
    pub read_model: &'static str,
    /// The table.
    pub table: &'static str,
    /// How many rows the log gives.
    pub rows: u64,
    /// How many rows differ.
    pub differences: u64,
    /// The first of them.
    pub told: Vec<Difference>,
}

/// A row that differs, by its key: codes and numbers, as all that read models hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// The log gives it, and it is not there.
    Missing(String),
    /// It is there, and the log does not give it.
    Unexpected(String),
    /// It is there with other contents than the log gives.
    Changed(String),
}

/// A table as both databases have it.
struct Shape {
    columns: String,
    /// Places of the columns of the key; of all columns when there is no key.
    key: Vec<usize>,
}

type Print = [u8; 16];

impl std::fmt::Debug for Beside {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Beside").finish_non_exhaustive()
    }
}

impl std::fmt::Display for Difference {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing(key) => write!(formatter, "{key} is missing"),
            Self::Unexpected(key) => write!(formatter, "{key} is not from the log"),
            Self::Changed(key) => write!(formatter, "{key} is not as the log says"),
        }
    }
}

impl Beside {
    /// Makes the empty tables in a new `SQLite` file, whatever the database of the log is.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub async fn open(
        file: &Path,
        tables: &[Tables],
        read_models: Vec<Arc<dyn ReadModel>>,
    ) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let url = format!("sqlite://{}", file.display());
        let dialect = Dialect::of(&url, "beside")?;
        let mut connection = dialect.connect(&url, "beside").await?;
        // It is thrown away afterwards: nothing is lost with it.
        connection.execute("pragma synchronous = off").await?;
        connection.execute("begin").await?;
        schema::migrate(&dialect, &mut connection, tables).await?;
        read_model::prepare(&dialect, &mut connection, &read_models).await?;
        connection.execute("commit").await?;
        Ok(Self { connection, read_models })
    }

    /// Takes in the next events of the log.
    ///
    /// # Errors
    /// When a statement of a read model fails.
    pub async fn take(&mut self, events: &[Recorded]) -> Result<(), StoreError> {
        self.connection.execute("begin").await?;
        for event in events {
            for read_model in &self.read_models {
                read_model.apply(event, &mut self.connection).await?;
            }
        }
        self.connection.execute("commit").await?;
        Ok(())
    }

    /// Compares each table with the one in use. Read models that the log's own program left at another version are
    /// left out: they are built anew at its next start.
    ///
    /// # Errors
    /// When one of the databases fails.
    pub async fn compare(&mut self, live: &mut Snapshot) -> Result<Vec<Comparison>, StoreError> {
        let mut comparisons = Vec::new();
        for read_model in self.read_models.clone() {
            let state = live.read_model(read_model.name()).await?;
            if state.is_none_or(|state| state.version != read_model.version()) {
                continue;
            }
            for table in read_model.tables() {
                let shape = shape(&mut self.connection, table).await?;
                let comparison = self.compare_table(read_model.name(), table, &shape, live.connection()).await?;
                comparisons.push(comparison);
            }
        }
        Ok(comparisons)
    }

    async fn compare_table(
        &mut self,
        read_model: &'static str,
        table: &'static str,
        shape: &Shape,
        live: &mut AnyConnection,
    ) -> Result<Comparison, StoreError> {
        let mut prints: HashMap<Print, i64> = HashMap::new();
        let sql = format!("select {} from {table}", shape.columns);
        let mut rows = 0;
        let mut stream = sqlx::query(AssertSqlSafe(sql.clone())).fetch(&mut self.connection);
        while let Some(row) = stream.try_next().await? {
            rows += 1;
            *prints.entry(print(&row)?).or_default() += 1;
        }
        drop(stream);
        let mut stream = sqlx::query(AssertSqlSafe(sql.clone())).fetch(&mut *live);
        while let Some(row) = stream.try_next().await? {
            *prints.entry(print(&row)?).or_default() -= 1;
        }
        drop(stream);
        prints.retain(|_, count| *count != 0);
        if prints.is_empty() {
            return Ok(Comparison { read_model, table, rows, differences: 0, told: vec![] });
        }
        let of_log =
            keys(&mut self.connection, &sql, shape, |print| prints.get(print).is_some_and(|it| *it > 0)).await?;
        let in_use = keys(live, &sql, shape, |print| prints.get(print).is_some_and(|it| *it < 0)).await?;
        let mut differences: BTreeMap<String, Difference> = BTreeMap::new();
        for key in &of_log {
            let difference = if in_use.contains(key) { Difference::Changed } else { Difference::Missing };
            differences.insert(key.clone(), difference(key.clone()));
        }
        for key in in_use.difference(&of_log) {
            differences.insert(key.clone(), Difference::Unexpected(key.clone()));
        }
        let count = u64::try_from(differences.len()).unwrap_or(u64::MAX).max(1);
        let told = differences.into_values().take(TOLD).collect();
        Ok(Comparison { read_model, table, rows, differences: count, told })
    }

    /// Closes the database.
    pub async fn close(self) {
        // It is thrown away.
        let _ = sqlx::Connection::close(self.connection).await;
    }
}

async fn shape(connection: &mut AnyConnection, table: &str) -> Result<Shape, StoreError> {
    let rows = sqlx::query("select name, pk from pragma_table_info($1) order by cid")
        .bind(table)
        .fetch_all(connection)
        .await?;
    let mut columns = Vec::with_capacity(rows.len());
    let mut key = Vec::new();
    for (place, row) in rows.iter().enumerate() {
        columns.push(format!("\"{}\"", row.try_get::<&str, _>(0)?));
        if row.try_get::<i64, _>(1)? > 0 {
            key.push(place);
        }
    }
    if key.is_empty() {
        key = (0..columns.len()).collect();
    }
    Ok(Shape { columns: columns.join(", "), key })
}

/// The keys of the rows with such prints.
async fn keys(
    connection: &mut AnyConnection,
    sql: &str,
    shape: &Shape,
    differs: impl Fn(&Print) -> bool,
) -> Result<HashSet<String>, StoreError> {
    let mut keys = HashSet::new();
    let mut stream = sqlx::query(AssertSqlSafe(sql.to_owned())).fetch(connection);
    while let Some(row) = stream.try_next().await? {
        if differs(&print(&row)?) {
            let words = shape.key.iter().map(|place| word(&row, *place)).collect::<Result<Vec<_>, _>>()?;
            keys.insert(words.join(" "));
        }
    }
    Ok(keys)
}

/// The same for the same row of both databases: whatever width the one gives its numbers.
fn print(row: &AnyRow) -> Result<Print, StoreError> {
    let mut hasher = Sha256::new();
    for place in 0..row.columns().len() {
        let value = row.try_get_raw(place)?;
        let kind = value.type_info().kind();
        if value.is_null() {
            hasher.update([0]);
            continue;
        }
        let (mark, bytes): (u8, Vec<u8>) = match kind {
            AnyTypeInfoKind::Null => (0, vec![]),
            AnyTypeInfoKind::Bool => (1, i64::from(row.try_get::<bool, _>(place)?).to_be_bytes().to_vec()),
            AnyTypeInfoKind::SmallInt | AnyTypeInfoKind::Integer | AnyTypeInfoKind::BigInt => {
                (1, row.try_get::<i64, _>(place)?.to_be_bytes().to_vec())
            }
            AnyTypeInfoKind::Real => (2, f64::from(row.try_get::<f32, _>(place)?).to_be_bytes().to_vec()),
            AnyTypeInfoKind::Double => (2, row.try_get::<f64, _>(place)?.to_be_bytes().to_vec()),
            AnyTypeInfoKind::Text => (3, row.try_get::<&str, _>(place)?.as_bytes().to_vec()),
            AnyTypeInfoKind::Blob => (4, row.try_get::<&[u8], _>(place)?.to_vec()),
        };
        hasher.update([mark]);
        hasher.update((bytes.len() as u64).to_be_bytes());
        hasher.update(bytes);
    }
    let digest = hasher.finalize();
    let (print, _) = digest.split_first_chunk::<16>().expect("a SHA-256 has 32 bytes");
    Ok(*print)
}

fn word(row: &AnyRow, place: usize) -> Result<String, StoreError> {
    let value = row.try_get_raw(place)?;
    let kind = value.type_info().kind();
    if value.is_null() {
        return Ok("-".to_owned());
    }
    Ok(match kind {
        AnyTypeInfoKind::Text => row.try_get(place)?,
        kind if kind.is_integer() => row.try_get::<i64, _>(place)?.to_string(),
        _ => value.type_info().name().to_lowercase(),
    })
}
