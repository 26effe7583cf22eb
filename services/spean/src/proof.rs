//! `spean node proof`: who holds a case, as its chain of certificates proves it to somebody who believes the directory
//! and nobody else.

use std::path::PathBuf;

use anyhow::{Context as _, anyhow, ensure};
use clap::{ArgMatches, Args, FromArgMatches as _};
use serde_json::{Value, json};
use spean_console::{Failure, Words};
use spean_custody::Party;
use spean_custody::case::{Mandate, SIGNATURE_PURPOSE, SignedCertificate, verify_chain};
use spean_identity::{Directory, verify};
use spean_vocabulary::CaseId;

use crate::network;

/// What is to be proved, and what is believed.
#[derive(Debug, Args)]
pub struct Proof {
    /// The case: its id or its number.
    case: String,
    /// The signed directory.
    #[arg(long, value_name = "FILE")]
    directory: PathBuf,
    /// Public key of the root, or a file that holds it.
    #[arg(long, value_name = "KEY")]
    root: String,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
}

/// Why there is no proof.
#[derive(Debug)]
pub enum NoProof {
    /// The node did not answer, or refused.
    NotAnswered(Failure),
    /// What it answered proves nothing, or something else.
    NotProven(anyhow::Error),
}

impl From<anyhow::Error> for NoProof {
    fn from(error: anyhow::Error) -> Self {
        Self::NotProven(error)
    }
}

impl From<Failure> for NoProof {
    fn from(failure: Failure) -> Self {
        Self::NotAnswered(failure)
    }
}

/// The command, for `spean node`.
pub fn command(words: &Words) -> clap::Command {
    let command = Proof::augment_args(clap::Command::new("proof"))
        .about("Proves from its chain of certificates who holds a case, believing the directory and nobody else")
        .after_help("Example:\n  spean node proof PT4K-79QX --directory directory.json --root 'mZ0s…='");
    spean_console::ask_options(command, words)
}

/// Asks a node for the chain of a case, proves it, and prints who holds it.
///
/// # Errors
/// When the node refuses, or its answer proves nothing.
pub fn run(matches: &ArgMatches, words: &Words) -> Result<(), NoProof> {
    let proof = Proof::from_arg_matches(matches).map_err(|error| anyhow!(error))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| anyhow!(error))?;
    let asked = json!({ "case_id": proof.case });
    let answer = runtime.block_on(spean_console::fetch("GetCustody", &asked, matches, words))?;
    let directory = network::read_signed(&proof.directory, &network::root_key(&proof.root)?)?;
    let chain = answer["chain"].as_array().cloned().unwrap_or_default();
    let (case, holder) = proven_holder(&chain, &directory)?;
    // A number means what the node says it means; an id is what was asked for.
    let is_another = proof.case.parse::<CaseId>().is_ok_and(|asked| asked != case);
    if is_another {
        return Err(anyhow!("the chain is of another case").into());
    }
    let said = answer["holder_office_id"].as_str().unwrap_or_default();
    if holder.office.as_str() != said {
        return Err(anyhow!("the node says that {said} holds the case, its chain says {}", holder.office).into());
    }
    let proven = format!("{holder}, by edition {} of {}", directory.edition, directory.network);
    if proof.json {
        let whole = json!({ "case_id": case, "holder_office_id": said, "proven": proven, "custody": answer });
        println!("{whole:#}");
    } else {
        println!("{said} holds the case {case}: {proven}");
    }
    Ok(())
}

/// Proves from the certificates of one case which it is and who holds it, believing the directory and nobody else.
fn proven_holder(chain: &[Value], directory: &Directory) -> anyhow::Result<(CaseId, Party)> {
    let signed: Vec<SignedCertificate> = chain
        .iter()
        .map(|certificate| serde_json::from_str(certificate["signed"].as_str().unwrap_or_default()))
        .collect::<Result<_, _>>()
        .context("a certificate of the chain cannot be read")?;
    let mandate = Mandate { authority: &directory.authority, cosigner: &directory.cosigner };
    let holder = verify_chain(&signed, mandate, |by, bytes, signature| {
        directory
            .node(&by.node)
            .is_some_and(|node| verify(&node.keys.signing, SIGNATURE_PURPOSE, bytes, signature).is_ok())
    })?;
    let case = signed.first().context("there is no certificate")?.certificate.case;
    ensure!(signed.iter().all(|signed| signed.certificate.case == case), "the chain is of several cases");
    Ok((case, holder.clone()))
}
