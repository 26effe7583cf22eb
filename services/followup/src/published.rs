//! What others may know of our events: codes and days only, and only those who need them. The desk hears how far a case
//! has come and what is needed; the follow-up of other offices hears what it must see to or watch.

use prost::Message as _;
use spean_chassis::words::{write_need, write_urgency};
use spean_contracts::followup::v1 as wire;
use spean_contracts::referral::v1::{Stage, StageReached};
use spean_eventstore::Recorded;
use spean_identity::LiveDirectory;
use spean_messaging::{Address, Posting};
use spean_vocabulary::{CaseId, Date, NodeId, OfficeId, Service};

use crate::agenda::Agenda;
use crate::codes::ExtraVisitReason;
use crate::family_search::FamilySearch;
use crate::lists::text;
use crate::mandate::Mandate;
use crate::meeting::Meeting;
use crate::plan::{HandedOver, Plan, Planned};
use crate::supervision::Supervision;
use crate::support::Support;
use crate::{contact, danger, plan, whereabouts};

mod along;
mod meeting;

pub(crate) use along::{FAMILY_SEARCHED, SUPERVISION_POINT_TOLD, SUPERVISION_TOLD, SUPPORT_HANDED_ON};
pub(crate) use meeting::{AGENDA_TOLD, DECISION_ANSWERED, MEETING_DECIDED};

/// Name of [`wire::DangerRaised`] on the wire.
pub(crate) const DANGER_RAISED: &str = "spean.followup.v1.DangerRaised";
/// Name of [`wire::DangerAnswered`] on the wire.
pub(crate) const DANGER_ANSWERED: &str = "spean.followup.v1.DangerAnswered";
/// Name of [`wire::ContradictionRaised`] on the wire.
pub(crate) const CONTRADICTION_RAISED: &str = "spean.followup.v1.ContradictionRaised";
/// Name of [`wire::ContradictionResolved`] on the wire.
pub(crate) const CONTRADICTION_RESOLVED: &str = "spean.followup.v1.ContradictionResolved";
/// Name of [`wire::PersonElsewhere`] on the wire.
pub(crate) const PERSON_ELSEWHERE: &str = "spean.followup.v1.PersonElsewhere";
/// Name of [`wire::PlanHandedOver`] on the wire.
pub(crate) const PLAN_HANDED_OVER: &str = "spean.followup.v1.PlanHandedOver";
/// Name of [`wire::PlanTakenUp`] on the wire.
pub(crate) const PLAN_TAKEN_UP: &str = "spean.followup.v1.PlanTakenUp";
/// Name of [`wire::NeedFound`] on the wire.
const NEED_FOUND: &str = "spean.followup.v1.NeedFound";
/// Name of [`StageReached`] on the wire.
const STAGE_REACHED: &str = "spean.referral.v1.StageReached";

/// Who is where.
pub(crate) struct Post {
    pub(crate) node: NodeId,
    pub(crate) directory: LiveDirectory,
}

impl Post {
    /// The letters that follow from an event.
    pub(crate) fn postings(&self, recorded: &Recorded) -> Vec<Posting> {
        if let Some(Ok(event)) = recorded.event::<Plan>() {
            return self.of_plan(event, recorded);
        }
        if let Some(Ok(event)) = recorded.event::<danger::Danger>() {
            return self.of_danger(event, recorded);
        }
        if let Some(Ok(event)) = recorded.event::<whereabouts::Whereabouts>() {
            return self.of_whereabouts(event, recorded);
        }
        if let Some(Ok(event)) = recorded.event::<Agenda>() {
            return self.of_agenda(&event, recorded);
        }
        if let Some(Ok(event)) = recorded.event::<Meeting>() {
            return self.of_meeting(&event, recorded);
        }
        if let Some(Ok(event)) = recorded.event::<Mandate>() {
            return self.of_mandate(&event, recorded);
        }
        if let Some(Ok(event)) = recorded.event::<Support>() {
            return self.of_support(&event, recorded);
        }
        if let Some(Ok(event)) = recorded.event::<Supervision>() {
            return self.of_supervision(&event, recorded);
        }
        if let Some(Ok(event)) = recorded.event::<FamilySearch>() {
            return self.of_family_search(&event);
        }
        match (recorded.event::<contact::Contact>(), recorded.id.parse()) {
            (Some(Ok(contact::Event::Lost { lost_on, .. })), Ok(case)) => {
                vec![self.stage(case, &recorded.metadata.office, Stage::ContactLost, lost_on)]
            }
            _ => vec![],
        }
    }

    fn of_plan(&self, event: plan::Event, recorded: &Recorded) -> Vec<Posting> {
        let Ok(case) = recorded.id.parse::<CaseId>() else { return vec![] };
        let office = &recorded.metadata.office;
        match event {
            plan::Event::Begun { reintegrated_on, .. } => {
                vec![self.stage(case, office, Stage::FollowUp, reintegrated_on)]
            }
            plan::Event::Closed { closed_on, .. } => vec![self.stage(case, office, Stage::Closed, closed_on)],
            plan::Event::Reopened { reopened_on, .. } => {
                vec![self.stage(case, office, Stage::Reopened, reopened_on)]
            }
            plan::Event::VisitRecorded(visit) => {
                let told = visit.needs.iter().map(|found| wire::NeedFound {
                    case_id: case.to_string(),
                    office_id: office.to_string(),
                    need: write_need(found.need).into(),
                    urgency: write_urgency(found.urgency).into(),
                    found_on: visit.visited_on.to_string(),
                    need_id: found.need_id.to_string(),
                });
                told.map(|told| self.to_desk(NEED_FOUND, case, told.encode_to_vec())).collect()
            }
            plan::Event::HandedOver { to: Some(to), plan } => {
                let told = write_plan(case, &to, &plan);
                self.to_office(&to, PLAN_HANDED_OVER, case, told.encode_to_vec()).into_iter().collect()
            }
            plan::Event::TakenUp { plan: HandedOver { from, to, .. } } => {
                let told = wire::PlanTakenUp {
                    case_id: case.to_string(),
                    from_office_id: to.to_string(),
                    to_office_id: from.to_string(),
                };
                let day = recorded.metadata.recorded_at.date_in_cambodia();
                let answer = self.to_office(&from, PLAN_TAKEN_UP, case, told.encode_to_vec());
                answer.into_iter().chain([self.stage(case, &to, Stage::FollowUp, day)]).collect()
            }
            _ => vec![],
        }
    }

    fn of_danger(&self, event: danger::Event, recorded: &Recorded) -> Vec<Posting> {
        let office = &recorded.metadata.office;
        let answered = |case: CaseId, to: &OfficeId, plan_made_on: Option<Date>, lowered_on: Option<Date>| {
            let told = wire::DangerAnswered {
                danger_id: recorded.id.clone(),
                case_id: case.to_string(),
                from_office_id: office.to_string(),
                to_office_id: to.to_string(),
                plan_made_on: text(plan_made_on),
                lowered_on: text(lowered_on),
            };
            self.to_office(to, DANGER_ANSWERED, case, told.encode_to_vec())
        };
        let raised = |report: &danger::Report, from: &OfficeId, to: &OfficeId, takes_over: bool| {
            let told = wire::DangerRaised {
                danger_id: recorded.id.clone(),
                case_id: report.case.to_string(),
                from_office_id: from.to_string(),
                to_office_id: to.to_string(),
                signs: report.signs.iter().map(|sign| sign.on_the_wire()).collect(),
                urgency: write_urgency(report.urgency).into(),
                found_on: report.found_on.to_string(),
                raised_at_micros: report.raised_at.as_micros(),
                plan_due_at_micros: report.plan_due_at.as_micros(),
                takes_over,
            };
            self.to_office(to, DANGER_RAISED, report.case, told.encode_to_vec())
        };
        match event {
            danger::Event::Raised { report, tell } => {
                let above = tell.and_then(|above| raised(&report, &report.office, &above, false));
                let stage = self.stage(report.case, &report.office, Stage::Danger, report.found_on);
                above.into_iter().chain([stage]).collect()
            }
            danger::Event::Heard { report, by, tell, .. } => {
                tell.and_then(|above| raised(&report, &by, &above, false)).into_iter().collect()
            }
            danger::Event::HandedOn { report, to } => raised(&report, office, &to, true).into_iter().collect(),
            danger::Event::PlanRecorded { case, made_on, tell, .. } => {
                tell.iter().filter_map(|to| answered(case, to, Some(made_on), None)).collect()
            }
            danger::Event::Assessed { case, assessed_on, is_over, tell } => {
                tell.iter().filter_map(|to| answered(case, to, None, is_over.then_some(assessed_on))).collect()
            }
            danger::Event::AnswerHeard { case: Some(case), plan_made_on, ended_on, tell } => {
                tell.iter().filter_map(|to| answered(case, to, plan_made_on, ended_on)).collect()
            }
            danger::Event::AnswerHeard { case: None, .. } => vec![],
        }
    }

    fn of_whereabouts(&self, event: whereabouts::Event, recorded: &Recorded) -> Vec<Posting> {
        let Ok(case) = recorded.id.parse::<CaseId>() else { return vec![] };
        let office = &recorded.metadata.office;
        match event {
            whereabouts::Event::Sighted { sighting, tell: Some(to) } => {
                let told = wire::PersonElsewhere {
                    case_id: case.to_string(),
                    from_office_id: office.to_string(),
                    to_office_id: to.to_string(),
                    whereabouts: sighting.whereabouts.on_the_wire(),
                    from_day: sighting.from_day.to_string(),
                    until_day: text(sighting.until_day),
                    seen_by_office_id: text((sighting.office != *office).then_some(&sighting.office)),
                };
                self.to_office(&to, PERSON_ELSEWHERE, case, told.encode_to_vec()).into_iter().collect()
            }
            whereabouts::Event::Contradicted { contradiction, tell } => {
                let told = |to: &OfficeId| wire::ContradictionRaised {
                    visit_id: contradiction.visit_id.to_string(),
                    case_id: case.to_string(),
                    from_office_id: contradiction.visited_by.to_string(),
                    to_office_id: to.to_string(),
                    visited_on: contradiction.visited_on.to_string(),
                    seen_by_office_id: contradiction.seen_by.to_string(),
                    whereabouts: contradiction.whereabouts.on_the_wire(),
                    seen_on: contradiction.seen_on.to_string(),
                };
                let post = |to| self.to_office(to, CONTRADICTION_RAISED, case, told(to).encode_to_vec());
                tell.iter().filter_map(post).collect()
            }
            whereabouts::Event::Resolved { visit_id, resolution, tell, .. } => {
                let told = |to: &OfficeId| wire::ContradictionResolved {
                    visit_id: visit_id.to_string(),
                    case_id: case.to_string(),
                    from_office_id: office.to_string(),
                    to_office_id: to.to_string(),
                    resolution: resolution.on_the_wire(),
                };
                let post = |to| self.to_office(to, CONTRADICTION_RESOLVED, case, told(to).encode_to_vec());
                tell.iter().filter_map(post).collect()
            }
            _ => vec![],
        }
    }

    fn stage(&self, case: CaseId, office: &OfficeId, stage: Stage, on: Date) -> Posting {
        let told = StageReached {
            case_id: case.to_string(),
            office_id: office.to_string(),
            stage: stage.into(),
            occurred_on: on.to_string(),
        };
        self.to_desk(STAGE_REACHED, case, told.encode_to_vec())
    }

    fn to_desk(&self, kind: &'static str, case: CaseId, body: Vec<u8>) -> Posting {
        let to = Address { node: self.node.clone(), service: Service::Referral };
        Posting { to, kind, case: Some(case), body, attachment: None }
    }

    /// To the follow-up of the node that serves an office; none when the directory does not know it.
    fn to_office(&self, office: &OfficeId, kind: &'static str, case: CaseId, body: Vec<u8>) -> Option<Posting> {
        let node = self.directory.current().office(office)?.node.clone();
        let to = Address { node, service: Service::Followup };
        Some(Posting { to, kind, case: Some(case), body, attachment: None })
    }
}

fn write_plan(case: CaseId, to: &OfficeId, plan: &HandedOver) -> wire::PlanHandedOver {
    let visit = |(number, planned): (i32, &Planned)| wire::HandedOverVisit {
        number,
        due_on: planned.due_on.to_string(),
        first_due_on: text(planned.first_due_on),
        settled: planned.settled,
        extra: planned.extra.map(ExtraVisitReason::on_the_wire).unwrap_or_default(),
    };
    wire::PlanHandedOver {
        case_id: case.to_string(),
        from_office_id: plan.from.to_string(),
        to_office_id: to.to_string(),
        reintegrated_on: plan.reintegrated_on.to_string(),
        visits: (1..).zip(&plan.visits).map(visit).collect(),
        contact_lost_on: text(plan.contact_lost_on),
        handovers: i32::try_from(plan.handovers).unwrap_or(i32::MAX),
    }
}
