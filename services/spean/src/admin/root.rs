//! `spean admin root`: the key that signs the directory of a network.

use std::path::PathBuf;

use clap::Subcommand;
use spean_identity::RootKey;

/// The key that signs the directory of a network.
#[derive(Debug, Subcommand)]
pub enum Root {
    /// Makes the root key of a new network and prints its public half, which every node is configured with.
    #[command(after_help = "Example:\n  spean admin root create --folder root")]
    Create {
        /// New folder for it; keep it offline.
        #[arg(long)]
        folder: PathBuf,
    },
    /// Prints the public half.
    #[command(after_help = "Example:\n  spean admin root show --folder root")]
    Show {
        /// Folder with the key.
        #[arg(long)]
        folder: PathBuf,
    },
}

impl Root {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let root = match self {
            Self::Create { folder } => RootKey::create(&folder)?,
            Self::Show { folder } => RootKey::load(&folder)?,
        };
        println!("{}", root.public());
        Ok(())
    }
}
