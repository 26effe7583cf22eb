//! The fixed lists of the field, between their protobuf and their Rust form.

use spean_contracts::vocabulary::v1 as wire;
use spean_vocabulary::{AgeBand, ConsentBasis, Need, Sex, Urgency};
use tonic::Status;

use crate::status::invalid;

macro_rules! words {
    ($($read:ident $write:ident $wire:ident $word:ident { $($variant:ident)* })*) => { $(
        /// Reads the word; unspecified and unknown values are refused, naming the field.
        pub fn $read(field: &str, value: i32) -> Result<$word, Status> {
            match wire::$wire::try_from(value) {
                $(Ok(wire::$wire::$variant) => Ok($word::$variant),)*
                _ => Err(invalid(field, concat!("one of the values of ", stringify!($wire), ", not the unspecified one"))),
            }
        }

        /// Writes the word.
        pub const fn $write(word: $word) -> wire::$wire {
            match word { $($word::$variant => wire::$wire::$variant,)* }
        }
    )* };
}

words! {
    read_sex write_sex Sex Sex { Female Male Other Unknown }
    read_age_band write_age_band AgeBand AgeBand { Infant Child Adolescent Adult Unknown }
    read_urgency write_urgency Urgency Urgency { Emergency Urgent Routine }
    read_need write_need Need Need {
        Shelter Medical Counselling Legal VocationalTraining Education FamilyTracing ReintegrationFollowUp Livelihood
        Repatriation
    }
    read_consent_basis write_consent_basis ConsentBasis ConsentBasis { Person Guardian BestInterest }
}
