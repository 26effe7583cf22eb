//! What our events mean for the figures of the agency: codes and days.

use spean_chassis::fact::{Fact, describe};
use spean_contracts::insight::v1::{Measure, SubjectDescribed};
use spean_eventstore::Recorded;
use spean_messaging::Posting;
use spean_vocabulary::{ArrivalId, CaseId, NodeId, Service};

use crate::arrival::{Arrival, Event};

/// The letters to insight that follow from an event.
pub(crate) fn of(node: &NodeId, recorded: &Recorded) -> Vec<Posting> {
    let Some(Ok(event)) = recorded.event::<Arrival>() else { return vec![] };
    let Ok(arrival) = recorded.id.parse::<ArrivalId>() else { return vec![] };
    let case: CaseId = arrival.reinterpret();
    let fact = |measure| Fact::of(Service::Repatriation, recorded, case, measure);
    match event {
        Event::Registered { office, circumstances, .. } => {
            let route = circumstances.route.to_string();
            let described = SubjectDescribed {
                route: route.clone(),
                country: circumstances.from_country.unwrap_or_default(),
                ..SubjectDescribed::default()
            };
            let arrived = fact(Measure::Arrived).at(&office).on(circumstances.arrived_on).detail(route);
            vec![describe(node, recorded, case, described), arrived.tell(node)]
        }
        Event::Departed { kind, on, .. } => vec![fact(Measure::Departed).on(on).detail(kind).tell(node)],
        _ => vec![],
    }
}
