//! Bad input that is guided by what it reaches: libFuzzer on a build of its own.

use std::process::Command;

use anyhow::Context as _;

use crate::shell;

/// Has rustc count which ways through the program an input takes, as libFuzzer needs it.
const COUNTED: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";
/// How many choices an input may be drawn from, in bytes.
const LONGEST: &str = "-max_len=4096";

/// Lets libFuzzer look for bad input of one reader. What reached something new is kept for the next time.
pub(crate) fn prove(reader: &str, minutes: &str) -> anyhow::Result<()> {
    let minutes: u32 = minutes.parse().context("so many minutes")?;
    let folder = shell::root().join("target/guided");
    let host = host()?;
    // With a target named, the flags are not for what runs while it is built.
    let mut build = shell::cargo(&["build", "--package", "spean-fuzz-guided", "--features", "guided"]);
    build.args(["--target", &host, "--target-dir"]).arg(&folder);
    shell::run(build.env("RUSTFLAGS", COUNTED))?;

    let kept = folder.join("kept").join(reader);
    std::fs::create_dir_all(&kept)?;
    let mut fuzz = Command::new(folder.join(host).join("debug/fuzz-guided"));
    fuzz.args([LONGEST, "-rss_limit_mb=1024", "-print_final_stats=1"]);
    fuzz.arg(format!("-max_total_time={}", minutes * 60));
    fuzz.arg(format!("-artifact_prefix={}/failed-{reader}-", folder.display()));
    shell::run(fuzz.arg(kept).env("SPEAN_FUZZ_READER", reader))
}

/// The platform that this compiler builds for.
fn host() -> anyhow::Result<String> {
    let said = shell::output(&mut shell::program("rustc", &["-vV"]))?;
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc does not say what it builds for")
}
