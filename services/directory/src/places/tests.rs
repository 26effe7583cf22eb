//! Places by the real lists of 2025, and by invented changes to them.

use super::*;
use crate::examples::{a_directory, invented_changes};

fn code(text: &str) -> PlaceCode {
    text.parse().unwrap()
}

fn on(text: &str) -> Date {
    text.parse().unwrap()
}

/// As the lists of 2025 have it.
fn as_listed() -> Places {
    Places::new(vec![])
}

/// With the invented edition of 2027.
fn changed() -> Places {
    Places::new(invented_changes("2027-04-01"))
}

const BEFORE: &str = "2027-03-31";
const SINCE: &str = "2027-04-01";

fn today(places: &Places, text: &str, edition: Option<u16>, day: &str) -> Vec<String> {
    let place = places.find(&code(text), edition.map(EditionYear), on(day)).unwrap();
    places.today(&place.key(), on(day)).iter().map(|key| key.code.to_string()).collect()
}

fn kinds(places: &Places, text: &str, edition: Option<u16>) -> Vec<PlaceChangeKind> {
    let place = places.find(&code(text), edition.map(EditionYear), on(SINCE)).unwrap();
    places.steps(&place.key(), on(SINCE)).iter().map(|step| step.kind).collect()
}

#[test]
fn a_place_is_named_in_both_languages() {
    assert_eq!(place_name(&code("02")), Some(("បាត់ដំបង".to_owned(), "Battambang".to_owned())));
    assert_eq!(place_name(&code("9999")), None);
}

#[test]
fn a_village_of_a_renumbered_commune_lies_where_the_list_puts_it() {
    let by_list = ["02140408", "021405", "0214", "02"].map(code);
    assert_eq!(as_listed().areas(&code("02140408"), None, on(BEFORE)), by_list);
}

#[test]
fn a_place_that_no_list_knows_lies_where_its_code_says() {
    assert_eq!(as_listed().areas(&code("029999"), None, on(BEFORE)), ["029999", "0299", "02"].map(code));
    let described = as_listed().describe(&code("029999"), on(BEFORE));
    assert_eq!((described.level.as_str(), described.edition, described.name_en.as_str()), ("COMMUNE", 0, ""));
}

#[test]
fn the_shipped_lists_are_used_as_they_are_while_nothing_changed() {
    assert!(matches!(as_listed().gazetteer, Cow::Borrowed(_)));
    let one = of(&a_directory());
    assert!(Arc::ptr_eq(&one, &of(&a_directory())), "they are put together once");
}

#[test]
fn an_old_code_is_answered_with_the_place_as_it_was_and_what_it_became() {
    let places = changed();
    let described = places.describe(&code("0213"), on(SINCE));
    assert_eq!((described.name_en.as_str(), described.edition), ("Koas Krala", 2025));
    assert_eq!(described.became_codes, ["0299"]);
    let now = places.describe(&code("0299"), on(SINCE));
    assert_eq!((now.name_en.as_str(), now.name_km.as_str(), now.edition), ("Invented Krala", "គាស់ក្រឡ", 2027));
    assert_eq!(now.became_codes, Vec::<String>::new());
    assert_eq!(kinds(&places, "0213", None), [PlaceChangeKind::Renamed]);
}

#[test]
fn a_change_counts_from_its_day() {
    let places = changed();
    assert_eq!(today(&places, "0213", None, BEFORE), ["0213"]);
    assert_eq!(today(&places, "0213", None, SINCE), ["0299"]);
    assert_eq!(places.find(&code("0299"), None, on(BEFORE)), None, "it is not there yet");
    assert!(places.knows(&code("0299")), "and may be named already");
}

#[test]
fn what_lay_in_a_renumbered_district_still_does() {
    let places = changed();
    assert_eq!(places.areas(&code("021301"), None, on(SINCE)), ["021301", "0299", "02"].map(code));
    let communes = places.directly_in(Some(code("0299")), on(SINCE)).unwrap().count();
    assert_eq!(communes, 6, "the communes of Koas Krala");
    assert_eq!(places.names_of(&code("0299"), on(SINCE)), ["0299", "0213"].map(code));
    assert_eq!(places.names_of(&code("0299"), on(BEFORE)), [code("0299")]);
}

#[test]
fn a_merged_commune_is_part_of_the_one_that_stays() {
    let places = changed();
    assert_eq!(today(&places, "020401", None, SINCE), ["020402"]);
    assert_eq!(kinds(&places, "020401", None), [PlaceChangeKind::Merged]);
    assert_eq!(places.areas(&code("020401"), None, on(SINCE)), ["020402", "0204", "02"].map(code));
    assert_eq!(places.describe(&code("020402"), on(SINCE)).name_en, "Khnach Romeas", "it keeps its name");
    assert_eq!(places.areas(&code("02040101"), None, on(SINCE))[1], code("020402"), "and so do its villages");
    assert_eq!(places.names_of(&code("020402"), on(SINCE)), ["020402", "020401"].map(code));
}

#[test]
fn of_a_divided_commune_the_area_that_holds_all_parts_counts() {
    let places = changed();
    assert_eq!(today(&places, "020501", Some(2025), SINCE), ["020501", "020599"]);
    assert_eq!(places.areas(&code("020501"), Some(EditionYear(2025)), on(SINCE)), ["0205", "02"].map(code));
    assert_eq!(today(&places, "020501", None, SINCE), ["020501"], "without an edition the newest is meant");
    assert_eq!(places.describe(&code("020501"), on(SINCE)).name_en, "Invented North");
    assert_eq!(places.areas(&code("020599"), None, on(SINCE)), ["020599", "0205", "02"].map(code));
}

#[test]
fn a_commune_that_moved_lies_in_the_other_province() {
    let places = changed();
    assert_eq!(kinds(&places, "020601", None), [PlaceChangeKind::Moved]);
    assert_eq!(places.areas(&code("020601"), None, on(SINCE)), ["150199", "1501", "15"].map(code));
    assert_eq!(places.areas(&code("020601"), None, on(BEFORE)), ["020601", "0206", "02"].map(code));
    assert_eq!(places.describe(&code("150199"), on(SINCE)).name_en, "Moung");
}

#[test]
fn two_places_that_exchanged_their_codes_are_told_apart_by_their_edition() {
    let exchange = serde_json::json!([{ "year": 2027, "in_force_on": SINCE, "change": [
        { "kind": "renamed", "from": "0204", "to": [{ "code": "0213" }] },
        { "kind": "renamed", "from": "0213", "to": [{ "code": "0204" }] },
    ] }]);
    let places = Places::new(serde_json::from_value(exchange).unwrap());
    assert_eq!(places.describe(&code("0213"), on(SINCE)).name_en, "Bavel");
    assert_eq!(today(&places, "0213", Some(2025), SINCE), ["0204"]);
    assert_eq!(today(&places, "0213", None, SINCE), ["0213"]);
    assert_eq!(
        places.areas(&code("021301"), None, on(SINCE)),
        ["021301", "0204", "02"].map(code),
        "its people did not move"
    );
    assert_eq!(places.names_of(&code("0204"), on(SINCE)), [code("0204")], "each old code means the other one today");
}

#[test]
fn editions_follow_each_other() {
    let mut editions = invented_changes(SINCE);
    let again = serde_json::json!({ "year": 2029, "in_force_on": "2029-01-01", "change": [
        { "kind": "merged", "from": "0299", "to": [{ "code": "0204" }] },
    ] });
    editions.push(serde_json::from_value(again).unwrap());
    let places = Places::new(editions);
    assert_eq!(today(&places, "0213", None, "2029-01-01"), ["0204"]);
    let place = places.find(&code("0213"), None, on("2029-01-01")).unwrap();
    let years: Vec<_> = places.steps(&place.key(), on("2029-01-01")).iter().map(|step| step.edition.year).collect();
    assert_eq!(years, [2027, 2029]);
    assert_eq!(places.names_of(&code("0204"), on("2029-01-01")), ["0204", "0299", "0213"].map(code));
}

#[test]
fn a_place_is_found_by_its_old_name_and_by_its_new_one() {
    let places = changed();
    let found = |name: &str, day: &str| -> Vec<(String, Vec<String>)> {
        let hits = places.search(name, Some(code("02")), on(day)).into_iter();
        hits.filter(|hit| hit.level == "DISTRICT").map(|hit| (hit.code, hit.became_codes)).take(1).collect()
    };
    assert_eq!(found("Koas Krala", SINCE), [("0213".to_owned(), vec!["0299".to_owned()])]);
    assert_eq!(found("Invented Krala", SINCE), [("0299".to_owned(), vec![])]);
    assert_eq!(found("Invented Krala", BEFORE), [], "it is not called that yet");
    assert_eq!(found("Koas Krala", BEFORE), [("0213".to_owned(), vec![])]);
}
