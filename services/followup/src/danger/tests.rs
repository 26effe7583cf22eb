//! Specifications of a danger: who hears of it, the plan, the assessment, and each refusal.

use spean_eventsourcing::specification::given;

use super::*;
use crate::examples::{NOW, at, day, id, office, the_district};

fn report() -> Report {
    Report {
        case: id(1),
        office: office("kandal-district"),
        signs: [DangerSign::Threat, DangerSign::OffenderNear].into(),
        urgency: Urgency::Emergency,
        found_on: day("2026-11-20"),
        raised_at: NOW,
        plan_due_at: NOW.plus_hours(24),
    }
}

fn raise(report: Report) -> Command {
    Command::Raise { report, tell: Some(office("kandal-province")) }
}

fn raised() -> Event {
    Event::Raised { report: report(), tell: Some(office("kandal-province")) }
}

fn plan(made_on: &str, review_on: Option<&str>) -> Command {
    Command::Plan { made_on: day(made_on), review_on: review_on.map(day) }
}

fn planned(tell: &[&str]) -> Event {
    let tell = tell.iter().map(|code| office(code)).collect();
    Event::PlanRecorded { case: id(1), made_on: day("2026-11-21"), review_on: Some(day("2026-11-28")), tell }
}

fn assess(assessed_on: &str, is_over: bool) -> Command {
    Command::Assess { assessed_on: day(assessed_on), is_over }
}

fn assessed(is_over: bool, tell: &[&str]) -> Event {
    let tell = tell.iter().map(|code| office(code)).collect();
    Event::Assessed { case: id(1), assessed_on: day("2026-11-25"), is_over, tell }
}

fn heard(takes_over: bool, tell: Option<&str>) -> Event {
    let by = office(if takes_over { "saang-district" } else { "kandal-province" });
    Event::Heard { report: report(), by, tell: tell.map(office), takes_over }
}

#[test]
fn a_danger_is_reported_once_and_the_office_above_is_told() {
    given::<Danger>([]).when(&the_district(), raise(report())).then([raised()]);
    let again = Report { raised_at: NOW.plus_hours(1), plan_due_at: NOW.plus_hours(25), ..report() };
    given::<Danger>([raised()]).when(&the_district(), raise(again)).then_nothing();
}

#[test]
fn a_danger_says_what_it_is_and_its_id_says_one_thing() {
    let silent = Report { signs: [].into(), ..report() };
    given::<Danger>([]).when(&the_district(), raise(silent)).then_error(&Error::NoSigns);
    let routine = Report { urgency: Urgency::Routine, ..report() };
    given::<Danger>([]).when(&the_district(), raise(routine)).then_error(&Error::NotUrgent);
    let other = Report { urgency: Urgency::Urgent, ..report() };
    given::<Danger>([raised()]).when(&the_district(), raise(other)).then_error(&Error::DangerIdTaken);
}

#[test]
fn the_office_above_keeps_it_in_its_own_log() {
    let province = at("kandal-province", "staff-9");
    let by = office("kandal-province");
    let hear = Command::Hear { report: report(), by, tell: None, takes_over: false };
    given::<Danger>([]).when(&province, hear.clone()).then([heard(false, None)]);
    given::<Danger>([heard(false, None)]).when(&province, hear).then_nothing();
}

#[test]
fn a_plan_is_recorded_and_those_who_were_told_hear_of_it() {
    given::<Danger>([raised()])
        .when(&the_district(), plan("2026-11-21", Some("2026-11-28")))
        .then([planned(&["kandal-province"])]);
    given::<Danger>([raised(), planned(&["kandal-province"])])
        .when(&the_district(), plan("2026-11-21", Some("2026-11-28")))
        .then_nothing();
}

#[test]
fn a_plan_is_neither_older_than_the_danger_nor_looked_at_before_it_is_made() {
    given::<Danger>([raised()]).when(&the_district(), plan("2026-11-19", None)).then_error(&Error::BeforeTheDanger);
    given::<Danger>([raised()])
        .when(&the_district(), plan("2026-11-21", Some("2026-11-21")))
        .then_error(&Error::ReviewNotAfterPlan);
    given::<Danger>([]).when(&the_district(), plan("2026-11-21", None)).then_error(&Error::NoSuchDanger);
}

#[test]
fn only_an_assessment_ends_a_danger() {
    given::<Danger>([raised()]).when(&the_district(), assess("2026-11-25", false)).then([assessed(false, &[])]);
    let over = assessed(true, &["kandal-province"]);
    given::<Danger>([raised()]).when(&the_district(), assess("2026-11-25", true)).then([over.clone()]);
    given::<Danger>([raised(), over.clone()]).when(&the_district(), assess("2026-11-25", true)).then_nothing();
    given::<Danger>([raised(), over.clone()])
        .when(&the_district(), assess("2026-11-26", true))
        .then_error(&Error::DangerOver);
    given::<Danger>([raised(), over]).when(&the_district(), plan("2026-11-26", None)).then_error(&Error::DangerOver);
    given::<Danger>([raised()]).when(&the_district(), assess("2026-11-19", true)).then_error(&Error::BeforeTheDanger);
}

#[test]
fn a_danger_goes_along_with_the_case_and_the_new_office_tells_its_own_province() {
    let to = office("saang-district");
    let handed_on = Event::HandedOn { report: report(), to: to.clone() };
    given::<Danger>([raised()]).when(&the_district(), Command::HandOn { to: to.clone() }).then([handed_on.clone()]);
    given::<Danger>([raised(), handed_on]).when(&the_district(), Command::HandOn { to: to.clone() }).then_nothing();
    given::<Danger>([raised(), assessed(true, &[])])
        .when(&the_district(), Command::HandOn { to: to.clone() })
        .then_nothing();
    given::<Danger>([]).when(&the_district(), Command::HandOn { to: to.clone() }).then_error(&Error::NoSuchDanger);
    let there = at("saang-district", "staff-3");
    let tell = Some(office("takeo-province"));
    let takes_over = Command::Hear { report: report(), by: to, tell, takes_over: true };
    given::<Danger>([]).when(&there, takes_over).then([heard(true, Some("takeo-province"))]);
    given::<Danger>([heard(true, Some("takeo-province"))])
        .when(&there, plan("2026-11-21", Some("2026-11-28")))
        .then([planned(&["kandal-district", "takeo-province"])]);
}

#[test]
fn what_another_office_did_is_noted_once() {
    let answer = |made: Option<&str>, ended: Option<&str>| Command::HearAnswer {
        from: office("kandal-district"),
        plan_made_on: made.map(day),
        ended_on: ended.map(day),
    };
    let made = Event::AnswerHeard {
        case: Some(id(1)),
        plan_made_on: Some(day("2026-11-21")),
        ended_on: None,
        tell: [].into(),
    };
    given::<Danger>([heard(false, None)]).when(&the_district(), answer(Some("2026-11-21"), None)).then([made.clone()]);
    given::<Danger>([heard(false, None), made]).when(&the_district(), answer(Some("2026-11-21"), None)).then_nothing();
}

#[test]
fn who_handed_a_danger_on_tells_its_own_province_what_came_of_it() {
    let to = office("takeo-district");
    let handed_on = Event::HandedOn { report: report(), to: to.clone() };
    let answer = Command::HearAnswer { from: to, plan_made_on: None, ended_on: Some(day("2026-11-25")) };
    let heard = Event::AnswerHeard {
        case: Some(id(1)),
        plan_made_on: None,
        ended_on: Some(day("2026-11-25")),
        tell: [office("kandal-province")].into(),
    };
    given::<Danger>([raised(), handed_on]).when(&the_district(), answer).then([heard]);
}

#[test]
fn stored_events_are_read_for_ever() {
    crate::golden::check(
        "danger",
        &[
            raised(),
            heard(true, Some("takeo-province")),
            Event::HandedOn { report: report(), to: office("saang-district") },
            planned(&["kandal-province"]),
            assessed(true, &["kandal-province"]),
            Event::AnswerHeard {
                case: Some(id(1)),
                plan_made_on: Some(day("2026-11-21")),
                ended_on: Some(day("2026-11-25")),
                tell: [office("kandal-province")].into(),
            },
        ],
    );
}
