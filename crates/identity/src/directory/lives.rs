//! How offices open, close and follow each other, within one edition and from one edition to the next.
//!
//! The id of an office is given once. Custody certificates, letters and addresses name it for ever, and what it holds
//! lies in the log of its node. So an office never moves to another node: it closes there, and a successor opens here.

use spean_vocabulary::OfficeId;

use super::{Defect, Directory, Office};

impl Directory {
    /// The offices that follow a closed one, the next first; empty for one that has no successor.
    pub fn successors(&self, office: &OfficeId) -> impl Iterator<Item = &Office> {
        let next = |office: &Office| office.successor.as_ref().and_then(|id| self.office(id));
        // A circle is a defect, and the defect must be found without walking for ever.
        std::iter::successors(self.office(office).and_then(next), move |office| next(office))
            .take(self.offices.len() + 1)
    }

    /// What is wrong with this edition as the one that follows `before`; nothing when it can replace it.
    ///
    /// An office, its node and the node's agency stay what they were, and so do the editions of places: whoever kept
    /// an address must always learn what became of it.
    pub fn defects_after(&self, before: &Self) -> Vec<Defect> {
        let mut defects = Vec::new();
        let mut defect = |path: String, reason: &str| defects.push(Defect { path, reason: reason.to_owned() });
        for old in &before.offices {
            let path = |field: &str| format!("office[{}]{field}", old.id);
            match self.office(&old.id) {
                None => defect(path(""), "an office is closed and never taken out: others know it by its id"),
                Some(office) if office.node != old.node => {
                    defect(path(".node"), "an office stays at its node: close it, and name a successor there");
                }
                Some(_) => {}
            }
        }
        for old in &before.nodes {
            if self.node(&old.id).is_some_and(|node| node.agency != old.agency) {
                let path = format!("node[{}].agency", old.id);
                defect(path, "a node stays with its agency: close its offices, and name successors elsewhere");
            }
        }
        for old in &before.place_editions {
            if !self.place_editions.contains(old) {
                let path = format!("place_edition[{}]", old.year);
                defect(path, "an edition of places is never taken back or changed: a later one corrects it");
            }
        }
        defects
    }

    /// What is wrong with how the offices of this edition open, close and follow each other.
    pub(super) fn defects_of_lives(&self) -> Vec<Defect> {
        let mut defects = Vec::new();
        for office in &self.offices {
            let mut defect = |field: &str, reason: &str| {
                defects.push(Defect { path: format!("office[{}].{field}", office.id), reason: reason.to_owned() });
            };
            if let (Some(opened_on), Some(closed_on)) = (office.opened_on, office.closed_on)
                && closed_on < opened_on
            {
                defect("closed_on", "lies before the day on which it opens");
            }
            match &office.successor {
                Some(_) if office.closed_on.is_none() => defect("successor", "only an office that closes has one"),
                Some(successor) if self.office(successor).is_none() => defect("successor", "there is no such office"),
                Some(_) if self.successors(&office.id).count() > self.offices.len() => {
                    defect("successor", "the offices that follow it go round in a circle");
                }
                _ => {}
            }
            if office.closed_on.is_some() && !self.somebody_follows(office) {
                defect(
                    "closed_on",
                    "nobody is left to write to: neither a successor nor an office above it stays open",
                );
            }
        }
        defects
    }

    /// A circle of offices above is another defect; this ends nevertheless.
    fn somebody_follows(&self, office: &Office) -> bool {
        let above = self.ladder(&office.id).take(self.offices.len());
        self.successors(&office.id).chain(above).any(|office| office.closed_on.is_none())
    }
}
