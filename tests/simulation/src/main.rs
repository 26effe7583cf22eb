//! `simulate-services`: long runs of whole services, and single histories in words.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use spean_simulation::{Lived, Sabotage, Stage, on_a_watched_disk};

const USAGE: &str = "\
Usage: simulate-services [--from SEED] [--without PIECE] HISTORIES
       simulate-services [--without PIECE] [--keep FOLDER] --tell SEED

Plays so many histories of whole services, one for each seed, or tells the history of one, step by step,
and copies to a folder what its nodes left behind.

Pieces: OutboxForgotten, InboxForgetful, ReceiptBeforeCommit, LettersApart, NoResending, NoQuarantine, DisksThatLie.
The exit code is 1 when anything is broken.";

/// How many histories one process plays. The memory of a service that has ended is not all given back, and a thousand
/// histories start and end some hundred thousand of them.
const OF_A_PROCESS: u64 = 50;

fn main() -> ExitCode {
    let mut words: Vec<String> = std::env::args().skip(1).collect();
    match run(&mut words) {
        Some(Ok(true)) => ExitCode::SUCCESS,
        Some(Ok(false)) => ExitCode::FAILURE,
        Some(Err(error)) => {
            eprintln!("simulate-services: {error:#}");
            ExitCode::FAILURE
        }
        None => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
    }
}

/// None when it is not understood.
fn run(words: &mut Vec<String>) -> Option<anyhow::Result<bool>> {
    let as_given = words.clone();
    let from = option(words, "--from")?.map_or(Some(1), |from| from.parse().ok())?;
    let piece = |name: String| Sabotage::ALL.into_iter().find(|piece| format!("{piece:?}") == name);
    let sabotage = match option(words, "--without")? {
        Some(name) => Some(piece(name)?),
        None => None,
    };
    let keep = option(words, "--keep")?.map(PathBuf::from);
    let is_watched = spean_simulation::is_on_a_watched_disk();
    match (option(words, "--tell")?, words.as_slice()) {
        (Some(seed), []) => {
            let seed = seed.parse().ok()?;
            Some(if is_watched { tell(seed, sabotage, keep.as_deref()) } else { on_a_watched_disk(&as_given) })
        }
        (None, [histories]) => {
            let histories = histories.parse().ok()?;
            Some(if is_watched { services(from, histories, sabotage) } else { in_parts(from, histories, sabotage) })
        }
        _ => None,
    }
}

/// Plays the histories some at a time, each part in a process of its own. False when one of them is broken.
fn in_parts(from: u64, histories: u64, sabotage: Option<Sabotage>) -> anyhow::Result<bool> {
    let mut all_sound = true;
    let until = from.saturating_add(histories);
    let mut next = from;
    while next < until {
        let part = OF_A_PROCESS.min(until - next);
        let mut words = vec!["--from".to_owned(), next.to_string(), part.to_string()];
        if let Some(piece) = sabotage {
            words.extend(["--without".to_owned(), format!("{piece:?}")]);
        }
        all_sound &= on_a_watched_disk(&words)?;
        next += part;
    }
    Ok(all_sound)
}

/// The value of an option, and whether there is one; none when the option is there without it.
#[expect(clippy::option_option, reason = "not there, there without a value, there with one")]
fn option(words: &mut Vec<String>, name: &str) -> Option<Option<String>> {
    let Some(at) = words.iter().position(|word| word == name) else { return Some(None) };
    words.remove(at);
    (at < words.len()).then(|| Some(words.remove(at)))
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
                all.torn += lived.torn;
                all.restores += lived.restores;
                all.worked += lived.worked;
                all.handoffs += lived.handoffs;
                all.fingerprint = all.fingerprint.rotate_left(1) ^ lived.fingerprint;
            }
            Err(failure) => {
                failed += 1;
                println!("{failure}");
            }
        }
    }
    println!(
        "{histories} histories from seed {from}: {all:?}; {failed} failed, {:.0} s",
        started.elapsed().as_secs_f64()
    );
    Ok(failed == 0)
}

fn tell(seed: u64, sabotage: Option<Sabotage>, keep: Option<&Path>) -> anyhow::Result<bool> {
    let (told, outcome) = Stage::set()?.tell(seed, sabotage, keep);
    for line in &told {
        println!("{line}");
    }
    match &outcome {
        Ok(lived) => println!("all is settled: {lived:?}"),
        Err(failure) => println!("{failure}"),
    }
    Ok(outcome.is_ok())
}
