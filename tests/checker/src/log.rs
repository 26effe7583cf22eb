//! A log, row by row, with its chain of hashes computed anew.

use futures::TryStreamExt as _;
use sha2::{Digest as _, Sha256};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row as _};

/// An event as it is stored.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stored {
    pub(crate) position: i64,
    pub(crate) category: String,
    pub(crate) id: String,
    pub(crate) version: i64,
    pub(crate) kind: String,
    pub(crate) payload: String,
    pub(crate) command_id: Option<String>,
    pub(crate) request_digest: Option<Vec<u8>>,
    pub(crate) office: String,
    pub(crate) staff: Option<String>,
    pub(crate) recorded_at: i64,
    pub(crate) occurred_on: Option<String>,
    pub(crate) trace: Option<String>,
    pub(crate) hash: Vec<u8>,
}

impl Stored {
    /// The hash that must stand beside it, given the one before.
    pub(crate) fn hash_after(&self, before: &[u8]) -> Vec<u8> {
        let mut bytes = b"spean event 1".to_vec();
        bytes.extend(before);
        for number in [self.position, self.version, self.recorded_at] {
            bytes.extend(number.to_be_bytes());
        }
        let fields: [Option<&[u8]>; 10] = [
            Some(self.category.as_bytes()),
            Some(self.id.as_bytes()),
            Some(self.kind.as_bytes()),
            Some(self.payload.as_bytes()),
            self.command_id.as_deref().map(str::as_bytes),
            self.request_digest.as_deref(),
            Some(self.office.as_bytes()),
            self.staff.as_deref().map(str::as_bytes),
            self.occurred_on.as_deref().map(str::as_bytes),
            self.trace.as_deref().map(str::as_bytes),
        ];
        for field in fields {
            bytes.extend(field.map_or(u64::MAX, |field| field.len() as u64).to_be_bytes());
            bytes.extend(field.unwrap_or_default());
        }
        Sha256::digest(&bytes).to_vec()
    }
}

/// Reads a whole log in order. Gives what is wrong with the chain, in words, and how many events there are.
pub(crate) async fn read(
    connection: &mut AnyConnection,
    mut each: impl FnMut(&Stored),
) -> Result<(Vec<String>, usize), sqlx::Error> {
    let mut rows = sqlx::query(
        "select position, category, id, version, event_type, payload, command_id, request_digest, office, staff,
            recorded_at, occurred_on, trace, hash from event order by position",
    )
    .fetch(connection);
    let (mut wrong, mut before, mut count) = (Vec::new(), vec![0; 32], 0_usize);
    while let Some(row) = rows.try_next().await? {
        let event = stored(&row)?;
        count += 1;
        if event.position != i64::try_from(count).unwrap_or(i64::MAX) {
            wrong.push(format!("event {} stands at place {count}", event.position));
        }
        if event.hash != event.hash_after(&before) {
            wrong.push(format!("event {} of {}/{} has another hash", event.position, event.category, event.id));
        }
        each(&event);
        before = event.hash;
    }
    Ok((wrong, count))
}

fn stored(row: &AnyRow) -> Result<Stored, sqlx::Error> {
    Ok(Stored {
        position: row.try_get(0)?,
        category: row.try_get(1)?,
        id: row.try_get(2)?,
        version: row.try_get(3)?,
        kind: row.try_get(4)?,
        payload: row.try_get(5)?,
        command_id: row.try_get(6)?,
        request_digest: row.try_get(7)?,
        office: row.try_get(8)?,
        staff: row.try_get(9)?,
        recorded_at: row.try_get(10)?,
        occurred_on: row.try_get(11)?,
        trace: row.try_get(12)?,
        hash: row.try_get(13)?,
    })
}
