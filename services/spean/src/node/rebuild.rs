//! `spean node rebuild`: the lists of a node, made anew from its logs.

use anyhow::{Context as _, ensure};
use clap::Args;
use spean_console::{Words, rebuild_bar};
use spean_eventstore::{EventStore, Options, Role};

use super::NodeArguments;
use super::databases::Databases;
use crate::services;

/// Which node, and which of its lists.
#[derive(Debug, Args)]
pub struct Rebuild {
    #[command(flatten)]
    node: NodeArguments,
    /// Only this one, such as `verdicts`; all when left out.
    #[arg(long, value_name = "NAME")]
    read_model: Option<String>,
}

impl Rebuild {
    pub(super) async fn run(&self) -> anyhow::Result<()> {
        let node = self.node.node()?;
        let databases = Databases::of(&node.configuration);
        let bar = rebuild_bar(&Words::of_environment());
        let mut rebuilt = 0;
        for service in databases.services().await? {
            let name = service.to_string();
            let log = services::log(service);
            let wanted = |model: &&str| self.read_model.as_deref().is_none_or(|only| only == *model);
            let models: Vec<&str> = log.read_models.iter().map(|model| model.name()).filter(wanted).collect();
            if models.is_empty() {
                continue;
            }
            bar.inc_length(models.len() as u64);
            let options = Options {
                tables: log.tables,
                read_models: log.read_models.clone(),
                ..Options::new(databases.url(&name), &name, node.configuration.node.as_str())
            };
            let store = EventStore::open(options).await.with_context(|| format!("the log of {name}"))?;
            let is_writer = *store.role().borrow() == Role::Writer;
            ensure!(is_writer, "the node runs: another process writes the log of {name}");
            for model in models {
                store.rebuild(model).await.with_context(|| format!("{model} of {name}"))?;
                bar.inc(1);
                rebuilt += 1;
            }
            store.close().await;
        }
        bar.finish_and_clear();
        ensure!(rebuilt > 0, "no service of this node has such a read model");
        println!("{rebuilt} read models were made anew from the logs.");
        Ok(())
    }
}
