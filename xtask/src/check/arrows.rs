//! Who may depend on whom. Arrows point one way, and services never know each other.

use anyhow::Context as _;
use serde_json::Value;

/// What each crate may know of the others.
const ALLOWED: [(&str, &[&str]); 13] = [
    ("vocabulary", &[]),
    ("contracts", &[]),
    ("console", &["contracts", "vocabulary"]),
    ("eventsourcing", &["vocabulary"]),
    ("custody", &["eventsourcing", "vocabulary"]),
    ("policy", &["eventsourcing", "vocabulary"]),
    ("proof", &["custody", "eventsourcing", "vocabulary"]),
    ("eventstore", &["eventsourcing", "vocabulary"]),
    ("identity", &["vocabulary"]),
    ("vault", &["identity", "vocabulary"]),
    ("messaging", &["custody", "eventsourcing", "eventstore", "identity", "vocabulary"]),
    (
        "chassis",
        &["contracts", "eventsourcing", "eventstore", "identity", "messaging", "policy", "vault", "vocabulary"],
    ),
    ("testkit", &["vocabulary"]),
];

/// What services may know: every crate but the one for tests.
const FOR_SERVICES: [&str; 10] = [
    "chassis",
    "contracts",
    "custody",
    "eventsourcing",
    "eventstore",
    "identity",
    "messaging",
    "policy",
    "vault",
    "vocabulary",
];

/// What tests may know beyond that.
const FOR_TESTS: [&str; 2] = ["testkit", "eventsourcing"];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Crate,
    Service,
    /// The program that holds all services, and the stories told across them.
    Whole,
    /// What judges the others by what they leave behind, and must share nothing with them.
    Checker,
    Tool,
}

pub(super) fn findings(metadata: &Value) -> anyhow::Result<Vec<String>> {
    let packages = metadata["packages"].as_array().context("cargo metadata lists no packages")?;
    let mut findings = Vec::new();
    for package in packages {
        let name = text(package, "name")?;
        let kind = kind(text(package, "manifest_path")?);
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let Some(path) = dependency["path"].as_str() else { continue };
            let other = text(dependency, "name")?;
            let for_tests = dependency["kind"].as_str() == Some("dev");
            if !may_know((name, kind), (other, self::kind(&format!("{path}/Cargo.toml"))), for_tests) {
                let how = if for_tests { "its tests" } else { "it" };
                findings.push(format!("{name}: {how} may not depend on {other}"));
            }
        }
    }
    Ok(findings)
}

fn may_know((name, kind): (&str, Kind), (other, other_kind): (&str, Kind), for_tests: bool) -> bool {
    let other = short(other);
    let known_to_tests = for_tests && FOR_TESTS.contains(&other);
    match kind {
        // Whoever starts the program under test may know the checker; the program itself may not.
        Kind::Whole if other_kind == Kind::Checker => name != "spean",
        Kind::Whole => other_kind != Kind::Tool && (for_tests || other != "testkit" || name != "spean"),
        Kind::Checker => other == "contracts",
        Kind::Tool => false,
        Kind::Service => other_kind == Kind::Crate && (known_to_tests || FOR_SERVICES.contains(&other)),
        Kind::Crate => {
            let allowed = ALLOWED.iter().find(|(known, _)| *known == short(name));
            known_to_tests || allowed.is_some_and(|(_, allowed)| allowed.contains(&other))
        }
    }
}

fn kind(manifest: &str) -> Kind {
    let mut folders = manifest.rsplit('/').skip(1);
    match (folders.next(), folders.next()) {
        (Some("checker"), Some("tests")) => Kind::Checker,
        (Some("spean"), Some("services")) | (Some("tests" | "guided"), _) | (_, Some("tests")) => Kind::Whole,
        (_, Some("services")) => Kind::Service,
        (_, Some("crates")) => Kind::Crate,
        _ => Kind::Tool,
    }
}

fn short(name: &str) -> &str {
    name.strip_prefix("spean-").unwrap_or(name)
}

fn text<'v>(value: &'v Value, key: &str) -> anyhow::Result<&'v str> {
    value[key].as_str().with_context(|| format!("cargo metadata says no {key}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(name: &str, folder: &str, other: &str, other_folder: &str, kind: Option<&str>) -> Value {
        serde_json::json!({ "packages": [{
            "name": name,
            "manifest_path": format!("/r/{folder}/Cargo.toml"),
            "dependencies": [
                { "name": other, "path": format!("/r/{other_folder}"), "kind": kind },
                { "name": "serde", "kind": null },
            ],
        }] })
    }

    #[test]
    fn the_tree_of_today_points_one_way() {
        let metadata =
            crate::shell::output(&mut crate::shell::cargo(&["metadata", "--format-version", "1", "--no-deps"]));
        let metadata = serde_json::from_str(&metadata.expect("cargo knows")).expect("JSON");
        assert_eq!(findings(&metadata).expect("packages"), Vec::<String>::new());
    }

    #[test]
    fn a_service_that_knows_another_is_found() {
        let metadata = metadata("spean-cases", "services/cases", "spean-referral", "services/referral", None);
        assert_eq!(findings(&metadata).expect("packages"), ["spean-cases: it may not depend on spean-referral"]);
    }

    #[test]
    fn a_crate_that_knows_one_above_it_is_found_even_in_its_tests() {
        for kind in [None, Some("dev")] {
            let upwards = metadata("spean-identity", "crates/identity", "spean-chassis", "crates/chassis", kind);
            assert_eq!(findings(&upwards).expect("packages").len(), 1);
        }
    }

    #[test]
    fn the_checker_knows_nothing_of_what_it_judges() {
        let known = |other, folder| metadata("spean-checker", "tests/checker", other, folder, Some("dev"));
        assert_eq!(findings(&known("spean-contracts", "crates/contracts")).expect("packages").len(), 0);
        assert_eq!(findings(&known("spean-custody", "crates/custody")).expect("packages").len(), 1);
        let judged = |name, folder| metadata(name, folder, "spean-checker", "tests/checker", None);
        assert_eq!(findings(&judged("spean-tests", "tests")).expect("packages").len(), 0);
        assert_eq!(findings(&judged("spean", "services/spean")).expect("packages").len(), 1);
    }

    #[test]
    fn only_tests_know_the_testkit() {
        let known = |kind| metadata("spean-vault", "crates/vault", "spean-testkit", "crates/testkit", kind);
        assert_eq!(findings(&known(Some("dev"))).expect("packages").len(), 0);
        assert_eq!(findings(&known(None)).expect("packages").len(), 1);
    }
}
