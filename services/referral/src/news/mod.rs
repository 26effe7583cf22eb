//! The way back: what became of a case, for the offices that referred it, and for those that report.
//!
//! News begins where something is seen: at a service of a node, or with the conclusion of a service that was asked for. It
//! goes to the office that holds the case, and from there to every office that held it before. Each office writes each
//! piece of news down once, and only what is written down is told on, so it can neither circle nor come twice.

pub mod case_news;
pub(crate) mod letters;
pub mod list;
pub(crate) mod reactions;

pub(crate) use case_news::{CaseNews, Chain, Command, Error, Event, News, Stage, Tell, What, who_is_told};
