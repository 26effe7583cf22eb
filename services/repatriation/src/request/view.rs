//! What of a request is shown, and how its state changes.

use spean_vocabulary::{ArrivalId, OfficeId, PersonId};

use super::{Closed, Delegation, Due, Opened, Part, Progress, Request, Standing, Step, Travel};

impl Request {
    /// Whether an office opened it or has, or had, one of its steps, or is to receive its people.
    pub fn concerns(&self, office: &OfficeId) -> bool {
        self.opened.as_ref().is_some_and(|opened| opened.office == *office)
            || self.steps.values().any(|progress| progress.owner.office == *office)
            || self.delegations.iter().any(|known| known.from.office == *office)
            || self.travel().is_some_and(|travel| travel.receiving_office.as_ref() == Some(office))
    }

    /// How it was opened.
    pub fn opened(&self) -> Option<&Opened> {
        self.opened.as_ref()
    }

    /// The step that is due; none when the request has ended.
    pub fn current(&self) -> Option<Due> {
        if self.ended.is_some() {
            return None;
        }
        self.steps.values().find(|progress| progress.closed.is_none()).and_then(|progress| progress.due)
    }

    /// The steps in their order.
    pub fn steps(&self) -> impl Iterator<Item = (Step, &Progress)> {
        self.steps.iter().map(|(step, progress)| (*step, progress))
    }

    /// Its people and how it stands for each.
    pub fn people(&self) -> impl Iterator<Item = (PersonId, Part)> {
        self.people.iter().map(|(person, part)| (*person, *part))
    }

    /// The journey, when it is arranged.
    pub fn travel(&self) -> Option<&Travel> {
        self.travel.as_ref().map(|(travel, _)| travel)
    }

    /// Who had a step before, the first first.
    pub fn delegations(&self, step: Step) -> impl Iterator<Item = &Delegation> {
        self.delegations.iter().filter(move |known| known.step == step)
    }

    /// Where it stands.
    pub fn standing(&self) -> Standing {
        self.ended.map_or(Standing::UnderWay, |(standing, _)| standing)
    }

    /// The arrival by which somebody was received.
    pub fn arrival_of(&self, person: PersonId) -> Option<ArrivalId> {
        match self.people.get(&person) {
            Some(Part::Received { arrival, .. }) => *arrival,
            _ => None,
        }
    }

    pub(super) fn begin(&mut self, due: Option<Due>) {
        let Some(due) = due else { return };
        if let Some(progress) = self.steps.get_mut(&due.step) {
            progress.due = Some(due);
        }
    }

    pub(super) fn close(&mut self, step: Step, closed: Closed, next: Option<Due>) {
        if let Some(progress) = self.steps.get_mut(&step) {
            progress.closed = Some(closed);
        }
        self.begin(next);
    }
}
