//! One provider of TLS and signatures in the whole tree: with a second one rustls refuses to start.

use crate::shell::{cargo, output};

/// Packages that would be a second one, or bring it.
const FOREIGN: [&str; 5] = ["aws-lc-rs", "aws-lc-sys", "native-tls", "openssl-sys", "rustls-platform-verifier"];

pub(super) fn findings() -> anyhow::Result<Vec<String>> {
    let tree = output(&mut cargo(&[
        "tree",
        "--workspace",
        "--target",
        "all",
        "--edges",
        "normal,build,dev",
        "--prefix",
        "none",
        "--format",
        "{p}",
    ]))?;
    Ok(foreign_packages(&tree))
}

fn foreign_packages(tree: &str) -> Vec<String> {
    let name = |line: &str| line.split(' ').next().unwrap_or_default().to_owned();
    let found = FOREIGN.into_iter().filter(|foreign| tree.lines().any(|line| name(line) == *foreign));
    found
        .map(|foreign| format!("{foreign} is in the tree; `cargo tree --invert {foreign}` says who brings it"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_provider_is_found_by_its_whole_name() {
        assert!(foreign_packages("ring v0.17.14\nrustls v0.23.1 (*)\nnot-aws-lc-rs v1.0.0\n").is_empty());
        assert_eq!(foreign_packages("ring v0.17.14\naws-lc-rs v1.14.0\n").len(), 1);
    }
}
