//! Somebody who has the keys of a node and writes with them whatever they like: genuine letters, sealed and signed.

use std::sync::Arc;

use futures::StreamExt as _;
use prost::Message as _;
use sha2::{Digest as _, Sha256};
use spean_custody::Party;
use spean_custody::case::Message;
use spean_identity::{Envelope, Header, NodeKeys};
use spean_messaging::broker::Broker;
use spean_messaging::topology::mailbox_subject;
use spean_tests::Network;
use spean_vocabulary::{LetterId, NodeId, Service};

/// What is sealed into an envelope, as another program would write it.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Content {
    #[prost(string, tag = "1")]
    pub(crate) from_service: String,
    #[prost(string, tag = "2")]
    pub(crate) to_service: String,
    #[prost(string, tag = "3")]
    pub(crate) kind: String,
    #[prost(string, tag = "4")]
    pub(crate) case: String,
    #[prost(bytes = "vec", tag = "5")]
    pub(crate) body: Vec<u8>,
    #[prost(bytes = "vec", optional, tag = "6")]
    pub(crate) attachment: Option<Vec<u8>>,
}

/// A letter that is written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lie {
    pub(crate) kind: String,
    pub(crate) case: String,
    pub(crate) body: Vec<u8>,
    pub(crate) attachment: Option<Vec<u8>>,
}

impl Lie {
    pub(crate) fn new(kind: &str, case: &str, body: Vec<u8>) -> Self {
        Self { kind: kind.to_owned(), case: case.to_owned(), body, attachment: None }
    }

    /// What one office says to another of a case.
    pub(crate) fn of_custody(from: &Party, to: &Party, message: &Message) -> Self {
        let body = serde_json::json!({ "from": from, "to": to, "message": message }).to_string().into_bytes();
        Self::new(<&'static str>::from(message), &message.case().to_string(), body)
    }
}

/// The services at both ends of a letter.
pub(crate) type Ends = (Service, Service);

/// Between the two desks.
pub(crate) const DESKS: Ends = (Service::Referral, Service::Referral);

/// Whoever has the keys.
pub(crate) struct Rogue {
    pub(crate) node: NodeId,
    pub(crate) victim: NodeId,
    pub(crate) keys: Arc<NodeKeys>,
    directory: spean_identity::Directory,
    broker: Broker,
}

impl Rogue {
    pub(crate) async fn of(network: &Network, node: &str, victim: &str) -> Self {
        let keys = Arc::new(network.keys(node));
        let code = |code: &str| code.parse().expect("the code of a node");
        let (directory, broker) = (network.directory().clone(), network.broker_of(node).await);
        Self { node: code(node), victim: code(victim), keys, directory, broker }
    }

    /// A sealed letter with this number; number 0 is for receipts and the like.
    pub(crate) fn seal(&self, ends: Ends, (incarnation, sequence): (u64, u64), lie: &Lie) -> Vec<u8> {
        let content = Content {
            from_service: ends.0.to_string(),
            to_service: ends.1.to_string(),
            kind: lie.kind.clone(),
            case: lie.case.clone(),
            body: lie.body.clone(),
            attachment: lie.attachment.clone(),
        };
        let name = format!("{}/{} {}/{} {incarnation} {sequence}", self.node, ends.0, self.victim, ends.1);
        let digest: [u8; 16] = Sha256::digest(name.as_bytes())[..16].try_into().expect("a SHA-256 has 32 bytes");
        let header = Header {
            from: self.node.clone(),
            to: self.victim.clone(),
            incarnation,
            sequence,
            letter: LetterId::from_uuid(uuid::Builder::from_custom_bytes(digest).into_uuid()),
        };
        let sealed = Envelope::seal(&header, &content.encode_to_vec(), &self.keys, &self.directory);
        sealed.expect("the keys are the node's")
    }

    /// Publishes; false when the broker has had enough of this sender.
    pub(crate) async fn publish(&self, ends: Ends, payload: Vec<u8>) -> bool {
        let subject = mailbox_subject(&self.victim, ends.1, &self.node, ends.0);
        let message_id = uuid::Builder::from_custom_bytes(spean_chassis::random()).into_uuid().to_string();
        self.broker.publish(subject, &message_id, payload).await.is_ok()
    }

    /// Writes a letter with this number.
    pub(crate) async fn write(&self, ends: Ends, number: (u64, u64), lie: &Lie) -> bool {
        self.publish(ends, self.seal(ends, number, lie)).await
    }

    /// Writes them as fast as the broker takes them, numbered from this one on. How many it took.
    pub(crate) async fn flood(&self, ends: Ends, incarnation: u64, from: u64, lies: Vec<Lie>) -> usize {
        let letters = futures::stream::iter(lies.into_iter().zip(from..));
        let taken = letters.map(|(lie, sequence)| async move { self.write(ends, (incarnation, sequence), &lie).await });
        taken.buffered(64).filter(|taken| std::future::ready(*taken)).count().await
    }

    /// Says something without a number.
    pub(crate) async fn say(&self, ends: Ends, incarnation: u64, kind: &str, body: Vec<u8>) -> bool {
        self.write(ends, (incarnation, 0), &Lie::new(kind, "", body)).await
    }
}
