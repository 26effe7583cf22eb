//! Who stands above whom, who serves a place, and which directories are refused.
#![expect(clippy::unwrap_used, reason = "a specification fails by panicking")]

mod support;

use spean_identity::{Directory, DirectoryError, LiveDirectory, RootKey, SignedDirectory};
use support::{Network, directory};

fn office(id: &str) -> spean_vocabulary::OfficeId {
    id.parse().unwrap()
}

fn paths(directory: &Directory) -> Vec<String> {
    directory.defects().into_iter().map(|defect| defect.path).collect()
}

fn root() -> (tempfile::TempDir, RootKey) {
    let folder = tempfile::tempdir().unwrap();
    let root = RootKey::create(&folder.path().join("root")).unwrap();
    (folder, root)
}

#[test]
fn a_sound_directory_has_no_defects() {
    assert_eq!(directory().defects(), []);
}

#[test]
fn the_ladder_climbs_to_the_ministry() {
    let directory = directory();
    let ladder: Vec<_> = directory.ladder(&office("ta-khmau")).map(|office| office.id.as_str()).collect();
    assert_eq!(ladder, ["kandal-province", "mosvy"]);
}

#[test]
fn a_village_is_served_by_the_nearest_office_where_somebody_works() {
    let directory = directory();
    let serving = directory.serving(&"08110203".parse().unwrap()).unwrap();
    assert_eq!(serving.office.id, office("kandal-province"));
    assert_eq!(serving.stands_in_for.iter().map(|office| office.id.as_str()).collect::<Vec<_>>(), ["ta-khmau"]);
}

#[test]
fn a_place_without_any_office_is_served_by_the_ministry_and_never_by_a_facility() {
    let directory = directory();
    assert_eq!(directory.serving(&"0110".parse().unwrap()).unwrap().office.id, office("mosvy"));
}

#[test]
fn an_office_belongs_to_the_agency_of_its_node() {
    let directory = directory();
    assert_eq!(directory.agency_of(&office("poipet-transit")).unwrap().id.as_str(), "imm");
    assert_eq!(directory.agency_of(&office("nowhere")), None);
}

#[test]
fn every_contradiction_is_named_with_its_place() {
    let mut directory = directory();
    directory.cosigner = office("kandal-province");
    directory.registry = office("nowhere");
    directory.nodes[1].agency = "nobody".parse().unwrap();
    directory.nodes[1].tag = directory.nodes[0].tag;
    directory.offices[0].above = Some(office("ta-khmau"));
    directory.offices.push(directory.offices[3].clone());
    directory.offices[3].above = None;
    let paths = paths(&directory);
    for path in [
        "registry",
        "cosigner",
        "node[kandal].agency",
        "node[kandal].tag",
        "office[ta-khmau].above",
        "office[poipet-transit].above",
        "office[poipet-transit]",
    ] {
        assert!(paths.iter().any(|named| named == path), "{path} is not among {paths:?}");
    }
}

fn day(text: &str) -> spean_vocabulary::Date {
    text.parse().unwrap()
}

/// The network in which Ta Khmau closes and Kandal's second office follows it.
fn after_a_closure() -> Directory {
    let mut directory = directory();
    directory.edition = 8;
    let mut follower = directory.offices[2].clone();
    follower.id = office("kandal-stueng");
    follower.opened_on = Some(day("2027-01-01"));
    directory.offices[2].closed_on = Some(day("2027-01-01"));
    directory.offices[2].successor = Some(office("kandal-stueng"));
    directory.offices.push(follower);
    directory
}

fn named(directory: &Directory, path: &str) -> bool {
    directory.defects().iter().any(|defect| defect.path == path)
}

#[test]
fn an_edition_from_before_offices_could_close_is_read_and_written_as_it_was() {
    let text = serde_json::to_string(&directory()).unwrap();
    for word in ["opened_on", "closed_on", "successor", "place_edition"] {
        assert!(!text.contains(word), "{word} stands in {text}");
    }
    assert_eq!(serde_json::from_str::<Directory>(&text).unwrap(), directory());
}

#[test]
fn an_office_closes_on_a_day_and_another_follows_it() {
    let directory = after_a_closure();
    assert_eq!(directory.defects(), []);
    assert_eq!(directory.defects_after(&self::directory()), []);
    let closed = directory.office(&office("ta-khmau")).unwrap();
    let follower = directory.office(&office("kandal-stueng")).unwrap();
    let (before, since) = (day("2026-12-31"), day("2027-01-01"));
    assert_eq!((closed.exists_on(before), closed.exists_on(since), closed.is_closed_on(since)), (true, false, true));
    assert_eq!(
        (follower.exists_on(before), follower.is_closed_on(before), follower.exists_on(since)),
        (false, false, true)
    );
    let followers: Vec<_> = directory.successors(&closed.id).map(|office| office.id.as_str()).collect();
    assert_eq!(followers, ["kandal-stueng"]);
}

#[test]
fn successors_that_go_round_in_a_circle_are_refused() {
    let mut directory = after_a_closure();
    directory.offices[4].closed_on = Some(day("2027-06-01"));
    directory.offices[4].successor = Some(office("ta-khmau"));
    assert!(named(&directory, "office[ta-khmau].successor"));
    directory.offices[4].successor = Some(office("kandal-stueng"));
    assert!(named(&directory, "office[kandal-stueng].successor"));
}

#[test]
fn an_office_does_not_close_and_leave_nobody_to_write_to() {
    let mut directory = directory();
    directory.offices[2].closed_on = Some(day("2027-01-01"));
    assert_eq!(directory.defects(), [], "the province stays");
    directory.offices[0].closed_on = Some(day("2027-01-01"));
    directory.offices[1].closed_on = Some(day("2027-01-01"));
    assert!(named(&directory, "office[ta-khmau].closed_on"));
    assert!(named(&directory, "authority"), "who may override does not close either");
}

#[test]
fn a_closure_that_makes_no_sense_is_refused_by_its_place() {
    let mut open = after_a_closure();
    open.offices[2].closed_on = None;
    assert!(named(&open, "office[ta-khmau].successor"), "an open office has no successor");
    let mut unknown = after_a_closure();
    unknown.offices[2].successor = Some(office("nowhere"));
    assert!(named(&unknown, "office[ta-khmau].successor"));
    let mut backwards = after_a_closure();
    backwards.offices[2].opened_on = Some(day("2028-01-01"));
    assert!(named(&backwards, "office[ta-khmau].closed_on"));
}

#[test]
fn an_edition_that_would_lose_who_an_office_was_does_not_follow() {
    let (_folder, root) = root();
    let refused = |newer: &Directory| -> Vec<String> {
        let live = LiveDirectory::new(directory());
        let signed = SignedDirectory::sign(newer, &root).unwrap();
        let Err(DirectoryError::Defects(defects)) = live.import(&signed, &root.public()) else {
            panic!("it was taken")
        };
        assert_eq!(live.current().edition, 7);
        defects.into_iter().map(|defect| defect.path).collect()
    };
    let mut without = after_a_closure();
    without.offices[4].closed_on = None;
    without.offices.remove(2);
    assert_eq!(refused(&without), ["office[ta-khmau]"]);
    let mut elsewhere = after_a_closure();
    elsewhere.offices[2].node = "poipet".parse().unwrap();
    assert_eq!(refused(&elsewhere), ["office[ta-khmau].node"], "even when it closes");
    let mut sold = after_a_closure();
    sold.agencies.push(spean_identity::Agency { id: "ngo".parse().unwrap(), ..sold.agencies[0].clone() });
    sold.nodes[0].agency = "ngo".parse().unwrap();
    assert_eq!(refused(&sold), ["node[poipet].agency"]);
}

/// An invented change of places.
fn an_edition_of_places(changes: &str) -> spean_identity::PlaceEdition {
    toml::from_str(&format!("year = 2027\nin_force_on = \"2027-04-01\"\nchange = [{changes}]")).unwrap()
}

#[test]
fn places_change_with_an_edition_and_it_is_never_taken_back() {
    let mut directory = after_a_closure();
    directory.place_editions = vec![an_edition_of_places(
        r#"{ kind = "renamed", from = "0811", to = [{ code = "0812", name_en = "Invented" }] },
           { kind = "renamed", from = "0812", to = [{ code = "0811" }] },
           { kind = "merged", from = "080101", to = [{ code = "080102" }] },
           { kind = "merged", from = "080103", to = [{ code = "080102" }] },
           { kind = "split", from = "080104", to = [{ code = "080104" }, { code = "080199" }] }"#,
    )];
    assert_eq!(directory.defects(), [], "two places may exchange their codes");
    let mut later = Directory { edition: 9, ..directory.clone() };
    assert_eq!(later.defects_after(&directory), []);
    later.place_editions.clear();
    assert_eq!(later.defects_after(&directory)[0].path, "place_edition[2027]");
    later.place_editions = vec![directory.place_editions[0].clone(), directory.place_editions[0].clone()];
    assert!(named(&later, "place_edition[2027]"), "each edition is later than the one before");
}

#[test]
fn a_change_of_places_that_makes_no_sense_is_refused_by_its_place() {
    let wrong = [
        (r#"{ kind = "renamed", from = "0811", to = [] }"#, "to"),
        (r#"{ kind = "split", from = "0811", to = [{ code = "0812" }] }"#, "to"),
        (r#"{ kind = "moved", from = "0811", to = [{ code = "0812" }, { code = "0813" }] }"#, "to"),
        (r#"{ kind = "moved", from = "0811", to = [{ code = "081201" }] }"#, "to"),
        (r#"{ kind = "split", from = "0811", to = [{ code = "0812" }, { code = "0812" }] }"#, "to"),
        (
            r#"{ kind = "moved", from = "0810", to = [{ code = "0812" }] },
               { kind = "renamed", from = "0811", to = [{ code = "0812" }] }"#,
            "to",
        ),
        (
            r#"{ kind = "renamed", from = "0811", to = [{ code = "0812" }] },
               { kind = "renamed", from = "0811", to = [{ code = "0813" }] }"#,
            "from",
        ),
    ];
    for (changes, field) in wrong {
        let mut directory = directory();
        directory.place_editions = vec![an_edition_of_places(changes)];
        assert!(named(&directory, &format!("place_edition[2027].change[0811].{field}")), "{changes}");
    }
}

#[test]
fn a_signed_directory_is_read_back_from_its_file() {
    let (_folder, root) = root();
    let network = Network::new();
    let file = SignedDirectory::sign(&network.directory, &root).unwrap().to_json();
    let signed = SignedDirectory::from_json(&file).unwrap();
    assert_eq!(signed.verify(&root.public(), Some(7)).unwrap(), network.directory);
}

#[test]
fn another_root_or_a_changed_document_is_refused() {
    let (_folder, root) = root();
    let (_other_folder, other) = self::root();
    let mut signed = SignedDirectory::sign(&directory(), &root).unwrap();
    assert_eq!(signed.verify(&other.public(), None).unwrap_err(), DirectoryError::BadSignature);
    signed.document = signed.document.replace("\"edition\": 7", "\"edition\": 8");
    assert_eq!(signed.verify(&root.public(), None).unwrap_err(), DirectoryError::BadSignature);
    assert_eq!(signed.verify("no key", None).unwrap_err(), DirectoryError::BadSignature);
}

#[test]
fn an_older_edition_is_refused_and_so_is_one_with_defects() {
    let (_folder, root) = root();
    let mut directory = directory();
    let signed = SignedDirectory::sign(&directory, &root).unwrap();
    assert_eq!(signed.verify(&root.public(), Some(8)).unwrap_err(), DirectoryError::Older { offered: 7, current: 8 });
    directory.registry = office("nowhere");
    assert!(matches!(SignedDirectory::sign(&directory, &root), Err(DirectoryError::Defects(_))));
}

#[test]
fn a_newer_edition_replaces_the_one_in_use_for_all_who_share_it() {
    let (_folder, root) = root();
    let live = LiveDirectory::new(directory());
    let shared = live.clone();
    let mut newer = directory();
    newer.edition = 8;
    live.import(&SignedDirectory::sign(&newer, &root).unwrap(), &root.public()).unwrap();
    assert_eq!(shared.current().edition, 8);

    live.replace(newer.clone()).unwrap();
    assert_eq!(live.replace(directory()).unwrap_err(), DirectoryError::Older { offered: 7, current: 8 });
    newer.offices[2].staffed = true;
    assert_eq!(live.replace(newer.clone()).unwrap_err(), DirectoryError::Contradicts(8));
    newer.edition = 9;
    newer.network = "another".to_owned();
    assert_eq!(live.replace(newer).unwrap_err(), DirectoryError::Contradicts(9));
    assert_eq!(shared.current().edition, 8);
}
