//! What stands between a program and the C library when this library is preloaded (`LD_PRELOAD`): every change to files
//! in the watched folders is written down in a journal, and disks fail when the control file says so.
//!
//! It is the one place with `unsafe` code: to answer in place of the C library is to have its signatures and to read what
//! callers point at. Nothing here calls the C library's own version of what it replaces: all goes to the kernel directly
//! ([`libc::syscall`]), so there is no order of loading to get wrong. `spean-disk` has the other half: what the control file
//! means, and what a disk may hold after the power failed, computed from the journal.
//!
//! What it does not see: files opened before it was loaded, through `dup` or `fopen`, and memory that is mapped to be
//! written. `SQLite` does the last with its `-shm` files, which hold nothing that must survive. Programs that are not
//! linked dynamically are not changed at all. A test compares journal and disk, byte for byte.
#![cfg(target_os = "linux")]

mod calls;
mod control;
mod files;
mod journal;
