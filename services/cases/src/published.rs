//! What the network may know of our events: codes only, and only those who need it. The one bridge from what is stored
//! to what is told.

use prost::Message as _;
use spean_chassis::person::write_part;
use spean_chassis::words::{write_age_band, write_need, write_sex};
use spean_contracts::cases::v1 as wire;
use spean_eventstore::Recorded;
use spean_messaging::{Address, Posting};
use spean_vocabulary::{CaseId, NodeId, Service};

use crate::case::{Case, Consent, Event};

/// Name of [`wire::CaseRegistered`] on the wire.
const CASE_REGISTERED: &str = "spean.cases.v1.CaseRegistered";
/// Name of [`wire::ConsentsChanged`] on the wire.
const CONSENTS_CHANGED: &str = "spean.cases.v1.ConsentsChanged";
/// Name of [`wire::PersonErased`] on the wire.
const PERSON_ERASED: &str = "spean.cases.v1.PersonErased";

/// Who is told of a case that was opened.
const TOLD_OF_CASES: [Service; 4] = [Service::Referral, Service::Repatriation, Service::Shelter, Service::Followup];

/// The letters that follow from an event.
pub(crate) fn postings(node: &NodeId, recorded: &Recorded) -> Vec<Posting> {
    let Some(Ok(event)) = recorded.event::<Case>() else { return vec![] };
    let Ok(case) = recorded.id.parse::<CaseId>() else { return vec![] };
    let to = |services: &[Service], kind: &'static str, body: Vec<u8>| {
        let posting = |service: &Service| Posting {
            to: Address { node: node.clone(), service: *service },
            kind,
            case: Some(case),
            body: body.clone(),
            attachment: None,
        };
        services.iter().map(posting).collect()
    };
    match event {
        Event::Registered { case_number, person, office, codes, .. } => {
            let told = wire::CaseRegistered {
                case_id: case.to_string(),
                case_number: case_number.to_string(),
                person_id: person.to_string(),
                office_id: office.to_string(),
                sex: write_sex(codes.sex).into(),
                age_band: write_age_band(codes.age_band).into(),
                language: codes.language.unwrap_or_default(),
                home_place: codes.home_place.map(|place| place.to_string()).unwrap_or_default(),
            };
            to(&TOLD_OF_CASES, CASE_REGISTERED, told.encode_to_vec())
        }
        Event::ConsentRecorded { consent_id, consent } => {
            let told = change(case, consent_id, &consent);
            to(&[Service::Referral], CONSENTS_CHANGED, told.encode_to_vec())
        }
        Event::ConsentWithdrawn { consent_id, .. } => {
            let consent = wire::StandingConsent { consent_id: consent_id.to_string(), ..Default::default() };
            let told = wire::ConsentsChanged { case_id: case.to_string(), consents: vec![consent] };
            to(&[Service::Referral], CONSENTS_CHANGED, told.encode_to_vec())
        }
        Event::PersonErased { .. } => {
            let person_id = case.to_string();
            let told = wire::PersonErased { case_id: case.to_string(), person_id };
            to(&[Service::Referral, Service::Followup], PERSON_ERASED, told.encode_to_vec())
        }
        _ => vec![],
    }
}

/// One consent that changed. Without parts it no longer stands.
fn change(case: CaseId, consent_id: spean_vocabulary::ConsentId, consent: &Consent) -> wire::ConsentsChanged {
    let consent = wire::StandingConsent {
        consent_id: consent_id.to_string(),
        parts: consent.parts.iter().map(|part| write_part(*part).into()).collect(),
        office_ids: consent.offices.iter().map(ToString::to_string).collect(),
        purposes: consent.purposes.iter().map(|need| write_need(*need).into()).collect(),
    };
    wire::ConsentsChanged { case_id: case.to_string(), consents: vec![consent] }
}
