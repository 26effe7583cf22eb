//! What one node gets from another, before and after it is opened.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde_json::json;
use spean_custody::case::{
    CaseCustody, Certificate, CertificateSignature, Mandate, Message, SIGNATURE_PURPOSE, SignedCertificate,
    verify_chain,
};
use spean_custody::link::{Hello, Link, Receipt, ReceiptEffect};
use spean_custody::{Digest, Party};
use spean_eventsourcing::Aggregate;
use spean_identity::{Envelope, Header, open, seal, sign, verify};
use spean_messaging::post::BackedUp;
use spean_vocabulary::{CaseId, LetterId, OfficeId, Timestamp};

use super::network::THE_NETWORK;
use crate::Draw;

const BODY: &[u8] = b"a letter of which nobody may change anything";

fn header() -> Header {
    Header {
        from: "poipet".parse().expect("a code"),
        to: "kandal".parse().expect("a code"),
        incarnation: 1,
        sequence: 42,
        letter: LetterId::from_uuid(uuid::Uuid::from_u128(7)),
    }
}

/// An envelope opens as it was sealed, or not at all; and so it does when its sender's own key signed nonsense.
pub(super) fn envelopes(draw: &mut Draw<'_>) {
    static SEALED: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
        let network = &*THE_NETWORK;
        let seal = |body: &[u8]| Envelope::seal(&header(), body, &network.poipet, &network.directory);
        [BODY, b"", &[7; 5_000]].map(|body| seal(body).expect("it is small")).to_vec()
    });
    let network = &*THE_NETWORK;
    let bytes = draw.changed(&SEALED);
    let genuine = SEALED.contains(&bytes);
    match Envelope::open(&bytes, &network.kandal, &network.directory) {
        Ok((opened, _)) => assert!(genuine && opened == header(), "an envelope was forged"),
        Err(_) => assert!(!genuine, "a genuine envelope does not open"),
    }
    assert_eq!(Envelope::peek(&bytes, &network.directory).is_ok(), genuine);
}

/// What is sealed opens for whom it was sealed, as it was sealed and for what it was sealed.
pub(super) fn sealed_letters(draw: &mut Draw<'_>) {
    static SEALED: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
        let to = THE_NETWORK.kandal.public().sealing;
        vec![seal(&to, b"fuzz v1", b"circumstances", BODY).expect("a genuine key")]
    });
    let bytes = draw.changed(&SEALED);
    let genuine = SEALED.contains(&bytes);
    let (info, aad): (&[u8], &[u8]) = *draw.one_of(&[
        (b"fuzz v1".as_slice(), b"circumstances".as_slice()),
        (b"fuzz v2", b"circumstances"),
        (b"fuzz v1", b"others"),
    ]);
    let as_sealed = (info, aad) == (b"fuzz v1".as_slice(), b"circumstances".as_slice());
    let opened = open(&THE_NETWORK.kandal, info, aad, &bytes);
    assert_eq!(opened.is_ok(), genuine && as_sealed);
}

fn case() -> CaseId {
    CaseId::from_uuid(uuid::Uuid::from_u128(9))
}

fn party(node: &str, office: &str) -> Party {
    Party { node: node.parse().expect("a code"), office: office.parse().expect("a code") }
}

/// The lines in which letters and events of custody were ever stored.
static EVENTS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let lines = [
        include_str!("../../../../crates/custody/tests/golden/events.jsonl"),
        include_str!("../../../../crates/custody/tests/golden/events_later.jsonl"),
    ];
    lines.iter().flat_map(|lines| lines.lines()).map(str::to_owned).collect()
});

/// What desks say to each other: read or refused; and what was read is written as it is read again.
pub(super) fn custody_letters(draw: &mut Draw<'_>) {
    static LETTERS: LazyLock<Vec<String>> = LazyLock::new(|| {
        let me = party("kandal", "kandal-province");
        let events = EVENTS.iter().filter_map(|line| serde_json::from_str(line).ok());
        let said = events.flat_map(|event| spean_custody::case::messages(&event, &me, None));
        let mut letters: Vec<_> =
            said.map(|said| serde_json::to_string(&said.message).expect("a message is JSON")).collect();
        letters.push(json!({ "type": "accept", "case": case(), "offer": case(), "term": 0 }).to_string());
        letters
    });
    assert!(LETTERS.len() > 8);
    let text = draw.changed_text(&LETTERS);
    if let Ok(message) = serde_json::from_str::<Message>(&text) {
        let written = serde_json::to_string(&message).expect("a message is JSON");
        assert_eq!(serde_json::from_str::<Message>(&written).as_ref().ok(), Some(&message));
        let _ = (message.case(), message.chain().len());
    }
}

/// A chain proves what was signed, or nothing.
pub(super) fn certificates(draw: &mut Draw<'_>) {
    static CHAIN: LazyLock<String> = LazyLock::new(|| serde_json::to_string(&genuine_chain()).expect("it is JSON"));
    let text = draw.changed_text(std::slice::from_ref(&CHAIN));
    let Ok(chain) = serde_json::from_str::<Vec<SignedCertificate>>(&text) else { return };
    let (authority, cosigner): (OfficeId, OfficeId) =
        ("mosvy".parse().expect("a code"), "poipet-transit".parse().expect("a code"));
    let mandate = Mandate { authority: &authority, cosigner: &cosigner };
    let proven = verify_chain(&chain, mandate, |party, bytes, signature| {
        let node = THE_NETWORK.directory.node(&party.node);
        node.is_some_and(|node| verify(&node.keys.signing, SIGNATURE_PURPOSE, bytes, signature).is_ok())
    });
    if proven.is_ok() {
        assert!(genuine_chain().starts_with(&chain) && !chain.is_empty(), "a certificate was forged: {text}");
    }
}

/// Poipet held the case and gave it to Kandal.
fn genuine_chain() -> Vec<SignedCertificate> {
    let (poipet, kandal) = (party("poipet", "poipet-transit"), party("kandal", "kandal-province"));
    let first = Certificate {
        case: case(),
        term: 0,
        epoch: 0,
        holder: poipet.clone(),
        issued_by: poipet.clone(),
        offer: None,
        previous: None,
        issued_at: Timestamp::from_micros(7),
        basis: None,
    };
    let second = Certificate {
        epoch: 1,
        holder: kandal,
        offer: Some(case().reinterpret()),
        previous: Some(first.digest()),
        ..first.clone()
    };
    let signed = |certificate: Certificate| {
        let signature = sign(&THE_NETWORK.poipet, SIGNATURE_PURPOSE, &certificate.canonical_bytes());
        let signatures = vec![CertificateSignature::new(certificate.issued_by.clone(), &signature)];
        SignedCertificate { certificate, signatures }
    };
    vec![signed(first), signed(second)]
}

/// Numbers, receipts and introductions of a peer that says anything: what is confirmed was written, what is applied is
/// applied in order, and what is remembered of it is bounded.
pub(super) fn link_words(draw: &mut Draw<'_>) {
    let mut link = Link::new(1 + draw.awkward_number() % 3);
    for _ in 0..draw.below(5) {
        link.assign();
    }
    for _ in 0..draw.below(60) {
        let (assigned, applied) = (link.last_assigned(), link.applied_up_to());
        let before = (link.incarnation(), link.peer_incarnation());
        match draw.below(4) {
            0 => {
                let arrival = link.arrive(some_number(draw, 1), some_number(draw, applied), &Digest::of(b"x"), None);
                if arrival == spean_custody::link::Arrival::Next {
                    let next = applied + 1;
                    if draw.once_in(3) {
                        link.failed(next)
                    } else {
                        link.applied(next)
                    };
                }
            }
            1 => {
                let receipt = receipt(draw, &link);
                let effect = link.take_receipt(&receipt);
                if matches!(effect, ReceiptEffect::Advanced { .. }) {
                    assert!(receipt.applied_up_to <= assigned && receipt.backed_up_through <= receipt.applied_up_to);
                }
            }
            2 => {
                let hello = Hello { incarnation: some_number(draw, before.1), receipt: receipt(draw, &link) };
                link.take_hello(&hello);
            }
            _ => link.resynced(some_number(draw, before.1), some_number(draw, applied)),
        }
        assert_eq!(
            (link.last_assigned(), link.incarnation()),
            (assigned, before.0),
            "a peer's word numbers our letters"
        );
        assert!(link.peer_incarnation() >= before.1, "an incarnation went down");
        if link.peer_incarnation() == before.1 {
            assert!(link.applied_up_to() >= applied, "what was applied is forgotten");
        }
        assert!(link.prunable_through() <= assigned);
    }
    let written = serde_json::to_string(&link).expect("it is JSON");
    assert!(serde_json::from_str::<Link>(&written).is_ok_and(|read| read == link));
    let text = draw.changed_text(&[written]);
    let _ = (serde_json::from_str::<Receipt>(&text), serde_json::from_str::<Hello>(&text));
}

/// A number near another, or one that makes no sense.
fn some_number(draw: &mut Draw<'_>, near: u64) -> u64 {
    if draw.once_in(3) { draw.awkward_number() } else { near.wrapping_add(draw.number() % 4) }
}

fn receipt(draw: &mut Draw<'_>, link: &Link) -> Receipt {
    let applied_up_to = some_number(draw, link.last_assigned() / 2);
    let failed: BTreeSet<u64> = (0..draw.below(4)).map(|_| some_number(draw, applied_up_to)).collect();
    let backed_up_through = some_number(draw, 0);
    Receipt { incarnation: some_number(draw, link.incarnation()), applied_up_to, failed, backed_up_through }
}

/// The note that a backup was tried.
pub(super) fn notes_of_backups(draw: &mut Draw<'_>) {
    let note = json!({
        "incarnation": 1, "position": 42, "hash": "ab".repeat(32),
        "heard": { "kandal/referral": { "incarnation": 1, "through": 9 } },
    });
    let text = draw.changed_text(&[note.to_string()]);
    if let Ok(note) = serde_json::from_str::<BackedUp>(&text) {
        assert!(!note.has_heard_more_than(&note));
    }
}

/// Events of custody, changed and put after each other in any order: the state that follows takes anything.
pub(super) fn custody_events(draw: &mut Draw<'_>) {
    let lines: Vec<_> = (0..draw.below(12)).map(|_| draw.changed_text(&EVENTS)).collect();
    let events: Vec<_> =
        lines.iter().filter_map(|line| serde_json::from_str::<<CaseCustody as Aggregate>::Event>(line).ok()).collect();
    let _ = CaseCustody::fold(&events);
}
