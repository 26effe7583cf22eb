//! Protobuf to commands and queries, and back. No rules.

use spean_chassis::words::{read_sex, stored, write_sex};
use spean_chassis::{Call, Node, Page, field, standing, status};
use spean_contracts::shelter::v1::shelter_service_server::ShelterService;
use spean_contracts::shelter::v1::{self as wire};
use spean_eventstore::{EventStore, Metadata};
use spean_identity::Standing;
use spean_vocabulary::{AdmissionId, CaseId};
use tonic::{Request, Response, Status};

use crate::house::{Admission, Command, ExitKind, Group, House, Places};
use crate::{agreements, residents};

/// Most places that a group can have.
const MOST_PLACES: i64 = 10_000;
/// Most groups: each sex, children and adults.
const MOST_GROUPS: usize = 8;

/// The shelter over gRPC.
pub(crate) struct Grpc {
    pub(crate) node: Node,
    pub(crate) store: EventStore,
}

#[tonic::async_trait]
impl ShelterService for Grpc {
    async fn declare_capacity(
        &self,
        request: Request<wire::DeclareCapacityRequest>,
    ) -> Result<Response<wire::DeclareCapacityResponse>, Status> {
        let (call, request) = self.node.gate.open("DeclareCapacity", request)?;
        let places = read_places(&request.places)?;
        self.handle(Command::DeclareCapacity { places }, &call, call.metadata()?).await?;
        Ok(Response::new(wire::DeclareCapacityResponse {}))
    }

    async fn get_capacity(
        &self,
        request: Request<wire::GetCapacityRequest>,
    ) -> Result<Response<wire::GetCapacityResponse>, Status> {
        let (call, _) = self.node.gate.open("GetCapacity", request)?;
        // Only who may ask for the node as a whole comes as far as this without an office.
        let places = residents::capacity(call.office().ok(), self.store.reader()).await.map_err(status::query)?;
        let persons = |number: i64| i32::try_from(number).unwrap_or(i32::MAX);
        let places = places.into_iter().map(|places| wire::Places {
            sex: stored(&places.sex, write_sex),
            children: places.children,
            capacity_persons: persons(places.capacity_persons),
            occupied_persons: persons(places.occupied_persons),
        });
        Ok(Response::new(wire::GetCapacityResponse { places: places.collect() }))
    }

    async fn admit_resident(
        &self,
        request: Request<wire::AdmitResidentRequest>,
    ) -> Result<Response<wire::AdmitResidentResponse>, Status> {
        let (call, request) = self.node.gate.open("AdmitResident", request)?;
        let admission_id: AdmissionId = field::parse("admission_id", &request.admission_id)?;
        let case_id: CaseId = field::parse("case_id", &request.case_id)?;
        let admitted_on = field::day_so_far("admitted_on", &request.admitted_on, call.today())?;
        let known = self.permit(&call, case_id).await?;
        let admission = Admission {
            admission_id,
            case_id,
            case_number: known.case_number.parse().ok(),
            sex: known.sex,
            is_child: known.is_child,
            admitted_on,
            helping: agreements::is_helping(&known),
            stays_elsewhere: false,
        };
        let (context, metadata) = (call.context()?, Metadata { occurred_on: Some(admitted_on), ..call.metadata()? });
        let house = self.store.transact(move |transaction| {
            Box::pin(async move {
                let elsewhere = residents::stays_elsewhere(case_id, &context.office, transaction.connection()).await;
                let stays_elsewhere = elsewhere.map_err(status::query)?;
                let command = Command::Admit(Admission { stays_elsewhere, ..admission });
                let id = context.office.to_string();
                transaction.decide::<House>(&id, command, &context, &metadata).await.map_err(status::handled)?;
                transaction.load::<House>(&id).await.map_err(|error| status::store(&error))
            })
        });
        let house = house.await.map_err(status::transacted)?;
        let readmission = house.state.stay(admission_id).is_some_and(|stay| stay.readmission);
        Ok(Response::new(wire::AdmitResidentResponse { readmission }))
    }

    async fn exit_resident(
        &self,
        request: Request<wire::ExitResidentRequest>,
    ) -> Result<Response<wire::ExitResidentResponse>, Status> {
        let (call, request) = self.node.gate.open("ExitResident", request)?;
        let admission_id = field::parse("admission_id", &request.admission_id)?;
        let kind = read_exit_kind(request.kind)?;
        let exited_on = field::day_so_far("exited_on", &request.exited_on, call.today())?;
        let office = call.office()?;
        let house = self.store.load::<House>(office.as_str()).await.map_err(|error| status::store(&error))?;
        let case = house.state.stay(admission_id).map(|stay| stay.case_id);
        let case = case.ok_or_else(|| status::not_found("stay"))?;
        let known = standing::of(case, office, self.store.reader()).await.map_err(status::query)?;
        let agreed = agreements::of(case, office, self.store.reader()).await.map_err(status::query)?;
        let accountable = agreements::accountable(known.as_ref(), &agreed);
        let command = Command::Exit { admission_id, kind, exited_on, accountable, agreed: agreed.cared_for_by };
        let metadata = Metadata { occurred_on: Some(exited_on), ..call.metadata()? };
        self.handle(command, &call, metadata).await?;
        Ok(Response::new(wire::ExitResidentResponse {}))
    }

    async fn list_residents(
        &self,
        request: Request<wire::ListResidentsRequest>,
    ) -> Result<Response<wire::ListResidentsResponse>, Status> {
        let (call, request) = self.node.gate.open("ListResidents", request)?;
        let page = Page::read(request.page.as_ref())?;
        let (office, reader) = (call.office()?, self.store.reader());
        let entries = residents::of_office(office, request.include_exited, page.limit(), page.offset, reader).await;
        let (entries, page) = page.cut(entries.map_err(status::query)?);
        let residents = entries.into_iter().map(|entry| wire::Resident {
            admission_id: entry.admission_id,
            case_id: entry.case_id,
            case_number: entry.case_number,
            admitted_on: entry.admitted_on,
            exited_on: entry.exited_on,
            exit: stored(&entry.exit_kind, write_exit_kind),
        });
        Ok(Response::new(wire::ListResidentsResponse { residents: residents.collect(), page }))
    }
}

impl Grpc {
    async fn handle(&self, command: Command, call: &Call, metadata: Metadata) -> Result<(), Status> {
        let context = call.context()?;
        let handled = self.store.handle::<House>(context.office.to_string(), command, context, metadata);
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
}

fn read_places(places: &[wire::Places]) -> Result<Vec<Places>, Status> {
    field::at_most("places", places, MOST_GROUPS)?;
    let read = |(index, places): (usize, &wire::Places)| {
        let at = |name: &str| format!("places[{index}].{name}");
        let persons = field::within(&at("capacity_persons"), places.capacity_persons.into(), 0, MOST_PLACES)?;
        Ok(Places {
            group: Group { sex: read_sex(&at("sex"), places.sex)?, children: places.children },
            capacity_persons: u32::try_from(persons).expect("it is between 0 and 10,000"),
        })
    };
    places.iter().enumerate().map(read).collect()
}

fn read_exit_kind(kind: i32) -> Result<ExitKind, Status> {
    match wire::ExitKind::try_from(kind) {
        Ok(wire::ExitKind::Reintegrated) => Ok(ExitKind::Reintegrated),
        Ok(wire::ExitKind::Moved) => Ok(ExitKind::Moved),
        Ok(wire::ExitKind::OwnWill) => Ok(ExitKind::OwnWill),
        _ => Err(status::invalid("kind", "one of the values of ExitKind, not the unspecified one")),
    }
}

const fn write_exit_kind(kind: ExitKind) -> wire::ExitKind {
    match kind {
        ExitKind::Reintegrated => wire::ExitKind::Reintegrated,
        ExitKind::Moved => wire::ExitKind::Moved,
        ExitKind::OwnWill => wire::ExitKind::OwnWill,
    }
}
