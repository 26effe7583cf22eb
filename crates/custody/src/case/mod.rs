//! One office's view of one case: what it offered, what it was offered, and which certificates it has seen.
//!
//! Custody is a join of facts. Certificates are only ever added, and the highest one names the holder, so the order in
//! which they arrive does not matter: a late one becomes history and changes nothing.

mod answer;
mod certificate;
mod command;
mod error;
mod event;
mod evolve;
mod message;
mod offer;
mod override_;
mod recall;
mod receive;
mod state;

#[cfg(test)]
mod examples;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod specifications;
#[cfg(test)]
mod transitions;

pub use certificate::{
    Certificate, CertificateSignature, ChainError, Mandate, Position, SIGNATURE_PURPOSE, SignedCertificate,
    check_chain, verify_chain,
};
pub use command::{Command, Signer, Situation};
pub use error::Error;
pub use event::{Asked, Event, messages};
pub use message::{Message, OfferTerms, Outgoing, Preview, ServiceOutcome};
pub use state::{
    CaseCustody, OfferIn, OfferInState, OfferOut, OfferOutState, OverrideProposal, OverrideRequest, Standing,
};

use spean_eventsourcing::Aggregate;

impl Aggregate for CaseCustody {
    const CATEGORY: &'static str = "custody";
    type Command = Command;
    type Event = Event;
    type Error = Error;
    type Context = Situation;

    fn decide(&self, command: Command, situation: &Situation) -> Result<Vec<Event>, Error> {
        if situation.context.office != situation.me.office {
            return Err(Error::NotForThisOffice);
        }
        if command.is_for_people() && situation.context.staff.is_none() {
            return Err(Error::NeedsStaff);
        }
        match command {
            Command::Open { case } => self.open(case, situation),
            Command::Offer { offer, to, terms } => self.offer(offer, to, terms, situation),
            Command::Withdraw { offer, reason } => self.withdraw(offer, reason),
            Command::Remind { offer, number } => self.remind(offer, number),
            Command::NotifyAbove { offer, above } => self.notify_above(offer, above),
            Command::ReOffer { offer, afresh } => self.offer_afresh(offer, afresh, situation),
            Command::Accept { offer } => self.accept(offer),
            Command::Decline { offer, reason } => self.decline(offer, reason, None),
            Command::Redirect { offer, successor } => self.redirect(offer, successor, situation),
            Command::Conclude { offer, outcome } => self.conclude(offer, outcome),
            Command::ProposeOverride { new_holder, basis, chain } => {
                self.propose_override(new_holder, basis, chain, situation)
            }
            Command::ConsentToOverride { proposal } => self.consent_to_override(proposal, situation),
            Command::CosignOverride { proposal } => self.cosign_override(proposal, situation),
            Command::Receive { from, message } => self.receive(&from, message, situation),
            Command::Recall { to, message } => self.recall(to, message, situation),
        }
    }

    fn evolve(self, event: &Event) -> Self {
        self.after(event)
    }
}

impl Command {
    /// Whether a person must decide it: what commits an office is never done by a timer.
    const fn is_for_people(&self) -> bool {
        matches!(
            self,
            Self::Accept { .. }
                | Self::Decline { .. }
                | Self::ProposeOverride { .. }
                | Self::ConsentToOverride { .. }
                | Self::CosignOverride { .. }
        )
    }
}
