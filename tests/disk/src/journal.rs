//! The journal of the preloaded library, read.

use std::ffi::OsString;
use std::io::{self, Read as _, Seek as _};
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

/// One change, or one sync.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry<'j> {
    /// A file was opened.
    Opened {
        /// Names it from here on.
        handle: u64,
        /// Where it lies.
        path: PathBuf,
        /// It was made.
        new: bool,
        /// It was emptied.
        emptied: bool,
    },
    /// Bytes were written.
    Written {
        /// Where to.
        handle: u64,
        /// From which byte on.
        offset: u64,
        /// The bytes.
        bytes: &'j [u8],
    },
    /// The file has another length.
    Resized {
        /// Which file.
        handle: u64,
        /// Its length, in bytes.
        length: u64,
    },
    /// A sync has begun: what was written before is what it promises.
    SyncBegun {
        /// Of which file or folder.
        handle: u64,
    },
    /// A sync has ended.
    SyncEnded {
        /// Of which file or folder.
        handle: u64,
        /// Whether it promised.
        sound: bool,
    },
    /// A file has another name.
    Renamed {
        /// Its name before.
        from: PathBuf,
        /// Its name now.
        to: PathBuf,
    },
    /// A name was removed.
    Unlinked {
        /// The name.
        path: PathBuf,
    },
}

/// All records of a journal.
#[derive(Clone, Debug)]
pub struct Records {
    bytes: Vec<u8>,
}

const NEW: u64 = 1;
const EMPTIED: u64 = 2;
/// Length, kind, handle and number.
const HEAD: usize = 21;

impl Records {
    pub(crate) fn read(path: &Path) -> io::Result<Self> {
        Ok(Self { bytes: std::fs::read(path)? })
    }

    /// Those that were written down after the journal was so long.
    pub(crate) fn read_after(path: &Path, at: u64) -> io::Result<Self> {
        let mut file = std::fs::File::open(path)?;
        file.seek(io::SeekFrom::Start(at))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(Self { bytes })
    }

    /// The records that were whole when the journal was so long.
    pub fn until(&self, cut: u64) -> impl Iterator<Item = Entry<'_>> {
        self.placed().take_while(move |(end, _)| *end <= cut).map(|(_, entry)| entry)
    }

    /// How long the journal was after each record.
    pub fn ends(&self) -> Vec<u64> {
        self.placed().map(|(end, _)| end).collect()
    }

    /// Each record, and how long the journal was after it.
    pub(crate) fn placed(&self) -> impl Iterator<Item = (u64, Entry<'_>)> {
        let mut at = 0;
        std::iter::from_fn(move || {
            let record = self.bytes.get(at..)?;
            let length = u32::from_le_bytes(*record.first_chunk::<4>()?) as usize;
            let record = record.get(..length).filter(|record| record.len() >= HEAD)?;
            at += length;
            Some((at as u64, entry(record)?))
        })
    }
}

fn entry(record: &[u8]) -> Option<Entry<'_>> {
    let number = |at: usize| Some(u64::from_le_bytes(*record.get(at..)?.first_chunk::<8>()?));
    let (kind, handle, number, rest) = (record[4], number(5)?, number(13)?, &record[HEAD..]);
    let path = |bytes: &[u8]| PathBuf::from(OsString::from_vec(bytes.to_vec()));
    Some(match kind {
        1 => Entry::Opened { handle, path: path(rest), new: number & NEW != 0, emptied: number & EMPTIED != 0 },
        2 => Entry::Written { handle, offset: number, bytes: rest },
        3 => Entry::Resized { handle, length: number },
        4 => Entry::SyncBegun { handle },
        5 => Entry::SyncEnded { handle, sound: number == 1 },
        6 => {
            let (from, to) = rest.split_at_checked(usize::try_from(number).ok()?)?;
            Entry::Renamed { from: path(from), to: path(to) }
        }
        7 => Entry::Unlinked { path: path(rest) },
        _ => return None,
    })
}
