//! The register of people at one agency: who is helped, what was consented to, who may be the same person.

pub mod case;
pub mod dangers;
mod duplicates;
mod facts;
pub mod files;
mod grpc;
pub mod holders;
mod narrative;
pub mod pairs;
mod published;
mod reactions;
pub mod register;
mod sections;
pub mod shelf;
pub mod sightings;
pub mod similarity;
mod sniff;
pub mod timeline;

use std::sync::Arc;

use spean_chassis::{LARGEST_REQUEST_BYTES, Log, Node, Running, ServiceParts, standing};
use spean_contracts::cases::v1::attachment_service_server::AttachmentServiceServer;
use spean_contracts::cases::v1::cases_service_server::CasesServiceServer;
use spean_eventstore::ReadModel;
use spean_vocabulary::Service;

/// The largest request with a file, in bytes: 6 MiB, so that what is a little too large is refused by name.
const LARGEST_FILE_REQUEST_BYTES: usize = 6 * 1024 * 1024;

/// The lists that the register keeps, all of them derived from its log.
pub fn read_models() -> Vec<Arc<dyn ReadModel>> {
    vec![
        Arc::new(register::Register),
        Arc::new(pairs::Pairs),
        Arc::new(dangers::Dangers),
        Arc::new(files::Files),
        Arc::new(timeline::Timeline),
        Arc::new(sightings::Sightings),
        Arc::new(shelf::Shelf),
    ]
}

/// What stands in the log.
pub fn log() -> Log {
    Log::of(Service::Cases)
        .with::<case::Case>()
        .with_tables([standing::TABLES, holders::TABLES])
        .with_read_models(read_models())
}

/// Starts the service.
pub async fn start(node: &Node, running: &mut Running) -> anyhow::Result<()> {
    let id = node.id.clone();
    let reactions =
        reactions::Reactions { node: id.clone(), directory: node.directory.clone(), clock: node.clock.clone() };
    let parts = ServiceParts {
        log: log(),
        postings: Box::new(move |event| [published::postings(&id, event), facts::of(&id, event)].concat()),
        correspondence: Arc::new(reactions),
    };
    let (store, _) = node.open(parts, running).await?;
    let sections = sections::Sections::new(node.clone(), store.clone());
    running.repeat(node, duplicates::round(node, &store));
    running.repeat(node, sections.round());
    let grpc = grpc::Grpc { node: node.clone(), store, sections };
    let files = AttachmentServiceServer::new(grpc.clone()).max_decoding_message_size(LARGEST_FILE_REQUEST_BYTES);
    let service = CasesServiceServer::new(grpc).max_decoding_message_size(LARGEST_REQUEST_BYTES);
    running.routes().add_service(service).add_service(files);
    Ok(())
}
