//! Cases that may be, or are, of one person. The system points; people judge, and may take back what they judged.

use spean_vocabulary::{CaseId, Date, OfficeId};

use super::{Case, Error, Event};

impl Case {
    /// The case that goes on in the place of this one, when it was merged.
    pub fn merged_into(&self) -> Option<CaseId> {
        self.merged_into
    }

    /// Whether the two were pointed out or judged already.
    pub fn is_paired_with(&self, other: CaseId) -> bool {
        [&self.possible_duplicates, &self.linked, &self.unlinked, &self.ruled_out]
            .iter()
            .any(|those| those.contains(&other))
    }

    pub(super) fn note_possible_duplicate(&self, other: CaseId, score: u8, reasons: Vec<String>) -> Vec<Event> {
        if self.erased || self.is_paired_with(other) {
            vec![]
        } else {
            vec![Event::PossibleDuplicateFound { other, score, reasons }]
        }
    }

    pub(super) fn link(&self, this: CaseId, other: CaseId, on: Option<Date>) -> Result<Vec<Event>, Error> {
        self.open_or_merged()?;
        if this == other {
            return Err(Error::LinkedToItself);
        }
        Ok(if self.linked.contains(&other) { vec![] } else { vec![Event::Linked { other, on }] })
    }

    pub(super) fn unlink(&self, other: CaseId, on: Date) -> Result<Vec<Event>, Error> {
        self.file.as_ref().ok_or(Error::NoSuchCase)?;
        if self.merged_into == Some(other) || self.absorbed.contains(&other) {
            return Err(Error::StillMerged);
        }
        match (self.linked.contains(&other), self.unlinked.contains(&other)) {
            (true, _) => Ok(vec![Event::Unlinked { other, on }]),
            (false, true) => Ok(vec![]),
            (false, false) => Err(Error::NotLinked),
        }
    }

    pub(super) fn rule_out(&self, this: CaseId, other: CaseId, on: Date) -> Result<Vec<Event>, Error> {
        self.file.as_ref().ok_or(Error::NoSuchCase)?;
        if this == other {
            return Err(Error::LinkedToItself);
        }
        if self.linked.contains(&other) {
            return Err(Error::LinkedAsOne);
        }
        Ok(if self.ruled_out.contains(&other) { vec![] } else { vec![Event::DuplicateRuledOut { other, on }] })
    }

    pub(super) fn merge(&self, this: CaseId, into: CaseId, on: Date, both_held: bool) -> Result<Vec<Event>, Error> {
        if self.merged_into == Some(into) {
            return Ok(vec![]);
        }
        self.open_file().map_err(|error| if error == Error::Merged { Error::MergedElsewhere } else { error })?;
        if this == into {
            return Err(Error::MergedIntoItself);
        }
        if !self.absorbed.is_empty() {
            return Err(Error::OthersMergedIntoIt);
        }
        if self.ruled_out.contains(&into) {
            return Err(Error::JudgedAnotherPerson);
        }
        if !both_held {
            return Err(Error::NotBothHeld);
        }
        Ok(vec![Event::MergedInto { into, on }])
    }

    pub(super) fn absorb(&self, other: CaseId, on: Date) -> Result<Vec<Event>, Error> {
        if self.absorbed.contains(&other) {
            return Ok(vec![]);
        }
        self.open_file()?;
        Ok(vec![Event::Absorbed { other, on }])
    }

    pub(super) fn unmerge(&self, on: Date) -> Result<Vec<Event>, Error> {
        self.file.as_ref().ok_or(Error::NoSuchCase)?;
        match (self.merged_into, self.was_merged) {
            (Some(into), _) => Ok(vec![Event::Unmerged { from: into, on }]),
            (None, true) => Ok(vec![]),
            (None, false) => Err(Error::NotMerged),
        }
    }

    pub(super) fn release(&self, other: CaseId, on: Date) -> Vec<Event> {
        if self.absorbed.contains(&other) { vec![Event::Released { other, on }] } else { vec![] }
    }

    pub(super) fn note_seen_again(&self, other: CaseId, by: OfficeId, on: Date) -> Vec<Event> {
        // News of a case that was handed on since, or was linked here meanwhile, changes nothing.
        if self.file.is_none() || self.erased || self.seen_again.contains_key(&other) {
            return vec![];
        }
        vec![Event::SeenAgain { other, by, on }]
    }

    pub(super) fn acknowledge_seen_again(&self, other: CaseId) -> Result<Vec<Event>, Error> {
        self.file.as_ref().ok_or(Error::NoSuchCase)?;
        match self.seen_again.get(&other) {
            None => Err(Error::NotSeenAgain),
            Some(true) => Ok(vec![]),
            Some(false) => Ok(vec![Event::SeenAgainAcknowledged { other }]),
        }
    }
}
