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
