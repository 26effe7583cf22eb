//! Certificates for the services' own connections (TLS): a small authority for a network or an agency, and the
//! certificates that it issues to nodes. All files are PEM.
//!
//! These certificates protect a connection. Who a letter is from is decided by its signature, never by a connection.

use std::path::Path;
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};
use spean_vocabulary::{NodeId, Timestamp};

use crate::files::{KeyFileError, prepare_folder, read_public, read_secret, write_public, write_secret};

/// The authority's certificate, which clients are configured with.
pub const AUTHORITY_CERTIFICATE: &str = "authority.pem";
/// The authority's key (mode 0600).
pub const AUTHORITY_KEY: &str = "authority.key";
/// A node's certificate, followed by nothing: the authority's is the only one above it.
pub const NODE_CERTIFICATE: &str = "server.pem";
/// A node's key (mode 0600).
pub const NODE_KEY: &str = "server.key";

/// How long an authority's certificate holds, in days.
const AUTHORITY_LIFE_DAYS: i64 = 10 * 365;
/// How long a node's certificate holds, in days: the longest that common clients accept.
const NODE_LIFE_DAYS: i64 = 397;

/// Why a certificate cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file is there already, is missing, or can be used by others.
    #[error(transparent)]
    File(#[from] KeyFileError),
    /// A name is neither a host name nor an address, or the authority's key is of another kind.
    #[error("the certificate cannot be made")]
    Certificate(#[from] rcgen::Error),
}

/// Makes an authority: `authority.key` and `authority.pem` in a folder. Holds for ten years from `now`.
pub fn create_authority(folder: &Path, now: Timestamp) -> Result<(), TlsError> {
    prepare_folder(folder, &[AUTHORITY_KEY, AUTHORITY_CERTIFICATE])?;
    let key = KeyPair::generate()?;
    let certificate = authority(now)?.self_signed(&key)?;
    write_secret(&folder.join(AUTHORITY_KEY), &zeroize::Zeroizing::new(key.serialize_pem()))?;
    Ok(write_public(&folder.join(AUTHORITY_CERTIFICATE), &certificate.pem())?)
}

/// Issues a certificate to a node, for the host names and addresses it is called by, and writes `server.key` and
/// `server.pem` (and a copy of `authority.pem`) into the node's folder. Holds for 397 days from `now`.
pub fn issue(
    authority_folder: &Path,
    node_folder: &Path,
    node: &NodeId,
    names: &[String],
    now: Timestamp,
) -> Result<(), TlsError> {
    let authority_key = KeyPair::from_pem(&read_secret(&authority_folder.join(AUTHORITY_KEY))?)?;
    let authority_certificate = read_public(&authority_folder.join(AUTHORITY_CERTIFICATE))?;
    let issuer = Issuer::new(authority(now)?, authority_key);

    prepare_folder(node_folder, &[NODE_KEY, NODE_CERTIFICATE, AUTHORITY_CERTIFICATE])?;
    let key = KeyPair::generate()?;
    let mut wanted = CertificateParams::new(names)?;
    wanted.distinguished_name.push(DnType::CommonName, node.as_str());
    wanted.use_authority_key_identifier_extension = true;
    wanted.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    wanted.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    holds(&mut wanted, now, NODE_LIFE_DAYS);
    let certificate = wanted.signed_by(&key, &issuer)?;

    write_secret(&node_folder.join(NODE_KEY), &zeroize::Zeroizing::new(key.serialize_pem()))?;
    write_public(&node_folder.join(NODE_CERTIFICATE), &certificate.pem())?;
    Ok(write_public(&node_folder.join(AUTHORITY_CERTIFICATE), &authority_certificate)?)
}

/// The authority's certificate before it is signed. Every authority has this name: an issued certificate must bear the
/// name of its issuer, and the key's identifier tells one authority from another.
fn authority(now: Timestamp) -> Result<CertificateParams, rcgen::Error> {
    let mut wanted = CertificateParams::new(Vec::new())?;
    wanted.distinguished_name.push(DnType::CommonName, "Spean authority");
    wanted.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    wanted.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    holds(&mut wanted, now, AUTHORITY_LIFE_DAYS);
    Ok(wanted)
}

/// Begins an hour early, for clocks that are slow.
fn holds(wanted: &mut CertificateParams, now: Timestamp, days: i64) {
    let instant = |at: Timestamp| {
        date_time_ymd(1970, 1, 1) + Duration::from_micros(u64::try_from(at.as_micros()).unwrap_or_default())
    };
    wanted.not_before = instant(now.plus_hours(-1));
    wanted.not_after = instant(now.plus_days(days));
}
