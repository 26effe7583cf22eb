//! What the register of people may know of our events: that somebody arrived, by codes alone. The one bridge from what
//! is stored to what is told.

use prost::Message as _;
use spean_chassis::words::{write_age_band, write_sex};
use spean_contracts::repatriation::v1::ArrivalRegistered;
use spean_eventstore::Recorded;
use spean_messaging::{Address, Posting};
use spean_vocabulary::{ArrivalId, NodeId, Service};

use crate::arrival::{Arrival, Event};

/// Name of [`ArrivalRegistered`] on the wire.
const ARRIVAL_REGISTERED: &str = "spean.repatriation.v1.ArrivalRegistered";

/// The letters that follow from an event.
pub(crate) fn postings(node: &NodeId, recorded: &Recorded) -> Vec<Posting> {
    let Some(Ok(Event::Registered { person, office, circumstances, codes, .. })) = recorded.event::<Arrival>() else {
        return vec![];
    };
    let Ok(arrival) = recorded.id.parse::<ArrivalId>() else { return vec![] };
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
    vec![Posting {
        to: Address { node: node.clone(), service: Service::Cases },
        kind: ARRIVAL_REGISTERED,
        case: Some(arrival.reinterpret()),
        body: told.encode_to_vec(),
        attachment: None,
    }]
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
                handed_over_by: Some("border police".to_owned()),
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
        };
        let postings = postings(&node, &recorded(&event));
        assert_eq!(postings.len(), 1);
        assert_eq!(postings[0].to, Address { node: node.clone(), service: Service::Cases });
        let told = ArrivalRegistered::decode(postings[0].body.as_slice()).unwrap();
        assert_eq!((told.arrived_on.as_str(), told.home_place.as_str()), ("2026-09-01", "0203"));
        assert_eq!((told.office_id.as_str(), told.missing), ("poipet-transit-centre", vec!["name".to_owned()]));
        let night = Event::Stayed { night_of: "2026-09-01".parse().unwrap() };
        assert!(super::postings(&node, &recorded(&night)).is_empty());
    }
}
