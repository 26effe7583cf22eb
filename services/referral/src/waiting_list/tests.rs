//! Specifications of a waiting list: the order, a place that is kept and lapses, and leaving.

use spean_eventsourcing::specification::given;
use spean_vocabulary::Id;

use super::*;

fn id<K>(number: u8) -> Id<K> {
    format!("00000000-0000-4000-8000-0000000000{number:02x}").parse().unwrap()
}

fn at(hour: i64) -> Context {
    Context {
        office: "house-of-hope-phnom-penh".parse().unwrap(),
        staff: None,
        now: Timestamp::from_micros(1_795_300_200_000_000).plus_hours(hour),
    }
}

fn entry(case: u8, urgency: Urgency, hour: i64) -> Entry {
    Entry { case: id(case), from: "dsvy-kandal".parse().unwrap(), urgency, since: at(hour).now }
}

fn first() -> Entry {
    entry(1, Urgency::Routine, 0)
}

fn second() -> Entry {
    entry(2, Urgency::Routine, 1)
}

fn urgent() -> Entry {
    entry(3, Urgency::Urgent, 2)
}

fn joined(offer: u8, entry: Entry) -> Event {
    Event::Joined { offer: id(offer), entry }
}

fn told(offer: u8, entry: Entry, position: u32) -> Event {
    Event::PositionTold { offer: id(offer), entry, position }
}

fn kept(offer: u8, entry: Entry, until: i64) -> Event {
    Event::PlaceKept { offer: id(offer), entry, until: at(until).now }
}

fn left(offer: u8, entry: Entry, why: WaitingEnd) -> Event {
    Event::Left { offer: id(offer), entry, why }
}

fn fill(free_persons: u32, until: i64) -> Command {
    Command::Fill { free_persons, keep_until: at(until).now }
}

fn two_wait() -> Vec<Event> {
    vec![joined(1, first()), told(1, first(), 1), joined(2, second()), told(2, second(), 2)]
}

#[test]
fn whoever_waits_is_told_the_position_and_the_more_urgent_goes_first() {
    given::<WaitingList>([])
        .when(&at(0), Command::Join { offer: id(1), entry: first() })
        .then([joined(1, first()), told(1, first(), 1)]);
    given::<WaitingList>(two_wait()).when(&at(2), Command::Join { offer: id(3), entry: urgent() }).then([
        joined(3, urgent()),
        told(3, urgent(), 1),
        told(1, first(), 2),
        told(2, second(), 3),
    ]);
}

#[test]
fn a_free_place_is_kept_for_the_first() {
    given::<WaitingList>(two_wait()).when(&at(3), fill(1, 51)).then([kept(1, first(), 51), told(2, second(), 1)]);
    given::<WaitingList>(two_wait()).when(&at(3), fill(0, 51)).then_nothing();
}

#[test]
fn a_place_that_is_not_taken_in_time_is_kept_for_the_next_and_nobody_falls_off_the_list() {
    let mut history = two_wait();
    history.extend([kept(1, first(), 51), told(2, second(), 1)]);
    given::<WaitingList>(history.clone()).when(&at(50), fill(1, 98)).then_nothing();
    given::<WaitingList>(history).when(&at(51), fill(1, 99)).then([
        Event::PlaceLapsed { offer: id(1) },
        kept(2, second(), 99),
        told(1, first(), 1),
    ]);
}

#[test]
fn whoever_is_alone_on_the_list_is_offered_the_place_again() {
    let history = [joined(1, first()), told(1, first(), 1), kept(1, first(), 51)];
    given::<WaitingList>(history)
        .when(&at(51), fill(1, 99))
        .then([Event::PlaceLapsed { offer: id(1) }, kept(1, first(), 99)]);
}

#[test]
fn whoever_is_offered_again_keeps_the_place_in_the_line() {
    let again = entry(1, Urgency::Routine, 9);
    given::<WaitingList>(two_wait()).when(&at(9), Command::Join { offer: id(5), entry: again }).then([
        left(1, first(), WaitingEnd::OfferedAgain),
        joined(5, first()),
        told(5, first(), 1),
    ]);
}

#[test]
fn the_line_moves_up_when_somebody_leaves() {
    let why = WaitingEnd::PersonRefused;
    given::<WaitingList>(two_wait())
        .when(&at(3), Command::Leave { offer: id(1), why })
        .then([left(1, first(), why), told(2, second(), 1)]);
    let given_a_place = WaitingEnd::PlaceGiven;
    given::<WaitingList>(two_wait()).when(&at(3), Command::LeaveAll { case: id(2), why: given_a_place }).then([left(
        2,
        second(),
        given_a_place,
    )]);
}

#[test]
fn who_has_left_does_not_come_back_by_the_same_offer() {
    let history = [joined(1, first()), told(1, first(), 1), left(1, first(), WaitingEnd::Mistake)];
    given::<WaitingList>(history).when(&at(3), Command::Join { offer: id(1), entry: first() }).then_nothing();
}

#[test]
fn nobody_leaves_a_list_without_having_been_on_it() {
    let leave = Command::Leave { offer: id(7), why: WaitingEnd::Mistake };
    given::<WaitingList>(two_wait()).when(&at(3), leave).then_error(&Error::NotOnTheList);
    assert_eq!(Error::NotOnTheList.reason(), "NOT_ON_THE_LIST");
}
