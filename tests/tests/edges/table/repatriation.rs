//! The transit centre's register, and the requests by which people come home.

use super::*;

const REPATRIATION: &[Role] = &[Caseworker, Supervisor, IntakeOfficer, Authority];
const APPROVAL: &[Role] = &[Supervisor, Authority];

pub(super) fn rows(ids: &Ids) -> Vec<Row> {
    [arrivals(ids), care(ids), requests(ids)].into_iter().flatten().collect()
}

fn arrivals(ids: &Ids) -> Vec<Row> {
    let Ids { arrival, case, fresh_arrival, manifest, fresh_manifest, .. } = ids;
    let circumstances =
        json!({ "route": 1, "from_country": "TH", "arrived_on": "2026-01-02", "authority": { "kind": 1 } });
    vec![
        row!("repatriation.v1.RepatriationService" "RegisterArrival", INTAKE, Office, Nothing,
            { "arrival_id": fresh_arrival, "person": person("Bora"), "circumstances": circumstances },
            Write("arrival_id", json!(ids.unused)),
            [&[("arrival_id", Id), ("repatriation_request_id", Code(No)), ("repatriation_person_id", Free)], PERSON,
             CIRCUMSTANCES]),
        row!("repatriation.v1.RepatriationService" "ImportManifest", INTAKE, Office, Nothing,
            { "manifest_id": fresh_manifest, "csv": crate::scene::MANIFEST, "circumstances": circumstances },
            Write("circumstances.arrived_on", json!("2026-01-03")),
            [&[("manifest_id", Id), ("csv", Csv), ("xlsx", Free), ("preview", Free)], CIRCUMSTANCES]),
        row!("repatriation.v1.RepatriationService" "GetManifest", INTAKE, Office, Own("manifest_id"),
            { "manifest_id": manifest }, Read, [&[("manifest_id", Id)]]),
        row!("repatriation.v1.RepatriationService" "ListArrivals", INTAKE, Office, Nothing, {}, Read,
            [&[("page", Page), ("present_only", Free)]]),
        row!("repatriation.v1.RepatriationService" "ListWaitingArrivals", INTAKE, Office, Nothing, {}, Read,
            [&[("page", Page)]]),
        row!("repatriation.v1.RepatriationService" "GetArrival", INTAKE, Office, Own("arrival_id"),
            { "arrival_id": arrival }, Read, [&[("arrival_id", Id)]]),
        row!("repatriation.v1.RepatriationService" "ConfirmSamePerson", INTAKE, Office, Own("arrival_id"),
            { "arrival_id": arrival, "other_case_id": case, "confirmed_on": "2026-01-02" },
            Write("confirmed_on", json!("2026-01-03")),
            [&[("arrival_id", Id), ("other_case_id", Id), ("confirmed_on", PastDay)]]),
    ]
}

fn care(ids: &Ids) -> Vec<Row> {
    let arrival = &ids.arrival;
    vec![
        row!("repatriation.v1.RepatriationService" "RecordNeeds", INTAKE, Office, Own("arrival_id"),
            { "arrival_id": arrival, "needs": [1, 2], "adult": { "function": 4 } }, Write("needs", json!([1, 3])),
            [&[("arrival_id", Id), ("needs", Words(Some(20))), ("urgent", Free), ("responsible_adult", NotForRequests),
               ("urgent_needs", Words(Some(20))), ("adult.function", Word(&[])), ("adult.staff_id", Code(No))]]),
        row!("repatriation.v1.RepatriationService" "ListUrgentNeeds", INTAKE, Office, Nothing, {}, Read,
            [&[("page", Page)]]),
        row!("repatriation.v1.RepatriationService" "RecordNeedServed", INTAKE, Office, Own("arrival_id"),
            { "arrival_id": arrival, "need": 2, "by": 1, "served_on": "2026-01-02" },
            Write("served_on", json!("2026-01-03")),
            [&[("arrival_id", Id), ("need", Word(&[])), ("by", Word(&[])), ("served_on", PastDay)]]),
        row!("repatriation.v1.RepatriationService" "DeclareCentreBeds", INTAKE, Office, Nothing,
            { "beds": [{ "group": 3, "places": 6 }] }, Write("beds[0].places", json!(7)),
            [&[("beds", AtMost(20, Entry::Beds)), ("beds[0].group", Word(&[])), ("beds[0].places", Number(0, 10_000))]]),
        row!("repatriation.v1.RepatriationService" "AssignCentreBed", INTAKE, Office, Own("arrival_id"),
            { "arrival_id": arrival, "group": 3, "from_night": "2026-01-02", "over_capacity": 1 },
            Write("from_night", json!("2026-01-03")),
            [&[("arrival_id", Id), ("group", Word(&[])), ("from_night", PastDay), ("over_capacity", OptionalWord)]]),
        row!("repatriation.v1.RepatriationService" "GetCentreOccupancy", INTAKE, Office, Nothing, {}, Read, []),
        row!("repatriation.v1.RepatriationService" "RecordStay", INTAKE, Office, Own("arrival_id"),
            { "arrival_id": arrival, "night_of": "2026-01-02" }, Write("night_of", json!("2026-01-03")),
            [&[("arrival_id", Id), ("night_of", PastDay)]]),
        row!("repatriation.v1.RepatriationService" "RecordDeparture", INTAKE, Office, Own("arrival_id"),
            { "arrival_id": arrival, "kind": 2, "departed_on": "2026-01-04" }, Write("departed_on", json!("2026-01-05")),
            [&[("arrival_id", Id), ("kind", Word(&[])), ("departed_on", PastDay), ("to_office_id", Code(No))]]),
        row!("repatriation.v1.RepatriationService" "ReconcileArrivals", INTAKE, Office, Nothing,
            { "from": "2026-01-01", "to": "2026-12-31" }, Read, [&[("from", AnyDay), ("to", AnyDay)]]),
    ]
}

/// The steps of a request come in their order: those before an approval wait in the scene.
fn requests(ids: &Ids) -> Vec<Row> {
    let Ids { homewards, fresh_homewards, arrival, case, .. } = ids;
    let too_early = || Refused(tonic::Code::FailedPrecondition, "EARLIER_STEP_OPEN");
    vec![
        row!("repatriation.v1.RepatriationService" "OpenRepatriationRequest", REPATRIATION, Office, Nothing,
            { "request_id": fresh_homewards, "direction": 1, "country": "TH", "person_ids": [case],
              "owner": { "function": 1 }, "requested_on": "2026-01-02" },
            Write("requested_on", json!("2026-01-03")),
            [&[("request_id", Id), ("direction", Word(&[])), ("country", ShortCode),
               ("person_ids", AtMost(200, Entry::Office)), ("owner", Message), ("owner.office_id", Code(No)),
               ("owner.function", Word(&[])), ("owner.staff_id", Code(No)), ("requested_on", PastDay)]]),
        row!("repatriation.v1.RepatriationService" "CompleteRepatriationStep", REPATRIATION, Office, Own("request_id"),
            { "request_id": homewards, "step": 1, "done_on": "2026-01-02" }, Write("done_on", json!("2026-01-03")),
            [&[("request_id", Id), ("step", Word(&[])), ("done_on", PastDay)]]),
        row!("repatriation.v1.RepatriationService" "DelegateStep", REPATRIATION, Office, Own("request_id"),
            { "request_id": homewards, "step": 2, "to": { "function": 3, "staff_id": "rk-08" }, "reason": 1,
              "delegated_on": "2026-01-02" },
            Write("reason", json!(2)),
            [&[("request_id", Id), ("step", Word(&[])), ("to", Message), ("to.office_id", Code(No)),
               ("to.function", Word(&[])), ("to.staff_id", Code(No)), ("reason", Word(&[])),
               ("delegated_on", PastDay)]]),
        row!("repatriation.v1.RepatriationService" "SucceedOwner", APPROVAL, Office, Nothing,
            { "from_staff_id": "rk-01", "to": { "function": 3, "staff_id": "rk-08" }, "reason": 1 }, Done,
            [&[("from_staff_id", Code(Yes)), ("to", Message), ("to.office_id", Code(No)), ("to.function", Word(&[])),
               ("to.staff_id", Code(No)), ("reason", Word(&[])), ("delegated_on", PastDay)]]),
        row!("repatriation.v1.RepatriationService" "SkipRepatriationStep", REPATRIATION, Office, Own("request_id"),
            { "request_id": homewards, "step": 2, "reason": 1, "skipped_on": "2026-01-03" }, Write("reason", json!(2)),
            [&[("request_id", Id), ("step", Word(&[])), ("reason", Word(&[])), ("skipped_on", PastDay)]]),
        row!("repatriation.v1.RepatriationService" "ApproveRepatriation", APPROVAL, Office, Own("request_id"),
            { "request_id": homewards, "step": 4, "approved_on": "2026-01-03" }, too_early(),
            [&[("request_id", Id), ("step", Word(&[])), ("approved_on", PastDay)]]),
        row!("repatriation.v1.RepatriationService" "ArrangeTravel", REPATRIATION, Office, Own("request_id"),
            { "request_id": homewards, "arranged_on": "2026-01-03",
              "travel": { "travels_on": "2026-01-05", "means": 1, "border_place": "0110", "escort": 2 } },
            too_early(),
            [&[("request_id", Id), ("travel", Message), ("travel.travels_on", AnyDay), ("travel.means", Word(&[])),
               ("travel.border_place", Place(No)), ("travel.escort", Word(&[])),
               ("travel.receiving_office_id", Code(No)), ("arranged_on", PastDay)]]),
        row!("repatriation.v1.RepatriationService" "RecordReception", REPATRIATION, Office, Own("request_id"),
            { "request_id": homewards, "person_id": case, "arrival_id": arrival }, too_early(),
            [&[("request_id", Id), ("person_id", Id), ("arrival_id", Code(No)), ("received_on", PastDay)]]),
        row!("repatriation.v1.RepatriationService" "ListRepatriationRequests", REPATRIATION, Office, Nothing, {}, Read,
            [&[("page", Page), ("view", OptionalWord), ("step", OptionalWord)]]),
        row!("repatriation.v1.RepatriationService" "GetRepatriationRequest", REPATRIATION, Office, Own("request_id"),
            { "request_id": homewards }, Read, [&[("request_id", Id)]]),
        row!("repatriation.v1.RepatriationService" "EndRepatriation", REPATRIATION, Office, Own("request_id"),
            { "request_id": homewards, "person_ids": [case], "reason": 5, "ended_on": "2026-01-04" },
            Write("reason", json!(6)),
            [&[("request_id", Id), ("person_ids", AtMost(200, Entry::Office)), ("reason", Word(&[])),
               ("ended_on", PastDay)]]),
    ]
}
