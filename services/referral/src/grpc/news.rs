//! What became of cases that an office referred.

use spean_chassis::words::{instant, stored, write_need};
use spean_chassis::{Call, Page, field, status};
use spean_contracts::referral::v1 as wire;
use spean_vocabulary::{CaseId, Timestamp};
use tonic::Status;

use super::reports::Reports;
use super::{standing_of, write};
use crate::desk::stream;
use crate::news::list::{self, Entry};
use crate::news::{CaseNews, Command};
use crate::reports::wire::write_stage;

/// More news of one case than there will ever be.
const MOST_NEWS: i64 = 100_000;

impl Reports {
    pub(super) async fn list_progress(
        &self,
        call: &Call,
        request: wire::ListProgressRequest,
    ) -> Result<wire::ListProgressResponse, Status> {
        let case = self.case_of(call, &request.case_id).await?;
        let page = Page::read(request.page.as_ref())?;
        let entries = list::of_case(call.office()?, case, page.limit(), page.offset, self.store.reader()).await;
        let (entries, page) = page.cut(entries.map_err(status::query)?);
        Ok(wire::ListProgressResponse { news: entries.into_iter().map(shown).collect(), page })
    }

    pub(super) async fn list_news(
        &self,
        call: &Call,
        request: wire::ListNewsRequest,
    ) -> Result<wire::ListNewsResponse, Status> {
        let page = Page::read(request.page.as_ref())?;
        let office = call.office()?;
        let entries =
            list::of_office(office, request.include_read, page.limit(), page.offset, self.store.reader()).await;
        let (entries, page) = page.cut(entries.map_err(status::query)?);
        Ok(wire::ListNewsResponse { news: entries.into_iter().map(shown).collect(), page })
    }

    pub(super) async fn acknowledge_news(
        &self,
        call: &Call,
        request: wire::AcknowledgeNewsRequest,
    ) -> Result<wire::AcknowledgeNewsResponse, Status> {
        let case = self.case_of(call, &request.case_id).await?;
        let up_to = field::within("up_to_number", request.up_to_number.into(), 1, MOST_NEWS)?;
        let command = Command::Acknowledge { up_to: u32::try_from(up_to).unwrap_or(u32::MAX) };
        self.refuse_while_recovering()?;
        let id = stream(call.office()?, case);
        let handled = self.store.handle::<CaseNews>(id, command, call.context()?, call.metadata()?);
        handled.await.map_err(status::handled)?;
        Ok(wire::AcknowledgeNewsResponse {})
    }

    /// A case that the caller's office has or had to do with.
    async fn case_of(&self, call: &Call, case: &str) -> Result<CaseId, Status> {
        let case: CaseId = field::parse("case_id", case)?;
        let standing = standing_of(&self.store, call.office()?, case).await?;
        self.desk.node.gate.permit(call, "case", standing)?;
        Ok(case)
    }
}

fn shown(entry: Entry) -> wire::News {
    let what = if !entry.other_case_id.is_empty() {
        let seen_again = wire::SeenAgain { other_case_id: entry.other_case_id, taken_back: entry.taken_back };
        wire::news::What::SeenAgain(seen_again)
    } else if entry.offer_id.is_empty() {
        wire::news::What::Stage(stored(&entry.stage, write_stage))
    } else {
        wire::news::What::Service(wire::ServiceEnded {
            offer_id: entry.offer_id,
            need: stored(&entry.need, write_need),
            outcome: stored(&entry.outcome, write::outcome),
        })
    };
    wire::News {
        case_id: entry.case_id,
        case_number: entry.case_number,
        number: i32::try_from(entry.number).unwrap_or(i32::MAX),
        what: Some(what),
        seen_by_office_id: entry.seen_by,
        occurred_on: entry.occurred_on,
        from_office_id: entry.from_office,
        heard_at: Some(instant(Timestamp::from_micros(entry.heard_at))),
        read_at: entry.read_at.map(|at| instant(Timestamp::from_micros(at))),
    }
}
