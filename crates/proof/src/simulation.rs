//! Random histories of a larger network, each drawn from one number.
//!
//! The model looks at everything in a small network; this looks far into a larger one: four offices at three nodes, up to
//! fourteen offers, transfers and services, overrides, restores one after the other. Each seed draws its own mix of faults
//! (some have no losses, some have little else), plays it, then heals: no more faults, everybody answers, and all must
//! settle. The same seed is the same history to the last step, and can be told in words.

mod dice;
mod mix;
mod world;

use std::fmt;

pub use dice::Dice;
pub use mix::Mix;

use crate::invariants::Broken;
use crate::pieces::Without;
use world::World;

/// How a history went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lived {
    /// Steps that did something.
    pub steps: u64,
    /// Losses, repetitions, wipes, cuts, jumps of clocks, restores.
    pub faults: u64,
    /// Restores among them.
    pub restores: u64,
    /// Cases that moved by an acceptance.
    pub handoffs: u64,
    /// Cases that moved by an override.
    pub overrides: u64,
    /// A sum over all that happened: equal for equal histories.
    pub fingerprint: u64,
}

/// Where a history went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The history.
    pub seed: u64,
    /// The step, counted from the first.
    pub step: u64,
    /// What is wrong.
    pub broken: Broken,
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "seed {}, step {}: {}", self.seed, self.step, self.broken)
    }
}

/// Plays the history of a seed.
pub fn play(seed: u64, without: Without) -> Result<Lived, Failure> {
    World::new(seed, without, false).live()
}

/// Plays the history of a seed with a mix of faults that is not drawn.
pub fn play_with(seed: u64, mix: Mix, without: Without) -> Result<Lived, Failure> {
    World::with(seed, mix, without, false).live()
}

/// Tells the history of a seed, one line for each step that did something.
pub fn tell(seed: u64, without: Without) -> (Vec<String>, Result<Lived, Failure>) {
    let mut world = World::new(seed, without, true);
    let outcome = world.live();
    (world.told(), outcome)
}

/// The sum of many histories.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// How many.
    pub histories: u64,
    /// All of them.
    pub lived: Lived,
}

impl Sum {
    /// Adds a history.
    pub fn add(&mut self, one: &Lived) {
        self.histories += 1;
        let all = &mut self.lived;
        all.steps += one.steps;
        all.faults += one.faults;
        all.restores += one.restores;
        all.handoffs += one.handoffs;
        all.overrides += one.overrides;
        all.fingerprint = all.fingerprint.rotate_left(1) ^ one.fingerprint;
    }
}

impl fmt::Display for Sum {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Lived { steps, faults, restores, handoffs, overrides, fingerprint } = self.lived;
        write!(
            formatter,
            "{} histories, {steps} steps, {faults} faults, {restores} restores, {handoffs} handoffs, {overrides} \
             overrides, fingerprint {fingerprint:016x}",
            self.histories
        )
    }
}
