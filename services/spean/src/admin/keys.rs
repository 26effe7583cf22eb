//! `spean admin keys`: the keys of a node.

use std::path::PathBuf;

use clap::Subcommand;
use spean_identity::NodeKeys;

/// The keys of a node.
#[derive(Debug, Subcommand)]
pub enum Keys {
    /// Makes the keys of a new node. They never leave its machine, and never overwrite others.
    #[command(after_help = "Example:\n  spean admin keys create --folder /etc/spean/keys")]
    Create {
        /// New folder for them.
        #[arg(long)]
        folder: PathBuf,
    },
    /// Prints the public halves, for whoever keeps the directory.
    #[command(after_help = "Example:\n  spean admin keys show --folder /etc/spean/keys > poipet.public.toml")]
    Show {
        /// Folder with the keys.
        #[arg(long)]
        folder: PathBuf,
    },
}

impl Keys {
    pub(super) fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Create { folder } => {
                NodeKeys::create(&folder)?;
                println!(
                    "The keys are in {}. Keep a copy offline; without them the node's files cannot be read.",
                    folder.display()
                );
            }
            Self::Show { folder } => print!("{}", toml::to_string(&NodeKeys::load(&folder)?.public())?),
        }
        Ok(())
    }
}
