//! `spean shelter`: residents, their care, and the way home.

use super::{Task, task};

pub(super) const TASKS: &[Task] = &[
    task(
        "shelter capacity declare",
        "DeclareCapacity",
        "spean shelter capacity declare --places sex=female,capacity_persons=8",
    ),
    task("shelter capacity show", "GetCapacity", "spean shelter capacity show")
        .lists("places: sex children capacity_persons occupied_persons"),
    task("shelter admit", "AdmitResident", "spean shelter admit PT4K-79QX --bed B4")
        .at(&["case_id"])
        .mint(&["admission_id"])
        .today(&["admitted_on"]),
    task("shelter exit", "ExitResident", "spean shelter exit PT4K-79QX reintegrated")
        .at(&["admission_id", "kind"])
        .today(&["exited_on"]),
    task("shelter residents", "ListResidents", "spean shelter residents")
        .lists("residents: case_number|case_id admission_id admitted_on bed away_since exited_on exit"),
    task("shelter bed", "AssignBed", "spean shelter bed PT4K-79QX B7").at(&["admission_id", "bed"]),
    task("shelter absent", "RecordAbsence", "spean shelter absent PT4K-79QX --reason unknown")
        .at(&["admission_id"])
        .today(&["since"]),
    task("shelter back", "RecordReturn", "spean shelter back PT4K-79QX").at(&["admission_id"]).today(&["returned_on"]),
    task("shelter release-bed", "ReleaseBed", "spean shelter release-bed PT4K-79QX")
        .at(&["admission_id"])
        .today(&["released_on"]),
    task("shelter contact", "RecordContact", "spean shelter contact PT4K-79QX with-family")
        .at(&["admission_id", "outcome"])
        .today(&["found_on"]),
    task("shelter missing", "ListMissing", "spean shelter missing").lists(
        "missing: case_number|case_id admission_id since age_days reason contact_lost seen_by_office_id seen_on",
    ),
    task(
        "shelter plan agree",
        "AgreeCarePlan",
        "spean shelter plan agree PT4K-79QX --goals need=counselling,target_on=2027-01-31,state=not-begun",
    )
    .at(&["case_id"])
    .mint(&["plan_id", "goals.goal_id"])
    .today(&["agreed_on"]),
    task(
        "shelter plan review",
        "ReviewCarePlan",
        "spean shelter plan review PT4K-79QX --goals goal_id=5d1e2f30-0000-4000-8000-000000000001,state=reached",
    )
    .at(&["case_id"])
    .mint(&["review_id"])
    .today(&["reviewed_on"]),
    task("shelter session", "RecordSession", "spean shelter session PT4K-79QX counselling --held-by t-01")
        .at(&["case_id", "kind"])
        .mint(&["session.session_id"])
        .today(&["session.held_on"]),
    task("shelter market", "AssessMarket", "spean shelter market PT4K-79QX --trade sewing --place 0802 --demand yes")
        .at(&["case_id"])
        .mint(&["market.assessment_id"])
        .today(&["market.assessed_on"]),
    task("shelter training", "ChooseTraining", "spean shelter training PT4K-79QX --trade sewing")
        .at(&["case_id"])
        .mint(&["training.training_id"])
        .today(&["training.chosen_on"]),
    task("shelter care", "GetCare", "spean shelter care PT4K-79QX").at(&["case_id"]),
    task("shelter due", "ListCareDue", "spean shelter due --within-days 14")
        .lists("due: case_number|case_id kind due_on overdue_days"),
    task("shelter tracing request", "RequestTracing", "spean shelter tracing request PT4K-79QX 7b0c1a2e")
        .at(&["case_id", "offer_id"])
        .today(&["requested_on"]),
    task("shelter tracing answer", "RecordTracingAnswer", "spean shelter tracing answer PT4K-79QX 7b0c1a2e found")
        .at(&["case_id", "offer_id", "outcome"])
        .today(&["answered_on"]),
    task("shelter tracing list", "ListTracing", "spean shelter tracing list")
        .lists("tracings: case_number|case_id offer_id step since due_on overdue_days"),
    task(
        "shelter family",
        "AssessFamily",
        "spean shelter family PT4K-79QX return --assessed-by t-01 --responsible-adult social-worker",
    )
    .at(&["case_id", "recommendation"])
    .mint(&["assessment.assessment_id"])
    .today(&["assessment.assessed_on"]),
    task(
        "shelter placement",
        "DecidePlacement",
        "spean shelter placement PT4K-79QX kin-or-foster --not-possible option=reunification,reason=not-safe",
    )
    .at(&["case_id", "option"])
    .mint(&["placement.placement_id"])
    .today(&["placement.decided_on"]),
    task("shelter reintegrate", "DecideReintegration", "spean shelter reintegrate PT4K-79QX family --agreed-by person")
        .at(&["case_id", "home"])
        .mint(&["reintegration.decision_id"])
        .today(&["reintegration.decided_on"]),
];
