//! The holder's side: to open a case, to offer it, to remind, and to take an offer back.

use spean_vocabulary::{CaseId, OfferId, WithdrawReason};

use super::certificate::{Certificate, SignedCertificate};
use super::command::Situation;
use super::error::Error;
use super::event::Event;
use super::message::OfferTerms;
use super::state::{CaseCustody, OfferOut, OfferOutState};
use crate::Party;

impl CaseCustody {
    pub(super) fn open(&self, case: CaseId, situation: &Situation) -> Result<Vec<Event>, Error> {
        if self.case.is_some_and(|known| known != case) {
            return Err(Error::WrongCase);
        }
        match self.certificates.first_key_value() {
            Some((_, first)) if first.certificate.holder.is_same_office(&situation.me) => return Ok(vec![]),
            None if self.case.is_none() || self.was_forgotten() => {}
            _ => return Err(Error::OpenedElsewhere),
        }
        let certificate = Certificate {
            case,
            term: 0,
            epoch: 0,
            holder: situation.me.clone(),
            issued_by: situation.me.clone(),
            offer: None,
            previous: None,
            issued_at: situation.context.now,
            basis: None,
        };
        let signatures = vec![situation.sign(&certificate)];
        Ok(vec![Event::Opened { certificate: SignedCertificate { certificate, signatures } }])
    }

    /// Whether this office came back from a backup of before it opened the case, and nothing was returned to it but offers
    /// that it had made: only a holder makes some, and had it not been the first one, a certificate would have come.
    fn was_forgotten(&self) -> bool {
        !self.offers_out.is_empty() && self.offers_in.is_empty()
    }

    pub(super) fn offer(
        &self,
        offer: OfferId,
        to: Party,
        terms: OfferTerms,
        situation: &Situation,
    ) -> Result<Vec<Event>, Error> {
        let case = self.case.ok_or(Error::NoSuchCase)?;
        if let Some(known) = self.offers_out.get(&offer) {
            let same = known.to.is_same_office(&to) && known.terms == terms;
            return if same { Ok(vec![]) } else { Err(Error::OfferIdTaken) };
        }
        if self.offers_in.contains_key(&offer) {
            return Err(Error::OfferIdTaken);
        }
        if !self.holds() {
            return Err(Error::NotTheHolder);
        }
        if to.is_same_office(&situation.me) {
            return Err(Error::OfferToOneself);
        }
        if !terms.preview.has_sound_language() {
            return Err(Error::LanguageNotACode);
        }
        if terms.kind == spean_vocabulary::OfferKind::Transfer && self.has_open_transfer() {
            return Err(Error::TransferAlreadyOpen);
        }
        if self.asks_already(&to.office, terms.need) {
            return Err(Error::AlreadyAskedThere);
        }
        let replaced = terms.instead_of.and_then(|replaced| self.offers_out.get(&replaced));
        if replaced.is_some_and(|replaced| replaced.state == OfferOutState::Open) {
            return Err(Error::ReplacedOfferStillOpen);
        }
        Ok(vec![Event::Offered { case, offer, from: situation.me.clone(), to, position: self.position(), terms }])
    }

    pub(super) fn withdraw(&self, offer: OfferId, reason: WithdrawReason) -> Result<Vec<Event>, Error> {
        let (case, known) = self.made(offer)?;
        match known.state {
            OfferOutState::Open | OfferOutState::Agreed => Ok(vec![known.withdrawn(case, offer, reason)]),
            OfferOutState::Withdrawn { .. } => Ok(vec![]),
            OfferOutState::Transferred => Err(Error::AlreadyAccepted),
            OfferOutState::Declined(_) => Err(Error::AlreadyDeclined),
            OfferOutState::Concluded(_) => Err(Error::OfferEnded),
            OfferOutState::Voided => Err(Error::OfferVoid),
        }
    }

    pub(super) fn remind(&self, offer: OfferId, number: u32) -> Result<Vec<Event>, Error> {
        let (case, known) = self.made(offer)?;
        if known.state != OfferOutState::Open || number <= known.reminders {
            return Ok(vec![]);
        }
        Ok(vec![Event::Reminded { case, offer, to: known.to.clone(), number }])
    }

    pub(super) fn notify_above(&self, offer: OfferId, above: Party) -> Result<Vec<Event>, Error> {
        let (case, known) = self.made(offer)?;
        if known.state != OfferOutState::Open || known.notified.contains(&above.office) {
            return Ok(vec![]);
        }
        let OfferTerms { need, urgency, answer_due_at, .. } = known.terms;
        let unanswered_by = known.to.clone();
        Ok(vec![Event::AboveNotified { case, offer, above, unanswered_by, need, urgency, answer_due_at }])
    }

    pub(super) fn offer_afresh(
        &self,
        offer: OfferId,
        afresh: OfferId,
        situation: &Situation,
    ) -> Result<Vec<Event>, Error> {
        let (case, known) = self.made(offer)?;
        if known.state != OfferOutState::Open {
            return Ok(vec![]);
        }
        let withdrawn = known.withdrawn(case, offer, WithdrawReason::HolderRestored);
        let after = self.clone().after(&withdrawn);
        let terms = OfferTerms { instead_of: Some(offer), ..known.terms.clone() };
        let mut events = vec![withdrawn];
        // Whoever no longer holds the case, or has another offer open, has nothing to offer: taking it back is all.
        match after.offer(afresh, known.to.clone(), terms, situation) {
            Err(Error::OfferIdTaken) => return Err(Error::OfferIdTaken),
            offered => events.extend(offered.unwrap_or_default()),
        }
        Ok(events)
    }

    /// An offer that this office made.
    pub(super) fn made(&self, offer: OfferId) -> Result<(CaseId, &OfferOut), Error> {
        let case = self.case.ok_or(Error::NoSuchCase)?;
        self.offers_out.get(&offer).map(|known| (case, known)).ok_or(Error::NoSuchOffer)
    }
}
