use spean_identity::{Agency, Node, PublicKeys};

use super::*;

pub(crate) fn today() -> Date {
    "2026-12-01".parse().unwrap()
}

pub(crate) fn id(office: &str) -> OfficeId {
    office.parse().unwrap()
}

fn office(code: &str, level: OfficeLevel, above: Option<&str>) -> Office {
    Office {
        id: id(code),
        node: "kandal".parse().unwrap(),
        name_en: String::new(),
        name_km: String::new(),
        level,
        place: "08".parse().unwrap(),
        above: above.map(id),
        staffed: true,
        opened_on: None,
        closed_on: None,
        successor: None,
    }
}

/// A ministry, two provinces, two districts of the first, and a commune.
pub(crate) fn directory() -> Directory {
    let keys =
        PublicKeys { signing: String::new(), sealing: String::new(), token: String::new(), broker: String::new() };
    Directory {
        network: "test".to_owned(),
        edition: 1,
        authority: id("ministry"),
        cosigner: id("kandal"),
        registry: id("ministry"),
        agencies: vec![Agency { id: "dsvy".parse().unwrap(), name_en: String::new(), name_km: String::new() }],
        nodes: vec![Node {
            id: "kandal".parse().unwrap(),
            agency: "dsvy".parse().unwrap(),
            tag: "KD".parse().unwrap(),
            keys,
        }],
        offices: vec![
            office("ministry", OfficeLevel::National, None),
            office("kandal", OfficeLevel::Province, Some("ministry")),
            office("takeo", OfficeLevel::Province, Some("ministry")),
            office("kien-svay", OfficeLevel::District, Some("kandal")),
            office("saang", OfficeLevel::District, Some("kandal")),
            office("dei-edth", OfficeLevel::Commune, Some("kien-svay")),
        ],
        place_editions: vec![],
    }
}

fn told(statuses: &[(&str, Standing)]) -> Statuses {
    Statuses(statuses.iter().map(|(office, standing)| (id(office), standing.clone())).collect())
}

fn way(directory: &Directory, statuses: &[(&str, Standing)], meant_for: &str) -> Option<Route> {
    let statuses = told(statuses);
    Routing { directory, statuses: &statuses, today: today() }.route(&id(meant_for))
}

/// That an offer goes to another office, and why.
fn goes(way: Option<&Route>, to: &str, because: Redirection) {
    assert_eq!(way, Some(&Route { to: id(to), because: Some(because) }));
}

/// That it goes where it is meant to.
fn stays(way: Option<&Route>, to: &str) {
    assert_eq!(way, Some(&Route { to: id(to), because: None }));
}

const fn unstaffed() -> Standing {
    Standing::Unstaffed { stand_in: None }
}

fn stood_in_by(office: &str) -> Standing {
    Standing::Unstaffed { stand_in: Some(id(office)) }
}

fn followed_by(office: &str) -> Standing {
    Standing::Closed { successor: Some(id(office)), stand_in: None }
}

#[test]
fn an_office_where_somebody_works_is_asked_itself() {
    stays(way(&directory(), &[], "kien-svay").as_ref(), "kien-svay");
    stays(way(&directory(), &[("kien-svay", Standing::Open)], "kien-svay").as_ref(), "kien-svay");
}

#[test]
fn an_empty_post_leads_to_the_nearest_office_above_that_is_staffed() {
    let mut directory = directory();
    directory.offices[3].staffed = false;
    goes(way(&directory, &[], "kien-svay").as_ref(), "kandal", Redirection::Unstaffed);
    goes(way(&directory, &[("kandal", unstaffed())], "kien-svay").as_ref(), "ministry", Redirection::Unstaffed);
}

#[test]
fn what_was_told_since_counts_more_than_the_edition() {
    let mut directory = directory();
    directory.offices[3].staffed = false;
    let back = [("kien-svay", Standing::Open)];
    stays(way(&directory, &back, "kien-svay").as_ref(), "kien-svay");
    directory.offices[3].closed_on = Some(today());
    goes(way(&directory, &back, "kien-svay").as_ref(), "kandal", Redirection::Closed);
}

#[test]
fn an_office_that_opens_tomorrow_is_not_asked_today() {
    let mut directory = directory();
    directory.offices[3].opened_on = Some("2026-12-02".parse().unwrap());
    goes(way(&directory, &[], "kien-svay").as_ref(), "kandal", Redirection::Unstaffed);
}

#[test]
fn who_stands_in_is_asked_before_the_office_above() {
    goes(
        way(&directory(), &[("kien-svay", stood_in_by("saang"))], "kien-svay").as_ref(),
        "saang",
        Redirection::StandsIn,
    );
    let both = [("kien-svay", stood_in_by("saang")), ("saang", unstaffed())];
    goes(way(&directory(), &both, "kien-svay").as_ref(), "kandal", Redirection::StandsIn);
}

#[test]
fn an_office_that_moved_leads_to_its_successor_and_on_from_there() {
    goes(way(&directory(), &[("kien-svay", followed_by("takeo"))], "kien-svay").as_ref(), "takeo", Redirection::Moved);
    let twice = [("kien-svay", followed_by("saang")), ("saang", followed_by("takeo"))];
    goes(way(&directory(), &twice, "kien-svay").as_ref(), "takeo", Redirection::Moved);
    let mut directory = directory();
    directory.offices[3].closed_on = Some(today());
    directory.offices[3].successor = Some(id("saang"));
    goes(way(&directory, &[], "kien-svay").as_ref(), "saang", Redirection::Moved);
}

#[test]
fn a_former_office_that_left_the_directory_still_leads_to_its_successor() {
    goes(
        way(&directory(), &[("old-office", followed_by("saang"))], "old-office").as_ref(),
        "saang",
        Redirection::Moved,
    );
    assert_eq!(way(&directory(), &[], "never-heard-of"), None);
}

#[test]
fn offices_that_stand_in_for_each_other_lead_to_the_office_above() {
    let circle = [("kien-svay", stood_in_by("saang")), ("saang", stood_in_by("kien-svay"))];
    goes(way(&directory(), &circle, "kien-svay").as_ref(), "kandal", Redirection::StandsIn);
}

#[test]
fn a_commune_stands_in_for_nobody() {
    let commune = [("kien-svay", stood_in_by("dei-edth"))];
    goes(way(&directory(), &commune, "kien-svay").as_ref(), "kandal", Redirection::StandsIn);
}

#[test]
fn when_nobody_works_anywhere_there_is_no_way() {
    let nobody = ["ministry", "kandal", "kien-svay"].map(|office| (office, unstaffed()));
    assert_eq!(way(&directory(), &nobody, "kien-svay"), None);
}
