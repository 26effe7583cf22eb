//! `spean node verify`: is everything what was written?

use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use clap::Args;
use spean_messaging::post::{Marked, marked};
use spean_vocabulary::Service;
use strum::IntoEnumIterator as _;

use super::databases::Databases;
use super::examination::{Examiner, Report};
use super::manifest::Manifest;
use super::{Node, NodeArguments, suffix};

/// Verifies what a node has.
#[derive(Debug, Args)]
pub struct Verify {
    #[command(flatten)]
    node: NodeArguments,
    /// Verifies this backup of the node, put back in a temporary place, and not the node itself.
    #[arg(long, value_name = "FOLDER")]
    backup: Option<PathBuf>,
    /// An earlier backup: the logs must have its last events where it had them.
    #[arg(long, value_name = "FOLDER", conflicts_with = "backup")]
    since: Option<PathBuf>,
}

impl Verify {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let node = self.node.node()?;
        let report = match &self.backup {
            Some(folder) => self.verify_backup(&node, folder).await?,
            None => self.verify_node(&node).await?,
        };
        report.print();
        let differences = report.differences();
        ensure!(differences == 0, "{differences} differences");
        Ok(())
    }

    async fn verify_node(&self, node: &Node) -> anyhow::Result<Report> {
        // Before the look at the logs: they only go on.
        let mut recorded = Vec::new();
        for service in Service::iter() {
            if let Some(mark) = marked(&node.mark_of(service)).context("the mark of a log")? {
                recorded.push((service, mark));
            }
        }
        if let Some(folder) = &self.since {
            recorded.extend(heads(&Manifest::read(folder, &node.keys, &node.configuration.node)?));
        }
        let scratch = self.node.scratch()?;
        let (directory, keys) = (&node.directory, &node.keys);
        let examiner = Examiner { directory, keys, scratch: scratch.path(), recorded };
        examiner.examine(&Databases::of(&node.configuration)).await
    }

    async fn verify_backup(&self, node: &Node, folder: &std::path::Path) -> anyhow::Result<Report> {
        let manifest = Manifest::read(folder, &node.keys, &node.configuration.node)?;
        let databases = Databases::of(&node.configuration);
        ensure!(manifest.kind == databases.kind(), "it is a backup of {}, and the node has another", manifest.kind);
        let scratch = self.node.scratch()?;
        let tried = databases.scratch(scratch.path(), &suffix()).await?;
        let outcome = async {
            tried.put_back(folder, &manifest.names())?;
            let (directory, keys) = (&node.directory, &node.keys);
            let examiner = Examiner { directory, keys, scratch: scratch.path(), recorded: heads(&manifest) };
            examiner.examine(&tried).await
        };
        let outcome = outcome.await;
        databases.remove_scratch(&tried).await?;
        outcome
    }
}

/// How far the logs had got by a manifest.
pub(super) fn heads(manifest: &Manifest) -> Vec<(Service, Marked)> {
    let head = |(service, head): (&Service, &spean_messaging::post::BackedUp)| {
        (*service, Marked { position: head.position, hash: head.hash.clone() })
    };
    manifest.logs.iter().map(head).collect()
}
