//! What may happen to a need, and what follows from it.

use std::collections::BTreeSet;

use spean_custody::case::ServiceOutcome;
use spean_eventsourcing::{Aggregate as _, Context};
use spean_vocabulary::{CaseId, Date, Need, OfferId, OfficeId, Timestamp};

use super::{
    Asked, CaseNeed, Closed, Described, Error, Event, Handed, OfferStanding, RefusalReason, Stands, UnmetReason,
};

impl CaseNeed {
    pub(super) fn open(&self, described: Described, now: Timestamp) -> Result<Vec<Event>, Error> {
        match &self.described {
            None => Ok(vec![Event::Opened { described, opened_at: now }]),
            Some(known) if *known == described => Ok(vec![]),
            Some(_) => Err(Error::NeedIdTaken),
        }
    }

    pub(super) fn ask(&self, case: CaseId, need: Need, offer: OfferId, to: OfficeId) -> Result<Vec<Event>, Error> {
        let described = self.described.as_ref().ok_or(Error::NoSuchNeed)?;
        if described.case != case {
            return Err(Error::AnotherCase);
        }
        if described.need != need {
            return Err(Error::AnotherNeed);
        }
        if self.asked.contains_key(&offer) {
            return Ok(vec![]);
        }
        self.still_open()?;
        if self.refused.contains(&to) {
            return Err(Error::RefusedByPerson);
        }
        if self.asked.values().any(|asked| asked.stands == Stands::Agreed) {
            return Err(Error::AlreadyServed);
        }
        Ok(vec![Event::Asked { offer, to }])
    }

    pub(super) fn settle(&self, offers: &[OfferStanding], holder: Option<&OfficeId>, context: &Context) -> Vec<Event> {
        if self.described.is_none() {
            return vec![];
        }
        let mut events = self.replacements(offers);
        let mut after = events.iter().fold(self.clone(), Self::evolve);
        for standing in offers {
            let Some(asked) = after.asked.get(&standing.offer) else { continue };
            if asked.stands == standing.stands || asked.stands == Stands::Transferred {
                continue;
            }
            let followed = after.follow(standing.offer, asked.to.clone(), standing.stands, context);
            after = followed.iter().fold(after, Self::evolve);
            events.extend(followed);
        }
        events.extend(after.go_with_the_case(holder, offers, context));
        events
    }

    /// Offers that were made in the place of one for this need, as when nobody answered.
    pub(super) fn replacements(&self, offers: &[OfferStanding]) -> Vec<Event> {
        let mut known: BTreeSet<OfferId> = self.asked.keys().copied().collect();
        let mut events = Vec::new();
        loop {
            let replaces = |standing: &&OfferStanding| {
                standing.instead_of.is_some_and(|earlier| known.contains(&earlier)) && !known.contains(&standing.offer)
            };
            let Some(next) = offers.iter().find(replaces) else { return events };
            known.insert(next.offer);
            if self.closed.is_none() {
                events.push(Event::Asked { offer: next.offer, to: next.to.clone() });
            }
        }
    }

    /// What follows for the need when one of its offers has turned.
    pub(super) fn follow(&self, offer: OfferId, to: OfficeId, stands: Stands, context: &Context) -> Vec<Event> {
        if let Some(Closed::HandedOver(holder)) = &self.closed {
            return self.pass_on(holder, offer, stands);
        }
        match stands {
            Stands::Open | Stands::Transferred => vec![],
            Stands::Agreed => vec![Event::Agreed { offer, to }],
            Stands::Declined { .. } | Stands::Withdrawn { .. } | Stands::Voided => {
                vec![Event::CameBack { offer, to, how: stands }]
            }
            Stands::Concluded { outcome } => self.end_service(offer, to, outcome, context),
        }
    }

    pub(super) fn end_service(
        &self,
        offer: OfferId,
        to: OfficeId,
        outcome: ServiceOutcome,
        context: &Context,
    ) -> Vec<Event> {
        let today = context.now.date_in_cambodia();
        let mut events = vec![Event::ServiceEnded { offer, to: to.clone(), outcome }];
        match outcome {
            ServiceOutcome::Completed if self.closed.is_none() => events.push(Event::Met { outcome, met_on: today }),
            // It is the person's word, told by the provider: respected like one that was told here.
            ServiceOutcome::DeclinedByPerson if !self.refused.contains(&to) => {
                events.push(Event::ProviderRefused { provider: to, reasons: BTreeSet::new(), refused_on: today });
            }
            _ => {}
        }
        events
    }

    pub(super) fn pass_on(&self, holder: &OfficeId, offer: OfferId, stands: Stands) -> Vec<Event> {
        let was_agreed = self.asked.get(&offer).is_some_and(|asked| asked.stands == Stands::Agreed);
        let outcome = match stands {
            Stands::Concluded { outcome } => Some(outcome),
            Stands::Withdrawn { .. } | Stands::Voided => None,
            _ => return vec![],
        };
        let Some(described) = self.described.as_ref().filter(|_| was_agreed) else { return vec![] };
        vec![Event::EndPassedOn { to: holder.clone(), case: described.case, offer, outcome }]
    }

    /// Open needs follow the case to whoever holds it.
    pub(super) fn go_with_the_case(
        &self,
        holder: Option<&OfficeId>,
        offers: &[OfferStanding],
        context: &Context,
    ) -> Vec<Event> {
        let Some(holder) = holder.filter(|holder| **holder != context.office) else { return vec![] };
        if matches!(self.closed, Some(Closed::Met(_) | Closed::Mistaken | Closed::HandedOver(_))) {
            return vec![];
        }
        let (Some(described), Some(opened_at)) = (self.described.clone(), self.opened_at) else { return vec![] };
        let mut asked = self.asked.clone();
        for (offer, asked) in &mut asked {
            let transferred = |standing: &&OfferStanding| standing.offer == *offer;
            if offers.iter().find(transferred).is_some_and(|standing| standing.stands == Stands::Transferred) {
                // Whoever took the case for this need is the one who meets it.
                asked.stands = if asked.to == *holder { Stands::Agreed } else { Stands::Transferred };
            }
        }
        let told = Handed {
            described,
            opened_at,
            asked,
            refused: self.refused.clone(),
            not_wanted: self.closed == Some(Closed::NotWanted),
            handovers: self.handovers + 1,
        };
        vec![Event::HandedOver { to: holder.clone(), told: Box::new(told) }]
    }

    pub(super) fn take_over(
        &self,
        from: OfficeId,
        told: Box<Handed>,
        holder: Option<&OfficeId>,
        context: &Context,
    ) -> Vec<Event> {
        let is_old = self.described.is_some() && told.handovers <= self.handovers;
        if is_old || self.is_ours_to_meet() {
            return vec![];
        }
        let taken = Event::TakenOver { from, told };
        // The case may have moved on before this arrived.
        let onward = self.clone().evolve(&taken).go_with_the_case(holder, &[], context);
        std::iter::once(taken).chain(onward).collect()
    }

    pub(super) fn hear_end(&self, offer: OfferId, outcome: Option<ServiceOutcome>, context: &Context) -> Vec<Event> {
        let Some(asked) = self.asked.get(&offer).filter(|asked| asked.stands == Stands::Agreed) else { return vec![] };
        self.follow(offer, asked.to.clone(), ended(outcome), context)
    }

    pub(super) fn refuse(
        &self,
        provider: Option<OfficeId>,
        reasons: BTreeSet<RefusalReason>,
        refused_on: Date,
    ) -> Result<Vec<Event>, Error> {
        if reasons.is_empty() {
            return Err(Error::NoReasonGiven);
        }
        let is_concerned = |asked: &Asked| provider.as_ref().is_none_or(|provider| *provider == asked.to);
        match (&provider, &self.closed) {
            (None, Some(Closed::NotWanted)) => return Ok(vec![]),
            (Some(provider), None | Some(Closed::NotWanted)) if self.refused.contains(provider) => return Ok(vec![]),
            (Some(_), Some(Closed::NotWanted)) => {}
            _ => self.still_open()?,
        }
        if self.lives().any(|(_, asked)| is_concerned(asked)) {
            return Err(Error::OfferStillOpen);
        }
        Ok(vec![match provider {
            Some(provider) => Event::ProviderRefused { provider, reasons, refused_on },
            None => Event::NotWanted { reasons, refused_on },
        }])
    }

    pub(super) fn reopen(&self, provider: Option<OfficeId>) -> Result<Vec<Event>, Error> {
        match (provider, &self.closed) {
            (Some(provider), None | Some(Closed::NotWanted)) if self.described.is_some() => {
                let is_refused = self.refused.contains(&provider);
                Ok(if is_refused { vec![Event::RefusalTakenBack { provider }] } else { vec![] })
            }
            (None, Some(Closed::NotWanted)) => Ok(vec![Event::Reopened]),
            _ => self.still_open().map(|()| vec![]),
        }
    }

    pub(super) fn mark_unmet(&self, reason: UnmetReason, on: Date) -> Result<Vec<Event>, Error> {
        self.still_open()?;
        if self.lives().next().is_some() {
            return Err(Error::OfferStillOpen);
        }
        Ok(if self.unmet == Some(reason) { vec![] } else { vec![Event::FoundUnmet { reason, on }] })
    }

    pub(super) fn meet(&self, outcome: ServiceOutcome, met_on: Date) -> Result<Vec<Event>, Error> {
        if !matches!(outcome, ServiceOutcome::Completed | ServiceOutcome::PartlyCompleted) {
            return Err(Error::NothingWasGiven);
        }
        if self.closed == Some(Closed::Met(outcome)) {
            return Ok(vec![]);
        }
        self.still_open()?;
        if self.asked.values().any(|asked| asked.stands == Stands::Open) {
            return Err(Error::OfferStillOpen);
        }
        Ok(vec![Event::Met { outcome, met_on }])
    }

    pub(super) fn withdraw(&self) -> Result<Vec<Event>, Error> {
        if self.closed == Some(Closed::Mistaken) {
            return Ok(vec![]);
        }
        if self.closed != Some(Closed::NotWanted) {
            self.still_open()?;
        }
        if self.lives().next().is_some() {
            return Err(Error::OfferStillOpen);
        }
        Ok(vec![Event::WithdrawnAsMistaken])
    }

    pub(super) fn still_open(&self) -> Result<(), Error> {
        if self.described.is_none() {
            return Err(Error::NoSuchNeed);
        }
        match &self.closed {
            None => Ok(()),
            Some(Closed::Met(_)) => Err(Error::AlreadyMet),
            Some(Closed::NotWanted) => Err(Error::NotWanted),
            Some(Closed::Mistaken) => Err(Error::RecordedByMistake),
            Some(Closed::HandedOver(_)) => Err(Error::WentWithTheCase),
        }
    }

    pub(super) fn stand(&mut self, offer: OfferId, stands: Stands) {
        if let Some(asked) = self.asked.get_mut(&offer) {
            asked.stands = stands;
        }
    }
}

/// How an offer stands whose service has ended, or that came to nothing.
pub(super) const fn ended(outcome: Option<ServiceOutcome>) -> Stands {
    match outcome {
        Some(outcome) => Stands::Concluded { outcome },
        None => Stands::Voided,
    }
}
