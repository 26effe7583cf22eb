//! How the codes of places change: what each place of one edition of the official lists became in the next.
//!
//! It travels with the signed directory, so that an address means the same place at every node, and offices and places
//! change on the same day.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use spean_vocabulary::{Date, PlaceCode};

use super::Defect;

/// The changes that one edition of the official lists brings. What it does not name stays as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlaceEdition {
    /// The year that names the edition.
    pub year: u16,
    /// The first day on which it counts.
    pub in_force_on: Date,
    /// What changed, all at once: two places may exchange their codes.
    #[serde(rename = "change")]
    pub changes: Vec<PlaceChange>,
}

/// What one place became.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlaceChange {
    /// How.
    pub kind: PlaceChangeKind,
    /// The code that the edition before gives it.
    pub from: PlaceCode,
    /// What it is now: several only when it was split.
    pub to: Vec<NewPlace>,
}

/// How a place changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlaceChangeKind {
    /// It has another code or another name, and lies where it lay.
    Renamed,
    /// It became part of another place of its level.
    Merged,
    /// It was divided.
    Split,
    /// It lies in another district or province now.
    Moved,
}

/// A place of the new edition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewPlace {
    /// Its code.
    pub code: PlaceCode,
    /// Its name in English; empty when it keeps the name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name_en: String,
    /// Its name in Khmer; empty when it keeps the name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name_km: String,
}

/// All that is wrong with these editions, the oldest first.
pub(super) fn defects(editions: &[PlaceEdition]) -> Vec<Defect> {
    let mut defects = Vec::new();
    for (before, after) in editions.iter().zip(editions.iter().skip(1)) {
        if after.year <= before.year || after.in_force_on <= before.in_force_on {
            let path = format!("place_edition[{}]", after.year);
            let reason = "stands after a later edition, or counts from an earlier day than the one before".to_owned();
            defects.push(Defect { path, reason });
        }
    }
    for edition in editions {
        let mut from = BTreeSet::new();
        let mut sole = BTreeSet::new();
        for change in &edition.changes {
            let path = format!("place_edition[{}].change[{}]", edition.year, change.from);
            let mut defect = |field: &str, reason: &str| {
                defects.push(Defect { path: format!("{path}.{field}"), reason: reason.to_owned() });
            };
            if !from.insert(change.from) {
                defect("from", "one edition changes a place once");
            }
            let several = change.kind == PlaceChangeKind::Split;
            if (change.to.len() > 1) != several || change.to.is_empty() {
                defect("to", "several places when it was split, and otherwise one");
            }
            if change.to.iter().any(|place| place.code.level() != change.from.level()) {
                defect("to", "a place becomes a place of the same level");
            }
            let codes: BTreeSet<_> = change.to.iter().map(|place| place.code).collect();
            let alone = change.kind == PlaceChangeKind::Merged || codes.iter().all(|code| sole.insert(*code));
            if codes.len() < change.to.len() || !alone {
                defect("to", "two places became this one: that is a merger");
            }
        }
    }
    defects
}
