//! A small invented network for the tests.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::num::NonZeroU32;

use serde::Serialize;
use serde::de::DeserializeOwned;
use spean_identity::{Agency, Directory, Node, Office, OfficeLevel, PlaceEdition, PublicKeys};
use spean_vocabulary::Need;

use crate::offering::{Announcement, Terms};

/// Two agencies, of which one has a province with two districts; in one of them nobody works.
pub(crate) fn a_directory() -> Directory {
    let district = |id, place| an_office(id, "battambang", OfficeLevel::District, place);
    Directory {
        network: "test".to_owned(),
        edition: 7,
        authority: "ministry".parse().unwrap(),
        cosigner: "poipet-shelter".parse().unwrap(),
        registry: "ministry".parse().unwrap(),
        agencies: vec![an_agency("mosvy"), an_agency("friends")],
        nodes: vec![
            a_node("national", "mosvy", "AA"),
            a_node("battambang", "mosvy", "BB"),
            a_node("poipet", "friends", "CC"),
        ],
        offices: vec![
            Office { above: None, ..an_office("ministry", "national", OfficeLevel::National, "12") },
            an_office("battambang-province", "battambang", OfficeLevel::Province, "02"),
            district("bavel-district", "0213"),
            Office { staffed: false, ..district("koas-krala-district", "0214") },
            an_office("poipet-shelter", "poipet", OfficeLevel::Facility, "0110"),
        ],
        place_editions: vec![],
    }
}

pub(crate) fn an_office(id: &str, node: &str, level: OfficeLevel, place: &str) -> Office {
    Office {
        id: id.parse().unwrap(),
        node: node.parse().unwrap(),
        name_en: id.to_owned(),
        name_km: id.to_owned(),
        level,
        place: place.parse().unwrap(),
        above: Some("ministry".parse().unwrap()),
        staffed: true,
        opened_on: None,
        closed_on: None,
        successor: None,
    }
}

pub(crate) fn a_node(id: &str, agency: &str, tag: &str) -> Node {
    let keys =
        PublicKeys { signing: String::new(), sealing: String::new(), token: String::new(), broker: String::new() };
    Node { id: id.parse().unwrap(), agency: agency.parse().unwrap(), tag: tag.parse().unwrap(), keys }
}

fn an_agency(id: &str) -> Agency {
    Agency { id: id.parse().unwrap(), name_en: id.to_owned(), name_km: id.to_owned() }
}

pub(crate) fn an_announcement() -> Announcement {
    let terms = Terms {
        serves_sexes: BTreeSet::new(),
        serves_age_bands: BTreeSet::new(),
        languages: ["km".parse().unwrap()].into(),
        places_served: BTreeSet::new(),
        capacity_persons: NonZeroU32::new(24),
        worker_sexes: BTreeSet::new(),
    };
    let (office, valid_from) = ("poipet-shelter".parse().unwrap(), "2026-12-01".parse().unwrap());
    Announcement { office, need: Need::Shelter, terms, valid_from }
}

/// Checks stored events against the file that says how they are stored. `SPEAN_BLESS=1` writes it afresh; a line that is
/// already stored somewhere may never change.
pub(crate) fn are_golden<E: Serialize + DeserializeOwned + PartialEq + Debug>(name: &str, events: &[E]) {
    let path = format!("{}/tests/golden/{name}.jsonl", env!("CARGO_MANIFEST_DIR"));
    let lines: String = events.iter().map(|event| serde_json::to_string(event).unwrap() + "\n").collect();
    if std::env::var_os("SPEAN_BLESS").is_some() {
        std::fs::write(&path, &lines).unwrap();
    }
    let stored = std::fs::read_to_string(&path).unwrap();
    assert_eq!(stored, lines);
    let read: Vec<E> = stored.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(read, events);
}

/// Invented changes to the real lists of 2025, as if an edition of 2027 had brought them: Koas Krala (0213) is renumbered,
/// two communes of Bavel (0204) become one, one of Aek Phnum (0205) is divided, and one of Moung Ruessei (0206) moves to
/// Pursat (15).
pub(crate) fn invented_changes(in_force_on: &str) -> Vec<PlaceEdition> {
    vec![serde_json::from_value(serde_json::json!({
        "year": 2027,
        "in_force_on": in_force_on,
        "change": [
            { "kind": "renamed", "from": "0213", "to": [{ "code": "0299", "name_en": "Invented Krala" }] },
            { "kind": "merged", "from": "020401", "to": [{ "code": "020402" }] },
            { "kind": "split", "from": "020501",
              "to": [{ "code": "020501", "name_en": "Invented North" }, { "code": "020599", "name_en": "Invented South" }] },
            { "kind": "moved", "from": "020601", "to": [{ "code": "150199" }] },
        ],
    }))
    .unwrap()]
}
