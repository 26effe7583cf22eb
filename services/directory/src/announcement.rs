//! What an office says about its help, between its protobuf and its Rust form.

use std::collections::BTreeSet;
use std::num::NonZeroU32;

use spean_chassis::field;
use spean_chassis::words::{read_age_band, read_need, read_sex, write_age_band, write_need, write_sex};
use spean_contracts::directory::v1 as wire;
use spean_vocabulary::{Date, Need, OfferingId};
use tonic::Status;

use crate::offering::{Announcement, Terms};

/// Most places or languages in one offering.
const MOST_ENTRIES: usize = 500;
/// Most people that an office can say it helps at a time.
const MOST_PERSONS: i64 = 1_000_000;

/// What stands in a protobuf offering, but for whose it is and how long.
pub(crate) struct Read {
    pub(crate) offering_id: OfferingId,
    pub(crate) need: Need,
    pub(crate) terms: Terms,
    pub(crate) valid_from: Option<Date>,
}

/// Reads an offering whose path in the request is `offering`.
pub(crate) fn read(offering: &wire::Offering) -> Result<Read, Status> {
    field::at_most("offering.languages", &offering.languages, MOST_ENTRIES)?;
    field::at_most("offering.places", &offering.places, MOST_ENTRIES)?;
    let capacity = i64::from(offering.capacity_persons);
    let capacity = field::within("offering.capacity_persons", capacity, 0, MOST_PERSONS)?;
    Ok(Read {
        offering_id: field::parse("offering.offering_id", &offering.offering_id)?,
        need: read_need("offering.need", offering.need)?,
        terms: Terms {
            serves_sexes: each("sexes", &offering.sexes, |path, sex| read_sex(path, *sex))?,
            serves_age_bands: each("age_bands", &offering.age_bands, |path, band| read_age_band(path, *band))?,
            languages: each("languages", &offering.languages, |path, language| field::parse(path, language))?,
            places_served: each("places", &offering.places, |path, place| field::parse(path, place))?,
            capacity_persons: u32::try_from(capacity).ok().and_then(NonZeroU32::new),
            worker_sexes: each("worker_sexes", &offering.worker_sexes, |path, sex| read_sex(path, *sex))?,
        },
        valid_from: field::parse_optional("offering.valid_from", &offering.valid_from)?,
    })
}

fn each<G, T: Ord>(
    name: &str,
    given: &[G],
    read: impl Fn(&str, &G) -> Result<T, Status>,
) -> Result<BTreeSet<T>, Status> {
    let read = |(index, entry)| read(&format!("offering.{name}[{index}]"), entry);
    given.iter().enumerate().map(read).collect()
}

/// The offering as it stands.
pub(crate) fn write(offering_id: &str, said: &Announcement, withdrawn_on: Option<Date>) -> wire::Offering {
    let terms = &said.terms;
    let capacity = terms.capacity_persons.map_or(0, NonZeroU32::get);
    wire::Offering {
        offering_id: offering_id.to_owned(),
        office_id: said.office.to_string(),
        need: write_need(said.need).into(),
        sexes: terms.serves_sexes.iter().map(|sex| write_sex(*sex).into()).collect(),
        age_bands: terms.serves_age_bands.iter().map(|band| write_age_band(*band).into()).collect(),
        languages: terms.languages.iter().map(|language| language.as_str().to_owned()).collect(),
        places: terms.places_served.iter().map(ToString::to_string).collect(),
        capacity_persons: i32::try_from(capacity).unwrap_or(i32::MAX),
        valid_from: said.valid_from.to_string(),
        withdrawn_on: withdrawn_on.map(|day| day.to_string()).unwrap_or_default(),
        worker_sexes: terms.worker_sexes.iter().map(|sex| write_sex(*sex).into()).collect(),
        // The room is counted elsewhere, and shown with its age.
        ..Default::default()
    }
}

#[cfg(test)]
mod tests {
    use spean_contracts::vocabulary::v1 as words;

    use super::*;

    fn offering() -> wire::Offering {
        wire::Offering {
            offering_id: "00000000-0000-4000-8000-000000000001".to_owned(),
            office_id: "poipet-shelter".to_owned(),
            need: words::Need::Shelter.into(),
            sexes: vec![words::Sex::Female.into(), words::Sex::Unknown.into()],
            age_bands: vec![],
            languages: vec!["km".to_owned()],
            places: vec!["01".to_owned()],
            capacity_persons: 0,
            valid_from: "2026-12-01".to_owned(),
            worker_sexes: vec![words::Sex::Female.into()],
            ..Default::default()
        }
    }

    #[test]
    fn what_is_read_is_written_again_as_it_was() {
        let Read { need, terms, valid_from, .. } = read(&offering()).unwrap();
        let office = "poipet-shelter".parse().unwrap();
        let said = Announcement { office, need, terms, valid_from: valid_from.unwrap() };
        assert_eq!(write(&offering().offering_id, &said, None), offering());
    }

    #[test]
    fn what_is_wrong_is_refused_by_the_path_of_its_field() {
        let wrong = [
            (wire::Offering { sexes: vec![99], ..offering() }, "offering.sexes[0]"),
            (wire::Offering { worker_sexes: vec![1, 0], ..offering() }, "offering.worker_sexes[1]"),
            (wire::Offering { need: 0, ..offering() }, "offering.need"),
            (wire::Offering { languages: vec!["km".into(), "Thai".into()], ..offering() }, "offering.languages[1]"),
            (wire::Offering { places: vec!["1".into()], ..offering() }, "offering.places[0]"),
            (wire::Offering { capacity_persons: -1, ..offering() }, "offering.capacity_persons"),
            (wire::Offering { valid_from: "tomorrow".into(), ..offering() }, "offering.valid_from"),
        ];
        for (offering, path) in wrong {
            let status = read(&offering).err().unwrap();
            assert!(status.message().starts_with(path), "{} is about {path}", status.message());
        }
    }
}
