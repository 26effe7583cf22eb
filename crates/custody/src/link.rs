//! The numbering of letters between two nodes: what to send again, what to apply, what is a repetition, what is a lie.
//!
//! Letters are numbered without gaps for each pair of nodes and each incarnation of the sender. A receipt is cumulative
//! and given only after the receiver's commit. The letters themselves lie in the database; here are only their numbers.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Digest;

/// How many early letters are remembered. What is beyond comes again.
const MOST_PARKED: usize = 1_000;

/// How many letters can wait for people at a peer. Whoever says that there are more is not believed.
const MOST_FAILED: usize = 10_000;

/// The longest wait between two attempts.
const LONGEST_WAIT: Duration = Duration::from_mins(15);

/// The state of both directions between this node and one peer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    incarnation: u64,
    assigned: u64,
    receipted: u64,
    refused: BTreeSet<u64>,
    backed_up_there: u64,
    attempts: u32,
    peer_incarnation: u64,
    applied: u64,
    parked: BTreeSet<u64>,
    failed: BTreeSet<u64>,
    backed_up_here: u64,
}

/// What to do with a letter that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// It is the next one: apply it, then call [`Link::applied`] or [`Link::failed`] in the same commit.
    Next,
    /// It came too early: keep it, it is parked.
    Early,
    /// It is too far ahead to be kept; it will come again.
    TooEarly,
    /// It was applied before: only answer with the receipt again.
    Duplicate,
    /// The same number with another content: somebody's key or database is in two hands. Stop the link, alarm people.
    Fork,
    /// It is from before the peer's restore, or numbered zero: refuse it.
    Refused,
    /// It is from an incarnation that has not introduced itself: leave it until its hello is here.
    NotIntroduced,
}

/// How far a node has got with a peer's letters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// The incarnation whose letters are meant.
    pub incarnation: u64,
    /// All letters up to this one have arrived and are committed: they need not be sent again.
    pub applied_up_to: u64,
    /// Those among them that could not be applied and wait for people.
    pub failed: BTreeSet<u64>,
    /// All letters up to this one are in a backup that was tried: they need not be kept.
    pub backed_up_through: u64,
}

/// What a receipt tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceiptEffect {
    /// Nothing new.
    Nothing,
    /// Letters up to `applied_up_to` need not be sent again, and up to `backed_up_through` not be kept.
    Advanced {
        /// See [`Receipt::applied_up_to`].
        applied_up_to: u64,
        /// See [`Receipt::backed_up_through`].
        backed_up_through: u64,
    },
    /// It is about letters of an earlier incarnation of this node.
    Stale,
    /// It is about letters that this node does not know of: **this** node came back from a backup without noticing.
    WeWereRestored,
    /// It contradicts itself.
    Absurd,
}

/// A node introduces its incarnation, and says how far it has got with the peer's letters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hello {
    /// The sender's incarnation.
    pub incarnation: u64,
    /// How far it has got; lower than its earlier receipts when it was restored.
    pub receipt: Receipt,
}

/// What a hello tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HelloEffect {
    /// A sign of life of the incarnation that is known.
    Known,
    /// The peer was restored. From now on its earlier incarnation is refused: return it all it ever said, and send again
    /// whatever it does not have.
    Restored,
    /// It is from before the peer's restore.
    Stale,
    /// It knows of letters that this node does not know of: **this** node came back from a backup without noticing.
    WeWereRestored,
}

impl Link {
    /// A link of a node in this incarnation to a peer that nothing is known of.
    pub fn new(incarnation: u64) -> Self {
        Self { incarnation, ..Self::default() }
    }

    /// This node's incarnation.
    pub const fn incarnation(&self) -> u64 {
        self.incarnation
    }

    /// The highest incarnation of the peer that introduced itself.
    pub const fn peer_incarnation(&self) -> u64 {
        self.peer_incarnation
    }

    /// This node came back from a backup: it numbers its letters anew. Whatever the peer turns out not to have is to be
    /// given new numbers. Never goes back.
    pub fn reincarnate(&mut self, incarnation: u64) {
        if incarnation > self.incarnation {
            self.incarnation = incarnation;
            self.assigned = 0;
            self.receipted = 0;
            self.backed_up_there = 0;
            self.attempts = 0;
            self.refused.clear();
        }
    }

    /// None of the letters of this incarnation has left yet, as this node recovers: all get their numbers again, after
    /// those from before the restore that the peer turned out not to have.
    pub const fn number_again(&mut self) {
        self.assigned = 0;
    }

    /// The number of the next letter to the peer.
    pub fn assign(&mut self) -> u64 {
        self.assigned = self.assigned.saturating_add(1);
        self.assigned
    }

    /// The number of the last letter to the peer; zero before the first.
    pub const fn last_assigned(&self) -> u64 {
        self.assigned
    }

    /// The numbers that the peer has not confirmed and that are to be sent again.
    pub const fn unconfirmed(&self) -> std::ops::RangeInclusive<u64> {
        self.receipted.saturating_add(1)..=self.assigned
    }

    /// The highest number that need not be kept any more.
    pub const fn prunable_through(&self) -> u64 {
        self.backed_up_there
    }

    /// The letters that arrived at the peer and wait for people there.
    pub const fn refused_by_peer(&self) -> &BTreeSet<u64> {
        &self.refused
    }

    /// What to do with a letter from the peer. `stored` is the digest of the letter that is kept under the same
    /// incarnation and number, if any.
    pub fn arrive(&mut self, incarnation: u64, sequence: u64, digest: &Digest, stored: Option<&Digest>) -> Arrival {
        if incarnation < self.peer_incarnation || sequence == 0 {
            return Arrival::Refused;
        }
        if incarnation > self.peer_incarnation {
            return Arrival::NotIntroduced;
        }
        if stored.is_some_and(|stored| stored != digest) {
            return Arrival::Fork;
        }
        if sequence <= self.applied {
            return Arrival::Duplicate;
        }
        if sequence == self.applied.saturating_add(1) {
            return Arrival::Next;
        }
        if !self.parked.contains(&sequence) && self.parked.len() >= MOST_PARKED {
            return Arrival::TooEarly;
        }
        self.parked.insert(sequence);
        Arrival::Early
    }

    /// The letter was applied. Gives the number of the next one when it is parked already. Only the next letter in turn
    /// counts; anything else changes nothing.
    pub fn applied(&mut self, sequence: u64) -> Option<u64> {
        if sequence != self.applied.saturating_add(1) {
            return None;
        }
        self.applied = sequence;
        self.parked.remove(&sequence);
        self.next_parked()
    }

    /// The letter arrived but could not be applied: it is kept for people and does not hold up the others.
    pub fn failed(&mut self, sequence: u64) -> Option<u64> {
        if sequence == self.applied.saturating_add(1) {
            self.failed.insert(sequence);
        }
        self.applied(sequence)
    }

    /// A letter that could not be applied before has been dealt with.
    pub fn repaired(&mut self, sequence: u64) {
        self.failed.remove(&sequence);
    }

    /// The next letter in turn, when it is parked.
    pub fn next_parked(&self) -> Option<u64> {
        let next = self.applied.saturating_add(1);
        self.parked.contains(&next).then_some(next)
    }

    /// How far the peer's letters are applied.
    pub const fn applied_up_to(&self) -> u64 {
        self.applied
    }

    /// A backup that was tried holds the peer's letters up to this one.
    pub fn backed_up(&mut self, sequence: u64) {
        self.backed_up_here = self.backed_up_here.max(sequence.min(self.applied));
    }

    /// The receipt to give now, after the commit.
    pub fn receipt(&self) -> Receipt {
        Receipt {
            incarnation: self.peer_incarnation,
            applied_up_to: self.applied,
            failed: self.failed.clone(),
            backed_up_through: self.backed_up_here,
        }
    }

    /// Takes the peer's receipt. Receipts may come late and in any order; only higher numbers count.
    pub fn take_receipt(&mut self, receipt: &Receipt) -> ReceiptEffect {
        if receipt.incarnation < self.incarnation {
            return ReceiptEffect::Stale;
        }
        if receipt.incarnation > self.incarnation || receipt.applied_up_to > self.assigned {
            return ReceiptEffect::WeWereRestored;
        }
        let failed_later = receipt.failed.last().is_some_and(|failed| *failed > receipt.applied_up_to);
        if receipt.backed_up_through > receipt.applied_up_to || failed_later || receipt.failed.len() > MOST_FAILED {
            return ReceiptEffect::Absurd;
        }
        if receipt.applied_up_to >= self.receipted {
            self.refused.clone_from(&receipt.failed);
        }
        let before = (self.receipted, self.backed_up_there);
        self.receipted = self.receipted.max(receipt.applied_up_to);
        self.backed_up_there = self.backed_up_there.max(receipt.backed_up_through);
        if before == (self.receipted, self.backed_up_there) {
            return ReceiptEffect::Nothing;
        }
        ReceiptEffect::Advanced { applied_up_to: self.receipted, backed_up_through: self.backed_up_there }
    }

    /// The hello to give now.
    pub fn hello(&self) -> Hello {
        Hello { incarnation: self.incarnation, receipt: self.receipt() }
    }

    /// Takes the peer's hello.
    pub fn take_hello(&mut self, hello: &Hello) -> HelloEffect {
        if hello.incarnation < self.peer_incarnation {
            return HelloEffect::Stale;
        }
        let restored = hello.incarnation > self.peer_incarnation;
        if restored {
            self.peer_incarnation = hello.incarnation;
            self.applied = 0;
            self.backed_up_here = 0;
            self.parked.clear();
            self.failed.clear();
        }
        if matches!(self.take_receipt(&hello.receipt), ReceiptEffect::WeWereRestored) {
            return HelloEffect::WeWereRestored;
        }
        if !restored {
            return HelloEffect::Known;
        }
        // Only here may the count go back: the peer lost what it had confirmed, but not what it had in a backup.
        let has = if hello.receipt.incarnation == self.incarnation { hello.receipt.applied_up_to } else { 0 };
        self.receipted = self.receipted.min(has);
        HelloEffect::Restored
    }

    /// After a restore of this node: the peer returned all letters that were missing here, up to this one of its present
    /// incarnation. They are kept and will be applied in order, so the numbering goes on behind them.
    pub fn resynced(&mut self, peer_incarnation: u64, through: u64) {
        if peer_incarnation > self.peer_incarnation {
            self.peer_incarnation = peer_incarnation;
            self.applied = 0;
            self.backed_up_here = 0;
            self.parked.clear();
            self.failed.clear();
        }
        if peer_incarnation == self.peer_incarnation {
            self.applied = self.applied.max(through);
            self.parked = self.parked.split_off(&self.applied.saturating_add(1));
        }
    }

    /// How long to wait after this attempt. `jitter_per_mille` (0 to 1000) is drawn by the caller and lengthens the wait
    /// by at most the same again, so that a thousand nodes do not come back in the same second.
    pub fn attempted(&mut self, jitter_per_mille: u16) -> Duration {
        let wait = next_attempt(self.attempts);
        self.attempts = self.attempts.saturating_add(1);
        wait + wait * u32::from(jitter_per_mille.min(1000)) / 1000
    }

    /// The peer lives: whatever waits for it is due at once.
    pub fn sign_of_life(&mut self) {
        self.attempts = 0;
    }
}

/// The wait after so many vain attempts: one second, doubled each time, at most 15 minutes.
pub fn next_attempt(attempt: u32) -> Duration {
    let seconds = 1_u64.checked_shl(attempt).filter(|_| attempt < 32).unwrap_or(u64::MAX);
    Duration::from_secs(seconds).min(LONGEST_WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Hello = Hello {
        incarnation: 1,
        receipt: Receipt { incarnation: 0, applied_up_to: 0, failed: BTreeSet::new(), backed_up_through: 0 },
    };

    fn introduced() -> Link {
        let mut link = Link::new(1);
        link.take_hello(&FIRST);
        link
    }

    fn letter(text: &str) -> Digest {
        Digest::of(text.as_bytes())
    }

    fn receipt(incarnation: u64, applied_up_to: u64) -> Receipt {
        Receipt { incarnation, applied_up_to, failed: BTreeSet::new(), backed_up_through: 0 }
    }

    #[test]
    fn letters_are_applied_in_order_and_early_ones_wait() {
        let mut link = introduced();
        assert_eq!(link.arrive(1, 2, &letter("two"), None), Arrival::Early);
        assert_eq!(link.arrive(1, 1, &letter("one"), None), Arrival::Next);
        assert_eq!(link.applied(1), Some(2));
        assert_eq!(link.applied(2), None);
        assert_eq!(link.receipt().applied_up_to, 2);
    }

    #[test]
    fn a_repetition_is_known_and_the_same_number_with_another_content_is_a_fork() {
        let mut link = introduced();
        assert_eq!(link.arrive(1, 1, &letter("one"), None), Arrival::Next);
        link.applied(1);
        assert_eq!(link.arrive(1, 1, &letter("one"), Some(&letter("one"))), Arrival::Duplicate);
        assert_eq!(link.arrive(1, 1, &letter("another"), Some(&letter("one"))), Arrival::Fork);
    }

    #[test]
    fn a_letter_that_cannot_be_applied_does_not_hold_up_the_next() {
        let mut link = introduced();
        link.arrive(1, 1, &letter("poison"), None);
        link.failed(1);
        assert_eq!(link.arrive(1, 2, &letter("two"), None), Arrival::Next);
        assert_eq!((link.receipt().applied_up_to, link.receipt().failed), (1, BTreeSet::from([1])));
        link.repaired(1);
        assert!(link.receipt().failed.is_empty());
    }

    #[test]
    fn letters_from_before_a_restore_are_refused_and_unknown_incarnations_wait_for_their_hello() {
        let mut link = introduced();
        assert_eq!(link.arrive(2, 1, &letter("one"), None), Arrival::NotIntroduced);
        assert_eq!(link.take_hello(&Hello { incarnation: 2, ..FIRST }), HelloEffect::Restored);
        assert_eq!(link.arrive(1, 1, &letter("one"), None), Arrival::Refused);
        assert_eq!(link.arrive(2, 1, &letter("one"), None), Arrival::Next);
        assert_eq!(link.take_hello(&FIRST), HelloEffect::Stale);
    }

    #[test]
    fn what_is_confirmed_is_not_sent_again_and_what_is_backed_up_is_not_kept() {
        let mut link = introduced();
        (0..3).for_each(|_| _ = link.assign());
        let effect = link.take_receipt(&Receipt { backed_up_through: 1, ..receipt(1, 2) });
        assert_eq!(effect, ReceiptEffect::Advanced { applied_up_to: 2, backed_up_through: 1 });
        assert_eq!((link.unconfirmed(), link.prunable_through()), (3..=3, 1));
        assert_eq!(link.take_receipt(&receipt(1, 1)), ReceiptEffect::Nothing, "a late receipt takes nothing back");
        assert_eq!(link.unconfirmed(), 3..=3);
    }

    #[test]
    fn a_receipt_for_what_was_never_sent_says_that_we_were_restored() {
        let mut link = introduced();
        link.assign();
        assert_eq!(link.take_receipt(&receipt(1, 2)), ReceiptEffect::WeWereRestored);
        assert_eq!(link.take_receipt(&receipt(2, 0)), ReceiptEffect::WeWereRestored);
        link.reincarnate(3);
        assert_eq!(link.take_receipt(&receipt(1, 2)), ReceiptEffect::Stale);
        assert_eq!(link.assign(), 1);
    }

    #[test]
    fn a_receipt_that_contradicts_itself_changes_nothing() {
        let mut link = introduced();
        (0..3).for_each(|_| _ = link.assign());
        let before = link.clone();
        let failed = BTreeSet::from([1, 3]);
        for absurd in [Receipt { backed_up_through: 3, ..receipt(1, 2) }, Receipt { failed, ..receipt(1, 2) }] {
            assert_eq!(link.take_receipt(&absurd), ReceiptEffect::Absurd);
            assert_eq!(link, before);
        }
    }

    #[test]
    fn a_restored_peer_gets_again_what_it_lost() {
        let mut link = introduced();
        (0..3).for_each(|_| _ = link.assign());
        link.take_receipt(&receipt(1, 3));
        let hello = Hello { incarnation: 2, receipt: receipt(1, 1) };
        assert_eq!(link.take_hello(&hello), HelloEffect::Restored);
        assert_eq!(link.unconfirmed(), 2..=3);
    }

    #[test]
    fn waits_double_to_a_quarter_of_an_hour_and_begin_anew_at_a_sign_of_life() {
        let seconds: Vec<u64> =
            [0, 1, 2, 9, 10, 31, 32, u32::MAX].map(|attempt| next_attempt(attempt).as_secs()).into();
        assert_eq!(seconds, [1, 2, 4, 512, 900, 900, 900, 900]);
        let mut link = introduced();
        assert_eq!(link.attempted(0), Duration::from_secs(1));
        assert_eq!(link.attempted(500), Duration::from_secs(3));
        link.sign_of_life();
        assert_eq!(link.attempted(0), Duration::from_secs(1));
    }

    #[test]
    fn the_state_is_read_back_as_it_was_stored() {
        let mut link = introduced();
        link.assign();
        link.arrive(1, 7, &letter("seven"), None);
        let json = serde_json::to_string(&link).unwrap();
        assert_eq!(serde_json::from_str::<Link>(&json).unwrap(), link);
    }
}
