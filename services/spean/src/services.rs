//! The services that the program can run. A new service is one more line here.

use spean_chassis::{Log, Node, Running};
use spean_vocabulary::Service;

/// What stands in the log of a service.
pub fn log(service: Service) -> Log {
    match service {
        Service::Cases => spean_cases::log(),
        Service::Directory => spean_directory::log(),
        Service::Followup => spean_followup::log(),
        Service::Insight => spean_insight::log(),
        Service::Referral => spean_referral::log(),
        Service::Repatriation => spean_repatriation::log(),
        Service::Shelter => spean_shelter::log(),
    }
}

/// Starts all services that the node's configuration names.
pub async fn start(node: &Node, running: &mut Running) -> anyhow::Result<()> {
    for service in &node.configuration.services {
        match service {
            Service::Cases => spean_cases::start(node, running).await?,
            Service::Directory => spean_directory::start(node, running).await?,
            Service::Followup => spean_followup::start(node, running).await?,
            Service::Insight => spean_insight::start(node, running).await?,
            Service::Referral => spean_referral::start(node, running).await?,
            Service::Repatriation => spean_repatriation::start(node, running).await?,
            Service::Shelter => spean_shelter::start(node, running).await?,
        }
    }
    Ok(())
}
