//! `sabotage`: breaks programs in every way that there is a scenario for, or in those that are named, and prints what the
//! checker found. Ends with 0 only when each was noticed, and nothing was found in the whole programs.

use std::process::ExitCode;

use spean_sabotage::{SCENARIOS, named, play};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let names: Vec<String> = std::env::args().skip(1).collect();
    let chosen = if names.is_empty() {
        SCENARIOS.iter().collect()
    } else {
        named(&names.iter().map(String::as_str).collect::<Vec<_>>())
    };
    println!("| Taken away | Found by | For example | Took |\n| --- | --- | --- | ---: |");
    let mut outcomes = Vec::new();
    for scenario in chosen {
        // What a broken program did to a network cannot always be mended.
        outcomes.extend(play(&[scenario]).await);
    }
    let missed: Vec<_> = outcomes.iter().filter(|outcome| !outcome.is_caught()).collect();
    for outcome in &missed {
        println!("{}: {:?} should have noticed; {:#?}", outcome.scenario.name, outcome.scenario.by, outcome.findings);
    }
    println!("{} of {} were caught", outcomes.len() - missed.len(), outcomes.len());
    if missed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
