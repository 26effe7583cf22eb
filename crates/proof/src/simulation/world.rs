//! Three nodes, four offices, one case, and a network that loses, doubles, reorders and forgets.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use spean_custody::case::{CaseCustody, Event};
use spean_custody::link::{Hello, Receipt};
use spean_eventsourcing::Aggregate;
use spean_vocabulary::{Need, OfferId, OfferKind};

use super::dice::Dice;
use super::mix::{Happening, Mix};
use super::{Failure, Lived};
use crate::asks::Ask;
use crate::invariants::{
    Broken, Invariant, Sight, broken_at, broken_between, nobody, unsettled_at, unsettled_between, unsettled_custody,
};
use crate::network::{Network, Place, Plan, Seat, opening};
use crate::node::{Answer, Durable, Node, Numbered, Step};
use crate::pieces::Without;

const PLAN: Plan = Plan { places: &[0, 1, 1, 2], registry: Some(3), authority: 3, cosigner: 1 };
const SEATS: [Seat; 4] = [0, 1, 2, 3];
const MINISTRY: Seat = 3;

/// Steps before the healing.
const STEPS: u64 = 1_500;
/// Rounds of healing, in each of which everything is sent and arrives once.
const ROUNDS: usize = 300;
/// At most so many offers.
const MOST_OFFERS: u32 = 14;
/// At most so much is on its way; what is beyond is lost.
const MOST_PACKETS: usize = 300;

#[derive(Clone, Debug, Hash)]
enum Paper {
    Letter(Numbered),
    Receipt(Receipt),
    Hello(Hello),
    Answer(Arc<Answer>),
}

#[derive(Clone, Debug, Hash)]
struct Packet {
    from: Place,
    to: Place,
    paper: Paper,
}

#[derive(Debug)]
pub(super) struct World {
    seed: u64,
    network: Network,
    dice: Dice,
    mix: Mix,
    nodes: Vec<Node>,
    backups: Vec<Durable>,
    clocks: Vec<i64>,
    packets: Vec<Packet>,
    cuts: BTreeSet<(Place, Place)>,
    offers: u32,
    step: u64,
    lived: Lived,
    /// What each office knew when it was last looked at.
    seen: Vec<(Arc<CaseCustody>, bool)>,
    overridden: bool,
    story: Option<Vec<String>>,
}

impl World {
    pub(super) fn new(seed: u64, without: Without, tells: bool) -> Self {
        let mut dice = Dice::new(seed);
        let mix = Mix::drawn(&mut dice);
        Self::drawn(seed, dice, mix, without, tells)
    }

    pub(super) fn with(seed: u64, mix: Mix, without: Without, tells: bool) -> Self {
        Self::drawn(seed, Dice::new(seed), mix, without, tells)
    }

    fn drawn(seed: u64, dice: Dice, mix: Mix, without: Without, tells: bool) -> Self {
        let mut network = Network::new(&PLAN, without);
        network.keeps_log = true;
        let nodes: Vec<Node> = (0..network.nodes()).map(|place| Node::new(&network, place)).collect();
        let backups = nodes.iter().map(|node| node.durable().clone()).collect();
        let clocks = vec![0; nodes.len()];
        Self {
            seed,
            network,
            dice,
            mix,
            nodes,
            backups,
            clocks,
            packets: vec![],
            cuts: BTreeSet::new(),
            offers: 0,
            step: 0,
            lived: Lived::default(),
            seen: vec![],
            overridden: false,
            story: tells.then(Vec::new),
        }
    }

    pub(super) fn told(self) -> Vec<String> {
        self.story.unwrap_or_default()
    }

    /// Plays the history to its end.
    pub(super) fn live(&mut self) -> Result<Lived, Failure> {
        self.on(0, |node, step| _ = node.ask(0, opening(), step));
        self.check()?;
        while self.step < STEPS {
            self.step += 1;
            self.something_happens();
            self.check()?;
        }
        self.heal()?;
        self.replay()?;
        Ok(self.lived)
    }

    fn note(&mut self, what: &impl Hash, words: impl FnOnce(&Self) -> String) {
        let mut hash = DefaultHasher::new();
        (self.lived.fingerprint, what).hash(&mut hash);
        self.lived.fingerprint = hash.finish();
        self.lived.steps += 1;
        if self.story.is_some() {
            let line = format!("{:4}  {}", self.step, words(self));
            self.story.iter_mut().for_each(|story| story.push(line.clone()));
        }
    }

    /// One step of a node, and half of the time what it wrote is sent at once; otherwise it died before.
    fn on<T>(&mut self, place: Place, act: impl FnOnce(&mut Node, &mut Step<'_>) -> T) -> T {
        let at = usize::from(place);
        self.clocks[at] += 1;
        let mut step = Step::at(&self.network, self.clocks[at]);
        step.torn = self.network.without.can_tear() && self.dice.one_in(10);
        let outcome = act(&mut self.nodes[at], &mut step);
        let posted = step.posted;
        if self.dice.one_in(2) {
            for letter in posted {
                self.send(place, letter.to, Paper::Letter(letter));
            }
        }
        outcome
    }

    fn send(&mut self, from: Place, to: Place, paper: Paper) {
        if self.packets.len() >= MOST_PACKETS {
            let lost = self.dice.below(self.packets.len());
            self.packets.swap_remove(lost);
        }
        self.packets.push(Packet { from, to, paper });
    }

    fn something_happens(&mut self) {
        let happening = self.mix.draw(&mut self.dice);
        let place = Place::try_from(self.dice.below(self.nodes.len())).expect("a handful");
        match happening {
            Happening::Delivery | Happening::Repetition | Happening::Loss => self.something_comes(happening),
            Happening::Wipe => {
                self.lived.faults += 1;
                self.note(&"wipe", |_| "all that was on its way is lost".to_owned());
                self.packets.clear();
            }
            Happening::Cut => {
                let other = Place::try_from(self.dice.below(self.nodes.len())).expect("a handful");
                self.lived.faults += 1;
                let mended = self.cuts.remove(&(place, other));
                if !mended {
                    self.cuts.insert((place, other));
                }
                self.note(&("cut", place, other), |world| {
                    let (from, to) = (world.network.node(place), world.network.node(other));
                    format!("the way from {from} to {to} is {}", if mended { "mended" } else { "cut" })
                });
            }
            Happening::Resending => self.resend(place),
            Happening::Carrying => self.carry(place),
            Happening::Backup => {
                let node = &mut self.nodes[usize::from(place)];
                if !node.is_recovering() {
                    self.backups[usize::from(place)] = node.back_up();
                    self.note(&("backup", place), |world| {
                        format!("a backup of {} is taken", world.network.node(place))
                    });
                }
            }
            Happening::Restore => self.restore(place),
            Happening::Jump => {
                let jumps = [-86_400_000_000, -1_000, 1_000, 86_400_000_000];
                let jump = self.dice.pick(&jumps).expect("four");
                self.clocks[usize::from(place)] += jump;
                self.lived.faults += 1;
                self.note(&("jump", place, jump), |world| format!("the clock of {} jumps", world.network.node(place)));
            }
            Happening::Proposal => {
                let heir = self.dice.pick(&SEATS).expect("four");
                self.ask(MINISTRY, Ask::Propose(heir));
            }
            Happening::Asking => self.somebody_asks(),
        }
    }

    fn something_comes(&mut self, happening: Happening) {
        if self.packets.is_empty() {
            return;
        }
        let which = self.dice.below(self.packets.len());
        let packet = if happening == Happening::Repetition {
            self.packets[which].clone()
        } else {
            self.packets.swap_remove(which)
        };
        let cut = self.cuts.contains(&(packet.from, packet.to));
        if happening == Happening::Loss || cut {
            self.lived.faults += 1;
            self.note(&("lost", &packet), |world| format!("lost: {}", world.told_packet(&packet)));
            return;
        }
        self.lived.faults += u64::from(happening == Happening::Repetition);
        self.note(&packet, |world| world.told_packet(&packet));
        self.deliver(packet);
    }

    fn deliver(&mut self, packet: Packet) {
        let Packet { from, to, paper } = packet;
        match paper {
            Paper::Letter(letter) => {
                if let Some(receipt) = self.on(to, |node, step| node.take_letter(&letter, step)) {
                    self.send(to, from, Paper::Receipt(receipt));
                }
            }
            Paper::Receipt(receipt) => self.on(to, |node, step| node.take_receipt(from, &receipt, step)),
            Paper::Hello(hello) => {
                if let Some(answer) = self.on(to, |node, step| node.take_hello(from, &hello, step)) {
                    self.send(to, from, Paper::Answer(Arc::new(answer)));
                }
            }
            Paper::Answer(answer) => self.on(to, |node, step| node.take_answer(from, answer, step)),
        }
    }

    fn told_packet(&self, packet: &Packet) -> String {
        let Packet { from, to, paper } = packet;
        let (from, to) = (self.network.node(*from), self.network.node(*to));
        match paper {
            Paper::Letter(Numbered { incarnation, sequence, letter, .. }) => {
                let said: &str = (&letter.outgoing.message).into();
                let (by, for_whom) = (&self.network.party(letter.from).office, &letter.outgoing.to.office);
                format!("letter {incarnation}.{sequence} from {from} comes to {to}: `{said}` by {by} for {for_whom}")
            }
            Paper::Receipt(receipt) => {
                format!("a receipt from {from} comes to {to}: up to {}.{}", receipt.incarnation, receipt.applied_up_to)
            }
            Paper::Hello(hello) => format!("{from} introduces itself to {to}, incarnation {}", hello.incarnation),
            Paper::Answer(_) => format!("{from} returns to {to} what was said"),
        }
    }

    /// A node sends again whatever was not confirmed. In quarantine it introduces itself; otherwise it does so seldom, as
    /// when its mailbox was made anew.
    fn resend(&mut self, place: Place) {
        let node = &self.nodes[usize::from(place)];
        let recovering = node.is_recovering();
        let letters: Vec<Numbered> =
            node.letters().filter(|(_, waits)| *waits && !recovering).map(|(letter, _)| letter).collect();
        let greets =
            recovering || node.incarnation() > 1 && self.network.without.lacks(crate::pieces::Piece::Quarantine);
        let greets = greets || self.dice.one_in(20);
        for letter in letters {
            self.send(place, letter.to, Paper::Letter(letter));
        }
        if greets {
            for peer in self.network.peers(place).collect::<Vec<_>>() {
                let hello = self.nodes[usize::from(place)].hello(peer);
                self.send(place, peer, Paper::Hello(hello));
            }
        }
    }

    fn carry(&mut self, place: Place) {
        let node = &self.nodes[usize::from(place)];
        if node.has_local() && !node.is_recovering() {
            self.note(&("carry", place), |world| {
                format!("a letter between two offices of {} is applied", world.network.node(place))
            });
            self.on(place, Node::carry_local);
        }
    }

    /// One after the other: what two at once may do is the model's to look at.
    fn restore(&mut self, place: Place) {
        if self.nodes.iter().any(Node::is_recovering) {
            return;
        }
        let at = usize::from(place);
        let incarnation = self.nodes[at].incarnation() + 1;
        self.nodes[at] = Node::restored(&self.network, place, &self.backups[at], incarnation);
        self.backups[at] = self.nodes[at].durable().clone();
        // What an office knows may go back now.
        self.seen.clear();
        self.lived.faults += 1;
        self.lived.restores += 1;
        self.note(&("restore", place), |world| format!("{} comes back from its backup", world.network.node(place)));
    }

    fn view(&self, seat: Seat) -> &CaseCustody {
        self.nodes[usize::from(self.network.place(seat))].view(seat)
    }

    /// Somebody at an office asks for something. Refusals are as good as anything.
    fn ask(&mut self, seat: Seat, ask: Ask) {
        self.note(&(seat, ask), |world| ask.told(&world.network, world.network.party(seat)).to_string());
        let command = ask.command(&self.network, self.view(seat));
        self.overridden |= matches!(ask, Ask::Propose(_));
        self.on(self.network.place(seat), |node, step| _ = node.ask(seat, command, step));
    }

    fn somebody_asks(&mut self) {
        let seat = self.dice.pick(&SEATS).expect("four");
        let made: Vec<OfferId> = self.view(seat).offers_out().map(|(offer, _)| offer).collect();
        let was_made: Vec<OfferId> = self.view(seat).offers_in().map(|(offer, _)| offer).collect();
        let asked = self.view(seat).request().is_some();
        let ask = match self.dice.below(9) {
            // Mostly by who may, now and then by who may not.
            0 | 1 if self.offers < MOST_OFFERS && (self.view(seat).holds() || self.dice.one_in(40)) => {
                self.offers += 1;
                let kinds = [OfferKind::Transfer, OfferKind::Transfer, OfferKind::Service];
                let others =
                    SEATS.map(|other| if other == seat && !self.dice.one_in(10) { (seat + 1) % 4 } else { other });
                Some(Ask::Offer {
                    number: self.offers,
                    to: self.dice.pick(&others).expect("four"),
                    kind: self.dice.pick(&kinds).expect("three"),
                    need: self.dice.pick(&[Need::Shelter, Need::Legal]).expect("two"),
                })
            }
            2 => self.dice.pick(&made).map(Ask::Withdraw),
            3 => {
                let number = u32::from(self.dice.one_in(3)) + 1;
                let reminds = self.dice.one_in(2);
                let offer = self.dice.pick(&made);
                offer.map(|offer| if reminds { Ask::Remind(offer, number) } else { Ask::Notify(offer, MINISTRY) })
            }
            4 | 5 => self.dice.pick(&was_made).map(Ask::Accept),
            6 => {
                let successor = self.dice.pick(&SEATS).filter(|_| self.dice.one_in(4));
                let offer = self.dice.pick(&was_made);
                offer.map(|offer| successor.map_or(Ask::Decline(offer), |to| Ask::Redirect(offer, to)))
            }
            7 => self.dice.pick(&was_made).map(Ask::Conclude),
            _ if asked => self.dice.pick(&[Ask::Consent, Ask::Cosign]),
            _ => None,
        };
        if let Some(ask) = ask {
            self.ask(seat, ask);
        }
    }

    fn heal(&mut self) -> Result<(), Failure> {
        self.cuts.clear();
        for _ in 0..ROUNDS {
            self.step += 1;
            for seat in SEATS {
                self.answer_all(seat);
                self.check()?;
            }
            for place in 0..self.network.nodes() {
                while self.nodes[usize::from(place)].has_local() && !self.nodes[usize::from(place)].is_recovering() {
                    self.carry(place);
                    self.check()?;
                }
                self.resend(place);
            }
            for _ in 0..2 {
                let mut packets = std::mem::take(&mut self.packets);
                while !packets.is_empty() {
                    let which = self.dice.below(packets.len());
                    let packet = packets.swap_remove(which);
                    self.note(&packet, |world| world.told_packet(&packet));
                    self.deliver(packet);
                    self.check()?;
                }
            }
            if self.unsettled().is_none() {
                return Ok(());
            }
        }
        self.unsettled().map_or(Ok(()), |broken| Err(self.failure(broken)))
    }

    fn answer_all(&mut self, seat: Seat) {
        if self.view(seat).request().is_some_and(|request| !request.consented) {
            self.ask(seat, Ask::Consent);
        }
        if self.view(seat).request().is_some_and(|request| !request.cosigned) {
            self.ask(seat, Ask::Cosign);
        }
        let unanswered: Vec<OfferId> = self.view(seat).unanswered_offers().map(|(offer, _)| offer).collect();
        for offer in unanswered {
            if self.dice.one_in(2) {
                self.ask(seat, Ask::Accept(offer));
            }
            self.ask(seat, Ask::Decline(offer));
        }
    }

    fn failure(&self, broken: Broken) -> Failure {
        Failure { seed: self.seed, step: self.step, broken }
    }

    fn sights(&self) -> Vec<Sight<'_>> {
        let sight = |seat: Seat| {
            let node = &self.nodes[usize::from(self.network.place(seat))];
            Sight { party: self.network.party(seat), view: node.view(seat), recovering: node.is_recovering() }
        };
        SEATS.map(sight).into()
    }

    /// What must hold at every moment, looked at wherever something has changed.
    fn check(&mut self) -> Result<(), Failure> {
        let known = |node: &'_ Node, seat: Seat| {
            self.seen.get(usize::from(seat)).is_some_and(|(view, recovering)| {
                std::ptr::eq(&raw const **view, node.view(seat)) && *recovering == node.is_recovering()
            })
        };
        let node_of = |seat: Seat| &self.nodes[usize::from(self.network.place(seat))];
        let changed = SEATS.map(|seat| !known(node_of(seat), seat));
        if !changed.contains(&true) && self.nodes.iter().all(|node| node.alarms().is_empty()) {
            return Ok(());
        }
        let sights = self.sights();
        let mut broken = self.nodes.iter().find_map(|node| node.alarms().first().cloned());
        for (at, &one) in sights.iter().enumerate().filter(|(at, _)| changed[*at]) {
            let others = sights.iter().enumerate().filter(|(other, _)| *other != at);
            let mut between = others.map(|(_, &other)| broken_between(one, other));
            broken = broken.or_else(|| broken_at(one)).or_else(|| between.find_map(|broken| broken));
        }
        if broken.is_none() && self.lived.restores == 0 && !self.overridden {
            broken = nobody(&sights, |from, to| {
                let place = self.network.place(self.network.seat_of(&from.office));
                self.nodes[usize::from(place)].has_posted_certificate(to)
            });
        }
        if let Some(broken) = broken {
            return Err(self.failure(broken));
        }
        let nodes = self.nodes.iter();
        self.seen =
            nodes.flat_map(|node| node.views().map(|(_, view)| (Arc::clone(view), node.is_recovering()))).collect();
        Ok(())
    }

    fn unsettled(&self) -> Option<Broken> {
        let sights = self.sights();
        if !self.nodes.iter().all(Node::is_quiet) {
            return Some(Broken::new(Invariant::L1, "letters wait to be sent or applied"));
        }
        let pair = |at: usize, one: Sight<'_>| sights[at + 1..].iter().find_map(|other| unsettled_between(one, *other));
        let registry = self.network.registry().map(|seat| self.network.party(seat));
        let single = sights.iter().find_map(|sight| unsettled_at(*sight));
        let between = || sights.iter().enumerate().find_map(|(at, one)| pair(at, *one));
        single.or_else(between).or_else(|| unsettled_custody(&sights, registry))
    }

    /// What each office knows follows from its stored events and from nothing else (I9). One history in eight is asked.
    fn replay(&mut self) -> Result<(), Failure> {
        for seat in SEATS {
            let node = &self.nodes[usize::from(self.network.place(seat))];
            let events = || node.log().filter(|(at, _)| *at == seat).map(|(_, event)| event);
            let moved = events().filter(|event| matches!(event, Event::Transferred { .. })).count();
            let overridden = events().filter(|event| matches!(event, Event::OverrideIssued { .. })).count();
            if self.seed.is_multiple_of(8) {
                let read: Vec<Event> = events().map(stored).collect();
                if CaseCustody::fold(&read) != *node.view(seat) {
                    let words = format!("the events of {} do not give what it knows", self.network.party(seat).office);
                    return Err(self.failure(Broken::new(Invariant::I9, words)));
                }
            }
            self.lived.handoffs += moved as u64;
            self.lived.overrides += overridden as u64;
        }
        Ok(())
    }
}

/// An event as it is read back from where it is stored.
fn stored(event: &Event) -> Event {
    let line = serde_json::to_string(event).expect("events can be written");
    serde_json::from_str(&line).expect("what was written can be read")
}
