//! Signatures of nodes and of the network's root (Ed25519).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};

use crate::NodeKeys;

/// The bytes of a signature.
pub type Signature = [u8; 64];

/// What was signed is not what is there, or somebody else signed it, or for another purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not fit")]
pub struct BadSignature;

/// A node's signature on these bytes.
///
/// The purpose (such as `custody certificate v1`) is signed along, so that what was signed as one thing can never be
/// shown as another.
pub fn sign(keys: &NodeKeys, purpose: &str, bytes: &[u8]) -> Signature {
    sign_with(keys.signing(), purpose, bytes)
}

/// Checks a signature with the public key from the directory ([`crate::PublicKeys::signing`], base64).
///
/// Strict: keys of small order and signatures in other than their one form are refused, so that a signature cannot be
/// changed into another valid one.
pub fn verify(public: &str, purpose: &str, bytes: &[u8], signature: &[u8]) -> Result<(), BadSignature> {
    let key: [u8; 32] = BASE64.decode(public).ok().and_then(|key| key.try_into().ok()).ok_or(BadSignature)?;
    let key = VerifyingKey::from_bytes(&key).map_err(|_| BadSignature)?;
    let signature = ed25519_dalek::Signature::from_slice(signature).map_err(|_| BadSignature)?;
    key.verify_strict(&message(purpose, bytes), &signature).map_err(|_| BadSignature)
}

pub(crate) fn sign_with(key: &SigningKey, purpose: &str, bytes: &[u8]) -> Signature {
    key.sign(&message(purpose, bytes)).to_bytes()
}

/// A zero byte cannot stand in a purpose, so no purpose and bytes read like another purpose and other bytes.
fn message(purpose: &str, bytes: &[u8]) -> Vec<u8> {
    assert!(!purpose.contains('\0'), "a purpose is a word of the program");
    [b"spean ", purpose.as_bytes(), b"\0", bytes].concat()
}
