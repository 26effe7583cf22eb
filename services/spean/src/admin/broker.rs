//! `spean admin broker`: the configuration of brokers, generated from the directory.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::ensure;
use clap::{Args, Subcommand};
use spean_identity::{Directory, NodeKeys};
use spean_messaging::server::NatsServer;
use spean_messaging::topology::{self, HubOptions, LeafOptions};
use spean_vocabulary::NodeId;

use crate::{broker, files, network};

/// What a mailbox holds unless somebody decides otherwise, in bytes; as much as a node's settings say by themselves.
const MAILBOX_BYTES: u64 = 256 * 1024 * 1024;

/// Configuration of brokers.
#[derive(Debug, Subcommand)]
pub enum BrokerCommand {
    /// Writes the hub's nats.conf: an account for each agency, a mailbox for each node.
    #[command(after_help = "Example:\n  \
        spean admin broker hub-config --directory directory.json --root 'mZ0s…=' --folder /etc/nats \\\n    \
        --listen 0.0.0.0:4222 --leaf-listen 0.0.0.0:7422 --tls /etc/nats/tls")]
    HubConfig(HubConfig),
    /// Writes the nats.conf of a node's own server, a leaf of the hub, and the secret that lets it in there.
    #[command(after_help = "Example:\n  \
        spean admin broker leaf-config --directory directory.json --root 'mZ0s…=' --node poipet \\\n    \
        --keys /etc/spean/keys --folder /etc/nats --hub hub.example.org:7422 --tls /etc/nats/tls")]
    LeafConfig(LeafConfig),
}

#[derive(Debug, Args)]
struct Source {
    /// The signed directory.
    #[arg(long)]
    directory: PathBuf,
    /// Public key of the root, or a file that holds it.
    #[arg(long)]
    root: String,
}

impl Source {
    fn read(&self) -> anyhow::Result<Directory> {
        network::read_signed(&self.directory, &network::root_key(&self.root)?)
    }
}

/// What the hub's configuration needs.
#[derive(Debug, Args)]
pub struct HubConfig {
    #[command(flatten)]
    source: Source,
    /// Folder for nats.conf.
    #[arg(long)]
    folder: PathBuf,
    /// Folder for the streams; `store` in the folder of nats.conf when left out.
    #[arg(long)]
    store: Option<PathBuf>,
    /// Name of the server, unique in the network.
    #[arg(long, default_value = "hub")]
    name: String,
    /// Where nodes connect.
    #[arg(long, default_value = "127.0.0.1:4222")]
    listen: SocketAddr,
    /// Where the servers of offices connect.
    #[arg(long, default_value = "127.0.0.1:7422")]
    leaf_listen: SocketAddr,
    /// The `host:port` by which offices reach it, when it stands behind a proxy.
    #[arg(long, value_name = "HOST:PORT")]
    leaf_advertise: Option<String>,
    /// Port of the monitoring page, on this machine only.
    #[arg(long, default_value_t = 8222)]
    monitor_port: u16,
    /// What one node's mailbox may hold, in bytes.
    #[arg(long, default_value_t = MAILBOX_BYTES)]
    mailbox_bytes: u64,
    /// Folder with server.pem, server.key and authority.pem; needed unless all is on one machine.
    #[arg(long, value_name = "FOLDER")]
    tls: Option<PathBuf>,
    /// Public nkey (`U…`) of who watches the server.
    #[arg(long, value_name = "NKEY")]
    operator: Option<String>,
}

/// What a leaf's configuration needs.
#[derive(Debug, Args)]
pub struct LeafConfig {
    #[command(flatten)]
    source: Source,
    /// The node.
    #[arg(long)]
    node: NodeId,
    /// Folder with the node's keys.
    #[arg(long)]
    keys: PathBuf,
    /// Folder for nats.conf and the secret.
    #[arg(long)]
    folder: PathBuf,
    /// Folder for the streams; `store` in the folder of nats.conf when left out.
    #[arg(long)]
    store: Option<PathBuf>,
    /// What the server may keep in files, in bytes.
    #[arg(long, default_value_t = 4 * MAILBOX_BYTES)]
    store_bytes: u64,
    /// Where the node connects.
    #[arg(long, default_value = "127.0.0.1:4222")]
    listen: SocketAddr,
    /// Port of the monitoring page, on this machine only.
    #[arg(long, default_value_t = 8222)]
    monitor_port: u16,
    /// Leaf port of a hub; more than once when there are several.
    #[arg(long = "hub", value_name = "HOST:PORT", required = true)]
    hubs: Vec<String>,
    /// Folder with server.pem, server.key and authority.pem for the link; needed unless the hub is on this machine.
    #[arg(long, value_name = "FOLDER")]
    tls: Option<PathBuf>,
}

impl BrokerCommand {
    pub(super) fn run(self) -> anyhow::Result<()> {
        match self {
            Self::HubConfig(config) => config.write(),
            Self::LeafConfig(config) => config.write(),
        }
    }
}

impl HubConfig {
    fn write(self) -> anyhow::Result<()> {
        let directory = self.source.read()?;
        let open = [self.listen, self.leaf_listen].into_iter().find(|address| !address.ip().is_loopback());
        ensure!(
            open.is_none() || self.tls.is_some(),
            "--tls is needed wherever other machines can connect ({})",
            open.map(|address| address.to_string()).unwrap_or_default()
        );
        let options = HubOptions {
            server_name: self.name,
            listen: self.listen,
            leaf_listen: self.leaf_listen,
            leaf_advertise: self.leaf_advertise,
            monitor_port: self.monitor_port,
            store: std::path::absolute(self.store.unwrap_or_else(|| NatsServer::store(&self.folder)))?,
            mailbox_bytes: self.mailbox_bytes,
            tls: self.tls.as_deref().map(broker::tls_files).transpose()?,
            operator: self.operator,
        };
        write(&self.folder, &topology::hub(&directory, &options))
    }
}

impl LeafConfig {
    fn write(self) -> anyhow::Result<()> {
        let directory = self.source.read()?;
        let options = LeafOptions {
            listen: self.listen,
            monitor_port: self.monitor_port,
            store: std::path::absolute(self.store.unwrap_or_else(|| NatsServer::store(&self.folder)))?,
            store_bytes: self.store_bytes,
            hubs: self.hubs,
            seed_file: broker::SEED_FILE.to_owned(),
            tls: self.tls.as_deref().map(broker::tls_files).transpose()?,
        };
        let keys = NodeKeys::load(&self.keys)?;
        write(&self.folder, &broker::leaf_files(&directory, &self.node, &keys, &options, &self.folder)?)
    }
}

fn write(folder: &std::path::Path, text: &str) -> anyhow::Result<()> {
    let path = folder.join("nats.conf");
    files::replace(&path, text)?;
    println!("Start it with: nats-server --config {}", path.display());
    Ok(())
}
