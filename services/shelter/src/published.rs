//! What the desk of the node may know of our events: how full a house is, and how far a case has come. Codes and days
//! alone. The one bridge from what is stored to what is told.

use prost::Message;
use spean_contracts::referral::v1::{Stage, StageReached};
use spean_contracts::shelter::v1::OccupancyChanged;
use spean_eventstore::Recorded;
use spean_messaging::{Address, Posting};
use spean_vocabulary::{CaseId, Date, NodeId, Service};

use crate::house::absence::AbsenceReason;
use crate::house::{Event, House, Occupancy};

/// Name of [`StageReached`] on the wire.
const STAGE_REACHED: &str = "spean.referral.v1.StageReached";
/// Name of [`OccupancyChanged`] on the wire.
const OCCUPANCY_CHANGED: &str = "spean.shelter.v1.OccupancyChanged";

/// The letters that follow from an event.
pub(crate) fn postings(node: &NodeId, recorded: &Recorded) -> Vec<Posting> {
    let Some(Ok(event)) = recorded.event::<House>() else { return vec![] };
    let office = recorded.id.as_str();
    let (case, stage, occurred_on) = match event {
        Event::OccupancyChanged { occupancy } => return vec![occupied(node, office, occupancy)],
        Event::Admitted { case_id, admitted_on, .. } => (case_id, Stage::InShelter, admitted_on),
        Event::Returned { case_id, returned_on, .. } => (case_id, Stage::InShelter, returned_on),
        Event::Exited { case_id: Some(case_id), exited_on, .. } => (case_id, Stage::LeftShelter, exited_on),
        Event::ContactLost { case_id, lost_on, .. } => (case_id, Stage::ContactLost, lost_on),
        Event::AbsenceRecorded { case_id, absence, .. } if absence.reason == AbsenceReason::Abducted => {
            (case_id, Stage::Danger, absence.since)
        }
        _ => return vec![],
    };
    // Follow-up hears who is here: elsewhere somebody may report visits to the same person.
    let also = matches!(stage, Stage::InShelter | Stage::LeftShelter).then_some(Service::Followup);
    let to = [Service::Referral].into_iter().chain(also);
    to.map(|service| reached(node, service, office, case, stage, occurred_on)).collect()
}

fn reached(node: &NodeId, to: Service, office: &str, case: CaseId, stage: Stage, occurred_on: Date) -> Posting {
    let told = StageReached {
        case_id: case.to_string(),
        office_id: office.to_owned(),
        stage: stage.into(),
        occurred_on: occurred_on.to_string(),
    };
    posting(node, to, STAGE_REACHED, Some(case), &told)
}

fn occupied(node: &NodeId, office: &str, occupancy: Occupancy) -> Posting {
    let persons = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
    let told = OccupancyChanged {
        office_id: office.to_owned(),
        capacity_persons: persons(occupancy.capacity_persons),
        occupied_persons: persons(occupancy.occupied_persons),
    };
    posting(node, Service::Referral, OCCUPANCY_CHANGED, None, &told)
}

fn posting(node: &NodeId, service: Service, kind: &'static str, case: Option<CaseId>, told: &impl Message) -> Posting {
    let to = Address { node: node.clone(), service };
    Posting { to, kind, case, body: told.encode_to_vec(), attachment: None }
}

#[cfg(test)]
mod tests {
    use spean_eventsourcing::Context;
    use spean_eventstore::{Digest, Metadata};
    use spean_vocabulary::Timestamp;

    use super::*;
    use crate::house::absence::Absence;

    const CASE: &str = "00000000-0000-4000-8000-000000000002";

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn told(event: &Event) -> Vec<Posting> {
        let context = Context { office: "takeo-shelter".parse().unwrap(), staff: None, now: Timestamp::default() };
        let recorded = Recorded {
            position: 1,
            category: "house".to_owned(),
            id: "takeo-shelter".to_owned(),
            version: 1,
            event_type: String::new(),
            payload: serde_json::to_string(event).unwrap(),
            metadata: Metadata::of(&context),
            hash: Digest::default(),
        };
        postings(&"takeo".parse().unwrap(), &recorded)
    }

    #[test]
    fn the_desk_hears_that_contact_was_lost_with_the_day_on_which_it_was() {
        let admission_id = "00000000-0000-4000-8000-000000000001".parse().unwrap();
        let (since, lost_on) = (day("2026-09-01"), day("2026-09-04"));
        let letters = told(&Event::ContactLost { admission_id, case_id: CASE.parse().unwrap(), since, lost_on });
        let stage = StageReached::decode(letters[0].body.as_slice()).unwrap();
        assert_eq!((letters.len(), letters[0].kind), (1, STAGE_REACHED));
        assert_eq!((stage.case_id.as_str(), stage.office_id.as_str()), (CASE, "takeo-shelter"));
        assert_eq!((stage.stage(), stage.occurred_on.as_str()), (Stage::ContactLost, "2026-09-04"));
    }

    #[test]
    fn an_abduction_is_a_danger_and_a_visit_home_is_told_to_nobody() {
        let admission_id = "00000000-0000-4000-8000-000000000001".parse().unwrap();
        let away = |reason| {
            let absence = Absence { since: day("2026-09-01"), reason, expected_back_on: None };
            told(&Event::AbsenceRecorded { admission_id, case_id: CASE.parse().unwrap(), absence })
        };
        assert!(away(AbsenceReason::HomeVisit).is_empty());
        let stage = StageReached::decode(away(AbsenceReason::Abducted)[0].body.as_slice()).unwrap();
        assert_eq!(stage.stage(), Stage::Danger);
    }

    #[test]
    fn the_desk_hears_how_full_the_house_is() {
        let occupancy = Occupancy { capacity_persons: 4, occupied_persons: 5 };
        let letters = told(&Event::OccupancyChanged { occupancy });
        let said = OccupancyChanged::decode(letters[0].body.as_slice()).unwrap();
        assert_eq!((said.office_id.as_str(), said.capacity_persons, said.occupied_persons), ("takeo-shelter", 4, 5));
    }

    #[test]
    fn an_exit_from_before_cases_were_named_tells_nobody() {
        let line = r#"{"type":"exited","admission_id":"00000000-0000-4000-8000-000000000001","kind":"own_will","exited_on":"2026-09-03"}"#;
        assert!(told(&serde_json::from_str(line).unwrap()).is_empty());
    }
}
