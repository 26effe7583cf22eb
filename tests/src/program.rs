//! The program under test, as it is built.

use std::env;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

/// The path of the program `spean`: what the environment variable `SPEAN_PROGRAM` names, else the one of this build,
/// which is brought up to date first.
///
/// # Panics
/// When it cannot be built.
pub fn spean_program() -> PathBuf {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| env::var_os("SPEAN_PROGRAM").map_or_else(build, PathBuf::from)).clone()
}

fn build() -> PathBuf {
    let own = env::current_exe().expect("what runs has a path");
    // A test is target/debug/deps/stories-0123456789abcdef, and a command is target/release/upgrade.
    let folder = own.parent().expect("a program lies in a folder");
    let profile = if folder.ends_with("deps") { folder.parent().expect("as above") } else { folder };
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build
        .args(["build", "--quiet", "--package", "spean", "--features", "failpoints"])
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    if profile.ends_with("release") {
        build.arg("--release");
    }
    if let Some(target) = profile.parent() {
        build.arg("--target-dir").arg(target);
    }
    let outcome = build.status().expect("cargo is there, since it ran this test");
    assert!(outcome.success(), "the program could not be built: {outcome}");
    profile.join("spean")
}
