//! Protobuf to commands and queries, and back. No rules.

mod care;
mod homecoming;
mod house;
mod words;

use spean_chassis::{Call, Node, standing, status};
use spean_contracts::shelter::v1::shelter_service_server::ShelterService;
use spean_contracts::shelter::v1::{self as wire};
use spean_eventsourcing::{Aggregate, Context, Refusal};
use spean_eventstore::{EventStore, Metadata};
use spean_identity::Standing;
use spean_vault::Reader;
use spean_vocabulary::{CaseId, Date, StaffId};
use tonic::{Request, Response, Status};

use crate::care::Care;
use crate::file::Known;
use crate::homecoming::Homecoming;
use crate::notes::Note;
use crate::{file, notes};

/// Longest words of one thing, in characters.
const LONGEST_NOTES: usize = 4_000;

/// The shelter over gRPC.
pub(crate) struct Grpc {
    pub(crate) node: Node,
    pub(crate) store: EventStore,
}

macro_rules! methods {
    ($($method:ident $name:ident $request:ident $response:ident)*) => {
        #[tonic::async_trait]
        impl ShelterService for Grpc {
            $(
                async fn $method(&self, request: Request<wire::$request>) -> Result<Response<wire::$response>, Status> {
                    let (call, request) = self.node.gate.open(stringify!($name), request)?;
                    self.$method(&call, request).await.map(Response::new)
                }
            )*
        }
    };
}

methods! {
    declare_capacity DeclareCapacity DeclareCapacityRequest DeclareCapacityResponse
    get_capacity GetCapacity GetCapacityRequest GetCapacityResponse
    admit_resident AdmitResident AdmitResidentRequest AdmitResidentResponse
    exit_resident ExitResident ExitResidentRequest ExitResidentResponse
    list_residents ListResidents ListResidentsRequest ListResidentsResponse
    assign_bed AssignBed AssignBedRequest AssignBedResponse
    record_absence RecordAbsence RecordAbsenceRequest RecordAbsenceResponse
    record_return RecordReturn RecordReturnRequest RecordReturnResponse
    release_bed ReleaseBed ReleaseBedRequest ReleaseBedResponse
    record_contact RecordContact RecordContactRequest RecordContactResponse
    list_missing ListMissing ListMissingRequest ListMissingResponse
    agree_care_plan AgreeCarePlan AgreeCarePlanRequest AgreeCarePlanResponse
    review_care_plan ReviewCarePlan ReviewCarePlanRequest ReviewCarePlanResponse
    record_session RecordSession RecordSessionRequest RecordSessionResponse
    assess_market AssessMarket AssessMarketRequest AssessMarketResponse
    choose_training ChooseTraining ChooseTrainingRequest ChooseTrainingResponse
    get_care GetCare GetCareRequest GetCareResponse
    list_care_due ListCareDue ListCareDueRequest ListCareDueResponse
    request_tracing RequestTracing RequestTracingRequest RequestTracingResponse
    record_tracing_answer RecordTracingAnswer RecordTracingAnswerRequest RecordTracingAnswerResponse
    assess_family AssessFamily AssessFamilyRequest AssessFamilyResponse
    decide_placement DecidePlacement DecidePlacementRequest DecidePlacementResponse
    decide_reintegration DecideReintegration DecideReintegrationRequest DecideReintegrationResponse
    list_tracing ListTracing ListTracingRequest ListTracingResponse
}

impl Grpc {
    /// Asks whether the caller's office has to do with the case in the way that the action needs.
    async fn permit(&self, call: &Call, case: CaseId) -> Result<standing::Known, Status> {
        let known = standing::of(case, call.office()?, self.store.reader()).await.map_err(status::query)?;
        let has = known.as_ref().map_or(Standing::Stranger, |known| known.standing);
        self.node.gate.permit(call, "case", has)?;
        known.ok_or_else(|| status::not_found("case"))
    }

    /// Carries out a command about the care for somebody or their way home, keeps the words, and puts down for the next
    /// holder what is known now.
    async fn care_for<A>(
        &self,
        call: &Call,
        case: CaseId,
        on: Date,
        command: A::Command,
        note: Option<Note>,
    ) -> Result<(), Status>
    where
        A: Aggregate<Context = Context>,
        A::Error: Refusal,
    {
        if note.is_some() && notes::is_erased(case, self.store.reader()).await.map_err(status::query)? {
            return Err(status::forbidden(
                "PERSON_ERASED",
                "the person's data were erased; words can no longer be kept",
            ));
        }
        let context = call.context()?;
        let office = context.office.clone();
        let metadata = Metadata { occurred_on: Some(on), ..call.metadata()? };
        let handled = self.store.handle::<A>(stream(call, case)?, command, context, metadata).await;
        let handled = handled.map_err(status::handled)?;
        // The words last, so that nothing is kept of what was refused. Should the power fail between the two, asking again
        // completes it.
        if let Some(note) = note {
            let purpose = "to add words of the shelter".to_owned();
            let reader = Reader { staff: call.caller.staff.clone(), office: office.clone(), purpose };
            let kept = notes::keep(&self.node.vault, case.reinterpret(), &note, &reader, call.now).await;
            kept.map_err(|error| status::vault(&error))?;
        }
        if !handled.events.is_empty() {
            let known = self.load(call, case).await?;
            let kept = file::keep(&self.node.vault, case, &office, &known, call.now).await;
            kept.map_err(|error| status::vault(&error))?;
        }
        Ok(())
    }

    async fn load(&self, call: &Call, case: CaseId) -> Result<Known, Status> {
        let stream = stream(call, case)?;
        Ok(Known {
            care: self.store.load::<Care>(&stream).await.map_err(|error| status::store(&error))?.state,
            homecoming: self.store.load::<Homecoming>(&stream).await.map_err(|error| status::store(&error))?.state,
        })
    }
}

/// The stream of a person in a house.
fn stream(call: &Call, case: CaseId) -> Result<String, Status> {
    Ok(format!("{}/{case}", call.office()?))
}

/// A member of staff: the caller when nobody is named.
fn staff(call: &Call, field: &str, text: &str) -> Result<StaffId, Status> {
    Ok(spean_chassis::field::parse_optional(field, text)?.unwrap_or_else(|| call.caller.staff.clone()))
}

/// Days from one that is due until today; 0 when it is still to come.
fn overdue(due_on: &str, today: Date) -> i32 {
    due_on.parse().map_or(0, |due_on| today.days_since(due_on).max(0))
}
