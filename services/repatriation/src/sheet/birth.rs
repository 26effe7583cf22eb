//! The ways in which a list writes a birth: a year, a day in three orders, in two eras, in three kinds of digits, or as
//! the number that a workbook keeps for a day.
//!
//! Nothing is guessed. A day that could be two days is kept as its year, and whatever was converted is said.

use std::collections::BTreeSet;

use spean_vault::Birth;
use spean_vocabulary::Date;

use super::Note;
use super::cells::{Value, plain_digits, whole};

/// Nobody alive was born earlier.
const FIRST_YEAR: i32 = 1900;
/// The Buddhist era is this much ahead.
const ERA: i32 = 543;
/// No list has a birth in such a year of the common era, so it is one of the Buddhist era.
const FIRST_BUDDHIST_YEAR: i32 = FIRST_YEAR + ERA;
const LAST_BUDDHIST_YEAR: i32 = 2200 + ERA;
/// Since then the years of both eras begin on the first of January. Before, a day of the Buddhist era may lie in either
/// of two years of the common one.
const ALIKE_SINCE: i32 = 2484;
/// The days from 1920 to 2099 as a workbook counts them, from 30 December 1899 on.
const WORKBOOK_DAYS: std::ops::RangeInclusive<i64> = 7_306..=73_050;

/// A birth, and what was done to read it.
pub(super) struct Read {
    pub(super) birth: Birth,
    pub(super) notes: BTreeSet<Note>,
}

/// Reads a birth; none when it cannot be read.
pub(super) fn read(cell: &Value) -> Option<Read> {
    let mut notes = BTreeSet::new();
    let birth = match cell {
        Value::Text(text) => {
            let plain = plain_digits(text);
            if plain != *text {
                notes.insert(Note::LocalDigits);
            }
            of_text(&plain, &mut notes)
        }
        Value::Number(number) => of_number(*number, &mut notes),
        Value::Day { year, month, day } => of_day(*year, (*month).into(), (*day).into(), &mut notes),
        Value::Empty | Value::Unreadable => None,
    }?;
    Some(Read { birth, notes })
}

fn of_text(text: &str, notes: &mut BTreeSet<Note>) -> Option<Birth> {
    // A day may carry the midnight with which it began.
    let text = text.strip_suffix(" 00:00:00").or_else(|| text.strip_suffix("T00:00:00")).unwrap_or(text);
    let parts: Vec<_> = text.split(['-', '/', '.']).collect();
    let number = |part: &str, longest: usize| {
        let sound = (1..=longest).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        sound.then(|| part.parse().ok()).flatten()
    };
    match parts.as_slice() {
        [year] if year.len() == 4 => of_year(number(year, 4)?, notes),
        [year, month, day] if year.len() == 4 => of_day(number(year, 4)?, number(month, 2)?, number(day, 2)?, notes),
        [first, second, year] if year.len() == 4 => {
            let (year, first, second) = (number(year, 4)?, number(first, 2)?, number(second, 2)?);
            in_either_order(year, first, second, notes)
        }
        _ => None,
    }
}

/// The day mostly stands before the month, and sometimes behind it.
fn in_either_order(year: i32, first: i32, second: i32, notes: &mut BTreeSet<Note>) -> Option<Birth> {
    let day_first = of_day(year, second, first, &mut BTreeSet::new());
    let month_first = of_day(year, first, second, &mut BTreeSet::new());
    match (day_first, month_first) {
        (Some(day_first), Some(month_first)) if day_first != month_first => {
            notes.insert(Note::DayMonthUnclear);
            year_only(year, notes)
        }
        (Some(_), _) => of_day(year, second, first, notes),
        (None, Some(_)) => of_day(year, first, second, notes),
        (None, None) => None,
    }
}

fn of_number(number: f64, notes: &mut BTreeSet<Note>) -> Option<Birth> {
    // What stands behind the point is a time of the day.
    let number = whole(number.floor())?;
    if WORKBOOK_DAYS.contains(&number) {
        notes.insert(Note::WorkbookDay);
        let zero: Date = "1900-01-01".parse().ok()?;
        return Some(Birth::On { date: zero.plus_days(i32::try_from(number - 2).ok()?) });
    }
    of_year(i32::try_from(number).ok()?, notes)
}

fn of_year(year: i32, notes: &mut BTreeSet<Note>) -> Option<Birth> {
    let year = common(year, notes)?;
    Some(Birth::Year { year, approximate: true })
}

/// The year is certain, the day is not.
fn year_only(year: i32, notes: &mut BTreeSet<Note>) -> Option<Birth> {
    let year = common(year, notes)?;
    Some(Birth::Year { year, approximate: false })
}

fn of_day(year: i32, month: i32, day: i32, notes: &mut BTreeSet<Note>) -> Option<Birth> {
    let common_year = common(year, notes)?;
    let date = format!("{common_year:04}-{month:02}-{day:02}").parse().ok()?;
    if (FIRST_BUDDHIST_YEAR..ALIKE_SINCE).contains(&year) {
        return Some(Birth::Year { year: common_year, approximate: true });
    }
    Some(Birth::On { date })
}

/// The year of the common era; says when it was one of the Buddhist era.
fn common(year: i32, notes: &mut BTreeSet<Note>) -> Option<i32> {
    if (FIRST_BUDDHIST_YEAR..=LAST_BUDDHIST_YEAR).contains(&year) {
        notes.insert(Note::BuddhistYear);
        return Some(year - ERA);
    }
    (FIRST_YEAR..=2200).contains(&year).then_some(year)
}
