//! Help and its outcomes over gRPC.

use spean_chassis::{Page, field, status};
use spean_contracts::followup::v1 as wire;
use spean_contracts::followup::v1::support_service_server::SupportService;
use spean_vocabulary::{CaseId, SupportId};
use tonic::{Request, Response, Status};

use super::{Grpc, cases, write};
use crate::codes::{SupportKind, SupportOutcome};
use crate::support::{Command, Given, Support};
use crate::supports;

#[tonic::async_trait]
impl SupportService for Grpc {
    async fn record_support(
        &self,
        request: Request<wire::RecordSupportRequest>,
    ) -> Result<Response<wire::RecordSupportResponse>, Status> {
        let (call, request) = self.node.gate.open("RecordSupport", request)?;
        let support: SupportId = field::parse("support_id", &request.support_id)?;
        let case: CaseId = field::parse("case_id", &request.case_id)?;
        let kind = SupportKind::read("kind", request.kind)?;
        let given_on = field::day_so_far("given_on", &request.given_on, call.today())?;
        let given_by = field::parse_optional("given_by_office_id", &request.given_by_office_id)?;
        let given_by = match given_by {
            Some(office) => office,
            None => call.office()?.clone(),
        };
        let given = Given { case, kind, given_on, given_by };
        self.permit(&call, case).await?;
        let outcomes_due_on = given.outcomes_due().into_iter().map(|(_, due_on)| due_on.to_string()).collect();
        self.handle::<Support>(support.to_string(), Command::Give(given), Some(given_on), &call).await?;
        Ok(Response::new(wire::RecordSupportResponse { outcomes_due_on }))
    }

    async fn record_support_outcome(
        &self,
        request: Request<wire::RecordSupportOutcomeRequest>,
    ) -> Result<Response<wire::RecordSupportOutcomeResponse>, Status> {
        let (call, request) = self.node.gate.open("RecordSupportOutcome", request)?;
        let support: SupportId = field::parse("support_id", &request.support_id)?;
        let after_months = field::within("after_months", request.after_months.into(), 1, 12)?;
        let after_months = u8::try_from(after_months).expect("it is between 1 and 12");
        let outcome = SupportOutcome::read("outcome", request.outcome)?;
        let seen_on = field::day_so_far("seen_on", &request.seen_on, call.today())?;
        let id = support.to_string();
        let case = self.load::<Support>(&id).await?.case().ok_or_else(|| status::not_found("support"))?;
        self.permit(&call, case).await.map_err(|refusal| {
            if refusal.code() == tonic::Code::NotFound { status::not_found("support") } else { refusal }
        })?;
        self.handle::<Support>(id, Command::See { after_months, outcome, seen_on }, Some(seen_on), &call).await?;
        Ok(Response::new(wire::RecordSupportOutcomeResponse {}))
    }

    async fn list_support(
        &self,
        request: Request<wire::ListSupportRequest>,
    ) -> Result<Response<wire::ListSupportResponse>, Status> {
        let (call, request) = self.node.gate.open("ListSupport", request)?;
        let case = field::parse("case_id", &request.case_id)?;
        self.permit(&call, case).await?;
        let entries = supports::of_case(case, call.office()?, self.store.reader()).await.map_err(status::query)?;
        let outcomes = entries.into_iter().map(|entry| write::support(entry, String::new(), call.today())).collect();
        Ok(Response::new(wire::ListSupportResponse { outcomes }))
    }

    async fn list_due_outcomes(
        &self,
        request: Request<wire::ListDueOutcomesRequest>,
    ) -> Result<Response<wire::ListDueOutcomesResponse>, Status> {
        let (call, request) = self.node.gate.open("ListDueOutcomes", request)?;
        let page = Page::read(request.page.as_ref())?;
        let (limit, offset) = (page.limit(), page.offset);
        let entries = supports::due(call.office()?, call.today(), limit, offset, self.store.reader()).await;
        let (entries, page) = page.cut(entries.map_err(status::query)?);
        let safe = self.safe_contacts(cases(entries.iter().map(|entry| &entry.case_id)), &call).await?;
        let write = |entry: supports::Entry| {
            let contact = safe.get(&entry.case_id).cloned().unwrap_or_default();
            write::support(entry, contact, call.today())
        };
        let outcomes = entries.into_iter().map(write).collect();
        Ok(Response::new(wire::ListDueOutcomesResponse { outcomes, page }))
    }
}
