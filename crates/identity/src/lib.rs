//! Who is who, who is calling, for which office, and what they may do.
//!
//! * [`Directory`]: the signed list of agencies, nodes, offices and their public keys. There is no other source of
//!   trust: no web PKI, no trust on first use, and the broker is an authority for nothing.
//! * [`NodeKeys`] and [`RootKey`]: the secrets, each in a file of its own that only its owner can read.
//! * [`Envelope`]: what crosses between two nodes, signed by the sender and sealed to the receiver.
//! * [`seal`] and [`open`], [`sign`] and [`verify`]: the same two operations for anything else.
//! * [`token`]: what a member of staff shows when calling a service; [`Access`]: what they may then do.
//! * [`tls`]: certificates for the services' own connections.
//!
//! Nothing here reads a clock. Randomness comes from the operating system, in `random.rs` and inside `hpke`.

mod access;
mod directory;
mod envelope;
mod files;
mod keys;
mod random;
mod sealing;
mod signed_directory;
mod signing;
pub mod tls;
pub mod token;

pub use access::{Access, Denied, Resource, Standing};
pub use directory::{
    Agency, Defect, Directory, NewPlace, Node, Office, OfficeLevel, PlaceChange, PlaceChangeKind, PlaceEdition,
    PublicKeys, Serving,
};
pub use envelope::{Envelope, EnvelopeError, Header, LARGEST_ENVELOPE_BYTES};
pub use files::KeyFileError;
pub use keys::{NodeKeys, RootKey};
pub use sealing::{SealError, digest, open, seal};
pub use signed_directory::{DirectoryError, LiveDirectory, SignedDirectory};
pub use signing::{BadSignature, Signature, sign, verify};
pub use token::{Caller, Claims, Role, TokenError};
