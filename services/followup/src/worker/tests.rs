//! Specifications of an assignment.

use spean_eventsourcing::specification::given;

use super::*;
use crate::examples::{office, staff, the_district};

fn assign(worker: &str) -> Command {
    Command::Assign { duty: Duty::Case, item: "item-1".to_owned(), worker: staff(worker) }
}

fn assigned(worker: &str) -> Event {
    let (office, worker) = (office("kandal-district"), staff(worker));
    Event::Assigned { duty: Duty::Case, item: "item-1".to_owned(), office, worker }
}

#[test]
fn a_case_has_one_worker_and_may_get_another() {
    given::<Assignment>([]).when(&the_district(), assign("staff-7")).then([assigned("staff-7")]);
    given::<Assignment>([assigned("staff-7")]).when(&the_district(), assign("staff-7")).then_nothing();
    given::<Assignment>([assigned("staff-7")]).when(&the_district(), assign("staff-8")).then([assigned("staff-8")]);
}

#[test]
fn stored_events_are_read_for_ever() {
    crate::golden::check("assignment", &[assigned("staff-7")]);
}
