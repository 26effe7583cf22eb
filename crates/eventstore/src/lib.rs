//! The log of one service of one node: what happened, in order, kept for ever, in `SQLite` or in `PostgreSQL`.
//!
//! All that is written goes through **one writer**: a task that owns the writing connection, runs many waiting jobs in
//! one transaction (each undone alone when it fails), commits once, and only then answers. One flush of the disk so
//! serves many callers; positions are gapless and in commit order, so a reader that asks for "all after position 17"
//! never skips an event; and a hash over each event and the hash before it makes the log tamper-evident.
//!
//! Where positions come from a database sequence instead, they are handed out before the commit: transaction A takes 5,
//! transaction B takes 6 and commits first, a reader sees 6 and goes on from there, and 5 is lost to it for ever. The
//! tests show it happening; the single writer is why it cannot happen here.
//!
//! Several instances may share one database. They elect the writer through it ([`Role`]); the others answer queries,
//! refuse writes with [`StoreError::NotTheWriter`] and take over when the writer dies. A number that goes up with each
//! election fences off a writer that does not know yet that it was replaced.
//!
//! Read models ([`ReadModel`]) are written in the same commit as the events, so a caller reads its own writes. They can
//! always be dropped and rebuilt from the log.
//!
//! ```no_run
//! # async fn example() -> Result<(), spean_eventstore::StoreError> {
//! use spean_eventstore::{EventStore, Options};
//!
//! let store = EventStore::open(Options::new("sqlite:///var/lib/spean/cases.sqlite", "cases", "node-1")).await?;
//! let events = store.events_after(0, 100).await?;
//! # Ok(())
//! # }
//! ```

mod claim;
mod comparison;
mod dialect;
mod election;
mod error;
mod event;
mod options;
pub mod points;
mod read_model;
mod schema;
mod snapshot;
mod store;
mod transaction;
mod verify;
mod writer;

pub use claim::Claim;
pub use comparison::{Beside, Comparison, Difference};
pub use error::{AppendError, HandleError, StoreError, TransactError, VerifyError, disk_is_full};
pub use event::{Digest, Expected, Handled, Loaded, Metadata, Recorded};
pub use options::{BoxFuture, Options, Publisher, ReadModel, Tables};
pub use snapshot::{Chain, ReadModelState, Snapshot};
pub use store::{EventStore, Role};
pub use transaction::Transaction;
pub use verify::Verified;
