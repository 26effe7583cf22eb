//! What others may know of our events: offerings, declarations and room told to the directories of all other nodes, and
//! offerings, offices and room, whoever's they are, told to the desk of our own. The one bridge from what is stored to what is
//! told.

use prost::Message as _;
use spean_chassis::words::{instant, write_need};
use spean_contracts::directory::v1 as wire;
use spean_eventstore::Recorded;
use spean_identity::Directory;
use spean_messaging::{Address, Posting};
use spean_vocabulary::{NodeId, Service};

use crate::availability::{self, Availability, Counted};
use crate::heard_offering::{self, HeardOffering};
use crate::offering::Offering;
use crate::office::{self, Office, Standing};
use crate::{announcement, declared};

/// Name of [`wire::OfferingChanged`] on the wire.
pub(crate) const OFFERING_CHANGED: &str = "spean.directory.v1.OfferingChanged";
/// Name of [`wire::OfficeStatusChanged`] on the wire.
pub(crate) const OFFICE_STATUS_CHANGED: &str = "spean.directory.v1.OfficeStatusChanged";
/// Name of [`wire::OfficeStatusDeclared`] on the wire.
pub(crate) const OFFICE_STATUS_DECLARED: &str = "spean.directory.v1.OfficeStatusDeclared";
/// Name of [`wire::AvailabilityReported`] on the wire.
pub(crate) const AVAILABILITY_REPORTED: &str = "spean.directory.v1.AvailabilityReported";

/// The letters that follow from an event.
pub(crate) fn postings(node: &NodeId, directory: &Directory, recorded: &Recorded) -> Vec<Posting> {
    let to = |to: Vec<Address>, kind: &'static str, body: Vec<u8>| -> Vec<Posting> {
        let posting = |to| Posting { to, kind, case: None, body: body.clone(), attachment: None };
        to.into_iter().map(posting).collect()
    };
    let others = || other_directories(node, directory).collect::<Vec<_>>();
    if let Some(Ok(event)) = recorded.event::<Offering>() {
        let (said, withdrawn_on) = event.says();
        let offering = announcement::write(&recorded.id, said, withdrawn_on);
        let told = wire::OfferingChanged { offering: Some(offering), version: recorded.version };
        return to([others(), vec![desk(node)]].concat(), OFFERING_CHANGED, told.encode_to_vec());
    }
    if let Some(Ok(heard_offering::Event::Heard(told))) = recorded.event::<HeardOffering>() {
        let offering = announcement::write(&told.offering_id.to_string(), &told.said, told.withdrawn_on);
        let told = wire::OfferingChanged { offering: Some(offering), version: told.version };
        return to(vec![desk(node)], OFFERING_CHANGED, told.encode_to_vec());
    }
    if let Some(Ok(event)) = recorded.event::<Availability>() {
        // What our desk counted it knows; what others counted only we can tell it.
        let whom = match &event {
            availability::Event::Reported(_) => others(),
            availability::Event::Heard(_) => vec![desk(node)],
        };
        return to(whom, AVAILABILITY_REPORTED, room(event.counted()).encode_to_vec());
    }
    match recorded.event::<Office>() {
        Some(Ok(office::Event::Declared(declaration) | office::Event::Repeated { declaration, .. })) => {
            to(others(), OFFICE_STATUS_DECLARED, declared::write(&recorded.id, &declaration).encode_to_vec())
        }
        Some(Ok(office::Event::Stands(standing))) => {
            let told = stands(&recorded.id, &standing, recorded.version);
            to(vec![desk(node)], OFFICE_STATUS_CHANGED, told.encode_to_vec())
        }
        _ => vec![],
    }
}

fn room(counted: &Counted) -> wire::AvailabilityReported {
    let number = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
    wire::AvailabilityReported {
        office_id: counted.office.to_string(),
        need: write_need(counted.need).into(),
        capacity_persons: number(counted.capacity_persons),
        taken_persons: number(counted.taken_persons),
        reserved_persons: number(counted.reserved_persons),
        waiting_persons: number(counted.waiting_persons),
        as_of: Some(instant(counted.as_of)),
    }
}

fn stands(office: &str, standing: &Standing, version: i64) -> wire::OfficeStatusChanged {
    wire::OfficeStatusChanged {
        office_id: office.to_owned(),
        status: declared::write_status(standing.status).into(),
        stand_in_office_id: standing.stand_in.as_ref().map(ToString::to_string).unwrap_or_default(),
        successor_office_id: standing.successor.as_ref().map(ToString::to_string).unwrap_or_default(),
        from_day: standing.from_day.map(|day| day.to_string()).unwrap_or_default(),
        until_day: standing.until_day.map(|day| day.to_string()).unwrap_or_default(),
        version,
    }
}

/// The desk of our node.
pub(crate) fn desk(node: &NodeId) -> Address {
    Address { node: node.clone(), service: Service::Referral }
}

/// The directories of all other nodes.
pub(crate) fn other_directories(node: &NodeId, directory: &Directory) -> impl Iterator<Item = Address> {
    let others = directory.nodes.iter().filter(move |other| other.id != *node);
    others.map(|other| Address { node: other.id.clone(), service: Service::Directory })
}
