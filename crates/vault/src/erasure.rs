//! Erasing a person.

use spean_vocabulary::PersonId;

use crate::vault::{Vault, VaultError};

impl Vault {
    /// Destroys the key of a person, and deletes what it sealed: parts, dossiers, sections, attachments,
    /// the purposes of readings. That they
    /// were read, when and by whom, stays on record. Erasing again, or somebody unknown, does nothing.
    pub async fn erase(&self, person: PersonId) -> Result<(), VaultError> {
        let mut transaction = self.database.begin().await?;
        for statement in [
            "delete from sealed_part where person_id = $1",
            "delete from dossier where person_id = $1",
            "delete from file_section where person_id = $1",
            "delete from history_section where person_id = $1",
            "delete from attachment where person_id = $1",
            "delete from person_key where person_id = $1",
        ] {
            sqlx::query(statement).bind(person.to_string()).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        self.database.forget_deleted().await
    }
}
