//! Specifications of an office: editions, declarations, what holds on a day, and each refusal.

use spean_eventsourcing::specification::given;
use spean_vocabulary::Timestamp;

use super::*;

fn on(text: &str) -> Date {
    text.parse().unwrap()
}

fn office(id: &str) -> OfficeId {
    id.parse().unwrap()
}

/// On 22 November 2026.
fn acting_for(id: &str) -> Context {
    Context { office: office(id), staff: None, now: Timestamp::from_micros(1_795_300_200_000_000) }
}

fn the_district() -> Context {
    acting_for("bavel-district")
}

fn the_province() -> Context {
    acting_for("battambang-province")
}

fn later(context: &Context, days: i64) -> Context {
    Context { now: context.now.plus_days(days), ..context.clone() }
}

fn details() -> Details {
    Details {
        node: "battambang".parse().unwrap(),
        name_en: "Bavel".to_owned(),
        name_km: "បវេល".to_owned(),
        level: OfficeLevel::District,
        place: "0213".parse().unwrap(),
        above: Some(office("battambang-province")),
    }
}

fn entry() -> Entry {
    Entry { details: details(), opened_on: None, closing: None, staffed: true, predecessors: vec![] }
}

fn take(edition: u64, entry: Entry) -> Command {
    Command::Take { edition, entry: Box::new(entry) }
}

fn opened() -> Event {
    Event::Opened { edition: 7, opened_on: None, details: details() }
}

fn closing() -> Closing {
    Closing { closed_on: on("2027-01-01"), successor: Some(office("bavel-two")) }
}

fn away(from_day: &str, until_day: Option<&str>) -> Said {
    Said {
        status: Status::Unstaffed,
        stand_in: Some(office("koas-krala-district")),
        from_day: Some(on(from_day)),
        until_day: until_day.map(on),
        reason: Reason::StaffAway,
    }
}

fn facts() -> Facts {
    Facts {
        may_speak: [office("bavel-district"), office("battambang-province"), office("ministry")].into(),
        closed: false,
        stand_in_exists: true,
        stands_in_for_itself: false,
    }
}

fn declare(said: Said) -> Command {
    Command::Declare { said, facts: facts() }
}

fn declaration(version: i64, said: &Said, by: &Context) -> Declaration {
    Declaration {
        declared_by: by.office.clone(),
        version,
        status: said.status,
        stand_in: said.stand_in.clone(),
        from_day: said.from_day.unwrap_or_else(|| by.now.date_in_cambodia()),
        until_day: said.until_day,
        reason: said.reason,
        declared_at: by.now,
    }
}

fn open() -> Standing {
    Standing { status: Status::Open, stand_in: None, successor: None, from_day: None, until_day: None }
}

fn unstaffed(declaration: &Declaration) -> Event {
    Event::Stands(Standing {
        status: Status::Unstaffed,
        stand_in: declaration.stand_in.clone(),
        from_day: Some(declaration.from_day),
        until_day: declaration.until_day,
        ..open()
    })
}

#[test]
fn an_office_that_an_edition_names_for_the_first_time_opens() {
    given::<Office>([]).when(&the_district(), take(7, entry())).then([opened()]);
    given::<Office>([opened()]).when(&the_district(), take(8, entry())).then_nothing();
}

#[test]
fn what_an_edition_says_otherwise_is_noted() {
    let renamed = Details { name_en: "Bavel town".to_owned(), ..details() };
    let opened_on = Some(on("2020-01-01"));
    let edition = take(8, Entry { details: renamed.clone(), opened_on, ..entry() });
    given::<Office>([opened()]).when(&the_district(), edition).then([Event::Amended {
        edition: 8,
        opened_on,
        details: renamed,
    }]);
}

#[test]
fn an_office_closes_on_its_day_and_not_before() {
    let edition = take(8, Entry { closing: Some(closing()), ..entry() });
    let closed = Event::Closed { edition: 8, closing: closing() };
    given::<Office>([opened()]).when(&the_district(), edition.clone()).then([closed.clone()]);
    let stands = Event::Stands(Standing {
        status: Status::Closed,
        successor: Some(office("bavel-two")),
        from_day: Some(on("2027-01-01")),
        ..open()
    });
    given::<Office>([opened(), closed]).when(&later(&the_district(), 40), edition).then([stands]);
}

#[test]
fn a_closure_can_be_called_off_by_a_later_edition() {
    let closed = Event::Closed { edition: 8, closing: closing() };
    given::<Office>([opened(), closed]).when(&the_district(), take(9, entry())).then([Event::Reopened { edition: 9 }]);
}

#[test]
fn an_office_knows_whom_it_follows() {
    let follows = Entry { predecessors: vec![(office("bavel-old"), on("2027-01-01"))], ..entry() };
    let succeeded = Event::Succeeded { edition: 8, predecessor: office("bavel-old"), on: on("2027-01-01") };
    given::<Office>([opened()]).when(&the_district(), take(8, follows)).then([succeeded]);
}

#[test]
fn a_post_that_an_edition_calls_vacant_is_told_until_a_later_one_fills_it() {
    let vacant = take(8, Entry { staffed: false, ..entry() });
    let stands = Event::Stands(Standing { status: Status::Unstaffed, ..open() });
    let vacated = Event::PostVacated { edition: 8 };
    given::<Office>([opened()]).when(&the_district(), vacant).then([vacated.clone(), stands.clone()]);
    given::<Office>([opened(), vacated, stands])
        .when(&the_district(), take(9, entry()))
        .then([Event::PostFilled { edition: 9 }, Event::Stands(open())]);
}

#[test]
fn an_older_edition_changes_nothing() {
    let amended =
        Event::Amended { edition: 9, opened_on: None, details: Details { name_en: "New".into(), ..details() } };
    given::<Office>([opened(), amended]).when(&the_district(), take(8, entry())).then_nothing();
}

#[test]
fn an_office_says_that_nobody_will_be_there() {
    let said = away("2026-11-22", Some("2026-12-05"));
    let declared = declaration(1, &said, &the_district());
    given::<Office>([opened()])
        .when(&the_district(), declare(said))
        .then([Event::Declared(declared.clone()), unstaffed(&declared)]);
}

#[test]
fn the_office_above_says_it_when_nobody_is_there_to_say_it() {
    let said = Said { from_day: None, stand_in: None, ..away("2026-11-22", None) };
    let declared = declaration(1, &said, &the_province());
    given::<Office>([opened()])
        .when(&the_province(), declare(said))
        .then([Event::Declared(declared.clone()), unstaffed(&declared)]);
}

#[test]
fn a_declaration_begins_and_ends_by_itself() {
    let declared = declaration(1, &away("2026-12-01", Some("2026-12-05")), &the_district());
    let history = vec![opened(), Event::Declared(declared.clone())];
    let look = |days: i64, history: Vec<Event>| {
        let context = later(&the_district(), days);
        Office::fold(&history).decide(take(7, entry()), &context).unwrap()
    };
    assert_eq!(look(8, history.clone()), [], "30 November");
    assert_eq!(look(9, history.clone()), [unstaffed(&declared)], "1 December");
    let begun = [history, vec![unstaffed(&declared)]].concat();
    assert_eq!(look(13, begun.clone()), [], "5 December, its last day");
    assert_eq!(look(14, begun), [Event::Stands(open())], "6 December");
}

#[test]
fn somebody_is_there_again_before_it_was_said() {
    let before = declaration(1, &away("2026-11-20", None), &the_district());
    let back = Said { status: Status::Open, stand_in: None, reason: Reason::StaffBack, ..away("2026-11-22", None) };
    let declared = declaration(2, &back, &the_province());
    let stands = Standing { from_day: Some(on("2026-11-22")), ..open() };
    given::<Office>([opened(), Event::Declared(before.clone()), unstaffed(&before)])
        .when(&the_province(), declare(back))
        .then([Event::Declared(declared), Event::Stands(stands)]);
}

#[test]
fn of_what_two_offices_declare_the_same_counts_at_every_node_whatever_comes_first() {
    let by_district = declaration(1, &away("2026-11-22", None), &the_district());
    let other = Said { stand_in: None, ..away("2026-11-22", None) };
    let by_province = declaration(1, &other, &the_province());
    for order in [[&by_district, &by_province], [&by_province, &by_district]] {
        let heard = order.map(|declaration| Event::Heard(declaration.clone()));
        let office = Office::fold(&heard);
        assert_eq!(counting(&office.declarations, on("2026-11-22")), Some(&by_district), "of the greater code");
    }
    let later = Declaration { version: 2, until_day: Some(on("2026-11-30")), ..by_province };
    let all = [by_district.clone(), later.clone()];
    assert_eq!(counting(&all, on("2026-11-22")), Some(&later));
    assert_eq!(counting(&all, on("2026-12-01")), Some(&by_district), "what was said before holds again afterwards");
}

#[test]
fn what_another_node_declares_is_noted_once() {
    let heard = declaration(3, &away("2026-11-22", None), &the_province());
    let hear = Command::Hear { declaration: heard.clone() };
    given::<Office>([]).when(&the_district(), hear.clone()).then([Event::Heard(heard.clone()), unstaffed(&heard)]);
    given::<Office>([Event::Declared(heard.clone()), unstaffed(&heard)]).when(&the_district(), hear).then_nothing();
}

#[test]
fn the_next_declaration_is_above_all_that_are_known() {
    let heard = declaration(3, &away("2026-11-22", None), &the_province());
    let said = away("2026-11-25", None);
    given::<Office>([opened(), Event::Heard(heard.clone()), unstaffed(&heard)])
        .when(&the_district(), declare(said.clone()))
        .then([Event::Declared(declaration(4, &said, &the_district()))]);
}

#[test]
fn those_who_join_hear_what_our_offices_declared_and_still_holds() {
    let ours = declaration(1, &away("2026-11-20", None), &the_district());
    let over = declaration(2, &away("2026-11-01", Some("2026-11-10")), &the_district());
    let theirs = declaration(3, &away("2026-11-20", None), &acting_for("ministry"));
    let history = [opened(), Event::Declared(ours.clone()), Event::Declared(over), Event::Heard(theirs)];
    let repeat = Command::Repeat { edition: 9, ours: [office("bavel-district")].into() };
    given::<Office>(history).when(&the_district(), repeat).then([Event::Repeated { edition: 9, declaration: ours }]);
}

#[test]
fn a_closed_office_is_closed_whatever_is_declared() {
    let declared = declaration(1, &away("2026-11-20", None), &the_district());
    let on_that_day = standing(Some(&closing()), true, std::slice::from_ref(&declared), on("2027-01-01"));
    assert_eq!((on_that_day.status, on_that_day.stand_in), (Status::Closed, None));
    let before = standing(Some(&closing()), true, &[declared], on("2026-12-31"));
    assert_eq!(before.status, Status::Unstaffed);
}

#[test]
fn nobody_speaks_for_an_office_beside_or_above_their_own() {
    given::<Office>([opened()])
        .when(&acting_for("koas-krala-district"), declare(away("2026-11-22", None)))
        .then_error(&Error::NotAboveThisOffice);
}

#[test]
fn nothing_is_declared_of_a_closed_office() {
    let command = Command::Declare { said: away("2026-11-22", None), facts: Facts { closed: true, ..facts() } };
    given::<Office>([opened()]).when(&the_district(), command).then_error(&Error::OfficeClosed);
}

#[test]
fn an_office_is_closed_by_an_edition_alone() {
    let command = declare(Said { status: Status::Closed, ..away("2026-11-22", None) });
    given::<Office>([opened()]).when(&the_district(), command).then_error(&Error::ClosedByEditionOnly);
}

#[test]
fn nobody_stands_in_who_does_not_exist() {
    let facts = Facts { stand_in_exists: false, ..facts() };
    let command = Command::Declare { said: away("2026-11-22", None), facts };
    given::<Office>([opened()]).when(&the_district(), command).then_error(&Error::NoSuchStandIn);
}

#[test]
fn an_office_does_not_stand_in_for_itself() {
    let facts = Facts { stands_in_for_itself: true, ..facts() };
    let command = Command::Declare { said: away("2026-11-22", None), facts };
    given::<Office>([opened()]).when(&the_district(), command).then_error(&Error::StandsInForItself);
}

#[test]
fn nobody_stands_in_where_somebody_works() {
    let command = declare(Said { status: Status::Open, ..away("2026-11-22", None) });
    given::<Office>([opened()]).when(&the_district(), command).then_error(&Error::StandInForOpen);
}

#[test]
fn nothing_ends_before_it_begins() {
    let command = declare(away("2026-12-22", Some("2026-12-21")));
    given::<Office>([opened()]).when(&the_district(), command).then_error(&Error::EndsBeforeItBegins);
}

#[test]
fn what_is_over_is_not_declared_any_more() {
    let command = declare(away("2026-11-01", Some("2026-11-21")));
    given::<Office>([opened()]).when(&the_district(), command).then_error(&Error::OverAlready);
}

#[test]
fn stored_events_are_read_for_ever() {
    let by_district = declaration(1, &away("2026-11-22", Some("2026-12-05")), &the_district());
    let by_province = declaration(2, &Said { stand_in: None, ..away("2026-11-22", None) }, &the_province());
    let alone = Details { above: None, ..details() };
    let events = [
        opened(),
        Event::Opened { edition: 7, opened_on: Some(on("2020-01-01")), details: alone },
        Event::Amended { edition: 8, opened_on: None, details: details() },
        Event::Closed { edition: 8, closing: closing() },
        Event::Closed { edition: 8, closing: Closing { successor: None, ..closing() } },
        Event::Reopened { edition: 9 },
        Event::Succeeded { edition: 8, predecessor: office("bavel-old"), on: on("2027-01-01") },
        Event::PostVacated { edition: 8 },
        Event::PostFilled { edition: 9 },
        Event::Declared(by_district.clone()),
        Event::Heard(by_province.clone()),
        Event::Repeated { edition: 9, declaration: by_district.clone() },
        Event::Repeated { edition: 9, declaration: by_province },
        Event::Stands(open()),
        unstaffed(&by_district),
        Event::Stands(Standing { status: Status::Closed, successor: Some(office("bavel-two")), ..open() }),
    ];
    crate::examples::are_golden("office", &events);
}
