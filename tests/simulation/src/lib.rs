//! Whole services from one seed.
//!
//! Three nodes with all their services run in this process: the gRPC handlers that staff call, the event stores on `SQLite`
//! files, the vaults, the post offices with their seals. They are the code that runs in production. Simulated are the
//! broker between them, their clocks, the failing of their power, and who moves when: one thing at a time, drawn from the
//! numbers of a seed and awaited to its end, so that the same seed is the same history. Then all heals, and the history is
//! asked for what must be true ([`mod@checks`]).

mod broker;
mod casework;
mod checks;
mod disk;
mod history;
mod mix;
mod network;
mod node;
mod points;
mod sabotage;
#[cfg(test)]
mod scripted;
mod staff;
mod world;

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use tempfile::TempDir;

use network::Ground;
pub use sabotage::Sabotage;
use spean_disk::Disk;
use world::World;

/// Where the files of a simulation lie when there is such a folder: it is memory, so nobody waits for a disk.
const MEMORY: &str = "/dev/shm";

/// How a history went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lived {
    /// Steps that did something.
    pub steps: u64,
    /// What people asked for.
    pub asked: u64,
    /// Losses, repetitions, wipes, cut lines, jumps of clocks, restores.
    pub faults: u64,
    /// Power cuts.
    pub power_cuts: u64,
    /// Those among them that struck within what the node was doing.
    pub torn: u64,
    /// Restores among the faults.
    pub restores: u64,
    /// What people did besides handing cases over.
    pub worked: u64,
    /// Certificates by which cases changed hands.
    pub handoffs: u64,
    /// A sum over all that happened: equal for equal histories.
    pub fingerprint: u64,
}

/// Where a history went wrong.
#[derive(Debug)]
pub struct Failure {
    /// The history.
    pub seed: u64,
    /// The step, counted from the first.
    pub step: u64,
    /// What is wrong.
    pub words: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "seed {}, step {}: {}", self.seed, self.step, self.words)
    }
}

/// A history in words, and how it went.
pub type Told = (Vec<String>, Result<Lived, Failure>);

/// A place where histories are played. The nodes of each begin with the same files.
pub struct Stage {
    ground: Ground,
    folder: TempDir,
    disk: Option<Disk>,
}

impl Stage {
    /// Makes the network: keys, the directory, and nodes that have greeted each other. The power fails only in a program
    /// that was started by [`on_a_watched_disk`].
    ///
    /// # Errors
    /// When files cannot be written, or the services do not start.
    pub fn set() -> anyhow::Result<Self> {
        let disk = Disk::under_this_program();
        let watched = disk.as_ref().and_then(|disk| disk.folders().first());
        let folder = folder_in(&watched.map_or_else(memory, Clone::clone))?;
        let ground = Ground::made_in(&folder.path().join("network"))?;
        let stage = Self { ground, folder, disk };
        in_runtime(async {
            let mut world = World::new(0, &stage.ground, None, None, false)?;
            world.begin().await?;
            world.end().await;
            anyhow::Ok(())
        })??;
        stage.settle_files()?;
        Ok(stage)
    }

    /// Plays the history of a seed.
    ///
    /// # Errors
    /// What went wrong in it.
    pub fn play(&self, seed: u64, sabotage: Option<Sabotage>) -> Result<Lived, Failure> {
        self.play_told(seed, sabotage, false, None).1
    }

    /// Plays the history of a seed and tells it, one line for each step that did something. What the nodes leave behind is
    /// copied to a folder when one is given.
    pub fn tell(&self, seed: u64, sabotage: Option<Sabotage>, keep: Option<&Path>) -> Told {
        self.play_told(seed, sabotage, true, keep)
    }

    fn play_told(&self, seed: u64, sabotage: Option<Sabotage>, tell: bool, keep: Option<&Path>) -> Told {
        let failed = |step, error: anyhow::Error| Failure { seed, step, words: format!("{error:#}") };
        let played = (|| {
            let place = tempfile::tempdir_in(self.folder.path())?;
            disk::copy_all(&self.ground.folder, place.path())?;
            let ground = self.ground.moved_to(place.path());
            in_runtime(async {
                let mut world = match World::new(seed, &ground, self.disk.clone(), sabotage, tell) {
                    Ok(world) => world,
                    Err(error) => return (Vec::new(), Err(failed(0, error))),
                };
                let outcome = world.live().await;
                let told = world.end().await;
                let kept = keep.map_or(Ok(()), |keep| disk::copy_all(place.path(), keep));
                let outcome = outcome.and_then(|()| Ok(kept?));
                (told, outcome.map(|()| world.lived).map_err(|error| failed(world.step, error)))
            })
        })();
        played.unwrap_or_else(|error| (Vec::new(), Err(failed(0, error))))
    }

    /// A network that lives by what a test says, and not by a seed.
    #[cfg(test)]
    fn scripted(&self, work: impl AsyncFnOnce(&mut World) -> anyhow::Result<()>) -> anyhow::Result<()> {
        let place = tempfile::tempdir_in(self.folder.path())?;
        disk::copy_all(&self.ground.folder, place.path())?;
        let ground = self.ground.moved_to(place.path());
        in_runtime(async {
            let mut world = World::new(1, &ground, None, None, false)?;
            let outcome = async {
                world.begin().await?;
                work(&mut world).await
            };
            let outcome = outcome.await;
            world.end().await;
            outcome
        })?
    }

    /// The nodes of every history begin with what the first ones left behind.
    fn settle_files(&self) -> anyhow::Result<()> {
        for node in network::NODES {
            let home: PathBuf = self.ground.folder.join(node);
            anyhow::ensure!(home.join("data").is_dir(), "the node {node} has no files");
        }
        std::fs::remove_dir_all(self.ground.folder.join("scratch")).context("the folder for scratch")
    }
}

/// Whether every change to the files of this program is written down, so that the power may fail in it.
pub fn is_on_a_watched_disk() -> bool {
    Disk::under_this_program().is_some()
}

/// Starts this program once more with these arguments, on a disk of which every change is written down. False when it did not
/// end well.
///
/// # Errors
/// When there is no place for the disk, or the program cannot be started.
///
/// # Panics
/// When the library that watches cannot be built.
pub fn on_a_watched_disk(arguments: &[String]) -> anyhow::Result<bool> {
    let folder = folder_in(&memory())?;
    let disk = Disk::over(&[folder.path().join("stage")], &folder.path().join("disk"))?;
    disk.control()?.pretend_syncs()?;
    let mut again = Command::new(std::env::current_exe()?);
    Ok(again.args(arguments).envs(disk.environment()).status()?.success())
}

fn memory() -> PathBuf {
    let memory = PathBuf::from(MEMORY);
    if memory.is_dir() { memory } else { std::env::temp_dir() }
}

fn folder_in(place: &Path) -> std::io::Result<TempDir> {
    tempfile::Builder::new().prefix("spean-simulation-").tempdir_in(place)
}

/// Runs it with one thread, so that what is awaited is all that moves.
fn in_runtime<T>(work: impl Future<Output = T>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(work))
}
