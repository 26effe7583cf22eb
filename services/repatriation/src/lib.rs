//! The register of a transit centre: who arrived, what they need, how many nights, who took over. And the requests by
//! which people come home across a border.

pub mod arrival;
pub mod arrivals;
pub mod beds;
mod facts;
mod grpc;
pub mod import;
pub mod known;
pub mod manifest;
pub mod occupancy;
mod published;
mod reactions;
pub mod reconciliation;
pub mod request;
pub mod requests;
pub mod sheet;
pub mod urgent;
pub mod verdicts;
pub mod words;

use std::sync::Arc;

use spean_chassis::{Log, Node, Running, ServiceParts, standing};
use spean_contracts::repatriation::v1::repatriation_service_server::RepatriationServiceServer;
use spean_eventstore::ReadModel;
use spean_vocabulary::Service;

/// Largest request, in bytes: a manifest of 2 MiB and what surrounds it.
const LARGEST_REQUEST: usize = 3 * 1024 * 1024;

/// What stands in the log.
pub fn log() -> Log {
    let read_models: [Arc<dyn ReadModel>; 5] = [
        Arc::new(arrivals::Arrivals),
        Arc::new(urgent::UrgentNeeds),
        Arc::new(occupancy::CentreBeds),
        Arc::new(verdicts::Verdicts),
        Arc::new(requests::Requests),
    ];
    Log::of(Service::Repatriation)
        .with::<arrival::Arrival>()
        .with::<manifest::Manifest>()
        .with::<beds::Beds>()
        .with::<request::Request>()
        .with_tables([standing::TABLES])
        .with_read_models(read_models)
}

/// Starts the service.
pub async fn start(node: &Node, running: &mut Running) -> anyhow::Result<()> {
    let id = node.id.clone();
    let reactions = reactions::Reactions { node: id.clone(), clock: node.clock.clone() };
    let parts = ServiceParts {
        log: log(),
        postings: Box::new(move |event| [published::postings(&id, event), facts::of(&id, event)].concat()),
        correspondence: Arc::new(reactions),
    };
    let (store, _) = node.open(parts, running).await?;
    let importer = import::Importer::new(store.clone(), Arc::clone(&node.vault));
    let policies = node.policies(&store).await?;
    let service = RepatriationServiceServer::new(grpc::Grpc { node: node.clone(), store, importer, policies });
    running.routes().add_service(service.max_decoding_message_size(LARGEST_REQUEST));
    Ok(())
}
