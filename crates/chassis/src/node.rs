//! One process of an agency: what all its services share, and their common start and end.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::{Context as _, bail};
use spean_contracts::DESCRIPTORS;
use spean_contracts::policy::v1::policy_service_server::PolicyServiceServer;
use spean_eventstore::{EventStore, Options, Role};
use spean_identity::{Directory, LiveDirectory, NodeKeys, SignedDirectory};
use spean_messaging::broker::{Broker, BrokerOptions, Carrier};
use spean_messaging::post::Postings;
use spean_messaging::server::{MonitorError, check_sync_always};
use spean_messaging::trace::continue_trace;
use spean_messaging::{Address, Correspondence, Outbox, Post, PostOptions};
use spean_policy::Policy;
use spean_vault::Vault;
use spean_vocabulary::{NodeId, Service};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tonic::service::{Routes, RoutesBuilder};
use tonic::transport::{Identity, Server, ServerTlsConfig};

use crate::clock::Clock;
use crate::configuration::Configuration;
use crate::gate::Gate;
use crate::load::Load;
use crate::log::Log;
use crate::post_offices::PostOffices;
use crate::work::Round;
use crate::{metrics, policy, telemetry};

/// The largest request that a service takes unless it has reason for more, in bytes.
pub const LARGEST_REQUEST_BYTES: usize = 1024 * 1024;

/// How long one request may take.
const DEADLINE: Duration = Duration::from_secs(30);
/// How long the requests under way may take when the process is asked to end.
const FAREWELL: Duration = Duration::from_secs(10);
/// How often a broker that cannot be asked about its durability is asked again.
const ASK_AGAIN: Duration = Duration::from_secs(2);

/// What the services of a node share.
#[derive(Clone)]
pub struct Node {
    /// Which node.
    pub id: NodeId,
    /// Its settings.
    pub configuration: Arc<Configuration>,
    /// Who is who.
    pub directory: LiveDirectory,
    /// Its keys.
    pub keys: Arc<NodeKeys>,
    /// Personal data.
    pub vault: Arc<Vault>,
    /// The figures by which its agency works, as its file says them today. What judges a decision by the policy of its
    /// day asks [`Node::policies`].
    pub policy: Arc<Policy>,
    /// Its clock.
    pub clock: Clock,
    /// Who may do what.
    pub gate: Gate,
    /// The post offices of its services.
    pub post_offices: PostOffices,
    carrier: Arc<dyn Carrier>,
    stop: watch::Receiver<bool>,
}

/// What a node has around it and cannot bring along.
pub struct Surroundings {
    /// Its clock.
    pub clock: Clock,
    /// What takes its letters to others.
    pub carrier: Arc<dyn Carrier>,
}

/// What a service brings along.
pub struct ServiceParts {
    /// What stands in its log.
    pub log: Log,
    /// What follows from its events for others: `published.rs`.
    pub postings: Box<Postings>,
    /// What it does with letters: `reactions.rs`.
    pub correspondence: Arc<dyn Correspondence>,
}

/// What has been started, and must be ended.
pub struct Running {
    routes: RoutesBuilder,
    work: Work,
    services: Vec<(Service, EventStore, Post)>,
}

/// Who does what is to be done without being asked.
enum Work {
    /// The node itself, with mail from the broker.
    Tasks(JoinSet<()>, Box<Broker>),
    /// Whoever asks for [`Running::into_parts`].
    Rounds(Vec<Round>),
}

/// A node in pieces that do nothing by themselves.
pub struct Parts {
    /// What it serves.
    pub routes: Routes,
    /// What its services do without being asked.
    pub rounds: Vec<Round>,
    /// Their logs and post offices, in the order in which they were started.
    pub services: Vec<(Service, EventStore, Post)>,
}

impl Node {
    /// A node of which nothing runs by itself. `configuration` names its files; its broker and its port are not used.
    ///
    /// # Errors
    /// When its files cannot be read or do not fit together.
    pub async fn at_rest(configuration: Configuration, surroundings: Surroundings) -> anyhow::Result<Self> {
        let (keys, directory) = identified(&configuration).await?;
        // Whoever waits for the end of a node whose sender is gone hears it at once, so nobody may wait: nothing runs.
        let (_, stop) = watch::channel(false);
        assemble(configuration, keys, directory, surroundings, stop).await
    }

    /// Opens the log and the post office of a service.
    pub async fn open(&self, parts: ServiceParts, running: &mut Running) -> anyhow::Result<(EventStore, Post)> {
        self.open_into(parts, &OnceLock::new(), running).await
    }

    /// Opens the log and the post office of a service, for one whose correspondence reads the log: it is there before
    /// the first letter is.
    pub async fn open_into(
        &self,
        parts: ServiceParts,
        opened: &OnceLock<EventStore>,
        running: &mut Running,
    ) -> anyhow::Result<(EventStore, Post)> {
        let ServiceParts { log: Log { service, tables, read_models, .. }, postings, correspondence } = parts;
        let name = service.to_string();
        let outbox = Arc::new(Outbox::new(self.address(service), postings));
        let options = Options {
            tables,
            read_models,
            publisher: Some(Arc::clone(&outbox) as _),
            ..Options::new(self.configuration.database_of(&name), &name, self.id.as_str())
        };
        let store = EventStore::open(options).await.with_context(|| format!("the log of {name}"))?;
        let mut role = store.role();
        if *role.borrow() != Role::Writer {
            tracing::info!(service = %service, "another instance writes; standing by");
            role.wait_for(|role| *role == Role::Writer).await?;
        }
        // A second one could only come from opening the same service twice, which the log's election would not survive.
        let _ = opened.set(store.clone());
        let clock = self.clock.clone();
        let options = PostOptions {
            me: self.address(service),
            store: store.clone(),
            outbox,
            carrier: Arc::clone(&self.carrier),
            keys: Arc::clone(&self.keys),
            directory: self.directory.clone(),
            now: Arc::new(move || clock.now()),
            correspondence,
            mark: self.configuration.mark_of(&name),
        };
        let post = Post::open(options).await?;
        if let Work::Tasks(tasks, broker) = &mut running.work {
            post.run(broker, tasks, &self.stop);
        }
        self.adopt_policy(&store).await?;
        self.post_offices.add(service, &post);
        running.services.push((service, store.clone(), post.clone()));
        Ok((store, post))
    }

    /// The address of a service of this node.
    pub fn address(&self, service: Service) -> Address {
        Address { node: self.id.clone(), service }
    }

    /// Tells when the process is asked to end.
    pub fn stop(&self) -> watch::Receiver<bool> {
        self.stop.clone()
    }
}

impl Running {
    /// Where services add what they serve.
    pub fn routes(&mut self) -> &mut RoutesBuilder {
        &mut self.routes
    }

    /// For a node of which nothing runs by itself.
    pub fn at_rest() -> Self {
        Self { routes: RoutesBuilder::default(), work: Work::Rounds(Vec::new()), services: Vec::new() }
    }

    /// Does something again and again until the process is asked to end.
    pub fn repeat(&mut self, node: &Node, round: Round) {
        match &mut self.work {
            Work::Tasks(tasks, _) => {
                tasks.spawn(round.run(node.stop()));
            }
            Work::Rounds(rounds) => rounds.push(round),
        }
    }

    /// Runs a task that only observes, until it ends or the process is asked to. A node at rest has none.
    pub fn observe(&mut self, node: &Node, task: impl Future<Output = ()> + Send + 'static) {
        let Work::Tasks(tasks, _) = &mut self.work else { return };
        let mut stop = node.stop();
        tasks.spawn(async move {
            tokio::select! {
                () = task => {}
                _ = stop.wait_for(|stop| *stop) => {}
            }
        });
    }

    /// What was started, in pieces. Of a running node there are no rounds: they go by themselves.
    pub fn into_parts(self) -> Parts {
        let rounds = match self.work {
            Work::Rounds(rounds) => rounds,
            Work::Tasks(..) => Vec::new(),
        };
        Parts { routes: self.routes.routes(), rounds, services: self.services }
    }
}

/// Runs a node until it is asked to end (SIGTERM or Ctrl-C). `start` starts the services that are configured.
pub async fn run<F>(configuration: Configuration, start: F) -> anyhow::Result<()>
where
    F: AsyncFnOnce(&Node, &mut Running) -> anyhow::Result<()>,
{
    let _telemetry = telemetry::start(&configuration.node, configuration.telemetry.as_ref())?;
    let (request_stop, stop) = watch::channel(false);
    let listener = TcpListener::bind(configuration.listen).await.context("the port is not free")?;
    let address = listener.local_addr()?;
    let (node, broker) = prepare(configuration, stop).await?;
    let work = Work::Tasks(JoinSet::new(), Box::new(broker));
    let mut running = Running { routes: RoutesBuilder::default(), work, services: Vec::new() };
    tokio::spawn(async move {
        asked_to_end().await;
        request_stop.send_replace(true);
    });
    let mut stopped = node.stop();
    tokio::select! {
        started = start(&node, &mut running) => started?,
        // It may stand by for days.
        _ = stopped.wait_for(|stop| *stop) => return Ok(()),
    }
    metrics::observe(&node, &running.services);
    announce(&node, address)?;
    serve(&node, running, listener).await
}

async fn prepare(configuration: Configuration, stop: watch::Receiver<bool>) -> anyhow::Result<(Node, Broker)> {
    let (keys, directory) = identified(&configuration).await?;
    let clock = match &configuration.clock_offset_file {
        Some(file) => Clock::shifted_by(file.clone()),
        None => Clock::system(),
    };
    if let Some(monitor) = &configuration.broker.monitor {
        check_durability(monitor, configuration.is_production(), &stop).await?;
    }
    let broker = Broker::connect(BrokerOptions {
        url: configuration.broker.url.clone(),
        node: configuration.node.clone(),
        seed: keys.broker_seed().into(),
        domain: configuration.broker.domain.clone(),
        authority: configuration.broker.authority.clone(),
        mailbox_bytes: configuration.broker.mailbox_bytes,
    })
    .await?;
    let surroundings = Surroundings { clock, carrier: Arc::new(broker.clone()) };
    Ok((assemble(configuration, keys, directory, surroundings, stop).await?, broker))
}

/// Reads who the node is, and what the network knows of it.
async fn identified(configuration: &Configuration) -> anyhow::Result<(Arc<NodeKeys>, Directory)> {
    tokio::fs::create_dir_all(&configuration.data).await.context("the folder for data")?;
    let keys = Arc::new(NodeKeys::load(&configuration.keys).context("the node's keys")?);
    let signed = tokio::fs::read_to_string(&configuration.directory).await.context("the directory file")?;
    let directory = SignedDirectory::from_json(&signed)?.verify(&configuration.root, None)?;
    let Some(entry) = directory.node(&configuration.node) else {
        bail!("the directory knows no node {}", configuration.node);
    };
    if entry.keys != keys.public() {
        bail!("the directory names other keys for node {} than those in {}", entry.id, configuration.keys.display());
    }
    Ok((keys, directory))
}

async fn assemble(
    configuration: Configuration,
    keys: Arc<NodeKeys>,
    directory: Directory,
    surroundings: Surroundings,
    stop: watch::Receiver<bool>,
) -> anyhow::Result<Node> {
    let Surroundings { clock, carrier } = surroundings;
    let directory = LiveDirectory::new(directory);
    let policy = Arc::new(policy::read(configuration.policy.as_deref()).await?);
    let vault = Arc::new(Vault::open(&configuration.database_of("vault"), &keys).await.context("the vault")?);
    let gate = Gate::new(configuration.node.clone(), directory.clone(), clock.clone());
    Ok(Node {
        id: configuration.node.clone(),
        configuration: Arc::new(configuration),
        directory,
        keys,
        vault,
        policy,
        clock,
        gate,
        post_offices: PostOffices::default(),
        carrier,
        stop,
    })
}

/// Refuses a broker that acknowledges before the disk has it. One that is down is asked again: in production nothing
/// starts before it has answered once, elsewhere a warning will do.
async fn check_durability(monitor: &str, production: bool, stop: &watch::Receiver<bool>) -> anyhow::Result<()> {
    loop {
        match check_sync_always(monitor).await {
            Ok(()) => return Ok(()),
            Err(error @ MonitorError::NotSynchronous) if production => return Err(error.into()),
            Err(error) if !production => {
                tracing::warn!(error = %error, "the broker's durability is not shown");
                return Ok(());
            }
            Err(error) => tracing::warn!(error = %error, "the broker cannot be asked yet whether it keeps its word"),
        }
        let mut stop = stop.clone();
        tokio::select! {
            () = tokio::time::sleep(ASK_AGAIN) => {}
            _ = stop.wait_for(|stop| *stop) => bail!("asked to end before the broker answered"),
        }
    }
}

async fn asked_to_end() {
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

/// Writes where the node listens into its data folder, for those who started it on any free port.
fn announce(node: &Node, address: SocketAddr) -> anyhow::Result<()> {
    let file = node.configuration.data.join("address");
    std::fs::write(&file, address.to_string()).context("the file that tells the address")?;
    tracing::info!(node = %node.id, %address, "ready");
    Ok(())
}

async fn serve(node: &Node, running: Running, listener: TcpListener) -> anyhow::Result<()> {
    let Running { mut routes, work: Work::Tasks(mut tasks, broker), services } = running else {
        bail!("a node at rest serves nobody");
    };
    let (reporter, health) = tonic_health::server::health_reporter();
    for (service, store, post) in &services {
        tasks.spawn(report_health(reporter.clone(), *service, store.clone(), post.clone(), node.stop()));
    }
    if let Some((_, store, _)) = services.first() {
        let shown = policy::Grpc { gate: node.gate.clone(), store: store.clone() };
        let shown = PolicyServiceServer::new(shown).max_decoding_message_size(LARGEST_REQUEST_BYTES);
        routes.add_service(shown);
    }
    let reflection =
        tonic_reflection::server::Builder::configure().register_encoded_file_descriptor_set(DESCRIPTORS).build_v1()?;
    let earlier_reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(DESCRIPTORS)
        .build_v1alpha()?;
    routes.add_service(health).add_service(reflection).add_service(earlier_reflection);
    let load = Load::new(&node.configuration.limits);
    let mut server = Server::builder()
        .layer(load.clone())
        .timeout(DEADLINE)
        .max_concurrent_streams(node.configuration.limits.requests_on_a_connection)
        .http2_keepalive_interval(Some(Duration::from_secs(30)))
        .trace_fn(|request| {
            let span = tracing::info_span!("rpc.server", rpc.method = request.uri().path());
            continue_trace(&span, request.headers().get("traceparent").and_then(|header| header.to_str().ok()));
            span
        });
    if let Some(files) = &node.configuration.tls {
        let certificate = std::fs::read(&files.certificate).context("the certificate")?;
        let key = std::fs::read(&files.key).context("the certificate's key")?;
        server = server.tls_config(ServerTlsConfig::new().identity(Identity::from_pem(certificate, key)))?;
    }
    let mut stop = node.stop();
    let stopped = async move {
        // An error means that nobody is left who could ask.
        let _ = stop.wait_for(|stop| *stop).await;
    };
    let serving = server.add_routes(routes.routes()).serve_with_incoming_shutdown(load.connections(listener), stopped);
    let mut stop = node.stop();
    tokio::pin!(serving);
    tokio::select! {
        outcome = &mut serving => outcome?,
        _ = stop.wait_for(|stop| *stop) => {
            if tokio::time::timeout(FAREWELL, serving).await.is_err() {
                tracing::warn!("requests were still under way and were broken off");
            }
        }
    }
    while tasks.join_next().await.is_some() {}
    broker.close().await;
    for (_, store, _) in services {
        store.close().await;
    }
    Ok(())
}

/// A service is serving when it may write and is not recovering from a backup.
async fn report_health(
    reporter: tonic_health::server::HealthReporter,
    service: Service,
    store: EventStore,
    post: Post,
    mut stop: watch::Receiver<bool>,
) {
    let name = format!("spean.{service}.v1.{}Service", capitalised(service));
    let mut role = store.role();
    loop {
        let serving = *role.borrow() == Role::Writer && !post.is_recovering();
        let status =
            if serving { tonic_health::ServingStatus::Serving } else { tonic_health::ServingStatus::NotServing };
        reporter.set_service_status(&name, status).await;
        let ended = tokio::select! {
            changed = role.changed() => changed.is_err(),
            () = tokio::time::sleep(Duration::from_secs(1)) => false,
            ended = stop.wait_for(|stop| *stop) => ended.is_ok(),
        };
        if ended {
            return reporter.set_service_status(&name, tonic_health::ServingStatus::NotServing).await;
        }
    }
}

fn capitalised(service: Service) -> String {
    let name = service.to_string();
    let (first, rest) = name.split_at(1);
    first.to_ascii_uppercase() + rest
}
