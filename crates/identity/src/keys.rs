//! The secrets of a node, and of the network.

use std::fmt;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::SigningKey;
use hpke::{Deserializable as _, Kem as _, Serializable as _};
use nkeys::{KeyPair, KeyPairType};
use pasetors::keys::AsymmetricSecretKey;
use pasetors::version4::V4;
use zeroize::Zeroizing;

use crate::PublicKeys;
use crate::files::{KeyFileError, prepare_folder, read_secret, write_secret};
use crate::random::random;

/// The key encapsulation of everything sealed here: X25519 and ML-KEM-768 together (X-Wing), so that a file recorded
/// today stays closed to the computers of the decades in which a child's history is still dangerous to it.
pub(crate) type SealingKem = hpke::kem::XWing;

const SIGNING: &str = "signing.key";
const SEALING: &str = "sealing.key";
const VAULT: &str = "vault.key";
const TOKEN: &str = "token.key";
const BROKER: &str = "broker.nk";
const ROOT: &str = "root.key";

/// All secrets of one node. `Debug` prints none of them; the memory is overwritten when dropped.
pub struct NodeKeys {
    signing: SigningKey,
    sealing: <SealingKem as hpke::Kem>::PrivateKey,
    vault: Zeroizing<[u8; 32]>,
    token: AsymmetricSecretKey<V4>,
    broker_seed: Zeroizing<String>,
    public: PublicKeys,
}

impl NodeKeys {
    /// Makes the keys of a new node and writes them into a folder (mode 0700), a file each (mode 0600): `signing.key`,
    /// `sealing.key`, `vault.key` and `token.key` as 32 bytes in base64, `broker.nk` as a NATS seed.
    ///
    /// # Errors
    /// When one of the files is there already (then none is written), or the disk refuses.
    pub fn create(folder: &Path) -> Result<Self, KeyFileError> {
        prepare_folder(folder, &[SIGNING, SEALING, VAULT, TOKEN, BROKER])?;
        for file in [SIGNING, SEALING, VAULT, TOKEN] {
            write_secret(&folder.join(file), &encode(&random()))?;
        }
        let broker = KeyPair::new_from_raw(KeyPairType::User, *random()).expect("32 bytes are a seed");
        let seed = Zeroizing::new(broker.seed().expect("a new pair has a seed"));
        write_secret(&folder.join(BROKER), &format!("{}\n", *seed))?;
        Self::load(folder)
    }

    /// Loads what [`NodeKeys::create`] wrote.
    ///
    /// # Errors
    /// When a file is missing, can be used by others than its owner, or holds something else.
    pub fn load(folder: &Path) -> Result<Self, KeyFileError> {
        let seed = |file: &str| read_seed(&folder.join(file));
        let broker_path = folder.join(BROKER);
        let broker_seed = read_secret(&broker_path)?;
        let broker = KeyPair::from_seed(&broker_seed).map_err(|_| KeyFileError::malformed(&broker_path))?;
        if broker.key_pair_type() != KeyPairType::User {
            return Err(KeyFileError::malformed(&broker_path));
        }
        let signing = SigningKey::from_bytes(&*seed(SIGNING)?);
        let sealing = <SealingKem as hpke::Kem>::PrivateKey::from_bytes(&*seed(SEALING)?)
            .expect("any 32 bytes are a key of X-Wing");
        let token = SigningKey::from_bytes(&*seed(TOKEN)?);
        let public = PublicKeys {
            signing: public_half(&signing),
            sealing: BASE64.encode(SealingKem::sk_to_pk(&sealing).to_bytes()),
            token: public_half(&token),
            broker: broker.public_key(),
        };
        let pair = Zeroizing::new(token.to_keypair_bytes());
        let token = AsymmetricSecretKey::from(pair.as_slice()).expect("seed and public key are a key of PASETO");
        Ok(Self { signing, sealing, vault: seed(VAULT)?, token, broker_seed, public })
    }

    /// The public halves, for the directory.
    pub fn public(&self) -> PublicKeys {
        self.public.clone()
    }

    /// Whether these are the keys of that entry in the directory.
    pub fn are(&self, public: &PublicKeys) -> bool {
        self.public == *public
    }

    /// The key that wraps the keys of the people in the vault. It never leaves the node, not even in a backup of the
    /// vault's database.
    pub fn vault_key(&self) -> &[u8; 32] {
        &self.vault
    }

    /// The seed (`SU…`) with which the node signs in at its broker.
    pub fn broker_seed(&self) -> &str {
        &self.broker_seed
    }

    pub(crate) fn signing(&self) -> &SigningKey {
        &self.signing
    }

    pub(crate) fn sealing(&self) -> &<SealingKem as hpke::Kem>::PrivateKey {
        &self.sealing
    }

    pub(crate) fn token(&self) -> &AsymmetricSecretKey<V4> {
        &self.token
    }
}

impl fmt::Debug for NodeKeys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "NodeKeys({})", self.public.signing)
    }
}

/// The key that signs the directory of a network. Kept offline, by whoever all agencies agreed on.
pub struct RootKey(SigningKey);

impl RootKey {
    /// Makes the root key of a new network and writes it into a folder (mode 0700), as `root.key` (mode 0600).
    ///
    /// # Errors
    /// When the file is there already, or the disk refuses.
    pub fn create(folder: &Path) -> Result<Self, KeyFileError> {
        prepare_folder(folder, &[ROOT])?;
        write_secret(&folder.join(ROOT), &encode(&random()))?;
        Self::load(folder)
    }

    /// Loads what [`RootKey::create`] wrote.
    ///
    /// # Errors
    /// When the file is missing, can be used by others than its owner, or holds something else.
    pub fn load(folder: &Path) -> Result<Self, KeyFileError> {
        read_seed(&folder.join(ROOT)).map(|seed| Self(SigningKey::from_bytes(&seed)))
    }

    /// The public half in base64: what every node is configured with, and the only thing it trusts beforehand.
    pub fn public(&self) -> String {
        public_half(&self.0)
    }

    pub(crate) fn signing(&self) -> &SigningKey {
        &self.0
    }
}

impl fmt::Debug for RootKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "RootKey({})", self.public())
    }
}

fn public_half(key: &SigningKey) -> String {
    BASE64.encode(key.verifying_key().as_bytes())
}

fn encode(seed: &[u8; 32]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(48));
    BASE64.encode_string(seed, &mut text);
    text.push('\n');
    text
}

fn read_seed(path: &Path) -> Result<Zeroizing<[u8; 32]>, KeyFileError> {
    let text = read_secret(path)?;
    let bytes = BASE64.decode(text.as_bytes()).map(Zeroizing::new).map_err(|_| KeyFileError::malformed(path))?;
    let seed = bytes.as_slice().try_into().map_err(|_| KeyFileError::malformed(path))?;
    Ok(Zeroizing::new(seed))
}
