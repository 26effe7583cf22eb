//! The record of who read what of whom, and why.

use std::fmt;

use spean_vocabulary::{OfficeId, PersonId, StaffId, Timestamp};
use sqlx::{AnyConnection, Row as _};

use crate::cipher::Key;
use crate::vault::{Vault, VaultError, malformed};

/// The subject of a reading that went through everybody: a search for duplicates.
const EVERYBODY: &str = "*";

/// Who reads, and why.
#[derive(Clone, PartialEq, Eq)]
pub struct Reader {
    /// Who.
    pub staff: StaffId,
    /// For which office.
    pub office: OfficeId,
    /// Why, in a line. It may name the person, so it is sealed like their data and erased with them.
    pub purpose: String,
}

impl fmt::Debug for Reader {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Reader({} of {}, ..)", self.staff, self.office)
    }
}

/// That somebody read something.
#[derive(Clone, PartialEq, Eq)]
pub struct Reading {
    /// Who.
    pub staff: StaffId,
    /// For which office.
    pub office: OfficeId,
    /// What: the name of a part, `dossier`, or `search`.
    pub what: String,
    /// Why; none once the person was erased.
    pub purpose: Option<String>,
    /// When.
    pub read_at: Timestamp,
}

impl fmt::Debug for Reading {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Reading({} by {} of {} at {}, ..)", self.what, self.staff, self.office, self.read_at)
    }
}

impl Vault {
    /// Who read what of this person, in the order in which they did. It outlives the person's data.
    pub async fn readings(&self, person: PersonId) -> Result<Vec<Reading>, VaultError> {
        let mut transaction = self.database.begin().await?;
        let key = self.key(&mut transaction, person).await?;
        readings(&mut transaction, &person.to_string(), key.as_ref()).await
    }

    /// Who went through everybody, with [`Vault::identities`].
    pub async fn searches(&self) -> Result<Vec<Reading>, VaultError> {
        let mut transaction = self.database.begin().await?;
        readings(&mut transaction, EVERYBODY, Some(&self.vault_key)).await
    }

    pub(crate) async fn record_reading(
        connection: &mut AnyConnection,
        person: PersonId,
        key: &Key,
        what: &str,
        reader: &Reader,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        record(connection, &person.to_string(), key, what, reader, now).await
    }

    pub(crate) async fn record_search(
        &self,
        connection: &mut AnyConnection,
        reader: &Reader,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        record(connection, EVERYBODY, &self.vault_key, "search", reader, now).await
    }
}

async fn record(
    connection: &mut AnyConnection,
    subject: &str,
    key: &Key,
    what: &str,
    reader: &Reader,
    now: Timestamp,
) -> Result<(), VaultError> {
    let number: i64 = sqlx::query("select coalesce(max(number), 0) + 1 from reading where subject = $1")
        .bind(subject)
        .fetch_one(&mut *connection)
        .await?
        .try_get(0)?;
    sqlx::query(
        "insert into reading (subject, number, staff, office, what, purpose, read_at)
         values ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(subject)
    .bind(number)
    .bind(reader.staff.as_str())
    .bind(reader.office.as_str())
    .bind(what)
    .bind(key.seal(reader.purpose.as_bytes(), &place(subject, number)))
    .bind(now.as_micros())
    .execute(connection)
    .await?;
    Ok(())
}

async fn readings(
    connection: &mut AnyConnection,
    subject: &str,
    key: Option<&Key>,
) -> Result<Vec<Reading>, VaultError> {
    let rows = sqlx::query(
        "select number, staff, office, what, purpose, read_at from reading where subject = $1 order by number",
    )
    .bind(subject)
    .fetch_all(connection)
    .await?;
    let reading = |row: &sqlx::any::AnyRow| {
        let place = place(subject, row.try_get("number")?);
        let sealed: Vec<u8> = row.try_get("purpose")?;
        let purpose = key.and_then(|key| key.open(&sealed, &place).ok());
        Ok(Reading {
            staff: row.try_get::<String, _>("staff")?.parse().map_err(malformed)?,
            office: row.try_get::<String, _>("office")?.parse().map_err(malformed)?,
            what: row.try_get("what")?,
            purpose: purpose.map(|purpose| String::from_utf8_lossy(&purpose).into_owned()),
            read_at: Timestamp::from_micros(row.try_get("read_at")?),
        })
    };
    rows.iter().map(reading).collect()
}

fn place(subject: &str, number: i64) -> String {
    format!("reading|{subject}|{number}")
}
