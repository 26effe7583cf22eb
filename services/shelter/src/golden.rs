//! Lines of stored events, which every later program must read as they are.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Each line is read and written back to the letter, and each of these events has its line. `SPEAN_BLESS=1` adds those
/// that have none; a line that is there may never change.
#[track_caller]
pub(crate) fn check<E: Serialize + DeserializeOwned>(path: &str, events: &[E]) {
    let mut stored = std::fs::read_to_string(path).unwrap_or_default();
    for event in events {
        let line = serde_json::to_string(event).unwrap();
        if !stored.lines().any(|known| known == line) {
            assert!(std::env::var_os("SPEAN_BLESS").is_some(), "no line for {line}");
            stored.push_str(&line);
            stored.push('\n');
            std::fs::write(path, &stored).unwrap();
        }
    }
    for line in stored.lines() {
        let event: E = serde_json::from_str(line).unwrap();
        assert_eq!(serde_json::to_string(&event).unwrap(), line);
    }
}
