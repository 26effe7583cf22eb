//! Cases of an office.

use serde::Serialize;
use spean_contracts::cases::v1::{CaseSummary, ListCasesRequest};
use spean_contracts::referral::v1::{HeldCase, ListHeldCasesRequest};

use super::connection::{Connection, all_pages};
use super::output::{Output, Row, instant, word};

pub(super) async fn list(connection: &Connection, output: Output, held_only: bool) -> anyhow::Result<()> {
    let cases = all_pages(async |page| {
        let request = connection.question(ListCasesRequest { page, held_only });
        let answer = connection.cases().list_cases(request).await?.into_inner();
        Ok((answer.cases, answer.page))
    });
    output.list(&cases.await?.into_iter().map(CaseRow::from).collect::<Vec<_>>())
}

pub(super) async fn held(connection: &Connection, output: Output) -> anyhow::Result<()> {
    let cases = all_pages(async |page| {
        let request = connection.question(ListHeldCasesRequest { page });
        let answer = connection.referral().list_held_cases(request).await?.into_inner();
        Ok((answer.cases, answer.page))
    });
    output.list(&cases.await?.into_iter().map(HeldRow::from).collect::<Vec<_>>())
}

#[derive(Serialize)]
struct CaseRow {
    case_id: String,
    case_number: String,
    person_id: String,
    office_id: String,
    standing: String,
    sex: String,
    age_band: String,
    home_place: String,
    registered_on: String,
    returned_on: String,
    missing: Vec<String>,
    linked_case_ids: Vec<String>,
    possible_duplicate_case_ids: Vec<String>,
}

impl From<CaseSummary> for CaseRow {
    fn from(case: CaseSummary) -> Self {
        Self {
            standing: case.standing.to_ascii_lowercase(),
            sex: word(case.sex().as_str_name(), "SEX_"),
            age_band: word(case.age_band().as_str_name(), "AGE_BAND_"),
            case_id: case.case_id,
            case_number: case.case_number,
            person_id: case.person_id,
            office_id: case.office_id,
            home_place: case.home_place,
            registered_on: case.registered_on,
            returned_on: case.returned_on,
            missing: case.missing,
            linked_case_ids: case.linked_case_ids,
            possible_duplicate_case_ids: case.possible_duplicate_case_ids,
        }
    }
}

impl Row for CaseRow {
    const HEADER: &'static [&'static str] = &["case", "number", "standing", "who", "since"];

    fn cells(&self) -> Vec<String> {
        let who = format!("{} {}", self.sex, self.age_band);
        let number = self.case_number.clone();
        vec![self.case_id.clone(), number, self.standing.clone(), who, self.registered_on.clone()]
    }
}

#[derive(Serialize)]
struct HeldRow {
    case_id: String,
    case_number: String,
    term: u32,
    epoch: u32,
    since: String,
    transfer_open: bool,
}

impl From<HeldCase> for HeldRow {
    fn from(case: HeldCase) -> Self {
        let HeldCase { case_id, case_number, term, epoch, since, transfer_open } = case;
        Self { case_id, case_number, term, epoch, since: instant(since.as_ref()), transfer_open }
    }
}

impl Row for HeldRow {
    const HEADER: &'static [&'static str] = &["case", "number", "term.epoch", "since", "on offer"];

    fn cells(&self) -> Vec<String> {
        let on_offer = if self.transfer_open { "yes" } else { "" };
        let position = format!("{}.{}", self.term, self.epoch);
        vec![self.case_id.clone(), self.case_number.clone(), position, self.since.clone(), on_offer.to_owned()]
    }
}
