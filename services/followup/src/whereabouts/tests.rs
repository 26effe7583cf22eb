//! Specifications of contradictions: when there is one, who hears of it, and that none goes away by itself.

use spean_eventsourcing::specification::given;

use super::*;
use crate::examples::{at, day, id, office, the_district};

fn sighting(from: &str, until: Option<&str>) -> Sighting {
    Sighting {
        office: office("house-of-hope"),
        whereabouts: Seen::InShelter,
        from_day: day(from),
        until_day: until.map(day),
    }
}

fn met(on: &str) -> Met {
    Met { visit_id: id(9), office: office("kandal-district"), visited_on: day(on) }
}

fn sight(sighting: Sighting, met: Vec<Met>) -> Command {
    Command::Sight { sighting, met, tell: None, above: Some(office("kandal-province")) }
}

fn sighted(sighting: Sighting) -> Event {
    Event::Sighted { sighting, tell: None }
}

fn contradiction() -> Contradiction {
    Contradiction {
        visit_id: id(9),
        visited_by: office("kandal-district"),
        visited_on: day("2026-05-10"),
        seen_by: office("house-of-hope"),
        whereabouts: Seen::InShelter,
        seen_on: day("2026-05-01"),
    }
}

fn contradicted() -> Event {
    let tell = [office("house-of-hope"), office("kandal-province")].into();
    Event::Contradicted { contradiction: contradiction(), tell }
}

fn resolve(resolution: Resolution) -> Command {
    Command::Resolve { visit_id: id(9), resolution, tell: [office("house-of-hope")].into() }
}

fn resolved(by: &str, tell: &[&str]) -> Event {
    let tell = tell.iter().map(|code| office(code)).collect();
    Event::Resolved { visit_id: id(9), resolution: Resolution::VisitNotMade, by: office(by), tell }
}

#[test]
fn a_visit_to_somebody_whom_another_office_has_is_a_contradiction() {
    let compare = Command::Compare { met: met("2026-05-10"), above: Some(office("kandal-province")) };
    let here = sighted(sighting("2026-05-01", None));
    given::<Whereabouts>([here.clone()]).when(&the_district(), compare.clone()).then([contradicted()]);
    given::<Whereabouts>([here, contradicted()]).when(&the_district(), compare).then_nothing();
}

#[test]
fn a_report_that_came_first_is_doubted_when_the_other_office_speaks() {
    let here = sighting("2026-05-01", None);
    given::<Whereabouts>([])
        .when(&the_district(), sight(here.clone(), vec![met("2026-05-10")]))
        .then([sighted(here.clone()), contradicted()]);
    given::<Whereabouts>([sighted(here.clone()), contradicted()])
        .when(&the_district(), sight(here, vec![met("2026-05-10")]))
        .then_nothing();
}

#[test]
fn on_the_days_of_coming_and_going_and_outside_them_both_can_be_right() {
    let stay = sighted(sighting("2026-05-01", Some("2026-05-10")));
    for on in ["2026-04-30", "2026-05-01", "2026-05-10", "2026-05-11"] {
        let compare = Command::Compare { met: met(on), above: None };
        given::<Whereabouts>([stay.clone()]).when(&the_district(), compare).then_nothing();
    }
    let own = Met { office: office("house-of-hope"), ..met("2026-05-05") };
    given::<Whereabouts>([stay]).when(&the_district(), Command::Compare { met: own, above: None }).then_nothing();
}

#[test]
fn a_registration_elsewhere_casts_doubt_for_a_month_only() {
    let seen = Sighting { whereabouts: Seen::RegisteredElsewhere, ..sighting("2026-05-01", None) };
    let compare = |on| Command::Compare { met: met(on), above: None };
    given::<Whereabouts>([sighted(seen.clone())]).when(&the_district(), compare("2026-06-01")).then_nothing();
    let doubt =
        Contradiction { visited_on: day("2026-05-30"), whereabouts: Seen::RegisteredElsewhere, ..contradiction() };
    given::<Whereabouts>([sighted(seen)])
        .when(&the_district(), compare("2026-05-30"))
        .then([Event::Contradicted { contradiction: doubt, tell: [office("house-of-hope")].into() }]);
}

#[test]
fn who_is_with_another_office_is_told_to_the_next_that_has_the_case() {
    let pass_on = |to: &str| Command::PassOn { to: office(to) };
    let stay = sighted(sighting("2026-05-01", None));
    let told = Event::Sighted { sighting: sighting("2026-05-01", None), tell: Some(office("takeo-district")) };
    given::<Whereabouts>([stay.clone()]).when(&the_district(), pass_on("takeo-district")).then([told.clone()]);
    given::<Whereabouts>([stay.clone(), told]).when(&the_district(), pass_on("takeo-district")).then_nothing();
    given::<Whereabouts>([stay.clone()]).when(&the_district(), pass_on("house-of-hope")).then_nothing();
    let left = sighted(sighting("2026-05-01", Some("2026-05-10")));
    given::<Whereabouts>([stay, left]).when(&the_district(), pass_on("takeo-district")).then_nothing();
}

#[test]
fn who_has_left_is_there_no_longer() {
    let leave = Command::Leave { office: office("house-of-hope"), left_on: day("2026-05-10"), tell: None };
    let stay = sighted(sighting("2026-05-01", None));
    let left = sighted(sighting("2026-05-01", Some("2026-05-10")));
    given::<Whereabouts>([stay.clone()]).when(&the_district(), leave.clone()).then([left.clone()]);
    given::<Whereabouts>([stay, left]).when(&the_district(), leave.clone()).then_nothing();
    given::<Whereabouts>([]).when(&the_district(), leave).then_nothing();
}

#[test]
fn nobody_leaves_before_they_came() {
    given::<Whereabouts>([])
        .when(&the_district(), sight(sighting("2026-05-01", Some("2026-04-30")), vec![]))
        .then_error(&Error::UntilBeforeFrom);
}

#[test]
fn every_office_that_is_told_has_it_on_its_list_once() {
    let hear =
        |by: &str| Command::Hear { contradiction: contradiction(), by: office(by), from: office("kandal-district") };
    let heard = |by: &str| Event::ContradictionHeard {
        contradiction: contradiction(),
        by: office(by),
        from: office("kandal-district"),
    };
    let there = at("house-of-hope", "staff-1");
    given::<Whereabouts>([]).when(&there, hear("house-of-hope")).then([heard("house-of-hope")]);
    given::<Whereabouts>([heard("house-of-hope")]).when(&there, hear("house-of-hope")).then_nothing();
    given::<Whereabouts>([heard("house-of-hope")])
        .when(&there, hear("kandal-province"))
        .then([heard("kandal-province")]);
    given::<Whereabouts>([contradicted()]).when(&there, hear("kandal-province")).then_nothing();
}

#[test]
fn somebody_looks_into_it_and_says_what_came_of_it() {
    given::<Whereabouts>([contradicted()])
        .when(&the_district(), resolve(Resolution::VisitNotMade))
        .then([resolved("kandal-district", &["house-of-hope"])]);
    let history = [contradicted(), resolved("kandal-district", &["house-of-hope"])];
    given::<Whereabouts>(history.clone()).when(&the_district(), resolve(Resolution::VisitNotMade)).then_nothing();
    given::<Whereabouts>(history)
        .when(&the_district(), resolve(Resolution::ShortAbsence))
        .then_error(&Error::ResolvedOtherwise);
    given::<Whereabouts>([])
        .when(&the_district(), resolve(Resolution::ShortAbsence))
        .then_error(&Error::NoSuchContradiction);
}

#[test]
fn what_another_office_says_of_it_counts_as_long_as_it_is_open() {
    let by = office("kandal-province");
    let hear = Command::HearResolution { visit_id: id(9), resolution: Resolution::VisitNotMade, by };
    given::<Whereabouts>([contradicted()]).when(&the_district(), hear.clone()).then([resolved("kandal-province", &[])]);
    given::<Whereabouts>([]).when(&the_district(), hear.clone()).then_nothing();
    given::<Whereabouts>([contradicted(), resolved("kandal-district", &[])]).when(&the_district(), hear).then_nothing();
}

#[test]
fn stored_events_are_read_for_ever() {
    let tell = Some(office("kandal-district"));
    crate::golden::check(
        "whereabouts",
        &[
            Event::Sighted { sighting: sighting("2026-05-01", Some("2026-05-10")), tell },
            contradicted(),
            Event::ContradictionHeard {
                contradiction: contradiction(),
                by: office("house-of-hope"),
                from: office("kandal-district"),
            },
            resolved("kandal-district", &["house-of-hope"]),
        ],
    );
}
