//! What offices say to each other about one case. Codes, numbers and dates only: never personal data.

use serde::{Deserialize, Serialize};
use spean_vocabulary::{
    AgeBand, CaseId, CaseNumber, ConsentId, DeclineReason, Need, OfferId, OfferKind, OfficeId, Redirection, Sex,
    Timestamp, Urgency, WithdrawReason,
};

use super::certificate::{Certificate, CertificateSignature, Position, SignedCertificate};
use crate::{Digest, Party};

/// What is offered, to be decided on before anything personal is seen.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfferTerms {
    /// Whether help is asked for, or the case is to move.
    pub kind: OfferKind,
    /// What the person needs.
    pub need: Need,
    /// How soon.
    pub urgency: Urgency,
    /// When the first reminder is due. Passing it changes nothing by itself.
    pub answer_due_at: Timestamp,
    /// The number by which people speak of the case; it says nothing of the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case_number: Option<CaseNumber>,
    /// The little that a receiver must know to decide.
    pub preview: Preview,
    /// The digest of the sealed dossier that travels beside the offer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dossier_digest: Option<Digest>,
    /// The consent that the dossier rests on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<ConsentId>,
    /// The earlier offer that this one replaces, because nobody answered it or the holder came back from a backup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead_of: Option<OfferId>,
    /// The office that it was meant for, when another one is asked because that one cannot answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meant_for: Option<OfficeId>,
    /// Why another office is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirected_because: Option<Redirection>,
}

/// The number of a reminder that does not say it: there was only one when it was stored.
pub(super) const fn first() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
pub(super) const fn is_first(number: &u32) -> bool {
    *number == first()
}

/// What is shown of a person before acceptance.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preview {
    /// Sex as recorded.
    pub sex: Sex,
    /// How old, roughly.
    pub age_band: AgeBand,
    /// The language the person speaks, by its code in ISO 639: two or three small letters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}

impl Preview {
    /// Whether the language is a code and not a text in which something personal could hide.
    pub fn has_sound_language(&self) -> bool {
        self.language.as_ref().is_none_or(|language| {
            (2..=3).contains(&language.len()) && language.bytes().all(|byte| byte.is_ascii_lowercase())
        })
    }
}

/// What came of a service referral.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    strum::Display,
    strum::EnumString,
    strum::EnumIter,
    strum::IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ServiceOutcome {
    /// What was asked for was given.
    Completed,
    /// Some of it was given.
    PartlyCompleted,
    /// The person did not want it after all.
    DeclinedByPerson,
    /// The person could not be reached.
    PersonNotReached,
    /// It turned out that it could not be given.
    NotPossible,
}

/// One statement, in a signed letter from one office to another.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
#[strum(serialize_all = "snake_case")]
pub enum Message {
    /// The holder asks: will you take it?
    Offer {
        /// The case.
        case: CaseId,
        /// The offer.
        offer: OfferId,
        /// The certificate by which the sender holds the case.
        position: Position,
        /// What is offered.
        terms: OfferTerms,
    },
    /// The addressee says yes and is bound.
    Accept {
        /// The case.
        case: CaseId,
        /// The offer.
        offer: OfferId,
        /// The term of the offer.
        term: u32,
    },
    /// The addressee says no.
    Decline {
        /// The case.
        case: CaseId,
        /// The offer.
        offer: OfferId,
        /// Why.
        reason: DeclineReason,
        /// Whom to ask instead, when the addressee has closed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        successor: Option<OfficeId>,
    },
    /// The holder takes the offer back. Also the answer to an acceptance that came too late.
    Withdraw {
        /// The case.
        case: CaseId,
        /// The offer.
        offer: OfferId,
        /// Why.
        reason: WithdrawReason,
    },
    /// The holder recorded the acceptance: the case has moved.
    Transfer {
        /// The case.
        case: CaseId,
        /// The offer.
        offer: OfferId,
        /// The whole chain of certificates, the new one last.
        chain: Vec<SignedCertificate>,
    },
    /// The holder recorded the acceptance of a service.
    Agreed {
        /// The case.
        case: CaseId,
        /// The offer.
        offer: OfferId,
    },
    /// The holder still waits for an answer.
    Reminder {
        /// The case.
        case: CaseId,
        /// The offer.
        offer: OfferId,
        /// Which reminder it is; the first is 1.
        #[serde(default = "first", skip_serializing_if = "is_first")]
        number: u32,
    },
    /// The holder tells the office above the addressee that nobody answers.
    UnansweredNotice {
        /// The case.
        case: CaseId,
        /// The offer.
        offer: OfferId,
        /// Who does not answer.
        unanswered_by: Party,
        /// What the person needs.
        need: Need,
        /// How soon.
        urgency: Urgency,
        /// When the answer was due.
        answer_due_at: Timestamp,
    },
    /// Whoever gave a service tells what came of it.
    Conclusion {
        /// The case.
        case: CaseId,
        /// The offer.
        offer: OfferId,
        /// What came of it.
        outcome: ServiceOutcome,
    },
    /// A copy of a new certificate for the registry.
    Witness {
        /// The case.
        case: CaseId,
        /// The whole chain of certificates, the new one last.
        chain: Vec<SignedCertificate>,
    },
    /// The authority asks the office that should take over for its consent, and the cosigner for its signature.
    OverrideProposed {
        /// The case.
        case: CaseId,
        /// The certificate to be issued.
        certificate: Certificate,
        /// The chain that it continues.
        chain: Vec<SignedCertificate>,
    },
    /// The office that should take over agrees.
    OverrideConsented {
        /// The case.
        case: CaseId,
        /// The digest of the proposed certificate.
        proposal: Digest,
    },
    /// The second body signs.
    OverrideCosigned {
        /// The case.
        case: CaseId,
        /// The digest of the proposed certificate.
        proposal: Digest,
        /// Its signature under the proposed certificate.
        signature: CertificateSignature,
    },
    /// The authority moved the case over its holder's head: whatever has a lower term is void.
    Override {
        /// The case.
        case: CaseId,
        /// The whole chain of certificates; it holds the override.
        chain: Vec<SignedCertificate>,
    },
}

impl Message {
    /// The case that this is about, which says what stream it belongs to.
    pub const fn case(&self) -> CaseId {
        match self {
            Self::Offer { case, .. }
            | Self::Accept { case, .. }
            | Self::Decline { case, .. }
            | Self::Withdraw { case, .. }
            | Self::Transfer { case, .. }
            | Self::Agreed { case, .. }
            | Self::Reminder { case, .. }
            | Self::UnansweredNotice { case, .. }
            | Self::Conclusion { case, .. }
            | Self::Witness { case, .. }
            | Self::OverrideProposed { case, .. }
            | Self::OverrideConsented { case, .. }
            | Self::OverrideCosigned { case, .. }
            | Self::Override { case, .. } => *case,
        }
    }

    /// The signed certificates that it carries: their signatures are to be verified before it is received.
    pub fn chain(&self) -> &[SignedCertificate] {
        match self {
            Self::Transfer { chain, .. }
            | Self::Witness { chain, .. }
            | Self::OverrideProposed { chain, .. }
            | Self::Override { chain, .. } => chain,
            _ => &[],
        }
    }
}

/// A message and whom it is for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Outgoing {
    /// The addressee.
    pub to: Party,
    /// What it is told.
    pub message: Message,
}
