//! Which office looks into a report.

use spean_vocabulary::{OfficeId, PlaceCode};

use super::report::Report;
use crate::routing::Routing;

/// The office that looks into what happens at a place: the nearest, or whoever answers in its stead. A commune helps first
/// but holds no cases, so what it reports goes to the district.
pub(crate) fn responsible(routing: &Routing<'_>, place: &PlaceCode) -> Option<OfficeId> {
    let serving = routing.directory.serving(place)?;
    let nearest = serving.stands_in_for.first().copied().unwrap_or(serving.office);
    Some(routing.route(&nearest.id)?.to)
}

/// Who looks into a report that an office is silent about: the nearest above that was not asked already, or this office
/// itself when it stands above.
pub(crate) fn above(routing: &Routing<'_>, report: &Report, me: &OfficeId, silent: &OfficeId) -> Option<OfficeId> {
    let is_free = |office: &OfficeId| office == me || !report.has_been_at(office);
    routing.ladder(silent).map(|above| &above.id).find(|above| is_free(above)).cloned()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;
    use spean_eventsourcing::Aggregate as _;
    use spean_identity::Directory;
    use spean_vocabulary::{AgeBand, CaseNumber, Sex, Timestamp, Urgency};

    use super::*;
    use crate::reports::report::{Event, File, Pass};
    use crate::reports::words::{Concern, PassReason};
    use crate::routing::Statuses;

    /// A ministry; a province with two districts, one without a worker; a commune in the other; a hotline.
    fn directory() -> Directory {
        let office = |id: &str, level: &str, place: &str, above: Option<&str>, staffed: bool| {
            json!({
                "id": id, "node": "node", "name_en": "x", "name_km": "x", "level": level, "place": place,
                "above": above, "staffed": staffed,
            })
        };
        let offices = json!([
            office("mosvy", "national", "12", None, true),
            office("province", "province", "08", Some("mosvy"), true),
            office("kien-svay", "district", "0802", Some("province"), true),
            office("saang", "district", "0810", Some("province"), false),
            office("banteay-daek", "commune", "080201", Some("kien-svay"), true),
            office("hotline", "facility", "12", Some("mosvy"), true),
        ]);
        let directory = json!({
            "network": "x", "edition": 1, "authority": "mosvy", "cosigner": "mosvy", "registry": "mosvy",
            "agency": [], "node": [], "office": offices,
        });
        serde_json::from_value(directory).expect("a directory")
    }

    fn today() -> spean_vocabulary::Date {
        "2026-12-01".parse().expect("a day")
    }

    fn id(code: &str) -> OfficeId {
        code.parse().expect("a code")
    }

    fn who(place: &str) -> String {
        let (directory, statuses) = (directory(), Statuses::default());
        let routing = Routing { directory: &directory, statuses: &statuses, today: today() };
        responsible(&routing, &place.parse().expect("a place")).expect("somebody").to_string()
    }

    #[test]
    fn the_nearest_office_that_holds_cases_looks_into_a_report() {
        assert_eq!(who("08020103"), "kien-svay", "the commune that serves the village holds no cases");
        assert_eq!(who("0802"), "kien-svay");
        assert_eq!(who("081002"), "province", "nobody works in that district");
        assert_eq!(who("01"), "mosvy", "nobody nearer");
    }

    fn report(from: Option<&str>, to: &[&str]) -> Report {
        let file = File {
            reference: CaseNumber::draw("KD".parse().expect("a tag"), [1; 5]),
            taken_down_by: id("hotline"),
            taken_down_at: Timestamp::default(),
            place: "080201".parse().expect("a place"),
            concerns: BTreeSet::from([Concern::Other]),
            urgency: Urgency::Urgent,
            people: None,
            sex: Sex::Unknown,
            age_band: AgeBand::Unknown,
            seen_on: None,
            has_words: false,
        };
        let due_at = Timestamp::default();
        let (because, silent) = (PassReason::ServesPlace, BTreeSet::new());
        let mut events = vec![match from {
            None => Event::TakenDown { file: file.clone(), channel: None, reporter: None, due_at },
            Some(from) => {
                let (file, from, silent) = (file.clone(), id(from), silent.clone());
                Event::Arrived { file, from, because, silent, due_at, answer: None }
            }
        }];
        events.extend(to.iter().map(|to| Event::PassedOn {
            file: file.clone(),
            pass: Pass {
                to: id(to),
                pass: "6ecd8c99-47a6-4a3b-bd3f-0f5f0b1c2d3e".parse().expect("an id"),
                because,
                silent: silent.clone(),
                due_at,
            },
        }));
        Report::fold(&events)
    }

    fn next(report: &Report, me: &str, silent: &str) -> Option<String> {
        let (directory, statuses) = (directory(), Statuses::default());
        let routing = Routing { directory: &directory, statuses: &statuses, today: today() };
        above(&routing, report, &id(me), &id(silent)).map(|above| above.to_string())
    }

    #[test]
    fn over_a_silent_office_the_next_is_one_that_does_not_have_the_report() {
        let by_hotline = report(None, &["kien-svay"]);
        assert_eq!(next(&by_hotline, "hotline", "kien-svay").as_deref(), Some("province"));
        let both = report(None, &["kien-svay", "province"]);
        assert_eq!(next(&both, "hotline", "province").as_deref(), Some("mosvy"));
        let by_ministry = report(Some("mosvy"), &["kien-svay", "province"]);
        assert_eq!(next(&by_ministry, "hotline", "province"), None, "nobody is left to tell");
    }

    #[test]
    fn who_stands_above_the_silent_office_looks_into_it_itself() {
        let by_province = report(None, &["kien-svay"]);
        assert_eq!(next(&by_province, "province", "kien-svay").as_deref(), Some("province"));
        assert_eq!(next(&by_province, "province", "province").as_deref(), Some("mosvy"));
    }
}
