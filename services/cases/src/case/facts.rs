//! What was done to a person, and what somebody concluded from it. Facts and conclusions are two things: a file without a
//! conclusion is whole, and no help depends on one.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use spean_vocabulary::{ConclusionId, Date, FactId};

use super::words::{Abuse, Act, Body, ExploitationPurpose, Finding, Means, RetractReason};
use super::{Case, Error, Event};

/// What was done to a person, in codes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// What was done.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub acts: BTreeSet<Act>,
    /// By what it was brought about.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub means: BTreeSet<Means>,
    /// For what.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub purposes: BTreeSet<ExploitationPurpose>,
    /// Abuse of any kind.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub abuses: BTreeSet<Abuse>,
    /// When it began, as far as known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_day: Option<Date>,
    /// When it ended, as far as known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_day: Option<Date>,
    /// Where, as ISO 3166 alpha-2.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub countries: BTreeSet<String>,
}

/// What somebody concluded from the facts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conclusion {
    /// What.
    pub finding: Finding,
    /// Who, by kind.
    pub concluded_by: Body,
    /// The day.
    pub concluded_on: Date,
    /// The conclusion that it takes the place of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revises: Option<ConclusionId>,
}

/// A fact with whether it still stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownFact {
    /// The fact.
    pub fact: Fact,
    /// Whether it was taken back.
    pub retracted: bool,
}

/// A conclusion with what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownConclusion {
    /// The conclusion.
    pub conclusion: Conclusion,
    /// What took its place.
    pub revised_by: Option<ConclusionId>,
}

impl Case {
    /// The facts that stand.
    pub fn facts(&self) -> impl Iterator<Item = (FactId, &Fact)> {
        self.facts.iter().filter(|(_, known)| !known.retracted).map(|(id, known)| (*id, &known.fact))
    }

    /// All conclusions, with those that were revised.
    pub fn conclusions(&self) -> impl Iterator<Item = (ConclusionId, &KnownConclusion)> {
        self.conclusions.iter().map(|(id, known)| (*id, known))
    }

    pub(super) fn record_fact(&self, fact_id: FactId, fact: Fact, on: Date) -> Result<Vec<Event>, Error> {
        self.open_file()?;
        if let Some(known) = self.facts.get(&fact_id) {
            return if known.fact == fact { Ok(vec![]) } else { Err(Error::FactIdTaken) };
        }
        if fact.acts.is_empty() && fact.means.is_empty() && fact.purposes.is_empty() && fact.abuses.is_empty() {
            return Err(Error::FactSaysNothing);
        }
        if fact.from_day.zip(fact.until_day).is_some_and(|(from, until)| until < from) {
            return Err(Error::EndedBeforeItBegan);
        }
        Ok(vec![Event::FactRecorded { fact_id, fact, on }])
    }

    pub(super) fn retract_fact(&self, fact_id: FactId, reason: RetractReason, on: Date) -> Result<Vec<Event>, Error> {
        self.file.as_ref().ok_or(Error::NoSuchCase)?;
        let known = self.facts.get(&fact_id).ok_or(Error::NoSuchFact)?;
        Ok(if known.retracted { vec![] } else { vec![Event::FactRetracted { fact_id, reason, on }] })
    }

    pub(super) fn record_conclusion(
        &self,
        conclusion_id: ConclusionId,
        conclusion: Conclusion,
    ) -> Result<Vec<Event>, Error> {
        self.open_file()?;
        if let Some(known) = self.conclusions.get(&conclusion_id) {
            return if known.conclusion == conclusion { Ok(vec![]) } else { Err(Error::ConclusionIdTaken) };
        }
        if let Some(earlier) = &conclusion.revises {
            let earlier = self.conclusions.get(earlier).ok_or(Error::NoSuchConclusion)?;
            if earlier.revised_by.is_some() {
                return Err(Error::AlreadyRevised);
            }
        }
        Ok(vec![Event::ConclusionRecorded { conclusion_id, conclusion }])
    }
}
