//! What the network may know of our events: codes only, and only those who need it. The one bridge from what is stored
//! to what is told.

use prost::Message as _;
use spean_chassis::person::write_part;
use spean_chassis::words::{write_age_band, write_need, write_sex};
use spean_contracts::cases::v1 as wire;
use spean_contracts::referral::v1::{Stage, StageReached};
use spean_eventstore::Recorded;
use spean_messaging::{Address, Posting};
use spean_vocabulary::{CaseId, Date, NodeId, Service};

use crate::case::{Case, Consent, Event};

/// Name of [`wire::CaseRegistered`] on the wire.
const CASE_REGISTERED: &str = "spean.cases.v1.CaseRegistered";
/// Name of [`wire::ConsentsChanged`] on the wire.
const CONSENTS_CHANGED: &str = "spean.cases.v1.ConsentsChanged";
/// Name of [`wire::PersonErased`] on the wire.
const PERSON_ERASED: &str = "spean.cases.v1.PersonErased";

/// Name of [`wire::CasesLinked`] on the wire.
const CASES_LINKED: &str = "spean.cases.v1.CasesLinked";
/// Name of [`wire::CaseMerged`] on the wire.
const CASE_MERGED: &str = "spean.cases.v1.CaseMerged";
/// Name of [`StageReached`] on the wire.
const STAGE_REACHED: &str = "spean.referral.v1.StageReached";

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
        services.iter().map(posting).collect::<Vec<_>>()
    };
    let desk = |kind: &'static str, body: Vec<u8>| to(&[Service::Referral], kind, body);
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
        Event::ConsentWithdrawn { consent_id, .. } | Event::ConsentLapsed { consent_id, .. } => {
            let consent = wire::StandingConsent { consent_id: consent_id.to_string(), ..Default::default() };
            let told = wire::ConsentsChanged { case_id: case.to_string(), consents: vec![consent] };
            to(&[Service::Referral], CONSENTS_CHANGED, told.encode_to_vec())
        }
        Event::PersonErased { .. } => {
            let person_id = case.to_string();
            let told = wire::PersonErased { case_id: case.to_string(), person_id };
            to(&[Service::Referral, Service::Followup, Service::Shelter], PERSON_ERASED, told.encode_to_vec())
        }
        Event::Linked { other, on } => desk(CASES_LINKED, linked(recorded, other, on, true).encode_to_vec()),
        Event::Unlinked { other, on } => desk(CASES_LINKED, linked(recorded, other, Some(on), false).encode_to_vec()),
        Event::MergedInto { into, on } => {
            let told = merged(recorded, into, true).encode_to_vec();
            let stage = stage(recorded, Stage::Merged, on).encode_to_vec();
            [desk(CASE_MERGED, told), desk(STAGE_REACHED, stage)].concat()
        }
        Event::Unmerged { from, on } => {
            let told = merged(recorded, from, false).encode_to_vec();
            let stage = stage(recorded, Stage::Reopened, on).encode_to_vec();
            [desk(CASE_MERGED, told), desk(STAGE_REACHED, stage)].concat()
        }
        Event::NeedsRecorded { found_on, .. } => {
            desk(STAGE_REACHED, stage(recorded, Stage::Identified, found_on).encode_to_vec())
        }
        Event::Returned { returned_on, .. } => {
            desk(STAGE_REACHED, stage(recorded, Stage::ReturnedHome, returned_on).encode_to_vec())
        }
        _ => vec![],
    }
}

/// That two cases are linked, or no longer are.
fn linked(recorded: &Recorded, other: CaseId, on: Option<Date>, linked: bool) -> wire::CasesLinked {
    // Links of the first version were found on the day on which they were recorded.
    let on = on.unwrap_or_else(|| recorded.metadata.recorded_at.date_in_cambodia());
    wire::CasesLinked {
        case_id: recorded.id.clone(),
        other_case_id: other.to_string(),
        office_id: recorded.metadata.office.to_string(),
        linked_on: on.to_string(),
        linked,
    }
}

/// That a case rests in favour of another, or no longer does.
fn merged(recorded: &Recorded, into: CaseId, merged: bool) -> wire::CaseMerged {
    wire::CaseMerged {
        case_id: recorded.id.clone(),
        into_case_id: into.to_string(),
        office_id: recorded.metadata.office.to_string(),
        merged,
    }
}

/// How far a case has come.
fn stage(recorded: &Recorded, stage: Stage, on: Date) -> StageReached {
    StageReached {
        case_id: recorded.id.clone(),
        office_id: recorded.metadata.office.to_string(),
        stage: stage.into(),
        occurred_on: on.to_string(),
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
