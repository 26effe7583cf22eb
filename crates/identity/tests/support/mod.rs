//! A small network for the specs: two agencies, two nodes, three offices.
#![allow(dead_code, reason = "each spec file uses a part of it")]

use std::path::Path;

use spean_identity::{Directory, NodeKeys};
use tempfile::TempDir;

pub(crate) struct Network {
    pub(crate) directory: Directory,
    pub(crate) poipet: NodeKeys,
    pub(crate) kandal: NodeKeys,
    pub(crate) folder: TempDir,
}

impl Network {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let poipet = NodeKeys::create(&folder.path().join("poipet")).unwrap();
        let kandal = NodeKeys::create(&folder.path().join("kandal")).unwrap();
        let mut directory = directory();
        directory.nodes[0].keys = poipet.public();
        directory.nodes[1].keys = kandal.public();
        Self { directory, poipet, kandal, folder }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// A directory without keys.
pub(crate) fn directory() -> Directory {
    let keys = r#"keys = { signing = "", sealing = "", token = "", broker = "" }"#;
    let text = format!(
        r#"
        network = "specification"
        edition = 7
        authority = "mosvy"
        cosigner = "poipet-transit"
        registry = "mosvy"
        agency = [
            {{ id = "imm", name_en = "Immigration", name_km = "អន្តោប្រវេសន៍" }},
            {{ id = "mosvy", name_en = "Ministry", name_km = "ក្រសួង" }},
        ]
        node = [
            {{ id = "poipet", agency = "imm", tag = "PT", {keys} }},
            {{ id = "kandal", agency = "mosvy", tag = "KD", {keys} }},
        ]

        [[office]]
        id = "mosvy"
        node = "kandal"
        name_en = "Ministry of Social Affairs"
        name_km = "ក្រសួងសង្គមកិច្ច"
        level = "national"
        place = "12"

        [[office]]
        id = "kandal-province"
        node = "kandal"
        name_en = "Kandal"
        name_km = "កណ្ដាល"
        level = "province"
        place = "08"
        above = "mosvy"

        [[office]]
        id = "ta-khmau"
        node = "kandal"
        name_en = "Ta Khmau"
        name_km = "តាខ្មៅ"
        level = "district"
        place = "0811"
        above = "kandal-province"
        staffed = false

        [[office]]
        id = "poipet-transit"
        node = "poipet"
        name_en = "Poipet transit centre"
        name_km = "ប៉ោយប៉ែត"
        level = "facility"
        place = "0110"
        above = "mosvy"
        "#
    );
    toml::from_str(&text).unwrap()
}
