//! What happens in a house.

use serde::{Deserialize, Serialize};
use spean_vocabulary::{AdmissionId, CaseId, CaseNumber, Date, OfficeId};

use super::absence::{Absence, ContactOutcome};
use super::{ExitKind, Group, Occupancy, OverCapacity, Places};
use crate::labels::Bed;

/// What happened. Stored for ever: add variants and optional fields, never rename or remove.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the fields are those of the commands and of the stay")]
pub enum Event {
    /// There are so many places.
    CapacityDeclared { places: Vec<Places> },
    /// Somebody came to stay.
    Admitted {
        admission_id: AdmissionId,
        case_id: CaseId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        case_number: Option<CaseNumber>,
        group: Group,
        admitted_on: Date,
        readmission: bool,
        helping: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        bed: Option<Bed>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        over_capacity: Option<OverCapacity>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        plan_due_on: Option<Date>,
    },
    /// Somebody left; the office that answers for the person from then on, when it is another one and known.
    Exited {
        admission_id: AdmissionId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        case_id: Option<CaseId>,
        kind: ExitKind,
        exited_on: Date,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        passed_to: Option<OfficeId>,
    },
    /// Somebody sleeps in this bed from now on.
    BedAssigned { admission_id: AdmissionId, bed: Bed },
    /// Somebody is away.
    AbsenceRecorded {
        admission_id: AdmissionId,
        case_id: CaseId,
        #[serde(flatten)]
        absence: Absence,
    },
    /// Somebody who was away is back.
    Returned {
        admission_id: AdmissionId,
        case_id: CaseId,
        returned_on: Date,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        over_capacity: Option<OverCapacity>,
    },
    /// The bed of somebody who is away is free for others.
    BedReleased { admission_id: AdmissionId, released_on: Date },
    /// Nobody knows where somebody is, since the day of the absence or the exit; the search begins.
    ContactLost { admission_id: AdmissionId, case_id: CaseId, since: Date, lost_on: Date },
    /// Somebody who was looked for was heard of.
    ContactFound { admission_id: AdmissionId, found_on: Date, outcome: ContactOutcome },
    /// The house has other places, or another number of them is taken.
    OccupancyChanged {
        #[serde(flatten)]
        occupancy: Occupancy,
    },
}
