//! Every state that a small network can get into.
//!
//! A state is the databases of all nodes, the backups that were taken, and the letters that lie in brokers. From it the
//! checker takes every step that could follow: staff and timers act, a letter comes (any that was ever written, in any
//! order, as often as you like, with its receipt arriving or lost), a backup is taken, a node comes back from it, a
//! restored node introduces itself, a peer's answer arrives at once, late, or never.
//!
//! - *Loss* is a letter that is not delivered. *Repetition* is the same letter delivered again. *Disorder* is any order.
//! - *A crash* is every step not taken: each step is one commit, and nothing that is not in a database is counted on.
//! - *The broker is wiped* at any time: what leads to a settled state ([`Invariant::L1`]) is resent from databases alone.
//!
//! Two things keep it small without leaving anything out. Nodes are *interned*: a state holds the number of a node, and
//! each step of a node is computed once by the real code and then remembered, which is sound because the rules are pure
//! functions. And a node's next commit depends on nothing but the node, so letters need not be kept in the state where
//! they can be had from the sender's table: only what a restored node has forgotten is (*ghosts*).

mod explore;
mod library;
mod scenario;
mod state;
mod table;

pub use explore::{Verdict, explore};
pub use library::Library;
pub use scenario::{Scenario, beyond, long, ordinary};
pub use state::{Action, State};

#[cfg(doc)]
use crate::invariants::Invariant;
