//! The search: breadth first, so that the first counter-example is a shortest one, and then backwards from all settled
//! states, to see whether any state cannot get there.

use super::library::Library;
use super::scenario::Scenario;
use super::state::State;
use super::table::{Met, index};
use crate::invariants::Broken;

/// What a search found.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// How many different states were looked at.
    pub states: u32,
    /// How many steps led to them.
    pub steps: u64,
    /// How many steps the farthest of them is away.
    pub depth: u32,
    /// How many different states single nodes got into: so often the rules were really asked.
    pub node_states: usize,
    /// How many of the states are settled.
    pub settled: u32,
    /// Whether every state was looked at.
    pub complete: bool,
    /// What is wrong, with the steps that lead there. None when all holds.
    pub broken: Option<(Broken, Vec<String>)>,
}

/// Looks at every state of a scenario, or at as many as it allows.
pub fn explore(scenario: &Scenario) -> Verdict {
    let mut search = Search::new(*scenario);
    search.look_at_all();
    search.verdict()
}

struct Search {
    scenario: Scenario,
    library: Library,
    met: Met<State>,
    parents: Vec<u32>,
    /// For each state that was looked at, where its steps that may be counted on begin in `healing`.
    starts: Vec<u64>,
    healing: Vec<u32>,
    settles: Vec<bool>,
    settled: u32,
    steps: u64,
    depth: u32,
    broken: Option<(Broken, u32)>,
}

impl Search {
    fn new(scenario: Scenario) -> Self {
        let mut library = Library::new(scenario);
        let mut met = Met::new();
        met.meet(library.first());
        Self {
            scenario,
            library,
            met,
            parents: vec![0],
            starts: vec![],
            healing: vec![],
            settles: vec![],
            settled: 0,
            steps: 0,
            depth: 0,
            broken: None,
        }
    }

    fn look_at_all(&mut self) {
        let mut next = vec![];
        let mut end_of_level = 1;
        let mut number = 0;
        while number < self.met.len() && number < self.scenario.most_states {
            if number == end_of_level {
                end_of_level = self.met.len();
                self.depth += 1;
            }
            let state = self.met.get(number);
            let settled = self.library.unsettled(&state).is_none();
            self.settled += u32::from(settled);
            self.settles.push(settled);
            self.starts.push(self.healing.len() as u64);
            self.library.next(&state, &mut next);
            self.steps += next.len() as u64;
            for (_, heals, after) in &next {
                let (met, is_new) = self.met.meet(*after);
                if is_new {
                    self.parents.push(number);
                    if let Some(broken) = self.library.broken(after) {
                        self.broken = Some((broken, met));
                        return;
                    }
                }
                if *heals && !settled {
                    self.healing.push(met);
                }
            }
            number += 1;
        }
        self.find_stuck();
    }

    /// The first state from which no settled one can be reached. Whatever was not looked at is taken to be settled.
    fn find_stuck(&mut self) {
        self.starts.push(self.healing.len() as u64);
        let looked_at = self.settles.len();
        let mut changed = true;
        while changed {
            changed = false;
            for state in (0..looked_at).rev() {
                if self.settles[state] {
                    continue;
                }
                let place = |start: u64| usize::try_from(start).expect("64 bits");
                let after = &self.healing[place(self.starts[state])..place(self.starts[state + 1])];
                if after.iter().any(|&after| self.settles.get(index(after)).copied().unwrap_or(true)) {
                    self.settles[state] = true;
                    changed = true;
                }
            }
        }
        if let Some(stuck) = self.settles.iter().position(|settles| !settles) {
            let stuck = u32::try_from(stuck).expect("numbers of states have 32 bits");
            let state = self.met.get(stuck);
            let why = self.library.unsettled(&state).expect("it is not settled");
            let words = format!("can never be settled: {}", why.words);
            self.broken = Some((Broken { words, ..why }, stuck));
        }
    }

    fn verdict(mut self) -> Verdict {
        let broken = self.broken.take().map(|(broken, state)| (broken, self.way_to(state)));
        Verdict {
            states: self.met.len(),
            steps: self.steps,
            depth: self.depth,
            node_states: self.library.node_states(),
            settled: self.settled,
            complete: broken.is_none() && index(self.met.len()) == self.settles.len(),
            broken,
        }
    }

    fn way_to(&mut self, mut state: u32) -> Vec<String> {
        let mut way = vec![];
        let mut next = vec![];
        while state != 0 {
            let parent = self.parents[index(state)];
            let target = self.met.get(state);
            self.library.next(&self.met.get(parent), &mut next);
            let step = next.iter().find(|(_, _, after)| *after == target);
            way.push(self.library.told(step.expect("a parent leads to its child").0));
            state = parent;
        }
        way.reverse();
        way
    }
}
