//! Families, placements and decisions to go home.

use spean_chassis::words::{read_consent_basis, stored, write_consent_basis};
use spean_chassis::{Call, Page, field, status};
use spean_contracts::shelter::v1::{self as wire};
use spean_vocabulary::{CaseId, OfferId};
use tonic::Status;

use super::words::{
    optional, read_care_option, read_home, read_home_risk, read_impossible, read_optional_adult, read_recommendation,
    read_tracing_outcome, write_adult, write_care_option, write_home, write_home_risk, write_impossible,
    write_recommendation, write_step, write_tracing_outcome,
};
use super::{Grpc, LONGEST_NOTES, overdue, staff};
use crate::due;
use crate::homecoming::{Command, FamilyAssessment, Homecoming, Placement, Reintegration, Tracing};
use crate::notes::Note;

/// Most entries of a list of codes.
const MOST_CODES: usize = 20;

impl Grpc {
    pub(super) async fn request_tracing(
        &self,
        call: &Call,
        request: wire::RequestTracingRequest,
    ) -> Result<wire::RequestTracingResponse, Status> {
        let case: CaseId = field::parse("case_id", &request.case_id)?;
        let offer = field::parse("offer_id", &request.offer_id)?;
        let requested_on = field::day_so_far("requested_on", &request.requested_on, call.today())?;
        self.permit(call, case).await?;
        let answer_days = self.node.policy.tracing.answer_days;
        let command = Command::RequestTracing { offer, requested_on, answer_days };
        self.care_for::<Homecoming>(call, case, requested_on, command, None).await?;
        Ok(wire::RequestTracingResponse { answer_due_on: requested_on.plus_days(answer_days).to_string() })
    }

    pub(super) async fn record_tracing_answer(
        &self,
        call: &Call,
        request: wire::RecordTracingAnswerRequest,
    ) -> Result<wire::RecordTracingAnswerResponse, Status> {
        let case: CaseId = field::parse("case_id", &request.case_id)?;
        let offer = field::parse("offer_id", &request.offer_id)?;
        let outcome = read_tracing_outcome("outcome", request.outcome)?;
        let answered_on = field::day_so_far("answered_on", &request.answered_on, call.today())?;
        self.permit(call, case).await?;
        let assessment_days = self.node.policy.tracing.assessment_days;
        let command = Command::RecordAnswer { offer, outcome, answered_on, assessment_days };
        self.care_for::<Homecoming>(call, case, answered_on, command, None).await?;
        Ok(wire::RecordTracingAnswerResponse {})
    }

    pub(super) async fn assess_family(
        &self,
        call: &Call,
        request: wire::AssessFamilyRequest,
    ) -> Result<wire::AssessFamilyResponse, Status> {
        let case: CaseId = field::parse("case_id", &request.case_id)?;
        let given = field::required("assessment", request.assessment)?;
        field::at_most("assessment.risks", &given.risks, MOST_CODES)?;
        let risk = |(index, risk): (usize, &i32)| read_home_risk(&format!("assessment.risks[{index}]"), *risk);
        let assessment = FamilyAssessment {
            assessment_id: field::parse("assessment.assessment_id", &given.assessment_id)?,
            assessed_on: field::day_so_far("assessment.assessed_on", &given.assessed_on, call.today())?,
            by: staff(call, "assessment.assessed_by", &given.assessed_by)?,
            recommendation: read_recommendation("assessment.recommendation", given.recommendation)?,
            risks: given.risks.iter().enumerate().map(risk).collect::<Result<_, _>>()?,
            responsible_adult: read_optional_adult("assessment.responsible_adult", given.responsible_adult)?,
        };
        let notes = field::text("notes", &request.notes, LONGEST_NOTES)?;
        let is_child = self.permit(call, case).await?.is_child;
        let on = assessment.assessed_on;
        let note = Note::of(&"visit to the family", assessment.assessment_id, on, notes);
        let assessment_days = self.node.policy.tracing.assessment_days;
        let command = Command::AssessFamily { assessment, is_child, assessment_days };
        self.care_for::<Homecoming>(call, case, on, command, note).await?;
        Ok(wire::AssessFamilyResponse {})
    }

    pub(super) async fn decide_placement(
        &self,
        call: &Call,
        request: wire::DecidePlacementRequest,
    ) -> Result<wire::DecidePlacementResponse, Status> {
        let case: CaseId = field::parse("case_id", &request.case_id)?;
        let given = field::required("placement", request.placement)?;
        field::at_most("placement.not_possible", &given.not_possible, MOST_CODES)?;
        let reason = |(index, given): (usize, &wire::NotPossible)| {
            let at = |name: &str| format!("placement.not_possible[{index}].{name}");
            Ok((read_care_option(&at("option"), given.option)?, read_impossible(&at("reason"), given.reason)?))
        };
        let placement = Placement {
            placement_id: field::parse("placement.placement_id", &given.placement_id)?,
            option: read_care_option("placement.option", given.option)?,
            not_possible: given.not_possible.iter().enumerate().map(reason).collect::<Result<_, Status>>()?,
            decided_on: field::day_so_far("placement.decided_on", &given.decided_on, call.today())?,
        };
        let is_child = self.permit(call, case).await?.is_child;
        let on = placement.decided_on;
        self.care_for::<Homecoming>(call, case, on, Command::DecidePlacement { placement, is_child }, None).await?;
        Ok(wire::DecidePlacementResponse {})
    }

    pub(super) async fn decide_reintegration(
        &self,
        call: &Call,
        request: wire::DecideReintegrationRequest,
    ) -> Result<wire::DecideReintegrationResponse, Status> {
        let case: CaseId = field::parse("case_id", &request.case_id)?;
        let given = field::required("reintegration", request.reintegration)?;
        field::at_most("reintegration.agreed_by", &given.agreed_by, MOST_CODES)?;
        let basis =
            |(index, basis): (usize, &i32)| read_consent_basis(&format!("reintegration.agreed_by[{index}]"), *basis);
        let decision = Reintegration {
            decision_id: field::parse("reintegration.decision_id", &given.decision_id)?,
            decided_on: field::day_so_far("reintegration.decided_on", &given.decided_on, call.today())?,
            home: read_home("reintegration.home", given.home)?,
            agreed_by: given.agreed_by.iter().enumerate().map(basis).collect::<Result<_, _>>()?,
        };
        let is_child = self.permit(call, case).await?.is_child;
        let on = decision.decided_on;
        self.care_for::<Homecoming>(call, case, on, Command::DecideReintegration { decision, is_child }, None).await?;
        Ok(wire::DecideReintegrationResponse {})
    }

    pub(super) async fn list_tracing(
        &self,
        call: &Call,
        request: wire::ListTracingRequest,
    ) -> Result<wire::ListTracingResponse, Status> {
        let page = Page::read(request.page.as_ref())?;
        let entries = due::tracing(call.office()?, page.limit(), page.offset, self.store.reader()).await;
        let (entries, page) = page.cut(entries.map_err(status::query)?);
        let tracings = entries.into_iter().map(|entry| wire::TracingEntry {
            step: stored(&entry.step, write_step),
            overdue_days: overdue(&entry.due_on, call.today()),
            case_id: entry.case_id,
            case_number: entry.case_number,
            offer_id: entry.offer_id,
            since: entry.since,
            due_on: entry.due_on,
        });
        Ok(wire::ListTracingResponse { tracings: tracings.collect(), page })
    }
}

pub(super) fn write_tracing(offer: OfferId, tracing: &Tracing) -> wire::Tracing {
    wire::Tracing {
        offer_id: offer.to_string(),
        requested_on: tracing.requested_on.to_string(),
        outcome: optional(tracing.answer.map(|(outcome, _)| outcome), write_tracing_outcome),
        answered_on: tracing.answer.map(|(_, on)| on.to_string()).unwrap_or_default(),
    }
}

pub(super) fn write_assessment(assessment: &FamilyAssessment) -> wire::FamilyAssessment {
    wire::FamilyAssessment {
        assessment_id: assessment.assessment_id.to_string(),
        assessed_on: assessment.assessed_on.to_string(),
        assessed_by: assessment.by.to_string(),
        recommendation: write_recommendation(assessment.recommendation).into(),
        risks: assessment.risks.iter().map(|risk| write_home_risk(*risk).into()).collect(),
        responsible_adult: optional(assessment.responsible_adult, write_adult),
    }
}

pub(super) fn write_placement(placement: &Placement) -> wire::Placement {
    let reason = |(option, reason): (&crate::homecoming::CareOption, &crate::homecoming::Impossible)| {
        wire::NotPossible { option: write_care_option(*option).into(), reason: write_impossible(*reason).into() }
    };
    wire::Placement {
        placement_id: placement.placement_id.to_string(),
        option: write_care_option(placement.option).into(),
        not_possible: placement.not_possible.iter().map(reason).collect(),
        decided_on: placement.decided_on.to_string(),
    }
}

pub(super) fn write_reintegration(decision: &Reintegration) -> wire::Reintegration {
    wire::Reintegration {
        decision_id: decision.decision_id.to_string(),
        decided_on: decision.decided_on.to_string(),
        home: write_home(decision.home).into(),
        agreed_by: decision.agreed_by.iter().map(|basis| write_consent_basis(*basis).into()).collect(),
    }
}
