//! What crosses between two nodes: a letter, sealed to the receiver and signed by the sender.
//!
//! The wire is two small protobuf messages, declared by derive: an outer one with the signed bytes and the signature,
//! and within the signed bytes the address and the sealed body. What is signed is carried as the very bytes that were
//! signed, so nothing has to be written twice in the same way. Protobuf, because a body is bytes (base64 would cost a
//! third of the limit), and because its decoder is a total function: bad bytes are an error.

use prost::Message as _;
use spean_vocabulary::{LetterId, NodeId};
use zeroize::Zeroizing;

use crate::{Directory, NodeKeys, SealError, open, seal, sign, verify};

/// The largest envelope, in bytes: 1 MiB, as everything that a broker carries. The body may have 15/16 of it.
pub const LARGEST_ENVELOPE_BYTES: usize = 1024 * 1024;

/// The largest body: fifteen buckets of 64 KiB, less the byte that ends it. The rest is key, address and signature.
const LARGEST_BODY_BYTES: usize = 15 * 64 * 1024 - 1;

const VERSION: u32 = 1;
const PURPOSE: &str = "envelope v1";

/// The address of a letter. Readable to whoever carries it: it holds no id of a case or a person, and no digest of the
/// body, from which a guess could be confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The node that wrote it.
    pub from: NodeId,
    /// The node that may open it.
    pub to: NodeId,
    /// How often the sender was restored from a backup.
    pub incarnation: u64,
    /// The place of the letter in the order from this sender to this receiver, within the incarnation; from 1.
    pub sequence: u64,
    /// The letter, however often it is sent.
    pub letter: LetterId,
}

/// Why an envelope cannot be made or opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// It, or the body to go into it, is larger than the limit.
    #[error("the letter is larger than an envelope may be")]
    TooLarge,
    /// The bytes are no envelope of this version.
    #[error("the bytes are not an envelope")]
    Malformed,
    /// The directory knows no node with the code of sender or receiver.
    #[error("the directory knows no node {0}")]
    UnknownNode(NodeId),
    /// The sender's or receiver's entry in the directory is not that of these keys.
    #[error("the letter is not ours to write or to open")]
    NotOurs,
    /// The sender did not sign this.
    #[error("the signature is not the sender's")]
    BadSignature,
    /// Signed, but sealed to somebody else or under another address.
    #[error("the letter does not open")]
    DoesNotOpen,
}

/// Makes and opens envelopes. See the module for the format.
#[derive(Debug)]
pub enum Envelope {}

#[derive(Clone, PartialEq, prost::Message)]
struct SignedEnvelope {
    #[prost(bytes = "vec", tag = "1")]
    letter: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    signature: Vec<u8>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct SealedLetter {
    #[prost(message, optional, tag = "1")]
    address: Option<Address>,
    #[prost(bytes = "vec", tag = "2")]
    sealed: Vec<u8>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Address {
    #[prost(uint32, tag = "1")]
    version: u32,
    #[prost(string, tag = "2")]
    network: String,
    #[prost(string, tag = "3")]
    from: String,
    #[prost(string, tag = "4")]
    to: String,
    #[prost(uint64, tag = "5")]
    incarnation: u64,
    #[prost(uint64, tag = "6")]
    sequence: u64,
    #[prost(string, tag = "7")]
    letter: String,
}

impl Envelope {
    /// Seals a body to the node that the header names, and signs it as the node that it comes from.
    ///
    /// Sealing the same letter twice gives different bytes with the same header and body.
    pub fn seal(
        header: &Header,
        body: &[u8],
        keys: &NodeKeys,
        directory: &Directory,
    ) -> Result<Vec<u8>, EnvelopeError> {
        let sender = node(directory, &header.from)?;
        let receiver = node(directory, &header.to)?;
        if !keys.are(&sender.keys) {
            return Err(EnvelopeError::NotOurs);
        }
        if body.len() > LARGEST_BODY_BYTES {
            return Err(EnvelopeError::TooLarge);
        }
        let address = Address::of(header, directory);
        let sealed = seal(&receiver.keys.sealing, PURPOSE.as_bytes(), &address.encode_to_vec(), body)
            .map_err(|_: SealError| EnvelopeError::DoesNotOpen)?;
        let letter = SealedLetter { address: Some(address), sealed }.encode_to_vec();
        let signature = sign(keys, PURPOSE, &letter).to_vec();
        let envelope = SignedEnvelope { letter, signature }.encode_to_vec();
        if envelope.len() > LARGEST_ENVELOPE_BYTES { Err(EnvelopeError::TooLarge) } else { Ok(envelope) }
    }

    /// Checks who an envelope is from and opens it. Total: whatever the bytes are, the answer is a letter or an error.
    ///
    /// Only the one encoding that [`Envelope::seal`] writes is accepted, so nothing unsigned can ride along.
    pub fn open(
        bytes: &[u8],
        keys: &NodeKeys,
        directory: &Directory,
    ) -> Result<(Header, Zeroizing<Vec<u8>>), EnvelopeError> {
        let (header, letter) = read(bytes, directory)?;
        let receiver = node(directory, &header.to)?;
        if !keys.are(&receiver.keys) {
            return Err(EnvelopeError::NotOurs);
        }
        let address = Address::of(&header, directory).encode_to_vec();
        let body = open(keys, PURPOSE.as_bytes(), &address, &letter.sealed)
            .map_err(|_: SealError| EnvelopeError::DoesNotOpen)?;
        Ok((header, body))
    }

    /// Checks who an envelope is from and reads its address, without opening it: for a letter that does not open, and
    /// has to be accounted for all the same.
    pub fn peek(bytes: &[u8], directory: &Directory) -> Result<Header, EnvelopeError> {
        read(bytes, directory).map(|(header, _)| header)
    }
}

fn read(bytes: &[u8], directory: &Directory) -> Result<(Header, SealedLetter), EnvelopeError> {
    if bytes.len() > LARGEST_ENVELOPE_BYTES {
        return Err(EnvelopeError::TooLarge);
    }
    let envelope = SignedEnvelope::decode(bytes).map_err(|_| EnvelopeError::Malformed)?;
    let letter = SealedLetter::decode(envelope.letter.as_slice()).map_err(|_| EnvelopeError::Malformed)?;
    if envelope.encode_to_vec() != bytes || letter.encode_to_vec() != envelope.letter {
        return Err(EnvelopeError::Malformed);
    }
    let address = letter.address.as_ref().ok_or(EnvelopeError::Malformed)?;
    let header = address.header().ok_or(EnvelopeError::Malformed)?;
    if *address != Address::of(&header, directory) {
        return Err(EnvelopeError::Malformed);
    }
    let sender = node(directory, &header.from)?;
    verify(&sender.keys.signing, PURPOSE, &envelope.letter, &envelope.signature)
        .map_err(|_| EnvelopeError::BadSignature)?;
    Ok((header, letter))
}

fn node<'d>(directory: &'d Directory, id: &NodeId) -> Result<&'d crate::Node, EnvelopeError> {
    directory.node(id).ok_or_else(|| EnvelopeError::UnknownNode(id.clone()))
}

impl Address {
    fn of(header: &Header, directory: &Directory) -> Self {
        Self {
            version: VERSION,
            network: directory.network.clone(),
            from: header.from.to_string(),
            to: header.to.to_string(),
            incarnation: header.incarnation,
            sequence: header.sequence,
            letter: header.letter.to_string(),
        }
    }

    fn header(&self) -> Option<Header> {
        Some(Header {
            from: self.from.parse().ok()?,
            to: self.to.parse().ok()?,
            incarnation: self.incarnation,
            sequence: self.sequence,
            letter: self.letter.parse().ok()?,
        })
    }
}
