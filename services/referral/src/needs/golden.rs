//! Every stored event has a line of JSON that must be readable for ever.

use std::collections::BTreeSet;

use serde::Serialize;
use serde::de::DeserializeOwned;
use spean_custody::case::ServiceOutcome;
use spean_vocabulary::{DeclineReason, Id, Need, OfficeId, Timestamp, Urgency};
use strum::VariantNames;

use super::codes::{OverCapacityReason, RefusalReason, UnmetReason, WaitingEnd};
use super::elsewhere::{self, Line};
use super::need::{self, Asked, Described, Handed, Preferences, Stands};
use crate::availability::{self, Figures};
use crate::waiting_list::{self, Entry};

fn id<K>(number: u8) -> Id<K> {
    format!("00000000-0000-4000-8000-0000000000{number:02x}").parse().unwrap()
}

fn office() -> OfficeId {
    "dsvy-kandal".parse().unwrap()
}

fn at() -> Timestamp {
    Timestamp::from_micros(1_795_300_200_000_000)
}

/// Compares events with the lines of a file, both ways. `SPEAN_BLESS=1` writes the file afresh.
pub(crate) fn check<E>(file: &str, events: &[E])
where
    E: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug + VariantNames,
    for<'e> &'e E: Into<&'static str>,
{
    let shown: BTreeSet<&'static str> = events.iter().map(Into::into).collect();
    let missing: Vec<_> = E::VARIANTS.iter().filter(|variant| !shown.contains(**variant)).collect();
    assert!(missing.is_empty(), "{file} shows no {missing:?}");
    let path = format!("{}/tests/golden/{file}.jsonl", env!("CARGO_MANIFEST_DIR"));
    let lines: String = events.iter().map(|event| serde_json::to_string(event).unwrap() + "\n").collect();
    if std::env::var_os("SPEAN_BLESS").is_some() {
        std::fs::create_dir_all(std::path::Path::new(&path).parent().unwrap()).unwrap();
        std::fs::write(&path, &lines).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap();
    assert_eq!(lines, golden, "stored events may not change; if this is meant, run again with SPEAN_BLESS=1");
    let read: Vec<E> = golden.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(read, events);
}

#[test]
fn the_events_of_needs_keep_their_lines() {
    use need::Event;
    let described = Described {
        case: id(1),
        need: Need::Medical,
        urgency: Urgency::Urgent,
        preferences: Preferences {
            language: Some("vi".to_owned()),
            near: "0802".parse().ok(),
            ..Preferences::default()
        },
        place: "0802".parse().unwrap(),
        known_since: "2026-11-01".parse().unwrap(),
    };
    let on = "2026-11-20".parse().unwrap();
    let (offer, to, outcome) = (id(2), office(), ServiceOutcome::Completed);
    let declined = Stands::Declined { reason: DeclineReason::NoCapacity };
    let told = Box::new(Handed {
        described: described.clone(),
        opened_at: at(),
        asked: [(id(2), Asked { to: office(), stands: declined })].into(),
        refused: [office()].into(),
        not_wanted: false,
        handovers: 1,
    });
    let reasons: BTreeSet<_> = [RefusalReason::TooFar, RefusalReason::Language].into();
    let events = [
        Event::Opened { described, opened_at: at() },
        Event::Asked { offer, to: to.clone() },
        Event::Agreed { offer, to: to.clone() },
        Event::CameBack { offer, to: to.clone(), how: declined },
        Event::ServiceEnded { offer, to: to.clone(), outcome },
        Event::ProviderRefused { provider: office(), reasons: reasons.clone(), refused_on: on },
        Event::RefusalTakenBack { provider: office() },
        Event::NotWanted { reasons, refused_on: on },
        Event::Reopened,
        Event::FoundUnmet { reason: UnmetReason::NobodyOffersIt, on },
        Event::Met { outcome, met_on: on },
        Event::WithdrawnAsMistaken,
        Event::HandedOver { to: to.clone(), told: told.clone() },
        Event::TakenOver { from: office(), told },
        Event::EndPassedOn { to, case: id(1), offer, outcome: Some(ServiceOutcome::NotPossible) },
    ];
    check("needs", &events);
}

#[test]
fn the_events_of_places_and_waiting_lists_keep_their_lines() {
    let figures = Figures { capacity_persons: Some(5), taken_persons: 3, reserved_persons: 1, waiting_persons: 2 };
    let reason = OverCapacityReason::FamilyTogether;
    check(
        "availability",
        &[
            availability::Event::Counted { figures, as_of: at() },
            availability::Event::TakenBeyondCapacity { offer: id(2), reason },
        ],
    );
    let entry = Entry { case: id(1), from: office(), urgency: Urgency::Emergency, since: at() };
    let (offer, why) = (id(2), WaitingEnd::PersonRefused);
    check(
        "waiting_list",
        &[
            waiting_list::Event::Joined { offer, entry: entry.clone() },
            waiting_list::Event::PositionTold { offer, entry: entry.clone(), position: 1 },
            waiting_list::Event::PlaceKept { offer, entry: entry.clone(), until: at() },
            waiting_list::Event::PlaceLapsed { offer },
            waiting_list::Event::Left { offer, entry, why },
        ],
    );
    let line = || Line { at: office(), case: id(1), need: Need::Shelter, urgency: Urgency::Urgent };
    check(
        "waiting_elsewhere",
        &[
            elsewhere::Event::PositionHeard { line: line(), position: 2 },
            elsewhere::Event::PlaceKeptHeard { line: line(), until: at() },
            elsewhere::Event::EndHeard { line: line(), why },
            elsewhere::Event::GivenUp { line: line(), why },
        ],
    );
}
