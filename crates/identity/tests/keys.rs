//! Keys on disk, signatures, sealing, certificates.
#![expect(clippy::unwrap_used, reason = "a specification fails by panicking")]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use spean_identity::{BadSignature, KeyFileError, NodeKeys, SealError, open, seal, sign, tls, verify};
use spean_vocabulary::Timestamp;
use support::Network;

fn now() -> Timestamp {
    Timestamp::from_micros(1_790_000_000_000_000)
}

#[test]
fn keys_are_loaded_as_they_were_made() {
    let network = Network::new();
    let loaded = NodeKeys::load(&network.path().join("poipet")).unwrap();
    assert_eq!(loaded.public(), network.poipet.public());
    assert_eq!(loaded.vault_key(), network.poipet.vault_key());
    assert!(loaded.broker_seed().starts_with("SU"));
    assert!(loaded.public().broker.starts_with('U'));
}

#[test]
fn every_key_file_is_its_owners_alone() {
    let network = Network::new();
    let folder = network.path().join("poipet");
    assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    let files: Vec<_> = fs::read_dir(&folder).unwrap().map(|file| file.unwrap()).collect();
    assert_eq!(files.len(), 5);
    for file in files {
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", file.path());
    }
}

#[test]
fn keys_that_others_can_use_are_refused() {
    let network = Network::new();
    let folder = network.path().join("poipet");
    for file in ["signing.key", "sealing.key", "vault.key", "token.key", "broker.nk"] {
        let path = folder.join(file);
        for mode in [0o640, 0o604, 0o620, 0o601] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert!(
                matches!(NodeKeys::load(&folder), Err(KeyFileError::OpenToOthers { path: named }) if named == path),
                "{file} with mode {mode:o} was accepted"
            );
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }
    NodeKeys::load(&folder).unwrap();
}

#[test]
fn keys_are_never_overwritten() {
    let network = Network::new();
    let folder = network.path().join("poipet");
    let before = fs::read(folder.join("signing.key")).unwrap();
    assert!(matches!(NodeKeys::create(&folder), Err(KeyFileError::AlreadyThere { .. })));
    fs::remove_file(folder.join("signing.key")).unwrap();
    assert!(matches!(NodeKeys::create(&folder), Err(KeyFileError::AlreadyThere { .. })));
    assert!(!folder.join("signing.key").exists(), "a part of a set was written");
    fs::write(folder.join("signing.key"), before).unwrap();
}

#[test]
fn a_file_with_something_else_is_refused() {
    let network = Network::new();
    let path = network.path().join("poipet/vault.key");
    for text in ["", "AAAA", "not base64!", &"A".repeat(100_000)] {
        fs::write(&path, text).unwrap();
        assert!(matches!(NodeKeys::load(&network.path().join("poipet")), Err(KeyFileError::Malformed { .. })));
    }
}

#[test]
fn debug_prints_no_secret() {
    let network = Network::new();
    let printed = format!("{:?}", network.poipet);
    for file in ["signing.key", "sealing.key", "vault.key", "token.key", "broker.nk"] {
        let secret = fs::read_to_string(network.path().join("poipet").join(file)).unwrap();
        assert!(!printed.contains(secret.trim()), "{file} is in {printed}");
    }
}

#[test]
fn a_signature_fits_one_key_one_purpose_and_one_text() {
    let network = Network::new();
    let signature = sign(&network.poipet, "certificate v1", b"text");
    let public = network.poipet.public().signing;
    assert_eq!(verify(&public, "certificate v1", b"text", &signature), Ok(()));
    assert_eq!(verify(&public, "certificate v2", b"text", &signature), Err(BadSignature));
    assert_eq!(verify(&public, "certificate v1", b"Text", &signature), Err(BadSignature));
    assert_eq!(verify(&network.kandal.public().signing, "certificate v1", b"text", &signature), Err(BadSignature));
    assert_eq!(verify("", "certificate v1", b"text", &[]), Err(BadSignature));
    // Of small order: would fit almost any signature if the check were not strict.
    let weak = format!("AQ{}=", "A".repeat(41));
    assert_eq!(verify(&weak, "certificate v1", b"text", &signature), Err(BadSignature));
}

#[test]
fn only_the_receiver_opens_and_only_in_the_same_circumstances() {
    let network = Network::new();
    let sealed = seal(&network.kandal.public().sealing, b"purpose", b"offer 1", b"a secret").unwrap();
    assert_eq!(open(&network.kandal, b"purpose", b"offer 1", &sealed).unwrap().as_slice(), b"a secret");
    assert_eq!(open(&network.poipet, b"purpose", b"offer 1", &sealed), Err(SealError::DoesNotOpen));
    assert_eq!(open(&network.kandal, b"purpose", b"offer 2", &sealed), Err(SealError::DoesNotOpen));
    assert_eq!(open(&network.kandal, b"another", b"offer 1", &sealed), Err(SealError::DoesNotOpen));
    assert_eq!(open(&network.kandal, b"purpose", b"offer 1", &sealed[..1119]), Err(SealError::DoesNotOpen));
    assert_eq!(seal("no key", b"", b"", b""), Err(SealError::BadRecipientKey));
}

#[test]
fn texts_of_similar_length_are_sealed_to_the_same_size() {
    let network = Network::new();
    let sealed = |length: usize| {
        let text = vec![0x80; length];
        let sealed = seal(&network.kandal.public().sealing, b"", b"", &text).unwrap();
        assert_eq!(open(&network.kandal, b"", b"", &sealed).unwrap().as_slice(), text, "length {length}");
        sealed.len()
    };
    assert_eq!(sealed(0), sealed(1023));
    assert_eq!(sealed(1024), sealed(2047));
    assert_ne!(sealed(1023), sealed(1024));
    assert_eq!(sealed(65_536), sealed(131_071));
}

#[test]
fn a_client_that_trusts_the_authority_trusts_the_nodes_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let (authority, node) = (folder.path().join("authority"), folder.path().join("node"));
    tls::create_authority(&authority, now()).unwrap();
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    tls::issue(&authority, &node, &"kandal".parse().unwrap(), &names, now()).unwrap();
    for key in [authority.join(tls::AUTHORITY_KEY), node.join(tls::NODE_KEY)] {
        assert_eq!(fs::metadata(key).unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert!(tls::create_authority(&authority, now()).is_err(), "an authority was overwritten");

    let certificate = CertificateDer::from_pem_file(node.join(tls::NODE_CERTIFICATE)).unwrap();
    PrivateKeyDer::from_pem_file(node.join(tls::NODE_KEY)).unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(node.join(tls::AUTHORITY_CERTIFICATE)).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier =
        rustls::client::WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
    let trusts = |name: &str, at: Timestamp| {
        let seconds = u64::try_from(at.as_micros()).unwrap() / 1_000_000;
        let at = rustls::pki_types::UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
        let name = ServerName::try_from(name.to_owned()).unwrap();
        rustls::client::danger::ServerCertVerifier::verify_server_cert(&*verifier, &certificate, &[], &name, &[], at)
            .is_ok()
    };
    assert!(trusts("localhost", now()));
    assert!(trusts("127.0.0.1", now().plus_days(396)));
    assert!(!trusts("elsewhere", now()));
    assert!(!trusts("localhost", now().plus_days(398)));
}
