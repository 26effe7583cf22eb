//! The shelter.

use super::*;

pub(super) fn rows(ids: &Ids) -> Vec<Row> {
    let Ids { case, stay, fresh_stay, .. } = ids;
    vec![
        row!("shelter.v1.ShelterService" "DeclareCapacity", SHELTER, Office, Nothing,
            { "places": [{ "sex": 1, "children": true, "capacity_persons": 9 }] },
            Write("places[0].capacity_persons", json!(10)),
            [&[("places", AtMost(20, Entry::Places)), ("places[0].sex", Word(&[])), ("places[0].children", Free),
               ("places[0].capacity_persons", Number(0, 10_000)), ("places[0].occupied_persons", Free)]]),
        row!("shelter.v1.ShelterService" "GetCapacity", COUNTING, OfficeOrNode, Nothing, {}, Read, []),
        row!("shelter.v1.ShelterService" "AdmitResident", SHELTER, Office, Own("case_id"),
            { "admission_id": fresh_stay, "case_id": case, "admitted_on": "2026-01-04" },
            Write("admitted_on", json!("2026-01-05")),
            [&[("admission_id", Id), ("case_id", Id), ("admitted_on", PastDay)]]),
        row!("shelter.v1.ShelterService" "ExitResident", SHELTER, Office, Own("admission_id"),
            { "admission_id": stay, "kind": 3, "exited_on": "2026-01-06" }, Write("exited_on", json!("2026-01-07")),
            [&[("admission_id", Id), ("kind", Word(&[])), ("exited_on", PastDay)]]),
        row!("shelter.v1.ShelterService" "ListResidents", SHELTER, Office, Nothing, {}, Read,
            [&[("page", Page), ("include_exited", Free)]]),
    ]
}
