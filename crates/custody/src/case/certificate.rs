//! Custody certificates: a signed chain that says who holds a case, which anybody can check offline.

use serde::{Deserialize, Serialize};
use spean_vocabulary::{CaseId, LegalBasis, OfferId, OfficeId, Timestamp};

use crate::digest::{from_hex, to_hex};
use crate::{Digest, Party};

/// What nodes sign certificates for: signed along, so that nothing else that they sign can pass for one.
pub const SIGNATURE_PURPOSE: &str = "custody certificate v1";

/// What every signature begins with, so that nothing else that a node signs can pass for a certificate.
const PREFIX: &[u8] = b"spean custody certificate 1\n";

/// The place of a certificate in the history of a case. The highest one names the holder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Position {
    /// Goes up with every override by the authority; whatever has a lower term is void.
    pub term: u32,
    /// Goes up with every certificate.
    pub epoch: u32,
}

/// The statement that an office holds a case from now on.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// The case.
    pub case: CaseId,
    /// See [`Position::term`].
    pub term: u32,
    /// See [`Position::epoch`].
    pub epoch: u32,
    /// Who holds the case by this certificate.
    pub holder: Party,
    /// Who says so: the holder before, or the authority.
    pub issued_by: Party,
    /// The offer that led to it; none for the first certificate of a case and for an override.
    pub offer: Option<OfferId>,
    /// The digest of the certificate before; none only for the first.
    pub previous: Option<Digest>,
    /// When, by the issuer's clock. Never used for ordering.
    pub issued_at: Timestamp,
    /// By what right an override moved the case: signed by both. None for every other certificate, and for overrides
    /// from before it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basis: Option<LegalBasis>,
}

/// A signature under a certificate.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CertificateSignature {
    /// Who signed; the key is that of the node.
    pub by: Party,
    /// The signature over [`Certificate::canonical_bytes`], in lower-case hexadecimal digits.
    pub signature: String,
}

/// A certificate with its signatures: one, or two for an override.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedCertificate {
    /// What is said.
    pub certificate: Certificate,
    /// Who vouches for it.
    pub signatures: Vec<CertificateSignature>,
}

/// The two offices that together may move custody over a holder's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mandate<'m> {
    /// The office that issues overrides.
    pub authority: &'m OfficeId,
    /// The office of another agency that signs them as well.
    pub cosigner: &'m OfficeId,
}

/// Why a chain proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum ChainError {
    /// There is no certificate in it.
    #[error("the chain has no certificate")]
    Empty,
    /// The first one is not a case's first certificate.
    #[error("the chain does not start with the first certificate of the case")]
    NoBeginning,
    /// Two certificates are of different cases.
    #[error("the chain mixes two cases")]
    MixedCases,
    /// A certificate does not follow the one before it.
    #[error("a certificate in the chain does not follow the one before it")]
    Broken,
    /// Somebody issued what was not theirs to give.
    #[error("a certificate in the chain was issued by an office that did not hold the case")]
    NotTheHolder,
    /// An override that is not by the authority and its cosigner.
    #[error("an override in the chain does not carry the two signatures it needs")]
    NotMandated,
    /// A signature is missing or wrong.
    #[error("a signature in the chain does not verify")]
    BadSignature,
}

impl Certificate {
    /// The bytes that are signed and hashed.
    pub fn canonical_bytes(&self) -> Vec<u8> {
        let mut bytes = PREFIX.to_vec();
        serde_json::to_writer(&mut bytes, self).expect("a certificate has text keys only, and a vector takes any byte");
        bytes
    }

    /// The digest by which the next certificate refers to this one.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.canonical_bytes())
    }

    /// Its place in the history of the case.
    pub const fn position(&self) -> Position {
        Position { term: self.term, epoch: self.epoch }
    }
}

impl CertificateSignature {
    /// Wraps the bare bytes of a signature.
    pub fn new(by: Party, signature: &[u8]) -> Self {
        Self { by, signature: to_hex(signature) }
    }

    /// The bare bytes of the signature; none when the text is malformed.
    pub fn bytes(&self) -> Option<Vec<u8>> {
        from_hex(&self.signature)
    }
}

/// Proves who holds a case, from the chain alone. `verify` says whether a party's key made a signature over bytes.
///
/// The chain is complete and in order, the newest certificate last. Whether a newer one exists elsewhere cannot be
/// told from the chain.
pub fn verify_chain<'c>(
    chain: &'c [SignedCertificate],
    mandate: Mandate<'_>,
    verify: impl Fn(&Party, &[u8], &[u8]) -> bool,
) -> Result<&'c Party, ChainError> {
    let newest = check_chain(chain, mandate)?;
    for signed in chain {
        let bytes = signed.certificate.canonical_bytes();
        let genuine = |signature: &CertificateSignature| {
            signature.bytes().is_some_and(|signature_bytes| verify(&signature.by, &bytes, &signature_bytes))
        };
        if !signed.signatures.iter().all(genuine) {
            return Err(ChainError::BadSignature);
        }
    }
    Ok(&newest.certificate.holder)
}

/// All that can be checked of a chain without keys: order, links, issuers, and who signed. Gives the newest certificate.
pub fn check_chain<'c>(
    chain: &'c [SignedCertificate],
    mandate: Mandate<'_>,
) -> Result<&'c SignedCertificate, ChainError> {
    let (first, rest) = chain.split_first().ok_or(ChainError::Empty)?;
    let genesis = &first.certificate;
    if genesis.position() != Position::default() || genesis.previous.is_some() || genesis.offer.is_some() {
        return Err(ChainError::NoBeginning);
    }
    if genesis.issued_by != genesis.holder {
        return Err(ChainError::NotTheHolder);
    }
    signed_by_issuer_alone(first)?;
    rest.iter().try_fold(first, |before, signed| follows(before, signed, mandate).map(|()| signed))
}

fn follows(before: &SignedCertificate, signed: &SignedCertificate, mandate: Mandate<'_>) -> Result<(), ChainError> {
    let (before, certificate) = (&before.certificate, &signed.certificate);
    if certificate.case != before.case {
        return Err(ChainError::MixedCases);
    }
    if certificate.previous != Some(before.digest()) || Some(certificate.epoch) != before.epoch.checked_add(1) {
        return Err(ChainError::Broken);
    }
    if certificate.term == before.term {
        if !certificate.issued_by.is_same_office(&before.holder) {
            return Err(ChainError::NotTheHolder);
        }
        signed_by_issuer_alone(signed)
    } else if Some(certificate.term) == before.term.checked_add(1) {
        let signers: Vec<_> = signed.signatures.iter().map(|signature| &signature.by.office).collect();
        let mandated = certificate.issued_by.office == *mandate.authority
            && mandate.authority != mandate.cosigner
            && signers == [mandate.authority, mandate.cosigner];
        if mandated { Ok(()) } else { Err(ChainError::NotMandated) }
    } else {
        Err(ChainError::Broken)
    }
}

fn signed_by_issuer_alone(signed: &SignedCertificate) -> Result<(), ChainError> {
    match signed.signatures.as_slice() {
        [signature] if signature.by == signed.certificate.issued_by => Ok(()),
        _ => Err(ChainError::BadSignature),
    }
}
