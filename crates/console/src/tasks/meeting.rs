//! `spean meeting`: the coordination meeting of a province.

use super::{Task, task};

pub(super) const TASKS: &[Task] = &[
    task("meeting agenda", "ListAgenda", "spean meeting agenda").lists("items: case_number|case_id office_id topics since age_days"),
    task("meeting list", "ListMeetings", "spean meeting list")
        .lists("meetings: meeting_id planned_on held_on quorum cases undecided signed_at"),
    task("meeting show", "GetMeeting", "spean meeting show 7b0c1a2e")
        .at(&["meeting_id"])
        .lists("cases: case_number|case_id office_id topics decision state refusal"),
    task("meeting convene", "ConveneMeeting", "spean meeting convene 2026-12-10").at(&["planned_on"]).mint(&["meeting_id"]),
    task("meeting refresh", "RefreshAgenda", "spean meeting refresh 7b0c1a2e").at(&["meeting_id"]),
    task(
        "meeting attendance",
        "RecordAttendance",
        "spean meeting attendance 7b0c1a2e --office-ids kandal-province,kien-svay-district --guests kind=police,count=1",
    )
    .at(&["meeting_id"])
    .today(&["held_on"]),
    task(
        "meeting decide",
        "DecideCase",
        "spean meeting decide 7b0c1a2e PT4K-79QX extend --extend-reason needs-open --months 6",
    )
    .at(&["meeting_id", "case_id", "decision"])
    .mint(&["decision_id"]),
    task("meeting sign", "SignMinutes", "spean meeting sign 7b0c1a2e").at(&["meeting_id"]).irreversible(),
    task("meeting mandates", "ListMandates", "spean meeting mandates").lists(
        "mandates: case_number|case_id decision transfer_to_office_id state refusal decided_on age_days",
    ),
];
