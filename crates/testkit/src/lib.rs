//! What tests stand on: a real PostgreSQL, free ports, a clock that can be moved, patience, and invented people.
//!
//! For tests only, so it panics with a message for the reader instead of returning errors. The broker that tests use
//! is the one everybody uses, `spean_messaging::server`.

mod clock;
mod patience;
mod people;
mod ports;
mod postgres;

pub use clock::ShiftedClock;
pub use patience::{eventually, eventually_some};
pub use people::{InventedPerson, PEOPLE, a_person};
pub use ports::free_port;
pub use postgres::Postgres;
pub use tempfile::TempDir;

/// A new empty folder, removed when the value is dropped.
pub fn a_folder() -> TempDir {
    tempfile::Builder::new().prefix("spean-test-").tempdir().expect("the folder for temporary files can be written")
}
