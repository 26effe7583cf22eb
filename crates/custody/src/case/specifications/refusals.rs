//! Each reason for which something is not done, in the situation in which an office is given it.

use super::*;

/// That an office, after this story, gives this reason.
fn refused(story: &Story, me: &Party, command: Command, reason: Error) {
    given::<CaseCustody>(story.log(me)).when(&at(me), command).then_error(&reason);
}

fn another_case() -> spean_vocabulary::CaseId {
    "7c0ffee5-5d0e-4a53-9d0e-3f6f1a2b3c4d".parse().unwrap()
}

#[test]
fn a_case_is_opened_once_and_by_one_office() {
    let elsewhere = Command::Open { case: another_case() };
    refused(&Story::begun(), &poipet(), elsewhere.clone(), Error::WrongCase);
    refused(&Story::offered(TRANSFER), &kandal(), Command::Open { case: case() }, Error::OpenedElsewhere);
    let accept = Message::Accept { case: another_case(), offer: offer(1), term: 0 };
    refused(&Story::offered(TRANSFER), &poipet(), receive(&kandal(), accept), Error::WrongCase);
}

#[test]
fn what_an_office_never_heard_of_is_not_there() {
    refused(&Story::default(), &kandal(), Command::Accept { offer: offer(1) }, Error::NoSuchCase);
    refused(&Story::offered(TRANSFER), &kandal(), Command::Accept { offer: offer(9) }, Error::NoSuchOffer);
    refused(&Story::begun(), &poipet(), receive(&kandal(), accept()), Error::NoSuchOffer);
}

#[test]
fn an_offer_that_makes_no_sense_is_not_made() {
    let story = Story::offered(TRANSFER);
    let offering = |id, to, terms| Command::Offer { offer: offer(id), to, terms };
    refused(&story, &poipet(), offering(2, poipet(), terms(SERVICE)), Error::OfferToOneself);
    refused(&story, &poipet(), offering(1, takeo(), terms(SERVICE)), Error::OfferIdTaken);
    let instead = OfferTerms { instead_of: Some(offer(1)), ..terms(SERVICE) };
    refused(&story, &poipet(), offering(2, takeo(), instead), Error::ReplacedOfferStillOpen);
}

#[test]
fn who_holds_a_case_does_not_accept_it_again() {
    let position = Position { term: 0, epoch: 0 };
    let again = Message::Offer { case: case(), offer: offer(7), position, terms: terms(TRANSFER) };
    let story = Story::accepted(TRANSFER).then(&kandal(), receive(&takeo(), again));
    refused(&story, &kandal(), Command::Accept { offer: offer(7) }, Error::AlreadyHeld);
}

#[test]
fn only_an_agreed_service_is_concluded_and_only_once() {
    let conclude = |outcome| Command::Conclude { offer: offer(1), outcome };
    refused(&Story::offered(SERVICE), &kandal(), conclude(ServiceOutcome::Completed), Error::NotAgreedYet);
    refused(&Story::offered(TRANSFER), &kandal(), conclude(ServiceOutcome::Completed), Error::NotAService);
    refused(&Story::concluded(), &kandal(), conclude(ServiceOutcome::NotPossible), Error::OfferEnded);
    let reason = DeclineReason::NoCapacity;
    refused(&Story::concluded(), &kandal(), Command::Decline { offer: offer(1), reason }, Error::OfferEnded);
}

#[test]
fn an_answer_of_another_term_or_against_an_earlier_one_is_not_believed() {
    let of_another_term = Message::Accept { case: case(), offer: offer(1), term: 1 };
    refused(&Story::offered(TRANSFER), &poipet(), receive(&kandal(), of_another_term), Error::WrongTerm);
    let reason = DeclineReason::NoCapacity;
    let refusal = Message::Decline { case: case(), offer: offer(1), reason, successor: None };
    refused(&Story::accepted(TRANSFER), &poipet(), receive(&kandal(), refusal), Error::Contradiction);
}

#[test]
fn a_certificate_that_does_not_fit_is_not_obeyed() {
    let story = Story::begun();
    let witness = |chain| receive(&poipet(), Message::Witness { case: case(), chain });
    refused(&story, &ministry(), witness(vec![]), Error::BadChain(ChainError::Empty));
    let mut other = story.state(&ministry()).chain();
    other[0].certificate.issued_at = other[0].certificate.issued_at.plus_hours(1);
    refused(&story, &ministry(), witness(other), Error::Fork);
    let no_override = Message::Override { case: case(), chain: story.state(&ministry()).chain() };
    refused(&story, &kandal(), receive(&ministry(), no_override), Error::WrongCertificate);
}

#[test]
fn an_override_is_proposed_where_it_changes_something_and_answered_by_those_who_were_asked() {
    let propose = |new_holder| Command::ProposeOverride { new_holder, basis: LegalBasis::CourtOrder, chain: vec![] };
    refused(&Story::begun(), &ministry(), propose(poipet()), Error::HolderUnchanged);
    let story = Story::begun().then(&ministry(), propose(takeo()));
    let board = party("ngo-board");
    let proposal = story.state(&board).request().unwrap().digest();
    refused(&story, &board, Command::ConsentToOverride { proposal }, Error::NotTheNewHolder);
    let proposal = crate::Digest::of(b"another proposal");
    refused(&story, &takeo(), Command::ConsentToOverride { proposal }, Error::NoSuchProposal);
}
