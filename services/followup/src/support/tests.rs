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
fn stored_events_are_read_for_ever() {
    crate::golden::check("support", &[given_tools(), seen()]);
}
