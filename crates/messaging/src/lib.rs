//! The way between services and between agencies: what was said goes out until it is confirmed, what is told is applied
//! once and in order.
//!
//! * [`post`]: the post office of a service: outbox, relay, inbox, receipts, dead letters, recovery.
//! * [`broker`]: the connection to NATS JetStream, which carries and is never believed.
//! * [`topology`]: accounts, mailboxes and leaf nodes, as configuration generated from the directory.
//! * [`server`]: a `nats-server` process, for a laptop, an office or a test.

pub mod broker;
mod letter;
pub mod post;
pub mod server;
pub mod topology;
pub mod trace;

pub use letter::{Address, Letter, Posting};
pub use post::{Correspondence, Outbox, Post, PostOptions, Unusable};
