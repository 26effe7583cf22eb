//! Beds and residents: how many places an office has, for whom, who stays there, and how each stay ended.

pub mod agreements;
mod grpc;
pub mod house;
mod reactions;
pub mod residents;

use std::sync::Arc;

use spean_chassis::{LARGEST_REQUEST_BYTES, Node, Running, ServiceParts, standing};
use spean_contracts::shelter::v1::shelter_service_server::ShelterServiceServer;
use spean_vocabulary::Service;

/// Starts the service.
pub async fn start(node: &Node, running: &mut Running) -> anyhow::Result<()> {
    let parts = ServiceParts {
        service: Service::Shelter,
        tables: vec![standing::TABLES, agreements::TABLES],
        read_models: vec![Arc::new(residents::Residents)],
        // Who stays where is told to nobody: custody and the need are matters of the desk, and no stay changes them.
        postings: Box::new(|_| vec![]),
        correspondence: Arc::new(reactions::Reactions { node: node.id.clone() }),
    };
    let (store, _) = node.open(parts, running).await?;
    let service = ShelterServiceServer::new(grpc::Grpc { node: node.clone(), store });
    running.routes().add_service(service.max_decoding_message_size(LARGEST_REQUEST_BYTES));
    Ok(())
}
