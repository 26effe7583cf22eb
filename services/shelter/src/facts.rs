//! What our events mean for the figures of the agency: codes and days.

use spean_chassis::fact::Fact;
use spean_contracts::insight::v1::Measure;
use spean_eventstore::Recorded;
use spean_messaging::Posting;
use spean_vocabulary::{NodeId, Service};

use crate::house::{Event, House};

/// The letters to insight that follow from an event.
pub(crate) fn of(node: &NodeId, recorded: &Recorded) -> Vec<Posting> {
    let Some(Ok(event)) = recorded.event::<House>() else { return vec![] };
    let fact = |case, measure| Fact::of(Service::Shelter, recorded, case, measure);
    match event {
        Event::Admitted { admission_id, case_id, admitted_on, .. } => {
            vec![fact(case_id, Measure::ShelterAdmitted).on(admitted_on).thing(admission_id).tell(node)]
        }
        Event::Exited { admission_id, case_id: Some(case_id), kind, exited_on, .. } => {
            vec![fact(case_id, Measure::ShelterLeft).on(exited_on).thing(admission_id).detail(kind).tell(node)]
        }
        _ => vec![],
    }
}
