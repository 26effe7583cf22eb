//! Who does the work, over gRPC.

use std::collections::{BTreeMap, BTreeSet};

use spean_chassis::{Page, field, status};
use spean_contracts::followup::v1 as wire;
use spean_contracts::followup::v1::supervision_service_server::SupervisionService;
use spean_eventstore::Metadata;
use spean_vocabulary::{CaseId, Date, OfficeId, PostHandoverId, StaffId, SupervisionId};
use tonic::{Request, Response, Status};

use super::{Grpc, write};
use crate::codes::{Check, CheckResult, Duty};
use crate::post::{self, Handover, Item, Post};
use crate::supervision::{self, Point, Supervision};
use crate::worker::{self, Assignment};
use crate::{posts, supervisions};

/// Most points of one visit.
const MOST_POINTS: usize = 10;

#[tonic::async_trait]
impl SupervisionService for Grpc {
    async fn assign_worker(
        &self,
        request: Request<wire::AssignWorkerRequest>,
    ) -> Result<Response<wire::AssignWorkerResponse>, Status> {
        let (call, request) = self.node.gate.open("AssignWorker", request)?;
        let case: CaseId = field::parse("case_id", &request.case_id)?;
        let worker: StaffId = field::parse("worker", &request.worker)?;
        self.permit(&call, case).await?;
        let (duty, item) = (Duty::Case, case.to_string());
        let id = worker::stream(call.office()?, duty, &item);
        self.handle::<Assignment>(id, worker::Command::Assign { duty, item, worker }, None, &call).await?;
        Ok(Response::new(wire::AssignWorkerResponse {}))
    }

    async fn hand_over_post(
        &self,
        request: Request<wire::HandOverPostRequest>,
    ) -> Result<Response<wire::HandOverPostResponse>, Status> {
        let (call, request) = self.node.gate.open("HandOverPost", request)?;
        let handover: PostHandoverId = field::parse("handover_id", &request.handover_id)?;
        let from: StaffId = field::parse("from_worker", &request.from_worker)?;
        let to: StaffId = field::parse("to_worker", &request.to_worker)?;
        let handed_over_on = field::day_so_far("handed_over_on", &request.handed_over_on, call.today())?;
        let context = call.context()?;
        let metadata = Metadata { occurred_on: Some(handed_over_on), ..call.metadata()? };
        let id = handover.to_string();
        let handed_over = self.store.transact(move |transaction| {
            Box::pin(async move {
                let items = posts::of_worker(&from, &context.office, transaction.connection()).await;
                let items: BTreeSet<_> = items.map_err(status::query)?.into_iter().collect();
                let command = post::Command::HandOver(Handover { from, to, handed_over_on, items });
                transaction.decide::<Post>(&id, command, &context, &metadata).await.map_err(status::handled)?;
                Ok::<_, Status>(())
            })
        });
        handed_over.await.map_err(status::transacted)?;
        let items = posts::of_handover(&handover.to_string(), call.office()?, self.store.reader()).await;
        let items = items.map_err(status::query)?;
        let items = items.into_iter().map(|item| write::handed_over(item, call.today())).collect();
        Ok(Response::new(wire::HandOverPostResponse { items }))
    }

    async fn acknowledge_handed_over(
        &self,
        request: Request<wire::AcknowledgeHandedOverRequest>,
    ) -> Result<Response<wire::AcknowledgeHandedOverResponse>, Status> {
        let (call, request) = self.node.gate.open("AcknowledgeHandedOver", request)?;
        let handover: PostHandoverId = field::parse("handover_id", &request.handover_id)?;
        let duty = Duty::read("duty", request.duty)?;
        let item_id: CaseId = field::parse("item_id", &request.item_id)?;
        let id = handover.to_string();
        let items = posts::of_handover(&id, call.office()?, self.store.reader()).await.map_err(status::query)?;
        if items.is_empty() {
            return Err(status::not_found("handover"));
        }
        let item = Item { duty, id: item_id.to_string() };
        let (context, metadata) = (call.context()?, call.metadata()?);
        let worker = call.caller.staff.clone();
        let acknowledged = self.store.transact(move |transaction| {
            Box::pin(async move {
                let known = transaction.load::<Post>(&id).await.map_err(|error| status::store(&error))?.state;
                let again = known.has_acknowledged(&item);
                let command = post::Command::Acknowledge(item.clone());
                transaction.decide::<Post>(&id, command, &context, &metadata).await.map_err(status::handled)?;
                // It may be somebody else's by now.
                if !again {
                    let stream = worker::stream(&context.office, duty, &item.id);
                    let command = worker::Command::Assign { duty, item: item.id, worker };
                    let assigned = transaction.decide::<Assignment>(&stream, command, &context, &metadata).await;
                    assigned.map_err(status::handled)?;
                }
                Ok::<_, Status>(())
            })
        });
        acknowledged.await.map_err(status::transacted)?;
        Ok(Response::new(wire::AcknowledgeHandedOverResponse {}))
    }

    async fn list_handed_over(
        &self,
        request: Request<wire::ListHandedOverRequest>,
    ) -> Result<Response<wire::ListHandedOverResponse>, Status> {
        let (call, request) = self.node.gate.open("ListHandedOver", request)?;
        let page = Page::read(request.page.as_ref())?;
        let entries = posts::waiting(call.office()?, page.limit(), page.offset, self.store.reader()).await;
        let (entries, page) = page.cut(entries.map_err(status::query)?);
        let items = entries.into_iter().map(|entry| write::handed_over(entry, call.today())).collect();
        Ok(Response::new(wire::ListHandedOverResponse { items, page }))
    }

    async fn get_caseload(
        &self,
        request: Request<wire::GetCaseloadRequest>,
    ) -> Result<Response<wire::GetCaseloadResponse>, Status> {
        let (call, request) = self.node.gate.open("GetCaseload", request)?;
        let page = Page::read(request.page.as_ref())?;
        let (limit, offset) = (page.limit(), page.offset);
        let entries = posts::caseload(call.office()?, call.today(), limit, offset, self.store.reader()).await;
        let (entries, page) = page.cut(entries.map_err(status::query)?);
        let caseloads = entries.into_iter().map(write::caseload).collect();
        Ok(Response::new(wire::GetCaseloadResponse { caseloads, page }))
    }

    async fn record_supervision(
        &self,
        request: Request<wire::RecordSupervisionRequest>,
    ) -> Result<Response<wire::RecordSupervisionResponse>, Status> {
        let (call, request) = self.node.gate.open("RecordSupervision", request)?;
        let supervision: SupervisionId = field::parse("supervision_id", &request.supervision_id)?;
        let office: OfficeId = field::parse("office_id", &request.office_id)?;
        let visited_on = field::day_so_far("visited_on", &request.visited_on, call.today())?;
        let visit = supervision::Visit {
            by: call.office()?.clone(),
            worker: field::parse_optional("worker", &request.worker)?,
            visited_on,
            points: read_points(&request.points)?,
            office,
        };
        self.supervises(&visit.by, &visit.office)?;
        let command = supervision::Command::Visit(visit);
        self.handle::<Supervision>(supervision.to_string(), command, Some(visited_on), &call).await?;
        Ok(Response::new(wire::RecordSupervisionResponse {}))
    }

    async fn record_supervision_outcome(
        &self,
        request: Request<wire::RecordSupervisionOutcomeRequest>,
    ) -> Result<Response<wire::RecordSupervisionOutcomeResponse>, Status> {
        let (call, request) = self.node.gate.open("RecordSupervisionOutcome", request)?;
        let supervision: SupervisionId = field::parse("supervision_id", &request.supervision_id)?;
        let check = Check::read("check", request.check)?;
        let result = CheckResult::read("result", request.result)?;
        let seen_on = field::day_so_far("seen_on", &request.seen_on, call.today())?;
        let id = supervision.to_string();
        let known = self.load::<Supervision>(&id).await?;
        let office = call.office()?;
        if !known.visit().is_some_and(|visit| visit.office == *office || visit.by == *office) {
            return Err(status::not_found("supervision"));
        }
        let command = supervision::Command::See { check, result, seen_on };
        self.handle::<Supervision>(id, command, Some(seen_on), &call).await?;
        Ok(Response::new(wire::RecordSupervisionOutcomeResponse {}))
    }

    async fn list_supervision(
        &self,
        request: Request<wire::ListSupervisionRequest>,
    ) -> Result<Response<wire::ListSupervisionResponse>, Status> {
        let (call, request) = self.node.gate.open("ListSupervision", request)?;
        let page = Page::read(request.page.as_ref())?;
        let (open, limit, offset) = (request.open_only, page.limit(), page.offset);
        let entries = supervisions::of_office(call.office()?, open, limit, offset, self.store.reader()).await;
        let (entries, page) = page.cut(entries.map_err(status::query)?);
        let entries = entries.into_iter().map(|entry| write::supervision(entry, call.today())).collect();
        Ok(Response::new(wire::ListSupervisionResponse { entries, page }))
    }
}

impl Grpc {
    /// Asks whether an office supervises another: itself, or one below it.
    fn supervises(&self, by: &OfficeId, office: &OfficeId) -> Result<(), Status> {
        let directory = self.node.directory.current();
        if by == office || directory.ladder(office).any(|above| above.id == *by) {
            return Ok(());
        }
        Err(status::invalid("office_id", "your office, or one below it"))
    }
}

fn read_points(points: &[wire::SupervisionPoint]) -> Result<BTreeMap<Check, Point>, Status> {
    field::at_most("points", points, MOST_POINTS)?;
    let read = |(index, point): (usize, &wire::SupervisionPoint)| {
        let at = |name: &str| format!("points[{index}].{name}");
        let check = Check::read(&at("check"), point.check)?;
        let result = CheckResult::read(&at("result"), point.result)?;
        let mend_by = field::parse_optional::<Date>(&at("mend_by"), &point.mend_by)?;
        Ok((check, Point { result, mend_by }))
    };
    points.iter().enumerate().map(read).collect()
}
