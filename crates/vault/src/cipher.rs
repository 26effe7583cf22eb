//! Encryption of values at rest, and the two kinds of keys: the vault's and each person's.

use std::fmt;

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use sha2::Sha256;
use spean_identity::NodeKeys;
use zeroize::Zeroizing;

use crate::random::random;

/// Bytes of the random nonce that a sealed value begins with: long enough to be drawn without keeping count.
const NONCE_BYTES: usize = 24;

/// A key that values are sealed with. Overwritten in memory when dropped; `Debug` says nothing of it.
#[derive(Clone)]
pub(crate) struct Key(Zeroizing<[u8; 32]>);

/// A value was changed, or is in the place of another, or was sealed with another key.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct DoesNotOpen;

impl Key {
    /// The key that wraps the keys of people. Derived, so that the node's secret can serve other ends some day.
    pub(crate) fn of_vault(keys: &NodeKeys) -> Self {
        let mut key = Zeroizing::new([0; 32]);
        Hkdf::<Sha256>::new(None, keys.vault_key())
            .expand(b"spean vault v1", key.as_mut_slice())
            .expect("32 bytes are fewer than HKDF can give");
        Self(key)
    }

    /// A new key for a person.
    pub(crate) fn draw() -> Self {
        Self(Zeroizing::new(random()))
    }

    /// This key, sealed with another.
    pub(crate) fn wrap(&self, person_key: &Self, bound_to: &str) -> Vec<u8> {
        self.seal(person_key.0.as_slice(), bound_to)
    }

    /// What [`Key::wrap`] sealed.
    pub(crate) fn unwrap(&self, wrapped: &[u8], bound_to: &str) -> Result<Self, DoesNotOpen> {
        let bytes = self.open(wrapped, bound_to)?;
        Ok(Self(Zeroizing::new(bytes.as_slice().try_into().map_err(|_| DoesNotOpen)?)))
    }

    /// Encrypts a value and binds it to its place, such as `part|<person>|identity|3`.
    pub(crate) fn seal(&self, plaintext: &[u8], bound_to: &str) -> Vec<u8> {
        let nonce: [u8; NONCE_BYTES] = random();
        let ciphertext = self
            .cipher()
            .encrypt(&XNonce::from(nonce), Payload { msg: plaintext, aad: bound_to.as_bytes() })
            .expect("a value in memory is shorter than the cipher's limit");
        [nonce.as_slice(), &ciphertext].concat()
    }

    /// Decrypts a value that was sealed for this very place.
    pub(crate) fn open(&self, sealed: &[u8], bound_to: &str) -> Result<Zeroizing<Vec<u8>>, DoesNotOpen> {
        let (nonce, ciphertext) = sealed.split_first_chunk::<NONCE_BYTES>().ok_or(DoesNotOpen)?;
        self.cipher()
            .decrypt(&XNonce::from(*nonce), Payload { msg: ciphertext, aad: bound_to.as_bytes() })
            .map(Zeroizing::new)
            .map_err(|_| DoesNotOpen)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&(*self.0).into())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Key(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_opens_in_its_own_place_only() {
        let key = Key::draw();
        let sealed = key.seal(b"Sophea", "part|a|identity|1");
        assert_eq!(key.open(&sealed, "part|a|identity|1").expect("its place").as_slice(), b"Sophea");
        assert_eq!(key.open(&sealed, "part|b|identity|1").expect_err("another person's"), DoesNotOpen);
        assert_eq!(Key::draw().open(&sealed, "part|a|identity|1").expect_err("another key"), DoesNotOpen);
    }

    #[test]
    fn whatever_the_bytes_are_the_answer_is_an_error() {
        let key = Key::draw();
        let sealed = key.seal(b"Sophea", "place");
        for length in 0..sealed.len() {
            assert_eq!(key.open(&sealed[..length], "place").expect_err("cut off"), DoesNotOpen);
        }
        for position in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[position] ^= 1;
            assert_eq!(key.open(&changed, "place").expect_err("changed"), DoesNotOpen);
        }
    }
}
