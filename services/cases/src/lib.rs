//! The register of people at one agency: who is helped, what was consented to, who may be the same person.

pub mod case;
mod duplicates;
mod grpc;
mod published;
mod reactions;
pub mod register;
pub mod similarity;

use std::sync::Arc;

use spean_chassis::{Node, Running, ServiceParts, standing};
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
    running.routes().add_service(CasesServiceServer::new(grpc::Grpc { node: node.clone(), store }));
    Ok(())
}
