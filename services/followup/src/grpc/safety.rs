//! Dangers, people who are lost, and contradictions over gRPC.

use std::collections::BTreeSet;

use spean_chassis::words::{instant, read_urgency};
use spean_chassis::{Call, Page, field, status};
use spean_contracts::followup::v1 as wire;
use spean_contracts::followup::v1::safety_service_server::SafetyService;
use spean_vocabulary::{CaseId, DangerId, Date, VisitId};
use tonic::{Request, Response, Status};

use super::{Grpc, LONGEST_WORDS, cases, codes, write};
use crate::codes::{DangerSign, FoundPlace, LossReason, Resolution, SearchAction, Whereabouts as Seen};
use crate::contact::{self, Contact};
use crate::danger::{self, Danger, Report};
use crate::findings::Words;
use crate::whereabouts::{self, Sighting, Whereabouts};
use crate::{contacts, contradictions, dangers};

/// Most signs of one danger.
const MOST_SIGNS: usize = 10;

#[tonic::async_trait]
impl SafetyService for Grpc {
    async fn raise_danger(
        &self,
        request: Request<wire::RaiseDangerRequest>,
    ) -> Result<Response<wire::RaiseDangerResponse>, Status> {
        let (call, request) = self.node.gate.open("RaiseDanger", request)?;
        let danger: DangerId = field::parse("danger_id", &request.danger_id)?;
        let case: CaseId = field::parse("case_id", &request.case_id)?;
        let office = call.office()?.clone();
        let report = Report {
            case,
            signs: codes("signs", &request.signs, MOST_SIGNS, DangerSign::read)?,
            urgency: read_urgency("urgency", request.urgency)?,
            found_on: field::day_so_far("found_on", &request.found_on, call.today())?,
            raised_at: call.now,
            plan_due_at: call.now.plus_hours(self.node.policy.safety_plan.due_within_hours),
            office,
        };
        self.permit(&call, case).await?;
        let tell = self.above(&report.office);
        let told_office_id = tell.as_ref().map(ToString::to_string).unwrap_or_default();
        let on = report.found_on;
        self.handle::<Danger>(danger.to_string(), danger::Command::Raise { report, tell }, Some(on), &call).await?;
        let raised = self.load::<Danger>(&danger.to_string()).await?;
        let plan_due_at = raised.report().map(|report| instant(report.plan_due_at));
        let safe_contact = self.safe_contact(case, &call).await?;
        Ok(Response::new(wire::RaiseDangerResponse { safe_contact, plan_due_at, told_office_id }))
    }

    async fn record_safety_plan(
        &self,
        request: Request<wire::RecordSafetyPlanRequest>,
    ) -> Result<Response<wire::RecordSafetyPlanResponse>, Status> {
        let (call, request) = self.node.gate.open("RecordSafetyPlan", request)?;
        let danger = field::parse("danger_id", &request.danger_id)?;
        let made_on = field::day_so_far("made_on", &request.made_on, call.today())?;
        let review_on = field::parse_optional::<Date>("review_on", &request.review_on)?;
        let plan = field::text("plan", &request.plan, LONGEST_WORDS)?;
        let case = self.permit_danger(danger, &call).await?;
        let command = danger::Command::Plan { made_on, review_on };
        self.handle::<Danger>(danger.to_string(), command, Some(made_on), &call).await?;
        if let Some(text) = &plan {
            let id = format!("{danger} {made_on}");
            let words = Words { on: made_on, about: "safety plan".to_owned(), id, text };
            self.keep_words(case, &words, &call).await?;
        }
        let safe_contact = self.safe_contact(case, &call).await?;
        Ok(Response::new(wire::RecordSafetyPlanResponse { safe_contact }))
    }

    async fn assess_danger(
        &self,
        request: Request<wire::AssessDangerRequest>,
    ) -> Result<Response<wire::AssessDangerResponse>, Status> {
        let (call, request) = self.node.gate.open("AssessDanger", request)?;
        let danger = field::parse("danger_id", &request.danger_id)?;
        let assessed_on = field::day_so_far("assessed_on", &request.assessed_on, call.today())?;
        let findings = field::text("findings", &request.findings, LONGEST_WORDS)?;
        let case = self.permit_danger(danger, &call).await?;
        let command = danger::Command::Assess { assessed_on, is_over: request.is_over };
        self.handle::<Danger>(danger.to_string(), command, Some(assessed_on), &call).await?;
        if let Some(text) = &findings {
            let id = format!("{danger} assessed {assessed_on}");
            let words = Words { on: assessed_on, about: "assessment of danger".to_owned(), id, text };
            self.keep_words(case, &words, &call).await?;
        }
        Ok(Response::new(wire::AssessDangerResponse {}))
    }

    async fn list_dangers(
        &self,
        request: Request<wire::ListDangersRequest>,
    ) -> Result<Response<wire::ListDangersResponse>, Status> {
        let (call, request) = self.node.gate.open("ListDangers", request)?;
        let page = Page::read(request.page.as_ref())?;
        let (ended, limit, offset) = (request.with_ended, page.limit(), page.offset);
        let entries = dangers::of_office(call.office()?, ended, call.now, limit, offset, self.store.reader()).await;
        let (entries, page) = page.cut(entries.map_err(status::query)?);
        let cared_for = entries.iter().filter(|entry| entry.cares).map(|entry| &entry.case_id);
        let safe = self.safe_contacts(cases(cared_for), &call).await?;
        let write = |entry: dangers::Entry| {
            let contact = if entry.cares { safe.get(&entry.case_id) } else { None };
            write::danger(entry, contact.cloned().unwrap_or_default(), call.now)
        };
        let dangers = entries.into_iter().map(write).collect();
        Ok(Response::new(wire::ListDangersResponse { dangers, page }))
    }

    async fn record_contact_lost(
        &self,
        request: Request<wire::RecordContactLostRequest>,
    ) -> Result<Response<wire::RecordContactLostResponse>, Status> {
        let (call, request) = self.node.gate.open("RecordContactLost", request)?;
        let case: CaseId = field::parse("case_id", &request.case_id)?;
        let lost_on = field::day_so_far("lost_on", &request.lost_on, call.today())?;
        let reason = LossReason::read("reason", request.reason)?;
        self.permit(&call, case).await?;
        let to_meeting_on = lost_on.plus_days(self.node.policy.visits.late_after_days);
        let command = contact::Command::Lose { lost_on, reason, to_meeting_on };
        self.handle::<Contact>(case.to_string(), command, Some(lost_on), &call).await?;
        Ok(Response::new(wire::RecordContactLostResponse { to_meeting_on: to_meeting_on.to_string() }))
    }

    async fn record_search_step(
        &self,
        request: Request<wire::RecordSearchStepRequest>,
    ) -> Result<Response<wire::RecordSearchStepResponse>, Status> {
        let (call, request) = self.node.gate.open("RecordSearchStep", request)?;
        let case: CaseId = field::parse("case_id", &request.case_id)?;
        let step_id = field::parse("step_id", &request.step_id)?;
        let action = SearchAction::read("action", request.action)?;
        let done_on = field::day_so_far("done_on", &request.done_on, call.today())?;
        self.permit(&call, case).await?;
        let command = contact::Command::Search { step_id, action, done_on };
        self.handle::<Contact>(case.to_string(), command, Some(done_on), &call).await?;
        Ok(Response::new(wire::RecordSearchStepResponse {}))
    }

    async fn record_found(
        &self,
        request: Request<wire::RecordFoundRequest>,
    ) -> Result<Response<wire::RecordFoundResponse>, Status> {
        let (call, request) = self.node.gate.open("RecordFound", request)?;
        let case: CaseId = field::parse("case_id", &request.case_id)?;
        let found_on = field::day_so_far("found_on", &request.found_on, call.today())?;
        let place = FoundPlace::read("place", request.place)?;
        self.permit(&call, case).await?;
        let command = contact::Command::Find { found_on, place };
        self.handle::<Contact>(case.to_string(), command, Some(found_on), &call).await?;
        let safe_contact = self.safe_contact(case, &call).await?;
        Ok(Response::new(wire::RecordFoundResponse { safe_contact }))
    }

    async fn list_lost_contacts(
        &self,
        request: Request<wire::ListLostContactsRequest>,
    ) -> Result<Response<wire::ListLostContactsResponse>, Status> {
        let (call, request) = self.node.gate.open("ListLostContacts", request)?;
        let page = Page::read(request.page.as_ref())?;
        let entries = contacts::of_office(call.office()?, page.limit(), page.offset, self.store.reader()).await;
        let (entries, page) = page.cut(entries.map_err(status::query)?);
        let safe = self.safe_contacts(cases(entries.iter().map(|entry| &entry.case_id)), &call).await?;
        let write = |entry: contacts::Entry| {
            let contact = safe.get(&entry.case_id).cloned().unwrap_or_default();
            write::contact(entry, contact, call.today())
        };
        let contacts = entries.into_iter().map(write).collect();
        Ok(Response::new(wire::ListLostContactsResponse { contacts, page }))
    }

    async fn report_whereabouts(
        &self,
        request: Request<wire::ReportWhereaboutsRequest>,
    ) -> Result<Response<wire::ReportWhereaboutsResponse>, Status> {
        let (call, request) = self.node.gate.open("ReportWhereabouts", request)?;
        let case: CaseId = field::parse("case_id", &request.case_id)?;
        let until_day = field::parse_optional::<Date>("until_day", &request.until_day)?;
        let sighting = Sighting {
            office: call.office()?.clone(),
            whereabouts: Seen::read("whereabouts", request.whereabouts)?,
            from_day: field::day_so_far("from_day", &request.from_day, call.today())?,
            until_day,
        };
        let known = self.permit(&call, case).await?;
        let met = contradictions::met(case, self.store.reader()).await.map_err(status::query)?;
        let tell = known.other_office.parse().ok();
        let told_office_id = if tell.is_some() { known.other_office } else { String::new() };
        let above = met.last().and_then(|met| self.above(&met.office));
        let on = sighting.from_day;
        let command = whereabouts::Command::Sight { sighting, met, tell, above };
        self.handle::<Whereabouts>(case.to_string(), command, Some(on), &call).await?;
        Ok(Response::new(wire::ReportWhereaboutsResponse { told_office_id }))
    }

    async fn list_contradictions(
        &self,
        request: Request<wire::ListContradictionsRequest>,
    ) -> Result<Response<wire::ListContradictionsResponse>, Status> {
        let (call, request) = self.node.gate.open("ListContradictions", request)?;
        let page = Page::read(request.page.as_ref())?;
        let (resolved, limit, offset) = (request.with_resolved, page.limit(), page.offset);
        let entries = contradictions::of_office(call.office()?, resolved, limit, offset, self.store.reader()).await;
        let (entries, page) = page.cut(entries.map_err(status::query)?);
        let contradictions = entries.into_iter().map(|entry| write::contradiction(entry, call.now)).collect();
        Ok(Response::new(wire::ListContradictionsResponse { contradictions, page }))
    }

    async fn resolve_contradiction(
        &self,
        request: Request<wire::ResolveContradictionRequest>,
    ) -> Result<Response<wire::ResolveContradictionResponse>, Status> {
        let (call, request) = self.node.gate.open("ResolveContradiction", request)?;
        let visit_id: VisitId = field::parse("visit_id", &request.visit_id)?;
        let resolution = Resolution::read("resolution", request.resolution)?;
        let office = call.office()?;
        let found = contradictions::find(visit_id, office, self.store.reader()).await.map_err(status::query)?;
        let found = found.ok_or_else(|| status::not_found("contradiction"))?;
        let visited_by = found.visited_by.parse().ok();
        let above = visited_by.as_ref().and_then(|visited_by| self.above(visited_by));
        let concerned = [visited_by, found.seen_by.parse().ok(), above].into_iter().flatten();
        let tell: BTreeSet<_> = concerned.filter(|concerned| concerned != office).collect();
        let command = whereabouts::Command::Resolve { visit_id, resolution, tell };
        self.handle::<Whereabouts>(found.case_id, command, None, &call).await?;
        Ok(Response::new(wire::ResolveContradictionResponse {}))
    }
}

impl Grpc {
    /// The case of a danger, when the caller's office sees to it.
    async fn permit_danger(&self, danger: DangerId, call: &Call) -> Result<CaseId, Status> {
        let danger = self.load::<Danger>(&danger.to_string()).await?;
        let case = danger.report().map(|report| report.case).ok_or_else(|| status::not_found("danger"))?;
        self.permit(call, case).await.map_err(|refusal| {
            if refusal.code() == tonic::Code::NotFound { status::not_found("danger") } else { refusal }
        })?;
        Ok(case)
    }
}
