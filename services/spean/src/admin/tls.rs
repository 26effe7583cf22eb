//! `spean admin tls`: certificates for connections.

use std::path::PathBuf;

use clap::Subcommand;
use spean_identity::tls;
use spean_vocabulary::NodeId;

use super::ClockArguments;

/// Certificates for connections.
#[derive(Debug, Subcommand)]
pub enum Tls {
    /// Makes an authority that issues certificates: authority.key and authority.pem, for ten years.
    #[command(after_help = "Example:\n  spean admin tls authority --folder authority")]
    Authority {
        /// New folder for it; keep it offline.
        #[arg(long)]
        folder: PathBuf,
        #[command(flatten)]
        clock: ClockArguments,
    },
    /// Issues a certificate to a node or a broker: server.key, server.pem and authority.pem, for 397 days.
    #[command(after_help = "Example:\n  \
        spean admin tls issue --authority authority --folder poipet-tls --node poipet --name poipet.example.org")]
    Issue {
        /// Folder of the authority.
        #[arg(long)]
        authority: PathBuf,
        /// New folder for the certificate.
        #[arg(long)]
        folder: PathBuf,
        /// The node.
        #[arg(long)]
        node: NodeId,
        /// Host name or address that it is called by; more than once when there are several.
        #[arg(long = "name", required = true)]
        names: Vec<String>,
        #[command(flatten)]
        clock: ClockArguments,
    },
}

impl Tls {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let folder = match self {
            Self::Authority { folder, clock } => {
                tls::create_authority(&folder, clock.clock().now())?;
                folder
            }
            Self::Issue { authority, folder, node, names, clock } => {
                tls::issue(&authority, &folder, &node, &names, clock.clock().now())?;
                folder
            }
        };
        println!("The certificate and its key are in {}.", folder.display());
        Ok(())
    }
}
