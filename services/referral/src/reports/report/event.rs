//! What happened to a report, and what others are told of it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use spean_vocabulary::{CaseId, OfficeId, PersonId, Timestamp};

use super::command::{File, Pass, Told};
use crate::reports::words::{Channel, CloseReason, PassReason, ReportState, UnfoundedReason};

/// Stored for ever: add variants and optional fields, never rename or remove.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// It was taken down here.
    TakenDown {
        /// What it says.
        file: File,
        /// By which way it came in; none when that was forgotten with a database that had to be restored.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        channel: Option<Channel>,
        /// The id under which it is kept who reports.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reporter: Option<PersonId>,
        /// Until when somebody should look into it.
        due_at: Timestamp,
    },
    /// It came from another office.
    Arrived {
        /// What it says.
        file: File,
        /// Who passed it on.
        from: OfficeId,
        /// Why.
        because: PassReason,
        /// Offices that did not answer.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        silent: BTreeSet<OfficeId>,
        /// Until when this office should say that it looks into it.
        due_at: Timestamp,
        /// What that office is told at once, since this one knows the report already.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        answer: Option<Told>,
    },
    /// This office looks into it.
    TakenUp {
        /// Who hears of it.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        tell: BTreeSet<OfficeId>,
    },
    /// It went to another office.
    PassedOn {
        /// What it says.
        file: File,
        /// Where it went.
        #[serde(flatten)]
        pass: Pass,
    },
    /// An office did not answer, and this one stands above it.
    TakenBack {
        /// Who did not answer.
        silent: OfficeId,
        /// Until when this office should look into it.
        due_at: Timestamp,
    },
    /// A case came of it.
    CaseLinked {
        /// The case.
        case: CaseId,
        /// Counts the people of the report at this office, from 1.
        person: u32,
        /// Who hears of it, without the case.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        tell: BTreeSet<OfficeId>,
    },
    /// There was nothing in it.
    FoundUnfounded {
        /// Why.
        reason: UnfoundedReason,
        /// Who hears of it.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        tell: BTreeSet<OfficeId>,
    },
    /// It is done.
    Closed {
        /// How.
        reason: CloseReason,
        /// Who hears of it.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        tell: BTreeSet<OfficeId>,
    },
    /// The reporter's key was destroyed.
    ReporterErased {
        /// The legal ground, as a code.
        ground: String,
    },
    /// Another office told what became of it.
    Heard {
        /// Who told it.
        from: OfficeId,
        /// What.
        told: Told,
        /// Who hears of it in turn.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        tell: BTreeSet<OfficeId>,
    },
    /// Something became of a case that came of it.
    ProgressNoted {
        /// What, without the case.
        told: Told,
        /// Who hears of it.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        tell: BTreeSet<OfficeId>,
    },
}

impl Event {
    /// What is told of it, and to whom; none when it concerns this office alone.
    pub fn told(&self, me: &OfficeId) -> Option<(Told, BTreeSet<OfficeId>)> {
        let says = |state: ReportState| Told {
            at: me.clone(),
            state,
            unfounded: None,
            closed: None,
            person: None,
            stage: None,
            outcome: None,
            on: None,
        };
        let (told, tell) = match self.clone() {
            Self::TakenUp { tell } => (says(ReportState::LookedInto), tell),
            Self::CaseLinked { person, tell, .. } => {
                (Told { person: Some(person), ..says(ReportState::BecameCase) }, tell)
            }
            Self::FoundUnfounded { reason, tell } => {
                (Told { unfounded: Some(reason), ..says(ReportState::Unfounded) }, tell)
            }
            Self::Closed { reason, tell } => (Told { closed: Some(reason), ..says(ReportState::Closed) }, tell),
            Self::Heard { told, tell, .. } | Self::ProgressNoted { told, tell } => (told, tell),
            Self::Arrived { answer, from, .. } => (answer?, BTreeSet::from([from])),
            Self::TakenDown { .. } | Self::PassedOn { .. } | Self::TakenBack { .. } | Self::ReporterErased { .. } => {
                return None;
            }
        };
        (!tell.is_empty()).then_some((told, tell))
    }
}
