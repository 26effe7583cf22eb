//! The third of a year that a report covers: reports are four-monthly (the ILO's process paper for the Mekong countries).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use spean_vocabulary::{Date, Malformed};

/// January to April, May to August, or September to December of a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Period {
    year: i32,
    third: u8,
}

/// What a period looks like.
const FORM: &str = "a year and its third, such as 2026-1 for January to April";

/// The years that a period may be of.
const YEARS: std::ops::Range<i32> = 2000..2200;

impl Period {
    /// The period of a day. What is dated before the first year is counted in it, so that nothing is lost.
    pub fn of(day: Date) -> Self {
        let year = day.year();
        if year < YEARS.start {
            return Self { year: YEARS.start, third: 1 };
        }
        let later = Self { year: year.min(YEARS.end - 1), third: 3 };
        (1..=3).map(|third| Self { third, ..later }).find(|period| day < period.ends_before()).unwrap_or(later)
    }

    /// Its first day; of the very first period, that of all that is dated before it as well.
    pub fn first_day(self) -> Date {
        if self.year == YEARS.start && self.third == 1 {
            return Date::first_of_year(1).expect("the calendar begins with that year");
        }
        self.ends_before().plus_months(-4)
    }

    /// The first day after it.
    pub fn ends_before(self) -> Date {
        let first = Date::first_of_year(self.year).expect("only years that have one are read");
        first.plus_months(4 * i32::from(self.third))
    }

    /// Its last day.
    pub fn last_day(self) -> Date {
        self.ends_before().plus_days(-1)
    }
}

impl FromStr for Period {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let malformed = Malformed { expected: FORM };
        let (year, third) = text.split_once('-').ok_or(malformed)?;
        if year.len() != 4 || third.len() != 1 || !year.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(malformed);
        }
        let year: i32 = year.parse().map_err(|_| malformed)?;
        let third: u8 = third.parse().map_err(|_| malformed)?;
        if (1..=3).contains(&third) && YEARS.contains(&year) { Ok(Self { year, third }) } else { Err(malformed) }
    }
}

impl fmt::Display for Period {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:04}-{}", self.year, self.third)
    }
}

impl From<Period> for String {
    fn from(period: Period) -> Self {
        period.to_string()
    }
}

impl TryFrom<String> for Period {
    type Error = Malformed;

    fn try_from(text: String) -> Result<Self, Malformed> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_ends_with_its_fourth_month() {
        let last = |period: &str| period.parse::<Period>().map(|period| period.last_day().to_string());
        assert_eq!(last("2026-1").as_deref(), Ok("2026-04-30"));
        assert_eq!(last("2026-3").as_deref(), Ok("2026-12-31"));
    }

    #[test]
    fn every_day_is_in_one_period() {
        let period = |day: &str| Period::of(day.parse().unwrap()).to_string();
        assert_eq!(period("2026-04-30"), "2026-1");
        assert_eq!(period("2026-05-01"), "2026-2");
        assert_eq!(period("2026-12-31"), "2026-3");
        assert_eq!(period("1969-07-01"), "2000-1");
        let first = |period: &str| period.parse::<Period>().map(|period| period.first_day().to_string());
        assert_eq!(first("2026-2").as_deref(), Ok("2026-05-01"));
        assert_eq!(first("2000-1").as_deref(), Ok("0001-01-01"));
    }

    #[test]
    fn what_is_no_period_is_refused() {
        for text in ["2026", "2026-0", "2026-4", "26-1", "2026-01", "-026-1", "1999-1", "2026-x"] {
            assert!(text.parse::<Period>().is_err(), "{text}");
        }
    }
}
