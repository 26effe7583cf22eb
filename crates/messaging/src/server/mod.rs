//! A broker of our own: find or fetch a `nats-server`, run it, and ask it whether it keeps what it acknowledges.
//!
//! For a laptop, an office without an administrator, and tests. In production the hub is run by whoever operates it,
//! with the configuration of [`crate::topology`].

mod binary;
mod guard;
mod monitor;
mod running;

pub use binary::{BinaryError, NatsBinary, OLDEST_VERSION, PINNED_VERSION, Version, default_cache};
pub use guard::Guard;
pub use monitor::{MonitorError, check_sync_always};
pub use running::{NatsServer, ServerError};
