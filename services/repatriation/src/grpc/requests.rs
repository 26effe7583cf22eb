//! Requests to bring people home.

use std::collections::BTreeSet;

use spean_chassis::words::stored;
use spean_chassis::{Call, Page, field, status};
use spean_contracts::repatriation::v1::{self as wire};
use spean_eventstore::HandleError;
use spean_vocabulary::{ArrivalId, Date, OfficeId, PersonId, RepatriationRequestId, StaffId};
use tonic::{Request, Status};

use super::{Grpc, count, read_country};
use crate::arrival::Arrival;
use crate::request::{
    Command, Deadlines, Delegation, Error, Owner, Part, Progress, Request as RepatriationRequest, Travel,
};
use crate::requests::{self, Entry, View};
use crate::words::{
    RepatriationDirection, RepatriationState, RepatriationStep as Step, StaffFunction, read_delegate_reason,
    read_direction, read_end_reason, read_escort, read_means, read_optional_step, read_skip_reason,
    read_staff_function, read_step, write_delegate_reason, write_direction, write_end_reason, write_escort,
    write_means, write_skip_reason, write_staff_function, write_state, write_step,
};

/// Most people of one request.
const MOST_PEOPLE: usize = 200;
/// Most steps that change hands at once.
const MOST_STEPS: usize = 200;

pub(super) async fn open_repatriation_request(
    grpc: &Grpc,
    request: Request<wire::OpenRepatriationRequestRequest>,
) -> Result<wire::OpenRepatriationRequestResponse, Status> {
    let (call, request) = grpc.node.gate.open("OpenRepatriationRequest", request)?;
    let id: RepatriationRequestId = field::parse("request_id", &request.request_id)?;
    let direction = read_direction("direction", request.direction)?;
    let country = read_country("country", &request.country)?;
    let country = country.ok_or_else(|| status::invalid("country", "a country as ISO 3166 alpha-2, such as TH"))?;
    let people = read_people(&request.person_ids)?;
    let (owner, owner_is_here) = read_owner(grpc, "owner", request.owner, &call)?;
    let known = load(grpc, id).await?;
    // Asked again on another day, a request of "today" is still that of the first day.
    let today = known.opened().map_or(call.today(), |opened| opened.requested_on);
    let requested_on = match request.requested_on.as_str() {
        "" => today,
        day => field::day_so_far("requested_on", day, call.today())?,
    };
    let deadlines = deadlines(grpc, &call);
    let command = Command::Open { direction, country, people, owner, owner_is_here, requested_on, deadlines };
    handle(grpc, id, command, &call).await?;
    let first = load(grpc, id).await?;
    let first = first.steps().next().and_then(|(_, progress)| progress.due);
    let due_on = first.map(|due| due.due_on.to_string()).unwrap_or_default();
    Ok(wire::OpenRepatriationRequestResponse { due_on })
}

pub(super) async fn complete_repatriation_step(
    grpc: &Grpc,
    request: Request<wire::CompleteRepatriationStepRequest>,
) -> Result<wire::CompleteRepatriationStepResponse, Status> {
    let (call, request) = grpc.node.gate.open("CompleteRepatriationStep", request)?;
    let id = field::parse("request_id", &request.request_id)?;
    let step = read_step("step", request.step)?;
    let on = field::day_so_far("done_on", &request.done_on, call.today())?;
    if matches!(step, Step::ApprovalHere | Step::ApprovalThere) {
        return Err(status::refused(&Error::StepHasItsOwnWay));
    }
    handle(grpc, id, Command::Complete { step, on, deadlines: deadlines(grpc, &call) }, &call).await?;
    Ok(wire::CompleteRepatriationStepResponse {})
}

pub(super) async fn approve_repatriation(
    grpc: &Grpc,
    request: Request<wire::ApproveRepatriationRequest>,
) -> Result<wire::ApproveRepatriationResponse, Status> {
    let (call, request) = grpc.node.gate.open("ApproveRepatriation", request)?;
    let id = field::parse("request_id", &request.request_id)?;
    let step = read_step("step", request.step)?;
    let on = field::day_so_far("approved_on", &request.approved_on, call.today())?;
    if !matches!(step, Step::ApprovalHere | Step::ApprovalThere) {
        return Err(status::refused(&Error::StepHasItsOwnWay));
    }
    handle(grpc, id, Command::Complete { step, on, deadlines: deadlines(grpc, &call) }, &call).await?;
    Ok(wire::ApproveRepatriationResponse {})
}

pub(super) async fn arrange_travel(
    grpc: &Grpc,
    request: Request<wire::ArrangeTravelRequest>,
) -> Result<wire::ArrangeTravelResponse, Status> {
    let (call, request) = grpc.node.gate.open("ArrangeTravel", request)?;
    let id = field::parse("request_id", &request.request_id)?;
    let travel = field::required("travel", request.travel)?;
    let travel = Travel {
        on: field::parse("travel.travels_on", &travel.travels_on)?,
        means: read_means("travel.means", travel.means)?,
        border_place: field::parse_optional("travel.border_place", &travel.border_place)?,
        escort: read_escort("travel.escort", travel.escort)?,
        receiving_office: field::parse_optional("travel.receiving_office_id", &travel.receiving_office_id)?,
    };
    let on = field::day_so_far("arranged_on", &request.arranged_on, call.today())?;
    handle(grpc, id, Command::ArrangeTravel { travel, on, deadlines: deadlines(grpc, &call) }, &call).await?;
    Ok(wire::ArrangeTravelResponse {})
}

pub(super) async fn record_reception(
    grpc: &Grpc,
    request: Request<wire::RecordReceptionRequest>,
) -> Result<wire::RecordReceptionResponse, Status> {
    let (call, request) = grpc.node.gate.open("RecordReception", request)?;
    let id = field::parse("request_id", &request.request_id)?;
    let person = field::parse("person_id", &request.person_id)?;
    let arrival: Option<ArrivalId> = field::parse_optional("arrival_id", &request.arrival_id)?;
    let mut on = field::day_so_far("received_on", &request.received_on, call.today())?;
    if let Some(arrival) = arrival {
        let loaded = grpc.store.load::<Arrival>(&arrival.to_string()).await.map_err(|error| status::store(&error))?;
        on = loaded.state.arrived_on().ok_or_else(|| status::refused(&Error::ArrivalNeeded))?;
    }
    handle(grpc, id, Command::Receive { person, arrival, on }, &call).await?;
    Ok(wire::RecordReceptionResponse {})
}

pub(super) async fn skip_repatriation_step(
    grpc: &Grpc,
    request: Request<wire::SkipRepatriationStepRequest>,
) -> Result<wire::SkipRepatriationStepResponse, Status> {
    let (call, request) = grpc.node.gate.open("SkipRepatriationStep", request)?;
    let id = field::parse("request_id", &request.request_id)?;
    let step = read_step("step", request.step)?;
    let reason = read_skip_reason("reason", request.reason)?;
    let on = field::day_so_far("skipped_on", &request.skipped_on, call.today())?;
    handle(grpc, id, Command::Skip { step, reason, on, deadlines: deadlines(grpc, &call) }, &call).await?;
    Ok(wire::SkipRepatriationStepResponse {})
}

pub(super) async fn end_repatriation(
    grpc: &Grpc,
    request: Request<wire::EndRepatriationRequest>,
) -> Result<wire::EndRepatriationResponse, Status> {
    let (call, request) = grpc.node.gate.open("EndRepatriation", request)?;
    let id = field::parse("request_id", &request.request_id)?;
    let people = read_people(&request.person_ids)?;
    let reason = read_end_reason("reason", request.reason)?;
    let on = field::day_so_far("ended_on", &request.ended_on, call.today())?;
    handle(grpc, id, Command::End { people, reason, on }, &call).await?;
    Ok(wire::EndRepatriationResponse {})
}

pub(super) async fn delegate_step(
    grpc: &Grpc,
    request: Request<wire::DelegateStepRequest>,
) -> Result<wire::DelegateStepResponse, Status> {
    let (call, request) = grpc.node.gate.open("DelegateStep", request)?;
    let id = field::parse("request_id", &request.request_id)?;
    let step = read_step("step", request.step)?;
    let (to, to_is_here) = read_owner(grpc, "to", request.to, &call)?;
    let reason = read_delegate_reason("reason", request.reason)?;
    let on = field::day_so_far("delegated_on", &request.delegated_on, call.today())?;
    handle(grpc, id, Command::Delegate { step, to, to_is_here, reason, on }, &call).await?;
    Ok(wire::DelegateStepResponse {})
}

pub(super) async fn succeed_owner(
    grpc: &Grpc,
    request: Request<wire::SucceedOwnerRequest>,
) -> Result<wire::SucceedOwnerResponse, Status> {
    let (call, request) = grpc.node.gate.open("SucceedOwner", request)?;
    let from: StaffId = field::parse("from_staff_id", &request.from_staff_id)?;
    let (to, to_is_here) = read_owner(grpc, "to", request.to, &call)?;
    let reason = read_delegate_reason("reason", request.reason)?;
    let on = field::day_so_far("delegated_on", &request.delegated_on, call.today())?;
    let (context, metadata) = (call.context()?, call.metadata()?);
    let succeeded = grpc.store.transact(move |transaction| {
        Box::pin(async move {
            let open = requests::steps_of(&from, &context.office, transaction.connection()).await;
            let open = open.map_err(status::query)?;
            let left = open.len().saturating_sub(MOST_STEPS);
            let mut steps = Vec::new();
            for (request_id, step) in open.into_iter().take(MOST_STEPS) {
                let command = Command::Delegate { step, to: to.clone(), to_is_here, reason, on };
                let decided =
                    transaction.decide::<RepatriationRequest>(&request_id, command, &context, &metadata).await;
                let refusal = match decided {
                    Ok(_) => "",
                    Err(HandleError::Refused(error)) => error.into(),
                    Err(error) => return Err(status::handled(error)),
                };
                let (step, refusal) = (write_step(step).into(), refusal.to_owned());
                steps.push(wire::SucceededStep { request_id, step, refusal });
            }
            Ok::<_, Status>(wire::SucceedOwnerResponse { steps, left: count(left) })
        })
    });
    succeeded.await.map_err(status::transacted)
}

pub(super) async fn list_repatriation_requests(
    grpc: &Grpc,
    request: Request<wire::ListRepatriationRequestsRequest>,
) -> Result<wire::ListRepatriationRequestsResponse, Status> {
    let (call, request) = grpc.node.gate.open("ListRepatriationRequests", request)?;
    let page = Page::read(request.page.as_ref())?;
    let view = match wire::RepatriationView::try_from(request.view) {
        Ok(wire::RepatriationView::Unspecified | wire::RepatriationView::Open) => View::Open,
        Ok(wire::RepatriationView::Late) => View::Late,
        Ok(wire::RepatriationView::NationalityDenied) => View::NationalityDenied,
        Ok(wire::RepatriationView::Ended) => View::Ended,
        Err(_) => return Err(status::invalid("view", "one of the values of RepatriationView")),
    };
    let step = read_optional_step("step", request.step)?;
    let (today, part) = (call.today(), (page.limit(), page.offset));
    let entries = requests::of_office(call.office()?, view, step, today, part, grpc.store.reader()).await;
    let (entries, page) = page.cut(entries.map_err(status::query)?);
    let requests = entries.into_iter().map(|entry| write_summary(entry, today)).collect();
    Ok(wire::ListRepatriationRequestsResponse { requests, page })
}

pub(super) async fn get_repatriation_request(
    grpc: &Grpc,
    request: Request<wire::GetRepatriationRequestRequest>,
) -> Result<wire::GetRepatriationRequestResponse, Status> {
    let (call, request) = grpc.node.gate.open("GetRepatriationRequest", request)?;
    let id: RepatriationRequestId = field::parse("request_id", &request.request_id)?;
    let entry = requests::find(&id.to_string(), call.office()?, grpc.store.reader()).await.map_err(status::query)?;
    let entry = entry.ok_or_else(|| status::refused(&Error::NoSuchRequest))?;
    let state = load(grpc, id).await?;
    Ok(wire::GetRepatriationRequestResponse {
        summary: Some(write_summary(entry, call.today())),
        people: state.people().map(|(person, part)| write_person(person, part)).collect(),
        steps: state.steps().map(|(step, progress)| write_progress(&state, step, progress)).collect(),
        travel: state.travel().map(write_travel),
    })
}

async fn load(grpc: &Grpc, id: RepatriationRequestId) -> Result<RepatriationRequest, Status> {
    let loaded = grpc.store.load::<RepatriationRequest>(&id.to_string()).await;
    Ok(loaded.map_err(|error| status::store(&error))?.state)
}

async fn handle(grpc: &Grpc, id: RepatriationRequestId, command: Command, call: &Call) -> Result<(), Status> {
    let (context, metadata) = (call.context()?, call.metadata()?);
    let handled = grpc.store.handle::<RepatriationRequest>(id.to_string(), command, context, metadata).await;
    handled.map_err(status::handled)?;
    Ok(())
}

/// The days of the policy of the day. Until somebody has taken the request up, its documents cannot be gathered; a family
/// is confirmed on papers too.
fn deadlines(grpc: &Grpc, call: &Call) -> Deadlines {
    let policy = grpc.policies.on(call.now);
    let days = &policy.repatriation;
    Deadlines([
        days.request_days + days.documents_days,
        days.nationality_check_days,
        days.documents_days,
        days.approval_at_home_days,
        days.approval_abroad_days,
        days.travel_days,
        days.reception_days,
    ])
}

fn read_people(people: &[String]) -> Result<BTreeSet<PersonId>, Status> {
    field::at_most("person_ids", people, MOST_PEOPLE)?;
    let read = |(index, person): (usize, &String)| field::parse(&format!("person_ids[{index}]"), person);
    people.iter().enumerate().map(read).collect()
}

/// Reads an owner, and whether the office is one of this node.
fn read_owner(grpc: &Grpc, path: &str, owner: Option<wire::StepOwner>, call: &Call) -> Result<(Owner, bool), Status> {
    let owner = field::required(path, owner)?;
    let office: Option<OfficeId> = field::parse_optional(&format!("{path}.office_id"), &owner.office_id)?;
    let office = office.map_or_else(|| call.office().cloned(), Ok)?;
    let is_here = grpc.node.directory.current().office(&office).is_some_and(|known| known.node == grpc.node.id);
    let owner = Owner {
        office,
        function: read_staff_function(&format!("{path}.function"), owner.function)?,
        staff: field::parse_optional(&format!("{path}.staff_id"), &owner.staff_id)?,
    };
    Ok((owner, is_here))
}

fn write_owner(owner: &Owner) -> wire::StepOwner {
    wire::StepOwner {
        office_id: owner.office.to_string(),
        function: write_staff_function(owner.function).into(),
        staff_id: owner.staff.as_ref().map(ToString::to_string).unwrap_or_default(),
    }
}

fn write_summary(entry: Entry, today: Date) -> wire::RepatriationSummary {
    let since: Option<Date> = entry.since.parse().ok();
    let due_on: Option<Date> = entry.due_on.parse().ok();
    let owner = (!entry.owner_office.is_empty()).then(|| wire::StepOwner {
        office_id: entry.owner_office,
        function: stored::<StaffFunction, wire::StaffFunction>(&entry.owner_function, write_staff_function),
        staff_id: entry.owner_staff,
    });
    wire::RepatriationSummary {
        request_id: entry.request_id,
        office_id: entry.office,
        direction: stored::<RepatriationDirection, _>(&entry.direction, write_direction),
        country: entry.country,
        requested_on: entry.requested_on,
        state: stored::<RepatriationState, _>(&entry.state, write_state),
        step: stored::<Step, _>(&entry.step, write_step),
        owner,
        since: entry.since,
        age_days: since.map_or(0, |since| today.days_since(since).max(0)),
        due_on: entry.due_on,
        late: due_on.is_some_and(|due_on| due_on < today),
        people: count(entry.people),
        received: count(entry.received),
        nationality_denied: count(entry.denied),
    }
}

fn write_person(person: PersonId, part: Part) -> wire::RepatriationPerson {
    let (state, reason, arrival, on) = match part {
        Part::UnderWay => (RepatriationState::UnderWay, None, None, None),
        Part::Received { arrival, on } => (RepatriationState::Received, None, arrival, Some(on)),
        Part::Ended { reason, on } => (reason.state(), Some(reason), None, Some(on)),
    };
    wire::RepatriationPerson {
        person_id: person.to_string(),
        state: write_state(state).into(),
        reason: reason.map_or(0, |reason| write_end_reason(reason).into()),
        arrival_id: arrival.map(|arrival| arrival.to_string()).unwrap_or_default(),
        on: on.map(|on| on.to_string()).unwrap_or_default(),
    }
}

fn write_progress(request: &RepatriationRequest, step: Step, progress: &Progress) -> wire::RepatriationStepView {
    use wire::RepatriationStepState as State;
    let state = match (progress.closed, progress.due) {
        (Some(closed), _) if closed.skipped.is_some() => State::Skipped,
        (Some(_), _) => State::Done,
        (None, Some(_)) if request.current().is_some() => State::Open,
        (None, _) => State::Waiting,
    };
    let skipped = progress.closed.and_then(|closed| closed.skipped);
    wire::RepatriationStepView {
        step: write_step(step).into(),
        state: state.into(),
        owner: Some(write_owner(&progress.owner)),
        since: progress.due.map(|due| due.since.to_string()).unwrap_or_default(),
        due_on: progress.due.map(|due| due.due_on.to_string()).unwrap_or_default(),
        closed_on: progress.closed.map(|closed| closed.on.to_string()).unwrap_or_default(),
        skip_reason: skipped.map_or(0, |reason| write_skip_reason(reason).into()),
        delegations: request.delegations(step).map(write_delegation).collect(),
    }
}

fn write_delegation(delegation: &Delegation) -> wire::StepDelegation {
    wire::StepDelegation {
        from: Some(write_owner(&delegation.from)),
        to: Some(write_owner(&delegation.to)),
        on: delegation.on.to_string(),
        reason: write_delegate_reason(delegation.reason).into(),
    }
}

fn write_travel(travel: &Travel) -> wire::Travel {
    wire::Travel {
        travels_on: travel.on.to_string(),
        means: write_means(travel.means).into(),
        border_place: travel.border_place.map(|place| place.to_string()).unwrap_or_default(),
        escort: write_escort(travel.escort).into(),
        receiving_office_id: travel.receiving_office.as_ref().map(ToString::to_string).unwrap_or_default(),
    }
}
