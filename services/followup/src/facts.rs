//! What our events mean for the figures of the agency: codes and days.

use spean_chassis::fact::{Fact, describe};
use spean_contracts::insight::v1::{Measure, SubjectDescribed};
use spean_eventstore::Recorded;
use spean_messaging::Posting;
use spean_vocabulary::{CaseId, NodeId, Service, SupportId};

use crate::contact::{self, Contact};
use crate::danger::{self, Danger};
use crate::plan::{self, Plan};
use crate::support::{self, Support};

/// The letters to insight that follow from an event.
pub(crate) fn of(node: &NodeId, recorded: &Recorded) -> Vec<Posting> {
    let fact = |case, measure| Fact::of(Service::Followup, recorded, case, measure);
    if let Some(Ok(danger::Event::Raised { report, .. })) = recorded.event::<Danger>() {
        return vec![fact(report.case, Measure::DangerRaised).on(report.found_on).detail(report.urgency).tell(node)];
    }
    if let Some(Ok(event)) = recorded.event::<Support>() {
        return of_support(node, recorded, &event);
    }
    let Ok(case) = recorded.id.parse::<CaseId>() else { return vec![] };
    if let Some(Ok(event)) = recorded.event::<Plan>() {
        let counted = match event {
            plan::Event::Begun { reintegrated_on, .. } => fact(case, Measure::FollowUpBegun).on(reintegrated_on),
            plan::Event::VisitRecorded(visit) => fact(case, Measure::Visit).on(visit.visited_on).detail(visit.outcome),
            plan::Event::Closed { closed_on, reason, .. } => {
                fact(case, Measure::CaseClosed).on(closed_on).detail(reason).thing(case)
            }
            plan::Event::Reopened { reopened_on, reason, .. } => {
                fact(case, Measure::CaseReopened).on(reopened_on).detail(reason).thing(case)
            }
            _ => return vec![],
        };
        return vec![counted.tell(node)];
    }
    let lost = format!("lost/{case}");
    match recorded.event::<Contact>() {
        Some(Ok(contact::Event::Lost { lost_on, reason, .. })) => {
            vec![fact(case, Measure::ContactLost).on(lost_on).detail(reason).thing(lost).tell(node)]
        }
        Some(Ok(contact::Event::Found { found_on, .. })) => {
            vec![fact(case, Measure::ContactFound).on(found_on).thing(lost).tell(node)]
        }
        _ => vec![],
    }
}

/// Help has an id of its own, and its outcome knows that alone: insight is told whose it is.
fn of_support(node: &NodeId, recorded: &Recorded, event: &support::Event) -> Vec<Posting> {
    let Ok(support) = recorded.id.parse::<SupportId>() else { return vec![] };
    let fact = |measure| Fact::of(Service::Followup, recorded, support.reinterpret(), measure);
    let of = |given: &support::Given| {
        let of = SubjectDescribed { case_id: given.case.to_string(), ..SubjectDescribed::default() };
        describe(node, recorded, support.reinterpret(), of)
    };
    match event {
        support::Event::SupportGiven { given, .. } => {
            let counted = fact(Measure::LivelihoodGiven).on(given.given_on).detail(given.kind);
            vec![of(given), counted.tell(node)]
        }
        // What was given and seen elsewhere was counted there.
        support::Event::TakenUp { given, .. } => vec![of(given)],
        support::Event::HandedOn { .. } => vec![],
        support::Event::OutcomeSeen { outcome, seen_on, .. } => {
            vec![fact(Measure::LivelihoodOutcome).on(*seen_on).detail(outcome).tell(node)]
        }
    }
}
