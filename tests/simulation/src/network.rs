//! The network of the simulation: three agencies with a node each, six offices, one of which will close.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use spean_chassis::{BrokerSettings, Configuration, Limits};
use spean_identity::{Directory, NodeKeys, RootKey};
use spean_vocabulary::{NodeId, Timestamp};

use crate::disk::Disk;

/// The nodes.
pub(crate) const NODES: [&str; 3] = ["mosvy", "banteay-meanchey", "kandal"];

/// The offices and the nodes that serve them.
pub(crate) const OFFICES: [(&str, usize); 6] = [
    ("mosvy-atro", 0),
    ("dsvy-banteay-meanchey", 1),
    ("osvy-poipet", 1),
    ("dsvy-kandal", 2),
    ("osvy-kien-svay", 2),
    ("osvy-saang", 2),
];

/// The authority, as a place among [`OFFICES`].
pub(crate) const AUTHORITY: usize = 0;
/// Its cosigner.
pub(crate) const COSIGNER: usize = 1;

/// When every history begins: 2026-11-02, nine in the morning in Cambodia.
pub(crate) const BEGINNING: Timestamp = Timestamp::from_micros(1_793_584_800_000_000);

/// The directory as a person would write it.
const NETWORK: &str = r#"
network = "spean simulation"
edition = 1
authority = "mosvy-atro"
cosigner = "dsvy-banteay-meanchey"
registry = "mosvy-atro"

[[agency]]
id = "mosvy"
name_en = "The ministry"
name_km = "ក្រសួង"
[[agency]]
id = "dsvy-banteay-meanchey"
name_en = "Social Affairs of Banteay Meanchey"
name_km = "មន្ទីរបន្ទាយមានជ័យ"
[[agency]]
id = "dsvy-kandal"
name_en = "Social Affairs of Kandal"
name_km = "មន្ទីរកណ្ដាល"

[[node]]
id = "mosvy"
agency = "mosvy"
tag = "MO"
keys_folder = "mosvy/keys"
[[node]]
id = "banteay-meanchey"
agency = "dsvy-banteay-meanchey"
tag = "BM"
keys_folder = "banteay-meanchey/keys"
[[node]]
id = "kandal"
agency = "dsvy-kandal"
tag = "KD"
keys_folder = "kandal/keys"

[[office]]
id = "mosvy-atro"
node = "mosvy"
name_en = "Anti-Trafficking and Reintegration Office"
name_km = "ការិយាល័យ"
level = "national"
place = "12"
[[office]]
id = "dsvy-banteay-meanchey"
node = "banteay-meanchey"
name_en = "Provincial office of Banteay Meanchey"
name_km = "មន្ទីរ"
level = "province"
place = "01"
above = "mosvy-atro"
[[office]]
id = "osvy-poipet"
node = "banteay-meanchey"
name_en = "District office of Poipet"
name_km = "ការិយាល័យ"
level = "district"
place = "0110"
above = "dsvy-banteay-meanchey"
[[office]]
id = "dsvy-kandal"
node = "kandal"
name_en = "Provincial office of Kandal"
name_km = "មន្ទីរ"
level = "province"
place = "08"
above = "mosvy-atro"
[[office]]
id = "osvy-kien-svay"
node = "kandal"
name_en = "District office of Kien Svay"
name_km = "ការិយាល័យ"
level = "district"
place = "0802"
above = "dsvy-kandal"
[[office]]
id = "osvy-saang"
node = "kandal"
name_en = "District office of S'ang"
name_km = "ការិយាល័យ"
level = "district"
place = "0810"
above = "dsvy-kandal"
closed_on = "2026-11-20"
successor = "dsvy-kandal"
"#;

/// Where the files of a network lie.
#[derive(Clone, Debug)]
pub(crate) struct Ground {
    /// Keys and the signed directory.
    pub(crate) folder: PathBuf,
    /// The network's public root key.
    pub(crate) root: String,
    /// Who is who.
    pub(crate) directory: Directory,
}

impl Ground {
    /// Makes keys for everybody and signs the directory.
    pub(crate) fn made_in(folder: &Path) -> anyhow::Result<Self> {
        let root = RootKey::create(&folder.join("root"))?;
        for node in NODES {
            NodeKeys::create(&folder.join(node).join("keys"))?;
        }
        let directory = spean::network::parse(NETWORK, folder)?;
        spean::network::sign(&directory, &root, &folder.join("directory.json"))?;
        Ok(Self { folder: folder.to_owned(), root: root.public(), directory })
    }

    /// The same network with its files elsewhere.
    pub(crate) fn moved_to(&self, folder: &Path) -> Self {
        Self { folder: folder.to_owned(), ..self.clone() }
    }

    /// The home of a node.
    pub(crate) fn home(&self, node: usize) -> PathBuf {
        self.folder.join(NODES[node])
    }

    /// The settings of a node. What concerns ports and brokers is not used.
    pub(crate) fn configuration(&self, node: usize, disk: &Disk) -> anyhow::Result<Configuration> {
        Ok(Configuration {
            node: node_id(node),
            services: spean_chassis::every_service(),
            listen: "127.0.0.1:0".parse().context("an address")?,
            tls: None,
            data: disk.data.clone(),
            keys: disk.keys.clone(),
            directory: self.folder.join("directory.json"),
            root: self.root.clone(),
            database: None,
            broker: BrokerSettings {
                url: String::new(),
                domain: None,
                authority: None,
                monitor: None,
                mailbox_bytes: u64::MAX,
            },
            telemetry: None,
            policy: None,
            clock_offset_file: None,
            limits: Limits::default(),
        })
    }
}

/// The id of a node.
pub(crate) fn node_id(node: usize) -> NodeId {
    NODES[node].parse().expect("the nodes of the simulation have sound names")
}
