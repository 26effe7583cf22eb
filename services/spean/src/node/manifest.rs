//! What a backup holds: written last, signed by the node, so that a folder with a manifest is a whole backup of this node.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use spean_identity::{NodeKeys, sign, verify};
use spean_messaging::post::BackedUp;
use spean_vocabulary::{NodeId, Service, Timestamp};

use crate::files;

/// The form of manifests that this version writes.
const FORMAT: u32 = 1;
const MANIFEST: &str = "manifest.json";
const SIGNATURE: &str = "manifest.signature";
const PURPOSE: &str = "backup manifest v1";
/// How much of a file is hashed at once, in bytes.
const CHUNK: usize = 1024 * 1024;

/// What a backup holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    /// The form of this file.
    pub(super) format: u32,
    /// The version of the program that wrote it.
    pub(super) program: String,
    /// The network.
    pub(super) network: String,
    /// The node.
    pub(super) node: NodeId,
    /// When copying began, by the node's clock, in microseconds.
    pub(super) taken_at: Timestamp,
    /// `sqlite` or `postgres`.
    pub(super) kind: String,
    /// Whether the node's keys are in it as well.
    pub(super) keys: bool,
    /// All files but the manifest and its signature.
    pub(super) files: Vec<FileEntry>,
    /// How far each log had got.
    pub(super) logs: BTreeMap<Service, BackedUp>,
}

/// A file of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileEntry {
    /// Its name, relative to the manifest.
    pub(super) name: String,
    /// Its length.
    pub(super) bytes: u64,
    /// Its SHA-256, in hexadecimal digits.
    pub(super) sha256: String,
}

impl Manifest {
    /// A manifest of what was copied into a folder.
    pub(super) fn new(network: String, node: NodeId, taken_at: Timestamp, kind: &str) -> Self {
        Self {
            format: FORMAT,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            network,
            node,
            taken_at,
            kind: kind.to_owned(),
            keys: false,
            files: vec![],
            logs: BTreeMap::new(),
        }
    }

    /// Takes in a file of the folder.
    pub(super) fn add(&mut self, folder: &Path, name: &str) -> anyhow::Result<()> {
        self.files.push(entry(folder, name)?);
        Ok(())
    }

    /// The names of the files.
    pub(super) fn names(&self) -> Vec<String> {
        self.files.iter().map(|file| file.name.clone()).collect()
    }

    /// Signs it and writes it, the manifest itself last.
    pub(super) fn write(&self, folder: &Path, keys: &NodeKeys) -> anyhow::Result<()> {
        let text = serde_json::to_string_pretty(self)?;
        let signature =
            sign(keys, PURPOSE, text.as_bytes()).iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
        files::replace(&folder.join(SIGNATURE), &signature)?;
        files::replace(&folder.join(MANIFEST), &text)
    }

    /// Reads it, if this node signed it and every file is as it was written.
    pub(super) fn read(folder: &Path, keys: &NodeKeys, node: &NodeId) -> anyhow::Result<Self> {
        let path = folder.join(MANIFEST);
        ensure!(path.is_file(), "{} has no {MANIFEST}: it is no backup, or an unfinished one", folder.display());
        let text = files::read(&path)?;
        let signature = bytes_of(files::read(&folder.join(SIGNATURE))?.trim());
        let signature = signature.with_context(|| format!("{SIGNATURE} is no signature"))?;
        verify(&keys.public().signing, PURPOSE, text.as_bytes(), &signature)
            .with_context(|| format!("{MANIFEST} was not written by this node, or was changed"))?;
        let manifest: Self = serde_json::from_str(&text).with_context(|| format!("{MANIFEST} cannot be read"))?;
        ensure!(manifest.format == FORMAT, "{MANIFEST} was written by another version: {}", manifest.program);
        ensure!(manifest.node == *node, "this is a backup of node {}, not of {node}", manifest.node);
        for file in &manifest.files {
            let found = entry(folder, &file.name)?;
            ensure!(found == *file, "{} is not as it was written", file.name);
        }
        Ok(manifest)
    }
}

fn entry(folder: &Path, name: &str) -> anyhow::Result<FileEntry> {
    let path = folder.join(name);
    let mut file = File::open(&path).with_context(|| format!("{name} of the backup cannot be read"))?;
    let bytes = fs::metadata(&path)?.len();
    let mut hasher = Sha256::new();
    let mut chunk = vec![0; CHUNK];
    loop {
        let read = file.read(&mut chunk)?;
        if read == 0 {
            break;
        }
        hasher.update(&chunk[..read]);
    }
    let sha256 = hasher.finalize().iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    Ok(FileEntry { name: name.to_owned(), bytes, sha256 })
}

fn bytes_of(hexadecimal: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = hexadecimal.chars().map(|digit| digit.to_digit(16)).collect();
    let digits = digits?;
    let byte = |pair: &[u32]| match pair {
        [high, low] => u8::try_from(high * 16 + low).ok(),
        _ => None,
    };
    digits.chunks(2).map(byte).collect()
}
