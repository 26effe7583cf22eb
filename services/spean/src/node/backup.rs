//! `spean node backup`: copy, try, tell.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use clap::Args;

use super::databases::Databases;
use super::examination::{Examiner, Report};
use super::manifest::Manifest;
use super::{Node, NodeArguments, private_folder, suffix};

/// Backs up a node.
#[derive(Debug, Args)]
pub struct Backup {
    #[command(flatten)]
    node: NodeArguments,
    /// New folder for the backup; its manifest is written last.
    #[arg(long, value_name = "FOLDER")]
    to: PathBuf,
    /// Puts the node's keys into the backup as well: whoever has it can then read everything and act as the node.
    #[arg(long)]
    with_keys: bool,
}

impl Backup {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let node = self.node.node()?;
        let databases = Databases::of(&node.configuration);
        private_folder(&self.to)?;
        let empty = fs::read_dir(&self.to)?.next().is_none();
        ensure!(empty, "{} is not empty: every backup has a folder of its own", self.to.display());
        let network = node.directory.network.clone();
        let mut manifest = Manifest::new(network, node.configuration.node.clone(), node.now(), databases.kind());
        for name in databases.copy(&self.to).await? {
            manifest.add(&self.to, &name)?;
        }
        ensure!(!manifest.files.is_empty(), "the node has no databases yet");
        fs::copy(&node.configuration.directory, self.to.join("directory.json")).context("the directory")?;
        manifest.add(&self.to, "directory.json")?;
        if self.with_keys {
            copy_keys(&node.configuration.keys, &self.to, &mut manifest)?;
        }
        let scratch = self.node.scratch()?;
        let tried = databases.scratch(scratch.path(), &suffix()).await?;
        let outcome = try_copy(&node, &tried, &self.to, &mut manifest, scratch.path()).await;
        databases.remove_scratch(&tried).await?;
        let report = outcome?;
        report.print();
        let differences = report.differences();
        ensure!(
            differences == 0,
            "{differences} differences: the copy is kept, the node was told nothing, and the last sound backup stays the one"
        );
        for (service, head) in &manifest.logs {
            head.note_for(&node.mark_of(*service)).context("the note of the backup beside the keys")?;
        }
        println!("\nThe backup in {} was put back, verified, and is whole.", self.to.display());
        if self.with_keys {
            println!("It holds the node's keys: whoever has it can read everything.");
        } else {
            println!("The keys are not in it. Without them nobody can read the vault.");
        }
        Ok(())
    }
}

/// Puts the copy back elsewhere, writes the manifest by what is found there, and examines it all.
async fn try_copy(
    node: &Node,
    tried: &Databases,
    copy: &Path,
    manifest: &mut Manifest,
    scratch: &Path,
) -> anyhow::Result<Report> {
    tried.put_back(copy, &manifest.names()).context("the copy cannot be put back")?;
    let examiner = Examiner { directory: &node.directory, keys: &node.keys, scratch, recorded: vec![] };
    let report = examiner.examine(tried).await?;
    manifest.logs.clone_from(&report.heads);
    manifest.write(copy, &node.keys)?;
    // What was tried is what was copied: the files themselves, once more.
    Manifest::read(copy, &node.keys, &node.configuration.node)?;
    Ok(report)
}

/// The keys, and nothing that must outlive the backup.
fn copy_keys(keys: &Path, into: &Path, manifest: &mut Manifest) -> anyhow::Result<()> {
    private_folder(&into.join("keys"))?;
    for entry in fs::read_dir(keys).context("the folder of the keys")? {
        let entry = entry?;
        let name = entry.file_name().into_string().ok().context("the name of a key must be text")?;
        let outlives = [".mark", ".backed-up", ".new"].iter().any(|ending| name.ends_with(ending));
        if entry.file_type()?.is_file() && !outlives {
            let name = format!("keys/{name}");
            fs::copy(entry.path(), into.join(&name))?;
            manifest.add(into, &name)?;
        }
    }
    manifest.keys = true;
    Ok(())
}
