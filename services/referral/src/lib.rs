//! The agency's desk to the outside: every handoff, from the offer to the certificate.
//!
//! The rules are those of [`spean_custody`]; here they meet the network, the vault and the people.

pub mod audit;
pub mod availability;
mod desk;
mod dossiers;
mod escalation;
mod facts;
mod grpc;
mod handoffs;
pub mod matching;
mod metrics;
mod moves;
pub mod needs;
pub mod news;
pub mod open_matters;
mod published;
mod reactions;
pub mod reports;
mod rerouting;
mod routing;
mod subject;
pub mod waiting_list;
pub mod worklist;

use std::sync::{Arc, OnceLock};

use spean_chassis::{LARGEST_REQUEST_BYTES, Log, Node, Running, ServiceParts};
use spean_contracts::referral::v1::need_service_server::NeedServiceServer;
use spean_contracts::referral::v1::referral_service_server::ReferralServiceServer;
use spean_contracts::referral::v1::report_service_server::ReportServiceServer;
use spean_custody::case::CaseCustody;
use spean_eventstore::ReadModel;
use spean_vocabulary::Service;

/// What stands in the log.
pub fn log() -> Log {
    let read_models: [Arc<dyn ReadModel>; 6] = [
        Arc::new(worklist::Worklist),
        Arc::new(needs::register::NeedRegister),
        Arc::new(needs::lines::Lines),
        Arc::new(open_matters::list::Told),
        Arc::new(news::list::NewsList),
        Arc::new(reports::list::ReportList),
    ];
    Log::of(Service::Referral)
        .with::<CaseCustody>()
        .with::<needs::need::CaseNeed>()
        .with::<needs::elsewhere::WaitingElsewhere>()
        .with::<open_matters::OpenMatters>()
        .with::<news::CaseNews>()
        .with::<reports::report::Report>()
        .with::<waiting_list::WaitingList>()
        .with::<availability::Availability>()
        .with_tables([subject::TABLES, routing::TABLES, needs::known::TABLES])
        .with_read_models(read_models)
}

/// Starts the service.
pub async fn start(node: &Node, running: &mut Running) -> anyhow::Result<()> {
    let desk = desk::Desk::new(node);
    let posting_desk = desk.clone();
    let opened = Arc::new(OnceLock::new());
    let parts = ServiceParts {
        log: log(),
        postings: Box::new(move |event| {
            [published::postings(&posting_desk, event), facts::of(&posting_desk.node.id, event)].concat()
        }),
        correspondence: Arc::new(reactions::Reactions { desk: desk.clone(), store: Arc::clone(&opened) }),
    };
    let (store, post) = node.open_into(parts, &opened, running).await?;
    let policies = node.policies(&store).await?;
    running.repeat(node, escalation::round(&desk, &policies, &store, &post));
    running.repeat(node, rerouting::round(&desk, &store, &post));
    running.repeat(node, reports::round(&desk, &policies, &store, &post));
    running.repeat(node, needs::watch::round(&desk, &store, &post));
    running.repeat(node, open_matters::count::round(&desk, &store, &post));
    running.repeat(node, dossiers::round(&desk, &store));
    if node.configuration.telemetry.is_some() {
        running.observe(node, metrics::observe(node.clock.clone(), store.clone()));
    }
    let reports = grpc::Reports { desk: desk.clone(), store: store.clone(), post: post.clone() };
    let reports = ReportServiceServer::new(reports).max_decoding_message_size(LARGEST_REQUEST_BYTES);
    running.routes().add_service(reports);
    let needs = grpc::Grpc { desk: desk.clone(), store: store.clone(), post: post.clone() };
    running.routes().add_service(NeedServiceServer::new(needs).max_decoding_message_size(LARGEST_REQUEST_BYTES));
    let service = ReferralServiceServer::new(grpc::Grpc { desk, store, post });
    running.routes().add_service(service.max_decoding_message_size(LARGEST_REQUEST_BYTES));
    Ok(())
}
