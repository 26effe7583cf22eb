//! A letter between two services: of one node, or of two agencies. The way is the same.

use std::fmt;

use prost::Message as _;
use sha2::{Digest as _, Sha256};
use spean_identity::{NodeKeys, PublicKeys, sign, verify};
use spean_vocabulary::{CaseId, LetterId, NodeId, Service, Timestamp};

/// A service of a node: who a letter is from, and who it is for.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// The node.
    pub node: NodeId,
    /// The service.
    pub service: Service,
}

/// What a service wants to have sent. Written in the transaction of the event that it tells of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posting {
    /// Who it is for.
    pub to: Address,
    /// What it says: the name of a protobuf message, or of a message of the custody protocol.
    pub kind: &'static str,
    /// The case it is about. A letter that cannot be applied blocks later letters about this case, and no others.
    pub case: Option<CaseId>,
    /// The message. Codes and ids only, never personal data in the clear.
    pub body: Vec<u8>,
    /// A reference to sealed bytes that travel with it, for [`crate::Correspondence::attachment`].
    pub attachment: Option<String>,
}

/// A letter as it arrived, checked and opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Its id, the same however often it is sent.
    pub id: LetterId,
    /// Who wrote it.
    pub from: Address,
    /// In which life of their log they wrote it, from 1; it rises when they are put back from a backup. Of what they say, a
    /// later life goes before an earlier one. 0 for what a service writes to itself.
    pub incarnation: u64,
    /// What it says.
    pub kind: String,
    /// The case it is about.
    pub case: Option<CaseId>,
    /// The message.
    pub body: Vec<u8>,
    /// Sealed bytes that came with it.
    pub attachment: Option<Vec<u8>>,
    /// The W3C `traceparent` of the request that it goes back to.
    pub trace: Option<String>,
    /// When it was written, by the writer's clock.
    pub posted_at: Timestamp,
}

/// The kinds that the post itself understands.
pub(crate) mod kind {
    /// "I have applied your letters up to n."
    pub(crate) const RECEIPT: &str = "receipt";
    /// "I am here, in this incarnation."
    pub(crate) const HELLO: &str = "hello";
    /// After a restore: "this you once said to me."
    pub(crate) const RETURNED: &str = "returned";
}

/// What is sealed into an envelope.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Content {
    #[prost(string, tag = "1")]
    pub(crate) from_service: String,
    #[prost(string, tag = "2")]
    pub(crate) to_service: String,
    #[prost(string, tag = "3")]
    pub(crate) kind: String,
    #[prost(string, tag = "4")]
    pub(crate) case: String,
    #[prost(bytes = "vec", tag = "5")]
    pub(crate) body: Vec<u8>,
    #[prost(bytes = "vec", optional, tag = "6")]
    pub(crate) attachment: Option<Vec<u8>>,
    #[prost(string, tag = "7")]
    pub(crate) trace: String,
    #[prost(int64, tag = "8")]
    pub(crate) posted_at: i64,
    /// In a letter: its place, signed by its writer. In a receipt or a hello: a place that the receiver signed, as proof
    /// that it wrote what is confirmed.
    #[prost(message, optional, tag = "9")]
    pub(crate) place: Option<SignedPlace>,
    /// In a hello: its sender recovers from a restore, and waits for what this receiver got from it and sent it.
    #[prost(bool, tag = "10")]
    pub(crate) awaits_answer: bool,
}

/// A place in the order of letters, signed by whoever wrote the letter there.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct SignedPlace {
    #[prost(uint64, tag = "1")]
    pub(crate) incarnation: u64,
    #[prost(uint64, tag = "2")]
    pub(crate) sequence: u64,
    #[prost(bytes = "vec", tag = "3")]
    signature: Vec<u8>,
}

impl SignedPlace {
    const PURPOSE: &str = "place of a letter v1";

    /// The place of a letter that we write.
    pub(crate) fn sign(keys: &NodeKeys, from: &Address, to: &Address, incarnation: u64, sequence: u64) -> Self {
        let signature = sign(keys, Self::PURPOSE, &Self::text(from, to, incarnation, sequence)).to_vec();
        Self { incarnation, sequence, signature }
    }

    /// Whether the writer's key made this signature.
    pub(crate) fn is_genuine(&self, writer: &PublicKeys, from: &Address, to: &Address) -> bool {
        let text = Self::text(from, to, self.incarnation, self.sequence);
        verify(&writer.signing, Self::PURPOSE, &text, &self.signature).is_ok()
    }

    fn text(from: &Address, to: &Address, incarnation: u64, sequence: u64) -> Vec<u8> {
        format!("{from} {to} {incarnation} {sequence}").into_bytes()
    }
}

impl Content {
    /// What makes two letters the same: everything but the trace, the signature on the place and what travels along, which
    /// a resend may lack. Of the last the body holds a digest of its own, where it matters.
    pub(crate) fn digest(&self) -> Vec<u8> {
        let content = Self { trace: String::new(), attachment: None, place: None, ..self.clone() };
        Sha256::digest(content.encode_to_vec()).to_vec()
    }

    /// The letter in it; none when a field is not what it should be.
    pub(crate) fn letter(self, id: LetterId, incarnation: u64, from: &NodeId) -> Option<Letter> {
        Some(Letter {
            id,
            from: Address { node: from.clone(), service: self.from_service.parse().ok()? },
            incarnation,
            kind: self.kind,
            case: if self.case.is_empty() { None } else { Some(self.case.parse().ok()?) },
            body: self.body,
            attachment: self.attachment,
            trace: (!self.trace.is_empty()).then_some(self.trace),
            posted_at: Timestamp::from_micros(self.posted_at),
        })
    }
}

/// The id of the letter at a place in the order: the same each time, so that no chance is needed inside a transaction.
pub(crate) fn letter_id(from: &Address, to: &Address, incarnation: u64, sequence: u64) -> LetterId {
    let name = format!("{from} {to} {incarnation} {sequence}");
    let digest = Sha256::digest(name.as_bytes());
    let bytes: [u8; 16] = digest[..16].try_into().expect("a SHA-256 has 32 bytes");
    LetterId::from_uuid(uuid::Builder::from_custom_bytes(bytes).into_uuid())
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.node, self.service)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// Read back from its `Display` text.
pub(crate) fn parse_address(text: &str) -> Option<Address> {
    let (node, service) = text.split_once('/')?;
    Some(Address { node: node.parse().ok()?, service: service.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the first version seals into an envelope, byte for byte, without what later ones add.
    const FIRST: &str = "0a08726566657272616c1208726566657272616c1a06616363657074222430623166366632652d356430652d346135\
        332d396430652d3366366631613262336334642a117b2274797065223a22616363657074227d32067365616c65643a3730302d3462663932\
        6633353737623334646136613363653932396430653065343733362d303066303637616130626139303262372d30314080c097d1edff9603";
    /// What the first version takes for the same letter.
    const DIGEST: &str = "89d97fb480c8396aa925f212b0a1e65f330bf64a96e773258b33d12db3aae8a3";

    #[test]
    fn a_letter_of_the_first_version_is_read_written_and_known_again_as_there() {
        let digits: String = FIRST.split_whitespace().collect();
        let byte = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).expect("a golden letter is hexadecimal");
        let bytes: Vec<u8> = (0..digits.len()).step_by(2).map(byte).collect();
        let content = Content::decode(bytes.as_slice()).expect("it is read");
        assert_eq!(content.encode_to_vec(), bytes);
        let digest = content.digest().iter().fold(String::new(), |digits, byte| digits + &format!("{byte:02x}"));
        assert_eq!(digest, DIGEST);
        let from: NodeId = "poipet".parse().expect("the code of a node");
        let id = LetterId::from_uuid(uuid::Uuid::from_u128(1));
        let letter = content.letter(id, 1, &from).expect("it is a letter");
        assert_eq!((letter.kind.as_str(), letter.attachment), ("accept", Some(b"sealed".to_vec())));
        assert_eq!(letter.posted_at, Timestamp::from_micros(1_790_000_000_000_000));
    }
}
