//! A list that a stranger hands in does not fill the memory of the centre. A program of its own, since it looks at its own
//! memory.

#[path = "support/workbook.rs"]
mod workbook;

use spean_repatriation::sheet::{File, Unreadable, read};
use workbook::{Cell, archive, packed, sheet};

/// What reading one list may add to the memory, in bytes.
const LIMIT: u64 = 200 * 1024 * 1024;

/// The most memory that this program ever had, in bytes.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux tells");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("Linux tells the peak");
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kibibytes * 1024
}

/// A workbook with a great many shared texts that are empty.
fn many_texts() -> Vec<u8> {
    let texts = "</t></si>".to_owned() + &"<si/>".repeat(1_500_000) + "<si><t>";
    packed(&sheet(&[vec![Cell::Text("sex")]]), &texts)
}

#[test]
fn no_list_takes_more_memory_than_a_limit() {
    let zeros = vec![b' '; 64 * 1024 * 1024];
    let bomb = archive([("xl/worksheets/sheet1.xml", &zeros[..])]);
    drop(zeros);
    let texts = many_texts();
    let long = packed(&sheet(&vec![vec![Cell::Shared; 64]; 1_500]), &"x".repeat(1024 * 1024));
    let before = peak();
    let day = "2026-09-01".parse().expect("a day");
    assert_eq!(read(&File::Xlsx(bomb), day).map(drop), Err(Unreadable::UnpacksTooLarge));
    for file in [texts, long] {
        // Whether it can be read is another question.
        let _ = read(&File::Xlsx(file), day);
    }
    let added = peak() - before;
    assert!(added < LIMIT, "{added} bytes");
}
