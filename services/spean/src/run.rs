//! `spean run`: a node, and if it has no broker of its own, that as well.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use spean_chassis::Configuration;

use crate::broker::{OwnBroker, OwnBrokerOptions};
use crate::node::refuse_half_restored;
use crate::{points, services};

/// Threads for blocking work, such as files and names of hosts. The databases bring their own.
const BLOCKING_THREADS: usize = 8;

/// Runs a node.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  spean run --config /etc/spean/node.toml")]
pub struct Run {
    /// The node's settings; `spean admin node example-config` prints one to start from.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Threads that serve requests. Two do for an office.
    #[arg(long, value_name = "NUMBER", default_value = "2", value_parser = clap::value_parser!(u8).range(1..=64))]
    threads: u8,
    /// Runs a nats-server as well, a leaf of the hub that keeps its files in this folder: for an office that has none.
    #[arg(long, value_name = "FOLDER", requires = "hubs")]
    with_broker: Option<PathBuf>,
    /// Leaf port of a hub, `host:port`; more than once when there are several.
    #[arg(long = "hub", value_name = "HOST:PORT", requires = "with_broker")]
    hubs: Vec<String>,
    /// Folder with `server.pem`, `server.key` and `authority.pem` for the link to the hub (`spean admin tls issue`).
    #[arg(long, value_name = "FOLDER", requires = "with_broker")]
    broker_tls: Option<PathBuf>,
}

impl Run {
    /// Runs the node until it is asked to end.
    pub fn run(self) -> anyhow::Result<()> {
        let configuration =
            Configuration::read(&self.config).with_context(|| format!("the settings in {}", self.config.display()))?;
        points::refuse_production(&configuration)?;
        refuse_half_restored(&configuration)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(self.threads.into())
            .max_blocking_threads(BLOCKING_THREADS)
            .enable_all()
            .build()
            .context("the threads could not be started")?;
        let outcome = runtime.block_on(self.serve(configuration));
        // What still blocks then (a name that is being looked up) must not keep the process.
        runtime.shutdown_background();
        outcome
    }

    async fn serve(self, configuration: Configuration) -> anyhow::Result<()> {
        let Some(folder) = self.with_broker else {
            return spean_chassis::run(configuration, services::start).await;
        };
        let options = OwnBrokerOptions { folder, hubs: self.hubs, tls: self.broker_tls };
        let broker = OwnBroker::start(&configuration, &options).await.context("the node's own broker")?;
        let outcome = spean_chassis::run(configuration, services::start).await;
        broker.stop().await;
        outcome
    }
}
