//! `spean client`: asks a node, for people without another gRPC client. Codes and dates only; files on people are read
//! where the reading is recorded with its purpose, by the agency's own screens.

mod cases;
mod connection;
pub mod custody;
mod node;
mod offers;
mod output;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use spean_contracts::referral::v1::DeclineReason;

use connection::{Connection, ConnectionArguments};
use output::Output;

/// Asks a node.
#[derive(Debug, Args)]
pub struct Client {
    #[command(flatten)]
    connection: ConnectionArguments,
    /// Prints JSON instead of a table.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    question: Question,
}

#[derive(Debug, Subcommand)]
enum Question {
    /// The cases of the office, without personal data.
    #[command(after_help = "Example:\n  spean client --token-file token --office poipet-transit cases")]
    Cases {
        /// Only those that the office holds now.
        #[arg(long)]
        held: bool,
    },
    /// What the office has to do and what it waits for; all its offers without an option.
    #[command(after_help = "Example:\n  spean client --token-file token --office kandal-province worklist --to-answer")]
    Worklist(offers::WorklistArguments),
    /// The cases that the office holds, with their place in the chain of certificates.
    #[command(after_help = "Example:\n  spean client --token-file token --office kandal-province held")]
    Held,
    /// One offer.
    #[command(subcommand)]
    Offer(OfferQuestion),
    /// Accepts an offer: the office is bound from then on.
    #[command(after_help = "Example:\n  spean client --token-file token --office kandal-province \
        accept 7b0c…")]
    Accept {
        /// Its id.
        offer: String,
    },
    /// Declines an offer.
    #[command(after_help = "Example:\n  spean client --token-file token --office kandal-province \
        decline 7b0c… --reason no_capacity")]
    Decline {
        /// Its id.
        offer: String,
        /// Why.
        #[arg(long, value_parser = offers::decline_reason)]
        reason: DeclineReason,
    },
    /// Who holds a case, with the whole chain of certificates.
    #[command(after_help = "Example:\n  spean client --token-file token --office kandal-province \
        custody 5d1e… \\\n    --verify --directory directory.json --root 'mZ0s…='")]
    Custody {
        /// Its id.
        case: String,
        /// Checks the chain here, believing the directory and nobody else.
        #[arg(long, requires = "directory", requires = "root")]
        verify: bool,
        /// The signed directory.
        #[arg(long, requires = "verify")]
        directory: Option<PathBuf>,
        /// Public key of the root, or a file that holds it.
        #[arg(long, requires = "verify")]
        root: Option<String>,
    },
    /// The books: what every office offered and what came of it. Of all offices of the node unless one is named.
    #[command(after_help = "Example:\n  spean client --token-file token balance")]
    Balance,
    /// How the node is: the broker, its peers, what is not yet confirmed.
    #[command(after_help = "Example:\n  spean client --token-file token status")]
    Status,
    /// Letters that could not be applied and wait for a person.
    #[command(after_help = "Example:\n  spean client --token-file token dead-letters")]
    DeadLetters,
}

#[derive(Debug, Subcommand)]
enum OfferQuestion {
    /// Everything about it but personal data.
    #[command(after_help = "Example:\n  spean client --token-file token --office kandal-province offer show 7b0c…")]
    Show {
        /// Its id.
        offer: String,
    },
}

impl Client {
    /// Asks, and prints the answer.
    pub fn run(self) -> anyhow::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let connection = self.connection.open().await?;
            self.question.ask(&connection, Output { json: self.json }).await
        })
    }
}

impl Question {
    async fn ask(self, connection: &Connection, output: Output) -> anyhow::Result<()> {
        match self {
            Self::Cases { held } => cases::list(connection, output, held).await,
            Self::Worklist(worklist) => offers::worklist(connection, output, &worklist).await,
            Self::Held => cases::held(connection, output).await,
            Self::Offer(OfferQuestion::Show { offer }) => offers::show(connection, output, offer).await,
            Self::Accept { offer } => offers::accept(connection, offer).await,
            Self::Decline { offer, reason } => offers::decline(connection, offer, reason).await,
            Self::Custody { case, directory, root, .. } => {
                custody::show(connection, output, case, directory.zip(root)).await
            }
            Self::Balance => node::balance(connection, output).await,
            Self::Status => node::status(connection, output).await,
            Self::DeadLetters => node::dead_letters(connection, output).await,
        }
    }
}
