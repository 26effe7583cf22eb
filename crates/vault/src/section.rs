//! What each service knows of a person, put down for whoever holds the case next.
//!
//! A service keeps one section for each part of the file that consent speaks of: what happened to the person and what was
//! done for them is tagged as narrative, what concerns their health as health. A section travels under the same consent
//! as the part that it is tagged with, and no further.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};
use spean_vocabulary::{OfficeId, Part, PersonId, Service, Timestamp};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row as _};
use zeroize::Zeroizing;

use crate::Reader;
use crate::cipher::Key;
use crate::vault::{Vault, VaultError, malformed};

/// The largest section, in bytes of JSON: 64 KiB, so that those of all services fit into a dossier.
pub const LARGEST_SECTION_BYTES: usize = 64 * 1024;

/// What a reading of sections is called on record.
const WHAT: &str = "sections";

/// What a service of this node keeps of a person.
#[derive(Clone, PartialEq, Eq)]
pub struct FileSection {
    /// The service.
    pub service: Service,
    /// The part of the file that consent must cover for it to travel.
    pub part: Part,
    /// JSON: codes, dates and words.
    pub json: String,
    /// When it was written.
    pub written_at: Timestamp,
}

/// What an earlier holder kept of a person, as it came along.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistorySection {
    /// The office that wrote it.
    pub origin: OfficeId,
    /// The service that wrote it.
    pub service: Service,
    /// The part of the file under which it travels.
    pub part: Part,
    /// JSON: codes, dates and words.
    pub json: String,
    /// When it was written.
    pub written_at: Timestamp,
    /// When it came here; meaningless on its way.
    #[serde(skip)]
    pub received_at: Timestamp,
}

impl fmt::Debug for FileSection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "FileSection({} as {}, ..)", self.service, self.part)
    }
}

impl fmt::Debug for HistorySection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "HistorySection({} as {} by {}, ..)", self.service, self.part, self.origin)
    }
}

impl Vault {
    /// Keeps what a service knows of a person, in the place of what it kept before under the same part. The answer is
    /// whether it was kept: of somebody who was erased, or of whom nothing was ever known here, nothing is.
    ///
    /// # Errors
    /// [`VaultError::TooLarge`] beyond [`LARGEST_SECTION_BYTES`], or when the database fails.
    pub async fn keep_section(
        &self,
        person: PersonId,
        service: Service,
        part: Part,
        json: &str,
        now: Timestamp,
    ) -> Result<bool, VaultError> {
        if json.len() > LARGEST_SECTION_BYTES {
            return Err(VaultError::TooLarge);
        }
        let mut transaction = self.database.begin().await?;
        let Some(key) = self.key(&mut transaction, person).await? else { return Ok(false) };
        sqlx::query(
            "insert into file_section (person_id, service, part, sealed, written_at) values ($1, $2, $3, $4, $5)
             on conflict (person_id, service, part) do update
             set sealed = excluded.sealed, written_at = excluded.written_at",
        )
        .bind(person.to_string())
        .bind(service.to_string())
        .bind(part.to_string())
        .bind(key.seal(json.as_bytes(), &own_place(person, service, part)))
        .bind(now.as_micros())
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// What the services of this node keep of a person. The reading is on record before the answer is given; where
    /// there is nothing, nothing was read.
    ///
    /// # Errors
    /// When a row does not open, or the database fails.
    pub async fn sections(
        &self,
        person: PersonId,
        reader: &Reader,
        now: Timestamp,
    ) -> Result<Vec<FileSection>, VaultError> {
        let mut transaction = self.database.begin().await?;
        let Some(key) = self.key(&mut transaction, person).await? else { return Ok(vec![]) };
        let rows = sqlx::query(
            "select service, part, sealed, written_at from file_section where person_id = $1 order by service, part",
        )
        .bind(person.to_string())
        .fetch_all(&mut *transaction)
        .await?;
        let sections = rows.iter().map(|row| own(&key, person, row)).collect::<Result<Vec<_>, _>>()?;
        if !sections.is_empty() {
            Self::record_reading(&mut transaction, person, &key, WHAT, reader, now).await?;
            transaction.commit().await?;
        }
        Ok(sections)
    }

    /// What earlier holders kept of a person, as it came with dossiers: the latest of each, the newest first. Recorded
    /// like [`Vault::sections`].
    ///
    /// # Errors
    /// When a row does not open, or the database fails.
    pub async fn history_sections(
        &self,
        person: PersonId,
        reader: &Reader,
        now: Timestamp,
    ) -> Result<Vec<HistorySection>, VaultError> {
        let mut transaction = self.database.begin().await?;
        let Some(key) = self.key(&mut transaction, person).await? else { return Ok(vec![]) };
        let rows = sqlx::query(
            "select origin_office, service, part, sealed, written_at, received_at from history_section
             where person_id = $1 order by written_at desc, origin_office, service, part",
        )
        .bind(person.to_string())
        .fetch_all(&mut *transaction)
        .await?;
        let sections = rows.iter().map(|row| history(&key, person, row)).collect::<Result<Vec<_>, _>>()?;
        if !sections.is_empty() {
            Self::record_reading(&mut transaction, person, &key, WHAT, reader, now).await?;
            transaction.commit().await?;
        }
        Ok(sections)
    }

    /// What may travel of a person to another office: our own sections, then those of earlier holders, the newest
    /// first.
    pub(crate) async fn travelling_sections(
        &self,
        person: PersonId,
        parts: &BTreeSet<Part>,
        origin: &OfficeId,
        reader: &Reader,
        now: Timestamp,
    ) -> Result<Vec<HistorySection>, VaultError> {
        let own = self.sections(person, reader, now).await?.into_iter().map(|section| HistorySection {
            origin: origin.clone(),
            service: section.service,
            part: section.part,
            json: section.json,
            written_at: section.written_at,
            received_at: now,
        });
        let mut sections: Vec<_> = own.collect();
        let known: BTreeSet<_> = sections.iter().map(|own| (own.origin.clone(), own.service, own.part)).collect();
        let earlier = self.history_sections(person, reader, now).await?;
        // An office that held the case before writes its own section anew; what came back of it is older.
        let earlier = earlier.into_iter().filter(|it| !known.contains(&(it.origin.clone(), it.service, it.part)));
        sections.extend(earlier);
        sections.retain(|section| parts.contains(&section.part));
        Ok(sections)
    }

    pub(crate) async fn adopt_section(
        connection: &mut AnyConnection,
        key: &Key,
        person: PersonId,
        section: &HistorySection,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        // Letters may arrive late: what is older than what is here says nothing new.
        sqlx::query(
            "insert into history_section (person_id, origin_office, service, part, sealed, written_at, received_at)
             values ($1, $2, $3, $4, $5, $6, $7)
             on conflict (person_id, origin_office, service, part) do update
             set sealed = excluded.sealed, written_at = excluded.written_at, received_at = excluded.received_at
             where excluded.written_at > history_section.written_at",
        )
        .bind(person.to_string())
        .bind(section.origin.to_string())
        .bind(section.service.to_string())
        .bind(section.part.to_string())
        .bind(key.seal(section.json.as_bytes(), &history_place(person, &section.origin, section.service, section.part)))
        .bind(section.written_at.as_micros())
        .bind(now.as_micros())
        .execute(connection)
        .await?;
        Ok(())
    }
}

fn own(key: &Key, person: PersonId, row: &AnyRow) -> Result<FileSection, VaultError> {
    let (service, part) = tag(row)?;
    Ok(FileSection {
        service,
        part,
        json: text(key, row, &own_place(person, service, part))?,
        written_at: Timestamp::from_micros(row.try_get("written_at")?),
    })
}

fn history(key: &Key, person: PersonId, row: &AnyRow) -> Result<HistorySection, VaultError> {
    let (service, part) = tag(row)?;
    let origin: OfficeId = row.try_get::<String, _>("origin_office")?.parse().map_err(malformed)?;
    Ok(HistorySection {
        json: text(key, row, &history_place(person, &origin, service, part))?,
        origin,
        service,
        part,
        written_at: Timestamp::from_micros(row.try_get("written_at")?),
        received_at: Timestamp::from_micros(row.try_get("received_at")?),
    })
}

fn tag(row: &AnyRow) -> Result<(Service, Part), VaultError> {
    let service = row.try_get::<String, _>("service")?.parse().map_err(|_| VaultError::Damaged)?;
    let part = row.try_get::<String, _>("part")?.parse().map_err(|_| VaultError::Damaged)?;
    Ok((service, part))
}

fn text(key: &Key, row: &AnyRow, place: &str) -> Result<String, VaultError> {
    let opened: Zeroizing<Vec<u8>> = key.open(&row.try_get::<Vec<u8>, _>("sealed")?, place)?;
    String::from_utf8(opened.to_vec()).map_err(|_| VaultError::Damaged)
}

fn own_place(person: PersonId, service: Service, part: Part) -> String {
    format!("section|{person}|{service}|{part}")
}

fn history_place(person: PersonId, origin: &OfficeId, service: Service, part: Part) -> String {
    format!("history|{person}|{origin}|{service}|{part}")
}
