//! Two offices of one node share a database, and so forget the same things when it is restored.

use spean_eventsourcing::Aggregate;
use spean_vocabulary::DeclineReason;

use super::super::examples::{Story, at, case, kandal, ministry, offer, poipet, receive, takeo, terms};
use super::super::*;
use super::TRANSFER;
use crate::Party;
use crate::recovery::known_to_neighbour;

/// Kandal, at the node of Poipet.
fn neighbour() -> Party {
    Party { node: poipet().node, ..kandal() }
}

fn after(state: CaseCustody, me: &Party, command: Command) -> (CaseCustody, Vec<Event>) {
    let events = state.decide(command, &at(me)).unwrap();
    (events.iter().fold(state, CaseCustody::evolve), events)
}

/// What one office tells another by these events.
fn said(events: &[Event], me: &Party, to: &Party) -> Vec<Message> {
    let letters = events.iter().flat_map(|event| messages(event, me, Some(&ministry())));
    letters.filter(|letter| letter.to.is_same_office(to)).map(|letter| letter.message).collect()
}

/// Offers the case, accepts it, and moves it: what both know afterwards.
fn handed_over(from: (CaseCustody, Party), to: (CaseCustody, Party), number: u32) -> (CaseCustody, CaseCustody) {
    let ((holder, me), (asked, other)) = (from, to);
    let asking = Command::Offer { offer: offer(number), to: other.clone(), terms: terms(TRANSFER) };
    let (holder, offered) = after(holder, &me, asking);
    let question = said(&offered, &me, &other).pop().unwrap();
    let (asked, _) = after(asked, &other, receive(&me, question));
    let (asked, accepted) = after(asked, &other, Command::Accept { offer: offer(number) });
    let yes = said(&accepted, &other, &me).pop().unwrap();
    let (holder, moved) = after(holder, &me, receive(&other, yes));
    let certificate = said(&moved, &me, &other).pop().unwrap();
    let (asked, _) = after(asked, &other, receive(&me, certificate));
    (holder, asked)
}

#[test]
fn whoever_gave_a_case_to_a_neighbour_that_gave_it_on_learns_it_from_the_neighbour_after_a_restore() {
    let before = CaseCustody::fold(&Story::begun().log(&poipet()));
    let (_, heir) = handed_over((before.clone(), poipet()), (CaseCustody::default(), neighbour()), 1);
    let (gave_on, holder) = handed_over((heir, neighbour()), (CaseCustody::default(), takeo()), 2);
    assert!(holder.holds());
    // Both offices of the node come back as they were in the beginning, and the holder returns what it had been told.
    let told = Message::Transfer { case: case(), offer: offer(2), chain: gave_on.chain() };
    let (neighbours, _) = after(CaseCustody::default(), &neighbour(), Command::Recall { to: takeo(), message: told });
    assert!(before.holds(), "two would hold it");
    let forgotten = known_to_neighbour(&poipet(), &before, &neighbours).expect("it gave the case away");
    assert_eq!(forgotten, gave_on.chain()[..2], "what came after it is not its business");
    let merged = Command::Recall { to: neighbour(), message: Message::Witness { case: case(), chain: forgotten } };
    let (after_all, events) = after(before, &poipet(), merged);
    assert!(!after_all.holds() && holder.holds());
    assert_eq!(said(&events, &poipet(), &ministry()).len(), 1, "the registry may not have heard of it either");
    assert_eq!(known_to_neighbour(&poipet(), &after_all, &neighbours), None, "once is enough");
}

#[test]
fn a_neighbour_that_declines_what_it_had_accepted_before_the_restore_holds_the_case_by_the_certificate() {
    let begun = CaseCustody::fold(&Story::begun().log(&poipet()));
    let asked = Command::Offer { offer: offer(1), to: neighbour(), terms: terms(TRANSFER) };
    let (holder, offered) = after(begun, &poipet(), asked);
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
