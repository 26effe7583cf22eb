//! A node that came back from a backup does not know what it said since. Until its peers have told it, it decides nothing.
//!
//! Its incarnation lives outside the backup and goes up. Each peer stores the new incarnation, from then on refuses the
//! old one, and returns all it ever got: that order makes a clean cut, and what the node said and nobody got never
//! happened. A recovering node answers others that recover, with what it has: otherwise two that were restored together
//! would wait for each other for ever. What it learns of itself later it says again, under new numbers.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use spean_vocabulary::{NodeId, OfferId};

use crate::Party;
use crate::case::{CaseCustody, SignedCertificate};

/// Whether a node may act.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Recovery {
    /// It may.
    Normal {
        /// Its incarnation.
        incarnation: u64,
    },
    /// It waits for what it said before.
    Recovering {
        /// Its new incarnation.
        incarnation: u64,
        /// The peers that have not answered yet.
        waiting_for: BTreeSet<NodeId>,
    },
}

/// What a node may be about to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, strum::EnumIter)]
pub enum Activity {
    /// To show what it knows.
    Read,
    /// To store an arriving letter unread.
    KeepLetter,
    /// To introduce itself.
    SayHello,
    /// To merge what a peer returns of its own words.
    Recall,
    /// To decide on a command of staff or of a timer.
    Decide,
    /// To apply a letter.
    ApplyLetter,
    /// To confirm letters.
    GiveReceipt,
    /// To send letters.
    SendLetter,
    /// To return a peer its words.
    AnswerHello,
}

/// What an answer of a peer leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Others have not answered yet.
    Waiting,
    /// The last one has answered: apply the letters that waited, then make every open offer afresh.
    Over,
    /// The answer was not waited for.
    NotWaiting,
}

impl Recovery {
    /// A node that starts as it stopped.
    pub const fn normal(incarnation: u64) -> Self {
        Self::Normal { incarnation }
    }

    /// A node that came back from a backup, and every peer it ever wrote to or may have written to.
    pub fn restored(incarnation: u64, peers: BTreeSet<NodeId>) -> Self {
        if peers.is_empty() {
            Self::Normal { incarnation }
        } else {
            Self::Recovering { incarnation, waiting_for: peers }
        }
    }

    /// The node's incarnation.
    pub const fn incarnation(&self) -> u64 {
        match self {
            Self::Normal { incarnation } | Self::Recovering { incarnation, .. } => *incarnation,
        }
    }

    /// Whether the node is in quarantine.
    pub const fn is_recovering(&self) -> bool {
        matches!(self, Self::Recovering { .. })
    }

    /// The peers that have not answered yet.
    pub fn waiting_for(&self) -> impl Iterator<Item = &NodeId> {
        let waiting_for = match self {
            Self::Normal { .. } => None,
            Self::Recovering { waiting_for, .. } => Some(waiting_for),
        };
        waiting_for.into_iter().flatten()
    }

    /// Whether the node may do that now.
    pub const fn allows(&self, activity: Activity) -> bool {
        match activity {
            Activity::Read | Activity::KeepLetter | Activity::SayHello | Activity::AnswerHello => true,
            Activity::Recall => self.is_recovering(),
            Activity::Decide | Activity::ApplyLetter | Activity::GiveReceipt | Activity::SendLetter => {
                !self.is_recovering()
            }
        }
    }

    /// A peer was restored itself. What it returned before then, and is not merged yet, never happened: throw it away, and
    /// ask again. Gives whether an answer was there.
    pub fn ask_again(&mut self, peer: &NodeId) -> bool {
        match self {
            Self::Recovering { waiting_for, .. } => waiting_for.insert(peer.clone()),
            Self::Normal { .. } => false,
        }
    }

    /// A peer has stored this incarnation and returned all it ever got; all of it is merged.
    pub fn answered(&mut self, peer: &NodeId, to_incarnation: u64) -> Progress {
        match self {
            Self::Recovering { incarnation, waiting_for } if *incarnation == to_incarnation => {
                if !waiting_for.remove(peer) {
                    return Progress::NotWaiting;
                }
                if !waiting_for.is_empty() {
                    return Progress::Waiting;
                }
                *self = Self::Normal { incarnation: to_incarnation };
                Progress::Over
            }
            _ => Progress::NotWaiting,
        }
    }
}

/// The offers of a case that a restored node takes back and makes afresh, with [`crate::case::Command::ReOffer`].
pub fn offers_to_renew(custody: &CaseCustody) -> Vec<OfferId> {
    custody.open_offers().map(|(offer, _)| offer).collect()
}

/// What a restored office forgot of itself and an office of the same node knows again: the chain up to the last
/// certificate that it issued or that made it the holder. None when it knows that one. Two offices of one node forget the
/// same things, and whoever got the case from the second of them has no letters with the first. It is merged with
/// [`crate::case::Command::Recall`], as if it had been said to that office.
pub fn known_to_neighbour(
    me: &Party,
    custody: &CaseCustody,
    neighbour: &CaseCustody,
) -> Option<Vec<SignedCertificate>> {
    let mut chain = neighbour.chain();
    let of_mine = |signed: &SignedCertificate| {
        signed.certificate.issued_by.is_same_office(me) || signed.certificate.holder.is_same_office(me)
    };
    let last = chain.iter().rposition(of_mine)?;
    chain.truncate(last + 1);
    let position = chain[last].certificate.position();
    let is_known = custody.certificates().any(|known| known.certificate.position() == position);
    (!is_known).then_some(chain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(id: &str) -> NodeId {
        id.parse().unwrap()
    }

    #[test]
    fn a_restored_node_decides_nothing_until_the_last_peer_has_answered() {
        let mut recovery = Recovery::restored(2, BTreeSet::from([node("north"), node("south")]));
        assert!(recovery.allows(Activity::Read) && recovery.allows(Activity::Recall));
        assert!(!recovery.allows(Activity::Decide) && !recovery.allows(Activity::GiveReceipt));
        assert!(recovery.allows(Activity::AnswerHello), "or two would wait for each other for ever");
        assert_eq!(recovery.answered(&node("north"), 1), Progress::NotWaiting, "an answer to an earlier incarnation");
        assert_eq!(recovery.answered(&node("north"), 2), Progress::Waiting);
        assert_eq!(recovery.answered(&node("north"), 2), Progress::NotWaiting);
        assert_eq!(recovery.waiting_for().collect::<Vec<_>>(), [&node("south")]);
        assert_eq!(recovery.answered(&node("south"), 2), Progress::Over);
        assert_eq!(recovery, Recovery::normal(2));
        assert!(recovery.allows(Activity::Decide) && !recovery.allows(Activity::Recall));
    }

    #[test]
    fn a_peer_that_was_restored_after_it_answered_is_asked_again() {
        let mut recovery = Recovery::restored(2, BTreeSet::from([node("north"), node("south")]));
        recovery.answered(&node("north"), 2);
        assert!(recovery.ask_again(&node("north")));
        assert!(!recovery.ask_again(&node("south")), "it had not answered yet");
        assert_eq!(recovery.answered(&node("south"), 2), Progress::Waiting);
        assert_eq!(recovery.answered(&node("north"), 2), Progress::Over);
        assert!(!recovery.ask_again(&node("north")), "nothing is waited for any more");
    }

    #[test]
    fn a_node_that_never_wrote_to_anybody_has_nobody_to_wait_for() {
        assert!(!Recovery::restored(2, BTreeSet::new()).is_recovering());
    }
}
