//! `spean node restore`: put back what a backup holds, and see to it that the node knows.

use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use clap::Args;
use spean_chassis::Configuration;
use spean_eventstore::Claim;
use spean_messaging::post::{BackedUp, KEPT_DAYS, mark_as_restored};
use spean_vocabulary::Service;
use strum::IntoEnumIterator as _;

use super::databases::{Databases, VAULT};
use super::examination::Examiner;
use super::manifest::Manifest;
use super::verify::heads;
use super::{Node, NodeArguments, suffix};
use crate::files;

/// Restores a node.
#[derive(Debug, Args)]
pub struct Restore {
    #[command(flatten)]
    node: NodeArguments,
    /// The folder of the backup.
    #[arg(long, value_name = "FOLDER")]
    from: PathBuf,
    /// Restores although there are databases already; they are set aside, not deleted.
    #[arg(long)]
    replace: bool,
    /// Restores although a later backup was tried more than 30 days ago: peers may have deleted what this one lacks.
    #[arg(long)]
    older: bool,
}

impl Restore {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let node = self.node.node()?;
        let manifest = Manifest::read(&self.from, &node.keys, &node.configuration.node)?;
        let databases = Databases::of(&node.configuration);
        ensure!(manifest.kind == databases.kind(), "it is a backup of {}, and the node has another", manifest.kind);
        self.refuse_older(&node, &manifest)?;
        std::fs::create_dir_all(&node.configuration.data).context("the folder for data")?;
        let mut claims = Vec::new();
        for service in Service::iter() {
            let name = service.to_string();
            let claim = Claim::of(&databases.url(&name), &name).await?;
            claims.push(claim.with_context(|| format!("the node runs: another process writes the log of {name}"))?);
        }
        let unfinished = unfinished(&node.configuration);
        let has_any = !databases.services().await?.is_empty() || databases.has(VAULT).await?;
        ensure!(
            !has_any || self.replace,
            "the node has databases; say --replace to set them aside and restore over them"
        );
        files::replace(&unfinished, "This node is being restored.\n")?;
        fail::fail_point!("restore::announced");
        if has_any {
            println!("What was there is kept: {}", databases.set_aside(&suffix()).await?);
        }
        fail::fail_point!("restore::set_aside");
        databases.put_back(&self.from, &manifest.names())?;
        for service in Service::iter() {
            mark_as_restored(&node.mark_of(service)).context("the mark of a log")?;
            fail::fail_point!("restore::one_marked");
        }
        let scratch = self.node.scratch()?;
        let (directory, keys) = (&node.directory, &node.keys);
        let examiner = Examiner { directory, keys, scratch: scratch.path(), recorded: heads(&manifest) };
        let report = examiner.examine(&databases).await?;
        report.print();
        let differences = report.differences();
        ensure!(differences == 0, "{differences} differences: do not start the node with this backup");
        fail::fail_point!("restore::examined");
        std::fs::remove_file(&unfinished).context("the note that a restore is unfinished")?;
        println!(
            "\nRestored as of {}. Start the node: it asks its peers what was said since, and decides nothing until all\n\
             have answered. Erase again whom you have erased since.",
            manifest.taken_at
        );
        Ok(())
    }

    /// Peers keep what they sent for so many days, and longer until a tried backup has it. What is older than both may
    /// lack letters that nobody has any more.
    fn refuse_older(&self, node: &Node, manifest: &Manifest) -> anyhow::Result<()> {
        let kept_until = manifest.taken_at.plus_hours(24 * KEPT_DAYS);
        for (service, head) in &manifest.logs {
            let tried = BackedUp::noted_for(&node.mark_of(*service)).context("the note of the last tried backup")?;
            let is_older = tried.is_some_and(|tried| tried.has_heard_more_than(head));
            ensure!(
                self.older || !is_older || kept_until >= node.now(),
                "a later backup was tried, and this one is more than {KEPT_DAYS} days old: what peers had sent in between \
                 is deleted. Restore the later one; if there is none any more, say --older"
            );
        }
        Ok(())
    }
}

/// Stands in the folder for data while a node is being restored, and afterwards when that was broken off.
fn unfinished(configuration: &Configuration) -> PathBuf {
    configuration.data.join("restore-unfinished")
}

/// Refuses to run a node on half a backup: what is missing would look like logs that nobody has begun yet.
///
/// # Errors
/// When a restore was broken off.
pub fn refuse_half_restored(configuration: &Configuration) -> anyhow::Result<()> {
    let unfinished = unfinished(configuration);
    ensure!(
        !unfinished.exists(),
        "a restore of this node did not come to its end ({} says so): run `spean node restore` again, with --replace",
        unfinished.display()
    );
    Ok(())
}
