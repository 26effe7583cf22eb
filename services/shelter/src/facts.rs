//! What our events mean for the figures of the agency: codes and days.

use spean_chassis::fact::{Fact, describe};
use spean_contracts::insight::v1::{Measure, SubjectDescribed};
use spean_eventstore::Recorded;
use spean_messaging::Posting;
use spean_vocabulary::{AdmissionId, NodeId, Service};

use crate::house::{Event, House};

/// The letters to insight that follow from an event.
pub(crate) fn of(node: &NodeId, recorded: &Recorded) -> Vec<Posting> {
    let Some(Ok(event)) = recorded.event::<House>() else { return vec![] };
    let fact = |case, measure| Fact::of(Service::Shelter, recorded, case, measure);
    // A house knows whoever left it by the stay alone: insight is told whose it was.
    let stay = |admission: AdmissionId, measure| {
        Fact::of(Service::Shelter, recorded, admission.reinterpret(), measure).thing(format!("lost/{admission}"))
    };
    match event {
        Event::Admitted { admission_id, case_id, admitted_on, .. } => {
            let of = SubjectDescribed { case_id: case_id.to_string(), ..SubjectDescribed::default() };
            let counted = fact(case_id, Measure::ShelterAdmitted).on(admitted_on).thing(admission_id);
            vec![describe(node, recorded, admission_id.reinterpret(), of), counted.tell(node)]
        }
        Event::Exited { admission_id, case_id: Some(case_id), kind, exited_on, .. } => {
            vec![fact(case_id, Measure::ShelterLeft).on(exited_on).thing(admission_id).detail(kind).tell(node)]
        }
        Event::ContactLost { admission_id, lost_on, .. } => {
            vec![stay(admission_id, Measure::ContactLost).on(lost_on).detail("left_shelter").tell(node)]
        }
        Event::ContactFound { admission_id, found_on, outcome } => {
            vec![stay(admission_id, Measure::ContactFound).on(found_on).detail(outcome).tell(node)]
        }
        _ => vec![],
    }
}
