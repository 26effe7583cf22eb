//! How accounts, streams and subjects are called.
//!
//! Codes of nodes and agencies hold neither dots nor underscores, so no two of them can be given the same name here,
//! and none can be called like an account or a domain of the server itself.

use std::time::Duration;

use async_nats::jetstream::stream;
use spean_vocabulary::{AgencyId, NodeId, Service};

/// JetStream domain of the hub: what a node names when it asks for its mail.
pub const HUB_DOMAIN: &str = "hub";

/// Account of those who watch the server itself. It carries no letters.
pub const SYSTEM_ACCOUNT: &str = "SYS";

/// Under this a node's own services may say what must not leave the node: `local.>` never crosses to the hub.
pub const LOCAL_SUBJECTS: &str = "local.>";

/// The largest message a server takes, in bytes, headers included.
pub const MAX_PAYLOAD_BYTES: u64 = 2 * 1024 * 1024;

/// How many letters of one service to another may lie in a mailbox.
const LETTERS_OF_ONE_SENDER: i64 = 2_000;

/// How long the broker knows a message id again, so that a publish retried under the same id is stored once.
pub const DUPLICATE_WINDOW: Duration = Duration::from_mins(2);

/// The account in which the nodes of an agency live: `AGENCY_MOSVY` for `mosvy`.
pub fn account(agency: &AgencyId) -> String {
    format!("AGENCY_{}", upper(agency.as_str()))
}

/// The JetStream domain of a node's own server: `node-poipet` for `poipet`, so that no node can be called like the hub.
pub fn node_domain(node: &NodeId) -> String {
    format!("node-{node}")
}

/// The stream that keeps a node's mail: `INBOX_POIPET_TRANSIT` for `poipet-transit`.
pub fn mailbox_stream(node: &NodeId) -> String {
    format!("INBOX_{}", upper(node.as_str()))
}

/// All mail for a node: what its stream collects.
pub fn mailbox_subjects(node: &NodeId) -> String {
    format!("inbox.{node}.>")
}

/// Where a service of one node writes to a service of another, or of its own: the receiver, then the sender.
pub fn mailbox_subject(to: &NodeId, to_service: Service, from: &NodeId, from_service: Service) -> String {
    format!("inbox.{to}.{from}.{to_service}.{from_service}")
}

/// All mail for one service of a node, whoever sends it.
pub fn mailbox_filter(node: &NodeId, service: Service) -> String {
    format!("inbox.{node}.*.{service}.*")
}

/// What the subjects for answers to a node begin with: its client must be given this as its inbox prefix, or it hears
/// no answer.
pub fn reply_prefix(node: &NodeId) -> String {
    format!("_INBOX.{node}")
}

/// The stream of a mailbox: nothing is dropped, neither for age nor for room. When `max_bytes` is reached, the broker
/// refuses, and the sender keeps what it has. It refuses as well when so many letters of one sender are not fetched yet:
/// nobody waits behind more than that of anybody else's.
pub fn mailbox(node: &NodeId, max_bytes: u64) -> stream::Config {
    stream::Config {
        name: mailbox_stream(node),
        subjects: vec![mailbox_subjects(node)],
        retention: stream::RetentionPolicy::Limits,
        discard: stream::DiscardPolicy::New,
        storage: stream::StorageType::File,
        max_bytes: i64::try_from(max_bytes).unwrap_or(i64::MAX),
        max_message_size: i32::try_from(MAX_PAYLOAD_BYTES).expect("two megabytes fit"),
        max_messages_per_subject: LETTERS_OF_ONE_SENDER,
        discard_new_per_subject: true,
        duplicate_window: DUPLICATE_WINDOW,
        num_replicas: 1,
        ..stream::Config::default()
    }
}

fn upper(code: &str) -> String {
    code.to_ascii_uppercase().replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_a_node_follow_from_its_code() {
        let (poipet, mosvy): (NodeId, NodeId) = ("poipet-transit".parse().unwrap(), "mosvy-hq".parse().unwrap());
        assert_eq!(mailbox_stream(&poipet), "INBOX_POIPET_TRANSIT");
        assert_eq!(mailbox_subjects(&poipet), "inbox.poipet-transit.>");
        assert_eq!(
            mailbox_subject(&poipet, Service::Referral, &mosvy, Service::Followup),
            "inbox.poipet-transit.mosvy-hq.referral.followup"
        );
        assert_eq!(mailbox_filter(&poipet, Service::Referral), "inbox.poipet-transit.*.referral.*");
        assert_eq!(account(&"dsvy-kandal".parse().unwrap()), "AGENCY_DSVY_KANDAL");
    }

    #[test]
    fn no_agency_and_no_node_can_take_the_name_of_the_system_account_or_of_the_hub() {
        assert_ne!(account(&"sys".parse().unwrap()), SYSTEM_ACCOUNT);
        assert_ne!(node_domain(&"hub".parse().unwrap()), HUB_DOMAIN);
    }
}
