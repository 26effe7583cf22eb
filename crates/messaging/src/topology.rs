//! Who may write to whom, as configuration of the brokers, generated from the directory.
//!
//! Every agency has an account on the hub, and accounts do not see each other. For every ordered pair of nodes of
//! different agencies the receiver's account exports the mailbox `inbox.<to>.<from>.>` to exactly the sender's account,
//! which imports it. It is exported as a *service*, since the sender needs the broker's acknowledgement back. The
//! account is the wall; the permissions of the users are the fence between nodes of one agency, who trust each other
//! as an agency does itself. Who a letter is from is proven by its signature, never by the broker alone.
//!
//! An office may run a server of its own as a leaf of the hub. Of what is said there, only mail for other nodes, the
//! questions to the hub's JetStream, and acknowledgements of mail cross to the hub; only answers come back.

mod document;
mod names;

use std::net::SocketAddr;
use std::path::PathBuf;

use spean_identity::{Agency, Directory, Node};
use spean_vocabulary::NodeId;

use document::Block;
pub use names::{
    DUPLICATE_WINDOW, HUB_DOMAIN, LOCAL_SUBJECTS, MAX_PAYLOAD_BYTES, SYSTEM_ACCOUNT, account, mailbox, mailbox_filter,
    mailbox_stream, mailbox_subject, mailbox_subjects, node_domain, reply_prefix,
};

/// Consumers that one stream may have. A node needs one for each of its services.
const MAX_CONSUMERS: u64 = 64;

/// What a server may keep in memory, in bytes. Mail is kept in files.
const MEMORY_BYTES: u64 = 16 * 1024 * 1024;

/// What must not cross the link of an office in either direction: private subjects, key-value and object buckets,
/// services and events of its own JetStream.
const PRIVATE_SUBJECTS: [&str; 5] = [LOCAL_SUBJECTS, "$KV.>", "$O.>", "$SRV.>", "$JS.EVENT.>"];

/// Certificate files of a server, in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The server's certificate; between hub and leaf it is shown by both sides.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// The authority that signed the certificates of the other side.
    pub authority: PathBuf,
}

/// What the hub's configuration needs to know beyond the directory.
#[derive(Clone, Debug)]
pub struct HubOptions {
    /// Name of the server, unique in the network.
    pub server_name: String,
    /// Where clients connect.
    pub listen: SocketAddr,
    /// Where the servers of offices connect.
    pub leaf_listen: SocketAddr,
    /// The `host:port` by which offices reach `leaf_listen`. Without it they learn the address the hub sees itself
    /// under and reconnect there, past any proxy or tunnel between.
    pub leaf_advertise: Option<String>,
    /// Port of the monitoring page, on the loopback interface only: it says much and asks for no password.
    pub monitor_port: u16,
    /// Folder for the streams.
    pub store: PathBuf,
    /// What one node's mailbox may hold, in bytes.
    pub mailbox_bytes: u64,
    /// Certificates, unless all connections stay on one machine.
    pub tls: Option<TlsFiles>,
    /// Public nkey of who may watch the server from the system account, if anybody.
    pub operator: Option<String>,
}

/// What the configuration of a node's own server needs to know beyond the directory.
#[derive(Clone, Debug)]
pub struct LeafOptions {
    /// Where the node's own services connect.
    pub listen: SocketAddr,
    /// Port of the monitoring page, on the loopback interface only.
    pub monitor_port: u16,
    /// Folder for the streams.
    pub store: PathBuf,
    /// What the server may keep in files, in bytes.
    pub store_bytes: u64,
    /// The hub's leaf ports, tried in turn: `host:port`.
    pub hubs: Vec<String>,
    /// Name of a file in the folder of the configuration, with what [`seed_file`] returns and readable by the server
    /// only. So the configuration itself holds no secret.
    pub seed_file: String,
    /// Certificates for the link to the hub, unless hub and leaf share a machine.
    pub tls: Option<TlsFiles>,
}

/// The configuration of the hub: all agencies, all nodes, every mailbox.
pub fn hub(directory: &Directory, options: &HubOptions) -> String {
    let mailboxes = directory.nodes.len() as u64;
    let system = Block::default().set_if("users", options.operator.as_deref().map(|nkey| vec![user(nkey)]));
    let accounts = directory.agencies.iter().fold(Block::default().set(SYSTEM_ACCOUNT, system), |accounts, agency| {
        accounts.set(&account(&agency.id), agency_account(directory, agency, options))
    });
    let leafnodes = Block::default()
        .set("listen", options.leaf_listen.to_string())
        .set_if("advertise", options.leaf_advertise.as_deref())
        .set_if("tls", options.tls.as_ref().map(|files| tls(files).set("verify", true)));
    Block::default()
        .note(&format!(
            "Hub of {}, edition {} of its directory. Generated: change the directory.",
            directory.network, directory.edition
        ))
        .note("Only public keys stand here.")
        .set("server_name", options.server_name.as_str())
        .set("listen", options.listen.to_string())
        .set("http", monitor(options.monitor_port))
        .limits()
        .set_if("tls", options.tls.as_ref().map(tls))
        .set("jetstream", jetstream(options.store.as_path().into(), HUB_DOMAIN, mailboxes * stored_bytes(options)))
        .set("leafnodes", leafnodes)
        .set("system_account", SYSTEM_ACCOUNT)
        .set("accounts", accounts)
        .into_file()
}

/// The configuration of a node's own server, a leaf of the hub; none when the directory has no such node.
pub fn leaf(directory: &Directory, node: &NodeId, options: &LeafOptions) -> Option<String> {
    let node = directory.node(node)?;
    let account = account(&node.agency);
    let scheme = if options.tls.is_some() { "tls" } else { "nats-leaf" };
    let remote = Block::default()
        .set("urls", options.hubs.iter().map(|hub| format!("{scheme}://{hub}")).collect::<Vec<_>>())
        .set("account", account.as_str())
        .include(&options.seed_file)
        .note("What the node writes to itself, and answers among its own services, stay here.")
        .set("deny_exports", denied_exports(&node.id))
        .note("Mail is fetched from the hub's stream and never pushed; nobody there steers this JetStream.")
        .set("deny_imports", denied_imports(&node.id))
        .set_if("tls", options.tls.as_ref().map(tls));
    let members = Block::default().set("jetstream", true).set("users", vec![user(&node.keys.broker)]);
    let accounts = Block::default().set(SYSTEM_ACCOUNT, Block::default()).set(&account, members);
    let file = Block::default()
        .note(&format!("Server of node {} in {}. Generated: change the directory.", node.id, directory.network))
        .set("server_name", node_domain(&node.id))
        .set("listen", options.listen.to_string())
        .set("http", monitor(options.monitor_port))
        .limits()
        .set("jetstream", jetstream(options.store.as_path().into(), &node_domain(&node.id), options.store_bytes))
        .set("leafnodes", Block::default().set("reconnect", "2s").set("remotes", vec![remote]))
        .set("system_account", SYSTEM_ACCOUNT)
        .set("accounts", accounts)
        .into_file();
    Some(file)
}

/// The contents of the file with the seed (`SU…`) of a node's user at the broker, by which its server is let in at the
/// hub.
pub fn seed_file(seed: &str) -> String {
    user(seed).into_file()
}

fn agency_account(directory: &Directory, agency: &Agency, options: &HubOptions) -> Block {
    let own = || directory.nodes.iter().filter(|node| node.agency == agency.id);
    let foreign = || directory.nodes.iter().filter(|node| node.agency != agency.id);
    let pairs = || own().flat_map(|own| foreign().map(move |foreign| (own, foreign)));
    let exports = pairs()
        .map(|(to, from)| Block::default().set("service", pair(to, from)).set("accounts", vec![account(&from.agency)]));
    let imports = pairs().map(|(from, to)| {
        let service = Block::default().set("account", account(&to.agency)).set("subject", pair(to, from));
        Block::default().set("service", service)
    });
    let nodes = own().count() as u64;
    let storage = Block::default()
        .set("max_mem", 0u64)
        .set("max_file", nodes * stored_bytes(options))
        .set("max_streams", nodes)
        .set("max_consumers", MAX_CONSUMERS);
    Block::default()
        .set("jetstream", storage)
        .set(
            "users",
            own().map(|node| user(&node.keys.broker).set("permissions", permissions(&node.id))).collect::<Vec<_>>(),
        )
        .set("exports", exports.collect::<Vec<_>>())
        .set("imports", imports.collect::<Vec<_>>())
}

/// Mail of one node to another.
fn pair(to: &Node, from: &Node) -> String {
    format!("inbox.{}.{}.>", to.id, from.id)
}

/// What a node may say and hear at the hub: write as itself, ask about its own stream, hear its own answers.
fn permissions(node: &NodeId) -> Block {
    let stream = mailbox_stream(node);
    let questions =
        ["STREAM.INFO", "STREAM.CREATE", "STREAM.UPDATE", "STREAM.PURGE", "STREAM.MSG.GET", "DIRECT.GET", "CONSUMER.*"];
    let mut publish =
        vec![format!("inbox.*.{node}.>"), format!("$JS.ACK.{stream}.>"), format!("$JS.ACK.{HUB_DOMAIN}.*.{stream}.>")];
    for api in ["$JS.API".to_owned(), format!("$JS.{HUB_DOMAIN}.API")] {
        publish.push(format!("{api}.INFO"));
        publish.extend(questions.iter().map(|question| format!("{api}.{question}.{stream}")));
        publish.push(format!("{api}.DIRECT.GET.{stream}.>"));
        publish.push(format!("{api}.CONSUMER.*.{stream}.>"));
        publish.push(format!("{api}.CONSUMER.DURABLE.CREATE.{stream}.*"));
        publish.push(format!("{api}.CONSUMER.MSG.NEXT.{stream}.*"));
    }
    Block::default().set("publish", publish).set("subscribe", vec![format!("{}.>", reply_prefix(node))])
}

fn denied_exports(node: &NodeId) -> Vec<String> {
    let own = [mailbox_subjects(node), "_INBOX.>".to_owned()];
    own.into_iter().chain(PRIVATE_SUBJECTS.map(str::to_owned)).collect()
}

fn denied_imports(node: &NodeId) -> Vec<String> {
    let hub = [mailbox_subjects(node), format!("$JS.{}.>", node_domain(node))];
    hub.into_iter().chain(PRIVATE_SUBJECTS.map(str::to_owned)).collect()
}

fn user(nkey: &str) -> Block {
    Block::default().set("nkey", nkey)
}

fn monitor(port: u16) -> String {
    format!("127.0.0.1:{port}")
}

/// An account may hold a little more than its mailboxes reserve: the server counts its own records as well.
fn stored_bytes(options: &HubOptions) -> u64 {
    options.mailbox_bytes + options.mailbox_bytes / 8 + MAX_PAYLOAD_BYTES
}

fn jetstream(store: document::Value, domain: &str, bytes: u64) -> Block {
    Block::default()
        .set("store_dir", store)
        .set("domain", domain)
        .set("max_memory_store", MEMORY_BYTES)
        .set("max_file_store", bytes)
        .note("An acknowledged message is on the disk: without this a power cut takes minutes of them.")
        .set("sync_interval", "always")
}

fn tls(files: &TlsFiles) -> Block {
    Block::default()
        .set("cert_file", files.certificate.as_path())
        .set("key_file", files.key.as_path())
        .set("ca_file", files.authority.as_path())
        .set("timeout", 5u64)
}

impl Block {
    /// What is the same on every server: a dead link is noticed within a minute, and a slow reader let go.
    fn limits(self) -> Self {
        self.set("max_payload", MAX_PAYLOAD_BYTES)
            .set("write_deadline", "10s")
            .set("ping_interval", "20s")
            .set("ping_max", 2u64)
    }
}
