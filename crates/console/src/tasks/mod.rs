//! The commands, one entry each: which method of the interface is called, what stands without an option's name, what is
//! filled in, and what is shown. All else — options, checks, help, completion — follows from the descriptors.
//!
//! A new command is one entry here and one message `command-…` in each language.

mod arrival;
mod case;
mod meeting;
mod node;
mod office;
mod referral;
mod report;
mod shelter;
mod visit;

/// The commands in the order of the help.
pub(crate) const GROUPS: [(&str, &[Task]); 9] = [
    ("case", case::TASKS),
    ("arrival", arrival::TASKS),
    ("referral", referral::TASKS),
    ("visit", visit::TASKS),
    ("meeting", meeting::TASKS),
    ("report", report::TASKS),
    ("node", node::TASKS),
    ("shelter", shelter::TASKS),
    ("office", office::TASKS),
];

/// All commands.
pub(crate) fn all() -> impl Iterator<Item = &'static Task> {
    GROUPS.iter().flat_map(|(_, tasks)| tasks.iter())
}

/// A command.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Task {
    /// What is typed after the name of the program: `case consent give`.
    pub(crate) path: &'static str,
    /// The method that is called.
    pub(crate) method: &'static str,
    /// Fields that are given by their place instead of by an option, in order.
    pub(crate) places: &'static [&'static str],
    /// Ids that are made here unless given.
    pub(crate) minted: &'static [&'static str],
    /// Days that are today, as the node's clock has it, unless given.
    pub(crate) today: &'static [&'static str],
    /// Fields that this command says itself.
    pub(crate) fixed: &'static [(&'static str, &'static str)],
    /// Columns of lists: `cases: case_number standing; holders: office_id`. A column may name several fields of which
    /// the first that is there counts (`case_number|case_id`), and another label (`other.case_id=other_case_id`).
    pub(crate) lists: &'static str,
    /// Only rows in which this field says something.
    pub(crate) only: &'static str,
    /// How it is used: shown in the help, and read by a test.
    pub(crate) example: &'static str,
    /// Cannot be undone, so a person is asked again.
    pub(crate) is_irreversible: bool,
}

/// A command that calls a method.
pub(crate) const fn task(path: &'static str, method: &'static str, example: &'static str) -> Task {
    Task {
        path,
        method,
        places: &[],
        minted: &[],
        today: &[],
        fixed: &[],
        lists: "",
        only: "",
        example,
        is_irreversible: false,
    }
}

impl Task {
    const fn at(self, places: &'static [&'static str]) -> Self {
        Self { places, ..self }
    }

    const fn mint(self, minted: &'static [&'static str]) -> Self {
        Self { minted, ..self }
    }

    const fn today(self, today: &'static [&'static str]) -> Self {
        Self { today, ..self }
    }

    const fn fixed(self, fixed: &'static [(&'static str, &'static str)]) -> Self {
        Self { fixed, ..self }
    }

    const fn lists(self, lists: &'static str) -> Self {
        Self { lists, ..self }
    }

    const fn only(self, only: &'static str) -> Self {
        Self { only, ..self }
    }

    const fn irreversible(self) -> Self {
        Self { is_irreversible: true, ..self }
    }

    /// The key of what it does, in the messages.
    pub(crate) fn key(&self) -> String {
        format!("command-{}", self.path.replace(' ', "-"))
    }
}
