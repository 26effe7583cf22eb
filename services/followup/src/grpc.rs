//! Protobuf to commands and queries, and back. No rules.

use spean_chassis::words::{instant, stored};
use spean_chassis::{Call, Node, Page, field, standing, status};
use spean_contracts::followup::v1::followup_service_server::FollowupService;
use spean_contracts::followup::v1::{self as wire};
use spean_eventstore::{EventStore, Metadata};
use spean_identity::Standing;
use spean_vault::Reader;
use spean_vocabulary::{CaseId, Date, VisitOutcome};
use tokio::sync::Mutex;
use tonic::{Request, Response, Status};

use crate::findings::{self, Findings};
use crate::plan::{Command, Plan, VISITS, Visit};
use crate::visits::{self, Entry};

/// Longest function of a responsible adult, in characters.
const LONGEST_FUNCTION: usize = 60;
/// Longest findings, in characters.
const LONGEST_FINDINGS: usize = 4_000;
/// How far ahead the list of what is due can look, in days.
const FARTHEST_AHEAD: i64 = 366;

/// Follow-up over gRPC.
pub(crate) struct Grpc {
    pub(crate) node: Node,
    pub(crate) store: EventStore,
    /// Held while words are added to a narrative: it is read and written back.
    pub(crate) appending: Mutex<()>,
}

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
        self.handle(case, Command::Begin { reintegrated_on, is_holder }, reintegrated_on, &call).await?;
        Ok(Response::new(wire::PlanFollowUpResponse { visits: self.visits(case, &call).await? }))
    }

    async fn record_visit(
        &self,
        request: Request<wire::RecordVisitRequest>,
    ) -> Result<Response<wire::RecordVisitResponse>, Status> {
        let (call, request) = self.node.gate.open("RecordVisit", request)?;
        let case: CaseId = field::parse("case_id", &request.case_id)?;
        let findings = Findings {
            responsible_adult: field::text("responsible_adult", &request.responsible_adult, LONGEST_FUNCTION)?,
            text: field::text("findings", &request.findings, LONGEST_FINDINGS)?,
        };
        let visit = Visit {
            visit_id: field::parse("visit_id", &request.visit_id)?,
            number: u8::try_from(field::within("number", request.number.into(), 1, VISITS.into())?)
                .expect("it is between 1 and 12"),
            visited_on: field::day_so_far("visited_on", &request.visited_on, call.today())?,
            outcome: read_outcome(request.outcome)?,
            responsible_adult_present: findings.responsible_adult.is_some(),
        };
        let known = self.permit(&call, case).await?;
        let has_findings = findings.text.is_some();
        let command = Command::Record { visit: visit.clone(), is_child: known.is_child, has_findings };
        self.handle(case, command, visit.visited_on, &call).await?;
        // The words last, so that nothing is kept of a visit that was refused. Should the power fail between the two,
        // asking again completes it.
        self.keep(case, &visit, &findings, &call).await?;
        Ok(Response::new(wire::RecordVisitResponse {}))
    }

    async fn list_visits(
        &self,
        request: Request<wire::ListVisitsRequest>,
    ) -> Result<Response<wire::ListVisitsResponse>, Status> {
        let (call, request) = self.node.gate.open("ListVisits", request)?;
        let case = field::parse("case_id", &request.case_id)?;
        self.permit(&call, case).await?;
        Ok(Response::new(wire::ListVisitsResponse { visits: self.visits(case, &call).await? }))
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
        let visits = entries.into_iter().map(|entry| write_visit(entry, call.today())).collect();
        Ok(Response::new(wire::ListDueVisitsResponse { visits, page }))
    }
}

impl Grpc {
    async fn handle(&self, case: CaseId, command: Command, on: Date, call: &Call) -> Result<(), Status> {
        let metadata = Metadata { occurred_on: Some(on), ..call.metadata()? };
        let handled = self.store.handle::<Plan>(case.to_string(), command, call.context()?, metadata);
        handled.await.map_err(status::handled)?;
        Ok(())
    }

    /// Asks whether the caller's office has to do with the case in the way that the action needs.
    async fn permit(&self, call: &Call, case: CaseId) -> Result<standing::Known, Status> {
        let known = standing::of(case, call.office()?, self.store.reader()).await.map_err(status::query)?;
        let has = known.as_ref().map_or(Standing::Stranger, |known| known.standing);
        self.node.gate.permit(call, "case", has)?;
        known.ok_or_else(|| status::not_found("case"))
    }

    async fn keep(&self, case: CaseId, visit: &Visit, findings: &Findings, call: &Call) -> Result<(), Status> {
        let _appending = self.appending.lock().await;
        let plan = self.store.load::<Plan>(&case.to_string()).await.map_err(|error| status::store(&error))?;
        if plan.state.is_erased() {
            return Ok(());
        }
        let reader = Reader {
            staff: call.caller.staff.clone(),
            office: call.office()?.clone(),
            purpose: "to add what a follow-up visit found".to_owned(),
        };
        let kept = findings::keep(&self.node.vault, case.reinterpret(), visit, findings, &reader, call.now).await;
        kept.map_err(|error| status::vault(&error))
    }

    async fn visits(&self, case: CaseId, call: &Call) -> Result<Vec<wire::Visit>, Status> {
        let entries = visits::of_case(case, call.office()?, self.store.reader()).await.map_err(status::query)?;
        Ok(entries.into_iter().map(|entry| write_visit(entry, call.today())).collect())
    }
}

fn write_visit(entry: Entry, today: Date) -> wire::Visit {
    wire::Visit {
        overdue_days: entry.overdue_days(today),
        case_id: entry.case_id,
        case_number: entry.case_number,
        number: i32::try_from(entry.number).unwrap_or(i32::MAX),
        due_on: entry.due_on,
        visited_on: entry.visited_on,
        outcome: stored(&entry.outcome, write_outcome),
        recorded_at: entry.recorded_at.map(instant),
    }
}

fn read_outcome(outcome: i32) -> Result<VisitOutcome, Status> {
    match wire::VisitOutcome::try_from(outcome) {
        Ok(wire::VisitOutcome::Met) => Ok(VisitOutcome::Met),
        Ok(wire::VisitOutcome::Missed) => Ok(VisitOutcome::Missed),
        Ok(wire::VisitOutcome::Refused) => Ok(VisitOutcome::Refused),
        _ => Err(status::invalid("outcome", "one of the values of VisitOutcome, not the unspecified one")),
    }
}

const fn write_outcome(outcome: VisitOutcome) -> wire::VisitOutcome {
    match outcome {
        VisitOutcome::Met => wire::VisitOutcome::Met,
        VisitOutcome::Missed => wire::VisitOutcome::Missed,
        VisitOutcome::Refused => wire::VisitOutcome::Refused,
    }
}
