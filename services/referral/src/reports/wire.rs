//! The words of reports and of news, between their protobuf and their Rust form.

use spean_chassis::status::invalid;
use spean_contracts::referral::v1 as wire;
use tonic::Status;

use super::words::{Channel, CloseReason, Concern, PassReason, ReportState, UnfoundedReason};
use crate::news::Stage;

macro_rules! words {
    ($($read:ident $write:ident $word:ident { $($variant:ident)* })*) => { $(
        /// Reads the word; unspecified and unknown values are refused, naming the field.
        pub(crate) fn $read(field: &str, value: i32) -> Result<$word, Status> {
            match wire::$word::try_from(value) {
                $(Ok(wire::$word::$variant) => Ok($word::$variant),)*
                _ => Err(invalid(field, concat!("one of the values of ", stringify!($word), ", not the unspecified one"))),
            }
        }

        /// Writes the word.
        pub(crate) const fn $write(word: $word) -> wire::$word {
            match word { $($word::$variant => wire::$word::$variant,)* }
        }
    )* };
}

words! {
    read_concern write_concern Concern {
        TraffickingSuspected SexualExploitation LabourExploitation ViolenceAtHome ChildAlone MissingPerson
        StrangerRecruiting ReturnedWithoutHelp Need Other
    }
    read_channel write_channel Channel { Hotline Commune Gatekeeper Police Visitor Other }
    read_report_state write_report_state ReportState { Received PassedOn LookedInto Unfounded BecameCase Closed }
    read_unfounded_reason write_unfounded_reason UnfoundedReason { NobodyThere NoHarmFound ToldToHarm TooLittleTold }
    read_close_reason write_close_reason CloseReason {
        HelpedOnTheSpot CasesGoOn KnownAlready PeopleGone DealtWithElsewhere
    }
    read_pass_reason write_pass_reason PassReason { ServesPlace Chosen NobodyAnswered }
    read_stage write_stage Stage {
        Registered Identified InShelter LeftShelter ReturnedHome FollowUp ContactLost Danger Closed Reopened Merged
    }
}
