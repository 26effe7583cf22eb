//! Who agreed that personal data may travel, to whom and for what. Never assumed, never copied from elsewhere.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use spean_vocabulary::{ConsentBasis, ConsentId, Date, Need, OfficeId, Part};

use super::words::{Function, Guardian};
use super::{Case, Error, Event};

/// How many people must take part in a decision for a child: one alone decides nothing.
const FEWEST_DECIDERS: usize = 2;

/// A permission that personal data may travel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// On whose word.
    pub basis: ConsentBasis,
    /// The parts of the file that it covers.
    pub parts: BTreeSet<Part>,
    /// The offices that it covers; none means all.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub offices: BTreeSet<OfficeId>,
    /// The needs that it was given for; none means any.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub purposes: BTreeSet<Need>,
    /// The day on which it was given.
    pub given_on: Date,
    /// The day on which it was taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn_on: Option<Date>,
    /// Who agreed for the child. None in consents of the first version, which did not ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_by: Option<Guardian>,
    /// The decision that it rests on. None in consents of the first version, which did not ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
}

/// A decision in the best interest of a child, or of somebody whose age is not known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// The day.
    pub decided_on: Date,
    /// The office or body that decided.
    pub decided_by: OfficeId,
    /// Who took part, by function.
    pub deciders: Vec<Function>,
}

impl Consent {
    /// Whether it stands for somebody of this age: what a child alone agreed to does not.
    pub fn stands(&self, is_child: bool) -> bool {
        self.withdrawn_on.is_none() && !(is_child && self.basis == ConsentBasis::Person)
    }

    fn check(&self, is_child: bool) -> Result<(), Error> {
        if self.parts.is_empty() {
            return Err(Error::CoversNothing);
        }
        match (self.basis, &self.given_by, &self.decision) {
            (ConsentBasis::Person, ..) if is_child => Err(Error::ChildNeedsGuardian),
            (ConsentBasis::Person, None, None)
            | (ConsentBasis::Guardian, Some(_), None)
            | (ConsentBasis::BestInterest, None, Some(_)) => self.check_decision(),
            (ConsentBasis::Guardian, None, None) => Err(Error::GuardianNotNamed),
            (ConsentBasis::BestInterest, None, None) => Err(Error::DecisionMissing),
            _ => Err(Error::OtherBasis),
        }
    }

    fn check_decision(&self) -> Result<(), Error> {
        let Some(decision) = &self.decision else { return Ok(()) };
        if decision.deciders.len() < FEWEST_DECIDERS {
            return Err(Error::OneDecidesAlone);
        }
        if decision.decided_on > self.given_on { Err(Error::DecidedAfterwards) } else { Ok(()) }
    }
}

impl Case {
    pub(super) fn record_consent(&self, consent_id: ConsentId, consent: Consent) -> Result<Vec<Event>, Error> {
        let file = self.open_file()?;
        if let Some(known) = self.consents.get(&consent_id) {
            let same = Consent { withdrawn_on: None, ..known.clone() } == consent;
            return if same { Ok(vec![]) } else { Err(Error::ConsentIdTaken) };
        }
        consent.check(file.is_child)?;
        Ok(vec![Event::ConsentRecorded { consent_id, consent }])
    }

    pub(super) fn withdraw_consent(&self, consent_id: ConsentId, withdrawn_on: Date) -> Result<Vec<Event>, Error> {
        self.file.as_ref().ok_or(Error::NoSuchCase)?;
        let consent = self.consents.get(&consent_id).ok_or(Error::NoSuchConsent)?;
        if consent.withdrawn_on.is_some() {
            return Ok(vec![]);
        }
        if withdrawn_on < consent.given_on {
            return Err(Error::WithdrawnBeforeGiven);
        }
        Ok(vec![Event::ConsentWithdrawn { consent_id, withdrawn_on }])
    }

    /// What a person agreed to alone ends on the day on which it is known that they may be a child.
    pub(super) fn lapsing(&self, lapsed_on: Date) -> impl Iterator<Item = Event> {
        let alone = self.consents.iter().filter(|(_, consent)| consent.stands(false) && !consent.stands(true));
        alone.map(move |(consent_id, _)| Event::ConsentLapsed { consent_id: *consent_id, lapsed_on })
    }
}
