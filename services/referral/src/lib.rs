//! The agency's desk to the outside: every handoff, from the offer to the certificate.
//!
//! The rules are those of [`spean_custody`]; here they meet the network, the vault and the people.

mod desk;
mod dossiers;
mod escalation;
mod grpc;
mod handoffs;
mod metrics;
mod moves;
mod published;
mod reactions;
mod rerouting;
mod routing;
mod subject;
pub mod worklist;

use std::sync::{Arc, OnceLock};

use spean_chassis::{LARGEST_REQUEST_BYTES, Node, Running, ServiceParts};
use spean_contracts::referral::v1::referral_service_server::ReferralServiceServer;
use spean_vocabulary::Service;

/// Starts the service.
pub async fn start(node: &Node, running: &mut Running) -> anyhow::Result<()> {
    let desk = desk::Desk::new(node);
    let posting_desk = desk.clone();
    let opened = Arc::new(OnceLock::new());
    let parts = ServiceParts {
        service: Service::Referral,
        tables: vec![subject::TABLES, routing::TABLES],
        read_models: vec![Arc::new(worklist::Worklist)],
        postings: Box::new(move |event| published::postings(&posting_desk, event)),
        correspondence: Arc::new(reactions::Reactions { desk: desk.clone(), store: Arc::clone(&opened) }),
    };
    let (store, post) = node.open_into(parts, &opened, running).await?;
    running.spawn(node, escalation::watch(desk.clone(), node.policies(&store).await?, store.clone(), post.clone()));
    running.spawn(node, dossiers::adopt(desk.clone(), store.clone()));
    if node.configuration.telemetry.is_some() {
        running.spawn(node, metrics::observe(node.clock.clone(), store.clone()));
    }
    let service = ReferralServiceServer::new(grpc::Grpc { desk, store, post });
    running.routes().add_service(service.max_decoding_message_size(LARGEST_REQUEST_BYTES));
    Ok(())
}
