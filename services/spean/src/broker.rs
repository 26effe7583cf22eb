//! The broker of an office that has none: a leaf of the hub, started and watched over by the node's own process.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use spean_chassis::Configuration;
use spean_identity::{Directory, NodeKeys, tls};
use spean_messaging::server::{MonitorError, NatsBinary, NatsServer, check_sync_always};
use spean_messaging::topology::{self, HUB_DOMAIN, LeafOptions, TlsFiles};
use spean_vocabulary::NodeId;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::{files, network};

/// The file beside the configuration of a leaf with the secret that lets it in at the hub.
pub const SEED_FILE: &str = "node.seed";

/// How many mailboxes of the largest size a leaf's own streams may fill. Letters stay at the hub and in the log, so
/// this is spare room.
const STORE_FACTOR: u64 = 4;

/// How often the server is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Where a broker of our own is kept and what it is linked to.
#[derive(Clone, Debug)]
pub struct OwnBrokerOptions {
    /// Its folder.
    pub folder: PathBuf,
    /// Leaf ports of the hub's servers, `host:port`.
    pub hubs: Vec<String>,
    /// Folder with `server.pem`, `server.key` and `authority.pem` for the link. May be left out only when every hub is
    /// on this machine.
    pub tls: Option<PathBuf>,
}

/// A running broker. It is started again whenever it ends, and ends with this process.
#[derive(Debug)]
pub struct OwnBroker {
    ask_to_end: oneshot::Sender<()>,
    watch: JoinHandle<()>,
}

impl OwnBroker {
    /// Starts it where the node's settings expect the broker: `broker.url` and `broker.monitor`, both on this machine.
    pub async fn start(configuration: &Configuration, options: &OwnBrokerOptions) -> anyhow::Result<Self> {
        let directory = network::read_signed(&configuration.directory, &configuration.root)?;
        let keys = NodeKeys::load(&configuration.keys)?;
        let leaf = leaf_options(configuration, options)?;
        let monitor_port = leaf.monitor_port;
        let text = leaf_files(&directory, &configuration.node, &keys, &leaf, &options.folder)?;
        let binary = NatsBinary::find_or_fetch().await?;
        let server = NatsServer::start(&binary, &options.folder, &text, monitor_port).await?;
        let (ask_to_end, end) = oneshot::channel();
        Ok(Self { ask_to_end, watch: tokio::spawn(watch_over(server, end)) })
    }

    /// Ends it, after the node.
    pub async fn stop(self) {
        // An error of either says that the watch has ended, and the server with it.
        let _ = self.ask_to_end.send(());
        let _ = self.watch.await;
    }
}

/// Writes the secret of a leaf into its folder and returns its configuration.
pub fn leaf_files(
    directory: &Directory,
    node: &NodeId,
    keys: &NodeKeys,
    options: &LeafOptions,
    folder: &Path,
) -> anyhow::Result<String> {
    let entry = network::node(directory, node)?;
    ensure!(keys.are(&entry.keys), "the directory names other keys for node {node}");
    refuse_open_links(options)?;
    let text = topology::leaf(directory, node, options).context("the directory knows no such node")?;
    files::replace_secret(&folder.join(&options.seed_file), &topology::seed_file(keys.broker_seed()))?;
    Ok(text)
}

/// The files of a folder that `spean admin tls issue` filled, for a broker.
pub fn tls_files(folder: &Path) -> anyhow::Result<TlsFiles> {
    let file = |name: &str| {
        let path = folder.join(name);
        std::path::absolute(&path).ok().filter(|path| path.is_file()).with_context(|| format!("no {}", path.display()))
    };
    Ok(TlsFiles {
        certificate: file(tls::NODE_CERTIFICATE)?,
        key: file(tls::NODE_KEY)?,
        authority: file(tls::AUTHORITY_CERTIFICATE)?,
    })
}

/// Whether `host:port` is on this machine.
pub fn is_on_this_machine(address: &str) -> bool {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host).trim_matches(['[', ']']);
    host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

/// The seed that lets a leaf in at its hub is worth a key: it does not travel without TLS.
fn refuse_open_links(options: &LeafOptions) -> anyhow::Result<()> {
    match options.hubs.iter().find(|hub| !is_on_this_machine(hub)) {
        Some(hub) if options.tls.is_none() => bail!("hub {hub} is another machine: the link to it needs certificates"),
        _ => Ok(()),
    }
}

fn leaf_options(configuration: &Configuration, options: &OwnBrokerOptions) -> anyhow::Result<LeafOptions> {
    let broker = &configuration.broker;
    ensure!(
        broker.domain.as_deref() == Some(HUB_DOMAIN),
        "broker.domain must be \"{HUB_DOMAIN}\": the mailboxes are the hub's, the node's own server is a leaf of it"
    );
    let listen: SocketAddr = address(&broker.url, "nats://").context("broker.url: expected nats://127.0.0.1:4222")?;
    let monitor = broker.monitor.as_deref().and_then(|monitor| address(monitor, "http://"));
    let monitor = monitor.context("broker.monitor: expected http://127.0.0.1:8222")?;
    Ok(LeafOptions {
        listen,
        monitor_port: monitor.port(),
        store: std::path::absolute(NatsServer::store(&options.folder))?,
        store_bytes: STORE_FACTOR * broker.mailbox_bytes,
        hubs: options.hubs.clone(),
        seed_file: SEED_FILE.to_owned(),
        tls: options.tls.as_deref().map(tls_files).transpose()?,
    })
}

/// The address in a URL, if it is on this machine and says its port.
fn address(url: &str, scheme: &str) -> Option<SocketAddr> {
    let rest = url.strip_prefix(scheme)?.trim_end_matches('/').replace("localhost", "127.0.0.1");
    rest.parse().ok().filter(|address: &SocketAddr| address.ip().is_loopback())
}

async fn watch_over(mut server: NatsServer, mut end: oneshot::Receiver<()>) {
    loop {
        tokio::select! {
            _ = &mut end => break,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
        if let Err(MonitorError::Unreachable(_)) = check_sync_always(server.monitor()).await {
            tracing::warn!("the node's own broker has ended and is started again");
            if let Err(error) = server.restart().await {
                tracing::warn!(error = %error, "the node's own broker does not start");
            }
        }
    }
    if let Err(error) = server.stop().await {
        tracing::warn!(error = %error, "the node's own broker did not end well");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hub_elsewhere_is_told_from_one_on_this_machine() {
        assert!(is_on_this_machine("127.0.0.1:7422") && is_on_this_machine("localhost:7422"));
        assert!(is_on_this_machine("[::1]:7422"));
        assert!(!is_on_this_machine("hub.example.org:7422") && !is_on_this_machine("10.1.2.3:7422"));
    }

    #[test]
    fn a_broker_of_our_own_is_on_this_machine_and_says_its_port() {
        assert_eq!(address("nats://localhost:4222", "nats://").map(|address| address.port()), Some(4222));
        for url in ["nats://10.0.0.1:4222", "nats://127.0.0.1", "tls://127.0.0.1:4222"] {
            assert_eq!(address(url, "nats://"), None, "{url}");
        }
    }
}
