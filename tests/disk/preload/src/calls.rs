//! The functions of the C library that are replaced. Each goes to the kernel, and to the journal.

use std::ffi::{c_char, c_int, c_uint, c_void};
use std::ptr;

use libc::{iovec, mode_t, off_t, size_t, ssize_t};

use crate::control::{Count, Fault, control};
use crate::files::{File, absolute, forget, in_order, is_watched, path_of, watch, watched};
use crate::journal::{Kind, record};

/// In the record of an opened file: it is new, it was emptied, it is a folder.
const NEW: u64 = 1;
const EMPTIED: u64 = 2;
const FOLDER: u64 = 4;

/// The kernel answers with a descriptor, or with less than 0.
const fn descriptor(answer: libc::c_long) -> c_int {
    answer as c_int
}

fn fail<T: From<i8>>(error: c_int) -> T {
    // SAFETY: the place of this thread's error number.
    unsafe { *libc::__errno_location() = error };
    T::from(-1)
}

unsafe fn open_at(folder: c_int, path: *const c_char, flags: c_int, mode: mode_t) -> c_int {
    // SAFETY: as the caller of the C library's function promised.
    let open = || descriptor(unsafe { libc::syscall(libc::SYS_openat, folder, path, flags, mode) });
    let changes = flags & (libc::O_CREAT | libc::O_TRUNC) != 0;
    let order = changes.then(in_order);
    // SAFETY: as above.
    let is_new =
        flags & libc::O_CREAT != 0 && unsafe { libc::syscall(libc::SYS_faccessat, folder, path, libc::F_OK) } != 0;
    let fd = open();
    if fd < 0 {
        return fd;
    }
    forget(fd);
    if let Some(path) = path_of(fd).filter(|path| is_watched(path)) {
        let file = watch(fd, path);
        if file.survives {
            // SAFETY: the buffer is of the kind that the kernel fills.
            let is_folder = unsafe {
                let mut about = std::mem::zeroed::<libc::stat>();
                libc::fstat(fd, &raw mut about) == 0 && about.st_mode & libc::S_IFMT == libc::S_IFDIR
            };
            let emptied = flags & libc::O_TRUNC != 0;
            let how = [(is_new, NEW), (emptied, EMPTIED), (is_folder, FOLDER)];
            let how = how.into_iter().filter_map(|(is_so, bit)| is_so.then_some(bit)).sum();
            record(Kind::Open, file.handle, how, &file.path);
        }
    }
    drop(order);
    fd
}

macro_rules! opens {
    ($($name:ident)*) => {$(
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name(path: *const c_char, flags: c_int, mode: mode_t) -> c_int {
            // SAFETY: the caller keeps the contract of the C library.
            unsafe { open_at(libc::AT_FDCWD, path, flags, mode) }
        }
    )*};
}
opens!(open open64);

macro_rules! opens_at {
    ($($name:ident)*) => {$(
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name(folder: c_int, path: *const c_char, flags: c_int, mode: mode_t) -> c_int {
            // SAFETY: the caller keeps the contract of the C library.
            unsafe { open_at(folder, path, flags, mode) }
        }
    )*};
}
opens_at!(openat openat64);

macro_rules! creates {
    ($($name:ident)*) => {$(
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name(path: *const c_char, mode: mode_t) -> c_int {
            // SAFETY: the caller keeps the contract of the C library.
            unsafe { open_at(libc::AT_FDCWD, path, libc::O_CREAT | libc::O_WRONLY | libc::O_TRUNC, mode) }
        }
    )*};
}
creates!(creat creat64);

#[unsafe(no_mangle)]
unsafe extern "C" fn close(fd: c_int) -> c_int {
    forget(fd);
    // SAFETY: the caller keeps the contract of the C library.
    descriptor(unsafe { libc::syscall(libc::SYS_close, fd) })
}

/// How many bytes of a write the disk takes, or the error that it answers with.
fn granted(file: &File, fd: c_int, offset: u64, length: usize) -> Result<usize, c_int> {
    let Some(control) = control() else { return Ok(length) };
    if file.survives && control.strikes(Fault::Write, &file.path) {
        return Err(libc::EIO);
    }
    // SAFETY: the buffer is of the kind that the kernel fills.
    let size = unsafe {
        let mut about = std::mem::zeroed::<libc::stat>();
        if libc::fstat(fd, &raw mut about) == 0 { u64::try_from(about.st_size).unwrap_or(0) } else { 0 }
    };
    let growth = (offset + length as u64).saturating_sub(size).min(length as u64);
    let given = if control.concerns(&file.path) { control.take_space(growth) } else { growth };
    let mut granted = length - usize::try_from(growth - given).unwrap_or(length);
    if granted == 0 && length > 0 {
        return Err(libc::ENOSPC);
    }
    if file.survives && granted > 1 && control.strikes(Fault::ShortWrite, &file.path) {
        granted /= 2;
    }
    Ok(granted)
}

/// Writes to a watched file: at a place, or where its descriptor stands.
unsafe fn write_watched(file: &File, fd: c_int, bytes: *const c_void, length: size_t, at: Option<off_t>) -> ssize_t {
    let _order = in_order();
    // SAFETY: asks the kernel where the descriptor stands.
    let stands = || unsafe { libc::syscall(libc::SYS_lseek, fd, 0, libc::SEEK_CUR) };
    let begins = at.map_or_else(|| u64::try_from(stands()).unwrap_or(0), |at| u64::try_from(at).unwrap_or(0));
    let granted = match granted(file, fd, begins, length) {
        Ok(granted) => granted,
        Err(error) => return fail(error),
    };
    // SAFETY: the caller keeps the contract of the C library; no more is written than it said.
    let written = unsafe {
        match at {
            Some(at) => libc::syscall(libc::SYS_pwrite64, fd, bytes, granted, at),
            None => libc::syscall(libc::SYS_write, fd, bytes, granted),
        }
    };
    if let Ok(length) = usize::try_from(written)
        && file.survives
    {
        // A file that is appended to is written where it ended.
        let begins = at.map_or_else(|| u64::try_from(stands()).unwrap_or(0) - length as u64, |_| begins);
        // SAFETY: the kernel has just read as many bytes from there.
        let bytes = unsafe { std::slice::from_raw_parts(bytes.cast::<u8>(), length) };
        record(Kind::Write, file.handle, begins, bytes);
        if let Some(control) = control() {
            control.count(Count::Writes, 1);
            control.count(Count::Bytes, length as u64);
        }
    }
    written as ssize_t
}

#[unsafe(no_mangle)]
unsafe extern "C" fn write(fd: c_int, bytes: *const c_void, length: size_t) -> ssize_t {
    match watched(fd) {
        // SAFETY: the caller keeps the contract of the C library.
        Some(file) => unsafe { write_watched(&file, fd, bytes, length, None) },
        // SAFETY: as above.
        None => unsafe { libc::syscall(libc::SYS_write, fd, bytes, length) as ssize_t },
    }
}

macro_rules! writes_at {
    ($($name:ident)*) => {$(
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name(fd: c_int, bytes: *const c_void, length: size_t, at: off_t) -> ssize_t {
            match watched(fd) {
                // SAFETY: the caller keeps the contract of the C library.
                Some(file) => unsafe { write_watched(&file, fd, bytes, length, Some(at)) },
                // SAFETY: as above.
                None => unsafe { libc::syscall(libc::SYS_pwrite64, fd, bytes, length, at) as ssize_t },
            }
        }
    )*};
}
writes_at!(pwrite pwrite64);

/// Several pieces, one after the other; what does not fit ends it.
unsafe fn write_pieces(file: &File, fd: c_int, pieces: *const iovec, count: c_int, at: Option<off_t>) -> ssize_t {
    let mut written: ssize_t = 0;
    for piece in 0..usize::try_from(count).unwrap_or(0) {
        // SAFETY: the caller says that there are so many.
        let piece = unsafe { ptr::read(pieces.add(piece)) };
        let at = at.map(|at| at + written as off_t);
        // SAFETY: the caller keeps the contract of the C library.
        let more = unsafe { write_watched(file, fd, piece.iov_base, piece.iov_len, at) };
        if more < 0 {
            return if written > 0 { written } else { more };
        }
        written += more;
        if usize::try_from(more) != Ok(piece.iov_len) {
            break;
        }
    }
    written
}

#[unsafe(no_mangle)]
unsafe extern "C" fn writev(fd: c_int, pieces: *const iovec, count: c_int) -> ssize_t {
    match watched(fd) {
        // SAFETY: the caller keeps the contract of the C library.
        Some(file) => unsafe { write_pieces(&file, fd, pieces, count, None) },
        // SAFETY: as above.
        None => unsafe { libc::syscall(libc::SYS_writev, fd, pieces, count) as ssize_t },
    }
}

macro_rules! writes_pieces_at {
    ($($name:ident)*) => {$(
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name(fd: c_int, pieces: *const iovec, count: c_int, at: off_t) -> ssize_t {
            match watched(fd) {
                // SAFETY: the caller keeps the contract of the C library.
                Some(file) => unsafe { write_pieces(&file, fd, pieces, count, Some(at)) },
                // SAFETY: as above; the last number is the upper half of the place.
                None => unsafe { libc::syscall(libc::SYS_pwritev, fd, pieces, count, at, 0) as ssize_t },
            }
        }
    )*};
}
writes_pieces_at!(pwritev pwritev64);

fn read_fails(fd: c_int) -> bool {
    let Some(control) = control() else { return false };
    watched(fd).is_some_and(|file| file.survives && control.strikes(Fault::Read, &file.path))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn read(fd: c_int, bytes: *mut c_void, length: size_t) -> ssize_t {
    if read_fails(fd) {
        return fail(libc::EIO);
    }
    // SAFETY: the caller keeps the contract of the C library.
    unsafe { libc::syscall(libc::SYS_read, fd, bytes, length) as ssize_t }
}

macro_rules! reads_at {
    ($($name:ident)*) => {$(
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name(fd: c_int, bytes: *mut c_void, length: size_t, at: off_t) -> ssize_t {
            if read_fails(fd) {
                return fail(libc::EIO);
            }
            // SAFETY: the caller keeps the contract of the C library.
            unsafe { libc::syscall(libc::SYS_pread64, fd, bytes, length, at) as ssize_t }
        }
    )*};
}
reads_at!(pread pread64);

/// What was written before this began is on the disk when it has ended well.
fn sync(fd: c_int, call: libc::c_long) -> c_int {
    // SAFETY: nothing but numbers.
    let really = || descriptor(unsafe { libc::syscall(call, fd) });
    let Some(file) = watched(fd).filter(|file| file.survives) else { return really() };
    let Some(control) = control() else { return really() };
    record(Kind::SyncBegun, file.handle, 0, &[]);
    control.count(Count::Syncs, 1);
    let strikes = control.strikes(Fault::Sync, &file.path);
    let answer = if strikes || control.pretends() { 0 } else { really() };
    let sound = !strikes && answer == 0;
    record(Kind::SyncEnded, file.handle, u64::from(sound), &[]);
    if strikes { fail(libc::EIO) } else { answer }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn fsync(fd: c_int) -> c_int {
    sync(fd, libc::SYS_fsync)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn fdatasync(fd: c_int) -> c_int {
    sync(fd, libc::SYS_fdatasync)
}

/// Promises nothing, so nothing is written down; but it fails like a sync.
#[unsafe(no_mangle)]
unsafe extern "C" fn sync_file_range(fd: c_int, from: off_t, length: off_t, flags: c_uint) -> c_int {
    if let (Some(file), Some(control)) = (watched(fd), control())
        && control.strikes(Fault::Sync, &file.path)
    {
        return fail(libc::EIO);
    }
    // SAFETY: nothing but numbers.
    descriptor(unsafe { libc::syscall(libc::SYS_sync_file_range, fd, from, length, flags) })
}

macro_rules! truncates {
    ($($name:ident)*) => {$(
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name(fd: c_int, length: off_t) -> c_int {
            let file = watched(fd).filter(|file| file.survives);
            let order = file.is_some().then(in_order);
            // SAFETY: nothing but numbers.
            let answer = descriptor(unsafe { libc::syscall(libc::SYS_ftruncate, fd, length) });
            if let Some(file) = file.filter(|_| answer == 0) {
                record(Kind::Truncate, file.handle, u64::try_from(length).unwrap_or(0), &[]);
            }
            drop(order);
            answer
        }
    )*};
}
truncates!(ftruncate ftruncate64);

macro_rules! truncates_paths {
    ($($name:ident $by:ident)*) => {$(
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name(path: *const c_char, length: off_t) -> c_int {
            // SAFETY: the caller keeps the contract of the C library.
            let fd = unsafe { open_at(libc::AT_FDCWD, path, libc::O_WRONLY | libc::O_CLOEXEC, 0) };
            if fd < 0 {
                return fd;
            }
            // SAFETY: the descriptor was opened above and is closed here.
            unsafe {
                let answer = $by(fd, length);
                close(fd);
                answer
            }
        }
    )*};
}
truncates_paths!(truncate ftruncate truncate64 ftruncate64);

unsafe fn rename_at(
    from_folder: c_int,
    from: *const c_char,
    to_folder: c_int,
    to: *const c_char,
    how: c_uint,
) -> c_int {
    // SAFETY: the caller keeps the contract of the C library.
    let paths = unsafe { absolute(from_folder, from).zip(absolute(to_folder, to)) };
    let paths = paths.filter(|(from, to)| is_watched(from) || is_watched(to));
    let order = paths.is_some().then(in_order);
    // SAFETY: as above.
    let answer = descriptor(unsafe { libc::syscall(libc::SYS_renameat2, from_folder, from, to_folder, to, how) });
    if let Some((from, to)) = paths.filter(|_| answer == 0) {
        record(Kind::Rename, 0, from.len() as u64, &[from, to].concat());
    }
    drop(order);
    answer
}

#[unsafe(no_mangle)]
unsafe extern "C" fn rename(from: *const c_char, to: *const c_char) -> c_int {
    // SAFETY: the caller keeps the contract of the C library.
    unsafe { rename_at(libc::AT_FDCWD, from, libc::AT_FDCWD, to, 0) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn renameat(from_folder: c_int, from: *const c_char, to_folder: c_int, to: *const c_char) -> c_int {
    // SAFETY: the caller keeps the contract of the C library.
    unsafe { rename_at(from_folder, from, to_folder, to, 0) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn renameat2(
    from_folder: c_int,
    from: *const c_char,
    to_folder: c_int,
    to: *const c_char,
    how: c_uint,
) -> c_int {
    // SAFETY: the caller keeps the contract of the C library.
    unsafe { rename_at(from_folder, from, to_folder, to, how) }
}

unsafe fn unlink_at(folder: c_int, path: *const c_char, flags: c_int) -> c_int {
    // SAFETY: the caller keeps the contract of the C library.
    let whole = unsafe { absolute(folder, path) }.filter(|path| is_watched(path) && flags == 0);
    let order = whole.is_some().then(in_order);
    // SAFETY: as above.
    let answer = descriptor(unsafe { libc::syscall(libc::SYS_unlinkat, folder, path, flags) });
    if let Some(whole) = whole.filter(|_| answer == 0) {
        record(Kind::Unlink, 0, 0, &whole);
    }
    drop(order);
    answer
}

#[unsafe(no_mangle)]
unsafe extern "C" fn unlink(path: *const c_char) -> c_int {
    // SAFETY: the caller keeps the contract of the C library.
    unsafe { unlink_at(libc::AT_FDCWD, path, 0) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn unlinkat(folder: c_int, path: *const c_char, flags: c_int) -> c_int {
    // SAFETY: the caller keeps the contract of the C library.
    unsafe { unlink_at(folder, path, flags) }
}

/// Into a watched file it is refused as between two file systems: callers then read and write.
#[unsafe(no_mangle)]
unsafe extern "C" fn copy_file_range(
    from: c_int,
    from_offset: *mut off_t,
    to: c_int,
    to_offset: *mut off_t,
    length: size_t,
    flags: c_uint,
) -> ssize_t {
    if watched(to).is_some() {
        return fail(libc::EXDEV);
    }
    // SAFETY: the caller keeps the contract of the C library.
    unsafe { libc::syscall(libc::SYS_copy_file_range, from, from_offset, to, to_offset, length, flags) as ssize_t }
}

macro_rules! sends {
    ($($name:ident)*) => {$(
        /// Into a watched file it is refused: callers then read and write.
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name(to: c_int, from: c_int, offset: *mut off_t, count: size_t) -> ssize_t {
            if watched(to).is_some() {
                return fail(libc::EINVAL);
            }
            // SAFETY: the caller keeps the contract of the C library.
            unsafe { libc::syscall(libc::SYS_sendfile, to, from, offset, count) as ssize_t }
        }
    )*};
}
sends!(sendfile sendfile64);
