//! The example that is shipped, and the events that are stored.

use serde_json::Value;
use spean_policy::{Event, Policy};
use spean_vocabulary::Timestamp;

const SHIPPED: &str = include_str!("../../../deploy/policy.toml");
const GOLDEN: &str = include_str!("golden/policy.jsonl");
const GOLDEN_FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/policy.jsonl");

#[test]
fn the_example_that_is_shipped_is_the_standard_and_says_all_of_it() {
    assert_eq!(Policy::from_toml(SHIPPED).unwrap(), Policy::standard());
    let said: toml::Table = toml::from_str(SHIPPED).unwrap();
    for (field, figure) in Policy::standard().figures() {
        let said = field.split('.').try_fold(&toml::Value::Table(said.clone()), |value, name| value.get(name)).cloned();
        assert_eq!(said.and_then(|said| said.as_integer()), Some(figure), "{field}");
    }
}

#[test]
fn every_figure_of_the_example_says_where_it_comes_from() {
    let mut explained = false;
    for line in SHIPPED.lines() {
        if line.contains(" = ") && !line.starts_with('#') {
            assert!(explained, "no source before: {line}");
            explained = false;
        }
        explained |= line.starts_with("# ") && line.contains("Source:");
    }
}

/// All that a stored event says is still there after it was read: a later program may know more, never less.
#[test]
fn what_was_stored_is_read_for_ever() {
    if std::env::var_os("SPEAN_BLESS").is_some() {
        let policy = Policy::standard();
        let adopted_at = Timestamp::from_micros(1_795_300_200_000_000);
        let event = Event::PolicyAdopted { version: 1, digest: policy.digest(), policy: Box::new(policy), adopted_at };
        let line = serde_json::to_string(&event).unwrap();
        if !GOLDEN.lines().any(|known| known == line) {
            std::fs::write(GOLDEN_FILE, format!("{GOLDEN}{line}\n")).unwrap();
        }
    }
    for line in GOLDEN.lines() {
        let event: Event = serde_json::from_str(line).unwrap();
        let Event::PolicyAdopted { policy, .. } = &event;
        policy.check().unwrap();
        let stored: Value = serde_json::from_str(line).unwrap();
        assert!(says(&serde_json::to_value(&event).unwrap(), &stored), "{line}");
    }
}

/// Whether a value says at least what another one says.
fn says(value: &Value, other: &Value) -> bool {
    match (value, other) {
        (Value::Object(value), Value::Object(other)) => {
            other.iter().all(|(name, other)| value.get(name).is_some_and(|value| says(value, other)))
        }
        (value, other) => value == other,
    }
}
