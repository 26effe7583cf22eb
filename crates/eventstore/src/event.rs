//! An event as it stands in the log: what, of which stream, when, at whose request, and the hash that binds it to all
//! events before it.

use std::fmt;

use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};
use spean_eventsourcing::{Aggregate, Context};
use spean_vocabulary::{CommandId, Date, OfficeId, StaffId, Timestamp};
use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::StoreError;

/// The columns of an event in the order that [`Recorded::from_row`] reads them.
pub(crate) const COLUMNS: &str = "position, category, id, version, event_type, payload, command_id, request_digest, \
                                  office, staff, recorded_at, occurred_on, trace, hash";

/// How many columns those are.
pub(crate) const COLUMN_COUNT: usize = 14;

/// A SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Digest([u8; 32]);

/// Who asked for the events, when, and as part of what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// The caller's id of the request: a second request with the same id changes nothing.
    pub command_id: Option<CommandId>,
    /// The digest of the request, to notice an id that is used for two different ones.
    pub request_digest: Option<Digest>,
    /// The office for which it was done.
    pub office: OfficeId,
    /// Who did it; none when the system itself did.
    pub staff: Option<StaffId>,
    /// Record time: when it was decided, by the node's clock.
    pub recorded_at: Timestamp,
    /// Field time: the day on which it happened, when a person said so.
    pub occurred_on: Option<Date>,
    /// The W3C `traceparent` of the request.
    pub trace: Option<String>,
}

/// An event of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Its place in the log: 1, 2, 3 and so on without gaps, in the order of commits.
    pub position: i64,
    /// What kind of thing it happened to: `case`, `custody`.
    pub category: String,
    /// Which one.
    pub id: String,
    /// Its place in the stream of that thing: 1, 2, 3 and so on.
    pub version: i64,
    /// What happened: the `type` of the payload.
    pub event_type: String,
    /// The event as JSON, exactly as it was stored and hashed.
    pub payload: String,
    /// Who asked for it, and when.
    pub metadata: Metadata,
    /// SHA-256 of the hash before it and of all fields above.
    pub hash: Digest,
}

/// What the stream must be at for an append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// At whatever it is.
    Any,
    /// At exactly this version; 0 for a stream without events.
    Version(i64),
}

/// What came of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handled {
    /// The events it led to; none when it was already done.
    pub events: Vec<Recorded>,
    /// The version of the stream after it.
    pub version: i64,
    /// Whether the command had been carried out before, and these are the events of that time.
    pub replayed: bool,
}

/// A thing as its events say it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded<A> {
    /// The state.
    pub state: A,
    /// The version of the last event; 0 when there is none.
    pub version: i64,
}

impl Digest {
    /// The digest of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Takes a digest that was made elsewhere.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    fn from_column(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl Metadata {
    /// For an office, at a time, and nothing more.
    pub fn new(office: OfficeId, recorded_at: Timestamp) -> Self {
        Self {
            command_id: None,
            request_digest: None,
            office,
            staff: None,
            recorded_at,
            occurred_on: None,
            trace: None,
        }
    }

    /// For whoever asks, at the time of asking.
    pub fn of(context: &Context) -> Self {
        Self { staff: context.staff.clone(), ..Self::new(context.office.clone(), context.now) }
    }

    /// The same, made idempotent by the caller's id of the request and the digest of the request.
    #[must_use]
    pub fn with_command(self, command_id: CommandId, request_digest: Digest) -> Self {
        Self { command_id: Some(command_id), request_digest: Some(request_digest), ..self }
    }
}

impl Recorded {
    /// The event of an aggregate; none when it belongs to another category.
    ///
    /// # Errors
    /// That of reading the payload, in the inner result.
    pub fn event<A: Aggregate>(&self) -> Option<Result<A::Event, serde_json::Error>> {
        (self.category == A::CATEGORY).then(|| self.payload())
    }

    /// The payload as any type.
    ///
    /// # Errors
    /// When it is of another shape.
    pub fn payload<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(&self.payload)
    }

    /// The hash that this event must have after the hash before it (all zeros before the first). Each field is preceded by its length, or by a mark
    /// that it is absent, so that no two events give the same bytes.
    pub fn hash_after(&self, previous: &Digest) -> Digest {
        let mut hasher = Sha256::new();
        hasher.update(b"spean event 1");
        hasher.update(previous.0);
        let metadata = &self.metadata;
        for number in [self.position, self.version, metadata.recorded_at.as_micros()] {
            hasher.update(number.to_be_bytes());
        }
        let texts = [&self.category, &self.id, &self.event_type, &self.payload];
        for bytes in texts.map(String::as_bytes) {
            field(&mut hasher, Some(bytes));
        }
        field(&mut hasher, metadata.command_id.map(|id| id.to_string()).as_deref().map(str::as_bytes));
        field(&mut hasher, metadata.request_digest.as_ref().map(|digest| &digest.0[..]));
        field(&mut hasher, Some(metadata.office.as_str().as_bytes()));
        field(&mut hasher, metadata.staff.as_ref().map(|staff| staff.as_str().as_bytes()));
        field(&mut hasher, metadata.occurred_on.map(|date| date.to_string()).as_deref().map(str::as_bytes));
        field(&mut hasher, metadata.trace.as_deref().map(str::as_bytes));
        Digest(hasher.finalize().into())
    }

    /// Reads a row of [`COLUMNS`].
    pub(crate) fn from_row(row: &AnyRow) -> Result<Self, StoreError> {
        let position = row.try_get(0)?;
        let unreadable = StoreError::Unreadable { position };
        let Some(metadata) = metadata_from_row(row)? else { return Err(unreadable) };
        let Some(hash) = Digest::from_column(row.try_get::<&[u8], _>(13)?) else { return Err(unreadable) };
        Ok(Self {
            position,
            category: row.try_get(1)?,
            id: row.try_get(2)?,
            version: row.try_get(3)?,
            event_type: row.try_get(4)?,
            payload: row.try_get(5)?,
            metadata,
            hash,
        })
    }
}

fn field(hasher: &mut Sha256, bytes: Option<&[u8]>) {
    let length = bytes.map_or(u64::MAX, |bytes| bytes.len() as u64);
    hasher.update(length.to_be_bytes());
    hasher.update(bytes.unwrap_or_default());
}

/// None when a value is stored that this program does not understand.
fn metadata_from_row(row: &AnyRow) -> Result<Option<Metadata>, sqlx::Error> {
    let command_id: Option<&str> = row.try_get(6)?;
    let request_digest: Option<&[u8]> = row.try_get(7)?;
    let office: &str = row.try_get(8)?;
    let staff: Option<&str> = row.try_get(9)?;
    let occurred_on: Option<&str> = row.try_get(11)?;
    let recorded_at = Timestamp::from_micros(row.try_get(10)?);
    let trace = row.try_get(12)?;
    let parse = || {
        Some(Metadata {
            command_id: command_id.map(str::parse).transpose().ok()?,
            request_digest: match request_digest {
                Some(bytes) => Some(Digest::from_column(bytes)?),
                None => None,
            },
            office: office.parse().ok()?,
            staff: staff.map(str::parse).transpose().ok()?,
            recorded_at,
            occurred_on: occurred_on.map(str::parse).transpose().ok()?,
            trace,
        })
    };
    Ok(parse())
}
