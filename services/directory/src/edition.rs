//! Taking in a newer edition of the signed directory, so that it is in force now and after a restart.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use spean_identity::{DirectoryError, LiveDirectory, NodeKeys, SignedDirectory};
use spean_vocabulary::NodeId;

/// Held while an edition is taken in: the file and what is in force must not get apart.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Why an edition is not taken in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ImportError {
    /// It is no good, or older.
    #[error(transparent)]
    Refused(#[from] DirectoryError),
    /// The node could not start with it.
    #[error("this edition does not name this node, or names other keys for it")]
    WithoutThisNode,
    /// It was not written, and so is not in force either.
    #[error("the file of the directory cannot be written")]
    Disk(#[from] io::Error),
}

/// Checks an edition and puts it in force. The answer is the edition in force then. Waits for the disk.
pub(crate) fn import(
    text: &str,
    root_public: &str,
    (node, keys): (&NodeId, &NodeKeys),
    live: &LiveDirectory,
    file: &Path,
) -> Result<u64, ImportError> {
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let current = live.current();
    let signed = SignedDirectory::from_json(text)?;
    let offered = signed.verify(root_public, Some(current.edition))?;
    // Tried on a copy first, so that nothing is written that would then be refused.
    LiveDirectory::new(current.as_ref().clone()).replace(offered.clone())?;
    if offered == *current {
        return Ok(current.edition);
    }
    if !offered.node(node).is_some_and(|entry| keys.are(&entry.keys)) {
        return Err(ImportError::WithoutThisNode);
    }
    write(file, &signed.to_json())?;
    live.replace(offered)?;
    Ok(live.current().edition)
}

/// Replaces a file so that either the old or the new text is there, whole, even after a power cut.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let mut file = File::create(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use spean_identity::{Directory, RootKey};
    use spean_testkit::a_folder;

    use super::*;
    use crate::examples::a_directory;

    struct Stage {
        folder: spean_testkit::TempDir,
        root: RootKey,
        node: NodeId,
        keys: NodeKeys,
        live: LiveDirectory,
    }

    impl Stage {
        fn new() -> Self {
            let folder = a_folder();
            let root = RootKey::create(&folder.path().join("root")).unwrap();
            let keys = NodeKeys::create(&folder.path().join("node")).unwrap();
            let live = LiveDirectory::new(edition(7, &keys));
            let stage = Self { folder, root, node: "poipet".parse().unwrap(), keys, live };
            fs::write(stage.file(), stage.signed(&edition(7, &stage.keys))).unwrap();
            stage
        }

        fn file(&self) -> std::path::PathBuf {
            self.folder.path().join("directory.json")
        }

        fn signed(&self, directory: &Directory) -> String {
            SignedDirectory::sign(directory, &self.root).unwrap().to_json()
        }

        fn import(&self, text: &str) -> Result<u64, ImportError> {
            import(text, &self.root.public(), (&self.node, &self.keys), &self.live, &self.file())
        }

        /// The edition in force now, and the one in force after a restart.
        fn in_force(&self) -> (u64, u64) {
            let signed = SignedDirectory::from_json(&fs::read_to_string(self.file()).unwrap()).unwrap();
            (self.live.current().edition, signed.verify(&self.root.public(), None).unwrap().edition)
        }
    }

    fn edition(edition: u64, keys: &NodeKeys) -> Directory {
        let mut directory = Directory { edition, ..a_directory() };
        for node in &mut directory.nodes {
            node.keys = keys.public();
        }
        directory
    }

    #[test]
    fn a_newer_edition_is_in_force_at_once_and_after_a_restart() {
        let stage = Stage::new();
        let newer = stage.signed(&edition(8, &stage.keys));
        assert_eq!(stage.import(&newer).unwrap(), 8);
        assert_eq!(stage.in_force(), (8, 8));
        assert_eq!(stage.import(&newer).unwrap(), 8, "the same again is harmless");
        assert_eq!(stage.in_force(), (8, 8));
    }

    #[test]
    fn an_older_edition_and_one_that_contradicts_ours_are_refused() {
        let stage = Stage::new();
        let older = stage.import(&stage.signed(&edition(6, &stage.keys)));
        assert!(matches!(older, Err(ImportError::Refused(DirectoryError::Older { offered: 6, current: 7 }))));
        let mut other = edition(7, &stage.keys);
        other.offices[3].staffed = true;
        let other = stage.import(&stage.signed(&other));
        assert!(matches!(other, Err(ImportError::Refused(DirectoryError::Contradicts(7)))));
        let elsewhere = Directory { network: "other".to_owned(), ..edition(9, &stage.keys) };
        let elsewhere = stage.import(&stage.signed(&elsewhere));
        assert!(matches!(elsewhere, Err(ImportError::Refused(DirectoryError::Contradicts(9)))));
        assert_eq!(stage.in_force(), (7, 7));
    }

    #[test]
    fn what_the_root_did_not_sign_is_refused() {
        let stage = Stage::new();
        let impostor = RootKey::create(&stage.folder.path().join("impostor")).unwrap();
        let forged = SignedDirectory::sign(&edition(8, &stage.keys), &impostor).unwrap().to_json();
        assert!(matches!(stage.import(&forged), Err(ImportError::Refused(DirectoryError::BadSignature))));
        assert!(matches!(stage.import("{}"), Err(ImportError::Refused(DirectoryError::Malformed))));
        assert_eq!(stage.in_force(), (7, 7));
    }

    #[test]
    fn an_edition_with_which_the_node_could_not_start_is_refused() {
        let stage = Stage::new();
        let other_keys = NodeKeys::create(&stage.folder.path().join("other")).unwrap();
        let newer = stage.signed(&edition(8, &other_keys));
        assert!(matches!(stage.import(&newer), Err(ImportError::WithoutThisNode)));
        assert_eq!(stage.in_force(), (7, 7));
    }

    #[test]
    fn an_edition_that_cannot_be_written_is_not_in_force() {
        let stage = Stage::new();
        let newer = stage.signed(&edition(8, &stage.keys));
        let nowhere = stage.folder.path().join("missing").join("directory.json");
        let outcome = import(&newer, &stage.root.public(), (&stage.node, &stage.keys), &stage.live, &nowhere);
        assert!(matches!(outcome, Err(ImportError::Disk(_))));
        assert_eq!(stage.in_force(), (7, 7));
    }
}
