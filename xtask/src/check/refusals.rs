//! Every refusal is expected by a test: a reason that no test ever saw may be one that nobody is ever given.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::purity::sources;
use crate::shell::root;

/// Where rules live: each folder in these is a package.
const PACKAGES: [&str; 2] = ["services", "crates"];

pub(super) fn findings() -> anyhow::Result<Vec<String>> {
    let mut findings = Vec::new();
    for packages in PACKAGES {
        let mut folders: Vec<_> =
            fs::read_dir(root().join(packages))?.map(|entry| Ok(entry?.path())).collect::<anyhow::Result<_>>()?;
        folders.sort();
        for folder in folders {
            findings.extend(unexpected(&folder)?);
        }
    }
    Ok(findings)
}

/// The refusals of a package's rules that none of its tests names.
fn unexpected(package: &Path) -> anyhow::Result<Vec<String>> {
    let mut refusals = Vec::new();
    let mut expected = BTreeSet::new();
    for file in sources(&package.join("src"))? {
        let source = fs::read_to_string(&file)?;
        let rules = if is_for_tests(&file) { "" } else { source.split("#[cfg(test)]").next().unwrap_or_default() };
        expected.extend(named(&source[rules.len()..]));
        if is_among_rules(&file)? {
            refusals.extend(variants(rules).map(|variant| (file.clone(), variant.to_owned())));
        }
    }
    for file in sources(&package.join("tests"))? {
        expected.extend(named(&fs::read_to_string(file)?));
    }
    let name = |file: &Path| file.strip_prefix(root()).unwrap_or(file).display().to_string();
    let unexpected = refusals.into_iter().filter(|(_, variant)| !expected.contains(variant));
    Ok(unexpected.map(|(file, variant)| format!("{}: no test expects `Error::{variant}`", name(&file))).collect())
}

/// Whether a file, or the module that it is a part of, holds the rules of an aggregate.
fn is_among_rules(file: &Path) -> anyhow::Result<bool> {
    let folder = file.with_file_name("");
    let mut candidates = vec![file.to_owned(), folder.join("mod.rs")];
    candidates
        .extend(folder.parent().zip(folder.file_name()).map(|(above, name)| above.join(name).with_extension("rs")));
    for candidate in candidates.into_iter().filter(|candidate: &PathBuf| candidate.is_file()) {
        if fs::read_to_string(candidate)?.contains("Aggregate for ") {
            return Ok(true);
        }
    }
    Ok(false)
}

fn is_for_tests(file: &Path) -> bool {
    let marks = ["tests", "tests.rs", "specifications", "specifications.rs", "examples.rs"];
    file.components().any(|part| marks.iter().any(|mark| part.as_os_str() == *mark))
}

/// The variants of `pub enum Error` in a source.
fn variants(source: &str) -> impl Iterator<Item = &str> {
    let body = source.split_once("pub enum Error {").map_or("", |(_, rest)| rest);
    let body = body.split("\n}").next().unwrap_or_default();
    body.lines().filter_map(|line| {
        let name = line.strip_prefix("    ")?;
        let end = name.find(|character: char| !character.is_alphanumeric()).unwrap_or(name.len());
        let (name, rest) = name.split_at(end);
        let is_variant =
            name.starts_with(|first: char| first.is_ascii_uppercase()) && rest.starts_with([',', ' ', '(', '{']);
        is_variant.then_some(name)
    })
}

/// The refusals that a test names.
fn named(source: &str) -> impl Iterator<Item = String> {
    source
        .split("Error::")
        .skip(1)
        .map(|rest| rest.chars().take_while(|character| character.is_alphanumeric()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_of_today_is_expected_by_a_test() {
        assert_eq!(findings().expect("the sources can be read"), Vec::<String>::new());
    }

    #[test]
    fn the_reasons_are_read_from_the_source() {
        let source = "pub enum Error {\n    /// Why.\n    #[error(\"no\")]\n    NotHere,\n    Full(u8),\n    Late {\n        days: u8,\n    },\n}\n\nfn Other() {}";
        assert_eq!(variants(source).collect::<Vec<_>>(), ["NotHere", "Full", "Late"]);
    }

    #[test]
    fn a_reason_counts_as_expected_where_a_test_names_it() {
        assert_eq!(
            named("refused(Error::NotHere); refused(case::Error::Full(3))").collect::<Vec<_>>(),
            ["NotHere", "Full"]
        );
    }
}
