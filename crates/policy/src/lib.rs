//! The figures by which an agency works: how long an answer may take, how often somebody is visited, how many must sit at
//! a meeting. They are the agency's to choose, and every decision is judged by those of its day.
//!
//! [`Policy`] is what an agency writes into one file; whatever the file leaves out is as in [`Policy::standard`].
//! [`Adopted`] is the history of the policies of one service, folded from the events of its log.

mod adopted;
mod figures;
mod validation;

pub use adopted::{Adopted, Adoption, Command, Error, Event, STREAM};
pub use figures::{
    Answer, Deadlines, Expenses, File, Meeting, Policy, Quorum, Repatriation, SafetyPlan, Shelter, Tracing, Visits,
    WaitingList,
};
pub use validation::PolicyError;
