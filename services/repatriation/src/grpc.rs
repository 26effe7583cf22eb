//! Protobuf to commands and queries, and back. No rules.

use std::collections::BTreeSet;
use std::sync::Arc;

use spean_chassis::person;
use spean_chassis::words::{instant, read_need, stored, write_age_band, write_need, write_sex};
use spean_chassis::{Call, Node, Page, field, status};
use spean_contracts::repatriation::v1::repatriation_service_server::RepatriationService;
use spean_contracts::repatriation::v1::{self as wire};
use spean_eventstore::{EventStore, HandleError};
use spean_vault::{Contact, Vault};
use spean_vocabulary::{ArrivalId, Date, ManifestId, Need, Timestamp};
use tonic::{Request, Response, Status};

use crate::arrival::{Arrival, Circumstances, Command, DepartureKind, Error, Route};
use crate::arrivals::{self, Entry};
use crate::import::{ImportError, Importer, Submission};
use crate::manifest::Manifest;
use crate::verdicts::{self, Seen};

/// Longest name of an authority or a function, in characters.
const LONGEST_AUTHORITY: usize = 100;
const LONGEST_FUNCTION: usize = 60;
/// Most needs of one person: each once.
const MOST_NEEDS: usize = 20;

/// The centre over gRPC.
pub(crate) struct Grpc {
    pub(crate) node: Node,
    pub(crate) store: EventStore,
    pub(crate) importer: Importer,
}

#[tonic::async_trait]
impl RepatriationService for Grpc {
    async fn register_arrival(
        &self,
        request: Request<wire::RegisterArrivalRequest>,
    ) -> Result<Response<wire::RegisterArrivalResponse>, Status> {
        let (call, request) = self.node.gate.open("RegisterArrival", request)?;
        let arrival: ArrivalId = field::parse("arrival_id", &request.arrival_id)?;
        let described = person::read("person", request.person, call.today())?;
        let known = self.store.load::<Arrival>(&arrival.to_string()).await.map_err(|error| status::store(&error))?;
        // Asked again on another day, an arrival "today" is still that of the first day.
        let today = known.state.arrived_on().unwrap_or(call.today());
        let circumstances = read_circumstances(request.circumstances, today, &call)?;
        if !known.state.exists()
            && arrivals::is_case_elsewhere(arrival, self.store.reader()).await.map_err(status::query)?
        {
            return Err(status::refused(&Error::ArrivalIdTaken));
        }
        let codes = described.codes(circumstances.arrived_on);
        let person = arrival.reinterpret();
        let command = Command::Register { person, circumstances, codes, needs: BTreeSet::new() };
        let (context, metadata) = (call.context()?, call.metadata()?);
        let (vault, now) = (Arc::clone(&self.node.vault), call.now);
        let registered = self.store.transact(move |transaction| {
            Box::pin(async move {
                let id = arrival.to_string();
                let known = transaction.load::<Arrival>(&id).await.map_err(|error| status::store(&error))?;
                transaction.decide::<Arrival>(&id, command, &context, &metadata).await.map_err(status::handled)?;
                // Between the decision and its commit: nothing is kept of an arrival that is refused, nothing is
                // missing of one that is on record, and asking again brings back nothing that was erased since.
                if known.state.exists() { Ok(()) } else { keep(&vault, arrival, &described, now).await }
            })
        });
        registered.await.map_err(status::transacted)?;
        Ok(Response::new(wire::RegisterArrivalResponse { case_id: arrival.to_string() }))
    }

    async fn import_manifest(
        &self,
        request: Request<wire::ImportManifestRequest>,
    ) -> Result<Response<wire::ImportManifestResponse>, Status> {
        let (call, request) = self.node.gate.open("ImportManifest", request)?;
        let manifest: ManifestId = field::parse("manifest_id", &request.manifest_id)?;
        let known = self.store.load::<Manifest>(&manifest.to_string()).await.map_err(|error| status::store(&error))?;
        let today = known.state.circumstances().map_or(call.today(), |circumstances| circumstances.arrived_on);
        let circumstances = read_circumstances(request.circumstances, today, &call)?;
        let (context, metadata) = (call.context()?, call.metadata()?);
        let submission = Submission { manifest, file: request.csv, circumstances, context, metadata };
        let verdicts = if request.preview {
            let preview = self.importer.preview(&submission).await.map_err(import_status)?;
            let preview = preview.into_iter().map(|verdict| write_verdict(verdict.into()));
            preview.map(|verdict| wire::RowVerdict { arrival_id: String::new(), ..verdict }).collect()
        } else {
            self.import(submission).await?;
            self.report(manifest, &call).await?.verdicts.into_iter().map(write_verdict).collect::<Vec<_>>()
        };
        let accepted = verdicts.iter().filter(|verdict| verdict.accepted).count();
        Ok(Response::new(wire::ImportManifestResponse {
            rows: count(verdicts.len()),
            accepted: count(accepted),
            refused: count(verdicts.len() - accepted),
            verdicts,
        }))
    }

    async fn get_manifest(
        &self,
        request: Request<wire::GetManifestRequest>,
    ) -> Result<Response<wire::GetManifestResponse>, Status> {
        let (call, request) = self.node.gate.open("GetManifest", request)?;
        let manifest = field::parse("manifest_id", &request.manifest_id)?;
        let report = self.report(manifest, &call).await?;
        Ok(Response::new(wire::GetManifestResponse {
            verdicts: report.verdicts.into_iter().map(write_verdict).collect(),
            finished_at: report.finished_at.map(instant),
        }))
    }

    async fn list_arrivals(
        &self,
        request: Request<wire::ListArrivalsRequest>,
    ) -> Result<Response<wire::ListArrivalsResponse>, Status> {
        let (call, request) = self.node.gate.open("ListArrivals", request)?;
        let page = Page::read(request.page.as_ref())?;
        let entries =
            arrivals::of_office(call.office()?, request.present_only, page.limit(), page.offset, self.store.reader())
                .await
                .map_err(status::query)?;
        let (entries, page) = page.cut(entries);
        Ok(Response::new(wire::ListArrivalsResponse {
            arrivals: entries.into_iter().map(write_arrival).collect(),
            page,
        }))
    }

    async fn record_needs(
        &self,
        request: Request<wire::RecordNeedsRequest>,
    ) -> Result<Response<wire::RecordNeedsResponse>, Status> {
        let (call, request) = self.node.gate.open("RecordNeeds", request)?;
        let arrival = field::parse("arrival_id", &request.arrival_id)?;
        let command = Command::RecordNeeds {
            needs: read_needs(&request.needs)?,
            urgent: request.urgent,
            responsible_adult: field::text("responsible_adult", &request.responsible_adult, LONGEST_FUNCTION)?,
        };
        self.handle(arrival, command, &call).await?;
        Ok(Response::new(wire::RecordNeedsResponse {}))
    }

    async fn record_stay(
        &self,
        request: Request<wire::RecordStayRequest>,
    ) -> Result<Response<wire::RecordStayResponse>, Status> {
        let (call, request) = self.node.gate.open("RecordStay", request)?;
        let arrival = field::parse("arrival_id", &request.arrival_id)?;
        let night_of = field::day_so_far("night_of", &request.night_of, call.today())?;
        self.handle(arrival, Command::RecordStay { night_of }, &call).await?;
        Ok(Response::new(wire::RecordStayResponse {}))
    }

    async fn record_departure(
        &self,
        request: Request<wire::RecordDepartureRequest>,
    ) -> Result<Response<wire::RecordDepartureResponse>, Status> {
        let (call, request) = self.node.gate.open("RecordDeparture", request)?;
        let arrival = field::parse("arrival_id", &request.arrival_id)?;
        let kind = match request.kind() {
            wire::DepartureKind::HandedOver => DepartureKind::HandedOver,
            wire::DepartureKind::OwnWill => DepartureKind::OwnWill,
            wire::DepartureKind::Unspecified => {
                return Err(status::invalid("kind", "one of the values of DepartureKind, not the unspecified one"));
            }
        };
        let on = field::day_so_far("departed_on", &request.departed_on, call.today())?;
        self.handle(arrival, Command::RecordDeparture { kind, on }, &call).await?;
        Ok(Response::new(wire::RecordDepartureResponse {}))
    }

    async fn reconcile_arrivals(
        &self,
        request: Request<wire::ReconcileArrivalsRequest>,
    ) -> Result<Response<wire::ReconcileArrivalsResponse>, Status> {
        let (call, request) = self.node.gate.open("ReconcileArrivals", request)?;
        let from: Option<Date> = field::parse_optional("from", &request.from)?;
        let to = field::parse_optional("to", &request.to)?.unwrap_or(call.today());
        if from.is_some_and(|from| from > to) {
            return Err(status::invalid("from", "a day that is not after the last day"));
        }
        let reconciled = arrivals::reconcile(call.office()?, from, to, self.store.reader()).await;
        let reconciled = reconciled.map_err(status::query)?;
        Ok(Response::new(wire::ReconcileArrivalsResponse {
            arrived: count(reconciled.arrived),
            present: count(reconciled.present),
            handed_over: count(reconciled.handed_over),
            own_will: count(reconciled.own_will),
            bed_nights: count(reconciled.bed_nights),
            waiting_arrival_ids: reconciled.waiting,
        }))
    }
}

impl Grpc {
    async fn handle(&self, arrival: ArrivalId, command: Command, call: &Call) -> Result<(), Status> {
        let handled = self.store.handle::<Arrival>(arrival.to_string(), command, call.context()?, call.metadata()?);
        handled.await.map_err(status::handled)?;
        Ok(())
    }

    /// Imports in a task of its own, which goes on when the caller hangs up: the line of an office may be bad.
    async fn import(&self, submission: Submission) -> Result<(), Status> {
        let importer = self.importer.clone();
        let import = tokio::spawn(async move { importer.import(submission).await.map_err(import_status) });
        import.await.map_err(|error| status::bug(&error))?
    }

    async fn report(&self, manifest: ManifestId, call: &Call) -> Result<verdicts::Report, Status> {
        let report = verdicts::report(manifest, call.office()?, self.store.reader()).await.map_err(status::query)?;
        report.ok_or_else(|| status::not_found("manifest"))
    }
}

async fn keep(vault: &Vault, arrival: ArrivalId, described: &person::Described, now: Timestamp) -> Result<(), Status> {
    let person = arrival.reinterpret();
    let failed = |error| status::vault(&error);
    vault.put(person, &described.identity, now).await.map_err(failed)?;
    if described.contact != Contact::default() {
        vault.put(person, &described.contact, now).await.map_err(failed)?;
    }
    if let Some(narrative) = &described.narrative {
        vault.put(person, narrative, now).await.map_err(failed)?;
    }
    Ok(())
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
    let from_country = circumstances.from_country;
    let sound = from_country.len() == 2 && from_country.bytes().all(|byte| byte.is_ascii_uppercase());
    if !sound && !from_country.is_empty() {
        return Err(status::invalid("circumstances.from_country", "a country as ISO 3166 alpha-2, such as TH"));
    }
    let field = "circumstances.handed_over_by";
    let handed_over_by = field::text(field, &circumstances.handed_over_by, LONGEST_AUTHORITY)?;
    let arrived_on = match circumstances.arrived_on.as_str() {
        "" => today,
        day => field::day_so_far("circumstances.arrived_on", day, call.today())?,
    };
    Ok(Circumstances { route, from_country: sound.then_some(from_country), handed_over_by, arrived_on })
}

fn read_needs(needs: &[i32]) -> Result<BTreeSet<Need>, Status> {
    field::at_most("needs", needs, MOST_NEEDS)?;
    let read = |(index, need): (usize, &i32)| read_need(&format!("needs[{index}]"), *need);
    needs.iter().enumerate().map(read).collect()
}

fn write_arrival(entry: Entry) -> wire::Arrival {
    let departure = match entry.departure.parse() {
        Ok(DepartureKind::HandedOver) => wire::DepartureKind::HandedOver,
        Ok(DepartureKind::OwnWill) => wire::DepartureKind::OwnWill,
        Err(_) => wire::DepartureKind::Unspecified,
    };
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
    }
}

fn write_verdict(seen: Seen) -> wire::RowVerdict {
    wire::RowVerdict {
        line: count(seen.line),
        accepted: seen.reason.is_empty(),
        reason: seen.reason,
        column: seen.column,
        arrival_id: seen.arrival_id,
        missing: seen.missing,
    }
}

fn count(number: impl TryInto<i32>) -> i32 {
    number.try_into().unwrap_or(i32::MAX)
}

fn import_status(error: ImportError) -> Status {
    match error {
        ImportError::Unreadable(unreadable) => status::invalid("csv", unreadable),
        ImportError::Manifest(error @ (HandleError::Refused(_) | HandleError::CommandIdReused)) => {
            status::handled(error)
        }
        ImportError::Manifest(HandleError::Store(error)) | ImportError::Store(error) => status::store(&error),
        ImportError::Vault(error) => status::vault(&error),
    }
}
