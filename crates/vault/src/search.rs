//! Everybody at once, for finding people who are registered twice. No index of names is ever written: they are compared
//! in memory, and whoever asks does not keep them.

use spean_vocabulary::{PersonId, Timestamp};
use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::cipher::Key;
use crate::vault::{key_place, malformed, open_part, part_place};
use crate::{Contact, Identity, Part, Reader, Vault, VaultError};

const EVERYBODY: &str = "select person_key.person_id, wrapped, identity.version, identity.sealed,
        contact.version as contact_version, contact.sealed as contact_sealed
     from person_key
     join sealed_part identity on identity.person_id = person_key.person_id and identity.part = 'identity'
     left join sealed_part contact on contact.person_id = person_key.person_id and contact.part = 'contact'
     order by person_key.person_id";

impl Vault {
    /// What `work` makes of everybody's identity and contact, for finding duplicates. One search is recorded, see
    /// [`Vault::searches`]; whoever then shows somebody's data reads them with [`Vault::get`].
    ///
    /// Opening and comparing thousands of people takes long, so it is done where it holds up nobody else.
    ///
    /// # Errors
    /// When a row does not open, or the database fails.
    pub async fn search<T: Send + 'static>(
        &self,
        reader: &Reader,
        now: Timestamp,
        work: impl FnOnce(Vec<(PersonId, Identity, Option<Contact>)>) -> T + Send + 'static,
    ) -> Result<T, VaultError> {
        let mut transaction = self.database.begin().await?;
        let rows = sqlx::query(EVERYBODY).fetch_all(&mut *transaction).await?;
        self.record_search(&mut transaction, reader, now).await?;
        transaction.commit().await?;
        let vault_key = self.vault_key.clone();
        let search = tokio::task::spawn_blocking(move || {
            let people: Result<_, VaultError> = rows.iter().map(|row| open(&vault_key, row)).collect();
            Ok(work(people?))
        });
        match search.await.map_err(tokio::task::JoinError::try_into_panic) {
            Ok(found) => found,
            Err(Ok(fault)) => std::panic::resume_unwind(fault),
            // The process is ending, and with it whoever waits here.
            Err(Err(_)) => std::future::pending().await,
        }
    }
}

fn open(vault_key: &Key, row: &AnyRow) -> Result<(PersonId, Identity, Option<Contact>), VaultError> {
    let person = row.try_get::<String, _>("person_id")?.parse().map_err(malformed)?;
    let key = vault_key.unwrap(&row.try_get::<Vec<u8>, _>("wrapped")?, &key_place(person))?;
    let contact = match row.try_get::<Option<Vec<u8>>, _>("contact_sealed")? {
        None => None,
        Some(sealed) => {
            let place = part_place(person, Part::Contact, row.try_get("contact_version")?);
            Some(serde_json::from_slice(&key.open(&sealed, &place)?).map_err(|_| VaultError::Damaged)?)
        }
    };
    Ok((person, open_part(&key, person, row)?, contact))
}
