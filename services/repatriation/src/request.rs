//! A request to bring people home across a border: each step has an owner and a day until which it is due, and a change
//! of staff hands the step over instead of losing it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use spean_eventsourcing::{Aggregate, Context, Fault, Refusal};
use spean_vocabulary::{ArrivalId, Date, OfficeId, PersonId, PlaceCode, StaffId};
use strum::IntoEnumIterator as _;

use crate::words::{
    DelegateReason, EndReason, EscortFunction, RepatriationDirection as Direction, RepatriationState as Standing,
    RepatriationStep as Step, SkipReason, StaffFunction, TravelMeans,
};

/// A request.
#[derive(Clone, Debug, Default)]
pub struct Request {
    opened: Option<Opened>,
    people: BTreeMap<PersonId, Part>,
    steps: BTreeMap<Step, Progress>,
    travel: Option<(Travel, Date)>,
    delegations: Vec<Delegation>,
    ended: Option<(Standing, Date)>,
}

/// How it was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the event")]
pub struct Opened {
    pub office: OfficeId,
    pub direction: Direction,
    pub country: String,
    pub people: BTreeSet<PersonId>,
    pub owner: Owner,
    pub requested_on: Date,
}

/// Who has a step: a place of work and a function, and the staff number when somebody is named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// The office.
    pub office: OfficeId,
    /// The function.
    pub function: StaffFunction,
    /// The staff number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub staff: Option<StaffId>,
}

/// How far a step has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Who has it.
    pub owner: Owner,
    /// Since when, and until when, it is or was due; none while its turn has not come.
    pub due: Option<Due>,
    /// When it was done or left out.
    pub closed: Option<Closed>,
}

/// The time of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Due {
    /// Which step.
    pub step: Step,
    /// Since when.
    pub since: Date,
    /// Until when.
    pub due_on: Date,
}

/// How a step was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed {
    /// The day.
    pub on: Date,
    /// Why it was left out; none when it was done.
    pub skipped: Option<SkipReason>,
}

/// Somebody's part in the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Under way.
    UnderWay,
    /// Received, on the way here by an arrival.
    Received {
        /// The arrival.
        arrival: Option<ArrivalId>,
        /// The day.
        on: Date,
    },
    /// Ended without a reception.
    Ended {
        /// Why.
        reason: EndReason,
        /// The day.
        on: Date,
    },
}

/// When and how people travel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Travel {
    /// The day.
    pub on: Date,
    /// How.
    pub means: TravelMeans,
    /// Where the border is crossed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub border_place: Option<PlaceCode>,
    /// Who goes along.
    pub escort: EscortFunction,
    /// The office that receives them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receiving_office: Option<OfficeId>,
}

/// A step that changed hands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the event")]
pub struct Delegation {
    pub step: Step,
    pub from: Owner,
    pub to: Owner,
    pub reason: DelegateReason,
    pub on: Date,
}

/// How many days each step may take, in their order.
#[derive(Clone, Copy, Debug)]
pub struct Deadlines(pub [i32; 7]);

/// What may be asked. `deadlines` are those of the policy of the day.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the fields are named like the ideas they hold")]
pub enum Command {
    /// Open it. `owner_is_here`: the owner's office is one of this node.
    Open {
        direction: Direction,
        country: String,
        people: BTreeSet<PersonId>,
        owner: Owner,
        owner_is_here: bool,
        requested_on: Date,
        deadlines: Deadlines,
    },
    /// Say that a step is done.
    Complete { step: Step, on: Date, deadlines: Deadlines },
    /// Leave a step out.
    Skip { step: Step, reason: SkipReason, on: Date, deadlines: Deadlines },
    /// Say when and how people travel.
    ArrangeTravel { travel: Travel, on: Date, deadlines: Deadlines },
    /// Say that somebody was received.
    Receive { person: PersonId, arrival: Option<ArrivalId>, on: Date },
    /// End it for some, or for all who are under way when none are named.
    End { people: BTreeSet<PersonId>, reason: EndReason, on: Date },
    /// Hand a step over. `to_is_here`: the office is one of this node.
    Delegate { step: Step, to: Owner, to_is_here: bool, reason: DelegateReason, on: Date },
}

/// What happened. Stored for ever: add variants and optional fields, never rename or remove.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the fields are those of the commands")]
pub enum Event {
    /// It was opened, and its first step is due.
    Opened {
        office: OfficeId,
        direction: Direction,
        country: String,
        people: BTreeSet<PersonId>,
        owner: Owner,
        requested_on: Date,
        first: Due,
    },
    /// A step was done; the next is due.
    StepCompleted {
        step: Step,
        on: Date,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next: Option<Due>,
    },
    /// A step was left out; the next is due.
    StepSkipped {
        step: Step,
        reason: SkipReason,
        on: Date,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next: Option<Due>,
    },
    /// It is known when and how people travel; their reception is due.
    TravelArranged { travel: Travel, on: Date, next: Due },
    /// Somebody was received.
    Received {
        person: PersonId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        arrival: Option<ArrivalId>,
        on: Date,
    },
    /// It ended for some without a reception.
    TakenOff { people: BTreeSet<PersonId>, reason: EndReason, on: Date },
    /// Nobody is under way any more.
    Ended { standing: Standing, on: Date },
    /// A step changed hands.
    Delegated { step: Step, from: Owner, to: Owner, reason: DelegateReason, on: Date },
}

/// Why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum Error {
    /// The office has no part in such a request.
    #[error("there is no such repatriation request")]
    NoSuchRequest,
    /// The id is taken.
    #[error("a repatriation request with this id was opened with other particulars")]
    RequestIdTaken,
    /// Nobody is on it.
    #[error("a repatriation request needs at least one person")]
    NobodyRequested,
    /// The owner works elsewhere.
    #[error("a step can only be in the hands of an office of this node")]
    OwnerElsewhere,
    /// Somebody else has the step.
    #[error(
        "the step is in the hands of another office; only that one and the one that opened the request may do this"
    )]
    NotTheOwner,
    /// An earlier step waits.
    #[error("an earlier step is neither done nor left out")]
    EarlierStepOpen,
    /// The step was closed otherwise.
    #[error("the step was closed before, on another day or in another way")]
    StepClosed,
    /// A reception is recorded for each person.
    #[error("a reception cannot be left out: it is recorded, or the request ends for the person")]
    ReceptionNotSkippable,
    /// Wrong method.
    #[error("this step is recorded in its own way: approvals, travel and reception each have a method")]
    StepHasItsOwnWay,
    /// The day is too early.
    #[error("the day lies before the request")]
    BeforeRequest,
    /// The request has ended.
    #[error("the repatriation request has ended")]
    RequestEnded,
    /// Somebody is not on it.
    #[error("the request is not about this person")]
    PersonNotRequested,
    /// Somebody's part ended otherwise.
    #[error("the request has ended for this person, on another day or in another way")]
    PersonEnded,
    /// Somebody who comes here arrives.
    #[error("who comes here is received by an arrival: name one that is registered at this node")]
    ArrivalNeeded,
}

impl Refusal for Error {
    fn reason(&self) -> &'static str {
        self.into()
    }

    fn fault(&self) -> Fault {
        match self {
            Self::NoSuchRequest => Fault::NotThere,
            Self::NotTheOwner => Fault::NotTheirs,
            Self::NobodyRequested => Fault::Field("person_ids"),
            Self::StepHasItsOwnWay | Self::ReceptionNotSkippable => Fault::Field("step"),
            Self::ArrivalNeeded => Fault::Field("arrival_id"),
            Self::RequestIdTaken
            | Self::OwnerElsewhere
            | Self::EarlierStepOpen
            | Self::StepClosed
            | Self::BeforeRequest
            | Self::RequestEnded
            | Self::PersonNotRequested
            | Self::PersonEnded => Fault::ForbiddenNow,
        }
    }
}

impl Aggregate for Request {
    const CATEGORY: &'static str = "repatriation_request";
    type Command = Command;
    type Event = Event;
    type Error = Error;
    type Context = Context;

    fn decide(&self, command: Command, context: &Context) -> Result<Vec<Event>, Error> {
        let office = &context.office;
        match command {
            Command::Open { direction, country, people, owner, owner_is_here, requested_on, deadlines } => {
                let asked = Opened { office: office.clone(), direction, country, people, owner, requested_on };
                self.open(asked, owner_is_here, deadlines)
            }
            Command::Complete { step, on, deadlines } => self.complete(office, step, on, deadlines),
            Command::Skip { step, reason, on, deadlines } => self.skip(office, step, reason, on, deadlines),
            Command::ArrangeTravel { travel, on, deadlines } => self.arrange(office, travel, on, deadlines),
            Command::Receive { person, arrival, on } => self.receive(office, person, arrival, on),
            Command::End { people, reason, on } => self.end(office, people, reason, on),
            Command::Delegate { step, to, to_is_here, reason, on } => {
                self.delegate(office, to_is_here, step, to, reason, on)
            }
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        match event.clone() {
            Event::Opened { office, direction, country, people, owner, requested_on, first } => {
                let unopened = Progress { owner: owner.clone(), due: None, closed: None };
                self.steps = Step::iter().map(|step| (step, unopened.clone())).collect();
                self.people = people.iter().map(|person| (*person, Part::UnderWay)).collect();
                self.opened = Some(Opened { office, direction, country, people, owner, requested_on });
                self.begin(Some(first));
            }
            Event::StepCompleted { step, on, next } => self.close(step, Closed { on, skipped: None }, next),
            Event::StepSkipped { step, reason, on, next } => {
                self.close(step, Closed { on, skipped: Some(reason) }, next);
            }
            Event::TravelArranged { travel, on, next } => {
                self.close(Step::Travel, Closed { on, skipped: None }, Some(next));
                self.travel = Some((travel, on));
            }
            Event::Received { person, arrival, on } => {
                self.people.insert(person, Part::Received { arrival, on });
            }
            Event::TakenOff { people, reason, on } => {
                self.people.extend(people.into_iter().map(|person| (person, Part::Ended { reason, on })));
            }
            Event::Ended { standing, on } => {
                if standing == Standing::Received {
                    self.close(Step::Reception, Closed { on, skipped: None }, None);
                }
                self.ended = Some((standing, on));
            }
            Event::Delegated { step, from, to, reason, on } => {
                if let Some(progress) = self.steps.get_mut(&step) {
                    progress.owner = to.clone();
                }
                self.delegations.push(Delegation { step, from, to, reason, on });
            }
        }
        self
    }
}

mod rules;
mod view;

#[cfg(test)]
mod tests;
