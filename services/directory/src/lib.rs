//! The directory: the places of Cambodia by their official codes, who serves them, and the help that offices have on
//! offer.

pub mod gazetteer;
pub mod offering;

mod announcement;
mod catalogue;
mod edition;
#[cfg(test)]
mod examples;
mod grpc;
mod newcomers;
mod offices;
mod places;
mod published;
mod reactions;

use std::sync::Arc;

use spean_chassis::{LARGEST_REQUEST_BYTES, Node, Running, ServiceParts};
use spean_contracts::directory::v1::directory_service_server::DirectoryServiceServer;
use spean_vocabulary::Service;

pub use places::place_name;

/// Starts the service.
pub async fn start(node: &Node, running: &mut Running) -> anyhow::Result<()> {
    // The lists are read at first use; nobody should wait for it.
    tokio::task::spawn_blocking(gazetteer::shipped);
    let (id, directory) = (node.id.clone(), node.directory.clone());
    let reactions = reactions::Reactions { node: id.clone(), directory: directory.clone(), clock: node.clock.clone() };
    let parts = ServiceParts {
        service: Service::Directory,
        tables: vec![catalogue::TABLES, newcomers::TABLES],
        read_models: vec![Arc::new(catalogue::Catalogue)],
        postings: Box::new(move |event| published::postings(&id, &directory.current(), event)),
        correspondence: Arc::new(reactions),
    };
    let (store, post) = node.open(parts, running).await?;
    running.spawn(node, newcomers::watch(node.clone(), store.clone(), post.clone()));
    let service = DirectoryServiceServer::new(grpc::Grpc { node: node.clone(), store, post });
    running.routes().add_service(service.max_decoding_message_size(LARGEST_REQUEST_BYTES));
    Ok(())
}
