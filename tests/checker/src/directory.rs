//! The signed directory: who serves which office, and whose key is whose. Read anew, not with the services' code.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::{Signature, VerifyingKey};
use serde::Deserialize;

/// What the checker needs of it.
#[derive(Clone, Debug)]
pub(crate) struct Directory {
    pub(crate) authority: String,
    pub(crate) cosigner: String,
    /// The node of each office.
    pub(crate) nodes: BTreeMap<String, String>,
    keys: BTreeMap<String, VerifyingKey>,
}

#[derive(Deserialize)]
struct Signed {
    document: String,
    signature: String,
}

#[derive(Deserialize)]
struct Document {
    authority: String,
    cosigner: String,
    node: Vec<Node>,
    office: Vec<Office>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    keys: Keys,
}

#[derive(Deserialize)]
struct Keys {
    signing: String,
}

#[derive(Deserialize)]
struct Office {
    id: String,
    node: String,
}

impl Directory {
    /// Reads the file and checks the signature of the network's root.
    pub(crate) fn read(file: &Path, root: &str) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(file).with_context(|| format!("the directory {}", file.display()))?;
        let signed: Signed = serde_json::from_str(&text).context("the directory is not a signed document")?;
        let root = key(root).context("the key of the root")?;
        let signature = BASE64.decode(&signed.signature).context("the signature of the directory")?;
        ensure!(
            is_signed(&root, "directory v1", signed.document.as_bytes(), &signature),
            "the root did not sign this directory"
        );
        let document: Document = serde_json::from_str(&signed.document).context("the directory")?;
        let keys = document.node.iter().map(|node| Ok((node.id.clone(), key(&node.keys.signing)?)));
        Ok(Self {
            keys: keys.collect::<anyhow::Result<_>>()?,
            authority: document.authority,
            cosigner: document.cosigner,
            nodes: document.office.into_iter().map(|office| (office.id, office.node)).collect(),
        })
    }

    /// Whether a node signed these bytes for this purpose.
    pub(crate) fn is_signed_by(&self, node: &str, purpose: &str, bytes: &[u8], signature: &[u8]) -> bool {
        self.keys.get(node).is_some_and(|key| is_signed(key, purpose, bytes, signature))
    }

    /// The node that serves an office; empty for an unknown one.
    pub(crate) fn node_of(&self, office: &str) -> &str {
        self.nodes.get(office).map_or("", String::as_str)
    }
}

fn key(text: &str) -> anyhow::Result<VerifyingKey> {
    let bytes: [u8; 32] = BASE64.decode(text)?.try_into().ok().context("a key has 32 bytes")?;
    Ok(VerifyingKey::from_bytes(&bytes)?)
}

fn is_signed(key: &VerifyingKey, purpose: &str, bytes: &[u8], signature: &[u8]) -> bool {
    let message = [format!("spean {purpose}\0").as_bytes(), bytes].concat();
    Signature::from_slice(signature).is_ok_and(|signature| key.verify_strict(&message, &signature).is_ok())
}
