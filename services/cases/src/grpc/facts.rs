//! What is known of a case: needs, dangers, facts, conclusions, and what of the file will not be had.

use spean_chassis::words::read_need;
use spean_chassis::{Call, field, status};
use spean_contracts::cases::v1 as wire;
use spean_vocabulary::CaseId;
use tonic::Status;

use super::words::{
    read_body, read_file_item, read_finding, read_retract_reason, read_risk_kind, read_severity, read_waive_reason,
};
use super::{Grpc, read};
use crate::case::{Command, Conclusion, Risk};

/// Most needs in a request.
const MOST_NEEDS: usize = 20;

impl Grpc {
    pub(super) async fn record_case_needs(
        &self,
        call: &Call,
        request: wire::RecordCaseNeedsRequest,
    ) -> Result<wire::RecordCaseNeedsResponse, Status> {
        let needs = read::words("needs", &request.needs, MOST_NEEDS, read_need)?;
        let found_on = field::day_so_far("found_on", &request.found_on, call.today())?;
        self.carry_out(call, &request.case_id, Command::RecordNeeds { needs, found_on }).await?;
        Ok(wire::RecordCaseNeedsResponse {})
    }

    pub(super) async fn raise_risk(
        &self,
        call: &Call,
        request: wire::RaiseRiskRequest,
    ) -> Result<wire::RaiseRiskResponse, Status> {
        let risk_id = field::parse("risk_id", &request.risk_id)?;
        let risk = Risk {
            kind: read_risk_kind("kind", request.kind)?,
            severity: read_severity("severity", request.severity)?,
            raised_on: field::day_so_far("raised_on", &request.raised_on, call.today())?,
        };
        self.carry_out(call, &request.case_id, Command::RaiseRisk { risk_id, risk }).await?;
        Ok(wire::RaiseRiskResponse {})
    }

    pub(super) async fn lower_risk(
        &self,
        call: &Call,
        request: wire::LowerRiskRequest,
    ) -> Result<wire::LowerRiskResponse, Status> {
        let risk_id = field::parse("risk_id", &request.risk_id)?;
        let lowered_on = field::day_so_far("lowered_on", &request.lowered_on, call.today())?;
        self.carry_out(call, &request.case_id, Command::LowerRisk { risk_id, lowered_on }).await?;
        Ok(wire::LowerRiskResponse {})
    }

    pub(super) async fn record_fact(
        &self,
        call: &Call,
        request: wire::RecordFactRequest,
    ) -> Result<wire::RecordFactResponse, Status> {
        let (fact_id, fact) = read::fact(request.fact, call)?;
        self.carry_out(call, &request.case_id, Command::RecordFact { fact_id, fact }).await?;
        Ok(wire::RecordFactResponse {})
    }

    pub(super) async fn retract_fact(
        &self,
        call: &Call,
        request: wire::RetractFactRequest,
    ) -> Result<wire::RetractFactResponse, Status> {
        let fact_id = field::parse("fact_id", &request.fact_id)?;
        let reason = read_retract_reason("reason", request.reason)?;
        self.carry_out(call, &request.case_id, Command::RetractFact { fact_id, reason }).await?;
        Ok(wire::RetractFactResponse {})
    }

    pub(super) async fn record_conclusion(
        &self,
        call: &Call,
        request: wire::RecordConclusionRequest,
    ) -> Result<wire::RecordConclusionResponse, Status> {
        let told = field::required("conclusion", request.conclusion)?;
        if !told.revised_by_conclusion_id.is_empty() {
            return Err(status::invalid(
                "conclusion.revised_by_conclusion_id",
                "nothing: the later conclusion says which one it revises",
            ));
        }
        let conclusion_id = field::parse("conclusion.conclusion_id", &told.conclusion_id)?;
        let conclusion = Conclusion {
            finding: read_finding("conclusion.finding", told.finding)?,
            concluded_by: read_body("conclusion.concluded_by", told.concluded_by)?,
            concluded_on: field::day_so_far("conclusion.concluded_on", &told.concluded_on, call.today())?,
            revises: field::parse_optional("conclusion.revises_conclusion_id", &told.revises_conclusion_id)?,
        };
        let command = Command::RecordConclusion { conclusion_id, conclusion };
        self.carry_out(call, &request.case_id, command).await?;
        Ok(wire::RecordConclusionResponse {})
    }

    pub(super) async fn waive_file_item(
        &self,
        call: &Call,
        request: wire::WaiveFileItemRequest,
    ) -> Result<wire::WaiveFileItemResponse, Status> {
        let item = read_file_item("item", request.item)?;
        let reason = read_waive_reason("reason", request.reason)?;
        self.carry_out(call, &request.case_id, Command::Waive { item, reason }).await?;
        Ok(wire::WaiveFileItemResponse {})
    }

    async fn carry_out(&self, call: &Call, case: &str, command: Command) -> Result<(), Status> {
        let case: CaseId = field::parse("case_id", case)?;
        self.permit(call, case).await?;
        self.handle(case, command, call).await.map(drop)
    }
}
