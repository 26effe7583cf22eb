//! Somebody who stays here is away: gone for a day that was agreed, gone home without a word, or taken.
//!
//! An absence ends nothing. It ages on a worklist; after some days contact counts as lost and the desk is told, so that
//! those who referred the person look for them too; after some more the bed may be given to others while the stay goes
//! on. It ends with the return, with an exit, and never by itself.

use serde::{Deserialize, Serialize};
use spean_vocabulary::{AdmissionId, Date};

use super::{Error, Event, House, OverCapacity, Stay};

/// One absence as it is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Absence {
    /// Its first day.
    pub since: Date,
    /// Why, as far as it is known.
    pub reason: AbsenceReason,
    /// Until when the house expects the person back, when that was agreed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_back_on: Option<Date>,
}

/// Why somebody is away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, strum::Display, strum::EnumString)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum AbsenceReason {
    /// Nobody knows.
    Unknown,
    /// Left without leave, of their own will.
    OwnWill,
    /// Was taken away: contact is lost at once, and there is a danger.
    Abducted,
    /// Visits the family, as agreed.
    HomeVisit,
    /// Is in a hospital.
    Hospital,
    /// Is held by the police or a court.
    Detained,
}

/// How somebody was heard of who had been looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, strum::Display, strum::EnumString)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ContactOutcome {
    /// With the family.
    WithFamily,
    /// Elsewhere, and safe by their own word.
    SafeElsewhere,
    /// In the care of others.
    InOtherCare,
    /// Across the border again.
    AcrossBorder,
    /// Wants no help from this house. It is respected, and the need stays open at the desk.
    DeclinesHelp,
    /// Held by the police or a court.
    Detained,
    /// Has died.
    Died,
}

/// The absences of one stay.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Absences(Vec<Recorded>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Recorded {
    absence: Absence,
    returned_on: Option<Date>,
    /// Whether contact was lost in the course of it.
    lost: bool,
    /// When the bed was given to others.
    released_on: Option<Date>,
}

impl Absence {
    /// The day on which contact counts as lost.
    pub fn lost_on(&self, after_days: i32) -> Date {
        if self.reason == AbsenceReason::Abducted {
            return self.since;
        }
        self.expected_back_on.unwrap_or(self.since).plus_days(after_days)
    }
}

impl Absences {
    /// The absence that goes on.
    pub fn open(&self) -> Option<&Absence> {
        self.last_open().map(|recorded| &recorded.absence)
    }

    /// The last day on which something is known: of the return, or else of the beginning of the last absence.
    pub fn last_day(&self) -> Option<Date> {
        self.0.last().map(|recorded| recorded.returned_on.unwrap_or(recorded.absence.since))
    }

    fn last_open(&self) -> Option<&Recorded> {
        self.0.last().filter(|recorded| recorded.returned_on.is_none())
    }

    fn last_mut(&mut self) -> Option<&mut Recorded> {
        self.0.last_mut()
    }
}

impl Stay {
    /// Takes in what happened to this stay alone.
    pub(super) fn evolve(&mut self, event: &Event) {
        match event {
            Event::BedAssigned { bed, .. } => self.bed = Some(bed.clone()),
            Event::AbsenceRecorded { absence, .. } => {
                let recorded = Recorded { absence: *absence, returned_on: None, lost: false, released_on: None };
                self.absences.0.push(recorded);
            }
            Event::Returned { returned_on, .. } => {
                if let Some(last) = self.absences.last_mut() {
                    last.returned_on = Some(*returned_on);
                }
                (self.released, self.lost_since) = (false, None);
            }
            Event::BedReleased { released_on, .. } => {
                if let Some(last) = self.absences.last_mut() {
                    last.released_on = Some(*released_on);
                }
                (self.released, self.bed) = (true, None);
            }
            Event::ContactLost { since, .. } => {
                if let Some(last) = self.absences.last_mut() {
                    last.lost = true;
                }
                (self.lost_since, self.found) = (Some(*since), None);
            }
            Event::ContactFound { found_on, outcome, .. } => {
                (self.lost_since, self.found) = (None, Some((*found_on, *outcome)));
            }
            _ => {}
        }
    }
}

impl House {
    pub(super) fn record_absence(
        &self,
        admission_id: AdmissionId,
        absence: Absence,
        tracing_after_days: i32,
        today: Date,
    ) -> Result<Vec<Event>, Error> {
        let stay = self.stays.get(&admission_id).ok_or(Error::NoSuchStay)?;
        if let Some(known) = stay.absences.0.iter().find(|known| known.absence.since == absence.since) {
            return if known.absence == absence { Ok(vec![]) } else { Err(Error::AbsenceAlreadyRecorded) };
        }
        if stay.exit.is_some() {
            return Err(Error::StayIsOver);
        }
        if stay.absences.open().is_some() {
            return Err(Error::AwayAlready);
        }
        if absence.since < stay.absences.last_day().unwrap_or(stay.admitted_on) {
            return Err(Error::AwayBeforePresent);
        }
        let case_id = stay.case_id;
        let mut events = vec![Event::AbsenceRecorded { admission_id, case_id, absence }];
        // Entered late, it may be time to look for the person already.
        let lost_on = absence.lost_on(tracing_after_days);
        if lost_on <= today {
            events.push(Event::ContactLost { admission_id, case_id, since: absence.since, lost_on });
        }
        Ok(events)
    }

    pub(super) fn record_return(&self, admission_id: AdmissionId, returned_on: Date) -> Result<Vec<Event>, Error> {
        let stay = self.stays.get(&admission_id).ok_or(Error::NoSuchStay)?;
        if stay.absences.0.iter().any(|absence| absence.returned_on == Some(returned_on)) {
            return Ok(vec![]);
        }
        if stay.exit.is_some() {
            return Err(Error::StayIsOver);
        }
        let absence = stay.absences.open().ok_or(Error::NotAway)?;
        if returned_on < absence.since {
            return Err(Error::BackBeforeAway);
        }
        // Nobody who comes back is turned away.
        let full = stay.released && self.free_persons(stay.group) == 0;
        let over_capacity = full.then_some(OverCapacity::CameBack);
        Ok(vec![Event::Returned { admission_id, case_id: stay.case_id, returned_on, over_capacity }])
    }

    pub(super) fn release_bed(
        &self,
        admission_id: AdmissionId,
        released_on: Date,
        after_days: i32,
    ) -> Result<Vec<Event>, Error> {
        let stay = self.stays.get(&admission_id).ok_or(Error::NoSuchStay)?;
        if stay.absences.0.iter().any(|absence| absence.released_on == Some(released_on)) {
            return Ok(vec![]);
        }
        if stay.exit.is_some() {
            return Err(Error::StayIsOver);
        }
        let absence = stay.absences.open().ok_or(Error::NotAway)?;
        if stay.released {
            return Err(Error::BedReleasedAlready);
        }
        if released_on < absence.since.plus_days(after_days) {
            return Err(Error::BedIsKept);
        }
        Ok(vec![Event::BedReleased { admission_id, released_on }])
    }

    /// Nothing when somebody came back meanwhile, or is looked for already.
    pub(super) fn begin_tracing(&self, admission_id: AdmissionId, after_days: i32, today: Date) -> Vec<Event> {
        let Some(stay) = self.stays.get(&admission_id).filter(|stay| stay.exit.is_none()) else { return vec![] };
        let absence = stay.absences.last_open().filter(|absence| !absence.lost);
        let Some(Recorded { absence, .. }) = absence else { return vec![] };
        let lost_on = absence.lost_on(after_days);
        if lost_on > today {
            return vec![];
        }
        vec![Event::ContactLost { admission_id, case_id: stay.case_id, since: absence.since, lost_on }]
    }

    pub(super) fn record_contact(
        &self,
        admission_id: AdmissionId,
        found_on: Date,
        outcome: ContactOutcome,
    ) -> Result<Vec<Event>, Error> {
        let stay = self.stays.get(&admission_id).ok_or(Error::NoSuchStay)?;
        if stay.found == Some((found_on, outcome)) {
            return Ok(vec![]);
        }
        let since = stay.lost_since.ok_or(Error::ContactNotLost)?;
        if found_on < since {
            return Err(Error::FoundBeforeLost);
        }
        Ok(vec![Event::ContactFound { admission_id, found_on, outcome }])
    }
}
