//! Which office serves a place on a day, and why.

use super::*;
use crate::examples::{a_directory, an_office, invented_changes};
use crate::office::Reason;
use crate::places;

type Declared = BTreeMap<OfficeId, Vec<Declaration>>;

fn on(text: &str) -> Date {
    text.parse().unwrap()
}

const TODAY: &str = "2026-11-22";

fn with<T>(directory: &Directory, declared: &Declared, day: &str, look: impl FnOnce(&Offices<'_>) -> T) -> T {
    let places = places::of(directory);
    look(&Offices { directory, places: &places, declared, on: on(day) })
}

fn ask_on(directory: &Directory, declared: &Declared, day: &str, place: &str) -> (String, Vec<String>, ServesBecause) {
    with(directory, declared, day, |offices| {
        let serving = offices.serving(&place.parse().unwrap(), None).unwrap();
        let name = |office: &Office| office.id.to_string();
        (name(serving.office), serving.stands_in_for.into_iter().map(name).collect(), serving.because)
    })
}

fn ask(directory: &Directory, place: &str) -> (String, Vec<String>) {
    let (office, stands_in_for, _) = ask_on(directory, &Declared::new(), TODAY, place);
    (office, stands_in_for)
}

/// It stands like this from today to the last day of the month.
fn declared(office: &str, status: Status, stand_in: Option<&str>) -> Declared {
    let declaration = Declaration {
        declared_by: office.parse().unwrap(),
        version: 1,
        status,
        stand_in: stand_in.map(|id| id.parse().unwrap()),
        from_day: on(TODAY),
        until_day: Some(on("2026-11-30")),
        reason: Reason::StaffAway,
        declared_at: spean_vocabulary::Timestamp::from_micros(1_795_300_200_000_000),
    };
    Declared::from([(office.parse().unwrap(), vec![declaration])])
}

fn office_mut<'d>(directory: &'d mut Directory, id: &str) -> &'d mut Office {
    directory.offices.iter_mut().find(|office| office.id.as_str() == id).unwrap()
}

/// Bavel closes with the year, and another office of the same place follows it.
fn a_closure() -> Directory {
    let mut directory = a_directory();
    let bavel = office_mut(&mut directory, "bavel-district");
    bavel.closed_on = Some(on("2027-01-01"));
    bavel.successor = Some("bavel-two".parse().unwrap());
    let mut follower = an_office("bavel-two", "poipet", OfficeLevel::District, "0213");
    follower.opened_on = Some(on("2027-01-01"));
    directory.offices.push(follower);
    assert_eq!(directory.defects(), []);
    directory
}

#[test]
fn the_nearest_office_serves_a_village() {
    assert_eq!(ask(&a_directory(), "02130101"), ("bavel-district".to_owned(), vec![]));
    let (.., because) = ask_on(&a_directory(), &Declared::new(), TODAY, "02130101");
    assert_eq!(because, ServesBecause::Nearest);
}

#[test]
fn where_the_post_of_the_district_is_empty_the_province_stands_in() {
    let directory = a_directory();
    let stood_in_for = vec!["koas-krala-district".to_owned()];
    assert_eq!(ask(&directory, "02140101"), ("battambang-province".to_owned(), stood_in_for));
    let (.., because) = ask_on(&directory, &Declared::new(), TODAY, "02140101");
    assert_eq!(because, ServesBecause::Above);
}

#[test]
fn the_ministry_stands_in_for_everybody_and_serves_where_nobody_else_does() {
    let mut directory = a_directory();
    for office in &mut directory.offices {
        office.staffed = office.level == OfficeLevel::National;
    }
    let stood_in_for = vec!["koas-krala-district".to_owned(), "battambang-province".to_owned()];
    assert_eq!(ask(&directory, "021401"), ("ministry".to_owned(), stood_in_for));
    assert_eq!(ask(&directory, "16"), ("ministry".to_owned(), vec![]));
    assert_eq!(ask_on(&directory, &Declared::new(), TODAY, "16").2, ServesBecause::National);
}

#[test]
fn a_village_with_the_code_of_another_commune_is_served_by_its_own() {
    let mut directory = a_directory();
    for (name, place) in [("by-its-code", "021404"), ("by-the-list", "021405")] {
        directory.offices.push(an_office(name, "battambang", OfficeLevel::Commune, place));
    }
    assert_eq!(ask(&directory, "02140408"), ("by-the-list".to_owned(), vec![]));
    assert_eq!(ask(&directory, "021404"), ("by-its-code".to_owned(), vec![]));
}

#[test]
fn a_shelter_serves_people_and_no_area() {
    let mut directory = a_directory();
    directory.offices.push(an_office("shelter", "battambang", OfficeLevel::Facility, "021301"));
    assert_eq!(ask(&directory, "021301"), ("bavel-district".to_owned(), vec![]));
}

#[test]
fn who_was_named_stands_in_until_the_last_day() {
    let directory = a_directory();
    let declared = declared("bavel-district", Status::Unstaffed, Some("poipet-shelter"));
    let stands_in = ("poipet-shelter".to_owned(), vec!["bavel-district".to_owned()], ServesBecause::StandIn);
    assert_eq!(ask_on(&directory, &declared, TODAY, "021301"), stands_in);
    assert_eq!(ask_on(&directory, &declared, "2026-11-30", "021301"), stands_in);
    let itself = ("bavel-district".to_owned(), vec![], ServesBecause::Nearest);
    for day in ["2026-11-21", "2026-12-01"] {
        assert_eq!(ask_on(&directory, &declared, day, "021301"), itself, "on {day}");
    }
}

#[test]
fn without_a_stand_in_the_office_above_serves() {
    let declared = declared("bavel-district", Status::Unstaffed, None);
    let above = ("battambang-province".to_owned(), vec!["bavel-district".to_owned()], ServesBecause::Above);
    assert_eq!(ask_on(&a_directory(), &declared, TODAY, "021301"), above);
}

#[test]
fn somebody_who_came_back_serves_though_the_edition_calls_the_post_vacant() {
    let declared = declared("koas-krala-district", Status::Open, None);
    let itself = ("koas-krala-district".to_owned(), vec![], ServesBecause::Nearest);
    assert_eq!(ask_on(&a_directory(), &declared, TODAY, "0214"), itself);
}

#[test]
fn stand_ins_that_go_round_in_a_circle_leave_it_to_the_office_above() {
    let declared = [
        declared("bavel-district", Status::Unstaffed, Some("koas-krala-district")),
        declared("koas-krala-district", Status::Unstaffed, Some("bavel-district")),
    ];
    let declared: Declared = declared.into_iter().flatten().collect();
    let (office, _, because) = ask_on(&a_directory(), &declared, TODAY, "0213");
    assert_eq!((office.as_str(), because), ("battambang-province", ServesBecause::Above));
}

#[test]
fn an_office_is_followed_from_the_day_on_which_it_closes() {
    let directory = a_closure();
    let nobody = Declared::new();
    let itself = ("bavel-district".to_owned(), vec![], ServesBecause::Nearest);
    assert_eq!(ask_on(&directory, &nobody, "2026-12-31", "0213"), itself, "the follower has not opened");
    assert_eq!(ask_on(&directory, &nobody, "2027-01-01", "0213").0, "bavel-two");
    let mut elsewhere = a_closure();
    office_mut(&mut elsewhere, "bavel-two").place = "0208".parse().unwrap();
    let followed = ("bavel-two".to_owned(), vec!["bavel-district".to_owned()], ServesBecause::Successor);
    assert_eq!(ask_on(&elsewhere, &nobody, "2027-01-01", "0213"), followed);
}

#[test]
fn a_closed_office_still_says_who_it_was_and_whom_to_write_to() {
    let directory = a_closure();
    let shown = with(&directory, &Declared::new(), "2027-01-01", |offices| {
        offices.write(directory.office(&"bavel-district".parse().unwrap()).unwrap())
    });
    assert_eq!(shown.status, i32::from(wire::OfficeStatus::Closed));
    assert_eq!((shown.closed_on.as_str(), shown.successor_office_id.as_str()), ("2027-01-01", "bavel-two"));
    assert_eq!((shown.write_to_office_id.as_str(), shown.staffed), ("bavel-two", false));
    assert_eq!((shown.name_en.as_str(), shown.node_id.as_str()), ("bavel-district", "battambang"));
}

#[test]
fn a_declaration_is_shown_with_its_days_its_reason_and_who_said_it() {
    let directory = a_directory();
    let declared = declared("poipet-shelter", Status::Unstaffed, None);
    let show = |day| {
        with(&directory, &declared, day, |offices| {
            offices.write(directory.office(&"poipet-shelter".parse().unwrap()).unwrap())
        })
    };
    let shown = show(TODAY);
    assert_eq!(shown.status, i32::from(wire::OfficeStatus::Unstaffed));
    assert_eq!((shown.status_from.as_str(), shown.status_until.as_str()), (TODAY, "2026-11-30"));
    assert_eq!(shown.status_reason, i32::from(wire::OfficeStatusReason::StaffAway));
    assert_eq!((shown.declared_by_office_id.as_str(), shown.staffed), ("poipet-shelter", false));
    assert_eq!(shown.write_to_office_id, "ministry", "the office above it");
    let later = show("2026-12-01");
    assert_eq!((later.staffed, later.status_reason, later.write_to_office_id.as_str()), (true, 0, "poipet-shelter"));
}

#[test]
fn an_office_of_a_renumbered_district_serves_it_by_its_old_code_and_its_new_one() {
    let mut directory = a_directory();
    directory.place_editions = invented_changes("2027-04-01");
    for place in ["0213", "0299", "021301", "02130101"] {
        assert_eq!(ask_on(&directory, &Declared::new(), "2027-04-01", place).0, "bavel-district", "{place}");
    }
}

#[test]
fn of_a_divided_commune_the_district_serves_when_the_edition_is_an_old_one() {
    let mut directory = a_directory();
    directory.place_editions = invented_changes("2027-04-01");
    directory.offices.push(an_office("aek-phnum", "battambang", OfficeLevel::District, "0205"));
    directory.offices.push(an_office("north", "battambang", OfficeLevel::Commune, "020501"));
    let ask = |edition: Option<u16>| {
        with(&directory, &Declared::new(), "2027-04-01", |offices| {
            let serving = offices.serving(&"020501".parse().unwrap(), edition.map(EditionYear)).unwrap();
            serving.office.id.to_string()
        })
    };
    assert_eq!(ask(Some(2025)), "aek-phnum", "nobody knows in which part it lies");
    assert_eq!(ask(None), "north");
}

#[test]
fn those_above_may_speak_for_an_office_and_those_beside_may_not() {
    let mut directory = a_directory();
    office_mut(&mut directory, "bavel-district").above = Some("battambang-province".parse().unwrap());
    let may: Vec<_> = may_speak(&directory, &"bavel-district".parse().unwrap()).into_iter().collect();
    let expected = ["battambang-province", "bavel-district", "ministry"].map(|id| id.parse().unwrap());
    assert_eq!(may, expected);
}
