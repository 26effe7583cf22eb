//! The independent checker: was anything lost or doubled, and does every case have one holder, by what a network left
//! behind and by what its people wrote down?
//!
//! It shares no code with what it judges but the generated protocol: it reads tables, stored events, certificates,
//! letters and raw files in its own words, computes hashes and checks signatures itself, and folds the events of custody
//! by rules that were written down a second time. A mistake in the services must be made twice to be overlooked.
//!
//! The evidence is the folder of a network that was stopped, or is quiet, and a [`journal`] of every call.

pub mod journal;

mod calls;
mod canary;
mod certificate;
mod custody;
mod database;
mod directory;
mod evidence;
mod letters;
mod log;
mod report;
mod vault;

pub use canary::find as find_canaries;
pub use evidence::{Evidence, judge, on_their_way};
pub use report::{Check, Finding, Report};

#[cfg(test)]
mod tests;
