//! The fixed lists of the field, between their protobuf and their Rust form.

use prost_types::Timestamp as WireTimestamp;
use spean_contracts::vocabulary::v1 as wire;
use spean_vocabulary::{AgeBand, ConsentBasis, Need, Sex, Timestamp, Urgency};
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

/// The wire's number of a word that was stored as its `Display` text; unspecified when the text is unknown.
pub fn stored<W, R>(text: &str, write: fn(W) -> R) -> i32
where
    W: std::str::FromStr,
    R: Into<i32> + Default,
{
    text.parse().map(write).unwrap_or_default().into()
}

/// Writes an instant.
pub fn instant(at: Timestamp) -> WireTimestamp {
    let micros = at.as_micros();
    let nanos = i32::try_from(micros.rem_euclid(1_000_000) * 1_000).unwrap_or(0);
    WireTimestamp { seconds: micros.div_euclid(1_000_000), nanos }
}

/// Reads an instant, which must lie within ten years of now: anything else is a mistake.
pub fn read_instant(field: &str, at: &WireTimestamp, now: Timestamp) -> Result<Timestamp, Status> {
    let micros = at.seconds.checked_mul(1_000_000).and_then(|micros| micros.checked_add(i64::from(at.nanos) / 1_000));
    let at = micros.map(Timestamp::from_micros);
    at.filter(|at| at.hours_since(now).abs() <= 10 * 366 * 24)
        .ok_or_else(|| invalid(field, "an instant within ten years of now"))
}
