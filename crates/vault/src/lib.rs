//! Personal data, apart from everything else: names, contacts, histories, health.
//!
//! Events and letters hold numbers, codes and dates; what tells who somebody is stands here alone, one database for
//! each node. Every person has a key of their own, and every part of what is known of them is encrypted with it
//! (XChaCha20-Poly1305), bound to the person, the part and its version, so that rows cannot be swapped. The person's
//! key is itself encrypted with a key made from [`spean_identity::NodeKeys::vault_key`], which is in no database.
//!
//! **Erasing** a person destroys their key: then neither their rows nor any other copy of them made under that key can
//! be read again. Two limits, to be said openly: a backup of this database that is older than the erasure still holds
//! the wrapped key, so backups of the vault are kept short and erasures are repeated after a restore; and `PostgreSQL`
//! keeps the deleted row on disk until it vacuums (`SQLite` is told to overwrite it at once).
//!
//! **Reading** is recorded: whoever reads a part says who they are, for which office, and why.
//!
//! Beside the parts of a person stand **attachments**, papers and photographs as they are, and **sections**: what each
//! service knows of the person, put down for whoever holds the case next. Sections travel in the dossier under the part
//! of the file that they are tagged with, and become read-only history at the receiver.
//!
//! A [`Dossier`] is what leaves the vault for another agency, sealed to its node; [`Vault::adopt`] is how it enters
//! the other vault.

mod attachment;
mod cipher;
mod database;
mod dossier;
mod erasure;
mod examine;
mod personal;
mod random;
mod reading;
mod search;
mod section;
mod vault;

pub use attachment::LARGEST_ATTACHMENT_BYTES;
pub use dossier::{Direction, Dossier, DossierError};
pub use examine::{Examination, Flaw};
pub use personal::{Birth, Contact, Document, Health, Identity, Name, Narrative, Personal};
pub use reading::{Reader, Reading};
pub use section::{FileSection, HistorySection, LARGEST_SECTION_BYTES};
pub use spean_vocabulary::Part;
pub use vault::{Parts, Vault, VaultError};
