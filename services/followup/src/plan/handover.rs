//! The plan on its way from one office to the next: nothing that is due falls between the two.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use spean_vocabulary::{Date, OfficeId};

use super::{Event, Keeper, Plan};
use crate::codes::ExtraVisitReason;

/// A visit of the plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned {
    /// When it is due.
    pub due_on: Date,
    /// When it was first due, where it was moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_due_on: Option<Date>,
    /// Whether it need not be made any more.
    #[serde(default, skip_serializing_if = "is_false")]
    pub settled: bool,
    /// Why there is a visit beside those of the rhythm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra: Option<ExtraVisitReason>,
    /// Who should come along.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub with_offices: BTreeSet<OfficeId>,
}

/// A plan as it leaves an office.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandedOver {
    /// The office that followed up until now.
    pub from: OfficeId,
    /// The office that goes on; the one that hands over, as long as the desk did not say.
    pub to: OfficeId,
    /// The day of reintegration.
    pub reintegrated_on: Date,
    /// All visits, the first under number 1.
    pub visits: Vec<Planned>,
    /// Since when contact is lost, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact_lost_on: Option<Date>,
    /// The how manieth handover of this plan it is.
    pub handovers: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}

impl Planned {
    /// A visit of the rhythm.
    pub const fn on(due_on: Date) -> Self {
        Self { due_on, first_due_on: None, settled: false, extra: None, with_offices: BTreeSet::new() }
    }

    /// A visit beside those.
    pub fn extra(due_on: Date, reason: ExtraVisitReason) -> Self {
        Self { extra: Some(reason), ..Self::on(due_on) }
    }
}

impl Plan {
    pub(super) fn hand_over(&self, from: OfficeId, to: Option<OfficeId>, contact_lost_on: Option<Date>) -> Vec<Event> {
        let Some(reintegrated_on) = self.reintegrated_on else { return vec![] };
        let again = match &self.keeper {
            Keeper::Here => false,
            // The desk may say later where it went, or that it went elsewhere.
            Keeper::HandedOver(known) => *known == to || to.is_none(),
            Keeper::Elsewhere => true,
        };
        if again || self.closed.is_some() {
            return vec![];
        }
        let plan = HandedOver {
            to: to.clone().unwrap_or_else(|| from.clone()),
            from,
            reintegrated_on,
            visits: self.visits.values().cloned().collect(),
            contact_lost_on,
            handovers: self.handovers + 1,
        };
        vec![Event::HandedOver { to, plan }]
    }

    pub(super) fn take_up(&self, plan: HandedOver) -> Vec<Event> {
        let is_news = plan.handovers > self.handovers;
        // Between two offices of one node it is the same plan, which was handed over a moment ago.
        let is_ours = plan.handovers == self.handovers && self.keeper == Keeper::HandedOver(Some(plan.to.clone()));
        if is_news || is_ours { vec![Event::TakenUp { plan }] } else { vec![] }
    }

    pub(super) fn note_taken_up(&self, by: OfficeId) -> Vec<Event> {
        if matches!(self.keeper, Keeper::HandedOver(_)) { vec![Event::TakenUpElsewhere { by }] } else { vec![] }
    }

    /// What is known here stays; what was settled at either place is settled.
    pub(super) fn go_on_with(&mut self, plan: HandedOver) {
        self.handovers = plan.handovers;
        self.keeper = Keeper::Here;
        self.reintegrated_on.get_or_insert(plan.reintegrated_on);
        for (number, planned) in (1_u8..).zip(plan.visits) {
            let settled = self.visits.get(&number).is_some_and(|known| known.settled);
            self.visits.insert(number, Planned { settled: planned.settled || settled, ..planned });
        }
    }
}
