//! The rules of a case, one sentence each.

use spean_eventsourcing::specification::given;
use spean_vocabulary::{AgeBand, Sex, Timestamp};

use super::*;

fn at_office() -> Context {
    Context {
        office: "ratanak-kiri".parse().expect("a code"),
        staff: Some("staff-7".parse().expect("a code")),
        now: Timestamp::from_micros(1_790_000_000_000_000),
    }
}

fn day(text: &str) -> Date {
    text.parse().expect("a day")
}

fn id<K>(number: u8) -> spean_vocabulary::Id<K> {
    format!("00000000-0000-4000-8000-0000000000{number:02x}").parse().expect("an id")
}

fn codes(age_band: AgeBand) -> Codes {
    Codes { sex: Sex::Female, age_band, language: None, home_place: None, missing: vec!["home_place".to_owned()] }
}

fn number() -> CaseNumber {
    CaseNumber::draw("RK".parse().expect("a tag"), [1, 2, 3, 4, 5])
}

fn registered(age_band: AgeBand) -> Event {
    Event::Registered {
        case_number: number(),
        person: id(1),
        office: at_office().office,
        codes: codes(age_band),
        registered_on: day("2026-09-01"),
    }
}

fn consent(basis: ConsentBasis) -> Consent {
    Consent {
        basis,
        parts: BTreeSet::from([Part::Identity]),
        offices: BTreeSet::new(),
        purposes: BTreeSet::new(),
        given_on: day("2026-09-02"),
        withdrawn_on: None,
    }
}

#[test]
fn a_case_is_opened_with_whatever_is_known() {
    let command = Command::Register {
        case_number: number(),
        person: id(1),
        codes: codes(AgeBand::Unknown),
        registered_on: day("2026-09-01"),
    };
    given::<Case>([]).when(&at_office(), command).then([registered(AgeBand::Unknown)]);
}

#[test]
fn the_same_id_for_somebody_else_is_refused() {
    let command = Command::Register {
        case_number: number(),
        person: id(1),
        codes: codes(AgeBand::Adult),
        registered_on: day("2026-09-01"),
    };
    given::<Case>([registered(AgeBand::Child)]).when(&at_office(), command).then_error(&Error::CaseIdTaken);
}

#[test]
fn another_office_cannot_take_a_case_by_registering_it_again() {
    let command = Command::Register {
        case_number: number(),
        person: id(1),
        codes: codes(AgeBand::Adult),
        registered_on: day("2026-09-01"),
    };
    let stranger = Context { office: "kandal".parse().expect("a code"), ..at_office() };
    given::<Case>([registered(AgeBand::Adult)]).when(&stranger, command).then_error(&Error::CaseIdTaken);
}

#[test]
fn an_adult_consents_for_herself() {
    let command = Command::RecordConsent { consent_id: id(2), consent: consent(ConsentBasis::Person) };
    let event = Event::ConsentRecorded { consent_id: id(2), consent: consent(ConsentBasis::Person) };
    given::<Case>([registered(AgeBand::Adult)]).when(&at_office(), command).then([event]);
}

#[test]
fn a_child_does_not_consent_alone_and_neither_does_somebody_of_unknown_age() {
    for age_band in [AgeBand::Adolescent, AgeBand::Unknown] {
        let command = Command::RecordConsent { consent_id: id(2), consent: consent(ConsentBasis::Person) };
        given::<Case>([registered(age_band)]).when(&at_office(), command).then_error(&Error::ChildNeedsGuardian);
    }
}

#[test]
fn a_consent_is_taken_back_and_never_before_it_was_given() {
    let recorded = Event::ConsentRecorded { consent_id: id(2), consent: consent(ConsentBasis::Guardian) };
    let history = [registered(AgeBand::Child), recorded];
    let withdraw = |on| Command::WithdrawConsent { consent_id: id(2), withdrawn_on: day(on) };
    given::<Case>(history.clone())
        .when(&at_office(), withdraw("2026-09-03"))
        .then([Event::ConsentWithdrawn { consent_id: id(2), withdrawn_on: day("2026-09-03") }]);
    given::<Case>(history).when(&at_office(), withdraw("2026-09-01")).then_error(&Error::WithdrawnBeforeGiven);
}

#[test]
fn nobody_is_sent_home_before_an_office_has_taken_the_follow_up() {
    let complete = |office: Option<&str>| Command::CompleteReturn {
        returned_on: day("2026-09-10"),
        followed_up_by: office.map(|office| office.parse().expect("a code")),
    };
    given::<Case>([registered(AgeBand::Child)])
        .when(&at_office(), complete(None))
        .then_error(&Error::FollowUpNotAccepted);
    let followed_up_by = "kandal".parse().expect("a code");
    given::<Case>([registered(AgeBand::Child)])
        .when(&at_office(), complete(Some("kandal")))
        .then([Event::Returned { returned_on: day("2026-09-10"), followed_up_by }]);
}

#[test]
fn two_cases_of_one_person_are_linked_by_people_and_not_to_themselves() {
    let found = Event::PossibleDuplicateFound { other: id(9), score: 90, reasons: vec!["SAME_DOCUMENT".to_owned()] };
    given::<Case>([registered(AgeBand::Adult), found])
        .when(&at_office(), Command::Link { this: id(1), other: id(9) })
        .then([Event::Linked { other: id(9) }]);
    given::<Case>([registered(AgeBand::Adult)])
        .when(&at_office(), Command::Link { this: id(1), other: id(1) })
        .then_error(&Error::LinkedToItself);
}

#[test]
fn after_an_erasure_nothing_is_added() {
    let erased = Event::PersonErased { ground: "REQUEST_OF_PERSON".to_owned() };
    given::<Case>([registered(AgeBand::Adult), erased])
        .when(&at_office(), Command::Amend { codes: codes(AgeBand::Adult) })
        .then_error(&Error::Erased);
}

/// One of each kind of event, as it is stored for ever.
fn every_event() -> Vec<Event> {
    vec![
        registered(AgeBand::Adult),
        Event::Received {
            case_number: Some(number()),
            person: id(1),
            from: "kandal".parse().expect("a code"),
            offer: Some(id(7)),
            on: day("2026-09-03"),
        },
        Event::Amended { codes: codes(AgeBand::Child) },
        Event::ConsentRecorded { consent_id: id(2), consent: consent(ConsentBasis::Guardian) },
        Event::ConsentWithdrawn { consent_id: id(2), withdrawn_on: day("2026-09-04") },
        Event::Linked { other: id(9) },
        Event::PossibleDuplicateFound { other: id(9), score: 90, reasons: vec!["SAME_DOCUMENT".to_owned()] },
        Event::Returned { returned_on: day("2026-09-10"), followed_up_by: "kandal".parse().expect("a code") },
        Event::PersonErased { ground: "REQUEST_OF_PERSON".to_owned() },
    ]
}

#[test]
fn stored_events_are_read_as_they_were_written() {
    const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/case.jsonl");
    let line = |event: &Event| serde_json::to_string(event).expect("an event is JSON") + "\n";
    let lines: String = every_event().iter().map(line).collect();
    if std::env::var_os("SPEAN_BLESS").is_some() {
        std::fs::write(FILE, &lines).expect("the file can be written");
    }
    let golden = std::fs::read_to_string(FILE).expect("the golden lines are there");
    assert_eq!(lines, golden, "stored events may not change; if this is meant, run again with SPEAN_BLESS=1");
    let read: Vec<Event> = golden.lines().map(|line| serde_json::from_str(line).expect("readable")).collect();
    assert_eq!(read, every_event());
}
