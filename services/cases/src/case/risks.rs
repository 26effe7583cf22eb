//! What endangers a person, since when, and until when.

use serde::{Deserialize, Serialize};
use spean_vocabulary::{Date, RiskId};

use super::words::{RiskKind, Severity};
use super::{Case, Error, Event};

/// A danger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Risk {
    /// What it is.
    pub kind: RiskKind,
    /// How grave.
    pub severity: Severity,
    /// Since which day.
    pub raised_on: Date,
}

/// A danger with whether it lasts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownRisk {
    /// The danger.
    pub risk: Risk,
    /// The day on which it had passed.
    pub lowered_on: Option<Date>,
}

impl Case {
    /// All dangers, also those that have passed.
    pub fn risks(&self) -> impl Iterator<Item = (RiskId, &KnownRisk)> {
        self.risks.iter().map(|(id, known)| (*id, known))
    }

    pub(super) fn raise_risk(&self, risk_id: RiskId, risk: Risk) -> Result<Vec<Event>, Error> {
        self.open_file()?;
        match self.risks.get(&risk_id) {
            Some(known) if known.risk == risk => Ok(vec![]),
            Some(_) => Err(Error::RiskIdTaken),
            None => Ok(vec![Event::RiskRaised { risk_id, risk }]),
        }
    }

    pub(super) fn lower_risk(&self, risk_id: RiskId, lowered_on: Date) -> Result<Vec<Event>, Error> {
        self.file.as_ref().ok_or(Error::NoSuchCase)?;
        let known = self.risks.get(&risk_id).ok_or(Error::NoSuchRisk)?;
        if known.lowered_on.is_some() {
            return Ok(vec![]);
        }
        if lowered_on < known.risk.raised_on {
            return Err(Error::LoweredBeforeRaised);
        }
        Ok(vec![Event::RiskLowered { risk_id, lowered_on }])
    }
}
