//! Two offices of one node share a database, and so forget the same things when it is restored.

use spean_eventsourcing::Aggregate;
use spean_vocabulary::DeclineReason;

use super::super::examples::{Story, at, kandal, ministry, offer, poipet, receive, terms};
use super::super::*;
use super::TRANSFER;
use crate::Party;

/// Kandal, at the node of Poipet.
fn neighbour() -> Party {
    Party { node: poipet().node, ..kandal() }
}

fn after(state: CaseCustody, me: &Party, command: Command) -> (CaseCustody, Vec<Event>) {
    let events = state.decide(command, &at(me)).unwrap();
    (events.iter().fold(state, CaseCustody::evolve), events)
}

#[test]
fn a_neighbour_that_declines_what_it_had_accepted_before_the_restore_holds_the_case_by_the_certificate() {
    let begun = CaseCustody::fold(&Story::begun().log(&poipet()));
    let asked = Command::Offer { offer: offer(1), to: neighbour(), terms: terms(TRANSFER) };
    let (holder, offered) = after(begun, &poipet(), asked);
    let said = |events: &[Event], me: &Party, to: &Party| -> Vec<Message> {
        let letters = events.iter().flat_map(|event| messages(event, me, Some(&ministry())));
        letters.filter(|letter| letter.to.is_same_office(to)).map(|letter| letter.message).collect()
    };
    let question = said(&offered, &poipet(), &neighbour()).pop().unwrap();
    let (asked, _) = after(CaseCustody::default(), &neighbour(), receive(&poipet(), question));
    let (_, accepted) = after(asked.clone(), &neighbour(), Command::Accept { offer: offer(1) });
    let yes = said(&accepted, &neighbour(), &poipet()).pop().unwrap();
    let (_, moved) = after(holder.clone(), &poipet(), receive(&neighbour(), yes));
    let witness = said(&moved, &poipet(), &ministry()).pop().unwrap();

    // Both come back as they were before the acceptance, and the registry returns what it had heard.
    let (holder, recalled) = after(holder, &poipet(), Command::Recall { to: ministry(), message: witness });
    let no = Command::Decline { offer: offer(1), reason: DeclineReason::NoCapacity };
    let (asked, declined) = after(asked, &neighbour(), no);
    let no = said(&declined, &neighbour(), &poipet()).pop().unwrap();
    assert_eq!(after(holder, &poipet(), receive(&neighbour(), no)).1, []);
    let certificate = said(&recalled, &poipet(), &neighbour()).pop().unwrap();
    let (heir, _) = after(asked, &neighbour(), receive(&poipet(), certificate));
    assert!(heir.holds());
    assert_eq!(heir.offers_in().map(|(_, offer)| offer.state).collect::<Vec<_>>(), [OfferInState::Transferred]);
}
