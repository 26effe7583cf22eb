//! What happens in a history, and how often.

use spean_proof::simulation::Dice;

/// One kind of happening.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Happening {
    /// A message comes.
    Delivery,
    /// It comes, and will come again.
    Repetition,
    /// It is lost.
    Loss,
    /// A mailbox is wiped, or all are put back as they once were.
    Wipe,
    /// A line is cut or mended.
    Cut,
    /// A post office does one of its rounds.
    Round,
    /// A service looks at what is to be done.
    Watch,
    /// People ask for something.
    Asking,
    /// A backup goes on.
    Backup,
    /// A node comes back from a backup.
    Restore,
    /// A clock jumps, or days go by.
    Jump,
    /// The power of a node fails.
    PowerCut,
}

/// How often each happens, in shares of their sum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mix {
    shares: Vec<(usize, Happening)>,
    /// Whether the authority moves cases over their holders' heads.
    pub(crate) overrides: bool,
    /// One of so many acknowledgements of the broker is lost; none for 0.
    pub(crate) lost_acknowledgements: u64,
}

impl Mix {
    /// Draws a mix: some faults are left out altogether, others are frequent.
    pub(crate) fn drawn(dice: &mut Dice) -> Self {
        let mut often = |choices: &[usize]| dice.pick(choices).expect("there are choices");
        let shares = vec![
            (often(&[300, 450, 600]), Happening::Delivery),
            (often(&[0, 20, 60]), Happening::Repetition),
            (often(&[0, 10, 40]), Happening::Loss),
            (often(&[0, 0, 6, 15]), Happening::Wipe),
            (often(&[0, 0, 6, 15]), Happening::Cut),
            (often(&[200, 300]), Happening::Round),
            (often(&[40, 80]), Happening::Watch),
            (often(&[150, 250]), Happening::Asking),
            (often(&[30, 60, 90]), Happening::Backup),
            (often(&[0, 15, 40]), Happening::Restore),
            (often(&[0, 10, 20]), Happening::Jump),
            (often(&[0, 10, 30]), Happening::PowerCut),
        ];
        let overrides = dice.one_in(3);
        let lost_acknowledgements = dice.pick(&[0, 0, 10]).expect("there are choices");
        Self { shares, overrides, lost_acknowledgements }
    }

    pub(crate) fn draw(&self, dice: &mut Dice) -> Happening {
        let mut left = dice.below(self.shares.iter().map(|(share, _)| share).sum());
        for (share, happening) in &self.shares {
            if left < *share {
                return *happening;
            }
            left -= share;
        }
        Happening::Asking
    }
}
