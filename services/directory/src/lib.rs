//! The directory: the places of Cambodia by their official codes, who serves them, and the help that offices have on
//! offer.

pub mod availability;
pub mod gazetteer;
pub mod heard_offering;
pub mod offering;
pub mod office;

mod announcement;
mod catalogue;
mod declared;
mod early;
mod edition;
#[cfg(test)]
mod examples;
mod grpc;
mod newcomers;
mod office_book;
mod offices;
mod places;
mod published;
mod reactions;
mod roll;
#[cfg(test)]
mod stage;

use std::sync::Arc;

use spean_chassis::{LARGEST_REQUEST_BYTES, Log, Node, Running, ServiceParts};
use spean_contracts::directory::v1::directory_service_server::DirectoryServiceServer;
use spean_eventstore::ReadModel;
use spean_vocabulary::Service;

pub use places::place_name;

/// What stands in the log.
pub fn log() -> Log {
    let read_models: [Arc<dyn ReadModel>; 2] = [Arc::new(catalogue::Catalogue), Arc::new(office_book::OfficeBook)];
    Log::of(Service::Directory)
        .with::<office::Office>()
        .with::<offering::Offering>()
        .with::<heard_offering::HeardOffering>()
        .with::<availability::Availability>()
        .with_tables([catalogue::TABLES, newcomers::TABLES, early::TABLES])
        .with_read_models(read_models)
}

/// Starts the service.
pub async fn start(node: &Node, running: &mut Running) -> anyhow::Result<()> {
    // The lists are read at first use; nobody should wait for it.
    tokio::task::spawn_blocking(gazetteer::shipped);
    let (id, directory) = (node.id.clone(), node.directory.clone());
    let reactions = reactions::Reactions { node: id.clone(), directory: directory.clone(), clock: node.clock.clone() };
    let parts = ServiceParts {
        log: log(),
        postings: Box::new(move |event| published::postings(&id, &directory.current(), event)),
        correspondence: Arc::new(reactions.clone()),
    };
    let (store, post) = node.open(parts, running).await?;
    let roll = roll::Roll { reactions, store: store.clone(), post: post.clone() };
    roll.keep_once().await;
    running.repeat(node, roll.round());
    let service = DirectoryServiceServer::new(grpc::Grpc { node: node.clone(), store, post, roll });
    running.routes().add_service(service.max_decoding_message_size(LARGEST_REQUEST_BYTES));
    Ok(())
}
