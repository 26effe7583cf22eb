//! The house of one office: its places, and who stays in them.
//!
//! Places and stays are one aggregate, so that "never more residents than places, but for a reason that was written down"
//! is decided in one piece, whoever asks at the same moment. Its stream grows by a few events for each stay.
//!
//! Custody is not decided here. A stay neither takes nor gives a case; it only asks, at the end, who is accountable:
//! - **went home**: refused until another office has taken the case, because that office follows up. When this office
//!   only helped and another one held the case all along, that holder is accountable and follows up. Refused as well until
//!   the return has been decided with the person's agreement.
//! - **moved** to another place of care: refused while this office is accountable and no other office has agreed to take
//!   the case, or to shelter or treat the person.
//! - **own will**: always possible. Nobody is kept. The case stays where it is and the need stays open, and somebody who
//!   left so is looked for until they were heard of: see [`absence`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use spean_eventsourcing::{Aggregate, Context};
use spean_vocabulary::{AdmissionId, CaseId, CaseNumber, Date, OfficeId, Sex};

use crate::labels::Bed;

pub mod absence;
mod command;
mod error;
mod event;
#[cfg(test)]
mod tests;

use absence::{Absences, ContactOutcome};
pub use command::Command;
pub use error::Error;
pub use event::Event;

/// One house.
#[derive(Clone, Debug, Default)]
pub struct House {
    capacity: BTreeMap<Group, u32>,
    stays: BTreeMap<AdmissionId, Stay>,
    current: BTreeMap<CaseId, AdmissionId>,
    left_on: BTreeMap<CaseId, Date>,
    told: Option<Occupancy>,
}

/// How full a house is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Occupancy {
    /// All its places.
    pub capacity_persons: u32,
    /// How many are taken; more than there are when somebody was taken in over capacity.
    pub occupied_persons: u32,
}

/// For whom a place is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Group {
    /// Sex as recorded.
    pub sex: Sex,
    /// For children (under 18, or of unknown age) or for adults.
    pub children: bool,
}

/// Places for one group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Places {
    /// For whom.
    #[serde(flatten)]
    pub group: Group,
    /// How many.
    pub capacity_persons: u32,
}

/// One stay, current or over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stay {
    /// Whose.
    pub case_id: CaseId,
    /// The place it takes.
    pub group: Group,
    /// Its first day.
    pub admitted_on: Date,
    /// Whether the person had been here before.
    pub readmission: bool,
    /// Whether this office only helped at admission: another one was accountable.
    pub helping: bool,
    /// The bed.
    pub bed: Option<Bed>,
    /// Whether it takes no place: the person is away, and the bed was given to somebody else.
    pub released: bool,
    /// When the person was away, the earliest absence first.
    pub absences: Absences,
    /// Since when nobody knows where the person is.
    pub lost_since: Option<Date>,
    /// When and how the person was last heard of after that.
    pub found: Option<(Date, ContactOutcome)>,
    /// How and when it ended.
    pub exit: Option<(ExitKind, Date)>,
}

/// Why somebody was taken in although no place was free.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, strum::Display, strum::EnumString)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum OverCapacity {
    /// The person was in danger that night.
    Danger,
    /// No other house had a place.
    NoOtherHouse,
    /// Brothers and sisters, or a mother and her child, stay together.
    FamilyTogether,
    /// A court or an authority ordered it.
    Ordered,
    /// A resident came back after the bed had been given to somebody else.
    CameBack,
}

/// How a stay ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, strum::Display, strum::EnumString)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ExitKind {
    /// Went home, with follow-up by the office that is accountable.
    Reintegrated,
    /// Went to another place of care.
    Moved,
    /// Left of their own will.
    OwnWill,
}

/// Who is accountable for the person when the stay ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Accountable {
    /// This office: it holds the case, or has promised to take it.
    ThisOffice,
    /// Another office: it took the case, or holds it while this office helps. Which one, when the desk said so.
    Other(Option<OfficeId>),
    /// Nothing is known any more; then it is whoever was accountable at admission.
    NotTold,
}

/// An admission to be decided, with what the desk said of the case.
#[derive(Clone, Debug)]
pub struct Admission {
    /// Id of the stay.
    pub admission_id: AdmissionId,
    /// The case.
    pub case_id: CaseId,
    /// Its number, when known.
    pub case_number: Option<CaseNumber>,
    /// Sex as recorded.
    pub sex: Sex,
    /// Whether the protection of a child is due.
    pub is_child: bool,
    /// The first day.
    pub admitted_on: Date,
    /// Whether this office only helps: another one is accountable.
    pub helping: bool,
    /// Whether the person stays in another house of this node.
    pub stays_elsewhere: bool,
    /// The bed, when it is known already.
    pub bed: Option<Bed>,
    /// Why the person is taken in even when no place is free.
    pub over_capacity: Option<OverCapacity>,
    /// Until when a care plan is due.
    pub plan_due_on: Option<Date>,
}

impl Aggregate for House {
    const CATEGORY: &'static str = "house";
    type Command = Command;
    type Event = Event;
    type Error = Error;
    type Context = Context;

    fn decide(&self, command: Command, context: &Context) -> Result<Vec<Event>, Error> {
        let mut events = match command {
            Command::DeclareCapacity { places } => self.declare(&places),
            Command::Admit(admission) => self.admit(&admission),
            Command::Exit { admission_id, kind, exited_on, accountable, agreed, decided } => {
                self.exit(admission_id, kind, exited_on, accountable, agreed, decided)
            }
            Command::AssignBed { admission_id, bed } => self.assign_bed(admission_id, bed),
            Command::RecordAbsence { admission_id, absence, tracing_after_days } => {
                self.record_absence(admission_id, absence, tracing_after_days, context.now.date_in_cambodia())
            }
            Command::RecordReturn { admission_id, returned_on } => self.record_return(admission_id, returned_on),
            Command::ReleaseBed { admission_id, released_on, after_days } => {
                self.release_bed(admission_id, released_on, after_days)
            }
            Command::BeginTracing { admission_id, after_days } => {
                Ok(self.begin_tracing(admission_id, after_days, context.now.date_in_cambodia()))
            }
            Command::RecordContact { admission_id, found_on, outcome } => {
                self.record_contact(admission_id, found_on, outcome)
            }
        }?;
        // The desk hears how full the house is whenever that changes.
        if !events.is_empty() {
            let after = events.iter().fold(self.clone(), Self::evolve);
            let occupancy = after.occupancy();
            if self.told != Some(occupancy) {
                events.push(Event::OccupancyChanged { occupancy });
            }
        }
        Ok(events)
    }

    fn evolve(mut self, event: &Event) -> Self {
        match event.clone() {
            Event::CapacityDeclared { places } => {
                self.capacity = places.into_iter().map(|places| (places.group, places.capacity_persons)).collect();
            }
            Event::Admitted { admission_id, case_id, group, admitted_on, readmission, helping, bed, .. } => {
                // Who came back is not looked for any more.
                for stay in self.stays.values_mut().filter(|stay| stay.case_id == case_id) {
                    stay.lost_since = None;
                }
                self.current.insert(case_id, admission_id);
                let (released, absences, lost_since) = (false, Absences::default(), None);
                let stay = Stay {
                    case_id,
                    group,
                    admitted_on,
                    readmission,
                    helping,
                    bed,
                    released,
                    absences,
                    lost_since,
                    found: None,
                    exit: None,
                };
                self.stays.insert(admission_id, stay);
            }
            Event::Exited { admission_id, kind, exited_on, .. } => {
                if let Some(stay) = self.stays.get_mut(&admission_id) {
                    stay.exit = Some((kind, exited_on));
                    if kind != ExitKind::OwnWill {
                        stay.lost_since = None;
                    }
                    self.current.remove(&stay.case_id);
                    self.left_on.insert(stay.case_id, exited_on);
                }
            }
            Event::OccupancyChanged { occupancy } => self.told = Some(occupancy),
            Event::BedAssigned { admission_id, .. }
            | Event::AbsenceRecorded { admission_id, .. }
            | Event::Returned { admission_id, .. }
            | Event::BedReleased { admission_id, .. }
            | Event::ContactLost { admission_id, .. }
            | Event::ContactFound { admission_id, .. } => {
                if let Some(stay) = self.stays.get_mut(&admission_id) {
                    stay.evolve(event);
                }
            }
        }
        self
    }
}

impl House {
    /// A stay, current or over.
    pub fn stay(&self, admission_id: AdmissionId) -> Option<&Stay> {
        self.stays.get(&admission_id)
    }

    /// How full it is.
    pub fn occupancy(&self) -> Occupancy {
        let taken = self.residents().count();
        Occupancy {
            capacity_persons: self.capacity.values().sum(),
            occupied_persons: u32::try_from(taken).unwrap_or(u32::MAX),
        }
    }

    /// The stays that take a place.
    fn residents(&self) -> impl Iterator<Item = &Stay> {
        let current = self.current.values().filter_map(|admission_id| self.stays.get(admission_id));
        current.filter(|stay| !stay.released)
    }

    fn declare(&self, places: &[Places]) -> Result<Vec<Event>, Error> {
        let capacity: BTreeMap<_, _> = places.iter().map(|places| (places.group, places.capacity_persons)).collect();
        if capacity.len() < places.len() {
            return Err(Error::GroupDeclaredTwice);
        }
        let capacity: BTreeMap<_, _> = capacity.into_iter().filter(|(_, persons)| *persons > 0).collect();
        if capacity == self.capacity {
            return Ok(vec![]);
        }
        let places = |(group, capacity_persons)| Places { group, capacity_persons };
        Ok(vec![Event::CapacityDeclared { places: capacity.into_iter().map(places).collect() }])
    }

    fn admit(&self, admission: &Admission) -> Result<Vec<Event>, Error> {
        let &Admission { admission_id, case_id, case_number, sex, is_child, admitted_on, helping, plan_due_on, .. } =
            admission;
        if let Some(stay) = self.stays.get(&admission_id) {
            let same = stay.case_id == case_id && stay.admitted_on == admitted_on;
            return if same { Ok(vec![]) } else { Err(Error::AdmissionIdTaken) };
        }
        if self.current.contains_key(&case_id) {
            return Err(Error::StaysHereAlready);
        }
        if admission.stays_elsewhere {
            return Err(Error::StaysElsewhere);
        }
        let left_on = self.left_on.get(&case_id);
        if left_on.is_some_and(|left_on| admitted_on < *left_on) {
            return Err(Error::AdmittedBeforeLastExit);
        }
        let own = Group { sex, children: is_child };
        let (group, over_capacity) = match (self.free_place(own), admission.over_capacity) {
            (Some(group), _) => (group, None),
            (None, Some(reason)) => (own, Some(reason)),
            (None, None) => return Err(Error::NoFreePlace),
        };
        let bed = admission.bed.clone();
        if bed.as_ref().is_some_and(|bed| self.is_taken(bed)) {
            return Err(Error::BedTaken);
        }
        let readmission = left_on.is_some();
        Ok(vec![Event::Admitted {
            admission_id,
            case_id,
            case_number,
            group,
            admitted_on,
            readmission,
            helping,
            bed,
            over_capacity,
            plan_due_on,
        }])
    }

    /// The group whose place somebody takes: their own. Nobody is turned away because their sex is not known, or is
    /// neither of the two: without a free place declared for that, they take one where most are free, among children
    /// or among adults as their age demands.
    fn free_place(&self, own: Group) -> Option<Group> {
        if self.free_persons(own) > 0 {
            return Some(own);
        }
        if matches!(own.sex, Sex::Female | Sex::Male) {
            return None;
        }
        let others = self.capacity.keys().copied().filter(|group| group.children == own.children);
        others.max_by_key(|group| self.free_persons(*group)).filter(|group| self.free_persons(*group) > 0)
    }

    fn free_persons(&self, group: Group) -> usize {
        let places = self.capacity.get(&group).map_or(0, |persons| *persons as usize);
        places.saturating_sub(self.residents().filter(|stay| stay.group == group).count())
    }

    fn is_taken(&self, bed: &Bed) -> bool {
        self.residents().any(|stay| stay.bed.as_ref() == Some(bed))
    }

    fn assign_bed(&self, admission_id: AdmissionId, bed: Bed) -> Result<Vec<Event>, Error> {
        let stay = self.stays.get(&admission_id).ok_or(Error::NoSuchStay)?;
        if stay.bed.as_ref() == Some(&bed) {
            return Ok(vec![]);
        }
        if stay.exit.is_some() {
            return Err(Error::StayIsOver);
        }
        if self.is_taken(&bed) {
            return Err(Error::BedTaken);
        }
        Ok(vec![Event::BedAssigned { admission_id, bed }])
    }

    fn exit(
        &self,
        admission_id: AdmissionId,
        kind: ExitKind,
        exited_on: Date,
        accountable: Accountable,
        agreed: Option<OfficeId>,
        decided: bool,
    ) -> Result<Vec<Event>, Error> {
        let stay = self.stays.get(&admission_id).ok_or(Error::NoSuchStay)?;
        match stay.exit {
            Some(exit) if exit == (kind, exited_on) => return Ok(vec![]),
            Some(_) => return Err(Error::AlreadyExited),
            None => {}
        }
        if exited_on < stay.admitted_on {
            return Err(Error::ExitedBeforeAdmission);
        }
        if stay.absences.last_day().is_some_and(|day| exited_on < day) {
            return Err(Error::ExitedBeforeLastAbsence);
        }
        let (is_other, other) = match accountable {
            Accountable::ThisOffice => (false, None),
            Accountable::Other(office) => (true, office),
            Accountable::NotTold => (stay.helping, None),
        };
        let passed_to = match kind {
            ExitKind::Reintegrated if is_other && decided => other,
            ExitKind::Reintegrated if is_other => return Err(Error::ReturnNotDecided),
            ExitKind::Reintegrated => return Err(Error::FollowUpNotAccepted),
            ExitKind::Moved if is_other || agreed.is_some() => agreed.or(other),
            ExitKind::Moved => return Err(Error::NoOtherPlaceOfCare),
            ExitKind::OwnWill => None,
        };
        let case_id = stay.case_id;
        let mut events = vec![Event::Exited { admission_id, case_id: Some(case_id), kind, exited_on, passed_to }];
        if kind == ExitKind::OwnWill && stay.lost_since.is_none() {
            let since = stay.absences.open().map_or(exited_on, |absence| absence.since);
            events.push(Event::ContactLost { admission_id, case_id, since, lost_on: exited_on });
        }
        Ok(events)
    }
}
