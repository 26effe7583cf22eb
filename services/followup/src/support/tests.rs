//! Specifications of help and what became of it.

use spean_eventsourcing::specification::given;

use super::*;
use crate::examples::{day, id, office, the_district};

fn tools() -> Given {
    Given { case: id(1), kind: SupportKind::Tools, given_on: day("2026-01-31"), given_by: office("house-of-hope") }
}

fn given_tools() -> Event {
    let outcomes_due = vec![(3, day("2026-04-30")), (6, day("2026-07-31")), (12, day("2027-01-31"))];
    Event::SupportGiven { given: tools(), outcomes_due }
}

fn see(after_months: u8, outcome: SupportOutcome, seen_on: &str) -> Command {
    Command::See { after_months, outcome, seen_on: day(seen_on) }
}

fn seen() -> Event {
    Event::OutcomeSeen { after_months: 3, outcome: SupportOutcome::Sold, seen_on: day("2026-05-02") }
}

fn sold() -> Seen {
    Seen { after_months: 3, outcome: SupportOutcome::Sold, seen_on: day("2026-05-02") }
}

fn taken_up(seen: Vec<Seen>) -> Event {
    let outcomes_due = vec![(3, day("2026-04-30")), (6, day("2026-07-31")), (12, day("2027-01-31"))];
    Event::TakenUp { given: tools(), outcomes_due, seen }
}

#[test]
fn of_a_livelihood_the_outcome_is_due_three_times() {
    given::<Support>([]).when(&the_district(), Command::Give(tools())).then([given_tools()]);
    given::<Support>([given_tools()]).when(&the_district(), Command::Give(tools())).then_nothing();
    let food = Given { kind: SupportKind::Food, ..tools() };
    given::<Support>([])
        .when(&the_district(), Command::Give(food.clone()))
        .then([Event::SupportGiven { given: food.clone(), outcomes_due: vec![] }]);
    given::<Support>([given_tools()]).when(&the_district(), Command::Give(food)).then_error(&Error::SupportIdTaken);
}

#[test]
fn tools_that_were_sold_are_found_out() {
    let sold = see(3, SupportOutcome::Sold, "2026-05-02");
    given::<Support>([given_tools()]).when(&the_district(), sold.clone()).then([seen()]);
    given::<Support>([given_tools(), seen()]).when(&the_district(), sold).then_nothing();
    given::<Support>([given_tools(), seen()])
        .when(&the_district(), see(3, SupportOutcome::GoesWell, "2026-05-02"))
        .then_error(&Error::OutcomeOnRecord);
}

#[test]
fn an_outcome_is_looked_for_when_it_is_due_and_after_the_help() {
    given::<Support>([given_tools()])
        .when(&the_district(), see(4, SupportOutcome::Sold, "2026-05-02"))
        .then_error(&Error::NoSuchOutcome);
    given::<Support>([given_tools()])
        .when(&the_district(), see(3, SupportOutcome::Sold, "2026-01-30"))
        .then_error(&Error::SeenBeforeGiven);
    given::<Support>([])
        .when(&the_district(), see(3, SupportOutcome::Sold, "2026-05-02"))
        .then_error(&Error::NoSuchSupport);
}

#[test]
fn help_goes_along_with_the_case_and_its_outcomes_are_looked_for_there() {
    let to = office("takeo-district");
    let pass = Command::HandOn { to: to.clone() };
    let handed_on = Event::HandedOn { given: tools(), seen: vec![sold()], to };
    given::<Support>([given_tools(), seen()]).when(&the_district(), pass.clone()).then([handed_on.clone()]);
    given::<Support>([given_tools(), seen(), handed_on]).when(&the_district(), pass.clone()).then_nothing();
    given::<Support>([]).when(&the_district(), pass).then_error(&Error::NoSuchSupport);
    let receive = Command::TakeUp { given: tools(), seen: vec![sold()] };
    let taken_up = taken_up(vec![sold()]);
    given::<Support>([]).when(&the_district(), receive.clone()).then([taken_up.clone()]);
    given::<Support>([taken_up.clone()]).when(&the_district(), receive.clone()).then_nothing();
    given::<Support>([taken_up]).when(&the_district(), see(3, SupportOutcome::Sold, "2026-05-02")).then_nothing();
    // Back where it was given, only what was seen meanwhile is news.
    let later = Seen { after_months: 6, ..sold() };
    let back = Command::TakeUp { given: tools(), seen: vec![sold(), later] };
    given::<Support>([given_tools(), seen()]).when(&the_district(), receive).then_nothing();
    given::<Support>([given_tools(), seen()]).when(&the_district(), back).then([self::taken_up(vec![later])]);
}

#[test]
fn what_is_seen_between_two_handovers_goes_along_with_the_second() {
    let to = office("takeo-district");
    let first = Event::HandedOn { given: tools(), seen: vec![], to: to.clone() };
    given::<Support>([given_tools(), first, seen()])
        .when(&the_district(), Command::HandOn { to: to.clone() })
        .then([Event::HandedOn { given: tools(), seen: vec![sold()], to }]);
}

#[test]
fn help_of_another_kind_does_not_come_under_the_same_id() {
    let food = Given { kind: SupportKind::Food, ..tools() };
    given::<Support>([given_tools()])
        .when(&the_district(), Command::TakeUp { given: food, seen: vec![] })
        .then_error(&Error::SupportIdTaken);
}

#[test]
fn stored_events_are_read_for_ever() {
    let handed_on = Event::HandedOn { given: tools(), seen: vec![sold()], to: office("takeo-district") };
    crate::golden::check("support", &[given_tools(), seen(), handed_on, taken_up(vec![sold()]), taken_up(vec![])]);
}
