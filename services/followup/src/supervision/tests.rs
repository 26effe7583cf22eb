//! Specifications of the visit of a supervisor.

use spean_eventsourcing::specification::given;

use super::*;
use crate::examples::{day, office, staff, the_district};

fn visit() -> Visit {
    let good = Point { result: CheckResult::Good, mend_by: None };
    let serious = Point { result: CheckResult::Serious, mend_by: Some(day("2026-06-15")) };
    Visit {
        office: office("kandal-district"),
        by: office("kandal-province"),
        worker: Some(staff("staff-7")),
        visited_on: day("2026-06-01"),
        points: [(Check::Files, good), (Check::Visits, serious)].into(),
    }
}

fn supervised() -> Event {
    Event::Supervised(visit())
}

fn see(check: Check, seen_on: &str) -> Command {
    Command::See { check, result: CheckResult::Good, seen_on: day(seen_on) }
}

fn seen(tell: Option<&str>) -> Event {
    let tell = tell.map(office);
    Event::PointSeen { check: Check::Visits, result: CheckResult::Good, seen_on: day("2026-06-14"), tell }
}

#[test]
fn a_visit_is_recorded_with_what_must_be_mended() {
    given::<Supervision>([]).when(&the_district(), Command::Visit(visit())).then([supervised()]);
    given::<Supervision>([supervised()]).when(&the_district(), Command::Visit(visit())).then_nothing();
    let other = Visit { worker: None, ..visit() };
    given::<Supervision>([supervised()])
        .when(&the_district(), Command::Visit(other))
        .then_error(&Error::SupervisionIdTaken);
}

#[test]
fn something_was_looked_at_and_what_is_not_good_has_its_day() {
    let nothing = Visit { points: [].into(), ..visit() };
    given::<Supervision>([]).when(&the_district(), Command::Visit(nothing)).then_error(&Error::NothingLookedAt);
    for mend_by in [None, Some(day("2026-06-01"))] {
        let point = Point { result: CheckResult::ToImprove, mend_by };
        let late = Visit { points: [(Check::Money, point)].into(), ..visit() };
        given::<Supervision>([]).when(&the_district(), Command::Visit(late)).then_error(&Error::MendByMissing);
    }
}

#[test]
fn what_came_of_a_point_is_recorded() {
    given::<Supervision>([supervised()])
        .when(&the_district(), see(Check::Visits, "2026-06-14"))
        .then([seen(Some("kandal-province"))]);
    given::<Supervision>([supervised(), seen(None)])
        .when(&the_district(), see(Check::Visits, "2026-06-14"))
        .then_nothing();
    given::<Supervision>([supervised()])
        .when(&the_district(), see(Check::Money, "2026-06-14"))
        .then_error(&Error::NoSuchPoint);
    given::<Supervision>([supervised()])
        .when(&the_district(), see(Check::Visits, "2026-05-31"))
        .then_error(&Error::SeenBeforeVisit);
    given::<Supervision>([])
        .when(&the_district(), see(Check::Visits, "2026-06-14"))
        .then_error(&Error::NoSuchSupervision);
}

#[test]
fn the_office_that_was_visited_from_another_node_knows_what_it_must_mend_and_says_when_it_is_done() {
    let (hear, heard) = (Command::Hear(visit()), Event::SupervisionHeard(visit()));
    given::<Supervision>([]).when(&the_district(), hear.clone()).then([heard.clone()]);
    given::<Supervision>([heard.clone()]).when(&the_district(), hear.clone()).then_nothing();
    given::<Supervision>([supervised()]).when(&the_district(), hear).then_nothing();
    given::<Supervision>([heard])
        .when(&the_district(), see(Check::Visits, "2026-06-14"))
        .then([seen(Some("kandal-province"))]);
    let (check, result, seen_on) = (Check::Visits, CheckResult::Good, day("2026-06-14"));
    let told = Command::HearPoint { check, result, seen_on };
    let province = crate::examples::at("kandal-province", "staff-9");
    given::<Supervision>([supervised()]).when(&province, told.clone()).then([seen(None)]);
    given::<Supervision>([supervised(), seen(None)]).when(&province, told).then_nothing();
}

#[test]
fn stored_events_are_read_for_ever() {
    let heard = Event::SupervisionHeard(visit());
    crate::golden::check("supervision", &[supervised(), seen(None), seen(Some("kandal-province")), heard]);
}
