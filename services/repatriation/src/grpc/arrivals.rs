//! Who came, who is known already, who waits, who left.

use std::collections::BTreeSet;
use std::sync::Arc;

use spean_chassis::words::{instant, stored, write_age_band, write_need, write_sex};
use spean_chassis::{Call, Page, field, person, status};
use spean_contracts::referral::v1::{OfferKind as WireOfferKind, OfferState};
use spean_contracts::repatriation::v1::{self as wire};
use spean_vault::{Reader, Vault};
use spean_vocabulary::{ArrivalId, CaseId, Date, OfferKind, RepatriationRequestId, Timestamp};
use tonic::{Request, Status};

use super::{Grpc, care, count, read_circumstances};
use crate::arrival::{Arrival, ByRequest, Command, DepartureKind, Error, OfferEnd, Route};
use crate::arrivals::{self, Answer, Entry};
use crate::known::KnownPeople;
use crate::reconciliation::{self, Sums};
use crate::request::{Command as RequestCommand, Request as RepatriationRequest};
use crate::urgent;
use crate::words::{write_bed_group, write_over_capacity};

pub(super) async fn register_arrival(
    grpc: &Grpc,
    request: Request<wire::RegisterArrivalRequest>,
) -> Result<wire::RegisterArrivalResponse, Status> {
    let (call, request) = grpc.node.gate.open("RegisterArrival", request)?;
    let arrival: ArrivalId = field::parse("arrival_id", &request.arrival_id)?;
    let described = person::read("person", request.person, call.today())?;
    let known = grpc.store.load::<Arrival>(&arrival.to_string()).await.map_err(|error| status::store(&error))?;
    // Asked again on another day, an arrival "today" is still that of the first day.
    let today = known.state.arrived_on().unwrap_or(call.today());
    let circumstances = read_circumstances(request.circumstances, today, &call)?;
    let by_request = read_by_request(&request.repatriation_request_id, &request.repatriation_person_id)?;
    if !known.state.exists()
        && arrivals::is_case_elsewhere(arrival, grpc.store.reader()).await.map_err(status::query)?
    {
        return Err(status::refused(&Error::ArrivalIdTaken));
    }
    let codes = described.codes(circumstances.arrived_on);
    let (person, on) = (arrival.reinterpret(), circumstances.arrived_on);
    let command = Command::Register { person, circumstances, codes, needs: BTreeSet::new(), by_request };
    let (context, metadata) = (call.context()?, call.metadata()?);
    let (vault, now, told) = (Arc::clone(&grpc.node.vault), call.now, described.clone());
    let registered = grpc.store.transact(move |transaction| {
        Box::pin(async move {
            let id = arrival.to_string();
            let known = transaction.load::<Arrival>(&id).await.map_err(|error| status::store(&error))?;
            transaction.decide::<Arrival>(&id, command, &context, &metadata).await.map_err(status::handled)?;
            if let Some(ByRequest { request, person }) = by_request {
                let received = RequestCommand::Receive { person, arrival: Some(arrival), on };
                let id = request.to_string();
                let decided = transaction.decide::<RepatriationRequest>(&id, received, &context, &metadata).await;
                decided.map_err(status::handled)?;
            }
            // Between the decision and its commit: nothing is kept of an arrival that is refused, nothing is missing of
            // one that is on record, and asking again brings back nothing that was erased since.
            if known.state.exists() { Ok(()) } else { keep(&vault, arrival, &told, now).await }
        })
    });
    registered.await.map_err(status::transacted)?;
    let known = known_people(grpc, arrival, &described, &call).await?;
    Ok(wire::RegisterArrivalResponse { case_id: arrival.to_string(), known })
}

fn read_by_request(request: &str, person: &str) -> Result<Option<ByRequest>, Status> {
    let read: Option<RepatriationRequestId> = field::parse_optional("repatriation_request_id", request)?;
    match (read, person.is_empty()) {
        (None, true) => Ok(None),
        (None, false) => Err(status::invalid("repatriation_request_id", "the request that the person is of")),
        (Some(request), _) => Ok(Some(ByRequest { request, person: field::parse("repatriation_person_id", person)? })),
    }
}

/// Cases here that may be of the same person.
async fn known_people(
    grpc: &Grpc,
    arrival: ArrivalId,
    described: &person::Described,
    call: &Call,
) -> Result<Vec<wire::KnownPerson>, Status> {
    let purpose = "to notice that somebody who arrived is known already".to_owned();
    let reader = Reader { staff: call.caller.staff.clone(), office: call.office()?.clone(), purpose };
    let but = BTreeSet::from([arrival.reinterpret()]);
    let known = grpc.node.vault.search(&reader, call.now, move |people| KnownPeople::of(&people, &but)).await;
    let known = known.map_err(|error| status::vault(&error))?;
    let mut people = Vec::new();
    for (case, reasons) in known.like(&described.identity) {
        let case_id = case.to_string();
        people.push(wire::KnownPerson {
            case_number: arrivals::number_of(&case_id, grpc.store.reader()).await.map_err(status::query)?,
            case_id,
            reasons: reasons.into_iter().map(str::to_owned).collect(),
        });
    }
    Ok(people)
}

async fn keep(vault: &Vault, arrival: ArrivalId, described: &person::Described, now: Timestamp) -> Result<(), Status> {
    let kept = vault.put_people(&[described.parts(arrival.reinterpret())], now).await;
    kept.map_err(|error| status::vault(&error))
}

pub(super) async fn confirm_same_person(
    grpc: &Grpc,
    request: Request<wire::ConfirmSamePersonRequest>,
) -> Result<wire::ConfirmSamePersonResponse, Status> {
    let (call, request) = grpc.node.gate.open("ConfirmSamePerson", request)?;
    let arrival: ArrivalId = field::parse("arrival_id", &request.arrival_id)?;
    let other: CaseId = field::parse("other_case_id", &request.other_case_id)?;
    let on = field::day_so_far("confirmed_on", &request.confirmed_on, call.today())?;
    let is_known = arrivals::is_known(other, grpc.store.reader()).await.map_err(status::query)?;
    let command = Command::ConfirmSamePerson { arrival: arrival.reinterpret(), other, is_known, on };
    grpc.handle(arrival, command, &call).await?;
    Ok(wire::ConfirmSamePersonResponse {})
}

pub(super) async fn list_arrivals(
    grpc: &Grpc,
    request: Request<wire::ListArrivalsRequest>,
) -> Result<wire::ListArrivalsResponse, Status> {
    let (call, request) = grpc.node.gate.open("ListArrivals", request)?;
    let page = Page::read(request.page.as_ref())?;
    let (office, reader) = (call.office()?, grpc.store.reader());
    let entries = arrivals::of_office(office, request.present_only, page.limit(), page.offset, reader).await;
    let (entries, page) = page.cut(entries.map_err(status::query)?);
    let today = call.today();
    Ok(wire::ListArrivalsResponse {
        arrivals: entries.into_iter().map(|entry| write_arrival(entry, today)).collect(),
        page,
    })
}

pub(super) async fn list_waiting_arrivals(
    grpc: &Grpc,
    request: Request<wire::ListWaitingArrivalsRequest>,
) -> Result<wire::ListWaitingArrivalsResponse, Status> {
    let (call, request) = grpc.node.gate.open("ListWaitingArrivals", request)?;
    let page = Page::read(request.page.as_ref())?;
    let entries = arrivals::waiting(call.office()?, page.limit(), page.offset, grpc.store.reader()).await;
    let (entries, page) = page.cut(entries.map_err(status::query)?);
    let today = call.today();
    Ok(wire::ListWaitingArrivalsResponse {
        arrivals: entries.into_iter().map(|entry| write_arrival(entry, today)).collect(),
        page,
    })
}

pub(super) async fn get_arrival(
    grpc: &Grpc,
    request: Request<wire::GetArrivalRequest>,
) -> Result<wire::GetArrivalResponse, Status> {
    let (call, request) = grpc.node.gate.open("GetArrival", request)?;
    let arrival: ArrivalId = field::parse("arrival_id", &request.arrival_id)?;
    let reader = grpc.store.reader();
    let entry = arrivals::find(arrival, call.office()?, reader).await.map_err(status::query)?;
    let entry = entry.ok_or_else(|| status::refused(&Error::NoSuchArrival))?;
    let answers = arrivals::answers(arrival, reader).await.map_err(status::query)?;
    let urgent = urgent::of_arrival(arrival, reader).await.map_err(status::query)?;
    Ok(wire::GetArrivalResponse {
        arrival: Some(write_arrival(entry, call.today())),
        offers: answers.into_iter().map(write_answer).collect(),
        urgent_needs: urgent.into_iter().map(|urgent| care::write_urgent(urgent, call.now)).collect(),
        same_person_case_ids: arrivals::same_person(arrival, reader).await.map_err(status::query)?,
    })
}

pub(super) async fn record_departure(
    grpc: &Grpc,
    request: Request<wire::RecordDepartureRequest>,
) -> Result<wire::RecordDepartureResponse, Status> {
    let (call, request) = grpc.node.gate.open("RecordDeparture", request)?;
    let arrival = field::parse("arrival_id", &request.arrival_id)?;
    let kind = match request.kind() {
        wire::DepartureKind::HandedOver => DepartureKind::HandedOver,
        wire::DepartureKind::OwnWill => DepartureKind::OwnWill,
        wire::DepartureKind::Missing => DepartureKind::Missing,
        wire::DepartureKind::Unspecified => {
            return Err(status::invalid("kind", "one of the values of DepartureKind, not the unspecified one"));
        }
    };
    let on = field::day_so_far("departed_on", &request.departed_on, call.today())?;
    let to = field::parse_optional("to_office_id", &request.to_office_id)?;
    grpc.handle(arrival, Command::RecordDeparture { kind, on, to }, &call).await?;
    Ok(wire::RecordDepartureResponse {})
}

pub(super) async fn reconcile_arrivals(
    grpc: &Grpc,
    request: Request<wire::ReconcileArrivalsRequest>,
) -> Result<wire::ReconcileArrivalsResponse, Status> {
    let (call, request) = grpc.node.gate.open("ReconcileArrivals", request)?;
    let from: Option<Date> = field::parse_optional("from", &request.from)?;
    let to = field::parse_optional("to", &request.to)?.unwrap_or(call.today());
    if from.is_some_and(|from| from > to) {
        return Err(status::invalid("from", "a day that is not after the last day"));
    }
    let reconciled = reconciliation::reconcile(call.office()?, from, to, call.today(), grpc.store.reader()).await;
    let reconciled = reconciled.map_err(status::query)?;
    let Sums { arrived, present, handed_over, own_will, missing } = reconciled.sums;
    let day = |(arrived_on, route, sums): (String, String, Sums)| wire::ReconciledDay {
        arrived_on,
        route: stored(&route, write_route),
        arrived: count(sums.arrived),
        present: count(sums.present),
        handed_over: count(sums.handed_over),
        own_will: count(sums.own_will),
        missing: count(sums.missing),
    };
    Ok(wire::ReconcileArrivalsResponse {
        arrived: count(arrived),
        present: count(present),
        handed_over: count(handed_over),
        own_will: count(own_will),
        bed_nights: count(reconciled.bed_nights),
        waiting_arrival_ids: reconciled.waiting,
        missing: count(missing),
        unaccounted_arrival_ids: reconciled.unaccounted,
        days: reconciled.days.into_iter().map(day).collect(),
    })
}

fn write_arrival(entry: Entry, today: Date) -> wire::Arrival {
    let departure = match entry.departure.parse() {
        Ok(DepartureKind::HandedOver) => wire::DepartureKind::HandedOver,
        Ok(DepartureKind::OwnWill) => wire::DepartureKind::OwnWill,
        Ok(DepartureKind::Missing) => wire::DepartureKind::Missing,
        Err(_) => wire::DepartureKind::Unspecified,
    };
    let until = entry.departed_on.parse().unwrap_or(today);
    let arrived_on: Option<Date> = entry.arrived_on.parse().ok();
    wire::Arrival {
        case_id: entry.arrival_id.clone(),
        arrival_id: entry.arrival_id,
        case_number: entry.case_number,
        arrived_on: entry.arrived_on,
        needs: entry.needs.iter().map(|need| stored(need, write_need)).collect(),
        nights: count(entry.nights),
        accepted_by_office_id: entry.accepted_by,
        departure: departure.into(),
        departed_on: entry.departed_on,
        sex: stored(&entry.sex, write_sex),
        age_band: stored(&entry.age_band, write_age_band),
        home_place: entry.home_place,
        age_days: arrived_on.map_or(0, |arrived_on| until.days_since(arrived_on)),
        unaccepted_offers: count(entry.unaccepted_offers),
        bed: stored(&entry.bed, write_bed_group),
        over_capacity: stored(&entry.over_capacity, write_over_capacity),
        route: stored(&entry.route, write_route),
    }
}

const fn write_route(route: Route) -> wire::Route {
    match route {
        Route::Repatriation => wire::Route::Repatriation,
        Route::Deportation => wire::Route::Deportation,
        Route::Alone => wire::Route::Self_,
    }
}

fn write_answer(answer: Answer) -> wire::OnwardOffer {
    let kind = |kind| match kind {
        OfferKind::Service => WireOfferKind::Service,
        OfferKind::Transfer => WireOfferKind::Transfer,
    };
    let state = |end| match end {
        OfferEnd::Accepted => OfferState::Accepted,
        OfferEnd::Declined => OfferState::Declined,
        OfferEnd::Withdrawn => OfferState::Withdrawn,
        OfferEnd::Escalated => OfferState::Escalated,
        OfferEnd::Voided => OfferState::Voided,
        OfferEnd::Concluded => OfferState::Concluded,
    };
    wire::OnwardOffer {
        offer_id: answer.offer_id,
        office_id: answer.office,
        kind: stored(&answer.kind, kind),
        need: stored(&answer.need, write_need),
        state: stored(&answer.state, state),
        answered_at: Some(instant(answer.answered_at)),
    }
}
