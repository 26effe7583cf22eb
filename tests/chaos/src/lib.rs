//! Real processes under faults: a network of six nodes at work, and a nemesis that kills, cuts, wipes, puts back and
//! moves clocks meanwhile; then everything must settle, and an independent checker judges what is left.
//!
//! The seed fixes which faults come in which order, where they strike, and what the staff choose. When a real process
//! is where in its work, no seed fixes: a run that failed is looked at in its folder, which stays, and is not repeated
//! step by step.

mod fault;
mod figures;
mod ground;
mod round;
mod wire;

mod clerk;
mod draw;
mod ledger;
mod mailboxes;
mod nemesis;
mod office;

pub use fault::{Demand, Kind};
pub use figures::{Figures, Recoveries};
pub use ground::Databases;
pub use round::{Plan, play};
