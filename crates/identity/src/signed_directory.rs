//! The signature on a directory, and the edition that a node works with just now.

use std::sync::Arc;

use arc_swap::ArcSwap;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};

use crate::signing::{sign_with, verify};
use crate::{Defect, Directory, RootKey};

const PURPOSE: &str = "directory v1";

/// A directory as it travels: a JSON file with the document as text and the root's signature on that text.
///
/// The document stays text (it is JSON itself), so that what is checked are the very bytes that were signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedDirectory {
    /// The [`Directory`] as JSON.
    pub document: String,
    /// Ed25519, in base64.
    pub signature: String,
}

/// Why a directory is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DirectoryError {
    /// The network's root did not sign this.
    #[error("the directory is not signed by the root of this network")]
    BadSignature,
    /// Signed, but not a directory of a version that we know.
    #[error("the document is not a directory that this version can read")]
    Malformed,
    /// Signed and readable, but it contradicts itself. At least one defect, in the order of the document.
    #[error("the directory cannot be used: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Defects(Vec<Defect>),
    /// We have a newer one.
    #[error("edition {offered} of the directory is older than ours, {current}")]
    Older {
        /// The edition of the refused directory.
        offered: u64,
        /// Ours.
        current: u64,
    },
    /// It has the number of our edition and says something else, or is the directory of another network.
    #[error("edition {0} of the directory contradicts ours")]
    Contradicts(u64),
}

impl SignedDirectory {
    /// Signs a directory as the root of the network.
    ///
    /// # Errors
    /// When it has defects.
    pub fn sign(directory: &Directory, root: &RootKey) -> Result<Self, DirectoryError> {
        refuse_defects(directory)?;
        let document = serde_json::to_string_pretty(directory).map_err(|_| DirectoryError::Malformed)?;
        let signature = BASE64.encode(sign_with(root.signing(), PURPOSE, document.as_bytes()));
        Ok(Self { document, signature })
    }

    /// The directory, if the root signed it, it can be used, and it is not older than the edition that we have.
    pub fn verify(&self, root_public: &str, current_edition: Option<u64>) -> Result<Directory, DirectoryError> {
        let signature = BASE64.decode(&self.signature).map_err(|_| DirectoryError::BadSignature)?;
        verify(root_public, PURPOSE, self.document.as_bytes(), &signature).map_err(|_| DirectoryError::BadSignature)?;
        let directory: Directory = serde_json::from_str(&self.document).map_err(|_| DirectoryError::Malformed)?;
        refuse_defects(&directory)?;
        match current_edition {
            Some(current) if directory.edition < current => {
                Err(DirectoryError::Older { offered: directory.edition, current })
            }
            _ => Ok(directory),
        }
    }

    /// The text of the file.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("two texts are always JSON")
    }

    /// Reads the text of the file; checks nothing yet.
    pub fn from_json(text: &str) -> Result<Self, DirectoryError> {
        serde_json::from_str(text).map_err(|_| DirectoryError::Malformed)
    }
}

fn refuse_defects(directory: &Directory) -> Result<(), DirectoryError> {
    let defects = directory.defects();
    if defects.is_empty() { Ok(()) } else { Err(DirectoryError::Defects(defects)) }
}

/// The directory in use: all services of a process share one, and a newer edition replaces it under their feet.
#[derive(Clone, Debug)]
pub struct LiveDirectory(Arc<ArcSwap<Directory>>);

impl LiveDirectory {
    /// Begins with this edition.
    pub fn new(directory: Directory) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(directory)))
    }

    /// The edition of this moment. Keep it for one request, not longer.
    pub fn current(&self) -> Arc<Directory> {
        self.0.load_full()
    }

    /// Replaces the directory by a newer edition of the same network that can follow it
    /// ([`Directory::defects_after`]); the same edition again changes nothing.
    pub fn replace(&self, directory: Directory) -> Result<(), DirectoryError> {
        let newer = Arc::new(directory);
        let current = self.current();
        if supersedes(&newer, &current) {
            let defects = newer.defects_after(&current);
            if !defects.is_empty() {
                return Err(DirectoryError::Defects(defects));
            }
        }
        let before = self.0.rcu(|current| if supersedes(&newer, current) { newer.clone() } else { current.clone() });
        let (offered, current) = (newer.edition, before.edition);
        if *newer == *before || supersedes(&newer, &before) {
            Ok(())
        } else if newer.network == before.network && offered < current {
            Err(DirectoryError::Older { offered, current })
        } else {
            Err(DirectoryError::Contradicts(offered))
        }
    }

    /// [`SignedDirectory::verify`], then [`LiveDirectory::replace`]; the answer is the edition now in use.
    pub fn import(&self, signed: &SignedDirectory, root_public: &str) -> Result<Arc<Directory>, DirectoryError> {
        self.replace(signed.verify(root_public, Some(self.current().edition))?)?;
        Ok(self.current())
    }
}

fn supersedes(newer: &Directory, current: &Directory) -> bool {
    newer.network == current.network && newer.edition > current.edition
}
