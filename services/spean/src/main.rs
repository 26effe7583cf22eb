//! `spean`: one program for a node, for whoever sets it up, and for whoever asks it.

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    match spean::command::Spean::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("spean: {error:#}");
            ExitCode::FAILURE
        }
    }
}
