//! Papers and photographs of a person, each sealed with the person's key.

use spean_vocabulary::{AttachmentId, PersonId, Timestamp};
use sqlx::Row as _;
use zeroize::Zeroizing;

use crate::Reader;
use crate::vault::{Vault, VaultError};

/// The largest attachment, in bytes: 5 MiB, which a photograph of a paper by telephone fits into.
pub const LARGEST_ATTACHMENT_BYTES: usize = 5 * 1024 * 1024;

/// What a reading of an attachment is called on record.
const WHAT: &str = "attachment";

impl Vault {
    /// Keeps a file of a person. The first content of an id stays: keeping it again does nothing.
    ///
    /// # Errors
    /// [`VaultError::TooLarge`] beyond [`LARGEST_ATTACHMENT_BYTES`], or when the database fails.
    pub async fn keep_attachment(
        &self,
        person: PersonId,
        attachment: AttachmentId,
        content: &[u8],
        now: Timestamp,
    ) -> Result<(), VaultError> {
        if content.len() > LARGEST_ATTACHMENT_BYTES {
            return Err(VaultError::TooLarge);
        }
        let mut transaction = self.database.begin().await?;
        let key = self.key_or_new(&mut transaction, person, now).await?;
        sqlx::query(
            "insert into attachment (person_id, attachment_id, sealed, kept_at) values ($1, $2, $3, $4)
             on conflict (person_id, attachment_id) do nothing",
        )
        .bind(person.to_string())
        .bind(attachment.to_string())
        .bind(key.seal(content, &place(person, attachment)))
        .bind(now.as_micros())
        .execute(&mut *transaction)
        .await?;
        Ok(transaction.commit().await?)
    }

    /// A file of a person; none when it was never kept, was discarded, or the person was erased. The reading is on
    /// record before the answer is given.
    ///
    /// # Errors
    /// When the row does not open, or the database fails.
    pub async fn attachment(
        &self,
        person: PersonId,
        attachment: AttachmentId,
        reader: &Reader,
        now: Timestamp,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, VaultError> {
        let mut transaction = self.database.begin().await?;
        let Some(key) = self.key(&mut transaction, person).await? else { return Ok(None) };
        let row = sqlx::query("select sealed from attachment where person_id = $1 and attachment_id = $2")
            .bind(person.to_string())
            .bind(attachment.to_string())
            .fetch_optional(&mut *transaction)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let content = key.open(&row.try_get::<Vec<u8>, _>("sealed")?, &place(person, attachment))?;
        Self::record_reading(&mut transaction, person, &key, WHAT, reader, now).await?;
        transaction.commit().await?;
        Ok(Some(content))
    }

    /// Deletes a file. Deleting what is not there does nothing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn discard_attachment(&self, person: PersonId, attachment: AttachmentId) -> Result<(), VaultError> {
        let mut transaction = self.database.begin().await?;
        sqlx::query("delete from attachment where person_id = $1 and attachment_id = $2")
            .bind(person.to_string())
            .bind(attachment.to_string())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        self.database.forget_deleted().await
    }
}

fn place(person: PersonId, attachment: AttachmentId) -> String {
    format!("attachment|{person}|{attachment}")
}
