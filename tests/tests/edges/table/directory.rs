//! The directory.

use super::*;

pub(super) fn rows(ids: &Ids) -> Vec<Row> {
    let Ids { offering, fresh_offering, .. } = ids;
    vec![
        row!("directory.v1.DirectoryService" "ImportDirectory", &[Administrator], Node, Nothing,
            { "signed_directory": ids.signed_directory }, Done, [&[("signed_directory", SignedDirectory)]]),
        row!("directory.v1.DirectoryService" "ListAgencies", EVERYBODY, Node, Nothing, {}, Read, []),
        row!("directory.v1.DirectoryService" "ListOffices", EVERYBODY, Node, Nothing, { "agency_id": "mosvy" }, Read,
            [&[("agency_id", Code(No))]]),
        row!("directory.v1.DirectoryService" "GetOffice", EVERYBODY, Node, Everybody("office_id", json!("no-such-office")),
            { "office_id": "dsvy-kandal" }, Read, [&[("office_id", Code(Yes))]]),
        row!("directory.v1.DirectoryService" "WhoServes", EVERYBODY, Node, Nothing, { "place": "0802" }, Read,
            [&[("place", Place(Yes))]]),
        row!("directory.v1.DirectoryService" "GetPlace", EVERYBODY, Node, Everybody("code", json!("99")),
            { "code": "0802" }, Read, [&[("code", Place(Yes))]]),
        row!("directory.v1.DirectoryService" "ListPlaces", EVERYBODY, Node, Everybody("within", json!("99")),
            { "within": "08" }, Read, [&[("within", Place(No)), ("page", Page)]]),
        row!("directory.v1.DirectoryService" "SearchPlaces", EVERYBODY, Node, Nothing,
            { "name": "Kien Svay", "within": "08" }, Read, [&[("name", RequiredText(100)), ("within", Place(No))]]),
        row!("directory.v1.DirectoryService" "PublishOffering", SHELTER, Office, Nothing,
            { "offering": { "offering_id": fresh_offering, "need": 1, "sexes": [1], "age_bands": [3],
                "languages": ["km"], "places": ["16"], "capacity_persons": 4, "valid_from": "2026-01-02" } },
            Write("offering.capacity_persons", json!(5)),
            [&[("offering", Message), ("offering.offering_id", Id), ("offering.office_id", Free),
               ("offering.need", Word(&[])), ("offering.sexes", Words(None)), ("offering.age_bands", Words(None)),
               ("offering.languages", AtMost(500, Entry::Language)), ("offering.languages[0]", Code(Yes)),
               ("offering.places", AtMost(500, Entry::Place)), ("offering.places[0]", Place(Yes)),
               ("offering.capacity_persons", Number(0, 1_000_000)), ("offering.valid_from", AnyDay),
               ("offering.withdrawn_on", NotForRequests)]]),
        row!("directory.v1.DirectoryService" "WithdrawOffering", SHELTER, Office, Published("offering_id"),
            { "offering_id": offering, "withdrawn_on": "" }, Write("withdrawn_on", json!("2199-01-03")),
            [&[("offering_id", Id), ("withdrawn_on", AnyDay)]]),
        row!("directory.v1.DirectoryService" "ListOfferings", EVERYBODY, Node, Nothing, { "need": 1, "place": "16" }, Read,
            [&[("need", OptionalWord), ("place", Place(No)), ("include_withdrawn", Free), ("page", Page)]]),
    ]
}
