//! What the numbers in a state mean, and every step of a node that was ever computed.

use std::sync::Arc;

use spean_custody::case::{Certificate, CertificateSignature, Message, Outgoing, SignedCertificate};
use spean_custody::link::Receipt;
use spean_vocabulary::Timestamp;

use super::scenario::Scenario;
use super::state::{Action, MOST_NODES, NONE, State, Used};
use super::table::{Interner, Memo};
use crate::asks::{Ask, about_offers};
use crate::network::{Network, Place, Seat, case, opening};
use crate::node::{Answer, Durable, Node, Numbered, Step};
use crate::pieces::Piece;

mod judging;
mod telling;

/// A scenario with all that was computed of it.
#[derive(Debug)]
pub struct Library {
    scenario: Scenario,
    network: Network,
    nodes: Interner<Node>,
    durables: Interner<Durable>,
    letters: Interner<Numbered>,
    receipts: Interner<Receipt>,
    answers: Interner<Answer>,
    sets: Interner<Vec<u32>>,
    asked: Memo<(u32, u8, u8), Arc<[Asked]>>,
    delivered: Memo<(u32, u32, bool), (u32, u32)>,
    receipted: Memo<(u32, Place, u32), u32>,
    written: Memo<u32, Arc<[Written]>>,
    greeted: Memo<(u32, u32), (u32, u32)>,
    answered: Memo<(u32, Place, u32), u32>,
    restored: Memo<(Place, u32, u8), u32>,
    vanished: Memo<(u32, u32), u32>,
    sound: Memo<u32, bool>,
    agree: Memo<(u32, u32), bool>,
    quiet: Memo<u32, bool>,
    joined: Memo<(u32, u32), u32>,
}

#[derive(Clone, Copy, Debug)]
struct Asked {
    seat: Seat,
    ask: Ask,
    torn: bool,
    after: u32,
}

#[derive(Clone, Copy, Debug)]
struct Written {
    letter: u32,
    to: Place,
    /// Whether it is to be sent again.
    waits: bool,
}

impl Library {
    /// The scenario before anything happened but that the case was opened.
    pub fn new(scenario: Scenario) -> Self {
        let mut network = Network::new(&scenario.plan, scenario.without);
        network.hostile = scenario.hostile;
        let mut sets = Interner::default();
        sets.number(vec![]);
        Self {
            scenario,
            network,
            nodes: Interner::default(),
            durables: Interner::default(),
            letters: Interner::default(),
            receipts: Interner::default(),
            answers: Interner::default(),
            sets,
            asked: Memo::default(),
            delivered: Memo::default(),
            receipted: Memo::default(),
            written: Memo::default(),
            greeted: Memo::default(),
            answered: Memo::default(),
            restored: Memo::default(),
            vanished: Memo::default(),
            sound: Memo::default(),
            agree: Memo::default(),
            quiet: Memo::default(),
            joined: Memo::default(),
        }
    }

    /// How many different states single nodes got into.
    pub fn node_states(&self) -> usize {
        self.nodes.len()
    }

    /// The first state: the first office has opened the case.
    pub fn first(&mut self) -> State {
        let mut state =
            State { nodes: [0; MOST_NODES], backups: [NONE; MOST_NODES], ghosts: 0, flights: 0, used: Used::default() };
        for place in 0..self.network.nodes() {
            let mut node = Node::new(&self.network, place);
            if place == self.network.place(0) {
                let opened = node.ask(0, opening(), &mut Step::at(&self.network, 0));
                assert_eq!(opened, Some(Ok(())), "an office may open a case");
            }
            state.backups[usize::from(place)] = self.durables.number(node.durable().clone());
            state.nodes[usize::from(place)] = self.nodes.number(node);
        }
        state
    }

    /// Everything that may happen next: what, whether it belongs to the steps that may be counted on, and to what it leads.
    pub fn next(&mut self, state: &State, into: &mut Vec<(Action, bool, State)>) {
        into.clear();
        for place in 0..self.network.nodes() {
            self.asks(state, place, into);
            self.carrying(state, place, into);
            self.deliveries(state, place, into);
            if self.scenario.restores > 0 {
                self.backups(state, place, into);
                self.greetings(state, place, into);
            }
        }
        self.forgeries(state, into);
        for (_, _, after) in into.iter_mut() {
            self.leave_out_what_is_over(after);
        }
        into.retain(|(_, _, after)| after != state);
    }

    /// Backups that nobody will come back from, and answers that nobody waits for.
    fn leave_out_what_is_over(&mut self, state: &mut State) {
        if self.scenario.restores > 0 && state.used.all_restores() == self.scenario.restores {
            state.backups = [NONE; MOST_NODES];
            state.used.backups = [0; MOST_NODES];
        }
        if state.flights != 0 {
            for place in 0..self.network.nodes() {
                if !self.node(state.nodes[usize::from(place)]).is_recovering() {
                    state.flights = self.flights_without(state.flights, place, None);
                }
            }
        }
    }

    fn node(&self, number: u32) -> &Arc<Node> {
        self.nodes.get(number)
    }

    fn now(node: &Node) -> i64 {
        i64::try_from(node.incarnation()).expect("a handful")
    }

    fn asks(&mut self, state: &State, place: Place, into: &mut Vec<(Action, bool, State)>) {
        let number = state.nodes[usize::from(place)];
        let (offers, overrides) = (state.used.offers, state.used.overrides);
        let key = (number, offers, overrides);
        if !self.asked.contains_key(&key) {
            let computed = self.compute_asks(place, number, state.used);
            self.asked.insert(key, computed);
        }
        let asked = Arc::clone(&self.asked[&key]);
        for &Asked { seat, ask, torn, after } in asked.iter() {
            let mut next = *state;
            next.nodes[usize::from(place)] = after;
            next.used.offers += u8::from(matches!(ask, Ask::Offer { .. }));
            next.used.overrides += u8::from(matches!(ask, Ask::Propose(_)));
            into.push((Action::Ask { seat, ask, torn }, ask.is_answer() && !torn, next));
        }
    }

    fn compute_asks(&mut self, place: Place, number: u32, used: Used) -> Arc<[Asked]> {
        let node = Arc::clone(self.node(number));
        let mut computed = vec![];
        let tears: &[bool] = if self.scenario.without.can_tear() { &[false, true] } else { &[false] };
        for seat in self.network.seats_at(place).collect::<Vec<_>>() {
            let view = node.view(seat);
            let mut asks = about_offers(view, self.scenario.timers);
            if used.offers < self.scenario.offers && view.holds() {
                let others = self.scenario.offices.iter().filter(|&&other| other != seat);
                let number = u32::from(used.offers) + 1;
                let kinds = self.scenario.kinds;
                asks.extend(
                    others.flat_map(|&to| kinds.iter().map(move |&(kind, need)| Ask::Offer { number, to, kind, need })),
                );
            }
            if used.overrides < self.scenario.overrides && seat == self.network.authority() {
                asks.extend(self.scenario.heirs.iter().map(|&heir| Ask::Propose(heir)));
            }
            for (ask, &torn) in asks.iter().flat_map(|ask| tears.iter().map(move |torn| (*ask, torn))) {
                let mut after = Node::clone(&node);
                let command = ask.command(&self.network, view);
                let mut step = Step { torn, ..Step::at(&self.network, Self::now(&node)) };
                let asked = after.ask(seat, command, &mut step);
                if asked == Some(Ok(())) {
                    computed.push(Asked { seat, ask, torn, after: self.nodes.number(after) });
                }
            }
        }
        computed.into()
    }

    fn carrying(&mut self, state: &State, place: Place, into: &mut Vec<(Action, bool, State)>) {
        let node = Arc::clone(self.node(state.nodes[usize::from(place)]));
        if node.has_local() && !node.is_recovering() {
            let mut after = Node::clone(&node);
            after.carry_local(&mut Step::at(&self.network, Self::now(&node)));
            let mut next = *state;
            next.nodes[usize::from(place)] = self.nodes.number(after);
            into.push((Action::Carry(place), true, next));
        }
    }

    /// All that one node ever wrote comes, in any order, any number of times.
    fn deliveries(&mut self, state: &State, from: Place, into: &mut Vec<(Action, bool, State)>) {
        let number = state.nodes[usize::from(from)];
        let silent = self.node(number).is_recovering();
        for Written { letter, to, waits } in self.written(number).iter().copied() {
            self.delivery(state, (from, to), letter, waits && !silent, into);
        }
        let ghosts = Arc::clone(self.sets.get(state.ghosts));
        for &letter in ghosts.iter() {
            let &Numbered { from: by, to, .. } = &**self.letters.get(letter);
            if by == from {
                self.delivery(state, (from, to), letter, false, into);
            }
        }
    }

    fn delivery(
        &mut self,
        state: &State,
        (from, to): (Place, Place),
        letter: u32,
        waits: bool,
        into: &mut Vec<(Action, bool, State)>,
    ) {
        let tears: &[bool] = if self.scenario.without.can_tear() { &[false, true] } else { &[false] };
        for &torn in tears {
            let (after, receipt) = self.delivered(state.nodes[usize::from(to)], letter, torn);
            if after == NONE {
                continue;
            }
            let mut next = *state;
            next.nodes[usize::from(to)] = after;
            if self.scenario.lossy || receipt == NONE {
                let next = self.without_dead_ghosts(next);
                into.push((Action::Deliver { letter, receipt: false, torn }, false, next));
            }
            if receipt != NONE {
                let sender = state.nodes[usize::from(from)];
                let receipted = self.receipted(sender, to, receipt);
                next.nodes[usize::from(from)] = receipted;
                let next = self.with_ghosts(next, sender, receipted);
                into.push((Action::Deliver { letter, receipt: true, torn }, waits && !torn, next));
            }
        }
    }

    fn delivered(&mut self, to: u32, letter: u32, torn: bool) -> (u32, u32) {
        if let Some(&known) = self.delivered.get(&(to, letter, torn)) {
            return known;
        }
        let (node, numbered) = (Arc::clone(self.node(to)), Arc::clone(self.letters.get(letter)));
        let mut after = Node::clone(&node);
        let mut step = Step { torn, ..Step::at(&self.network, Self::now(&node)) };
        let receipt = after.take_letter(&numbered, &mut step);
        let receipt = receipt.map_or(NONE, |receipt| self.receipts.number(receipt));
        // Letters that only wait for their turn are left out where the scenario says so: they can come again.
        let waits = !node.is_done_with(&numbered) && !after.is_done_with(&numbered);
        let out_of_order = self.scenario.without.lacks(Piece::Order);
        let left_out = waits && !self.scenario.early && !torn && !out_of_order;
        let outcome = if left_out { (NONE, NONE) } else { (self.nodes.number(after), receipt) };
        self.delivered.insert((to, letter, torn), outcome);
        outcome
    }

    fn receipted(&mut self, sender: u32, from: Place, receipt: u32) -> u32 {
        let key = (sender, from, receipt);
        if let Some(&known) = self.receipted.get(&key) {
            return known;
        }
        let mut after = Node::clone(self.node(sender));
        after.take_receipt(from, self.receipts.get(receipt), &Step::at(&self.network, 0));
        let after = self.nodes.number(after);
        self.receipted.insert(key, after);
        after
    }

    fn written(&mut self, number: u32) -> Arc<[Written]> {
        if let Some(known) = self.written.get(&number) {
            return Arc::clone(known);
        }
        let node = Arc::clone(self.node(number));
        let written: Arc<[Written]> = node
            .letters()
            .map(|(letter, waits)| Written { to: letter.to, letter: self.letters.number(letter), waits })
            .collect();
        self.written.insert(number, Arc::clone(&written));
        written
    }

    fn backups(&mut self, state: &State, place: Place, into: &mut Vec<(Action, bool, State)>) {
        let at = usize::from(place);
        let used = state.used;
        let left = used.all_restores() < self.scenario.restores;
        if !left || !self.scenario.restorable.contains(&place) {
            return;
        }
        let node = Arc::clone(self.node(state.nodes[at]));
        if !node.is_recovering() && used.backups[at] <= used.restores[at] {
            let mut after = Node::clone(&node);
            let backup = if self.scenario.prunes { after.back_up() } else { node.durable().clone() };
            let mut next = *state;
            next.backups[at] = self.durables.number(backup);
            next.nodes[at] = self.nodes.number(after);
            next.used.backups[at] += 1;
            into.push((Action::Backup(place), false, next));
        }
        let others = self.network.peers(place).any(|peer| self.node(state.nodes[usize::from(peer)]).is_recovering());
        if self.scenario.at_once || !others && !node.is_recovering() {
            let mut next = *state;
            next.used.restores[at] += 1;
            next.nodes[at] = self.restored(place, state.backups[at], next.used.restores[at]);
            next.flights = self.flights_without(state.flights, place, None);
            let next = self.with_ghosts(next, state.nodes[at], next.nodes[at]);
            into.push((Action::Restore(place), false, next));
        }
    }

    fn restored(&mut self, place: Place, backup: u32, times: u8) -> u32 {
        let key = (place, backup, times);
        if let Some(&known) = self.restored.get(&key) {
            return known;
        }
        let node = Node::restored(&self.network, place, self.durables.get(backup), u64::from(times) + 1);
        let node = self.nodes.number(node);
        self.restored.insert(key, node);
        node
    }

    fn greetings(&mut self, state: &State, place: Place, into: &mut Vec<(Action, bool, State)>) {
        let at = usize::from(place);
        let greets = self.node(state.nodes[at]).is_recovering()
            || self.scenario.without.lacks(Piece::Quarantine) && state.used.restores[at] > 0;
        if !greets {
            return;
        }
        for peer in self.network.peers(place).collect::<Vec<_>>() {
            let (greeted, answer) = self.greeted(state.nodes[at], peer, state.nodes[usize::from(peer)]);
            let mut next = *state;
            next.nodes[usize::from(peer)] = greeted;
            if self.scenario.late_answers || answer == NONE {
                let mut late = next;
                if answer != NONE {
                    late.flights = self.flights_without(state.flights, place, Some((peer, answer)));
                }
                let late = self.without_dead_ghosts(late);
                into.push((Action::Greet { node: place, peer, answered: false }, false, late));
            }
            if answer != NONE {
                let next = self.with_answer(next, place, peer, answer);
                into.push((Action::Greet { node: place, peer, answered: true }, true, next));
            }
        }
        let flights = Arc::clone(self.sets.get(state.flights));
        for flight in flights.chunks(2) {
            let (node, peer) = places(flight[0]);
            if node == place {
                let mut next = self.with_answer(*state, place, peer, flight[1]);
                next.flights = self.flights_without(next.flights, place, Some((peer, NONE)));
                into.push((Action::LateAnswer { node, peer }, false, next));
            }
        }
    }

    fn greeted(&mut self, node: u32, peer_place: Place, peer: u32) -> (u32, u32) {
        if let Some(&known) = self.greeted.get(&(node, peer)) {
            return known;
        }
        let node_now = Arc::clone(self.node(node));
        let hello = node_now.hello(peer_place);
        let mut after = Node::clone(self.node(peer));
        let answer = after.take_hello(node_now.place(), &hello, &Step::at(&self.network, 0));
        let answer = answer.map_or(NONE, |answer| self.answers.number(answer));
        let outcome = (self.nodes.number(after), answer);
        self.greeted.insert((node, peer), outcome);
        outcome
    }

    fn with_answer(&mut self, mut state: State, place: Place, peer: Place, answer: u32) -> State {
        let before = state.nodes[usize::from(place)];
        let key = (before, peer, answer);
        let after = if let Some(&known) = self.answered.get(&key) {
            known
        } else {
            let node = Arc::clone(self.node(before));
            let mut after = Node::clone(&node);
            let mut step = Step::at(&self.network, Self::now(&node));
            after.take_answer(peer, Arc::clone(self.answers.get(answer)), &mut step);
            let after = self.nodes.number(after);
            self.answered.insert(key, after);
            after
        };
        state.nodes[usize::from(place)] = after;
        self.with_ghosts(state, before, after)
    }

    /// The answers on their way, without those to a node, or with another one from a peer.
    fn flights_without(&mut self, flights: u32, node: Place, other: Option<(Place, u32)>) -> u32 {
        let flights = Arc::clone(self.sets.get(flights));
        let replaced = |to: Place, peer: Place| to == node && other.is_none_or(|(by, _)| by == peer);
        let mut left: Vec<[u32; 2]> = flights
            .chunks(2)
            .filter(|flight| {
                let (to, peer) = places(flight[0]);
                !replaced(to, peer)
            })
            .map(|flight| [flight[0], flight[1]])
            .collect();
        if let Some((peer, answer)) = other.filter(|(_, answer)| *answer != NONE) {
            left.push([u32::from(node) << 8 | u32::from(peer), answer]);
        }
        left.sort_unstable();
        self.sets.number(left.concat())
    }

    /// Adds the letters that a node no longer keeps: copies may still come.
    fn with_ghosts(&mut self, mut state: State, before: u32, after: u32) -> State {
        if self.scenario.restores > 0 && before != after {
            let vanished = self.vanished(before, after);
            if vanished != 0 {
                state.ghosts = self.joined(state.ghosts, vanished);
            }
        }
        self.without_dead_ghosts(state)
    }

    fn vanished(&mut self, before: u32, after: u32) -> u32 {
        if let Some(&known) = self.vanished.get(&(before, after)) {
            return known;
        }
        let (written, left) = (self.written(before), self.written(after));
        let gone = written.iter().map(|written| written.letter);
        let mut gone: Vec<u32> = gone.filter(|letter| !left.iter().any(|left| left.letter == *letter)).collect();
        gone.sort_unstable();
        let set = self.sets.number(gone);
        self.vanished.insert((before, after), set);
        set
    }

    fn joined(&mut self, one: u32, other: u32) -> u32 {
        if let Some(&known) = self.joined.get(&(one, other)) {
            return known;
        }
        let mut all: Vec<u32> = self.sets.get(one).iter().chain(self.sets.get(other).iter()).copied().collect();
        all.sort_unstable();
        all.dedup();
        let set = self.sets.number(all);
        self.joined.insert((one, other), set);
        set
    }

    /// Once nobody can be restored any more, a copy that would be refused or known changes nothing ever again.
    fn without_dead_ghosts(&mut self, mut state: State) -> State {
        let without = self.scenario.without;
        let kept = state.ghosts == 0
            || state.used.all_restores() < self.scenario.restores
            || without.lacks(Piece::IncarnationFence)
            || without.lacks(Piece::Inbox);
        if kept {
            return state;
        }
        let ghosts = Arc::clone(self.sets.get(state.ghosts));
        let lives = |letter: &&u32| {
            let letter = self.letters.get(**letter);
            !self.node(state.nodes[usize::from(letter.to)]).is_done_with(letter)
        };
        let left: Vec<u32> = ghosts.iter().filter(lives).copied().collect();
        if left.len() < ghosts.len() {
            state.ghosts = self.sets.number(left);
        }
        state
    }

    /// A hostile node writes that the authority has given it the case.
    fn forgeries(&mut self, state: &State, into: &mut Vec<(Action, bool, State)>) {
        let Some(place) = self.scenario.hostile.filter(|_| state.used.forgeries == 0) else { return };
        let forger = self.network.seats_at(place).next().expect("an office at each node");
        for &victim in self.scenario.offices {
            let genuine = self.node(state.nodes[0]).view(0).certificates().next().cloned();
            let genuine = genuine.expect("the first office opened the case");
            let situation = self.network.situation(forger, 0);
            let certificate = Certificate {
                case: case(),
                term: 1,
                epoch: 1,
                holder: self.network.party(forger).clone(),
                issued_by: situation.authority.clone(),
                offer: None,
                previous: Some(genuine.certificate.digest()),
                issued_at: Timestamp::from_micros(0),
                basis: None,
            };
            let signers = [&situation.authority, &situation.cosigner];
            let signatures = signers.map(|by| CertificateSignature::new(by.clone(), b"forged")).into();
            let chain = vec![genuine, SignedCertificate { certificate, signatures }];
            let message = Message::Override { case: case(), chain };
            let outgoing = Outgoing { to: self.network.party(victim).clone(), message };
            let mut node = Node::clone(self.node(state.nodes[usize::from(place)]));
            node.forge(forger, outgoing, &mut Step::at(&self.network, 0));
            let mut next = *state;
            next.nodes[usize::from(place)] = self.nodes.number(node);
            next.used.forgeries += 1;
            into.push((Action::Forge(victim), false, next));
        }
    }
}

fn places(flight: u32) -> (Place, Place) {
    let byte = |bits: u32| Place::try_from(bits & 0xFF).expect("one byte");
    (byte(flight >> 8), byte(flight))
}
