//! What people need, where they sleep, and what was done.

use std::collections::{BTreeMap, BTreeSet};

use spean_chassis::words::{instant, read_need, stored, write_age_band, write_need, write_sex};
use spean_chassis::{Page, field, status};
use spean_contracts::repatriation::v1::{self as wire};
use spean_vocabulary::{ArrivalId, Need, Timestamp};
use tonic::{Request, Status};

use super::{Grpc, count};
use crate::arrival::{Arrival, Command, ResponsibleAdult};
use crate::beds::{self, Beds, MOST_BEDS};
use crate::occupancy::{Occupancy, occupancy};
use crate::urgent::{self, Urgent};
use crate::words::{
    BedGroup, read_adult_function, read_bed_group, read_optional_over_capacity, read_served_by, write_bed_group,
    write_urgent_need_state,
};

/// Most needs of one person: each once.
const MOST_NEEDS: usize = 20;
/// Most kinds of beds: each once.
const MOST_GROUPS: usize = 20;

pub(super) async fn record_needs(
    grpc: &Grpc,
    request: Request<wire::RecordNeedsRequest>,
) -> Result<wire::RecordNeedsResponse, Status> {
    let (call, request) = grpc.node.gate.open("RecordNeeds", request)?;
    let arrival = field::parse("arrival_id", &request.arrival_id)?;
    if !request.responsible_adult.is_empty() {
        return Err(status::invalid("responsible_adult", "nothing: say it by adult"));
    }
    let urgent_needs = read_needs("urgent_needs", &request.urgent_needs)?;
    let adult = match request.adult {
        None => None,
        Some(adult) => Some(ResponsibleAdult {
            function: read_adult_function("adult.function", adult.function)?,
            staff: field::parse_optional("adult.staff_id", &adult.staff_id)?,
        }),
    };
    let command = Command::RecordNeeds {
        needs: read_needs("needs", &request.needs)?,
        urgent: request.urgent || !urgent_needs.is_empty(),
        urgent_needs,
        adult,
    };
    grpc.handle(arrival, command, &call).await?;
    Ok(wire::RecordNeedsResponse {})
}

pub(super) async fn list_urgent_needs(
    grpc: &Grpc,
    request: Request<wire::ListUrgentNeedsRequest>,
) -> Result<wire::ListUrgentNeedsResponse, Status> {
    let (call, request) = grpc.node.gate.open("ListUrgentNeeds", request)?;
    let page = Page::read(request.page.as_ref())?;
    let needs = urgent::unserved(call.office()?, page.limit(), page.offset, grpc.store.reader()).await;
    let (needs, page) = page.cut(needs.map_err(status::query)?);
    let needs = needs.into_iter().map(|urgent| write_urgent(urgent, call.now)).collect();
    Ok(wire::ListUrgentNeedsResponse { needs, page })
}

pub(super) async fn record_need_served(
    grpc: &Grpc,
    request: Request<wire::RecordNeedServedRequest>,
) -> Result<wire::RecordNeedServedResponse, Status> {
    let (call, request) = grpc.node.gate.open("RecordNeedServed", request)?;
    let arrival = field::parse("arrival_id", &request.arrival_id)?;
    let command = Command::RecordNeedServed {
        need: read_need("need", request.need)?,
        on: field::day_so_far("served_on", &request.served_on, call.today())?,
        by: read_served_by("by", request.by)?,
    };
    grpc.handle(arrival, command, &call).await?;
    Ok(wire::RecordNeedServedResponse {})
}

pub(super) async fn record_stay(
    grpc: &Grpc,
    request: Request<wire::RecordStayRequest>,
) -> Result<wire::RecordStayResponse, Status> {
    let (call, request) = grpc.node.gate.open("RecordStay", request)?;
    let arrival = field::parse("arrival_id", &request.arrival_id)?;
    let night_of = field::day_so_far("night_of", &request.night_of, call.today())?;
    grpc.handle(arrival, Command::RecordStay { night_of }, &call).await?;
    Ok(wire::RecordStayResponse {})
}

pub(super) async fn declare_centre_beds(
    grpc: &Grpc,
    request: Request<wire::DeclareCentreBedsRequest>,
) -> Result<wire::DeclareCentreBedsResponse, Status> {
    let (call, request) = grpc.node.gate.open("DeclareCentreBeds", request)?;
    field::at_most("beds", &request.beds, MOST_GROUPS)?;
    let mut places: BTreeMap<BedGroup, u32> = BTreeMap::new();
    for (index, beds) in request.beds.iter().enumerate() {
        let group = read_bed_group(&format!("beds[{index}].group"), beds.group)?;
        let field = format!("beds[{index}].places");
        let number = field::within(&field, beds.places.into(), 0, MOST_BEDS.into())?;
        let number = u32::try_from(number).map_err(|_| status::invalid(&field, "a number"))?;
        if places.insert(group, number).is_some() {
            return Err(status::invalid(&format!("beds[{index}].group"), "each group once"));
        }
    }
    let office = call.office()?.to_string();
    let command = beds::Command::Declare { places };
    let handled = grpc.store.handle::<Beds>(office, command, call.context()?, call.metadata()?).await;
    handled.map_err(status::handled)?;
    Ok(wire::DeclareCentreBedsResponse {})
}

pub(super) async fn assign_centre_bed(
    grpc: &Grpc,
    request: Request<wire::AssignCentreBedRequest>,
) -> Result<wire::AssignCentreBedResponse, Status> {
    let (call, request) = grpc.node.gate.open("AssignCentreBed", request)?;
    let arrival: ArrivalId = field::parse("arrival_id", &request.arrival_id)?;
    let group = read_bed_group("group", request.group)?;
    let from_night = field::day_so_far("from_night", &request.from_night, call.today())?;
    let over_capacity = read_optional_over_capacity("over_capacity", request.over_capacity)?;
    let (context, metadata) = (call.context()?, call.metadata()?);
    let assigned = grpc.store.transact(move |transaction| {
        Box::pin(async move {
            // Counted and assigned in one transaction of the one writer: the last bed goes to one person.
            let counted = occupancy(&context.office, transaction.connection()).await;
            let (beds, _) = counted.map_err(status::query)?;
            let has_room = beds.get(&group).is_some_and(|beds| beds.has_room());
            let command = Command::AssignBed { group, from_night, has_room, over_capacity };
            let id = arrival.to_string();
            let decided = transaction.decide::<Arrival>(&id, command, &context, &metadata).await;
            decided.map(|_| ()).map_err(status::handled)
        })
    });
    assigned.await.map_err(status::transacted)?;
    Ok(wire::AssignCentreBedResponse {})
}

pub(super) async fn get_centre_occupancy(
    grpc: &Grpc,
    request: Request<wire::GetCentreOccupancyRequest>,
) -> Result<wire::GetCentreOccupancyResponse, Status> {
    let (call, _) = grpc.node.gate.open("GetCentreOccupancy", request)?;
    let mut connection = grpc.store.reader().acquire().await.map_err(status::query)?;
    let (beds, without_bed) = occupancy(call.office()?, &mut connection).await.map_err(status::query)?;
    let occupied: i64 = beds.values().map(|beds| beds.occupied).sum();
    let group = |(group, Occupancy { places, occupied, over_capacity })| wire::CentreOccupancy {
        group: write_bed_group(group).into(),
        places: count(places),
        occupied: count(occupied),
        over_capacity: count(over_capacity),
    };
    Ok(wire::GetCentreOccupancyResponse {
        groups: beds.into_iter().map(group).collect(),
        without_bed: count(without_bed),
        present: count(occupied + without_bed),
    })
}

fn read_needs(field: &str, needs: &[i32]) -> Result<BTreeSet<Need>, Status> {
    field::at_most(field, needs, MOST_NEEDS)?;
    let read = |(index, need): (usize, &i32)| read_need(&format!("{field}[{index}]"), *need);
    needs.iter().enumerate().map(read).collect()
}

pub(super) fn write_urgent(urgent: Urgent, now: Timestamp) -> wire::UrgentNeed {
    wire::UrgentNeed {
        arrival_id: urgent.arrival_id,
        need: stored(&urgent.need, write_need),
        state: stored(&urgent.state, write_urgent_need_state),
        since: Some(instant(urgent.since)),
        age_hours: count(now.hours_since(urgent.since)),
        sex: stored(&urgent.sex, write_sex),
        age_band: stored(&urgent.age_band, write_age_band),
    }
}
