//! The state that decisions are made from, and what read models may read of it.

use std::collections::{BTreeMap, BTreeSet};

use spean_vocabulary::{CaseId, DeclineReason, Need, OfferId, OfferKind, OfficeId, WithdrawReason};

use super::certificate::{Certificate, CertificateSignature, Position, SignedCertificate};
use super::event::{Asked, Event};
use super::message::{OfferTerms, ServiceOutcome};
use crate::{Digest, Party};

/// One office's view of one case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct CaseCustody {
    pub(super) case: Option<CaseId>,
    pub(super) office: Option<OfficeId>,
    pub(super) certificates: BTreeMap<Position, SignedCertificate>,
    pub(super) offers_out: BTreeMap<OfferId, OfferOut>,
    pub(super) offers_in: BTreeMap<OfferId, OfferIn>,
    pub(super) notices: BTreeSet<OfferId>,
    pub(super) proposal: Option<OverrideProposal>,
    pub(super) request: Option<OverrideRequest>,
}

/// How an office stands to a case. Screens say *offered*, *bound* and *held* with these three words and no others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, strum::Display, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Standing {
    /// It has nothing to do with it.
    None,
    /// It has only seen certificates or notices of it.
    Informed,
    /// It held the case once, or was once asked.
    Former,
    /// It is asked and has not answered.
    Offered,
    /// It gives a service; another office holds the case.
    Serving,
    /// It said yes and owes care; another office is still accountable.
    Bound,
    /// It holds the case and is accountable.
    Held,
}

/// An offer that this office made.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OfferOut {
    /// The addressee.
    pub to: Party,
    /// The certificate by which this office held the case.
    pub position: Position,
    /// What is offered.
    pub terms: OfferTerms,
    /// How it stands.
    pub state: OfferOutState,
    /// The highest number of a reminder that was sent; 0 when none was.
    pub reminders: u32,
    /// The offices above the addressee that were told.
    pub notified: BTreeSet<OfficeId>,
}

impl OfferOut {
    /// Whom it asks, and for what.
    pub(super) fn asked(&self) -> Asked {
        Asked { of: self.to.office.clone(), kind: self.terms.kind, need: self.terms.need }
    }

    /// It is taken back.
    pub(super) fn withdrawn(&self, case: CaseId, offer: OfferId, reason: WithdrawReason) -> Event {
        Event::Withdrawn { case, offer, to: self.to.clone(), reason, asked: Some(self.asked()) }
    }
}

/// How an offer stands at its holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OfferOutState {
    /// No answer yet.
    Open,
    /// The addressee said no.
    Declined(DeclineReason),
    /// Taken back.
    Withdrawn {
        /// Why.
        reason: WithdrawReason,
        /// Whether a late acceptance was answered already.
        repeated: bool,
    },
    /// Accepted: the case has moved.
    Transferred,
    /// Accepted: the addressee gives the service.
    Agreed,
    /// The service has ended.
    Concluded(ServiceOutcome),
    /// Void because of an override.
    Voided,
}

/// An offer that this office was made.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OfferIn {
    /// The holder.
    pub from: Party,
    /// The term of the offer.
    pub term: u32,
    /// What is offered; none as long as only an answer or a withdrawal of it is known.
    pub terms: Option<OfferTerms>,
    /// How it stands.
    pub state: OfferInState,
    pub(super) reminders: u32,
}

/// How an offer stands at its addressee.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OfferInState {
    /// To be answered.
    Received,
    /// Accepted: bound, until the holder has recorded it.
    Accepted,
    /// Declined.
    Declined(DeclineReason),
    /// Taken back by the holder; perhaps before it arrived.
    Withdrawn(WithdrawReason),
    /// The certificate has come.
    Transferred,
    /// The holder has recorded that this office gives the service.
    Agreed,
    /// The service has ended.
    Concluded(ServiceOutcome),
    /// Void because of an override.
    Voided,
}

/// An override that this office, the authority, has proposed and not yet issued.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OverrideProposal {
    /// The certificate to be issued.
    pub certificate: Certificate,
    /// Whose signature it needs.
    pub cosigner: Party,
    /// Whether the new holder has agreed.
    pub consented: bool,
    /// The cosigner's signature, when it is there.
    pub cosignature: Option<CertificateSignature>,
    pub(super) chain: Vec<SignedCertificate>,
}

/// An override that this office is asked to agree to or to sign.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OverrideRequest {
    /// The authority.
    pub from: Party,
    /// The certificate to be issued.
    pub certificate: Certificate,
    /// Whether this office has agreed to take over.
    pub consented: bool,
    /// Whether this office has signed.
    pub cosigned: bool,
}

impl CaseCustody {
    /// The case; none as long as nothing was heard of it.
    pub const fn case(&self) -> Option<CaseId> {
        self.case
    }

    /// How this office stands to the case.
    pub fn standing(&self) -> Standing {
        let any_in = |wanted: OfferInState| self.offers_in.values().any(|offer| offer.state == wanted);
        let consented = self.request.as_ref().is_some_and(|request| request.consented);
        if self.holds() {
            Standing::Held
        } else if any_in(OfferInState::Accepted) || consented {
            Standing::Bound
        } else if any_in(OfferInState::Agreed) {
            Standing::Serving
        } else if any_in(OfferInState::Received) {
            Standing::Offered
        } else if self.held_once() || !self.offers_in.is_empty() {
            Standing::Former
        } else if self.case.is_some() {
            Standing::Informed
        } else {
            Standing::None
        }
    }

    /// Whether this office holds the case, as far as it knows.
    pub fn holds(&self) -> bool {
        self.holder().is_some_and(|holder| Some(&holder.office) == self.office.as_ref())
    }

    /// Who holds the case, as far as this office knows.
    pub fn holder(&self) -> Option<&Party> {
        self.newest().map(|signed| &signed.certificate.holder)
    }

    /// The highest certificate that is known here.
    pub fn newest(&self) -> Option<&SignedCertificate> {
        self.certificates.last_key_value().map(|(_, signed)| signed)
    }

    /// The place of the highest certificate; the lowest place when none is known.
    pub fn position(&self) -> Position {
        self.newest().map(|signed| signed.certificate.position()).unwrap_or_default()
    }

    /// The chain from the first certificate to the highest one, without the branches that an override cut off.
    pub fn chain(&self) -> Vec<SignedCertificate> {
        let mut chain: Vec<SignedCertificate> = std::iter::successors(self.newest(), |signed| {
            let previous = signed.certificate.previous?;
            let lower = self.certificates.range(..signed.certificate.position()).rev();
            lower.map(|(_, candidate)| candidate).find(|candidate| candidate.certificate.digest() == previous)
        })
        .cloned()
        .collect();
        chain.reverse();
        chain
    }

    /// Every certificate known here, in order, with the branches that an override cut off.
    pub fn certificates(&self) -> impl Iterator<Item = &SignedCertificate> {
        self.certificates.values()
    }

    /// All offers that this office made.
    pub fn offers_out(&self) -> impl Iterator<Item = (OfferId, &OfferOut)> {
        self.offers_out.iter().map(|(id, offer)| (*id, offer))
    }

    /// All offers that this office was made.
    pub fn offers_in(&self) -> impl Iterator<Item = (OfferId, &OfferIn)> {
        self.offers_in.iter().map(|(id, offer)| (*id, offer))
    }

    /// The offers that this office made and nobody has answered.
    pub fn open_offers(&self) -> impl Iterator<Item = (OfferId, &OfferOut)> {
        self.offers_out().filter(|(_, offer)| offer.state == OfferOutState::Open)
    }

    /// The offers that this office has not answered.
    pub fn unanswered_offers(&self) -> impl Iterator<Item = (OfferId, &OfferIn)> {
        self.offers_in().filter(|(_, offer)| offer.state == OfferInState::Received)
    }

    /// The override that this office, the authority, waits for.
    pub const fn proposal(&self) -> Option<&OverrideProposal> {
        self.proposal.as_ref()
    }

    /// The override that this office is asked to agree to or to sign.
    pub const fn request(&self) -> Option<&OverrideRequest> {
        self.request.as_ref()
    }

    pub(super) fn held_once(&self) -> bool {
        let office = self.office.as_ref();
        self.certificates.values().any(|signed| Some(&signed.certificate.holder.office) == office)
    }

    /// Whether a certificate that came of this offer is known.
    pub(super) fn moved_by(&self, offer: OfferId) -> bool {
        self.certificates.values().any(|signed| signed.certificate.offer == Some(offer))
    }

    pub(super) fn has_open_transfer(&self) -> bool {
        self.open_offers().any(|(_, offer)| offer.terms.kind == OfferKind::Transfer)
    }

    pub(super) fn asks_already(&self, office: &OfficeId, need: Need) -> bool {
        self.offers_out.values().any(|offer| {
            let lives = matches!(offer.state, OfferOutState::Open | OfferOutState::Agreed);
            lives && offer.to.office == *office && offer.terms.need == need
        })
    }
}

impl OverrideProposal {
    /// The digest by which the parties refer to it.
    pub fn digest(&self) -> Digest {
        self.certificate.digest()
    }
}

impl OverrideRequest {
    /// The digest by which the parties refer to it.
    pub fn digest(&self) -> Digest {
        self.certificate.digest()
    }
}
