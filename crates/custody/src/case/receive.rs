//! What another office says. Whatever cannot be true is an error, and the letter is shown to people on both sides.

use spean_vocabulary::{CaseId, DeclineReason, OfferId, OfferKind, OfficeId, WithdrawReason};

use super::certificate::{Certificate, Position, SignedCertificate, check_chain};
use super::command::Situation;
use super::error::Error;
use super::event::Event;
use super::message::{Message, OfferTerms, ServiceOutcome};
use super::state::{CaseCustody, OfferIn, OfferInState, OfferOut, OfferOutState};
use crate::Party;

impl CaseCustody {
    pub(super) fn receive(&self, from: &Party, message: Message, situation: &Situation) -> Result<Vec<Event>, Error> {
        let case = message.case();
        if self.case.is_some_and(|known| known != case) {
            return Err(Error::WrongCase);
        }
        match message {
            Message::Offer { offer, position, terms, .. } => {
                self.receive_offer(case, offer, from, position, terms, situation)
            }
            Message::Withdraw { offer, reason, .. } => self.receive_withdrawal(case, offer, from, reason),
            Message::Transfer { offer, chain, .. } => self.receive_transfer(case, offer, from, chain, situation),
            Message::Agreed { offer, .. } => self.receive_agreement(case, offer, from),
            Message::Reminder { offer, number, .. } => self.receive_reminder(case, offer, number, from),
            Message::Accept { offer, term, .. } => self.receive_acceptance(offer, from, term, situation),
            Message::Decline { offer, reason, successor, .. } => {
                self.receive_refusal(offer, from, reason, successor, situation)
            }
            Message::Conclusion { offer, outcome, .. } => self.receive_conclusion(offer, from, outcome),
            Message::UnansweredNotice { offer, unanswered_by, need, urgency, answer_due_at, .. } => {
                if self.notices.contains(&offer) {
                    return Ok(vec![]);
                }
                let from = from.clone();
                let notice =
                    Event::UnansweredNoticeReceived { case, offer, from, unanswered_by, need, urgency, answer_due_at };
                Ok(vec![notice])
            }
            Message::Witness { chain, .. } => self.receive_witness(case, from, chain, situation),
            Message::Override { chain, .. } => self.receive_override(case, from, chain, situation),
            Message::OverrideProposed { certificate, chain, .. } => {
                self.receive_proposal(case, from, certificate, chain, situation)
            }
            Message::OverrideConsented { proposal, .. } => self.receive_consent(from, proposal, situation),
            Message::OverrideCosigned { proposal, signature, .. } => {
                self.receive_cosignature(from, proposal, signature, situation)
            }
        }
    }

    fn receive_offer(
        &self,
        case: CaseId,
        offer: OfferId,
        from: &Party,
        position: Position,
        terms: OfferTerms,
        situation: &Situation,
    ) -> Result<Vec<Event>, Error> {
        if self.offers_out.contains_key(&offer) {
            return Err(Error::OfferIdTaken);
        }
        if !terms.preview.has_sound_language() {
            return Err(Error::LanguageNotACode);
        }
        match self.offers_in.get(&offer) {
            Some(known) if !known.from.is_same_office(from) => Err(Error::NotTheSender),
            Some(known) if known.terms.as_ref().is_some_and(|known| *known != terms) => Err(Error::Contradiction),
            // A tombstone, or a repetition.
            Some(known) if known.terms.is_some() || matches!(known.state, OfferInState::Withdrawn(_)) => Ok(vec![]),
            _ => {
                let (to, from) = (situation.me.clone(), from.clone());
                let received = Event::OfferReceived { case, offer, from: from.clone(), to, position, terms };
                Ok(self.with_consequences(vec![received], Some(&from), situation))
            }
        }
    }

    fn receive_withdrawal(
        &self,
        case: CaseId,
        offer: OfferId,
        from: &Party,
        reason: WithdrawReason,
    ) -> Result<Vec<Event>, Error> {
        let withdrawal = Event::WithdrawalReceived { case, offer, from: from.clone(), reason };
        let Some(known) = self.offers_in.get(&offer) else {
            return if self.offers_out.contains_key(&offer) { Err(Error::NotTheSender) } else { Ok(vec![withdrawal]) };
        };
        if !known.from.is_same_office(from) {
            return Err(Error::NotTheSender);
        }
        match known.state {
            OfferInState::Received | OfferInState::Accepted | OfferInState::Agreed => Ok(vec![withdrawal]),
            OfferInState::Transferred => Err(Error::Contradiction),
            OfferInState::Declined(_)
            | OfferInState::Withdrawn(_)
            | OfferInState::Concluded(_)
            | OfferInState::Voided => Ok(vec![]),
        }
    }

    fn receive_transfer(
        &self,
        case: CaseId,
        offer: OfferId,
        from: &Party,
        chain: Vec<SignedCertificate>,
        situation: &Situation,
    ) -> Result<Vec<Event>, Error> {
        let (newest, news) = self.compare(case, &chain, situation)?;
        if !newest.issued_by.is_same_office(from) {
            return Err(Error::NotTheSender);
        }
        if !newest.holder.is_same_office(&situation.me) {
            return Err(Error::NotTheAddressee);
        }
        if newest.offer != Some(offer) {
            return Err(Error::WrongCertificate);
        }
        let known = self.offers_in.get(&offer);
        if known.is_some_and(|known| !known.from.is_same_office(from)) {
            return Err(Error::NotTheSender);
        }
        let accepted = known.is_some_and(|known| known.state == OfferInState::Accepted);
        // Two offices of one node share a database: when it is restored, a certificate that others had heard of may be all
        // that is left of an acceptance that never left the node.
        let own_node = newest.issued_by.node == situation.me.node;
        let forgotten = |state| matches!(state, OfferInState::Received | OfferInState::Declined(_));
        let settles = accepted || own_node && known.is_some_and(|known| forgotten(known.state));
        if !news && !settles {
            return Ok(vec![]);
        }
        // A stale certificate is history: it settles the acceptance it came of, and moves nothing.
        let stale = newest.position() <= self.position() && self.newest().is_some();
        if !stale && !accepted && !own_node {
            return Err(Error::NotAccepted);
        }
        let received = Event::TransferReceived { case, offer, at: situation.me.clone(), chain };
        Ok(self.with_consequences(vec![received], Some(from), situation))
    }

    fn receive_agreement(&self, case: CaseId, offer: OfferId, from: &Party) -> Result<Vec<Event>, Error> {
        let known = self.offers_in.get(&offer).ok_or(Error::NoSuchOffer)?;
        if !known.from.is_same_office(from) {
            return Err(Error::NotTheSender);
        }
        match known.state {
            // The holder may have agreed before it heard of an override that this office heard of first.
            OfferInState::Accepted | OfferInState::Voided => {
                Ok(vec![Event::AgreementReceived { case, offer, from: known.from.clone() }])
            }
            OfferInState::Received | OfferInState::Declined(_) => Err(Error::NotAccepted),
            OfferInState::Transferred => Err(Error::NotAService),
            OfferInState::Agreed | OfferInState::Concluded(_) | OfferInState::Withdrawn(_) => Ok(vec![]),
        }
    }

    fn receive_reminder(&self, case: CaseId, offer: OfferId, number: u32, from: &Party) -> Result<Vec<Event>, Error> {
        let known = self.offers_in.get(&offer).ok_or(Error::NoSuchOffer)?;
        if !known.from.is_same_office(from) {
            return Err(Error::NotTheSender);
        }
        if known.state != OfferInState::Received || number <= known.reminders {
            return Ok(vec![]);
        }
        Ok(vec![Event::ReminderReceived { case, offer, number }])
    }

    /// The one place where acceptance and withdrawal meet: whatever was committed here first has happened.
    fn receive_acceptance(
        &self,
        offer: OfferId,
        from: &Party,
        term: u32,
        situation: &Situation,
    ) -> Result<Vec<Event>, Error> {
        let (case, known) = self.answered_by(offer, from)?;
        if known.position.term != term {
            return Err(Error::WrongTerm);
        }
        let to = known.to.clone();
        match known.state {
            // Only after a restore: the case had moved, and this offer was forgotten to be taken back.
            OfferOutState::Open if !self.holds() => {
                Ok(vec![known.withdrawn(case, offer, WithdrawReason::AnotherWayFound)])
            }
            OfferOutState::Open if known.terms.kind == OfferKind::Service => {
                Ok(vec![Event::ServiceAgreed { case, offer, to, need: known.terms.need }])
            }
            OfferOutState::Open => Ok(self.transfer(case, offer, from, situation)),
            OfferOutState::Withdrawn { reason, repeated: false } => {
                Ok(vec![Event::WithdrawalRepeated { case, offer, to, reason }])
            }
            OfferOutState::Withdrawn { repeated: true, .. }
            | OfferOutState::Transferred
            | OfferOutState::Agreed
            | OfferOutState::Concluded(_)
            | OfferOutState::Voided => Ok(vec![]),
            OfferOutState::Declined(_) => Err(Error::Contradiction),
        }
    }

    fn transfer(&self, case: CaseId, offer: OfferId, to: &Party, situation: &Situation) -> Vec<Event> {
        let Position { term, epoch } = self.position();
        let certificate = Certificate {
            case,
            term,
            epoch: epoch.saturating_add(1),
            holder: to.clone(),
            issued_by: situation.me.clone(),
            offer: Some(offer),
            previous: self.newest().map(|signed| signed.certificate.digest()),
            issued_at: situation.context.now,
            basis: None,
        };
        let signatures = vec![situation.sign(&certificate)];
        let mut chain = self.chain();
        chain.push(SignedCertificate { certificate, signatures });
        let transferred = Event::Transferred { case, offer, to: to.clone(), chain };
        // The questions that are still open were the old holder's to ask.
        let others = self.open_offers().filter(|(other, _)| *other != offer);
        let withdrawn = others.map(|(offer, known)| known.withdrawn(case, offer, WithdrawReason::AnotherWayFound));
        std::iter::once(transferred).chain(withdrawn).collect()
    }

    fn receive_refusal(
        &self,
        offer: OfferId,
        from: &Party,
        reason: DeclineReason,
        successor: Option<OfficeId>,
        situation: &Situation,
    ) -> Result<Vec<Event>, Error> {
        let (case, known) = self.answered_by(offer, from)?;
        match known.state {
            OfferOutState::Open => {
                let asked = Some(known.asked());
                Ok(vec![Event::OfferDeclined { case, offer, reason, successor, asked }])
            }
            OfferOutState::Declined(_) | OfferOutState::Withdrawn { .. } | OfferOutState::Voided => Ok(vec![]),
            // Two offices of one node, restored together: the certificate was returned by those who had heard of it, and
            // the office that had accepted was asked anew before it came. It stands.
            OfferOutState::Transferred if from.node == situation.me.node => Ok(vec![]),
            OfferOutState::Transferred | OfferOutState::Agreed | OfferOutState::Concluded(_) => {
                Err(Error::Contradiction)
            }
        }
    }

    fn receive_conclusion(&self, offer: OfferId, from: &Party, outcome: ServiceOutcome) -> Result<Vec<Event>, Error> {
        let (case, known) = self.answered_by(offer, from)?;
        match known.state {
            OfferOutState::Agreed => {
                Ok(vec![Event::ServiceConcluded { case, offer, outcome, asked: Some(known.asked()) }])
            }
            OfferOutState::Concluded(_) | OfferOutState::Withdrawn { .. } | OfferOutState::Voided => Ok(vec![]),
            OfferOutState::Transferred => Err(Error::NotAService),
            OfferOutState::Open | OfferOutState::Declined(_) => Err(Error::Contradiction),
        }
    }

    fn receive_witness(
        &self,
        case: CaseId,
        from: &Party,
        chain: Vec<SignedCertificate>,
        situation: &Situation,
    ) -> Result<Vec<Event>, Error> {
        let (newest, news) = self.compare(case, &chain, situation)?;
        if !newest.issued_by.is_same_office(from) {
            return Err(Error::NotTheSender);
        }
        Ok(if news { self.learned(case, chain, Some(from), situation) } else { vec![] })
    }

    pub(super) fn learned(
        &self,
        case: CaseId,
        chain: Vec<SignedCertificate>,
        from: Option<&Party>,
        situation: &Situation,
    ) -> Vec<Event> {
        let learned = Event::CertificatesLearned { case, at: situation.me.clone(), chain };
        self.with_consequences(vec![learned], from, situation)
    }

    /// Holds a chain against what is known: its newest certificate, and whether anything in it is new.
    pub(super) fn compare<'c>(
        &self,
        case: CaseId,
        chain: &'c [SignedCertificate],
        situation: &Situation,
    ) -> Result<(&'c Certificate, bool), Error> {
        let newest = check_chain(chain, situation.mandate())?;
        if newest.certificate.case != case {
            return Err(Error::WrongCase);
        }
        let mut news = false;
        for signed in chain {
            match self.certificates.get(&signed.certificate.position()) {
                Some(known) if known.certificate != signed.certificate => return Err(Error::Fork),
                Some(_) => {}
                None => news = true,
            }
        }
        Ok((&newest.certificate, news))
    }

    /// What else follows when these events raise the term: offers of lower terms are void, and whoever may act on
    /// what this office said in a lower term is told.
    pub(super) fn with_consequences(
        &self,
        mut events: Vec<Event>,
        from: Option<&Party>,
        situation: &Situation,
    ) -> Vec<Event> {
        let after = events.iter().fold(self.clone(), Self::after);
        let settled = after.settled_by_certificates(&situation.me);
        let after = settled.iter().fold(after, Self::after);
        events.extend(settled);
        let (Some(case), term) = (after.case, after.position().term) else { return events };
        let lower_out = after.offers_out().filter(|(_, known)| known.position.term < term);
        let is_news = |offer: &OfferId| term > self.position().term || !self.offers_out.contains_key(offer);
        let mut to = Vec::<Party>::new();
        for (offer, known) in lower_out {
            let told = known.to.is_same_office(&situation.me)
                || from.is_some_and(|from| from.is_same_office(&known.to))
                || to.iter().any(|party| party.is_same_office(&known.to));
            let acts_on_it = matches!(known.state, OfferOutState::Open | OfferOutState::Transferred);
            if acts_on_it && is_news(&offer) && !told {
                to.push(known.to.clone());
            }
        }
        // After a restore a certificate may be all that is left of a transfer: its addressee is told as well.
        for signed in after.certificates.values() {
            let Certificate { issued_by, offer, holder, .. } = &signed.certificate;
            let position = signed.certificate.position();
            let mine = offer.is_some() && issued_by.is_same_office(&situation.me) && position.term < term;
            let is_news = term > self.position().term || !self.certificates.contains_key(&position);
            let told = holder.is_same_office(&situation.me)
                || from.is_some_and(|from| from.is_same_office(holder))
                || to.iter().any(|party| party.is_same_office(holder));
            if mine && is_news && !told {
                to.push(holder.clone());
            }
        }
        let open_out = after.open_offers().filter(|(_, known)| known.position.term < term);
        let open_in = after.offers_in().filter(|(_, known)| {
            known.term < term && matches!(known.state, OfferInState::Received | OfferInState::Accepted)
        });
        let made = open_out.map(|(offer, known)| Event::OfferVoided { case, offer, asked: Some(known.asked()) });
        let received = open_in.map(|(offer, _)| Event::OfferVoided { case, offer, asked: None });
        events.extend(made.chain(received).collect::<Vec<_>>());
        if !to.is_empty() {
            events.push(Event::OverrideForwarded { case, to, chain: after.chain() });
        }
        events
    }

    /// Offers to this office whose certificate is known although no letter brought it. Only after a restore: the holder
    /// before has forgotten it as well, and will not send it again.
    fn settled_by_certificates(&self, me: &Party) -> Vec<Event> {
        let chain = self.chain();
        let ended = chain.iter().enumerate().filter_map(|(at, signed)| {
            let certificate = &signed.certificate;
            let offer = certificate.offer.filter(|_| certificate.holder.is_same_office(me))?;
            let waits = |known: &&OfferIn| matches!(known.state, OfferInState::Received | OfferInState::Accepted);
            self.offers_in.get(&offer).filter(waits)?;
            let (case, at, chain) = (certificate.case, me.clone(), chain[..=at].to_vec());
            Some(Event::TransferReceived { case, offer, at, chain })
        });
        ended.collect()
    }

    /// An offer of this office, which only its addressee may answer.
    fn answered_by(&self, offer: OfferId, from: &Party) -> Result<(CaseId, &OfferOut), Error> {
        let (case, known) = self.made(offer)?;
        if known.to.is_same_office(from) { Ok((case, known)) } else { Err(Error::NotTheAddressee) }
    }
}
