//! What may be asked of an office's view of a case, and in what circumstances.

use std::fmt;
use std::sync::Arc;

use spean_eventsourcing::Context;
use spean_vocabulary::{CaseId, DeclineReason, LegalBasis, OfferId, OfficeId, WithdrawReason};

use super::certificate::{Certificate, CertificateSignature, Mandate, SignedCertificate};
use super::message::{Message, OfferTerms, ServiceOutcome};
use crate::{Digest, Party};

/// What is asked. The first ones come from staff and timers, the last two from the post.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Begin a case here: this office is its first holder.
    Open {
        /// The case.
        case: CaseId,
    },
    /// Ask another office to take the case, or to help.
    Offer {
        /// A fresh id.
        offer: OfferId,
        /// Whom to ask.
        to: Party,
        /// What is offered.
        terms: OfferTerms,
    },
    /// Take an offer back.
    Withdraw {
        /// The offer.
        offer: OfferId,
        /// Why.
        reason: WithdrawReason,
    },
    /// Say yes to an offer.
    Accept {
        /// The offer.
        offer: OfferId,
    },
    /// Say no to an offer.
    Decline {
        /// The offer.
        offer: OfferId,
        /// Why.
        reason: DeclineReason,
    },
    /// An offer came to an office that has closed: say no, and whom to ask instead. The system itself does it.
    Redirect {
        /// The offer.
        offer: OfferId,
        /// Whom to ask.
        successor: OfficeId,
    },
    /// Remind the addressee of an offer. Once is enough, but at the top of the ladder, where nobody else can be asked.
    Remind {
        /// The offer.
        offer: OfferId,
        /// Which reminder it is; the first is 1. A lower one than was said before is not said.
        number: u32,
    },
    /// Tell the office above the addressee that nobody answers.
    NotifyAbove {
        /// The offer.
        offer: OfferId,
        /// The office above.
        above: Party,
    },
    /// Tell what came of a service that this office gave.
    Conclude {
        /// The offer.
        offer: OfferId,
        /// What came of it.
        outcome: ServiceOutcome,
    },
    /// After a restore: take an open offer back and make the same offer again under a fresh id.
    ReOffer {
        /// The open offer.
        offer: OfferId,
        /// The fresh id.
        afresh: OfferId,
    },
    /// The authority wants another office to take over from a holder that cannot be reached.
    ProposeOverride {
        /// Who should take over.
        new_holder: Party,
        /// By what right.
        basis: LegalBasis,
        /// The chain as somebody else knows it, verified; empty when this office's own will do.
        chain: Vec<SignedCertificate>,
    },
    /// The office that should take over agrees.
    ConsentToOverride {
        /// The digest of the proposed certificate.
        proposal: Digest,
    },
    /// The cosigner signs.
    CosignOverride {
        /// The digest of the proposed certificate.
        proposal: Digest,
    },
    /// Another office says something. Its signatures were verified before.
    Receive {
        /// Who says it.
        from: Party,
        /// What.
        message: Message,
    },
    /// After a restore: a peer returns something that this office itself said and forgot. It is merged as a fact.
    Recall {
        /// Whom this office said it to.
        to: Party,
        /// What it said.
        message: Message,
    },
}

/// The circumstances of a decision.
#[derive(Clone, Debug)]
pub struct Situation {
    /// Who asks, and when. Its office is the one whose view this is.
    pub context: Context,
    /// The office whose view this is, with the node that serves it.
    pub me: Party,
    /// The office that is told of every certificate, when the network has one.
    pub registry: Option<Party>,
    /// The office that may override.
    pub authority: Party,
    /// The office of another agency whose signature an override needs as well.
    pub cosigner: Party,
    /// The key of this node.
    pub signer: Signer,
}

impl Situation {
    /// Who may override.
    pub fn mandate(&self) -> Mandate<'_> {
        Mandate { authority: &self.authority.office, cosigner: &self.cosigner.office }
    }

    pub(super) fn sign(&self, certificate: &Certificate) -> CertificateSignature {
        CertificateSignature::new(self.me.clone(), &self.signer.sign(&certificate.canonical_bytes()))
    }
}

/// Signs bytes with the key of this node. Cheap to clone. Must be deterministic, as Ed25519 is.
#[derive(Clone)]
pub struct Signer(Arc<SigningFunction>);

type SigningFunction = dyn Fn(&[u8]) -> Vec<u8> + Send + Sync;

impl Signer {
    /// Wraps a signing function.
    pub fn new(sign: impl Fn(&[u8]) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self(Arc::new(sign))
    }

    /// The signature over these bytes.
    pub fn sign(&self, bytes: &[u8]) -> Vec<u8> {
        (self.0)(bytes)
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Signer")
    }
}
