//! Three nodes, four offices, one case, and a network that loses, doubles, reorders and forgets.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use spean_custody::case::{CaseCustody, Command, Event, Outgoing, Signer, Situation, messages, verify_chain};
use spean_custody::link::{Arrival, Hello, HelloEffect, Link, Receipt, ReceiptEffect};
use spean_custody::recovery::{Activity, Progress, Recovery, offers_to_renew};
use spean_custody::{Digest, Party};
use spean_eventsourcing::{Aggregate, Context};
use spean_vocabulary::{CaseId, NodeId, OfferId, OfficeId, Timestamp};

/// A small generator of pseudo-random numbers (xorshift), so that a seed is a history.
#[derive(Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).expect("64-bit machine") % bound.max(1)
    }

    pub(crate) fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == 0
    }

    pub(crate) fn pick<T: Clone>(&mut self, among: &[T]) -> Option<T> {
        (!among.is_empty()).then(|| among[self.below(among.len())].clone())
    }
}

/// A piece of the protocol's surroundings that is switched off, to show that the simulator notices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sabotage {
    Nothing,
    /// Letters are sent once and never again.
    FireAndForget,
    /// Events and their letters are committed separately.
    TwoCommits,
    /// The receipt goes out before the commit.
    EarlyReceipt,
    /// Letters are thrown away at the receipt, not at the backup.
    PruneAtReceipt,
    /// A restored node goes on at once.
    NoQuarantine,
}

#[derive(Clone, Debug)]
pub(crate) struct Letter {
    from: Party,
    outgoing: Outgoing,
    incarnation: u64,
    sequence: u64,
}

impl Letter {
    fn digest(&self) -> Digest {
        let text = serde_json::to_vec(&(&self.from, &self.outgoing)).expect("plain data");
        Digest::of(&text)
    }
}

#[derive(Clone, Debug)]
struct Resync {
    got: Vec<Letter>,
    sent: Vec<Letter>,
    incarnation: u64,
    through: u64,
}

#[derive(Clone, Debug)]
enum Paper {
    Letter(Box<Letter>),
    Receipt(Receipt),
    Hello(Hello),
    Resync { to_incarnation: u64, resync: Resync },
}

#[derive(Clone, Debug)]
pub(crate) struct Packet {
    from: usize,
    to: usize,
    paper: Paper,
}

/// What is in the database of a node, and so in its backup.
#[derive(Clone, Debug, Default)]
pub(crate) struct Durable {
    pub(crate) views: BTreeMap<OfficeId, CaseCustody>,
    pub(crate) log: Vec<(OfficeId, Event)>,
    pub(crate) links: BTreeMap<usize, Link>,
    sent: BTreeMap<(usize, u64, u64), Letter>,
    got: BTreeMap<(usize, u64, u64), Letter>,
    pub(crate) local: VecDeque<(Party, Outgoing)>,
    pub(crate) dead: Vec<String>,
}

#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) durable: Durable,
    backup: Durable,
    pub(crate) recovery: Recovery,
    resyncs: BTreeMap<usize, Resync>,
}

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) dice: Dice,
    pub(crate) nodes: Vec<Node>,
    pub(crate) network: Vec<Packet>,
    sabotage: Sabotage,
    now: i64,
    offers: u64,
    pub(crate) faults: usize,
}

pub(crate) const NODES: usize = 3;

fn node_id(node: usize) -> NodeId {
    ["north", "south", "capital"][node].parse().expect("sound")
}

pub(crate) fn offices() -> Vec<Party> {
    let party = |office: &str, node| Party { node: node_id(node), office: office.parse().expect("sound") };
    vec![party("poipet", 0), party("kandal", 1), party("takeo", 1), party("ministry", 2)]
}

pub(crate) fn node_of(party: &Party) -> usize {
    (0..NODES).find(|&node| node_id(node) == party.node).expect("one of ours")
}

pub(crate) fn case() -> CaseId {
    "0b1f6f2e-5d0e-4a53-9d0e-3f6f1a2b3c4d".parse().expect("sound")
}

fn seal(node: &NodeId, bytes: &[u8]) -> Vec<u8> {
    Digest::of(&[node.as_str().as_bytes(), bytes].concat()).as_bytes().to_vec()
}

impl World {
    pub(crate) fn new(seed: u64, sabotage: Sabotage) -> Self {
        let node = |me: usize| {
            let peers = (0..NODES).filter(|&peer| peer != me);
            let mut links: BTreeMap<usize, Link> = peers.map(|peer| (peer, Link::new(1))).collect();
            for link in links.values_mut() {
                let receipt =
                    Receipt { incarnation: 0, applied_up_to: 0, failed: BTreeSet::new(), backed_up_through: 0 };
                link.take_hello(&Hello { incarnation: 1, receipt });
            }
            let durable = Durable { links, ..Durable::default() };
            Node { backup: durable.clone(), durable, recovery: Recovery::normal(1), resyncs: BTreeMap::new() }
        };
        let nodes = (0..NODES).map(node).collect();
        Self { dice: Dice::new(seed), nodes, network: vec![], sabotage, now: 0, offers: 0, faults: 0 }
    }

    pub(crate) fn fresh_offer(&mut self) -> OfferId {
        self.offers += 1;
        format!("{:08x}-0000-4000-8000-000000000000", self.offers).parse().expect("sound")
    }

    pub(crate) fn view(&self, office: &Party) -> CaseCustody {
        self.nodes[node_of(office)].durable.views.get(&office.office).cloned().unwrap_or_default()
    }

    fn situation(&self, me: &Party) -> Situation {
        let offices = offices();
        let node = me.node.clone();
        Situation {
            context: Context {
                office: me.office.clone(),
                staff: Some("s-1".parse().expect("sound")),
                now: Timestamp::from_micros(self.now),
            },
            me: me.clone(),
            registry: Some(offices[3].clone()),
            authority: offices[3].clone(),
            cosigner: offices[1].clone(),
            signer: Signer::new(move |bytes| seal(&node, bytes)),
        }
    }

    /// One transaction: decide, append, and put the letters into the outbox.
    fn commit(&mut self, me: &Party, command: Command) -> Result<(), String> {
        let said = format!("{command:?}");
        self.now += 1;
        let situation = self.situation(me);
        let view = self.view(me);
        let events = view.decide(command, &situation).map_err(|error| format!("{error:?}: {said}"))?;
        let after = events.iter().fold(view, CaseCustody::evolve);
        let node = node_of(me);
        self.nodes[node].durable.views.insert(me.office.clone(), after);
        for event in events {
            let letters = messages(&event, me, situation.registry.as_ref());
            self.nodes[node].durable.log.push((me.office.clone(), event));
            if self.sabotage == Sabotage::TwoCommits && self.dice.one_in(10) {
                continue;
            }
            for outgoing in letters {
                self.post(node, me, outgoing);
            }
        }
        Ok(())
    }

    fn post(&mut self, node: usize, from: &Party, outgoing: Outgoing) {
        let to = node_of(&outgoing.to);
        let durable = &mut self.nodes[node].durable;
        if to == node {
            durable.local.push_back((from.clone(), outgoing));
            return;
        }
        let link = durable.links.get_mut(&to).expect("all are linked");
        let (incarnation, sequence) = (link.incarnation(), link.assign());
        let letter = Letter { from: from.clone(), outgoing, incarnation, sequence };
        durable.sent.insert((to, incarnation, sequence), letter.clone());
        // Otherwise the node crashed between the commit and the sending.
        let lives = self.sabotage == Sabotage::FireAndForget || self.dice.one_in(2);
        if lives && self.nodes[node].recovery.allows(Activity::SendLetter) {
            self.network.push(Packet { from: node, to, paper: Paper::Letter(Box::new(letter)) });
        }
    }

    /// A command of staff or of a timer.
    pub(crate) fn ask(&mut self, me: &Party, command: Command) {
        if self.nodes[node_of(me)].recovery.allows(Activity::Decide) {
            let _refusals_are_fine = self.commit(me, command);
        }
    }

    /// Letters between two offices of one node, which need no network.
    pub(crate) fn carry_local(&mut self, node: usize) {
        if self.nodes[node].recovery.allows(Activity::ApplyLetter)
            && let Some((from, outgoing)) = self.nodes[node].durable.local.pop_front()
        {
            self.apply(node, &from, outgoing);
        }
    }

    /// Whether it could be applied. The edge verifies signatures before the command.
    fn apply(&mut self, node: usize, from: &Party, outgoing: Outgoing) -> bool {
        let offices = offices();
        let mandate = spean_custody::case::Mandate { authority: &offices[3].office, cosigner: &offices[1].office };
        let chain = outgoing.message.chain();
        let genuine = |by: &Party, bytes: &[u8], signature: &[u8]| seal(&by.node, bytes) == signature;
        let sound = chain.is_empty() || verify_chain(chain, mandate, genuine).is_ok();
        let command = Command::Receive { from: from.clone(), message: outgoing.message };
        let outcome = if sound { self.commit(&outgoing.to, command) } else { Err("forged chain".to_owned()) };
        outcome.map_err(|reason| self.nodes[node].durable.dead.push(reason)).is_ok()
    }

    /// Sends everything again that was not confirmed.
    pub(crate) fn pump(&mut self, node: usize) {
        let this = &self.nodes[node];
        let mut packets = vec![];
        for (&to, link) in &this.durable.links {
            if this.recovery.allows(Activity::SendLetter) && self.sabotage != Sabotage::FireAndForget {
                let letters =
                    link.unconfirmed().filter_map(|seq| this.durable.sent.get(&(to, link.incarnation(), seq)));
                packets.extend(letters.map(|letter| Packet {
                    from: node,
                    to,
                    paper: Paper::Letter(Box::new(letter.clone())),
                }));
            }
            if this.recovery.is_recovering() {
                packets.push(Packet { from: node, to, paper: Paper::Hello(link.hello()) });
            }
        }
        self.network.extend(packets);
    }

    pub(crate) fn backup(&mut self, node: usize) {
        let this = &mut self.nodes[node];
        if this.recovery.is_recovering() {
            return;
        }
        this.backup = this.durable.clone();
        for link in this.durable.links.values_mut() {
            link.backed_up(link.applied_up_to());
        }
    }

    pub(crate) fn restore(&mut self, node: usize) {
        if self.nodes.iter().any(|node| node.recovery.is_recovering()) {
            return;
        }
        self.faults += 1;
        let incarnation = self.nodes[node].recovery.incarnation() + 1;
        let peers: BTreeSet<usize> = (0..NODES).filter(|&peer| peer != node).collect();
        let this = &mut self.nodes[node];
        this.durable = this.backup.clone();
        this.durable.links.values_mut().for_each(|link| link.reincarnate(incarnation));
        this.recovery = Recovery::restored(incarnation, peers.iter().map(|&peer| node_id(peer)).collect());
        this.backup = this.durable.clone();
        if self.sabotage == Sabotage::NoQuarantine {
            this.recovery = Recovery::normal(incarnation);
            for peer in peers {
                let hello = self.nodes[node].durable.links[&peer].hello();
                self.take_hello(node, peer, &hello);
                self.renumber(node, peer, &BTreeSet::new());
            }
        }
    }

    pub(crate) fn deliver(&mut self, Packet { from, to, paper }: Packet) {
        match paper {
            Paper::Letter(letter) => self.take_letter(from, to, *letter),
            Paper::Receipt(receipt) => {
                let durable = &mut self.nodes[to].durable;
                let link = durable.links.get_mut(&from).expect("all are linked");
                if let ReceiptEffect::Advanced { applied_up_to, backed_up_through } = link.take_receipt(&receipt) {
                    let incarnation = link.incarnation();
                    let prune_at_receipt = self.sabotage == Sabotage::PruneAtReceipt;
                    let through = if prune_at_receipt { applied_up_to } else { backed_up_through };
                    durable.sent.retain(|&(peer, of, seq), _| (peer, of) != (from, incarnation) || seq > through);
                }
            }
            Paper::Hello(hello) if self.nodes[to].recovery.allows(Activity::AnswerHello) => {
                if let Some(resync) = self.take_hello(from, to, &hello) {
                    let paper = Paper::Resync { to_incarnation: hello.incarnation, resync };
                    self.network.push(Packet { from: to, to: from, paper });
                }
            }
            Paper::Hello(_) => {}
            Paper::Resync { to_incarnation, resync } => self.take_resync(from, to, to_incarnation, resync),
        }
    }

    fn take_letter(&mut self, from: usize, to: usize, letter: Letter) {
        if !self.nodes[to].recovery.allows(Activity::ApplyLetter) {
            return;
        }
        let key = (from, letter.incarnation, letter.sequence);
        let durable = &mut self.nodes[to].durable;
        let stored = durable.got.get(&key).map(Letter::digest);
        let link = durable.links.get_mut(&from).expect("all are linked");
        match link.arrive(letter.incarnation, letter.sequence, &letter.digest(), stored.as_ref()) {
            Arrival::Next => {
                if self.sabotage == Sabotage::EarlyReceipt {
                    let receipt = Receipt { applied_up_to: letter.sequence, ..link.receipt() };
                    self.network.push(Packet { from: to, to: from, paper: Paper::Receipt(receipt) });
                    if self.dice.one_in(5) {
                        return;
                    }
                }
                durable.got.insert(key, letter.clone());
                let mut next = Some(letter.sequence);
                while let Some(sequence) = next {
                    let letter = self.nodes[to].durable.got[&(from, letter.incarnation, sequence)].clone();
                    let applied = self.apply(to, &letter.from, letter.outgoing);
                    let link = self.nodes[to].durable.links.get_mut(&from).expect("all are linked");
                    next = if applied { link.applied(sequence) } else { link.failed(sequence) };
                }
            }
            Arrival::Early => {
                durable.got.insert(key, letter);
            }
            Arrival::Fork => durable.dead.push(format!("fork at {key:?}")),
            Arrival::Duplicate | Arrival::TooEarly | Arrival::Refused | Arrival::NotIntroduced => {}
        }
        let receipt = self.nodes[to].durable.links[&from].receipt();
        self.network.push(Packet { from: to, to: from, paper: Paper::Receipt(receipt) });
    }

    /// The peer `from` was restored: store that, and return all it ever said and all it is missing.
    fn take_hello(&mut self, from: usize, to: usize, hello: &Hello) -> Option<Resync> {
        let durable = &mut self.nodes[to].durable;
        let link = durable.links.get_mut(&from).expect("all are linked");
        let (old, applied) = (link.peer_incarnation(), link.applied_up_to());
        match link.take_hello(hello) {
            HelloEffect::Stale => return None,
            HelloEffect::WeWereRestored => {
                durable.dead.push("restored without noticing".to_owned());
                return None;
            }
            HelloEffect::Restored => {
                durable.got.retain(|&(peer, of, seq), _| (peer, of) != (from, old) || seq <= applied);
            }
            HelloEffect::Known => {}
        }
        let (incarnation, through) = (link.incarnation(), link.last_assigned());
        let has = (hello.receipt.incarnation, hello.receipt.applied_up_to);
        let got = durable.got.iter().filter(|((peer, ..), _)| *peer == from).map(|(_, letter)| letter.clone());
        let missing = durable.sent.iter().filter(|((peer, of, seq), _)| *peer == from && (*of, *seq) > has);
        let sent = missing.map(|(_, letter)| letter.clone()).collect();
        Some(Resync { got: got.collect(), sent, incarnation, through })
    }

    fn take_resync(&mut self, from: usize, to: usize, to_incarnation: u64, resync: Resync) {
        let this = &mut self.nodes[to];
        if !this.recovery.allows(Activity::Recall) || to_incarnation != this.recovery.incarnation() {
            return;
        }
        this.resyncs.insert(from, resync);
        if this.recovery.answered(&node_id(from), to_incarnation) != Progress::Over {
            return;
        }
        let resyncs = std::mem::take(&mut this.resyncs);
        for (&peer, resync) in &resyncs {
            let got: BTreeSet<_> = resync.got.iter().map(|letter| (letter.incarnation, letter.sequence)).collect();
            self.renumber(to, peer, &got);
        }
        for resync in resyncs.values() {
            for letter in &resync.got {
                let Outgoing { to: addressee, message } = letter.outgoing.clone();
                if let Err(reason) = self.commit(&letter.from, Command::Recall { to: addressee, message }) {
                    self.nodes[to].durable.dead.push(reason);
                }
            }
        }
        for (&peer, resync) in &resyncs {
            for letter in &resync.sent {
                self.nodes[to].durable.got.insert((peer, letter.incarnation, letter.sequence), letter.clone());
                self.apply(to, &letter.from, letter.outgoing.clone());
            }
            let link = self.nodes[to].durable.links.get_mut(&peer).expect("all are linked");
            link.resynced(resync.incarnation, resync.through);
        }
        for office in offices().into_iter().filter(|office| node_of(office) == to) {
            for offer in offers_to_renew(&self.view(&office)) {
                let afresh = self.fresh_offer();
                self.commit(&office, Command::ReOffer { offer, afresh }).expect("an open offer can be taken back");
            }
        }
    }

    /// Letters of the restored outbox that the peer never got travel under the new incarnation, in their order.
    fn renumber(&mut self, node: usize, peer: usize, got: &BTreeSet<(u64, u64)>) {
        let durable = &mut self.nodes[node].durable;
        let link = durable.links.get_mut(&peer).expect("all are linked");
        let incarnation = link.incarnation();
        let missing: Vec<_> = (durable.sent.keys().copied())
            .filter(|&(to, of, seq)| to == peer && of < incarnation && !got.contains(&(of, seq)))
            .collect();
        for key in missing {
            let mut letter = durable.sent.remove(&key).expect("it was just listed");
            (letter.incarnation, letter.sequence) = (incarnation, link.assign());
            durable.sent.insert((peer, incarnation, letter.sequence), letter);
        }
    }

    /// Whether nothing is on its way and nothing waits to be sent.
    pub(crate) fn is_quiet(&self) -> bool {
        let sent = |node: &Node| node.durable.links.values().all(|link| link.unconfirmed().is_empty());
        let idle = |node: &Node| node.durable.local.is_empty() && !node.recovery.is_recovering();
        self.nodes.iter().all(|node| sent(node) && idle(node))
    }

    pub(crate) fn is_recovering(&self, office: &Party) -> bool {
        self.nodes[node_of(office)].recovery.is_recovering()
    }

    /// The letters that could not be applied; in a sound world there are none.
    pub(crate) fn dead_letters(&self) -> Vec<String> {
        self.nodes.iter().flat_map(|node| node.durable.dead.clone()).collect()
    }
}
