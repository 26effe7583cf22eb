//! The form in which events are stored must not change: there is a line for each in `tests/golden`.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Compares what is stored today with what was stored when the file was written; `SPEAN_BLESS=1` writes it anew.
pub(crate) fn check<E: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(path: &str, events: &[E]) {
    let lines: String = events.iter().map(|event| serde_json::to_string(event).unwrap() + "\n").collect();
    if std::env::var_os("SPEAN_BLESS").is_some() {
        std::fs::write(path, &lines).unwrap();
    }
    let stored = std::fs::read_to_string(path).unwrap();
    assert_eq!(stored, lines);
    let read: Vec<E> = stored.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(read, events);
}
