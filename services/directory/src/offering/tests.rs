//! Specifications of an offering: the way it goes, doing it again, and each refusal.

use spean_eventsourcing::specification::given;
use spean_vocabulary::Timestamp;

use super::*;

fn on(text: &str) -> Date {
    text.parse().unwrap()
}

/// On 22 November 2026.
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
        capacity_persons: NonZeroU32::new(24),
        worker_sexes: BTreeSet::new(),
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
    Terms { capacity_persons: NonZeroU32::new(30), ..terms() }
}

fn enlarged() -> Announcement {
    Announcement { terms: more_places(), valid_from: on("2027-01-01"), ..announcement() }
}

fn withdrawn() -> Event {
    Event::Withdrawn { said: announcement(), withdrawn_on: on("2027-06-30") }
}

fn publish(terms: Terms, valid_from: &str) -> Command {
    Command::Publish { need: Need::Shelter, terms, valid_from: Some(on(valid_from)) }
}

fn withdraw(withdrawn_on: &str) -> Command {
    Command::Withdraw { withdrawn_on: on(withdrawn_on) }
}

#[test]
fn an_office_publishes_its_help() {
    given::<Offering>([]).when(&the_shelter(), publish(terms(), "2026-12-01")).then([published()]);
}

#[test]
fn an_office_that_names_no_day_begins_today_and_saying_it_again_later_moves_nothing() {
    let command = Command::Publish { need: Need::Shelter, terms: terms(), valid_from: None };
    let today = Event::Published(Announcement { valid_from: on("2026-11-22"), ..announcement() });
    given::<Offering>([]).when(&the_shelter(), command.clone()).then([today.clone()]);
    let tomorrow = Context { now: the_shelter().now.plus_days(1), ..the_shelter() };
    given::<Offering>([today]).when(&tomorrow, command).then_nothing();
}

#[test]
fn new_terms_hold_from_a_day_on() {
    given::<Offering>([published()])
        .when(&the_shelter(), publish(more_places(), "2027-01-01"))
        .then([Event::Amended(enlarged())]);
}

#[test]
fn an_office_withdraws_its_help() {
    given::<Offering>([published()]).when(&the_shelter(), withdraw("2027-06-30")).then([withdrawn()]);
}

#[test]
fn what_was_announced_can_be_called_off_before_it_begins() {
    let called_off = Event::Withdrawn { said: announcement(), withdrawn_on: on("2026-11-22") };
    given::<Offering>([published()]).when(&the_shelter(), withdraw("2026-11-22")).then([called_off]);
}

#[test]
fn withdrawing_again_changes_nothing() {
    given::<Offering>([published(), withdrawn()]).when(&the_shelter(), withdraw("2027-07-01")).then_nothing();
}

#[test]
fn newcomers_are_told_what_is_on_offer_and_not_what_has_ended() {
    let repeated = Event::Repeated { said: announcement(), edition: 7 };
    let repeat = Command::Repeat { edition: 7 };
    given::<Offering>([published()]).when(&the_shelter(), repeat.clone()).then([repeated]);
    given::<Offering>([published(), withdrawn()]).when(&the_shelter(), repeat).then_nothing();
}

#[test]
fn what_a_backup_had_forgotten_is_taken_back_from_a_peer_once() {
    let recall = |version| Command::Recall { version, said: enlarged(), withdrawn_on: None };
    let recalled = Event::Recalled { said: enlarged(), withdrawn_on: None };
    given::<Offering>([published()]).when(&the_shelter(), recall(2)).then([recalled.clone()]);
    given::<Offering>([published()]).when(&the_shelter(), recall(3)).then([recalled.clone(), recalled]);
    given::<Offering>([published()]).when(&the_shelter(), recall(1)).then_nothing();
    given::<Offering>([published()]).when(&the_shelter(), recall(i64::MAX)).then_error(&Error::ForgottenTooMuch);
}

#[test]
fn nobody_speaks_for_another_office() {
    let stranger = acting_for("kandal-province");
    for history in [vec![published()], vec![published(), withdrawn()]] {
        for command in [publish(more_places(), "2027-01-01"), withdraw("2027-06-30")] {
            given::<Offering>(history.clone()).when(&stranger, command).then_error(&Error::NotTheOfferingOffice);
        }
    }
}

#[test]
fn what_was_never_published_cannot_end() {
    given::<Offering>([]).when(&the_shelter(), withdraw("2027-06-30")).then_error(&Error::NotPublished);
}

#[test]
fn one_id_is_one_offering() {
    let other = Command::Publish { need: Need::Medical, terms: terms(), valid_from: None };
    given::<Offering>([published()]).when(&the_shelter(), other).then_error(&Error::AlreadyPublished);
}

#[test]
fn what_has_ended_stays_ended() {
    for command in [publish(more_places(), "2027-08-01"), publish(terms(), "2026-12-01")] {
        given::<Offering>([published(), withdrawn()])
            .when(&the_shelter(), command)
            .then_error(&Error::AlreadyWithdrawn);
    }
}

#[test]
fn an_announcement_never_reaches_back_before_the_last() {
    given::<Offering>([published()])
        .when(&the_shelter(), publish(more_places(), "2026-11-30"))
        .then_error(&Error::BeginsBeforeTheLast);
}

#[test]
fn an_offering_in_no_language_is_refused() {
    let silent = Terms { languages: BTreeSet::new(), ..terms() };
    given::<Offering>([]).when(&the_shelter(), publish(silent, "2026-12-01")).then_error(&Error::NoLanguage);
}

#[test]
fn languages_are_codes_and_not_names() {
    for text in ["", "k", "KM", "khmer", "k1"] {
        assert!(text.parse::<Language>().is_err(), "{text:?} was accepted");
    }
}

#[test]
fn stored_events_are_read_for_ever() {
    let anybody = Terms {
        serves_sexes: BTreeSet::new(),
        serves_age_bands: BTreeSet::new(),
        places_served: BTreeSet::new(),
        capacity_persons: None,
        ..terms()
    };
    let by_women = Terms { worker_sexes: [Sex::Female].into(), ..terms() };
    let events = [
        published(),
        Event::Amended(enlarged()),
        withdrawn(),
        Event::Repeated { said: announcement(), edition: 7 },
        Event::Recalled { said: Announcement { terms: anybody, ..announcement() }, withdrawn_on: None },
        Event::Recalled { said: enlarged(), withdrawn_on: Some(on("2027-06-30")) },
        Event::Amended(Announcement { terms: by_women, ..announcement() }),
    ];
    crate::examples::are_golden("offering", &events);
}
