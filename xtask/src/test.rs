//! `cargo xtask test`: everything that must pass, the quick parts first.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context as _, ensure};

use crate::shell::{cargo, output, program, root, run};
use crate::{check, proto};

/// What the tests need from outside Rust, as `NAME=value` for their environment.
struct Outside(Vec<(String, String)>);

pub(crate) fn run_all() -> anyhow::Result<()> {
    let outside = Outside::prepare()?;
    run(&mut cargo(&["fmt", "--all", "--check"]))?;
    run(&mut cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))?;
    check::run()?;
    proto::check(&outside.path("SPEAN_BUF")?)?;
    // Before the other tests, so that the last lines are the summary of all that matter.
    run(cargo(&["test", "--quiet", "--workspace", "--doc"]).envs(outside.pairs()))?;
    let has_nextest = cargo(&["nextest", "--version"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    if has_nextest.is_ok_and(|status| status.success()) {
        run(cargo(&["nextest", "run", "--workspace", "--no-fail-fast"]).envs(outside.pairs()))
    } else {
        cargo_test(&outside)
    }
}

impl Outside {
    fn prepare() -> anyhow::Result<Self> {
        let script = root().join("tests/outside/prepare");
        println!("\n> tests/outside/prepare");
        let said = output(program(&script, &[]).stderr(Stdio::inherit()))?;
        let pairs = said.lines().filter_map(|line| line.split_once('='));
        let mut pairs: Vec<_> = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        // The one that is built together with the tests: a build of its own would choose other features, and take minutes.
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
        pairs.push(("SPEAN_PROGRAM".to_owned(), root().join(target).join("debug/spean").display().to_string()));
        // One database server for all tests, as long as this process lives: to set one up takes longer than most tests.
        pairs.push(("SPEAN_TEST_RUN".to_owned(), std::process::id().to_string()));
        Ok(Self(pairs))
    }

    fn path(&self, name: &str) -> anyhow::Result<PathBuf> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.into()).with_context(|| format!("tests/outside/prepare did not print {name}"))
    }

    fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// Without nextest there is a summary for each test program; this adds them up.
fn cargo_test(outside: &Outside) -> anyhow::Result<()> {
    let mut command = cargo(&["test", "--workspace", "--no-fail-fast", "--lib", "--bins", "--tests"]);
    println!("\n> cargo test --workspace");
    let mut child = command.envs(outside.pairs()).stdout(Stdio::piped()).spawn().context("cargo test")?;
    let mut total = Summary::default();
    for line in BufReader::new(child.stdout.take().context("cargo test says nothing")?).lines() {
        let line = line?;
        println!("{line}");
        total.add(&line);
    }
    let status = child.wait()?;
    println!("\n{} passed, {} failed, {} skipped", total.passed, total.failed, total.ignored);
    ensure!(status.success(), "cargo test failed ({status})");
    ensure!(total.passed > 0, "no test was run");
    Ok(())
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Summary {
    passed: u64,
    failed: u64,
    ignored: u64,
}

impl Summary {
    /// Adds a line such as `test result: ok. 3 passed; 0 failed; 1 ignored; …`; passes over any other.
    fn add(&mut self, line: &str) {
        let Some((_, counts)) = line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". ")) else {
            return;
        };
        for count in counts.split("; ") {
            match count.split_once(' ').map(|(number, what)| (number.parse().unwrap_or(0), what)) {
                Some((number, "passed")) => self.passed += number,
                Some((number, "failed")) => self.failed += number,
                Some((number, "ignored")) => self.ignored += number,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summaries_of_all_test_programs_are_added_up() {
        let mut total = Summary::default();
        for line in [
            "running 4 tests",
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s",
            "test result: FAILED. 5 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s",
        ] {
            total.add(line);
        }
        assert_eq!(total, Summary { passed: 8, failed: 2, ignored: 1 });
    }
}
