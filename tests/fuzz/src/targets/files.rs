//! Files that people hand in.

use std::io::{Cursor, Write as _};
use std::sync::LazyLock;

use spean_directory::gazetteer::{EditionYear, Lists, import};
use spean_repatriation::sheet::{File, read};
use spean_vocabulary::Date;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::Draw;

/// How many rows a list may have.
const MOST_ROWS: usize = 5_000;

fn arrived_on() -> Date {
    "2026-09-01".parse().expect("a day")
}

fn examine(file: &File) {
    match read(file, arrived_on()) {
        Ok(rows) => assert!(rows.len() <= MOST_ROWS, "more rows than there may be"),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// A list of arrivals as a text.
pub(super) fn lists_as_csv(draw: &mut Draw<'_>) {
    let rows = "family_name,given_name,family_name_km,given_name_km,sex,birth,age,nationality,place,needs\n\
                Kumru,Sita,គំរូ,តារា,female,1999-02-28,,KH,0802,shelter\n\
                \"Kum\"\"ru\",\"Da,ra\",,,male,២៥៤៣,27,KH,08,\"health;livelihood\"\n\
                ,,,,,,,,,\n";
    let mut text = draw.changed(&[rows.as_bytes().to_vec(), b"\xef\xbb\xbfsex\r\nmale\r\n".to_vec()]);
    match draw.below(200) {
        // A million columns, a line without an end, and as many rows as fit.
        0 => text = [b"sex", vec![b','; 1_000_000].as_slice()].concat(),
        1 => text.extend(std::iter::repeat_n(b'"', 500_000)),
        2 => text.extend(b"a,b,c,d,e,f,g,h,i,j\n".repeat(20_000)),
        3 => text.resize(3 * 1024 * 1024, b'x'),
        _ => {}
    }
    examine(&File::Csv(text));
}

const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

/// The files of a workbook of one sheet.
fn workbook() -> Vec<(&'static str, String)> {
    let relations = "http://schemas.openxmlformats.org/package/2006/relationships";
    let cell = |place: &str, text: &str| format!("<c r=\"{place}\" t=\"inlineStr\"><is><t>{text}</t></is></c>");
    let sheet = format!(
        "<worksheet xmlns=\"{MAIN}\"><sheetData><row r=\"1\">{}{}{}</row><row r=\"2\">{}<c r=\"B2\" s=\"1\"><v>36585</v></c>\
         <c r=\"C2\" t=\"str\"><f>UPPER(A1)</f><v>Sita</v></c></row><row r=\"3\"><c r=\"A3\" t=\"s\"><v>0</v></c>\
         <c r=\"B3\"><v>1e9</v></c><c r=\"C3\" t=\"e\"><f>1/0</f><v>#DIV/0!</v></c></row></sheetData></worksheet>",
        cell("A1", "sex"),
        cell("B1", "birth"),
        cell("C1", "given_name"),
        cell("A2", "female"),
    );
    vec![
        (
            "[Content_Types].xml",
            "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"/>".to_owned(),
        ),
        (
            "_rels/.rels",
            format!(
                "<Relationships xmlns=\"{relations}\"><Relationship Id=\"rId1\" Type=\"{OFFICE}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
            ),
        ),
        (
            "xl/workbook.xml",
            format!(
                "<workbook xmlns=\"{MAIN}\" xmlns:r=\"{OFFICE}\"><sheets><sheet name=\"A\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>"
            ),
        ),
        (
            "xl/_rels/workbook.xml.rels",
            format!(
                "<Relationships xmlns=\"{relations}\"><Relationship Id=\"rId1\" Type=\"{OFFICE}/worksheet\" Target=\"worksheets/sheet1.xml\"/><Relationship Id=\"rId2\" Type=\"{OFFICE}/styles\" Target=\"styles.xml\"/><Relationship Id=\"rId3\" Type=\"{OFFICE}/sharedStrings\" Target=\"sharedStrings.xml\"/></Relationships>"
            ),
        ),
        (
            "xl/styles.xml",
            format!(
                "<styleSheet xmlns=\"{MAIN}\"><cellXfs count=\"2\"><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/></cellXfs></styleSheet>"
            ),
        ),
        ("xl/sharedStrings.xml", format!("<sst xmlns=\"{MAIN}\"><si><t>male</t></si></sst>")),
        ("xl/worksheets/sheet1.xml", sheet),
    ]
}

fn packed<'f>(files: impl IntoIterator<Item = (&'f str, Vec<u8>)>) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        writer.start_file(name, SimpleFileOptions::default()).expect("a file in memory");
        writer.write_all(&content).expect("memory");
    }
    writer.finish().expect("an archive").into_inner()
}

/// A list of arrivals as a workbook: changed outside, changed in one of its files, or made to unpack without end.
pub(super) fn lists_as_workbooks(draw: &mut Draw<'_>) {
    static FILES: LazyLock<Vec<(&'static str, Vec<u8>)>> =
        LazyLock::new(|| workbook().into_iter().map(|(name, text)| (name, text.into_bytes())).collect());
    static WHOLE: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| vec![packed(FILES.iter().cloned())]);
    let bytes = match draw.below(100) {
        0 => {
            let bomb = ("xl/media/image1.png", vec![0; 40 * 1024 * 1024]);
            packed(FILES.iter().cloned().chain([bomb]))
        }
        1 => {
            let row = "<row r=\"2\"><c r=\"XFD1048576\"><v>1</v></c></row>".repeat(50_000);
            with_sheet(
                &FILES,
                format!("<worksheet xmlns=\"{MAIN}\"><sheetData>{row}</sheetData></worksheet>").into_bytes(),
            )
        }
        2 => {
            let nested = "<row>".repeat(200_000);
            with_sheet(&FILES, format!("<worksheet xmlns=\"{MAIN}\"><sheetData>{nested}").into_bytes())
        }
        3..50 => draw.changed(&WHOLE),
        _ => {
            let which = draw.below(FILES.len());
            let (name, content) = &FILES[which];
            let content = draw.changed(std::slice::from_ref(content));
            let others = FILES.iter().enumerate().filter(|(other, _)| *other != which).map(|(_, file)| file.clone());
            packed(others.chain([(*name, content)]))
        }
    };
    examine(&File::Xlsx(bytes));
}

fn with_sheet(files: &[(&'static str, Vec<u8>)], sheet: Vec<u8>) -> Vec<u8> {
    let others = files.iter().filter(|(name, _)| !name.starts_with("xl/worksheets")).cloned();
    packed(others.chain([("xl/worksheets/sheet1.xml", sheet)]))
}

/// The lists of places. No row is lost silently, however bad the lists are.
pub(super) fn gazetteers(draw: &mut Draw<'_>) {
    let examples = [
        "province_code,province_kh,province_en\n1,បន្ទាយមានជ័យ,Banteay Meanchey\n8,កណ្ដាល,Kandal\n",
        "province_code,district_code,district_kh,district_en\n1,102,មង្គលបូរី,Mongkol Borei\n8,802,កៀនស្វាយ,Kien Svay\n",
        "province_code,district_code,commune_code,commune_kh,commune_en\n8,802,80201,បន្ទាយដែក,Banteay Daek\n",
        "province_code,district_code,commune_code,village_code,village_kh,village_en\n8,802,80201,8020101,ភូមិ,Village\n",
    ]
    .map(str::to_owned);
    let mut lists = examples.clone();
    for _ in 0..=draw.below(2) {
        let which = draw.below(lists.len());
        lists[which] = draw.changed_text(&[examples[which].clone(), lists[which].clone()]);
    }
    let [provinces, districts, communes, villages] = &lists;
    let _ = import(EditionYear(2025), &Lists { provinces, districts, communes, villages });
}
