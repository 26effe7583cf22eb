//! The journal of a program that goes on: pictures of one folder again and again, each a moment of the work that was just
//! done.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::Disk;
use crate::journal::{Entry, Records};
use crate::picture::{Picture, Replayed};

/// Follows the journal while it grows.
#[derive(Debug)]
pub struct Following {
    disk: Disk,
    replayed: Replayed,
    /// How much of the journal is replayed, in bytes.
    at: u64,
    /// Whether the disk does what it says that it did.
    keeps_its_word: bool,
}

impl Following {
    /// Begins afresh: what the watched folders hold now is what the disk holds. Nobody may write to them now.
    ///
    /// # Errors
    /// When the journal cannot be emptied or a folder cannot be read.
    pub fn begin(disk: Disk) -> io::Result<Self> {
        fs::File::options().write(true).open(disk.journal())?.set_len(0)?;
        let mut replayed = Replayed::of(&disk.folders);
        for folder in &disk.folders {
            replayed.begin_with(folder, folder)?;
        }
        Ok(Self { disk, replayed, at: 0, keeps_its_word: true })
    }

    /// From here on the disk says of each sync that it was done, and does not do it.
    pub fn break_its_word(&mut self) {
        self.keeps_its_word = false;
    }

    /// The moments at which something in a folder was changed or synced since the last picture, each as the length of the
    /// journal after it.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn changes(&mut self, within: &Path) -> io::Result<Vec<u64>> {
        let records = Records::read_after(&self.disk.journal(), self.at)?;
        let mut opened: BTreeMap<u64, PathBuf> = BTreeMap::new();
        let mut changes = Vec::new();
        for (end, entry) in records.placed() {
            let is_within = match &entry {
                Entry::Opened { handle, path, new, emptied } => {
                    opened.insert(*handle, path.clone());
                    (*new || *emptied) && path.starts_with(within)
                }
                Entry::Written { handle, .. }
                | Entry::Resized { handle, .. }
                | Entry::SyncBegun { handle }
                | Entry::SyncEnded { handle, .. } => {
                    let path = opened.get(handle).map(PathBuf::as_path).or_else(|| self.replayed.path_of(*handle));
                    path.is_some_and(|path| path.starts_with(within))
                }
                Entry::Renamed { to: path, .. } | Entry::Unlinked { path } => path.starts_with(within),
            };
            if is_within {
                changes.push(self.at + end);
            }
        }
        Ok(changes)
    }

    /// What a folder may hold when the power fails at a moment that is not before the last picture, drawn by a seed.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn picture(&mut self, cut: u64, within: &Path, seed: u64) -> io::Result<Picture> {
        self.replay_until(cut)?;
        Ok(self.replayed.draw_within(seed, within))
    }

    /// All that was written down until now has happened.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn catch_up(&mut self) -> io::Result<()> {
        self.replay_until(u64::MAX)
    }

    /// A folder was written by somebody else than the program, and is on the disk.
    ///
    /// # Errors
    /// When the journal or the folder cannot be read.
    pub fn take_as_synced(&mut self, folder: &Path) -> io::Result<()> {
        self.catch_up()?;
        self.replayed.take_as_synced(folder)
    }

    fn replay_until(&mut self, cut: u64) -> io::Result<()> {
        let records = Records::read_after(&self.disk.journal(), self.at)?;
        let began = self.at;
        for (end, entry) in records.placed() {
            if began + end > cut {
                break;
            }
            if self.keeps_its_word || !matches!(entry, Entry::SyncEnded { .. }) {
                self.replayed.replay(entry);
            }
            self.at = began + end;
        }
        Ok(())
    }
}
