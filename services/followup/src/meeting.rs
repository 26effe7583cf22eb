//! The coordination meeting of a province: agenda, attendance, a decision for each case, minutes.
//!
//! Nothing is decided without a quorum, and nothing goes out before the minutes are signed: then every case of the agenda
//! has its decision, and each decision becomes a mandate for the office that keeps the case ([`crate::mandate`]).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use spean_eventsourcing::{Aggregate, Context, Fault, Refusal};
use spean_vocabulary::{CaseId, CaseNumber, Date, DecisionId, OfficeId};

use crate::codes::{Attendee, EndReason, ExtendReason, ReopenReason, Topic};
use crate::mandate::Answer;

#[cfg(test)]
mod tests;

/// Longest time by which a meeting prolongs a follow-up, in months: a year, as long as the first one.
pub const MOST_MONTHS: u8 = 12;

/// One meeting.
#[derive(Clone, Debug, Default)]
pub struct Meeting {
    convened: Option<Convened>,
    agenda: BTreeMap<CaseId, Item>,
    held: Option<Held>,
    decided: BTreeMap<CaseId, (DecisionId, Decision)>,
    signed: bool,
    answered: BTreeMap<DecisionId, Answer>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Convened {
    office: OfficeId,
    planned_on: Date,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Held {
    on: Date,
    offices: BTreeSet<OfficeId>,
    present: BTreeMap<Attendee, u32>,
    quorum: bool,
}

/// A case on the agenda.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// The case.
    pub case: CaseId,
    /// Its number, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case_number: Option<CaseNumber>,
    /// The office that keeps it.
    pub office: OfficeId,
    /// Why it is on the agenda, and since when.
    pub topics: BTreeMap<Topic, Date>,
}

/// What is decided of a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Decision {
    /// To close it.
    Close {
        /// Why.
        reason: EndReason,
    },
    /// To go on beyond the year.
    Extend {
        /// Why.
        reason: ExtendReason,
        /// For so many months.
        months: u8,
    },
    /// To open it again.
    Reopen {
        /// Why.
        reason: ReopenReason,
    },
    /// To hand it to another office.
    Transfer {
        /// The office.
        to: OfficeId,
    },
    /// To go on looking for the person.
    FurtherTracing,
    /// To go on as it is.
    Continue,
}

/// What may be asked.
#[derive(Clone, Debug)]
pub enum Command {
    /// Call it.
    Convene {
        /// The day on which it is to be held.
        planned_on: Date,
        /// The agenda of this moment.
        agenda: Vec<Item>,
        /// Whether the caller's office is that of a province.
        is_province: bool,
    },
    /// Bring the agenda up to now.
    Refresh {
        /// The agenda of this moment.
        agenda: Vec<Item>,
    },
    /// Note that it was held.
    Hold {
        /// When.
        held_on: Date,
        /// The offices that were there.
        offices: BTreeSet<OfficeId>,
        /// How many of each kind, offices and others.
        present: BTreeMap<Attendee, u32>,
        /// How many of each kind must be there.
        quorum: BTreeMap<Attendee, u32>,
    },
    /// Note what was decided of a case.
    Decide {
        /// The decision.
        decision_id: DecisionId,
        /// The case.
        case: CaseId,
        /// What.
        decision: Decision,
    },
    /// Sign the minutes.
    Sign,
    /// Take note of what became of a decision.
    HearAnswer {
        /// The decision.
        decision_id: DecisionId,
        /// The office that answers.
        from: OfficeId,
        /// What became of it.
        answer: Answer,
    },
}

/// What happened. Stored for ever: add variants and optional fields, never rename or remove.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// It was called.
    Convened {
        /// The provincial office.
        office: OfficeId,
        /// The day on which it is to be held.
        planned_on: Date,
        /// The agenda.
        agenda: Vec<Item>,
    },
    /// The agenda was brought up to that moment.
    AgendaRefreshed {
        /// The agenda, whole.
        agenda: Vec<Item>,
    },
    /// It was held.
    Held {
        /// When.
        held_on: Date,
        /// The offices that were there.
        offices: BTreeSet<OfficeId>,
        /// How many of each kind.
        present: BTreeMap<Attendee, u32>,
        /// Whether they may decide, by the policy of that day.
        quorum: bool,
    },
    /// A case was decided on.
    CaseDecided {
        /// The decision.
        decision_id: DecisionId,
        /// The case.
        case: CaseId,
        /// What.
        decision: Decision,
    },
    /// The minutes were signed, and the decisions went out.
    MinutesSigned {
        /// The provincial office.
        office: OfficeId,
        /// The day of the meeting.
        held_on: Date,
        /// What goes to whom.
        decisions: Vec<Decided>,
    },
    /// The office that keeps a case has answered.
    DecisionAnswered {
        /// The decision.
        decision_id: DecisionId,
        /// What became of it.
        answer: Answer,
    },
}

/// A decision that goes out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided {
    /// The decision.
    pub decision_id: DecisionId,
    /// The case.
    pub case: CaseId,
    /// The office that keeps it.
    pub office: OfficeId,
    /// What.
    pub decision: Decision,
    /// What the meeting knew.
    pub known: BTreeSet<Topic>,
}

/// Why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum Error {
    /// Only provinces meet.
    #[error("only a provincial office calls the coordination meeting")]
    NotAProvince,
    /// The id is taken.
    #[error("a meeting with this id was called for another day or by another office")]
    MeetingIdTaken,
    /// There is none.
    #[error("there is no such meeting")]
    NoSuchMeeting,
    /// It is over.
    #[error("the meeting was held; its agenda no longer changes")]
    AlreadyHeld,
    /// Something else is on record.
    #[error("other particulars of the meeting are on record, and cases were decided on them")]
    HeldOtherwise,
    /// It was not held.
    #[error("the meeting was not held yet: record who was there")]
    NotHeld,
    /// Too few were there.
    #[error("those who were there may not decide: the policy demands offices of other kinds as well")]
    QuorumMissing,
    /// It is about another case.
    #[error("the case is not on the agenda of this meeting")]
    NotOnAgenda,
    /// The id is taken.
    #[error("another decision already has this id")]
    DecisionIdTaken,
    /// Nobody is left alone in danger.
    #[error("a case with an open danger or contradiction cannot be closed: prolong it, or see to that first")]
    NotSafeToClose,
    /// Not for ever.
    #[error("a meeting prolongs a follow-up by 1 to 12 months, and then meets on it again")]
    MonthsOutOfRange,
    /// Cases are left.
    #[error("there are cases without a decision; to go on as it is, is a decision too")]
    CasesUndecided,
    /// Only who was asked answers.
    #[error("the minutes hold no such decision for this office")]
    NoSuchDecision,
    /// What was signed stands.
    #[error("the minutes are signed; a later meeting can decide otherwise")]
    AlreadySigned,
}

impl Refusal for Error {
    fn reason(&self) -> &'static str {
        self.into()
    }

    fn fault(&self) -> Fault {
        match self {
            Self::NotAProvince => Fault::NotTheirs,
            Self::NoSuchMeeting => Fault::NotThere,
            Self::NotOnAgenda => Fault::Field("case_id"),
            Self::MonthsOutOfRange => Fault::Field("months"),
            _ => Fault::ForbiddenNow,
        }
    }
}

impl Aggregate for Meeting {
    const CATEGORY: &'static str = "meeting";
    type Command = Command;
    type Event = Event;
    type Error = Error;
    type Context = Context;

    fn decide(&self, command: Command, context: &Context) -> Result<Vec<Event>, Error> {
        match command {
            Command::Convene { planned_on, agenda, is_province } => {
                self.convene(&context.office, planned_on, agenda, is_province)
            }
            Command::Refresh { agenda } => self.refresh(&context.office, agenda),
            Command::Hold { held_on, offices, present, quorum } => {
                self.hold(&context.office, held_on, offices, present, &quorum)
            }
            Command::Decide { decision_id, case, decision } => {
                self.decide_case(&context.office, decision_id, case, decision)
            }
            Command::Sign => self.sign(&context.office),
            Command::HearAnswer { decision_id, from, answer } => self.hear_answer(decision_id, &from, answer),
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        match event.clone() {
            Event::Convened { office, planned_on, agenda } => {
                self.convened = Some(Convened { office, planned_on });
                self.agenda = by_case(agenda);
            }
            Event::AgendaRefreshed { agenda } => self.agenda = by_case(agenda),
            Event::Held { held_on, offices, present, quorum } => {
                self.held = Some(Held { on: held_on, offices, present, quorum });
            }
            Event::CaseDecided { decision_id, case, decision } => {
                self.decided.insert(case, (decision_id, decision));
            }
            Event::MinutesSigned { .. } => self.signed = true,
            Event::DecisionAnswered { decision_id, answer } => {
                self.answered.insert(decision_id, answer);
            }
        }
        self
    }
}

fn by_case(agenda: Vec<Item>) -> BTreeMap<CaseId, Item> {
    agenda.into_iter().map(|item| (item.case, item)).collect()
}

impl Meeting {
    /// Cases on the agenda.
    pub fn cases(&self) -> usize {
        self.agenda.len()
    }

    /// Whether those who were there may decide.
    pub fn has_quorum(&self) -> bool {
        self.held.as_ref().is_some_and(|held| held.quorum)
    }

    fn convene(
        &self,
        office: &OfficeId,
        planned_on: Date,
        agenda: Vec<Item>,
        is_province: bool,
    ) -> Result<Vec<Event>, Error> {
        match &self.convened {
            Some(known) if known.office == *office && known.planned_on == planned_on => Ok(vec![]),
            Some(_) => Err(Error::MeetingIdTaken),
            None if !is_province => Err(Error::NotAProvince),
            None => Ok(vec![Event::Convened { office: office.clone(), planned_on, agenda }]),
        }
    }

    fn refresh(&self, office: &OfficeId, agenda: Vec<Item>) -> Result<Vec<Event>, Error> {
        self.of(office)?;
        if self.held.is_some() {
            return Err(Error::AlreadyHeld);
        }
        if by_case(agenda.clone()) == self.agenda {
            return Ok(vec![]);
        }
        Ok(vec![Event::AgendaRefreshed { agenda }])
    }

    fn hold(
        &self,
        office: &OfficeId,
        held_on: Date,
        offices: BTreeSet<OfficeId>,
        present: BTreeMap<Attendee, u32>,
        quorum: &BTreeMap<Attendee, u32>,
    ) -> Result<Vec<Event>, Error> {
        self.of(office)?;
        let quorum = missing(&present, quorum).is_empty();
        let held = Held { on: held_on, offices, present, quorum };
        if self.held.as_ref() == Some(&held) {
            return Ok(vec![]);
        }
        // A list of those present can be corrected for as long as nothing rests on it.
        if self.signed || !self.decided.is_empty() {
            return Err(Error::HeldOtherwise);
        }
        let Held { on, offices, present, quorum } = held;
        Ok(vec![Event::Held { held_on: on, offices, present, quorum }])
    }

    fn decide_case(
        &self,
        office: &OfficeId,
        decision_id: DecisionId,
        case: CaseId,
        decision: Decision,
    ) -> Result<Vec<Event>, Error> {
        self.of(office)?;
        if self.decided.get(&case) == Some(&(decision_id, decision.clone())) {
            return Ok(vec![]);
        }
        if self.signed {
            return Err(Error::AlreadySigned);
        }
        let held = self.held.as_ref().ok_or(Error::NotHeld)?;
        if !held.quorum {
            return Err(Error::QuorumMissing);
        }
        let item = self.agenda.get(&case).ok_or(Error::NotOnAgenda)?;
        if self.decided.iter().any(|(other, (known, _))| *known == decision_id && *other != case) {
            return Err(Error::DecisionIdTaken);
        }
        match &decision {
            Decision::Close { .. }
                if [Topic::Danger, Topic::Contradictory].iter().any(|topic| item.topics.contains_key(topic)) =>
            {
                return Err(Error::NotSafeToClose);
            }
            Decision::Extend { months, .. } if !(1..=MOST_MONTHS).contains(months) => {
                return Err(Error::MonthsOutOfRange);
            }
            _ => {}
        }
        Ok(vec![Event::CaseDecided { decision_id, case, decision }])
    }

    fn sign(&self, office: &OfficeId) -> Result<Vec<Event>, Error> {
        self.of(office)?;
        if self.signed {
            return Ok(vec![]);
        }
        let held = self.held.as_ref().ok_or(Error::NotHeld)?;
        if !held.quorum {
            return Err(Error::QuorumMissing);
        }
        let decided = self.agenda.values().map(|item| {
            let (decision_id, decision) = self.decided.get(&item.case).ok_or(Error::CasesUndecided)?.clone();
            let known = item.topics.keys().copied().collect();
            Ok(Decided { decision_id, case: item.case, office: item.office.clone(), decision, known })
        });
        let decisions = decided.collect::<Result<_, _>>()?;
        Ok(vec![Event::MinutesSigned { office: office.clone(), held_on: held.on, decisions }])
    }

    fn hear_answer(&self, decision_id: DecisionId, from: &OfficeId, answer: Answer) -> Result<Vec<Event>, Error> {
        let asked = self.decided.iter().any(|(case, (known, _))| {
            *known == decision_id && self.agenda.get(case).is_some_and(|item| item.office == *from)
        });
        if !self.signed || !asked {
            return Err(Error::NoSuchDecision);
        }
        match self.answered.get(&decision_id) {
            Some(known) if *known == answer => Ok(vec![]),
            // What was carried out stays so, whatever comes late.
            Some(Answer::CarriedOut) => Ok(vec![]),
            _ => Ok(vec![Event::DecisionAnswered { decision_id, answer }]),
        }
    }

    /// Only the office that called the meeting speaks for it.
    fn of(&self, office: &OfficeId) -> Result<&Convened, Error> {
        self.convened.as_ref().filter(|convened| convened.office == *office).ok_or(Error::NoSuchMeeting)
    }
}

/// Who is missing for a quorum, by kind.
pub fn missing(present: &BTreeMap<Attendee, u32>, quorum: &BTreeMap<Attendee, u32>) -> BTreeMap<Attendee, u32> {
    let lacking = quorum.iter().map(|(kind, needed)| {
        let there = present.get(kind).copied().unwrap_or(0);
        (*kind, needed.saturating_sub(there))
    });
    lacking.filter(|(_, lacking)| *lacking > 0).collect()
}
