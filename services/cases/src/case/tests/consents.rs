//! Who agreed: never assumed, never copied.

use super::*;

fn record(consent: Consent) -> Command {
    Command::RecordConsent { consent_id: id(2), consent }
}

#[test]
fn a_guardian_is_named_and_a_decision_is_on_record() {
    for basis in [ConsentBasis::Guardian, ConsentBasis::BestInterest] {
        let event = Event::ConsentRecorded { consent_id: id(2), consent: consent(basis) };
        done_once(vec![registered(AgeBand::Child)], record(consent(basis)), vec![event]);
    }
    let unnamed = Consent { given_by: None, ..consent(ConsentBasis::Guardian) };
    refused(vec![registered(AgeBand::Child)], record(unnamed), Error::GuardianNotNamed);
    let undecided = Consent { decision: None, ..consent(ConsentBasis::BestInterest) };
    refused(vec![registered(AgeBand::Child)], record(undecided), Error::DecisionMissing);
}

#[test]
fn what_belongs_to_another_basis_is_refused() {
    let guardian = Some(Guardian::Mother);
    for basis in [ConsentBasis::Person, ConsentBasis::BestInterest] {
        let mixed = Consent { given_by: guardian, ..consent(basis) };
        refused(vec![registered(AgeBand::Adult)], record(mixed), Error::OtherBasis);
    }
}

#[test]
fn one_alone_decides_nothing_and_nobody_decides_afterwards() {
    let decided = |change: fn(&mut Decision)| {
        let mut consent = consent(ConsentBasis::BestInterest);
        consent.decision.as_mut().map(change);
        record(consent)
    };
    let alone = decided(|decision| decision.deciders.truncate(1));
    refused(vec![registered(AgeBand::Child)], alone, Error::OneDecidesAlone);
    let afterwards = decided(|decision| decision.decided_on = day("2026-09-03"));
    refused(vec![registered(AgeBand::Child)], afterwards, Error::DecidedAfterwards);
}

#[test]
fn a_consent_covers_something_and_its_id_says_one_thing() {
    let nothing = Consent { parts: BTreeSet::new(), ..consent(ConsentBasis::Person) };
    refused(vec![registered(AgeBand::Adult)], record(nothing), Error::CoversNothing);
    let recorded = Event::ConsentRecorded { consent_id: id(2), consent: consent(ConsentBasis::Person) };
    let other = Consent { given_on: day("2026-09-05"), ..consent(ConsentBasis::Person) };
    refused(vec![registered(AgeBand::Adult), recorded], record(other), Error::ConsentIdTaken);
    let withdraw = Command::WithdrawConsent { consent_id: id(3), withdrawn_on: day(TODAY) };
    refused(vec![registered(AgeBand::Adult)], withdraw, Error::NoSuchConsent);
}

#[test]
fn what_somebody_agreed_to_alone_ends_when_they_turn_out_to_be_a_child() {
    let alone = Event::ConsentRecorded { consent_id: id(2), consent: consent(ConsentBasis::Person) };
    let amend = Command::Amend { codes: codes(AgeBand::Adolescent) };
    let amended = Event::Amended { codes: codes(AgeBand::Adolescent), on: Some(day(TODAY)) };
    let lapsed = Event::ConsentLapsed { consent_id: id(2), lapsed_on: day(TODAY) };
    let history = vec![registered(AgeBand::Adult), alone];
    done_once(history.clone(), amend, vec![amended.clone(), lapsed.clone()]);
    let case = Case::fold(history.iter().chain([&amended, &lapsed]));
    assert!(case.consents().values().all(|consent| !consent.stands(true)));
    assert!(case.checklist().missing().iter().any(|(item, _)| *item == FileItem::Consent));
    let by_guardian = Event::ConsentRecorded { consent_id: id(3), consent: consent(ConsentBasis::Guardian) };
    let history = vec![registered(AgeBand::Adult), by_guardian];
    given::<Case>(history)
        .when(&at_office(), Command::Amend { codes: codes(AgeBand::Child) })
        .then([Event::Amended { codes: codes(AgeBand::Child), on: Some(day(TODAY)) }]);
}

#[test]
fn a_case_that_comes_from_elsewhere_brings_no_consent_along() {
    let received = |age_band| Event::Received {
        case_number: None,
        person: id(1),
        from: "kandal".parse().expect("a code"),
        offer: None,
        on: day("2026-09-03"),
        sex: Some(Sex::Female),
        age_band,
    };
    assert!(Case::fold(&[received(Some(AgeBand::Adult))]).consents().is_empty());
    // An adult's own consent counts; whose age is not known is protected like a child.
    let by_person = consent(ConsentBasis::Person);
    done_once(
        vec![received(Some(AgeBand::Adult))],
        record(by_person.clone()),
        vec![Event::ConsentRecorded { consent_id: id(2), consent: by_person.clone() }],
    );
    for age_band in [None, Some(AgeBand::Unknown), Some(AgeBand::Child)] {
        refused(vec![received(age_band)], record(by_person.clone()), Error::ChildNeedsGuardian);
    }
}
