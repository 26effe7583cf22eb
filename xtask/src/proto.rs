//! What crosses a boundary: documented, and never changed under those who use it.

use std::path::Path;

use crate::shell::{output, program, root, run};

/// Lints `proto/` and compares it with the commit before.
pub(crate) fn check(buf: &Path) -> anyhow::Result<()> {
    run(&mut program(buf, &["lint"]))?;
    let Some(commit) = newest_commit_before_head()? else {
        println!("\nThere is no earlier commit with proto/ here (a shallow clone?): nothing to compare with.");
        return Ok(());
    };
    let before = root().join("target/proto-before");
    unpack(&commit, &before)?;
    run(&mut program(buf, &["breaking", "--against", &before.to_string_lossy()]))
}

/// The newest commit before HEAD whose tree has `proto/`; none in a clone of one commit.
fn newest_commit_before_head() -> anyhow::Result<Option<String>> {
    let commits = output(&mut program("git", &["rev-list", "--max-count=100", "HEAD"]))?;
    let has_proto = |commit: &&str| {
        let tree = output(&mut program("git", &["ls-tree", "-d", "--name-only", commit, "proto"]));
        tree.is_ok_and(|tree| !tree.is_empty())
    };
    Ok(commits.lines().skip(1).find(has_proto).map(str::to_owned))
}

/// Puts `proto/` of that commit into a folder, with the rules of today.
fn unpack(commit: &str, folder: &Path) -> anyhow::Result<()> {
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    std::fs::create_dir_all(folder)?;
    let archive = folder.join("proto.tar");
    let (archive_text, folder_text) = (archive.to_string_lossy(), folder.to_string_lossy());
    let into = format!("--output={archive_text}");
    output(&mut program("git", &["archive", "--format=tar", &into, commit, "proto"]))?;
    output(&mut program("tar", &["-xf", &archive_text, "-C", &folder_text]))?;
    std::fs::remove_file(archive)?;
    std::fs::copy(root().join("buf.yaml"), folder.join("buf.yaml"))?;
    Ok(())
}
