//! Two cases, one person or two: people judge, and may take it back.

use super::*;

fn here() -> Vec<Event> {
    vec![registered(AgeBand::Adult)]
}

fn with(events: impl IntoIterator<Item = Event>) -> Vec<Event> {
    here().into_iter().chain(events).collect()
}

fn on() -> Date {
    day("2026-09-05")
}

fn linked() -> Event {
    Event::Linked { other: id(9), on: Some(on()) }
}

fn merged() -> Event {
    Event::MergedInto { into: id(9), on: on() }
}

fn merge(both_held: bool) -> Command {
    Command::Merge { this: id(1), into: id(9), on: on(), both_held }
}

#[test]
fn a_pair_that_was_judged_is_not_pointed_out_again() {
    let found = || Command::NotePossibleDuplicate { other: id(9), score: 90, reasons: vec![] };
    let event = Event::PossibleDuplicateFound { other: id(9), score: 90, reasons: vec![] };
    done_once(here(), found(), vec![event]);
    let judgement = Event::DuplicateRuledOut { other: id(9), on: on() };
    done_once(here(), Command::RuleOut { this: id(1), other: id(9), on: on() }, vec![judgement.clone()]);
    for judged in [vec![judgement], vec![linked()], vec![linked(), Event::Unlinked { other: id(9), on: on() }]] {
        given::<Case>(with(judged)).when(&at_office(), found()).then([]);
    }
}

#[test]
fn a_judgement_is_of_two_cases_and_contradicts_no_other() {
    refused(here(), Command::RuleOut { this: id(1), other: id(1), on: on() }, Error::LinkedToItself);
    refused(with([linked()]), Command::RuleOut { this: id(1), other: id(9), on: on() }, Error::LinkedAsOne);
    // Who links two cases that were ruled out has judged again.
    let ruled_out = Event::DuplicateRuledOut { other: id(9), on: on() };
    done_once(with([ruled_out]), Command::Link { this: id(1), other: id(9), on: Some(on()) }, vec![linked()]);
}

#[test]
fn a_link_is_taken_back() {
    let unlink = Command::Unlink { other: id(9), on: on() };
    done_once(with([linked()]), unlink.clone(), vec![Event::Unlinked { other: id(9), on: on() }]);
    refused(here(), unlink.clone(), Error::NotLinked);
    refused(with([merged()]), unlink.clone(), Error::StillMerged);
    refused(with([Event::Absorbed { other: id(9), on: on() }]), unlink, Error::StillMerged);
}

#[test]
fn an_office_merges_two_cases_that_it_holds() {
    done_once(here(), merge(true), vec![merged()]);
    refused(here(), merge(false), Error::NotBothHeld);
    let absorb = Command::Absorb { other: id(9), on: on() };
    done_once(here(), absorb, vec![Event::Absorbed { other: id(9), on: on() }]);
}

#[test]
fn merges_make_no_chains_and_no_rings() {
    let itself = Command::Merge { this: id(1), into: id(1), on: on(), both_held: true };
    refused(here(), itself, Error::MergedIntoItself);
    let elsewhere = Command::Merge { this: id(1), into: id(8), on: on(), both_held: true };
    refused(with([merged()]), elsewhere, Error::MergedElsewhere);
    refused(with([Event::Absorbed { other: id(8), on: on() }]), merge(true), Error::OthersMergedIntoIt);
    refused(with([merged()]), Command::Absorb { other: id(8), on: on() }, Error::Merged);
}

#[test]
fn two_people_are_not_merged() {
    let ruled_out = Event::DuplicateRuledOut { other: id(9), on: on() };
    refused(with([ruled_out]), merge(true), Error::JudgedAnotherPerson);
}

#[test]
fn nothing_is_lost_in_a_case_that_rests() {
    let rests = || with([merged()]);
    refused(rests(), Command::Amend { codes: codes(AgeBand::Adult) }, Error::Merged);
    refused(rests(), Command::RaiseRisk { risk_id: id(7), risk: risk() }, Error::Merged);
    let consent = consent(ConsentBasis::Person);
    refused(rests(), Command::RecordConsent { consent_id: id(2), consent }, Error::Merged);
}

#[test]
fn a_case_that_rests_is_taken_up_again_as_it_was() {
    let unmerge = Command::Unmerge { on: on() };
    let unmerged = Event::Unmerged { from: id(9), on: on() };
    done_once(with([merged()]), unmerge.clone(), vec![unmerged.clone()]);
    refused(here(), unmerge, Error::NotMerged);
    let amend = Command::Amend { codes: codes(AgeBand::Child) };
    let amended = Event::Amended { codes: codes(AgeBand::Child), on: Some(day(TODAY)) };
    done_once(with([merged(), unmerged]), amend, vec![amended]);
    let absorbed = Event::Absorbed { other: id(9), on: on() };
    let release = Command::Release { other: id(9), on: on() };
    done_once(with([absorbed]), release.clone(), vec![Event::Released { other: id(9), on: on() }]);
    given::<Case>(here()).when(&at_office(), release).then([]);
}

#[test]
fn somebody_sees_to_it_when_a_person_was_registered_elsewhere() {
    let by: OfficeId = "kandal".parse().expect("a code");
    let told = Command::NoteSeenAgain { other: id(9), by: by.clone(), on: on() };
    let seen = Event::SeenAgain { other: id(9), by, on: on() };
    done_once(here(), told.clone(), vec![seen.clone()]);
    // News may come for a case that is not here, and is no mistake.
    given::<Case>([]).when(&at_office(), told).then([]);
    let acknowledge = Command::AcknowledgeSeenAgain { other: id(9) };
    done_once(with([seen]), acknowledge.clone(), vec![Event::SeenAgainAcknowledged { other: id(9) }]);
    refused(here(), acknowledge, Error::NotSeenAgain);
}
