//! Every stored event has a line of JSON that must be readable for ever.

use std::collections::{BTreeMap, BTreeSet};

use spean_vocabulary::OfferKind;
use strum::VariantNames;

use super::examples::{Story, at, kandal, ministry, offer, party, poipet, receive, takeo};
use super::{Command, Event};
use spean_eventsourcing::Aggregate;

/// The lines of the first version. They are only ever read: nothing writes this file.
const FIRST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/events.jsonl");
/// The lines of versions in between, which no version writes any more. They are only ever read as well.
const BETWEEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/events_between.jsonl");
/// The lines of events that hold more than those of the first version.
const LATER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/events_later.jsonl");

/// The letters of the first version, as nodes that run it send them still.
const LETTERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/letters/first_version.jsonl");

/// The events that these stories lead to, each kind once, and those that hold what the first version did not know.
fn told() -> Vec<Event> {
    let reminded = Story::offered(OfferKind::Transfer)
        .then(&poipet(), Command::Remind { offer: offer(1), number: 1 })
        .then(&poipet(), Command::NotifyAbove { offer: offer(1), above: takeo() });
    let stories = [
        reminded,
        Story::declined(),
        Story::withdrawn(OfferKind::Transfer),
        Story::concluded(),
        Story::accepted(OfferKind::Transfer),
        Story::offered(OfferKind::Transfer).overridden(),
    ];
    let offices = [poipet(), kandal(), takeo(), ministry(), party("ngo-board")];
    let logs = stories.iter().flat_map(|story| offices.iter().flat_map(|office| story.log(office)));
    let accept = super::Message::Accept { case: super::examples::case(), offer: offer(1), term: 0 };
    let late =
        Story::withdrawn(OfferKind::Transfer).state(&poipet()).decide(receive(&kandal(), accept), &at(&poipet()));
    let mut events = BTreeMap::new();
    for event in logs.chain(late.unwrap()) {
        let kind: &'static str = (&event).into();
        events.entry(kind).or_insert(event);
    }
    let redirected = Story::redirected()
        .then(&poipet(), Command::Remind { offer: offer(2), number: 3 })
        .then(&kandal(), Command::Redirect { offer: offer(2), successor: takeo().office });
    let later = [poipet(), kandal()].into_iter().flat_map(|office| redirected.log(&office));
    events.into_values().chain(later.filter(|event| !matches!(event, Event::Opened { .. }))).collect()
}

fn lines_of(file: &str) -> String {
    std::fs::read_to_string(file).unwrap_or_default()
}

#[test]
fn every_stored_event_keeps_its_line_of_json() {
    let first = lines_of(FIRST);
    let later: String = told()
        .iter()
        .map(|event| serde_json::to_string(event).unwrap() + "\n")
        .filter(|line| !first.contains(line.as_str()))
        .collect();
    if std::env::var_os("SPEAN_BLESS").is_some() {
        std::fs::write(LATER, &later).unwrap();
    }
    let golden = lines_of(LATER);
    assert_eq!(later, golden, "stored events may not change; if one is new, run again with SPEAN_BLESS=1");
    let mut kinds = BTreeSet::new();
    for line in first.lines().chain(lines_of(BETWEEN).lines()).chain(golden.lines()) {
        let event: Event = serde_json::from_str(line).unwrap();
        assert_eq!(serde_json::to_string(&event).unwrap(), line, "what was stored is written again as it was");
        kinds.insert(<&'static str>::from(&event));
    }
    let missing: Vec<_> = Event::VARIANTS.iter().filter(|kind| !kinds.contains(*kind)).collect();
    assert!(missing.is_empty(), "no line shows {missing:?}");
    assert_eq!(first.lines().count(), 29, "a line of the first version is gone");
}

/// Two versions of the program talk to each other for as long as an upgrade of the network takes.
#[test]
fn every_letter_keeps_its_line_of_json() {
    let stories = [
        Story::declined(),
        Story::withdrawn(OfferKind::Transfer),
        Story::concluded(),
        Story::accepted(OfferKind::Transfer).overridden(),
        Story::redirected(),
    ];
    let offices = [poipet(), kandal(), takeo(), ministry()];
    let mut lines = BTreeMap::new();
    for story in &stories {
        for from in &offices {
            for to in offices.iter().filter(|to| *to != from) {
                for message in story.said(from, to) {
                    let json = serde_json::to_string(&message).unwrap();
                    assert_eq!(serde_json::from_str::<super::Message>(&json).unwrap(), message);
                    lines.entry(<&'static str>::from(&message)).or_insert(json + "\n");
                }
            }
        }
    }
    let lines: String = lines.into_values().collect();
    if std::env::var_os("SPEAN_BLESS").is_some() {
        std::fs::write(LETTERS, &lines).unwrap();
    }
    assert_eq!(lines, lines_of(LETTERS), "letters may not change while others send and read the earlier ones");
}
