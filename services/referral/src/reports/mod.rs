//! A light way in: reports that somebody may be in danger or in need, before there is a case.
//!
//! Who reports is protected: how they can be reached is in the vault under a key of their own, and stays at the office
//! that took the report down. What they saw travels sealed to the offices that look into it. All else is codes.

pub(crate) mod addressee;
mod due;
pub(crate) mod letters;
pub mod list;
pub(crate) mod reactions;
pub mod report;
pub(crate) mod sealed;
pub(crate) mod wire;
pub mod words;

pub(crate) use due::round;
