//! Specifications of what is told of places, and of taking somebody beyond them.

use spean_eventsourcing::specification::given;
use spean_vocabulary::Id;

use super::*;

fn the_shelter() -> Context {
    Context {
        office: "house-of-hope-phnom-penh".parse().unwrap(),
        staff: None,
        now: Timestamp::from_micros(1_795_300_200_000_000),
    }
}

fn offer<K>() -> Id<K> {
    "00000000-0000-4000-8000-000000000001".parse().unwrap()
}

fn figures(capacity: Option<u32>, taken_persons: u32, reserved_persons: u32) -> Figures {
    Figures { capacity_persons: capacity, taken_persons, reserved_persons, waiting_persons: 0 }
}

fn counted(figures: Figures) -> Event {
    Event::Counted { figures, as_of: the_shelter().now }
}

fn take(room: Room, beyond_because: Option<OverCapacityReason>) -> Command {
    Command::Take { offer: offer(), room, beyond_because }
}

#[test]
fn what_changed_is_told_and_the_same_is_not_told_twice() {
    let two_left = figures(Some(5), 2, 1);
    given::<Availability>([]).when(&the_shelter(), Command::Count(two_left)).then([counted(two_left)]);
    assert_eq!(two_left.free_persons(), Some(2));
}

#[test]
fn who_never_limited_anything_has_nothing_to_tell_until_a_limit_is_lifted() {
    given::<Availability>([]).when(&the_shelter(), Command::Count(figures(None, 9, 0))).then_nothing();
    given::<Availability>([counted(figures(Some(5), 5, 0))])
        .when(&the_shelter(), Command::Count(figures(None, 5, 0)))
        .then([counted(figures(None, 5, 0))]);
}

#[test]
fn more_than_all_places_leaves_none_free() {
    assert_eq!(figures(Some(3), 2, 4).free_persons(), Some(0));
    assert_eq!(figures(None, 2, 4).free_persons(), None);
}

#[test]
fn the_last_place_is_taken_and_the_next_is_refused_or_explained() {
    let last = Room { capacity_persons: Some(3), taken_persons: 2, ahead_persons: 0 };
    given::<Availability>([]).when(&the_shelter(), take(last, None)).then_nothing();
    for none_left in [Room { taken_persons: 3, ..last }, Room { ahead_persons: 1, ..last }] {
        given::<Availability>([]).when(&the_shelter(), take(none_left, None)).then_error(&Error::NoPlaceFree);
        let reason = OverCapacityReason::Emergency;
        given::<Availability>([])
            .when(&the_shelter(), take(none_left, Some(reason)))
            .then([Event::TakenBeyondCapacity { offer: offer(), reason }]);
    }
    assert_eq!(Error::NoPlaceFree.reason(), "NO_PLACE_FREE");
}

#[test]
fn where_places_are_not_limited_everybody_is_taken() {
    let room = Room { capacity_persons: None, taken_persons: 900, ahead_persons: 90 };
    given::<Availability>([]).when(&the_shelter(), take(room, None)).then_nothing();
}
