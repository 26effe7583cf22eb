//! Protobuf to commands and queries, and back. No rules.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use spean_chassis::words::{instant, read_need};
use spean_chassis::{Call, Node, Page, field, status};
use spean_contracts::directory::v1 as wire;
use spean_contracts::directory::v1::directory_service_server::DirectoryService;
use spean_eventsourcing::{Aggregate, Context, Refusal};
use spean_eventstore::EventStore;
use spean_identity::{Directory, DirectoryError};
use spean_messaging::Post;
use spean_vocabulary::{AgencyId, Date, OfferingId, OfficeId, PlaceCode};
use tonic::{Request, Response, Status};

use crate::announcement::{self, Read};
use crate::catalogue::{self, Filter};
use crate::edition::{self, ImportError};
use crate::gazetteer::{EditionYear, Place};
use crate::offering::{Command, Offering};
use crate::office::{self, Declaration, Office};
use crate::offices::{self, Offices};
use crate::places::{self, Places};
use crate::roll::Roll;
use crate::{declared, office_book};

/// Longest name that is looked for, in characters.
const LONGEST_NAME: usize = 100;

/// The directory over gRPC.
pub(crate) struct Grpc {
    pub(crate) node: Node,
    pub(crate) store: EventStore,
    pub(crate) post: Post,
    pub(crate) roll: Roll,
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
        // Whoever asks for the history next finds it there; should it fail, it is done again within a second.
        self.roll.keep_once().await;
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
        let (call, request) = self.node.gate.open("ListOffices", request)?;
        let agency: Option<AgencyId> = field::parse_optional("agency_id", &request.agency_id)?;
        let seen = self.seen_on(call.today()).await?;
        let of_agency = |office: &OfficeId| {
            agency.is_none() || seen.directory.agency_of(office).map(|agency| &agency.id) == agency.as_ref()
        };
        let offices = seen.directory.offices.iter().filter(|office| of_agency(&office.id));
        let mut offices: Vec<_> = offices.map(|office| seen.offices().write(office)).collect();
        offices.sort_by(|one, other| one.office_id.cmp(&other.office_id));
        Ok(Response::new(wire::ListOfficesResponse { offices }))
    }

    async fn get_office(
        &self,
        request: Request<wire::GetOfficeRequest>,
    ) -> Result<Response<wire::GetOfficeResponse>, Status> {
        let (call, request) = self.node.gate.open("GetOffice", request)?;
        let id: OfficeId = field::parse("office_id", &request.office_id)?;
        let seen = self.seen_on(call.today()).await?;
        if let Some(office) = seen.directory.office(&id) {
            return Ok(Response::new(wire::GetOfficeResponse { office: Some(seen.offices().write(office)) }));
        }
        // No edition takes an office out, but somebody may have put another file in its place.
        let listed = office_book::as_last_listed(&id, self.store.reader()).await.map_err(status::query)?;
        let listed = listed.ok_or_else(|| status::not_found("office"))?;
        let office = wire::Office { status: wire::OfficeStatus::Closed.into(), ..listed };
        Ok(Response::new(wire::GetOfficeResponse { office: Some(office) }))
    }

    async fn get_office_history(
        &self,
        request: Request<wire::GetOfficeHistoryRequest>,
    ) -> Result<Response<wire::GetOfficeHistoryResponse>, Status> {
        let (_, request) = self.node.gate.open("GetOfficeHistory", request)?;
        let office: OfficeId = field::parse("office_id", &request.office_id)?;
        let page = Page::read(request.page.as_ref())?;
        let reader = self.store.reader();
        let changes = office_book::history(&office, page.limit(), page.offset, reader).await.map_err(status::query)?;
        if changes.is_empty() && page.offset == 0 && self.node.directory.current().office(&office).is_none() {
            return Err(status::not_found("office"));
        }
        let (changes, page) = page.cut(changes);
        Ok(Response::new(wire::GetOfficeHistoryResponse { changes, page }))
    }

    async fn declare_office_status(
        &self,
        request: Request<wire::DeclareOfficeStatusRequest>,
    ) -> Result<Response<wire::DeclareOfficeStatusResponse>, Status> {
        let (call, request) = self.node.gate.open("DeclareOfficeStatus", request)?;
        let (id, said) = declared::read(&request)?;
        let directory = self.node.directory.current();
        let office = directory.office(&id).ok_or_else(|| status::not_found("office"))?;
        let facts = offices::facts(&directory, office, &said, call.today());
        self.handle::<Office>(id.to_string(), office::Command::Declare { said, facts }, &call).await?;
        Ok(Response::new(wire::DeclareOfficeStatusResponse {}))
    }

    async fn who_serves(
        &self,
        request: Request<wire::WhoServesRequest>,
    ) -> Result<Response<wire::WhoServesResponse>, Status> {
        let (call, request) = self.node.gate.open("WhoServes", request)?;
        let place = field::parse("place", &request.place)?;
        let on = field::parse_optional("on_day", &request.on_day)?.unwrap_or_else(|| call.today());
        let edition = edition_year(request.edition)?;
        let seen = self.seen_on(on).await?;
        let offices = seen.offices();
        let serving = offices.serving(&place, edition).ok_or_else(|| status::not_found("office"))?;
        let became = match seen.places.find(&place, edition, on).map(Place::key) {
            Some(key) if !seen.places.steps(&key, on).is_empty() => {
                seen.places.today(&key, on).iter().map(|key| seen.places.describe_in(key, on)).collect()
            }
            _ => vec![],
        };
        Ok(Response::new(wire::WhoServesResponse {
            office: Some(offices.write(serving.office)),
            stands_in_for: serving.stands_in_for.iter().map(|office| offices.write(office)).collect(),
            because: serving.because.into(),
            became,
            on_day: on.to_string(),
        }))
    }

    async fn get_place(
        &self,
        request: Request<wire::GetPlaceRequest>,
    ) -> Result<Response<wire::GetPlaceResponse>, Status> {
        let (call, request) = self.node.gate.open("GetPlace", request)?;
        let code = field::parse("code", &request.code)?;
        let edition = edition_year(request.edition)?;
        let (places, today) = (places::of(&self.node.directory.current()), call.today());
        let key = places.find(&code, edition, today).ok_or_else(|| status::not_found("place"))?.key();
        let mut listed = places.and_above(&key).into_iter().map(|place| places.write(place, today));
        let (place, within) = (listed.next(), listed.collect());
        let steps = places.steps(&key, today);
        let became = if steps.is_empty() { vec![] } else { places.today(&key, today) };
        Ok(Response::new(wire::GetPlaceResponse {
            place,
            within,
            became: became.iter().map(|key| places.describe_in(key, today)).collect(),
            changes: steps.iter().map(|step| places.write_step(step, today)).collect(),
        }))
    }

    async fn list_places(
        &self,
        request: Request<wire::ListPlacesRequest>,
    ) -> Result<Response<wire::ListPlacesResponse>, Status> {
        let (call, request) = self.node.gate.open("ListPlaces", request)?;
        let within = field::parse_optional("within", &request.within)?;
        let page = Page::read(request.page.as_ref())?;
        let (places, today) = (places::of(&self.node.directory.current()), call.today());
        let listed = places.directly_in(within, today).ok_or_else(|| status::not_found("place"))?;
        let count = |number: i64| usize::try_from(number).unwrap_or(usize::MAX);
        let rows: Vec<_> = listed.skip(count(page.offset)).take(count(page.limit())).collect();
        let (rows, page) = page.cut(rows);
        let listed = rows.into_iter().map(|place| places.write(place, today)).collect();
        Ok(Response::new(wire::ListPlacesResponse { places: listed, page }))
    }

    async fn search_places(
        &self,
        request: Request<wire::SearchPlacesRequest>,
    ) -> Result<Response<wire::SearchPlacesResponse>, Status> {
        let (call, request) = self.node.gate.open("SearchPlaces", request)?;
        let name = field::required_text("name", &request.name, LONGEST_NAME)?;
        let within: Option<PlaceCode> = field::parse_optional("within", &request.within)?;
        let (directory, today) = (self.node.directory.current(), call.today());
        // Every name is compared: too long for a thread that serves others meanwhile.
        let search = move || places::of(&directory).search(&name, within, today);
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
        let places = places::of(&self.node.directory.current());
        for (index, place) in offering.places.iter().enumerate() {
            let known = place.parse().is_ok_and(|place| places.knows(&place));
            if !known {
                let path = format!("offering.places[{index}]");
                return Err(status::invalid(&path, "a place that the official lists know"));
            }
        }
        let command = Command::Publish { need, terms, valid_from };
        self.handle::<Offering>(offering_id.to_string(), command, &call).await?;
        Ok(Response::new(wire::PublishOfferingResponse {}))
    }

    async fn withdraw_offering(
        &self,
        request: Request<wire::WithdrawOfferingRequest>,
    ) -> Result<Response<wire::WithdrawOfferingResponse>, Status> {
        let (call, request) = self.node.gate.open("WithdrawOffering", request)?;
        let offering_id: OfferingId = field::parse("offering_id", &request.offering_id)?;
        let withdrawn_on = field::parse_optional("withdrawn_on", &request.withdrawn_on)?;
        let withdrawn_on = withdrawn_on.unwrap_or_else(|| call.today());
        self.handle::<Offering>(offering_id.to_string(), Command::Withdraw { withdrawn_on }, &call).await?;
        Ok(Response::new(wire::WithdrawOfferingResponse {}))
    }

    async fn list_offerings(
        &self,
        request: Request<wire::ListOfferingsRequest>,
    ) -> Result<Response<wire::ListOfferingsResponse>, Status> {
        let (call, request) = self.node.gate.open("ListOfferings", request)?;
        let place = field::parse_optional("place", &request.place)?;
        let on = field::parse_optional("on_day", &request.on_day)?.unwrap_or_else(|| call.today());
        let filter = Filter {
            include_withdrawn: request.include_withdrawn,
            need: if request.need == 0 { None } else { Some(read_need("need", request.need)?) },
            office: field::parse_optional("office_id", &request.office_id)?,
            from_place: place.map(|place| self.names_of(&place, on)).unwrap_or_default(),
            ..Filter::on(on)
        };
        let page = Page::read(request.page.as_ref())?;
        let reader = self.store.reader();
        let offerings = catalogue::list(&filter, page.limit(), page.offset, reader).await.map_err(status::query)?;
        let (offerings, page) = page.cut(offerings);
        let changed_at = catalogue::changed_at(reader).await.map_err(status::query)?.map(instant);
        Ok(Response::new(wire::ListOfferingsResponse { offerings, page, changed_at }))
    }

    async fn list_offering_changes(
        &self,
        request: Request<wire::ListOfferingChangesRequest>,
    ) -> Result<Response<wire::ListOfferingChangesResponse>, Status> {
        let (_, request) = self.node.gate.open("ListOfferingChanges", request)?;
        let offering = field::parse("offering_id", &request.offering_id)?;
        let page = Page::read(request.page.as_ref())?;
        let reader = self.store.reader();
        let changes = catalogue::changes(&offering, page.limit(), page.offset, reader).await.map_err(status::query)?;
        if changes.is_empty() && page.offset == 0 {
            return Err(status::not_found("offering"));
        }
        let (changes, page) = page.cut(changes);
        Ok(Response::new(wire::ListOfferingChangesResponse { changes, page }))
    }
}

/// What is known of the offices for one request.
struct Seen {
    directory: Arc<Directory>,
    places: Arc<Places>,
    declared: BTreeMap<OfficeId, Vec<Declaration>>,
    on: Date,
}

impl Seen {
    fn offices(&self) -> Offices<'_> {
        let Self { directory, places, declared, on } = self;
        Offices { directory, places, declared, on: *on }
    }
}

impl Grpc {
    async fn seen_on(&self, on: Date) -> Result<Seen, Status> {
        let directory = self.node.directory.current();
        let places = places::of(&directory);
        let declared = office_book::declared_on(on, self.store.reader()).await.map_err(status::query)?;
        Ok(Seen { directory, places, declared, on })
    }

    /// A place and all that it lies in, each under every code by which an offering may name it.
    fn names_of(&self, place: &PlaceCode, on: Date) -> Vec<PlaceCode> {
        let places = places::of(&self.node.directory.current());
        let areas = places.areas(place, None, on);
        let names = areas.iter().flat_map(|area| places.names_of(area, on)).chain([*place]);
        names.collect::<BTreeSet<_>>().into_iter().collect()
    }

    async fn handle<A>(&self, stream: String, command: A::Command, call: &Call) -> Result<(), Status>
    where
        A: Aggregate<Context = Context>,
        A::Error: Refusal,
    {
        if self.post.is_recovering() {
            let message = "the node came back from a backup and waits for its peers; nothing can be changed yet";
            return Err(status::unavailable("RECOVERING", message));
        }
        let handled = self.store.handle::<A>(stream, command, call.context()?, call.metadata()?);
        handled.await.map_err(status::handled)?;
        Ok(())
    }
}

fn edition_year(year: i32) -> Result<Option<EditionYear>, Status> {
    let year = field::within("edition", i64::from(year), 0, 9_999)?;
    Ok(u16::try_from(year).ok().filter(|year| *year > 0).map(EditionYear))
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
