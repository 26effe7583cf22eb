//! The command line for the staff of an office and for administrators: one command for each task, in Khmer or English,
//! as tables of at most 80 columns or as JSON, with an exit code for each kind of failure.
//!
//! The commands are entries of a table ([`tasks`](self) in the source); options, checks, help and completion follow from
//! the descriptors of the interface, so this crate knows no service. The program `spean` mounts it beside its own
//! commands.

mod answer;
mod arguments;
mod commands;
mod connection;
mod door;
mod failure;
mod language;
mod manifest;
mod personal;
mod recovery;
mod resolve;
mod run;
mod schema;
mod table;
mod tasks;
mod usage;
mod value;

pub use commands::{ask_options, mount};
pub use connection::Connection;
pub use failure::{Exit, Failure};
pub use language::{Language, Words};
pub use recovery::rebuild_bar;
pub use run::{fetch, run, tell};
pub use usage::explain;

#[cfg(test)]
mod tests;
