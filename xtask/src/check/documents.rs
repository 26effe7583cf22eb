//! Documents do not rot: what they link to and what they name is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::shell::{output, program, root};

/// The documents at the root of the repository; those of these folders are read as well.
const DOCUMENTS: [&str; 4] = ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md"];
const FOLDERS: [&str; 2] = ["docs/", "deploy/"];

/// From so many underscores on, a name in backticks is that of a function, mostly of a test.
const UNDERSCORES_OF_A_SENTENCE: usize = 3;

/// What of the repository a document may speak of.
struct Tree {
    root: PathBuf,
    /// The folders at its root.
    folders: BTreeSet<String>,
    /// The names of all functions.
    functions: BTreeSet<String>,
}

pub(super) fn findings() -> anyhow::Result<Vec<String>> {
    let listed = output(&mut program("git", &["ls-files", "-z", "--cached", "--others", "--exclude-standard"]))?;
    // What was removed and not yet committed is not there.
    let files: Vec<&str> = listed.split('\0').filter(|name| root().join(name).is_file()).collect();
    let tree = Tree {
        root: root().to_owned(),
        folders: files.iter().filter_map(|name| name.split_once('/')).map(|(folder, _)| folder.to_owned()).collect(),
        functions: functions(&files)?,
    };
    let is_document = |name: &&&str| {
        let in_folder = FOLDERS.iter().any(|folder| name.starts_with(folder)) && has_extension(name, "md");
        DOCUMENTS.contains(*name) || in_folder
    };
    let mut findings = Vec::new();
    for name in files.iter().filter(is_document) {
        findings.extend(tree.rotten(Path::new(name), &fs::read_to_string(root().join(name))?));
    }
    Ok(findings)
}

impl Tree {
    /// What a document links to or names that is not there.
    fn rotten(&self, document: &Path, text: &str) -> Vec<String> {
        let beside = document.parent().unwrap_or(Path::new(""));
        let mut findings = Vec::new();
        for (number, line) in prose(text) {
            let mut missing = |what: &str, why: &str| {
                findings.push(format!("{}:{number}: {what}: {why}", document.display()));
            };
            for target in links(line).filter(|target| !self.has(&beside.join(target))) {
                missing(target, "there is nothing to link to");
            }
            for quoted in line.split('`').skip(1).step_by(2) {
                if self.is_path(quoted) && !self.has(Path::new(quoted)) {
                    missing(quoted, "there is no such file or folder");
                }
                if is_sentence(quoted) && !self.functions.contains(quoted) {
                    missing(quoted, "there is no such function");
                }
            }
        }
        findings
    }

    /// Whether a quotation looks like a path from the root of the repository. Patterns and gaps to fill in do not.
    fn is_path(&self, quoted: &str) -> bool {
        let plain = |character: char| character.is_ascii_alphanumeric() || "/._-".contains(character);
        let (first, _) = quoted.split_once('/').unwrap_or(("", ""));
        self.folders.contains(first) && quoted.chars().all(plain)
    }

    /// Whether a path leads to something inside the repository.
    fn has(&self, path: &Path) -> bool {
        let mut depth = 0_usize;
        for component in path.components() {
            match component {
                Component::Normal(_) => depth += 1,
                Component::ParentDir if depth > 0 => depth -= 1,
                Component::CurDir => {}
                _ => return false,
            }
        }
        self.root.join(path).exists()
    }
}

/// The lines outside blocks of code, with their numbers.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut in_code = false;
    text.lines().enumerate().filter_map(move |(index, line)| {
        let is_fence = line.trim_start().starts_with("```");
        in_code ^= is_fence;
        (!in_code && !is_fence).then_some((index + 1, line))
    })
}

/// Where the links of a line lead, inside the repository and without the place in the document.
fn links(line: &str) -> impl Iterator<Item = &str> {
    let targets = line.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let inside = targets.filter(|target| !target.contains("://") && !target.starts_with("mailto:"));
    inside.filter_map(|target| target.split('#').next()).filter(|target| !target.is_empty())
}

fn is_sentence(quoted: &str) -> bool {
    let plain = |character: char| character.is_ascii_lowercase() || character.is_ascii_digit() || character == '_';
    quoted.matches('_').count() >= UNDERSCORES_OF_A_SENTENCE && quoted.chars().all(plain)
}

fn has_extension(name: &str, extension: &str) -> bool {
    Path::new(name).extension().is_some_and(|found| found == extension)
}

/// The names of the functions in all sources.
fn functions(files: &[&str]) -> anyhow::Result<BTreeSet<String>> {
    let mut functions = BTreeSet::new();
    for file in files.iter().filter(|name| has_extension(name, "rs")) {
        let source = fs::read_to_string(root().join(file))?;
        let named = source.split("fn ").skip(1);
        let name =
            |rest: &str| rest.split(|end: char| !(end.is_alphanumeric() || end == '_')).next().map(str::to_owned);
        functions.extend(named.filter_map(name));
    }
    Ok(functions)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> Tree {
        let here = "only_a_test_is_called_like_this".to_owned();
        Tree { root: root().to_owned(), folders: ["xtask".to_owned()].into(), functions: [here].into() }
    }

    #[test]
    fn the_documents_of_today_name_nothing_that_is_not_there() {
        assert_eq!(findings().expect("the documents can be read"), Vec::<String>::new());
    }

    #[test]
    fn a_link_to_nothing_is_found_and_one_elsewhere_is_left_alone() {
        let text = "[a](../Cargo.toml#x) [b](../gone.md), [c](https://example.org/gone) [d](#here)\n[e](../../out)";
        assert_eq!(
            tree().rotten(Path::new("docs/page.md"), text),
            [
                "docs/page.md:1: ../gone.md: there is nothing to link to",
                "docs/page.md:2: ../../out: there is nothing to link to"
            ]
        );
    }

    #[test]
    fn a_path_that_is_gone_is_found_and_patterns_and_code_are_left_alone() {
        let text = "`xtask/src/main.rs`, `xtask/gone.rs`, `keys/gone`, `xtask/*/x`\n```sh\ncat `xtask/gone.rs`\n```\n";
        assert_eq!(
            tree().rotten(Path::new("README.md"), text),
            ["README.md:1: xtask/gone.rs: there is no such file or folder"]
        );
    }

    #[test]
    fn a_test_that_was_renamed_is_found() {
        let text = "`only_a_test_is_called_like_this`, `no_test_is_called_like_this`, `answer_due_at`";
        assert_eq!(
            tree().rotten(Path::new("README.md"), text),
            ["README.md:1: no_test_is_called_like_this: there is no such function"]
        );
    }
}
