//! The control file: which faults are ordered. The preloaded library has it mapped, so an order holds at once.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};
use std::path::Path;

const WORDS: usize = 64;
const NAME: u64 = WORDS as u64 * 8;
const NAME_BYTES: usize = 256;

const FLAGS: u64 = 1;
const SYNC: u64 = 2;
const SPACE: u64 = 3;
const SHORT_WRITE: u64 = 4;
const READ: u64 = 5;
const WRITE: u64 = 6;
const SYNCS: u64 = 8;
const WRITES: u64 = 9;
const BYTES: u64 = 10;
const FAULTS: u64 = 11;

const PRETEND: u64 = 1;
const NO_SYNC: u64 = 2;

/// Orders faults of a watched program while it runs.
#[derive(Debug)]
pub struct Control(File);

/// What was counted since the control file was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Calls that ask for a sync.
    pub syncs: u64,
    /// Writes.
    pub writes: u64,
    /// Bytes written.
    pub bytes: u64,
    /// Faults that struck.
    pub faults: u64,
}

impl Control {
    pub(crate) fn create(path: &Path) -> io::Result<()> {
        fs::write(path, vec![0; WORDS * 8 + NAME_BYTES])?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o666))?;
        Self::open(path)?.set(SPACE, u64::MAX)
    }

    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        File::options().read(true).write(true).open(path).map(Self)
    }

    /// Syncs are not passed on: the journal alone says what is on the disk. Much faster, and as true for pictures.
    ///
    /// # Errors
    /// As all of these, when the control file cannot be written.
    pub fn pretend_syncs(&self) -> io::Result<()> {
        self.set(FLAGS, self.get(FLAGS)? | PRETEND)
    }

    /// Faults strike only files whose path has this in it; all when empty.
    ///
    /// # Errors
    /// When the control file cannot be written.
    pub fn only(&self, part: &str) -> io::Result<()> {
        let mut name = part.as_bytes().to_vec();
        name.resize(NAME_BYTES, 0);
        self.0.write_all_at(&name, NAME)
    }

    /// The sync with this number from now on fails (`EIO`); 0 is none.
    ///
    /// # Errors
    /// When the control file cannot be written.
    pub fn fail_sync(&self, number: u64) -> io::Result<()> {
        self.set(SYNC, number)
    }

    /// Every sync fails (`EIO`), or none any more.
    ///
    /// # Errors
    /// When the control file cannot be written.
    pub fn fail_every_sync(&self, fail: bool) -> io::Result<()> {
        let others = self.get(FLAGS)? & !NO_SYNC;
        self.set(FLAGS, if fail { others | NO_SYNC } else { others })
    }

    /// Files may grow by so many bytes, then the disk is full (`ENOSPC`) for them; without a number it never is.
    ///
    /// # Errors
    /// When the control file cannot be written.
    pub fn limit_space(&self, bytes: Option<u64>) -> io::Result<()> {
        self.set(SPACE, bytes.unwrap_or(u64::MAX))
    }

    /// The write with this number from now on writes only half of what it was given.
    ///
    /// # Errors
    /// When the control file cannot be written.
    pub fn shorten_write(&self, number: u64) -> io::Result<()> {
        self.set(SHORT_WRITE, number)
    }

    /// The write with this number from now on fails (`EIO`).
    ///
    /// # Errors
    /// When the control file cannot be written.
    pub fn fail_write(&self, number: u64) -> io::Result<()> {
        self.set(WRITE, number)
    }

    /// The read with this number from now on fails (`EIO`).
    ///
    /// # Errors
    /// When the control file cannot be written.
    pub fn fail_read(&self, number: u64) -> io::Result<()> {
        self.set(READ, number)
    }

    /// No fault is ordered any more.
    ///
    /// # Errors
    /// When the control file cannot be written.
    pub fn heal(&self) -> io::Result<()> {
        for word in [SYNC, SHORT_WRITE, READ, WRITE] {
            self.set(word, 0)?;
        }
        self.fail_every_sync(false)?;
        self.limit_space(None)?;
        self.only("")
    }

    /// What was counted so far.
    ///
    /// # Errors
    /// When the control file cannot be read.
    pub fn counts(&self) -> io::Result<Counts> {
        Ok(Counts {
            syncs: self.get(SYNCS)?,
            writes: self.get(WRITES)?,
            bytes: self.get(BYTES)?,
            faults: self.get(FAULTS)?,
        })
    }

    fn get(&self, word: u64) -> io::Result<u64> {
        let mut bytes = [0; 8];
        self.0.read_exact_at(&mut bytes, word * 8)?;
        Ok(u64::from_ne_bytes(bytes))
    }

    fn set(&self, word: u64, value: u64) -> io::Result<()> {
        self.0.write_all_at(&value.to_ne_bytes(), word * 8)
    }
}
