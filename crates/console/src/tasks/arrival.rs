//! `spean arrival`: people who come back, and what the country asked for on their behalf.

use super::{Task, task};

pub(super) const TASKS: &[Task] = &[
    task(
        "arrival register",
        "RegisterArrival",
        "spean arrival register --route deportation --from-country TH --sex male --birth-year 1999 --personal -",
    )
    .mint(&["arrival_id"])
    .lists("known: case_number|case_id reasons"),
    // Shown with a bar while it goes on; see the module `manifest`.
    task(
        "arrival import",
        "ImportManifest",
        "spean arrival import list.csv --route deportation --from-country TH --preview",
    )
    .at(&["csv"])
    .mint(&["manifest_id"])
    .lists("verdicts: line accepted reason column same_as_line missing notes known_case_ids"),
    task("arrival manifest", "GetManifest", "spean arrival manifest 5d1e2f30-0000-4000-8000-000000000001")
        .at(&["manifest_id"])
        .lists("verdicts: line accepted reason column same_as_line missing notes known_case_ids"),
    task("arrival list", "ListArrivals", "spean arrival list --present-only").lists(
        "arrivals: case_number|arrival_id arrived_on sex age_band needs nights bed accepted_by_office_id departure",
    ),
    task("arrival show", "GetArrival", "spean arrival show PT4K-79QX").at(&["arrival_id"]),
    task("arrival waiting", "ListWaitingArrivals", "spean arrival waiting")
        .lists("arrivals: case_number|arrival_id arrived_on age_days sex age_band home_place unaccepted_offers"),
    task(
        "arrival needs",
        "RecordNeeds",
        "spean arrival needs PT4K-79QX --needs shelter,medical --urgent-needs medical --function social-worker",
    )
    .at(&["arrival_id"]),
    task("arrival urgent", "ListUrgentNeeds", "spean arrival urgent")
        .lists("needs: arrival_id need age_hours since sex age_band state"),
    task("arrival served", "RecordNeedServed", "spean arrival served PT4K-79QX medical --by health-facility")
        .at(&["arrival_id", "need"])
        .today(&["served_on"]),
    task(
        "arrival bed declare",
        "DeclareCentreBeds",
        "spean arrival bed declare --beds group=women,places=12 --beds group=men,places=20",
    ),
    task("arrival bed assign", "AssignCentreBed", "spean arrival bed assign PT4K-79QX women")
        .at(&["arrival_id", "group"]),
    task("arrival bed show", "GetCentreOccupancy", "spean arrival bed show")
        .lists("groups: group places occupied over_capacity"),
    task("arrival stay", "RecordStay", "spean arrival stay PT4K-79QX").at(&["arrival_id"]).today(&["night_of"]),
    task(
        "arrival depart",
        "RecordDeparture",
        "spean arrival depart PT4K-79QX handed-over --to-office-id kandal-province",
    )
    .at(&["arrival_id", "kind"])
    .today(&["departed_on"]),
    task("arrival same-person", "ConfirmSamePerson", "spean arrival same-person PT4K-79QX PT7B-22MD")
        .at(&["arrival_id", "other_case_id"])
        .today(&["confirmed_on"]),
    task("arrival reconcile", "ReconcileArrivals", "spean arrival reconcile --from 2026-11-01 --to 2026-11-30")
        .lists("days: arrived_on route arrived present handed_over own_will missing"),
    task(
        "arrival request open",
        "OpenRepatriationRequest",
        "spean arrival request open --direction to-here --country TH --function repatriation-officer --staff-id t-01 \
         --person-ids 5d1e2f30-0000-4000-8000-000000000001",
    )
    .mint(&["request_id"]),
    task("arrival request list", "ListRepatriationRequests", "spean arrival request list --view late")
        .lists("requests: request_id direction country step owner.function since age_days due_on people received"),
    task("arrival request show", "GetRepatriationRequest", "spean arrival request show 9f3a51c0")
        .at(&["request_id"])
        .lists(
            "people: person_id state reason on; steps: step state owner.function owner.staff_id since due_on closed_on",
        ),
    task("arrival request step", "CompleteRepatriationStep", "spean arrival request step 9f3a51c0 documents")
        .at(&["request_id", "step"])
        .today(&["done_on"]),
    task("arrival request approve", "ApproveRepatriation", "spean arrival request approve 9f3a51c0 approval-here")
        .at(&["request_id", "step"])
        .today(&["approved_on"]),
    task(
        "arrival request travel",
        "ArrangeTravel",
        "spean arrival request travel 9f3a51c0 --travels-on 2026-12-01 --means road --escort social-worker",
    )
    .at(&["request_id"])
    .today(&["arranged_on"]),
    task(
        "arrival request receive",
        "RecordReception",
        "spean arrival request receive 9f3a51c0 5d1e2f30-0000-4000-8000-000000000001",
    )
    .at(&["request_id", "person_id"])
    .today(&["received_on"]),
    task(
        "arrival request skip",
        "SkipRepatriationStep",
        "spean arrival request skip 9f3a51c0 family --reason not-required",
    )
    .at(&["request_id", "step"])
    .today(&["skipped_on"]),
    task("arrival request end", "EndRepatriation", "spean arrival request end 9f3a51c0 --reason person-declined")
        .at(&["request_id"])
        .today(&["ended_on"]),
    task(
        "arrival request delegate",
        "DelegateStep",
        "spean arrival request delegate 9f3a51c0 travel --function supervisor --staff-id s-02 --reason staff-away",
    )
    .at(&["request_id", "step"])
    .today(&["delegated_on"]),
    task(
        "arrival request succeed",
        "SucceedOwner",
        "spean arrival request succeed t-01 --function repatriation-officer --staff-id t-02 --reason staff-left",
    )
    .at(&["from_staff_id"])
    .today(&["delegated_on"]),
];
