//! Who holds a case, as the node says it and as the chain proves it.

use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use serde::Serialize;
use spean_contracts::referral::v1::{Certificate, GetCustodyRequest, GetCustodyResponse};
use spean_custody::Party;
use spean_custody::case::{Mandate, SIGNATURE_PURPOSE, SignedCertificate, verify_chain};
use spean_identity::{Directory, verify};

use super::connection::{Connection, refusal};
use super::output::{Output, Row, instant};
use crate::network;

pub(super) async fn show(
    connection: &Connection,
    output: Output,
    case_id: String,
    believe: Option<(PathBuf, String)>,
) -> anyhow::Result<()> {
    let request = connection.question(GetCustodyRequest { case_id: case_id.clone() });
    let answer = connection.referral().get_custody(request).await.map_err(|status| refusal(&status))?.into_inner();
    let proof = match believe {
        None => None,
        Some((directory, root)) => {
            let directory = network::read_signed(&directory, &network::root_key(&root)?)?;
            let holder = proven_holder(&case_id, &answer.chain, &directory)?;
            ensure!(
                holder.office.as_str() == answer.holder_office_id,
                "the node says that {} holds the case, its chain says {}",
                answer.holder_office_id,
                holder.office
            );
            Some(format!("{holder}, by edition {} of {}", directory.edition, directory.network))
        }
    };
    print(output, answer, proof)
}

/// Proves from the chain who holds a case, believing the directory and nobody else.
pub fn proven_holder(case_id: &str, chain: &[Certificate], directory: &Directory) -> anyhow::Result<Party> {
    let signed: Vec<SignedCertificate> = chain
        .iter()
        .map(|certificate| serde_json::from_str(&certificate.signed))
        .collect::<Result<_, _>>()
        .context("a certificate of the chain cannot be read")?;
    let mandate = Mandate { authority: &directory.authority, cosigner: &directory.cosigner };
    let holder = verify_chain(&signed, mandate, |by, bytes, signature| {
        directory
            .node(&by.node)
            .is_some_and(|node| verify(&node.keys.signing, SIGNATURE_PURPOSE, bytes, signature).is_ok())
    })?;
    ensure!(
        signed.iter().all(|signed| signed.certificate.case.to_string() == case_id.to_ascii_lowercase()),
        "the chain is of another case"
    );
    Ok(holder.clone())
}

fn print(output: Output, answer: GetCustodyResponse, proof: Option<String>) -> anyhow::Result<()> {
    let custody = CustodyAnswer {
        confirmed_at: instant(answer.confirmed_at.as_ref()),
        holder_office_id: answer.holder_office_id,
        held_here: answer.held_here,
        proven: proof,
        chain: answer.chain.into_iter().map(CertificateRow::from).collect(),
    };
    let here = if custody.held_here { "yes" } else { "no: what was last heard" };
    output.one(
        &custody,
        &[
            ("holder", custody.holder_office_id.clone()),
            ("held here", here.to_owned()),
            ("confirmed at", custody.confirmed_at.clone()),
            ("proven", custody.proven.clone().unwrap_or_default()),
        ],
    )?;
    if output.json { Ok(()) } else { output.list(&custody.chain) }
}

#[derive(Serialize)]
struct CustodyAnswer {
    holder_office_id: String,
    held_here: bool,
    confirmed_at: String,
    /// Who holds it by the chain, when that was checked here.
    proven: Option<String>,
    chain: Vec<CertificateRow>,
}

#[derive(Serialize)]
struct CertificateRow {
    term: u32,
    epoch: u32,
    holder_office_id: String,
    issued_by_office_id: String,
    issued_at: String,
    previous_digest: String,
    digest: String,
    signed: String,
}

impl From<Certificate> for CertificateRow {
    fn from(certificate: Certificate) -> Self {
        Self {
            issued_at: instant(certificate.issued_at.as_ref()),
            term: certificate.term,
            epoch: certificate.epoch,
            holder_office_id: certificate.holder_office_id,
            issued_by_office_id: certificate.issued_by_office_id,
            previous_digest: certificate.previous_digest,
            digest: certificate.digest,
            signed: certificate.signed,
        }
    }
}

impl Row for CertificateRow {
    const HEADER: &'static [&'static str] = &["term.epoch", "holder", "issued by", "issued at", "digest"];

    fn cells(&self) -> Vec<String> {
        vec![
            format!("{}.{}", self.term, self.epoch),
            self.holder_office_id.clone(),
            self.issued_by_office_id.clone(),
            self.issued_at.clone(),
            self.digest.chars().take(12).collect(),
        ]
    }
}
