//! Visits over gRPC.

use spean_chassis::{Call, Page, field, standing, status};
use spean_contracts::followup::v1 as wire;
use spean_contracts::followup::v1::followup_service_server::FollowupService;
use spean_eventstore::Metadata;
use spean_identity::Standing;
use spean_vocabulary::{CaseId, Date, OfferId, PlaceCode, VisitOutcome};
use tonic::{Request, Response, Status};

use super::{Grpc, LONGEST_WORDS, MOST_CODES, cases, codes, day_ahead, offices, optional_code, read, write};
use crate::codes::{
    EndReason, ExtraVisitReason, FamilySearchOutcome, Finding, FollowUpState, FoundPlace, PersonFunction, ReopenReason,
    RescheduleReason,
};
use crate::contact::{self, Contact};
use crate::family_search::{self, Answer, FamilySearch};
use crate::findings::Words;
use crate::plan::{Command, InformalVisit, OpenMatters, Plan, Rhythm, Visit};
use crate::whereabouts::{self, Met, Whereabouts};
use crate::{contradictions, follow_ups, visits};

/// How far ahead the list of what is due can look, in days.
const FARTHEST_AHEAD: i64 = 366;

#[tonic::async_trait]
impl FollowupService for Grpc {
    async fn plan_follow_up(
        &self,
        request: Request<wire::PlanFollowUpRequest>,
    ) -> Result<Response<wire::PlanFollowUpResponse>, Status> {
        let (call, request) = self.node.gate.open("PlanFollowUp", request)?;
        let case = field::parse("case_id", &request.case_id)?;
        let reintegrated_on = field::day_so_far("reintegrated_on", &request.reintegrated_on, call.today())?;
        let known = self.permit(&call, case).await?;
        let is_holder = known.standing == Standing::Holds;
        let command = Command::Begin { reintegrated_on, rhythm: self.rhythm(), is_holder };
        self.handle::<Plan>(case.to_string(), command, Some(reintegrated_on), &call).await?;
        let safe_contact = self.safe_contact(case, &call).await?;
        let visits = self.visits(case, &safe_contact, &call).await?;
        Ok(Response::new(wire::PlanFollowUpResponse { visits, safe_contact }))
    }

    async fn record_visit(
        &self,
        request: Request<wire::RecordVisitRequest>,
    ) -> Result<Response<wire::RecordVisitResponse>, Status> {
        let (call, request) = self.node.gate.open("RecordVisit", request)?;
        let case: CaseId = field::parse("case_id", &request.case_id)?;
        let findings = field::text("findings", &request.findings, LONGEST_WORDS)?;
        let visit = read::visit(&request, &call)?;
        let known = self.permit(&call, case).await?;
        self.record(case, visit.clone(), &known, findings.is_some(), &call).await?;
        // The words last, so that nothing is kept of a visit that was refused. Should the power fail between the two,
        // asking again completes it.
        if let Some(text) = &findings {
            let (about, id) = (format!("visit {}", visit.number), visit.visit_id.to_string());
            self.keep_words(case, &Words { on: visit.visited_on, about, id, text }, &call).await?;
        }
        let safe_contact = self.safe_contact(case, &call).await?;
        let plan = self.load::<Plan>(&case.to_string()).await?;
        let next_due_on = plan.next_due_on().map(|day| day.to_string()).unwrap_or_default();
        Ok(Response::new(wire::RecordVisitResponse { safe_contact, next_due_on }))
    }

    async fn reschedule_visit(
        &self,
        request: Request<wire::RescheduleVisitRequest>,
    ) -> Result<Response<wire::RescheduleVisitResponse>, Status> {
        let (call, request) = self.node.gate.open("RescheduleVisit", request)?;
        let case = field::parse("case_id", &request.case_id)?;
        let command = Command::Reschedule {
            number: read::number("number", request.number)?,
            due_on: day_ahead("due_on", &request.due_on)?,
            reason: RescheduleReason::read("reason", request.reason)?,
            today: call.today(),
        };
        self.permit(&call, case).await?;
        self.handle::<Plan>(case.to_string(), command, None, &call).await?;
        let safe_contact = self.safe_contact(case, &call).await?;
        Ok(Response::new(wire::RescheduleVisitResponse { safe_contact }))
    }

    async fn add_visit(
        &self,
        request: Request<wire::AddVisitRequest>,
    ) -> Result<Response<wire::AddVisitResponse>, Status> {
        let (call, request) = self.node.gate.open("AddVisit", request)?;
        let case = field::parse("case_id", &request.case_id)?;
        let command = Command::Add {
            number: read::number("number", request.number)?,
            due_on: day_ahead("due_on", &request.due_on)?,
            reason: ExtraVisitReason::read("reason", request.reason)?,
            with_offices: offices("with_office_ids", &request.with_office_ids)?,
            today: call.today(),
        };
        self.permit(&call, case).await?;
        self.handle::<Plan>(case.to_string(), command, None, &call).await?;
        let safe_contact = self.safe_contact(case, &call).await?;
        Ok(Response::new(wire::AddVisitResponse { safe_contact }))
    }

    async fn record_move(
        &self,
        request: Request<wire::RecordMoveRequest>,
    ) -> Result<Response<wire::RecordMoveResponse>, Status> {
        let (call, request) = self.node.gate.open("RecordMove", request)?;
        let case = field::parse("case_id", &request.case_id)?;
        let place: PlaceCode = field::parse("place", &request.place)?;
        let moved_on = field::day_so_far("moved_on", &request.moved_on, call.today())?;
        self.permit(&call, case).await?;
        self.handle::<Plan>(case.to_string(), Command::Move { place, moved_on }, Some(moved_on), &call).await?;
        let directory = self.node.directory.current();
        let serving_office_id = directory.serving(&place).map(|serving| serving.office.id.to_string());
        let serving_office_id = serving_office_id.unwrap_or_default();
        Ok(Response::new(wire::RecordMoveResponse { serving_office_id }))
    }

    async fn close_follow_up(
        &self,
        request: Request<wire::CloseFollowUpRequest>,
    ) -> Result<Response<wire::CloseFollowUpResponse>, Status> {
        let (call, request) = self.node.gate.open("CloseFollowUp", request)?;
        let case = field::parse("case_id", &request.case_id)?;
        self.permit(&call, case).await?;
        let (closed_on, reason) = (call.today(), EndReason::GoalReached);
        let command = Command::Close { decision: None, closed_on, reason, open: OpenMatters::default() };
        self.handle::<Plan>(case.to_string(), command, None, &call).await?;
        Ok(Response::new(wire::CloseFollowUpResponse {}))
    }

    async fn reopen_follow_up(
        &self,
        request: Request<wire::ReopenFollowUpRequest>,
    ) -> Result<Response<wire::ReopenFollowUpResponse>, Status> {
        let (call, request) = self.node.gate.open("ReopenFollowUp", request)?;
        let case = field::parse("case_id", &request.case_id)?;
        let reason = ReopenReason::read("reason", request.reason)?;
        let reopened_on = field::day_so_far("reopened_on", &request.reopened_on, call.today())?;
        self.permit(&call, case).await?;
        let command = Command::Reopen { reason, reopened_on, rhythm: self.rhythm() };
        self.handle::<Plan>(case.to_string(), command, Some(reopened_on), &call).await?;
        Ok(Response::new(wire::ReopenFollowUpResponse {}))
    }

    async fn record_informal_visit(
        &self,
        request: Request<wire::RecordInformalVisitRequest>,
    ) -> Result<Response<wire::RecordInformalVisitResponse>, Status> {
        let (call, request) = self.node.gate.open("RecordInformalVisit", request)?;
        let case = field::parse("case_id", &request.case_id)?;
        let function = request.responsible_adult_function;
        let visit = InformalVisit {
            visit_id: field::parse("visit_id", &request.visit_id)?,
            visited_on: field::day_so_far("visited_on", &request.visited_on, call.today())?,
            findings: codes("finding_codes", &request.finding_codes, MOST_CODES, Finding::read)?,
            responsible_adult: optional_code("responsible_adult_function", function, PersonFunction::read)?,
        };
        let known = self.permit(&call, case).await?;
        let on = visit.visited_on;
        let command = Command::RecordInformal { visit, is_child: known.is_child };
        self.handle::<Plan>(case.to_string(), command, Some(on), &call).await?;
        let safe_contact = self.safe_contact(case, &call).await?;
        Ok(Response::new(wire::RecordInformalVisitResponse { safe_contact }))
    }

    async fn answer_tracing(
        &self,
        request: Request<wire::AnswerTracingRequest>,
    ) -> Result<Response<wire::AnswerTracingResponse>, Status> {
        let (call, request) = self.node.gate.open("AnswerTracing", request)?;
        let case: CaseId = field::parse("case_id", &request.case_id)?;
        let offer: OfferId = field::parse("offer_id", &request.offer_id)?;
        let outcome = FamilySearchOutcome::read("outcome", request.outcome)?;
        let answered_on = field::day_so_far("answered_on", &request.answered_on, call.today())?;
        let known = self.permit(&call, case).await?;
        let asked_by = known.other_office.parse().ok().filter(|_| known.offer_id == offer.to_string());
        let (Some(to), true) = (asked_by, matches!(known.word, "HELPS" | "BOUND")) else {
            return Err(status::forbidden("NOT_ASKED_TO_SEARCH", "your office did not agree to this search"));
        };
        let told_office_id = known.other_office;
        let answer = Answer { case, offer, from: call.office()?.clone(), to, outcome, answered_on };
        let command = family_search::Command::Give(answer);
        self.handle::<FamilySearch>(offer.to_string(), command, Some(answered_on), &call).await?;
        Ok(Response::new(wire::AnswerTracingResponse { told_office_id }))
    }

    async fn list_follow_ups(
        &self,
        request: Request<wire::ListFollowUpsRequest>,
    ) -> Result<Response<wire::ListFollowUpsResponse>, Status> {
        let (call, request) = self.node.gate.open("ListFollowUps", request)?;
        let page = Page::read(request.page.as_ref())?;
        let state = optional_code("state", request.state, FollowUpState::read)?;
        let (limit, offset) = (page.limit(), page.offset);
        let entries = follow_ups::of_office(call.office()?, state, limit, offset, self.store.reader()).await;
        let (entries, page) = page.cut(entries.map_err(status::query)?);
        let follow_ups = entries.into_iter().map(write::follow_up).collect();
        Ok(Response::new(wire::ListFollowUpsResponse { follow_ups, page }))
    }

    async fn list_visits(
        &self,
        request: Request<wire::ListVisitsRequest>,
    ) -> Result<Response<wire::ListVisitsResponse>, Status> {
        let (call, request) = self.node.gate.open("ListVisits", request)?;
        let case = field::parse("case_id", &request.case_id)?;
        let known = self.permit(&call, case).await?;
        let mut reports = visits::reports(case, self.store.reader()).await.map_err(status::query)?;
        // Who held the case once sees what it did itself, and no longer how to find the person.
        let is_former = known.standing == Standing::HeldBefore;
        let safe_contact = if is_former { String::new() } else { self.safe_contact(case, &call).await? };
        let mut visits = self.visits(case, &safe_contact, &call).await?;
        if is_former {
            let office = call.office()?.as_str();
            reports.retain(|report| report.office == office);
            visits.retain(|visit| reports.iter().any(|report| report.number == i64::from(visit.number)));
        }
        let reports = reports.into_iter().map(write::report).collect();
        Ok(Response::new(wire::ListVisitsResponse { visits, reports, safe_contact }))
    }

    async fn list_due_visits(
        &self,
        request: Request<wire::ListDueVisitsRequest>,
    ) -> Result<Response<wire::ListDueVisitsResponse>, Status> {
        let (call, request) = self.node.gate.open("ListDueVisits", request)?;
        let page = Page::read(request.page.as_ref())?;
        let ahead = field::within("within_days", request.within_days.into(), 0, FARTHEST_AHEAD)?;
        let until = call.today().plus_days(i32::try_from(ahead).expect("it is at most 366"));
        let entries = visits::due(call.office()?, until, page.limit(), page.offset, self.store.reader()).await;
        let (entries, page) = page.cut(entries.map_err(status::query)?);
        let visited = entries.iter().filter(|entry| !entry.handed_over).map(|entry| &entry.case_id);
        let contacts = self.safe_contacts(cases(visited), &call).await?;
        let write = |entry: visits::Entry| {
            let contact = if entry.handed_over { None } else { contacts.get(&entry.case_id) };
            write::visit(entry, contact.cloned().unwrap_or_default(), call.today())
        };
        let visits = entries.into_iter().map(write).collect();
        Ok(Response::new(wire::ListDueVisitsResponse { visits, page }))
    }
}

impl Grpc {
    fn rhythm(&self) -> Rhythm {
        let visits = &self.node.policy.visits;
        Rhythm { months: visits.months, every_months: visits.every_months }
    }

    async fn visits(&self, case: CaseId, safe_contact: &str, call: &Call) -> Result<Vec<wire::Visit>, Status> {
        let entries = visits::of_case(case, call.office()?, self.store.reader()).await.map_err(status::query)?;
        let write = |entry| write::visit(entry, safe_contact.to_owned(), call.today());
        Ok(entries.into_iter().map(write).collect())
    }

    /// In one commit: the visit, that somebody who was lost is found when they were met, and the doubt when another
    /// office has them.
    async fn record(
        &self,
        case: CaseId,
        visit: Visit,
        known: &standing::Known,
        has_findings: bool,
        call: &Call,
    ) -> Result<(), Status> {
        let context = call.context()?;
        let metadata = Metadata { occurred_on: Some(visit.visited_on), ..call.metadata()? };
        let above = self.above(&context.office);
        let command = Command::Record { visit: visit.clone(), is_child: known.is_child, has_findings };
        let recorded = self.store.transact(move |transaction| {
            Box::pin(async move {
                let id = case.to_string();
                transaction.decide::<Plan>(&id, command, &context, &metadata).await.map_err(status::handled)?;
                if visit.outcome != VisitOutcome::Met {
                    return Ok::<_, Status>(());
                }
                let contact = transaction.load::<Contact>(&id).await.map_err(|error| status::store(&error))?;
                if contact.state.lost_on().is_some_and(|lost_on: Date| lost_on <= visit.visited_on) {
                    let command = contact::Command::Find { found_on: visit.visited_on, place: FoundPlace::AtHome };
                    transaction.decide::<Contact>(&id, command, &context, &metadata).await.map_err(status::handled)?;
                }
                let (visit_id, visited_on) = (visit.visit_id, visit.visited_on);
                let met = contradictions::met(case, transaction.connection()).await.map_err(status::query)?;
                // Asked again, it is compared under the office that reported it first.
                let known = met.into_iter().find(|met| met.visit_id == visit_id);
                let met = known.unwrap_or_else(|| Met { visit_id, office: context.office.clone(), visited_on });
                let command = whereabouts::Command::Compare { met, above };
                transaction.decide::<Whereabouts>(&id, command, &context, &metadata).await.map_err(status::handled)?;
                Ok(())
            })
        });
        recorded.await.map_err(status::transacted)
    }
}
