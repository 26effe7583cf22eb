//! Offices as answers show them, and which of them serves a place today.

use spean_contracts::directory::v1 as wire;
use spean_identity::{Directory, Office, OfficeLevel, Serving};
use spean_vocabulary::PlaceCode;

use crate::places;

/// Who serves a place today. The directory climbs by the digits of a code; where the official lists know better what a
/// place lies in, they are followed.
pub(crate) fn serving(directory: &Directory, place: PlaceCode) -> Option<Serving<'_>> {
    let mut stands_in_for = Vec::new();
    let mut last_resort = None;
    for area in places::and_above(place) {
        let Some(by_code) = directory.serving(&area) else { continue };
        match by_code.stands_in_for.first() {
            Some(empty) if empty.place == area => stands_in_for.push(*empty),
            None if by_code.office.place == area => return Some(Serving { office: by_code.office, stands_in_for }),
            _ => {}
        }
        last_resort = Some(by_code.office);
    }
    last_resort.map(|office| Serving { office, stands_in_for })
}

pub(crate) fn write(directory: &Directory, office: &Office) -> wire::Office {
    wire::Office {
        office_id: office.id.to_string(),
        agency_id: directory.agency_of(&office.id).map(|agency| agency.id.to_string()).unwrap_or_default(),
        node_id: office.node.to_string(),
        name_en: office.name_en.clone(),
        name_km: office.name_km.clone(),
        level: word(office.level).to_owned(),
        place: Some(places::describe(&office.place)),
        above_office_id: office.above.as_ref().map(ToString::to_string).unwrap_or_default(),
        staffed: office.staffed,
    }
}

const fn word(level: OfficeLevel) -> &'static str {
    match level {
        OfficeLevel::National => "NATIONAL",
        OfficeLevel::Province => "PROVINCE",
        OfficeLevel::District => "DISTRICT",
        OfficeLevel::Commune => "COMMUNE",
        OfficeLevel::Facility => "FACILITY",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::examples::{a_directory, an_office};

    fn ask(directory: &Directory, place: &str) -> (String, Vec<String>) {
        let serving = serving(directory, place.parse().unwrap()).unwrap();
        let name = |office: &Office| office.id.to_string();
        (name(serving.office), serving.stands_in_for.into_iter().map(name).collect())
    }

    #[test]
    fn the_nearest_office_serves_a_village() {
        assert_eq!(ask(&a_directory(), "02130101"), ("bavel-district".to_owned(), vec![]));
    }

    #[test]
    fn where_the_post_of_the_district_is_empty_the_province_stands_in() {
        let directory = a_directory();
        let stood_in_for = vec!["koas-krala-district".to_owned()];
        assert_eq!(ask(&directory, "02140101"), ("battambang-province".to_owned(), stood_in_for));
    }

    #[test]
    fn the_ministry_stands_in_for_everybody_and_serves_where_nobody_else_does() {
        let mut directory = a_directory();
        for office in &mut directory.offices {
            office.staffed = office.level == OfficeLevel::National;
        }
        let stood_in_for = vec!["koas-krala-district".to_owned(), "battambang-province".to_owned()];
        assert_eq!(ask(&directory, "021401"), ("ministry".to_owned(), stood_in_for));
        assert_eq!(ask(&directory, "16"), ("ministry".to_owned(), vec![]));
    }

    #[test]
    fn a_village_with_the_code_of_another_commune_is_served_by_its_own() {
        let mut directory = a_directory();
        for (name, place) in [("by-its-code", "021404"), ("by-the-list", "021405")] {
            directory.offices.push(an_office(name, "battambang", OfficeLevel::Commune, place));
        }
        assert_eq!(ask(&directory, "02140408"), ("by-the-list".to_owned(), vec![]));
        assert_eq!(ask(&directory, "021404"), ("by-its-code".to_owned(), vec![]));
    }

    #[test]
    fn a_shelter_serves_people_and_no_area() {
        let mut directory = a_directory();
        directory.offices.push(an_office("shelter", "battambang", OfficeLevel::Facility, "021301"));
        assert_eq!(ask(&directory, "021301"), ("bavel-district".to_owned(), vec![]));
    }
}
