use spean_eventsourcing::specification::given;

use super::*;
use crate::examples::{day, the_district};

fn matters(offers: u32) -> Matters {
    let since = day("2026-11-03");
    Matters {
        offers: (offers > 0).then_some(Open { count: offers, since }),
        needs: Some(Open { count: 1, since }),
        services: None,
    }
}

fn heard(matters: Matters) -> Event {
    Event::Heard { matters }
}

#[test]
fn what_the_desk_tells_takes_the_place_of_what_it_told_before() {
    let hear = |offers| Command::Hear(matters(offers));
    given::<AtTheDesk>([]).when(&the_district(), hear(1)).then([heard(matters(1))]);
    given::<AtTheDesk>([heard(matters(1))]).when(&the_district(), hear(1)).then_nothing();
    given::<AtTheDesk>([heard(matters(1))]).when(&the_district(), hear(0)).then([heard(matters(0))]);
    given::<AtTheDesk>([]).when(&the_district(), Command::Hear(Matters::default())).then_nothing();
}

#[test]
fn stored_events_are_read_for_ever() {
    let all = Matters { services: matters(2).needs, ..matters(2) };
    crate::golden::check("at_the_desk", &[heard(all), heard(Matters::default())]);
}
