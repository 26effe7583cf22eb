//! `spean admin`: what sets up a network and its nodes. No command here needs a network.

mod broker;
mod directory;
mod keys;
mod node;
mod root;
mod tls;
mod token;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use spean_chassis::Clock;

/// What an administrator does.
#[derive(Debug, Subcommand)]
pub enum Admin {
    /// The keys of a node.
    #[command(subcommand)]
    Keys(keys::Keys),
    /// The key that signs the directory of a network.
    #[command(subcommand)]
    Root(root::Root),
    /// The directory of a network.
    #[command(subcommand)]
    Directory(directory::DirectoryCommand),
    /// Tokens for staff.
    #[command(subcommand)]
    Token(token::Token),
    /// Configuration of brokers.
    #[command(subcommand)]
    Broker(broker::BrokerCommand),
    /// Certificates for connections.
    #[command(subcommand)]
    Tls(tls::Tls),
    /// Settings of a node.
    #[command(subcommand)]
    Node(node::NodeCommand),
}

impl Admin {
    /// Does it.
    pub fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Keys(keys) => keys.run(),
            Self::Root(root) => root.run(),
            Self::Directory(directory) => directory.run(),
            Self::Token(token) => token.run(),
            Self::Broker(broker) => broker.run(),
            Self::Tls(tls) => tls.run(),
            Self::Node(node) => {
                node.run();
                Ok(())
            }
        }
    }
}

/// The clock by which something begins to hold.
#[derive(Debug, Args)]
pub struct ClockArguments {
    /// File with a number of microseconds by which the clock is moved: for demonstrations, the same file as the nodes'.
    #[arg(long, value_name = "FILE")]
    clock_offset_file: Option<PathBuf>,
}

impl ClockArguments {
    fn clock(self) -> Clock {
        self.clock_offset_file.map_or_else(Clock::system, Clock::shifted_by)
    }
}
