//! The worklists of the register, and the history of a case.

use spean_chassis::words::instant;
use spean_chassis::{Call, Page, field, status};
use spean_contracts::cases::v1 as wire;
use spean_vocabulary::{CaseId, Timestamp};
use tonic::Status;

use super::{Grpc, write};
use crate::{dangers, files, holders, pairs, sightings, timeline};

/// The longest time for which something may be asked to be missing: ten years.
const MOST_DAYS: i64 = 3_650;

impl Grpc {
    pub(super) async fn list_possible_duplicates(
        &self,
        call: &Call,
        request: wire::ListPossibleDuplicatesRequest,
    ) -> Result<wire::ListPossibleDuplicatesResponse, Status> {
        let page = Page::read(request.page.as_ref())?;
        let rows = pairs::to_judge(call.office()?, page.limit(), page.offset, self.store.reader()).await;
        let (rows, page) = page.cut(rows.map_err(status::query)?);
        Ok(wire::ListPossibleDuplicatesResponse { pairs: rows.into_iter().map(write::pair).collect(), page })
    }

    pub(super) async fn list_people_seen_again(
        &self,
        call: &Call,
        request: wire::ListPeopleSeenAgainRequest,
    ) -> Result<wire::ListPeopleSeenAgainResponse, Status> {
        let page = Page::read(request.page.as_ref())?;
        let rows = sightings::of_office(call.office()?, page.limit(), page.offset, self.store.reader()).await;
        let (rows, page) = page.cut(rows.map_err(status::query)?);
        let entry = |row: sightings::Sighting| wire::SeenAgainEntry {
            case_id: row.case_id.clone(),
            case_number: row.case_number.clone(),
            told_at: Some(instant(Timestamp::from_micros(row.told_at))),
            seen: Some(write::seen_again(row)),
        };
        Ok(wire::ListPeopleSeenAgainResponse { entries: rows.into_iter().map(entry).collect(), page })
    }

    pub(super) async fn list_raised_risks(
        &self,
        call: &Call,
        request: wire::ListRaisedRisksRequest,
    ) -> Result<wire::ListRaisedRisksResponse, Status> {
        let page = Page::read(request.page.as_ref())?;
        let rows = dangers::of_office(call.office()?, page.limit(), page.offset, self.store.reader()).await;
        let (rows, page) = page.cut(rows.map_err(status::query)?);
        let risk = |row: dangers::Danger| wire::RaisedRisk {
            case_id: row.case_id.clone(),
            case_number: row.case_number.clone(),
            risk: Some(write::risk(row)),
        };
        Ok(wire::ListRaisedRisksResponse { risks: rows.into_iter().map(risk).collect(), page })
    }

    pub(super) async fn list_incomplete_files(
        &self,
        call: &Call,
        request: wire::ListIncompleteFilesRequest,
    ) -> Result<wire::ListIncompleteFilesResponse, Status> {
        let page = Page::read(request.page.as_ref())?;
        field::within("missing_for_days", request.missing_for_days.into(), 0, MOST_DAYS)?;
        let since = call.today().plus_days(-request.missing_for_days);
        let rows = files::incomplete(call.office()?, since, page.limit(), page.offset, self.store.reader()).await;
        let (rows, page) = page.cut(rows.map_err(status::query)?);
        let file = |row: files::IncompleteFile| wire::IncompleteFile {
            missing: row.checklist.missing().into_iter().map(write::checklist_entry).collect(),
            case_id: row.case_id,
            case_number: row.case_number,
        };
        Ok(wire::ListIncompleteFilesResponse { files: rows.into_iter().map(file).collect(), page })
    }

    pub(super) async fn get_case_history(
        &self,
        call: &Call,
        request: wire::GetCaseHistoryRequest,
    ) -> Result<wire::GetCaseHistoryResponse, Status> {
        let case: CaseId = field::parse("case_id", &request.case_id)?;
        let page = Page::read(request.page.as_ref())?;
        self.permit(call, case).await?;
        let case = case.to_string();
        let rows = timeline::of_case(&case, page.limit(), page.offset, self.store.reader()).await;
        let (rows, page) = page.cut(rows.map_err(status::query)?);
        let holders = holders::of_case(&case, self.store.reader()).await.map_err(status::query)?;
        Ok(wire::GetCaseHistoryResponse {
            entries: rows.into_iter().map(write::moment).collect(),
            page,
            holders: holders.into_iter().map(write::holder).collect(),
        })
    }
}
