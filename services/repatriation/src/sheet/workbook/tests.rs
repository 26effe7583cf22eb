//! Workbooks, sound and broken.

use proptest::prelude::*;
use spean_vault::{Birth, Document, Name};
use spean_vocabulary::Date;

use super::super::{Arriving, Column, File, Note, Row, read};
use super::*;

#[path = "../../../tests/support/workbook.rs"]
mod examples;

use examples::{Cell, archive, packed, place, sheet, workbook};

fn arrived_on() -> Date {
    "2026-09-01".parse().expect("a day")
}

fn read_workbook(file: Vec<u8>) -> Result<Vec<Row>, Unreadable> {
    read(&File::Xlsx(file), arrived_on())
}

fn header<'a>() -> Vec<Cell<'a>> {
    ["No", "Surname", "First name", "Sex", "Date of birth", "Passport no", "Home place"].map(Cell::Text).to_vec()
}

fn rows(cells: Vec<Vec<Cell<'_>>>) -> Vec<Row> {
    let table: Vec<_> = std::iter::once(header()).chain(cells).collect();
    read_workbook(workbook(&table)).expect("a readable workbook")
}

fn row(cells: Vec<Cell<'_>>) -> Result<Arriving, Unfit> {
    rows(vec![cells]).remove(0).content
}

fn born(birth: Cell<'_>) -> Option<(Birth, Vec<Note>)> {
    let arriving = row(vec![Cell::Number(1.0), Cell::Text("Kumru"), Cell::Nothing, Cell::Nothing, birth]).ok()?;
    Some((arriving.described.identity.birth, arriving.notes.into_iter().collect()))
}

#[test]
fn a_row_of_a_workbook_becomes_somebody() {
    let arriving = row(vec![
        Cell::Number(1.0),
        Cell::Text("Kumru & Sons"),
        Cell::Formula("DARA"),
        Cell::Text("ប្រុស"),
        Cell::Day(33_000.0),
        Cell::Number(12_345_678.0),
        Cell::Number(102.0),
    ])
    .expect("it is sound");
    let identity = &arriving.described.identity;
    assert!(identity.latin == Some(Name { family: "Kumru & Sons".to_owned(), given: "DARA".to_owned() }));
    assert!(identity.birth == Birth::On { date: "1990-05-07".parse().expect("a day") });
    assert!(identity.documents == [Document { kind: "document".to_owned(), number: "12345678".to_owned() }]);
    // The workbook took the code for a number.
    assert_eq!(arriving.codes.home_place, "0102".parse().ok());
    assert_eq!(arriving.notes.into_iter().collect::<Vec<_>>(), [Note::PlacePadded]);
}

#[test]
fn a_birth_in_a_workbook_is_a_day_a_number_for_a_day_a_year_or_a_text() {
    let on = |day: &str| Birth::On { date: day.parse().expect("a day") };
    let year = |year| Birth::Year { year, approximate: true };
    let births = [
        (Cell::Day(36_526.0), on("2000-01-01"), vec![]),
        (Cell::Number(36_526.0), on("2000-01-01"), vec![Note::WorkbookDay]),
        (Cell::Number(36_526.75), on("2000-01-01"), vec![Note::WorkbookDay]),
        (Cell::Number(1990.0), year(1990), vec![]),
        (Cell::Number(2533.0), year(1990), vec![Note::BuddhistYear]),
        // 28 February of the year 2533 of the Buddhist era, typed as if it were a year of the common one.
        (Cell::Day(231_259.0), on("1990-02-28"), vec![Note::BuddhistYear]),
        (Cell::Text("២៨/០២/១៩៩០"), on("1990-02-28"), vec![Note::LocalDigits]),
        (Cell::Formula("1990-02-28"), on("1990-02-28"), vec![]),
    ];
    for (cell, birth, notes) in births {
        let (found, said) = born(cell).unwrap_or_else(|| panic!("{cell:?} is not understood"));
        assert!(found == birth, "{cell:?}");
        assert_eq!(said, notes, "{cell:?}");
    }
    for cell in [Cell::Error, Cell::Number(-1.0), Cell::Number(1e300), Cell::Number(0.5), Cell::Number(300.0)] {
        assert!(born(cell).is_none(), "{cell:?}");
    }
}

#[test]
fn lines_are_counted_as_the_spreadsheet_counts_them_and_empty_rows_are_nobody() {
    let rows =
        rows(vec![vec![], vec![Cell::Nothing, Cell::Text("Kumru")], vec![Cell::Number(7.0)], vec![Cell::Text(" ")]]);
    let lines: Vec<_> =
        rows.iter().map(|row| (row.line, row.content.as_ref().err().map(|unfit| unfit.reason))).collect();
    assert_eq!(lines, [(3, None), (4, Some(Reason::NoPerson))]);
}

#[test]
fn cells_beyond_the_header_and_texts_without_end_are_faults_of_their_row() {
    let mut wide = vec![Cell::Nothing; 8];
    wide.push(Cell::Text("surplus"));
    let long = "x".repeat(5_000);
    let rows = rows(vec![wide, vec![Cell::Nothing, Cell::Text(&long)]]);
    let faults: Vec<_> = rows.iter().map(|row| row.content.as_ref().expect_err("a fault")).copied().collect();
    assert_eq!(faults, [Unfit::row(Reason::RowTooLong), Unfit::cell(Reason::TextMalformed, Column::FamilyName)]);
}

#[test]
fn what_is_no_workbook_is_refused_whole() {
    let refused = |file: &[u8]| read_workbook(file.to_vec()).expect_err("it must be refused");
    assert_eq!(refused(b"sex\nm\n"), Unreadable::NotAWorkbook);
    // How a workbook with a password begins.
    assert_eq!(refused(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), Unreadable::NotAWorkbook);
    assert_eq!(refused(&archive([("hello.txt", &b"hello"[..])])), Unreadable::NotAWorkbook);
    assert_eq!(refused(&workbook(&[])), Unreadable::NoHeader);
    assert_eq!(refused(&workbook(&[vec![Cell::Text("shoe size")]])), Unreadable::UnknownColumn { place: 1 });
    let many: Vec<_> = (0..501).map(|number| format!("{number}.xml")).collect();
    assert_eq!(refused(&archive(many.iter().map(|name| (name.as_str(), &b""[..])))), Unreadable::NotAWorkbook);
    let whole = workbook(&[header()]);
    assert_eq!(refused(&whole[..whole.len() / 2]), Unreadable::NotAWorkbook);
}

#[test]
fn more_rows_or_columns_than_a_list_can_have_are_refused() {
    let one = vec![Cell::Nothing, Cell::Text("Kumru")];
    let table = |rows: usize| std::iter::once(header()).chain(vec![one.clone(); rows]).collect::<Vec<_>>();
    assert_eq!(read_workbook(workbook(&table(5_000))).expect("as many as it may have").len(), 5_000);
    assert_eq!(read_workbook(workbook(&table(5_001))).expect_err("one too many"), Unreadable::TooManyRows);
    let mut wide = header();
    wide.extend(vec![Cell::Nothing; 58]);
    wide.push(Cell::Text("far away"));
    assert_eq!(read_workbook(workbook(&[wide])).expect_err("too wide"), Unreadable::TooManyColumns);
}

#[test]
fn a_lone_cell_in_the_last_corner_of_the_sheet_costs_nothing() {
    let corner = "<row r=\"1048576\"><c r=\"XFD1048576\"><v>1</v></c></row></sheetData>";
    let far_below = "<row r=\"1048576\"><c r=\"B1048576\"><v>1</v></c></row></sheetData>";
    let with = |row: &str| packed(&sheet(&[header()]).replace("</sheetData>", row), "shared");
    assert_eq!(read_workbook(with(corner)).expect_err("too wide"), Unreadable::TooManyColumns);
    let rows = read_workbook(with(far_below)).expect("a readable workbook");
    assert_eq!((rows.len(), rows[0].line), (1, 1_048_576));
}

#[test]
fn a_file_that_unpacks_without_end_is_refused_before_it_is_unpacked() {
    let zeros = vec![0; 30 * 1024 * 1024];
    let bomb = archive([("xl/worksheets/sheet1.xml", &zeros[..])]);
    assert!(bomb.len() < 100 * 1024, "it is small");
    assert_eq!(read_workbook(bomb).expect_err("a bomb"), Unreadable::UnpacksTooLarge);
    let parts: Vec<_> = (0..20).map(|number| format!("xl/{number}.xml")).collect();
    let part = &zeros[..2 * 1024 * 1024];
    let many = archive(parts.iter().map(|name| (name.as_str(), part)));
    assert_eq!(read_workbook(many).expect_err("many small ones"), Unreadable::UnpacksTooLarge);
}

#[test]
fn one_long_text_behind_many_cells_is_kept_nowhere() {
    let row = vec![Cell::Shared; 60];
    let table: Vec<_> = std::iter::once(header()).chain(vec![row; 3_000]).collect();
    let file = packed(&sheet(&table), &"x".repeat(1024 * 1024));
    let rows = read_workbook(file).expect("a readable workbook");
    assert!(rows.len() == 3_000 && rows.iter().all(|row| row.content.is_err()));
}

#[test]
fn cells_have_the_names_that_spreadsheets_give_them() {
    assert_eq!([place(0, 1), place(25, 2), place(26, 3), place(63, 4)], ["A1", "Z2", "AA3", "BL4"]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(96) })]

    #[test]
    fn no_bytes_bring_the_reader_down(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        let _ = read(&File::Csv(bytes.clone()), arrived_on());
        let _ = read_workbook(bytes);
    }

    #[test]
    fn no_text_under_a_sound_header_brings_the_reader_down(text in "(?s).{0,400}") {
        let file = format!("family_name,birth,age,home_place,needs\n{text}");
        let rows = read(&File::Csv(file.into_bytes()), arrived_on());
        for row in rows.into_iter().flatten() {
            prop_assert!(row.line > 1);
        }
    }

    #[test]
    fn no_birth_brings_the_reader_down(text in "[0-9០-៩๐-๙/.-]{0,12}", number in any::<f64>()) {
        for cell in [Cell::Text(&text), Cell::Number(number), Cell::Day(number)] {
            if let Some((Birth::On { date }, _)) = born(cell) {
                prop_assert!(date <= arrived_on());
            }
        }
    }

    #[test]
    fn no_broken_workbook_brings_the_reader_down(
        at in 0..1_000_usize,
        with in "[<>/\"=a-zA-Z0-9]{0,12}",
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
    ) {
        let mut broken = sheet(&[header(), vec![Cell::Number(1.0), Cell::Text("Kumru"), Cell::Shared, Cell::Day(33_000.0)]]);
        let at = (0..=at.min(broken.len())).rfind(|at| broken.is_char_boundary(*at)).unwrap_or(0);
        broken.insert_str(at, &with);
        let mut file = packed(&broken, "shared");
        for (index, byte) in flips {
            let index = index.index(file.len());
            file[index] = byte;
        }
        if let Ok(rows) = read_workbook(file) {
            prop_assert!(rows.len() <= MOST_ROWS);
        }
    }
}
