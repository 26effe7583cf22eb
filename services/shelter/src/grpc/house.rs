//! Places, stays and absences.

use spean_chassis::words::{read_sex, stored, write_sex};
use spean_chassis::{Call, Page, field, standing, status};
use spean_contracts::shelter::v1::{self as wire};
use spean_eventstore::Metadata;
use spean_vocabulary::{AdmissionId, CaseId};
use tonic::Status;

use super::words::{
    read_absence_reason, read_contact_outcome, read_exit_kind, read_over_capacity, write_absence_reason,
    write_exit_kind, write_over_capacity,
};
use super::{Grpc, overdue, stream};
use crate::homecoming::Homecoming;
use crate::house::absence::Absence;
use crate::house::{Admission, Command, Group, House, Places, Stay};
use crate::{agreements, residents, search};

/// Most places that a group can have.
const MOST_PLACES: i64 = 10_000;
/// Most groups: each sex, children and adults.
const MOST_GROUPS: usize = 8;

impl Grpc {
    pub(super) async fn declare_capacity(
        &self,
        call: &Call,
        request: wire::DeclareCapacityRequest,
    ) -> Result<wire::DeclareCapacityResponse, Status> {
        let places = read_places(&request.places)?;
        self.handle(Command::DeclareCapacity { places }, call, call.metadata()?).await?;
        Ok(wire::DeclareCapacityResponse {})
    }

    pub(super) async fn get_capacity(
        &self,
        call: &Call,
        _: wire::GetCapacityRequest,
    ) -> Result<wire::GetCapacityResponse, Status> {
        // Only who may ask for the node as a whole comes as far as this without an office.
        let places = residents::capacity(call.office().ok(), self.store.reader()).await.map_err(status::query)?;
        let persons = |number: i64| i32::try_from(number).unwrap_or(i32::MAX);
        let places = places.into_iter().map(|places| wire::Places {
            sex: stored(&places.sex, write_sex),
            children: places.children,
            capacity_persons: persons(places.capacity_persons),
            occupied_persons: persons(places.occupied_persons),
        });
        Ok(wire::GetCapacityResponse { places: places.collect() })
    }

    pub(super) async fn admit_resident(
        &self,
        call: &Call,
        request: wire::AdmitResidentRequest,
    ) -> Result<wire::AdmitResidentResponse, Status> {
        let admission_id: AdmissionId = field::parse("admission_id", &request.admission_id)?;
        let case_id: CaseId = field::parse("case_id", &request.case_id)?;
        let admitted_on = field::day_so_far("admitted_on", &request.admitted_on, call.today())?;
        let bed = field::parse_optional("bed", &request.bed)?;
        let over_capacity = read_over_capacity("over_capacity", request.over_capacity)?;
        let known = self.permit(call, case_id).await?;
        let admission = Admission {
            admission_id,
            case_id,
            case_number: known.case_number.parse().ok(),
            sex: known.sex,
            is_child: known.is_child,
            admitted_on,
            helping: agreements::is_helping(&known),
            stays_elsewhere: false,
            bed,
            over_capacity,
            plan_due_on: Some(admitted_on.plus_days(self.node.policy.shelter.plan_within_days)),
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
        Ok(wire::AdmitResidentResponse { readmission })
    }

    pub(super) async fn exit_resident(
        &self,
        call: &Call,
        request: wire::ExitResidentRequest,
    ) -> Result<wire::ExitResidentResponse, Status> {
        let admission_id = field::parse("admission_id", &request.admission_id)?;
        let kind = read_exit_kind("kind", request.kind)?;
        let exited_on = field::day_so_far("exited_on", &request.exited_on, call.today())?;
        let office = call.office()?;
        let case = self.stay(call, admission_id).await?.case_id;
        let known = standing::of(case, office, self.store.reader()).await.map_err(status::query)?;
        let agreed = agreements::of(case, office, self.store.reader()).await.map_err(status::query)?;
        let accountable = agreements::accountable(known.as_ref(), &agreed);
        let homecoming = self.store.load::<Homecoming>(&stream(call, case)?).await;
        let decision = homecoming.map_err(|error| status::store(&error))?.state.decision().map(|made| made.decided_on);
        let decided = decision.is_some_and(|decided_on| decided_on <= exited_on);
        let command =
            Command::Exit { admission_id, kind, exited_on, accountable, agreed: agreed.cared_for_by, decided };
        let metadata = Metadata { occurred_on: Some(exited_on), ..call.metadata()? };
        self.handle(command, call, metadata).await?;
        Ok(wire::ExitResidentResponse {})
    }

    pub(super) async fn list_residents(
        &self,
        call: &Call,
        request: wire::ListResidentsRequest,
    ) -> Result<wire::ListResidentsResponse, Status> {
        let page = Page::read(request.page.as_ref())?;
        let (office, reader) = (call.office()?, self.store.reader());
        let entries = residents::of_office(office, request.include_exited, page.limit(), page.offset, reader).await;
        let (entries, page) = page.cut(entries.map_err(status::query)?);
        let residents = entries.into_iter().map(|entry| wire::Resident {
            exit: stored(&entry.exit_kind, write_exit_kind),
            over_capacity: stored(&entry.over_capacity, write_over_capacity),
            admission_id: entry.admission_id,
            case_id: entry.case_id,
            case_number: entry.case_number,
            admitted_on: entry.admitted_on,
            exited_on: entry.exited_on,
            bed: entry.bed,
            away_since: entry.away_since,
        });
        Ok(wire::ListResidentsResponse { residents: residents.collect(), page })
    }

    pub(super) async fn assign_bed(
        &self,
        call: &Call,
        request: wire::AssignBedRequest,
    ) -> Result<wire::AssignBedResponse, Status> {
        let admission_id = field::parse("admission_id", &request.admission_id)?;
        let bed = field::parse("bed", &request.bed)?;
        self.stay(call, admission_id).await?;
        self.handle(Command::AssignBed { admission_id, bed }, call, call.metadata()?).await?;
        Ok(wire::AssignBedResponse {})
    }

    pub(super) async fn record_absence(
        &self,
        call: &Call,
        request: wire::RecordAbsenceRequest,
    ) -> Result<wire::RecordAbsenceResponse, Status> {
        let admission_id = field::parse("admission_id", &request.admission_id)?;
        let since = field::day_so_far("since", &request.since, call.today())?;
        let reason = read_absence_reason("reason", request.reason)?;
        let expected_back_on = field::parse_optional("expected_back_on", &request.expected_back_on)?;
        self.stay(call, admission_id).await?;
        let absence = Absence { since, reason, expected_back_on };
        let tracing_after_days = self.node.policy.shelter.tracing_after_absent_days;
        let metadata = Metadata { occurred_on: Some(since), ..call.metadata()? };
        self.handle(Command::RecordAbsence { admission_id, absence, tracing_after_days }, call, metadata).await?;
        Ok(wire::RecordAbsenceResponse {})
    }

    pub(super) async fn record_return(
        &self,
        call: &Call,
        request: wire::RecordReturnRequest,
    ) -> Result<wire::RecordReturnResponse, Status> {
        let admission_id = field::parse("admission_id", &request.admission_id)?;
        let returned_on = field::day_so_far("returned_on", &request.returned_on, call.today())?;
        self.stay(call, admission_id).await?;
        let metadata = Metadata { occurred_on: Some(returned_on), ..call.metadata()? };
        self.handle(Command::RecordReturn { admission_id, returned_on }, call, metadata).await?;
        Ok(wire::RecordReturnResponse {})
    }

    pub(super) async fn release_bed(
        &self,
        call: &Call,
        request: wire::ReleaseBedRequest,
    ) -> Result<wire::ReleaseBedResponse, Status> {
        let admission_id = field::parse("admission_id", &request.admission_id)?;
        let released_on = field::day_so_far("released_on", &request.released_on, call.today())?;
        self.stay(call, admission_id).await?;
        let after_days = self.node.policy.shelter.bed_released_after_absent_days;
        let metadata = Metadata { occurred_on: Some(released_on), ..call.metadata()? };
        self.handle(Command::ReleaseBed { admission_id, released_on, after_days }, call, metadata).await?;
        Ok(wire::ReleaseBedResponse {})
    }

    pub(super) async fn record_contact(
        &self,
        call: &Call,
        request: wire::RecordContactRequest,
    ) -> Result<wire::RecordContactResponse, Status> {
        let admission_id = field::parse("admission_id", &request.admission_id)?;
        let found_on = field::day_so_far("found_on", &request.found_on, call.today())?;
        let outcome = read_contact_outcome("outcome", request.outcome)?;
        self.stay(call, admission_id).await?;
        let metadata = Metadata { occurred_on: Some(found_on), ..call.metadata()? };
        self.handle(Command::RecordContact { admission_id, found_on, outcome }, call, metadata).await?;
        Ok(wire::RecordContactResponse {})
    }

    pub(super) async fn list_missing(
        &self,
        call: &Call,
        request: wire::ListMissingRequest,
    ) -> Result<wire::ListMissingResponse, Status> {
        let page = Page::read(request.page.as_ref())?;
        let entries = search::missing(call.office()?, page.limit(), page.offset, self.store.reader()).await;
        let (entries, page) = page.cut(entries.map_err(status::query)?);
        let missing = entries.into_iter().map(|entry| wire::Missing {
            age_days: overdue(&entry.since, call.today()),
            reason: stored(&entry.reason, write_absence_reason),
            admission_id: entry.admission_id,
            case_id: entry.case_id,
            case_number: entry.case_number,
            since: entry.since,
            contact_lost: entry.contact_lost,
            left: entry.left,
            bed_released: entry.bed_released,
            seen_by_office_id: entry.seen_by,
            seen_on: entry.seen_on,
        });
        Ok(wire::ListMissingResponse { missing: missing.collect(), page })
    }

    async fn handle(&self, command: Command, call: &Call, metadata: Metadata) -> Result<(), Status> {
        let context = call.context()?;
        let handled = self.store.handle::<House>(context.office.to_string(), command, context, metadata);
        handled.await.map_err(status::handled)?;
        Ok(())
    }

    /// A stay in the caller's house. What is in another house is not there.
    async fn stay(&self, call: &Call, admission_id: AdmissionId) -> Result<Stay, Status> {
        let house = self.store.load::<House>(call.office()?.as_str()).await.map_err(|error| status::store(&error))?;
        house.state.stay(admission_id).cloned().ok_or_else(|| status::not_found("stay"))
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
