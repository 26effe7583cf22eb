//! News between desks, and for the services of this node.

use prost::Message as _;
use spean_chassis::words::{read_need, write_need};
use spean_contracts::referral::v1 as wire;
use spean_eventstore::Recorded;
use spean_messaging::{Address, Posting, Unusable};
use spean_vocabulary::{CaseId, OfficeId, Service};

use super::{CaseNews, Event, News, What};
use crate::desk::{Desk, split};
use crate::grpc::{read, write};
use crate::reports::wire::{read_stage, write_stage};

/// Name of [`wire::Progress`] on the wire.
pub(crate) const PROGRESS: &str = "spean.referral.v1.Progress";
/// Name of [`wire::PersonSeenAgain`] on the wire.
pub(crate) const PERSON_SEEN_AGAIN: &str = "spean.referral.v1.PersonSeenAgain";

/// Who of this node is told that somebody was seen again. A transit centre's register has nothing to do about it: its
/// people read it among the news.
const TOLD_OF_PEOPLE_SEEN_AGAIN: [Service; 3] = [Service::Cases, Service::Shelter, Service::Followup];

/// The letters that follow from an event of a case's news.
pub(crate) fn postings(desk: &Desk, recorded: &Recorded) -> Vec<Posting> {
    let Some(Ok(Event::Heard { news, tell, .. })) = recorded.event::<CaseNews>() else { return vec![] };
    let Some((office, case)) = split::<CaseId>(&recorded.id) else { return vec![] };
    let mut postings = Vec::new();
    let offices = tell.towards_holder.iter().map(|to| (to, false));
    for (to, for_information) in offices.chain(tell.for_information.iter().map(|to| (to, true))) {
        let Some(party) = desk.party(to) else { continue };
        let (kind, body) = said(&news, case, &office, to, for_information);
        let to = Address { node: party.node, service: Service::Referral };
        postings.push(Posting { to, kind, case: Some(case), body, attachment: None });
    }
    if tell.own_services
        && let What::SeenAgain { other, taken_back } = news.what
    {
        let told = seen_again(&news, case, other, taken_back);
        let told = wire::PersonSeenAgain { office_id: office.to_string(), ..told };
        for service in TOLD_OF_PEOPLE_SEEN_AGAIN {
            let (to, body) = (desk.node.address(service), told.encode_to_vec());
            postings.push(Posting { to, kind: PERSON_SEEN_AGAIN, case: Some(case), body, attachment: None });
        }
    }
    postings
}

fn said(news: &News, case: CaseId, from: &OfficeId, to: &OfficeId, for_information: bool) -> (&'static str, Vec<u8>) {
    let progress = wire::Progress {
        case_id: case.to_string(),
        from_office_id: from.to_string(),
        to_office_id: to.to_string(),
        seen_by_office_id: news.seen_by.to_string(),
        occurred_on: news.on.to_string(),
        for_information,
        ..wire::Progress::default()
    };
    match &news.what {
        What::Stage { stage } => {
            let progress = wire::Progress { stage: write_stage(*stage).into(), ..progress };
            (PROGRESS, progress.encode_to_vec())
        }
        What::Service { offer, need, outcome } => {
            let progress = wire::Progress {
                offer_id: offer.to_string(),
                need: need.map(write_need).unwrap_or_default().into(),
                outcome: write::outcome(*outcome).into(),
                ..progress
            };
            (PROGRESS, progress.encode_to_vec())
        }
        What::SeenAgain { other, taken_back } => {
            let told = wire::PersonSeenAgain {
                office_id: to.to_string(),
                from_office_id: from.to_string(),
                ..seen_again(news, case, *other, *taken_back)
            };
            (PERSON_SEEN_AGAIN, told.encode_to_vec())
        }
    }
}

fn seen_again(news: &News, case: CaseId, other: CaseId, taken_back: bool) -> wire::PersonSeenAgain {
    wire::PersonSeenAgain {
        case_id: case.to_string(),
        other_case_id: other.to_string(),
        seen_by_office_id: news.seen_by.to_string(),
        seen_on: news.on.to_string(),
        taken_back,
        ..wire::PersonSeenAgain::default()
    }
}

/// The news in a letter.
pub(super) fn read_progress(told: &wire::Progress) -> Result<News, Unusable> {
    let what = if told.offer_id.is_empty() {
        What::Stage { stage: read_stage("stage", told.stage).map_err(malformed)? }
    } else {
        What::Service {
            offer: told.offer_id.parse().map_err(malformed)?,
            need: read_need("need", told.need).ok(),
            outcome: read::outcome(told.outcome).map_err(malformed)?,
        }
    };
    Ok(News {
        what,
        seen_by: told.seen_by_office_id.parse().map_err(malformed)?,
        on: told.occurred_on.parse().map_err(malformed)?,
    })
}

/// The news in a letter.
pub(super) fn read_seen_again(told: &wire::PersonSeenAgain) -> Result<News, Unusable> {
    Ok(News {
        what: What::SeenAgain { other: told.other_case_id.parse().map_err(malformed)?, taken_back: told.taken_back },
        seen_by: told.seen_by_office_id.parse().map_err(malformed)?,
        on: told.seen_on.parse().map_err(malformed)?,
    })
}

pub(crate) fn malformed<E>(_: E) -> Unusable {
    Unusable::Refused("MALFORMED".to_owned())
}
