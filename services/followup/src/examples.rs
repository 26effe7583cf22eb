//! What the specifications of follow-up share.

use spean_eventsourcing::Context;
use spean_vocabulary::{Date, Id, OfficeId, StaffId, Timestamp};

pub(crate) const NOW: Timestamp = Timestamp::from_micros(1_795_300_200_000_000);

pub(crate) fn at(office: &str, staff: &str) -> Context {
    Context { office: self::office(office), staff: Some(self::staff(staff)), now: NOW }
}

pub(crate) fn the_district() -> Context {
    at("kandal-district", "staff-7")
}

pub(crate) fn office(code: &str) -> OfficeId {
    code.parse().unwrap()
}

pub(crate) fn staff(code: &str) -> StaffId {
    code.parse().unwrap()
}

pub(crate) fn day(text: &str) -> Date {
    text.parse().unwrap()
}

pub(crate) fn id<K>(number: u8) -> Id<K> {
    format!("00000000-0000-4000-8000-0000000000{number:02x}").parse().unwrap()
}
