//! The shelter.

use super::*;

pub(super) fn rows(ids: &Ids) -> Vec<Row> {
    [house(ids), absences(ids), care(ids), homecoming(ids), exit(ids)].into_iter().flatten().collect()
}

fn house(ids: &Ids) -> Vec<Row> {
    let Ids { case, stay, fresh_stay, .. } = ids;
    vec![
        row!("shelter.v1.ShelterService" "DeclareCapacity", SHELTER, Office, Nothing,
            { "places": [{ "sex": 1, "children": true, "capacity_persons": 9 }] },
            Write("places[0].capacity_persons", json!(10)),
            [&[("places", AtMost(20, Entry::Places)), ("places[0].sex", Word(&[])), ("places[0].children", Free),
               ("places[0].capacity_persons", Number(0, 10_000)), ("places[0].occupied_persons", Free)]]),
        row!("shelter.v1.ShelterService" "GetCapacity", COUNTING, OfficeOrNode, Nothing, {}, Read, []),
        row!("shelter.v1.ShelterService" "AdmitResident", SHELTER, Office, Own("case_id"),
            { "admission_id": fresh_stay, "case_id": case, "admitted_on": "2026-01-04", "bed": "b-2" },
            Write("admitted_on", json!("2026-01-05")),
            [&[("admission_id", Id), ("case_id", Id), ("admitted_on", PastDay), ("bed", Code(No)),
               ("over_capacity", OptionalWord)]]),
        row!("shelter.v1.ShelterService" "AssignBed", SHELTER, Office, Own("admission_id"),
            { "admission_id": stay, "bed": "a-1" }, Write("bed", json!("a-2")),
            [&[("admission_id", Id), ("bed", Code(Yes))]]),
        row!("shelter.v1.ShelterService" "ListResidents", SHELTER, Office, Nothing, {}, Read,
            [&[("page", Page), ("include_exited", Free)]]),
    ]
}

/// Somebody goes home without a word, is heard of there, and comes back.
fn absences(ids: &Ids) -> Vec<Row> {
    let Ids { stay, .. } = ids;
    vec![
        row!("shelter.v1.ShelterService" "RecordAbsence", SHELTER, Office, Own("admission_id"),
            { "admission_id": stay, "since": "2026-01-05", "reason": 2 }, Write("since", json!("2026-01-06")),
            [&[("admission_id", Id), ("since", PastDay), ("reason", Word(&[])), ("expected_back_on", AnyDay)]]),
        row!("shelter.v1.ShelterService" "ListMissing", RECEIVING, Office, Nothing, {}, Read, [&[("page", Page)]]),
        row!("shelter.v1.ShelterService" "ReleaseBed", SHELTER, Office, Own("admission_id"),
            { "admission_id": stay, "released_on": "2026-01-25" }, Write("released_on", json!("2026-01-26")),
            [&[("admission_id", Id), ("released_on", PastDay)]]),
        row!("shelter.v1.ShelterService" "RecordContact", SHELTER, Office, Own("admission_id"),
            { "admission_id": stay, "found_on": "2026-01-26", "outcome": 1 }, Write("outcome", json!(2)),
            [&[("admission_id", Id), ("found_on", PastDay), ("outcome", Word(&[]))]]),
        row!("shelter.v1.ShelterService" "RecordReturn", SHELTER, Office, Own("admission_id"),
            { "admission_id": stay, "returned_on": "2026-01-27" }, Write("returned_on", json!("2026-01-28")),
            [&[("admission_id", Id), ("returned_on", PastDay)]]),
    ]
}

fn care(ids: &Ids) -> Vec<Row> {
    let Ids { other, fresh_care_plan, fresh_goal, fresh_review, fresh_session, fresh_market, fresh_training, .. } = ids;
    vec![
        row!("shelter.v1.ShelterService" "AgreeCarePlan", RECEIVING, Office, Own("case_id"),
            { "case_id": other, "plan_id": fresh_care_plan, "agreed_on": "2026-01-07",
              "goals": [{ "goal_id": fresh_goal, "need": 3, "target_on": "2026-06-01" }] },
            Write("agreed_on", json!("2026-01-08")),
            [&[("case_id", Id), ("plan_id", Id), ("agreed_on", PastDay), ("goals", AtMost(50, Entry::Empty)),
               ("goals[0].goal_id", Id), ("goals[0].need", Word(&[])), ("goals[0].target_on", RequiredDay),
               ("goals[0].state", Free)]]),
        row!("shelter.v1.ShelterService" "ReviewCarePlan", RECEIVING, Office, Own("case_id"),
            { "case_id": other, "review_id": fresh_review, "reviewed_on": "2026-02-07",
              "goals": [{ "goal_id": fresh_goal, "state": 2 }], "notes": "She reads by now." },
            Write("reviewed_on", json!("2026-02-08")),
            [&[("case_id", Id), ("review_id", Id), ("reviewed_on", PastDay), ("goals", AtMost(50, Entry::Empty)),
               ("goals[0].goal_id", Id), ("goals[0].state", Word(&[])), ("notes", Text(4_000))]]),
        row!("shelter.v1.ShelterService" "RecordSession", RECEIVING, Office, Own("case_id"),
            { "case_id": other, "session": { "session_id": fresh_session, "kind": 7, "held_on": "2026-01-09",
              "held_by": "rk-91", "responsible_adult": 3 }, "notes": "Told once." },
            Write("session.held_on", json!("2026-01-10")),
            [&[("case_id", Id), ("session", Message), ("session.session_id", Id), ("session.kind", Word(&[])),
               ("session.held_on", PastDay), ("session.held_by", Code(No)),
               ("session.responsible_adult", OptionalWord), ("notes", Text(4_000))]]),
        row!("shelter.v1.ShelterService" "AssessMarket", RECEIVING, Office, Own("case_id"),
            { "case_id": other, "market": { "assessment_id": fresh_market, "trade": "tailoring", "place": "0802",
              "demand": 1, "assessed_on": "2026-01-10" } },
            Write("market.demand", json!(2)),
            [&[("case_id", Id), ("market", Message), ("market.assessment_id", Id), ("market.trade", Code(Yes)),
               ("market.place", Place(Yes)), ("market.demand", Word(&[])), ("market.assessed_on", PastDay),
               ("market.assessed_by", Code(No))]]),
        row!("shelter.v1.ShelterService" "ChooseTraining", RECEIVING, Office, Own("case_id"),
            { "case_id": other, "training": { "training_id": fresh_training, "trade": "tailoring",
              "assessment_id": fresh_market, "chosen_on": "2026-01-11" } },
            Write("training.chosen_on", json!("2026-01-12")),
            [&[("case_id", Id), ("training", Message), ("training.training_id", Id), ("training.trade", Code(Yes)),
               ("training.assessment_id", Id), ("training.chosen_on", PastDay), ("training.person_insists", Free)]]),
        row!("shelter.v1.ShelterService" "GetCare", RECEIVING, Office, Own("case_id"), { "case_id": other }, Read,
            [&[("case_id", Id)]]),
        row!("shelter.v1.ShelterService" "ListCareDue", RECEIVING, Office, Nothing, {}, Read,
            [&[("page", Page), ("within_days", Number(0, 366))]]),
    ]
}

fn homecoming(ids: &Ids) -> Vec<Row> {
    let Ids { other, fresh_tracing, fresh_family, fresh_placement, fresh_reintegration, .. } = ids;
    vec![
        row!("shelter.v1.ShelterService" "RequestTracing", RECEIVING, Office, Own("case_id"),
            { "case_id": other, "offer_id": fresh_tracing, "requested_on": "2026-01-08" },
            Write("requested_on", json!("2026-01-09")),
            [&[("case_id", Id), ("offer_id", Id), ("requested_on", PastDay)]]),
        row!("shelter.v1.ShelterService" "RecordTracingAnswer", RECEIVING, Office, Own("case_id"),
            { "case_id": other, "offer_id": fresh_tracing, "outcome": 1, "answered_on": "2026-01-10" },
            Write("outcome", json!(2)),
            [&[("case_id", Id), ("offer_id", Id), ("outcome", Word(&[])), ("answered_on", PastDay)]]),
        row!("shelter.v1.ShelterService" "ListTracing", RECEIVING, Office, Nothing, {}, Read, [&[("page", Page)]]),
        row!("shelter.v1.ShelterService" "AssessFamily", RECEIVING, Office, Own("case_id"),
            { "case_id": other, "assessment": { "assessment_id": fresh_family, "assessed_on": "2026-01-12",
              "recommendation": 1, "responsible_adult": 4 }, "notes": "A dry house." },
            Write("assessment.assessed_on", json!("2026-01-13")),
            [&[("case_id", Id), ("assessment", Message), ("assessment.assessment_id", Id),
               ("assessment.assessed_on", PastDay), ("assessment.assessed_by", Code(No)),
               ("assessment.recommendation", Word(&[])), ("assessment.risks", Words(Some(20))),
               ("assessment.responsible_adult", OptionalWord), ("notes", Text(4_000))]]),
        row!("shelter.v1.ShelterService" "DecidePlacement", RECEIVING, Office, Own("case_id"),
            { "case_id": other, "placement": { "placement_id": fresh_placement, "option": 2,
              "not_possible": [{ "option": 1, "reason": 3 }], "decided_on": "2026-01-13" } },
            Write("placement.decided_on", json!("2026-01-14")),
            [&[("case_id", Id), ("placement", Message), ("placement.placement_id", Id), ("placement.option", Word(&[])),
               ("placement.not_possible", AtMost(20, Entry::Empty)), ("placement.not_possible[0].option", Word(&[])),
               ("placement.not_possible[0].reason", Word(&[])), ("placement.decided_on", PastDay)]]),
        row!("shelter.v1.ShelterService" "DecideReintegration", RECEIVING, Office, Own("case_id"),
            { "case_id": other, "reintegration": { "decision_id": fresh_reintegration, "decided_on": "2026-01-14",
              "home": 1, "agreed_by": [1, 2] } },
            Write("reintegration.decided_on", json!("2026-01-15")),
            [&[("case_id", Id), ("reintegration", Message), ("reintegration.decision_id", Id),
               ("reintegration.decided_on", PastDay), ("reintegration.home", Word(&[])),
               ("reintegration.agreed_by", Words(Some(20)))]]),
    ]
}

fn exit(ids: &Ids) -> Vec<Row> {
    let Ids { stay, .. } = ids;
    vec![row!("shelter.v1.ShelterService" "ExitResident", SHELTER, Office, Own("admission_id"),
            { "admission_id": stay, "kind": 3, "exited_on": "2026-01-28" }, Write("exited_on", json!("2026-01-29")),
            [&[("admission_id", Id), ("kind", Word(&[])), ("exited_on", PastDay)]])]
}
