//! The house of one office: its places, and who stays in them.
//!
//! Places and stays are one aggregate, so that "never more residents than places" is decided in one piece, whoever asks
//! at the same moment. Its stream grows by two events for each stay.
//!
//! Custody is not decided here. A stay neither takes nor gives a case; it only asks, at the end, who is accountable:
//! - **went home**: refused until another office has taken the case, because that office follows up. When this office
//!   only helped and another one held the case all along, that holder is accountable and follows up.
//! - **moved** to another place of care: refused while this office is accountable and no other office has agreed to take
//!   the case, or to shelter or treat the person.
//! - **own will**: always possible. Nobody is kept. The case stays where it is and the need stays open.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use spean_eventsourcing::{Aggregate, Context, Fault, Refusal};
use spean_vocabulary::{AdmissionId, CaseId, CaseNumber, Date, OfficeId, Sex};

#[cfg(test)]
mod tests;

/// One house.
#[derive(Clone, Debug, Default)]
pub struct House {
    capacity: BTreeMap<Group, u32>,
    stays: BTreeMap<AdmissionId, Stay>,
    current: BTreeMap<CaseId, AdmissionId>,
    left_on: BTreeMap<CaseId, Date>,
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
    /// How and when it ended.
    pub exit: Option<(ExitKind, Date)>,
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
}

/// What may be asked.
#[derive(Clone, Debug)]
pub enum Command {
    /// Say how many places there are; a group left out has none. Fewer than are taken is allowed: a burnt room is a
    /// fact, and nobody is put out for it.
    DeclareCapacity {
        /// All groups.
        places: Vec<Places>,
    },
    /// Take somebody in.
    Admit(Admission),
    /// Note that somebody left.
    Exit {
        /// The stay.
        admission_id: AdmissionId,
        /// How.
        kind: ExitKind,
        /// The last day.
        exited_on: Date,
        /// Who is accountable.
        accountable: Accountable,
        /// Another office that has agreed to shelter or treat the person.
        agreed: Option<OfficeId>,
    },
}

/// What happened. Stored for ever: add variants and optional fields, never rename or remove.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the fields are those of the commands and of the stay")]
pub enum Event {
    /// There are so many places.
    CapacityDeclared { places: Vec<Places> },
    /// Somebody came to stay.
    Admitted {
        admission_id: AdmissionId,
        case_id: CaseId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        case_number: Option<CaseNumber>,
        group: Group,
        admitted_on: Date,
        readmission: bool,
        helping: bool,
    },
    /// Somebody left; the office that answers for the person from then on, when it is another one and known.
    Exited {
        admission_id: AdmissionId,
        kind: ExitKind,
        exited_on: Date,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        passed_to: Option<OfficeId>,
    },
}

/// Why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum Error {
    /// Two numbers for one group.
    #[error("each group is declared once")]
    GroupDeclaredTwice,
    /// The id is taken.
    #[error("a stay with this id is of another case or began on another day")]
    AdmissionIdTaken,
    /// One stay at a time.
    #[error("the person stays here already, under another admission")]
    StaysHereAlready,
    /// One stay at a time.
    #[error("the person stays in another house of this agency; that stay must end first")]
    StaysElsewhere,
    /// The house is full.
    #[error("there is no free place for this group")]
    NoFreePlace,
    /// Two stays on the same days.
    #[error("the person cannot have come back before the day on which the last stay ended")]
    AdmittedBeforeLastExit,
    /// There is no such stay.
    #[error("there is no such stay in this house")]
    NoSuchStay,
    /// The stay is over.
    #[error("this stay ended in another way or on another day")]
    AlreadyExited,
    /// Out before in.
    #[error("the person cannot have left before the day of admission")]
    ExitedBeforeAdmission,
    /// Nobody will visit.
    #[error("the person cannot be recorded as gone home: no other office has taken the case to follow up yet")]
    FollowUpNotAccepted,
    /// Nobody waits for them.
    #[error("the person cannot be recorded as moved: no other office has agreed to take, shelter or treat them yet")]
    NoOtherPlaceOfCare,
}

impl Refusal for Error {
    fn reason(&self) -> &'static str {
        self.into()
    }

    fn fault(&self) -> Fault {
        match self {
            Self::GroupDeclaredTwice => Fault::Field("places"),
            Self::AdmittedBeforeLastExit => Fault::Field("admitted_on"),
            Self::ExitedBeforeAdmission => Fault::Field("exited_on"),
            Self::NoSuchStay => Fault::NotThere,
            _ => Fault::ForbiddenNow,
        }
    }
}

impl Aggregate for House {
    const CATEGORY: &'static str = "house";
    type Command = Command;
    type Event = Event;
    type Error = Error;
    type Context = Context;

    fn decide(&self, command: Command, _: &Context) -> Result<Vec<Event>, Error> {
        match command {
            Command::DeclareCapacity { places } => self.declare(&places),
            Command::Admit(admission) => self.admit(&admission),
            Command::Exit { admission_id, kind, exited_on, accountable, agreed } => {
                self.exit(admission_id, kind, exited_on, accountable, agreed)
            }
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        match event.clone() {
            Event::CapacityDeclared { places } => {
                self.capacity = places.into_iter().map(|places| (places.group, places.capacity_persons)).collect();
            }
            Event::Admitted { admission_id, case_id, group, admitted_on, readmission, helping, .. } => {
                self.current.insert(case_id, admission_id);
                let stay = Stay { case_id, group, admitted_on, readmission, helping, exit: None };
                self.stays.insert(admission_id, stay);
            }
            Event::Exited { admission_id, kind, exited_on, .. } => {
                if let Some(stay) = self.stays.get_mut(&admission_id) {
                    stay.exit = Some((kind, exited_on));
                    self.current.remove(&stay.case_id);
                    self.left_on.insert(stay.case_id, exited_on);
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
        let &Admission { admission_id, case_id, case_number, sex, is_child, admitted_on, helping, stays_elsewhere } =
            admission;
        if let Some(stay) = self.stays.get(&admission_id) {
            let same = stay.case_id == case_id && stay.admitted_on == admitted_on;
            return if same { Ok(vec![]) } else { Err(Error::AdmissionIdTaken) };
        }
        if self.current.contains_key(&case_id) {
            return Err(Error::StaysHereAlready);
        }
        if stays_elsewhere {
            return Err(Error::StaysElsewhere);
        }
        let left_on = self.left_on.get(&case_id);
        if left_on.is_some_and(|left_on| admitted_on < *left_on) {
            return Err(Error::AdmittedBeforeLastExit);
        }
        let group = self.free_place(Group { sex, children: is_child }).ok_or(Error::NoFreePlace)?;
        let readmission = left_on.is_some();
        Ok(vec![Event::Admitted { admission_id, case_id, case_number, group, admitted_on, readmission, helping }])
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
        let residents = self.current.values().filter_map(|admission_id| self.stays.get(admission_id));
        places.saturating_sub(residents.filter(|stay| stay.group == group).count())
    }

    fn exit(
        &self,
        admission_id: AdmissionId,
        kind: ExitKind,
        exited_on: Date,
        accountable: Accountable,
        agreed: Option<OfficeId>,
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
        let (is_other, other) = match accountable {
            Accountable::ThisOffice => (false, None),
            Accountable::Other(office) => (true, office),
            Accountable::NotTold => (stay.helping, None),
        };
        let passed_to = match kind {
            ExitKind::Reintegrated if is_other => other,
            ExitKind::Reintegrated => return Err(Error::FollowUpNotAccepted),
            ExitKind::Moved if is_other || agreed.is_some() => agreed.or(other),
            ExitKind::Moved => return Err(Error::NoOtherPlaceOfCare),
            ExitKind::OwnWill => None,
        };
        Ok(vec![Event::Exited { admission_id, kind, exited_on, passed_to }])
    }
}
