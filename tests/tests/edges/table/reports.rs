//! Reports, and news of cases.

use super::*;

const REPORTING: &[Role] = &[Caseworker, Supervisor, IntakeOfficer, ShelterManager, Role::Reporter];

pub(super) fn rows(ids: &Ids) -> Vec<Row> {
    let Ids { case, other, report, reference, doubtful, misplaced, fresh_report, .. } = ids;
    let nothing = spean_vocabulary::CaseNumber::draw("ZZ".parse().unwrap(), [9; 5]).to_string();
    vec![
        row!("referral.v1.ReportService" "SubmitReport", REPORTING, Office, Nothing,
            { "report_id": fresh_report, "channel": 3, "place": "16", "concerns": [1, 7], "urgency": 2, "people": 2,
              "sex": 1, "age_band": 3, "seen_on": "2026-01-02", "words": "Two girls and a man who does not know them.",
              "reporter": { "name": "Kumru Tola", "telephone": "+855 99 000 417", "safe_contact": "not at home" } },
            Write("people", json!(3)),
            [&[("report_id", Id), ("channel", Word(&[])), ("place", Place(Yes)), ("concerns", Words(Some(10))),
               ("urgency", Word(&[])), ("people", Number(0, 1_000)), ("sex", OptionalWord), ("age_band", OptionalWord),
               ("seen_on", PastDay), ("words", Text(4_000)), ("reporter.name", Text(100)),
               ("reporter.telephone", Text(40)), ("reporter.safe_contact", Text(500))]]),
        row!("referral.v1.ReportService" "GetReportStatus", REPORTING, Office, Everybody("reference", json!(nothing)),
            { "reference": reference }, Read, [&[("reference", IdOrNumber)]]),
        row!("referral.v1.ReportService" "GetReport", CASEWORK, Office, Own("report_id"),
            { "report_id": report, "purpose": "" }, Read, [&[("report_id", Id), ("purpose", Text(200))]]),
        row!("referral.v1.ReportService" "ListReports", CASEWORK, Office, Nothing, {}, Read,
            [&[("list", OptionalWord), ("state", OptionalWord), ("older_than_hours", Number(0, 87_840)),
               ("page", Page)]]),
        row!("referral.v1.ReportService" "TakeUpReport", CASEWORK, Office, Own("report_id"),
            { "report_id": report }, Write("report_id", json!(misplaced)), [&[("report_id", Id)]]),
        row!("referral.v1.ReportService" "LinkReportToCase", CASEWORK, Office, Own("report_id"),
            { "report_id": report, "case_id": case }, Write("case_id", json!(other)),
            [&[("report_id", Id), ("case_id", Id)]]),
        row!("referral.v1.ReportService" "PassOnReport", CASEWORK, Office, Own("report_id"),
            { "report_id": misplaced, "to_office_id": "dsvy-kandal" }, Write("to_office_id", json!("osvy-saang")),
            [&[("report_id", Id), ("to_office_id", Code(No))]]),
        row!("referral.v1.ReportService" "FindReportUnfounded", CASEWORK, Office, Own("report_id"),
            { "report_id": doubtful, "reason": 1 }, Write("reason", json!(2)),
            [&[("report_id", Id), ("reason", Word(&[]))]]),
        row!("referral.v1.ReportService" "CloseReport", CASEWORK, Office, Own("report_id"),
            { "report_id": report, "reason": 2 }, Write("reason", json!(4)),
            [&[("report_id", Id), ("reason", Word(&[]))]]),
        row!("referral.v1.ReportService" "ReadReporter", &[Supervisor], Office, Own("report_id"),
            { "report_id": report, "purpose": "to ask where the house stands" }, Done,
            [&[("report_id", Id), ("purpose", RequiredText(200))]]),
        row!("referral.v1.ReportService" "EraseReporter", &[Supervisor], Office, Own("report_id"),
            { "report_id": report, "ground": "REQUEST_OF_PERSON" }, Write("ground", json!("RETENTION_ENDED")),
            [&[("report_id", Id), ("ground", RequiredText(60))]]),
        row!("referral.v1.ReportService" "ListProgress", PEOPLE, Office, Own("case_id"), { "case_id": case }, Read,
            [&[("case_id", Id), ("page", Page)]]),
        row!("referral.v1.ReportService" "ListNews", PEOPLE, Office, Nothing, {}, Read,
            [&[("include_read", Free), ("page", Page)]]),
        // That the case was linked with another is news.
        row!("referral.v1.ReportService" "AcknowledgeNews", PEOPLE, Office, Own("case_id"),
            { "case_id": case, "up_to_number": 1 }, Write("up_to_number", json!(2)),
            [&[("case_id", Id), ("up_to_number", Number(1, 100_000))]]),
    ]
}
