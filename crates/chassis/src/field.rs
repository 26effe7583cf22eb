//! Reading the fields of a request: each reader names the field in its error and never repeats what was given.

use std::str::FromStr;

use spean_vocabulary::{Date, Malformed};
use tonic::Status;

use crate::status::invalid;

/// A field that must be there and well formed: an id, a code, a day.
pub fn parse<T: FromStr<Err = Malformed>>(field: &str, text: &str) -> Result<T, Status> {
    if text.is_empty() {
        return Err(invalid(field, "a value, it is required"));
    }
    text.parse().map_err(|malformed: Malformed| invalid(field, malformed.expected))
}

/// A field that may be empty, and must be well formed when it is not.
pub fn parse_optional<T: FromStr<Err = Malformed>>(field: &str, text: &str) -> Result<Option<T>, Status> {
    if text.is_empty() { Ok(None) } else { parse(field, text).map(Some) }
}

/// A day; today when empty. Not in the future: what is recorded has happened.
pub fn day_so_far(field: &str, text: &str, today: Date) -> Result<Date, Status> {
    let day = parse_optional(field, text)?.unwrap_or(today);
    if day > today { Err(invalid(field, "a day that is not in the future")) } else { Ok(day) }
}

/// A text for people: at most so many characters, no control characters but line ends; blanks around it are dropped.
pub fn text(field: &str, text: &str, longest: usize) -> Result<Option<String>, Status> {
    let text = text.trim();
    if text.chars().count() > longest {
        return Err(invalid(field, format_args!("at most {longest} characters")));
    }
    if text.chars().any(|character| character.is_control() && character != '\n') {
        return Err(invalid(field, "text without control characters"));
    }
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

/// A text that must be there.
pub fn required_text(field: &str, given: &str, longest: usize) -> Result<String, Status> {
    text(field, given, longest)?.ok_or_else(|| invalid(field, "a value, it is required"))
}

/// A message that must be there.
pub fn required<T>(field: &str, value: Option<T>) -> Result<T, Status> {
    value.ok_or_else(|| invalid(field, "a value, it is required"))
}

/// At most so many entries.
pub fn at_most<T>(field: &str, entries: &[T], most: usize) -> Result<(), Status> {
    if entries.len() > most { Err(invalid(field, format_args!("at most {most} entries"))) } else { Ok(()) }
}

/// A number within bounds.
pub fn within(field: &str, number: i64, least: i64, most: i64) -> Result<i64, Status> {
    if (least..=most).contains(&number) {
        Ok(number)
    } else {
        Err(invalid(field, format_args!("a number from {least} to {most}")))
    }
}
