//! The rules as given-when-then, and the races by name.

use spean_eventsourcing::specification::given;
use spean_eventsourcing::{Aggregate, Refusal};
use spean_vocabulary::{DeclineReason, LegalBasis, OfferKind, WithdrawReason};

use super::examples::{Story, at, case, kandal, ministry, offer, party, poipet, receive, seal, takeo, terms};
use super::*;
use crate::Party;

mod neighbours;
mod redirection;
mod refusals;

const TRANSFER: OfferKind = OfferKind::Transfer;
const SERVICE: OfferKind = OfferKind::Service;

fn accept() -> Message {
    Message::Accept { case: case(), offer: offer(1), term: 0 }
}

fn withdraw() -> Message {
    Message::Withdraw { case: case(), offer: offer(1), reason: WithdrawReason::Escalated }
}

fn withdrawn(reason: WithdrawReason) -> Event {
    let asked = Some(Asked { of: kandal().office, kind: TRANSFER, need: terms(TRANSFER).need });
    Event::Withdrawn { case: case(), offer: offer(1), to: kandal(), reason, asked }
}

fn mandate() -> (spean_vocabulary::OfficeId, spean_vocabulary::OfficeId) {
    (ministry().office, party("ngo-board").office)
}

fn proven_holder(chain: &[SignedCertificate]) -> Result<&Party, ChainError> {
    let (authority, cosigner) = mandate();
    let mandate = Mandate { authority: &authority, cosigner: &cosigner };
    verify_chain(chain, mandate, |by, bytes, signature| seal(by, bytes) == signature)
}

#[test]
fn a_case_moves_when_the_receiver_accepts_and_the_holder_records_it() {
    let story = Story::accepted(TRANSFER);
    assert_eq!(story.state(&kandal()).standing(), Standing::Held);
    assert_eq!(story.state(&poipet()).standing(), Standing::Former);
    assert_eq!(proven_holder(&story.state(&ministry()).chain()), Ok(&kandal()));
}

#[test]
fn opening_a_case_makes_its_first_certificate() {
    let log = Story::begun().log(&poipet());
    given::<CaseCustody>([]).when(&at(&poipet()), Command::Open { case: case() }).then(log);
}

#[test]
fn a_service_leaves_the_case_where_it_is_and_its_outcome_comes_back() {
    let story = Story::concluded();
    assert!(story.state(&poipet()).holds());
    let outcomes: Vec<_> = story.state(&poipet()).offers_out().map(|(_, offer)| offer.state).collect();
    assert_eq!(outcomes, [OfferOutState::Concluded(ServiceOutcome::Completed)]);
}

#[test]
fn an_acceptance_binds_and_does_not_yet_hold() {
    let received = Story::offered(TRANSFER).log(&kandal());
    let accepted = Event::Accepted { case: case(), offer: offer(1), to: poipet(), term: 0 };
    let bound = received.iter().chain([&accepted]);
    assert_eq!(CaseCustody::fold(bound).standing(), Standing::Bound);
    given::<CaseCustody>(received).when(&at(&kandal()), Command::Accept { offer: offer(1) }).then([accepted]);
}

#[test]
fn r1_a_late_accept_is_answered_with_the_withdrawal_again() {
    let repeated =
        Event::WithdrawalRepeated { case: case(), offer: offer(1), to: kandal(), reason: WithdrawReason::Escalated };
    assert_eq!(messages(&repeated, &poipet(), None), [Outgoing { to: kandal(), message: withdraw() }]);
    given::<CaseCustody>(Story::withdrawn(TRANSFER).log(&poipet()))
        .when(&at(&poipet()), receive(&kandal(), accept()))
        .then([repeated]);
}

#[test]
fn r1_a_withdrawal_after_the_transfer_is_refused_with_the_way_out() {
    let command = Command::Withdraw { offer: offer(1), reason: WithdrawReason::SentByMistake };
    given::<CaseCustody>(Story::accepted(TRANSFER).log(&poipet()))
        .when(&at(&poipet()), command)
        .then_error(&Error::AlreadyAccepted);
    assert_eq!(Error::AlreadyAccepted.reason(), "ALREADY_ACCEPTED");
    assert!(Error::AlreadyAccepted.to_string().contains("ask the new holder to give it back"));
}

#[test]
fn r2_a_refusal_that_crosses_the_withdrawal_changes_nothing() {
    let refusal =
        Message::Decline { case: case(), offer: offer(1), reason: DeclineReason::NoCapacity, successor: None };
    given::<CaseCustody>(Story::withdrawn(TRANSFER).log(&poipet()))
        .when(&at(&poipet()), receive(&kandal(), refusal))
        .then_nothing();
    given::<CaseCustody>(Story::declined().log(&kandal()))
        .when(&at(&kandal()), receive(&poipet(), withdraw()))
        .then_nothing();
}

#[test]
fn r3_a_late_accept_does_not_disturb_the_offer_to_the_next_office() {
    let next = Command::Offer { offer: offer(2), to: takeo(), terms: terms(TRANSFER) };
    let log = Story::withdrawn(TRANSFER).then(&poipet(), next).log(&poipet());
    let events = CaseCustody::fold(&log).decide(receive(&kandal(), accept()), &at(&poipet())).unwrap();
    let after = events.iter().fold(CaseCustody::fold(&log), CaseCustody::evolve);
    assert!(after.holds());
    assert_eq!(after.open_offers().map(|(offer, _)| offer).collect::<Vec<_>>(), [offer(2)]);
}

#[test]
fn r4_a_withdrawal_that_overtakes_its_offer_leaves_a_tombstone() {
    let reason = WithdrawReason::Escalated;
    let tombstone = Event::WithdrawalReceived { case: case(), offer: offer(1), from: poipet(), reason };
    given::<CaseCustody>([]).when(&at(&kandal()), receive(&poipet(), withdraw())).then([tombstone.clone()]);
    let late = Story::offered(TRANSFER).said(&poipet(), &kandal()).remove(0);
    given::<CaseCustody>([tombstone.clone()]).when(&at(&kandal()), receive(&poipet(), late)).then_nothing();
    given::<CaseCustody>([tombstone])
        .when(&at(&kandal()), Command::Accept { offer: offer(1) })
        .then_error(&Error::OfferWithdrawn);
}

#[test]
fn r5_a_late_copy_of_a_certificate_moves_nothing_once_the_case_was_passed_on() {
    let next = Command::Offer { offer: offer(2), to: takeo(), terms: terms(TRANSFER) };
    let story = Story::accepted(TRANSFER).then(&kandal(), next).then(&takeo(), Command::Accept { offer: offer(2) });
    let late = story.said(&poipet(), &kandal()).pop().unwrap();
    given::<CaseCustody>(story.log(&kandal())).when(&at(&kandal()), receive(&poipet(), late)).then_nothing();
    assert!(story.state(&takeo()).holds() && !story.state(&kandal()).holds());
}

#[test]
fn r5_a_certificate_that_arrives_after_newer_ones_becomes_history_and_settles_its_acceptance() {
    let next = Command::Offer { offer: offer(2), to: takeo(), terms: terms(TRANSFER) };
    let story = Story::accepted(TRANSFER).then(&kandal(), next).then(&takeo(), Command::Accept { offer: offer(2) });
    let newest = story.state(&takeo()).chain();
    let late = story.said(&poipet(), &kandal()).pop().unwrap();
    let log = [
        Event::Accepted { case: case(), offer: offer(1), to: poipet(), term: 0 },
        Event::CertificatesLearned { case: case(), at: kandal(), chain: newest },
    ];
    let history = Event::TransferReceived { case: case(), offer: offer(1), at: kandal(), chain: late.chain().to_vec() };
    let after = CaseCustody::fold(log.iter().chain([&history]));
    assert!(!after.holds() && after.standing() == Standing::Former);
    given::<CaseCustody>(log).when(&at(&kandal()), receive(&poipet(), late)).then([history]);
}

#[test]
fn r8_an_offer_repeated_after_it_was_declined_opens_no_second_task() {
    let again = Story::offered(TRANSFER).said(&poipet(), &kandal()).remove(0);
    given::<CaseCustody>(Story::declined().log(&kandal()))
        .when(&at(&kandal()), receive(&poipet(), again))
        .then_nothing();
}

#[test]
fn r9_of_two_colleagues_who_answer_differently_the_first_one_counts() {
    given::<CaseCustody>(Story::declined().log(&kandal()))
        .when(&at(&kandal()), Command::Accept { offer: offer(1) })
        .then_error(&Error::AlreadyDeclined);
}

#[test]
fn r10_a_timer_that_fires_when_the_acceptance_was_applied_first_changes_nothing() {
    let log = Story::accepted(TRANSFER).log(&poipet());
    given::<CaseCustody>(log.clone())
        .when(&at(&poipet()), Command::Remind { offer: offer(1), number: 1 })
        .then_nothing();
    let above = Command::NotifyAbove { offer: offer(1), above: ministry() };
    given::<CaseCustody>(log).when(&at(&poipet()), above).then_nothing();
}

#[test]
fn r13_a_holder_restored_to_before_the_certificate_learns_that_it_gave_the_case_away() {
    let story = Story::accepted(TRANSFER);
    let said = story.said(&poipet(), &kandal());
    let mut state = CaseCustody::fold(&Story::begun().log(&poipet()));
    for message in said {
        let recalled = Command::Recall { to: kandal(), message };
        let events = state.decide(recalled, &at(&poipet())).unwrap();
        state = events.iter().fold(state, CaseCustody::evolve);
    }
    assert_eq!(state, story.state(&poipet()));
}

#[test]
fn r13_a_holder_restored_to_before_it_opened_the_case_may_open_it_again_when_only_offers_came_back() {
    let said = Story::offered(TRANSFER).said(&poipet(), &kandal()).pop().unwrap();
    let recalled =
        CaseCustody::default().decide(Command::Recall { to: kandal(), message: said }, &at(&poipet())).unwrap();
    let opened = Story::begun().log(&poipet());
    given::<CaseCustody>(recalled).when(&at(&poipet()), Command::Open { case: case() }).then(opened);
}

#[test]
fn r13_a_certificate_that_only_the_registry_heard_of_is_sent_to_its_holder_again() {
    let story = Story::accepted(TRANSFER);
    let witness = story.said(&poipet(), &ministry()).pop().unwrap();
    let chain = witness.chain().to_vec();
    given::<CaseCustody>(Story::offered(TRANSFER).log(&poipet()))
        .when(&at(&poipet()), Command::Recall { to: ministry(), message: witness })
        .then([Event::Transferred { case: case(), offer: offer(1), to: kandal(), chain }]);
}

#[test]
fn r13_an_open_offer_of_a_restored_holder_is_taken_back_and_made_afresh() {
    let afresh = terms(TRANSFER);
    let reason = WithdrawReason::HolderRestored;
    given::<CaseCustody>(Story::offered(TRANSFER).log(&poipet()))
        .when(&at(&poipet()), Command::ReOffer { offer: offer(1), afresh: offer(2) })
        .then([
            withdrawn(reason),
            Event::Offered {
                case: case(),
                offer: offer(2),
                from: poipet(),
                to: kandal(),
                position: Position::default(),
                terms: OfferTerms { instead_of: Some(offer(1)), ..afresh },
            },
        ]);
}

#[test]
fn r13_an_acceptance_that_waited_while_the_holder_recalled_giving_the_case_away_is_answered_with_a_withdrawal() {
    let next = Command::Offer { offer: offer(2), to: takeo(), terms: terms(TRANSFER) };
    let story = Story::withdrawn(TRANSFER).then(&poipet(), next).then(&takeo(), Command::Accept { offer: offer(2) });
    let mut state = CaseCustody::fold(&Story::offered(TRANSFER).log(&poipet()));
    for message in story.said(&poipet(), &takeo()) {
        let events = state.decide(Command::Recall { to: takeo(), message }, &at(&poipet())).unwrap();
        state = events.iter().fold(state, CaseCustody::evolve);
    }
    let reason = WithdrawReason::AnotherWayFound;
    assert_eq!(state.decide(receive(&kandal(), accept()), &at(&poipet())), Ok(vec![withdrawn(reason)]));
}

#[test]
fn r14_a_receiver_restored_to_before_the_offer_learns_its_own_acceptance_and_then_the_rest() {
    let story = Story::accepted(TRANSFER);
    let recalled = Command::Recall { to: poipet(), message: accept() };
    let mut state = CaseCustody::default();
    let replayed = story.said(&poipet(), &kandal()).into_iter().map(|message| receive(&poipet(), message));
    for command in std::iter::once(recalled).chain(replayed) {
        let events = state.decide(command, &at(&kandal())).unwrap();
        state = events.iter().fold(state, CaseCustody::evolve);
    }
    assert_eq!(state, story.state(&kandal()));
}

#[test]
fn r17_a_transfer_that_only_a_later_proposal_remembers_is_recalled_with_it() {
    let begun = Story::default().then(&ministry(), Command::Open { case: case() });
    let asked = begun.then(&ministry(), Command::Offer { offer: offer(1), to: kandal(), terms: terms(TRANSFER) });
    let before = asked.log(&ministry());
    let moved = asked.then(&kandal(), Command::Accept { offer: offer(1) });
    let propose = Command::ProposeOverride { new_holder: takeo(), basis: LegalBasis::HolderUnreachable, chain: vec![] };
    let proposed = moved.then(&ministry(), propose);
    let after = proposed.log(&ministry());
    let forgotten = after[before.len()..].to_vec();
    assert!(matches!(forgotten[..], [Event::Transferred { .. }, Event::OverrideProposed { .. }]));
    let said = proposed.said(&ministry(), &takeo()).pop().unwrap();
    given::<CaseCustody>(before).when(&at(&ministry()), Command::Recall { to: takeo(), message: said }).then(forgotten);
}

#[test]
fn r17_a_refusal_that_is_recalled_after_an_override_is_still_a_refusal() {
    let reason = DeclineReason::NoCapacity;
    let no = Message::Decline { case: case(), offer: offer(1), reason, successor: None };
    let voided = Story::offered(TRANSFER).overridden().log(&kandal());
    given::<CaseCustody>(voided)
        .when(&at(&kandal()), Command::Recall { to: poipet(), message: no })
        .then([Event::Declined { case: case(), offer: offer(1), to: poipet(), reason, successor: None }]);
}

#[test]
fn r16_an_override_voids_what_the_old_holder_had_on_offer_and_tells_the_addressee() {
    let story = Story::offered(TRANSFER).overridden();
    assert!(story.state(&takeo()).holds() && !story.state(&poipet()).holds());
    let voided = |me: &Party| {
        story
            .log(me)
            .iter()
            .any(|event| matches!(event, Event::OfferVoided { offer: voided, .. } if *voided == offer(1)))
    };
    assert!(voided(&poipet()) && voided(&kandal()));
    assert_eq!(proven_holder(&story.state(&kandal()).chain()), Ok(&takeo()));
}

#[test]
fn r16_a_transfer_of_a_lower_term_is_history() {
    let sound = Story::accepted(TRANSFER);
    let transfer = sound.said(&poipet(), &kandal()).pop().unwrap();
    let log = Story::offered(TRANSFER).overridden().log(&kandal());
    let state = CaseCustody::fold(&log);
    let events = state.decide(receive(&poipet(), transfer), &at(&kandal())).unwrap();
    assert!(!events.is_empty() && !events.iter().fold(state, CaseCustody::evolve).holds());
}

#[test]
fn r18_an_office_that_accepts_after_the_override_hears_that_the_offer_is_void() {
    let story = Story::offered(TRANSFER).overridden();
    given::<CaseCustody>(story.log(&kandal()))
        .when(&at(&kandal()), Command::Accept { offer: offer(1) })
        .then_error(&Error::OfferVoid);
    given::<CaseCustody>(story.log(&poipet())).when(&at(&poipet()), receive(&kandal(), accept())).then_nothing();
}

#[test]
fn r19_a_case_may_go_and_come_back_and_old_letters_do_not_matter() {
    let mut story = Story::begun();
    for (number, from, to) in [(1, poipet(), kandal()), (2, kandal(), poipet()), (3, poipet(), kandal())] {
        let given = Command::Offer { offer: offer(number), to: to.clone(), terms: terms(TRANSFER) };
        story = story.then(&from, given).then(&to, Command::Accept { offer: offer(number) });
    }
    for message in story.said(&poipet(), &kandal()) {
        given::<CaseCustody>(story.log(&kandal())).when(&at(&kandal()), receive(&poipet(), message)).then_nothing();
    }
    assert!(story.state(&kandal()).holds());
    assert_eq!(story.state(&kandal()).position(), Position { term: 0, epoch: 3 });
}

#[test]
fn only_the_holder_may_offer_and_only_one_transfer_at_a_time() {
    let to_takeo = || Command::Offer { offer: offer(2), to: takeo(), terms: terms(TRANSFER) };
    given::<CaseCustody>(Story::accepted(TRANSFER).log(&poipet()))
        .when(&at(&poipet()), to_takeo())
        .then_error(&Error::NotTheHolder);
    given::<CaseCustody>(Story::offered(TRANSFER).log(&poipet()))
        .when(&at(&poipet()), to_takeo())
        .then_error(&Error::TransferAlreadyOpen);
    let again = Command::Offer { offer: offer(2), to: kandal(), terms: terms(SERVICE) };
    given::<CaseCustody>(Story::offered(SERVICE).log(&poipet()))
        .when(&at(&poipet()), again)
        .then_error(&Error::AlreadyAskedThere);
}

#[test]
fn strangers_may_neither_answer_nor_withdraw() {
    given::<CaseCustody>(Story::offered(TRANSFER).log(&poipet()))
        .when(&at(&poipet()), receive(&takeo(), accept()))
        .then_error(&Error::NotTheAddressee);
    given::<CaseCustody>(Story::offered(TRANSFER).log(&kandal()))
        .when(&at(&kandal()), receive(&takeo(), withdraw()))
        .then_error(&Error::NotTheSender);
    let mut stranger = at(&kandal());
    stranger.context.office = takeo().office;
    given::<CaseCustody>(Story::offered(TRANSFER).log(&kandal()))
        .when(&stranger, Command::Accept { offer: offer(1) })
        .then_error(&Error::NotForThisOffice);
}

#[test]
fn a_timer_cannot_accept() {
    let mut timer = at(&kandal());
    timer.context.staff = None;
    given::<CaseCustody>(Story::offered(TRANSFER).log(&kandal()))
        .when(&timer, Command::Accept { offer: offer(1) })
        .then_error(&Error::NeedsStaff);
}

#[test]
fn a_case_is_not_thrust_upon_an_office_that_did_not_accept() {
    let transfer = Story::accepted(TRANSFER).said(&poipet(), &kandal()).pop().unwrap();
    given::<CaseCustody>(Story::offered(TRANSFER).log(&kandal()))
        .when(&at(&kandal()), receive(&poipet(), transfer))
        .then_error(&Error::NotAccepted);
}

#[test]
fn a_note_in_place_of_a_language_is_refused() {
    let mut noted = terms(TRANSFER);
    noted.preview.language = Some("speaks Khmer, lives near the market".to_owned());
    given::<CaseCustody>(Story::begun().log(&poipet()))
        .when(&at(&poipet()), Command::Offer { offer: offer(1), to: kandal(), terms: noted })
        .then_error(&Error::LanguageNotACode);
}

#[test]
fn an_override_needs_the_authority_the_consent_and_the_second_signature() {
    let propose = Command::ProposeOverride { new_holder: takeo(), basis: LegalBasis::CourtOrder, chain: vec![] };
    given::<CaseCustody>(Story::begun().log(&poipet()))
        .when(&at(&poipet()), propose.clone())
        .then_error(&Error::NotTheAuthority);
    let story = Story::begun().then(&ministry(), propose);
    let proposal = story.state(&takeo()).request().unwrap().digest();
    given::<CaseCustody>(story.log(&takeo()))
        .when(&at(&takeo()), Command::CosignOverride { proposal })
        .then_error(&Error::NotTheCosigner);
    let story = story.then(&takeo(), Command::ConsentToOverride { proposal });
    assert!(!story.state(&takeo()).holds(), "one signature is not enough");
    assert_eq!(story.state(&takeo()).standing(), Standing::Bound);
}

#[test]
fn a_chain_proves_its_holder_and_every_change_to_it_is_noticed() {
    let chain = Story::accepted(TRANSFER).overridden().state(&takeo()).chain();
    assert_eq!(proven_holder(&chain), Ok(&takeo()));
    assert_eq!(proven_holder(&[]), Err(ChainError::Empty));
    assert_eq!(proven_holder(&chain[1..]), Err(ChainError::NoBeginning));
    assert_eq!(proven_holder(&[chain[0].clone(), chain[2].clone()]), Err(ChainError::Broken));
    let mut stolen = chain[..2].to_vec();
    stolen[1].certificate.holder = takeo();
    assert_eq!(proven_holder(&stolen), Err(ChainError::BadSignature));
    let mut seized = chain[..2].to_vec();
    seized[1].certificate.issued_by = takeo();
    assert_eq!(proven_holder(&seized), Err(ChainError::NotTheHolder));
    let mut alone = chain;
    alone[2].signatures.pop();
    assert_eq!(proven_holder(&alone), Err(ChainError::NotMandated));
}
