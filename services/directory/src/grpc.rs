//! Protobuf to commands and queries, and back. No rules.

use spean_chassis::words::{instant, read_need};
use spean_chassis::{Call, Node, Page, field, status};
use spean_contracts::directory::v1 as wire;
use spean_contracts::directory::v1::directory_service_server::DirectoryService;
use spean_eventstore::EventStore;
use spean_identity::DirectoryError;
use spean_messaging::Post;
use spean_vocabulary::{AgencyId, OfferingId, OfficeId, PlaceCode};
use tonic::{Request, Response, Status};

use crate::announcement::{self, Read};
use crate::catalogue::{self, Filter};
use crate::edition::{self, ImportError};
use crate::gazetteer::{Query, shipped};
use crate::offering::{Command, Offering};
use crate::{offices, places};

/// Longest name that is looked for, in characters.
const LONGEST_NAME: usize = 100;

/// The directory over gRPC.
pub(crate) struct Grpc {
    pub(crate) node: Node,
    pub(crate) store: EventStore,
    pub(crate) post: Post,
}

#[tonic::async_trait]
impl DirectoryService for Grpc {
    async fn import_directory(
        &self,
        request: Request<wire::ImportDirectoryRequest>,
    ) -> Result<Response<wire::ImportDirectoryResponse>, Status> {
        let (call, request) = self.node.gate.open("ImportDirectory", request)?;
        let Node { id, configuration, directory, keys, .. } = self.node.clone();
        let import = move || {
            let text = &request.signed_directory;
            edition::import(text, &configuration.root, (&id, &keys), &directory, &configuration.directory)
        };
        let edition = blocking(import).await?.map_err(refuse_import)?;
        tracing::info!(edition, staff = %call.caller.staff, "this edition of the directory is in force");
        Ok(Response::new(wire::ImportDirectoryResponse { edition }))
    }

    async fn list_agencies(
        &self,
        request: Request<wire::ListAgenciesRequest>,
    ) -> Result<Response<wire::ListAgenciesResponse>, Status> {
        self.node.gate.open("ListAgencies", request)?;
        let directory = self.node.directory.current();
        let agencies = directory.agencies.iter().map(|agency| wire::Agency {
            agency_id: agency.id.to_string(),
            name_en: agency.name_en.clone(),
            name_km: agency.name_km.clone(),
        });
        let mut agencies: Vec<_> = agencies.collect();
        agencies.sort_by(|one, other| one.agency_id.cmp(&other.agency_id));
        Ok(Response::new(wire::ListAgenciesResponse { agencies, edition: directory.edition }))
    }

    async fn list_offices(
        &self,
        request: Request<wire::ListOfficesRequest>,
    ) -> Result<Response<wire::ListOfficesResponse>, Status> {
        let (_, request) = self.node.gate.open("ListOffices", request)?;
        let agency: Option<AgencyId> = field::parse_optional("agency_id", &request.agency_id)?;
        let directory = self.node.directory.current();
        let of_agency = |office: &OfficeId| {
            agency.is_none() || directory.agency_of(office).map(|agency| &agency.id) == agency.as_ref()
        };
        let offices = directory.offices.iter().filter(|office| of_agency(&office.id));
        let mut offices: Vec<_> = offices.map(|office| offices::write(&directory, office)).collect();
        offices.sort_by(|one, other| one.office_id.cmp(&other.office_id));
        Ok(Response::new(wire::ListOfficesResponse { offices }))
    }

    async fn get_office(
        &self,
        request: Request<wire::GetOfficeRequest>,
    ) -> Result<Response<wire::GetOfficeResponse>, Status> {
        let (_, request) = self.node.gate.open("GetOffice", request)?;
        let office: OfficeId = field::parse("office_id", &request.office_id)?;
        let directory = self.node.directory.current();
        let office = directory.office(&office).ok_or_else(|| status::not_found("office"))?;
        Ok(Response::new(wire::GetOfficeResponse { office: Some(offices::write(&directory, office)) }))
    }

    async fn who_serves(
        &self,
        request: Request<wire::WhoServesRequest>,
    ) -> Result<Response<wire::WhoServesResponse>, Status> {
        let (_, request) = self.node.gate.open("WhoServes", request)?;
        let place = field::parse("place", &request.place)?;
        let directory = self.node.directory.current();
        let serving = offices::serving(&directory, place).ok_or_else(|| status::not_found("office"))?;
        Ok(Response::new(wire::WhoServesResponse {
            office: Some(offices::write(&directory, serving.office)),
            stands_in_for: serving.stands_in_for.iter().map(|office| offices::write(&directory, office)).collect(),
        }))
    }

    async fn get_place(
        &self,
        request: Request<wire::GetPlaceRequest>,
    ) -> Result<Response<wire::GetPlaceResponse>, Status> {
        let (_, request) = self.node.gate.open("GetPlace", request)?;
        let code = field::parse("code", &request.code)?;
        let mut places = places::listed_and_above(&code).map(places::write);
        let place = places.next().ok_or_else(|| status::not_found("place"))?;
        Ok(Response::new(wire::GetPlaceResponse { place: Some(place), within: places.collect() }))
    }

    async fn list_places(
        &self,
        request: Request<wire::ListPlacesRequest>,
    ) -> Result<Response<wire::ListPlacesResponse>, Status> {
        let (_, request) = self.node.gate.open("ListPlaces", request)?;
        let within = field::parse_optional("within", &request.within)?;
        let page = Page::read(request.page.as_ref())?;
        let places = places::directly_in(within).ok_or_else(|| status::not_found("place"))?;
        let count = |number: i64| usize::try_from(number).unwrap_or(usize::MAX);
        let rows: Vec<_> = places.skip(count(page.offset)).take(count(page.limit())).collect();
        let (places, page) = page.cut(rows);
        Ok(Response::new(wire::ListPlacesResponse { places: places.into_iter().map(places::write).collect(), page }))
    }

    async fn search_places(
        &self,
        request: Request<wire::SearchPlacesRequest>,
    ) -> Result<Response<wire::SearchPlacesResponse>, Status> {
        let (_, request) = self.node.gate.open("SearchPlaces", request)?;
        let name = field::required_text("name", &request.name, LONGEST_NAME)?;
        let within: Option<PlaceCode> = field::parse_optional("within", &request.within)?;
        // Every name is compared: too long for a thread that serves others meanwhile.
        let search = move || {
            let hits = shipped().search(&Query { within, ..Query::new(&name) });
            hits.into_iter().map(|hit| places::write(hit.place)).collect()
        };
        Ok(Response::new(wire::SearchPlacesResponse { places: blocking(search).await? }))
    }

    async fn publish_offering(
        &self,
        request: Request<wire::PublishOfferingRequest>,
    ) -> Result<Response<wire::PublishOfferingResponse>, Status> {
        let (call, request) = self.node.gate.open("PublishOffering", request)?;
        let offering = field::required("offering", request.offering)?;
        if !offering.withdrawn_on.is_empty() {
            return Err(status::invalid("offering.withdrawn_on", "nothing: an offering ends by WithdrawOffering"));
        }
        let Read { offering_id, need, terms, valid_from } = announcement::read(&offering)?;
        for (index, place) in offering.places.iter().enumerate() {
            let known = place.parse().is_ok_and(|place| shipped().place(&place).is_some());
            if !known {
                let path = format!("offering.places[{index}]");
                return Err(status::invalid(&path, "a place that the official lists know"));
            }
        }
        self.handle(offering_id, Command::Publish { need, terms, valid_from }, &call).await?;
        Ok(Response::new(wire::PublishOfferingResponse {}))
    }

    async fn withdraw_offering(
        &self,
        request: Request<wire::WithdrawOfferingRequest>,
    ) -> Result<Response<wire::WithdrawOfferingResponse>, Status> {
        let (call, request) = self.node.gate.open("WithdrawOffering", request)?;
        let offering_id = field::parse("offering_id", &request.offering_id)?;
        let withdrawn_on = field::parse_optional("withdrawn_on", &request.withdrawn_on)?;
        let withdrawn_on = withdrawn_on.unwrap_or_else(|| call.today());
        self.handle(offering_id, Command::Withdraw { withdrawn_on }, &call).await?;
        Ok(Response::new(wire::WithdrawOfferingResponse {}))
    }

    async fn list_offerings(
        &self,
        request: Request<wire::ListOfferingsRequest>,
    ) -> Result<Response<wire::ListOfferingsResponse>, Status> {
        let (call, request) = self.node.gate.open("ListOfferings", request)?;
        let place = field::parse_optional("place", &request.place)?;
        let filter = Filter {
            need: if request.need == 0 { None } else { Some(read_need("need", request.need)?) },
            from_place: place.map(places::and_above).unwrap_or_default(),
            open_on: (!request.include_withdrawn).then(|| call.today()),
        };
        let page = Page::read(request.page.as_ref())?;
        let reader = self.store.reader();
        let offerings = catalogue::list(&filter, page.limit(), page.offset, reader).await.map_err(status::query)?;
        let (offerings, page) = page.cut(offerings);
        let changed_at = catalogue::changed_at(reader).await.map_err(status::query)?.map(instant);
        Ok(Response::new(wire::ListOfferingsResponse { offerings, page, changed_at }))
    }
}

impl Grpc {
    async fn handle(&self, offering: OfferingId, command: Command, call: &Call) -> Result<(), Status> {
        if self.post.is_recovering() {
            let message = "the node came back from a backup and waits for its peers; nothing can be changed yet";
            return Err(status::unavailable("RECOVERING", message));
        }
        let id = offering.to_string();
        let handled = self.store.handle::<Offering>(id, command, call.context()?, call.metadata()?);
        handled.await.map_err(status::handled)?;
        Ok(())
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Status> {
    tokio::task::spawn_blocking(work).await.map_err(|error| status::bug(&error))
}

fn refuse_import(error: ImportError) -> Status {
    let message = error.to_string();
    match error {
        ImportError::Refused(DirectoryError::Malformed) => status::invalid("signed_directory", message),
        ImportError::Refused(DirectoryError::BadSignature) => status::forbidden("NOT_SIGNED_BY_ROOT", message),
        ImportError::Refused(DirectoryError::Defects(_)) => status::forbidden("DIRECTORY_HAS_DEFECTS", message),
        ImportError::Refused(DirectoryError::Older { .. }) => status::forbidden("OLDER_EDITION", message),
        ImportError::Refused(DirectoryError::Contradicts(_)) => status::forbidden("CONTRADICTING_EDITION", message),
        ImportError::WithoutThisNode => status::forbidden("NODE_NOT_IN_DIRECTORY", message),
        ImportError::Disk(source) => {
            tracing::error!(error = %source, "the file of the directory cannot be written");
            status::unavailable("DIRECTORY_FILE", &message)
        }
    }
}
