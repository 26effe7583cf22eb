//! Pieces that can be taken away, to see that it is noticed.

use sqlx::Connection as _;

use crate::disk::Disk;

/// A piece that is taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sabotage {
    /// What was written for others and is not confirmed is gone after a power cut, while its events are kept.
    OutboxForgotten,
    /// A letter that is received twice is taken for a new one.
    InboxForgetful,
    /// A receipt is sent before what it confirms is committed.
    ReceiptBeforeCommit,
    /// A letter is not written in the transaction of its event.
    LettersApart,
    /// A letter is sent once and never again.
    NoResending,
    /// A restored node acts before its peers have answered.
    NoQuarantine,
    /// Disks say of each sync that it was done, and do it when they like.
    DisksThatLie,
}

impl Sabotage {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::OutboxForgotten,
        Self::InboxForgetful,
        Self::ReceiptBeforeCommit,
        Self::LettersApart,
        Self::NoResending,
        Self::NoQuarantine,
        Self::DisksThatLie,
    ];

    /// The point of the program at which the piece is left out; none when a disk is broken instead.
    pub(crate) const fn point(self) -> Option<&'static str> {
        match self {
            Self::OutboxForgotten | Self::DisksThatLie => None,
            Self::InboxForgetful => Some("sabotage::inbox"),
            Self::ReceiptBeforeCommit => Some("sabotage::receipt_after_commit"),
            Self::LettersApart => Some("sabotage::letters_with_their_event"),
            Self::NoResending => Some("sabotage::resending"),
            Self::NoQuarantine => Some("sabotage::quarantine"),
        }
    }

    /// Breaks the disk of a node whose power failed.
    pub(crate) async fn power_cut(self, disk: &Disk) -> anyhow::Result<()> {
        if self != Self::OutboxForgotten {
            return Ok(());
        }
        sqlx::any::install_default_drivers();
        for service in spean_chassis::every_service() {
            let file = disk.data.join(format!("{service}.sqlite"));
            if file.is_file() {
                let mut connection = sqlx::AnyConnection::connect(&format!("sqlite://{}", file.display())).await?;
                sqlx::raw_sql("delete from post_out where settled_at is null").execute(&mut connection).await?;
                connection.close().await?;
            }
        }
        Ok(())
    }
}
