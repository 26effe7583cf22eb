//! The edition that follows another one, by what changed.

use std::collections::BTreeMap;

use spean_identity::{PlaceChange, PlaceEdition};
use spean_vocabulary::PlaceCode;

use super::model::{Edition, EditionYear, Place};

impl Edition {
    /// The next edition: these places, changed as it says. A place that it does not name stays as it was; where what it
    /// lay in was divided and nobody says into which part it fell, it lies in what that lay in.
    #[must_use]
    pub fn amended(&self, next: &PlaceEdition) -> Self {
        let changes: BTreeMap<_, _> = next.changes.iter().map(|change| (change.from, change)).collect();
        let year = EditionYear(next.year);
        let kept = self.places().filter(|place| !changes.contains_key(&place.code));
        let mut places: BTreeMap<_, _> =
            kept.map(|place| (place.code, Place { edition: year, ..place.clone() })).collect();
        for change in &next.changes {
            for place in self.after(change, &changes, year) {
                // Merged into a place that stays, it adds nothing to it.
                places.entry(place.code).or_insert(place);
            }
        }
        let under: Vec<_> = places.iter().map(|(code, place)| (*code, self.under(place, &changes))).collect();
        for (code, under) in under {
            let under = under.filter(|under| places.contains_key(under));
            if let Some(place) = places.get_mut(&code) {
                place.under = under;
            }
        }
        let kept = self.all_contenders().filter(|(code, _)| !changes.contains_key(code));
        let contenders = kept.map(|(code, contenders)| (*code, contenders.clone())).collect();
        Self::new(year, places, contenders)
    }

    /// What a place becomes; it is not yet said what that lies in.
    fn after(
        &self,
        change: &PlaceChange,
        changes: &BTreeMap<PlaceCode, &PlaceChange>,
        edition: EditionYear,
    ) -> Vec<Place> {
        let old = self.place(&change.from);
        let named = |new: &str, old: Option<&String>| match (new, old) {
            ("", Some(old)) => old.clone(),
            _ => new.to_owned(),
        };
        let place = |new: &spean_identity::NewPlace| Place {
            code: new.code,
            name_km: named(&new.name_km, old.map(|old| &old.name_km)),
            name_en: named(&new.name_en, old.map(|old| &old.name_en)),
            edition,
            // A code that kept what it lay in by its digits follows the list; a new one is believed.
            under: match old {
                Some(old) if old.code.parent() == new.code.parent() => old.under,
                _ => new.code.parent().map(|parent| Self::before(parent, changes)),
            },
        };
        change.to.iter().map(place).collect()
    }

    /// The code by which the edition before knows what is called this now: so that what a place lies in is always
    /// written with the codes of before, until all of them are followed at once.
    fn before(now: PlaceCode, changes: &BTreeMap<PlaceCode, &PlaceChange>) -> PlaceCode {
        let from = changes.values().find(|change| change.to.len() == 1 && change.to[0].code == now);
        from.map_or(now, |change| change.from)
    }

    /// What a place lies in now.
    fn under(&self, place: &Place, changes: &BTreeMap<PlaceCode, &PlaceChange>) -> Option<PlaceCode> {
        let mut under = place.under?;
        loop {
            let Some(change) = changes.get(&under) else { return Some(under) };
            if let [only] = change.to.as_slice() {
                return Some(only.code);
            }
            // It was divided. By its own code it may be known in which part it lies.
            if let Some(part) = change.to.iter().find(|part| place.code.parent() == Some(part.code)) {
                return Some(part.code);
            }
            under = self.place(&under)?.under?;
        }
    }
}
