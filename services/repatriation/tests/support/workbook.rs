//! Workbooks as spreadsheet programs write them, made by hand.

#![allow(dead_code, reason = "each test program uses a part of it")]

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const RELATIONS: &str = "http://schemas.openxmlformats.org/package/2006/relationships";
const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

/// A cell.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cell<'a> {
    /// Left out.
    Nothing,
    /// A text.
    Text(&'a str),
    /// The first of the shared texts.
    Shared,
    /// A number.
    Number(f64),
    /// A number that is shown as a day.
    Day(f64),
    /// A formula, and the text that it came to.
    Formula(&'a str),
    /// The error of a formula.
    Error,
}

/// A workbook of one sheet.
pub(crate) fn workbook(rows: &[Vec<Cell<'_>>]) -> Vec<u8> {
    packed(&sheet(rows), "shared")
}

/// The sheet alone.
pub(crate) fn sheet(rows: &[Vec<Cell<'_>>]) -> String {
    let mut sheet = format!("<worksheet xmlns=\"{MAIN}\"><sheetData>");
    for (row, cells) in (1..).zip(rows) {
        write!(sheet, "<row r=\"{row}\">").expect("text grows");
        for (column, cell) in cells.iter().enumerate() {
            sheet.push_str(&written(&place(column, row), *cell));
        }
        sheet.push_str("</row>");
    }
    sheet + "</sheetData></worksheet>"
}

/// The name of a cell among the first 702 columns.
pub(crate) fn place(column: usize, row: usize) -> String {
    let letter = |number: usize| char::from(b'A' + u8::try_from(number).expect("a letter"));
    let first = (column >= 26).then(|| letter(column / 26 - 1));
    format!("{}{}{row}", first.map(String::from).unwrap_or_default(), letter(column % 26))
}

fn written(place: &str, cell: Cell<'_>) -> String {
    match cell {
        Cell::Nothing => String::new(),
        Cell::Text(text) => {
            let text = text.replace('&', "&amp;").replace('<', "&lt;");
            format!("<c r=\"{place}\" t=\"inlineStr\"><is><t>{text}</t></is></c>")
        }
        Cell::Shared => format!("<c r=\"{place}\" t=\"s\"><v>0</v></c>"),
        Cell::Number(number) => format!("<c r=\"{place}\"><v>{number}</v></c>"),
        Cell::Day(number) => format!("<c r=\"{place}\" s=\"1\"><v>{number}</v></c>"),
        Cell::Formula(text) => format!("<c r=\"{place}\" t=\"str\"><f>UPPER(A1)</f><v>{text}</v></c>"),
        Cell::Error => format!("<c r=\"{place}\" t=\"e\"><f>1/0</f><v>#DIV/0!</v></c>"),
    }
}

/// A workbook around a sheet and one shared text.
pub(crate) fn packed(sheet: &str, shared: &str) -> Vec<u8> {
    let kind = "application/vnd.openxmlformats-officedocument.spreadsheetml";
    let files = [
        (
            "[Content_Types].xml",
            format!(
                "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\">\
                 <Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>\
                 <Override PartName=\"/xl/workbook.xml\" ContentType=\"{kind}.sheet.main+xml\"/>\
                 <Override PartName=\"/xl/worksheets/sheet1.xml\" ContentType=\"{kind}.worksheet+xml\"/>\
                 <Override PartName=\"/xl/styles.xml\" ContentType=\"{kind}.styles+xml\"/>\
                 <Override PartName=\"/xl/sharedStrings.xml\" ContentType=\"{kind}.sharedStrings+xml\"/></Types>"
            ),
        ),
        (
            "_rels/.rels",
            format!(
                "<Relationships xmlns=\"{RELATIONS}\"><Relationship Id=\"rId1\" Type=\"{OFFICE}/officeDocument\" \
                 Target=\"xl/workbook.xml\"/></Relationships>"
            ),
        ),
        (
            "xl/workbook.xml",
            format!(
                "<workbook xmlns=\"{MAIN}\" xmlns:r=\"{OFFICE}\"><sheets>\
                 <sheet name=\"Arrivals\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>"
            ),
        ),
        (
            "xl/_rels/workbook.xml.rels",
            format!(
                "<Relationships xmlns=\"{RELATIONS}\">\
                 <Relationship Id=\"rId1\" Type=\"{OFFICE}/worksheet\" Target=\"worksheets/sheet1.xml\"/>\
                 <Relationship Id=\"rId2\" Type=\"{OFFICE}/styles\" Target=\"styles.xml\"/>\
                 <Relationship Id=\"rId3\" Type=\"{OFFICE}/sharedStrings\" Target=\"sharedStrings.xml\"/>\
                 </Relationships>"
            ),
        ),
        (
            "xl/styles.xml",
            format!(
                "<styleSheet xmlns=\"{MAIN}\"><cellXfs count=\"2\"><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/>\
                 </cellXfs></styleSheet>"
            ),
        ),
        ("xl/sharedStrings.xml", format!("<sst xmlns=\"{MAIN}\"><si><t>{shared}</t></si></sst>")),
        ("xl/worksheets/sheet1.xml", sheet.to_owned()),
    ];
    archive(files.iter().map(|(name, content)| (*name, content.as_bytes())))
}

/// An archive.
pub(crate) fn archive<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        writer.start_file(name, SimpleFileOptions::default()).expect("a file in memory");
        writer.write_all(content).expect("memory");
    }
    writer.finish().expect("an archive").into_inner()
}
