//! The register.

use super::*;

pub(super) fn rows(ids: &Ids) -> Vec<Row> {
    [register(ids), judgements(ids), knowledge(ids), papers(ids), ends(ids)].into_iter().flatten().collect()
}

fn register(ids: &Ids) -> Vec<Row> {
    let Ids { case, other, fresh_case, consent, fresh_consent, .. } = ids;
    vec![
        row!("cases.v1.CasesService" "RegisterPerson", SENDING, Office, Nothing,
            { "case_id": fresh_case, "person": person("Dara"), "registered_on": "2026-01-02" },
            Write("case_id", json!(ids.unused)),
            [&[("case_id", Id), ("registered_on", PastDay)], PERSON]),
        row!("cases.v1.CasesService" "AmendPerson", SENDING, Office, Own("case_id"),
            { "case_id": case, "person": person("Sita") }, Write("person.home_place", json!("0803")),
            [&[("case_id", Id)], PERSON]),
        row!("cases.v1.CasesService" "GetCase", PEOPLE, Office, Own("case_id"),
            { "case_id": case, "purpose": "" }, Read,
            [&[("case_id", IdOrNumber), ("purpose", Text(200))]]),
        row!("cases.v1.CasesService" "ListCases", PEOPLE, Office, Nothing, {}, Read,
            [&[("page", Page), ("held_only", Free)]]),
        row!("cases.v1.CasesService" "SearchPeople", SENDING, Office, Nothing,
            { "person": person("Nobody"), "purpose": "a knock at the door" }, Done,
            [&[("purpose", RequiredText(200))], PERSON]),
        row!("cases.v1.CasesService" "RecordConsent", SENDING, Office, Own("case_id"),
            { "case_id": case, "consent": {
                "consent_id": fresh_consent, "basis": 3, "parts": [1], "office_ids": ["dsvy-kandal"], "purposes": [1],
                "given_on": "2026-01-02", "decision": {
                    "decided_on": "2026-01-01", "decided_by": "dsvy-ratanak-kiri", "deciders": [1, 2] } } },
            Write("consent.given_on", json!("2026-01-03")),
            [&[("case_id", Id), ("consent", Message), ("consent.consent_id", Id), ("consent.basis", Word(&[])),
               ("consent.parts", Words(Some(100))), ("consent.office_ids", AtMost(100, Entry::Office)),
               ("consent.office_ids[0]", Code(Yes)), ("consent.purposes", Words(Some(100))),
               ("consent.given_on", PastDay), ("consent.withdrawn_on", NotForRequests),
               ("consent.given_by", OptionalWord), ("consent.decision.decided_on", BirthDay),
               ("consent.decision.decided_by", Code(Yes)), ("consent.decision.deciders", Words(Some(20)))]]),
        row!("cases.v1.CasesService" "WithdrawConsent", PEOPLE, Office, Own("case_id"),
            { "case_id": other, "consent_id": consent, "withdrawn_on": "" },
            Write("withdrawn_on", json!("2026-01-03")),
            [&[("case_id", Id), ("consent_id", Id), ("withdrawn_on", PastDay)]]),
    ]
}

fn judgements(ids: &Ids) -> Vec<Row> {
    let Ids { case, other, erasable, fresh_case, .. } = ids;
    vec![
        row!("cases.v1.CasesService" "LinkCases", CASEWORK, Office, Own("case_id"),
            { "case_id": case, "other_case_id": other, "linked_on": "2026-01-05" },
            Write("other_case_id", json!(erasable)),
            [&[("case_id", Id), ("other_case_id", Id), ("linked_on", PastDay)]]),
        row!("cases.v1.CasesService" "UnlinkCases", CASEWORK, Office, Own("case_id"),
            { "case_id": case, "other_case_id": other, "unlinked_on": "2026-01-06" },
            Write("unlinked_on", json!("2026-01-07")),
            [&[("case_id", Id), ("other_case_id", Id), ("unlinked_on", PastDay)]]),
        row!("cases.v1.CasesService" "ListPossibleDuplicates", PEOPLE, Office, Nothing, {}, Read, [&[("page", Page)]]),
        row!("cases.v1.CasesService" "RuleOutDuplicate", CASEWORK, Office, Own("case_id"),
            { "case_id": case, "other_case_id": erasable, "ruled_out_on": "2026-01-06" },
            Write("ruled_out_on", json!("2026-01-07")),
            [&[("case_id", Id), ("other_case_id", Id), ("ruled_out_on", PastDay)]]),
        row!("cases.v1.CasesService" "MergeCases", CASEWORK, Office, Own("case_id"),
            { "case_id": fresh_case, "into_case_id": other, "merged_on": "2026-01-06" },
            Write("merged_on", json!("2026-01-07")),
            [&[("case_id", Id), ("into_case_id", Id), ("merged_on", PastDay)]]),
        row!("cases.v1.CasesService" "UnmergeCases", CASEWORK, Office, Own("case_id"),
            { "case_id": fresh_case, "unmerged_on": "2026-01-08" }, Write("unmerged_on", json!("2026-01-09")),
            [&[("case_id", Id), ("unmerged_on", PastDay)]]),
        row!("cases.v1.CasesService" "ListPeopleSeenAgain", PEOPLE, Office, Nothing, {}, Read, [&[("page", Page)]]),
        row!("cases.v1.CasesService" "AcknowledgeSeenAgain", PEOPLE, Office, Own("case_id"),
            { "case_id": case, "other_case_id": other }, Refused(Code::NotFound, "NOT_SEEN_AGAIN"),
            [&[("case_id", Id), ("other_case_id", Id)]]),
    ]
}

fn knowledge(ids: &Ids) -> Vec<Row> {
    let Ids { case, fresh_risk, fresh_fact, fresh_conclusion, .. } = ids;
    vec![
        row!("cases.v1.CasesService" "RecordCaseNeeds", SENDING, Office, Own("case_id"),
            { "case_id": case, "needs": [1, 2], "found_on": "2026-01-03" }, Write("found_on", json!("2026-01-04")),
            [&[("case_id", Id), ("needs", Words(Some(20))), ("found_on", PastDay)]]),
        row!("cases.v1.CasesService" "RaiseRisk", PEOPLE, Office, Own("case_id"),
            { "case_id": case, "risk_id": fresh_risk, "kind": 3, "severity": 3, "raised_on": "2026-01-03" },
            Write("raised_on", json!("2026-01-04")),
            [&[("case_id", Id), ("risk_id", Id), ("kind", Word(&[])), ("severity", Word(&[])), ("raised_on", PastDay)]]),
        row!("cases.v1.CasesService" "ListRaisedRisks", PEOPLE, Office, Nothing, {}, Read, [&[("page", Page)]]),
        row!("cases.v1.CasesService" "LowerRisk", PEOPLE, Office, Own("case_id"),
            { "case_id": case, "risk_id": fresh_risk, "lowered_on": "2026-01-05" },
            Write("lowered_on", json!("2026-01-06")),
            [&[("case_id", Id), ("risk_id", Id), ("lowered_on", PastDay)]]),
        row!("cases.v1.CasesService" "RecordFact", SENDING, Office, Own("case_id"),
            { "case_id": case, "fact": {
                "fact_id": fresh_fact, "acts": [1], "means": [6], "purposes": [1], "abuses": [1],
                "from_day": "2025-03-01", "until_day": "2025-09-01", "countries": ["TH"] } },
            Write("fact.until_day", json!("2025-09-02")),
            [&[("case_id", Id), ("fact", Message), ("fact.fact_id", Id), ("fact.acts", Words(Some(20))),
               ("fact.means", Words(Some(20))), ("fact.purposes", Words(Some(20))), ("fact.abuses", Words(Some(20))),
               ("fact.from_day", PastDay), ("fact.until_day", PastDay),
               ("fact.countries", AtMost(20, Entry::Country)), ("fact.countries[0]", ShortCode)]]),
        row!("cases.v1.CasesService" "RetractFact", SENDING, Office, Own("case_id"),
            { "case_id": case, "fact_id": fresh_fact, "reason": 1 }, Write("reason", json!(2)),
            [&[("case_id", Id), ("fact_id", Id), ("reason", Word(&[]))]]),
        row!("cases.v1.CasesService" "RecordConclusion", CASEWORK, Office, Own("case_id"),
            { "case_id": case, "conclusion": {
                "conclusion_id": fresh_conclusion, "finding": 1, "concluded_by": 4, "concluded_on": "2026-01-05" } },
            Write("conclusion.concluded_on", json!("2026-01-06")),
            [&[("case_id", Id), ("conclusion", Message), ("conclusion.conclusion_id", Id),
               ("conclusion.finding", Word(&[])), ("conclusion.concluded_by", Word(&[])),
               ("conclusion.concluded_on", PastDay), ("conclusion.revises_conclusion_id", OptionalId),
               ("conclusion.revised_by_conclusion_id", NotForRequests)]]),
        row!("cases.v1.CasesService" "WaiveFileItem", SENDING, Office, Own("case_id"),
            { "case_id": case, "item": 10, "reason": 2 }, Write("reason", json!(3)),
            [&[("case_id", Id), ("item", Word(&[])), ("reason", Word(&[]))]]),
        row!("cases.v1.CasesService" "ListIncompleteFiles", PEOPLE, Office, Nothing, { "missing_for_days": 1 }, Read,
            [&[("page", Page), ("missing_for_days", Number(0, 3_650))]]),
        row!("cases.v1.CasesService" "GetCaseHistory", PEOPLE, Office, Own("case_id"), { "case_id": case }, Read,
            [&[("case_id", Id), ("page", Page)]]),
    ]
}

fn papers(ids: &Ids) -> Vec<Row> {
    let Ids { case, fresh_attachment, .. } = ids;
    vec![
        row!("cases.v1.AttachmentService" "AddAttachment", PEOPLE, Office, Own("case_id"),
            { "case_id": case, "attachment_id": fresh_attachment, "kind": 3, "content": "iVBORw0KGgoAAAAA",
              "made_on": "2026-01-03" },
            Write("made_on", json!("2026-01-04")),
            [&[("case_id", Id), ("attachment_id", Id), ("kind", Word(&[])), ("content", File), ("made_on", PastDay)]]),
        row!("cases.v1.AttachmentService" "ReadAttachment", PEOPLE, Office, Own("case_id"),
            { "case_id": case, "attachment_id": fresh_attachment, "purpose": "to show it to the family" }, Done,
            [&[("case_id", Id), ("attachment_id", Id), ("purpose", RequiredText(200))]]),
        row!("cases.v1.AttachmentService" "ListAttachments", PEOPLE, Office, Own("case_id"), { "case_id": case }, Read,
            [&[("case_id", Id)]]),
        row!("cases.v1.AttachmentService" "RemoveAttachment", CASEWORK, Office, Own("case_id"),
            { "case_id": case, "attachment_id": fresh_attachment, "reason": 1 }, Write("reason", json!(2)),
            [&[("case_id", Id), ("attachment_id", Id), ("reason", Word(&[]))]]),
    ]
}

fn ends(ids: &Ids) -> Vec<Row> {
    let Ids { case, erasable, .. } = ids;
    vec![
        row!("cases.v1.CasesService" "CompleteReturn", CASEWORK, Office, Own("case_id"),
            { "case_id": case, "returned_on": "" }, Refused(Code::FailedPrecondition, "FOLLOW_UP_NOT_ACCEPTED"),
            [&[("case_id", Id), ("returned_on", PastDay)]]),
        row!("cases.v1.CasesService" "ErasePerson", &[Supervisor], Office, Own("case_id"),
            { "case_id": erasable, "ground": "REQUEST_OF_PERSON" }, Write("ground", json!("RETENTION_ENDED")),
            [&[("case_id", Id), ("ground", RequiredText(60))]]),
    ]
}
