//! The vault: parts of people, put in and taken out.

use std::fmt;

use spean_identity::NodeKeys;
use spean_vocabulary::{Malformed, PersonId, Timestamp};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row as _};
use zeroize::Zeroizing;

use crate::cipher::{DoesNotOpen, Key};
use crate::database::Database;
use crate::{Contact, Identity, Narrative, Part, Personal, Reader};

pub(crate) const MARK: &str = "vault_mark";

/// The personal data of one node. Share it behind an `Arc`: all services of the process use one.
pub struct Vault {
    pub(crate) database: Database,
    pub(crate) vault_key: Key,
}

/// What is known of a person, to be kept in one step. A part that is not given stays as it is.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'p> {
    /// Whose parts they are.
    pub person: PersonId,
    /// Who it is.
    pub identity: &'p Identity,
    /// How and where they are reached.
    pub contact: Option<&'p Contact>,
    /// What was told.
    pub narrative: Option<&'p Narrative>,
}

/// Why the vault does not answer. Says nothing of anybody.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The URL is neither `sqlite://<path>` nor `postgres://…`.
    #[error("the vault's url must begin with sqlite:// and a path, or with postgres://")]
    Url,
    /// The vault was made with the keys of another node.
    #[error("this vault belongs to other keys")]
    OtherKeys,
    /// A row was changed, was put in the place of another, or is of a newer version.
    #[error("a row of the vault does not open")]
    Damaged,
    /// A section or an attachment that is larger than the vault takes.
    #[error("this is larger than the vault takes")]
    TooLarge,
    /// The database refused.
    #[error("the vault's database cannot be used")]
    Database(#[from] sqlx::Error),
}

impl From<DoesNotOpen> for VaultError {
    fn from(DoesNotOpen: DoesNotOpen) -> Self {
        Self::Damaged
    }
}

pub(crate) fn malformed(_: Malformed) -> VaultError {
    VaultError::Damaged
}

impl fmt::Debug for Vault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Vault(..)")
    }
}

impl Vault {
    /// Opens the vault of a node, and makes it if it is not there: `sqlite:///…/vault.sqlite`, or the schema `vault`
    /// of a `PostgreSQL` database.
    ///
    /// # Errors
    /// When the database cannot be reached, or was made with other keys.
    pub async fn open(url: &str, keys: &NodeKeys) -> Result<Self, VaultError> {
        let vault = Self { database: Database::open(url).await?, vault_key: Key::of_vault(keys) };
        let mut transaction = vault.database.begin().await?;
        let mark = sqlx::query("select sealed from vault_mark").fetch_optional(&mut *transaction).await?;
        if let Some(mark) = mark {
            let sealed: Vec<u8> = mark.try_get(0)?;
            vault.vault_key.open(&sealed, MARK).map_err(|DoesNotOpen| VaultError::OtherKeys)?;
        } else {
            let insert = sqlx::query("insert into vault_mark (one, sealed) values (1, $1)");
            insert.bind(vault.vault_key.seal(b"", MARK)).execute(&mut *transaction).await?;
            transaction.commit().await?;
        }
        Ok(vault)
    }

    /// Keeps a part of a person, in the place of what was known before.
    pub async fn put<T: Personal>(&self, person: PersonId, content: &T, now: Timestamp) -> Result<(), VaultError> {
        let mut transaction = self.database.begin().await?;
        self.put_within(&mut transaction, person, content, now).await?;
        Ok(transaction.commit().await?)
    }

    /// Keeps what is known of several people in one step: all of it or nothing, with one wait for the disk.
    pub async fn put_people(&self, people: &[Parts<'_>], now: Timestamp) -> Result<(), VaultError> {
        let mut transaction = self.database.begin().await?;
        for &Parts { person, identity, contact, narrative } in people {
            self.put_within(&mut transaction, person, identity, now).await?;
            if let Some(contact) = contact {
                self.put_within(&mut transaction, person, contact, now).await?;
            }
            if let Some(narrative) = narrative {
                self.put_within(&mut transaction, person, narrative, now).await?;
            }
        }
        Ok(transaction.commit().await?)
    }

    /// A part of a person, if there is one. The reading is on record before the answer is given.
    pub async fn get<T: Personal>(
        &self,
        person: PersonId,
        reader: &Reader,
        now: Timestamp,
    ) -> Result<Option<T>, VaultError> {
        Ok(self.get_many(&[person], reader, now).await?.pop().map(|(_, content)| content))
    }

    /// The same part of several people, for a list, in their order; people without it are left out. Every one of the
    /// readings is recorded.
    pub async fn get_many<T: Personal>(
        &self,
        people: &[PersonId],
        reader: &Reader,
        now: Timestamp,
    ) -> Result<Vec<(PersonId, T)>, VaultError> {
        let mut transaction = self.database.begin().await?;
        let mut found = Vec::new();
        for &person in people {
            let Some(key) = self.key(&mut transaction, person).await? else { continue };
            let row = sqlx::query("select version, sealed from sealed_part where person_id = $1 and part = $2")
                .bind(person.to_string())
                .bind(T::PART.to_string())
                .fetch_optional(&mut *transaction)
                .await?;
            let Some(row) = row else { continue };
            let content = open_part(&key, person, &row)?;
            Self::record_reading(&mut transaction, person, &key, T::PART.into(), reader, now).await?;
            found.push((person, content));
        }
        transaction.commit().await?;
        Ok(found)
    }

    /// Changes a part of a person in one step: nobody else writes it between the look and the change. `change` is given
    /// what is there and answers what is to be there; none leaves it as it is. The look is recorded as a reading.
    ///
    /// # Errors
    /// When a row does not open, or the database fails.
    pub async fn revise<T: Personal>(
        &self,
        person: PersonId,
        reader: &Reader,
        now: Timestamp,
        change: impl FnOnce(Option<T>) -> Option<T> + Send,
    ) -> Result<(), VaultError> {
        let mut transaction = self.database.begin().await?;
        let key = self.key_or_new(&mut transaction, person, now).await?;
        let row = sqlx::query("select version, sealed from sealed_part where person_id = $1 and part = $2")
            .bind(person.to_string())
            .bind(T::PART.to_string())
            .fetch_optional(&mut *transaction)
            .await?;
        let present = row.as_ref().map(|row| open_part(&key, person, row)).transpose()?;
        if present.is_some() {
            Self::record_reading(&mut transaction, person, &key, T::PART.into(), reader, now).await?;
        }
        if let Some(content) = change(present) {
            self.put_within(&mut transaction, person, &content, now).await?;
        }
        Ok(transaction.commit().await?)
    }

    pub(crate) async fn put_within<T: Personal>(
        &self,
        connection: &mut AnyConnection,
        person: PersonId,
        content: &T,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        let key = self.key_or_new(connection, person, now).await?;
        let version: i64 =
            sqlx::query("select coalesce(max(version), 0) + 1 from sealed_part where person_id = $1 and part = $2")
                .bind(person.to_string())
                .bind(T::PART.to_string())
                .fetch_one(&mut *connection)
                .await?
                .try_get(0)?;
        let text = serde_json::to_vec(content).map(Zeroizing::new).map_err(|_| VaultError::Damaged)?;
        sqlx::query(
            "insert into sealed_part (person_id, part, version, sealed, recorded_at) values ($1, $2, $3, $4, $5)
             on conflict (person_id, part) do update
             set version = excluded.version, sealed = excluded.sealed, recorded_at = excluded.recorded_at",
        )
        .bind(person.to_string())
        .bind(T::PART.to_string())
        .bind(version)
        .bind(key.seal(&text, &part_place(person, T::PART, version)))
        .bind(now.as_micros())
        .execute(connection)
        .await?;
        Ok(())
    }

    /// The person's key; none when nothing was ever kept of them, or they were erased.
    pub(crate) async fn key(
        &self,
        connection: &mut AnyConnection,
        person: PersonId,
    ) -> Result<Option<Key>, VaultError> {
        let row = sqlx::query("select wrapped from person_key where person_id = $1")
            .bind(person.to_string())
            .fetch_optional(connection)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let wrapped: Vec<u8> = row.try_get(0)?;
        Ok(Some(self.vault_key.unwrap(&wrapped, &key_place(person))?))
    }

    pub(crate) async fn key_or_new(
        &self,
        connection: &mut AnyConnection,
        person: PersonId,
        now: Timestamp,
    ) -> Result<Key, VaultError> {
        if let Some(key) = self.key(connection, person).await? {
            return Ok(key);
        }
        let key = Key::draw();
        sqlx::query("insert into person_key (person_id, wrapped, created_at) values ($1, $2, $3)")
            .bind(person.to_string())
            .bind(self.vault_key.wrap(&key, &key_place(person)))
            .bind(now.as_micros())
            .execute(connection)
            .await?;
        Ok(key)
    }
}

pub(crate) fn open_part<T: Personal>(key: &Key, person: PersonId, row: &AnyRow) -> Result<T, VaultError> {
    let sealed: Vec<u8> = row.try_get("sealed")?;
    let text = key.open(&sealed, &part_place(person, T::PART, row.try_get("version")?))?;
    serde_json::from_slice(&text).map_err(|_| VaultError::Damaged)
}

pub(crate) fn key_place(person: PersonId) -> String {
    format!("key|{person}")
}

pub(crate) fn part_place(person: PersonId, part: Part, version: i64) -> String {
    format!("part|{person}|{part}|{version}")
}
