//! What may be written down of an arrival, one rule for each command.

use spean_eventsourcing::Context;
use spean_vocabulary::{AgeBand, CaseId, Date, Need, OfferId, OfficeId, PersonId, Sex};

use super::{Arrival, ByRequest, Departure, DepartureKind, Error, Event, Found, Registered, Served};
use crate::words::{BedGroup, OverCapacityReason};

impl Arrival {
    /// Whether somebody was registered under this id.
    pub fn exists(&self) -> bool {
        self.registered.is_some()
    }

    /// The day of arrival on record.
    pub fn arrived_on(&self) -> Option<Date> {
        self.registered.as_ref().map(|registered| registered.circumstances.arrived_on)
    }

    /// Other offices of the same node hear that there is no such arrival.
    pub(super) fn at_office(&self, context: &Context) -> Result<&Registered, Error> {
        let registered = self.registered.as_ref().filter(|registered| registered.office == context.office);
        registered.ok_or(Error::NoSuchArrival)
    }

    pub(super) fn register(
        &self,
        person: PersonId,
        by_request: Option<ByRequest>,
        asked: Registered,
    ) -> Result<Vec<Event>, Error> {
        match &self.registered {
            None => {
                let Registered { office, circumstances, codes, needs } = asked;
                Ok(vec![Event::Registered { person, office, circumstances, codes, needs, by_request }])
            }
            Some(known) if *known == asked => Ok(vec![]),
            Some(_) => Err(Error::ArrivalIdTaken),
        }
    }

    pub(super) fn record_needs(&self, found: Found, context: &Context) -> Result<Vec<Event>, Error> {
        let registered = self.at_office(context)?;
        if registered.codes.age_band.is_child() && found.adult.is_none() {
            return Err(Error::ResponsibleAdultNeeded);
        }
        if !found.urgent_needs.is_subset(&found.needs) {
            return Err(Error::UrgentNeedNotFound);
        }
        if self.found.as_ref() == Some(&found) {
            return Ok(vec![]);
        }
        let Found { needs, urgent, urgent_needs, adult } = found;
        Ok(vec![Event::NeedsRecorded { needs, urgent, responsible_adult: None, urgent_needs, adult }])
    }

    pub(super) fn record_served(&self, need: Need, served: Served, context: &Context) -> Result<Vec<Event>, Error> {
        let registered = self.at_office(context)?;
        match self.served.get(&need) {
            Some(known) if *known == served => return Ok(vec![]),
            Some(_) => return Err(Error::AlreadyServed),
            None => {}
        }
        let found = self.found.as_ref().map_or(&registered.needs, |found| &found.needs);
        if !found.contains(&need) {
            return Err(Error::NeedNotFound);
        }
        if served.on < registered.circumstances.arrived_on {
            return Err(Error::ServedBeforeArrival);
        }
        Ok(vec![Event::NeedServed { need, on: served.on, by: served.by }])
    }

    /// Nobody is turned away: a full house takes in whoever it is said why.
    pub(super) fn assign_bed(
        &self,
        group: BedGroup,
        from_night: Date,
        has_room: bool,
        over_capacity: Option<OverCapacityReason>,
        context: &Context,
    ) -> Result<Vec<Event>, Error> {
        let registered = self.at_office(context)?;
        if self.bed == Some(group) {
            return Ok(vec![]);
        }
        if self.departed.is_some() {
            return Err(Error::AlreadyDeparted);
        }
        if !is_for(group, registered.codes.sex, registered.codes.age_band) {
            return Err(Error::BedNotForThem);
        }
        if from_night < registered.circumstances.arrived_on {
            return Err(Error::NightBeforeArrival);
        }
        let over_capacity = if has_room { None } else { Some(over_capacity.ok_or(Error::HouseFull)?) };
        Ok(vec![Event::BedAssigned { group, from_night, over_capacity }])
    }

    pub(super) fn confirm_same(
        &self,
        arrival: CaseId,
        other: CaseId,
        is_known: bool,
        on: Date,
        context: &Context,
    ) -> Result<Vec<Event>, Error> {
        self.at_office(context)?;
        if self.same_as.contains(&other) {
            return Ok(vec![]);
        }
        if arrival == other {
            return Err(Error::LinkedWithItself);
        }
        if is_known { Ok(vec![Event::SamePersonConfirmed { other, on }]) } else { Err(Error::NoSuchCase) }
    }

    pub(super) fn record_stay(&self, night_of: Date, context: &Context) -> Result<Vec<Event>, Error> {
        let registered = self.at_office(context)?;
        if self.nights.contains(&night_of) {
            return Ok(vec![]);
        }
        if night_of < registered.circumstances.arrived_on {
            return Err(Error::NightBeforeArrival);
        }
        // A night that was forgotten may still be written down after the departure.
        let stayed = Event::Stayed { night_of, first: self.nights.is_empty() };
        match &self.departed {
            Some(departed) if night_of < departed.on => Ok(vec![stayed]),
            Some(Departure { kind: DepartureKind::Missing, .. }) => {
                Ok(vec![Event::FoundAgain { on: night_of }, stayed])
            }
            Some(_) => Err(Error::NightAfterDeparture),
            None => Ok(vec![stayed]),
        }
    }

    pub(super) fn note_acceptance(&self, offer: Option<OfferId>, office: OfficeId) -> Result<Vec<Event>, Error> {
        self.registered.as_ref().ok_or(Error::NoSuchArrival)?;
        let known = match &offer {
            Some(offer) => self.heard.contains(offer),
            // By an override of the authority, which has no offer.
            None => self.accepted_by.as_ref() == Some(&office),
        };
        Ok(if known { vec![] } else { vec![Event::Accepted { offer, office }] })
    }

    pub(super) fn record_departure(
        &self,
        kind: DepartureKind,
        on: Date,
        to: Option<&OfficeId>,
        context: &Context,
    ) -> Result<Vec<Event>, Error> {
        let registered = self.at_office(context)?;
        match &self.departed {
            Some(known) if known.kind == kind && known.on == on && (to.is_none() || known.to.as_ref() == to) => {
                return Ok(vec![]);
            }
            // Who is missing may be found, and then leaves in the way in which people leave.
            Some(Departure { kind: DepartureKind::Missing, .. }) if kind != DepartureKind::Missing => {}
            Some(_) => return Err(Error::AlreadyDeparted),
            None => {}
        }
        if on < registered.circumstances.arrived_on {
            return Err(Error::DepartedBeforeArrival);
        }
        if self.nights.last().is_some_and(|night_of| *night_of >= on) {
            return Err(Error::NightOnRecord);
        }
        let taker = match kind {
            DepartureKind::HandedOver => Some(self.accepted_by.clone().ok_or(Error::NobodyHasAccepted)?),
            DepartureKind::OwnWill | DepartureKind::Missing => None,
        };
        if to.is_some() && to != taker.as_ref() {
            return Err(Error::NotTheAcceptingOffice);
        }
        Ok(vec![Event::Departed { kind, on, to: taker, stayed: !self.nights.is_empty() }])
    }
}

/// Whether a kind of bed is for somebody. What is not known speaks against nothing, and an infant sleeps with whom it
/// came.
fn is_for(group: BedGroup, sex: Sex, age_band: AgeBand) -> bool {
    let is_child = matches!(age_band, AgeBand::Child | AgeBand::Adolescent);
    let is_infant = age_band == AgeBand::Infant;
    let is_adult = age_band == AgeBand::Adult;
    match group {
        BedGroup::Women => is_infant || (sex != Sex::Male && !is_child),
        BedGroup::Men => is_infant || (sex != Sex::Female && !is_child),
        BedGroup::Girls => is_infant || (sex != Sex::Male && !is_adult),
        BedGroup::Boys => is_infant || (sex != Sex::Female && !is_adult),
        BedGroup::Family => true,
    }
}
