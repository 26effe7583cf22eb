//! The shipped lists: what is in them, what is wrong with them, and how people find a place.

use std::collections::{BTreeMap, BTreeSet};

use spean_directory::gazetteer::{
    Edition, EditionYear, Fate, Gazetteer, List, Lists, Match, Place, Query, Reason, Report, RowCount, Unreadable,
    import, shipped, shipped_reports,
};
use spean_vocabulary::{PlaceCode, PlaceLevel};

fn code(text: &str) -> PlaceCode {
    text.parse().expect("a well-formed code")
}

fn edition() -> &'static Edition {
    shipped().edition(EditionYear(2025)).expect("it is shipped")
}

fn report() -> &'static Report {
    &shipped_reports()[0]
}

fn place(text: &str) -> &'static Place {
    shipped().place(&code(text)).expect("it is listed")
}

fn first(text: &str) -> (String, Match) {
    let hits = shipped().search(&Query::new(text));
    let hit = hits.first().unwrap_or_else(|| panic!("nothing found for {text}"));
    (hit.place.code.to_string(), hit.reason)
}

#[test]
fn every_row_is_loaded_or_reported() {
    let expected = [
        (List::Provinces, RowCount { read: 25, loaded: 25, mended: 0, not_loaded: 0 }),
        (List::Districts, RowCount { read: 210, loaded: 210, mended: 0, not_loaded: 0 }),
        (List::Communes, RowCount { read: 1661, loaded: 1661, mended: 2, not_loaded: 0 }),
        (List::Villages, RowCount { read: 14576, loaded: 14521, mended: 54, not_loaded: 55 }),
    ];
    for (list, count) in expected {
        assert_eq!(report().rows(list), count, "{list}");
        assert_eq!(count.read, count.loaded + count.not_loaded);
        let lines = |fate| -> BTreeSet<u64> {
            let rows = report().defects.iter().filter(|defect| defect.list == list && defect.line > 1);
            rows.filter(|defect| defect.fate == fate).map(|defect| defect.line).collect()
        };
        assert_eq!(lines(Fate::NotLoaded).len(), count.not_loaded, "each row left out stands in the report: {list}");
        assert_eq!(lines(Fate::Mended).len(), count.mended, "each mended row stands in the report: {list}");
    }
    assert_eq!(edition().places().count(), 25 + 210 + 1661 + 14521);
}

#[test]
fn the_defects_are_these_and_no_others() {
    let mut counts = BTreeMap::new();
    for defect in &report().defects {
        *counts.entry((defect.list, defect.reason)).or_insert(0) += 1;
    }
    let expected = [
        ((List::Provinces, Reason::ByteOrderMark), 1),
        ((List::Districts, Reason::ByteOrderMark), 1),
        ((List::Communes, Reason::ByteOrderMark), 1),
        ((List::Communes, Reason::NeedlessBlanks), 2),
        ((List::Communes, Reason::SmallInitial), 1),
        ((List::Communes, Reason::NameSharedWithNeighbour), 7),
        ((List::Communes, Reason::NothingUnderneath), 10),
        ((List::Villages, Reason::CodeMalformed), 9),
        ((List::Villages, Reason::CodeGivenTwice), 46),
        ((List::Villages, Reason::ByteOrderMark), 1),
        ((List::Villages, Reason::CodeDisagreesWithColumns), 43),
        ((List::Villages, Reason::ParentNotListed), 13),
        ((List::Villages, Reason::ZeroWidthCharacter), 6),
        ((List::Villages, Reason::NeedlessBlanks), 14),
        ((List::Villages, Reason::StrayMark), 2),
        ((List::Villages, Reason::KhmerSignRepeated), 13),
        ((List::Villages, Reason::KhmerSubscriptMisplaced), 13),
        ((List::Villages, Reason::LatinDigitInKhmerName), 1),
        ((List::Villages, Reason::SmallInitial), 3),
        ((List::Villages, Reason::NameSharedWithNeighbour), 4),
    ];
    assert_eq!(counts, BTreeMap::from(expected));
}

#[test]
fn places_have_their_names_in_both_languages() {
    for (text, name_km, name_en) in [
        ("01", "បន្ទាយមានជ័យ", "Banteay Meanchey"),
        ("08", "កណ្ដាល", "Kandal"),
        ("16", "រតនគិរី", "Ratanak Kiri"),
        ("0110", "ប៉ោយប៉ែត", "Paoy Paet"),
        ("03070903", "ភូមិថ្មី \"ក\"", "Phum Thmei \"Ka\""),
    ] {
        assert_eq!((place(text).name_km.as_str(), place(text).name_en.as_str()), (name_km, name_en));
    }
    assert_eq!(place("0110").under, Some(code("01")));
    assert_eq!(edition().directly_in(None).count(), 25);
    assert!(edition().directly_in(Some(code("01"))).any(|district| district.code == code("0110")));
}

#[test]
fn a_village_lies_where_its_row_says_and_not_where_its_code_says() {
    assert_eq!(place("02140408").under, Some(code("021405")), "the commune was renumbered, the village was not");
    assert_eq!(place("04062100").under, Some(code("040614")), "the village's number counted up in the wrong digits");
    assert_eq!(place("25031408").under, Some(code("250314")), "the commune's number counted up by mistake");
    assert_eq!(place("12091302").under, Some(code("1209")), "its commune is not listed");
    let above: Vec<_> = edition().and_above(&code("12091302")).map(|place| place.code.to_string()).collect();
    assert_eq!(above, ["12091302", "1209", "12"]);
}

#[test]
fn the_second_village_of_a_code_is_kept_in_sight() {
    assert_eq!(place("02140401").name_en, "Mukh Rea Pir");
    let contenders = edition().contenders(&code("02140401"));
    assert_eq!(contenders.len(), 1);
    assert_eq!((contenders[0].name_en.as_str(), contenders[0].line), ("Kaoh Thum", 1498));
    assert_eq!(contenders[0].under, Some(code("021405")));
    assert!(shipped().search(&Query::new("02140401"))[0].contested);
    assert!(!shipped().search(&Query::new("01020101"))[0].contested);
}

#[test]
fn a_code_or_its_beginning_finds_places() {
    assert_eq!(first("0110"), ("0110".to_owned(), Match::Code));
    assert_eq!(first("០១១០"), ("0110".to_owned(), Match::Code));
    let hits = shipped().search(&Query { level: Some(PlaceLevel::Province), ..Query::new("1") });
    assert_eq!(hits.len(), 10);
    assert!(hits.iter().all(|hit| hit.reason == Match::CodeBegins));
}

#[test]
fn latin_names_are_found_however_they_are_spelled() {
    for (text, expected) in [
        ("Ratanakiri", "16"),
        ("Rattanak Kiri", "16"),
        ("Rotanakiri", "16"),
        ("ratanak kiri province", "16"),
        ("Poi Pet", "0110"),
        ("Poipet", "0110"),
        ("Kompong Cham", "03"),
        ("Siem Reap", "17"),
        ("Oddar Meanchey", "22"),
        ("KANDAL", "08"),
        ("Krong Paoy Paet", "0110"),
        ("Mondolkiri", "11"),
        ("Steung Treng", "19"),
    ] {
        let (found, reason) = first(text);
        assert_eq!(found, expected, "{text} ({reason})");
    }
    assert!(shipped().search(&Query::new("Xyzzyqwrt")).is_empty());
    assert!(shipped().search(&Query::new("")).is_empty());
}

#[test]
fn khmer_names_are_found_however_they_are_typed() {
    for (text, expected) in [
        ("កណ្ដាល", "08"),
        ("កណ្តាល", "08"),
        ("ខេត្តកណ្តាល", "08"),
        ("ប៉ោយ\u{200b}ប៉ែត", "0110"),
        ("ក្រុងប៉ោយប៉ែត", "0110"),
        ("រតនគីរី", "16"),
        ("ភ្នំពេញ", "12"),
        ("រាជធានីភ្នំពេញ", "12"),
        ("បន្ទាយ មានជ័យ", "01"),
        ("ឧត្តរមានជ័យ", "22"),
    ] {
        let (found, reason) = first(text);
        assert_eq!(found, expected, "{text} ({reason})");
    }
}

#[test]
fn a_search_stays_within_its_area_and_level() {
    let query =
        Query { within: Some(code("01")), level: Some(PlaceLevel::Village), ..Query::new("ប៉ោយប៉ែត") };
    let hits = shipped().search(&query);
    assert_eq!(hits[0].place.code, code("01100407"));
    assert!(hits.iter().all(|hit| edition().and_above(&hit.place.code).any(|place| place.code == code("01"))));
}

const HEADINGS: [&str; 4] = [
    "province_code,province_kh,province_en\n",
    "province_code,district_code,district_kh,district_en\n",
    "province_code,district_code,commune_code,commune_kh,commune_en\n",
    "province_code,district_code,commune_code,village_code,village_kh,village_en\n",
];

fn read(year: u16, provinces: &str, districts: &str) -> (Edition, Report) {
    let [provinces, districts] = [HEADINGS[0].to_owned() + provinces, HEADINGS[1].to_owned() + districts];
    let lists = Lists { provinces: &provinces, districts: &districts, communes: HEADINGS[2], villages: HEADINGS[3] };
    import(EditionYear(year), &lists).expect("the headings are right")
}

#[test]
fn defects_that_these_lists_happen_not_to_have_are_reported_too() {
    let provinces = "01,ក,Ka\n01,ក,Ka\n02,ខ\n0303,គ,Ko\n04,,\n05, ង ,\n06,a\u{30a},Cha\n";
    let (edition, report) = read(2031, provinces, "09,0901,ច,Cha\n");
    for reason in [
        Reason::RowRepeated,
        Reason::WrongNumberOfColumns,
        Reason::CodeOfAnotherLevel,
        Reason::NameMissing,
        Reason::NeedlessBlanks,
        Reason::NameInOneLanguage,
        Reason::NameNotComposed,
    ] {
        assert_eq!(report.count(List::Provinces, reason), 1, "{reason}");
    }
    assert_eq!(report.count(List::Districts, Reason::NothingAboveListed), 1);
    assert_eq!(report.rows(List::Provinces), RowCount { read: 7, loaded: 3, mended: 2, not_loaded: 4 });
    assert_eq!(report.rows(List::Districts), RowCount { read: 1, loaded: 0, mended: 0, not_loaded: 1 });
    assert_eq!(edition.place(&code("06")).unwrap().name_km, "å");
}

#[test]
fn a_list_of_another_shape_is_refused_and_not_guessed_at() {
    let lists = Lists { provinces: "code,name\n", districts: "", communes: "", villages: "" };
    assert!(matches!(import(EditionYear(2031), &lists), Err(Unreadable::Heading(List::Provinces))));
}

#[test]
fn an_old_code_stays_valid_when_a_new_edition_drops_it() {
    let (old, _) = read(2024, "01,ក,Old Name\n02,ខ,Gone\n", "");
    let (new, _) = read(2025, "01,ក,New Name\n", "");
    let gazetteer = Gazetteer::of([old, new]);
    assert_eq!(gazetteer.place(&code("01")).unwrap().name_en, "New Name");
    assert_eq!(gazetteer.place(&code("02")).unwrap().edition, EditionYear(2024));
    assert_eq!(gazetteer.known_in(&code("01")), [EditionYear(2024), EditionYear(2025)].into());
    assert_eq!(gazetteer.known_in(&code("02")), [EditionYear(2024)].into());
    let hits = gazetteer.search(&Query::new("old name"));
    assert_eq!(gazetteer.place_in(&hits[0].place.key()).unwrap().name_en, "Old Name");
}

#[test]
fn the_report_prints_one_line_per_defect() {
    let printed = report().to_string();
    assert_eq!(printed.lines().count(), 1 + report().defects.len());
    let line = printed.lines().find(|line| line.starts_with("2025,villages,1498,") && line.contains("given_twice"));
    let expected = "2025,villages,1498,\"02140401\",code_given_twice,not_loaded,\
                    \"កោះធំ / Kaoh Thum; first on line 1491: មុខរាហ៍ ២ / Mukh Rea Pir\"";
    assert_eq!(line, Some(expected));
}
