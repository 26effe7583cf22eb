//! The transit centre's register.

use super::*;

pub(super) fn rows(ids: &Ids) -> Vec<Row> {
    let Ids { arrival, fresh_arrival, manifest, fresh_manifest, .. } = ids;
    let circumstances = json!({ "route": 1, "from_country": "TH", "arrived_on": "2026-01-02" });
    vec![
        row!("repatriation.v1.RepatriationService" "RegisterArrival", INTAKE, Office, Nothing,
            { "arrival_id": fresh_arrival, "person": person("Bora"), "circumstances": circumstances },
            Write("arrival_id", json!(ids.unused)),
            [&[("arrival_id", Id)], PERSON, CIRCUMSTANCES]),
        row!("repatriation.v1.RepatriationService" "ImportManifest", INTAKE, Office, Nothing,
            { "manifest_id": fresh_manifest, "csv": crate::scene::MANIFEST, "circumstances": circumstances },
            Write("circumstances.arrived_on", json!("2026-01-03")),
            [&[("manifest_id", Id), ("csv", Csv), ("preview", Free)], CIRCUMSTANCES]),
        row!("repatriation.v1.RepatriationService" "GetManifest", INTAKE, Office, Own("manifest_id"),
            { "manifest_id": manifest }, Read, [&[("manifest_id", Id)]]),
        row!("repatriation.v1.RepatriationService" "ListArrivals", INTAKE, Office, Nothing, {}, Read,
            [&[("page", Page), ("present_only", Free)]]),
        row!("repatriation.v1.RepatriationService" "RecordNeeds", INTAKE, Office, Own("arrival_id"),
            { "arrival_id": arrival, "needs": [1, 2], "responsible_adult": "staff 7" }, Write("needs", json!([1, 3])),
            [&[("arrival_id", Id), ("needs", Words(Some(20))), ("urgent", Free), ("responsible_adult", Text(60))]]),
        row!("repatriation.v1.RepatriationService" "RecordStay", INTAKE, Office, Own("arrival_id"),
            { "arrival_id": arrival, "night_of": "2026-01-02" }, Write("night_of", json!("2026-01-03")),
            [&[("arrival_id", Id), ("night_of", PastDay)]]),
        row!("repatriation.v1.RepatriationService" "RecordDeparture", INTAKE, Office, Own("arrival_id"),
            { "arrival_id": arrival, "kind": 2, "departed_on": "2026-01-04" }, Write("departed_on", json!("2026-01-05")),
            [&[("arrival_id", Id), ("kind", Word(&[])), ("departed_on", PastDay)]]),
        row!("repatriation.v1.RepatriationService" "ReconcileArrivals", INTAKE, Office, Nothing,
            { "from": "2026-01-01", "to": "2026-12-31" }, Read, [&[("from", AnyDay), ("to", AnyDay)]]),
    ]
}
