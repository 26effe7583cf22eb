//! The directory of a network as people write it, and as nodes read it once it is signed.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use serde::Deserialize;
use spean_identity::{Agency, Directory, Node, NodeKeys, Office, PlaceEdition, PublicKeys, RootKey, SignedDirectory};
use spean_vocabulary::{AgencyId, NodeId, NodeTag, OfficeId};

use crate::files;

/// The same document as [`Directory`], but for where a node's public keys come from.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    network: String,
    edition: u64,
    authority: OfficeId,
    cosigner: OfficeId,
    registry: OfficeId,
    agency: Vec<Agency>,
    node: Vec<NodeEntry>,
    office: Vec<Office>,
    #[serde(default)]
    place_edition: Vec<PlaceEdition>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NodeEntry {
    id: NodeId,
    agency: AgencyId,
    tag: NodeTag,
    keys: Option<PublicKeys>,
    keys_file: Option<PathBuf>,
    keys_folder: Option<PathBuf>,
}

/// Reads a directory that a person wrote (`network.toml`).
///
/// The public keys of a node stand there as `keys = { … }`, or `keys_file` names a file with what `spean admin keys
/// show` prints, or `keys_folder` the folder of the keys themselves. Paths are relative to the document.
pub fn read(path: &Path) -> anyhow::Result<Directory> {
    let folder = path.parent().unwrap_or(Path::new("."));
    parse(&files::read(path)?, folder).with_context(|| path.display().to_string())
}

/// Reads the text of a directory that a person wrote; its paths are relative to `folder`.
pub fn parse(text: &str, folder: &Path) -> anyhow::Result<Directory> {
    let document = toml::from_str(text)?;
    let Document { network, edition, authority, cosigner, registry, agency, node, office, place_edition } = document;
    let nodes = node.into_iter().map(|entry| {
        let id = entry.id.clone();
        entry.with_keys(folder).with_context(|| format!("node {id}"))
    });
    let nodes = nodes.collect::<anyhow::Result<_>>()?;
    Ok(Directory {
        network,
        edition,
        authority,
        cosigner,
        registry,
        agencies: agency,
        nodes,
        offices: office,
        place_editions: place_edition,
    })
}

/// Reads how the codes of places changed, as a person wrote it (`places.toml`): any number of `[[place_edition]]`.
pub fn read_places(path: &Path) -> anyhow::Result<Vec<PlaceEdition>> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Places {
        place_edition: Vec<PlaceEdition>,
    }
    let places: Places = toml::from_str(&files::read(path)?).with_context(|| path.display().to_string())?;
    Ok(places.place_edition)
}

impl NodeEntry {
    fn with_keys(self, folder: &Path) -> anyhow::Result<Node> {
        let Self { id, agency, tag, keys, keys_file, keys_folder } = self;
        let keys = match (keys, keys_file, keys_folder) {
            (Some(keys), None, None) => keys,
            (None, Some(file), None) => read_public_keys(&folder.join(file))?,
            (None, None, Some(keys)) => NodeKeys::load(&folder.join(keys))?.public(),
            _ => bail!("say its public keys once: as keys, keys_file or keys_folder"),
        };
        Ok(Node { id, agency, tag, keys })
    }
}

fn read_public_keys(path: &Path) -> anyhow::Result<PublicKeys> {
    toml::from_str(&files::read(path)?).with_context(|| format!("{} does not hold public keys", path.display()))
}

/// Signs a directory and writes it where the nodes will read it.
///
/// A file that is there already is replaced only by a later edition of the same network, or by the same edition when
/// it says the same: nodes refuse anything else, and that is better heard here.
pub fn sign(directory: &Directory, root: &RootKey, output: &Path) -> anyhow::Result<()> {
    let signed = SignedDirectory::sign(directory, root)?;
    if output.exists() {
        let before = read_signed(output, &root.public())
            .with_context(|| format!("{} is there already and is not an earlier edition", output.display()))?;
        ensure!(before.network == directory.network, "{} is the directory of another network", output.display());
        ensure!(
            before.edition < directory.edition || before == *directory,
            "edition {} was signed before; every change needs a higher edition than that",
            before.edition
        );
        let defects = directory.defects_after(&before);
        let defects: Vec<_> = defects.iter().map(ToString::to_string).collect();
        ensure!(defects.is_empty(), "it cannot follow edition {}: {}", before.edition, defects.join("; "));
    }
    files::replace(output, &signed.to_json())
}

/// Reads a signed directory, if the root with this public key signed it and it can be used.
pub fn read_signed(path: &Path, root: &str) -> anyhow::Result<Directory> {
    let signed = SignedDirectory::from_json(&files::read(path)?).with_context(|| path.display().to_string())?;
    signed.verify(root, None).with_context(|| path.display().to_string())
}

/// The public half of the root's key: the argument itself, or the content of the file it names.
pub fn root_key(argument: &str) -> anyhow::Result<String> {
    let path = Path::new(argument);
    let text = if path.is_file() { files::read(path)? } else { argument.to_owned() };
    Ok(text.trim().to_owned())
}

/// A node of the directory, or an error that lists all.
pub fn node<'d>(directory: &'d Directory, id: &NodeId) -> anyhow::Result<&'d Node> {
    directory.node(id).with_context(|| {
        let known: Vec<_> = directory.nodes.iter().map(|node| node.id.as_str()).collect();
        format!("the directory knows no node {id}, only {}", known.join(", "))
    })
}
