//! The connection to the broker. That it is down, slow, wiped or new is normal life: nothing here gives up.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::consumer::pull;
use async_nats::jetstream::{self, consumer, stream};
use async_nats::{ConnectOptions, Event, HeaderMap};
use spean_eventstore::BoxFuture;
use spean_vocabulary::{NodeId, Service};
use tokio::sync::{mpsc, watch};

use crate::topology;

/// How long a publish may take until the broker has it on its disk.
const ACKNOWLEDGED_WITHIN: Duration = Duration::from_secs(5);

/// How long the broker waits for our acknowledgement before it delivers a letter again.
const REDELIVER_AFTER: Duration = Duration::from_mins(1);

/// How many letters are fetched at a time. What is fetched and not reached within [`REDELIVER_AFTER`] comes a second time,
/// and what a killed node had fetched holds up the clearing of its mailbox for that long.
const LETTERS_AT_ONCE: usize = 50;

/// A dead link is noticed after two of these; the client's own default takes minutes.
const PING_EVERY: Duration = Duration::from_secs(10);

/// How to reach the broker.
#[derive(Clone)]
pub struct BrokerOptions {
    /// `nats://host:port` or `tls://host:port`; several with commas between.
    pub url: String,
    /// The node, which is also the name of the connection.
    pub node: NodeId,
    /// Seed of the node's user at the broker.
    pub seed: Arc<str>,
    /// The JetStream domain that keeps the mailboxes: the hub's when the node talks to a server of its own.
    pub domain: Option<String>,
    /// The authority that signed the broker's certificate, in PEM, when it is not one that the machine knows.
    pub authority: Option<std::path::PathBuf>,
    /// Largest size of this node's mailbox at the broker, in bytes.
    pub mailbox_bytes: u64,
}

/// The broker could not take or give a letter now. Try again.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// It did not answer in time. It may have the letter.
    #[error("the broker did not answer in time")]
    TimedOut,
    /// It refused, or the connection is down.
    #[error("the broker could not do it: {0}")]
    Refused(String),
}

/// What takes the letters of a post office to the mailboxes of others. It may lose them, double them and bring them in any
/// order: NATS is one, the network of a simulation another.
pub trait Carrier: Send + Sync + 'static {
    /// Takes a message to the mailbox of its subject, and tells its place there, which goes back when the mailbox was
    /// wiped or rolled back.
    fn publish<'a>(
        &'a self,
        subject: String,
        message_id: &'a str,
        payload: Vec<u8>,
    ) -> BoxFuture<'a, Result<u64, BrokerError>>;

    /// Whether the way stands, as far as is known. Judge health by receipts, not by this.
    fn is_connected(&self) -> bool;
}

/// Where mail for this node lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailboxPlace {
    /// At the hub: from other nodes, and from this one when it has no server of its own.
    Hub,
    /// At the node's own server: from its own services. It needs no hub.
    OwnServer,
}

/// An open mailbox.
pub struct Mail {
    /// What lies in it and comes.
    pub letters: pull::Stream,
    /// Whether it was made by this opening.
    pub created: bool,
    /// How many letters nobody has been given yet.
    pub unread: u64,
}

/// A connection that repairs itself. Cheap to clone.
#[derive(Clone)]
pub struct Broker {
    node: NodeId,
    client: async_nats::Client,
    context: jetstream::Context,
    own_context: Option<jetstream::Context>,
    connected: watch::Receiver<bool>,
    mailbox_bytes: u64,
}

impl std::fmt::Debug for Broker {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Broker").field("node", &self.node).finish_non_exhaustive()
    }
}

impl Broker {
    /// Begins to connect, and returns at once: the broker may be down for days.
    pub async fn connect(options: BrokerOptions) -> Result<Self, BrokerError> {
        let (events, mut happened) = mpsc::unbounded_channel();
        let (set_connected, connected) = watch::channel(false);
        let mut connect = ConnectOptions::with_nkey(options.seed.to_string())
            .name(options.node.as_str())
            .custom_inbox_prefix(topology::reply_prefix(&options.node))
            .retry_on_initial_connect()
            .ping_interval(PING_EVERY)
            .request_timeout(Some(ACKNOWLEDGED_WITHIN))
            .event_callback(move |event| {
                let events = events.clone();
                async move {
                    // The receiver lives as long as the task below, which ends with the last sender.
                    let _ = events.send(event);
                }
            });
        if let Some(authority) = &options.authority {
            connect = connect.add_root_certificates(authority.clone());
        }
        let client = connect.connect(&options.url).await.map_err(|error| BrokerError::Refused(error.to_string()))?;
        let node = options.node.clone();
        tokio::spawn(async move {
            while let Some(event) = happened.recv().await {
                match event {
                    Event::Connected => {
                        tracing::info!(node = %node, "connected to the broker");
                        set_connected.send_replace(true);
                    }
                    Event::Disconnected | Event::Closed => {
                        tracing::warn!(node = %node, "the broker is away; letters wait in the log");
                        set_connected.send_replace(false);
                    }
                    other => tracing::debug!(node = %node, event = %other, "broker"),
                }
            }
        });
        let (mut context, mut own_context) = match &options.domain {
            Some(domain) => (
                jetstream::with_domain(client.clone(), domain),
                Some(jetstream::with_domain(client.clone(), topology::node_domain(&options.node))),
            ),
            None => (jetstream::new(client.clone()), None),
        };
        context.set_timeout(ACKNOWLEDGED_WITHIN);
        if let Some(own_context) = &mut own_context {
            own_context.set_timeout(ACKNOWLEDGED_WITHIN);
        }
        let mailbox_bytes = options.mailbox_bytes;
        Ok(Self { node: options.node, client, context, own_context, connected, mailbox_bytes })
    }

    /// Whether the connection stands, as far as is known. Judge health by receipts, not by this.
    pub fn connected(&self) -> watch::Receiver<bool> {
        self.connected.clone()
    }

    /// Where this node's mail lies.
    pub fn mailboxes(&self) -> impl Iterator<Item = MailboxPlace> {
        let own = self.own_context.as_ref().map(|_| MailboxPlace::OwnServer);
        [Some(MailboxPlace::Hub), own].into_iter().flatten()
    }

    /// Publishes and waits until the broker has it on its disk. Returns its place in the receiver's stream, which goes
    /// back when the broker was wiped or rolled back.
    pub async fn publish(&self, subject: String, message_id: &str, payload: Vec<u8>) -> Result<u64, BrokerError> {
        let mut headers = HeaderMap::new();
        headers.insert(async_nats::header::NATS_MESSAGE_ID, message_id);
        let publish = async {
            let acknowledgement = self
                .context
                .publish_with_headers(subject, headers, payload.into())
                .await
                .map_err(|error| BrokerError::Refused(error.to_string()))?;
            acknowledgement.await.map_err(|error| BrokerError::Refused(error.to_string()))
        };
        let acknowledged = tokio::time::timeout(ACKNOWLEDGED_WITHIN, publish).await;
        Ok(acknowledged.map_err(|_| BrokerError::TimedOut)??.sequence)
    }

    /// The mail of one service of this node. Creates the mailbox and its reader when they are missing, as after a wipe;
    /// `created` tells that the mailbox is a new one, so whatever was in it is gone.
    pub async fn mail(&self, service: Service, place: MailboxPlace) -> Result<Mail, BrokerError> {
        let (context, durable) = self.at(service, place);
        let refused = |error: &dyn std::fmt::Display| BrokerError::Refused(error.to_string());
        let name = topology::mailbox_stream(&self.node);
        let (mailbox, created): (stream::Stream, bool) = if let Ok(mailbox) = context.get_stream(&name).await {
            (mailbox, false)
        } else {
            let config = topology::mailbox(&self.node, self.mailbox_bytes);
            (context.get_or_create_stream(config).await.map_err(|error| refused(&error))?, true)
        };
        let config = pull::Config {
            durable_name: Some(durable.clone()),
            filter_subject: topology::mailbox_filter(&self.node, service),
            deliver_policy: consumer::DeliverPolicy::All,
            ack_policy: consumer::AckPolicy::Explicit,
            ack_wait: REDELIVER_AFTER,
            max_deliver: -1,
            max_ack_pending: 1_000,
            ..pull::Config::default()
        };
        let reader = mailbox.get_or_create_consumer(&durable, config).await.map_err(|error| refused(&error))?;
        let unread = reader.cached_info().num_pending;
        let letters = reader
            .stream()
            .max_messages_per_batch(LETTERS_AT_ONCE)
            .expires(Duration::from_secs(30))
            .heartbeat(Duration::from_secs(10))
            .messages()
            .await
            .map_err(|error| refused(&error))?;
        Ok(Mail { letters, created, unread })
    }

    /// How many bytes of acknowledged mail may lie in the mailbox before it is cleared.
    pub(crate) const fn room_to_keep(&self) -> u64 {
        self.mailbox_bytes / 64
    }

    /// Deletes what a service has acknowledged from the mailbox, and tells whether that was all. The numbering goes on.
    pub async fn clear(&self, service: Service, place: MailboxPlace) -> Result<bool, BrokerError> {
        let (context, durable) = self.at(service, place);
        let refused = |error: &dyn std::fmt::Display| BrokerError::Refused(error.to_string());
        let name = topology::mailbox_stream(&self.node);
        let mut mailbox = context.get_stream(&name).await.map_err(|error| refused(&error))?;
        let last = mailbox.info().await.map_err(|error| refused(&error))?.state.last_sequence;
        let reader = mailbox.consumer_info(&durable).await.map_err(|error| refused(&error))?;
        let has_all = reader.num_pending == 0 && reader.num_ack_pending == 0;
        let through = if has_all { last } else { reader.ack_floor.stream_sequence };
        let purge = mailbox.purge().filter(topology::mailbox_filter(&self.node, service)).sequence(through + 1);
        purge.await.map(|_| has_all).map_err(|error| refused(&error))
    }

    /// Where mail of a service lies, and what its reader is called there.
    fn at(&self, service: Service, place: MailboxPlace) -> (&jetstream::Context, String) {
        match (place, &self.own_context) {
            // An acknowledgement names stream and reader but no domain, and crosses to the hub. Under one name the hub
            // would take that of a letter of the node's own server for that of one of its own.
            (MailboxPlace::OwnServer, Some(own_context)) => (own_context, format!("{service}-own")),
            _ => (&self.context, service.to_string()),
        }
    }

    /// Says what is still waiting to be said, and goes.
    pub async fn close(&self) {
        let _ = tokio::time::timeout(Duration::from_secs(2), self.client.flush()).await;
        let _ = self.client.drain().await;
    }
}

impl Carrier for Broker {
    fn publish<'a>(
        &'a self,
        subject: String,
        message_id: &'a str,
        payload: Vec<u8>,
    ) -> BoxFuture<'a, Result<u64, BrokerError>> {
        Box::pin(self.publish(subject, message_id, payload))
    }

    fn is_connected(&self) -> bool {
        *self.connected.borrow()
    }
}
