//! What may be done with a request, one rule for each command.

use std::collections::BTreeSet;

use spean_vocabulary::{ArrivalId, Date, OfficeId, PersonId};
use strum::IntoEnumIterator as _;

use super::{
    Closed, Deadlines, DelegateReason, Direction, Due, EndReason, Error, Event, Opened, Owner, Part, Progress, Request,
    SkipReason, Standing, Step, Travel,
};

impl Deadlines {
    fn due(self, step: Step, since: Date) -> Due {
        Due { step, since, due_on: since.plus_days(self.0[step as usize]) }
    }
}

impl Request {
    pub(super) fn open(&self, asked: Opened, owner_is_here: bool, deadlines: Deadlines) -> Result<Vec<Event>, Error> {
        match &self.opened {
            Some(known) if *known == asked => return Ok(vec![]),
            Some(_) => return Err(Error::RequestIdTaken),
            None => {}
        }
        if asked.people.is_empty() {
            return Err(Error::NobodyRequested);
        }
        if !owner_is_here {
            return Err(Error::OwnerElsewhere);
        }
        let Opened { office, direction, country, people, owner, requested_on } = asked;
        let first = deadlines.due(Step::Documents, requested_on);
        Ok(vec![Event::Opened { office, direction, country, people, owner, requested_on, first }])
    }

    pub(super) fn complete(
        &self,
        office: &OfficeId,
        step: Step,
        on: Date,
        deadlines: Deadlines,
    ) -> Result<Vec<Event>, Error> {
        if matches!(step, Step::Travel | Step::Reception) {
            return Err(Error::StepHasItsOwnWay);
        }
        if self.may_close(office, step, on, None)? {
            return Ok(vec![]);
        }
        Ok(vec![Event::StepCompleted { step, on, next: Self::after(step, on, deadlines) }])
    }

    pub(super) fn skip(
        &self,
        office: &OfficeId,
        step: Step,
        reason: SkipReason,
        on: Date,
        deadlines: Deadlines,
    ) -> Result<Vec<Event>, Error> {
        if step == Step::Reception {
            return Err(Error::ReceptionNotSkippable);
        }
        if self.may_close(office, step, on, Some(reason))? {
            return Ok(vec![]);
        }
        Ok(vec![Event::StepSkipped { step, reason, on, next: Self::after(step, on, deadlines) }])
    }

    /// Plans change: other ones replace those on record until the request has ended or somebody was received.
    pub(super) fn arrange(
        &self,
        office: &OfficeId,
        travel: Travel,
        on: Date,
        deadlines: Deadlines,
    ) -> Result<Vec<Event>, Error> {
        let opened = self.of_owner(office, Step::Travel)?;
        if self.travel.as_ref() == Some(&(travel.clone(), on)) {
            return Ok(vec![]);
        }
        self.under_way()?;
        if on < opened.requested_on || travel.on < opened.requested_on {
            return Err(Error::BeforeRequest);
        }
        if self.travel.is_none() {
            self.may_close(office, Step::Travel, on, None)?;
        } else if self.people.values().any(|part| matches!(part, Part::Received { .. })) {
            return Err(Error::StepClosed);
        }
        let next = deadlines.due(Step::Reception, travel.on.max(on));
        Ok(vec![Event::TravelArranged { travel, on, next }])
    }

    pub(super) fn receive(
        &self,
        office: &OfficeId,
        person: PersonId,
        arrival: Option<ArrivalId>,
        on: Date,
    ) -> Result<Vec<Event>, Error> {
        // The office that was named to receive them may say so, whoever has the step.
        let receives = self.travel.as_ref().is_some_and(|(travel, _)| travel.receiving_office.as_ref() == Some(office));
        let opened = if receives { self.known()? } else { self.of_owner(office, Step::Reception)? };
        match self.people.get(&person).ok_or(Error::PersonNotRequested)? {
            Part::UnderWay => {}
            Part::Received { arrival: known, on: day } if *known == arrival && *day == on => return Ok(vec![]),
            Part::Received { .. } | Part::Ended { .. } => return Err(Error::PersonEnded),
        }
        if opened.direction == Direction::ToHere && arrival.is_none() {
            return Err(Error::ArrivalNeeded);
        }
        if on < opened.requested_on {
            return Err(Error::BeforeRequest);
        }
        self.every_step_before(Step::Reception)?;
        let event = Event::Received { person, arrival, on };
        Ok(self.with_end(event, &BTreeSet::from([person]), Standing::Received, on))
    }

    pub(super) fn end(
        &self,
        office: &OfficeId,
        people: BTreeSet<PersonId>,
        reason: EndReason,
        on: Date,
    ) -> Result<Vec<Event>, Error> {
        let opened = self.of_any_owner(office)?;
        if people.iter().any(|person| !self.people.contains_key(person)) {
            return Err(Error::PersonNotRequested);
        }
        let under_way = |person: &PersonId| self.people.get(person) == Some(&Part::UnderWay);
        let ended_so = |part: &Part| *part == Part::Ended { reason, on };
        let everybody = people.is_empty();
        let meant: BTreeSet<_> =
            if everybody { self.people.keys().copied().filter(under_way).collect() } else { people };
        if everybody && meant.is_empty() {
            let done = self.people.values().any(ended_so);
            return if done { Ok(vec![]) } else { Err(Error::RequestEnded) };
        }
        if meant.iter().any(|person| !under_way(person) && !self.people.get(person).is_some_and(ended_so)) {
            return Err(Error::PersonEnded);
        }
        let taken_off: BTreeSet<_> = meant.into_iter().filter(under_way).collect();
        if taken_off.is_empty() {
            return Ok(vec![]);
        }
        if on < opened.requested_on {
            return Err(Error::BeforeRequest);
        }
        let event = Event::TakenOff { people: taken_off.clone(), reason, on };
        Ok(self.with_end(event, &taken_off, reason.state(), on))
    }

    pub(super) fn delegate(
        &self,
        office: &OfficeId,
        to_is_here: bool,
        step: Step,
        to: Owner,
        reason: DelegateReason,
        on: Date,
    ) -> Result<Vec<Event>, Error> {
        // Who handed it to another office and asks again has not lost the right to hear that it is done.
        let repeated = self.delegations.iter().rfind(|known| known.step == step).is_some_and(|known| {
            known.from.office == *office && known.to == to && known.reason == reason && known.on == on
        });
        if repeated {
            return Ok(vec![]);
        }
        let opened = self.of_owner(office, step)?;
        let progress = self.progress(step)?;
        if progress.owner == to {
            return Ok(vec![]);
        }
        self.under_way()?;
        if progress.closed.is_some() {
            return Err(Error::StepClosed);
        }
        if !to_is_here {
            return Err(Error::OwnerElsewhere);
        }
        if on < opened.requested_on {
            return Err(Error::BeforeRequest);
        }
        Ok(vec![Event::Delegated { step, from: progress.owner.clone(), to, reason, on }])
    }

    /// Whether a step may be closed now; `true` when exactly this was done before.
    fn may_close(&self, office: &OfficeId, step: Step, on: Date, skipped: Option<SkipReason>) -> Result<bool, Error> {
        let opened = self.of_owner(office, step)?;
        match self.progress(step)?.closed {
            Some(closed) if closed == (Closed { on, skipped }) => return Ok(true),
            Some(_) => return Err(Error::StepClosed),
            None => {}
        }
        self.under_way()?;
        self.every_step_before(step)?;
        if on < opened.requested_on { Err(Error::BeforeRequest) } else { Ok(false) }
    }

    fn every_step_before(&self, step: Step) -> Result<(), Error> {
        let open = |earlier: Step| self.steps.get(&earlier).is_none_or(|progress| progress.closed.is_none());
        if Step::iter().take_while(|earlier| *earlier < step).any(open) { Err(Error::EarlierStepOpen) } else { Ok(()) }
    }

    fn after(step: Step, on: Date, deadlines: Deadlines) -> Option<Due> {
        let next = Step::iter().find(|next| *next > step)?;
        Some(deadlines.due(next, on))
    }

    /// Adds the end of the request when nobody but these was under way.
    fn with_end(&self, event: Event, settled: &BTreeSet<PersonId>, standing: Standing, on: Date) -> Vec<Event> {
        let mut others = self.people.iter().filter(|(person, _)| !settled.contains(person)).map(|(_, part)| part);
        let anybody_received = others.clone().any(|part| matches!(part, Part::Received { .. }));
        if others.any(|part| *part == Part::UnderWay) {
            return vec![event];
        }
        let standing = if anybody_received { Standing::Received } else { standing };
        vec![event, Event::Ended { standing, on }]
    }

    fn known(&self) -> Result<&Opened, Error> {
        self.opened.as_ref().ok_or(Error::NoSuchRequest)
    }

    fn progress(&self, step: Step) -> Result<&Progress, Error> {
        self.steps.get(&step).ok_or(Error::NoSuchRequest)
    }

    fn under_way(&self) -> Result<(), Error> {
        if self.ended.is_some() { Err(Error::RequestEnded) } else { Ok(()) }
    }

    /// The office that opened it has a say in each of its steps; others in those that are theirs.
    fn of_owner(&self, office: &OfficeId, step: Step) -> Result<&Opened, Error> {
        let opened = self.known()?;
        if opened.office == *office || self.progress(step)?.owner.office == *office {
            return Ok(opened);
        }
        Err(if self.concerns(office) { Error::NotTheOwner } else { Error::NoSuchRequest })
    }

    /// An end is for the office that opened it and for the one whose step is due.
    fn of_any_owner(&self, office: &OfficeId) -> Result<&Opened, Error> {
        let step = self.current().map_or(Step::Reception, |due| due.step);
        self.of_owner(office, step)
    }
}
