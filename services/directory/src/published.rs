//! What the network may know of our events: each offering, whole, told to the directories of all other nodes. The one
//! bridge from what is stored to what is told.

use prost::Message as _;
use spean_contracts::directory::v1 as wire;
use spean_eventstore::Recorded;
use spean_identity::Directory;
use spean_messaging::{Address, Posting};
use spean_vocabulary::{NodeId, Service};

use crate::announcement;
use crate::offering::Offering;

/// Name of [`wire::OfferingChanged`] on the wire.
pub(crate) const OFFERING_CHANGED: &str = "spean.directory.v1.OfferingChanged";

/// The letters that follow from an event.
pub(crate) fn postings(node: &NodeId, directory: &Directory, recorded: &Recorded) -> Vec<Posting> {
    let Some(Ok(event)) = recorded.event::<Offering>() else { return vec![] };
    let (said, withdrawn_on) = event.says();
    let offering = announcement::write(&recorded.id, said, withdrawn_on);
    let told = wire::OfferingChanged { offering: Some(offering), version: recorded.version }.encode_to_vec();
    let posting = |to| Posting { to, kind: OFFERING_CHANGED, case: None, body: told.clone(), attachment: None };
    other_directories(node, directory).map(posting).collect()
}

/// The directories of all other nodes.
pub(crate) fn other_directories(node: &NodeId, directory: &Directory) -> impl Iterator<Item = Address> {
    let others = directory.nodes.iter().filter(move |other| other.id != *node);
    others.map(|other| Address { node: other.id.clone(), service: Service::Directory })
}
