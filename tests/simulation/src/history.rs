//! What is known of a history: who was told what, and what may have been lost with a disk.

use std::collections::BTreeMap;

use spean_vocabulary::Service;

use crate::network::OFFICES;

/// What the one who asked knows of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It is done, as they were told at this step.
    Done(u64),
    /// It was refused.
    Refused,
    /// The power failed before they heard.
    Unknown,
}

/// A case that somebody opened.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) id: String,
    pub(crate) office: usize,
    pub(crate) registered: Answer,
    pub(crate) consent: Answer,
    /// Whether the case follows from an arrival, and is not registered by itself.
    pub(crate) arrived: bool,
}

/// What people have said of an offer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Said {
    /// The office that offered and the step, once it was told that it had.
    pub(crate) offered: Option<(usize, u64)>,
    /// The same of an acceptance.
    pub(crate) accepted: Option<(usize, u64)>,
    /// Of a refusal.
    pub(crate) declined: Option<(usize, u64)>,
    /// Of a withdrawal.
    pub(crate) withdrawn: Option<(usize, u64)>,
}

/// A restore: what a node was told to keep between two steps may be gone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Restored {
    pub(crate) node: usize,
    pub(crate) from: u64,
    pub(crate) to: u64,
}

/// All of it.
#[derive(Debug, Default)]
pub(crate) struct History {
    pub(crate) cases: Vec<Case>,
    pub(crate) offers: BTreeMap<String, Said>,
    pub(crate) restores: Vec<Restored>,
    /// What people did at which service and were told is done: by whom, at which step.
    pub(crate) done: BTreeMap<(Service, String), (usize, u64)>,
    names: BTreeMap<String, String>,
    counted: BTreeMap<&'static str, usize>,
}

impl History {
    /// What a thing is called in this history: by the order in which such things were first spoken of, since their ids say
    /// nothing to people.
    pub(crate) fn name(&mut self, kind: &'static str, id: &str) -> String {
        if let Some(name) = self.names.get(id) {
            return name.clone();
        }
        let counted = self.counted.entry(kind).or_default();
        *counted += 1;
        let name = format!("{kind} {counted}");
        self.names.insert(id.to_owned(), name.clone());
        name
    }

    /// What something that was spoken of is called.
    pub(crate) fn called(&self, id: &str) -> &str {
        self.names.get(id).map_or("something", String::as_str)
    }

    /// Whether nothing may be left of a case, as its first office was told that it is open, or heard nothing.
    pub(crate) fn opening_may_be_lost(&self, case: &Case) -> bool {
        match case.registered {
            Answer::Done(step) => self.may_be_lost(OFFICES[case.office].1, step),
            Answer::Refused | Answer::Unknown => true,
        }
    }

    /// Whether what a node was told to keep at a step may have been lost with its disk.
    pub(crate) fn may_be_lost(&self, node: usize, step: u64) -> bool {
        self.restores.iter().any(|restored| restored.node == node && (restored.from..=restored.to).contains(&step))
    }
}
