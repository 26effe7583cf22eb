//! Proof that custody is never lost and never doubled: a model that is searched to its end, and histories that are drawn
//! from a seed. Both drive the rules of `spean_custody` themselves, not a copy of them.
//!
//! - [`model`]: every state that a small network can get into.
//! - [`simulation`]: random histories of a larger one, with a mix of faults of their own each.
//! - [`invariants`]: what must hold, by name.
//! - [`pieces`]: the safety pieces that can be taken away, to see that the proof notices.
//! - [`node`]: a node, and how much of the post office is told again here.

pub mod asks;
pub mod invariants;
pub mod model;
pub mod network;
pub mod node;
pub mod pieces;
pub mod simulation;
