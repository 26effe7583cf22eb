//! What follows when something opens or is settled: the desk counts anew, and follow-up hears of it.

use prost::Message as _;
use serde::{Deserialize, Serialize};
use spean_contracts::referral::v1 as wire;
use spean_eventstore::Recorded;
use spean_messaging::Posting;
use spean_vocabulary::{CaseId, NeedId, OfficeId, Service};

use super::{Event, Open, OpenMatters};
use crate::desk::{Desk, split};
use crate::needs::need::{self, CaseNeed};

/// A need has turned at an office: what is open of its case is counted anew. From the desk to itself.
pub(crate) const NEED_TURNED: &str = "spean.referral.v1.NeedTurned";
/// Name of [`wire::OpenMattersChanged`] on the wire.
const OPEN_MATTERS_CHANGED: &str = "spean.referral.v1.OpenMattersChanged";

/// What the desk writes to itself when a need has turned.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct NeedTurned {
    pub(crate) office: OfficeId,
    pub(crate) need: NeedId,
}

/// The letters that follow from an event.
pub(crate) fn postings(desk: &Desk, recorded: &Recorded) -> Vec<Posting> {
    let posting = if let Some(Ok(event)) = recorded.event::<CaseNeed>() {
        turned(desk, recorded, &event)
    } else if let Some(Ok(Event::Counted { matters })) = recorded.event::<OpenMatters>() {
        split::<CaseId>(&recorded.id).map(|(office, case)| {
            let told = wire::OpenMattersChanged {
                case_id: case.to_string(),
                office_id: office.to_string(),
                offers: matters.offers.map(write),
                needs: matters.needs.map(write),
                services: matters.services.map(write),
            };
            let (to, body) = (desk.node.address(Service::Followup), told.encode_to_vec());
            Posting { to, kind: OPEN_MATTERS_CHANGED, case: Some(case), body, attachment: None }
        })
    } else {
        None
    };
    posting.into_iter().collect()
}

/// Whether a need is met or not turns with these; an offer for it is seen with its case.
fn turned(desk: &Desk, recorded: &Recorded, event: &need::Event) -> Option<Posting> {
    let turns = !matches!(
        event,
        need::Event::Asked { .. }
            | need::Event::ProviderRefused { .. }
            | need::Event::RefusalTakenBack { .. }
            | need::Event::FoundUnmet { .. }
            | need::Event::EndPassedOn { .. }
    );
    let (office, need) = split(&recorded.id).filter(|_| turns)?;
    let body = serde_json::to_vec(&NeedTurned { office, need }).expect("codes and ids are text");
    let to = desk.node.address(Service::Referral);
    Some(Posting { to, kind: NEED_TURNED, case: None, body, attachment: None })
}

fn write(open: Open) -> wire::OpenMatter {
    wire::OpenMatter { count: i32::try_from(open.count).unwrap_or(i32::MAX), since: open.since.to_string() }
}
