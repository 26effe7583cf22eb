//! The way between services and between agencies: names of mailboxes, the broker that holds them, and its server.

pub mod server;
pub mod topology;
