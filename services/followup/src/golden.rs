//! Every stored event has its line in `tests/golden`: what is stored somewhere may never change.

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Compares events with the lines of a file, both ways. `SPEAN_BLESS=1` writes the file afresh.
pub(crate) fn check<E: Serialize + DeserializeOwned + PartialEq + Debug>(file: &str, events: &[E]) {
    let path = format!("{}/tests/golden/{file}.jsonl", env!("CARGO_MANIFEST_DIR"));
    let lines: String = events.iter().map(|event| serde_json::to_string(event).unwrap() + "\n").collect();
    if std::env::var_os("SPEAN_BLESS").is_some() {
        std::fs::write(&path, &lines).unwrap();
    }
    let stored = std::fs::read_to_string(&path).unwrap();
    assert_eq!(stored, lines, "stored events may not change; if this is meant, run again with SPEAN_BLESS=1");
    let read: Vec<E> = stored.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(read, events);
}
