//! C2: the chain of certificates of each case, from whatever copies of it lie anywhere.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::directory::Directory;
use crate::report::{Check, Report};

const PREFIX: &[u8] = b"spean custody certificate 1\n";
const PURPOSE: &str = "custody certificate v1";

/// Term and epoch.
pub(crate) type Place = (u32, u32);

#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Party {
    pub(crate) node: String,
    pub(crate) office: String,
}

/// The fields stand in the order in which they are signed.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Certificate {
    pub(crate) case: String,
    pub(crate) term: u32,
    pub(crate) epoch: u32,
    pub(crate) holder: Party,
    pub(crate) issued_by: Party,
    pub(crate) offer: Option<String>,
    pub(crate) previous: Option<String>,
    pub(crate) issued_at: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) basis: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Signed {
    pub(crate) certificate: Certificate,
    pub(crate) signatures: Vec<SignatureOf>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct SignatureOf {
    pub(crate) by: Party,
    pub(crate) signature: String,
}

impl Certificate {
    pub(crate) fn place(&self) -> Place {
        (self.term, self.epoch)
    }

    fn bytes(&self) -> Vec<u8> {
        let json = serde_json::to_vec(self).expect("texts and numbers are always JSON");
        [PREFIX, &json].concat()
    }

    pub(crate) fn digest(&self) -> String {
        hex(&Sha256::digest(self.bytes()))
    }
}

/// Every certificate that was seen anywhere, by case and digest.
#[derive(Debug, Default)]
pub(crate) struct Certificates(BTreeMap<String, BTreeMap<String, Signed>>);

impl Certificates {
    /// Takes a copy; what differs from another copy only in its signatures is a certificate of its own.
    pub(crate) fn add(&mut self, signed: &Signed) {
        let mut digest = signed.certificate.digest();
        let of_case = self.0.entry(signed.certificate.case.clone()).or_default();
        if of_case.get(&digest).is_some_and(|known| known != signed) {
            digest = format!("{digest} otherwise signed: {}", signed.signatures.len());
        }
        of_case.entry(digest).or_insert_with(|| signed.clone());
    }

    /// Takes every one of a chain.
    pub(crate) fn add_all(&mut self, chain: &[Signed]) {
        for signed in chain {
            self.add(signed);
        }
    }

    /// The cases.
    pub(crate) fn cases(&self) -> impl Iterator<Item = &String> {
        self.0.keys()
    }

    /// The holder by the highest certificate of a case.
    pub(crate) fn holder(&self, case: &str) -> Option<&Certificate> {
        let all = self.0.get(case)?.values().map(|signed| &signed.certificate);
        all.max_by_key(|certificate| certificate.place())
    }

    /// Checks every chain.
    pub(crate) fn check(&self, directory: &Directory, report: &mut Report) {
        for (case, of_case) in &self.0 {
            report.count("certificates", of_case.len());
            let mut places: BTreeMap<Place, BTreeSet<&str>> = BTreeMap::new();
            for (digest, signed) in of_case {
                let certificate = &signed.certificate;
                places.entry(certificate.place()).or_default().insert(digest);
                if let Some(why) = forged(signed, directory) {
                    let (term, epoch) = certificate.place();
                    report.find(Check::C2, format!("case {case}: the certificate ({term}, {epoch}) {why}"));
                }
                if let Some(why) = misplaced(certificate, of_case, directory) {
                    let (term, epoch) = certificate.place();
                    report.find(Check::C2, format!("case {case}: the certificate ({term}, {epoch}) {why}"));
                }
            }
            for ((term, epoch), digests) in places.iter().filter(|(_, digests)| digests.len() > 1) {
                let words = format!("case {case}: {} certificates stand at ({term}, {epoch})", digests.len());
                report.find(Check::C2, words);
            }
        }
    }

    /// Whether exactly the last holder says that it holds the case. `mine` are the offices that say so.
    pub(crate) fn check_holders(&self, mine: &BTreeMap<String, BTreeSet<String>>, report: &mut Report) {
        for case in self.cases() {
            let holder = self.holder(case).map(|certificate| certificate.holder.office.clone()).unwrap_or_default();
            let says = mine.get(case).cloned().unwrap_or_default();
            if says != BTreeSet::from([holder.clone()]) {
                let words = format!("case {case} is held by {holder}, and these say that they hold it: {says:?}");
                report.find(Check::C2, words);
            }
        }
    }
}

/// What is wrong with the signatures.
fn forged(signed: &Signed, directory: &Directory) -> Option<String> {
    let certificate = &signed.certificate;
    let bytes = certificate.bytes();
    for signature in &signed.signatures {
        let genuine = from_hex(&signature.signature)
            .is_some_and(|bare| directory.is_signed_by(&signature.by.node, PURPOSE, &bytes, &bare));
        if !genuine {
            return Some(format!("bears a signature that {} did not make", signature.by.office));
        }
    }
    let signers: Vec<&str> = signed.signatures.iter().map(|signature| signature.by.office.as_str()).collect();
    let is_override = certificate.previous.is_some() && certificate.offer.is_none();
    let expected = if is_override {
        vec![directory.authority.as_str(), directory.cosigner.as_str()]
    } else {
        vec![certificate.issued_by.office.as_str()]
    };
    (signers != expected).then(|| format!("is signed by {signers:?} and not by {expected:?}"))
}

/// What is wrong with its place behind the one before.
fn misplaced(certificate: &Certificate, of_case: &BTreeMap<String, Signed>, directory: &Directory) -> Option<String> {
    let Some(previous) = &certificate.previous else {
        let first =
            certificate.place() == (0, 0) && certificate.offer.is_none() && certificate.issued_by == certificate.holder;
        return (!first).then(|| "continues nothing and is not the first".to_owned());
    };
    let Some(before) = of_case.get(previous).map(|signed| &signed.certificate) else {
        return Some("continues one that nobody has".to_owned());
    };
    if certificate.epoch != before.epoch + 1 {
        return Some("is not the next epoch".to_owned());
    }
    let by = &certificate.issued_by.office;
    match certificate.term.checked_sub(before.term) {
        Some(0) if *by == before.holder.office => None,
        Some(0) => Some(format!("was issued by {by}, and {} held the case", before.holder.office)),
        Some(1) if *by == directory.authority => None,
        Some(1) => Some(format!("is an override by {by}")),
        _ => Some("leaves terms out".to_owned()),
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

pub(crate) fn from_hex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}
