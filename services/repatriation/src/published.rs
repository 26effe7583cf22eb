//! What the register of people and the desk may know of our events, by codes alone. The one bridge from what is stored
//! to what is told.

use prost::Message as _;
use spean_chassis::words::{write_age_band, write_sex};
use spean_contracts::referral::v1::{Stage, StageReached};
use spean_contracts::repatriation::v1::{ArrivalRegistered, SamePersonConfirmed};
use spean_eventstore::Recorded;
use spean_messaging::{Address, Posting};
use spean_vocabulary::{ArrivalId, Date, NodeId, Service};

use crate::arrival::{Arrival, DepartureKind, Event};

/// Name of [`ArrivalRegistered`] on the wire.
const ARRIVAL_REGISTERED: &str = "spean.repatriation.v1.ArrivalRegistered";
/// Name of [`SamePersonConfirmed`] on the wire.
const SAME_PERSON_CONFIRMED: &str = "spean.repatriation.v1.SamePersonConfirmed";
/// Name of [`StageReached`] on the wire.
const STAGE_REACHED: &str = "spean.referral.v1.StageReached";

/// The letters that follow from an event.
pub(crate) fn postings(node: &NodeId, recorded: &Recorded) -> Vec<Posting> {
    let Some(Ok(event)) = recorded.event::<Arrival>() else { return vec![] };
    let Ok(arrival) = recorded.id.parse::<ArrivalId>() else { return vec![] };
    let letter = |service, kind, body| Posting {
        to: Address { node: node.clone(), service },
        kind,
        case: Some(arrival.reinterpret()),
        body,
        attachment: None,
    };
    let reached = |stage: Stage, on: Date| {
        let told = StageReached {
            case_id: arrival.to_string(),
            office_id: recorded.metadata.office.to_string(),
            stage: stage.into(),
            occurred_on: on.to_string(),
        };
        letter(Service::Referral, STAGE_REACHED, told.encode_to_vec())
    };
    match event {
        Event::Registered { person, office, circumstances, codes, .. } => {
            let told = ArrivalRegistered {
                arrival_id: arrival.to_string(),
                person_id: person.to_string(),
                office_id: office.to_string(),
                arrived_on: circumstances.arrived_on.to_string(),
                sex: write_sex(codes.sex).into(),
                age_band: write_age_band(codes.age_band).into(),
                language: codes.language.unwrap_or_default(),
                home_place: codes.home_place.map(|place| place.to_string()).unwrap_or_default(),
                missing: codes.missing,
            };
            vec![letter(Service::Cases, ARRIVAL_REGISTERED, told.encode_to_vec())]
        }
        Event::SamePersonConfirmed { other, on } => {
            let told = SamePersonConfirmed {
                case_id: arrival.to_string(),
                other_case_id: other.to_string(),
                office_id: recorded.metadata.office.to_string(),
                confirmed_on: on.to_string(),
            };
            vec![letter(Service::Cases, SAME_PERSON_CONFIRMED, told.encode_to_vec())]
        }
        Event::NeedsRecorded { .. } => {
            vec![reached(Stage::Identified, recorded.metadata.recorded_at.date_in_cambodia())]
        }
        Event::Stayed { night_of, first: true } => vec![reached(Stage::InShelter, night_of)],
        Event::Departed { kind: DepartureKind::Missing, on, .. } => vec![reached(Stage::ContactLost, on)],
        Event::Departed { on, stayed: true, .. } => vec![reached(Stage::LeftShelter, on)],
        _ => vec![],
    }
}

#[cfg(test)]
mod tests {
    use spean_chassis::person::Codes;
    use spean_eventsourcing::Context;
    use spean_eventstore::{Digest, Metadata};
    use spean_vocabulary::{AgeBand, Sex, Timestamp};

    use super::*;
    use crate::arrival::{Circumstances, Route};

    fn recorded(event: &Event) -> Recorded {
        let context = Context { office: "poipet".parse().unwrap(), staff: None, now: Timestamp::default() };
        Recorded {
            position: 1,
            category: "arrival".to_owned(),
            id: "00000000-0000-4000-8000-000000000001".to_owned(),
            version: 1,
            event_type: String::new(),
            payload: serde_json::to_string(event).unwrap(),
            metadata: Metadata::of(&context),
            hash: Digest::default(),
        }
    }

    #[test]
    fn the_register_of_people_hears_of_an_arrival_by_its_codes_and_of_nothing_else() {
        let node = "poipet".parse().unwrap();
        let event = Event::Registered {
            person: "00000000-0000-4000-8000-000000000001".parse().unwrap(),
            office: "poipet-transit-centre".parse().unwrap(),
            circumstances: Circumstances {
                route: Route::Deportation,
                from_country: Some("TH".to_owned()),
                handed_over_by: None,
                authority: None,
                arrived_on: "2026-09-01".parse().unwrap(),
            },
            codes: Codes {
                sex: Sex::Male,
                age_band: AgeBand::Child,
                language: None,
                home_place: "0203".parse().ok(),
                missing: vec!["name".to_owned()],
            },
            needs: [spean_vocabulary::Need::Medical].into(),
            by_request: None,
        };
        let postings = postings(&node, &recorded(&event));
        assert_eq!(postings.len(), 1);
        assert_eq!(postings[0].to, Address { node: node.clone(), service: Service::Cases });
        let told = ArrivalRegistered::decode(postings[0].body.as_slice()).unwrap();
        assert_eq!((told.arrived_on.as_str(), told.home_place.as_str()), ("2026-09-01", "0203"));
        assert_eq!((told.office_id.as_str(), told.missing), ("poipet-transit-centre", vec!["name".to_owned()]));
    }

    #[test]
    fn the_desk_hears_how_far_a_person_has_come() {
        let node = "poipet".parse().unwrap();
        let day = |day: &str| day.parse().unwrap();
        let departed = |kind, stayed| Event::Departed { kind, on: day("2026-09-03"), to: None, stayed };
        let needs = Event::NeedsRecorded {
            needs: [spean_vocabulary::Need::Medical].into(),
            urgent: false,
            responsible_adult: None,
            urgent_needs: [].into(),
            adult: None,
        };
        let told = [
            (needs, Some((Stage::Identified, "1970-01-01"))),
            (Event::Stayed { night_of: day("2026-09-01"), first: true }, Some((Stage::InShelter, "2026-09-01"))),
            (Event::Stayed { night_of: day("2026-09-02"), first: false }, None),
            (departed(DepartureKind::OwnWill, true), Some((Stage::LeftShelter, "2026-09-03"))),
            (departed(DepartureKind::OwnWill, false), None),
            (departed(DepartureKind::Missing, true), Some((Stage::ContactLost, "2026-09-03"))),
        ];
        for (event, expected) in told {
            let postings = postings(&node, &recorded(&event));
            let told = postings.first().map(|posting| {
                assert_eq!(posting.to, Address { node: node.clone(), service: Service::Referral });
                StageReached::decode(posting.body.as_slice()).unwrap()
            });
            let expected = expected.map(|(stage, on)| (stage, on.to_owned()));
            assert_eq!(told.map(|told| (told.stage(), told.occurred_on)), expected);
        }
    }

    #[test]
    fn the_register_of_people_hears_who_is_the_same_person() {
        let node = "poipet".parse().unwrap();
        let other = "00000000-0000-4000-8000-000000000002".parse().unwrap();
        let event = Event::SamePersonConfirmed { other, on: "2026-09-02".parse().unwrap() };
        let postings = postings(&node, &recorded(&event));
        let told = SamePersonConfirmed::decode(postings[0].body.as_slice()).unwrap();
        assert_eq!(postings[0].to, Address { node, service: Service::Cases });
        assert_eq!(told.other_case_id, "00000000-0000-4000-8000-000000000002");
    }
}
