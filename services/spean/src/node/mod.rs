//! `spean node`: what is done to the databases of a node on its own machine: backing up, restoring, verifying,
//! making lists anew.

mod backup;
mod databases;
mod examination;
mod manifest;
mod rebuild;
mod restore;
mod verify;

pub use restore::refuse_half_restored;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use spean_chassis::{Clock, Configuration};
use spean_identity::{Directory, NodeKeys};
use spean_vocabulary::Timestamp;

use crate::network;

/// What is done to the databases of a node on its own machine.
#[derive(Debug, Subcommand)]
pub enum NodeCommand {
    /// Copies logs and vault while the node runs, tries the copy, and tells the node what is safe.
    #[command(after_help = "Example:\n  \
        spean node backup --config /etc/spean/node.toml --to /mnt/backup/$(date +%F)\n\n\
        The copy is put back in a temporary place and verified from the first event to the last. Only then do peers\n\
        hear that they need not keep what they had sent before. Keys are not in it unless --with-keys is said: without\n\
        the vault's key nobody can read who the people are, neither a thief nor you.")]
    Backup(backup::Backup),
    /// Puts a backup back in the place of a node's databases. The node must not run.
    #[command(after_help = "Example:\n  \
        spean node restore --config /etc/spean/node.toml --from /mnt/backup/2026-11-22\n\n\
        At its next start the node asks all its peers what was said since, and decides nothing until they have answered.")]
    Restore(restore::Restore),
    /// Verifies everything a node has, while it runs or not: logs, read models, certificates, vault.
    #[command(after_help = "Example:\n  spean node verify --config /etc/spean/node.toml")]
    Verify(verify::Verify),
    /// Makes the lists of a node anew from its logs. The node must not run.
    #[command(after_help = "Example:\n  spean node rebuild --config /etc/spean/node.toml")]
    Rebuild(rebuild::Rebuild),
}

impl NodeCommand {
    /// Does it.
    pub fn run(self) -> anyhow::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            match self {
                Self::Backup(backup) => backup.run().await,
                Self::Restore(restore) => restore.run().await,
                Self::Verify(verify) => verify.run().await,
                Self::Rebuild(rebuild) => rebuild.run().await,
            }
        })
    }
}

/// Which node.
#[derive(Debug, Args)]
struct NodeArguments {
    /// The node's settings.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Folder for what is built to be compared and thrown away; that of the system when left out. It takes about as
    /// much as the databases have.
    #[arg(long, value_name = "FOLDER")]
    scratch: Option<PathBuf>,
}

/// A node, as its settings say.
struct Node {
    configuration: Configuration,
    keys: NodeKeys,
    directory: Directory,
}

impl NodeArguments {
    fn node(&self) -> anyhow::Result<Node> {
        let configuration =
            Configuration::read(&self.config).with_context(|| format!("the settings in {}", self.config.display()))?;
        let keys = NodeKeys::load(&configuration.keys).context("the node's keys")?;
        let directory = network::read_signed(&configuration.directory, &configuration.root)?;
        network::node(&directory, &configuration.node)?;
        Ok(Node { configuration, keys, directory })
    }

    fn scratch(&self) -> anyhow::Result<tempfile::TempDir> {
        let mut builder = tempfile::Builder::new();
        let builder = builder.prefix("spean-scratch-");
        let folder = match &self.scratch {
            Some(folder) => builder.tempdir_in(folder),
            None => builder.tempdir(),
        };
        folder.context("the folder for what is thrown away")
    }
}

impl Node {
    fn now(&self) -> Timestamp {
        self.configuration.clock_offset_file.clone().map_or_else(Clock::system, Clock::shifted_by).now()
    }

    fn mark_of(&self, service: spean_vocabulary::Service) -> PathBuf {
        self.configuration.mark_of(&service.to_string())
    }
}

/// A number that no other run of this command uses, for names.
fn suffix() -> String {
    u64::from_be_bytes(spean_chassis::random()).to_string()
}

/// Makes a folder that only its owner can enter.
fn private_folder(folder: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.with_context(|| format!("{} cannot be made", folder.display()))
}
