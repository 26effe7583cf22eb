//! Who belongs to the network: agencies, their nodes and offices, and which office stands above which.
//!
//! A directory is an edition of a document that all agencies agreed on. It is signed by the network's root key, travels
//! as a file, and is read without a network. See [`crate::SignedDirectory`] for the signature.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use spean_vocabulary::{AgencyId, Date, NodeId, NodeTag, OfficeId, PlaceCode};

mod lives;
mod place_editions;

pub use place_editions::{NewPlace, PlaceChange, PlaceChangeKind, PlaceEdition};

/// One edition of the directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Directory {
    /// Name of the network, part of every signature so that two networks cannot be mixed.
    pub network: String,
    /// Goes up with every change; an older edition never replaces a newer one.
    pub edition: u64,
    /// The office that may move custody over a holder's head (with a second signature).
    pub authority: OfficeId,
    /// The office of another agency whose signature an override needs as well.
    pub cosigner: OfficeId,
    /// The office that is told of every certificate, as a witness.
    pub registry: OfficeId,
    /// All agencies.
    #[serde(rename = "agency")]
    pub agencies: Vec<Agency>,
    /// All nodes.
    #[serde(rename = "node")]
    pub nodes: Vec<Node>,
    /// All offices, closed ones included: what was ever addressed to one must find out who follows it.
    #[serde(rename = "office")]
    pub offices: Vec<Office>,
    /// How the codes of places changed since the lists that the program ships, the oldest edition first.
    #[serde(default, rename = "place_edition", skip_serializing_if = "Vec::is_empty")]
    pub place_editions: Vec<PlaceEdition>,
}

/// A ministry, a transit centre, an NGO, a provincial department: a unit of ownership and trust.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agency {
    /// Its code.
    pub id: AgencyId,
    /// Its name in English.
    pub name_en: String,
    /// Its name in Khmer.
    pub name_km: String,
}

/// One installation of the software.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// Its code.
    pub id: NodeId,
    /// The agency that owns it.
    pub agency: AgencyId,
    /// What the case numbers made here begin with.
    pub tag: NodeTag,
    /// Its public keys.
    pub keys: PublicKeys,
}

/// The public halves of a node's keys, in base64 unless said otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublicKeys {
    /// Ed25519: checks what the node says (letters, certificates).
    pub signing: String,
    /// HPKE: what is sealed with it only the node can open.
    pub sealing: String,
    /// Ed25519: checks the tokens of the node's staff.
    pub token: String,
    /// The node's user at the broker, as a NATS nkey (`U…`).
    pub broker: String,
}

/// A place of work of an agency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Office {
    /// Its code.
    pub id: OfficeId,
    /// The node that serves it.
    pub node: NodeId,
    /// Its name in English.
    pub name_en: String,
    /// Its name in Khmer.
    pub name_km: String,
    /// What it is there for.
    pub level: OfficeLevel,
    /// Where it is, and for an administrative office what it serves: this place and all within.
    pub place: PlaceCode,
    /// The office that hears of it when this one does not answer; none only at the top.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub above: Option<OfficeId>,
    /// Whether anybody works there today. A post can stay empty for years.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub staffed: bool,
    /// The first day on which it works; none when it was there before anybody wrote it down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened_on: Option<Date>,
    /// The first day on which it is closed for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_on: Option<Date>,
    /// The office that follows a closed one. Without it the office above is written to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub successor: Option<OfficeId>,
}

/// The level of an office.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OfficeLevel {
    /// A ministry.
    National,
    /// A provincial department of social affairs (DSVY).
    Province,
    /// A district office of social affairs (OSVY).
    District,
    /// A commune council.
    Commune,
    /// A transit centre, a shelter, a clinic: serves people, not an area.
    Facility,
}

/// The answer to "who serves this place?".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Serving<'d> {
    /// The office to write to.
    pub office: &'d Office,
    /// The offices nearer to the place that cannot be written to, and so are stood in for; the nearest first.
    pub stands_in_for: Vec<&'d Office>,
}

/// Why a document is not a usable directory.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {reason}")]
pub struct Defect {
    /// Where in the document, such as `office[kandal-province].above`.
    pub path: String,
    /// What is wrong there.
    pub reason: String,
}

fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_yes(value: &bool) -> bool {
    *value
}

impl Office {
    /// Whether it has opened and is not closed on a day. Nobody need work there.
    pub fn exists_on(&self, day: Date) -> bool {
        self.opened_on.is_none_or(|opened_on| opened_on <= day) && !self.is_closed_on(day)
    }

    /// Whether it is closed for good on a day.
    pub fn is_closed_on(&self, day: Date) -> bool {
        self.closed_on.is_some_and(|closed_on| closed_on <= day)
    }
}

impl Directory {
    /// The office with this code.
    pub fn office(&self, id: &OfficeId) -> Option<&Office> {
        self.offices.iter().find(|office| office.id == *id)
    }

    /// The node with this code.
    pub fn node(&self, id: &NodeId) -> Option<&Node> {
        self.nodes.iter().find(|node| node.id == *id)
    }

    /// The agency with this code.
    pub fn agency(&self, id: &AgencyId) -> Option<&Agency> {
        self.agencies.iter().find(|agency| agency.id == *id)
    }

    /// The agency that an office belongs to.
    pub fn agency_of(&self, office: &OfficeId) -> Option<&Agency> {
        let office = self.office(office)?;
        self.agency(&self.node(&office.node)?.agency)
    }

    /// All offices that a node serves.
    pub fn offices_of<'d>(&'d self, node: &'d NodeId) -> impl Iterator<Item = &'d Office> {
        self.offices.iter().filter(move |office| office.node == *node)
    }

    /// The offices above one, the nearest first: the ladder that an unanswered offer climbs.
    pub fn ladder(&self, office: &OfficeId) -> impl Iterator<Item = &Office> {
        let first = self.office(office).and_then(|office| office.above.as_ref());
        std::iter::successors(first.and_then(|id| self.office(id)), |office| {
            office.above.as_ref().and_then(|id| self.office(id))
        })
    }

    /// Who serves a place by what this edition says: the nearest office whose area holds it and where somebody works.
    /// What offices declared since, and on which day one closes, only the service of the directory knows.
    pub fn serving(&self, place: &PlaceCode) -> Option<Serving<'_>> {
        let mut stands_in_for = Vec::new();
        for area in place.and_above() {
            let here = self.offices.iter().find(|office| {
                office.level != OfficeLevel::Facility && office.place == area && office.closed_on.is_none()
            });
            match here {
                Some(office) if office.staffed => return Some(Serving { office, stands_in_for }),
                Some(office) => stands_in_for.push(office),
                None => {}
            }
        }
        let national = (self.offices.iter())
            .find(|office| office.level == OfficeLevel::National && office.staffed && office.closed_on.is_none())?;
        Some(Serving { office: national, stands_in_for })
    }

    /// All that is wrong with this edition; nothing when it can be used.
    pub fn defects(&self) -> Vec<Defect> {
        let mut defects = Vec::new();
        let mut defect = |path: String, reason: &str| defects.push(Defect { path, reason: reason.to_owned() });
        for (what, id) in [("authority", &self.authority), ("cosigner", &self.cosigner), ("registry", &self.registry)] {
            match self.office(id) {
                None => defect(what.to_owned(), "there is no such office"),
                Some(office) if office.closed_on.is_some() => defect(what.to_owned(), "this office closes"),
                Some(_) => {}
            }
        }
        if self.agency_of(&self.authority) == self.agency_of(&self.cosigner) {
            defect("cosigner".to_owned(), "the second signature must be another agency's");
        }
        let mut tags = BTreeSet::new();
        for node in &self.nodes {
            let path = |field: &str| format!("node[{}].{field}", node.id);
            if self.agency(&node.agency).is_none() {
                defect(path("agency"), "there is no such agency");
            }
            if !tags.insert(node.tag) {
                defect(path("tag"), "another node makes case numbers with this tag");
            }
        }
        for office in &self.offices {
            let path = |field: &str| format!("office[{}].{field}", office.id);
            if self.node(&office.node).is_none() {
                defect(path("node"), "there is no such node");
            }
            match &office.above {
                Some(above) if self.office(above).is_none() => defect(path("above"), "there is no such office"),
                Some(_) if self.ladder(&office.id).take(self.offices.len() + 1).count() > self.offices.len() => {
                    defect(path("above"), "the offices above it go round in a circle");
                }
                None if office.level != OfficeLevel::National => {
                    defect(path("above"), "only a national office may have none above it");
                }
                _ => {}
            }
        }
        for (kind, id) in self.repeated() {
            defect(format!("{kind}[{id}]"), "stands there twice");
        }
        defects.extend(self.defects_of_lives());
        defects.extend(place_editions::defects(&self.place_editions));
        defects
    }

    fn repeated(&self) -> Vec<(&'static str, String)> {
        let ids = (self.agencies.iter().map(|agency| ("agency", agency.id.to_string())))
            .chain(self.nodes.iter().map(|node| ("node", node.id.to_string())))
            .chain(self.offices.iter().map(|office| ("office", office.id.to_string())));
        let mut counts = BTreeMap::new();
        for id in ids {
            *counts.entry(id).or_insert(0) += 1;
        }
        counts.into_iter().filter(|(_, count)| *count > 1).map(|(id, _)| id).collect()
    }
}
