//! Needs, services that fit, places and waiting lists.

use super::*;

const WISHES: Fields<'static> = &[
    ("preferences.worker_sex", OptionalWord),
    ("preferences.language", ShortCode),
    ("preferences.near_place", Place(No)),
    ("preferences.reach", OptionalWord),
];

pub(super) fn rows(ids: &Ids) -> Vec<Row> {
    let Ids { case, offered, case_need, fresh_need, .. } = ids;
    let wishes = json!({ "worker_sex": 1, "language": "km", "near_place": "1602", "reach": 2 });
    vec![
        row!("referral.v1.NeedService" "OpenNeed", SENDING, Office, Own("case_id"),
            { "need_id": fresh_need, "case_id": case, "need": 6, "urgency": 3, "preferences": wishes,
              "known_since": "2026-01-02" },
            Write("urgency", json!(2)),
            [&[("need_id", Id), ("case_id", Id), ("need", Word(&[])), ("urgency", Word(&[])),
               ("known_since", PastDay)], WISHES]),
        row!("referral.v1.NeedService" "GetNeed", PEOPLE, Office, Own("need_id"), { "need_id": case_need }, Read,
            [&[("need_id", Id)]]),
        row!("referral.v1.NeedService" "ListNeeds", PEOPLE, Office, Nothing, { "case_id": case }, Read,
            [&[("case_id", OptionalId), ("state", OptionalWord), ("unmet_only", Free), ("page", Page)]]),
        row!("referral.v1.NeedService" "ListNeedTasks", PEOPLE, Office, Nothing, {}, Read, [&[("page", Page)]]),
        row!("referral.v1.NeedService" "FindServices", PEOPLE, Office, Nothing,
            { "criteria": { "need": 6, "sex": 1, "age_band": 3, "preferences": wishes } }, Read,
            [&[("need_id", OptionalId), ("criteria", Message), ("criteria.need", Word(&[])),
               ("criteria.sex", OptionalWord), ("criteria.age_band", OptionalWord),
               ("criteria.preferences.worker_sex", OptionalWord), ("criteria.preferences.language", ShortCode),
               ("criteria.preferences.near_place", Place(No)), ("criteria.preferences.reach", OptionalWord)]]),
        row!("referral.v1.NeedService" "ListWaiting", PEOPLE, Office, Nothing, {}, Read,
            [&[("need", OptionalWord), ("page", Page)]]),
        row!("referral.v1.NeedService" "RecordNeedRefused", SENDING, Office, Own("need_id"),
            { "need_id": case_need, "reasons": [1, 2], "refused_on": "2026-01-05" },
            Write("refused_on", json!("2026-01-06")),
            [&[("need_id", Id), ("provider_office_id", Code(No)), ("reasons", Words(Some(9))),
               ("refused_on", PastDay)]]),
        row!("referral.v1.NeedService" "ReopenNeed", SENDING, Office, Own("need_id"),
            { "need_id": case_need }, Write("provider_office_id", json!("dsvy-kandal")),
            [&[("need_id", Id), ("provider_office_id", Code(No))]]),
        row!("referral.v1.NeedService" "MarkNeedUnmet", SENDING, Office, Own("need_id"),
            { "need_id": case_need, "reason": 3 }, Write("reason", json!(2)),
            [&[("need_id", Id), ("reason", OptionalWord)]]),
        row!("referral.v1.NeedService" "RecordNeedMet", SENDING, Office, Own("need_id"),
            { "need_id": case_need, "outcome": 1, "met_on": "2026-01-07" }, Write("met_on", json!("2026-01-08")),
            [&[("need_id", Id), ("outcome", Word(&[3, 4, 5])), ("met_on", PastDay)]]),
        row!("referral.v1.NeedService" "WithdrawNeed", SENDING, Office, Own("need_id"),
            { "need_id": fresh_need }, Write("need_id", json!(case_need)), [&[("need_id", Id)]]),
        row!("referral.v1.NeedService" "LeaveWaitingList", PEOPLE, Office, Own("offer_id"),
            { "offer_id": offered, "reason": 3 }, Refused(Code::FailedPrecondition, "NOBODY_WAITS"),
            [&[("offer_id", Id), ("reason", Word(&[1, 6]))]]),
        row!("referral.v1.NeedService" "CountUnmetNeeds", EVERYBODY, Node, Nothing,
            { "from": "2026-01-01", "to": "2026-12-31", "place": "16" }, Read,
            [&[("from", AnyDay), ("to", AnyDay), ("place", Place(No))]]),
    ]
}
