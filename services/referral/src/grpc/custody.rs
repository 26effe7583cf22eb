//! Who holds a case, and moving it over the holder's head.

use spean_chassis::words::{instant, stored};
use spean_chassis::{Call, Page, field, status};
use spean_contracts::referral::v1 as wire;
use spean_custody::Digest;
use spean_custody::case::{CaseCustody, Command};
use spean_vocabulary::{CaseId, OfficeId, Timestamp};
use tonic::Status;

use super::{Grpc, read, write};
use crate::desk::stream;
use crate::worklist;

impl Grpc {
    pub(super) async fn list_held_cases(
        &self,
        call: &Call,
        request: wire::ListHeldCasesRequest,
    ) -> Result<wire::ListHeldCasesResponse, Status> {
        let page = Page::read(request.page.as_ref())?;
        let office = call.office()?;
        let views = worklist::held(office, page.limit(), page.offset, self.store.reader()).await;
        let (views, page) = page.cut(views.map_err(status::query)?);
        let mut cases = Vec::with_capacity(views.len());
        for view in views {
            let case: CaseId = view.case_id.parse().map_err(|_| status::not_found("case"))?;
            let custody = self.store.load::<CaseCustody>(&stream(office, case)).await;
            let custody = custody.map_err(|error| status::store(&error))?.state;
            let subject = crate::subject::find(case, self.store.reader()).await.map_err(status::query)?;
            let number = subject.and_then(|subject| subject.case_number);
            let transfer = spean_vocabulary::OfferKind::Transfer;
            cases.push(wire::HeldCase {
                case_id: view.case_id,
                case_number: number.map(|number| number.to_string()).unwrap_or_default(),
                term: u32::try_from(view.term).unwrap_or(0),
                epoch: u32::try_from(view.epoch).unwrap_or(0),
                since: Some(instant(Timestamp::from_micros(view.since))),
                transfer_open: custody.open_offers().any(|(_, offer)| offer.terms.kind == transfer),
            });
        }
        Ok(wire::ListHeldCasesResponse { cases, page })
    }

    pub(super) async fn get_custody(
        &self,
        call: &Call,
        request: wire::GetCustodyRequest,
    ) -> Result<wire::GetCustodyResponse, Status> {
        let case: CaseId = field::parse("case_id", &request.case_id)?;
        self.permit(call, "case", case).await?;
        let office = call.office()?;
        let view = worklist::view(office, case, self.store.reader()).await.map_err(status::query)?;
        let view = view.ok_or_else(|| status::not_found("case"))?;
        Ok(wire::GetCustodyResponse {
            held_here: view.holder_office == office.as_str(),
            holder_office_id: view.holder_office,
            chain: view.chain.iter().map(write::certificate).collect(),
            confirmed_at: Some(instant(Timestamp::from_micros(view.learned_at))),
        })
    }

    pub(super) async fn propose_override(
        &self,
        call: &Call,
        request: wire::ProposeOverrideRequest,
    ) -> Result<wire::ProposeOverrideResponse, Status> {
        let case: CaseId = field::parse("case_id", &request.case_id)?;
        let new_holder: OfficeId = field::parse("new_holder_office_id", &request.new_holder_office_id)?;
        let new_holder = self.desk.party(&new_holder);
        let new_holder =
            new_holder.ok_or_else(|| status::invalid("new_holder_office_id", "an office of the directory"))?;
        let basis = read::legal_basis(request.legal_basis)?;
        let custody = self.handle(call, case, Command::ProposeOverride { new_holder, basis, chain: vec![] }).await?;
        let proposal = custody.proposal().map(|proposal| proposal.digest().to_string()).unwrap_or_default();
        Ok(wire::ProposeOverrideResponse { proposal })
    }

    pub(super) async fn consent_to_override(
        &self,
        call: &Call,
        request: wire::ConsentToOverrideRequest,
    ) -> Result<wire::ConsentToOverrideResponse, Status> {
        let case: CaseId = field::parse("case_id", &request.case_id)?;
        let proposal = read_digest(&request.proposal)?;
        self.handle(call, case, Command::ConsentToOverride { proposal }).await?;
        Ok(wire::ConsentToOverrideResponse {})
    }

    pub(super) async fn cosign_override(
        &self,
        call: &Call,
        request: wire::CosignOverrideRequest,
    ) -> Result<wire::CosignOverrideResponse, Status> {
        let case: CaseId = field::parse("case_id", &request.case_id)?;
        let proposal = read_digest(&request.proposal)?;
        self.handle(call, case, Command::CosignOverride { proposal }).await?;
        Ok(wire::CosignOverrideResponse {})
    }

    pub(super) async fn list_override_proposals(
        &self,
        call: &Call,
        _request: wire::ListOverrideProposalsRequest,
    ) -> Result<wire::ListOverrideProposalsResponse, Status> {
        let waiting = worklist::proposals(call.office()?, self.store.reader()).await.map_err(status::query)?;
        let proposals = waiting.into_iter().map(|waiting| wire::OverrideProposal {
            case_id: waiting.case_id,
            proposal: waiting.proposal,
            new_holder_office_id: waiting.new_holder,
            proposed_at: Some(instant(Timestamp::from_micros(waiting.proposed_at))),
            legal_basis: stored(&waiting.basis, write::legal_basis),
        });
        Ok(wire::ListOverrideProposalsResponse { proposals: proposals.collect() })
    }
}

fn read_digest(text: &str) -> Result<Digest, Status> {
    let quoted = serde_json::Value::String(text.to_owned());
    serde_json::from_value(quoted).map_err(|_| status::invalid("proposal", "a SHA-256 in 64 hexadecimal digits"))
}
