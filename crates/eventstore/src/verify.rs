//! Is the log still what was written?

use sqlx::AnyPool;

use crate::event::Digest;
use crate::store::page;
use crate::{Chain, StoreError, VerifyError};

/// How many events are read at once.
const PAGE: i64 = 1_000;

/// A log that is as it was written. Somebody who keeps the hash elsewhere can later tell whether events were cut off
/// from the end, which a chain of hashes alone does not show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// How many events there are.
    pub events: i64,
    /// The hash of the last one; all zeros when there is none.
    pub head_hash: Digest,
}

/// Recomputes the chain of hashes from the beginning.
pub(crate) async fn verify(reader: &AnyPool) -> Result<Verified, VerifyError> {
    let mut chain = Chain::default();
    loop {
        let events = match page(reader, chain.verified().events, PAGE).await {
            Err(StoreError::Unreadable { position }) => return Err(VerifyError::Broken { position }),
            events => events?,
        };
        if events.is_empty() {
            return Ok(chain.verified());
        }
        for event in &events {
            chain.follow(event)?;
        }
    }
}
