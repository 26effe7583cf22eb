//! The safety pieces that can be taken away, one at a time or in pairs, to see that the proof notices.
//!
//! Nothing of this exists in the running system: the rules of `spean_custody` are never changed. A piece is taken away
//! by what stands around the rules: a letter is not sent again, a receipt is given too early, a fact is forgotten before
//! the rules are asked, a consequence that they name is thrown away.

use std::fmt;

/// One safety piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Piece {
    /// A letter is sent again until its receipt. Without: once, and never again.
    Resending,
    /// An event and its letters are one commit. Without: two, and the node may die between them.
    OneCommit,
    /// The receipt follows the commit. Without: it goes out first, and the node may die between them.
    ReceiptAfterCommit,
    /// Letters of a pair of nodes are applied in the order of their numbers. Without: as they come.
    Order,
    /// A letter that was applied is known for ever. Without: each copy is applied.
    Inbox,
    /// A rule answers a repetition with nothing. Without: the office has forgotten that it got this letter before.
    Repetitions,
    /// What the holder committed first has happened. Without: a late acceptance makes it forget its withdrawal.
    HolderDecides,
    /// The highest certificate names the holder. Without: the last one that came.
    Fence,
    /// One open transfer for each case. Without: the holder forgets that it has asked somebody.
    OneOpenTransfer,
    /// A withdrawal of an unknown offer is remembered. Without: it is not.
    Tombstone,
    /// A late acceptance is answered with the withdrawal again. Without: it is not answered.
    LateAnswer,
    /// Signatures under certificates are verified. Without: they are believed.
    Signatures,
    /// What was said is kept after the receipt. Without: it is thrown away then.
    Archive,
    /// A restored node decides nothing until all have answered. Without: it goes on at once.
    Quarantine,
    /// What a node said before its restore is refused once it has introduced itself. Without: it is applied.
    IncarnationFence,
    /// A peer returns what the restored node had said. Without: only what the peer itself had said.
    ReturnOfWhatWasSaid,
    /// A peer returns what it had said to the restored node. Without: only what that node itself had said.
    ReturnOfWhatWasHeard,
    /// A restored node takes open offers back and makes them afresh. Without: it leaves them open.
    Renewal,
    /// What nobody got before a restore is said under a new number. Without: it is forgotten.
    Renumbering,
    /// A node in quarantine answers others in quarantine. Without: it answers nobody.
    MutualAnswers,
    /// What a peer returned before its own restore is thrown away, and the peer asked again. Without: it is merged.
    AskingAgain,
    /// A lower term is void. Without: a certificate of a lower term is obeyed, and the override forgotten.
    TermFence,
    /// Whoever hears of an override tells those to whom it gave the case before. Without: it keeps it to itself.
    Forwarding,
    /// An override ends the open offers of lower terms. Without: they stay open.
    Voiding,
}

impl Piece {
    /// Every piece.
    pub const ALL: [Self; 24] = [
        Self::Resending,
        Self::OneCommit,
        Self::ReceiptAfterCommit,
        Self::Order,
        Self::Inbox,
        Self::Repetitions,
        Self::HolderDecides,
        Self::Fence,
        Self::OneOpenTransfer,
        Self::Tombstone,
        Self::LateAnswer,
        Self::Signatures,
        Self::Archive,
        Self::Quarantine,
        Self::IncarnationFence,
        Self::ReturnOfWhatWasSaid,
        Self::ReturnOfWhatWasHeard,
        Self::Renewal,
        Self::Renumbering,
        Self::MutualAnswers,
        Self::AskingAgain,
        Self::TermFence,
        Self::Forwarding,
        Self::Voiding,
    ];
}

/// Which pieces are taken away.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Without(u32);

impl Without {
    /// The protocol as it is.
    pub const NOTHING: Self = Self(0);

    /// Everything but these.
    pub fn these(pieces: &[Piece]) -> Self {
        Self(pieces.iter().fold(0, |bits, &piece| bits | 1 << piece as u8))
    }

    /// Whether this piece is taken away.
    pub const fn lacks(self, piece: Piece) -> bool {
        self.0 & (1 << piece as u8) != 0
    }

    /// Whether anything is taken away by forgetting, for which all events must be known.
    pub fn needs_log(self) -> bool {
        const FORGETFUL: [Piece; 5] =
            [Piece::Repetitions, Piece::HolderDecides, Piece::Fence, Piece::OneOpenTransfer, Piece::TermFence];
        FORGETFUL.iter().any(|&piece| self.lacks(piece))
    }

    /// Whether a node may die in the middle of what is otherwise one commit.
    pub const fn can_tear(self) -> bool {
        self.lacks(Piece::OneCommit) || self.lacks(Piece::ReceiptAfterCommit)
    }
}

impl fmt::Debug for Without {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lacking: Vec<String> =
            Piece::ALL.into_iter().filter(|&piece| self.lacks(piece)).map(|piece| format!("{piece:?}")).collect();
        formatter.write_str(&if lacking.is_empty() { "nothing".to_owned() } else { lacking.join(" and ") })
    }
}
