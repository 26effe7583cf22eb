//! What can happen to the network, and in which order it does for a seed.

use spean::demonstration::agencies::NODES;

use crate::draw::Draw;
use crate::ground::Databases;

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, strum::Display, strum::EnumIter)]
pub enum Kind {
    /// A node is killed (SIGKILL) and started again.
    #[strum(to_string = "node killed")]
    NodeKilled,
    /// Two nodes are killed at once.
    #[strum(to_string = "two nodes killed at once")]
    TwoNodesKilled,
    /// The hub of the brokers is killed.
    #[strum(to_string = "hub killed")]
    HubKilled,
    /// The broker of an office is killed; its node starts it again.
    #[strum(to_string = "leaf killed")]
    LeafKilled,
    /// The PostgreSQL server is killed with all its processes.
    #[strum(to_string = "PostgreSQL killed")]
    PostgresKilled,
    /// A node is stopped (SIGSTOP) for some seconds.
    #[strum(to_string = "node paused")]
    NodePaused,
    /// The line of a node is slow.
    #[strum(to_string = "line slow")]
    LineSlow,
    /// Nothing comes through to the broker.
    #[strum(to_string = "line one-way, to the node")]
    BrokerDeaf,
    /// Nothing comes through to the node.
    #[strum(to_string = "line one-way, to the broker")]
    NodeDeaf,
    /// Both ends believe that they are connected, and nothing comes through.
    #[strum(to_string = "line half-open")]
    LineHalfOpen,
    /// The line breaks in the middle of a frame, again and again.
    #[strum(to_string = "line torn within a frame")]
    LineTorn,
    /// The line is cut.
    #[strum(to_string = "line cut")]
    LineCut,
    /// The line is cut and mended several times a second.
    #[strum(to_string = "line flapping")]
    LineFlapping,
    /// The clock of a node is wrong by a second, forwards or backwards, and then right again.
    #[strum(to_string = "clock off by 1 s")]
    ClockSecond,
    /// By an hour.
    #[strum(to_string = "clock off by 1 h")]
    ClockHour,
    /// By four hundred days.
    #[strum(to_string = "clock off by 400 d")]
    ClockYear,
    /// The broker's disk is gone.
    #[strum(to_string = "broker wiped")]
    BrokerWiped,
    /// All letters in a mailbox are deleted.
    #[strum(to_string = "mailbox purged")]
    MailboxPurged,
    /// A mailbox is gone from the broker's disk.
    #[strum(to_string = "mailbox deleted")]
    MailboxDeleted,
    /// The last byte of a mailbox's file is gone.
    #[strum(to_string = "mailbox short of a byte")]
    MailboxTruncated,
    /// The broker's disk is as it was some time before.
    #[strum(to_string = "broker rolled back")]
    BrokerRolledBack,
    /// The place in a mailbox is forgotten: all that lies there comes again.
    #[strum(to_string = "consumer deleted")]
    ConsumerDeleted,
    /// `spean node backup`, work, the data is gone, `spean node restore`.
    #[strum(to_string = "node restored from a backup")]
    BackupRestored,
    /// The data of a node is what it was some time before, and nobody told it.
    #[strum(to_string = "node back on an old copy")]
    OldCopy,
    /// Two nodes at once.
    #[strum(to_string = "two nodes back on old copies")]
    TwoOldCopies,
    /// A second process with the same database takes over when the first is killed.
    #[strum(to_string = "second instance takes over")]
    SecondInstance,
    /// A node is away for six weeks of everybody's time, and then hears everything at once.
    #[strum(to_string = "dark for six weeks")]
    SixWeeksDark,
}

impl Kind {
    /// Processes of nodes that are killed by it.
    pub(crate) fn kills(self) -> usize {
        match self {
            Self::NodeKilled | Self::BackupRestored | Self::SixWeeksDark => 1,
            Self::TwoNodesKilled | Self::OldCopy | Self::SecondInstance => 2,
            Self::TwoOldCopies => 4,
            _ => 0,
        }
    }

    /// Nodes that are put back by it.
    pub(crate) fn restores(self) -> usize {
        match self {
            Self::BackupRestored | Self::OldCopy => 1,
            Self::TwoOldCopies => 2,
            _ => 0,
        }
    }

    /// Whether the broker loses something by it.
    pub(crate) fn wipes(self) -> usize {
        let lost = [
            Self::BrokerWiped,
            Self::MailboxPurged,
            Self::MailboxDeleted,
            Self::MailboxTruncated,
            Self::BrokerRolledBack,
        ];
        usize::from(lost.contains(&self))
    }
}

/// How many of what, at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demand {
    /// Killed processes of nodes.
    pub kills: usize,
    /// Nodes put back to an older state.
    pub restores: usize,
    /// Losses of the broker.
    pub wipes: usize,
    /// Times that each of the other kinds happens.
    pub others: usize,
}

const RESTORES: [Kind; 3] = [Kind::OldCopy, Kind::BackupRestored, Kind::TwoOldCopies];
const WIPES: [Kind; 5] =
    [Kind::BrokerWiped, Kind::MailboxTruncated, Kind::BrokerRolledBack, Kind::MailboxDeleted, Kind::MailboxPurged];
const OTHERS: [Kind; 16] = [
    Kind::HubKilled,
    Kind::LeafKilled,
    Kind::NodePaused,
    Kind::LineSlow,
    Kind::BrokerDeaf,
    Kind::NodeDeaf,
    Kind::LineHalfOpen,
    Kind::LineTorn,
    Kind::LineCut,
    Kind::LineFlapping,
    Kind::ClockSecond,
    Kind::ClockHour,
    Kind::ClockYear,
    Kind::ConsumerDeleted,
    Kind::SixWeeksDark,
    Kind::TwoNodesKilled,
];
const ON_POSTGRES: [Kind; 3] = [Kind::PostgresKilled, Kind::SecondInstance, Kind::PostgresKilled];

/// What happens for a seed, in order: what is demanded, with as many nodes killed as are missing.
pub(crate) fn plan(demand: Demand, databases: Databases, draw: &mut Draw) -> Vec<Kind> {
    let mut kinds: Vec<Kind> = (0..demand.others).flat_map(|_| OTHERS).collect();
    if databases == Databases::Mixed && demand.others > 0 {
        kinds.extend(ON_POSTGRES);
    }
    let first = draw.below(WIPES.len());
    kinds.extend((0..demand.wipes).map(|number| WIPES[(first + number) % WIPES.len()]));
    let first = draw.below(RESTORES.len());
    let mut restores = (0..).map(|number| RESTORES[(first + number) % RESTORES.len()]);
    while kinds.iter().map(|kind| kind.restores()).sum::<usize>() < demand.restores {
        // The pair of nodes that is put back together has its data in files.
        let kind = restores.next().expect("there is always another");
        kinds.push(if databases == Databases::Mixed && kind == Kind::TwoOldCopies { Kind::OldCopy } else { kind });
    }
    let killed: usize = kinds.iter().map(|kind| kind.kills()).sum();
    kinds.extend((killed..demand.kills).map(|_| Kind::NodeKilled));
    draw.shuffle(&mut kinds);
    kinds
}

/// Some node.
pub(crate) fn a_node(draw: &mut Draw) -> String {
    (*draw.one(&NODES)).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEMAND: Demand = Demand { kills: 60, restores: 3, wipes: 3, others: 1 };

    #[test]
    fn a_seed_has_its_order_of_faults_and_all_that_is_demanded() {
        for databases in [Databases::Sqlite, Databases::Mixed] {
            for seed in 1..50 {
                let faults = plan(DEMAND, databases, &mut Draw::new(seed, 0));
                assert_eq!(faults, plan(DEMAND, databases, &mut Draw::new(seed, 0)));
                assert!(faults.iter().map(|kind| kind.kills()).sum::<usize>() >= DEMAND.kills);
                assert!(faults.iter().map(|kind| kind.restores()).sum::<usize>() >= DEMAND.restores);
                assert_eq!(faults.iter().map(|kind| kind.wipes()).sum::<usize>(), DEMAND.wipes);
            }
        }
        assert_ne!(
            plan(DEMAND, Databases::Sqlite, &mut Draw::new(1, 0)),
            plan(DEMAND, Databases::Sqlite, &mut Draw::new(2, 0))
        );
    }
}
