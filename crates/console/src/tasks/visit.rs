//! `spean visit`: people who are home again — visits, dangers, lost contacts, money, help, and who does the work.

use super::{Task, task};

const DUE: &str = "visits: case_number|case_id number due_on overdue_days worker with_office_ids extra unreported";
const OUTCOMES: &str =
    "outcomes: case_number|case_id support_id kind given_on after_months due_on overdue_days outcome";

pub(super) const TASKS: &[Task] = &[
    task("visit due", "ListDueVisits", "spean visit due --within-days 14").lists(DUE),
    task("visit overdue", "ListDueVisits", "spean visit overdue").lists(DUE).only("overdue_days"),
    task("visit list", "ListVisits", "spean visit list PT4K-79QX").at(&["case_id"]).lists(
        "visits: number due_on visited_on outcome overdue_days next_on worker; \
         reports: number visited_on outcome place responsible_adult present findings office_id staff",
    ),
    task("visit plan", "PlanFollowUp", "spean visit plan PT4K-79QX --reintegrated-on 2026-11-20")
        .at(&["case_id"])
        .today(&["reintegrated_on"])
        .lists("visits: number due_on"),
    task(
        "visit record",
        "RecordVisit",
        "spean visit record PT4K-79QX 1 --outcome met --place home --responsible-adult-function grandparent \
         --finding-codes school,food",
    )
    .at(&["case_id", "number"])
    .mint(&["visit_id", "needs.need_id"])
    .today(&["visited_on"]),
    task("visit reschedule", "RescheduleVisit", "spean visit reschedule PT4K-79QX 2 2026-12-05 --reason road-closed")
        .at(&["case_id", "number", "due_on"]),
    task("visit add", "AddVisit", "spean visit add PT4K-79QX 9 2026-12-05 --reason danger")
        .at(&["case_id", "number", "due_on"]),
    task("visit informal", "RecordInformalVisit", "spean visit informal PT4K-79QX --finding-codes well")
        .at(&["case_id"])
        .mint(&["visit_id"])
        .today(&["visited_on"]),
    task("visit moved", "RecordMove", "spean visit moved PT4K-79QX 020103")
        .at(&["case_id", "place"])
        .today(&["moved_on"]),
    task("visit close", "CloseFollowUp", "spean visit close PT4K-79QX").at(&["case_id"]),
    task("visit reopen", "ReopenFollowUp", "spean visit reopen PT4K-79QX --reason new-danger")
        .at(&["case_id"])
        .today(&["reopened_on"]),
    task("visit cases", "ListFollowUps", "spean visit cases --state open")
        .lists("follow_ups: case_number|case_id state since visits visits_open next_due_on worker handed_to_office_id"),
    task(
        "visit danger raise",
        "RaiseDanger",
        "spean visit danger raise PT4K-79QX --signs offender-near --urgency emergency",
    )
    .at(&["case_id"])
    .mint(&["danger_id"])
    .today(&["found_on"]),
    task(
        "visit danger plan",
        "RecordSafetyPlan",
        "spean visit danger plan 7b0c1a2e --review-on 2026-12-01 --personal plan.toml",
    )
    .at(&["danger_id"])
    .today(&["made_on"]),
    task("visit danger assess", "AssessDanger", "spean visit danger assess 7b0c1a2e --is-over")
        .at(&["danger_id"])
        .today(&["assessed_on"]),
    task("visit danger list", "ListDangers", "spean visit danger list")
        .lists("dangers: danger_id case_number signs urgency found_on plan_due_at plan_overdue review_on ended_on"),
    task("visit lost record", "RecordContactLost", "spean visit lost record PT4K-79QX --reason left-without-word")
        .at(&["case_id"])
        .today(&["lost_on"]),
    task("visit lost search", "RecordSearchStep", "spean visit lost search PT4K-79QX village-chief-asked")
        .at(&["case_id", "action"])
        .mint(&["step_id"])
        .today(&["done_on"]),
    task("visit lost found", "RecordFound", "spean visit lost found PT4K-79QX at-home")
        .at(&["case_id", "place"])
        .today(&["found_on"]),
    task("visit lost list", "ListLostContacts", "spean visit lost list").lists(
        "contacts: case_number|case_id lost_on reason age_days steps last_action to_meeting seen_by_office_id seen_on",
    ),
    task(
        "visit whereabouts",
        "ReportWhereabouts",
        "spean visit whereabouts PT4K-79QX in-shelter --from-day 2026-11-18",
    )
    .at(&["case_id", "whereabouts"])
    .today(&["from_day"]),
    task("visit contradiction list", "ListContradictions", "spean visit contradiction list").lists(
        "contradictions: visit_id case_number visited_by_office_id visited_on seen_by_office_id whereabouts seen_on",
    ),
    task(
        "visit contradiction resolve",
        "ResolveContradiction",
        "spean visit contradiction resolve 5d1e2f30-0000-4000-8000-000000000001 day-wrong",
    )
    .at(&["visit_id", "resolution"]),
    task("visit fund balance", "GetFund", "spean visit fund balance"),
    task("visit fund list", "ListPayments", "spean visit fund list")
        .lists("payments: payment_id purpose money state office_id requested_by due_on overdue_days"),
    task("visit fund pay-in", "PayIn", "spean visit fund pay-in --currency khr --amount 4000000")
        .mint(&["payment_id"])
        .today(&["paid_in_on"]),
    task(
        "visit fund request",
        "RequestPayment",
        "spean visit fund request --purpose visit-fuel --currency khr --amount 40000 --fund-office-id kandal-province",
    )
    .mint(&["payment_id"]),
    task("visit fund approve", "ApprovePayment", "spean visit fund approve 7b0c1a2e").at(&["payment_id"]),
    task("visit fund refuse", "RefusePayment", "spean visit fund refuse 7b0c1a2e --reason fund-empty")
        .at(&["payment_id"]),
    task("visit fund pay", "RecordPayment", "spean visit fund pay 7b0c1a2e").at(&["payment_id"]).today(&["paid_on"]),
    task("visit fund receipt", "RecordReceipt", "spean visit fund receipt 7b0c1a2e --spent 38000")
        .at(&["payment_id"])
        .today(&["receipt_on"]),
    task("visit support record", "RecordSupport", "spean visit support record PT4K-79QX grant")
        .at(&["case_id", "kind"])
        .mint(&["support_id"])
        .today(&["given_on"]),
    task(
        "visit support outcome",
        "RecordSupportOutcome",
        "spean visit support outcome 7b0c1a2e --after-months 3 --outcome goes-well",
    )
    .at(&["support_id"])
    .today(&["seen_on"]),
    task("visit support list", "ListSupport", "spean visit support list PT4K-79QX").at(&["case_id"]).lists(OUTCOMES),
    task("visit support due", "ListDueOutcomes", "spean visit support due").lists(OUTCOMES),
    task("visit worker assign", "AssignWorker", "spean visit worker assign PT4K-79QX t-01").at(&["case_id", "worker"]),
    task("visit worker load", "GetCaseload", "spean visit worker load").lists(
        "caseloads: worker open_cases overdue_visits unreported_visits incomplete_cases open_dangers lost_contacts",
    ),
    task("visit worker hand-over", "HandOverPost", "spean visit worker hand-over t-01 t-02")
        .at(&["from_worker", "to_worker"])
        .mint(&["handover_id"])
        .today(&["handed_over_on"])
        .lists("items: handover_id duty item_id"),
    task("visit worker handed-over", "ListHandedOver", "spean visit worker handed-over")
        .lists("items: handover_id duty item_id from_worker to_worker handed_over_on age_days"),
    task(
        "visit worker acknowledge",
        "AcknowledgeHandedOver",
        "spean visit worker acknowledge 5d1e2f30-0000-4000-8000-000000000001 case \
         5d1e2f30-0000-4000-8000-000000000002",
    )
    .at(&["handover_id", "duty", "item_id"]),
    task(
        "visit supervision record",
        "RecordSupervision",
        "spean visit supervision record kien-svay-district --points check=files,result=good",
    )
    .at(&["office_id"])
    .mint(&["supervision_id"])
    .today(&["visited_on"]),
    task(
        "visit supervision outcome",
        "RecordSupervisionOutcome",
        "spean visit supervision outcome 7b0c1a2e files good",
    )
    .at(&["supervision_id", "check", "result"])
    .today(&["seen_on"]),
    task("visit supervision list", "ListSupervision", "spean visit supervision list --open-only")
        .lists("entries: supervision_id office_id visited_on check result mend_by outcome overdue_days"),
];
