//! A node: the rules of custody, the numbering of letters and the quarantine of `spean_custody`, and around them what the
//! post office of `spean_messaging` keeps in its tables.
//!
//! The real thing: every decision about a case ([`CaseCustody`]), which letters follow from it ([`messages`]), whether a
//! letter's turn has come and what is a repetition ([`Link`]), when a restored node may act again ([`Recovery`]), which
//! offers it makes afresh ([`offers_to_renew`]), and whether a chain of certificates is genuine ([`verify_chain`]).
//!
//! Told again here, because in production it is SQL: the table of letters sent, with the mark that a letter needs not
//! be sent again; the table of letters that came, parked or applied; the queue between two offices of one node; what is
//! returned to a restored peer; in which order a restored node merges what it was returned.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use spean_custody::Digest;
use spean_custody::case::{CaseCustody, Command, Error, Event, Message, Outgoing, messages, verify_chain};
use spean_custody::link::{Arrival, Hello, HelloEffect, Link, Receipt, ReceiptEffect};
use spean_custody::recovery::{Activity, Progress, Recovery, offers_to_renew};
use spean_eventsourcing::Aggregate;
use spean_vocabulary::OfferId;

use crate::invariants::{Broken, Invariant};
use crate::network::{Network, Place, Seat, afresh, offer_name, seal};
use crate::pieces::Piece;

mod forgetting;
mod restored;

/// What one office says to another.
#[derive(Clone, Debug)]
pub struct Letter {
    /// Who says it.
    pub from: Seat,
    /// What, and to whom.
    pub outgoing: Outgoing,
    digest: Digest,
}

impl Letter {
    fn new(from: Seat, outgoing: Outgoing) -> Self {
        let text = serde_json::to_vec(&(from, &outgoing)).expect("plain data");
        Self { from, outgoing, digest: Digest::of(&text) }
    }
}

impl PartialEq for Letter {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

impl Eq for Letter {}

impl Hash for Letter {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.digest.hash(state);
    }
}

/// A letter with its place among all that one node writes to another.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Numbered {
    /// The node that writes it.
    pub from: Place,
    /// The node that it is for.
    pub to: Place,
    /// The incarnation of the writer.
    pub incarnation: u64,
    /// From 1.
    pub sequence: u64,
    /// What it says.
    pub letter: Arc<Letter>,
}

type Key = (Place, u64, u64);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Sent {
    letter: Arc<Letter>,
    /// The addressee has confirmed it: it is not sent again, but kept.
    settled: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Got {
    letter: Arc<Letter>,
    parked: bool,
}

/// What is in the database of a node, and so in its backup.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Durable {
    views: BTreeMap<Seat, Arc<CaseCustody>>,
    links: BTreeMap<Place, Link>,
    sent: BTreeMap<Key, Sent>,
    got: BTreeMap<Key, Got>,
    local: VecDeque<Arc<Letter>>,
    intakes: BTreeSet<(Seat, OfferId)>,
    log: Vec<(Seat, Arc<Event>)>,
}

/// A node with its database.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Node {
    me: Place,
    durable: Durable,
    recovery: Recovery,
    answers: BTreeMap<Place, Arc<Answer>>,
    alarms: Vec<Broken>,
}

/// What a peer returns to a restored node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Answer {
    for_incarnation: u64,
    got: Vec<Numbered>,
    sent: Vec<Numbered>,
    incarnation: u64,
    through: u64,
}

/// The circumstances of a step, and what comes of it for others.
#[derive(Debug)]
pub struct Step<'n> {
    /// The network.
    pub network: &'n Network,
    /// The time by the node's clock; it orders nothing.
    pub now: i64,
    /// Whether the node dies in the middle, where a missing piece lets it.
    pub torn: bool,
    /// The letters that were written.
    pub posted: Vec<Numbered>,
}

impl<'n> Step<'n> {
    /// A step at this time.
    pub const fn at(network: &'n Network, now: i64) -> Self {
        Self { network, now, torn: false, posted: vec![] }
    }

    fn lacks(&self, piece: Piece) -> bool {
        self.network.without.lacks(piece)
    }
}

impl Node {
    /// A node that knows its peers and nothing else.
    pub fn new(network: &Network, me: Place) -> Self {
        let mut links: BTreeMap<Place, Link> = network.peers(me).map(|peer| (peer, Link::new(1))).collect();
        let receipt = Receipt { incarnation: 0, applied_up_to: 0, failed: BTreeSet::new(), backed_up_through: 0 };
        for link in links.values_mut() {
            link.take_hello(&Hello { incarnation: 1, receipt: receipt.clone() });
        }
        let views = network.seats_at(me).map(|seat| (seat, Arc::default())).collect();
        let durable = Durable { views, links, ..Durable::default() };
        Self { me, durable, recovery: Recovery::normal(1), answers: BTreeMap::new(), alarms: vec![] }
    }

    /// Its number.
    pub const fn place(&self) -> Place {
        self.me
    }

    /// Its incarnation.
    pub const fn incarnation(&self) -> u64 {
        self.recovery.incarnation()
    }

    /// Whether it is in quarantine.
    pub const fn is_recovering(&self) -> bool {
        self.recovery.is_recovering()
    }

    /// What its database holds.
    pub const fn durable(&self) -> &Durable {
        &self.durable
    }

    /// What an office of it knows of the case.
    pub fn view(&self, seat: Seat) -> &CaseCustody {
        &self.durable.views[&seat]
    }

    /// All of its offices with what they know.
    pub fn views(&self) -> impl Iterator<Item = (Seat, &Arc<CaseCustody>)> {
        self.durable.views.iter().map(|(seat, view)| (*seat, view))
    }

    /// What has happened at its offices, if that is kept.
    pub fn log(&self) -> impl Iterator<Item = (Seat, &Event)> {
        self.durable.log.iter().map(|(seat, event)| (*seat, &**event))
    }

    /// What was met that must not be: I3, I7, I8.
    pub fn alarms(&self) -> &[Broken] {
        &self.alarms
    }

    /// Whether nothing waits to be sent or applied.
    pub fn is_quiet(&self) -> bool {
        !self.is_recovering() && self.durable.local.is_empty() && self.durable.sent.values().all(|sent| sent.settled)
    }

    /// Whether two offices of this node have something to say to each other.
    pub fn has_local(&self) -> bool {
        !self.durable.local.is_empty()
    }

    /// Every letter that is kept, and whether it is to be sent again.
    pub fn letters(&self) -> impl Iterator<Item = (Numbered, bool)> {
        self.durable.sent.iter().map(|(&(to, incarnation, sequence), sent)| {
            let letter = Arc::clone(&sent.letter);
            (Numbered { from: self.me, to, incarnation, sequence, letter }, !sent.settled)
        })
    }

    /// Whether a certificate for an office waits to be sent.
    pub fn has_posted_certificate(&self, to: &spean_custody::Party) -> bool {
        let waiting = self.durable.sent.values().filter(|sent| !sent.settled).map(|sent| &sent.letter);
        let mut letters = waiting.chain(&self.durable.local).map(|letter| &letter.outgoing);
        letters.any(|said| said.to.is_same_office(to) && matches!(said.message, Message::Transfer { .. }))
    }

    /// Whether a letter would be refused for ever, or was applied: another copy changes nothing any more.
    pub fn is_done_with(&self, letter: &Numbered) -> bool {
        let link = &self.durable.links[&letter.from];
        letter.incarnation < link.peer_incarnation()
            || letter.incarnation == link.peer_incarnation() && letter.sequence <= link.applied_up_to()
    }

    /// A command of staff or of a timer. `None` when the node may not decide now.
    pub fn ask(&mut self, seat: Seat, command: Command, step: &mut Step<'_>) -> Option<Result<(), Error>> {
        self.recovery.allows(Activity::Decide).then(|| self.commit(seat, command, step))
    }

    /// One transaction: decide, append, and put the letters into the outbox.
    fn commit(&mut self, seat: Seat, command: Command, step: &mut Step<'_>) -> Result<(), Error> {
        let situation = step.network.situation(seat, step.now);
        let view = self.remembered(seat, &command, step);
        let events = view.decide(command, &situation)?;
        let mut after = CaseCustody::clone(&self.durable.views[&seat]);
        let before = after.position();
        for event in events {
            if Self::is_thrown_away(&event, &after, step) {
                continue;
            }
            after = after.evolve(&event);
            if let Event::OfferReceived { offer, .. } = &event
                && !self.durable.intakes.insert((seat, *offer))
            {
                self.alarm(Invariant::I3, format!("a second intake for {}", offer_name(*offer)));
            }
            if !(step.lacks(Piece::OneCommit) && step.torn) {
                let registry = situation.registry.as_ref();
                for letter in messages(&event, &situation.me, registry) {
                    self.post(seat, letter, step);
                }
            }
            if step.network.keeps_log {
                self.durable.log.push((seat, Arc::new(event)));
            }
        }
        if after.position() < before {
            self.alarm(Invariant::I8, format!("the place at {} went down", situation.me.office));
        }
        self.durable.views.insert(seat, Arc::new(after));
        Ok(())
    }

    fn alarm(&mut self, invariant: Invariant, words: String) {
        self.alarms.push(Broken::new(invariant, words));
    }

    fn post(&mut self, from: Seat, outgoing: Outgoing, step: &mut Step<'_>) {
        let to = step.network.place(step.network.seat_of(&outgoing.to.office));
        let letter = Arc::new(Letter::new(from, outgoing));
        if to == self.me {
            self.durable.local.push_back(letter);
            return;
        }
        let link = self.durable.links.get_mut(&to).expect("all are linked");
        let (incarnation, sequence) = (link.incarnation(), link.assign());
        let settled = step.lacks(Piece::Resending);
        self.durable.sent.insert((to, incarnation, sequence), Sent { letter: Arc::clone(&letter), settled });
        step.posted.push(Numbered { from: self.me, to, incarnation, sequence, letter });
    }

    /// Writes what no rule would write.
    pub fn forge(&mut self, from: Seat, outgoing: Outgoing, step: &mut Step<'_>) {
        self.post(from, outgoing, step);
    }

    /// The next letter between two offices of this node.
    pub fn carry_local(&mut self, step: &mut Step<'_>) {
        if self.recovery.allows(Activity::ApplyLetter)
            && let Some(letter) = self.durable.local.pop_front()
        {
            self.apply(self.me, &letter, step);
        }
    }

    /// Whether it could be applied. The edge verifies signatures before the rules are asked.
    fn apply(&mut self, from: Place, letter: &Letter, step: &mut Step<'_>) -> bool {
        let chain = letter.outgoing.message.chain();
        let genuine = |by: &spean_custody::Party, bytes: &[u8], signature: &[u8]| seal(&by.node, bytes) == signature;
        let sound = chain.is_empty()
            || step.lacks(Piece::Signatures)
            || verify_chain(chain, step.network.mandate(), genuine).is_ok();
        let seat = step.network.seat_of(&letter.outgoing.to.office);
        let outcome = if sound {
            let from = step.network.party(letter.from).clone();
            let command = Command::Receive { from, message: letter.outgoing.message.clone() };
            self.commit(seat, command, step).map_err(|error| format!("{error:?}"))
        } else {
            Err("a forged chain".to_owned())
        };
        let Err(reason) = outcome else { return true };
        if step.network.hostile != Some(from) {
            let said: &str = (&letter.outgoing.message).into();
            self.alarm(Invariant::I7, format!("`{said}` could not be applied: {reason}"));
        }
        false
    }

    /// A letter comes. Gives the receipt.
    pub fn take_letter(&mut self, numbered: &Numbered, step: &mut Step<'_>) -> Option<Receipt> {
        let &Numbered { from, incarnation, sequence, ref letter, .. } = numbered;
        let key = (from, incarnation, sequence);
        let stored = self.durable.got.get(&key).map(|got| got.letter.digest);
        let link = self.durable.links.get_mut(&from).expect("all are linked");
        let arrival = link.arrive(incarnation, sequence, &letter.digest, stored.as_ref());
        if !self.recovery.allows(Activity::ApplyLetter) {
            if matches!(arrival, Arrival::Next | Arrival::Early) {
                self.durable.got.entry(key).or_insert_with(|| Got { letter: Arc::clone(letter), parked: true });
            }
            return None;
        }
        match arrival {
            Arrival::Next if step.lacks(Piece::ReceiptAfterCommit) && step.torn => {
                return Some(Receipt { applied_up_to: sequence, ..link.receipt() });
            }
            Arrival::Early if !step.lacks(Piece::Order) => {
                self.durable.got.entry(key).or_insert_with(|| Got { letter: Arc::clone(letter), parked: true });
            }
            Arrival::Next => {
                self.durable.got.entry(key).or_insert_with(|| Got { letter: Arc::clone(letter), parked: true });
                self.apply_parked(from, step);
            }
            Arrival::Early => self.apply_now(numbered, step),
            Arrival::Refused if step.lacks(Piece::IncarnationFence) => self.apply_now(numbered, step),
            Arrival::Duplicate if step.lacks(Piece::Inbox) => {
                self.apply(from, letter, step);
            }
            Arrival::Fork => self.alarm(Invariant::I7, format!("one number, two letters: {key:?}")),
            Arrival::NotIntroduced => return None,
            Arrival::Duplicate | Arrival::TooEarly | Arrival::Refused => {}
        }
        Some(self.durable.links[&from].receipt())
    }

    /// Applies a letter whose turn it is not.
    fn apply_now(&mut self, numbered: &Numbered, step: &mut Step<'_>) {
        let key = (numbered.from, numbered.incarnation, numbered.sequence);
        if let Entry::Vacant(free) = self.durable.got.entry(key) {
            free.insert(Got { letter: Arc::clone(&numbered.letter), parked: false });
            self.apply(numbered.from, &numbered.letter, step);
        }
    }

    /// Applies what was parked and whose turn has come.
    fn apply_parked(&mut self, from: Place, step: &mut Step<'_>) {
        loop {
            let link = &self.durable.links[&from];
            let (incarnation, sequence) = (link.peer_incarnation(), link.applied_up_to() + 1);
            let Some(got) = self.durable.got.get_mut(&(from, incarnation, sequence)) else { return };
            let (letter, parked) = (Arc::clone(&got.letter), std::mem::take(&mut got.parked));
            let applied = !parked || self.apply(from, &letter, step);
            let link = self.durable.links.get_mut(&from).expect("all are linked");
            if applied {
                link.applied(sequence)
            } else {
                link.failed(sequence)
            };
        }
    }

    /// A receipt comes.
    pub fn take_receipt(&mut self, from: Place, receipt: &Receipt, step: &Step<'_>) {
        let link = self.durable.links.get_mut(&from).expect("all are linked");
        match link.take_receipt(receipt) {
            ReceiptEffect::WeWereRestored => self.alarm(Invariant::I7, "restored without noticing".to_owned()),
            ReceiptEffect::Absurd => self.alarm(Invariant::I7, "an absurd receipt".to_owned()),
            ReceiptEffect::Stale => {}
            ReceiptEffect::Nothing | ReceiptEffect::Advanced { .. } => self.settle(from, receipt, step),
        }
    }

    /// What a peer has confirmed is not sent again, and what it has in a backup is not kept.
    fn settle(&mut self, peer: Place, receipt: &Receipt, step: &Step<'_>) {
        let link = &self.durable.links[&peer];
        let mine = link.incarnation();
        if receipt.incarnation != mine {
            return;
        }
        for (_, sent) in self.durable.sent.range_mut((peer, mine, 0)..=(peer, mine, receipt.applied_up_to)) {
            sent.settled = true;
        }
        let prunable = link.prunable_through();
        let through = if step.lacks(Piece::Archive) { receipt.applied_up_to.max(prunable) } else { prunable };
        if through > 0 {
            self.durable.sent.retain(|&(to, of, sequence), _| (to, of) != (peer, mine) || sequence > through);
        }
    }

    /// What this node says to introduce itself.
    pub fn hello(&self, to: Place) -> Hello {
        self.durable.links[&to].hello()
    }

    /// A peer introduces itself. Gives what it is to be returned.
    pub fn take_hello(&mut self, from: Place, hello: &Hello, step: &Step<'_>) -> Option<Answer> {
        let silent = self.is_recovering() && step.lacks(Piece::MutualAnswers);
        if silent || !self.recovery.allows(Activity::AnswerHello) {
            return None;
        }
        let link = self.durable.links.get_mut(&from).expect("all are linked");
        let mine = link.incarnation();
        let has = if hello.receipt.incarnation == mine { hello.receipt.applied_up_to } else { 0 };
        let effect = link.take_hello(hello);
        let theirs = link.peer_incarnation();
        let asks_again = theirs > 1 && link.applied_up_to() == 0;
        match effect {
            HelloEffect::Stale => return None,
            HelloEffect::WeWereRestored => {
                self.alarm(Invariant::I7, "restored without noticing".to_owned());
                return None;
            }
            HelloEffect::Known | HelloEffect::Restored => {}
        }
        self.settle(from, &hello.receipt, step);
        if !step.lacks(Piece::Resending) {
            for (_, sent) in self.durable.sent.range_mut((from, mine, has + 1)..=(from, mine, u64::MAX)) {
                sent.settled = false;
            }
        }
        if effect == HelloEffect::Restored {
            self.durable.got.retain(|&(peer, of, _), got| peer != from || of >= theirs || !got.parked);
            // What it returned before its own restore and is not merged yet never happened.
            if !step.lacks(Piece::AskingAgain) {
                self.answers.remove(&from);
                self.recovery.ask_again(step.network.node(from));
            }
        }
        (effect == HelloEffect::Restored || asks_again).then(|| self.answer(from, theirs, has, step))
    }

    /// A backup is taken and tried.
    pub fn back_up(&mut self) -> Durable {
        let backup = self.durable.clone();
        for link in self.durable.links.values_mut() {
            link.backed_up(link.applied_up_to());
        }
        backup
    }
}
