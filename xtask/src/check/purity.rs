//! The rules know no clock, no database, no network: they decide from what they are given.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::shell::root;

/// Words that no rule needs.
const FOREIGN: [&str; 9] = ["async", "await", "sqlx", "tonic", "tracing::", "tokio", "SystemTime", "Instant", "Clock"];

/// Crates that are rules as a whole.
const PURE_CRATES: [&str; 2] = ["crates/custody/src", "crates/eventsourcing/src"];

pub(super) fn findings() -> anyhow::Result<Vec<String>> {
    let mut files = BTreeSet::new();
    for folder in PURE_CRATES {
        files.extend(sources(&root().join(folder))?);
    }
    for service in fs::read_dir(root().join("services"))? {
        for file in sources(&service?.path().join("src"))? {
            if fs::read_to_string(&file)?.contains("impl Aggregate for ") {
                files.extend(with_parts(&file)?);
            }
        }
    }
    let mut findings = Vec::new();
    for file in files {
        let name = file.strip_prefix(root()).unwrap_or(&file).display().to_string();
        findings.extend(
            foreign_words(&fs::read_to_string(&file)?)
                .map(|(line, word)| format!("{name}:{line}: `{word}` has no place among the rules")),
        );
    }
    Ok(findings)
}

/// A module and the files of its folder: `referral.rs` and `referral/*`, or `referral/mod.rs` and its neighbours.
fn with_parts(file: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let folder = if file.ends_with("mod.rs") { file.with_file_name("") } else { file.with_extension("") };
    let mut files = sources(&folder)?;
    files.push(file.to_owned());
    Ok(files)
}

/// The Rust sources of a folder, whatever their depth.
pub(super) fn sources(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    if !folder.is_dir() {
        return Ok(files);
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(sources(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(files)
}

/// Whether a word of this line is the foreign one. Families are traced here: as a path the word is that of the crate.
fn is(word: &str, line: &str, foreign: &str) -> bool {
    let plain = word.trim_end_matches(|character: char| !(character.is_alphanumeric() || character == '_'));
    match foreign.strip_suffix("::") {
        Some(path) => plain == path && line.contains(foreign),
        None => plain == foreign,
    }
}

/// The foreign words of a source outside its comments, with their lines.
fn foreign_words(source: &str) -> impl Iterator<Item = (usize, &'static str)> {
    source.lines().enumerate().flat_map(|(index, line)| {
        let code = line.split("//").next().unwrap_or_default();
        let words = code.split_inclusive(|character: char| !(character.is_alphanumeric() || character == '_'));
        let foreign = words.filter_map(|word| FOREIGN.iter().find(|foreign| is(word, code, foreign)).copied());
        foreign.map(move |word| (index + 1, word))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_of_today_are_pure() {
        assert_eq!(findings().expect("the sources can be read"), Vec::<String>::new());
    }

    #[test]
    fn a_clock_among_the_rules_is_found_and_one_in_a_comment_is_not() {
        let source = "//! No clock, no async.\nuse std::time::Instant;\nfn rule() { asynchronous() } // tokio\n";
        assert_eq!(foreign_words(source).collect::<Vec<_>>(), [(2, "Instant")]);
        let traced = "let tracing = family.tracing;\ntracing::warn!(\"no\");\n";
        assert_eq!(foreign_words(traced).collect::<Vec<_>>(), [(2, "tracing::")]);
    }
}
