//! `spean call`: every method of the interface, by its name and with JSON, for what has no command of its own.

use std::io::Read as _;

use clap::ArgMatches;
use prost_reflect::MessageDescriptor;
use serde_json::{Map, Value, json};

use crate::answer;
use crate::arguments;
use crate::connection::{self, Connection};
use crate::failure::Failure;
use crate::language::Words;
use crate::run;
use crate::schema::{self, Holds};

/// Does what `spean call` was asked for, and returns what is printed.
///
/// # Errors
/// When there is no such method, the request does not fit it, or the node refuses.
pub(crate) async fn open(matches: &ArgMatches, words: &Words) -> Result<Value, Failure> {
    if matches.get_flag("list") {
        let methods = schema::methods().values();
        return Ok(methods.map(|method| json!(schema::path_of(method).trim_start_matches('/'))).collect());
    }
    let name = matches.get_one::<String>("method").cloned().unwrap_or_default();
    let short = name.rsplit(['/', '.']).next().unwrap_or_default();
    let method =
        schema::method(short).ok_or_else(|| Failure::Usage(words.say_with("failure-method", &[("method", &name)])))?;
    if matches.get_flag("describe") {
        return Ok(json!({ "request": described(&method.input(), 0), "response": described(&method.output(), 0) }));
    }
    let json = request(matches.get_one::<String>("json-request").map(String::as_str), words)?;
    let message = arguments::of_json(method.input(), &json)
        .map_err(|error| Failure::Usage(words.say_with("failure-request", &[("error", &error)])))?;
    let connection = Connection::open(matches, words).await?;
    answer::json(&run::send(&connection, method, &message, matches).await?)
}

/// The request: JSON as it stands, the file that holds it, or standard input (`-`); empty when none is given.
fn request(given: Option<&str>, words: &Words) -> Result<Value, Failure> {
    let text = match given {
        None => return Ok(json!({})),
        Some(text) if text.trim_start().starts_with('{') => text.to_owned(),
        Some("-") => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).map_err(|error| Failure::Own(error.to_string()))?;
            text
        }
        Some(path) => connection::read(path.as_ref(), words)?,
    };
    let malformed =
        |error: serde_json::Error| Failure::Usage(words.say_with("failure-request", &[("error", &error.to_string())]));
    serde_json::from_str(&text).map_err(malformed)
}

/// The fields of a message and what they hold.
fn described(message: &MessageDescriptor, depth: usize) -> Value {
    /// Deeper than any message of the interface, so that one that holds itself ends.
    const DEEPEST: usize = 6;
    let mut fields = Map::new();
    for field in message.fields() {
        let kind = match (schema::holds(&field), field.kind()) {
            (Holds::Parts, prost_reflect::Kind::Message(inner)) if depth < DEEPEST => described(&inner, depth + 1),
            (Holds::Word, prost_reflect::Kind::Enum(words)) => {
                words.values().map(|value| json!(value.name())).collect()
            }
            (Holds::Instant, _) => json!("RFC 3339"),
            (Holds::Day, _) => json!("YYYY-MM-DD"),
            (_, kind) => json!(format!("{kind:?}").to_lowercase()),
        };
        let kind = if field.is_list() { json!([kind]) } else { kind };
        fields.insert(field.name().to_owned(), kind);
    }
    Value::Object(fields)
}

/// Whether a message can be described: a test asks for every one.
#[cfg(test)]
pub(crate) fn can_be_asked(method: &prost_reflect::MethodDescriptor) -> bool {
    use prost::Message as _;
    let Ok(empty) = arguments::of_json(method.input(), &json!({})) else { return false };
    let again = answer::json(&empty).ok().and_then(|json| arguments::of_json(method.input(), &json).ok());
    again.is_some_and(|again| again.encode_to_vec() == empty.encode_to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_can_be_asked_and_described() {
        for (name, method) in schema::methods() {
            assert!(can_be_asked(method), "{name}");
            assert!(described(&method.input(), 0).is_object() && described(&method.output(), 0).is_object(), "{name}");
        }
    }
}
