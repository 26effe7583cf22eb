//! Who is who, who may do what, and how a node is set up.

use std::path::Path;
use std::str::FromStr;
use std::sync::LazyLock;

use spean_chassis::Configuration;
use spean_identity::token::{Claims, issue, verify};
use spean_identity::{Directory, NodeKeys, Role, RootKey, SignedDirectory};
use spean_policy::Policy;
use spean_vocabulary::{
    AgencyId, CaseId, CaseNumber, CommandId, Date, NodeId, NodeTag, OfferId, OfficeId, PlaceCode, Service, StaffId,
    Timestamp,
};
use tempfile::TempDir;

use crate::Draw;

/// The network as a person would write it. The keys are put in afterwards.
const NETWORK: &str = r#"
network = "a network for bad input"
edition = 7
authority = "mosvy"
cosigner = "poipet-transit"
registry = "mosvy"
agency = [
    { id = "imm", name_en = "Immigration", name_km = "អន្តោប្រវេសន៍" },
    { id = "mosvy", name_en = "Ministry", name_km = "ក្រសួង" },
]
node = [
    { id = "poipet", agency = "imm", tag = "PT", keys = { signing = "", sealing = "", token = "", broker = "" } },
    { id = "kandal", agency = "mosvy", tag = "KD", keys = { signing = "", sealing = "", token = "", broker = "" } },
]

[[office]]
id = "mosvy"
node = "kandal"
name_en = "Ministry of Social Affairs"
name_km = "ក្រសួងសង្គមកិច្ច"
level = "national"
place = "12"

[[office]]
id = "kandal-province"
node = "kandal"
name_en = "Kandal"
name_km = "កណ្ដាល"
level = "province"
place = "08"
above = "mosvy"

[[office]]
id = "poipet-transit"
node = "poipet"
name_en = "Poipet Transit Centre"
name_km = "ប៉ោយប៉ែត"
level = "facility"
place = "0110"
above = "mosvy"
"#;

/// Two nodes with their keys.
pub(super) struct Network {
    pub(super) directory: Directory,
    pub(super) poipet: NodeKeys,
    pub(super) kandal: NodeKeys,
    root: RootKey,
    signed: SignedDirectory,
    token: String,
    _folder: TempDir,
}

pub(super) static THE_NETWORK: LazyLock<Network> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder");
    let keys = |node: &str| NodeKeys::create(&folder.path().join(node)).expect("an empty folder");
    let (poipet, kandal) = (keys("poipet"), keys("kandal"));
    let root = RootKey::create(&folder.path().join("root")).expect("an empty folder");
    let mut directory = spean::network::parse(NETWORK, folder.path()).expect("it is sound");
    directory.nodes[0].keys = poipet.public();
    directory.nodes[1].keys = kandal.public();
    let signed = SignedDirectory::sign(&directory, &root).expect("it has no defects");
    let token = issue(&kandal, &some_claims()).expect("it does not hold for long");
    Network { directory, poipet, kandal, root, signed, token, _folder: folder }
});

fn now() -> Timestamp {
    Timestamp::from_micros(1_767_225_600_000_000)
}

fn some_claims() -> Claims {
    Claims {
        agency: "mosvy".parse().expect("a code"),
        node: "kandal".parse().expect("a code"),
        staff: "kd-07".parse().expect("a code"),
        offices: vec!["kandal-province".parse().expect("a code")],
        roles: vec![Role::Caseworker],
        issued_at: now(),
        expires_at: now().plus_hours(8),
        id: CommandId::from_uuid(uuid::Uuid::from_u128(7)),
    }
}

/// A token with anything changed is nobody's.
pub(super) fn tokens(draw: &mut Draw<'_>) {
    let network = &*THE_NETWORK;
    let token = draw.changed_text(std::slice::from_ref(&network.token));
    let here: NodeId = "kandal".parse().expect("a code");
    if verify(&token, &here, &network.directory, now()).is_ok() {
        assert_eq!(token, network.token, "a token was forged");
    }
}

/// A token that the node's key did sign, with claims that make no sense: nobody becomes more by it than they could be.
pub(super) fn claims(draw: &mut Draw<'_>) {
    let network = &*THE_NETWORK;
    let said = serde_json::to_string(&some_claims()).expect("claims are JSON");
    let said = draw.changed_text(&[said]);
    let Ok(mut claims) = serde_json::from_str::<Claims>(&said) else { return };
    if draw.once_in(2) {
        claims.issued_at = Timestamp::from_micros(draw.awkward_number().cast_signed());
        claims.expires_at = Timestamp::from_micros(draw.awkward_number().cast_signed());
    }
    let Ok(token) = issue(&network.kandal, &claims) else { return };
    let here: NodeId = "kandal".parse().expect("a code");
    let at = if draw.once_in(2) { now() } else { Timestamp::from_micros(draw.awkward_number().cast_signed()) };
    let Ok(caller) = verify(&token, &here, &network.directory, at) else { return };
    assert_eq!((caller.node.as_str(), caller.agency.as_str()), ("kandal", "mosvy"));
    let ours = |office: &OfficeId| network.directory.office(office).is_some_and(|office| office.node == here);
    assert!(caller.offices.iter().all(ours), "somebody acts for an office of another node");
}

/// A signed directory with anything changed is refused; what the root did sign is examined without harm.
pub(super) fn directories(draw: &mut Draw<'_>) {
    let network = &*THE_NETWORK;
    let root = network.root.public();
    let json = draw.changed_text(&[network.signed.to_json()]);
    if let Ok(signed) = SignedDirectory::from_json(&json)
        && let Ok(directory) = signed.verify(&root, draw.once_in(2).then_some(7))
    {
        assert_eq!(directory, network.directory, "a directory was forged");
    }
    let document = draw.changed_text(std::slice::from_ref(&network.signed.document));
    let Ok(directory) = serde_json::from_str::<Directory>(&document) else { return };
    let _ = directory.defects_after(&network.directory);
    if let Ok(signed) = SignedDirectory::sign(&directory, &network.root) {
        // What has no defects can be read again, whatever it says.
        assert_eq!(signed.verify(&root, None).as_ref(), Ok(&directory));
        for office in &directory.offices {
            let _ = directory.ladder(&office.id).count();
        }
    }
}

/// A network as a person wrote it, badly.
pub(super) fn networks(draw: &mut Draw<'_>) {
    let text = draw.changed_text(&[NETWORK.to_owned()]);
    let _ = spean::network::parse(&text, Path::new("/nowhere")).map(|directory| directory.defects_after(&directory));
}

/// What was read as a code is the same when it is written and read again.
fn stays<T: FromStr + ToString>(text: &str) {
    if let Ok(read) = text.parse::<T>() {
        let written = read.to_string();
        let again = written.parse::<T>().ok().map(|again| again.to_string());
        assert_eq!(again.as_ref(), Some(&written), "what was read of {text:?} is not read again");
    }
}

/// Case numbers, ids, codes, places, days.
pub(super) fn codes(draw: &mut Draw<'_>) {
    let examples = [
        "PT4K-79QX",
        "0b1f6f2e-5d0e-4a53-9d0e-3f6f1a2b3c4d",
        "kandal-province",
        "08110301",
        "2026-02-28",
        "referral",
        "KD",
        "referral@kandal",
    ]
    .map(str::to_owned);
    let text = if draw.once_in(2) { draw.changed_text(&examples) } else { draw.text(44) };
    stays::<CaseNumber>(&text);
    stays::<NodeTag>(&text);
    stays::<NodeId>(&text);
    stays::<OfficeId>(&text);
    stays::<AgencyId>(&text);
    stays::<StaffId>(&text);
    stays::<PlaceCode>(&text);
    stays::<Date>(&text);
    stays::<CaseId>(&text);
    stays::<OfferId>(&text);
    stays::<Service>(&text);
    stays::<spean_custody::Digest>(&text);
    let _ = text.parse::<spean_directory::offering::Language>();
    stays::<spean_insight::period::Period>(&text);
}

/// A policy that cannot be is refused, and names its field.
pub(super) fn policies(draw: &mut Draw<'_>) {
    static STANDARD: LazyLock<String> =
        LazyLock::new(|| toml::to_string(&Policy::standard()).expect("figures under names are TOML"));
    let text = draw.changed_text(std::slice::from_ref(&STANDARD));
    match Policy::from_toml(&text) {
        Ok(policy) => assert!(!policy.figures().is_empty() && policy.digest().len() == 64),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// Settings that cannot be are refused with a sentence.
pub(super) fn settings(draw: &mut Draw<'_>) {
    const SETTINGS: &str = r#"
node = "kandal"
services = ["cases", "referral"]
listen = "127.0.0.1:7201"
data = "data"
keys = "keys"
directory = "directory.json"
root = "MCowBQYDK2VwAyEA"
database = "postgres://127.0.0.1/spean"
policy = "policy.toml"

[broker]
url = "nats://127.0.0.1:4222"
domain = "hub"
monitor = "http://127.0.0.1:8222"
mailbox_bytes = 1000000

[telemetry]
endpoint = "http://127.0.0.1:4317"
"#;
    static FOLDER: LazyLock<TempDir> = LazyLock::new(|| tempfile::tempdir().expect("a folder"));
    let text = draw.changed_text(&[SETTINGS.to_owned()]);
    let file = FOLDER.path().join(format!("{:?}.toml", std::thread::current().id()));
    std::fs::write(&file, text).expect("the folder is ours");
    if let Err(error) = Configuration::read(&file) {
        assert!(!error.to_string().is_empty());
    }
}
