//! Where a node keeps its logs and its vault, and how they are copied while it runs.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};
use spean_chassis::Configuration;
use spean_vocabulary::Service;
use sqlx::any::AnyConnectOptions;
use sqlx::{AnyConnection, AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, Row as _};
use strum::IntoEnumIterator as _;

/// The name of the vault among the databases.
pub(super) const VAULT: &str = "vault";
/// The one file with all of a `PostgreSQL` database.
const DUMP: &str = "database.dump";

/// The databases of a node, or a copy of them.
#[derive(Clone, Debug)]
pub(super) enum Databases {
    /// A file for each service and one for the vault, in a folder.
    Sqlite {
        /// The folder.
        folder: PathBuf,
    },
    /// A schema for each service and one for the vault, in one database.
    Postgres {
        /// Its URL.
        url: String,
    },
}

impl Databases {
    /// Those of a node.
    pub(super) fn of(configuration: &Configuration) -> Self {
        match &configuration.database {
            None => Self::Sqlite { folder: configuration.data.clone() },
            Some(url) => match url.strip_prefix("sqlite://") {
                Some(_) => Self::Sqlite { folder: configuration.data.clone() },
                None => Self::Postgres { url: url.clone() },
            },
        }
    }

    /// The word for their kind that stands in a manifest.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Sqlite { .. } => "sqlite",
            Self::Postgres { .. } => "postgres",
        }
    }

    /// The URL of the database of a service, or of the vault.
    pub(super) fn url(&self, name: &str) -> String {
        match self {
            Self::Sqlite { folder } => format!("sqlite://{}", file(folder, name).display()),
            Self::Postgres { url } => url.clone(),
        }
    }

    /// The services that have a log here.
    pub(super) async fn services(&self) -> anyhow::Result<Vec<Service>> {
        let mut services = Vec::new();
        for service in Service::iter() {
            if self.has(&service.to_string()).await? {
                services.push(service);
            }
        }
        Ok(services)
    }

    /// Whether there is a database of this name.
    pub(super) async fn has(&self, name: &str) -> anyhow::Result<bool> {
        match self {
            Self::Sqlite { folder } => Ok(file(folder, name).is_file()),
            Self::Postgres { url } => {
                let mut connection = connect(url).await?;
                let row =
                    sqlx::query("select to_regnamespace($1) is not null").bind(name).fetch_one(&mut connection).await?;
                Ok(row.try_get(0)?)
            }
        }
    }

    /// Copies them into a folder while the node runs, each as it was at one moment; tells the files' names.
    ///
    /// The vault comes last: what a log says was put away there is in the copy.
    pub(super) async fn copy(&self, into: &Path) -> anyhow::Result<Vec<String>> {
        let services = self.services().await?;
        let names = services.iter().map(ToString::to_string).chain([VAULT.to_owned()]);
        match self {
            Self::Sqlite { folder } => {
                let mut files = Vec::new();
                for name in names {
                    if file(folder, &name).is_file() {
                        let copy = file(into, &name);
                        copy_sqlite(&self.url(&name), &copy).await.with_context(|| format!("the database {name}"))?;
                        files.push(format!("{name}.sqlite"));
                    }
                }
                Ok(files)
            }
            Self::Postgres { url } => {
                let mut command = postgres("pg_dump", url)?;
                command.args(["--format=custom", "--no-owner", "--no-privileges"]);
                command.args(names.map(|name| format!("--schema={name}")));
                let dump = into.join(DUMP);
                command.arg("--file").arg(&dump);
                succeed(&mut command)?;
                File::open(&dump)?.sync_all()?;
                Ok(vec![DUMP.to_owned()])
            }
        }
    }

    /// Puts a copy back where there is nothing yet.
    pub(super) fn put_back(&self, copy: &Path, files: &[String]) -> anyhow::Result<()> {
        match self {
            Self::Sqlite { folder } => {
                fs::create_dir_all(folder)?;
                for name in files.iter().filter(|name| name.ends_with(".sqlite")) {
                    let unfinished = folder.join(format!("{name}.new"));
                    fs::copy(copy.join(name), &unfinished).with_context(|| format!("{name} cannot be copied"))?;
                    File::open(&unfinished)?.sync_all()?;
                    fs::rename(&unfinished, folder.join(name))?;
                    fail::fail_point!("restore::one_put_back");
                }
                File::open(folder)?.sync_all()?;
                Ok(())
            }
            Self::Postgres { url } => {
                let mut command = postgres("pg_restore", url)?;
                command.args(["--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges"]);
                succeed(command.arg(copy.join(DUMP)))
            }
        }
    }

    /// Moves what is there out of the way, keeping it; tells where it is now.
    pub(super) async fn set_aside(&self, suffix: &str) -> anyhow::Result<String> {
        let names = Service::iter().map(|service| service.to_string()).chain([VAULT.to_owned()]);
        match self {
            Self::Sqlite { folder } => {
                let aside = folder.join(format!("before-restore-{suffix}"));
                fs::create_dir(&aside)?;
                for name in names {
                    for part in ["", "-wal", "-shm"] {
                        let name = format!("{name}.sqlite{part}");
                        if folder.join(&name).exists() {
                            fs::rename(folder.join(&name), aside.join(&name))?;
                        }
                    }
                }
                Ok(aside.display().to_string())
            }
            Self::Postgres { url } => {
                let mut connection = connect(url).await?;
                for name in names {
                    if self.has(&name).await? {
                        let rename = format!("alter schema {name} rename to before_restore_{suffix}_{name}");
                        connection.execute(AssertSqlSafe(rename)).await?;
                    }
                }
                Ok(format!("the schemas before_restore_{suffix}_…"))
            }
        }
    }

    /// An empty place of the same kind, to try a copy in: below a folder, or a database of its own on the same server.
    pub(super) async fn scratch(&self, folder: &Path, suffix: &str) -> anyhow::Result<Self> {
        match self {
            Self::Sqlite { .. } => Ok(Self::Sqlite { folder: folder.join("tried") }),
            Self::Postgres { url } => {
                let name = format!("spean_tried_{suffix}");
                let mut connection = connect(url).await?;
                connection.execute(AssertSqlSafe(format!("create database {name}"))).await.context(
                    "the restore cannot be tried: the user of the database needs the right to create databases",
                )?;
                Ok(Self::Postgres { url: with_database(url, &name)? })
            }
        }
    }

    /// Removes what [`Databases::scratch`] made on the server; `self` is the node's own.
    pub(super) async fn remove_scratch(&self, scratch: &Self) -> anyhow::Result<()> {
        let (Self::Postgres { url }, Self::Postgres { url: scratch }) = (self, scratch) else { return Ok(()) };
        let name = database_of(scratch)?;
        connect(url).await?.execute(AssertSqlSafe(format!("drop database {name} with (force)"))).await?;
        Ok(())
    }
}

fn file(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.sqlite"))
}

/// One consistent copy, by `SQLite`'s own means: readers do not hold up the writer, nor it them.
async fn copy_sqlite(url: &str, to: &Path) -> anyhow::Result<()> {
    let mut connection = connect(&format!("{url}?mode=rw")).await?;
    connection.execute("pragma busy_timeout = 10000").await?;
    let to_text = to.to_str().context("the folder's name must be text")?;
    sqlx::query("vacuum into $1").bind(to_text).execute(&mut connection).await?;
    connection.close().await?;
    File::open(to)?.sync_all()?;
    Ok(())
}

async fn connect(url: &str) -> anyhow::Result<AnyConnection> {
    sqlx::any::install_default_drivers();
    let options: AnyConnectOptions = url.parse().context("the URL of the database")?;
    options.disable_statement_logging().connect().await.context("the database cannot be reached")
}

/// A program of `PostgreSQL` that is told how to reach a database; the password is not among its arguments, which
/// everybody on the machine can see.
fn postgres(program: &str, url: &str) -> anyhow::Result<Command> {
    let (url, password) = without_password(url)?;
    let mut command = Command::new(installed(program)?);
    command.arg("--dbname").arg(url).stdin(Stdio::null());
    if let Some(password) = password {
        command.env("PGPASSWORD", password);
    }
    Ok(command)
}

fn installed(program: &str) -> anyhow::Result<PathBuf> {
    let on_path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&on_path).map(|folder| folder.join(program)).find(|path| path.is_file());
    if let Some(found) = found {
        return Ok(found);
    }
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions.map(|version| version.path().join("bin").join(program)).filter(|path| path.is_file()).max();
    newest.with_context(|| format!("{program} is not installed: neither on the PATH nor in /usr/lib/postgresql"))
}

fn succeed(command: &mut Command) -> anyhow::Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("{program} cannot be started"))?;
    if !output.status.success() {
        bail!("{program} failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}

/// The URL without its password, and the password as it is.
fn without_password(url: &str) -> anyhow::Result<(String, Option<String>)> {
    let (scheme, rest) = url.split_once("://").context("the URL of the database")?;
    let authority_end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(authority_end);
    let Some((user, host)) = authority.rsplit_once('@') else { return Ok((url.to_owned(), None)) };
    let Some((user, password)) = user.split_once(':') else { return Ok((url.to_owned(), None)) };
    Ok((format!("{scheme}://{user}@{host}{tail}"), Some(percent_decoded(password)?)))
}

fn percent_decoded(text: &str) -> anyhow::Result<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = [rest.next(), rest.next()].map(|digit| digit.and_then(|digit| char::from(digit).to_digit(16)));
        let [Some(high), Some(low)] = digits else { bail!("the password in the URL is not well formed") };
        bytes.push(u8::try_from(high * 16 + low).expect("two hexadecimal digits make a byte"));
    }
    String::from_utf8(bytes).context("the password in the URL is not well formed")
}

/// The same server, another database.
fn with_database(url: &str, name: &str) -> anyhow::Result<String> {
    let (before, _, parameters) = around_database(url)?;
    Ok(format!("{before}{name}{parameters}"))
}

fn database_of(url: &str) -> anyhow::Result<&str> {
    Ok(around_database(url)?.1)
}

fn around_database(url: &str) -> anyhow::Result<(&str, &str, &str)> {
    let start = url.find("://").context("the URL of the database")? + 3;
    let slash = url[start..].find('/').context("the URL must name the database")? + start + 1;
    let end = url[slash..].find('?').map_or(url.len(), |mark| slash + mark);
    Ok((&url[..slash], &url[slash..end], &url[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_never_stands_among_the_arguments() {
        let (url, password) =
            without_password("postgres://spean:p%40ss%3Aword@db:5432/kandal?sslmode=require").unwrap();
        assert_eq!(url, "postgres://spean@db:5432/kandal?sslmode=require");
        assert_eq!(password.as_deref(), Some("p@ss:word"));
        assert_eq!(without_password("postgres://spean@db/kandal").unwrap().1, None);
        assert!(without_password("postgres://spean:p%4@db/kandal").is_err());
    }

    #[test]
    fn another_database_of_the_same_server_is_named() {
        let url = "postgres://spean@127.0.0.1:5432/kandal?sslmode=disable";
        let other = with_database(url, "spean_tried_1").unwrap();
        assert_eq!(other, "postgres://spean@127.0.0.1:5432/spean_tried_1?sslmode=disable");
        assert_eq!(database_of(&other).unwrap(), "spean_tried_1");
    }
}
