//! What follows from our events: our report for the ministry, and the ministry's figures for everybody.

use prost::Message as _;
use spean_contracts::insight::v1 as contract;
use spean_eventstore::Recorded;
use spean_identity::LiveDirectory;
use spean_messaging::{Address, Posting};
use spean_vocabulary::{NodeId, Service};

use crate::publication::{self, Publication};
use crate::report::{self, Report};
use crate::wire::{write_publication, write_report};

/// Name of [`contract::ReportSubmitted`] on the wire.
const REPORT_SUBMITTED: &str = "spean.insight.v1.ReportSubmitted";
/// Name of [`contract::FiguresPublished`] on the wire.
const FIGURES_PUBLISHED: &str = "spean.insight.v1.FiguresPublished";

/// The letters that follow from an event.
pub(crate) fn postings(me: &NodeId, directory: &LiveDirectory, recorded: &Recorded) -> Vec<Posting> {
    let directory = directory.current();
    let letter = |to: &NodeId, kind: &'static str, body: Vec<u8>| Posting {
        to: Address { node: to.clone(), service: Service::Insight },
        kind,
        case: None,
        body,
        attachment: None,
    };
    if let Some(Ok(report::Event::Issued(report))) = recorded.event::<Report>() {
        let ministry = directory.office(&directory.registry).map(|office| office.node.clone());
        let body = contract::ReportSubmitted { report: Some(write_report(&report)) }.encode_to_vec();
        // The ministry has its own report already.
        let to = ministry.filter(|ministry| ministry != me);
        return to.into_iter().map(|to| letter(&to, REPORT_SUBMITTED, body.clone())).collect();
    }
    if let Some(Ok(publication::Event::Published(published))) = recorded.event::<Publication>() {
        let body = contract::FiguresPublished { publication: Some(write_publication(&published)) }.encode_to_vec();
        let others = directory.nodes.iter().filter(|node| node.id != *me);
        return others.map(|node| letter(&node.id, FIGURES_PUBLISHED, body.clone())).collect();
    }
    vec![]
}
