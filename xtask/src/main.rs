//! What is done to the repository itself: `cargo xtask test` is what continuous integration runs, `cargo xtask check`
//! is the part of it that no other tool knows.

mod check;
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
           histories, `prove tell SEED` tells one; without anything behind it, what else may be said";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["test"] => test::run_all(),
        ["check"] => check::run(),
        ["prove", what @ ..] => {
            let mut words = vec!["run", "--release", "--package", "spean-proof", "--bin", "prove", "--"];
            words.extend(what);
            shell::run(&mut shell::cargo(&words))
        }
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
