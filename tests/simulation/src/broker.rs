//! The network between the nodes: it loses, doubles, reorders and delays letters, is cut, wiped and rolled back. And the
//! moments at which a node's power may be cut: before each letter that leaves it, and at every point where tests break the
//! program.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use spean_eventstore::BoxFuture;
use spean_messaging::broker::{BrokerError, Carrier};
use spean_vocabulary::Service;

use crate::disk::Disk;
use crate::network::NODES;

/// A message in a mailbox.
#[derive(Clone)]
pub(crate) struct Mail {
    /// Receiver, sender and their services, as the mailbox calls them.
    pub(crate) subject: String,
    /// What the broker knows it again by.
    pub(crate) id: String,
    /// What was sealed.
    pub(crate) payload: Vec<u8>,
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

/// A power cut that is to come.
struct Cut {
    node: usize,
    /// How many moments are left.
    left: u32,
    disk: Disk,
    into: Disk,
    happened: bool,
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
    cut: Option<Cut>,
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
    pub(crate) fn new(seed: u64, lost_acknowledgements: u64) -> Self {
        let boxes = vec![Mailbox::default(); NODES.len()];
        Self(Arc::new(Mutex::new(Inside { boxes, lost_acknowledgements, seed, ..Inside::default() })))
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The way of one node to it.
    pub(crate) fn line(&self, node: usize) -> Arc<dyn Carrier> {
        Arc::new(Line { broker: self.clone(), node })
    }

    /// Puts what came into its place. Letters that are sent at once may come in any order, so it is by their ids.
    pub(crate) fn sort(&self) {
        for mailbox in &mut self.inside().boxes {
            let mut arrived = std::mem::take(&mut mailbox.arrived);
            arrived.sort_by_key(|mail| mail.id.contains('.').then(|| mail.id.clone()));
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
        inside.cut = None;
    }

    /// Lets the power of a node fail after so many moments: its disk at that moment is kept in a folder.
    pub(crate) fn cut_power_after(&self, node: usize, moments: u32, disk: Disk, into: Disk) {
        self.inside().cut = Some(Cut { node, left: moments, disk, into, happened: false });
    }

    /// Whether the power has failed already in this step.
    pub(crate) fn is_failing(&self) -> bool {
        self.inside().cut.as_ref().is_some_and(|cut| cut.happened)
    }

    /// The power is back, or was never cut: whether it failed meanwhile.
    pub(crate) fn power_failed(&self) -> bool {
        self.inside().cut.take().is_some_and(|cut| cut.happened)
    }

    /// A moment at which the power may fail.
    pub(crate) fn moment(&self) {
        let mut inside = self.inside();
        let Some(cut) = &mut inside.cut else { return };
        if cut.happened {
            return;
        }
        if cut.left == 0 {
            cut.disk.copy_to(&cut.into).expect("the disk of a node can be copied");
            cut.happened = true;
        } else {
            cut.left -= 1;
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
            self.broker.moment();
            let mut inside = self.broker.inside();
            if inside.cut.as_ref().is_some_and(|cut| cut.happened && cut.node == self.node) {
                // Nobody is there any more to say it.
                return Ok(0);
            }
            if inside.away.get(&self.node).copied().unwrap_or(false) {
                return Err(BrokerError::TimedOut);
            }
            let receiver = receiver(&subject).and_then(|(node, _)| NODES.iter().position(|name| *name == node));
            let Some(receiver) = receiver else { return Err(BrokerError::Refused("no such mailbox".to_owned())) };
            let is_lost = inside.lost_acknowledgements > 0
                && sum(inside.seed, message_id.as_bytes()).is_multiple_of(inside.lost_acknowledgements);
            let mailbox = &mut inside.boxes[receiver];
            let is_known = |mail: &Mail| mail.id == message_id;
            if !mailbox.mail.iter().any(is_known) && !mailbox.arrived.iter().any(is_known) {
                mailbox.last += 1;
                mailbox.arrived.push(Mail { subject, id: message_id.to_owned(), payload });
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
