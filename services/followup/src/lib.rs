//! Visits after reintegration: twelve in the year after somebody went home, and what came of each.

pub mod findings;
mod grpc;
pub mod plan;
mod reactions;
pub mod visits;

use std::sync::Arc;

use spean_chassis::{LARGEST_REQUEST_BYTES, Node, Running, ServiceParts, standing};
use spean_contracts::followup::v1::followup_service_server::FollowupServiceServer;
use spean_vocabulary::Service;
use tokio::sync::Mutex;

/// Starts the service.
pub async fn start(node: &Node, running: &mut Running) -> anyhow::Result<()> {
    let parts = ServiceParts {
        service: Service::Followup,
        tables: vec![standing::TABLES],
        read_models: vec![Arc::new(visits::Visits)],
        // What a visit found is for the office that made it; nobody else is told.
        postings: Box::new(|_| vec![]),
        correspondence: Arc::new(reactions::Reactions { node: node.id.clone(), clock: node.clock.clone() }),
    };
    let (store, _) = node.open(parts, running).await?;
    let grpc = grpc::Grpc { node: node.clone(), store, appending: Mutex::new(()) };
    let service = FollowupServiceServer::new(grpc);
    running.routes().add_service(service.max_decoding_message_size(LARGEST_REQUEST_BYTES));
    Ok(())
}
