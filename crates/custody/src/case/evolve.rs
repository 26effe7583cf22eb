//! The state after an event. Every step is a join: a later fact is never undone by an earlier one that arrives late.

use spean_vocabulary::OfferId;

use super::certificate::SignedCertificate;
use super::event::Event;
use super::state::{CaseCustody, OfferIn, OfferInState, OfferOut, OfferOutState, OverrideProposal, OverrideRequest};
use crate::Party;

impl CaseCustody {
    #[expect(clippy::too_many_lines, reason = "one arm for each event, in the order of their list")]
    pub(super) fn after(mut self, event: &Event) -> Self {
        self.case = Some(event.case());
        match event {
            Event::Opened { certificate } => {
                self.is_of(&certificate.certificate.holder);
                self.learn(std::slice::from_ref(certificate));
            }
            Event::Offered { offer, from, to, position, terms, .. } => {
                self.is_of(from);
                let state = if self.moved_by(*offer) { OfferOutState::Transferred } else { OfferOutState::Open };
                self.offers_out.entry(*offer).or_insert_with(|| OfferOut {
                    to: to.clone(),
                    position: *position,
                    terms: terms.clone(),
                    state,
                    reminders: 0,
                    notified: std::collections::BTreeSet::new(),
                });
            }
            &Event::Reminded { offer, number, .. } => {
                self.out(offer, |offer| offer.reminders = offer.reminders.max(number));
            }
            Event::AboveNotified { offer, above, .. } => self.out(*offer, |offer| {
                offer.notified.insert(above.office.clone());
            }),
            &Event::Withdrawn { offer, reason, .. } => {
                self.out(offer, |offer| offer.state = OfferOutState::Withdrawn { reason, repeated: false });
            }
            &Event::WithdrawalRepeated { offer, reason, .. } => {
                self.out(offer, |offer| offer.state = OfferOutState::Withdrawn { reason, repeated: true });
            }
            &Event::OfferDeclined { offer, reason, .. } => {
                self.out(offer, |offer| offer.state = OfferOutState::Declined(reason));
            }
            Event::Transferred { offer, chain, .. } => {
                if let Some(newest) = chain.last() {
                    self.is_of(&newest.certificate.issued_by);
                }
                self.learn(chain);
                self.out(*offer, |offer| offer.state = OfferOutState::Transferred);
            }
            &Event::ServiceAgreed { offer, .. } => self.out(offer, |offer| offer.state = OfferOutState::Agreed),
            &Event::ServiceConcluded { offer, outcome, .. } => {
                self.out(offer, |offer| offer.state = OfferOutState::Concluded(outcome));
            }
            Event::OfferReceived { offer, from, to, position, terms, .. } => {
                self.is_of(to);
                let known = self.incoming(*offer, from);
                known.term = position.term;
                known.terms = Some(terms.clone());
            }
            &Event::ReminderReceived { offer, number, .. } => {
                if let Some(offer) = self.offers_in.get_mut(&offer) {
                    offer.reminders = offer.reminders.max(number);
                }
            }
            Event::Accepted { offer, to, term, .. } => {
                let known = self.incoming(*offer, to);
                if known.state == OfferInState::Received {
                    known.state = OfferInState::Accepted;
                    known.term = *term;
                }
            }
            Event::Declined { offer, to, reason, .. } => {
                let known = self.incoming(*offer, to);
                // Void, only after a restore: the override was recalled before the earlier refusal.
                if matches!(known.state, OfferInState::Received | OfferInState::Voided) {
                    known.state = OfferInState::Declined(*reason);
                }
            }
            Event::WithdrawalReceived { offer, from, reason, .. } => {
                self.incoming(*offer, from).state = OfferInState::Withdrawn(*reason);
            }
            Event::TransferReceived { offer, at, chain, .. } => {
                self.is_of(at);
                self.learn(chain);
                // Declined, only after a restore: the acceptance that the certificate came of was forgotten.
                if let Some(offer) = self.offers_in.get_mut(offer)
                    && matches!(
                        offer.state,
                        OfferInState::Received | OfferInState::Accepted | OfferInState::Declined(_)
                    )
                {
                    offer.state = OfferInState::Transferred;
                }
            }
            Event::AgreementReceived { offer, .. } => {
                if let Some(offer) = self.offers_in.get_mut(offer)
                    && matches!(offer.state, OfferInState::Accepted | OfferInState::Voided)
                {
                    offer.state = OfferInState::Agreed;
                }
            }
            Event::Concluded { offer, to, outcome, .. } => {
                self.incoming(*offer, to).state = OfferInState::Concluded(*outcome);
            }
            Event::UnansweredNoticeReceived { offer, .. } => {
                self.notices.insert(*offer);
            }
            Event::CertificatesLearned { at, chain, .. } | Event::OverrideIssued { at, chain, .. } => {
                self.is_of(at);
                self.learn(chain);
            }
            &Event::OfferVoided { offer, .. } => {
                self.out(offer, |offer| offer.state = OfferOutState::Voided);
                if let Some(offer) = self.offers_in.get_mut(&offer) {
                    offer.state = OfferInState::Voided;
                }
            }
            Event::OverrideForwarded { .. } => {}
            Event::OverrideProposed { cosigner, certificate, chain, .. } => {
                self.is_of(&certificate.issued_by);
                self.learn(chain);
                self.proposal = Some(OverrideProposal {
                    consented: certificate.holder.is_same_office(&certificate.issued_by),
                    certificate: certificate.clone(),
                    cosigner: cosigner.clone(),
                    cosignature: None,
                    chain: chain.clone(),
                });
            }
            Event::OverrideConsentReceived { .. } => {
                if let Some(proposal) = &mut self.proposal {
                    proposal.consented = true;
                }
            }
            Event::OverrideCosignatureReceived { signature, .. } => {
                if let Some(proposal) = &mut self.proposal {
                    proposal.cosignature = Some(signature.clone());
                }
            }
            Event::OverrideProposalReceived { at, from, certificate, chain, .. } => {
                self.is_of(at);
                self.learn(chain);
                self.request = Some(OverrideRequest {
                    from: from.clone(),
                    certificate: certificate.clone(),
                    consented: false,
                    cosigned: false,
                });
            }
            Event::OverrideConsentGiven { .. } => {
                if let Some(request) = &mut self.request {
                    request.consented = true;
                }
            }
            Event::OverrideCosignatureGiven { .. } => {
                if let Some(request) = &mut self.request {
                    request.cosigned = true;
                }
            }
        }
        self.settle_overrides();
        self
    }

    fn is_of(&mut self, party: &Party) {
        self.office = Some(party.office.clone());
    }

    fn learn(&mut self, chain: &[SignedCertificate]) {
        for signed in chain {
            self.certificates.entry(signed.certificate.position()).or_insert_with(|| signed.clone());
            // Whoever has the certificate knows how the offer ended, however it became known.
            if let Some(offer) = signed.certificate.offer {
                self.out(offer, |offer| offer.state = OfferOutState::Transferred);
            }
        }
    }

    fn out(&mut self, offer: OfferId, change: impl FnOnce(&mut OfferOut)) {
        if let Some(offer) = self.offers_out.get_mut(&offer) {
            change(offer);
        }
    }

    fn incoming(&mut self, offer: OfferId, from: &Party) -> &mut OfferIn {
        self.offers_in.entry(offer).or_insert_with(|| OfferIn {
            from: from.clone(),
            term: 0,
            terms: None,
            state: OfferInState::Received,
            reminders: 0,
        })
    }

    /// Forgets proposals that the term of the case has caught up with.
    fn settle_overrides(&mut self) {
        let term = self.position().term;
        self.proposal.take_if(|proposal| proposal.certificate.term <= term);
        self.request.take_if(|request| request.certificate.term <= term);
    }
}
