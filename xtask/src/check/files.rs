//! Nothing in the repository belongs to one machine: no folder of somebody's, no place that packages were fetched from.

use std::fs;

use crate::shell::{output, program, root};

/// Folders at the root of a machine that hold what is somebody's own.
const PRIVATE_FOLDERS: [&str; 4] = ["work", "root", "home", "Users"];

/// Where every package of Cargo comes from, as the lock file of anybody says it.
const PUBLIC_INDEX: &str = "source = \"registry+https://github.com/rust-lang/";

pub(super) fn findings() -> anyhow::Result<Vec<String>> {
    let mut findings = Vec::new();
    let listed = output(&mut program("git", &["ls-files", "-z", "--cached", "--others", "--exclude-standard"]))?;
    for name in listed.split('\0').filter(|name| !name.is_empty()) {
        // What is no text, or was removed and not yet committed, says nothing.
        let Ok(text) = fs::read_to_string(root().join(name)) else { continue };
        for (index, line) in text.lines().enumerate() {
            if let Some(why) = names_a_machine(name, line) {
                findings.push(format!("{name}:{}: {why}", index + 1));
            }
        }
    }
    Ok(findings)
}

fn names_a_machine(file: &str, line: &str) -> Option<&'static str> {
    let starts = |(place, _): (usize, &str)| {
        !line[..place].ends_with(|before: char| before.is_alphanumeric() || "._-*}/".contains(before))
    };
    if PRIVATE_FOLDERS.iter().any(|folder| line.match_indices(&format!("/{folder}/")).any(starts)) {
        return Some("a path of one machine");
    }
    let line = line.trim_start();
    let fetched_from = match file.rsplit('/').next() {
        Some("Cargo.lock") => line.starts_with("source = ") && !line.starts_with(PUBLIC_INDEX),
        Some("package-lock.json") => line.starts_with("\"resolved\""),
        Some("requirements.txt") => line.contains("://") || line.starts_with("--"),
        Some("config.toml") => line.starts_with("[source") || line.starts_with("[registries"),
        _ => false,
    };
    fetched_from.then_some("a place that packages are fetched from")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_a_machine_is_found_and_the_like_of_it_is_not() {
        let path = |folder: &str| format!("let file = \"/{folder}/somebody/x\";");
        for folder in PRIVATE_FOLDERS {
            assert!(names_a_machine("a.rs", &path(folder)).is_some(), "{folder}");
        }
        assert!(names_a_machine("a.rs", &path("etc")).is_none());
        assert!(names_a_machine("a.md", "https://example.org/home/page, tests/work/x").is_none());
    }

    #[test]
    fn a_lock_file_names_no_place_of_ones_own() {
        let foreign = "source = \"registry+https://packages.example.org/index\"";
        assert!(names_a_machine("Cargo.lock", foreign).is_some());
        assert!(names_a_machine("Cargo.lock", "source = \"registry+https://github.com/rust-lang/x\"").is_none());
        assert!(
            names_a_machine("tests/package-lock.json", "  \"resolved\": \"https://packages.example.org/a\"").is_some()
        );
    }
}
