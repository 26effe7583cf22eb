//! A disk that can fail, under a real program: every change to files is written down, faults are ordered while it runs,
//! and what the disk may hold after the power failed is computed.
//!
//! A process that is killed loses nothing that it wrote: the kernel has it. A machine whose power fails loses whatever was
//! not synced, in any order, and half of a write. To see that, a library is preloaded into the program
//! (`spean-disk-preload`) that writes each change into a journal; a [`Picture`] replays the journal up to a cut and
//! draws, by a seed, one of the states in which the disk may be then.
//!
//! ```no_run
//! # fn main() -> std::io::Result<()> {
//! use std::process::Command;
//!
//! let disk = spean_disk::Disk::over(&["node/data".into()], "node-disk".as_ref())?;
//! let mut program = Command::new("spean").envs(disk.environment()).arg("run").spawn()?;
//! // Work, and note how long the journal was when something was acknowledged.
//! let acknowledged = disk.written()?;
//! program.kill()?;
//! program.wait()?;
//! disk.picture(acknowledged, 7)?.put_back()?;
//! # Ok(())
//! # }
//! ```
//!
//! What the disk may hold: for each sector of 512 bytes what was last synced, or anything that was written to it since;
//! each file as long as it was at the last sync, or at any moment since; and of the files that were made, renamed or
//! removed in a folder since that folder was synced, any number of the first. A sync that fails promises nothing, and
//! neither does the next one for what was written before it, as on Linux.

mod control;
mod following;
mod inode;
mod journal;
mod picture;
mod preload;
mod seed;

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

pub use control::{Control, Counts};
pub use following::Following;
pub use journal::{Entry, Records};
pub use picture::Picture;
pub use preload::library;

/// Folders that are watched, and where their journal and control file are kept.
#[derive(Clone, Debug)]
pub struct Disk {
    folders: Vec<PathBuf>,
    place: PathBuf,
}

impl Disk {
    /// Begins to watch over folders that nobody writes to now. `place` is a folder for the journal and what else is
    /// needed; it must not lie in one of the watched ones.
    ///
    /// # Errors
    /// When a folder cannot be copied or `place` cannot be made.
    pub fn over(folders: &[PathBuf], place: &Path) -> io::Result<Self> {
        let disk = Self::for_faults(folders, place)?;
        for (number, folder) in disk.folders.iter().enumerate() {
            copy(folder, &disk.base(number))?;
        }
        Ok(disk)
    }

    /// The same, but for pictures: nothing is copied, and [`Disk::environment_for_faults`] is what programs need.
    ///
    /// # Errors
    /// When a folder or `place` cannot be made.
    pub fn for_faults(folders: &[PathBuf], place: &Path) -> io::Result<Self> {
        fs::create_dir_all(place)?;
        let place = place.canonicalize()?;
        let mut watched = Vec::new();
        for folder in folders {
            fs::create_dir_all(folder)?;
            watched.push(folder.canonicalize()?);
        }
        let disk = Self { folders: watched, place };
        Control::create(&disk.place.join("control"))?;
        // A server that gives up its rights must still be able to write them.
        fs::write(disk.journal(), [])?;
        fs::set_permissions(disk.journal(), fs::Permissions::from_mode(0o666))?;
        Ok(disk)
    }

    /// The disk under this very program, when it was started with [`Disk::environment`].
    pub fn under_this_program() -> Option<Self> {
        let folders = env::var_os("SPEAN_DISK_FOLDERS")?;
        let journal = PathBuf::from(env::var_os("SPEAN_DISK_JOURNAL")?);
        let folders = env::split_paths(&folders).collect();
        Some(Self { folders, place: journal.parent()?.to_owned() })
    }

    /// The folders that are watched.
    pub fn folders(&self) -> &[PathBuf] {
        &self.folders
    }

    /// What a program needs in its environment to be watched, journal and faults.
    ///
    /// # Panics
    /// When the library to be preloaded cannot be built or copied, or a path is not UTF-8.
    pub fn environment(&self) -> BTreeMap<String, String> {
        let mut environment = self.environment_for_faults();
        environment.insert("SPEAN_DISK_JOURNAL".to_owned(), text(&self.journal()));
        environment
    }

    /// The same without a journal: for programs of many processes, of which no picture can be made.
    ///
    /// # Panics
    /// As [`Disk::environment`].
    pub fn environment_for_faults(&self) -> BTreeMap<String, String> {
        let folders: Vec<_> = self.folders.iter().map(|folder| text(folder)).collect();
        // A copy of it: a server that gives up its rights cannot look into everybody's folder of builds.
        let library_copy = self.place.join("library.so");
        fs::copy(library(), &library_copy).expect("the folder is ours");
        let variables = [
            ("LD_PRELOAD", text(&library_copy)),
            ("SPEAN_DISK_FOLDERS", folders.join(":")),
            ("SPEAN_DISK_CONTROL", text(&self.place.join("control"))),
        ];
        variables.map(|(name, value)| (name.to_owned(), value)).into()
    }

    /// Where faults are ordered.
    ///
    /// # Errors
    /// When the control file cannot be opened.
    pub fn control(&self) -> io::Result<Control> {
        Control::open(&self.place.join("control"))
    }

    /// How long the journal is: a moment to cut at. All that was acknowledged before it was asked for lies before it.
    ///
    /// # Errors
    /// When the journal is gone.
    pub fn written(&self) -> io::Result<u64> {
        Ok(fs::metadata(self.journal())?.len())
    }

    /// What was written down so far.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn records(&self) -> io::Result<Records> {
        Records::read(&self.journal())
    }

    /// What the disk may hold when the power fails at this moment, drawn by a seed.
    ///
    /// # Errors
    /// When the journal or the copy of what was there before cannot be read.
    pub fn picture(&self, cut: u64, seed: u64) -> io::Result<Picture> {
        self.replayed(&self.records()?, cut).map(|replayed| replayed.draw(seed))
    }

    /// What the programs see at this moment, synced or not.
    ///
    /// # Errors
    /// As [`Disk::picture`].
    pub fn seen(&self, cut: u64) -> io::Result<Picture> {
        self.replayed(&self.records()?, cut).map(|replayed| replayed.seen())
    }

    /// Pictures for many cuts, each with its seed, from one reading of the journal. The cuts must go up.
    ///
    /// # Errors
    /// As [`Disk::picture`].
    pub fn pictures(&self, cuts: &[(u64, u64)]) -> io::Result<Vec<Picture>> {
        let records = self.records()?;
        let mut replayed = self.replayed(&records, 0)?;
        let mut entries = records.placed().peekable();
        let mut pictures = Vec::with_capacity(cuts.len());
        for (cut, seed) in cuts {
            while let Some((_, entry)) = entries.next_if(|(end, _)| end <= cut) {
                replayed.replay(entry);
            }
            pictures.push(replayed.draw(*seed));
        }
        Ok(pictures)
    }

    /// Begins afresh: what the folders hold now is what the disk holds. Nobody may write to them now.
    ///
    /// # Errors
    /// As [`Disk::over`].
    pub fn begin_afresh(&self) -> io::Result<()> {
        Self::over(&self.folders, &self.place).map(drop)
    }

    fn replayed(&self, records: &Records, cut: u64) -> io::Result<picture::Replayed> {
        let mut replayed = picture::Replayed::of(&self.folders);
        for (number, folder) in self.folders.iter().enumerate() {
            replayed.begin_with(folder, &self.base(number))?;
        }
        for entry in records.until(cut) {
            replayed.replay(entry);
        }
        Ok(replayed)
    }

    fn journal(&self) -> PathBuf {
        self.place.join("journal")
    }

    fn base(&self, number: usize) -> PathBuf {
        self.place.join("base").join(number.to_string())
    }
}

fn text(path: &Path) -> String {
    path.to_str().expect("paths of tests are UTF-8").to_owned()
}

/// Copies a folder with all that is in it, in place of what is there.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    if to.exists() {
        fs::remove_dir_all(to)?;
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        let kind = entry.file_type()?;
        if kind.is_dir() {
            copy(&entry.path(), &target)?;
        } else if kind.is_file() {
            fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}
