//! What goes along with a case that moves, what a supervisor of another node found, and what came of looking for a family.

use prost::Message as _;
use spean_contracts::followup::v1 as wire;
use spean_eventstore::Recorded;
use spean_identity::Directory;
use spean_messaging::{Address, Posting};
use spean_vocabulary::{NodeId, OfficeId, Service};

use super::Post;
use crate::codes::Check;
use crate::family_search;
use crate::lists::text;
use crate::supervision::{self, Point};
use crate::support::{self, Seen};

/// Name of [`wire::SupportHandedOn`] on the wire.
pub(crate) const SUPPORT_HANDED_ON: &str = "spean.followup.v1.SupportHandedOn";
/// Name of [`wire::SupervisionTold`] on the wire.
pub(crate) const SUPERVISION_TOLD: &str = "spean.followup.v1.SupervisionTold";
/// Name of [`wire::SupervisionPointTold`] on the wire.
pub(crate) const SUPERVISION_POINT_TOLD: &str = "spean.followup.v1.SupervisionPointTold";
/// Name of [`wire::FamilySearched`] on the wire.
pub(crate) const FAMILY_SEARCHED: &str = "spean.followup.v1.FamilySearched";

impl Post {
    pub(super) fn of_support(&self, event: &support::Event, recorded: &Recorded) -> Vec<Posting> {
        let support::Event::HandedOn { given, seen, to } = event else { return vec![] };
        let outcome = |seen: &Seen| wire::OutcomeSeenBefore {
            after_months: seen.after_months.into(),
            outcome: seen.outcome.on_the_wire(),
            seen_on: seen.seen_on.to_string(),
        };
        let told = wire::SupportHandedOn {
            support_id: recorded.id.clone(),
            case_id: given.case.to_string(),
            from_office_id: recorded.metadata.office.to_string(),
            to_office_id: to.to_string(),
            kind: given.kind.on_the_wire(),
            given_on: given.given_on.to_string(),
            given_by_office_id: given.given_by.to_string(),
            outcomes: seen.iter().map(outcome).collect(),
        };
        self.to_office(to, SUPPORT_HANDED_ON, given.case, told.encode_to_vec()).into_iter().collect()
    }

    pub(super) fn of_supervision(&self, event: &supervision::Event, recorded: &Recorded) -> Vec<Posting> {
        match event {
            supervision::Event::Supervised(visit) => {
                let point = |(check, point): (&Check, &Point)| wire::SupervisedPoint {
                    check: check.on_the_wire(),
                    result: point.result.on_the_wire(),
                    mend_by: text(point.mend_by),
                };
                let told = wire::SupervisionTold {
                    supervision_id: recorded.id.clone(),
                    from_office_id: visit.by.to_string(),
                    to_office_id: visit.office.to_string(),
                    worker: text(visit.worker.as_ref()),
                    visited_on: visit.visited_on.to_string(),
                    points: visit.points.iter().map(point).collect(),
                };
                self.to_other_node(&visit.office, SUPERVISION_TOLD, &told)
            }
            supervision::Event::PointSeen { check, result, seen_on, tell: Some(to) } => {
                let told = wire::SupervisionPointTold {
                    supervision_id: recorded.id.clone(),
                    from_office_id: recorded.metadata.office.to_string(),
                    to_office_id: to.to_string(),
                    check: check.on_the_wire(),
                    result: result.on_the_wire(),
                    seen_on: seen_on.to_string(),
                };
                self.to_other_node(to, SUPERVISION_POINT_TOLD, &told)
            }
            _ => vec![],
        }
    }

    /// To the office that asked; and where it has heard, to the shelter of its node.
    pub(super) fn of_family_search(&self, event: &family_search::Event) -> Vec<Posting> {
        let (family_search::Event::AnswerGiven(answer) | family_search::Event::AnswerHeard(answer)) = event;
        let told = wire::FamilySearched {
            case_id: answer.case.to_string(),
            offer_id: answer.offer.to_string(),
            from_office_id: answer.from.to_string(),
            to_office_id: answer.to.to_string(),
            outcome: answer.outcome.on_the_wire(),
            answered_on: answer.answered_on.to_string(),
        }
        .encode_to_vec();
        if matches!(event, family_search::Event::AnswerGiven(_)) {
            return self.to_office(&answer.to, FAMILY_SEARCHED, answer.case, told).into_iter().collect();
        }
        let to = Address { node: self.node.clone(), service: Service::Shelter };
        vec![Posting { to, kind: FAMILY_SEARCHED, case: Some(answer.case), body: told, attachment: None }]
    }

    /// Offices of one node share what is on record of them.
    fn to_other_node(&self, office: &OfficeId, kind: &'static str, told: &impl prost::Message) -> Vec<Posting> {
        let node = node_of(&self.directory.current(), office).filter(|node| *node != self.node);
        let posting = |node| {
            let to = Address { node, service: Service::Followup };
            Posting { to, kind, case: None, body: told.encode_to_vec(), attachment: None }
        };
        node.map(posting).into_iter().collect()
    }
}

fn node_of(directory: &Directory, office: &OfficeId) -> Option<NodeId> {
    directory.office(office).map(|office| office.node.clone())
}
