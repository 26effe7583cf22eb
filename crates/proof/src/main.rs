//! `prove`: the long runs of the proof, and single histories in words.

use std::process::ExitCode;
use std::time::Instant;

use spean_proof::model::{Scenario, beyond, explore, long, ordinary};
use spean_proof::pieces::{Piece, Without};
use spean_proof::simulation::{Sum, play, tell};

const USAGE: &str = "\
Usage: prove <command>

  model [--most STATES] [--without PIECE,PIECE] [SCENARIO ...]
      searches every state of the scenarios (all of them, if none is named), or so many states of each
  simulate [--from SEED] [--without PIECE,PIECE] HISTORIES
      plays so many histories, one for each seed
  tell [--without PIECE,PIECE] SEED
      tells the history of a seed, step by step

Pieces and scenarios are named in the documentation of the crate spean-proof. The exit code is 1 when anything is broken.";

fn main() -> ExitCode {
    let mut words: Vec<String> = std::env::args().skip(1).collect();
    let command = if words.is_empty() { String::new() } else { words.remove(0) };
    let outcome = Options::taken_from(&mut words).and_then(|options| match command.as_str() {
        "model" => model(&options, &words),
        "simulate" => simulate(&options, &words),
        "tell" => tell_one(&options, &words),
        _ => None,
    });
    match outcome {
        Some(true) => ExitCode::SUCCESS,
        Some(false) => ExitCode::FAILURE,
        None => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
    }
}

struct Options {
    most: u32,
    from: u64,
    without: Without,
}

impl Options {
    fn taken_from(words: &mut Vec<String>) -> Option<Self> {
        let mut options = Self { most: u32::MAX, from: 1, without: Without::NOTHING };
        while let Some(at) = words.iter().position(|word| word.starts_with("--")) {
            let name = words.remove(at);
            let value = (at < words.len()).then(|| words.remove(at))?;
            match name.as_str() {
                "--most" => options.most = value.parse().ok()?,
                "--from" => options.from = value.parse().ok()?,
                "--without" => options.without = without(&value)?,
                _ => return None,
            }
        }
        Some(options)
    }
}

fn without(names: &str) -> Option<Without> {
    let piece = |name: &str| Piece::ALL.into_iter().find(|piece| format!("{piece:?}") == name);
    let pieces: Option<Vec<Piece>> = names.split(',').map(piece).collect();
    pieces.map(|pieces| Without::these(&pieces))
}

#[expect(clippy::disallowed_methods, reason = "a tool that tells how long it took")]
fn now() -> Instant {
    Instant::now()
}

fn model(options: &Options, names: &[String]) -> Option<bool> {
    let known: Vec<Scenario> = ordinary().into_iter().chain(long()).chain(beyond()).collect();
    let scenario = |name: &String| known.iter().find(|scenario| scenario.name == *name).copied();
    let all = || ordinary().into_iter().chain(long()).collect();
    let scenarios: Vec<Scenario> =
        if names.is_empty() { all() } else { names.iter().map(scenario).collect::<Option<_>>()? };
    let (mut states, mut whole, started) = (0_u64, true, now());
    for scenario in scenarios {
        let began = now();
        let verdict = explore(&Scenario { most_states: options.most, without: options.without, ..scenario });
        let searched = if verdict.complete { "to the end" } else { "not to the end" };
        println!(
            "{}: {} states, {} steps, {} deep, {} states of nodes, {} settled, {searched}, {:.1} s",
            scenario.name,
            verdict.states,
            verdict.steps,
            verdict.depth,
            verdict.node_states,
            verdict.settled,
            began.elapsed().as_secs_f64()
        );
        if let Some((broken, way)) = &verdict.broken {
            println!("  {broken}, in {} steps without {:?}:", way.len(), options.without);
            way.iter().zip(1..).for_each(|(step, number)| println!("  {number:3}  {step}"));
        }
        states += u64::from(verdict.states);
        whole &= verdict.broken.is_none();
    }
    println!("{states} states in {:.1} s", started.elapsed().as_secs_f64());
    Some(whole)
}

fn simulate(options: &Options, words: &[String]) -> Option<bool> {
    let [histories] = words else { return None };
    let histories: u64 = histories.parse().ok()?;
    let (mut sum, mut failed, started) = (Sum::default(), 0_u64, now());
    for seed in options.from..options.from.saturating_add(histories) {
        match play(seed, options.without) {
            Ok(lived) => sum.add(&lived),
            Err(failure) => {
                failed += 1;
                if failed <= 10 {
                    println!("{failure}");
                }
            }
        }
        if seed.is_multiple_of(10_000) {
            println!("up to seed {seed}: {sum}; {failed} failed, {:.0} s", started.elapsed().as_secs_f64());
        }
    }
    println!("{sum}; {failed} failed, {:.0} s", started.elapsed().as_secs_f64());
    Some(failed == 0)
}

fn tell_one(options: &Options, words: &[String]) -> Option<bool> {
    let [seed] = words else { return None };
    let (told, outcome) = tell(seed.parse().ok()?, options.without);
    for line in &told {
        println!("{line}");
    }
    match &outcome {
        Ok(_) => println!("all is settled"),
        Err(failure) => println!("{failure}"),
    }
    Some(outcome.is_ok())
}
