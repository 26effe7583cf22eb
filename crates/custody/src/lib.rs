//! Who is responsible for a case, and how that moves between offices that cannot always reach each other.
//!
//! The receiver consents first; the holder decides; everybody keeps what they said until the other side has it in a
//! backup; and only the mandated authority can move custody over the holder's head, with a higher term.
//!
//! - [`case`]: one office's view of one case, as an aggregate: offers, answers, certificates, overrides.
//! - [`link`]: the numbering of letters between two nodes: duplicates, gaps, receipts, resends.
//! - [`recovery`]: what a node may do after it came back from a backup.
//!
//! Nothing here reads a clock, draws a number, waits, or talks to a database or a network. Every function is total, so
//! that a simulator, a model checker and the running system all run the same code.

pub mod case;
pub mod link;
pub mod recovery;

mod digest;
mod party;

pub use digest::Digest;
pub use party::Party;
