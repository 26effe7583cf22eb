//! What staff and timers may ask for, short enough to be listed and told.

use std::fmt;

use spean_custody::Party;
use spean_custody::case::{CaseCustody, Command, OfferInState, OfferOutState, ServiceOutcome};
use spean_vocabulary::{DeclineReason, LegalBasis, Need, OfferId, OfferKind, WithdrawReason};

use crate::network::{Network, Seat, offer_id, offer_name, terms};

/// One thing that somebody at an office asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ask {
    /// Staff offer the case, or ask for help.
    Offer {
        /// The number of the offer.
        number: u32,
        /// To whom.
        to: Seat,
        /// What.
        kind: OfferKind,
        /// What the person needs.
        need: Need,
    },
    /// Staff, or the timer at the end of its ladder, take an offer back.
    Withdraw(OfferId),
    /// The timer reminds for the so manieth time.
    Remind(OfferId, u32),
    /// The timer tells the office above.
    Notify(OfferId, Seat),
    /// Staff say yes.
    Accept(OfferId),
    /// Staff say no.
    Decline(OfferId),
    /// A closed office names its successor.
    Redirect(OfferId, Seat),
    /// Staff tell what came of a service.
    Conclude(OfferId),
    /// The authority proposes another holder.
    Propose(Seat),
    /// The proposed holder agrees.
    Consent,
    /// The cosigner signs.
    Cosign,
}

impl Ask {
    /// The command that is given to the rules.
    pub fn command(self, network: &Network, view: &CaseCustody) -> Command {
        let proposal = || {
            let request = view.request().expect("only asked where there is one");
            request.digest()
        };
        match self {
            Self::Offer { number, to, kind, need } => {
                Command::Offer { offer: offer_id(number), to: network.party(to).clone(), terms: terms(kind, need) }
            }
            Self::Withdraw(offer) => Command::Withdraw { offer, reason: WithdrawReason::Escalated },
            Self::Remind(offer, number) => Command::Remind { offer, number },
            Self::Notify(offer, above) => Command::NotifyAbove { offer, above: network.party(above).clone() },
            Self::Accept(offer) => Command::Accept { offer },
            Self::Decline(offer) => Command::Decline { offer, reason: DeclineReason::NoCapacity },
            Self::Redirect(offer, successor) => {
                Command::Redirect { offer, successor: network.party(successor).office.clone() }
            }
            Self::Conclude(offer) => Command::Conclude { offer, outcome: ServiceOutcome::Completed },
            Self::Propose(new_holder) => Command::ProposeOverride {
                new_holder: network.party(new_holder).clone(),
                basis: LegalBasis::HolderUnreachable,
                chain: vec![],
            },
            Self::Consent => Command::ConsentToOverride { proposal: proposal() },
            Self::Cosign => Command::CosignOverride { proposal: proposal() },
        }
    }

    /// Whether it answers what others wait for: what may be counted on when all is to be settled.
    pub const fn is_answer(self) -> bool {
        matches!(self, Self::Accept(_) | Self::Decline(_) | Self::Consent | Self::Cosign)
    }

    /// The same in words, said of an office.
    pub fn told<'n>(self, network: &'n Network, at: &Party) -> Told<'n> {
        Told { ask: self, network, at: at.office.to_string() }
    }
}

/// An [`Ask`] in words.
#[derive(Debug)]
pub struct Told<'n> {
    ask: Ask,
    network: &'n Network,
    at: String,
}

impl fmt::Display for Told<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |seat: Seat| &self.network.party(seat).office;
        let at = &self.at;
        match self.ask {
            Ask::Offer { number, to, kind: OfferKind::Transfer, .. } => {
                write!(formatter, "staff at {at} offer the case to {} (offer {number})", name(to))
            }
            Ask::Offer { number, to, .. } => {
                write!(formatter, "staff at {at} ask {} for help (offer {number})", name(to))
            }
            Ask::Withdraw(offer) => write!(formatter, "{at} withdraws {}", offer_name(offer)),
            Ask::Remind(offer, number) => {
                write!(formatter, "the timer at {at} reminds of {} for time {number}", offer_name(offer))
            }
            Ask::Notify(offer, above) => {
                write!(formatter, "the timer at {at} tells {} of {}", name(above), offer_name(offer))
            }
            Ask::Accept(offer) => write!(formatter, "staff at {at} accept {}", offer_name(offer)),
            Ask::Decline(offer) => write!(formatter, "staff at {at} decline {}", offer_name(offer)),
            Ask::Redirect(offer, to) => {
                write!(formatter, "{at} has closed and names {} for {}", name(to), offer_name(offer))
            }
            Ask::Conclude(offer) => write!(formatter, "staff at {at} conclude {}", offer_name(offer)),
            Ask::Propose(holder) => write!(formatter, "{at} proposes that {} take the case over", name(holder)),
            Ask::Consent => write!(formatter, "{at} agrees to take the case over"),
            Ask::Cosign => write!(formatter, "{at} signs the override"),
        }
    }
}

/// Everything that staff and timers may ask for about offers that are known at an office, whether or not it is refused.
pub fn about_offers(view: &CaseCustody, timers: Option<Seat>) -> Vec<Ask> {
    let mut asks = vec![];
    for (offer, made) in view.offers_out() {
        if matches!(made.state, OfferOutState::Open | OfferOutState::Agreed | OfferOutState::Transferred) {
            asks.push(Ask::Withdraw(offer));
        }
        if let Some(above) = timers.filter(|_| made.state == OfferOutState::Open) {
            asks.extend([Ask::Remind(offer, 1), Ask::Notify(offer, above)]);
        }
    }
    for (offer, incoming) in view.offers_in() {
        match incoming.state {
            OfferInState::Received => asks.extend([Ask::Accept(offer), Ask::Decline(offer)]),
            OfferInState::Agreed => asks.push(Ask::Conclude(offer)),
            _ => {}
        }
    }
    if let Some(request) = view.request() {
        if !request.consented {
            asks.push(Ask::Consent);
        }
        if !request.cosigned {
            asks.push(Ask::Cosign);
        }
    }
    asks
}
