//! A running network: a broker, and a process for each of six agencies.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::ops::{Deref, DerefMut};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use spean::demonstration::agencies::NODES;
use spean::demonstration::stage::{Layout, Stage};
use spean_chassis::Configuration;
use spean_identity::{NodeKeys, Role};
use spean_messaging::broker::{Broker, BrokerOptions};
use spean_messaging::server::Guard;
use spean_testkit::{Postgres, TempDir, a_folder};

use crate::desk::Desk;
use crate::program::spean_program;

/// The roles that between them do all of an office's work with cases.
const CASEWORK: [Role; 4] = [Role::Caseworker, Role::Supervisor, Role::IntakeOfficer, Role::ShelterManager];

/// A network of the test's own. It ends with the value; its folder stays when the test failed.
pub struct Network {
    stage: Stage,
    folder: Option<TempDir>,
    _turn: Option<File>,
}

/// A network whose nodes keep their data in `SQLite` files.
///
/// # Panics
/// When it does not start.
pub async fn network() -> Network {
    set(BTreeMap::new(), None).await
}

/// A network whose nodes have a database each in one PostgreSQL server.
///
/// # Panics
/// When it does not start.
pub async fn network_on_postgres() -> Network {
    let database = |node: &str| (node.to_owned(), Postgres::shared().database());
    set(NODES.into_iter().map(database).collect(), None).await
}

/// A network whose nodes send traces and metrics to an OTLP collector.
///
/// # Panics
/// When it does not start.
pub async fn network_observed_by(collector: &str) -> Network {
    set(BTreeMap::new(), Some(collector.to_owned())).await
}

/// Waits until no other test of this machine has a network: two at once hinder each other, and the patience of both ends.
///
/// # Panics
/// When files cannot be locked.
pub async fn turn() -> File {
    let wait = || -> std::io::Result<File> {
        let lock = File::options().create(true).append(true).open(std::env::temp_dir().join("spean-network.lock"))?;
        lock.lock()?;
        Ok(lock)
    };
    tokio::task::spawn_blocking(wait).await.expect("it waits").expect("files can be locked")
}

/// A network whose nodes do not run yet, so that their settings can still be changed; the databases by node, `SQLite`
/// for the others. It does not wait for its turn: whoever makes one sees to it that no other test runs meanwhile.
///
/// # Panics
/// When the broker does not start.
pub async fn network_built(databases: BTreeMap<String, String>) -> Network {
    network_of(spean_program(), databases).await
}

/// The same with another program than that of this build.
///
/// # Panics
/// When the broker does not start.
pub async fn network_of(program: PathBuf, databases: BTreeMap<String, String>) -> Network {
    let folder = a_folder();
    let layout = Layout { folder: folder.path().join("network"), program, databases, telemetry: None };
    match Stage::build(layout).await {
        Ok(stage) => Network { stage, folder: Some(folder), _turn: None },
        Err(error) => panic!("the network in {} cannot be built: {error:#}", folder.keep().display()),
    }
}

async fn set(databases: BTreeMap<String, String>, telemetry: Option<String>) -> Network {
    let turn = turn().await;
    let folder = a_folder();
    let layout = Layout { folder: folder.path().join("network"), program: spean_program(), databases, telemetry };
    let stage = Stage::set(layout).await;
    match stage {
        Ok(stage) => Network { stage, folder: Some(folder), _turn: Some(turn) },
        Err(error) => {
            let kept = folder.keep();
            panic!("the network in {} does not start: {error:#}", kept.display());
        }
    }
}

impl Network {
    /// A desk at an office, for somebody who does all of its work with cases. It outlives restarts of the node.
    ///
    /// # Panics
    /// When the directory knows no such office.
    pub fn desk(&self, office: &str) -> Desk {
        self.desk_as(office, &CASEWORK)
    }

    /// A desk at an office, for somebody with these roles.
    ///
    /// # Panics
    /// When the directory knows no such office.
    pub fn desk_as(&self, office: &str, roles: &[Role]) -> Desk {
        self.desk_of("t-01", office, roles)
    }

    /// A desk at an office, for a certain member of staff with these roles.
    ///
    /// # Panics
    /// When the directory knows no such office.
    pub fn desk_of(&self, staff: &str, office: &str, roles: &[Role]) -> Desk {
        let token = self.stage.token(staff, office, roles).expect("a token can be issued");
        Desk::new(self.data(&self.node_of(office)).join("address"), office, &token)
    }

    /// The node that serves an office.
    ///
    /// # Panics
    /// When the directory knows no such office.
    pub fn node_of(&self, office: &str) -> String {
        let office = office.parse().expect("the code of an office");
        self.stage.directory().office(&office).expect("an office of the directory").node.to_string()
    }

    /// The folder with all that a node keeps, but for its keys and what must outlive its data.
    pub fn data(&self, node: &str) -> PathBuf {
        self.home(node).join("data")
    }

    /// The keys of a node.
    ///
    /// # Panics
    /// When there is no such node.
    pub fn keys(&self, node: &str) -> NodeKeys {
        NodeKeys::load(&self.home(node).join("keys")).expect("a node's keys")
    }

    /// The settings of a node.
    ///
    /// # Panics
    /// When there is no such node.
    pub fn settings(&self, node: &str) -> Configuration {
        Configuration::read(&self.home(node).join("node.toml")).expect("a node's settings")
    }

    /// The broker, as whoever has the keys of this node knows it.
    ///
    /// # Panics
    /// When there is no such node, or the broker does not let its keys in.
    pub async fn broker_of(&self, node: &str) -> Broker {
        let settings = self.settings(node);
        let options = BrokerOptions {
            url: settings.broker.url,
            node: settings.node,
            seed: self.keys(node).broker_seed().into(),
            domain: None,
            authority: None,
            mailbox_bytes: settings.broker.mailbox_bytes,
        };
        let broker = Broker::connect(options).await.expect("the broker's address is well formed");
        let connected = broker.connected().wait_for(|connected| *connected).await.is_ok();
        assert!(connected, "the broker lets the node's keys in");
        broker
    }

    /// The offices that somebody works at.
    pub fn staffed_offices(&self) -> Vec<String> {
        let offices = self.stage.directory().offices.iter();
        offices.filter(|office| office.staffed).map(|office| office.id.to_string()).collect()
    }

    /// Starts a second instance of a node, with the same keys and the same database.
    ///
    /// # Panics
    /// When there is no such node or it does not start.
    pub fn second_instance(&self, node: &str) -> SecondInstance {
        let home = self.home(node);
        let data = home.join("second-data");
        let settings = home.join("second-node.toml");
        let log = home.join("second-log.txt");
        let configuration = Configuration { data: data.clone(), ..self.settings(node) };
        fs::write(&settings, toml::to_string(&configuration).expect("settings are TOML")).expect("the folder is ours");
        let mut command = Command::new(spean_program());
        command.arg("run").arg("--config").arg(&settings).process_group(0);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(fs::File::create(&log).expect("the folder is ours"));
        let child = command.spawn().expect("the program starts");
        let guard = Guard::over(child.id()).expect("the instance can be guarded");
        SecondInstance { address: data.join("address"), log, child, _guard: guard }
    }

    fn home(&self, node: &str) -> PathBuf {
        self.stage.folder().join(node)
    }
}

impl Deref for Network {
    type Target = Stage;

    fn deref(&self) -> &Stage {
        &self.stage
    }
}

impl DerefMut for Network {
    fn deref_mut(&mut self) -> &mut Stage {
        &mut self.stage
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let kept = self.folder.take().map(TempDir::keep);
            eprintln!("logs and databases of the failed network: {kept:?}");
        }
    }
}

/// A second instance of a node. It ends with the value.
#[derive(Debug)]
pub struct SecondInstance {
    /// Where it writes its address once it serves.
    pub address: PathBuf,
    /// Its log.
    pub log: PathBuf,
    child: Child,
    _guard: Guard,
}

impl SecondInstance {
    /// Whether it stands by for the other to end, by its log.
    pub fn stands_by(&self) -> bool {
        fs::read_to_string(&self.log).is_ok_and(|log| log.contains("standing by"))
    }
}

impl Drop for SecondInstance {
    fn drop(&mut self) {
        // An error says that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Copies a folder with all that is in it. What is at the other place already is replaced as a whole.
///
/// # Panics
/// When that cannot be done.
pub fn copy_folder(from: &Path, to: &Path) {
    if to.exists() {
        fs::remove_dir_all(to).expect("an old copy can be removed");
    }
    fs::create_dir_all(to).expect("a folder can be made");
    for entry in fs::read_dir(from).expect("the folder is there") {
        let entry = entry.expect("the folder can be read");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a file is of some kind").is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).expect("a file can be copied");
        }
    }
}
