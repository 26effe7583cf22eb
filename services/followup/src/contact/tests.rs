//! Specifications of a search: lost, looked for, seen elsewhere, found.

use spean_eventsourcing::specification::given;

use super::*;
use crate::examples::{day, id, office, the_district};

fn lose(lost_on: &str) -> Command {
    let reason = LossReason::CrossedBorder;
    Command::Lose { lost_on: day(lost_on), reason, to_meeting_on: day("2026-06-17") }
}

fn lost() -> Event {
    let reason = LossReason::CrossedBorder;
    Event::Lost { lost_on: day("2026-06-10"), reason, to_meeting_on: day("2026-06-17") }
}

fn search(done_on: &str) -> Command {
    Command::Search { step_id: id(5), action: SearchAction::FamilyAsked, done_on: day(done_on) }
}

fn searched() -> Event {
    Event::Searched { step_id: id(5), action: SearchAction::FamilyAsked, done_on: day("2026-06-12") }
}

fn find(found_on: &str) -> Command {
    Command::Find { found_on: day(found_on), place: FoundPlace::AtHome }
}

fn found() -> Event {
    Event::Found { found_on: day("2026-07-01"), place: FoundPlace::AtHome }
}

fn seen_again() -> Event {
    Event::SeenAgain { by: office("poipet-transit-centre"), seen_on: day("2026-06-28") }
}

#[test]
fn contact_is_lost_once_at_a_time() {
    given::<Contact>([]).when(&the_district(), lose("2026-06-10")).then([lost()]);
    given::<Contact>([lost()]).when(&the_district(), lose("2026-06-10")).then_nothing();
    given::<Contact>([lost()]).when(&the_district(), lose("2026-06-11")).then_error(&Error::AlreadyLost);
    given::<Contact>([lost(), found()]).when(&the_district(), lose("2026-06-10")).then([lost()]);
}

#[test]
fn a_search_goes_step_by_step() {
    given::<Contact>([lost()]).when(&the_district(), search("2026-06-12")).then([searched()]);
    given::<Contact>([lost(), searched()]).when(&the_district(), search("2026-06-12")).then_nothing();
    given::<Contact>([lost(), searched()]).when(&the_district(), search("2026-06-13")).then_error(&Error::StepIdTaken);
}

#[test]
fn nobody_is_searched_for_or_found_who_is_not_lost() {
    given::<Contact>([]).when(&the_district(), search("2026-06-12")).then_error(&Error::NotLost);
    given::<Contact>([]).when(&the_district(), find("2026-07-01")).then_error(&Error::NotLost);
    given::<Contact>([lost()]).when(&the_district(), search("2026-06-09")).then_error(&Error::BeforeTheLoss);
    given::<Contact>([lost()]).when(&the_district(), find("2026-06-09")).then_error(&Error::BeforeTheLoss);
}

#[test]
fn who_is_found_is_no_longer_lost() {
    given::<Contact>([lost()]).when(&the_district(), find("2026-07-01")).then([found()]);
    given::<Contact>([lost(), found()]).when(&the_district(), find("2026-07-01")).then_nothing();
}

#[test]
fn who_is_registered_elsewhere_is_seen_and_not_yet_found() {
    let see = Command::SeeAgain { by: office("poipet-transit-centre"), seen_on: day("2026-06-28") };
    given::<Contact>([lost()]).when(&the_district(), see.clone()).then([seen_again()]);
    given::<Contact>([lost(), seen_again()]).when(&the_district(), see.clone()).then_nothing();
    given::<Contact>([]).when(&the_district(), see).then_nothing();
}

#[test]
fn stored_events_are_read_for_ever() {
    crate::golden::check("contact", &[lost(), searched(), seen_again(), found()]);
}
