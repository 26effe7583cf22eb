//! What a node has on its disk: its databases with what is not yet worked into them, and the marks beside its keys.

use std::path::{Path, PathBuf};

/// Where the disk of a node lies. Each life of the node has a folder of its own for data, so that what an earlier one
/// still closes is not what the present one reads.
#[derive(Clone, Debug)]
pub(crate) struct Disk {
    /// The databases.
    pub(crate) data: PathBuf,
    /// The marks, among the keys.
    pub(crate) keys: PathBuf,
}

impl Disk {
    /// A disk in a folder, with both in it.
    pub(crate) fn at(folder: &Path) -> Self {
        Self { data: folder.join("data"), keys: folder.join("keys") }
    }

    /// Copies the databases alone.
    pub(crate) fn copy_data_to(&self, data: &Path) -> std::io::Result<()> {
        copy_databases(&self.data, data)
    }

    /// Copies one database. False when it is not there.
    pub(crate) fn copy_database(&self, name: &str, data: &Path) -> std::io::Result<bool> {
        std::fs::create_dir_all(data)?;
        let mut is_there = false;
        for part in ["", "-wal"] {
            let file = format!("{name}.sqlite{part}");
            if self.data.join(&file).is_file() {
                std::fs::copy(self.data.join(&file), data.join(&file))?;
                is_there = true;
            }
        }
        Ok(is_there)
    }
}

/// Copies a folder with all that is in it.
pub(crate) fn copy_all(from: &Path, into: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(into)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            copy_all(&entry.path(), &into.join(entry.file_name()))?;
        } else if !entry.file_name().to_string_lossy().ends_with("-shm") {
            std::fs::copy(entry.path(), into.join(entry.file_name()))?;
        }
    }
    Ok(())
}

fn copy_databases(from: &Path, into: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(into)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        if is_of_database(&entry.file_name().to_string_lossy()) {
            std::fs::copy(entry.path(), into.join(entry.file_name()))?;
        }
    }
    Ok(())
}

fn is_of_database(name: &str) -> bool {
    name.ends_with(".sqlite") || name.ends_with(".sqlite-wal")
}
