//! Figures without persons: counts, ages, outcomes, times to answer, four-monthly reports, and what may be published.
//!
//! The other services of the node tell what happened, in codes and days. Each agency counts for itself; what leaves it
//! are the numbers of its report, and what everybody may read are the ministry's sums of all reports, in which small
//! groups are counted together ([`suppression`]).

pub mod figures;
#[cfg(test)]
mod golden;
mod grpc;
pub mod measure;
pub mod period;
pub mod publication;
mod published;
mod reactions;
pub mod report;
pub mod subject;
pub mod suppression;
mod wire;

use std::sync::Arc;

use spean_chassis::{LARGEST_REQUEST_BYTES, Log, Node, Running, ServiceParts};
use spean_contracts::insight::v1::insight_service_server::InsightServiceServer;
use spean_eventstore::ReadModel;
use spean_vocabulary::Service;

/// What stands in the log.
pub fn log() -> Log {
    let read_models: [Arc<dyn ReadModel>; 1] = [Arc::new(figures::Figures)];
    Log::of(Service::Insight)
        .with::<subject::Subject>()
        .with::<report::Report>()
        .with::<publication::Publication>()
        .with_read_models(read_models)
}

/// Starts the service.
pub async fn start(node: &Node, running: &mut Running) -> anyhow::Result<()> {
    let (me, directory) = (node.id.clone(), node.directory.clone());
    let parts = ServiceParts {
        log: log(),
        postings: Box::new(move |event| published::postings(&me, &directory, event)),
        correspondence: Arc::new(reactions::Reactions {
            node: node.id.clone(),
            directory: node.directory.clone(),
            clock: node.clock.clone(),
        }),
    };
    let (store, _) = node.open(parts, running).await?;
    let service = InsightServiceServer::new(grpc::Grpc { node: node.clone(), store });
    running.routes().add_service(service.max_decoding_message_size(LARGEST_REQUEST_BYTES));
    Ok(())
}
