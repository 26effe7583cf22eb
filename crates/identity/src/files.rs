//! Secrets on disk: one file each, readable by its owner alone, never overwritten.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

/// Longest secret file that is read, in bytes: a key in PEM has less than one tenth of it.
const LONGEST: u64 = 16 * 1024;

/// Why keys cannot be created or loaded. Names the file, never its content.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// Keys are made once; whoever wants new ones moves the old ones away first.
    #[error("{} is there already and will not be overwritten", path.display())]
    AlreadyThere {
        /// The file.
        path: PathBuf,
    },
    /// The file can be read or written by somebody other than its owner.
    #[error("{} can be used by others; allow its owner alone (mode 0600)", path.display())]
    OpenToOthers {
        /// The file.
        path: PathBuf,
    },
    /// The file holds something else than this key.
    #[error("{} does not hold the key that belongs there", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
    },
    /// The disk refused.
    #[error("{} cannot be used", path.display())]
    Disk {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

impl KeyFileError {
    pub(crate) fn malformed(path: &Path) -> Self {
        Self::Malformed { path: path.to_owned() }
    }

    fn disk(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| match source.kind() {
            io::ErrorKind::AlreadyExists => Self::AlreadyThere { path },
            _ => Self::Disk { path, source },
        }
    }
}

/// Makes a folder for secrets (mode 0700) and refuses if one of the files is there already.
pub(crate) fn prepare_folder(folder: &Path, files: &[&str]) -> Result<(), KeyFileError> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(KeyFileError::disk(folder))?;
    match files.iter().map(|file| folder.join(file)).find(|path| path.symlink_metadata().is_ok()) {
        Some(path) => Err(KeyFileError::AlreadyThere { path }),
        None => Ok(()),
    }
}

/// Writes a new file (mode 0600) and waits until it is on the disk.
pub(crate) fn write_secret(path: &Path, text: &str) -> Result<(), KeyFileError> {
    write_new(path, text, 0o600)
}

/// Writes a new file that everybody may read.
pub(crate) fn write_public(path: &Path, text: &str) -> Result<(), KeyFileError> {
    write_new(path, text, 0o644)
}

fn write_new(path: &Path, text: &str, mode: u32) -> Result<(), KeyFileError> {
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
    };
    write().map_err(KeyFileError::disk(path))
}

/// Reads a secret, without the line feed at its end; refuses a file that others can use.
pub(crate) fn read_secret(path: &Path) -> Result<Zeroizing<String>, KeyFileError> {
    let file = File::open(path).map_err(KeyFileError::disk(path))?;
    let metadata = file.metadata().map_err(KeyFileError::disk(path))?;
    if !metadata.is_file() || metadata.len() > LONGEST {
        return Err(KeyFileError::malformed(path));
    }
    if metadata.mode() & 0o077 != 0 {
        return Err(KeyFileError::OpenToOthers { path: path.to_owned() });
    }
    let mut text = Zeroizing::new(String::with_capacity(usize::try_from(LONGEST).expect("16 KiB fit everywhere")));
    file.take(LONGEST).read_to_string(&mut text).map_err(KeyFileError::disk(path))?;
    let length = text.trim_end().len();
    text.truncate(length);
    Ok(text)
}

/// Reads a file that is no secret.
pub(crate) fn read_public(path: &Path) -> Result<String, KeyFileError> {
    fs::read_to_string(path).map_err(KeyFileError::disk(path))
}
