//! The addressee's side: to accept, to decline, and to tell what came of a service.

use spean_vocabulary::{CaseId, DeclineReason, OfferId, OfferKind, OfficeId};

use super::command::Situation;
use super::error::Error;
use super::event::Event;
use super::message::ServiceOutcome;
use super::state::{CaseCustody, OfferIn, OfferInState};

impl CaseCustody {
    pub(super) fn accept(&self, offer: OfferId) -> Result<Vec<Event>, Error> {
        let (case, known) = self.was_made(offer)?;
        match known.state {
            OfferInState::Received if known.is_transfer() && self.holds() => Err(Error::AlreadyHeld),
            OfferInState::Received => {
                Ok(vec![Event::Accepted { case, offer, to: known.from.clone(), term: known.term }])
            }
            OfferInState::Accepted | OfferInState::Transferred | OfferInState::Agreed | OfferInState::Concluded(_) => {
                Ok(vec![])
            }
            OfferInState::Declined(_) => Err(Error::AlreadyDeclined),
            OfferInState::Withdrawn(_) => Err(Error::OfferWithdrawn),
            OfferInState::Voided => Err(Error::OfferVoid),
        }
    }

    pub(super) fn redirect(
        &self,
        offer: OfferId,
        successor: OfficeId,
        situation: &Situation,
    ) -> Result<Vec<Event>, Error> {
        if successor == situation.me.office {
            return Err(Error::OfferToOneself);
        }
        self.decline(offer, DeclineReason::OfficeMoved, Some(successor))
    }

    pub(super) fn decline(
        &self,
        offer: OfferId,
        reason: DeclineReason,
        successor: Option<OfficeId>,
    ) -> Result<Vec<Event>, Error> {
        let (case, known) = self.was_made(offer)?;
        match known.state {
            OfferInState::Received => {
                Ok(vec![Event::Declined { case, offer, to: known.from.clone(), reason, successor }])
            }
            OfferInState::Declined(_) => Ok(vec![]),
            OfferInState::Accepted | OfferInState::Transferred | OfferInState::Agreed => Err(Error::AlreadyAccepted),
            OfferInState::Concluded(_) => Err(Error::OfferEnded),
            OfferInState::Withdrawn(_) => Err(Error::OfferWithdrawn),
            OfferInState::Voided => Err(Error::OfferVoid),
        }
    }

    pub(super) fn conclude(&self, offer: OfferId, outcome: ServiceOutcome) -> Result<Vec<Event>, Error> {
        let (case, known) = self.was_made(offer)?;
        match known.state {
            OfferInState::Agreed => Ok(vec![Event::Concluded { case, offer, to: known.from.clone(), outcome }]),
            OfferInState::Concluded(said) if said == outcome => Ok(vec![]),
            OfferInState::Concluded(_) => Err(Error::OfferEnded),
            OfferInState::Transferred => Err(Error::NotAService),
            OfferInState::Received | OfferInState::Accepted if known.is_transfer() => Err(Error::NotAService),
            OfferInState::Received | OfferInState::Accepted => Err(Error::NotAgreedYet),
            OfferInState::Declined(_) => Err(Error::AlreadyDeclined),
            OfferInState::Withdrawn(_) => Err(Error::OfferWithdrawn),
            OfferInState::Voided => Err(Error::OfferVoid),
        }
    }

    /// An offer that this office was made.
    pub(super) fn was_made(&self, offer: OfferId) -> Result<(CaseId, &OfferIn), Error> {
        let case = self.case.ok_or(Error::NoSuchCase)?;
        self.offers_in.get(&offer).map(|known| (case, known)).ok_or(Error::NoSuchOffer)
    }
}

impl OfferIn {
    fn is_transfer(&self) -> bool {
        self.terms.as_ref().is_some_and(|terms| terms.kind == OfferKind::Transfer)
    }
}
