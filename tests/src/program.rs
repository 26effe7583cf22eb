//! The program under test, as it is built.

use std::env;
use std::path::{Path, PathBuf};
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
    let test = env::current_exe().expect("this test has a path");
    // target/debug/deps/stories-0123456789abcdef
    let profile = test.parent().and_then(Path::parent).expect("tests lie two folders deep in the target folder");
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
