//! The commands of the program.

use clap::{Parser, Subcommand};

use crate::admin::Admin;
use crate::client::Client;
use crate::demonstration::Demonstration;
use crate::node::NodeCommand;
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
    /// Asks a node: cases, offers, custody, how it is.
    Client(Client),
}

impl Spean {
    /// Does what was asked for.
    pub fn run(self) -> anyhow::Result<()> {
        match self.command {
            Command::Run(run) => run.run(),
            Command::Admin(admin) => admin.run(),
            Command::Demo(demonstration) => demonstration.run(),
            Command::Node(node) => node.run(),
            Command::Client(client) => client.run(),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_commands_do_not_contradict_each_other() {
        Spean::command().debug_assert();
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
        examine(&Spean::command(), "");
    }
}
