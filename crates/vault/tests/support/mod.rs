//! Two nodes and a vault on each database.

use spean_identity::NodeKeys;
use spean_testkit::{Postgres, TempDir, a_folder};
use spean_vault::{Birth, Contact, Document, Health, Identity, Name, Narrative, Reader, Vault};
use spean_vocabulary::{CaseId, Id, OfferId, OfficeId, PersonId, Sex, Timestamp};

/// A family name that is nowhere else: where it is found, personal data are in the clear.
pub(crate) const CANARY: &str = "Kanarybirdsopheap";

/// The vault of one node, and its keys.
pub(crate) struct Place {
    pub(crate) vault: Vault,
    pub(crate) keys: NodeKeys,
    pub(crate) url: String,
    pub(crate) folder: TempDir,
}

impl Place {
    pub(crate) async fn on_sqlite() -> Self {
        let folder = a_folder();
        let url = format!("sqlite://{}", folder.path().join("vault.sqlite").display());
        Self::at(folder, url).await
    }

    pub(crate) async fn on_postgres() -> Self {
        Self::at(a_folder(), Postgres::shared().database()).await
    }

    async fn at(folder: TempDir, url: String) -> Self {
        let keys = NodeKeys::create(&folder.path().join("keys")).unwrap();
        let vault = Vault::open(&url, &keys).await.unwrap();
        Self { vault, keys, url, folder }
    }

    /// A connection of our own, past the vault.
    pub(crate) async fn past_the_vault(&self) -> sqlx::AnyPool {
        let pool = sqlx::any::AnyPoolOptions::new().max_connections(1).connect(&self.url).await.unwrap();
        if self.url.starts_with("postgres") {
            sqlx::query("set search_path to vault").execute(&pool).await.unwrap();
        }
        pool
    }
}

pub(crate) fn id<K>(number: u128) -> Id<K> {
    Id::from_uuid(uuid::Uuid::from_u128(0x1000_0000_0000_4000_8000_0000_0000_0000 + number))
}

pub(crate) fn person() -> PersonId {
    id(1)
}

pub(crate) fn case() -> CaseId {
    id(2)
}

pub(crate) fn offer() -> OfferId {
    id(3)
}

pub(crate) fn office(code: &str) -> OfficeId {
    code.parse().unwrap()
}

pub(crate) fn now() -> Timestamp {
    Timestamp::from_micros(1_790_000_000_000_000)
}

pub(crate) fn reader() -> Reader {
    Reader {
        staff: "staff-17".parse().unwrap(),
        office: office("poipet-transit"),
        purpose: format!("{CANARY} asks where to go"),
    }
}

pub(crate) fn identity() -> Identity {
    Identity {
        khmer: None,
        latin: Some(Name { family: CANARY.to_owned(), given: "Dara".to_owned() }),
        birth: Birth::Year { year: 2011, approximate: true },
        sex: Sex::Female,
        nationality: Some("KH".to_owned()),
        languages: vec!["km".to_owned()],
        documents: vec![Document { kind: "border pass".to_owned(), number: CANARY.to_owned() }],
    }
}

pub(crate) fn contact() -> Contact {
    Contact {
        telephone: Some(CANARY.to_owned()),
        safe_contact: Some("only in the morning".to_owned()),
        ..Contact::default()
    }
}

pub(crate) fn narrative() -> Narrative {
    Narrative { text: format!("{CANARY} was brought over the border at night.") }
}

pub(crate) fn health() -> Health {
    Health { conditions: vec![CANARY.to_owned()], ..Health::default() }
}
