//! The follow-up of one case: visits by the rhythm of the policy from the day of reintegration on, twelve monthly ones as
//! a rule, and what came of each.
//!
//! A visit is *settled* by the first report that met the person, or at which the person refused, or by a decision of the
//! coordination meeting. A missed visit is kept and settles nothing: it stays due until somebody is met or refuses,
//! however long that takes. Visits are entered when the social worker is back, perhaps weeks later: the day in the field
//! and the moment of recording are two things, and the order of recording means nothing.
//!
//! Only the meeting ends or prolongs a follow-up. When the case moves to another office, the plan is handed over with it
//! and stays on the list of the old office until the new one has taken it up.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use spean_eventsourcing::{Aggregate, Context};
use spean_vocabulary::{Date, DecisionId, Need, NeedId, OfficeId, PlaceCode, Urgency, VisitId, VisitOutcome};

use crate::codes::{EndReason, ExtraVisitReason, Finding, PersonFunction, ReopenReason, RescheduleReason, VisitPlace};

mod error;
mod handover;
mod rules;
#[cfg(test)]
mod specifications;
#[cfg(test)]
mod tests;

pub use error::Error;
pub use handover::{HandedOver, Planned};

/// The follow-up of one case.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    reintegrated_on: Option<Date>,
    visits: BTreeMap<u8, Planned>,
    recorded: BTreeMap<VisitId, Visit>,
    informal: BTreeMap<VisitId, InformalVisit>,
    moved: Option<(PlaceCode, Date)>,
    /// How often it was handed over, on all its way.
    handovers: u32,
    keeper: Keeper,
    closed: Option<Closing>,
    reopened: Option<(ReopenReason, Date)>,
    extended_by: BTreeSet<DecisionId>,
    excused_by: BTreeSet<DecisionId>,
    erased: bool,
}

/// Who makes the visits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Keeper {
    /// An office of this node.
    #[default]
    Here,
    /// Still an office of this node, until the other one has taken it up.
    HandedOver(Option<OfficeId>),
    /// Another office.
    Elsewhere,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Closing {
    decision: DecisionId,
    closed_on: Date,
    reason: EndReason,
}

/// The rhythm of visits, as the policy has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rhythm {
    /// For so many months.
    pub months: i32,
    /// One visit every so many months.
    pub every_months: i32,
}

/// A visit, or an attempt at one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit {
    /// Its id.
    pub visit_id: VisitId,
    /// Which of the plan, from 1.
    pub number: u8,
    /// The day in the field.
    pub visited_on: Date,
    /// How it ended.
    pub outcome: VisitOutcome,
    /// Whether a responsible adult was present. In events of the first version who it was is in the vault alone.
    pub responsible_adult_present: bool,
    /// The responsible adult, by function.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub responsible_adult: Option<PersonFunction>,
    /// Who else was present.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub present: BTreeSet<PersonFunction>,
    /// What was found.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub findings: BTreeSet<Finding>,
    /// Where; none in events of the first version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<VisitPlace>,
    /// The offices and organisations that came along.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub with_offices: BTreeSet<OfficeId>,
    /// What the person was found to need.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<FoundNeed>,
    /// After a missed visit: when to try again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_on: Option<Date>,
}

/// A need that a visit found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundNeed {
    /// Its id.
    pub need_id: NeedId,
    /// What.
    pub need: Need,
    /// How soon.
    pub urgency: Urgency,
}

/// A look in on somebody whose follow-up is closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InformalVisit {
    /// Its id.
    pub visit_id: VisitId,
    /// The day in the field.
    pub visited_on: Date,
    /// What was found.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub findings: BTreeSet<Finding>,
    /// The responsible adult, for a child.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub responsible_adult: Option<PersonFunction>,
}

/// What else is open in a case, as the caller looked it up.
#[expect(clippy::struct_excessive_bools, reason = "each is another thing that may be open, and any of them may")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpenMatters {
    /// A danger that no assessment has lowered.
    pub danger: bool,
    /// A contradiction that nobody has resolved.
    pub contradiction: bool,
    /// An offer that nobody has answered.
    pub offer: bool,
    /// A need that nobody meets.
    pub need: bool,
    /// A service that another office gives.
    pub service: bool,
}

/// What may be asked.
#[derive(Clone, Debug)]
pub enum Command {
    /// Begin the visits.
    Begin {
        /// The day of reintegration.
        reintegrated_on: Date,
        /// How often, how long.
        rhythm: Rhythm,
        /// Whether the asking office holds the case.
        is_holder: bool,
    },
    /// Note what came of a visit.
    Record {
        /// The visit.
        visit: Visit,
        /// Whether the protection of a child is due.
        is_child: bool,
        /// Whether there are findings in words, for the vault.
        has_findings: bool,
    },
    /// Move a visit to another day.
    Reschedule {
        /// Which.
        number: u8,
        /// The new day.
        due_on: Date,
        /// Why.
        reason: RescheduleReason,
        /// The day on which it is asked.
        today: Date,
    },
    /// Add a visit beside those of the rhythm.
    Add {
        /// The next free number.
        number: u8,
        /// When.
        due_on: Date,
        /// Why.
        reason: ExtraVisitReason,
        /// Who should come along.
        with_offices: BTreeSet<OfficeId>,
        /// The day on which it is asked.
        today: Date,
    },
    /// Note that the person moved.
    Move {
        /// The new place.
        place: PlaceCode,
        /// When.
        moved_on: Date,
    },
    /// Note that the case was handed over by its office.
    HandOver {
        /// The office that did.
        from: OfficeId,
        /// The office that has the case now, when known.
        to: Option<OfficeId>,
        /// Since when contact is lost, if it is.
        contact_lost_on: Option<Date>,
    },
    /// Go on with the plan of another office.
    TakeUp(HandedOver),
    /// Note that the other office goes on with it.
    NoteTakenUp {
        /// The other office.
        by: OfficeId,
    },
    /// End the follow-up.
    Close {
        /// The decision of the meeting; without one it is refused.
        decision: Option<DecisionId>,
        /// The day.
        closed_on: Date,
        /// Why.
        reason: EndReason,
        /// What else is open.
        open: OpenMatters,
    },
    /// Prolong it by decision of the meeting.
    Extend {
        /// The decision.
        decision: DecisionId,
        /// When further visits are due.
        due_on: Vec<Date>,
    },
    /// Let visits go by decision of the meeting.
    Excuse {
        /// The decision.
        decision: DecisionId,
        /// Which visits.
        numbers: BTreeSet<u8>,
    },
    /// Open it again.
    Reopen {
        /// Why.
        reason: ReopenReason,
        /// From this day on visits are due.
        reopened_on: Date,
        /// How often, how long.
        rhythm: Rhythm,
    },
    /// Note that somebody looked in after the end.
    RecordInformal {
        /// The visit.
        visit: InformalVisit,
        /// Whether the protection of a child is due.
        is_child: bool,
    },
    /// Note that the person's key was destroyed.
    Erase,
}

/// What happened. Stored for ever: add variants and optional fields, never rename or remove.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// The visits began.
    Begun {
        /// The day of reintegration.
        reintegrated_on: Date,
        /// When each visit is due, in their order.
        due_on: Vec<Date>,
        /// The office that makes them; in the first version the metadata alone tell it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        office: Option<OfficeId>,
    },
    /// A visit took place, or was tried.
    VisitRecorded(Visit),
    /// A visit is due on another day.
    VisitRescheduled {
        /// Which.
        number: u8,
        /// The new day.
        due_on: Date,
        /// Why.
        reason: RescheduleReason,
    },
    /// A visit was added.
    VisitAdded {
        /// Its number.
        number: u8,
        /// When it is due.
        due_on: Date,
        /// Why.
        reason: ExtraVisitReason,
        /// Who should come along.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        with_offices: BTreeSet<OfficeId>,
    },
    /// The person moved.
    Moved {
        /// The new place.
        place: PlaceCode,
        /// When.
        moved_on: Date,
    },
    /// The case went to another office, and the plan with it.
    HandedOver {
        /// The office that goes on; none when the desk did not say.
        to: Option<OfficeId>,
        /// The plan as it stood.
        plan: HandedOver,
    },
    /// An office of this node goes on with the plan.
    TakenUp {
        /// The plan as it was handed over.
        plan: HandedOver,
    },
    /// Another office goes on with it.
    TakenUpElsewhere {
        /// The office.
        by: OfficeId,
    },
    /// The meeting ended it.
    Closed {
        /// The decision.
        decision: DecisionId,
        /// The day.
        closed_on: Date,
        /// Why.
        reason: EndReason,
    },
    /// The meeting prolonged it.
    Extended {
        /// The decision.
        decision: DecisionId,
        /// The number of the first further visit.
        first_number: u8,
        /// When further visits are due.
        due_on: Vec<Date>,
    },
    /// The meeting let visits go.
    VisitsExcused {
        /// The decision.
        decision: DecisionId,
        /// Which.
        numbers: BTreeSet<u8>,
    },
    /// It was opened again.
    Reopened {
        /// Why.
        reason: ReopenReason,
        /// From this day on.
        reopened_on: Date,
        /// The number of the first visit.
        first_number: u8,
        /// When visits are due.
        due_on: Vec<Date>,
    },
    /// Somebody looked in after the end.
    InformalVisitRecorded(InformalVisit),
    /// The person's key was destroyed; the facts stay.
    PersonErased,
}

impl Aggregate for Plan {
    const CATEGORY: &'static str = "follow_up";
    type Command = Command;
    type Event = Event;
    type Error = Error;
    type Context = Context;

    fn decide(&self, command: Command, context: &Context) -> Result<Vec<Event>, Error> {
        match command {
            Command::Begin { reintegrated_on, rhythm, is_holder } => {
                self.begin(reintegrated_on, rhythm, is_holder, context)
            }
            Command::Record { visit, is_child, has_findings } => self.record(visit, is_child, has_findings),
            Command::Reschedule { number, due_on, reason, today } => self.reschedule(number, due_on, reason, today),
            Command::Add { number, due_on, reason, with_offices, today } => {
                self.add(number, &Planned { with_offices, ..Planned::extra(due_on, reason) }, today)
            }
            Command::Move { place, moved_on } => self.note_move(place, moved_on),
            Command::HandOver { from, to, contact_lost_on } => Ok(self.hand_over(from, to, contact_lost_on)),
            Command::TakeUp(plan) => Ok(self.take_up(plan)),
            Command::NoteTakenUp { by } => Ok(self.note_taken_up(by)),
            Command::Close { decision, closed_on, reason, open } => self.close(decision, closed_on, reason, open),
            Command::Extend { decision, due_on } => self.extend(decision, due_on),
            Command::Excuse { decision, numbers } => self.excuse(decision, numbers),
            Command::Reopen { reason, reopened_on, rhythm } => self.reopen(reason, reopened_on, rhythm),
            Command::RecordInformal { visit, is_child } => self.record_informal(visit, is_child),
            Command::Erase => Ok(if self.erased { vec![] } else { vec![Event::PersonErased] }),
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        match event.clone() {
            Event::Begun { reintegrated_on, due_on, .. } => {
                self.reintegrated_on = Some(reintegrated_on);
                self.plan_from(1, due_on);
            }
            Event::VisitRecorded(visit) => {
                if settles(visit.outcome) {
                    self.settle(visit.number);
                }
                self.recorded.insert(visit.visit_id, visit);
            }
            Event::VisitRescheduled { number, due_on, .. } => {
                if let Some(planned) = self.visits.get_mut(&number) {
                    planned.first_due_on.get_or_insert(planned.due_on);
                    planned.due_on = due_on;
                }
            }
            Event::VisitAdded { number, due_on, reason, with_offices } => {
                self.visits.insert(number, Planned { with_offices, ..Planned::extra(due_on, reason) });
            }
            Event::Moved { place, moved_on } => self.moved = Some((place, moved_on)),
            Event::HandedOver { to, plan } => {
                self.handovers = plan.handovers;
                self.keeper = Keeper::HandedOver(to);
            }
            Event::TakenUp { plan } => self.go_on_with(plan),
            Event::TakenUpElsewhere { .. } => self.keeper = Keeper::Elsewhere,
            Event::Closed { decision, closed_on, reason } => {
                self.closed = Some(Closing { decision, closed_on, reason });
            }
            Event::Extended { decision, first_number, due_on } => {
                self.extended_by.insert(decision);
                self.plan_from(first_number, due_on);
            }
            Event::VisitsExcused { decision, numbers } => {
                self.excused_by.insert(decision);
                for number in numbers {
                    self.settle(number);
                }
            }
            Event::Reopened { reason, reopened_on, first_number, due_on } => {
                self.closed = None;
                self.reopened = Some((reason, reopened_on));
                self.visits.values_mut().for_each(|planned| planned.settled = true);
                self.plan_from(first_number, due_on);
            }
            Event::InformalVisitRecorded(visit) => {
                self.informal.insert(visit.visit_id, visit);
            }
            Event::PersonErased => self.erased = true,
        }
        self
    }
}

impl PersonFunction {
    /// Whether somebody with this function can answer for a child: family, a guardian, and those of the village who
    /// are trusted with children.
    pub const fn is_responsible_adult(self) -> bool {
        matches!(
            self,
            Self::Mother
                | Self::Father
                | Self::Grandparent
                | Self::AuntOrUncle
                | Self::AdultSibling
                | Self::OtherRelative
                | Self::Guardian
                | Self::FosterParent
                | Self::Teacher
                | Self::VillageChief
                | Self::CommuneOfficial
        )
    }
}

impl EndReason {
    /// Whether the person is there, so that it can be asked what becomes of a need.
    pub const fn leaves_somebody_to_ask(self) -> bool {
        match self {
            Self::GoalReached | Self::PersonAsked | Self::TakenOver => true,
            Self::ContactLost | Self::MovedAbroad | Self::Died => false,
        }
    }
}

/// Whether a visit that ended so need not be made again.
pub const fn settles(outcome: VisitOutcome) -> bool {
    matches!(outcome, VisitOutcome::Met | VisitOutcome::Refused)
}
