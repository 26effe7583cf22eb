//! `spean report`: figures of the network, which never name a person.

use super::{Task, task};

pub(super) const TASKS: &[Task] = &[
    task(
        "report figures",
        "CountFacts",
        "spean report figures arrived --by province,sex --windows from=2026-01-01,to=2026-04-30",
    )
    .at(&["measure"])
    .lists("groups: values tallies; totals: count median_hours ninetieth_hours longest_hours"),
    task("report open", "CountOpen", "spean report open offers --by office")
        .at(&["thing"])
        .lists("groups: value age count"),
    task("report issue", "IssueReport", "spean report issue 2026-1").at(&["period"]),
    task("report list", "ListPeriodReports", "spean report list 2026-1").at(&["period"]),
    task("report publish", "PublishFigures", "spean report publish 2026-1").at(&["period"]).irreversible(),
    task("report published", "GetFigures", "spean report published 2026-1").at(&["period"]),
];
