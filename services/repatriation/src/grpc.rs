//! Protobuf to commands and queries, and back. No rules.

mod arrivals;
mod care;
mod manifests;
mod requests;

use spean_chassis::{Call, Node, Policies, field, status};
use spean_contracts::repatriation::v1::repatriation_service_server::RepatriationService;
use spean_contracts::repatriation::v1::{self as wire};
use spean_eventstore::EventStore;
use spean_vocabulary::{ArrivalId, Date};
use tonic::{Request, Response, Status};

use crate::arrival::{Arrival, Authority, Circumstances, Command, Route};
use crate::import::Importer;
use crate::words::read_authority_kind;

/// Longest number of a post, in characters.
const LONGEST_POST: usize = 12;

/// The centre over gRPC.
pub(crate) struct Grpc {
    pub(crate) node: Node,
    pub(crate) store: EventStore,
    pub(crate) importer: Importer,
    pub(crate) policies: Policies,
}

macro_rules! delegated {
    ($($method:ident($request:ident) -> $response:ident = $module:ident;)*) => {
        #[tonic::async_trait]
        impl RepatriationService for Grpc {
            $(async fn $method(
                &self,
                request: Request<wire::$request>,
            ) -> Result<Response<wire::$response>, Status> {
                $module::$method(self, request).await.map(Response::new)
            })*
        }
    };
}

delegated! {
    register_arrival(RegisterArrivalRequest) -> RegisterArrivalResponse = arrivals;
    confirm_same_person(ConfirmSamePersonRequest) -> ConfirmSamePersonResponse = arrivals;
    list_arrivals(ListArrivalsRequest) -> ListArrivalsResponse = arrivals;
    get_arrival(GetArrivalRequest) -> GetArrivalResponse = arrivals;
    list_waiting_arrivals(ListWaitingArrivalsRequest) -> ListWaitingArrivalsResponse = arrivals;
    record_departure(RecordDepartureRequest) -> RecordDepartureResponse = arrivals;
    reconcile_arrivals(ReconcileArrivalsRequest) -> ReconcileArrivalsResponse = arrivals;
    import_manifest(ImportManifestRequest) -> ImportManifestResponse = manifests;
    get_manifest(GetManifestRequest) -> GetManifestResponse = manifests;
    record_needs(RecordNeedsRequest) -> RecordNeedsResponse = care;
    list_urgent_needs(ListUrgentNeedsRequest) -> ListUrgentNeedsResponse = care;
    record_need_served(RecordNeedServedRequest) -> RecordNeedServedResponse = care;
    record_stay(RecordStayRequest) -> RecordStayResponse = care;
    declare_centre_beds(DeclareCentreBedsRequest) -> DeclareCentreBedsResponse = care;
    assign_centre_bed(AssignCentreBedRequest) -> AssignCentreBedResponse = care;
    get_centre_occupancy(GetCentreOccupancyRequest) -> GetCentreOccupancyResponse = care;
    open_repatriation_request(OpenRepatriationRequestRequest) -> OpenRepatriationRequestResponse = requests;
    complete_repatriation_step(CompleteRepatriationStepRequest) -> CompleteRepatriationStepResponse = requests;
    approve_repatriation(ApproveRepatriationRequest) -> ApproveRepatriationResponse = requests;
    arrange_travel(ArrangeTravelRequest) -> ArrangeTravelResponse = requests;
    record_reception(RecordReceptionRequest) -> RecordReceptionResponse = requests;
    skip_repatriation_step(SkipRepatriationStepRequest) -> SkipRepatriationStepResponse = requests;
    end_repatriation(EndRepatriationRequest) -> EndRepatriationResponse = requests;
    delegate_step(DelegateStepRequest) -> DelegateStepResponse = requests;
    succeed_owner(SucceedOwnerRequest) -> SucceedOwnerResponse = requests;
    list_repatriation_requests(ListRepatriationRequestsRequest) -> ListRepatriationRequestsResponse = requests;
    get_repatriation_request(GetRepatriationRequestRequest) -> GetRepatriationRequestResponse = requests;
}

impl Grpc {
    async fn handle(&self, arrival: ArrivalId, command: Command, call: &Call) -> Result<(), Status> {
        let handled = self.store.handle::<Arrival>(arrival.to_string(), command, call.context()?, call.metadata()?);
        handled.await.map_err(status::handled)?;
        Ok(())
    }
}

/// Reads the circumstances; `today` is the day when none is given.
fn read_circumstances(
    circumstances: Option<wire::Circumstances>,
    today: Date,
    call: &Call,
) -> Result<Circumstances, Status> {
    let circumstances = field::required("circumstances", circumstances)?;
    let route = match circumstances.route() {
        wire::Route::Repatriation => Route::Repatriation,
        wire::Route::Deportation => Route::Deportation,
        wire::Route::Self_ => Route::Alone,
        wire::Route::Unspecified => {
            return Err(status::invalid("circumstances.route", "one of the values of Route, not the unspecified one"));
        }
    };
    if !circumstances.handed_over_by.is_empty() {
        return Err(status::invalid("circumstances.handed_over_by", "nothing: say it by circumstances.authority"));
    }
    let from_country = read_country("circumstances.from_country", &circumstances.from_country)?;
    let authority = circumstances.authority.map(|authority| read_authority(&authority)).transpose()?;
    let arrived_on = match circumstances.arrived_on.as_str() {
        "" => today,
        day => field::day_so_far("circumstances.arrived_on", day, call.today())?,
    };
    Ok(Circumstances { route, from_country, handed_over_by: None, authority, arrived_on })
}

fn read_authority(authority: &wire::Authority) -> Result<Authority, Status> {
    let field = "circumstances.authority.post_number";
    let post = authority.post_number.as_str();
    let sound = post.len() <= LONGEST_POST
        && post.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'-');
    if !sound {
        return Err(status::invalid(field, "at most 12 capital letters, digits and hyphens"));
    }
    let kind = read_authority_kind("circumstances.authority.kind", authority.kind)?;
    Ok(Authority { kind, post: (!post.is_empty()).then(|| post.to_owned()) })
}

fn read_country(field: &str, country: &str) -> Result<Option<String>, Status> {
    let sound = country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase());
    if !sound && !country.is_empty() {
        return Err(status::invalid(field, "a country as ISO 3166 alpha-2, such as TH"));
    }
    Ok(sound.then(|| country.to_owned()))
}

fn count(number: impl TryInto<i32>) -> i32 {
    number.try_into().unwrap_or(i32::MAX)
}
