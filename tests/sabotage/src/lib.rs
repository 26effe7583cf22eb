//! Programs that lack a safety piece, in a network that meets with the fault that the piece is for: the checker must
//! notice, and must find nothing when the same happens to whole programs.
//!
//! The pieces are taken away by points in the program (`services/spean/src/points.rs`), each node for itself; the
//! processes, the broker, the databases and the letters are real. For tests only, so it panics with a message for the
//! reader instead of returning errors.

mod injury;
mod scenarios;
mod stand;

use std::collections::BTreeSet;

use spean_checker::{Check, Finding};
use tokio::time::Instant;

pub use scenarios::{ORDINARY, SCENARIOS, Scenario};
use stand::Stand;

/// What came of one scenario.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What was taken away.
    pub scenario: &'static Scenario,
    /// What the checker found in the broken network.
    pub findings: BTreeSet<Finding>,
    /// How long both plays took, in seconds.
    pub seconds: u64,
}

impl Outcome {
    /// The checks that found something.
    pub fn by(&self) -> BTreeSet<Check> {
        self.findings.iter().map(|finding| finding.check).collect()
    }

    /// Whether every check that must notice did.
    pub fn is_caught(&self) -> bool {
        let by = self.by();
        self.scenario.by.iter().all(|check| by.contains(check))
    }

    /// A line of a table: what was taken away, who found it, and the first of what was found.
    pub fn row(&self) -> String {
        let by: Vec<String> = self.by().iter().map(|check| format!("{check:?}")).collect();
        let first = self.findings.first().map_or("nothing", |finding| finding.words.as_str());
        format!("| {} | {} | {first} | {} s |", self.scenario.taken_away, by.join(", "), self.seconds)
    }
}

/// Plays these scenarios in one network, each first with whole programs, of which nothing may be found, and then broken.
///
/// # Panics
/// When the network does not start, or something is wrong with whole programs.
pub async fn play(chosen: &[&'static Scenario]) -> Vec<Outcome> {
    let mut stand = Stand::new().await;
    let mut outcomes = Vec::new();
    for scenario in chosen {
        let begun = Instant::now();
        (scenario.play)(&mut stand, false).await;
        let whole_took = stand.clean(scenario.name).await;
        (scenario.play)(&mut stand, true).await;
        let findings = stand.caught(whole_took).await;
        let outcome = Outcome { scenario, findings, seconds: begun.elapsed().as_secs() };
        println!("{}{}", outcome.row(), if outcome.is_caught() { "" } else { " NOT CAUGHT" });
        outcomes.push(outcome);
        stand.mend(scenario.nodes).await;
    }
    outcomes
}

/// The scenarios with these names.
///
/// # Panics
/// When there is none of a name.
pub fn named(names: &[&str]) -> Vec<&'static Scenario> {
    let find = |name: &&str| {
        let found = SCENARIOS.iter().find(|scenario| scenario.name == *name);
        found.unwrap_or_else(|| panic!("no scenario is called {name}"))
    };
    names.iter().map(find).collect()
}
