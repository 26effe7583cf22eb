//! Words of the wire that are about needs and waiting lists.

use spean_contracts::referral::v1 as wire;
use spean_custody::case::ServiceOutcome;
use spean_vocabulary::DeclineReason;

use super::codes::{OverCapacityReason, Reach, RefusalReason, UnmetReason, WaitingEnd};

macro_rules! read {
    ($($read:ident $wire:ident $word:ident { $($variant:ident)* })*) => { $(
        /// Reads the word; none when it is unspecified or not known.
        pub(crate) fn $read(value: i32) -> Option<$word> {
            match wire::$wire::try_from(value) {
                $(Ok(wire::$wire::$variant) => Some($word::$variant),)*
                _ => None,
            }
        }
    )* };
}

macro_rules! words {
    ($($read:ident $write:ident $wire:ident $word:ident { $($variant:ident)* })*) => { $(
        read! { $read $wire $word { $($variant)* } }

        /// Writes the word.
        pub(crate) const fn $write(word: $word) -> wire::$wire {
            match word { $($word::$variant => wire::$wire::$variant,)* }
        }
    )* };
}

read! {
    read_refusal RefusalReason RefusalReason {
        TooFar Language Worker NotSafe FamilyOrWork EarlierExperience HouseRules NotTold Other
    }
    read_over_capacity OverCapacityReason OverCapacityReason { Emergency FamilyTogether PlaceSoonFree PlaceMade }
}

words! {
    read_reach write_reach Reach Reach { District Province Any }
    read_unmet write_unmet UnmetReason UnmetReason { NobodyOffersIt NobodyFits AllFull AllDeclined }
    read_waiting_end write_waiting_end WaitingEnd WaitingEnd {
        PlaceGiven PersonRefused AnotherWayFound NoLongerSuitable Mistake OfferedAgain
    }
    read_decline write_decline DeclineReason DeclineReason {
        NoCapacity NotEligible WaitingList MoreAssessmentNeeded PersonElsewhere NotSafe OfficeMoved
    }
    read_outcome write_outcome ServiceOutcome ServiceOutcome {
        Completed PartlyCompleted DeclinedByPerson PersonNotReached NotPossible
    }
}

/// Whether a text is the code of a language and nothing in which something personal could hide.
pub(crate) fn is_language(text: &str) -> bool {
    (2..=3).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_lowercase())
}
