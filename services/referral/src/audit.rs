//! Do the certificates of a log prove what they say? One holder, no forks, no gaps, every signature genuine.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::Value;
use spean_custody::Digest;
use spean_custody::case::{CaseCustody, ChainError, Mandate, Position, SignedCertificate, check_chain};
use spean_eventsourcing::Aggregate as _;
use spean_eventstore::Recorded;
use spean_identity::Directory;
use spean_vocabulary::{CaseId, OfficeId};

use crate::desk::{is_signed, place};

/// Goes through a desk's log, event by event.
#[derive(Debug)]
pub struct Audit<'d> {
    directory: &'d Directory,
    /// Certificates that were checked: the same one stands in many events.
    checked: HashSet<Digest>,
    places: HashMap<CaseId, BTreeMap<Position, Digest>>,
    /// The highest certificate that each office of the node knows, and whether it names the office itself.
    standings: HashMap<CaseId, BTreeMap<OfficeId, (Position, bool)>>,
    findings: Findings,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// How many cases have a certificate.
    pub cases: u64,
    /// How many different certificates there are.
    pub certificates: u64,
    /// How many cases an office of this node holds.
    pub held: u64,
    /// What must not be.
    pub flaws: Vec<Flaw>,
}

/// Something that must not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// The case.
    pub case: CaseId,
    /// Where it was seen first: the position in the log; 0 when it is not about one event.
    pub position: i64,
    /// What it is, as a code: those of chains, `FORK` for two certificates in one place, `TWO_HOLDERS`.
    pub code: &'static str,
}

impl std::fmt::Display for Flaw {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.position {
            0 => write!(formatter, "case {}: {}", self.case, self.code),
            position => write!(formatter, "case {}: {} at position {position}", self.case, self.code),
        }
    }
}

impl<'d> Audit<'d> {
    /// By what this directory says of keys and mandates.
    pub fn new(directory: &'d Directory) -> Self {
        Self {
            directory,
            checked: HashSet::new(),
            places: HashMap::new(),
            standings: HashMap::new(),
            findings: Findings::default(),
        }
    }

    /// Takes the next event; those of other kinds than custody are passed over.
    pub fn take(&mut self, event: &Recorded) {
        if event.category != CaseCustody::CATEGORY {
            return;
        }
        let (Some((office, case)), Ok(payload)) = (place(event), event.payload::<Value>()) else { return };
        let mut chains = Vec::new();
        collect(&payload, &mut chains);
        for chain in &chains {
            self.chain(case, &office, event.position, chain);
        }
    }

    fn chain(&mut self, case: CaseId, office: &OfficeId, position: i64, chain: &[SignedCertificate]) {
        let mandate = Mandate { authority: &self.directory.authority, cosigner: &self.directory.cosigner };
        if let Err(error) = check_chain(chain, mandate) {
            self.flaw(case, position, error.into());
        }
        for signed in chain {
            if signed.certificate.case != case {
                self.flaw(case, position, ChainError::MixedCases.into());
                continue;
            }
            let at = signed.certificate.position();
            let digest = signed.certificate.digest();
            if *self.places.entry(case).or_default().entry(at).or_insert(digest) != digest {
                self.flaw(case, position, "FORK");
            }
            let whole = serde_json::to_vec(signed).expect("a certificate has text keys only");
            if self.checked.insert(Digest::of(&whole)) {
                self.findings.certificates += 1;
                if !self.is_genuine(signed) {
                    self.flaw(case, position, ChainError::BadSignature.into());
                }
            }
            let names_us = signed.certificate.holder.office == *office;
            let highest = self.standings.entry(case).or_default().entry(office.clone()).or_insert((at, names_us));
            if at > highest.0 {
                *highest = (at, names_us);
            }
        }
    }

    fn is_genuine(&self, signed: &SignedCertificate) -> bool {
        let bytes = signed.certificate.canonical_bytes();
        signed.signatures.iter().all(|signature| {
            signature.bytes().is_some_and(|signed| is_signed(self.directory, &signature.by, &bytes, &signed))
        })
    }

    /// What was found in all of the log.
    pub fn finish(mut self) -> Findings {
        for (case, offices) in &self.standings {
            self.findings.cases += 1;
            let holding: Vec<_> = offices.values().filter(|(_, holds)| *holds).collect();
            let highest = holding.iter().map(|(at, _)| at).max();
            self.findings.held += u64::from(highest.is_some());
            // One that was overridden goes on believing until the letter is here; within a term there is one at most.
            if holding.iter().filter(|(at, _)| highest.is_some_and(|highest| highest.term == at.term)).count() > 1 {
                self.findings.flaws.push(Flaw { case: *case, position: 0, code: "TWO_HOLDERS" });
            }
        }
        self.findings
    }

    fn flaw(&mut self, case: CaseId, position: i64, code: &'static str) {
        self.findings.flaws.push(Flaw { case, position, code });
    }
}

/// Every chain in an event, wherever it stands; a certificate alone is a chain of one.
fn collect(value: &Value, chains: &mut Vec<Vec<SignedCertificate>>) {
    let certificate = |value: &Value| {
        value.get("signatures")?;
        serde_json::from_value::<SignedCertificate>(value.clone()).ok()
    };
    match value {
        Value::Array(items) => {
            let chain: Option<Vec<_>> = items.iter().map(certificate).collect();
            match chain {
                Some(chain) if !chain.is_empty() => chains.push(chain),
                _ => items.iter().for_each(|item| collect(item, chains)),
            }
        }
        Value::Object(fields) => match certificate(value) {
            Some(alone) => chains.push(vec![alone]),
            None => fields.values().for_each(|field| collect(field, chains)),
        },
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use spean_custody::Party;
    use spean_custody::case::{Certificate, CertificateSignature, SIGNATURE_PURPOSE};
    use spean_eventstore::Metadata;
    use spean_identity::{NodeKeys, sign};
    use spean_vocabulary::Timestamp;

    use super::*;

    const CASE: &str = "0b1f6f2e-5d0e-4a53-9d0e-3f6f1a2b3c4d";

    struct Stage {
        directory: Directory,
        keys: NodeKeys,
    }

    impl Stage {
        fn new() -> Self {
            let folder = spean_testkit::a_folder();
            let keys = NodeKeys::create(&folder.path().join("keys")).unwrap();
            let text = format!(
                r#"{{"network":"test","edition":1,"authority":"ministry","cosigner":"kandal","registry":"ministry",
                "agency":[],
                "node":[{{"id":"here","agency":"agency","tag":"PP","keys":{}}}],"office":[]}}"#,
                serde_json::to_string(&keys.public()).unwrap()
            );
            Self { directory: serde_json::from_str(&text).unwrap(), keys }
        }

        fn certificate(&self, previous: Option<&SignedCertificate>, holder: &str, issuer: &str) -> SignedCertificate {
            let party = |office: &str| Party { node: "here".parse().unwrap(), office: office.parse().unwrap() };
            let certificate = Certificate {
                case: CASE.parse().unwrap(),
                term: 0,
                epoch: previous.map_or(0, |signed| signed.certificate.epoch + 1),
                holder: party(holder),
                issued_by: party(issuer),
                offer: None,
                previous: previous.map(|signed| signed.certificate.digest()),
                issued_at: Timestamp::from_micros(1_795_300_200_000_000),
                basis: None,
            };
            let signature = sign(&self.keys, SIGNATURE_PURPOSE, &certificate.canonical_bytes());
            let signatures = vec![CertificateSignature::new(party(issuer), &signature)];
            SignedCertificate { certificate, signatures }
        }

        fn codes(&self, seen: &[(&str, &[&SignedCertificate])]) -> (Findings, Vec<&'static str>) {
            let mut audit = Audit::new(&self.directory);
            for (position, (office, chain)) in (1..).zip(seen) {
                let payload = serde_json::json!({ "type": "certificates_learned", "case": CASE, "chain": chain });
                audit.take(&Recorded {
                    position,
                    category: "custody".to_owned(),
                    id: format!("{office}/{CASE}"),
                    version: position,
                    event_type: "certificates_learned".to_owned(),
                    payload: payload.to_string(),
                    metadata: Metadata::new("kandal".parse().unwrap(), Timestamp::from_micros(0)),
                    hash: spean_eventstore::Digest::default(),
                });
            }
            let findings = audit.finish();
            let codes = findings.flaws.iter().map(|flaw| flaw.code).collect();
            (findings, codes)
        }
    }

    #[test]
    fn a_sound_chain_has_one_holder_and_no_flaw() {
        let stage = Stage::new();
        let first = stage.certificate(None, "kandal", "kandal");
        let second = stage.certificate(Some(&first), "takeo", "kandal");
        let (findings, codes) =
            stage.codes(&[("kandal", &[&first]), ("kandal", &[&first, &second]), ("takeo", &[&first, &second])]);
        assert_eq!((findings.cases, findings.certificates, findings.held), (1, 2, 1));
        assert!(codes.is_empty(), "{codes:?}");
    }

    #[test]
    fn a_wrong_signature_is_found() {
        let stage = Stage::new();
        let mut first = stage.certificate(None, "kandal", "kandal");
        first.certificate.issued_at = Timestamp::from_micros(1);
        assert_eq!(stage.codes(&[("kandal", &[&first])]).1, ["BAD_SIGNATURE"]);
    }

    #[test]
    fn a_gap_in_a_chain_is_found() {
        let stage = Stage::new();
        let first = stage.certificate(None, "kandal", "kandal");
        let second = stage.certificate(Some(&first), "takeo", "kandal");
        let third = stage.certificate(Some(&second), "kandal", "takeo");
        assert_eq!(stage.codes(&[("kandal", &[&first, &third])]).1, ["BROKEN"]);
    }

    #[test]
    fn two_certificates_in_one_place_are_a_fork_and_make_two_holders() {
        let stage = Stage::new();
        let first = stage.certificate(None, "kandal", "kandal");
        let (to_takeo, to_kampot) =
            (stage.certificate(Some(&first), "takeo", "kandal"), stage.certificate(Some(&first), "kampot", "kandal"));
        let (_, codes) = stage.codes(&[("takeo", &[&first, &to_takeo]), ("kampot", &[&first, &to_kampot])]);
        assert_eq!(codes, ["FORK", "TWO_HOLDERS"]);
    }
}
