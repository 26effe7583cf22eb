//! `simulate-services`: long runs of whole services, and single histories in words.

use std::process::ExitCode;
use std::time::Instant;

use spean_simulation::{Lived, Sabotage, Stage};

const USAGE: &str = "\
Usage: simulate-services <command>

  services [--from SEED] HISTORIES [--without PIECE]
      plays so many histories of whole services, one for each seed
  tell-services SEED [--without PIECE]
      tells the history of a seed, step by step

Pieces: OutboxForgotten, InboxForgetful, ReceiptBeforeCommit, LettersApart, NoResending, NoQuarantine. The exit code is 1 when anything is broken.";

fn main() -> ExitCode {
    let mut words: Vec<String> = std::env::args().skip(1).collect();
    let from = option(&mut words, "--from").and_then(|from| from.parse().ok()).unwrap_or(1);
    let sabotage = option(&mut words, "--without")
        .and_then(|name| Sabotage::ALL.into_iter().find(|piece| format!("{piece:?}") == name));
    let number = words.get(1).and_then(|number| number.parse().ok());
    let outcome = match (words.first().map(String::as_str), number) {
        (Some("services"), Some(histories)) => services(from, histories, sabotage),
        (Some("tell-services"), Some(seed)) => tell(seed, sabotage),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("simulate-services: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn option(words: &mut Vec<String>, name: &str) -> Option<String> {
    let at = words.iter().position(|word| word == name)?;
    words.remove(at);
    (at < words.len()).then(|| words.remove(at))
}

#[expect(clippy::disallowed_methods, reason = "a tool that tells how long it took")]
fn now() -> Instant {
    Instant::now()
}

fn services(from: u64, histories: u64, sabotage: Option<Sabotage>) -> anyhow::Result<bool> {
    let stage = Stage::set()?;
    let (mut all, mut failed, started) = (Lived::default(), 0_u64, now());
    for seed in from..from.saturating_add(histories) {
        match stage.play(seed, sabotage) {
            Ok(lived) => {
                all.steps += lived.steps;
                all.asked += lived.asked;
                all.faults += lived.faults;
                all.power_cuts += lived.power_cuts;
                all.restores += lived.restores;
                all.fingerprint = all.fingerprint.rotate_left(1) ^ lived.fingerprint;
            }
            Err(failure) => {
                failed += 1;
                println!("{failure}");
            }
        }
        if seed.is_multiple_of(100) {
            println!("up to seed {seed}: {all:?}; {failed} failed, {:.0} s", started.elapsed().as_secs_f64());
        }
    }
    println!("{histories} histories: {all:?}; {failed} failed, {:.0} s", started.elapsed().as_secs_f64());
    Ok(failed == 0)
}

fn tell(seed: u64, sabotage: Option<Sabotage>) -> anyhow::Result<bool> {
    let (told, outcome) = Stage::set()?.tell(seed, sabotage);
    for line in &told {
        println!("{line}");
    }
    match &outcome {
        Ok(lived) => println!("all is settled: {lived:?}"),
        Err(failure) => println!("{failure}"),
    }
    Ok(outcome.is_ok())
}
