//! What is wrong in a state, and what keeps it from being settled.

use super::{Library, Node, State};
use crate::invariants::{
    Broken, Invariant, Sight, broken_at, broken_between, nobody, unsettled_at, unsettled_between, unsettled_custody,
};

impl Library {
    /// What is wrong in a state.
    pub fn broken(&mut self, state: &State) -> Option<Broken> {
        let places = usize::from(self.network.nodes());
        let numbers = state.nodes;
        for (at, &number) in numbers[..places].iter().enumerate() {
            if !self.is_sound(number) {
                return self.wrong_at(number);
            }
            for &other in &numbers[..at] {
                if !self.agree(other, number) {
                    return self.wrong_between(other, number, broken_between);
                }
            }
        }
        if self.scenario.restores == 0 && self.scenario.overrides == 0 {
            return self.nobody(state);
        }
        None
    }

    fn is_sound(&mut self, number: u32) -> bool {
        if let Some(&known) = self.sound.get(&number) {
            return known;
        }
        let sound = self.wrong_at(number).is_none();
        self.sound.insert(number, sound);
        sound
    }

    fn agree(&mut self, one: u32, other: u32) -> bool {
        if let Some(&known) = self.agree.get(&(one, other)) {
            return known;
        }
        let agree = self.wrong_between(one, other, broken_between).is_none();
        self.agree.insert((one, other), agree);
        agree
    }

    fn sights<'l>(&'l self, node: &'l Node) -> Vec<Sight<'l>> {
        let recovering = node.is_recovering();
        node.views().map(|(seat, view)| Sight { party: self.network.party(seat), view, recovering }).collect()
    }

    fn wrong_at(&self, number: u32) -> Option<Broken> {
        let node = self.node(number);
        let sights = self.sights(node);
        let single = sights.iter().find_map(|sight| broken_at(*sight));
        let pairs = || pairs(&sights).find_map(|(one, other)| broken_between(one, other));
        node.alarms().first().cloned().or(single).or_else(pairs)
    }

    fn wrong_between(
        &self,
        one: u32,
        other: u32,
        wrong: impl Fn(Sight<'_>, Sight<'_>) -> Option<Broken>,
    ) -> Option<Broken> {
        let (ones, others) = (self.sights(self.node(one)), self.sights(self.node(other)));
        ones.iter().find_map(|one| others.iter().find_map(|other| wrong(*one, *other)))
    }

    fn nobody(&self, state: &State) -> Option<Broken> {
        let nodes = &state.nodes[..usize::from(self.network.nodes())];
        let held = |number: &u32| self.node(*number).views().any(|(_, view)| view.holds());
        if nodes.iter().any(held) {
            return None;
        }
        let sights: Vec<Sight<'_>> = nodes.iter().flat_map(|number| self.sights(self.node(*number))).collect();
        nobody(&sights, |from, to| {
            let place = self.network.known(&from.office).map(|seat| self.network.place(seat));
            place.is_some_and(|place| self.node(nodes[usize::from(place)]).has_posted_certificate(to))
        })
    }

    /// What keeps a state from being settled.
    pub fn unsettled(&mut self, state: &State) -> Option<Broken> {
        let numbers = state.nodes;
        let nodes = &numbers[..usize::from(self.network.nodes())];
        let waiting = || Some(Broken::new(Invariant::L1, "letters wait to be sent or applied"));
        for &number in nodes {
            let quiet = if let Some(&known) = self.quiet.get(&number) {
                known
            } else {
                let node = self.node(number);
                let quiet = node.is_quiet() && self.sights(node).iter().all(|sight| unsettled_at(*sight).is_none());
                self.quiet.insert(number, quiet);
                quiet
            };
            if !quiet {
                let node = self.node(number);
                return self.sights(node).iter().find_map(|sight| unsettled_at(*sight)).or_else(waiting);
            }
        }
        let sights: Vec<Sight<'_>> = nodes.iter().flat_map(|number| self.sights(self.node(*number))).collect();
        let between = pairs(&sights).find_map(|(one, other)| unsettled_between(one, other));
        let registry = self.network.registry().map(|seat| self.network.party(seat));
        between.or_else(|| unsettled_custody(&sights, registry))
    }
}

/// Every two of them.
fn pairs<'s, 'v>(sights: &'s [Sight<'v>]) -> impl Iterator<Item = (Sight<'v>, Sight<'v>)> + use<'s, 'v> {
    sights.iter().enumerate().flat_map(move |(at, one)| sights[at + 1..].iter().map(move |other| (*one, *other)))
}
