//! The network as real processes: a broker, and a `spean run` for every agency, on free ports of this machine.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};
use spean_chassis::{BrokerSettings, Clock, Configuration, Telemetry};
use spean_identity::{Directory, NodeKeys, Role, RootKey};
use spean_messaging::server::{Guard, NatsBinary, NatsServer};
use spean_messaging::topology::{self, HubOptions};
use spean_vocabulary::{NodeId, OfficeId, StaffId};

use super::agencies::{self, NODES};
use super::staff::Staff;
use crate::staff::{Wanted, token};
use crate::{files, network};

/// How long a node may take until it answers, on a busy machine.
const READY_WITHIN: Duration = Duration::from_mins(1);
/// How often something is looked at while waiting for it.
const LOOK_EVERY: Duration = Duration::from_millis(25);
/// Largest size of a mailbox, in bytes.
const MAILBOX_BYTES: u64 = 64 * 1024 * 1024;

/// How the network is laid out.
#[derive(Clone, Debug)]
pub struct Layout {
    /// Everything is kept in this folder.
    pub folder: PathBuf,
    /// The program `spean`.
    pub program: PathBuf,
    /// For each node that shall not use `SQLite`: the URL of its database.
    pub databases: BTreeMap<String, String>,
    /// The OTLP collector to which the nodes send traces and metrics, such as `http://127.0.0.1:4317`; none when left out.
    pub telemetry: Option<String>,
}

/// A running network. Its processes end with it.
pub struct Stage {
    layout: Layout,
    directory: Directory,
    hub: NatsServer,
    nodes: BTreeMap<String, NodeProcess>,
}

struct NodeProcess {
    /// The hub's port for leaves, or what stands between, when the node runs a broker of its own.
    leaf_of: Option<u16>,
    /// The program, when it is not the one of the network.
    program: Option<PathBuf>,
    /// What its process finds in its environment besides ours.
    environment: BTreeMap<String, String>,
    settings: PathBuf,
    data: PathBuf,
    keys: NodeKeys,
    running: Option<(Child, Guard)>,
}

impl Stage {
    /// Makes the keys, signs the directory, generates the broker's configuration and starts everything.
    pub async fn set(layout: Layout) -> anyhow::Result<Self> {
        let mut stage = Self::build(layout).await?;
        stage.start_all().await?;
        Ok(stage)
    }

    /// As [`Stage::set`], but for the nodes: their settings are written and may still be changed.
    pub async fn build(layout: Layout) -> anyhow::Result<Self> {
        let folder = &layout.folder;
        std::fs::create_dir_all(folder)?;
        let root = RootKey::create(&folder.join("root")).context("the network's root key")?;
        let mut keys = BTreeMap::new();
        for node in NODES {
            keys.insert(node, NodeKeys::create(&folder.join(node).join("keys")).context("a node's keys")?);
        }
        let directory = agencies::directory(folder)?;
        network::sign(&directory, &root, &folder.join("directory.json"))?;
        files::replace(&folder.join("clock"), "0")?;
        let [client_port, leaf_port, monitor_port] = free_ports()?;
        let hub_folder = folder.join("hub");
        let options = HubOptions {
            server_name: "hub".to_owned(),
            listen: SocketAddr::from(([127, 0, 0, 1], client_port)),
            leaf_listen: SocketAddr::from(([127, 0, 0, 1], leaf_port)),
            leaf_advertise: None,
            monitor_port,
            store: NatsServer::store(&hub_folder),
            mailbox_bytes: MAILBOX_BYTES,
            tls: None,
            operator: None,
        };
        let binary = NatsBinary::find_or_fetch().await.context("a nats-server")?;
        let hub = NatsServer::start(&binary, &hub_folder, &topology::hub(&directory, &options), monitor_port).await?;
        let mut nodes = BTreeMap::new();
        for (node, keys) in keys {
            let home = folder.join(node);
            let leaf_of = agencies::REMOTE.contains(&node).then_some(leaf_port);
            let [own_port, own_monitor_port] = free_ports()?;
            let monitor = if leaf_of.is_some() { local("http", own_monitor_port) } else { hub.monitor().to_owned() };
            let configuration = Configuration {
                node: node.parse()?,
                services: spean_chassis::every_service(),
                listen: SocketAddr::from(([127, 0, 0, 1], 0)),
                tls: None,
                data: home.join("data"),
                keys: home.join("keys"),
                directory: folder.join("directory.json"),
                root: root.public(),
                database: layout.databases.get(node).cloned(),
                broker: BrokerSettings {
                    url: local("nats", if leaf_of.is_some() { own_port } else { client_port }),
                    domain: leaf_of.map(|_| topology::HUB_DOMAIN.to_owned()),
                    authority: None,
                    monitor: Some(monitor),
                    mailbox_bytes: MAILBOX_BYTES,
                },
                telemetry: layout.telemetry.clone().map(|endpoint| Telemetry { endpoint }),
                policy: None,
                limits: spean_chassis::Limits::default(),
                clock_offset_file: Some(folder.join("clock")),
            };
            let settings = home.join("node.toml");
            files::replace(&settings, &toml::to_string(&configuration)?)?;
            let process = NodeProcess {
                leaf_of,
                program: None,
                environment: BTreeMap::new(),
                settings,
                data: home.join("data"),
                keys,
                running: None,
            };
            nodes.insert(node.to_owned(), process);
        }
        Ok(Self { layout, directory, hub, nodes })
    }

    /// Starts all nodes at once and waits until they answer.
    pub async fn start_all(&mut self) -> anyhow::Result<()> {
        for node in NODES {
            self.launch(node)?;
        }
        for node in NODES {
            self.ready(node).await?;
        }
        Ok(())
    }

    /// The directory of the network.
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// The folder that holds everything.
    pub fn folder(&self) -> &Path {
        &self.layout.folder
    }

    /// The broker.
    pub fn hub(&mut self) -> &mut NatsServer {
        &mut self.hub
    }

    /// The clock that all nodes of this network share.
    pub fn clock(&self) -> Clock {
        Clock::shifted_by(self.layout.folder.join("clock"))
    }

    /// Moves the clock of the whole network on.
    pub fn pass_time(&self, hours: i64) -> anyhow::Result<()> {
        let file = self.layout.folder.join("clock");
        let offset: i64 = files::read(&file)?.trim().parse()?;
        files::replace(&file, &(offset + hours * 3_600_000_000).to_string())
    }

    /// What a node finds in its environment from its next start on, such as settings that differ from its file.
    pub fn set_environment(&mut self, node: &str, environment: BTreeMap<String, String>) -> anyhow::Result<()> {
        self.nodes.get_mut(node).context("there is no such node")?.environment = environment;
        Ok(())
    }

    /// Which program a node is from its next start on.
    pub fn set_program(&mut self, node: &str, program: PathBuf) -> anyhow::Result<()> {
        self.nodes.get_mut(node).context("there is no such node")?.program = Some(program);
        Ok(())
    }

    /// Through which port of this machine the broker of a node reaches the hub from its next start on; none when the
    /// node has no broker of its own. Returns the port until now.
    pub fn set_hub_port(&mut self, node: &str, port: u16) -> anyhow::Result<Option<u16>> {
        let process = self.nodes.get_mut(node).context("there is no such node")?;
        Ok(process.leaf_of.as_mut().map(|leaf_of| std::mem::replace(leaf_of, port)))
    }

    /// Starts a node and waits until it answers.
    pub async fn start(&mut self, node: &str) -> anyhow::Result<()> {
        self.launch(node)?;
        self.ready(node).await
    }

    fn launch(&mut self, node: &str) -> anyhow::Result<()> {
        let process = self.nodes.get_mut(node).context("there is no such node")?;
        let program = process.program.as_ref().unwrap_or(&self.layout.program);
        // What an earlier run announced is not true any more.
        let _ = std::fs::remove_file(process.data.join("address"));
        let log = process.settings.with_file_name("log.txt");
        let log = OpenOptions::new().create(true).append(true).open(log)?;
        let mut command = Command::new(program);
        command.arg("run").arg("--config").arg(&process.settings).envs(&process.environment).process_group(0);
        if let Some(port) = process.leaf_of {
            command.arg("--with-broker").arg(process.settings.with_file_name("broker"));
            command.arg("--hub").arg(format!("127.0.0.1:{port}"));
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let child = command.spawn().context("the node's process")?;
        let guard = Guard::over(child.id())?;
        process.running = Some((child, guard));
        Ok(())
    }

    async fn ready(&mut self, node: &str) -> anyhow::Result<()> {
        let process = self.nodes.get_mut(node).context("there is no such node")?;
        let log = process.settings.with_file_name("log.txt");
        let address = process.data.join("address");
        let (child, _) = process.running.as_mut().context("the node was not started")?;
        let waiting = async {
            loop {
                if let Some(ended) = child.try_wait()? {
                    bail!("node {node} ended with {ended}; see {}", log.display());
                }
                if let Ok(address) = std::fs::read_to_string(&address)
                    && tokio::net::TcpStream::connect(address.trim()).await.is_ok()
                {
                    return Ok(());
                }
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        let waited = tokio::time::timeout(READY_WITHIN, waiting).await;
        waited.with_context(|| format!("node {node} is not ready; see {}", log.display()))?
    }

    /// Cuts a node's power: SIGKILL, now.
    pub fn cut_power(&mut self, node: &str) -> anyhow::Result<()> {
        let process = self.nodes.get_mut(node).context("there is no such node")?;
        if let Some((mut child, _guard)) = process.running.take() {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }

    /// The process id of a node; none when it does not run.
    pub fn process_id(&self, node: &str) -> Option<u32> {
        self.nodes.get(node)?.running.as_ref().map(|(child, _)| child.id())
    }

    /// All process ids of the network.
    pub fn process_ids(&self) -> Vec<u32> {
        let nodes = self.nodes.values().filter_map(|process| process.running.as_ref().map(|(child, _)| child.id()));
        nodes.chain(self.hub.process_id()).collect()
    }

    /// Where a node listens.
    pub fn address(&self, node: &str) -> anyhow::Result<String> {
        let process = self.nodes.get(node).context("there is no such node")?;
        Ok(files::read(&process.data.join("address"))?.trim().to_owned())
    }

    /// A token for a member of staff of an office, by this network's clock.
    pub fn token(&self, staff: &str, office: &str, roles: &[Role]) -> anyhow::Result<String> {
        let office: OfficeId = office.parse()?;
        let node: NodeId = self.directory.office(&office).context("there is no such office")?.node.clone();
        let keys = &self.nodes.get(node.as_str()).context("there is no such node")?.keys;
        let staff: StaffId = staff.parse()?;
        let wanted = Wanted { node, staff, offices: vec![office], roles: roles.to_vec(), hours: 12 };
        token(keys, &self.directory, wanted, self.clock().now())
    }

    /// A member of staff with a connection to their node. Their token holds for half a day of the network's clock.
    pub async fn staff(&self, staff: &str, office: &str, roles: &[Role]) -> anyhow::Result<Staff> {
        let node = self.directory.office(&office.parse()?).context("there is no such office")?.node.clone();
        let token = self.token(staff, office, roles)?;
        Staff::connect(&self.address(node.as_str())?, office, &token).await
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        for process in self.nodes.values_mut() {
            if let Some((mut child, _guard)) = process.running.take() {
                // An error says that it has ended already.
                let _ = child.kill();
                let _ = child.wait();
            }
        }
    }
}

fn local(scheme: &str, port: u16) -> String {
    format!("{scheme}://127.0.0.1:{port}")
}

/// Ports that nobody listens on, outside the range from which the system itself takes ports for connections.
fn free_ports<const N: usize>() -> anyhow::Result<[u16; N]> {
    let mut held = Vec::new();
    while held.len() < N {
        let [high, low] = spean_chassis::random();
        let port = 12_000 + u16::from_be_bytes([high, low]) % 20_000;
        if let Ok(listener) = TcpListener::bind(("127.0.0.1", port)) {
            held.push((port, listener));
        }
    }
    let ports: Vec<u16> = held.into_iter().map(|(port, _)| port).collect();
    ports.try_into().map_err(|_| anyhow::anyhow!("as many ports as asked for"))
}
