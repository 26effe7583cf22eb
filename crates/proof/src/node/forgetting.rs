//! Pieces that are taken away by forgetting: the rules are asked as ever, but by an office that has lost a fact, or whose
//! consequences are thrown away.

use spean_custody::case::Position;

use super::{Aggregate, Arc, CaseCustody, Command, Event, Message, Node, Piece, Seat, Step};

impl Node {
    /// What the office remembers when it is asked this.
    pub(super) fn remembered(&mut self, seat: Seat, command: &Command, step: &Step<'_>) -> Arc<CaseCustody> {
        if step.network.without.needs_log() {
            let message = if let Command::Receive { message, .. } = command { Some(message) } else { None };
            match (command, message) {
                // Only for this decision: afterwards there are two.
                (Command::Offer { .. }, _) if step.lacks(Piece::OneOpenTransfer) => {
                    return self.folded(seat, |event| !matches!(event, Event::Offered { .. }));
                }
                (_, Some(Message::Offer { offer, .. })) if step.lacks(Piece::Repetitions) => {
                    let about =
                        |event: &Event| matches!(event, Event::OfferReceived { offer: known, .. } if known == offer);
                    return self.folded(seat, |event| !about(event));
                }
                (_, Some(Message::Accept { offer, .. })) if step.lacks(Piece::HolderDecides) => {
                    self.forget(seat, |event| matches!(event, Event::Withdrawn { offer: known, .. } if known == offer));
                }
                (_, Some(Message::Transfer { chain, .. })) => {
                    let place = chain.last().map(|signed| signed.certificate.position()).unwrap_or_default();
                    let (any, terms) = (step.lacks(Piece::Fence), step.lacks(Piece::TermFence));
                    self.forget(seat, |event| {
                        let reached = reaches(event);
                        any && reached > place || terms && reached.term > place.term
                    });
                }
                _ => {}
            }
        }
        Arc::clone(&self.durable.views[&seat])
    }

    fn folded(&self, seat: Seat, keep: impl Fn(&Event) -> bool) -> Arc<CaseCustody> {
        let events = self.durable.log.iter().filter(|(at, event)| *at == seat && keep(event));
        Arc::new(CaseCustody::fold(events.map(|(_, event)| &**event)))
    }

    /// For good.
    fn forget(&mut self, seat: Seat, forgotten: impl Fn(&Event) -> bool) {
        let before = self.durable.log.len();
        self.durable.log.retain(|(at, event)| *at != seat || !forgotten(event));
        if self.durable.log.len() < before {
            let view = self.folded(seat, |_| true);
            self.durable.views.insert(seat, view);
        }
    }

    /// Whether a consequence does not come about.
    pub(super) fn is_thrown_away(event: &Event, view: &CaseCustody, step: &Step<'_>) -> bool {
        match event {
            Event::WithdrawalRepeated { .. } => step.lacks(Piece::LateAnswer),
            Event::WithdrawalReceived { offer, .. } => {
                step.lacks(Piece::Tombstone) && !view.offers_in().any(|(known, _)| known == *offer)
            }
            Event::OverrideForwarded { .. } => step.lacks(Piece::Forwarding),
            Event::OfferVoided { .. } => step.lacks(Piece::Voiding),
            _ => false,
        }
    }
}

/// The place of the highest certificate that an event brings.
fn reaches(event: &Event) -> Position {
    let chain = match event {
        Event::Transferred { chain, .. }
        | Event::TransferReceived { chain, .. }
        | Event::CertificatesLearned { chain, .. }
        | Event::OverrideIssued { chain, .. }
        | Event::OverrideProposed { chain, .. }
        | Event::OverrideProposalReceived { chain, .. } => chain.last(),
        Event::Opened { certificate } => Some(certificate),
        _ => None,
    };
    chain.map(|signed| signed.certificate.position()).unwrap_or_default()
}
