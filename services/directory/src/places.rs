//! Places as answers show them, what a place lies in, and what became of one whose code has gone out of use.
//!
//! The lists that the program ships come first; the signed directory says how later editions changed them. A code is
//! always meant in an edition: the newest that knows it, unless somebody says which.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use spean_contracts::directory::v1 as wire;
use spean_identity::{Directory, PlaceChangeKind, PlaceEdition};
use spean_vocabulary::{Date, PlaceCode, PlaceLevel};

use crate::gazetteer::{Edition, EditionYear, Gazetteer, Place, PlaceKey, Query, shipped};

/// The places by the shipped lists and by the editions that an edition of the directory brings.
#[derive(Debug)]
pub(crate) struct Places {
    gazetteer: Cow<'static, Gazetteer>,
    editions: Vec<PlaceEdition>,
}

/// One step on the way from an old place to those of today.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Step<'p> {
    pub(crate) edition: &'p PlaceEdition,
    pub(crate) kind: PlaceChangeKind,
    pub(crate) from: PlaceKey,
    pub(crate) to: Vec<PlaceKey>,
}

/// The name of a place in Khmer and in Latin letters, as the newest shipped list that knows it spells them; none when no
/// list does. One of the two is empty where the list has only the other.
pub fn place_name(code: &PlaceCode) -> Option<(String, String)> {
    shipped().place(code).map(|place| (place.name_km.clone(), place.name_en.clone()))
}

/// The places as this directory knows them. They are put together once for each change of the lists.
pub(crate) fn of(directory: &Directory) -> Arc<Places> {
    static LAST: Mutex<Option<Arc<Places>>> = Mutex::new(None);
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    match &*last {
        Some(places) if places.editions == directory.place_editions => Arc::clone(places),
        _ => {
            let places = Arc::new(Places::new(directory.place_editions.clone()));
            *last = Some(Arc::clone(&places));
            places
        }
    }
}

impl Places {
    fn new(editions: Vec<PlaceEdition>) -> Self {
        let gazetteer =
            if editions.is_empty() { Cow::Borrowed(shipped()) } else { Cow::Owned(shipped().followed_by(&editions)) };
        Self { gazetteer, editions }
    }

    /// The place that a code means: in the edition that is named, else in the newest that counts on this day and knows
    /// it.
    pub(crate) fn find(&self, code: &PlaceCode, edition: Option<EditionYear>, on: Date) -> Option<&Place> {
        match edition {
            Some(edition) => self.gazetteer.place_in(&PlaceKey { edition, code: *code }),
            None => self.counting(on).find_map(|edition| edition.place(code)),
        }
    }

    /// Whether any edition knows a code.
    pub(crate) fn knows(&self, code: &PlaceCode) -> bool {
        self.gazetteer.place(code).is_some()
    }

    /// What a place lies in, by its own edition, the smallest first; the place itself comes first of all.
    pub(crate) fn and_above(&self, key: &PlaceKey) -> Vec<&Place> {
        self.gazetteer.edition(key.edition).map(|edition| edition.and_above(&key.code).collect()).unwrap_or_default()
    }

    /// How a place changed since its edition, up to a day; nothing when it is still the same.
    pub(crate) fn steps(&self, key: &PlaceKey, on: Date) -> Vec<Step<'_>> {
        let mut steps = Vec::new();
        let mut now = BTreeSet::from([key.code]);
        let mut before = key.edition;
        for edition in self.editions.iter().filter(|edition| edition.in_force_on <= on) {
            let year = EditionYear(edition.year);
            if year <= key.edition {
                continue;
            }
            for change in edition.changes.iter().filter(|change| now.contains(&change.from)).collect::<Vec<_>>() {
                let to: Vec<_> = change.to.iter().map(|place| PlaceKey { edition: year, code: place.code }).collect();
                let from = PlaceKey { edition: before, code: change.from };
                steps.push(Step { edition, kind: change.kind, from, to });
            }
            now = now.into_iter().flat_map(|code| becomes(edition, code)).collect();
            before = year;
        }
        steps
    }

    /// What a place is on a day: itself, or what became of it.
    pub(crate) fn today(&self, key: &PlaceKey, on: Date) -> Vec<PlaceKey> {
        let mut now = BTreeSet::from([key.code]);
        let mut newest = key.edition;
        for edition in self.editions.iter().filter(|edition| edition.in_force_on <= on) {
            let year = EditionYear(edition.year);
            if year > key.edition {
                now = now.into_iter().flat_map(|code| becomes(edition, code)).collect();
                newest = year;
            }
        }
        now.into_iter().map(|code| PlaceKey { edition: newest, code }).collect()
    }

    /// The areas that hold a place on a day, the smallest first: as the lists say, whose codes are not always right; by
    /// its code when no list knows it. Of a place that was divided, the areas that hold all of its parts.
    pub(crate) fn areas(&self, code: &PlaceCode, edition: Option<EditionYear>, on: Date) -> Vec<PlaceCode> {
        let Some(place) = self.find(code, edition, on) else { return code.and_above().collect() };
        let mut parts = self.today(&place.key(), on).into_iter().map(|key| {
            let areas: Vec<_> = self.and_above(&key).into_iter().map(|place| place.code).collect();
            if areas.is_empty() { key.code.and_above().collect() } else { areas }
        });
        let first = parts.next().unwrap_or_default();
        let rest: Vec<_> = parts.collect();
        first.into_iter().filter(|area| rest.iter().all(|areas| areas.contains(area))).collect()
    }

    /// The codes under which an area of today may have been written down: its own, and those of the places that became
    /// it, unless they mean another place today.
    pub(crate) fn names_of(&self, area: &PlaceCode, on: Date) -> Vec<PlaceCode> {
        let mut names = vec![*area];
        let mut now = BTreeSet::from([*area]);
        for edition in self.editions.iter().rev().filter(|edition| edition.in_force_on <= on) {
            let into = |code: PlaceCode| {
                edition.changes.iter().filter(move |change| change.to.iter().any(|to| to.code == code))
            };
            let from: BTreeSet<_> = now.iter().flat_map(|code| into(*code)).map(|change| change.from).collect();
            // What came to be in this edition was not there before, whatever had its code; what took in others was.
            let new = |code: &PlaceCode| into(*code).any(|change| change.kind != PlaceChangeKind::Merged);
            now.retain(|code| !new(code));
            now.extend(&from);
            names.extend(from);
        }
        let newest = self.counting(on).next();
        let alive = |code: &PlaceCode| newest.is_some_and(|edition| edition.place(code).is_some());
        names.retain(|code| code == area || !alive(code));
        names.dedup();
        names
    }

    /// The places directly within one, or the provinces; none when no list knows the place.
    pub(crate) fn directly_in(&self, code: Option<PlaceCode>, on: Date) -> Option<impl Iterator<Item = &Place>> {
        let edition = match code {
            None => self.counting(on).next(),
            Some(code) => self.counting(on).find(|edition| edition.place(&code).is_some()),
        };
        edition.map(|edition| edition.directly_in(code))
    }

    /// Places with a name like this, under their old names too.
    pub(crate) fn search(&self, name: &str, within: Option<PlaceCode>, on: Date) -> Vec<wire::Place> {
        let hits = self.gazetteer.search(&Query { within, ..Query::new(name) });
        let counts = |hit: &EditionYear| self.counting(on).any(|edition| edition.year() == *hit);
        hits.into_iter().filter(|hit| counts(&hit.place.edition)).map(|hit| self.write(hit.place, on)).collect()
    }

    /// A place with its names; only the code and its level when no list knows it.
    pub(crate) fn describe(&self, code: &PlaceCode, on: Date) -> wire::Place {
        let unknown =
            || wire::Place { code: code.to_string(), level: word(code.level()).to_owned(), ..Default::default() };
        self.find(code, None, on).map_or_else(unknown, |place| self.write(place, on))
    }

    /// The same for a place of one edition.
    pub(crate) fn describe_in(&self, key: &PlaceKey, on: Date) -> wire::Place {
        self.gazetteer.place_in(key).map_or_else(|| self.describe(&key.code, on), |place| self.write(place, on))
    }

    pub(crate) fn write(&self, place: &Place, on: Date) -> wire::Place {
        let became = if self.steps(&place.key(), on).is_empty() { vec![] } else { self.today(&place.key(), on) };
        wire::Place {
            code: place.code.to_string(),
            name_km: place.name_km.clone(),
            name_en: place.name_en.clone(),
            level: word(place.level()).to_owned(),
            edition: place.edition.0.into(),
            became_codes: became.into_iter().map(|key| key.code.to_string()).collect(),
        }
    }

    /// The steps as answers show them.
    pub(crate) fn write_step(&self, step: &Step<'_>, on: Date) -> wire::PlaceChange {
        let kind = match step.kind {
            PlaceChangeKind::Renamed => wire::PlaceChangeKind::Renamed,
            PlaceChangeKind::Merged => wire::PlaceChangeKind::Merged,
            PlaceChangeKind::Split => wire::PlaceChangeKind::Split,
            PlaceChangeKind::Moved => wire::PlaceChangeKind::Moved,
        };
        wire::PlaceChange {
            kind: kind.into(),
            edition: step.edition.year.into(),
            in_force_on: step.edition.in_force_on.to_string(),
            from: Some(self.describe_in(&step.from, on)),
            to: step.to.iter().map(|key| self.describe_in(key, on)).collect(),
        }
    }

    /// The editions that count on a day, the newest first. The shipped lists always did.
    fn counting(&self, on: Date) -> impl Iterator<Item = &Edition> {
        self.gazetteer.editions().filter(move |edition| {
            let later = self.editions.iter().find(|later| EditionYear(later.year) == edition.year());
            later.is_none_or(|later| later.in_force_on <= on)
        })
    }
}

/// What the place with this code becomes in an edition.
fn becomes(edition: &PlaceEdition, code: PlaceCode) -> Vec<PlaceCode> {
    let change = edition.changes.iter().find(|change| change.from == code);
    change.map_or_else(|| vec![code], |change| change.to.iter().map(|place| place.code).collect())
}

const fn word(level: PlaceLevel) -> &'static str {
    match level {
        PlaceLevel::Country => "COUNTRY",
        PlaceLevel::Province => "PROVINCE",
        PlaceLevel::District => "DISTRICT",
        PlaceLevel::Commune => "COMMUNE",
        PlaceLevel::Village => "VILLAGE",
    }
}

#[cfg(test)]
mod tests;
