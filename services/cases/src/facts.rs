//! What our events mean for the figures of the agency: codes and days.

use spean_chassis::fact::{Fact, describe};
use spean_chassis::words::{write_age_band, write_sex};
use spean_contracts::insight::v1::{Measure, SubjectDescribed};
use spean_eventstore::Recorded;
use spean_messaging::Posting;
use spean_vocabulary::{CaseId, Codes, NodeId, Service};

use crate::case::{Case, Event};

/// The letters to insight that follow from an event.
pub(crate) fn of(node: &NodeId, recorded: &Recorded) -> Vec<Posting> {
    let Some(Ok(event)) = recorded.event::<Case>() else { return vec![] };
    let Ok(case) = recorded.id.parse::<CaseId>() else { return vec![] };
    let fact = |measure| Fact::of(Service::Cases, recorded, case, measure);
    match event {
        Event::Registered { codes, office, registered_on, .. } => {
            let counted = fact(Measure::CaseRegistered).at(&office).on(registered_on).thing(case);
            vec![described(node, case, &codes), counted.tell(node)]
        }
        Event::Amended { codes, .. } => vec![described(node, case, &codes)],
        Event::Returned { returned_on, .. } => vec![fact(Measure::ReturnedHome).on(returned_on).tell(node)],
        _ => vec![],
    }
}

fn described(node: &NodeId, case: CaseId, codes: &Codes) -> Posting {
    let described = SubjectDescribed {
        sex: write_sex(codes.sex).into(),
        age_band: write_age_band(codes.age_band).into(),
        home_province: codes.home_place.map(|place| place.province().to_string()).unwrap_or_default(),
        ..SubjectDescribed::default()
    };
    describe(node, case, described)
}
