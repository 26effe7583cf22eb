//! A shelter: how many places an office has and who stays there, the care for them, who is missing, and the way home.

pub mod agreements;
pub mod care;
pub mod due;
mod facts;
mod file;
#[cfg(test)]
mod golden;
mod grpc;
pub mod homecoming;
pub mod house;
pub mod labels;
pub mod notes;
mod published;
mod reactions;
pub mod residents;
pub mod search;

use std::sync::Arc;

use spean_chassis::{LARGEST_REQUEST_BYTES, Log, Node, Running, ServiceParts, standing};
use spean_contracts::shelter::v1::shelter_service_server::ShelterServiceServer;
use spean_eventstore::{ReadModel, Tables};
use spean_vocabulary::Service;

/// The tables that are not derived from the log: what others have told.
pub const TABLES: [Tables; 4] = [standing::TABLES, agreements::TABLES, search::TABLES, notes::TABLES];

/// What stands in the log.
pub fn log() -> Log {
    let read_models: [Arc<dyn ReadModel>; 1] = [Arc::new(residents::Residents)];
    Log::of(Service::Shelter)
        .with::<house::House>()
        .with::<care::Care>()
        .with::<homecoming::Homecoming>()
        .with_tables(TABLES)
        .with_read_models(read_models)
}

/// Starts the service.
pub async fn start(node: &Node, running: &mut Running) -> anyhow::Result<()> {
    let id = node.id.clone();
    let parts = ServiceParts {
        log: log(),
        postings: Box::new(move |event| [published::postings(&id, event), facts::of(&id, event)].concat()),
        correspondence: Arc::new(reactions::Reactions {
            node: node.id.clone(),
            clock: node.clock.clone(),
            assessment_days: node.policy.tracing.assessment_days,
        }),
    };
    let (store, post) = node.open(parts, running).await?;
    let policies = node.policies(&store).await?;
    running.repeat(node, search::round(node, &policies, &store, &post));
    let service = ShelterServiceServer::new(grpc::Grpc { node: node.clone(), store });
    running.routes().add_service(service.max_decoding_message_size(LARGEST_REQUEST_BYTES));
    Ok(())
}
