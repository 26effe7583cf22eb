//! The register.

use super::*;

pub(super) fn rows(ids: &Ids) -> Vec<Row> {
    let Ids { case, other, fresh_case, erasable, consent, fresh_consent, .. } = ids;
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
                "given_on": "2026-01-02" } },
            Write("consent.given_on", json!("2026-01-03")),
            [&[("case_id", Id), ("consent", Message), ("consent.consent_id", Id), ("consent.basis", Word(&[])),
               ("consent.parts", Words(Some(100))), ("consent.office_ids", AtMost(100, Entry::Office)),
               ("consent.office_ids[0]", Code(Yes)), ("consent.purposes", Words(Some(100))),
               ("consent.given_on", PastDay), ("consent.withdrawn_on", NotForRequests)]]),
        row!("cases.v1.CasesService" "WithdrawConsent", PEOPLE, Office, Own("case_id"),
            { "case_id": other, "consent_id": consent, "withdrawn_on": "" },
            Write("withdrawn_on", json!("2026-01-03")),
            [&[("case_id", Id), ("consent_id", Id), ("withdrawn_on", PastDay)]]),
        row!("cases.v1.CasesService" "LinkCases", CASEWORK, Office, Own("case_id"),
            { "case_id": case, "other_case_id": other }, Write("other_case_id", json!(erasable)),
            [&[("case_id", Id), ("other_case_id", Id)]]),
        row!("cases.v1.CasesService" "CompleteReturn", CASEWORK, Office, Own("case_id"),
            { "case_id": case, "returned_on": "" }, Refused(Code::FailedPrecondition, "FOLLOW_UP_NOT_ACCEPTED"),
            [&[("case_id", Id), ("returned_on", PastDay)]]),
        row!("cases.v1.CasesService" "ErasePerson", &[Supervisor], Office, Own("case_id"),
            { "case_id": erasable, "ground": "REQUEST_OF_PERSON" }, Write("ground", json!("RETENTION_ENDED")),
            [&[("case_id", Id), ("ground", RequiredText(60))]]),
    ]
}
