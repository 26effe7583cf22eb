//! Offices as answers show them, how they stand on a day, and which of them serves a place then.

use std::collections::{BTreeMap, BTreeSet};

use spean_contracts::directory::v1 as wire;
use spean_contracts::directory::v1::ServesBecause;
use spean_identity::{Directory, Office, OfficeLevel};
use spean_vocabulary::{Date, OfficeId, PlaceCode};

use crate::declared;
use crate::gazetteer::EditionYear;
use crate::office::{Closing, Declaration, Details, Entry, Facts, Said, Standing, Status, counting, standing};
use crate::places::Places;

/// What is asked of the offices: by an edition, by what was declared, on a day.
pub(crate) struct Offices<'d> {
    pub(crate) directory: &'d Directory,
    pub(crate) places: &'d Places,
    pub(crate) declared: &'d BTreeMap<OfficeId, Vec<Declaration>>,
    pub(crate) on: Date,
}

/// Who serves a place, and why.
#[derive(Debug)]
pub(crate) struct Serving<'d> {
    /// The office to write to.
    pub(crate) office: &'d Office,
    /// The offices nearer to the place that cannot be written to; the nearest first.
    pub(crate) stands_in_for: Vec<&'d Office>,
    /// Why this one.
    pub(crate) because: ServesBecause,
}

impl<'d> Offices<'d> {
    /// How an office stands.
    pub(crate) fn standing(&self, office: &Office) -> Standing {
        let closing = closing(office);
        standing(closing.as_ref(), office.staffed, self.declared_of(&office.id), self.on)
    }

    /// Who serves a place: the nearest office whose area holds it, or who stands in for it.
    pub(crate) fn serving(&self, place: &PlaceCode, edition: Option<EditionYear>) -> Option<Serving<'d>> {
        let mut stands_in_for = Vec::new();
        for area in self.places.areas(place, edition, self.on) {
            for office in self.serving_just(&area) {
                if let Some((instead, because)) = self.instead_of(office) {
                    let because = match because {
                        ServesBecause::Nearest if !stands_in_for.is_empty() => ServesBecause::Above,
                        because => because,
                    };
                    if instead.id != office.id {
                        stands_in_for.push(office);
                    }
                    return Some(Serving { office: instead, stands_in_for, because });
                }
                stands_in_for.push(office);
            }
        }
        let office = self
            .directory
            .offices
            .iter()
            .find(|office| office.level == OfficeLevel::National && self.can_be_written_to(office))?;
        let because = if stands_in_for.is_empty() { ServesBecause::National } else { ServesBecause::Above };
        Some(Serving { office, stands_in_for, because })
    }

    /// The office to write to instead of this one: itself, who was named, who follows, or the nearest above it.
    pub(crate) fn write_to(&self, office: &'d Office) -> Option<&'d Office> {
        let named = self.instead_of(office).map(|(instead, _)| instead);
        named.or_else(|| {
            let mut above = self.directory.ladder(&office.id).take(self.directory.offices.len());
            above.find_map(|above| self.instead_of(above).map(|(instead, _)| instead))
        })
    }

    /// The office as answers show it.
    pub(crate) fn write(&self, office: &'d Office) -> wire::Office {
        let standing = self.standing(office);
        let text = |id: Option<&OfficeId>| id.map(ToString::to_string).unwrap_or_default();
        let day = |day: Option<Date>| day.map(|day| day.to_string()).unwrap_or_default();
        let declaration = counting(self.declared_of(&office.id), self.on).filter(|_| standing.status != Status::Closed);
        wire::Office {
            office_id: office.id.to_string(),
            agency_id: self.directory.agency_of(&office.id).map(|agency| agency.id.to_string()).unwrap_or_default(),
            node_id: office.node.to_string(),
            name_en: office.name_en.clone(),
            name_km: office.name_km.clone(),
            level: word(office.level).to_owned(),
            place: Some(self.places.describe(&office.place, self.on)),
            above_office_id: text(office.above.as_ref()),
            staffed: standing.status == Status::Open,
            opened_on: day(office.opened_on),
            closed_on: day(office.closed_on),
            successor_office_id: text(office.successor.as_ref()),
            status: declared::write_status(standing.status).into(),
            stand_in_office_id: text(standing.stand_in.as_ref()),
            status_from: day(standing.from_day),
            status_until: day(standing.until_day),
            status_reason: declaration.map_or(0, |declaration| declared::write_reason(declaration.reason).into()),
            declared_by_office_id: text(declaration.map(|declaration| &declaration.declared_by)),
            write_to_office_id: text(self.write_to(office).map(|office| &office.id)),
        }
    }

    /// The offices of just this area: those that can be written to first. Its name may be an old one.
    fn serving_just(&self, area: &PlaceCode) -> Vec<&'d Office> {
        let names = self.places.names_of(area, self.on);
        let here = self.directory.offices.iter().filter(|office| {
            let opened = office.opened_on.is_none_or(|opened_on| opened_on <= self.on);
            office.level != OfficeLevel::Facility && names.contains(&office.place) && opened
        });
        let mut here: Vec<_> = here.collect();
        here.sort_by_key(|office| !self.can_be_written_to(office));
        // Those that were followed by another of the same area say nothing that it does not say.
        if here.first().is_some_and(|first| self.can_be_written_to(first)) {
            here.truncate(1);
        }
        here
    }

    /// Along stand-ins and successors to an office that can be written to. They may go round in a circle: then nobody.
    fn instead_of(&self, office: &'d Office) -> Option<(&'d Office, ServesBecause)> {
        let (mut now, mut because) = (office, ServesBecause::Nearest);
        let mut seen = BTreeSet::new();
        while seen.insert(&now.id) {
            if self.can_be_written_to(now) {
                return Some((now, because));
            }
            let standing = self.standing(now);
            let (next, why) = match standing.status {
                Status::Closed => (standing.successor?, ServesBecause::Successor),
                _ => (standing.stand_in?, ServesBecause::StandIn),
            };
            if because == ServesBecause::Nearest {
                because = why;
            }
            now = self.directory.office(&next)?;
        }
        None
    }

    fn can_be_written_to(&self, office: &Office) -> bool {
        let opened = office.opened_on.is_none_or(|opened_on| opened_on <= self.on);
        opened && self.standing(office).status == Status::Open
    }

    fn declared_of(&self, office: &OfficeId) -> &'d [Declaration] {
        self.declared.get(office).map_or(&[], Vec::as_slice)
    }
}

/// How an edition closes an office, if it does.
pub(crate) fn closing(office: &Office) -> Option<Closing> {
    office.closed_on.map(|closed_on| Closing { closed_on, successor: office.successor.clone() })
}

/// Who may say how an office stands: itself and those above it.
pub(crate) fn may_speak(directory: &Directory, office: &OfficeId) -> BTreeSet<OfficeId> {
    let above = directory.ladder(office).take(directory.offices.len()).map(|office| office.id.clone());
    above.chain([office.clone()]).collect()
}

/// What the directory says of those that a declaration about an office names.
pub(crate) fn facts(directory: &Directory, office: &Office, said: &Said, today: Date) -> Facts {
    let stand_in = said.stand_in.as_ref();
    let exists = |id: &OfficeId| directory.office(id).is_some_and(|office| office.exists_on(today));
    Facts {
        may_speak: may_speak(directory, &office.id),
        closed: office.is_closed_on(today),
        stand_in_exists: stand_in.is_none_or(exists),
        stands_in_for_itself: stand_in == Some(&office.id),
    }
}

/// All that an edition says of an office.
pub(crate) fn entry(directory: &Directory, office: &Office) -> Entry {
    let follows = |other: &&Office| other.successor.as_ref() == Some(&office.id);
    let predecessors = directory.offices.iter().filter(follows);
    Entry {
        details: Details {
            node: office.node.clone(),
            name_en: office.name_en.clone(),
            name_km: office.name_km.clone(),
            level: office.level,
            place: office.place,
            above: office.above.clone(),
        },
        opened_on: office.opened_on,
        closing: closing(office),
        staffed: office.staffed,
        predecessors: predecessors.filter_map(|other| Some((other.id.clone(), other.closed_on?))).collect(),
    }
}

pub(crate) const fn word(level: OfficeLevel) -> &'static str {
    match level {
        OfficeLevel::National => "NATIONAL",
        OfficeLevel::Province => "PROVINCE",
        OfficeLevel::District => "DISTRICT",
        OfficeLevel::Commune => "COMMUNE",
        OfficeLevel::Facility => "FACILITY",
    }
}

#[cfg(test)]
mod tests;
