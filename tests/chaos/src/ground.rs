//! The network that the faults strike: six nodes, each with a line to its broker and a clock of its own, some of them on
//! a PostgreSQL server that can be killed as well.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::rc::Rc;

use anyhow::{Context as _, ensure};
use spean::demonstration::agencies::{
    BANTEAY_MEANCHEY, KANDAL, KIEN_SVAY, MINISTRY, NODES, RATANAK_KIRI, REMOTE, SHELTER, TRANSIT_CENTRE,
};
use spean_chassis::Clock;
use spean_checker::journal::Journal;
use spean_testkit::Postgres;
use spean_tests::{Network, network_built, spean_program};
use tokio::time::Instant;

use crate::clerk::Clerk;
use crate::wire::Wire;

/// The offices whose staff work: one of each node, and a second one of the last.
pub(crate) const OFFICES: [&str; 7] =
    [MINISTRY, TRANSIT_CENTRE, SHELTER, BANTEAY_MEANCHEY, RATANAK_KIRI, KANDAL, KIEN_SVAY];

/// The nodes that have their databases in PostgreSQL, where there is one.
const ON_POSTGRES: [&str; 3] = ["mosvy", "poipet", "kandal"];

/// Where the nodes keep what they know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Databases {
    /// In files.
    Sqlite,
    /// Half of them in one PostgreSQL server, the others in files.
    Mixed,
}

/// A running network and all that can be done to it.
pub(crate) struct Ground {
    network: Network,
    wires: BTreeMap<String, Wire>,
    postgres: Option<Postgres>,
    journal: Rc<Journal>,
    began: Instant,
    hub_port: u16,
}

impl Ground {
    /// Builds and starts it.
    pub(crate) async fn build(databases: Databases) -> anyhow::Result<Self> {
        let postgres = (databases == Databases::Mixed).then(Postgres::start);
        let urls = postgres.iter().flat_map(|server| ON_POSTGRES.map(|node| (node.to_owned(), server.database())));
        let mut network = network_built(urls.collect()).await;
        let (mut wires, mut hub_port) = (BTreeMap::new(), 0);
        for node in NODES {
            let mut settings = network.settings(node);
            let wire = if REMOTE.contains(&node) {
                let hub = network.set_hub_port(node, 0)?.context("it has a broker of its own")?;
                let wire = Wire::to(hub).await?;
                network.set_hub_port(node, wire.port())?;
                through_the_wire(&mut network, hub, wire.port()).await?;
                wire
            } else {
                let (host, port) = settings.broker.url.rsplit_once(':').context("a URL with a port")?;
                hub_port = port.parse()?;
                let wire = Wire::to(hub_port).await?;
                settings.broker.url = format!("{host}:{}", wire.port());
                wire
            };
            let home = network.folder().join(node);
            settings.clock_offset_file = Some(home.join("clock"));
            fs::write(home.join("clock"), "0")?;
            fs::write(home.join("node.toml"), toml::to_string(&settings)?)?;
            wires.insert(node.to_owned(), wire);
        }
        let journal = Rc::new(Journal::open(&network.folder().join("journal.jsonl"))?);
        let mut ground = Self { network, wires, postgres, journal, began: Instant::now(), hub_port };
        ground.network.start_all().await?;
        Ok(ground)
    }

    /// The network.
    pub(crate) fn network(&mut self) -> &mut Network {
        &mut self.network
    }

    /// The folder of the network.
    pub(crate) fn folder(&self) -> &Path {
        self.network.folder()
    }

    /// The line between a node, or its own broker, and the hub.
    pub(crate) fn wire(&self, node: &str) -> &Wire {
        &self.wires[node]
    }

    /// Where clients reach the hub directly.
    pub(crate) fn hub_port(&self) -> u16 {
        self.hub_port
    }

    /// The PostgreSQL server, where there is one.
    pub(crate) fn postgres(&mut self) -> Option<&mut Postgres> {
        self.postgres.as_mut()
    }

    /// The nodes whose databases are in PostgreSQL.
    pub(crate) fn on_postgres(&self) -> &'static [&'static str] {
        if self.postgres.is_some() { &ON_POSTGRES } else { &[] }
    }

    /// What staff ask for and are answered, and when copies were put back.
    pub(crate) fn journal(&self) -> &Rc<Journal> {
        &self.journal
    }

    /// The time of the journal, in microseconds.
    pub(crate) fn now(&self) -> i64 {
        i64::try_from(self.began.elapsed().as_micros()).unwrap_or(i64::MAX)
    }

    /// Somebody at an office who does all of its work, whatever happens to the node.
    pub(crate) fn clerk(&self, office: &str) -> Clerk {
        let node = self.network.node_of(office);
        let home = self.network.folder().join(&node);
        let addresses = vec![home.join("data/address"), home.join("second-data/address")];
        let clock = Clock::shifted_by(home.join("clock"));
        let (keys, directory) = (self.network.keys(&node), self.network.directory().clone());
        Clerk::new(office, &node, addresses, clock, keys, directory, Rc::clone(&self.journal), self.began)
    }

    /// Moves the clock of one node by so many seconds, from what it shows.
    pub(crate) fn move_clock(&self, node: &str, seconds: i64) -> anyhow::Result<()> {
        let file = self.network.folder().join(node).join("clock");
        let offset: i64 = fs::read_to_string(&file)?.trim().parse()?;
        replace(&file, &(offset + seconds * 1_000_000).to_string())
    }

    /// Lets all clocks show the same again: that of the network, which may have gone on.
    pub(crate) fn set_clocks(&self) -> anyhow::Result<()> {
        let text = fs::read_to_string(self.network.folder().join("clock"))?;
        NODES.into_iter().try_for_each(|node| replace(&self.network.folder().join(node).join("clock"), &text))
    }

    /// Sends a signal to a process.
    pub(crate) fn signal(process: u32, signal: &str) -> anyhow::Result<()> {
        let sent = Command::new("kill").arg(format!("-{signal}")).arg(process.to_string()).status()?;
        ensure!(sent.success(), "no {signal} for process {process}");
        Ok(())
    }

    /// The process of the broker that a node runs itself.
    pub(crate) fn leaf(&self, node: &str) -> Option<u32> {
        let parent = self.network.process_id(node)?;
        let processes = fs::read_dir("/proc").ok()?.flatten();
        let mut numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        numbers.find(|process| is_broker_of(*process, parent).unwrap_or(false))
    }

    /// Runs `spean node …` for a node. It works on files and databases, so it waits elsewhere.
    pub(crate) async fn node_command(&self, node: &str, arguments: &[&str]) -> anyhow::Result<Output> {
        let mut command = Command::new(spean_program());
        command.arg("node").arg(arguments[0]).arg("--config").arg(self.network.folder().join(node).join("node.toml"));
        command.args(&arguments[1..]);
        Ok(tokio::task::spawn_blocking(move || command.output()).await??)
    }

    /// Kills all nodes and the broker, so that what they leave behind can be judged. Returns the folder, which stays as
    /// long as this value.
    pub(crate) async fn stop(&mut self) -> anyhow::Result<PathBuf> {
        for node in NODES {
            self.network.cut_power(node)?;
        }
        self.network.hub().stop().await?;
        Ok(self.network.folder().to_owned())
    }
}

/// A hub tells its leaves by which address it wants to be reached; here it is the line, or they would go round it.
async fn through_the_wire(network: &mut Network, hub: u16, wire: u16) -> anyhow::Result<()> {
    let written = fs::read_to_string(network.folder().join("hub/nats.conf"))?;
    let listen = format!("leafnodes {{ listen: \"127.0.0.1:{hub}\" }}");
    ensure!(written.contains(&listen), "the hub listens for leaves in some other way");
    let advertised = format!("leafnodes {{ listen: \"127.0.0.1:{hub}\", advertise: \"127.0.0.1:{wire}\" }}");
    Ok(network.hub().reconfigure(&written.replace(&listen, &advertised)).await?)
}

fn is_broker_of(process: u32, parent: u32) -> Option<bool> {
    let line = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (name, fields) = line.rsplit_once(')')?;
    let of: u32 = fields.split_whitespace().nth(1)?.parse().ok()?;
    Some(of == parent && name.contains("nats-server"))
}

/// Replaces a file at once: whoever reads it finds the old text or the new one.
fn replace(file: &Path, text: &str) -> anyhow::Result<()> {
    let temporary = file.with_extension("new");
    fs::write(&temporary, text)?;
    Ok(fs::rename(&temporary, file)?)
}
