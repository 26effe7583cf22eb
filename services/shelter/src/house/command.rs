//! What may be asked of a house.

use spean_vocabulary::{AdmissionId, Date, OfficeId};

use super::absence::{Absence, ContactOutcome};
use super::{Accountable, Admission, ExitKind, Places};
use crate::labels::Bed;

/// What may be asked.
#[derive(Clone, Debug)]
pub enum Command {
    /// Say how many places there are; a group left out has none. Fewer than are taken is allowed: a burnt room is a
    /// fact, and nobody is put out for it.
    DeclareCapacity {
        /// All groups.
        places: Vec<Places>,
    },
    /// Take somebody in.
    Admit(Admission),
    /// Note that somebody left.
    Exit {
        /// The stay.
        admission_id: AdmissionId,
        /// How.
        kind: ExitKind,
        /// The last day.
        exited_on: Date,
        /// Who is accountable.
        accountable: Accountable,
        /// Another office that has agreed to shelter or treat the person.
        agreed: Option<OfficeId>,
        /// Whether the return has been decided with the person's agreement.
        decided: bool,
    },
    /// Say which bed somebody sleeps in.
    AssignBed {
        /// The stay.
        admission_id: AdmissionId,
        /// The bed.
        bed: Bed,
    },
    /// Note that somebody is away who has not left.
    RecordAbsence {
        /// The stay.
        admission_id: AdmissionId,
        /// Since when, why, and until when if that was agreed.
        absence: Absence,
        /// Days of absence after which the person is looked for.
        tracing_after_days: i32,
    },
    /// Note that somebody who was away is back.
    RecordReturn {
        /// The stay.
        admission_id: AdmissionId,
        /// The day.
        returned_on: Date,
    },
    /// Give the bed of somebody who is away to others. The stay goes on.
    ReleaseBed {
        /// The stay.
        admission_id: AdmissionId,
        /// The day.
        released_on: Date,
        /// Days of absence that must have passed.
        after_days: i32,
    },
    /// Begin to look for somebody who has been away for too long. Sent by the clock, which never insists.
    BeginTracing {
        /// The stay.
        admission_id: AdmissionId,
        /// Days of absence after which the person is looked for.
        after_days: i32,
    },
    /// Note that somebody who was looked for was heard of.
    RecordContact {
        /// The stay.
        admission_id: AdmissionId,
        /// The day.
        found_on: Date,
        /// Where and how.
        outcome: ContactOutcome,
    },
}
