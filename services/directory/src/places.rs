//! Places as answers show them, and what a place lies in.

use spean_contracts::directory::v1 as wire;
use spean_vocabulary::{PlaceCode, PlaceLevel};

use crate::gazetteer::{Place, shipped};

/// The name of a place in Khmer and in Latin letters, as the newest list that knows it spells them; none when no list
/// does. One of the two is empty where the list has only the other.
pub fn place_name(code: &PlaceCode) -> Option<(String, String)> {
    shipped().place(code).map(|place| (place.name_km.clone(), place.name_en.clone()))
}

/// A place and all that it lies in, the smallest first: as the lists say, whose codes are not always right; by its code
/// when no list knows it.
pub(crate) fn and_above(code: PlaceCode) -> Vec<PlaceCode> {
    let listed: Vec<_> = listed_and_above(&code).map(|place| place.code).collect();
    if listed.is_empty() { code.and_above().collect() } else { listed }
}

/// The same, as far as the lists know the places.
pub(crate) fn listed_and_above(code: &PlaceCode) -> impl Iterator<Item = &'static Place> {
    let edition = shipped().place(code).and_then(|place| shipped().edition(place.edition));
    edition.into_iter().flat_map(|edition| edition.and_above(code))
}

/// The places directly within one, or the provinces; none when no list knows the place.
pub(crate) fn directly_in(code: Option<PlaceCode>) -> Option<impl Iterator<Item = &'static Place>> {
    let edition = match code {
        None => shipped().editions().next(),
        Some(code) => shipped().place(&code).and_then(|place| shipped().edition(place.edition)),
    };
    edition.map(|edition| edition.directly_in(code))
}

/// A place with its names; only the code and its level when no list knows it.
pub(crate) fn describe(code: &PlaceCode) -> wire::Place {
    shipped().place(code).map_or_else(
        || wire::Place { code: code.to_string(), level: word(code.level()).to_owned(), ..Default::default() },
        write,
    )
}

pub(crate) fn write(place: &Place) -> wire::Place {
    wire::Place {
        code: place.code.to_string(),
        name_km: place.name_km.clone(),
        name_en: place.name_en.clone(),
        level: word(place.level()).to_owned(),
        edition: place.edition.0.into(),
    }
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
mod tests {
    use super::*;

    fn code(text: &str) -> PlaceCode {
        text.parse().unwrap()
    }

    #[test]
    fn a_place_is_named_in_both_languages() {
        assert_eq!(place_name(&code("02")), Some(("បាត់ដំបង".to_owned(), "Battambang".to_owned())));
        assert_eq!(place_name(&code("9999")), None);
    }

    #[test]
    fn a_village_of_a_renumbered_commune_lies_where_the_list_puts_it() {
        let by_list = ["02140408", "021405", "0214", "02"].map(code);
        assert_eq!(and_above(code("02140408")), by_list);
    }

    #[test]
    fn a_place_that_no_list_knows_lies_where_its_code_says() {
        assert_eq!(and_above(code("029999")), ["029999", "0299", "02"].map(code));
        let described = describe(&code("029999"));
        assert_eq!((described.level.as_str(), described.edition, described.name_en.as_str()), ("COMMUNE", 0, ""));
    }
}
