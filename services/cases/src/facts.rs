//! What our events mean for the figures of the agency: codes and days.

use spean_chassis::fact::{Fact, describe};
use spean_chassis::words::{write_age_band, write_sex};
use spean_contracts::insight::v1::{Measure, SubjectDescribed};
use spean_eventstore::Recorded;
use spean_messaging::Posting;
use spean_vocabulary::{CaseId, Codes, NodeId, Service};

use crate::case::{self, Case, Event};

/// The letters to insight that follow from an event.
pub(crate) fn of(node: &NodeId, recorded: &Recorded) -> Vec<Posting> {
    let Some(Ok(event)) = recorded.event::<Case>() else { return vec![] };
    let Ok(case) = recorded.id.parse::<CaseId>() else { return vec![] };
    let fact = |measure| Fact::of(Service::Cases, recorded, case, measure);
    match event {
        Event::Registered { codes, office, registered_on, .. } => {
            let counted = fact(Measure::CaseRegistered).at(&office).on(registered_on).thing(case);
            vec![describe(node, recorded, case, described(&codes)), counted.tell(node)]
        }
        Event::Amended { codes, .. } => vec![describe(node, recorded, case, described(&codes))],
        Event::FactRecorded { fact, .. } => {
            let sector = sector(&fact);
            let described = SubjectDescribed { sector: sector.unwrap_or_default(), ..SubjectDescribed::default() };
            vec![describe(node, recorded, case, described)]
        }
        Event::Returned { returned_on, .. } => vec![fact(Measure::ReturnedHome).on(returned_on).tell(node)],
        _ => vec![],
    }
}

fn described(codes: &Codes) -> SubjectDescribed {
    SubjectDescribed {
        sex: write_sex(codes.sex).into(),
        age_band: write_age_band(codes.age_band).into(),
        home_province: codes.home_place.map(|place| place.province().to_string()).unwrap_or_default(),
        ..SubjectDescribed::default()
    }
}

/// For what somebody was exploited, as the file says last; none when it does not say.
fn sector(fact: &case::Fact) -> Option<String> {
    match fact.purposes.len() {
        0 => None,
        1 => fact.purposes.first().map(ToString::to_string),
        _ => Some("several".to_owned()),
    }
}
