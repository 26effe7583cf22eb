//! What our events mean for the figures of the agency: codes and days.

use spean_chassis::fact::{Fact, describe};
use spean_chassis::words::{write_age_band, write_sex};
use spean_contracts::insight::v1::{Measure, SubjectDescribed};
use spean_custody::case::{CaseCustody, Event};
use spean_eventstore::Recorded;
use spean_messaging::Posting;
use spean_vocabulary::{AgeBand, NeedId, NodeId, ReportId, Service, Sex, WithdrawReason};

use crate::desk::place;
use crate::needs::need::{self, CaseNeed, Described};
use crate::reports::report::{self, Report};

/// The letters to insight that follow from an event.
pub(crate) fn of(node: &NodeId, recorded: &Recorded) -> Vec<Posting> {
    if let Some(Ok(event)) = recorded.event::<CaseNeed>() {
        return of_need(node, recorded, &event);
    }
    if let Some(Ok(event)) = recorded.event::<Report>() {
        return of_report(node, recorded, &event);
    }
    let Some(Ok(event)) = recorded.event::<CaseCustody>() else { return vec![] };
    let Some((office, case)) = place(recorded) else { return vec![] };
    let fact = |measure| Fact::of(Service::Referral, recorded, case, measure).at(&office);
    let counted = match event {
        // Until the register here knows more, the case is like what the offer says of it.
        Event::OfferReceived { terms, .. } => {
            return vec![describe(node, recorded, case, described(terms.preview.sex, terms.preview.age_band))];
        }
        Event::Offered { offer, terms, .. } => fact(Measure::OfferMade).thing(offer).detail(terms.need),
        Event::ServiceAgreed { offer, need, .. } => fact(Measure::OfferAccepted).thing(offer).detail(need),
        Event::Transferred { offer, .. } => {
            return vec![
                fact(Measure::OfferAccepted).thing(offer).tell(node),
                fact(Measure::CaseHandedOn).thing(case).tell(node),
            ];
        }
        Event::OfferDeclined { offer, reason, .. } => fact(Measure::OfferDeclined).thing(offer).detail(reason),
        Event::Withdrawn { offer, reason: WithdrawReason::Escalated, .. } => fact(Measure::OfferEscalated).thing(offer),
        Event::Withdrawn { offer, reason, .. } => fact(Measure::OfferWithdrawn).thing(offer).detail(reason),
        Event::TransferReceived { .. } => fact(Measure::CaseTakenOver).thing(case),
        Event::ServiceConcluded { outcome, .. } => fact(Measure::ServiceConcluded).detail(outcome),
        _ => return vec![],
    };
    vec![counted.tell(node)]
}

/// A need is counted by itself, since it outlives a transfer; insight is told whose it is.
fn of_need(node: &NodeId, recorded: &Recorded, event: &need::Event) -> Vec<Posting> {
    let need = recorded.id.split_once('/').and_then(|(_, need)| need.parse::<NeedId>().ok());
    let Some(need) = need else { return vec![] };
    let fact = |measure| Fact::of(Service::Referral, recorded, need.reinterpret(), measure);
    let found = |fact: Fact, described: &Described| {
        let of = SubjectDescribed {
            case_id: described.case.to_string(),
            need: described.need.to_string(),
            ..SubjectDescribed::default()
        };
        vec![describe(node, recorded, need.reinterpret(), of), fact.thing(need).detail(described.need).tell(node)]
    };
    let counted = match event {
        need::Event::Opened { described, .. } => {
            return found(fact(Measure::NeedFound).on(described.known_since), described);
        }
        need::Event::TakenOver { told, .. } => return found(fact(Measure::NeedFound), &told.described),
        need::Event::Reopened => fact(Measure::NeedFound).thing(need),
        need::Event::FoundUnmet { reason, on } => fact(Measure::NeedUnmet).on(*on).detail(reason),
        need::Event::Met { outcome, met_on } => fact(Measure::NeedMet).on(*met_on).thing(need).detail(outcome),
        need::Event::NotWanted { refused_on, .. } => {
            fact(Measure::NeedEnded).on(*refused_on).thing(need).detail("not_wanted")
        }
        need::Event::WithdrawnAsMistaken => fact(Measure::NeedEnded).thing(need).detail("mistaken"),
        need::Event::HandedOver { .. } => fact(Measure::NeedEnded).thing(need).detail("handed_over"),
        _ => return vec![],
    };
    vec![counted.tell(node)]
}

/// A report of a concern is counted where it was taken down, and nowhere that it goes.
fn of_report(node: &NodeId, recorded: &Recorded, event: &report::Event) -> Vec<Posting> {
    let report::Event::TakenDown { file, .. } = event else { return vec![] };
    let report = recorded.id.split_once('/').and_then(|(_, report)| report.parse::<ReportId>().ok());
    let Some(report) = report else { return vec![] };
    let concern = match file.concerns.len() {
        0 => String::new(),
        1 => file.concerns.first().map(ToString::to_string).unwrap_or_default(),
        _ => "several".to_owned(),
    };
    let counted = Fact::of(Service::Referral, recorded, report.reinterpret(), Measure::ConcernReported);
    let counted = counted.at(&file.taken_down_by).on(file.taken_down_at.date_in_cambodia()).detail(concern);
    let described = described(file.sex, file.age_band);
    vec![describe(node, recorded, report.reinterpret(), described), counted.tell(node)]
}

fn described(sex: Sex, age_band: AgeBand) -> SubjectDescribed {
    SubjectDescribed {
        sex: write_sex(sex).into(),
        age_band: write_age_band(age_band).into(),
        ..SubjectDescribed::default()
    }
}
