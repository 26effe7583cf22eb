//! The databases of a node, opened to look and not to touch.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use sqlx::any::AnyConnectOptions;
use sqlx::{AnyConnection, ConnectOptions as _};

/// Where a node keeps its tables.
#[derive(Clone, Debug)]
pub(crate) enum Databases {
    /// A file for each.
    Files(PathBuf),
    /// A schema for each in a database of this URL.
    Server(String),
}

impl Databases {
    /// Opens one; none when it is not there.
    pub(crate) async fn open(&self, name: &str) -> anyhow::Result<Option<AnyConnection>> {
        sqlx::any::install_default_drivers();
        let url = match self {
            Self::Files(folder) => {
                let file = folder.join(format!("{name}.sqlite"));
                if !file.exists() {
                    return Ok(None);
                }
                url_of(&file)
            }
            Self::Server(url) => {
                let mark = if url.contains('?') { '&' } else { '?' };
                format!("{url}{mark}options[search_path]={name}&options[default_transaction_read_only]=on")
            }
        };
        let mut options: AnyConnectOptions = url.parse().with_context(|| format!("the database {name}"))?;
        options = options.disable_statement_logging();
        Ok(Some(options.connect().await.with_context(|| format!("the database {name}"))?))
    }
}

/// A file that is only read. What its process left in the write-ahead log belongs to it.
fn url_of(file: &Path) -> String {
    format!("sqlite://{}?mode=ro", file.display())
}
