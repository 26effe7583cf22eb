//! What happened to a case at one office, and the letters that follow from it: the log is the outbox.

use serde::{Deserialize, Serialize};
use spean_vocabulary::{CaseId, DeclineReason, Need, OfferId, OfferKind, OfficeId, Timestamp, Urgency, WithdrawReason};

use super::certificate::{Certificate, CertificateSignature, Position, SignedCertificate};
use super::message::{Message, OfferTerms, Outgoing, ServiceOutcome, first, is_first};
use crate::{Digest, Party};

/// Whom an offer of this office had asked, and for what: said again when it ends, for those who are told of the end alone.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Asked {
    /// The addressee.
    pub of: OfficeId,
    /// Service or transfer.
    pub kind: OfferKind,
    /// What was asked for.
    pub need: Need,
}

/// Stored for ever: add variants and optional fields, never rename or remove.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, strum::IntoStaticStr, strum::VariantNames)]
#[serde(tag = "type", rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Event {
    /// The case began here.
    Opened {
        /// The first certificate.
        certificate: SignedCertificate,
    },
    /// This office, the holder, made an offer.
    Offered {
        /// The case.
        case: CaseId,
        /// The offer.
        offer: OfferId,
        /// This office.
        from: Party,
        /// The addressee.
        to: Party,
        /// The certificate by which this office holds the case.
        position: Position,
        /// What is offered.
        terms: OfferTerms,
    },
    /// The holder reminded the addressee.
    Reminded {
        /// The case.
        case: CaseId,
        /// The offer.
        offer: OfferId,
        /// The addressee.
        to: Party,
        /// Which reminder it is; the first is 1.
        #[serde(default = "first", skip_serializing_if = "is_first")]
        number: u32,
    },
    /// The holder told the office above the addressee.
    AboveNotified {
        /// The case.
        case: CaseId,
        /// The offer.
        offer: OfferId,
        /// The office above.
        above: Party,
        /// Who does not answer.
        unanswered_by: Party,
        /// What the person needs.
        need: Need,
        /// How soon.
        urgency: Urgency,
        /// When the answer was due.
        answer_due_at: Timestamp,
    },
    /// The holder took an offer back.
    Withdrawn {
        /// The case.
        case: CaseId,
        /// The offer.
        offer: OfferId,
        /// The addressee.
        to: Party,
        /// Why.
        reason: WithdrawReason,
        /// What was asked for; older logs do not say it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        asked: Option<Asked>,
    },
    /// An acceptance came after the withdrawal; the addressee is told again.
    WithdrawalRepeated {
        /// The case.
        case: CaseId,
        /// The offer.
        offer: OfferId,
        /// The addressee.
        to: Party,
        /// Why it was withdrawn.
        reason: WithdrawReason,
    },
    /// The addressee of this office's offer said no.
    OfferDeclined {
        /// The case.
        case: CaseId,
        /// The offer.
        offer: OfferId,
        /// Why.
        reason: DeclineReason,
        /// Whom to ask instead, when the addressee has closed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        successor: Option<OfficeId>,
        /// What was asked for; older logs do not say it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        asked: Option<Asked>,
    },
    /// The addressee of this office's offer said yes, and this office gave the case away.
    Transferred {
        /// The case.
        case: CaseId,
        /// The offer.
        offer: OfferId,
        /// Who holds the case now.
        to: Party,
        /// The whole chain, the new certificate last.
        chain: Vec<SignedCertificate>,
    },
    /// The addressee of this office's offer will give the service.
    ServiceAgreed {
        /// The case.
        case: CaseId,
        /// The offer.
        offer: OfferId,
        /// The addressee.
        to: Party,
        /// What was asked for.
        need: Need,
    },
    /// This office, the holder, learned what came of a service.
    ServiceConcluded {
        /// The case.
        case: CaseId,
        /// The offer.
        offer: OfferId,
        /// What came of it.
        outcome: ServiceOutcome,
        /// What was asked for; older logs do not say it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        asked: Option<Asked>,
    },
    /// An offer came in.
    OfferReceived {
        /// The case.
        case: CaseId,
        /// The offer.
        offer: OfferId,
        /// The holder.
        from: Party,
        /// This office.
        to: Party,
        /// The certificate by which the sender holds the case.
        position: Position,
        /// What is offered.
        terms: OfferTerms,
    },
    /// The holder still waits for this office's answer.
    ReminderReceived {
        /// The case.
        case: CaseId,
        /// The offer.
        offer: OfferId,
        /// Which reminder it is; the first is 1.
        #[serde(default = "first", skip_serializing_if = "is_first")]
        number: u32,
    },
    /// This office said yes, and is bound.
    Accepted {
        /// The case.
        case: CaseId,
        /// The offer.
        offer: OfferId,
        /// The holder.
        to: Party,
        /// The term of the offer.
        term: u32,
    },
    /// This office said no.
    Declined {
        /// The case.
        case: CaseId,
        /// The offer.
        offer: OfferId,
        /// The holder.
        to: Party,
        /// Why.
        reason: DeclineReason,
        /// Whom to ask instead, when the addressee has closed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        successor: Option<OfficeId>,
    },
    /// The holder took its offer back; perhaps before the offer itself arrived.
    WithdrawalReceived {
        /// The case.
        case: CaseId,
        /// The offer.
        offer: OfferId,
        /// The holder.
        from: Party,
        /// Why.
        reason: WithdrawReason,
    },
    /// A certificate that names this office came in. Whether it still holds the case depends on later ones.
    TransferReceived {
        /// The case.
        case: CaseId,
        /// The offer.
        offer: OfferId,
        /// This office.
        at: Party,
        /// The whole chain, the certificate last.
        chain: Vec<SignedCertificate>,
    },
    /// The holder recorded that this office gives a service.
    AgreementReceived {
        /// The case.
        case: CaseId,
        /// The offer.
        offer: OfferId,
        /// The holder.
        from: Party,
    },
    /// This office told what came of a service.
    Concluded {
        /// The case.
        case: CaseId,
        /// The offer.
        offer: OfferId,
        /// The office that had asked.
        to: Party,
        /// What came of it.
        outcome: ServiceOutcome,
    },
    /// A holder told this office that an office below it does not answer.
    UnansweredNoticeReceived {
        /// The case.
        case: CaseId,
        /// The offer.
        offer: OfferId,
        /// The holder.
        from: Party,
        /// Who does not answer.
        unanswered_by: Party,
        /// What the person needs.
        need: Need,
        /// How soon.
        urgency: Urgency,
        /// When the answer was due.
        answer_due_at: Timestamp,
    },
    /// Certificates became known here: as the registry's copy, as history, or by an override.
    CertificatesLearned {
        /// The case.
        case: CaseId,
        /// This office.
        at: Party,
        /// The whole chain.
        chain: Vec<SignedCertificate>,
    },
    /// An offer, made or received by this office, is void because of an override.
    OfferVoided {
        /// The case.
        case: CaseId,
        /// The offer.
        offer: OfferId,
        /// What was asked for, if this office had asked; older logs do not say it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        asked: Option<Asked>,
    },
    /// This office passed an override on to those who may act on what it said before.
    OverrideForwarded {
        /// The case.
        case: CaseId,
        /// Who is told.
        to: Vec<Party>,
        /// The whole chain with the override.
        chain: Vec<SignedCertificate>,
    },
    /// This office, the authority, proposed an override.
    OverrideProposed {
        /// The case.
        case: CaseId,
        /// Whose signature it needs.
        cosigner: Party,
        /// The certificate to be issued.
        certificate: Certificate,
        /// The chain that it continues.
        chain: Vec<SignedCertificate>,
    },
    /// The office that should take over agreed.
    OverrideConsentReceived {
        /// The case.
        case: CaseId,
        /// The digest of the proposed certificate.
        proposal: Digest,
    },
    /// The cosigner signed.
    OverrideCosignatureReceived {
        /// The case.
        case: CaseId,
        /// The digest of the proposed certificate.
        proposal: Digest,
        /// Its signature.
        signature: CertificateSignature,
    },
    /// This office, the authority, moved the case over its holder's head.
    OverrideIssued {
        /// The case.
        case: CaseId,
        /// This office.
        at: Party,
        /// Who is told: the new holder, all earlier ones, and the cosigner.
        to: Vec<Party>,
        /// The whole chain, the override last.
        chain: Vec<SignedCertificate>,
    },
    /// The authority asked this office to take over, or to sign.
    OverrideProposalReceived {
        /// The case.
        case: CaseId,
        /// This office.
        at: Party,
        /// The authority.
        from: Party,
        /// The certificate to be issued.
        certificate: Certificate,
        /// The chain that it continues.
        chain: Vec<SignedCertificate>,
    },
    /// This office agreed to take over, and is bound.
    OverrideConsentGiven {
        /// The case.
        case: CaseId,
        /// The authority.
        to: Party,
        /// The digest of the proposed certificate.
        proposal: Digest,
    },
    /// This office signed an override.
    OverrideCosignatureGiven {
        /// The case.
        case: CaseId,
        /// The authority.
        to: Party,
        /// The digest of the proposed certificate.
        proposal: Digest,
        /// Its signature.
        signature: CertificateSignature,
    },
}

impl Event {
    /// The case that this happened to.
    pub const fn case(&self) -> CaseId {
        match self {
            Self::Opened { certificate } => certificate.certificate.case,
            Self::Offered { case, .. }
            | Self::Reminded { case, .. }
            | Self::AboveNotified { case, .. }
            | Self::Withdrawn { case, .. }
            | Self::WithdrawalRepeated { case, .. }
            | Self::OfferDeclined { case, .. }
            | Self::Transferred { case, .. }
            | Self::ServiceAgreed { case, .. }
            | Self::ServiceConcluded { case, .. }
            | Self::OfferReceived { case, .. }
            | Self::ReminderReceived { case, .. }
            | Self::Accepted { case, .. }
            | Self::Declined { case, .. }
            | Self::WithdrawalReceived { case, .. }
            | Self::TransferReceived { case, .. }
            | Self::AgreementReceived { case, .. }
            | Self::Concluded { case, .. }
            | Self::UnansweredNoticeReceived { case, .. }
            | Self::CertificatesLearned { case, .. }
            | Self::OfferVoided { case, .. }
            | Self::OverrideForwarded { case, .. }
            | Self::OverrideProposed { case, .. }
            | Self::OverrideConsentReceived { case, .. }
            | Self::OverrideCosignatureReceived { case, .. }
            | Self::OverrideIssued { case, .. }
            | Self::OverrideProposalReceived { case, .. }
            | Self::OverrideConsentGiven { case, .. }
            | Self::OverrideCosignatureGiven { case, .. } => *case,
        }
    }
}

/// The letters that follow from an event at the office `me`, in order. An office writes none to itself.
pub fn messages(event: &Event, me: &Party, registry: Option<&Party>) -> Vec<Outgoing> {
    let mut outgoing = said(event);
    if let (Some(registry), Some((case, chain))) = (registry, witnessed(event)) {
        outgoing.push(Outgoing { to: registry.clone(), message: Message::Witness { case, chain } });
    }
    outgoing.retain(|letter| !letter.to.is_same_office(me));
    outgoing
}

/// The certificates that the registry is to be told of.
fn witnessed(event: &Event) -> Option<(CaseId, Vec<SignedCertificate>)> {
    match event {
        Event::Opened { certificate } => Some((certificate.certificate.case, vec![certificate.clone()])),
        Event::Transferred { case, chain, .. } | Event::OverrideIssued { case, chain, .. } => {
            Some((*case, chain.clone()))
        }
        _ => None,
    }
}

fn said(event: &Event) -> Vec<Outgoing> {
    let one = |to: &Party, message: Message| vec![Outgoing { to: to.clone(), message }];
    match event.clone() {
        Event::Offered { case, offer, to, position, terms, .. } => {
            one(&to, Message::Offer { case, offer, position, terms })
        }
        Event::Reminded { case, offer, to, number } => one(&to, Message::Reminder { case, offer, number }),
        Event::AboveNotified { case, offer, above, unanswered_by, need, urgency, answer_due_at } => {
            one(&above, Message::UnansweredNotice { case, offer, unanswered_by, need, urgency, answer_due_at })
        }
        Event::Withdrawn { case, offer, to, reason, .. } | Event::WithdrawalRepeated { case, offer, to, reason } => {
            one(&to, Message::Withdraw { case, offer, reason })
        }
        Event::Transferred { case, offer, to, chain } => one(&to, Message::Transfer { case, offer, chain }),
        Event::ServiceAgreed { case, offer, to, .. } => one(&to, Message::Agreed { case, offer }),
        Event::Accepted { case, offer, to, term } => one(&to, Message::Accept { case, offer, term }),
        Event::Declined { case, offer, to, reason, successor } => {
            one(&to, Message::Decline { case, offer, reason, successor })
        }
        Event::Concluded { case, offer, to, outcome } => one(&to, Message::Conclusion { case, offer, outcome }),
        Event::OverrideForwarded { case, to, chain } | Event::OverrideIssued { case, to, chain, .. } => {
            let message = Message::Override { case, chain };
            to.into_iter().map(|to| Outgoing { to, message: message.clone() }).collect()
        }
        Event::OverrideProposed { case, cosigner, certificate, chain } => {
            let mut to = vec![certificate.holder.clone()];
            if !cosigner.is_same_office(&certificate.holder) {
                to.push(cosigner);
            }
            let message = Message::OverrideProposed { case, certificate, chain };
            to.into_iter().map(|to| Outgoing { to, message: message.clone() }).collect()
        }
        Event::OverrideConsentGiven { case, to, proposal } => one(&to, Message::OverrideConsented { case, proposal }),
        Event::OverrideCosignatureGiven { case, to, proposal, signature } => {
            one(&to, Message::OverrideCosigned { case, proposal, signature })
        }
        _ => vec![],
    }
}
