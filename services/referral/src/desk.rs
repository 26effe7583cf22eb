//! What the desk knows without looking anything up: who the parties are, and the node's key to sign with.

use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use spean_chassis::Node;
use spean_custody::Party;
use spean_custody::case::{
    CaseCustody, Mandate, Message, SIGNATURE_PURPOSE, SignedCertificate, Signer, Situation, verify_chain,
};
use spean_eventsourcing::{Aggregate as _, Context};
use spean_eventstore::Recorded;
use spean_identity::{Directory, sign, verify};
use spean_messaging::{Letter, Unusable};
use spean_vocabulary::{CaseId, OfficeId, ReportId};

/// The parties and the key. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(crate) node: Node,
    signer: Signer,
}

/// A message of the custody protocol with its two ends: what a letter between desks holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct CustodyLetter {
    pub(crate) from: Party,
    pub(crate) to: Party,
    pub(crate) message: Message,
}

impl Desk {
    pub(crate) fn new(node: &Node) -> Self {
        let keys = Arc::clone(&node.keys);
        let signer = Signer::new(move |bytes| sign(&keys, SIGNATURE_PURPOSE, bytes).to_vec());
        Self { node: node.clone(), signer }
    }

    pub(crate) fn directory(&self) -> Arc<Directory> {
        self.node.directory.current()
    }

    /// An office with the node that serves it; none when the directory does not know it.
    pub(crate) fn party(&self, office: &OfficeId) -> Option<Party> {
        party(&self.directory(), office)
    }

    /// The circumstances in which an office of this node decides.
    pub(crate) fn situation(&self, context: Context) -> Option<Situation> {
        let directory = self.directory();
        Some(Situation {
            me: party(&directory, &context.office)?,
            registry: party(&directory, &directory.registry),
            authority: party(&directory, &directory.authority)?,
            cosigner: party(&directory, &directory.cosigner)?,
            signer: self.signer.clone(),
            context,
        })
    }

    /// Whether every signature under these certificates is genuine.
    pub(crate) fn vouches(&self, chain: &[SignedCertificate]) -> bool {
        let directory = self.directory();
        let mandate = Mandate { authority: &directory.authority, cosigner: &directory.cosigner };
        verify_chain(chain, mandate, |party, bytes, signature| is_signed(&directory, party, bytes, signature)).is_ok()
    }

    /// The two ends of a letter between desks: it must come from the node that serves the one, and be for one that this
    /// node serves.
    pub(crate) fn parties(&self, letter: &Letter, from: &str, to: &str) -> Result<(OfficeId, OfficeId), Unusable> {
        let refused = |code: &str| Unusable::Refused(code.to_owned());
        let office = |code: &str| code.parse::<OfficeId>().map_err(|_| refused("MALFORMED"));
        let (from, to) = (office(from)?, office(to)?);
        if self.party(&from).map(|party| party.node) != Some(letter.from.node.clone()) {
            return Err(refused("NOT_THEIR_OFFICE"));
        }
        if self.party(&to).map(|party| party.node) != Some(self.node.id.clone()) {
            return Err(refused("NOT_OUR_OFFICE"));
        }
        Ok((from, to))
    }

    /// Whether a node made this signature.
    pub(crate) fn is_signed(&self, party: &Party, bytes: &[u8], signature: &[u8]) -> bool {
        is_signed(&self.directory(), party, bytes, signature)
    }
}

fn party(directory: &Directory, office: &OfficeId) -> Option<Party> {
    let office = directory.office(office)?;
    Some(Party { node: office.node.clone(), office: office.id.clone() })
}

pub(crate) fn is_signed(directory: &Directory, party: &Party, bytes: &[u8], signature: &[u8]) -> bool {
    directory
        .node(&party.node)
        .is_some_and(|node| verify(&node.keys.signing, SIGNATURE_PURPOSE, bytes, signature).is_ok())
}

/// The stream of an office's view of a case.
pub(crate) fn stream(office: &OfficeId, case: CaseId) -> String {
    format!("{office}/{case}")
}

/// The stream of an office's view of a report.
pub(crate) fn report_stream(office: &OfficeId, report: ReportId) -> String {
    format!("{office}/{report}")
}

/// Office and subject of a stream that is an office's view of something; none when it is of another form.
pub(crate) fn split<T: FromStr>(id: &str) -> Option<(OfficeId, T)> {
    let (office, subject) = id.split_once('/')?;
    Some((office.parse().ok()?, subject.parse().ok()?))
}

/// Office and case of a custody event; none for events of other kinds.
pub(crate) fn place(recorded: &Recorded) -> Option<(OfficeId, CaseId)> {
    if recorded.category != CaseCustody::CATEGORY {
        return None;
    }
    let (office, case) = recorded.id.split_once('/')?;
    Some((office.parse().ok()?, case.parse().ok()?))
}
