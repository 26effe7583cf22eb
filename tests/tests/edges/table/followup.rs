//! Follow-up.

use super::*;

pub(super) fn rows(ids: &Ids) -> Vec<Row> {
    let Ids { case, other, visit, .. } = ids;
    vec![
        row!("followup.v1.FollowupService" "PlanFollowUp", CASEWORK, Office, Own("case_id"),
            { "case_id": case, "reintegrated_on": "2026-01-05" }, Write("reintegrated_on", json!("2026-01-06")),
            [&[("case_id", Id), ("reintegrated_on", PastDay)]]),
        row!("followup.v1.FollowupService" "RecordVisit", CASEWORK, Office, Own("case_id"),
            { "visit_id": visit, "case_id": other, "number": 1, "visited_on": "2026-02-05", "outcome": 1,
              "responsible_adult": "aunt", "findings": "Well, and at school." },
            Write("visited_on", json!("2026-02-06")),
            [&[("visit_id", Id), ("case_id", Id), ("number", Number(1, 12)), ("visited_on", PastDay),
               ("outcome", Word(&[])), ("responsible_adult", Text(60)), ("findings", Text(4_000))]]),
        row!("followup.v1.FollowupService" "ListVisits", CASEWORK, Office, Own("case_id"), { "case_id": other }, Read,
            [&[("case_id", Id)]]),
        row!("followup.v1.FollowupService" "ListDueVisits", CASEWORK, Office, Nothing, {}, Read,
            [&[("page", Page), ("within_days", Number(0, 366))]]),
    ]
}
