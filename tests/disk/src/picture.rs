//! What a disk may hold after the power failed.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::inode::{Inode, Luck};
use crate::journal::Entry;
use crate::seed::Seed;

/// The contents of the watched folders at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    folders: Vec<PathBuf>,
    files: BTreeMap<PathBuf, Vec<u8>>,
    /// Who may do what with those that were there before.
    modes: BTreeMap<PathBuf, u32>,
}

/// Who may do what with a file that was made since.
const NEW_MODE: u32 = 0o600;

impl Picture {
    /// The files, by their paths.
    pub fn files(&self) -> &BTreeMap<PathBuf, Vec<u8>> {
        &self.files
    }

    /// Puts it in the place of the watched folders. Nobody may use them now.
    ///
    /// # Errors
    /// When files cannot be removed or written.
    pub fn put_back(&self) -> io::Result<()> {
        for folder in &self.folders {
            self.put_into(folder, folder)?;
        }
        Ok(())
    }

    /// Writes what one watched folder holds into another one, in place of what is there.
    ///
    /// # Errors
    /// When files cannot be removed or written.
    pub fn put_into(&self, watched: &Path, folder: &Path) -> io::Result<()> {
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
        fs::create_dir_all(folder)?;
        for (path, bytes) in &self.files {
            let Ok(inside) = path.strip_prefix(watched) else { continue };
            let path = folder.join(inside);
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)?;
            }
            fs::write(&path, bytes)?;
            let mode = self.modes.get(&watched.join(inside)).copied().unwrap_or(NEW_MODE);
            fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
        }
        Ok(())
    }
}

/// A change of names in one folder, not synced yet.
#[derive(Clone, Debug)]
enum Naming {
    Made(PathBuf, usize),
    Renamed(PathBuf, PathBuf),
    Unlinked(PathBuf),
}

impl Naming {
    /// The folder whose sync promises it.
    fn folder(&self) -> &Path {
        let (Self::Made(path, _) | Self::Renamed(_, path) | Self::Unlinked(path)) = self;
        path.parent().unwrap_or(path)
    }

    fn happen(&self, names: &mut BTreeMap<PathBuf, usize>) {
        match self {
            Self::Made(path, inode) => {
                names.insert(path.clone(), *inode);
            }
            Self::Renamed(from, to) => {
                if let Some(inode) = names.remove(from) {
                    names.insert(to.clone(), inode);
                }
            }
            Self::Unlinked(path) => {
                names.remove(path);
            }
        }
    }
}

/// What a handle stands for.
#[derive(Clone, Debug)]
struct Handle {
    path: PathBuf,
    /// None for a folder.
    inode: Option<usize>,
    /// When the sync that is under way began.
    sync_begun: u64,
}

/// The journal, played again.
#[derive(Clone, Debug)]
pub(crate) struct Replayed {
    folders: Vec<PathBuf>,
    inodes: Vec<Inode>,
    names: BTreeMap<PathBuf, usize>,
    names_on_disk: BTreeMap<PathBuf, usize>,
    namings: Vec<(u64, Naming)>,
    handles: BTreeMap<u64, Handle>,
    modes: BTreeMap<PathBuf, u32>,
    now: u64,
}

impl Replayed {
    pub(crate) fn of(folders: &[PathBuf]) -> Self {
        Self {
            folders: folders.to_vec(),
            inodes: Vec::new(),
            names: BTreeMap::new(),
            names_on_disk: BTreeMap::new(),
            namings: Vec::new(),
            handles: BTreeMap::new(),
            modes: BTreeMap::new(),
            now: 0,
        }
    }

    /// What the disk held before anything was written down.
    pub(crate) fn begin_with(&mut self, folder: &Path, copy: &Path) -> io::Result<()> {
        for entry in fs::read_dir(copy)? {
            let entry = entry?;
            let path = folder.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                self.begin_with(&path, &entry.path())?;
            } else if !is_passing(&path) {
                self.inodes.push(Inode::on_disk(fs::read(entry.path())?));
                self.names.insert(path.clone(), self.inodes.len() - 1);
                self.modes.insert(path.clone(), entry.metadata()?.permissions().mode());
                self.names_on_disk.insert(path, self.inodes.len() - 1);
            }
        }
        Ok(())
    }

    pub(crate) fn replay(&mut self, entry: Entry<'_>) {
        self.now += 1;
        let now = self.now;
        match entry {
            Entry::Opened { handle, path, new, emptied } => {
                let inode = match self.names.get(&path) {
                    Some(inode) => Some(*inode),
                    None if new => {
                        self.inodes.push(Inode::default());
                        self.name(Naming::Made(path.clone(), self.inodes.len() - 1));
                        Some(self.inodes.len() - 1)
                    }
                    None => None,
                };
                if let Some(inode) = inode.filter(|_| emptied) {
                    self.inodes[inode].resize(now, 0);
                }
                self.handles.insert(handle, Handle { path, inode, sync_begun: 0 });
            }
            Entry::Written { handle, offset, bytes } => {
                if let Some(inode) = self.inode(handle) {
                    inode.write(now, offset, bytes);
                }
            }
            Entry::Resized { handle, length } => {
                let length = usize::try_from(length).expect("files of tests fit into memory");
                if let Some(inode) = self.inode(handle) {
                    inode.resize(now, length);
                }
            }
            Entry::SyncBegun { handle } => {
                if let Some(handle) = self.handles.get_mut(&handle) {
                    handle.sync_begun = now;
                }
            }
            Entry::SyncEnded { handle, sound } => self.synced(handle, sound),
            Entry::Renamed { from, to } => self.name(Naming::Renamed(from, to)),
            Entry::Unlinked { path } => self.name(Naming::Unlinked(path)),
        }
    }

    /// Whatever was written down of a folder: the disk has what it holds now.
    pub(crate) fn take_as_synced(&mut self, folder: &Path) -> io::Result<()> {
        self.names.retain(|path, _| !path.starts_with(folder));
        self.names_on_disk.retain(|path, _| !path.starts_with(folder));
        self.namings.retain(|(_, naming)| !naming.folder().starts_with(folder));
        self.begin_with(folder, folder)
    }

    /// Where the file behind a handle lies.
    pub(crate) fn path_of(&self, handle: u64) -> Option<&Path> {
        self.handles.get(&handle).map(|handle| handle.path.as_path())
    }

    fn inode(&mut self, handle: u64) -> Option<&mut Inode> {
        let inode = self.handles.get(&handle)?.inode?;
        self.inodes.get_mut(inode)
    }

    fn name(&mut self, naming: Naming) {
        naming.happen(&mut self.names);
        self.namings.push((self.now, naming));
    }

    fn synced(&mut self, handle: u64, sound: bool) {
        let Some(Handle { path, inode, sync_begun }) = self.handles.get(&handle).cloned() else { return };
        match (inode, sound) {
            (Some(inode), true) => self.inodes[inode].promise(sync_begun),
            (Some(inode), false) => {
                // Whether it arrived was settled then, and does not depend on the moment of the cut.
                let mut seed = Seed::new(sync_begun);
                self.inodes[inode].disappoint(sync_begun, Luck::Percent(50), &mut seed);
            }
            (None, true) => {
                let names = &mut self.names_on_disk;
                self.namings.retain(|(when, naming)| {
                    let promised = *when <= sync_begun && naming.folder() == path;
                    if promised {
                        naming.happen(names);
                    }
                    !promised
                });
            }
            (None, false) => {}
        }
    }

    /// As the programs see it.
    pub(crate) fn seen(&self) -> Picture {
        let file = |(path, inode): (&PathBuf, &usize)| (path.clone(), self.inodes[*inode].seen().to_vec());
        Picture {
            folders: self.folders.clone(),
            modes: self.modes.clone(),
            files: self.names.iter().map(file).collect(),
        }
    }

    /// One of the states in which the disk may be.
    pub(crate) fn draw(&self, seed: u64) -> Picture {
        self.draw_within(seed, Path::new("/"))
    }

    /// The same of one folder, whatever happened in others.
    pub(crate) fn draw_within(&self, seed: u64, folder: &Path) -> Picture {
        let mut seed = Seed::new(seed);
        let luck = match seed.below(6) {
            0 => Luck::Nothing,
            1 => Luck::Everything,
            2 => Luck::Percent(5),
            3 => Luck::Percent(95),
            _ => Luck::Percent(50),
        };
        let mut names = self.names_on_disk.clone();
        let mut arrived: BTreeMap<&Path, usize> = BTreeMap::new();
        let namings =
            || self.namings.iter().map(|(_, naming)| naming).filter(|naming| naming.folder().starts_with(folder));
        for naming in namings() {
            *arrived.entry(naming.folder()).or_default() += 1;
        }
        for count in arrived.values_mut() {
            *count = match luck {
                Luck::Nothing => 0,
                Luck::Everything => *count,
                Luck::Percent(_) => seed.below(*count + 1),
            };
        }
        for naming in namings() {
            let left = arrived.get_mut(naming.folder()).expect("every folder was counted");
            if *left > 0 {
                *left -= 1;
                naming.happen(&mut names);
            }
        }
        names.retain(|path, _| path.starts_with(folder));
        let files = names.into_iter().map(|(path, inode)| (path, self.inodes[inode].draw(luck, &mut seed))).collect();
        Picture { folders: self.folders.clone(), modes: self.modes.clone(), files }
    }
}

/// Whether a file is of no use after a restart: the shared memory of `SQLite`, which it makes anew.
fn is_passing(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().ends_with(b"-shm")
}
