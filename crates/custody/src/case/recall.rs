//! After a restore: what this office itself had said and forgot, returned by those who heard it.
//!
//! It happened, so it is merged as a fact and never decided again. The events are the ordinary ones and their letters
//! go out once more: some of the addressees may never have got theirs, and the others know what to do with a repetition.

use super::command::Situation;
use super::error::Error;
use super::event::Event;
use super::message::Message;
use super::state::{CaseCustody, OfferInState, OfferOutState};
use crate::Party;

impl CaseCustody {
    pub(super) fn recall(&self, to: Party, message: Message, situation: &Situation) -> Result<Vec<Event>, Error> {
        let case = message.case();
        if self.case.is_some_and(|known| known != case) {
            return Err(Error::WrongCase);
        }
        let me = situation.me.clone();
        let state_out = |offer| self.offers_out.get(&offer).map(|known| known.state);
        let state_in = |offer| self.offers_in.get(&offer).map(|known| known.state);
        let (recalled, news) = match message {
            Message::Offer { offer, position, terms, .. } => {
                (Event::Offered { case, offer, from: me, to, position, terms }, state_out(offer).is_none())
            }
            Message::Withdraw { offer, reason, .. } => {
                let (_, known) = self.made(offer)?;
                let open = matches!(known.state, OfferOutState::Open | OfferOutState::Agreed);
                (Event::Withdrawn { case, offer, to, reason, asked: Some(known.asked()) }, open)
            }
            Message::Agreed { offer, .. } => {
                let (_, known) = self.made(offer)?;
                (Event::ServiceAgreed { case, offer, to, need: known.terms.need }, known.state == OfferOutState::Open)
            }
            Message::Reminder { offer, number, .. } => {
                let unsaid = self.made(offer).is_ok_and(|(_, known)| known.reminders < number);
                (Event::Reminded { case, offer, to, number }, unsaid)
            }
            Message::UnansweredNotice { offer, unanswered_by, need, urgency, answer_due_at, .. } => {
                let unsaid = self.made(offer).is_ok_and(|(_, known)| !known.notified.contains(&to.office));
                let above = to;
                (Event::AboveNotified { case, offer, above, unanswered_by, need, urgency, answer_due_at }, unsaid)
            }
            Message::Accept { offer, term, .. } => {
                let open = matches!(state_in(offer), None | Some(OfferInState::Received));
                (Event::Accepted { case, offer, to, term }, open)
            }
            Message::Decline { offer, reason, successor, .. } => {
                let open = matches!(state_in(offer), None | Some(OfferInState::Received | OfferInState::Voided));
                (Event::Declined { case, offer, to, reason, successor }, open)
            }
            Message::Conclusion { offer, outcome, .. } => {
                let open = !matches!(
                    state_in(offer),
                    Some(OfferInState::Concluded(_) | OfferInState::Withdrawn(_) | OfferInState::Voided)
                );
                (Event::Concluded { case, offer, to, outcome }, open)
            }
            Message::Transfer { chain, .. } | Message::Witness { chain, .. } | Message::Override { chain, .. } => {
                let (newest, news) = self.compare(case, &chain, situation)?;
                let mine = newest.issued_by.is_same_office(&situation.me);
                let event = match (mine, newest.offer, newest.term) {
                    (true, Some(offer), _) => Event::Transferred { case, offer, to: newest.holder.clone(), chain },
                    (true, None, 0) => chain.into_iter().next().map_or_else(
                        || Err(Error::WrongCertificate),
                        |certificate| Ok(Event::Opened { certificate }),
                    )?,
                    (true, None, _) => {
                        let to = chain.iter().map(|signed| signed.certificate.holder.clone()).collect();
                        Event::OverrideIssued { case, at: me, to, chain }
                    }
                    (false, ..) => Event::CertificatesLearned { case, at: me, chain },
                };
                (event, news)
            }
            Message::OverrideProposed { certificate, chain, .. } => {
                let (newest, chain_is_news) = self.compare(case, &chain, situation)?;
                let newer = self.proposal.as_ref().is_none_or(|pending| {
                    pending.certificate != certificate && pending.certificate.issued_at <= certificate.issued_at
                });
                let proposed_anew = newer && certificate.term > self.position().term;
                let mut events = vec![];
                if chain_is_news {
                    // The proposal may be all that is left of a case that was given away: whoever has it is told again.
                    let mine = newest.offer.filter(|_| newest.issued_by.is_same_office(&situation.me));
                    let (to, chain) = (newest.holder.clone(), chain.clone());
                    events.push(match mine {
                        Some(offer) => Event::Transferred { case, offer, to, chain },
                        None => Event::CertificatesLearned { case, at: me, chain },
                    });
                }
                if proposed_anew {
                    let cosigner = situation.cosigner.clone();
                    events.push(Event::OverrideProposed { case, cosigner, certificate, chain });
                }
                return Ok(if events.is_empty() { events } else { self.with_consequences(events, None, situation) });
            }
            Message::OverrideConsented { proposal, .. } => {
                let asked = self.request.as_ref().is_some_and(|asked| asked.digest() == proposal && !asked.consented);
                (Event::OverrideConsentGiven { case, to, proposal }, asked)
            }
            Message::OverrideCosigned { proposal, signature, .. } => {
                let asked = self.request.as_ref().is_some_and(|asked| asked.digest() == proposal && !asked.cosigned);
                (Event::OverrideCosignatureGiven { case, to, proposal, signature }, asked)
            }
        };
        Ok(if news { self.with_consequences(vec![recalled], None, situation) } else { vec![] })
    }
}
