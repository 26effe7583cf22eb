//! The one place of this crate that asks the operating system for randomness.

/// So many random bytes, for a key or a nonce.
#[expect(clippy::disallowed_methods, reason = "keys and nonces are the one thing that must come from nowhere else")]
pub(crate) fn random<const LENGTH: usize>() -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    getrandom::fill(&mut bytes).expect("an operating system without randomness cannot run this program");
    bytes
}
