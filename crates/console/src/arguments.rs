//! Between the command line and a request: an option for each field, and the request that the options make.

use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Arg, ArgAction, ArgMatches, ValueHint};
use prost_reflect::{DynamicMessage, EnumDescriptor, FieldDescriptor, Kind, ReflectMessage as _, Value};
use spean_vocabulary::Date;

use crate::failure::Failure;
use crate::language::{Words, kebab};
use crate::schema::{self, Holds, Leaf};
use crate::value::{read_day, read_instant};

/// The option for a field, or its place when it is given without a name.
pub(crate) fn argument(leaf: &Leaf, place: Option<usize>, words: &Words) -> Arg {
    let field = leaf.field();
    let mut argument = Arg::new(leaf.flag.clone()).help(help(leaf, words));
    argument = match place {
        Some(place) => argument.index(place).required(true).help_heading(words.say("help-what")),
        None => argument.long(leaf.flag.clone()).help_heading(words.say("help-options")),
    };
    if field.is_list() && leaf.holds() != Holds::Truth {
        argument = argument.action(ArgAction::Append);
        if leaf.holds() != Holds::Parts {
            argument = argument.value_delimiter(',');
        }
    }
    match leaf.holds() {
        Holds::Truth => argument.action(ArgAction::SetTrue),
        Holds::Number => {
            argument.value_parser(clap::value_parser!(i64)).value_name("NUMBER").allow_negative_numbers(true)
        }
        Holds::Word => match field.kind() {
            Kind::Enum(enumeration) => argument.value_parser(words_parser(&enumeration, words)).ignore_case(true),
            _ => argument,
        },
        Holds::Day => argument.value_name("DAY"),
        Holds::Instant => argument.value_name("TIME"),
        Holds::Content => {
            argument.value_name("FILE").value_hint(ValueHint::FilePath).value_parser(clap::value_parser!(PathBuf))
        }
        Holds::Parts => argument.value_name("FIELD=VALUE,..."),
        Holds::Text => argument.value_name(value_name(field.name())),
    }
}

fn value_name(field: &str) -> String {
    let noun = field.trim_end_matches("_ids").trim_end_matches("_id");
    noun.to_uppercase()
}

fn help(leaf: &Leaf, words: &Words) -> String {
    let field = leaf.field();
    let label = words.label(field.name());
    let hint = match leaf.holds() {
        Holds::Day => Some(words.say("help-day")),
        Holds::Instant => Some(words.say("help-instant")),
        Holds::Parts => field.kind().as_message().map(|message| {
            let parts = schema::leaves(message).iter().map(Leaf::path).collect::<Vec<_>>().join(", ");
            words.say_with("help-parts", &[("parts", &parts)])
        }),
        Holds::Text if crate::resolve::is_known_by_beginning(field.name()) => Some(words.say("help-id")),
        Holds::Text | Holds::Word if field.is_list() => Some(words.say("help-several")),
        _ => None,
    };
    hint.map_or_else(|| label.clone(), |hint| format!("{label}: {hint}"))
}

fn words_parser(enumeration: &EnumDescriptor, words: &Words) -> PossibleValuesParser {
    let values = schema::words_of(enumeration).into_iter().map(|(_, word)| {
        let meaning = words.word(enumeration.name(), &word);
        let (typed, wire) = (kebab(&word), word.to_lowercase());
        let value = PossibleValue::new(typed.clone());
        let value = if wire == typed { value } else { value.alias(wire) };
        // In English the word says what it means.
        if meaning.replace([' ', '-'], "") == typed.replace('-', "") { value } else { value.help(meaning) }
    });
    PossibleValuesParser::new(values.collect::<Vec<_>>())
}

/// Puts into a request what the options say.
///
/// # Errors
/// When a value cannot be read, or a file.
pub(crate) fn fill(
    request: &mut DynamicMessage,
    leaves: &[Leaf],
    matches: &ArgMatches,
    today: Option<Date>,
    words: &Words,
) -> Result<(), Failure> {
    for leaf in leaves {
        let Some(value) = given(leaf, matches, today, words)? else { continue };
        put(request, &leaf.way, value);
    }
    Ok(())
}

/// Whether an option of a day was given by a word that only the node can reckon.
pub(crate) fn names_a_day_in_words(leaves: &[Leaf], matches: &ArgMatches) -> bool {
    leaves.iter().filter(|leaf| leaf.holds() == Holds::Day).any(|leaf| {
        matches!(matches.try_get_one::<String>(&leaf.flag), Ok(Some(day)) if day == "today" || day == "yesterday")
    })
}

fn given(leaf: &Leaf, matches: &ArgMatches, today: Option<Date>, words: &Words) -> Result<Option<Value>, Failure> {
    let flag = leaf.flag.as_str();
    if !matches.ids().any(|id| id.as_str() == flag) {
        return Ok(None);
    }
    match leaf.holds() {
        Holds::Truth => Ok(matches.get_flag(flag).then_some(Value::Bool(true))),
        Holds::Content => {
            let Some(path) = matches.get_one::<PathBuf>(flag) else { return Ok(None) };
            Ok(Some(Value::Bytes(read_bytes(path, words)?.into())))
        }
        Holds::Number => {
            let Some(number) = matches.get_one::<i64>(flag) else { return Ok(None) };
            number_of(leaf.field(), *number).map(Some).ok_or_else(|| wrong(flag, words))
        }
        _ => {
            let Some(texts) = matches.get_many::<String>(flag) else { return Ok(None) };
            let values = texts.map(|text| read(leaf.field(), text, today).ok_or_else(|| wrong(flag, words)));
            let mut values = values.collect::<Result<Vec<_>, _>>()?;
            Ok(if leaf.field().is_list() { Some(Value::List(values)) } else { values.pop() })
        }
    }
}

fn wrong(flag: &str, words: &Words) -> Failure {
    Failure::Usage(words.say_with("usage-value", &[("argument", &format!("--{flag}"))]))
}

/// The content of a file.
pub(crate) fn read_bytes(path: &std::path::Path, words: &Words) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|error| {
        let (file, error) = (path.display().to_string(), error.to_string());
        Failure::Own(words.say_with("failure-file", &[("file", &file), ("error", &error)]))
    })
}

/// Reads one value of a field from text; none when it is not one.
pub(crate) fn read(field: &FieldDescriptor, text: &str, today: Option<Date>) -> Option<Value> {
    match (schema::holds(field), field.kind()) {
        (Holds::Truth, _) => Some(Value::Bool(matches!(text, "yes" | "true" | "1"))),
        (Holds::Number, _) => number_of(field, text.parse().ok()?),
        (Holds::Word, Kind::Enum(enumeration)) => {
            let wanted = kebab(text.trim());
            let found = schema::words_of(&enumeration).into_iter().find(|(_, word)| kebab(word) == wanted);
            found.map(|(number, _)| Value::EnumNumber(number))
        }
        (Holds::Day, _) => match today {
            Some(today) => read_day(text, today).map(|day| Value::String(day.to_string())),
            // What it means is for the node to say; it names the field when it is not a day.
            None => Some(Value::String(text.to_owned())),
        },
        (Holds::Instant, Kind::Message(message)) => {
            let micros = read_instant(text)?.as_micros();
            let mut instant = DynamicMessage::new(message);
            instant.set_field_by_name("seconds", Value::I64(micros.div_euclid(1_000_000)));
            let nanos = i32::try_from(micros.rem_euclid(1_000_000) * 1_000).ok()?;
            instant.set_field_by_name("nanos", Value::I32(nanos));
            Some(Value::Message(instant))
        }
        (Holds::Parts, Kind::Message(message)) => parts(&message, text, today).map(Value::Message),
        (Holds::Content, _) => None,
        _ => Some(Value::String(text.trim().to_owned())),
    }
}

/// Reads `field=value,field=value`; several values of one field stand with a plus between them.
fn parts(message: &prost_reflect::MessageDescriptor, text: &str, today: Option<Date>) -> Option<DynamicMessage> {
    let leaves = schema::leaves(message);
    let mut whole = DynamicMessage::new(message.clone());
    for part in text.split(',').filter(|part| !part.trim().is_empty()) {
        let (name, value) = part.split_once('=')?;
        let name = name.trim().replace('-', "_");
        let leaf = leaves.iter().find(|leaf| leaf.path() == name || leaf.flag.replace('-', "_") == name)?;
        let value = if leaf.field().is_list() {
            let values = value.split('+').map(|value| read(leaf.field(), value, today));
            Value::List(values.collect::<Option<_>>()?)
        } else {
            read(leaf.field(), value, today)?
        };
        put(&mut whole, &leaf.way, value);
    }
    Some(whole)
}

fn number_of(field: &FieldDescriptor, number: i64) -> Option<Value> {
    Some(match field.kind() {
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Value::I32(number.try_into().ok()?),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(number),
        Kind::Uint32 | Kind::Fixed32 => Value::U32(number.try_into().ok()?),
        Kind::Uint64 | Kind::Fixed64 => Value::U64(number.try_into().ok()?),
        _ => return None,
    })
}

/// Puts a value at its place in a request.
pub(crate) fn put(message: &mut DynamicMessage, way: &[FieldDescriptor], value: Value) {
    match way {
        [] => (),
        [field] => message.set_field(field, value),
        [field, rest @ ..] => {
            if let Value::Message(inner) = message.get_field_mut(field) {
                put(inner, rest, value);
            }
        }
    }
}

/// Every text of a request that a person may have given as a number or the beginning of an id, with its field.
pub(crate) fn given_ids(message: &DynamicMessage) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (field, value) in message.fields() {
        match value {
            Value::String(text) => found.push((field.name().to_owned(), text.clone())),
            Value::Message(inner) => found.extend(given_ids(inner)),
            Value::List(values) => {
                for value in values {
                    match value {
                        Value::String(text) => found.push((field.name().to_owned(), text.clone())),
                        Value::Message(inner) => found.extend(given_ids(inner)),
                        _ => (),
                    }
                }
            }
            _ => (),
        }
    }
    found
}

/// Puts ids in place of what stood for them.
pub(crate) fn replace_ids(message: &mut DynamicMessage, ids: &[(String, String, String)]) {
    let id_of = |field: &str, text: &str| {
        let found = ids.iter().find(|(known, given, _)| known == field && given == text);
        found.map(|(_, _, id)| id.clone())
    };
    for (field, value) in message.fields_mut() {
        let name = field.name().to_owned();
        let mut swap = |value: &mut Value| match value {
            Value::String(text) => {
                if let Some(id) = id_of(&name, text) {
                    *text = id;
                }
            }
            Value::Message(inner) => replace_ids(inner, ids),
            _ => (),
        };
        match value {
            Value::List(values) => values.iter_mut().for_each(&mut swap),
            value => swap(value),
        }
    }
}

/// The message that a request of this kind begins as, for a test or from JSON.
///
/// # Errors
/// When the JSON does not fit the request.
pub(crate) fn of_json(
    message: prost_reflect::MessageDescriptor,
    json: &serde_json::Value,
) -> Result<DynamicMessage, String> {
    DynamicMessage::deserialize(message, json).map_err(|error| error.to_string())
}

/// Lays the fields of one message over another.
pub(crate) fn merge(into: &mut DynamicMessage, from: &DynamicMessage) {
    for (field, value) in from.fields() {
        match (value, field.is_list()) {
            (Value::Message(inner), false) if into.has_field(&field) => {
                if let Value::Message(target) = into.get_field_mut(&field) {
                    merge(target, inner);
                }
            }
            (value, _) => into.set_field(&field, value.clone()),
        }
    }
    debug_assert_eq!(into.descriptor().full_name(), from.descriptor().full_name());
}
