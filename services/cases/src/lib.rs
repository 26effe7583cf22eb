//! The register of people at one agency: who is helped, what was consented to, who may be the same person.

pub mod case;
mod duplicates;
mod grpc;
mod published;
mod reactions;
pub mod register;
pub mod similarity;

use std::sync::Arc;

use spean_chassis::{LARGEST_REQUEST_BYTES, Node, Running, ServiceParts, standing};
use spean_contracts::cases::v1::cases_service_server::CasesServiceServer;
use spean_vocabulary::Service;

/// Starts the service.
pub async fn start(node: &Node, running: &mut Running) -> anyhow::Result<()> {
    let id = node.id.clone();
    let reactions =
        reactions::Reactions { node: id.clone(), directory: node.directory.clone(), clock: node.clock.clone() };
    let parts = ServiceParts {
        service: Service::Cases,
        tables: vec![standing::TABLES],
        read_models: vec![Arc::new(register::Register)],
        postings: Box::new(move |event| published::postings(&id, event)),
        correspondence: Arc::new(reactions),
    };
    let (store, _) = node.open(parts, running).await?;
    running.spawn(node, duplicates::watch(node.clone(), store.clone()));
    let service = CasesServiceServer::new(grpc::Grpc { node: node.clone(), store });
    running.routes().add_service(service.max_decoding_message_size(LARGEST_REQUEST_BYTES));
    Ok(())
}
