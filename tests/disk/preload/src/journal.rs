//! The journal: one record for each change, appended with one call so that processes do not mix theirs.

use std::ffi::c_char;
use std::sync::OnceLock;

/// What a record tells. The numbers stand in the file.
#[derive(Clone, Copy, Debug)]
#[repr(u8)]
pub(crate) enum Kind {
    Open = 1,
    Write = 2,
    Truncate = 3,
    SyncBegun = 4,
    SyncEnded = 5,
    Rename = 6,
    Unlink = 7,
}

/// Appends a record: its length, kind, handle, a number, and bytes.
pub(crate) fn record(kind: Kind, handle: u64, number: u64, bytes: &[u8]) {
    let Some(journal) = journal() else { return };
    let length = 21 + bytes.len();
    let mut record = Vec::with_capacity(length);
    record.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
    record.push(kind as u8);
    record.extend_from_slice(&handle.to_le_bytes());
    record.extend_from_slice(&number.to_le_bytes());
    record.extend_from_slice(bytes);
    // SAFETY: the bytes are ours and as many as said.
    let written = unsafe { libc::syscall(libc::SYS_write, journal, record.as_ptr(), record.len()) };
    if usize::try_from(written) != Ok(record.len()) {
        // A journal with a hole would prove what is not so.
        // SAFETY: ends the process, whatever its state.
        unsafe { libc::abort() };
    }
}

fn journal() -> Option<i32> {
    static JOURNAL: OnceLock<Option<i32>> = OnceLock::new();
    *JOURNAL.get_or_init(|| {
        // SAFETY: the name ends with zero, and so does the answer, which the environment keeps.
        let path: *const c_char = unsafe { libc::getenv(c"SPEAN_DISK_JOURNAL".as_ptr()) };
        if path.is_null() {
            return None;
        }
        let flags = libc::O_WRONLY | libc::O_APPEND | libc::O_CREAT | libc::O_CLOEXEC;
        // SAFETY: a path that ends with zero; the kernel judges the rest.
        let fd = unsafe { libc::syscall(libc::SYS_openat, libc::AT_FDCWD, path, flags, 0o666) };
        i32::try_from(fd).ok().filter(|fd| *fd >= 0)
    })
}
