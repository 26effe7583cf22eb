//! What is done to the repository itself: `cargo xtask test` is what continuous integration runs, `cargo xtask check`
//! is the part of it that no other tool knows.

mod check;
mod guided;
mod proto;
mod shell;
mod test;

use std::process::ExitCode;

const USAGE: &str = "\
Usage: cargo xtask <command>

  test     everything that must pass: format, lints, check, protobuf, examples in the documentation, tests
  check    who may depend on whom, purity of the rules, one TLS provider, nothing of a machine in the files,
           nothing in the documents that is not there, no refusal without a test
  prove    `prove model` searches millions of states of small networks, `prove simulate 1000000` plays so many
           histories, `prove tell SEED` tells one; `prove services 1000` does the same with whole services, and
           `prove services --tell SEED` tells it; `prove fuzz all --minutes 5` tries bad input on everything that
           reads what comes from outside, `prove guided READER --minutes 5` lets libFuzzer look for it;
           `prove sabotage` takes each safety piece away from real programs;
           `prove chaos --handoffs 200000 --kills 2000` strikes real processes; `prove upgrade --from REVISION`
           replaces an older program node by node; without anything behind it, what else may be said";

/// What is proven by a program of its own: its first word, the package, the program.
const PROVERS: [(&str, &str, &str); 5] = [
    ("chaos", "spean-chaos", "chaos"),
    ("fuzz", "spean-fuzz", "fuzz"),
    ("sabotage", "spean-sabotage", "sabotage"),
    ("services", "spean-simulation", "simulate-services"),
    ("upgrade", "spean-upgrade", "upgrade"),
];

fn prove(what: &[&str]) -> anyhow::Result<()> {
    match what {
        ["guided", reader] => return guided::prove(reader, "1"),
        ["guided", reader, "--minutes", minutes] => return guided::prove(reader, minutes),
        _ => {}
    }
    let own = PROVERS.iter().find(|(word, ..)| what.first() == Some(word));
    let (package, program) = own.map_or(("spean-proof", "prove"), |(_, package, program)| (package, program));
    let mut words = vec!["run", "--release", "--package", package, "--bin", program, "--"];
    words.extend(what.iter().skip(usize::from(own.is_some())));
    shell::run(&mut shell::cargo(&words))
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["test"] => test::run_all(),
        ["check"] => check::run(),
        ["prove", what @ ..] => prove(what),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
