//! An offer whose addressee cannot answer, the reminders at the top of the ladder, and by what right a case is moved.

use spean_vocabulary::Redirection;

use super::*;

#[test]
fn both_sides_see_whom_an_offer_was_meant_for() {
    let story = Story::redirected();
    let terms =
        |known: Option<super::super::OfferTerms>| known.map(|terms| (terms.meant_for, terms.redirected_because));
    let made = story.state(&poipet()).open_offers().next().map(|(_, known)| known.terms.clone());
    let received = story.state(&kandal()).unanswered_offers().next().and_then(|(_, known)| known.terms.clone());
    assert_eq!(terms(made.clone()), Some((Some(party("kien-svay").office), Some(Redirection::Unstaffed))));
    assert_eq!(made, received);
}

#[test]
fn an_office_that_has_closed_says_whom_to_ask_instead() {
    let redirect = Command::Redirect { offer: offer(1), successor: takeo().office };
    let reason = DeclineReason::OfficeMoved;
    let successor = Some(takeo().office);
    let declined =
        Event::Declined { case: case(), offer: offer(1), to: poipet(), reason, successor: successor.clone() };
    given::<CaseCustody>(Story::offered(TRANSFER).log(&kandal()))
        .when(&at(&kandal()), redirect.clone())
        .then([declined]);
    let story = Story::offered(TRANSFER).then(&kandal(), redirect);
    let told = story.log(&poipet()).into_iter().any(
        |event| matches!(event, Event::OfferDeclined { successor: Some(successor), .. } if successor == takeo().office),
    );
    assert!(told, "the holder learns whom to ask");
    assert!(story.state(&poipet()).holds(), "and holds the case meanwhile");
}

#[test]
fn no_member_of_staff_is_needed_to_say_that_an_office_has_closed() {
    let mut nobody = at(&kandal());
    nobody.context.staff = None;
    let redirect = Command::Redirect { offer: offer(1), successor: takeo().office };
    let state = Story::offered(TRANSFER).state(&kandal());
    assert_eq!(state.decide(redirect, &nobody).unwrap().len(), 1);
    let to_itself = Command::Redirect { offer: offer(1), successor: kandal().office };
    assert_eq!(state.decide(to_itself, &nobody), Err(Error::OfferToOneself));
}

#[test]
fn what_was_answered_is_not_redirected() {
    let redirect = Command::Redirect { offer: offer(1), successor: takeo().office };
    given::<CaseCustody>(Story::declined().log(&kandal())).when(&at(&kandal()), redirect.clone()).then_nothing();
    given::<CaseCustody>(Story::accepted(TRANSFER).log(&kandal()))
        .when(&at(&kandal()), redirect)
        .then_error(&Error::AlreadyAccepted);
}

#[test]
fn a_reminder_is_said_once_for_each_number_and_never_goes_back() {
    let remind = |number| Command::Remind { offer: offer(1), number };
    let story = Story::offered(TRANSFER).then(&poipet(), remind(1));
    given::<CaseCustody>(story.log(&poipet())).when(&at(&poipet()), remind(1)).then_nothing();
    let third = Event::Reminded { case: case(), offer: offer(1), to: kandal(), number: 3 };
    given::<CaseCustody>(story.log(&poipet())).when(&at(&poipet()), remind(3)).then([third]);
    let story = story.then(&poipet(), remind(3));
    given::<CaseCustody>(story.log(&poipet())).when(&at(&poipet()), remind(2)).then_nothing();
    let said = |number| receive(&poipet(), Message::Reminder { case: case(), offer: offer(1), number });
    given::<CaseCustody>(story.log(&kandal())).when(&at(&kandal()), said(2)).then_nothing();
    let fourth = Event::ReminderReceived { case: case(), offer: offer(1), number: 4 };
    given::<CaseCustody>(story.log(&kandal())).when(&at(&kandal()), said(4)).then([fourth]);
}

#[test]
fn whoever_signs_an_override_signs_by_what_right() {
    let propose = |basis| Command::ProposeOverride { new_holder: takeo(), basis, chain: vec![] };
    let story = Story::begun().then(&ministry(), propose(LegalBasis::CourtOrder));
    for office in [takeo(), party("ngo-board")] {
        let state = story.state(&office);
        let certificate = &state.request().unwrap().certificate;
        assert_eq!(certificate.basis, Some(LegalBasis::CourtOrder), "shown to {office} before it signs");
    }
    given::<CaseCustody>(story.log(&ministry())).when(&at(&ministry()), propose(LegalBasis::CourtOrder)).then_nothing();
    let other = story.state(&ministry()).decide(propose(LegalBasis::ChildAtRisk), &at(&ministry())).unwrap();
    assert_eq!(other.len(), 1, "another right is another proposal");
    let mut chain = Story::begun().overridden().state(&takeo()).chain();
    assert_eq!(proven_holder(&chain), Ok(&takeo()));
    chain[1].certificate.basis = Some(LegalBasis::CourtOrder);
    assert_eq!(proven_holder(&chain), Err(ChainError::BadSignature), "what was signed cannot be exchanged");
}
