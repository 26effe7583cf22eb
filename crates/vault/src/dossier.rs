//! What of a person's file goes to another agency with a referral.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};
use spean_identity::{NodeKeys, SealError, digest, open, seal};
use spean_vocabulary::{CaseId, OfferId, OfficeId, PersonId, Timestamp};
use sqlx::Row as _;
use strum::{Display, EnumString};
use zeroize::Zeroizing;

use crate::vault::{Vault, VaultError};
use crate::{Contact, Health, HistorySection, Identity, Narrative, Part, Reader};

const PURPOSE: &[u8] = b"spean dossier v1";

/// The largest dossier, in bytes of JSON: 256 KiB, so that it fits into a letter with room to spare.
const LARGEST_BYTES: usize = 256 * 1024;

/// The parts of a file that consent allows, ready to travel.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dossier {
    /// The case it belongs to.
    pub case: CaseId,
    /// The person; keeps their id in the other vault.
    pub person: PersonId,
    /// Who they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<Identity>,
    /// How to reach them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<Contact>,
    /// What happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub narrative: Option<Narrative>,
    /// Health.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<Health>,
    /// What the services of this holder and of earlier ones know, under the parts that may travel.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sections: Vec<HistorySection>,
    /// How many sections had to stay behind, because the dossier would be too large to travel: the oldest first.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub sections_left_behind: u32,
    /// What the referring office adds for the receiver.
    #[serde(default)]
    pub note: String,
    /// When it was put together: as old as this are the data.
    pub prepared_at: Timestamp,
}

impl fmt::Debug for Dossier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Dossier(case {}, {:?}, ..)", self.case, self.parts())
    }
}

/// Which way a dossier went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Display, EnumString)]
#[strum(serialize_all = "snake_case")]
pub enum Direction {
    /// Made here, sealed to another node: we keep it to send it again, and cannot open it.
    Out,
    /// Sealed to us.
    In,
}

/// Why a dossier cannot be made or opened.
#[derive(Debug, thiserror::Error)]
pub enum DossierError {
    /// Larger than 256 KiB.
    #[error("the dossier is too large to travel")]
    TooLarge,
    /// Sealed to somebody else, for another offer or other offices, or changed; or the receiver's key is malformed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// It opens, but is not a dossier that this version can read.
    #[error("the dossier cannot be read")]
    Malformed,
    /// The vault refused.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

impl Dossier {
    /// Takes the chosen parts out of the vault; parts that are not known are left out. Each part counts as read by
    /// `reader`.
    pub async fn compose(
        vault: &Vault,
        case: CaseId,
        person: PersonId,
        parts: &BTreeSet<Part>,
        note: String,
        reader: &Reader,
        now: Timestamp,
    ) -> Result<Self, VaultError> {
        let mut dossier = Self {
            case,
            person,
            identity: None,
            contact: None,
            narrative: None,
            health: None,
            sections: vec![],
            sections_left_behind: 0,
            note,
            prepared_at: now,
        };
        for part in parts {
            match part {
                Part::Identity => dossier.identity = vault.get(person, reader, now).await?,
                Part::Contact => dossier.contact = vault.get(person, reader, now).await?,
                Part::Narrative => dossier.narrative = vault.get(person, reader, now).await?,
                Part::Health => dossier.health = vault.get(person, reader, now).await?,
            }
        }
        Ok(dossier)
    }

    /// Adds what the services know, and what earlier holders knew, under the parts that consent covers. What would make
    /// the dossier too large to travel stays behind and is counted: nobody waits for help because their history is long.
    ///
    /// # Errors
    /// When a row does not open, or the database fails.
    pub async fn add_sections(
        &mut self,
        vault: &Vault,
        parts: &BTreeSet<Part>,
        origin: &OfficeId,
        reader: &Reader,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        self.sections = vault.travelling_sections(self.person, parts, origin, reader, now).await?;
        while !self.sections.is_empty() && self.bytes()?.len() > LARGEST_BYTES {
            self.sections.pop();
            self.sections_left_behind += 1;
        }
        Ok(())
    }

    fn bytes(&self) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        serde_json::to_vec(self).map(Zeroizing::new).map_err(|_| VaultError::Damaged)
    }

    /// The parts that are in it.
    pub fn parts(&self) -> BTreeSet<Part> {
        let identity = self.identity.as_ref().map(|_| Part::Identity);
        let contact = self.contact.as_ref().map(|_| Part::Contact);
        let narrative = self.narrative.as_ref().map(|_| Part::Narrative);
        let health = self.health.as_ref().map(|_| Part::Health);
        [identity, contact, narrative, health].into_iter().flatten().collect()
    }

    /// Seals it to the node of the receiving office ([`spean_identity::PublicKeys::sealing`]), for this offer between
    /// these offices and no other. The second value is the SHA-256 of the sealed bytes, for the signed letter.
    pub fn seal_for(
        &self,
        recipient_sealing_public: &str,
        offer: OfferId,
        from: &OfficeId,
        to: &OfficeId,
    ) -> Result<(Vec<u8>, [u8; 32]), DossierError> {
        let text = self.bytes()?;
        if text.len() > LARGEST_BYTES {
            return Err(DossierError::TooLarge);
        }
        let sealed = seal(recipient_sealing_public, PURPOSE, &circumstances(offer, from, to), &text)?;
        let digest = digest(&sealed);
        Ok((sealed, digest))
    }

    /// Opens what was sealed to this node for this offer between these offices.
    pub fn open(
        keys: &NodeKeys,
        offer: OfferId,
        from: &OfficeId,
        to: &OfficeId,
        sealed: &[u8],
    ) -> Result<Self, DossierError> {
        let text = open(keys, PURPOSE, &circumstances(offer, from, to), sealed)?;
        serde_json::from_slice(&text).map_err(|_| DossierError::Malformed)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
const fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// Codes and ids hold no bar, so no two circumstances read alike.
fn circumstances(offer: OfferId, from: &OfficeId, to: &OfficeId) -> Vec<u8> {
    format!("{offer}|{from}|{to}").into_bytes()
}

impl Vault {
    /// The digest of the dossier that is kept for an offer; none when there is none.
    pub async fn dossier_digest(&self, offer: OfferId, direction: Direction) -> Result<Option<[u8; 32]>, VaultError> {
        Ok(self.sealed_dossier(offer, direction).await?.map(|sealed| digest(&sealed)))
    }

    /// Keeps a sealed dossier as it is, under the key of the person it is about, so that erasing them erases it. Keeping
    /// another one for the same offer and direction replaces it. The answer is the SHA-256 of the sealed bytes.
    pub async fn keep_dossier(
        &self,
        offer: OfferId,
        direction: Direction,
        person: PersonId,
        sealed: &[u8],
        now: Timestamp,
    ) -> Result<[u8; 32], VaultError> {
        let mut transaction = self.database.begin().await?;
        let key = self.key_or_new(&mut transaction, person, now).await?;
        let digest = digest(sealed);
        sqlx::query(
            "insert into dossier (offer_id, direction, person_id, sealed, digest, kept_at)
             values ($1, $2, $3, $4, $5, $6)
             on conflict (offer_id, direction) do update
             set person_id = excluded.person_id, sealed = excluded.sealed, digest = excluded.digest,
                 kept_at = excluded.kept_at",
        )
        .bind(offer.to_string())
        .bind(direction.to_string())
        .bind(person.to_string())
        .bind(key.seal(sealed, &dossier_place(offer, direction)))
        .bind(digest.to_vec())
        .bind(now.as_micros())
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(digest)
    }

    /// A dossier as it was kept, still sealed: to send it again, or to open it. None when it was never kept, was
    /// discarded, or the person was erased.
    pub async fn sealed_dossier(&self, offer: OfferId, direction: Direction) -> Result<Option<Vec<u8>>, VaultError> {
        let mut transaction = self.database.begin().await?;
        let row = sqlx::query("select person_id, sealed from dossier where offer_id = $1 and direction = $2")
            .bind(offer.to_string())
            .bind(direction.to_string())
            .fetch_optional(&mut *transaction)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let person = row.try_get::<String, _>("person_id")?.parse().map_err(crate::vault::malformed)?;
        let key = self.key(&mut transaction, person).await?.ok_or(VaultError::Damaged)?;
        let sealed = key.open(&row.try_get::<Vec<u8>, _>("sealed")?, &dossier_place(offer, direction))?;
        Ok(Some(sealed.to_vec()))
    }

    /// Opens the dossier that came with an offer. The reading is on record before the answer is given.
    pub async fn read_dossier(
        &self,
        keys: &NodeKeys,
        offer: OfferId,
        from: &OfficeId,
        to: &OfficeId,
        reader: &Reader,
        now: Timestamp,
    ) -> Result<Option<Dossier>, DossierError> {
        let Some(sealed) = self.sealed_dossier(offer, Direction::In).await? else { return Ok(None) };
        let dossier = Dossier::open(keys, offer, from, to, &sealed)?;
        let mut transaction = self.database.begin().await?;
        let Some(key) = self.key(&mut transaction, dossier.person).await? else { return Ok(None) };
        Self::record_reading(&mut transaction, dossier.person, &key, "dossier", reader, now).await?;
        transaction.commit().await.map_err(VaultError::from)?;
        Ok(Some(dossier))
    }

    /// Records that somebody reads a dossier which they opened elsewhere. Nothing when the person was erased.
    pub async fn note_dossier_reading(
        &self,
        person: PersonId,
        reader: &Reader,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        let mut transaction = self.database.begin().await?;
        let Some(key) = self.key(&mut transaction, person).await? else { return Ok(()) };
        Self::record_reading(&mut transaction, person, &key, "dossier", reader, now).await?;
        Ok(transaction.commit().await?)
    }

    /// Deletes a dossier that is not needed any more: the offer was withdrawn, or the letter is in the receiver's
    /// backup. Deleting what is not there does nothing.
    pub async fn discard_dossier(&self, offer: OfferId, direction: Direction) -> Result<(), VaultError> {
        let mut transaction = self.database.begin().await?;
        sqlx::query("delete from dossier where offer_id = $1 and direction = $2")
            .bind(offer.to_string())
            .bind(direction.to_string())
            .execute(&mut *transaction)
            .await?;
        Ok(transaction.commit().await?)
    }

    /// Makes the parts of a dossier our own, under the same person, in the place of what we knew before; all of them or
    /// none. Parts that it does not hold stay as they are. Its sections are kept as read-only history.
    pub async fn adopt(&self, dossier: &Dossier, now: Timestamp) -> Result<(), VaultError> {
        let mut transaction = self.database.begin().await?;
        let person = dossier.person;
        if let Some(identity) = &dossier.identity {
            self.put_within(&mut transaction, person, identity, now).await?;
        }
        if let Some(contact) = &dossier.contact {
            self.put_within(&mut transaction, person, contact, now).await?;
        }
        if let Some(narrative) = &dossier.narrative {
            self.put_within(&mut transaction, person, narrative, now).await?;
        }
        if let Some(health) = &dossier.health {
            self.put_within(&mut transaction, person, health, now).await?;
        }
        if !dossier.sections.is_empty() {
            let key = self.key_or_new(&mut transaction, person, now).await?;
            for section in &dossier.sections {
                Self::adopt_section(&mut transaction, &key, person, section, now).await?;
            }
        }
        Ok(transaction.commit().await?)
    }
}

fn dossier_place(offer: OfferId, direction: Direction) -> String {
    format!("dossier|{offer}|{direction}")
}
