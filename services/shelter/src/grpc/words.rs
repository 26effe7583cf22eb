//! The shelter's own lists, between their protobuf and their Rust form.

use spean_chassis::status;
use spean_contracts::shelter::v1 as wire;
use tonic::Status;

use crate::care::{Demand, GoalState, ResponsibleAdult, SessionKind};
use crate::due::{Due, Step};
use crate::homecoming::{CareOption, Home, HomeRisk, Impossible, Recommendation, TracingOutcome};
use crate::house::absence::{AbsenceReason, ContactOutcome};
use crate::house::{ExitKind, OverCapacity};

macro_rules! words {
    ($($read:ident $write:ident $wire:ident $word:ident { $($variant:ident)* })*) => { $(
        pub(super) fn $read(field: &str, value: i32) -> Result<$word, Status> {
            match wire::$wire::try_from(value) {
                $(Ok(wire::$wire::$variant) => Ok($word::$variant),)*
                _ => Err(status::invalid(
                    field,
                    concat!("one of the values of ", stringify!($wire), ", not the unspecified one"),
                )),
            }
        }

        pub(super) const fn $write(word: $word) -> wire::$wire {
            match word { $($word::$variant => wire::$wire::$variant,)* }
        }
    )* };
}

macro_rules! written {
    ($($write:ident $wire:ident $word:ident { $($variant:ident)* })*) => { $(
        pub(super) const fn $write(word: $word) -> wire::$wire {
            match word { $($word::$variant => wire::$wire::$variant,)* }
        }
    )* };
}

words! {
    read_exit_kind write_exit_kind ExitKind ExitKind { Reintegrated Moved OwnWill }
    read_absence_reason write_absence_reason AbsenceReason AbsenceReason {
        Unknown OwnWill Abducted HomeVisit Hospital Detained
    }
    read_goal_state write_goal_state GoalState GoalState { NotBegun UnderWay Reached Dropped }
    read_session_kind write_session_kind SessionKind SessionKind {
        Counselling Medical Legal Education VocationalTraining Group Interview Assessment
    }
    read_adult write_adult ResponsibleAdult ResponsibleAdult {
        Parent Guardian Relative SocialWorker Lawyer TrustedAdult
    }
    read_demand write_demand Demand Demand { Yes No Unknown }
    read_tracing_outcome write_tracing_outcome TracingOutcome TracingOutcome { Found NotFound FamilyRefuses Unsafe }
    read_recommendation write_recommendation Recommendation Recommendation { Return NotYet NotSafe }
    read_home_risk write_home_risk HomeRisk HomeRisk {
        Violence SexualAbuse TraffickerNear SentAwayAgain Debt NoCarer Rejection
    }
    read_care_option write_care_option CareOption CareOption {
        FamilyPreservation Reunification KinOrFoster Institution Permanency
    }
    read_impossible write_impossible ImpossibleReason Impossible {
        FamilyNotFound FamilyRefuses NotSafe ChildRefuses NobodyAvailable NotYetClear
    }
    read_home write_home Home Home { Family KinOrFoster OwnPlace }
}

written! {
    write_over_capacity OverCapacityReason OverCapacity { Danger NoOtherHouse FamilyTogether Ordered CameBack }
    write_due CareDueKind Due { Plan Review Placement }
    write_step TracingStep Step { Answer Assessment AssessmentAgain SearchAgain OtherHome }
}

pub(super) fn read_contact_outcome(field: &str, value: i32) -> Result<ContactOutcome, Status> {
    use wire::ContactOutcome as Wire;
    match Wire::try_from(value) {
        Ok(Wire::WithFamily) => Ok(ContactOutcome::WithFamily),
        Ok(Wire::SafeElsewhere) => Ok(ContactOutcome::SafeElsewhere),
        Ok(Wire::InOtherCare) => Ok(ContactOutcome::InOtherCare),
        Ok(Wire::AcrossBorder) => Ok(ContactOutcome::AcrossBorder),
        Ok(Wire::DeclinesHelp) => Ok(ContactOutcome::DeclinesHelp),
        Ok(Wire::Detained) => Ok(ContactOutcome::Detained),
        Ok(Wire::Died) => Ok(ContactOutcome::Died),
        _ => Err(status::invalid(field, "one of the values of ContactOutcome, not the unspecified one")),
    }
}

/// A reason that a caller may give; unspecified gives none.
pub(super) fn read_over_capacity(field: &str, value: i32) -> Result<Option<OverCapacity>, Status> {
    use wire::OverCapacityReason as Wire;
    match Wire::try_from(value) {
        Ok(Wire::Unspecified) => Ok(None),
        Ok(Wire::Danger) => Ok(Some(OverCapacity::Danger)),
        Ok(Wire::NoOtherHouse) => Ok(Some(OverCapacity::NoOtherHouse)),
        Ok(Wire::FamilyTogether) => Ok(Some(OverCapacity::FamilyTogether)),
        Ok(Wire::Ordered) => Ok(Some(OverCapacity::Ordered)),
        _ => Err(status::invalid(field, "one of the values of OverCapacityReason, not the one of a return")),
    }
}

/// Who was there; unspecified says nobody.
pub(super) fn read_optional_adult(field: &str, value: i32) -> Result<Option<ResponsibleAdult>, Status> {
    if value == 0 { Ok(None) } else { read_adult(field, value).map(Some) }
}

/// The number of a word that may be missing.
pub(super) fn optional<W, R: Into<i32> + Default>(word: Option<W>, write: fn(W) -> R) -> i32 {
    word.map(write).unwrap_or_default().into()
}
