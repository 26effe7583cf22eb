//! What was found.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

/// What is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Check {
    /// Whatever was answered `ok` is there once, whatever was refused is not, whatever is unknown is whole or absent.
    C1,
    /// Each case has one chain of certificates, and its last holder alone says "mine".
    C2,
    /// Each offer ended once, both sides say the same, one intake for each.
    C3,
    /// The dossier that came is the one that was offered, and only its addressee has it.
    C4,
    /// No letter waits, was lost on the way, or lies dead; no node is in quarantine.
    C5,
    /// The hashes of each log fit, and what the events say is what the tables show.
    C6,
    /// What was planted of a person is nowhere to be read.
    C7,
    /// What an office says of a case never goes back.
    C8,
}

impl Check {
    /// All of them.
    pub const ALL: [Self; 8] = [Self::C1, Self::C2, Self::C3, Self::C4, Self::C5, Self::C6, Self::C7, Self::C8];
}

/// One thing that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// Which check found it.
    pub check: Check,
    /// What it is, with the case, the offer and the office. No personal data: those who planted words know them.
    pub words: String,
}

/// What was looked at, and what was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// What is not as it should be.
    pub findings: Vec<Finding>,
    /// How much was looked at, in words.
    pub looked_at: BTreeMap<String, u64>,
}

impl Report {
    /// Whether everything is as it should be.
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    /// The checks that found something.
    pub fn violated(&self) -> std::collections::BTreeSet<Check> {
        self.findings.iter().map(|finding| finding.check).collect()
    }

    pub(crate) fn find(&mut self, check: Check, words: impl Into<String>) {
        self.findings.push(Finding { check, words: words.into() });
    }

    pub(crate) fn count(&mut self, what: &str, number: usize) {
        *self.looked_at.entry(what.to_owned()).or_default() += number as u64;
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let looked_at: Vec<String> = self.looked_at.iter().map(|(what, number)| format!("{number} {what}")).collect();
        writeln!(formatter, "looked at {}", looked_at.join(", "))?;
        for finding in &self.findings {
            writeln!(formatter, "{:?}: {}", finding.check, finding.words)?;
        }
        write!(formatter, "{}", if self.is_clean() { "all is as it should be" } else { "NOT as it should be" })
    }
}
