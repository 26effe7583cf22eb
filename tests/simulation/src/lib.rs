//! Whole services from one seed.
//!
//! Three nodes with all their services run in this process: the gRPC handlers that staff call, the event stores on `SQLite`
//! files, the vaults, the post offices with their seals. They are the code that runs in production. Simulated are the
//! broker between them, their clocks, the failing of their power, and who moves when: one thing at a time, drawn from the
//! numbers of a seed and awaited to its end, so that the same seed is the same history. Then all heals, and the history is
//! asked for what must be true ([`mod@checks`]).

mod broker;
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

use anyhow::Context as _;
use tempfile::TempDir;

use network::Ground;
pub use sabotage::Sabotage;
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
    /// Restores among the faults.
    pub restores: u64,
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
}

impl Stage {
    /// Makes the network: keys, the directory, and nodes that have greeted each other.
    ///
    /// # Errors
    /// When files cannot be written, or the services do not start.
    pub fn set() -> anyhow::Result<Self> {
        let memory = Path::new(MEMORY);
        let folder = tempfile::Builder::new().prefix("spean-simulation-").tempdir_in(if memory.is_dir() {
            memory.to_owned()
        } else {
            std::env::temp_dir()
        })?;
        let ground = Ground::made_in(&folder.path().join("network"))?;
        let stage = Self { ground, folder };
        in_runtime(async {
            let mut world = World::new(0, &stage.ground, None, false);
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
        self.play_told(seed, sabotage, false).1
    }

    /// Plays the history of a seed and tells it, one line for each step that did something.
    pub fn tell(&self, seed: u64, sabotage: Option<Sabotage>) -> Told {
        self.play_told(seed, sabotage, true)
    }

    fn play_told(&self, seed: u64, sabotage: Option<Sabotage>, tell: bool) -> Told {
        let failed = |step, error: anyhow::Error| Failure { seed, step, words: format!("{error:#}") };
        let played = (|| {
            let place = tempfile::tempdir_in(self.folder.path())?;
            disk::copy_all(&self.ground.folder, place.path())?;
            let ground = self.ground.moved_to(place.path());
            in_runtime(async {
                let mut world = World::new(seed, &ground, sabotage, tell);
                let outcome = world.live().await;
                let told = world.end().await;
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
            let mut world = World::new(1, &ground, None, false);
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

/// Runs it with one thread, so that what is awaited is all that moves.
fn in_runtime<T>(work: impl Future<Output = T>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(work))
}
