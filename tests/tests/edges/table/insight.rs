//! Figures.

use super::*;

const COUNTERS: &[Role] = &[Supervisor, Authority];

pub(super) fn rows() -> Vec<Row> {
    vec![
        row!("insight.v1.InsightService" "CountFacts", COUNTERS, Office, Nothing,
            { "measure": 1, "windows": [{ "from": "2026-01-01", "to": "2026-04-30" }], "by": [4] }, Read,
            [&[("measure", Word(&[])), ("windows", AtMost(3, Entry::Window)), ("windows[0].from", RequiredDay),
               ("windows[0].to", RequiredDay), ("by", Words(Some(2)))]]),
        row!("insight.v1.InsightService" "CountOpen", COUNTERS, Office, Nothing, { "thing": 1, "by": 4 }, Read,
            [&[("thing", Word(&[])), ("by", OptionalWord)]]),
        row!("insight.v1.InsightService" "IssueReport", COUNTERS, Office, Nothing, { "period": "2025-3" },
            Write("period", json!("2025-2")), [&[("period", Period(Yes))]]),
        row!("insight.v1.InsightService" "ListPeriodReports", COUNTERS, Office, Nothing, { "period": "2025-3" }, Read,
            [&[("period", Period(No))]]),
        row!("insight.v1.InsightService" "PublishFigures", COUNTERS, Office, Nothing, { "period": "2025-3" },
            Refused(Code::PermissionDenied, "NOT_THE_MINISTRY"), [&[("period", Period(Yes))]]),
        row!("insight.v1.InsightService" "GetFigures", EVERYBODY, Node, Everybody("period", json!("2020-1")),
            { "period": "" }, Refused(Code::NotFound, "NOT_FOUND"), [&[("period", Period(No))]]),
    ]
}
