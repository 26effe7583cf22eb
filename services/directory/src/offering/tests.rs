//! Specifications of an offering: the way it goes, doing it again, and each refusal.

use std::collections::BTreeSet;

use spean_eventsourcing::specification::given;
use spean_vocabulary::Timestamp;

use super::*;

fn on(text: &str) -> Date {
    text.parse().unwrap()
}

fn acting_for(office: &str) -> Context {
    Context { office: office.parse().unwrap(), staff: None, now: Timestamp::from_micros(1_795_300_200_000_000) }
}

fn the_shelter() -> Context {
    acting_for("poipet-shelter")
}

fn terms() -> Terms {
    Terms {
        serves_sexes: [Sex::Female, Sex::Unknown].into(),
        serves_age_bands: [AgeBand::Child, AgeBand::Adolescent, AgeBand::Unknown].into(),
        languages: ["km", "th"].map(|code| code.parse().unwrap()).into(),
        places_served: ["01", "0217"].map(|code| code.parse().unwrap()).into(),
        capacity_persons: 24,
    }
}

fn announcement() -> Announcement {
    Announcement {
        office: "poipet-shelter".parse().unwrap(),
        need: Need::Shelter,
        terms: terms(),
        valid_from: on("2026-12-01"),
    }
}

fn published() -> Event {
    Event::Published(announcement())
}

fn more_places() -> Terms {
    Terms { capacity_persons: 30, ..terms() }
}

fn withdrawn() -> Event {
    Event::Withdrawn { valid_from: on("2027-06-30") }
}

#[test]
fn an_office_publishes_its_help() {
    given::<Offering>([]).when(&the_shelter(), Command::Publish(announcement())).then([published()]);
}

#[test]
fn new_terms_hold_from_a_day_on() {
    let valid_from = on("2027-01-01");
    given::<Offering>([published()])
        .when(&the_shelter(), Command::Amend { terms: more_places(), valid_from })
        .then([Event::Amended { terms: more_places(), valid_from }]);
}

#[test]
fn an_office_withdraws_its_help() {
    given::<Offering>([published()])
        .when(&the_shelter(), Command::Withdraw { valid_from: on("2027-06-30") })
        .then([withdrawn()]);
}

#[test]
fn withdrawing_again_changes_nothing() {
    given::<Offering>([published(), withdrawn()])
        .when(&the_shelter(), Command::Withdraw { valid_from: on("2027-07-01") })
        .then_nothing();
}

#[test]
fn the_state_is_what_was_said_last() {
    let valid_from = on("2027-01-01");
    let state = Offering::fold(&[published(), Event::Amended { terms: more_places(), valid_from }]);
    assert_eq!(state, Offering::Published(Announcement { terms: more_places(), valid_from, ..announcement() }));
}

#[test]
fn nobody_speaks_for_another_office() {
    let stranger = acting_for("kandal-province");
    let amend = Command::Amend { terms: more_places(), valid_from: on("2027-01-01") };
    let withdraw = Command::Withdraw { valid_from: on("2027-06-30") };
    given::<Offering>([]).when(&stranger, Command::Publish(announcement())).then_error(&Error::NotTheOfferingOffice);
    given::<Offering>([published()]).when(&stranger, amend).then_error(&Error::NotTheOfferingOffice);
    given::<Offering>([published()]).when(&stranger, withdraw.clone()).then_error(&Error::NotTheOfferingOffice);
    given::<Offering>([published(), withdrawn()]).when(&stranger, withdraw).then_error(&Error::NotTheOfferingOffice);
}

#[test]
fn what_was_never_published_cannot_change_or_end() {
    let valid_from = on("2027-01-01");
    given::<Offering>([])
        .when(&the_shelter(), Command::Amend { terms: terms(), valid_from })
        .then_error(&Error::NotPublished);
    given::<Offering>([]).when(&the_shelter(), Command::Withdraw { valid_from }).then_error(&Error::NotPublished);
}

#[test]
fn one_number_is_one_offering() {
    let other = Announcement { need: Need::Medical, ..announcement() };
    given::<Offering>([published()]).when(&the_shelter(), Command::Publish(other)).then_error(&Error::AlreadyPublished);
}

#[test]
fn what_has_ended_stays_ended() {
    let amend = Command::Amend { terms: more_places(), valid_from: on("2027-08-01") };
    given::<Offering>([published(), withdrawn()]).when(&the_shelter(), amend).then_error(&Error::AlreadyWithdrawn);
    given::<Offering>([published(), withdrawn()])
        .when(&the_shelter(), Command::Publish(announcement()))
        .then_error(&Error::AlreadyWithdrawn);
}

#[test]
fn an_announcement_never_reaches_back_before_the_last() {
    let valid_from = on("2026-11-30");
    given::<Offering>([published()])
        .when(&the_shelter(), Command::Amend { terms: more_places(), valid_from })
        .then_error(&Error::BeginsBeforeTheLast);
    given::<Offering>([published()])
        .when(&the_shelter(), Command::Withdraw { valid_from })
        .then_error(&Error::BeginsBeforeTheLast);
}

#[test]
fn an_offering_that_helps_nobody_is_refused() {
    let cases = [
        (Terms { serves_sexes: BTreeSet::new(), ..terms() }, Error::ServesNobody),
        (Terms { serves_age_bands: BTreeSet::new(), ..terms() }, Error::ServesNobody),
        (Terms { languages: BTreeSet::new(), ..terms() }, Error::NoLanguage),
        (Terms { places_served: BTreeSet::new(), ..terms() }, Error::NoPlaceServed),
        (Terms { capacity_persons: 0, ..terms() }, Error::NoCapacity),
    ];
    for (terms, error) in cases {
        let publish = Command::Publish(Announcement { terms: terms.clone(), ..announcement() });
        given::<Offering>([]).when(&the_shelter(), publish).then_error(&error);
        let amend = Command::Amend { terms, valid_from: on("2027-01-01") };
        given::<Offering>([published()]).when(&the_shelter(), amend).then_error(&error);
    }
}

#[test]
fn languages_are_codes_and_not_names() {
    for text in ["", "k", "KM", "khmer", "k1"] {
        assert!(text.parse::<Language>().is_err(), "{text:?} was accepted");
    }
}

/// `SPEAN_BLESS=1` writes the file afresh; a line that is already stored somewhere may never change.
#[test]
fn stored_events_are_read_for_ever() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/offering.jsonl");
    let amended = Event::Amended { terms: more_places(), valid_from: on("2027-01-01") };
    let events = [published(), amended, withdrawn()];
    let lines: String = events.iter().map(|event| serde_json::to_string(event).unwrap() + "\n").collect();
    if std::env::var_os("SPEAN_BLESS").is_some() {
        std::fs::write(path, &lines).unwrap();
    }
    let stored = std::fs::read_to_string(path).unwrap();
    assert_eq!(stored, lines);
    let read: Vec<Event> = stored.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(read, events);
}
