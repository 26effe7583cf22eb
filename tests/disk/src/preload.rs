//! The library that is preloaded.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The path of the library: what the environment variable `SPEAN_DISK_LIBRARY` names, else the one of this build, which
/// is brought up to date first.
///
/// # Panics
/// When it cannot be built.
pub fn library() -> PathBuf {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| env::var_os("SPEAN_DISK_LIBRARY").map_or_else(build, PathBuf::from)).clone()
}

fn build() -> PathBuf {
    let test = env::current_exe().expect("this program has a path");
    // target/debug/deps/disk-0123456789abcdef, or target/debug/prove
    let folder = test.parent().expect("a program lies in a folder");
    let profile = if folder.ends_with("deps") { folder.parent().expect("deps lies in a profile") } else { folder };
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.args(["build", "--quiet", "--package", "spean-disk-preload"]).current_dir(env!("CARGO_MANIFEST_DIR"));
    if profile.ends_with("release") {
        build.arg("--release");
    }
    if let Some(target) = profile.parent().filter(|target| *target != Path::new("/")) {
        build.arg("--target-dir").arg(target);
    }
    let outcome = build.status().expect("cargo is there, since it built this program");
    assert!(outcome.success(), "the library could not be built: {outcome}");
    profile.join("libspean_disk_preload.so")
}
