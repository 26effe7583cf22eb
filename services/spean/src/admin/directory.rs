//! `spean admin directory`: the directory of a network.

use std::path::PathBuf;

use clap::Subcommand;
use spean_identity::{Directory, RootKey};

use crate::network;

/// The directory of a network.
#[derive(Debug, Subcommand)]
pub enum DirectoryCommand {
    /// Checks a directory that a person wrote, signs it, and writes the file that all nodes read.
    #[command(after_help = "Example:\n  \
        spean admin directory sign --input network.toml --root root --output directory.json")]
    Sign {
        /// The document.
        #[arg(long)]
        input: PathBuf,
        /// How the codes of places changed with later editions of the official lists, when that is not in the document:
        /// a file of `[[place_edition]]`.
        #[arg(long)]
        places: Option<PathBuf>,
        /// Folder with the root key.
        #[arg(long)]
        root: PathBuf,
        /// Where the signed directory goes; an earlier edition there is replaced.
        #[arg(long)]
        output: PathBuf,
    },
    /// Checks a signed directory as a node does, and says what is in it.
    #[command(after_help = "Example:\n  spean admin directory verify --directory directory.json --root 'mZ0s…='")]
    Verify {
        /// The signed directory.
        #[arg(long)]
        directory: PathBuf,
        /// Public key of the root, or a file that holds it.
        #[arg(long)]
        root: String,
    },
}

impl DirectoryCommand {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let directory = match self {
            Self::Sign { input, places, root, output } => {
                let mut directory = network::read(&input)?;
                if let Some(places) = places {
                    directory.place_editions.extend(network::read_places(&places)?);
                }
                network::sign(&directory, &RootKey::load(&root)?, &output)?;
                directory
            }
            Self::Verify { directory, root } => network::read_signed(&directory, &network::root_key(&root)?)?,
        };
        println!("{}", summary(&directory));
        Ok(())
    }
}

fn summary(directory: &Directory) -> String {
    let closed = directory.offices.iter().filter(|office| office.closed_on.is_some()).count();
    format!(
        "{}, edition {}: {} agencies, {} nodes, {} offices ({closed} closed or closing), {} changed places; \
         authority {}, cosigner {}, registry {}",
        directory.network,
        directory.edition,
        directory.agencies.len(),
        directory.nodes.len(),
        directory.offices.len(),
        directory.place_editions.iter().map(|edition| edition.changes.len()).sum::<usize>(),
        directory.authority,
        directory.cosigner,
        directory.registry,
    )
}
