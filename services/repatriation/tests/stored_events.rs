//! Every stored event as it stands in logs: what was once written must stay readable. `SPEAN_BLESS=1` rewrites the
//! files, which is right for a new event only.

mod support;

use std::collections::BTreeSet;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;
use spean_repatriation::arrival::{Circumstances, DepartureKind, Event as Arrival, Route};
use spean_repatriation::manifest::{Column, Event as Manifest, Outcome, Reason, Verdict};
use spean_vocabulary::{CaseNumber, Need};

use support::{centre, circumstances, codes, day, id, office};

fn check<E: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(file: &str, events: &[E]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(file);
    let lines: Vec<_> = events.iter().map(|event| serde_json::to_string(event).expect("events are JSON")).collect();
    if std::env::var_os("SPEAN_BLESS").is_some() {
        std::fs::write(&path, lines.join("\n") + "\n").expect("the golden file can be written");
    }
    let golden = std::fs::read_to_string(path).expect("the golden file is there");
    assert_eq!(golden.lines().collect::<Vec<_>>(), lines);
    let read: Vec<E> = golden.lines().map(|line| serde_json::from_str(line).expect("it stays readable")).collect();
    assert_eq!(read, events);
}

#[test]
fn events_of_arrivals_stay_readable() {
    let bare =
        Circumstances { route: Route::Alone, from_country: None, handed_over_by: None, arrived_on: day("2026-09-01") };
    let needs = BTreeSet::from([Need::Medical, Need::ReintegrationFollowUp]);
    let registered = |circumstances, needs| Arrival::Registered {
        person: id(1),
        office: centre(),
        circumstances,
        codes: codes(),
        needs,
    };
    check(
        "arrival.jsonl",
        &[
            registered(circumstances("2026-09-01"), needs.clone()),
            registered(bare.clone(), BTreeSet::new()),
            registered(Circumstances { route: Route::Deportation, ..bare }, BTreeSet::new()),
            Arrival::CaseOpened { case_number: CaseNumber::draw("PP".parse().expect("a tag"), [1, 2, 3, 4, 5]) },
            Arrival::NeedsRecorded {
                needs: needs.clone(),
                urgent: true,
                responsible_adult: Some("social worker on duty".to_owned()),
            },
            Arrival::NeedsRecorded { needs, urgent: false, responsible_adult: None },
            Arrival::Stayed { night_of: day("2026-09-01") },
            Arrival::Accepted { offer: Some(id(5)), office: office("kandal") },
            Arrival::Accepted { offer: None, office: office("kandal") },
            Arrival::TakenBack { offer: id(6) },
            Arrival::Departed { kind: DepartureKind::HandedOver, on: day("2026-09-03"), to: Some(office("kandal")) },
            Arrival::Departed { kind: DepartureKind::OwnWill, on: day("2026-09-03"), to: None },
        ],
    );
}

#[test]
fn events_of_manifests_stay_readable() {
    let accepted = Outcome::Accepted { arrival: id(1), missing: vec!["name".to_owned()] };
    let birth = Outcome::Refused { reason: Reason::BirthMalformed, column: Some(Column::Birth) };
    let nobody = Outcome::Refused { reason: Reason::NoPerson, column: None };
    let verdicts = (2..).zip([accepted, birth, nobody]).map(|(line, outcome)| Verdict { line, outcome }).collect();
    check(
        "manifest.jsonl",
        &[
            Manifest::Begun {
                office: centre(),
                digest: "ab".repeat(32),
                rows: 3,
                circumstances: circumstances("2026-09-01"),
            },
            Manifest::RowsJudged { verdicts },
            Manifest::Finished {},
        ],
    );
}
