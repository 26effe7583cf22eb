//! The rules of a follow-up, one function for each command.

use std::collections::BTreeSet;

use spean_eventsourcing::Context;
use spean_vocabulary::{Date, DecisionId, PlaceCode, VisitOutcome};

use super::{Error, Event, InformalVisit, Keeper, OpenMatters, Plan, Planned, Rhythm, Visit};
use crate::codes::{EndReason, PersonFunction, ReopenReason, RescheduleReason};

impl Rhythm {
    /// When visits are due that begin with a day.
    pub(crate) fn days_after(self, first: Date) -> Vec<Date> {
        let every = self.every_months.max(1);
        (1..=self.months / every).map(|visit| first.plus_months(visit * every)).collect()
    }
}

impl Plan {
    /// Whether the person's data were erased: nothing in words may be kept of them.
    pub fn is_erased(&self) -> bool {
        self.erased
    }

    /// Whether a decision of the meeting ended it.
    pub fn is_closed(&self) -> bool {
        self.closed.is_some()
    }

    /// Whether there is a plan.
    pub fn has_begun(&self) -> bool {
        self.reintegrated_on.is_some()
    }

    /// When the next visit is due; none when all are settled.
    pub fn next_due_on(&self) -> Option<Date> {
        self.visits.values().filter(|planned| !planned.settled).map(|planned| planned.due_on).min()
    }

    pub(super) fn plan_from(&mut self, first_number: u8, due_on: Vec<Date>) {
        self.visits.extend((first_number..).zip(due_on.into_iter().map(Planned::on)));
    }

    pub(super) fn settle(&mut self, number: u8) {
        if let Some(planned) = self.visits.get_mut(&number) {
            planned.settled = true;
        }
    }

    pub(super) fn begin(
        &self,
        reintegrated_on: Date,
        rhythm: Rhythm,
        is_holder: bool,
        context: &Context,
    ) -> Result<Vec<Event>, Error> {
        match self.reintegrated_on {
            Some(known) if known == reintegrated_on => Ok(vec![]),
            Some(_) => Err(Error::AlreadyBegun),
            None if !is_holder => Err(Error::NotTheHolder),
            None => {
                let due_on = rhythm.days_after(reintegrated_on);
                Ok(vec![Event::Begun { reintegrated_on, due_on, office: Some(context.office.clone()) }])
            }
        }
    }

    pub(super) fn record(&self, visit: Visit, is_child: bool, has_findings: bool) -> Result<Vec<Event>, Error> {
        if let Some(known) = self.recorded.get(&visit.visit_id) {
            return if *known == visit { Ok(vec![]) } else { Err(Error::VisitIdTaken) };
        }
        let reintegrated_on = self.running()?;
        let planned = self.visits.get(&visit.number).ok_or(Error::NoSuchVisit)?;
        if visit.visited_on < reintegrated_on {
            return Err(Error::VisitedBeforeReintegration);
        }
        if planned.settled {
            return Err(Error::AlreadySettled);
        }
        if visit.outcome == VisitOutcome::Met {
            protect(is_child, visit.responsible_adult)?;
        }
        if visit.next_on.is_some_and(|next| visit.outcome != VisitOutcome::Missed || next <= visit.visited_on) {
            return Err(Error::NextDayNotAfterMissedVisit);
        }
        if self.erased && has_findings {
            return Err(Error::Erased);
        }
        Ok(vec![Event::VisitRecorded(visit)])
    }

    pub(super) fn reschedule(
        &self,
        number: u8,
        due_on: Date,
        reason: RescheduleReason,
        today: Date,
    ) -> Result<Vec<Event>, Error> {
        self.running()?;
        let planned = self.visits.get(&number).ok_or(Error::NoSuchVisit)?;
        if planned.due_on == due_on {
            return Ok(vec![]);
        }
        if planned.settled {
            return Err(Error::AlreadySettled);
        }
        if due_on < today {
            return Err(Error::PlannedForThePast);
        }
        if due_on > planned.first_due_on.unwrap_or(planned.due_on).plus_months(1) {
            return Err(Error::MovedTooFar);
        }
        Ok(vec![Event::VisitRescheduled { number, due_on, reason }])
    }

    pub(super) fn add(&self, number: u8, visit: &Planned, today: Date) -> Result<Vec<Event>, Error> {
        let Planned { due_on, extra, with_offices, .. } = visit.clone();
        let Some(reason) = extra else { return Ok(vec![]) };
        self.running()?;
        match self.visits.get(&number) {
            Some(known) if Planned { settled: false, ..known.clone() } == *visit => return Ok(vec![]),
            Some(_) => return Err(Error::VisitNumberTaken),
            None if number != self.next_number(1)? => return Err(Error::VisitNumberNotNext),
            None => {}
        }
        if due_on < today {
            return Err(Error::PlannedForThePast);
        }
        if self.last_due_on().is_none_or(|last| due_on > last) {
            return Err(Error::ExtensionNeedsMeeting);
        }
        Ok(vec![Event::VisitAdded { number, due_on, reason, with_offices }])
    }

    pub(super) fn note_move(&self, place: PlaceCode, moved_on: Date) -> Result<Vec<Event>, Error> {
        let reintegrated_on = self.running()?;
        if self.moved == Some((place, moved_on)) {
            return Ok(vec![]);
        }
        if moved_on < reintegrated_on {
            return Err(Error::MovedBeforeReintegration);
        }
        Ok(vec![Event::Moved { place, moved_on }])
    }

    pub(super) fn close(
        &self,
        decision: Option<DecisionId>,
        closed_on: Date,
        reason: EndReason,
        open: OpenMatters,
    ) -> Result<Vec<Event>, Error> {
        self.reintegrated_on.ok_or(Error::NotBegun)?;
        if let Some(closing) = self.closed {
            let same = decision.is_none_or(|decision| decision == closing.decision && reason == closing.reason);
            return if same { Ok(vec![]) } else { Err(Error::ClosedOtherwise) };
        }
        let decision = decision.ok_or(Error::ClosureNeedsMeeting)?;
        if self.keeper == Keeper::Elsewhere {
            return Err(Error::GoesOnElsewhere);
        }
        if open.danger {
            return Err(Error::DangerOpen);
        }
        if open.contradiction {
            return Err(Error::ContradictionOpen);
        }
        if open.offer {
            return Err(Error::OfferOpen);
        }
        if open.need && reason.leaves_somebody_to_ask() {
            return Err(Error::NeedOpen);
        }
        if open.service {
            return Err(Error::ServiceOpen);
        }
        Ok(vec![Event::Closed { decision, closed_on, reason }])
    }

    pub(super) fn extend(&self, decision: DecisionId, due_on: Vec<Date>) -> Result<Vec<Event>, Error> {
        self.running()?;
        if self.extended_by.contains(&decision) {
            return Ok(vec![]);
        }
        let in_order = self.last_due_on().into_iter().chain(due_on.iter().copied()).is_sorted_by(|one, two| one < two);
        if due_on.is_empty() || !in_order {
            return Err(Error::ExtensionWithoutVisits);
        }
        let first_number = self.next_number(due_on.len())?;
        Ok(vec![Event::Extended { decision, first_number, due_on }])
    }

    pub(super) fn excuse(&self, decision: DecisionId, numbers: BTreeSet<u8>) -> Result<Vec<Event>, Error> {
        self.running()?;
        if self.excused_by.contains(&decision) {
            return Ok(vec![]);
        }
        for number in &numbers {
            if self.visits.get(number).ok_or(Error::NoSuchVisit)?.settled {
                return Err(Error::AlreadySettled);
            }
        }
        Ok(vec![Event::VisitsExcused { decision, numbers }])
    }

    pub(super) fn reopen(&self, reason: ReopenReason, reopened_on: Date, rhythm: Rhythm) -> Result<Vec<Event>, Error> {
        let Some(closing) = self.closed else {
            return if self.reopened == Some((reason, reopened_on)) { Ok(vec![]) } else { Err(Error::NotClosed) };
        };
        if reopened_on < closing.closed_on {
            return Err(Error::ReopenedBeforeClosure);
        }
        let due_on = rhythm.days_after(reopened_on);
        let first_number = self.next_number(due_on.len())?;
        Ok(vec![Event::Reopened { reason, reopened_on, first_number, due_on }])
    }

    pub(super) fn record_informal(&self, visit: InformalVisit, is_child: bool) -> Result<Vec<Event>, Error> {
        if let Some(known) = self.informal.get(&visit.visit_id) {
            return if *known == visit { Ok(vec![]) } else { Err(Error::VisitIdTaken) };
        }
        if self.closed.is_none() {
            return Err(Error::NotClosed);
        }
        protect(is_child, visit.responsible_adult)?;
        Ok(vec![Event::InformalVisitRecorded(visit)])
    }

    /// The day of reintegration of a follow-up that goes on here.
    fn running(&self) -> Result<Date, Error> {
        let reintegrated_on = self.reintegrated_on.ok_or(Error::NotBegun)?;
        if self.closed.is_some() {
            return Err(Error::FollowUpClosed);
        }
        if self.keeper == Keeper::Elsewhere { Err(Error::GoesOnElsewhere) } else { Ok(reintegrated_on) }
    }

    /// When the last visit of the plan is due.
    pub(crate) fn last_due_on(&self) -> Option<Date> {
        self.visits.values().map(|planned| planned.due_on).max()
    }

    /// The first free number, when so many visits have room from there on.
    fn next_number(&self, visits: usize) -> Result<u8, Error> {
        let last = self.visits.keys().next_back().copied().unwrap_or(0);
        let room = usize::from(u8::MAX - last);
        if visits > room { Err(Error::TooManyVisits) } else { Ok(last.saturating_add(1)) }
    }
}

/// Nobody talks to a child alone.
fn protect(is_child: bool, responsible_adult: Option<PersonFunction>) -> Result<(), Error> {
    match responsible_adult {
        None if is_child => Err(Error::ResponsibleAdultMissing),
        Some(function) if is_child && !function.is_responsible_adult() => Err(Error::NotAResponsibleAdult),
        _ => Ok(()),
    }
}
