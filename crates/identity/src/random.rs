//! The one place of this crate that asks the operating system for randomness. (`hpke` asks by itself, in the same way.)

use zeroize::Zeroizing;

/// So many random bytes, for a secret that did not exist before.
#[expect(clippy::disallowed_methods, reason = "keys are the one thing that must come from nowhere else")]
pub(crate) fn random<const LENGTH: usize>() -> Zeroizing<[u8; LENGTH]> {
    let mut bytes = Zeroizing::new([0; LENGTH]);
    getrandom::fill(bytes.as_mut_slice()).expect("an operating system without randomness cannot run this program");
    bytes
}
