//! What goes wrong in a history, and how often.

use super::dice::Dice;

/// How often each thing happens, in shares of their sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mix {
    /// A letter, receipt, hello or answer comes.
    pub delivery: usize,
    /// It comes, and will come again.
    pub repetition: usize,
    /// It is lost.
    pub loss: usize,
    /// All that is on its way is lost.
    pub wipe: usize,
    /// A connection is cut in one direction, or mended.
    pub cut: usize,
    /// A node sends again what was not confirmed.
    pub resending: usize,
    /// A letter between two offices of a node is applied.
    pub carrying: usize,
    /// A backup is taken.
    pub backup: usize,
    /// A node comes back from a backup.
    pub restore: usize,
    /// A clock jumps.
    pub jump: usize,
    /// The authority proposes an override.
    pub proposal: usize,
    /// Staff or a timer act.
    pub asking: usize,
}

/// One kind of happening, in the order of the fields of [`Mix`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Happening {
    Delivery,
    Repetition,
    Loss,
    Wipe,
    Cut,
    Resending,
    Carrying,
    Backup,
    Restore,
    Jump,
    Proposal,
    Asking,
}

impl Mix {
    /// Draws a mix: some faults are left out altogether, others are frequent.
    pub(super) fn drawn(dice: &mut Dice) -> Self {
        let mut often = |choices: &[usize]| dice.pick(choices).expect("there are choices");
        Self {
            delivery: often(&[200, 450, 700]),
            repetition: often(&[0, 20, 80, 200]),
            loss: often(&[0, 10, 50, 200]),
            wipe: often(&[0, 0, 4, 20]),
            cut: often(&[0, 0, 5, 20]),
            resending: often(&[30, 100, 200]),
            carrying: often(&[10, 40, 80]),
            backup: often(&[2, 20, 40]),
            restore: often(&[0, 0, 3, 8, 20]),
            jump: often(&[0, 5]),
            proposal: often(&[0, 0, 4, 12]),
            asking: often(&[60, 220, 400]),
        }
    }

    pub(super) fn draw(&self, dice: &mut Dice) -> Happening {
        let shares = [
            (self.delivery, Happening::Delivery),
            (self.repetition, Happening::Repetition),
            (self.loss, Happening::Loss),
            (self.wipe, Happening::Wipe),
            (self.cut, Happening::Cut),
            (self.resending, Happening::Resending),
            (self.carrying, Happening::Carrying),
            (self.backup, Happening::Backup),
            (self.restore, Happening::Restore),
            (self.jump, Happening::Jump),
            (self.proposal, Happening::Proposal),
            (self.asking, Happening::Asking),
        ];
        let mut left = dice.below(shares.iter().map(|(share, _)| share).sum());
        for (share, happening) in shares {
            if left < share {
                return happening;
            }
            left -= share;
        }
        Happening::Asking
    }
}
