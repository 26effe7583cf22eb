//! Sealing to one receiver: HPKE (RFC 9180) with X-Wing, HKDF-SHA256 and ChaCha20-Poly1305.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable as _, single_shot_open, single_shot_seal};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::NodeKeys;
use crate::keys::SealingKem;

type Encapsulated = <SealingKem as Kem>::EncappedKey;

/// Bytes of the encapsulated key, which a sealed text begins with (1120 with X-Wing).
fn encapsulated_bytes() -> usize {
    <Encapsulated as hpke::Serializable>::size()
}

/// The smallest bucket and the step between the large ones, in bytes.
const SMALLEST_BUCKET: usize = 1024;
const LARGE_STEP: usize = 64 * 1024;

/// Why something cannot be sealed or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The directory holds something else than a sealing key for this receiver.
    #[error("the receiver's sealing key is malformed")]
    BadRecipientKey,
    /// It was sealed to somebody else, for another purpose or other circumstances, or was changed on its way.
    #[error("this was not sealed to us in this form")]
    DoesNotOpen,
}

/// Seals a text to one receiver ([`crate::PublicKeys::sealing`], base64).
///
/// `info` names the purpose and `aad` the circumstances (who, to whom, for which offer): both are needed to open it and
/// neither is hidden nor contained. The text is padded to a bucket first (powers of two from 1 KiB, from 64 KiB on
/// multiples of 64 KiB), so that the size tells little. The result is the encapsulated key, then the ciphertext.
pub fn seal(recipient_sealing_public: &str, info: &[u8], aad: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, SealError> {
    let key = BASE64.decode(recipient_sealing_public).map_err(|_| SealError::BadRecipientKey)?;
    let key = <SealingKem as Kem>::PublicKey::from_bytes(&key).map_err(|_| SealError::BadRecipientKey)?;
    let (encapsulated, ciphertext) = single_shot_seal::<ChaCha20Poly1305, HkdfSha256, SealingKem>(
        &OpModeS::Base,
        &key,
        info,
        &padded(plaintext),
        aad,
    )
    .map_err(|_| SealError::BadRecipientKey)?;
    Ok([encapsulated.to_bytes().as_slice(), &ciphertext].concat())
}

/// Opens what was sealed to this node with the same `info` and `aad`. The text is overwritten in memory when dropped.
pub fn open(keys: &NodeKeys, info: &[u8], aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let (encapsulated, ciphertext) = sealed.split_at_checked(encapsulated_bytes()).ok_or(SealError::DoesNotOpen)?;
    let encapsulated = Encapsulated::from_bytes(encapsulated).map_err(|_| SealError::DoesNotOpen)?;
    let mut plaintext = single_shot_open::<ChaCha20Poly1305, HkdfSha256, SealingKem>(
        &OpModeR::Base,
        keys.sealing(),
        &encapsulated,
        info,
        ciphertext,
        aad,
    )
    .map(Zeroizing::new)
    .map_err(|_| SealError::DoesNotOpen)?;
    let end = plaintext.iter().rposition(|&byte| byte != 0).filter(|&end| plaintext[end] == PADDING_BEGINS);
    plaintext.truncate(end.ok_or(SealError::DoesNotOpen)?);
    Ok(plaintext)
}

/// SHA-256 of these bytes: how two nodes compare the content of a letter or a dossier.
pub fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Padding by ISO/IEC 7816-4: this byte, then zeros.
const PADDING_BEGINS: u8 = 0x80;

fn padded(plaintext: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut padded = Zeroizing::new(Vec::with_capacity(bucket(plaintext.len() + 1)));
    padded.extend_from_slice(plaintext);
    padded.push(PADDING_BEGINS);
    padded.resize(bucket(plaintext.len() + 1), 0);
    padded
}

/// The size, in bytes, that a text of this size is padded to.
fn bucket(bytes: usize) -> usize {
    if bytes <= LARGE_STEP {
        bytes.next_power_of_two().max(SMALLEST_BUCKET)
    } else {
        bytes.div_ceil(LARGE_STEP) * LARGE_STEP
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_few() {
        assert_eq!(bucket(1), 1024);
        assert_eq!(bucket(1024), 1024);
        assert_eq!(bucket(1025), 2048);
        assert_eq!(bucket(65_537), 131_072);
        assert_eq!(bucket(983_040), 983_040);
    }
}
