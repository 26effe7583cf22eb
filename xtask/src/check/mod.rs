//! `cargo xtask check`: rules of this repository that no other tool knows. Each finding says where and why.

mod arrows;
mod coverage;
mod documents;
mod files;
mod providers;
mod purity;
mod refusals;

use anyhow::ensure;

use crate::shell::{cargo, output};

pub(crate) fn run() -> anyhow::Result<()> {
    println!("\n> cargo xtask check");
    let metadata = output(&mut cargo(&["metadata", "--format-version", "1", "--no-deps"]))?;
    let metadata = serde_json::from_str(&metadata)?;
    let checks = [
        ("who may depend on whom", arrows::findings(&metadata)?),
        ("purity of the rules", purity::findings()?),
        ("one TLS provider", providers::findings()?),
        ("nothing of a machine", files::findings()?),
        ("what documents name", documents::findings()?),
        ("what is done of what is asked", coverage::findings()?),
        ("refusals that a test expects", refusals::findings()?),
    ];
    let mut count = 0;
    for (what, findings) in checks {
        println!("{what}: {}", if findings.is_empty() { "as it should be" } else { "NOT as it should be" });
        for finding in &findings {
            println!("  {finding}");
        }
        count += findings.len();
    }
    ensure!(count == 0, "{count} things are not as they should be");
    Ok(())
}
