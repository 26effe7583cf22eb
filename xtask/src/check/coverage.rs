//! `docs/coverage.md` says of every system, story and danger how it is done: no row is missing, and what a row names
//! is there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use super::purity::sources;
use crate::shell::{output, program, root};

const TABLE: &str = "docs/coverage.md";

/// The kinds of rows and how many of each there are: systems of the source documents, stories, ways to lose a handoff.
const ROWS: [(char, u32); 3] = [('S', 20), ('T', 11), ('R', 22)];

/// Columns of the table, in their order.
const COLUMNS: usize = 6;
const EVENTS: usize = 2;
const METHODS: usize = 3;
const TESTS: usize = 4;

pub(super) fn findings() -> anyhow::Result<Vec<String>> {
    let table = fs::read_to_string(root().join(TABLE))?;
    let listed =
        output(&mut program("git", &["ls-files", "-z", "--cached", "--others", "--exclude-standard", "proto"]))?;
    let mut protos = String::new();
    for file in listed.split('\0').map(|name| root().join(name)).filter(|file| file.is_file()) {
        protos += &fs::read_to_string(file)?;
    }
    let mut rust = String::new();
    for folder in ["crates", "services", "tests"] {
        for file in sources(&root().join(folder))? {
            rust += &fs::read_to_string(file)?;
        }
    }
    let known = Known {
        methods: words_after(&protos, "rpc "),
        events: rust.split(|end: char| !(end.is_alphanumeric() || end == '_')).map(str::to_owned).collect(),
        tests: words_after(&rust, "fn "),
    };
    Ok(judge(&table, &known))
}

/// What a row may name.
struct Known {
    methods: BTreeSet<String>,
    events: BTreeSet<String>,
    tests: BTreeSet<String>,
}

fn judge(table: &str, known: &Known) -> Vec<String> {
    let mut findings = Vec::new();
    let mut rows = BTreeMap::<&str, usize>::new();
    for (number, line) in table.lines().enumerate().map(|(index, line)| (index + 1, line.trim())) {
        let Some(cells) = line.strip_prefix('|').and_then(|line| line.strip_suffix('|')) else { continue };
        let cells: Vec<_> = cells.split('|').map(str::trim).collect();
        if cells[0] == "row" || cells[0].starts_with("---") {
            continue;
        }
        *rows.entry(cells[0]).or_default() += 1;
        let mut wrong = |what: String| findings.push(format!("{TABLE}:{number}: {what}"));
        if cells.len() != COLUMNS {
            wrong(format!("{} columns instead of {COLUMNS}", cells.len()));
            continue;
        }
        let named =
            [(EVENTS, &known.events, "event"), (METHODS, &known.methods, "method"), (TESTS, &known.tests, "test")];
        for (column, there, what) in named {
            for name in quoted(cells[column]).filter(|name| !there.contains(*name)) {
                wrong(format!("there is no {what} `{name}`"));
            }
        }
        if quoted(cells[TESTS]).next().is_none() {
            wrong(format!("{} is shown by no test", cells[0]));
        }
    }
    for (kind, count) in ROWS {
        for row in (1..=count).map(|number| format!("{kind}{number}")) {
            match rows.get(row.as_str()) {
                Some(1) => {}
                Some(_) => findings.push(format!("{TABLE}: {row} is there more than once")),
                None => findings.push(format!("{TABLE}: {row} is missing")),
            }
        }
    }
    findings
}

/// The last word of each quotation: `tests::needs::a_test` names `a_test`.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2).map(|name| name.rsplit("::").next().unwrap_or(name))
}

fn words_after(text: &str, mark: &str) -> BTreeSet<String> {
    let words = text.split(mark).skip(1);
    words
        .map(|rest| rest.chars().take_while(|character| character.is_alphanumeric() || *character == '_').collect())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Known {
        let set = |name: &str| BTreeSet::from([name.to_owned()]);
        Known { methods: set("AcceptOffer"), events: set("Accepted"), tests: set("it_moves") }
    }

    #[test]
    fn the_table_of_today_names_nothing_that_is_not_there() {
        assert_eq!(findings().expect("the table can be read"), Vec::<String>::new());
    }

    #[test]
    fn a_row_that_names_what_is_not_there_is_found() {
        let row = "| S1 | a | `Accepted`, `Lost` | `AcceptOffer` | `tests::x::it_moves` | |";
        let findings = judge(row, &known());
        assert_eq!(findings[0], "docs/coverage.md:1: there is no event `Lost`");
        assert!(findings.contains(&"docs/coverage.md: S2 is missing".to_owned()));
    }

    #[test]
    fn a_row_without_a_test_is_found() {
        let row = "| S1 | a | `Accepted` | `AcceptOffer` | by hand | |";
        assert_eq!(judge(row, &known())[0], "docs/coverage.md:1: S1 is shown by no test");
    }
}
