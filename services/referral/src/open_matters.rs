//! What is open of a case at an office: offers that nobody has answered, needs that nobody meets, services that others
//! give. Follow-up is told whenever it changes, and closes nothing before it is settled.
//!
//! It is counted from offers and needs as they stand, never kept by hand; here is what was told, so that the same is not
//! told twice.

pub(crate) mod count;
pub(crate) mod letters;
pub mod list;
mod matters;
#[cfg(test)]
mod tests;

pub use matters::{Command, Error, Event, Matters, Open, OpenMatters};
