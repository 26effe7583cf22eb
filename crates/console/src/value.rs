//! Values of answers as people read them: words instead of codes, times of Cambodia, short ids.

use std::str::FromStr as _;

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, ReflectMessage as _, Value};
use spean_vocabulary::{Date, Timestamp};

use crate::language::Words;
use crate::resolve;
use crate::schema;

/// The day begins in Cambodia this long before it begins in UTC.
const CAMBODIA_MICROS: i64 = 7 * 3_600 * 1_000_000;
/// Characters of a long id that are shown where it can be asked for by its beginning.
const SHOWN_OF_ID: usize = 8;

/// An instant with the minute, as clocks in Cambodia show it; which zone that is has to be said once beside it.
pub(crate) fn instant(at: Timestamp) -> String {
    let text = Timestamp::from_micros(at.as_micros().saturating_add(CAMBODIA_MICROS)).to_string();
    text.get(..16).map_or(text.clone(), |minute| minute.replace('T', " "))
}

/// Reads an instant: `2026-11-21T15:30:00Z`, or `2026-11-21 22:30` as clocks in Cambodia show it.
pub(crate) fn read_instant(text: &str) -> Option<Timestamp> {
    let (day, clock) = text.split_once([' ', 'T'])?;
    let midnight = Date::from_str(day).ok()?.begins_at().as_micros();
    let (clock, offset) = match clock.strip_suffix('Z') {
        Some(clock) => (clock, CAMBODIA_MICROS),
        None => (clock, 0),
    };
    let parts: Vec<i64> = clock.split(':').map(str::parse).collect::<Result<_, _>>().ok()?;
    let (hour, minute, second) = match parts.as_slice() {
        [hour, minute] => (*hour, *minute, 0),
        [hour, minute, second] => (*hour, *minute, *second),
        _ => return None,
    };
    let is_clock = (0..24).contains(&hour) && (0..60).contains(&minute) && (0..60).contains(&second);
    let seconds = (hour * 60 + minute) * 60 + second;
    is_clock.then(|| Timestamp::from_micros(midnight + offset + seconds * 1_000_000))
}

/// The instant that a message of the interface holds.
pub(crate) fn instant_of(message: &DynamicMessage) -> Option<Timestamp> {
    let seconds = message.get_field_by_name("seconds")?.as_i64()?;
    let nanos = message.get_field_by_name("nanos")?.as_i32()?;
    Some(Timestamp::from_micros(seconds.checked_mul(1_000_000)?.checked_add(i64::from(nanos) / 1_000)?))
}

/// What stands at a path such as `risk.kind` below a message; none when there is nothing, or nothing but the default.
pub(crate) fn at(message: &DynamicMessage, path: &str) -> Option<(FieldDescriptor, Value)> {
    let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    let field = message.descriptor().get_field_by_name(first)?;
    if !message.has_field(&field) {
        return None;
    }
    let value = message.get_field(&field).into_owned();
    match (rest, value) {
        (None, value) => Some((field, value)),
        (Some(rest), Value::Message(inner)) => at(&inner, rest),
        (Some(_), _) => None,
    }
}

/// The text at a path, empty when there is none.
pub(crate) fn text_at(message: &DynamicMessage, path: &str) -> String {
    at(message, path).and_then(|(_, value)| value.as_str().map(str::to_owned)).unwrap_or_default()
}

/// The messages of a list.
pub(crate) fn messages_at(message: &DynamicMessage, path: &str) -> Vec<DynamicMessage> {
    let Some((_, value)) = at(message, path) else { return Vec::new() };
    match value {
        Value::List(list) => list.iter().filter_map(Value::as_message).cloned().collect(),
        Value::Message(message) => vec![message],
        _ => Vec::new(),
    }
}

/// Shows values, and remembers whether a time was among them.
#[derive(Debug)]
pub(crate) struct Shown<'w> {
    pub(crate) words: &'w Words,
    pub(crate) has_times: bool,
}

impl<'w> Shown<'w> {
    pub(crate) const fn new(words: &'w Words) -> Self {
        Self { words, has_times: false }
    }

    /// A value in one line.
    pub(crate) fn value(&mut self, field: &FieldDescriptor, value: &Value) -> String {
        match value {
            Value::List(values) => values.iter().map(|value| self.single(field, value)).collect::<Vec<_>>().join(", "),
            value => self.single(field, value),
        }
    }

    fn single(&mut self, field: &FieldDescriptor, value: &Value) -> String {
        match (value, field.kind()) {
            (Value::EnumNumber(number), Kind::Enum(enumeration)) => schema::words_of(&enumeration)
                .into_iter()
                .find(|(known, _)| known == number)
                .map_or_else(|| number.to_string(), |(_, word)| self.words.word(enumeration.name(), &word)),
            (Value::Bool(truth), _) => self.words.say(if *truth { "word-yes" } else { "word-no" }),
            (Value::Bytes(bytes), _) => self.words.say_counting("answer-bytes", &[("count", bytes.len())]),
            (Value::Message(message), _) => self.message(message),
            (Value::String(text), _) => self.text(field.name(), text),
            (value, _) => number(value),
        }
    }

    /// A message in one line: its values one after the other.
    fn message(&mut self, message: &DynamicMessage) -> String {
        if message.descriptor().full_name() == "google.protobuf.Timestamp" {
            self.has_times = true;
            return instant_of(message).map(instant).unwrap_or_default();
        }
        let values = message.fields().map(|(field, value)| self.value(&field, value));
        values.filter(|value| !value.is_empty()).collect::<Vec<_>>().join(" ")
    }

    fn text(&mut self, field: &str, text: &str) -> String {
        if resolve::is_known_by_beginning(field) && resolve::is_id(text) {
            return text.chars().take(SHOWN_OF_ID).collect();
        }
        if field == "standing" {
            return self.words.word("Standing", text);
        }
        // Codes of the services: what is missing, why a row was refused.
        let is_code = matches!(field, "missing" | "reasons" | "notes" | "reason" | "column" | "what" | "refusal");
        if is_code && text.chars().all(|character| character.is_ascii_alphanumeric() || character == '_') {
            let key = crate::language::kebab(text);
            let found = self.words.find(&format!("code-{key}")).or_else(|| self.words.find(&format!("word-{key}")));
            return found.unwrap_or_else(|| text.to_owned());
        }
        text.to_owned()
    }
}

fn number(value: &Value) -> String {
    match value {
        Value::I32(number) => number.to_string(),
        Value::I64(number) => number.to_string(),
        Value::U32(number) => number.to_string(),
        Value::U64(number) => number.to_string(),
        Value::F32(number) => number.to_string(),
        Value::F64(number) => number.to_string(),
        _ => String::new(),
    }
}

/// A day as it is typed: `today`, `yesterday`, or `2026-11-21`; the words are reckoned from the day given.
pub(crate) fn read_day(text: &str, today: Date) -> Option<Date> {
    match text {
        "today" => Some(today),
        "yesterday" => Some(today.plus_days(-1)),
        text => Date::from_str(text).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_shown_and_read_as_clocks_in_cambodia_show_it() {
        let evening = Timestamp::from_micros(1_795_282_200_000_000);
        assert_eq!(evening.to_string(), "2026-11-21T17:30:00Z");
        assert_eq!(instant(evening), "2026-11-22 00:30");
        assert_eq!(read_instant("2026-11-22 00:30"), Some(evening));
        assert_eq!(read_instant("2026-11-21T17:30:00Z"), Some(evening));
        for wrong in ["soon", "2026-11-21", "2026-11-21 24:00", "2026-02-30 10:00", "2026-11-21 10"] {
            assert_eq!(read_instant(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_day_may_be_said_in_words() {
        let today = Date::from_str("2026-03-01").unwrap();
        assert_eq!(read_day("yesterday", today).map(|day| day.to_string()).as_deref(), Some("2026-02-28"));
        assert_eq!(read_day("2026-02-30", today), None);
    }
}
