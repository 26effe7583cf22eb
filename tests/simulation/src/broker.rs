//! The network between the nodes: it loses, doubles, reorders and delays letters, is cut, wiped and rolled back. And it
//! knows of each letter how far the disk of its sender had got when it left.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use spean_eventstore::BoxFuture;
use spean_messaging::broker::{BrokerError, Carrier};
use spean_vocabulary::Service;

use crate::network::NODES;

/// A message in a mailbox.
#[derive(Clone)]
pub(crate) struct Mail {
    /// The node that sent it.
    sender: usize,
    /// How far the journal of the disks had got when it left.
    left_at: u64,
    /// Receiver, sender and their services, as the mailbox calls them.
    pub(crate) subject: String,
    /// What the broker knows it again by.
    pub(crate) id: String,
    /// What was sealed.
    pub(crate) payload: Vec<u8>,
}

impl Mail {
    /// Where it comes among those that left at the same time: they may come in any order, so it is by their numbers, and
    /// those without one by who sends them to whom.
    fn place(&self) -> (Option<String>, String) {
        (self.id.contains('.').then(|| self.id.clone()), self.subject.clone())
    }
}

/// The mail of one node.
#[derive(Clone, Default)]
pub(crate) struct Mailbox {
    /// What lies in it.
    pub(crate) mail: Vec<Mail>,
    /// What came since the last look, in the order of its coming.
    arrived: Vec<Mail>,
    /// The place of the last message.
    last: u64,
}

#[derive(Default)]
struct Inside {
    boxes: Vec<Mailbox>,
    /// How the mailboxes were once.
    kept: Option<Vec<Mailbox>>,
    away: BTreeMap<usize, bool>,
    /// One of so many acknowledgements is lost; none for 0.
    lost_acknowledgements: u64,
    seed: u64,
    /// The disks of all nodes, where they are watched.
    disks: Option<spean_disk::Disk>,
}

/// The broker of all nodes. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Broker(Arc<Mutex<Inside>>);

/// The broker as one node reaches it.
struct Line {
    broker: Broker,
    node: usize,
}

impl Broker {
    pub(crate) fn new(seed: u64, lost_acknowledgements: u64, disks: Option<spean_disk::Disk>) -> Self {
        let boxes = vec![Mailbox::default(); NODES.len()];
        Self(Arc::new(Mutex::new(Inside { boxes, lost_acknowledgements, seed, disks, ..Inside::default() })))
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The way of one node to it.
    pub(crate) fn line(&self, node: usize) -> Arc<dyn Carrier> {
        Arc::new(Line { broker: self.clone(), node })
    }

    /// Puts what came into its place.
    pub(crate) fn sort(&self) {
        for mailbox in &mut self.inside().boxes {
            let mut arrived = std::mem::take(&mut mailbox.arrived);
            arrived.sort_by_key(Mail::place);
            mailbox.mail.extend(arrived);
        }
    }

    /// How many messages wait for a node.
    pub(crate) fn waiting(&self, node: usize) -> usize {
        self.inside().boxes[node].mail.len()
    }

    /// Takes a message out.
    pub(crate) fn take(&self, node: usize, at: usize) -> Mail {
        self.inside().boxes[node].mail.remove(at)
    }

    /// A message, which stays.
    pub(crate) fn look(&self, node: usize, at: usize) -> Mail {
        self.inside().boxes[node].mail[at].clone()
    }

    /// Puts a message back behind all others.
    pub(crate) fn put_back(&self, node: usize, mail: Mail) {
        self.inside().boxes[node].mail.push(mail);
    }

    /// Loses all that waits for a node, and forgets how far it had counted.
    pub(crate) fn wipe(&self, node: usize) {
        self.inside().boxes[node] = Mailbox::default();
    }

    /// Keeps all mailboxes as they are, for [`Broker::roll_back`].
    pub(crate) fn keep(&self) {
        let mut inside = self.inside();
        inside.kept = Some(inside.boxes.clone());
    }

    /// Puts the mailboxes back as they were kept. False when they never were.
    pub(crate) fn roll_back(&self) -> bool {
        let mut inside = self.inside();
        let kept = inside.kept.clone();
        kept.map(|kept| inside.boxes = kept).is_some()
    }

    /// Cuts or mends the line of a node.
    pub(crate) fn set_away(&self, node: usize, away: bool) {
        self.inside().away.insert(node, away);
    }

    /// Whether the line of a node is cut.
    pub(crate) fn is_away(&self, node: usize) -> bool {
        self.inside().away.get(&node).copied().unwrap_or(false)
    }

    /// Nothing is lost from now on.
    pub(crate) fn heal(&self) {
        let mut inside = self.inside();
        inside.away.clear();
        inside.lost_acknowledgements = 0;
    }

    /// How far the disk of a node had got when each of the letters left that it sent in this step, in the order of their
    /// leaving.
    pub(crate) fn left_in_this_step(&self, node: usize) -> Vec<u64> {
        let inside = self.inside();
        let arrived = inside.boxes.iter().flat_map(|mailbox| &mailbox.arrived);
        let mut left: Vec<u64> = arrived.filter(|mail| mail.sender == node).map(|mail| mail.left_at).collect();
        left.sort_unstable();
        left
    }

    /// The power of a node failed in this step: of what it sent, only so many letters have left it.
    pub(crate) fn unsay_after(&self, node: usize, letters: usize) {
        let mut inside = self.inside();
        let arrived = inside.boxes.iter().flat_map(|mailbox| &mailbox.arrived);
        let mut left: Vec<&Mail> = arrived.filter(|mail| mail.sender == node).collect();
        left.sort_by_key(|mail| (mail.left_at, mail.place()));
        let unsaid: Vec<String> = left.split_off(letters.min(left.len())).iter().map(|mail| mail.id.clone()).collect();
        for mailbox in &mut inside.boxes {
            mailbox.arrived.retain(|mail| mail.sender != node || !unsaid.contains(&mail.id));
        }
    }
}

impl Carrier for Line {
    fn publish<'a>(
        &'a self,
        subject: String,
        message_id: &'a str,
        payload: Vec<u8>,
    ) -> BoxFuture<'a, Result<u64, BrokerError>> {
        Box::pin(async move {
            let mut inside = self.broker.inside();
            if inside.away.get(&self.node).copied().unwrap_or(false) {
                return Err(BrokerError::TimedOut);
            }
            let receiver = receiver(&subject).and_then(|(node, _)| NODES.iter().position(|name| *name == node));
            let Some(receiver) = receiver else { return Err(BrokerError::Refused("no such mailbox".to_owned())) };
            let is_lost = inside.lost_acknowledgements > 0
                && sum(inside.seed, message_id.as_bytes()).is_multiple_of(inside.lost_acknowledgements);
            let left_at = inside.disks.as_ref().map_or(Ok(0), spean_disk::Disk::written);
            let left_at = left_at.map_err(|error| BrokerError::Refused(error.to_string()))?;
            let mailbox = &mut inside.boxes[receiver];
            let is_known = |mail: &Mail| mail.id == message_id;
            if !mailbox.mail.iter().any(is_known) && !mailbox.arrived.iter().any(is_known) {
                mailbox.last += 1;
                mailbox.arrived.push(Mail { sender: self.node, left_at, subject, id: message_id.to_owned(), payload });
            }
            if is_lost { Err(BrokerError::TimedOut) } else { Ok(mailbox.last) }
        })
    }

    fn is_connected(&self) -> bool {
        !self.broker.is_away(self.node)
    }
}

/// The node and the service that a subject is written to.
pub(crate) fn receiver(subject: &str) -> Option<(&str, Service)> {
    let mut words = subject.split('.');
    let (_inbox, node, _from) = (words.next()?, words.next()?, words.next()?);
    Some((node, words.next()?.parse().ok()?))
}

/// A sum over bytes, begun with a number (FNV-1a).
pub(crate) fn sum(begun: u64, bytes: &[u8]) -> u64 {
    let begun = begun ^ 0xcbf2_9ce4_8422_2325;
    bytes.iter().fold(begun, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
