//! `spean case`: the register of an office.

use super::{Task, task};

pub(super) const TASKS: &[Task] = &[
    task(
        "case register",
        "RegisterPerson",
        "spean case register --sex female --birth-year 2004 --home-place 080201 --personal person.toml",
    )
    .mint(&["case_id"])
    .lists("candidates: case_number|case_id score reasons"),
    task("case show", "GetCase", "spean case show PT4K-79QX --purpose 'visit on Monday'").at(&["case_id"]),
    task("case list", "ListCases", "spean case list --held-only")
        .lists("cases: case_number|case_id standing sex age_band home_place registered_on missing"),
    task("case held", "ListHeldCases", "spean case held")
        .lists("cases: case_number|case_id since transfer_open term epoch"),
    task("case search", "SearchPeople", "spean case search --birth-year 2004 --purpose 'walk-in' --personal -")
        .lists("candidates: case_number|case_id score reasons"),
    task("case amend", "AmendPerson", "spean case amend PT4K-79QX --home-place 080203").at(&["case_id"]),
    task(
        "case consent give",
        "RecordConsent",
        "spean case consent give PT4K-79QX --basis person --parts identity,contact --office-ids kandal-province",
    )
    .at(&["case_id"])
    .mint(&["consent.consent_id"])
    .today(&["consent.given_on"]),
    task(
        "case consent withdraw",
        "WithdrawConsent",
        "spean case consent withdraw PT4K-79QX 5d1e2f30-0000-4000-8000-000000000001",
    )
    .at(&["case_id", "consent_id"])
    .today(&["withdrawn_on"]),
    task("case duplicates", "ListPossibleDuplicates", "spean case duplicates").lists(
        "pairs: case_number|case_id other.case_number|other.case_id=other_case_id other.score other.reasons found_at",
    ),
    task("case rule-out", "RuleOutDuplicate", "spean case rule-out PT4K-79QX PT7B-22MD")
        .at(&["case_id", "other_case_id"])
        .today(&["ruled_out_on"]),
    task("case link", "LinkCases", "spean case link PT4K-79QX PT7B-22MD")
        .at(&["case_id", "other_case_id"])
        .today(&["linked_on"]),
    task("case unlink", "UnlinkCases", "spean case unlink PT4K-79QX PT7B-22MD")
        .at(&["case_id", "other_case_id"])
        .today(&["unlinked_on"]),
    task("case merge", "MergeCases", "spean case merge PT4K-79QX PT7B-22MD")
        .at(&["case_id", "into_case_id"])
        .today(&["merged_on"]),
    task("case unmerge", "UnmergeCases", "spean case unmerge PT4K-79QX").at(&["case_id"]).today(&["unmerged_on"]),
    task("case seen-again list", "ListPeopleSeenAgain", "spean case seen-again list")
        .lists("entries: case_number|case_id seen.seen_by_office_id seen.seen_on seen.other_case_id told_at"),
    task("case seen-again acknowledge", "AcknowledgeSeenAgain", "spean case seen-again acknowledge PT4K-79QX 7b0c1a2e")
        .at(&["case_id", "other_case_id"]),
    task("case needs", "RecordCaseNeeds", "spean case needs PT4K-79QX shelter,medical").at(&["case_id", "needs"]),
    task("case risk raise", "RaiseRisk", "spean case risk raise PT4K-79QX --kind exploiter-near --severity acute")
        .at(&["case_id"])
        .mint(&["risk_id"]),
    task("case risk lower", "LowerRisk", "spean case risk lower PT4K-79QX 9f3a51c0").at(&["case_id", "risk_id"]),
    task("case risk list", "ListRaisedRisks", "spean case risk list")
        .lists("risks: case_number|case_id risk.risk_id risk.kind risk.severity risk.raised_on"),
    task(
        "case fact record",
        "RecordFact",
        "spean case fact record PT4K-79QX --acts recruitment --means deception --countries TH",
    )
    .at(&["case_id"])
    .mint(&["fact.fact_id"]),
    task(
        "case fact retract",
        "RetractFact",
        "spean case fact retract PT4K-79QX 5d1e2f30-0000-4000-8000-000000000001 --reason other-person",
    )
    .at(&["case_id", "fact_id"]),
    task(
        "case conclude",
        "RecordConclusion",
        "spean case conclude PT4K-79QX --finding trafficked --concluded-by police",
    )
    .at(&["case_id"])
    .mint(&["conclusion.conclusion_id"])
    .today(&["conclusion.concluded_on"]),
    task("case checklist", "ListIncompleteFiles", "spean case checklist --missing-for-days 7")
        .lists("files: case_number|case_id missing"),
    task("case waive", "WaiveFileItem", "spean case waive PT4K-79QX photograph --reason person-declined")
        .at(&["case_id", "item"]),
    task("case history", "GetCaseHistory", "spean case history PT4K-79QX")
        .at(&["case_id"])
        .lists("holders: office_id held_from held_until; entries: occurred_on what detail office_id staff"),
    task("case holder", "GetCustody", "spean case holder PT4K-79QX")
        .at(&["case_id"])
        .lists("chain: term epoch holder_office_id issued_by_office_id issued_at legal_basis"),
    task("case returned", "CompleteReturn", "spean case returned PT4K-79QX").at(&["case_id"]).today(&["returned_on"]),
    task("case attach", "AddAttachment", "spean case attach PT4K-79QX passport.pdf --kind identity-paper")
        .at(&["case_id", "content"])
        .mint(&["attachment_id"]),
    task("case attachments", "ListAttachments", "spean case attachments PT4K-79QX")
        .at(&["case_id"])
        .lists("attachments: attachment_id kind media_type size_bytes made_on"),
    task(
        "case read-attachment",
        "ReadAttachment",
        "spean case read-attachment PT4K-79QX 5d1e2f30-0000-4000-8000-000000000001 --purpose court --output paper.pdf",
    )
    .at(&["case_id", "attachment_id"]),
    task(
        "case detach",
        "RemoveAttachment",
        "spean case detach PT4K-79QX 5d1e2f30-0000-4000-8000-000000000001 --reason recorded-by-mistake",
    )
    .at(&["case_id", "attachment_id"]),
    task("case erase", "ErasePerson", "spean case erase PT4K-79QX --ground 'asked in writing on 2026-11-20'")
        .at(&["case_id"])
        .irreversible(),
];
