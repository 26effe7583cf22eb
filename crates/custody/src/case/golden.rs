//! Every stored event has a line of JSON that must be readable for ever.

use std::collections::BTreeMap;

use spean_vocabulary::OfferKind;
use strum::VariantNames;

use super::examples::{Story, at, kandal, ministry, offer, party, poipet, receive, takeo};
use super::{Command, Event};
use spean_eventsourcing::Aggregate;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/events.jsonl");

/// The first event of each kind that these stories lead to.
fn one_of_each() -> BTreeMap<&'static str, Event> {
    let reminded = Story::offered(OfferKind::Transfer)
        .then(&poipet(), Command::Remind { offer: offer(1) })
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
    events
}

#[test]
fn every_stored_event_keeps_its_line_of_json() {
    let events = one_of_each();
    let missing: Vec<_> = Event::VARIANTS.iter().filter(|kind| !events.contains_key(*kind)).collect();
    assert!(missing.is_empty(), "no story leads to {missing:?}");
    let lines: String = events.values().map(|event| serde_json::to_string(event).unwrap() + "\n").collect();
    if std::env::var_os("SPEAN_BLESS").is_some() {
        std::fs::write(FILE, &lines).unwrap();
    }
    let golden = std::fs::read_to_string(FILE).unwrap();
    assert_eq!(lines, golden, "stored events may not change; if this is meant, run again with SPEAN_BLESS=1");
    let read: Vec<Event> = golden.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(read, events.into_values().collect::<Vec<_>>());
}

#[test]
fn letters_are_read_back_as_they_were_written() {
    let story = Story::accepted(OfferKind::Transfer).overridden();
    for (from, to) in [(poipet(), kandal()), (kandal(), poipet()), (ministry(), takeo()), (poipet(), ministry())] {
        for message in story.said(&from, &to) {
            let json = serde_json::to_string(&message).unwrap();
            assert_eq!(serde_json::from_str::<super::Message>(&json).unwrap(), message);
        }
    }
}
