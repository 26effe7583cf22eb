//! `simulate-services`: long runs of whole services, and single histories in words.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use spean_simulation::{Lived, Sabotage, Stage};

const USAGE: &str = "\
Usage: simulate-services [--from SEED] [--without PIECE] HISTORIES
       simulate-services [--without PIECE] [--keep FOLDER] --tell SEED

Plays so many histories of whole services, one for each seed, or tells the history of one, step by step,
and copies to a folder what its nodes left behind.

Pieces: OutboxForgotten, InboxForgetful, ReceiptBeforeCommit, LettersApart, NoResending, NoQuarantine, DisksThatLie. The exit code is 1
when anything is broken.";

fn main() -> ExitCode {
    let mut words: Vec<String> = std::env::args().skip(1).collect();
    match spean_simulation::on_a_watched_disk() {
        Ok(None) => {}
        Ok(Some(ended)) => {
            return ended.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from);
        }
        Err(error) => {
            eprintln!("simulate-services: {error:#}");
            return ExitCode::FAILURE;
        }
    }
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
    let from = option(words, "--from")?.map_or(Some(1), |from| from.parse().ok())?;
    let piece = |name: String| Sabotage::ALL.into_iter().find(|piece| format!("{piece:?}") == name);
    let sabotage = match option(words, "--without")? {
        Some(name) => Some(piece(name)?),
        None => None,
    };
    let keep = option(words, "--keep")?.map(PathBuf::from);
    match (option(words, "--tell")?, words.as_slice()) {
        (Some(seed), []) => Some(tell(seed.parse().ok()?, sabotage, keep.as_deref())),
        (None, [histories]) => Some(services(from, histories.parse().ok()?, sabotage)),
        _ => None,
    }
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
                all.handoffs += lived.handoffs;
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
