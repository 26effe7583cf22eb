//! What a file of a manifest may look like, and what is said of each of its rows.

use spean_vocabulary::AgeBand;

use super::*;
use spean_vault::{Birth, Document, Name};
use spean_vocabulary::Sex;

const HEADER: &str = "family_name,given_name,sex,birth,document_number,home_place,needs";

fn arrived_on() -> Date {
    "2026-09-01".parse().expect("a day")
}

fn rows(file: &str) -> Vec<Row> {
    read(&File::Csv(file.as_bytes().to_vec()), arrived_on()).expect("a readable file")
}

fn row(line: &str) -> Result<Arriving, Unfit> {
    rows(&format!("{HEADER}\n{line}\n")).remove(0).content
}

fn unfit(line: &str) -> (Reason, Option<Column>) {
    let unfit = row(line).expect_err("it must be refused");
    (unfit.reason, unfit.column)
}

#[test]
fn a_row_becomes_somebody() {
    let arriving = row("Kumru,Dara,ប្រុស,1990-02-28,N0400001,0102,medical; legal").expect("it is sound");
    let identity = &arriving.described.identity;
    assert!(identity.latin == Some(Name { family: "Kumru".to_owned(), given: "Dara".to_owned() }));
    assert!(identity.documents == [Document { kind: "document".to_owned(), number: "N0400001".to_owned() }]);
    assert_eq!(arriving.codes.sex, Sex::Male);
    assert_eq!(arriving.codes.age_band, AgeBand::Adult);
    assert_eq!(arriving.codes.home_place, "0102".parse().ok());
    assert_eq!(arriving.codes.missing, ["document_kind"]);
    assert_eq!(arriving.needs, BTreeSet::from([Need::Medical, Need::Legal]));
}

#[test]
fn columns_stand_in_any_order_after_a_byte_order_mark_and_some_may_be_left_out() {
    let rows = rows("\u{feff}Birth, given_name ,SEX\r\n1988,Dara,m\r\n");
    let arriving = rows[0].content.as_ref().expect("it is sound");
    assert!(arriving.described.identity.birth == Birth::Year { year: 1988, approximate: true });
    assert_eq!(arriving.codes.sex, Sex::Male);
}

#[test]
fn what_is_not_known_is_marked_and_stops_nobody() {
    let arriving = row(",,f,,,,").expect("it is sound");
    assert_eq!(arriving.codes.missing, ["name", "birth", "home_place"]);
    let arriving = row("Kumru,,,,,,").expect("it is sound");
    assert_eq!(arriving.codes.missing, ["birth", "sex", "home_place"]);
}

#[test]
fn every_word_for_a_sex_is_understood_and_no_other() {
    let words = [
        ("m", Sex::Male),
        ("MALE", Sex::Male),
        ("ប្រុស", Sex::Male),
        ("F", Sex::Female),
        ("Female", Sex::Female),
        ("ស្រី", Sex::Female),
        ("", Sex::Unknown),
    ];
    for (word, sex) in words {
        assert_eq!(row(&format!("Kumru,Dara,{word},,,,")).expect("it is sound").codes.sex, sex, "{word}");
    }
    assert_eq!(unfit("Kumru,Dara,x,,,,"), (Reason::SexUnknownWord, Some(Column::Sex)));
}

#[test]
fn each_fault_has_its_code_and_its_column() {
    let long = "x".repeat(101);
    let faults = [
        ("Kumru,Dara,m,1998-02-31,,,", Reason::BirthMalformed, Some(Column::Birth)),
        ("Kumru,Dara,m,98,,,", Reason::BirthMalformed, Some(Column::Birth)),
        ("Kumru,Dara,m,1899,,,", Reason::BirthMalformed, Some(Column::Birth)),
        ("Kumru,Dara,m,2026-09-02,,,", Reason::BirthAfterArrival, Some(Column::Birth)),
        ("Kumru,Dara,m,2027,,,", Reason::BirthAfterArrival, Some(Column::Birth)),
        ("Kumru,Dara,m,,,102,", Reason::PlaceMalformed, Some(Column::HomePlace)),
        ("Kumru,Dara,m,,,,gold", Reason::UnknownNeed, Some(Column::Needs)),
        ("Kumru,Dara,m", Reason::RowTooShort, None),
        ("Kumru,Dara,m,1990,,,,surplus", Reason::RowTooLong, None),
        (",,,,,,", Reason::NoPerson, None),
        (",", Reason::NoPerson, None),
        ("\"Kumru,Dara,m,,,,", Reason::QuoteNotClosed, None),
        (&format!("{long},Dara,m,,,,"), Reason::TextMalformed, Some(Column::FamilyName)),
        ("Kumru,Da\u{7}ra,m,,,,", Reason::TextMalformed, Some(Column::GivenName)),
    ];
    for (line, reason, column) in faults {
        assert_eq!(unfit(line), (reason, column), "{line}");
    }
    let file = "nationality\nCambodian\n";
    let content = rows(file).remove(0).content;
    let expected = Unfit::cell(Reason::NationalityMalformed, Column::Nationality);
    assert_eq!(content.expect_err("no such country"), expected);
}

#[test]
fn a_faulty_row_stops_no_other_and_lines_are_counted_as_an_editor_counts_them() {
    let rows =
        rows(&format!("{HEADER}\n\"Kumru,Dara,m,,,,\n\nKumru,Vibol,m,,,,\n,,,,,,\n\"Kumru\",\"Tea, Tok\",m,,,,\n"));
    let lines: Vec<_> = rows.iter().map(|row| (row.line, row.content.is_ok())).collect();
    assert_eq!(lines, [(2, false), (4, true), (5, false), (6, true)]);
}

#[test]
fn who_stands_on_the_list_twice_arrives_once() {
    let file = format!(
        "{HEADER}\nKumru,Dara,m,1998-02-31,N 0400001,,\nKumru,Dara,m,1998,N 0400001,,\nkumru,Vibol,m,,n0400001,,\n\
         Kumru,Tea,m,1990,,,\nKumru,Tea,m,1990,,,\nKumru,Tea,m,1991,none,,\nKumru,Tok,m,1991,none,,\n,,m,1990,,,\n,,m,1990,,,\n"
    );
    let verdicts: Vec<_> = rows(&file).iter().map(|row| row.content.as_ref().err().map(|unfit| unfit.reason)).collect();
    let duplicate = Some(Reason::DuplicateRow);
    // The first row was refused, so the second is not its copy. Two people without names are two people.
    let malformed = Some(Reason::BirthMalformed);
    assert_eq!(verdicts, [malformed, None, duplicate, None, duplicate, None, None, None, None]);
}

#[test]
fn a_file_that_is_no_such_list_is_refused_whole() {
    let read = |file: &[u8]| read(&File::Csv(file.to_vec()), arrived_on()).expect_err("it must be refused");
    assert_eq!(read(b""), Unreadable::NoHeader);
    assert_eq!(read(b"family_name\nKumru\n\xff\xfe\n"), Unreadable::NotUtf8 { line: 3 });
    assert_eq!(read(b"family_name;given_name\nKumru;Dara\n"), Unreadable::UnknownColumn { place: 1 });
    assert_eq!(read(b"sex,birth,sex\n"), Unreadable::ColumnTwice { column: Column::Sex });
    assert_eq!(read(&vec![b'\n'; MOST_BYTES + 1]), Unreadable::TooLarge);
    assert_eq!(read(format!("sex\n{}", "m\n".repeat(MOST_ROWS + 1)).as_bytes()), Unreadable::TooManyRows);
    assert_eq!(rows(&format!("sex\n{}", "m\n".repeat(MOST_ROWS))).len(), MOST_ROWS);
}

#[test]
fn the_example_has_seventeen_men_and_one_faulty_row() {
    let rows = rows(include_str!("../../examples/manifest.csv"));
    let faults: Vec<_> = rows.iter().filter_map(|row| Some((row.line, row.content.as_ref().err()?.reason))).collect();
    assert_eq!(rows.len(), 17);
    assert_eq!(faults, [(9, Reason::BirthMalformed)]);
    assert!(rows.iter().filter_map(|row| row.content.as_ref().ok()).all(|arriving| arriving.codes.sex == Sex::Male));
}

fn birth(cell: &str) -> (Option<Birth>, Vec<Note>) {
    match rows(&format!("birth\n{cell}\n")).remove(0).content {
        Ok(arriving) => (Some(arriving.described.identity.birth), arriving.notes.into_iter().collect()),
        Err(_) => (None, vec![]),
    }
}

fn on(day: &str) -> Birth {
    Birth::On { date: day.parse().expect("a day") }
}

fn in_year(year: i32, approximate: bool) -> Birth {
    Birth::Year { year, approximate }
}

#[test]
fn a_birth_is_understood_in_every_order_era_and_kind_of_digits_and_it_is_said_what_was_done() {
    let births = [
        ("1990-02-28", Some(on("1990-02-28")), vec![]),
        ("1990/2/28", Some(on("1990-02-28")), vec![]),
        ("28/02/1990", Some(on("1990-02-28")), vec![]),
        ("2.28.1990", Some(on("1990-02-28")), vec![]),
        ("05/05/1990", Some(on("1990-05-05")), vec![]),
        ("04/05/1990", Some(in_year(1990, false)), vec![Note::DayMonthUnclear]),
        ("1990-02-28 00:00:00", Some(on("1990-02-28")), vec![]),
        ("១៩៩០", Some(in_year(1990, true)), vec![Note::LocalDigits]),
        ("២៨/០២/១៩៩០", Some(on("1990-02-28")), vec![Note::LocalDigits]),
        ("๒๘/๐๒/๒๕๓๓", Some(on("1990-02-28")), vec![Note::BuddhistYear, Note::LocalDigits]),
        ("2533", Some(in_year(1990, true)), vec![Note::BuddhistYear]),
        ("28/02/2533", Some(on("1990-02-28")), vec![Note::BuddhistYear]),
        ("2568", Some(in_year(2025, true)), vec![Note::BuddhistYear]),
        // The years of the eras did not begin on the same day then.
        ("28/02/2480", Some(in_year(1937, true)), vec![Note::BuddhistYear]),
    ];
    for (cell, expected, notes) in births {
        let (birth, found) = birth(cell);
        assert!(birth == expected, "{cell}");
        assert_eq!(found, notes, "{cell}");
    }
    for cell in ["2300", "28/02/90", "29/02/1990", "13/13/1990", "1990-02", "2744", "-1990", "1990-+2-28", "១៩"] {
        assert!(birth(cell).0.is_none(), "{cell}");
    }
    let faulty = rows("birth\n2600\n").remove(0).content.expect_err("nobody is born in 2057");
    assert_eq!(faulty, Unfit::cell(Reason::BirthAfterArrival, Column::Birth));
}

#[test]
fn an_age_becomes_a_year_at_any_age_and_says_when_it_contradicts_the_birth() {
    for age in 0..=120 {
        let row = rows(&format!("age\n{age}\n")).remove(0).content.expect("it is sound");
        assert!(row.described.identity.birth == Birth::Year { year: 2026 - age, approximate: true }, "{age}");
        assert!(row.notes.contains(&Note::YearFromAge));
    }
    for age in ["-1", "121", "ten", "3.5"] {
        let faulty = rows(&format!("age\n{age}\n")).remove(0).content.expect_err("it must be refused");
        assert_eq!(faulty, Unfit::cell(Reason::AgeMalformed, Column::Age), "{age}");
    }
    let contradiction = rows("birth,age\n1990,36\n1990,20\n");
    let notes: Vec<_> = contradiction.into_iter().map(|row| row.content.expect("it is sound").notes).collect();
    assert_eq!(notes, [BTreeSet::new(), BTreeSet::from([Note::AgeContradictsBirth])]);
}

#[test]
fn a_column_goes_by_many_names() {
    let rows = rows("No.,Surname,First Name,ភេទ,Date of Birth,Passport No.\n1,Kumru,Dara,m,1990,N0400001\n");
    let arriving = rows[0].content.as_ref().expect("it is sound");
    assert!(arriving.described.identity.latin == Some(Name { family: "Kumru".to_owned(), given: "Dara".to_owned() }));
    assert_eq!(arriving.codes.sex, Sex::Male);
    let twice = read(&File::Csv(b"sex,gender\n".to_vec()), arrived_on());
    assert_eq!(twice.expect_err("a column twice"), Unreadable::ColumnTwice { column: Column::Sex });
}

#[test]
fn a_copy_says_which_line_it_is_a_copy_of() {
    let rows = rows(&format!("{HEADER}\nKumru,Dara,m,1998,N0400001,,\n,,f,,,,\nKumru,Vibol,m,,n0400001,,\n"));
    let unfit = rows[2].content.as_ref().expect_err("a copy");
    assert_eq!((unfit.reason, unfit.same_as), (Reason::DuplicateRow, Some(2)));
}
