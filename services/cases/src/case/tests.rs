//! The rules of a case, one sentence each.

mod consents;
mod facts;
mod golden;
mod twins;

use spean_eventsourcing::specification::given;
use spean_vocabulary::{AgeBand, ConsentBasis, Part, Sex, Timestamp};

use super::words::{
    Abuse, Act, AttachmentKind, Body, ExploitationPurpose, Finding, Function, Guardian, Means, MediaType, RiskKind,
    Severity,
};
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
    let decision = Decision {
        decided_on: day("2026-09-02"),
        decided_by: "provincial-court".parse().expect("a code"),
        deciders: vec![Function::SocialWorker, Function::SocialWorker],
    };
    Consent {
        basis,
        parts: BTreeSet::from([Part::Identity]),
        offices: BTreeSet::new(),
        purposes: BTreeSet::new(),
        given_on: day("2026-09-02"),
        withdrawn_on: None,
        given_by: (basis == ConsentBasis::Guardian).then_some(Guardian::Grandparent),
        decision: (basis == ConsentBasis::BestInterest).then_some(decision),
    }
}

fn fact() -> Fact {
    Fact {
        acts: BTreeSet::from([Act::Recruitment, Act::Receipt]),
        means: BTreeSet::from([Means::Deception]),
        purposes: BTreeSet::from([ExploitationPurpose::ForcedLabour]),
        abuses: BTreeSet::from([Abuse::Physical]),
        from_day: Some(day("2026-01-01")),
        until_day: None,
        countries: BTreeSet::from(["TH".to_owned()]),
    }
}

fn conclusion(revises: Option<u8>) -> Conclusion {
    Conclusion {
        finding: if revises.is_some() { Finding::Exploited } else { Finding::Trafficked },
        concluded_by: Body::SocialAffairs,
        concluded_on: day("2026-09-03"),
        revises: revises.map(id),
    }
}

fn risk() -> Risk {
    Risk { kind: RiskKind::ExploiterNear, severity: Severity::Acute, raised_on: day("2026-09-03") }
}

fn paper(kind: AttachmentKind) -> Attachment {
    Attachment {
        kind,
        media_type: MediaType::Jpeg,
        size_bytes: 1_000,
        digest: "00".repeat(32),
        made_on: day("2026-09-04"),
    }
}

/// The day of [`at_office`].
const TODAY: &str = "2026-09-21";

/// A command that is carried out, and does nothing when it is sent again.
fn done_once(history: Vec<Event>, command: Command, events: Vec<Event>) {
    given::<Case>(history.clone()).when(&at_office(), command.clone()).then(events.clone());
    given::<Case>(history.into_iter().chain(events)).when(&at_office(), command).then([]);
}

fn refused(history: Vec<Event>, command: Command, error: Error) {
    given::<Case>(history).when(&at_office(), command).then_error(&error);
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
        .when(&at_office(), Command::Link { this: id(1), other: id(9), on: Some(day("2026-09-05")) })
        .then([Event::Linked { other: id(9), on: Some(day("2026-09-05")) }]);
    given::<Case>([registered(AgeBand::Adult)])
        .when(&at_office(), Command::Link { this: id(1), other: id(1), on: None })
        .then_error(&Error::LinkedToItself);
}

#[test]
fn after_an_erasure_nothing_is_added() {
    let erased = Event::PersonErased { ground: "REQUEST_OF_PERSON".to_owned() };
    given::<Case>([registered(AgeBand::Adult), erased])
        .when(&at_office(), Command::Amend { codes: codes(AgeBand::Adult) })
        .then_error(&Error::Erased);
}

#[test]
fn a_person_of_whom_next_to_nothing_is_known_is_registered_and_every_gap_is_marked() {
    let codes = Codes {
        sex: Sex::Unknown,
        age_band: AgeBand::Unknown,
        language: None,
        home_place: None,
        missing: ["name", "birth", "sex", "home_place"].map(str::to_owned).to_vec(),
    };
    let command =
        Command::Register { case_number: number(), person: id(1), codes: codes.clone(), registered_on: day(TODAY) };
    let office = at_office().office;
    let event = Event::Registered { case_number: number(), person: id(1), office, codes, registered_on: day(TODAY) };
    done_once(vec![], command, vec![event.clone()]);
    let missing = Case::fold(&[event]).checklist().missing();
    assert_eq!(missing.len(), 10, "everything is missing and nobody is turned away: {missing:?}");
}

#[test]
fn a_return_is_on_record_for_one_day_and_never_before_the_registration() {
    let complete = |on: &str| Command::CompleteReturn {
        returned_on: day(on),
        followed_up_by: Some("kandal".parse().expect("a code")),
    };
    let followed_up_by = "kandal".parse().expect("a code");
    let returned = Event::Returned { returned_on: day("2026-09-10"), followed_up_by };
    done_once(vec![registered(AgeBand::Child)], complete("2026-09-10"), vec![returned.clone()]);
    refused(vec![registered(AgeBand::Child), returned], complete("2026-09-11"), Error::AlreadyReturned);
    refused(vec![registered(AgeBand::Child)], complete("2026-08-31"), Error::ReturnedBeforeRegistration);
}

#[test]
fn of_a_case_that_is_not_here_nothing_is_recorded() {
    refused(vec![], Command::Amend { codes: codes(AgeBand::Adult) }, Error::NoSuchCase);
    refused(vec![], Command::RaiseRisk { risk_id: id(5), risk: risk() }, Error::NoSuchCase);
}
