//! Instants and dates. Neither is ever read from a clock here: time comes in as a value.

use std::fmt;
use std::str::FromStr;

use jiff::ToSpan as _;
use jiff::tz::{Offset, TimeZone};

use crate::{Malformed, travels_as_text};

/// An instant: microseconds since 1970-01-01T00:00:00Z, as the database keeps it. This is *record time*.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

/// A calendar day, as a social worker writes it: *field time*. Cambodia has one time zone, UTC+7, the year round.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(jiff::civil::Date);

/// Microseconds in an hour.
const HOUR: i64 = 3_600_000_000;

impl Timestamp {
    /// From microseconds since the epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the epoch.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// This instant, later by so many hours (earlier when negative).
    #[must_use]
    pub const fn plus_hours(self, hours: i64) -> Self {
        Self(self.0.saturating_add(hours.saturating_mul(HOUR)))
    }

    /// This instant, later by so many days of 24 hours.
    #[must_use]
    pub const fn plus_days(self, days: i64) -> Self {
        self.plus_hours(days.saturating_mul(24))
    }

    /// Whole hours from `earlier` to this instant; negative when it is later.
    pub const fn hours_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0) / HOUR
    }

    /// The day it is in Cambodia (UTC+7) at this instant.
    pub fn date_in_cambodia(self) -> Date {
        let cambodia = TimeZone::fixed(Offset::constant(7));
        let instant = jiff::Timestamp::from_microsecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        Date(cambodia.to_datetime(instant).date())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(instant) => instant.fmt(formatter),
            Err(_) => write!(formatter, "{}us", self.0),
        }
    }
}

impl Date {
    /// The day so many months later; the last day of a shorter month when it has no such day.
    #[must_use]
    pub fn plus_months(self, months: i32) -> Self {
        Self(self.0.saturating_add(months.months()))
    }

    /// The day so many days later (earlier when negative).
    #[must_use]
    pub fn plus_days(self, days: i32) -> Self {
        Self(self.0.saturating_add(days.days()))
    }

    /// Days from `earlier` to this day.
    pub fn days_since(self, earlier: Self) -> i32 {
        self.0.duration_since(earlier.0).as_hours().try_into().map_or(i32::MAX, |hours: i32| hours / 24)
    }

    /// Completed years from `birth` to this day: an age.
    pub fn years_since(self, birth: Self) -> i32 {
        let years = i32::from(self.0.year()) - i32::from(birth.0.year());
        let before_birthday = (self.0.month(), self.0.day()) < (birth.0.month(), birth.0.day());
        years - i32::from(before_birthday)
    }

    /// The moment at which it begins in Cambodia.
    pub fn begins_at(self) -> Timestamp {
        let midnight = TimeZone::fixed(Offset::constant(7)).to_timestamp(self.0.at(0, 0, 0, 0));
        Timestamp(midnight.map_or(0, jiff::Timestamp::as_microsecond))
    }

    /// The calendar year.
    pub fn year(self) -> i32 {
        i32::from(self.0.year())
    }

    /// The first day of a year; none when the year cannot be written with four digits.
    pub fn first_of_year(year: i32) -> Option<Self> {
        i16::try_from(year).ok().and_then(|year| jiff::civil::Date::new(year, 1, 1).ok()).map(Self)
    }
}

impl FromStr for Date {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let malformed = Malformed { expected: "a day as YYYY-MM-DD, between 1900 and 2200" };
        let date: jiff::civil::Date = text.parse().map_err(|_| malformed)?;
        if text.len() == 10 && (1900..=2200).contains(&date.year()) { Ok(Self(date)) } else { Err(malformed) }
    }
}

impl fmt::Display for Date {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl fmt::Debug for Date {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

travels_as_text!(Date);

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        text.parse().expect("a well-formed day")
    }

    #[test]
    fn months_end_where_the_month_ends() {
        assert_eq!(date("2026-01-31").plus_months(1), date("2026-02-28"));
        assert_eq!(date("2026-11-30").plus_months(12), date("2027-11-30"));
    }

    #[test]
    fn an_age_is_counted_in_completed_years() {
        assert_eq!(date("2026-11-21").years_since(date("2009-11-22")), 16);
        assert_eq!(date("2026-11-22").years_since(date("2009-11-22")), 17);
    }

    #[test]
    fn evening_in_london_is_already_tomorrow_in_cambodia() {
        let evening = Timestamp::from_micros(1_795_300_200_000_000);
        assert_eq!(evening.to_string(), "2026-11-21T22:30:00Z");
        assert_eq!(evening.date_in_cambodia(), date("2026-11-22"));
    }

    #[test]
    fn a_day_begins_at_midnight_in_cambodia() {
        let begins = date("2026-11-22").begins_at();
        assert_eq!(begins.date_in_cambodia(), date("2026-11-22"));
        assert_eq!(Timestamp::from_micros(begins.as_micros() - 1).date_in_cambodia(), date("2026-11-21"));
    }

    #[test]
    fn days_between_two_dates() {
        assert_eq!(date("2026-12-13").days_since(date("2026-11-22")), 21);
    }

    #[test]
    fn half_dates_are_refused() {
        for text in ["2026", "2026-13-01", "2026-02-30", "22/11/2026", "0001-01-01", "2026-1-1"] {
            assert!(text.parse::<Date>().is_err(), "{text:?} was accepted");
        }
    }
}
