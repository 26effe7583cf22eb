//! Visits after reintegration, and all that is found on the way: needs, dangers, people who are lost, money that is
//! waited for, and who does the work.

pub mod agenda;
pub mod codes;
pub mod contact;
pub mod contacts;
pub mod contradictions;
pub mod danger;
pub mod dangers;
pub mod desk;
pub mod desk_matters;
#[cfg(test)]
mod examples;
mod facts;
pub mod family_search;
pub mod findings;
pub mod follow_ups;
pub mod fund;
#[cfg(test)]
mod golden;
mod grpc;
mod lists;
pub mod mandate;
pub mod meeting;
pub mod meetings;
pub mod payments;
pub mod plan;
pub mod post;
pub mod posts;
mod published;
mod reactions;
pub mod supervision;
pub mod supervisions;
pub mod support;
pub mod supports;
pub mod visits;
mod watch;
pub mod whereabouts;
pub mod worker;

use std::sync::Arc;

use spean_chassis::{LARGEST_REQUEST_BYTES, Log, Node, Running, ServiceParts, standing};
use spean_contracts::followup::v1::followup_service_server::FollowupServiceServer;
use spean_contracts::followup::v1::fund_service_server::FundServiceServer;
use spean_contracts::followup::v1::meeting_service_server::MeetingServiceServer;
use spean_contracts::followup::v1::safety_service_server::SafetyServiceServer;
use spean_contracts::followup::v1::supervision_service_server::SupervisionServiceServer;
use spean_contracts::followup::v1::support_service_server::SupportServiceServer;
use spean_eventstore::ReadModel;
use spean_vocabulary::Service;
use tokio::sync::Mutex;

/// Starts the service.
pub async fn start(node: &Node, running: &mut Running) -> anyhow::Result<()> {
    let post = published::Post { node: node.id.clone(), directory: node.directory.clone() };
    let parts = ServiceParts {
        log: log(),
        postings: Box::new(move |event| [post.postings(event), facts::of(&post.node, event)].concat()),
        correspondence: Arc::new(reactions::Reactions {
            node: node.id.clone(),
            directory: node.directory.clone(),
            clock: node.clock.clone(),
            late_after_days: node.policy.visits.late_after_days,
            rhythm: plan::Rhythm { months: node.policy.visits.months, every_months: node.policy.visits.every_months },
        }),
    };
    let (store, post) = node.open(parts, running).await?;
    let late_after_days = node.policy.visits.late_after_days;
    running.repeat(node, watch::round(node, &store, &post, late_after_days));
    let grpc = Arc::new(grpc::Grpc { node: node.clone(), store, appending: Mutex::new(()) });
    let routes = running.routes();
    let bytes = LARGEST_REQUEST_BYTES;
    routes
        .add_service(FollowupServiceServer::from_arc(Arc::clone(&grpc)).max_decoding_message_size(bytes))
        .add_service(SafetyServiceServer::from_arc(Arc::clone(&grpc)).max_decoding_message_size(bytes))
        .add_service(FundServiceServer::from_arc(Arc::clone(&grpc)).max_decoding_message_size(bytes))
        .add_service(SupportServiceServer::from_arc(Arc::clone(&grpc)).max_decoding_message_size(bytes))
        .add_service(MeetingServiceServer::from_arc(Arc::clone(&grpc)).max_decoding_message_size(bytes))
        .add_service(SupervisionServiceServer::from_arc(grpc).max_decoding_message_size(bytes));
    Ok(())
}

/// What stands in the log.
pub fn log() -> Log {
    Log::of(Service::Followup)
        .with::<plan::Plan>()
        .with::<contact::Contact>()
        .with::<danger::Danger>()
        .with::<whereabouts::Whereabouts>()
        .with::<fund::Fund>()
        .with::<support::Support>()
        .with::<post::Post>()
        .with::<worker::Assignment>()
        .with::<supervision::Supervision>()
        .with::<mandate::Mandate>()
        .with::<agenda::Agenda>()
        .with::<meeting::Meeting>()
        .with::<desk::AtTheDesk>()
        .with::<family_search::FamilySearch>()
        .with_tables([standing::TABLES])
        .with_read_models(read_models())
}

/// All read models of follow-up.
pub fn read_models() -> Vec<Arc<dyn ReadModel>> {
    vec![
        Arc::new(visits::Visits),
        Arc::new(follow_ups::FollowUps),
        Arc::new(contacts::Contacts),
        Arc::new(dangers::Dangers),
        Arc::new(contradictions::Contradictions),
        Arc::new(desk_matters::DeskMatters),
        Arc::new(payments::Payments),
        Arc::new(supports::Supports),
        Arc::new(posts::Posts),
        Arc::new(supervisions::Supervisions),
        Arc::new(meetings::Meetings),
    ]
}
