//! Which descriptors are files in the watched folders.

use std::collections::BTreeMap;
use std::ffi::{CStr, c_char};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

/// Descriptors beyond this are not watched; no test opens as many.
const DESCRIPTORS: usize = 65_536;

/// A file in a watched folder.
#[derive(Clone, Debug)]
pub(crate) struct File {
    /// Names it in the journal.
    pub(crate) handle: u64,
    pub(crate) path: Vec<u8>,
    /// Whether it must survive: the shared memory of `SQLite` must not.
    pub(crate) survives: bool,
}

static WATCHED: [AtomicU64; DESCRIPTORS / 64] = [const { AtomicU64::new(0) }; DESCRIPTORS / 64];
static FILES: Mutex<BTreeMap<i32, File>> = Mutex::new(BTreeMap::new());
static HANDLES: AtomicU64 = AtomicU64::new(1);
static ORDER: Mutex<()> = Mutex::new(());

/// Held while something is done and written down, so that the journal has the order in which it was done.
pub(crate) fn in_order() -> MutexGuard<'static, ()> {
    ORDER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether a path lies in a watched folder.
pub(crate) fn is_watched(path: &[u8]) -> bool {
    static FOLDERS: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    let folders = FOLDERS.get_or_init(|| {
        // SAFETY: the name ends with zero, and so does the answer, which the environment keeps.
        let folders: *const c_char = unsafe { libc::getenv(c"SPEAN_DISK_FOLDERS".as_ptr()) };
        if folders.is_null() {
            return Vec::new();
        }
        // SAFETY: as above.
        let folders = unsafe { CStr::from_ptr(folders) }.to_bytes();
        folders.split(|byte| *byte == b':').filter(|folder| !folder.is_empty()).map(<[u8]>::to_vec).collect()
    });
    folders.iter().any(|folder| {
        path.strip_prefix(folder.as_slice()).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
    })
}

/// The path behind a descriptor, as the kernel knows it.
pub(crate) fn path_of(fd: i32) -> Option<Vec<u8>> {
    link(&format!("/proc/self/fd/{fd}\0"))
}

/// A path as it would be from the root.
///
/// # Safety
/// `path` must end with zero.
pub(crate) unsafe fn absolute(folder: i32, path: *const c_char) -> Option<Vec<u8>> {
    // SAFETY: the caller says that it ends with zero.
    let path = unsafe { CStr::from_ptr(path) }.to_bytes();
    if path.starts_with(b"/") {
        return Some(path.to_vec());
    }
    let mut whole = if folder == libc::AT_FDCWD { link("/proc/self/cwd\0")? } else { path_of(folder)? };
    whole.push(b'/');
    whole.extend_from_slice(path.strip_prefix(b"./").unwrap_or(path));
    Some(whole)
}

fn link(link: &str) -> Option<Vec<u8>> {
    let mut target = vec![0_u8; 4_096];
    // SAFETY: the link ends with zero, and the buffer is as long as said.
    let length = unsafe {
        libc::syscall(libc::SYS_readlinkat, libc::AT_FDCWD, link.as_ptr(), target.as_mut_ptr(), target.len())
    };
    target.truncate(usize::try_from(length).ok()?);
    Some(target)
}

/// Begins to watch a descriptor.
pub(crate) fn watch(fd: i32, path: Vec<u8>) -> File {
    let process = u64::from(std::process::id()) << 32;
    let handle = process | HANDLES.fetch_add(1, Ordering::Relaxed);
    let file = File { handle, survives: !path.ends_with(b"-shm"), path };
    if let Some((word, bit)) = place(fd) {
        files().insert(fd, file.clone());
        WATCHED[word].fetch_or(bit, Ordering::Relaxed);
    }
    file
}

/// The file behind a descriptor, when it is watched.
pub(crate) fn watched(fd: i32) -> Option<File> {
    let (word, bit) = place(fd)?;
    if WATCHED[word].load(Ordering::Relaxed) & bit == 0 {
        return None;
    }
    files().get(&fd).cloned()
}

/// Ends the watch over a descriptor.
pub(crate) fn forget(fd: i32) {
    if let Some((word, bit)) = place(fd)
        && WATCHED[word].load(Ordering::Relaxed) & bit != 0
    {
        WATCHED[word].fetch_and(!bit, Ordering::Relaxed);
        files().remove(&fd);
    }
}

fn files() -> MutexGuard<'static, BTreeMap<i32, File>> {
    FILES.lock().unwrap_or_else(PoisonError::into_inner)
}

fn place(fd: i32) -> Option<(usize, u64)> {
    let fd = usize::try_from(fd).ok().filter(|fd| *fd < DESCRIPTORS)?;
    Some((fd / 64, 1 << (fd % 64)))
}
