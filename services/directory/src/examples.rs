//! A small invented network for the tests.

use spean_identity::{Agency, Directory, Node, Office, OfficeLevel, PublicKeys};

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
