//! Specifications of the handover of a post.

use spean_eventsourcing::specification::given;

use super::*;
use crate::examples::{at, day, staff, the_district};

fn item(duty: Duty) -> Item {
    Item { duty, id: "00000000-0000-4000-8000-000000000001".to_owned() }
}

fn handover() -> Handover {
    Handover {
        from: staff("staff-7"),
        to: staff("staff-8"),
        handed_over_on: day("2026-05-01"),
        items: [item(Duty::Case), item(Duty::Payment)].into(),
    }
}

fn handed_over() -> Event {
    Event::PostHandedOver(handover())
}

fn acknowledged() -> Event {
    Event::ItemAcknowledged { item: item(Duty::Case), to: staff("staff-8") }
}

#[test]
fn a_post_is_handed_over_with_all_that_was_open_then() {
    given::<Post>([]).when(&the_district(), Command::HandOver(handover())).then([handed_over()]);
    let later = Handover { items: [item(Duty::Search)].into(), ..handover() };
    given::<Post>([handed_over()]).when(&the_district(), Command::HandOver(later)).then_nothing();
}

#[test]
fn a_post_goes_to_somebody_else_and_has_work() {
    let hand_over = |handover| Command::HandOver(handover);
    let other = Handover { to: staff("staff-9"), ..handover() };
    given::<Post>([handed_over()]).when(&the_district(), hand_over(other)).then_error(&Error::HandoverIdTaken);
    let same = Handover { to: staff("staff-7"), ..handover() };
    given::<Post>([]).when(&the_district(), hand_over(same)).then_error(&Error::HandedToThemselves);
    let nothing = Handover { items: [].into(), ..handover() };
    given::<Post>([]).when(&the_district(), hand_over(nothing)).then_error(&Error::NothingToHandOver);
}

#[test]
fn the_successor_acknowledges_one_by_one() {
    let successor = at("kandal-district", "staff-8");
    let acknowledge = |duty| Command::Acknowledge(item(duty));
    given::<Post>([handed_over()]).when(&successor, acknowledge(Duty::Case)).then([acknowledged()]);
    given::<Post>([handed_over(), acknowledged()]).when(&successor, acknowledge(Duty::Case)).then_nothing();
    given::<Post>([handed_over()]).when(&the_district(), acknowledge(Duty::Case)).then_error(&Error::NotTheSuccessor);
    given::<Post>([handed_over()]).when(&successor, acknowledge(Duty::Search)).then_error(&Error::NoSuchItem);
    given::<Post>([]).when(&successor, acknowledge(Duty::Case)).then_error(&Error::NoSuchHandover);
}

#[test]
fn stored_events_are_read_for_ever() {
    crate::golden::check("post", &[handed_over(), acknowledged()]);
}
