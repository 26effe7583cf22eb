//! Specifications of a follow-up: the way it goes, doing it again, and each refusal.

use spean_eventsourcing::specification::given;
use spean_vocabulary::{Id, Timestamp};

use super::*;

pub(super) fn the_district() -> Context {
    Context {
        office: "kandal-district".parse().unwrap(),
        staff: Some("staff-7".parse().unwrap()),
        now: Timestamp::from_micros(1_795_300_200_000_000),
    }
}

pub(super) fn day(text: &str) -> Date {
    text.parse().unwrap()
}

pub(super) fn id<K>(number: u8) -> Id<K> {
    format!("00000000-0000-4000-8000-0000000000{number:02x}").parse().unwrap()
}

pub(super) const MONTHLY: Rhythm = Rhythm { months: 12, every_months: 1 };

fn begin(on: &str) -> Command {
    Command::Begin { reintegrated_on: day(on), rhythm: MONTHLY, is_holder: true }
}

pub(super) fn begun() -> Event {
    let due_on = [
        "2026-02-28",
        "2026-03-31",
        "2026-04-30",
        "2026-05-31",
        "2026-06-30",
        "2026-07-31",
        "2026-08-31",
        "2026-09-30",
        "2026-10-31",
        "2026-11-30",
        "2026-12-31",
        "2027-01-31",
    ];
    Event::Begun { reintegrated_on: day("2026-01-31"), due_on: due_on.map(day).to_vec(), office: None }
}

pub(super) fn visit(visit: u8, number: u8, on: &str, outcome: VisitOutcome) -> Visit {
    Visit {
        visit_id: id(visit),
        number,
        visited_on: day(on),
        outcome,
        responsible_adult_present: false,
        responsible_adult: None,
        present: [].into(),
        findings: [].into(),
        place: None,
        with_offices: [].into(),
        needs: vec![],
        next_on: None,
    }
}

/// A visit to an adult.
pub(super) fn record(visit: &Visit) -> Command {
    Command::Record { visit: visit.clone(), is_child: false, has_findings: true }
}

#[test]
fn twelve_visits_are_due_month_by_month_also_where_a_month_is_short() {
    let Event::Begun { reintegrated_on, due_on, .. } = begun() else { panic!("it begins") };
    let begun = Event::Begun { reintegrated_on, due_on, office: Some(the_district().office) };
    given::<Plan>([]).when(&the_district(), begin("2026-01-31")).then([begun]);
}

#[test]
fn the_same_day_again_changes_nothing_whoever_asks() {
    let again = Command::Begin { reintegrated_on: day("2026-01-31"), rhythm: MONTHLY, is_holder: false };
    given::<Plan>([begun()]).when(&the_district(), again).then_nothing();
}

#[test]
fn another_day_is_refused() {
    given::<Plan>([begun()]).when(&the_district(), begin("2026-02-01")).then_error(&Error::AlreadyBegun);
}

#[test]
fn an_office_that_does_not_hold_the_case_does_not_begin_its_follow_up() {
    let command = Command::Begin { reintegrated_on: day("2026-01-31"), rhythm: MONTHLY, is_holder: false };
    given::<Plan>([]).when(&the_district(), command).then_error(&Error::NotTheHolder);
}

#[test]
fn a_visit_is_recorded_weeks_later_and_out_of_order() {
    let third = visit(3, 3, "2026-04-30", VisitOutcome::Met);
    let first = visit(1, 1, "2026-02-27", VisitOutcome::Refused);
    given::<Plan>([begun()]).when(&the_district(), record(&third)).then([Event::VisitRecorded(third.clone())]);
    given::<Plan>([begun(), Event::VisitRecorded(third)])
        .when(&the_district(), record(&first))
        .then([Event::VisitRecorded(first.clone())]);
}

#[test]
fn a_visit_id_says_one_thing() {
    let met = visit(1, 1, "2026-02-27", VisitOutcome::Met);
    for other in [
        visit(1, 2, "2026-02-27", VisitOutcome::Met),
        visit(1, 1, "2026-02-26", VisitOutcome::Met),
        visit(1, 1, "2026-02-27", VisitOutcome::Refused),
        Visit { responsible_adult_present: true, ..met.clone() },
    ] {
        given::<Plan>([begun(), Event::VisitRecorded(met.clone())])
            .when(&the_district(), record(&other))
            .then_error(&Error::VisitIdTaken);
    }
}

#[test]
fn a_missed_visit_stays_due_until_somebody_is_met() {
    let missed = Event::VisitRecorded(visit(1, 1, "2026-02-27", VisitOutcome::Missed));
    let missed_again = visit(2, 1, "2026-03-02", VisitOutcome::Missed);
    given::<Plan>([begun(), missed.clone()])
        .when(&the_district(), record(&missed_again))
        .then([Event::VisitRecorded(missed_again.clone())]);
    let met = visit(3, 1, "2026-03-09", VisitOutcome::Met);
    given::<Plan>([begun(), missed, Event::VisitRecorded(missed_again)])
        .when(&the_district(), record(&met))
        .then([Event::VisitRecorded(met.clone())]);
}

#[test]
fn a_visit_that_met_or_was_refused_is_not_made_again() {
    for settled in [VisitOutcome::Met, VisitOutcome::Refused] {
        let history = [begun(), Event::VisitRecorded(visit(1, 1, "2026-02-27", settled))];
        for outcome in [VisitOutcome::Met, VisitOutcome::Missed, VisitOutcome::Refused] {
            given::<Plan>(history.clone())
                .when(&the_district(), record(&visit(2, 1, "2026-03-01", outcome)))
                .then_error(&Error::AlreadySettled);
        }
    }
}

#[test]
fn a_child_is_not_met_alone_and_may_be_missed_or_refuse_alone() {
    let of_a_child = |visit: &Visit| Command::Record { visit: visit.clone(), is_child: true, has_findings: false };
    let met = visit(1, 1, "2026-02-27", VisitOutcome::Met);
    given::<Plan>([begun()]).when(&the_district(), of_a_child(&met)).then_error(&Error::ResponsibleAdultMissing);
    let with = |function| Visit { responsible_adult_present: true, responsible_adult: Some(function), ..met.clone() };
    for function in [PersonFunction::Child, PersonFunction::Employer, PersonFunction::Police, PersonFunction::Other] {
        given::<Plan>([begun()])
            .when(&the_district(), of_a_child(&with(function)))
            .then_error(&Error::NotAResponsibleAdult);
    }
    let accompanied = with(PersonFunction::Grandparent);
    for visit in
        [accompanied, visit(1, 1, "2026-02-27", VisitOutcome::Missed), visit(1, 1, "2026-02-27", VisitOutcome::Refused)]
    {
        given::<Plan>([begun()]).when(&the_district(), of_a_child(&visit)).then([Event::VisitRecorded(visit.clone())]);
    }
}

#[test]
fn nobody_is_visited_at_home_before_going_home() {
    given::<Plan>([begun()])
        .when(&the_district(), record(&visit(1, 1, "2026-01-30", VisitOutcome::Met)))
        .then_error(&Error::VisitedBeforeReintegration);
}

#[test]
fn there_is_no_visit_before_the_first_and_after_the_twelfth() {
    for number in [0, 13] {
        given::<Plan>([begun()])
            .when(&the_district(), record(&visit(1, number, "2026-02-27", VisitOutcome::Met)))
            .then_error(&Error::NoSuchVisit);
    }
}

#[test]
fn a_visit_needs_a_plan() {
    given::<Plan>([])
        .when(&the_district(), record(&visit(1, 1, "2026-02-27", VisitOutcome::Met)))
        .then_error(&Error::NotBegun);
}

#[test]
fn after_an_erasure_facts_are_recorded_and_words_are_refused() {
    let met = visit(1, 1, "2026-02-27", VisitOutcome::Met);
    given::<Plan>([begun()]).when(&the_district(), Command::Erase).then([Event::PersonErased]);
    given::<Plan>([begun(), Event::PersonErased]).when(&the_district(), record(&met)).then_error(&Error::Erased);
    given::<Plan>([begun(), Event::PersonErased])
        .when(&the_district(), Command::Record { visit: met.clone(), is_child: false, has_findings: false })
        .then([Event::VisitRecorded(met)]);
}

/// The lines of the first version of this program: read for ever, and written again as they were.
#[test]
fn events_of_the_first_version_are_read_for_ever() {
    let stored = include_str!("../../tests/golden/plan.jsonl");
    let accompanied = Visit { responsible_adult_present: true, ..visit(3, 2, "2026-03-29", VisitOutcome::Met) };
    let events = [
        begun(),
        Event::VisitRecorded(visit(1, 1, "2026-02-27", VisitOutcome::Missed)),
        Event::VisitRecorded(visit(2, 1, "2026-03-01", VisitOutcome::Refused)),
        Event::VisitRecorded(accompanied),
        Event::PersonErased,
    ];
    let lines: String = events.iter().map(|event| serde_json::to_string(event).unwrap() + "\n").collect();
    assert!(stored.starts_with(&lines));
    let read: Vec<Event> = stored.lines().take(5).map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(read, events);
}
