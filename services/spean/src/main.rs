//! `spean`: one program for a node, for whoever sets it up, and for whoever asks it.

use std::process::ExitCode;

fn main() -> ExitCode {
    spean::command::run()
}
