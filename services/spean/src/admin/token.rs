//! `spean admin token`: tokens for staff.

use std::path::PathBuf;

use clap::Subcommand;
use spean_identity::token::USUAL_LIFE_HOURS;
use spean_identity::{NodeKeys, Role};
use spean_vocabulary::{NodeId, OfficeId, StaffId};
use strum::IntoEnumIterator as _;

use super::ClockArguments;
use crate::{network, staff};

/// Tokens for staff.
#[derive(Debug, Subcommand)]
pub enum Token {
    /// Issues a token and prints it. Only the node itself can: it signs with its own key.
    #[command(after_help = "Example:\n  spean admin token issue --keys /etc/spean/keys \
        --directory /etc/spean/directory.json \\\n    --root 'mZ0s…=' --node poipet --staff staff-17 \
        --office poipet-transit --role intake_officer")]
    Issue {
        /// Folder with the node's keys.
        #[arg(long)]
        keys: PathBuf,
        /// The signed directory.
        #[arg(long)]
        directory: PathBuf,
        /// Public key of the root, or a file that holds it.
        #[arg(long)]
        root: String,
        /// The node.
        #[arg(long)]
        node: NodeId,
        /// Staff number; never a name.
        #[arg(long)]
        staff: StaffId,
        /// Office where they work; more than once when there are several.
        #[arg(long = "office", required = true)]
        offices: Vec<OfficeId>,
        /// What their work is; more than once when there are several.
        #[arg(long = "role", required = true, value_parser = role)]
        roles: Vec<Role>,
        /// For how many hours it holds, 1 to 72.
        #[arg(long, default_value_t = USUAL_LIFE_HOURS)]
        hours: i64,
        #[command(flatten)]
        clock: ClockArguments,
    },
}

impl Token {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let Self::Issue { keys, directory, root, node, staff, offices, roles, hours, clock } = self;
        let directory = network::read_signed(&directory, &network::root_key(&root)?)?;
        let wanted = staff::Wanted { node, staff, offices, roles, hours };
        println!("{}", staff::token(&NodeKeys::load(&keys)?, &directory, wanted, clock.clock().now())?);
        Ok(())
    }
}

fn role(text: &str) -> Result<Role, String> {
    let known: Vec<_> = Role::iter().map(<&'static str>::from).collect();
    text.replace('-', "_").parse().map_err(|_| format!("one of {}", known.join(", ")))
}
