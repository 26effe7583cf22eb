//! The control file, mapped into every process that watches: which faults are ordered, and what was counted.
//!
//! It is 64 words of 64 bits, and behind them the end of the name of the files that faults are for. `spean-disk` writes the
//! same words; the two must say the same.

use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

const WORDS: usize = 64;
const NAME: usize = WORDS * 8;
const NAME_BYTES: usize = 256;
const BYTES: usize = NAME + NAME_BYTES;

/// Syncs are not passed on to the disk.
const PRETEND: u64 = 1;
/// Every sync fails.
const NO_SYNC: u64 = 2;

/// A word that counts down to a fault: at 1 the next one fails; 0 is none.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    Sync = 2,
    ShortWrite = 4,
    Read = 5,
    Write = 6,
}

/// A word that counts what happened.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Count {
    Syncs = 8,
    Writes = 9,
    Bytes = 10,
    Faults = 11,
}

const FLAGS: usize = 1;
/// How many bytes files may still grow by.
const SPACE: usize = 3;

/// The mapped file.
pub(crate) struct Control(*const u8);

// SAFETY: the mapping stays for the life of the process, and its words are only touched atomically.
unsafe impl Send for Control {}
// SAFETY: as above.
unsafe impl Sync for Control {}

/// The control file that the environment names; none when it names none, or it cannot be mapped.
pub(crate) fn control() -> Option<&'static Control> {
    static CONTROL: OnceLock<Option<Control>> = OnceLock::new();
    CONTROL.get_or_init(open).as_ref()
}

fn open() -> Option<Control> {
    // SAFETY: the name ends with zero, and so does the answer, which the environment keeps.
    let path = unsafe { libc::getenv(c"SPEAN_DISK_CONTROL".as_ptr()) };
    if path.is_null() {
        return None;
    }
    // SAFETY: a path that ends with zero; the kernel judges the rest.
    let fd = unsafe { libc::syscall(libc::SYS_openat, libc::AT_FDCWD, path, libc::O_RDWR | libc::O_CLOEXEC) };
    let fd = i32::try_from(fd).ok().filter(|fd| *fd >= 0)?;
    // SAFETY: a fresh mapping at an address of the kernel's choice.
    let mapped =
        unsafe { libc::mmap(ptr::null_mut(), BYTES, libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED, fd, 0) };
    // SAFETY: the descriptor was opened above and is not used again.
    unsafe { libc::syscall(libc::SYS_close, fd) };
    (mapped != libc::MAP_FAILED).then_some(Control(mapped.cast()))
}

impl Control {
    fn word(&self, word: usize) -> &AtomicU64 {
        debug_assert!(word < WORDS);
        // SAFETY: the mapping is BYTES long, begins at a page, and stays.
        unsafe { &*self.0.add(word * 8).cast::<AtomicU64>() }
    }

    /// Whether syncs are to be believed without the disk.
    pub(crate) fn pretends(&self) -> bool {
        self.word(FLAGS).load(Ordering::Relaxed) & PRETEND != 0
    }

    /// Counts something.
    pub(crate) fn count(&self, count: Count, by: u64) {
        self.word(count as usize).fetch_add(by, Ordering::Relaxed);
    }

    /// Whether this one is to fail, on a file of this name.
    pub(crate) fn strikes(&self, fault: Fault, path: &[u8]) -> bool {
        let always = matches!(fault, Fault::Sync) && self.word(FLAGS).load(Ordering::Relaxed) & NO_SYNC != 0;
        let word = self.word(fault as usize);
        if (!always && word.load(Ordering::Relaxed) == 0) || !self.concerns(path) {
            return false;
        }
        let counted = word.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        let strikes = always || counted == Ok(1);
        self.count(Count::Faults, u64::from(strikes));
        strikes
    }

    /// How many of these bytes there is space for. They are taken.
    pub(crate) fn take_space(&self, wanted: u64) -> u64 {
        let space = self.word(SPACE);
        let before = space.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
            (left != u64::MAX).then(|| left.saturating_sub(wanted))
        });
        let given = before.map_or(wanted, |left| left.min(wanted));
        self.count(Count::Faults, u64::from(given < wanted));
        given
    }

    /// Whether faults strike a file of this path.
    pub(crate) fn concerns(&self, path: &[u8]) -> bool {
        // SAFETY: within the mapping; who writes it meanwhile may be read in part, which a test avoids by arming last.
        let name = unsafe { std::slice::from_raw_parts(self.0.add(NAME), NAME_BYTES) };
        let end = name.iter().position(|byte| *byte == 0).unwrap_or(NAME_BYTES);
        end == 0 || path.windows(end).any(|part| part == &name[..end])
    }
}
