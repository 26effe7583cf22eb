//! A hub for three agencies with four nodes, and what tests do with it.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its network has failed")]

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use async_nats::jetstream::consumer::{PullConsumer, pull};
use async_nats::jetstream::context::PublishError;
use async_nats::jetstream::publish::PublishAck;
use async_nats::jetstream::{self, stream};
use async_nats::{Client, ConnectOptions, Subscriber};
use futures::StreamExt;
use nkeys::{KeyPair, KeyPairType};
use spean_identity::{Agency, Directory, Node, PublicKeys};
use spean_messaging::server::{NatsBinary, NatsServer};
use spean_messaging::topology::{
    self, HUB_DOMAIN, HubOptions, LeafOptions, TlsFiles, mailbox_filter, mailbox_stream, mailbox_subject, reply_prefix,
};
use spean_testkit::{TempDir, a_folder, free_port};
use spean_vocabulary::{NodeId, Service};

/// What a mailbox of the test network holds, in bytes.
const MAILBOX_BYTES: u64 = 4 * 1024 * 1024;

const NODES: [(&str, &str, &str); 4] = [
    ("mosvy-hq", "mosvy", "MH"),
    ("mosvy-kandal", "mosvy", "MK"),
    ("poipet", "transit-centre", "PT"),
    ("ngo", "ngo", "NG"),
];

pub(crate) struct Network {
    pub(crate) directory: Directory,
    pub(crate) binary: NatsBinary,
    pub(crate) hub: NatsServer,
    client_port: u16,
    leaf_port: u16,
    _folder: TempDir,
}

pub(crate) struct Office {
    pub(crate) address: String,
    _server: NatsServer,
    _folder: TempDir,
}

impl Network {
    pub(crate) async fn start() -> Self {
        let directory = directory();
        let binary = NatsBinary::find_or_fetch().await.unwrap();
        let folder = a_folder();
        let options = hub_options(folder.path());
        let configuration = topology::hub(&directory, &options);
        let hub = NatsServer::start(&binary, folder.path(), &configuration, options.monitor_port).await.unwrap();
        let (client_port, leaf_port) = (options.listen.port(), options.leaf_listen.port());
        Self { directory, binary, hub, client_port, leaf_port, _folder: folder }
    }

    pub(crate) fn hub_address(&self) -> String {
        format!("nats://127.0.0.1:{}", self.client_port)
    }

    pub(crate) async fn client(&self, node: &str) -> Client {
        connect(&self.hub_address(), &user(node), node).await.unwrap()
    }

    /// The mailbox of a node at the hub.
    pub(crate) async fn mailbox(&self, client: &Client, node: &str) -> stream::Stream {
        let config = topology::mailbox(&id(node), MAILBOX_BYTES);
        jetstream(client).create_stream(config).await.unwrap()
    }

    /// A running server of a node's own.
    pub(crate) async fn office(&self, node: &str) -> Office {
        self.office_of_hub(node, self.leaf_port).await
    }

    /// A running server of a node's own, linked to another hub.
    pub(crate) async fn office_of_hub(&self, node: &str, leaf_port: u16) -> Office {
        let folder = a_folder();
        let options = leaf_options(folder.path(), &id(node), leaf_port);
        write_seed(folder.path(), node);
        let configuration = topology::leaf(&self.directory, &id(node), &options).unwrap();
        let server =
            NatsServer::start(&self.binary, folder.path(), &configuration, options.monitor_port).await.unwrap();
        Office { address: format!("nats://{}", options.listen), _server: server, _folder: folder }
    }
}

/// The user of a node at the broker: the same keys every time, made from its name.
pub(crate) fn user(node: &str) -> KeyPair {
    let mut seed = [7; 32];
    seed[..node.len()].copy_from_slice(node.as_bytes());
    KeyPair::new_from_raw(KeyPairType::User, seed).unwrap()
}

pub(crate) async fn connect(address: &str, user: &KeyPair, node: &str) -> Result<Client, async_nats::ConnectError> {
    ConnectOptions::with_nkey(user.seed().unwrap())
        .custom_inbox_prefix(reply_prefix(&id(node)))
        .request_timeout(Some(Duration::from_secs(3)))
        .connect(address)
        .await
}

pub(crate) fn jetstream(client: &Client) -> jetstream::Context {
    let mut context = jetstream::with_domain(client.clone(), HUB_DOMAIN);
    context.set_timeout(Duration::from_secs(2));
    context
}

pub(crate) async fn mail(client: &Client, to: &str, from: &str, text: &str) -> Result<PublishAck, PublishError> {
    let subject = mailbox_subject(&id(to), Service::Referral, &id(from), Service::Referral);
    jetstream(client).publish(subject, text.to_owned().into()).await?.await
}

pub(crate) async fn consumer(client: &Client, node: &str) -> PullConsumer {
    let stream = jetstream(client).get_stream(mailbox_stream(&id(node))).await.unwrap();
    let config = pull::Config {
        durable_name: Some("referral".to_owned()),
        filter_subject: mailbox_filter(&id(node), Service::Referral),
        ..pull::Config::default()
    };
    stream.get_or_create_consumer("referral", config).await.unwrap()
}

/// Takes this many letters out of a node's mailbox and acknowledges them.
pub(crate) async fn fetch(client: &Client, node: &str, count: usize) -> Vec<String> {
    let consumer = consumer(client, node).await;
    let mut messages = consumer.fetch().max_messages(count).expires(Duration::from_secs(5)).messages().await.unwrap();
    let mut texts = Vec::new();
    while let Some(message) = messages.next().await {
        let message = message.unwrap();
        message.double_ack().await.unwrap();
        texts.push(String::from_utf8(message.payload.to_vec()).unwrap());
    }
    texts
}

/// The subjects of all messages that have come to any of these.
pub(crate) async fn everything_heard(ears: Vec<Subscriber>) -> Vec<String> {
    let mut heard = Vec::new();
    for mut ear in ears {
        while let Ok(Some(message)) = tokio::time::timeout(Duration::from_millis(20), ear.next()).await {
            heard.push(message.subject.to_string());
        }
    }
    heard
}

pub(crate) fn hub_options(folder: &Path) -> HubOptions {
    HubOptions {
        server_name: "hub".to_owned(),
        listen: loopback(free_port()),
        leaf_listen: loopback(free_port()),
        leaf_advertise: None,
        monitor_port: free_port(),
        store: NatsServer::store(folder),
        mailbox_bytes: MAILBOX_BYTES,
        tls: None,
        operator: None,
    }
}

pub(crate) fn leaf_options(folder: &Path, node: &NodeId, leaf_port: u16) -> LeafOptions {
    LeafOptions {
        listen: loopback(free_port()),
        monitor_port: free_port(),
        store: NatsServer::store(folder),
        store_bytes: 16 * MAILBOX_BYTES,
        hubs: vec![format!("127.0.0.1:{leaf_port}")],
        seed_file: format!("{node}.seed"),
        tls: None,
    }
}

/// A hub whose users may do everything, as a function of the port of its monitoring page.
pub(crate) fn prying_hub(client_port: u16, leaf_port: u16, folder: &Path) -> impl Fn(u16) -> String {
    let store = NatsServer::store(folder).display().to_string();
    let users = ["mosvy-hq", "mosvy-kandal"].map(|node| format!("{{ nkey: {} }}", user(node).public_key())).join(", ");
    move |monitor_port| {
        format!(
            "server_name: hub\nlisten: \"127.0.0.1:{client_port}\"\nhttp: \"127.0.0.1:{monitor_port}\"\n\
             jetstream {{ store_dir: \"{store}\", domain: hub }}\nleafnodes {{ listen: \"127.0.0.1:{leaf_port}\" }}\n\
             accounts {{ AGENCY_MOSVY {{ jetstream: enabled, users: [{users}] }} }}\n"
        )
    }
}

/// The secret by which a node's server is let in at the hub, where its configuration looks for it.
pub(crate) fn write_seed(folder: &Path, node: &str) {
    let seed = topology::seed_file(&user(node).seed().unwrap());
    std::fs::write(folder.join(format!("{node}.seed")), seed).unwrap();
}

/// Certificates of an authority made for this test.
pub(crate) fn certificates(folder: &Path) -> TlsFiles {
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let files = TlsFiles {
        certificate: folder.join("server.pem"),
        key: folder.join("server.key"),
        authority: folder.join("authority.pem"),
    };
    std::fs::write(&files.certificate, certified.cert.pem()).unwrap();
    std::fs::write(&files.key, certified.signing_key.serialize_pem()).unwrap();
    std::fs::write(&files.authority, certified.cert.pem()).unwrap();
    files
}

fn directory() -> Directory {
    let agency = |id: &str| Agency { id: id.parse().unwrap(), name_en: id.to_owned(), name_km: id.to_owned() };
    let node = |&(id, agency, tag): &(&str, &str, &str)| Node {
        id: id.parse().unwrap(),
        agency: agency.parse().unwrap(),
        tag: tag.parse().unwrap(),
        keys: PublicKeys {
            signing: String::new(),
            sealing: String::new(),
            token: String::new(),
            broker: user(id).public_key(),
        },
    };
    Directory {
        network: "a test network".to_owned(),
        edition: 1,
        authority: "mosvy-office".parse().unwrap(),
        cosigner: "poipet-office".parse().unwrap(),
        registry: "mosvy-office".parse().unwrap(),
        agencies: ["mosvy", "transit-centre", "ngo"].map(agency).to_vec(),
        nodes: NODES.iter().map(node).collect(),
        offices: Vec::new(),
        place_editions: Vec::new(),
    }
}

fn id(node: &str) -> NodeId {
    node.parse().unwrap()
}

fn loopback(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}
