//! A danger that somebody reported: the office above hears the same hour, a safety plan is due, and only an assessment
//! that is on record ends it.
//!
//! Offices that were told keep the danger in their own log, so that each of them sees its age and what was done.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use spean_eventsourcing::{Aggregate, Context, Fault, Refusal};
use spean_vocabulary::{CaseId, Date, OfficeId, Timestamp, Urgency};

use crate::codes::DangerSign;

/// One danger.
#[derive(Clone, Debug, Default)]
pub struct Danger {
    report: Option<Report>,
    /// Offices of this node that heard of it from another one.
    heard_by: BTreeSet<OfficeId>,
    /// Those among them that were told to see to it.
    seen_to_by: BTreeSet<OfficeId>,
    told: BTreeSet<OfficeId>,
    plan: Option<(Date, Option<Date>)>,
    assessments: Vec<(Date, bool)>,
    ended_on: Option<Date>,
}

/// What was reported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The case.
    pub case: CaseId,
    /// The office that reported it.
    pub office: OfficeId,
    /// What it is.
    pub signs: BTreeSet<DangerSign>,
    /// How urgent.
    pub urgency: Urgency,
    /// The day in the field.
    pub found_on: Date,
    /// When it was reported: its age counts from then.
    pub raised_at: Timestamp,
    /// Until when there must be a safety plan.
    pub plan_due_at: Timestamp,
}

/// What may be asked.
#[derive(Clone, Debug)]
pub enum Command {
    /// Report it.
    Raise {
        /// What is reported.
        report: Report,
        /// The office above.
        tell: Option<OfficeId>,
    },
    /// Note what another office reported.
    Hear {
        /// What was reported.
        report: Report,
        /// The office that is told.
        by: OfficeId,
        /// The office above it, when this office is to see to the danger from now on.
        tell: Option<OfficeId>,
        /// Whether it is to see to it, or watches.
        takes_over: bool,
    },
    /// Hand it on with the case.
    HandOn {
        /// The office that has the case now.
        to: OfficeId,
    },
    /// Note the safety plan.
    Plan {
        /// The day of the plan.
        made_on: Date,
        /// When it is looked at again.
        review_on: Option<Date>,
    },
    /// Note an assessment.
    Assess {
        /// The day.
        assessed_on: Date,
        /// Whether the danger is over.
        is_over: bool,
    },
    /// Note what another office did about it.
    HearAnswer {
        /// The other office.
        from: OfficeId,
        /// The day of its safety plan.
        plan_made_on: Option<Date>,
        /// The day on which it found the danger over.
        ended_on: Option<Date>,
    },
}

/// What happened. Stored for ever: add variants and optional fields, never rename or remove.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// It was reported.
    Raised {
        /// What.
        report: Report,
        /// The office above that is told.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tell: Option<OfficeId>,
    },
    /// An office of this node heard of it.
    Heard {
        /// What was reported.
        report: Report,
        /// The office.
        by: OfficeId,
        /// The office above that is told.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tell: Option<OfficeId>,
        /// Whether this office is to see to it.
        takes_over: bool,
    },
    /// It went along with the case.
    HandedOn {
        /// What was reported.
        report: Report,
        /// To whom.
        to: OfficeId,
    },
    /// There is a safety plan.
    PlanRecorded {
        /// The case.
        case: CaseId,
        /// The day of the plan.
        made_on: Date,
        /// When it is looked at again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        review_on: Option<Date>,
        /// Those who are told.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        tell: BTreeSet<OfficeId>,
    },
    /// It was assessed.
    Assessed {
        /// The case.
        case: CaseId,
        /// The day.
        assessed_on: Date,
        /// Whether it is over.
        is_over: bool,
        /// Those who are told.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        tell: BTreeSet<OfficeId>,
    },
    /// Another office did something about it.
    AnswerHeard {
        /// The case; none when nothing was known of the danger here.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        case: Option<CaseId>,
        /// The day of its safety plan.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        plan_made_on: Option<Date>,
        /// The day on which it found the danger over.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ended_on: Option<Date>,
        /// Those who are told in turn: the sender may not know of them.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        tell: BTreeSet<OfficeId>,
    },
}

/// Why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum Error {
    /// Nothing is known of it.
    #[error("there is no such danger")]
    NoSuchDanger,
    /// The id is taken.
    #[error("a danger with this id says something else")]
    DangerIdTaken,
    /// What is it?
    #[error("say at least one thing that makes it a danger")]
    NoSigns,
    /// A danger does not wait for a week.
    #[error("a danger is urgent or an emergency; what can wait is a need")]
    NotUrgent,
    /// It is over.
    #[error("an assessment found this danger over; report a new one")]
    DangerOver,
    /// Nothing is done before it was found.
    #[error("a plan or an assessment cannot be older than the danger")]
    BeforeTheDanger,
    /// A review comes later.
    #[error("a plan is looked at again after the day on which it was made")]
    ReviewNotAfterPlan,
}

impl Refusal for Error {
    fn reason(&self) -> &'static str {
        self.into()
    }

    fn fault(&self) -> Fault {
        match self {
            Self::NoSuchDanger => Fault::NotThere,
            Self::NoSigns => Fault::Field("signs"),
            Self::NotUrgent => Fault::Field("urgency"),
            Self::ReviewNotAfterPlan => Fault::Field("review_on"),
            _ => Fault::ForbiddenNow,
        }
    }
}

impl Aggregate for Danger {
    const CATEGORY: &'static str = "danger";
    type Command = Command;
    type Event = Event;
    type Error = Error;
    type Context = Context;

    fn decide(&self, command: Command, context: &Context) -> Result<Vec<Event>, Error> {
        match command {
            Command::Raise { report, tell } => self.raise(report, tell),
            Command::Hear { report, by, tell, takes_over } => {
                // To see to a danger is news even for an office that watched it before.
                let again = if takes_over { self.seen_to_by.contains(&by) } else { self.heard_by.contains(&by) };
                Ok(if again { vec![] } else { vec![Event::Heard { report, by, tell, takes_over }] })
            }
            Command::HandOn { to } => {
                let report = self.report.clone().ok_or(Error::NoSuchDanger)?;
                let done = self.ended_on.is_some() || self.told.contains(&to);
                Ok(if done { vec![] } else { vec![Event::HandedOn { report, to }] })
            }
            Command::Plan { made_on, review_on } => self.make_plan(made_on, review_on, context),
            Command::Assess { assessed_on, is_over } => self.assess(assessed_on, is_over, context),
            Command::HearAnswer { from, plan_made_on, ended_on } => {
                let known = (self.plan.map(|(made_on, _)| made_on), self.ended_on);
                let news = (plan_made_on.or(known.0), ended_on.or(known.1));
                if known == news {
                    return Ok(vec![]);
                }
                let case = self.report.as_ref().map(|report| report.case);
                let tell = self.others(&from);
                Ok(vec![Event::AnswerHeard { case, plan_made_on, ended_on, tell }])
            }
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        match event.clone() {
            Event::Raised { report, tell } => {
                self.report = Some(report);
                self.told.extend(tell);
            }
            Event::Heard { report, by, tell, takes_over } => {
                if takes_over {
                    self.seen_to_by.insert(by.clone());
                }
                // Who is told may tell in turn, and hears what comes of it.
                if by != report.office {
                    self.told.insert(report.office.clone());
                }
                self.report.get_or_insert(report);
                self.told.extend(tell);
                self.heard_by.insert(by);
            }
            Event::HandedOn { to, .. } => {
                self.told.insert(to);
            }
            Event::PlanRecorded { made_on, review_on, .. } => self.plan = Some((made_on, review_on)),
            Event::Assessed { assessed_on, is_over, .. } => {
                self.assessments.push((assessed_on, is_over));
                self.ended_on = is_over.then_some(assessed_on);
            }
            Event::AnswerHeard { plan_made_on, ended_on, .. } => {
                if let Some(made_on) = plan_made_on {
                    self.plan = Some((made_on, None));
                }
                self.ended_on = ended_on.or(self.ended_on);
            }
        }
        self
    }
}

impl Danger {
    /// What was reported.
    pub fn report(&self) -> Option<&Report> {
        self.report.as_ref()
    }

    fn raise(&self, report: Report, tell: Option<OfficeId>) -> Result<Vec<Event>, Error> {
        if report.urgency == Urgency::Routine {
            return Err(Error::NotUrgent);
        }
        if let Some(known) = &self.report {
            let (raised_at, plan_due_at) = (known.raised_at, known.plan_due_at);
            let same = *known == Report { raised_at, plan_due_at, ..report };
            return if same { Ok(vec![]) } else { Err(Error::DangerIdTaken) };
        }
        if report.signs.is_empty() {
            return Err(Error::NoSigns);
        }
        Ok(vec![Event::Raised { report, tell }])
    }

    fn make_plan(&self, made_on: Date, review_on: Option<Date>, context: &Context) -> Result<Vec<Event>, Error> {
        let report = self.report.as_ref().ok_or(Error::NoSuchDanger)?;
        if self.plan == Some((made_on, review_on)) {
            return Ok(vec![]);
        }
        if self.ended_on.is_some() {
            return Err(Error::DangerOver);
        }
        if made_on < report.found_on {
            return Err(Error::BeforeTheDanger);
        }
        if review_on.is_some_and(|review| review <= made_on) {
            return Err(Error::ReviewNotAfterPlan);
        }
        let tell = self.others(&context.office);
        Ok(vec![Event::PlanRecorded { case: report.case, made_on, review_on, tell }])
    }

    fn assess(&self, assessed_on: Date, is_over: bool, context: &Context) -> Result<Vec<Event>, Error> {
        let report = self.report.as_ref().ok_or(Error::NoSuchDanger)?;
        if self.assessments.contains(&(assessed_on, is_over)) {
            return Ok(vec![]);
        }
        if self.ended_on.is_some() {
            return Err(Error::DangerOver);
        }
        if assessed_on < report.found_on {
            return Err(Error::BeforeTheDanger);
        }
        let tell = if is_over { self.others(&context.office) } else { BTreeSet::new() };
        Ok(vec![Event::Assessed { case: report.case, assessed_on, is_over, tell }])
    }

    fn others(&self, office: &OfficeId) -> BTreeSet<OfficeId> {
        self.told.iter().filter(|told| *told != office).cloned().collect()
    }
}

#[cfg(test)]
mod tests;
