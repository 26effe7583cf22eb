//! Help that one person was given, and how it goes months later. Of a livelihood the outcome is due after 3, 6 and 12
//! months: tools that were sold after a month are found out, and not counted as help for ever.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use spean_eventsourcing::{Aggregate, Context, Fault, Refusal};
use spean_vocabulary::{CaseId, Date, OfficeId};

use crate::codes::{SupportKind, SupportOutcome};

/// After how many months the outcome of a livelihood is due.
const MONTHS: [u8; 3] = [3, 6, 12];

/// Help that was given once.
#[derive(Clone, Debug, Default)]
pub struct Support {
    given: Option<Given>,
    outcomes: BTreeMap<u8, (SupportOutcome, Date)>,
    /// How many outcomes were known when it was handed on, by the office that has the case since.
    handed_on: BTreeMap<OfficeId, usize>,
}

/// What was given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Given {
    /// The case.
    pub case: CaseId,
    /// What.
    pub kind: SupportKind,
    /// When.
    pub given_on: Date,
    /// By which office or organisation.
    pub given_by: OfficeId,
}

/// What somebody saw of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// After how many months.
    pub after_months: u8,
    /// How it went.
    pub outcome: SupportOutcome,
    /// When it was looked at.
    pub seen_on: Date,
}

/// What may be asked.
#[derive(Clone, Debug)]
pub enum Command {
    /// Note what was given.
    Give(Given),
    /// Note how it goes.
    See {
        /// After how many months.
        after_months: u8,
        /// How it goes.
        outcome: SupportOutcome,
        /// When it was looked at.
        seen_on: Date,
    },
    /// Hand it on with the case.
    HandOn {
        /// The office that has the case now.
        to: OfficeId,
    },
    /// Go on looking for the outcomes of what was given elsewhere.
    TakeUp {
        /// What was given.
        given: Given,
        /// What was seen of it.
        seen: Vec<Seen>,
    },
}

/// What happened. Stored for ever: add variants and optional fields, never rename or remove.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// Help was given.
    SupportGiven {
        /// What.
        given: Given,
        /// When outcomes are due, by months.
        outcomes_due: Vec<(u8, Date)>,
    },
    /// Somebody looked how it goes.
    OutcomeSeen {
        /// After how many months.
        after_months: u8,
        /// How it goes.
        outcome: SupportOutcome,
        /// When it was looked at.
        seen_on: Date,
    },
    /// It went along with the case.
    HandedOn {
        /// What was given.
        given: Given,
        /// What was seen of it until then.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        seen: Vec<Seen>,
        /// To whom.
        to: OfficeId,
    },
    /// It came along with a case.
    TakenUp {
        /// What was given.
        given: Given,
        /// When outcomes are due, by months.
        outcomes_due: Vec<(u8, Date)>,
        /// What was seen of it elsewhere, and was not known here.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        seen: Vec<Seen>,
    },
}

/// Why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum Error {
    /// Nothing is known of it.
    #[error("no such help was given")]
    NoSuchSupport,
    /// The id is taken.
    #[error("help with this id says something else")]
    SupportIdTaken,
    /// Nothing to look for.
    #[error("no outcome of this help is due after so many months")]
    NoSuchOutcome,
    /// It was seen.
    #[error("another outcome after so many months is on record")]
    OutcomeOnRecord,
    /// Not before it was given.
    #[error("the outcome cannot be older than the help")]
    SeenBeforeGiven,
}

impl Refusal for Error {
    fn reason(&self) -> &'static str {
        self.into()
    }

    fn fault(&self) -> Fault {
        match self {
            Self::NoSuchSupport => Fault::NotThere,
            Self::NoSuchOutcome => Fault::Field("after_months"),
            Self::SeenBeforeGiven => Fault::Field("seen_on"),
            _ => Fault::ForbiddenNow,
        }
    }
}

impl Aggregate for Support {
    const CATEGORY: &'static str = "support";
    type Command = Command;
    type Event = Event;
    type Error = Error;
    type Context = Context;

    fn decide(&self, command: Command, _: &Context) -> Result<Vec<Event>, Error> {
        match command {
            Command::Give(given) => match &self.given {
                Some(known) if *known == given => Ok(vec![]),
                Some(_) => Err(Error::SupportIdTaken),
                None => {
                    let outcomes_due = given.outcomes_due();
                    Ok(vec![Event::SupportGiven { given, outcomes_due }])
                }
            },
            Command::See { after_months, outcome, seen_on } => {
                let given = self.given.as_ref().ok_or(Error::NoSuchSupport)?;
                if given.outcomes_due().iter().all(|(months, _)| *months != after_months) {
                    return Err(Error::NoSuchOutcome);
                }
                if let Some(known) = self.outcomes.get(&after_months) {
                    return if *known == (outcome, seen_on) { Ok(vec![]) } else { Err(Error::OutcomeOnRecord) };
                }
                if seen_on < given.given_on {
                    return Err(Error::SeenBeforeGiven);
                }
                Ok(vec![Event::OutcomeSeen { after_months, outcome, seen_on }])
            }
            Command::HandOn { to } => {
                let given = self.given.clone().ok_or(Error::NoSuchSupport)?;
                if self.handed_on.get(&to) == Some(&self.outcomes.len()) {
                    return Ok(vec![]);
                }
                Ok(vec![Event::HandedOn { given, seen: self.seen().collect(), to }])
            }
            Command::TakeUp { given, seen } => {
                if self.given.as_ref().is_some_and(|known| *known != given) {
                    return Err(Error::SupportIdTaken);
                }
                let news = |seen: &Seen| !self.outcomes.contains_key(&seen.after_months);
                let seen: Vec<_> = seen.into_iter().filter(news).collect();
                if self.given.is_some() && seen.is_empty() {
                    return Ok(vec![]);
                }
                let outcomes_due = given.outcomes_due();
                Ok(vec![Event::TakenUp { given, outcomes_due, seen }])
            }
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        match event.clone() {
            Event::SupportGiven { given, .. } => self.given = Some(given),
            Event::OutcomeSeen { after_months, outcome, seen_on } => {
                self.outcomes.insert(after_months, (outcome, seen_on));
            }
            Event::HandedOn { to, .. } => {
                self.handed_on.insert(to, self.outcomes.len());
            }
            Event::TakenUp { given, seen, .. } => {
                self.given.get_or_insert(given);
                let outcomes = seen.into_iter().map(|seen| (seen.after_months, (seen.outcome, seen.seen_on)));
                self.outcomes.extend(outcomes);
            }
        }
        self
    }
}

impl SupportKind {
    /// Whether somebody is to live on it: then the outcome is looked for.
    pub const fn is_livelihood(self) -> bool {
        matches!(
            self,
            Self::Apprenticeship
                | Self::VocationalTraining
                | Self::Grant
                | Self::Tools
                | Self::SavingsGroup
                | Self::Job
        )
    }
}

impl Given {
    /// When outcomes are due, by months.
    pub fn outcomes_due(&self) -> Vec<(u8, Date)> {
        let months = MONTHS.into_iter().filter(|_| self.kind.is_livelihood());
        months.map(|months| (months, self.given_on.plus_months(months.into()))).collect()
    }
}

impl Support {
    fn seen(&self) -> impl Iterator<Item = Seen> {
        let seen = |(after_months, (outcome, seen_on)): (&u8, &(SupportOutcome, Date))| Seen {
            after_months: *after_months,
            outcome: *outcome,
            seen_on: *seen_on,
        };
        self.outcomes.iter().map(seen)
    }

    /// The case; none when nothing was given.
    pub fn case(&self) -> Option<CaseId> {
        self.given.as_ref().map(|given| given.case)
    }
}

#[cfg(test)]
mod tests;
