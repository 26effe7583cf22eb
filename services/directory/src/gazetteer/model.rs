//! What a gazetteer knows: places, editions, and which edition knows which code.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};
use spean_vocabulary::{PlaceCode, PlaceLevel};

use super::search::Index;

/// The year that names an edition of the lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EditionYear(pub u16);

impl fmt::Display for EditionYear {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// A code together with the edition it is meant in: what an address keeps, and what one edition can be mapped to
/// another by. The same digits may mean another place in another year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PlaceKey {
    /// The edition.
    pub edition: EditionYear,
    /// The code as that edition has it.
    pub code: PlaceCode,
}

/// A province, district, commune or village in one edition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// Its official code.
    pub code: PlaceCode,
    /// Its name in Khmer; empty when the list has none.
    pub name_km: String,
    /// Its name in Latin letters, as the list spells it; empty when the list has none.
    pub name_en: String,
    /// The edition that says all this.
    pub edition: EditionYear,
    /// The place it lies in; none for a province. Nearly always the parent of its code, but where the list itself
    /// says otherwise, or does not know that parent, this is the truth and the code is not.
    pub under: Option<PlaceCode>,
}

impl Place {
    /// Province, district, commune or village.
    pub fn level(&self) -> PlaceLevel {
        self.code.level()
    }

    /// Code and edition together.
    pub fn key(&self) -> PlaceKey {
        PlaceKey { edition: self.edition, code: self.code }
    }
}

/// A place that the list gives the code of another. It cannot be addressed by that code until the ministry corrects
/// the list, but people must be able to see that it exists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Contender {
    /// Its name in Khmer.
    pub name_km: String,
    /// Its name in Latin letters.
    pub name_en: String,
    /// The place it lies in by the list's own columns.
    pub under: Option<PlaceCode>,
    /// Its line in the list, where the heading is line 1.
    pub line: u64,
}

/// The places of one year.
#[derive(Clone, Debug)]
pub struct Edition {
    year: EditionYear,
    places: BTreeMap<PlaceCode, Place>,
    contenders: BTreeMap<PlaceCode, Vec<Contender>>,
}

impl Edition {
    pub(super) fn new(
        year: EditionYear,
        places: BTreeMap<PlaceCode, Place>,
        contenders: BTreeMap<PlaceCode, Vec<Contender>>,
    ) -> Self {
        Self { year, places, contenders }
    }

    /// The year that names it.
    pub fn year(&self) -> EditionYear {
        self.year
    }

    /// The place with this code.
    pub fn place(&self, code: &PlaceCode) -> Option<&Place> {
        self.places.get(code)
    }

    /// All places, in the order of their codes.
    pub fn places(&self) -> impl Iterator<Item = &Place> {
        self.places.values()
    }

    /// The other places to which the list gives the same code. Not empty means: ask which one is meant.
    pub fn contenders(&self, code: &PlaceCode) -> &[Contender] {
        self.contenders.get(code).map_or(&[], Vec::as_slice)
    }

    /// All codes that the list gives to more than one place.
    pub(super) fn all_contenders(&self) -> impl Iterator<Item = (&PlaceCode, &Vec<Contender>)> {
        self.contenders.iter()
    }

    /// A place and all that it lies in, the smallest first.
    pub fn and_above(&self, code: &PlaceCode) -> impl Iterator<Item = &Place> {
        std::iter::successors(self.place(code), |place| place.under.as_ref().and_then(|under| self.place(under)))
    }

    /// The places directly in this one, in the order of their codes; the provinces when none is given.
    pub fn directly_in(&self, code: Option<PlaceCode>) -> impl Iterator<Item = &Place> {
        self.places.values().filter(move |place| place.under == code)
    }
}

/// All editions that are known here, with an index to search them.
#[derive(Clone, Debug)]
pub struct Gazetteer {
    editions: BTreeMap<EditionYear, Edition>,
    pub(super) index: Index,
}

impl Gazetteer {
    /// A gazetteer of these editions; of two with the same year the later one counts.
    pub fn of(editions: impl IntoIterator<Item = Edition>) -> Self {
        let editions: BTreeMap<_, _> = editions.into_iter().map(|edition| (edition.year, edition)).collect();
        let index = Index::of(editions.values().rev().flat_map(Edition::places));
        Self { editions, index }
    }

    /// The editions, the newest first.
    pub fn editions(&self) -> impl Iterator<Item = &Edition> {
        self.editions.values().rev()
    }

    /// The edition of one year.
    pub fn edition(&self, year: EditionYear) -> Option<&Edition> {
        self.editions.get(&year)
    }

    /// The place that a code means today: in the newest edition that knows it. A code that has gone out of use is
    /// still found, and [`Place::edition`] says how old it is.
    pub fn place(&self, code: &PlaceCode) -> Option<&Place> {
        self.editions().find_map(|edition| edition.place(code))
    }

    /// The place that was meant when an address was written.
    pub fn place_in(&self, key: &PlaceKey) -> Option<&Place> {
        self.edition(key.edition)?.place(&key.code)
    }

    /// A gazetteer of these editions and of what followed them, one by one.
    #[must_use]
    pub fn followed_by(&self, editions: &[spean_identity::PlaceEdition]) -> Self {
        let mut all: Vec<_> = self.editions.values().cloned().collect();
        for next in editions {
            let Some(newest) = all.last() else { break };
            all.push(newest.amended(next));
        }
        Self::of(all)
    }

    /// The editions that know a code.
    pub fn known_in(&self, code: &PlaceCode) -> BTreeSet<EditionYear> {
        self.editions.values().filter(|edition| edition.place(code).is_some()).map(Edition::year).collect()
    }
}
