//! The commands of the program.

use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use spean_console::{Exit, Words};

use crate::admin::Admin;
use crate::demonstration::Demonstration;
use crate::node::NodeCommand;
use crate::points;
use crate::proof::{self, NoProof};
use crate::run::Run;

/// Referrals and custody of cases between offices that cannot always reach each other.
#[derive(Debug, Parser)]
#[command(name = "spean", version, max_term_width = 100)]
pub struct Spean {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs a node until it is asked to end (SIGTERM or Ctrl-C).
    Run(Run),
    /// Sets up a network and its nodes: keys, directory, tokens, brokers, certificates.
    #[command(subcommand)]
    Admin(Admin),
    /// Plays a network of six agencies on this machine: handoffs, silence, a power cut; and compares the books.
    Demo(Demonstration),
    /// Backs up, restores and verifies the databases of a node, on its own machine.
    #[command(subcommand)]
    Node(NodeCommand),
}

/// The whole program: its own commands, and the tasks of an office beside them, in the language of the user.
pub fn command(words: &Words) -> clap::Command {
    let command = Spean::command().mut_subcommand("node", |node| node.subcommand(proof::command(words)));
    spean_console::mount(command, words)
}

/// Does what the command line asks for, and says how it ended.
pub fn run() -> ExitCode {
    let words = Words::of_environment();
    let mut command = command(&words);
    let matches = match command.try_get_matches_from_mut(std::env::args_os()) {
        Ok(matches) => matches,
        Err(error) => return spean_console::explain(&error, &words).into(),
    };
    if let Some(exit) = spean_console::run(&mut command, &matches, &words) {
        return exit.into();
    }
    if let Some(("node", node)) = matches.subcommand()
        && let Some(("proof", proof)) = node.subcommand()
    {
        return prove(proof, &words).into();
    }
    let done = Spean::from_arg_matches(&matches).map_err(anyhow::Error::from).and_then(Spean::run);
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error).into(),
    }
}

fn prove(matches: &clap::ArgMatches, words: &Words) -> Exit {
    match proof::run(matches, words) {
        Ok(()) => Exit::Done,
        Err(NoProof::NotAnswered(failure)) => spean_console::tell(&failure, matches.get_flag("json"), words),
        Err(NoProof::NotProven(error)) => failed(&error),
    }
}

fn failed(error: &anyhow::Error) -> Exit {
    eprintln!("spean: {error:#}");
    Exit::Failed
}

impl Spean {
    /// Does what was asked for.
    pub fn run(self) -> anyhow::Result<()> {
        let _points = points::set()?;
        match self.command {
            Command::Run(run) => run.run(),
            Command::Admin(admin) => admin.run(),
            Command::Demo(demonstration) => demonstration.run(),
            Command::Node(node) => node.run(),
        }
    }
}

#[cfg(test)]
mod tests {
    use spean_console::Language;

    use super::*;

    #[test]
    fn the_commands_do_not_contradict_each_other() {
        command(&Words::new(Language::English)).debug_assert();
    }

    #[test]
    fn every_command_shows_an_example() {
        fn examine(command: &clap::Command, path: &str) {
            let path = format!("{path} {}", command.get_name());
            if command.get_subcommands().next().is_none() {
                let example = command.get_after_help().map(ToString::to_string).unwrap_or_default();
                assert!(example.contains("spean"), "{path} shows no example");
            }
            for inner in command.get_subcommands() {
                examine(inner, &path);
            }
        }
        examine(&command(&Words::new(Language::English)), "");
    }

    #[test]
    fn the_commands_of_a_node_stand_together() {
        let command = command(&Words::new(Language::Khmer));
        let node = command.find_subcommand("node").expect("there is such a group");
        for name in ["backup", "restore", "verify", "rebuild", "proof", "status", "recovery", "dead-letters"] {
            assert!(node.find_subcommand(name).is_some(), "{name}");
        }
    }
}
