//! Does everything in the vault open? Nothing of what it says is shown, and nobody's reading is recorded: no person
//! reads here.

use std::fmt;

use futures::TryStreamExt as _;
use spean_identity::{NodeKeys, digest};
use spean_vocabulary::{Part, PersonId};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row as _};

use crate::cipher::{DoesNotOpen, Key};
use crate::database::Database;
use crate::vault::{MARK, VaultError, key_place, part_place};
use crate::{Contact, Health, Identity, Narrative};

/// What came of opening everything once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Examination {
    /// How many people have a key.
    pub people: u64,
    /// How many records were tried: keys, parts, dossiers, sections, attachments, purposes of readings.
    pub records: u64,
    /// How many purposes of readings went with somebody's erasure: they cannot be opened, and are not meant to be.
    pub erased: u64,
    /// Whether the vault as a whole was sealed with the keys of another node.
    pub sealed_for_others: bool,
    /// What does not open.
    pub flaws: Vec<Flaw>,
}

/// A record that does not open, by its place: ids and codes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// The table.
    pub table: &'static str,
    /// The key of the row.
    pub key: String,
}

impl fmt::Display for Flaw {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {} does not open", self.table, self.key)
    }
}

/// A kind of records, and how one of them is opened.
struct Kind {
    table: &'static str,
    /// With `wrapped` among the columns.
    rows: &'static str,
    open: fn(&Key, PersonId, &AnyRow) -> Result<(), VaultError>,
    key: &'static [&'static str],
}

const KINDS: [Kind; 5] = [
    Kind {
        table: "sealed_part",
        rows: "select person_id, wrapped, part, version, sealed from sealed_part join person_key using (person_id)
               order by person_id",
        open: part,
        key: &["person_id", "part"],
    },
    Kind {
        table: "dossier",
        rows: "select person_id, wrapped, offer_id, direction, sealed, digest from dossier
               join person_key using (person_id) order by person_id",
        open: dossier,
        key: &["offer_id", "direction"],
    },
    Kind {
        table: "file_section",
        rows: "select person_id, wrapped, service, part, sealed from file_section join person_key using (person_id)
               order by person_id",
        open: |key, person, row| {
            open(key, row, &format!("section|{person}|{}|{}", text(row, "service")?, text(row, "part")?))
        },
        key: &["person_id", "service", "part"],
    },
    Kind {
        table: "history_section",
        rows: "select person_id, wrapped, origin_office, service, part, sealed from history_section
               join person_key using (person_id) order by person_id",
        open: |key, person, row| {
            let (office, service, part) = (text(row, "origin_office")?, text(row, "service")?, text(row, "part")?);
            open(key, row, &format!("history|{person}|{office}|{service}|{part}"))
        },
        key: &["person_id", "origin_office", "service", "part"],
    },
    Kind {
        table: "attachment",
        rows: "select person_id, wrapped, attachment_id, sealed from attachment join person_key using (person_id)
               order by person_id",
        open: |key, person, row| open(key, row, &format!("attachment|{person}|{}", text(row, "attachment_id")?)),
        key: &["person_id", "attachment_id"],
    },
];

impl Examination {
    /// Opens every record of a vault once, without writing; the node may run meanwhile. `url` as for
    /// [`crate::Vault::open`].
    ///
    /// # Errors
    /// When the database is not there, or holds no vault.
    pub async fn of(url: &str, keys: &NodeKeys) -> Result<Self, VaultError> {
        let database = Database::look(url).await?;
        let mut connection = database.begin_to_look().await?;
        let vault_key = Key::of_vault(keys);
        let mut examination = Self::default();
        let mark = sqlx::query("select sealed from vault_mark").fetch_optional(&mut *connection).await?;
        if let Some(mark) = mark {
            examination.records += 1;
            examination.sealed_for_others = vault_key.open(&mark.try_get::<Vec<u8>, _>(0)?, MARK).is_err();
        }
        examination.keys(&vault_key, &mut connection).await?;
        for kind in &KINDS {
            examination.kind(kind, &vault_key, &mut connection).await?;
        }
        examination.readings(&vault_key, &mut connection).await?;
        Ok(examination)
    }

    /// Whether all of it opens.
    pub fn is_sound(&self) -> bool {
        !self.sealed_for_others && self.flaws.is_empty()
    }

    async fn keys(&mut self, vault_key: &Key, connection: &mut AnyConnection) -> Result<(), VaultError> {
        let mut rows = sqlx::query("select person_id, wrapped from person_key order by person_id").fetch(connection);
        while let Some(row) = rows.try_next().await? {
            self.people += 1;
            if person_key(vault_key, &row)?.is_none() {
                self.flaws.push(Flaw { table: "person_key", key: text(&row, "person_id")? });
            }
            self.records += 1;
        }
        Ok(())
    }

    async fn kind(&mut self, kind: &Kind, vault_key: &Key, connection: &mut AnyConnection) -> Result<(), VaultError> {
        let mut rows = sqlx::query(kind.rows).fetch(connection);
        while let Some(row) = rows.try_next().await? {
            self.records += 1;
            let opened = match person_key(vault_key, &row)? {
                Some((person, key)) => (kind.open)(&key, person, &row),
                None => Err(VaultError::Damaged),
            };
            match opened {
                Ok(()) => {}
                Err(VaultError::Damaged) => {
                    let key = kind.key.iter().map(|column| text(&row, column)).collect::<Result<Vec<_>, _>>()?;
                    self.flaws.push(Flaw { table: kind.table, key: key.join(" ") });
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn readings(&mut self, vault_key: &Key, connection: &mut AnyConnection) -> Result<(), VaultError> {
        let mut rows = sqlx::query(
            "select subject, number, purpose, read_at, wrapped, person_id, created_at from reading
             left join person_key on person_id = subject order by subject, number",
        )
        .fetch(connection);
        while let Some(row) = rows.try_next().await? {
            self.records += 1;
            let (subject, number): (String, i64) = (text(&row, "subject")?, row.try_get("number")?);
            let key = if subject == "*" {
                Some(vault_key.clone())
            } else if row.try_get::<Option<i64>, _>("created_at")?.is_none_or(|made| {
                // What was read before the key was made was sealed with one that is gone.
                row.try_get::<i64, _>("read_at").is_ok_and(|read_at| read_at < made)
            }) {
                self.erased += 1;
                continue;
            } else {
                person_key(vault_key, &row)?.map(|(_, key)| key)
            };
            let sealed: Vec<u8> = row.try_get("purpose")?;
            let place = format!("reading|{subject}|{number}");
            if key.is_none_or(|key| key.open(&sealed, &place).is_err()) {
                self.flaws.push(Flaw { table: "reading", key: format!("{subject} {number}") });
            }
        }
        Ok(())
    }
}

fn person_key(vault_key: &Key, row: &AnyRow) -> Result<Option<(PersonId, Key)>, VaultError> {
    let Ok(person) = text(row, "person_id")?.parse() else { return Ok(None) };
    let wrapped: Vec<u8> = row.try_get("wrapped")?;
    Ok(vault_key.unwrap(&wrapped, &key_place(person)).ok().map(|key| (person, key)))
}

fn part(key: &Key, person: PersonId, row: &AnyRow) -> Result<(), VaultError> {
    let part: Part = text(row, "part")?.parse().map_err(|_| VaultError::Damaged)?;
    let sealed: Vec<u8> = row.try_get("sealed")?;
    let content = key.open(&sealed, &part_place(person, part, row.try_get("version")?))?;
    let readable = match part {
        Part::Identity => serde_json::from_slice::<Identity>(&content).is_ok(),
        Part::Contact => serde_json::from_slice::<Contact>(&content).is_ok(),
        Part::Narrative => serde_json::from_slice::<Narrative>(&content).is_ok(),
        Part::Health => serde_json::from_slice::<Health>(&content).is_ok(),
    };
    if readable { Ok(()) } else { Err(VaultError::Damaged) }
}

fn dossier(key: &Key, _person: PersonId, row: &AnyRow) -> Result<(), VaultError> {
    let place = format!("dossier|{}|{}", text(row, "offer_id")?, text(row, "direction")?);
    let sealed = key.open(&row.try_get::<Vec<u8>, _>("sealed")?, &place)?;
    let as_noted = digest(&sealed).as_slice() == row.try_get::<&[u8], _>("digest")?;
    if as_noted { Ok(()) } else { Err(VaultError::Damaged) }
}

fn open(key: &Key, row: &AnyRow, place: &str) -> Result<(), VaultError> {
    let sealed: Vec<u8> = row.try_get("sealed")?;
    key.open(&sealed, place).map(drop).map_err(|DoesNotOpen| VaultError::Damaged)
}

fn text(row: &AnyRow, column: &str) -> Result<String, VaultError> {
    Ok(row.try_get(column)?)
}
