//! What crosses between nodes, and what is refused.
#![expect(clippy::unwrap_used, reason = "a specification fails by panicking")]

mod support;

use spean_identity::{Envelope, EnvelopeError, Header, LARGEST_ENVELOPE_BYTES};
use spean_vocabulary::LetterId;
use support::Network;

fn header() -> Header {
    Header {
        from: "poipet".parse().unwrap(),
        to: "kandal".parse().unwrap(),
        incarnation: 1,
        sequence: 42,
        letter: LetterId::from_uuid(uuid::Uuid::from_u128(0x1234_5678_9abc_4def_8123_4567_89ab_cdef)),
    }
}

fn sealed(network: &Network) -> Vec<u8> {
    Envelope::seal(&header(), b"a letter", &network.poipet, &network.directory).unwrap()
}

#[test]
fn the_receiver_reads_what_the_sender_wrote() {
    let network = Network::new();
    let bytes = sealed(&network);
    let (opened, body) = Envelope::open(&bytes, &network.kandal, &network.directory).unwrap();
    assert_eq!((opened, body.as_slice()), (header(), b"a letter".as_slice()));
    assert_eq!(Envelope::peek(&bytes, &network.directory).unwrap(), header());
    assert!(!bytes.windows(8).any(|window| window == b"a letter"), "the body is in the clear");
}

#[test]
fn nobody_else_opens_it_or_writes_in_anothers_name() {
    let network = Network::new();
    let (directory, bytes) = (&network.directory, sealed(&network));
    assert_eq!(Envelope::open(&bytes, &network.poipet, directory).unwrap_err(), EnvelopeError::NotOurs);
    assert_eq!(Envelope::seal(&header(), b"", &network.kandal, directory).unwrap_err(), EnvelopeError::NotOurs);

    let mut elsewhere = directory.clone();
    elsewhere.nodes[0].keys.signing = network.kandal.public().signing;
    assert_eq!(Envelope::open(&bytes, &network.kandal, &elsewhere).unwrap_err(), EnvelopeError::BadSignature);
    elsewhere.nodes.remove(0);
    assert_eq!(
        Envelope::open(&bytes, &network.kandal, &elsewhere).unwrap_err(),
        EnvelopeError::UnknownNode("poipet".parse().unwrap())
    );
}

#[test]
fn a_letter_of_another_network_is_refused() {
    let network = Network::new();
    let mut another = network.directory.clone();
    another.network = "another".to_owned();
    assert_eq!(Envelope::open(&sealed(&network), &network.kandal, &another).unwrap_err(), EnvelopeError::Malformed);
}

#[test]
fn every_cut_is_refused() {
    let network = Network::new();
    let bytes = sealed(&network);
    for length in 0..bytes.len() {
        assert!(Envelope::open(&bytes[..length], &network.kandal, &network.directory).is_err(), "{length} bytes");
    }
}

#[test]
fn every_flipped_bit_is_refused() {
    let network = Network::new();
    let bytes = sealed(&network);
    for position in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[position] ^= 1 << (position % 8);
        assert!(Envelope::open(&changed, &network.kandal, &network.directory).is_err(), "byte {position}");
    }
}

#[test]
fn nothing_can_be_added() {
    let network = Network::new();
    let bytes = sealed(&network);
    // An unknown field, which a decoder of protobuf skips, and a second signature, of which it takes the last.
    for addition in [&[0x78, 0x01][..], &[0x12, 0x00], &bytes[bytes.len() - 66..], &[0x00]] {
        let longer = [&bytes, addition].concat();
        assert!(Envelope::open(&longer, &network.kandal, &network.directory).is_err(), "{addition:?} was accepted");
    }
}

#[test]
fn noise_is_an_error_and_never_a_panic() {
    let network = Network::new();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for length in 0..2_000 {
        let noise: Vec<u8> = (0..length % 300)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state.to_le_bytes()[0]
            })
            .collect();
        assert!(Envelope::open(&noise, &network.kandal, &network.directory).is_err());
    }
}

#[test]
fn a_body_as_large_as_allowed_fits_and_one_byte_more_does_not() {
    let network = Network::new();
    let body = vec![7; 15 * 64 * 1024 - 1];
    let bytes = Envelope::seal(&header(), &body, &network.poipet, &network.directory).unwrap();
    assert!(bytes.len() <= LARGEST_ENVELOPE_BYTES);
    let (_, opened) = Envelope::open(&bytes, &network.kandal, &network.directory).unwrap();
    assert!(*opened == body);

    let larger = vec![7; body.len() + 1];
    assert_eq!(
        Envelope::seal(&header(), &larger, &network.poipet, &network.directory).unwrap_err(),
        EnvelopeError::TooLarge
    );
    let oversized = vec![0; LARGEST_ENVELOPE_BYTES + 1];
    assert_eq!(Envelope::open(&oversized, &network.kandal, &network.directory).unwrap_err(), EnvelopeError::TooLarge);
}
