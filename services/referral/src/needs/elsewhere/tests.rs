//! Specifications of waiting at another office, as it was told.

use spean_eventsourcing::specification::given;

use super::*;

fn here() -> Context {
    Context { office: "dsvy-kandal".parse().unwrap(), staff: None, now: Timestamp::from_micros(1_795_300_200_000_000) }
}

fn line() -> Line {
    Line {
        at: "house-of-hope-phnom-penh".parse().unwrap(),
        case: "00000000-0000-4000-8000-000000000001".parse().unwrap(),
        need: Need::Shelter,
        urgency: Urgency::Urgent,
    }
}

fn position(position: u32) -> Event {
    Event::PositionHeard { line: line(), position }
}

fn kept() -> Event {
    Event::PlaceKeptHeard { line: line(), until: here().now.plus_hours(48) }
}

#[test]
fn the_position_moves_until_a_place_is_kept() {
    let hear = |position| Command::HearPosition { line: line(), position };
    given::<WaitingElsewhere>([]).when(&here(), hear(2)).then([position(2)]);
    given::<WaitingElsewhere>([position(2)]).when(&here(), hear(1)).then([position(1)]);
    let until = here().now.plus_hours(48);
    let hear_kept = Command::HearPlaceKept { line: line(), until };
    given::<WaitingElsewhere>([position(1)]).when(&here(), hear_kept).then([kept()]);
    given::<WaitingElsewhere>([kept()]).when(&here(), hear(1)).then([position(1)]);
}

#[test]
fn what_is_given_up_is_told_once_and_nothing_is_heard_after_it() {
    let why = WaitingEnd::PersonRefused;
    let given_up = Event::GivenUp { line: line(), why };
    given::<WaitingElsewhere>([position(2)]).when(&here(), Command::GiveUp { why }).then([given_up.clone()]);
    let late = Command::HearPosition { line: line(), position: 1 };
    given::<WaitingElsewhere>([position(2), given_up]).when(&here(), late).then_nothing();
    let end = Command::HearEnd { line: line(), why };
    given::<WaitingElsewhere>([position(2)]).when(&here(), end).then([Event::EndHeard { line: line(), why }]);
}

#[test]
fn nothing_is_given_up_where_nobody_waits() {
    let why = WaitingEnd::Mistake;
    given::<WaitingElsewhere>([]).when(&here(), Command::GiveUp { why }).then_error(&Error::NobodyWaits);
    assert_eq!(Error::NobodyWaits.reason(), "NOBODY_WAITS");
}
