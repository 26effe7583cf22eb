//! Answers of a node as a person reads them: how to reach people safely first, then tables of at most 80 columns.

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, ReflectMessage as _, SerializeOptions, Value};

use crate::failure::Failure;
use crate::language::Words;
use crate::schema::{Holds, holds};
use crate::table;
use crate::value::{Shown, at, text_at};

/// The field in which a node says how somebody may be reached without danger.
const SAFE_CONTACT: &str = "safe_contact";

/// An answer as JSON: names of fields as in the interface, times in UTC.
pub(crate) fn json(message: &DynamicMessage) -> Result<serde_json::Value, Failure> {
    let options =
        SerializeOptions::new().use_proto_field_name(true).skip_default_fields(false).stringify_64_bit_integers(false);
    let json = message.serialize_with_options(serde_json::value::Serializer, &options);
    json.map_err(|error| Failure::Own(error.to_string()))
}

/// An answer as text. `lists` says which columns of which list are shown (`cases: case_number standing`), where not all
/// are.
pub(crate) fn text(message: &DynamicMessage, lists: &str, words: &Words) -> String {
    let mut shown = Shown::new(words);
    let mut parts = safe_contacts(message, words);
    parts.extend(record(message, lists, 0, &mut shown));
    if parts.is_empty() {
        let has_lists = message.descriptor().fields().any(|field| field.is_list());
        parts.push(words.say(if has_lists { "answer-nothing" } else { "answer-done" }));
    }
    if shown.has_times {
        parts.push(words.say("answer-zone"));
    }
    parts.join("\n\n")
}

/// The values of a message below each other, and its lists as tables.
fn record(message: &DynamicMessage, lists: &str, indent: usize, shown: &mut Shown<'_>) -> Vec<String> {
    let mut simple = Vec::new();
    let mut parts = Vec::new();
    for field in message.descriptor().fields() {
        if !message.has_field(&field) || field.name() == SAFE_CONTACT || is_page(&field) {
            continue;
        }
        let value = message.get_field(&field);
        let label = shown.words.label(field.name());
        match value.as_ref() {
            Value::Message(inner) if holds(&field) == Holds::Parts && has_parts(inner) => {
                let inner = record(inner, "", indent + 2, shown);
                if !inner.is_empty() {
                    parts.push(headed(&label, indent, &inner.join("\n")));
                }
            }
            Value::List(values) if holds(&field) == Holds::Parts => {
                let rows: Vec<DynamicMessage> = values.iter().filter_map(Value::as_message).cloned().collect();
                let columns = columns(lists, field.name());
                let listed = list(&rows, columns, shown);
                // A list that is all of the answer needs no heading.
                parts.push(if columns.is_some() { listed } else { headed(&label, indent, &listed) });
            }
            value => simple.push((label, shown.value(&field, value))),
        }
    }
    let simple = table::fields(&simple, indent);
    if !simple.is_empty() {
        parts.insert(0, simple);
    }
    parts
}

/// Messages as rows of a table.
pub(crate) fn list(rows: &[DynamicMessage], columns: Option<&str>, shown: &mut Shown<'_>) -> String {
    let Some(first) = rows.first() else { return shown.words.say("answer-nothing") };
    let all;
    let columns: Vec<&str> = if let Some(columns) = columns {
        columns.split_whitespace().collect()
    } else {
        all = first.descriptor().fields().map(|field| field.name().to_owned()).collect::<Vec<_>>();
        all.iter().map(String::as_str).filter(|name| *name != SAFE_CONTACT).collect()
    };
    let header: Vec<String> = columns.iter().map(|column| heading(column, shown.words)).collect();
    let row = |row: &DynamicMessage, shown: &mut Shown<'_>| {
        columns.iter().map(|column| cell(row, column, shown)).collect::<Vec<_>>()
    };
    let rows: Vec<Vec<String>> = rows.iter().map(|message| row(message, shown)).collect();
    table::table(&header, &rows)
}

/// The heading of a column: the label that it names (`other.case_id=other_case_id`), or that of the field it ends in.
fn heading(column: &str, words: &Words) -> String {
    let (paths, label) = column.split_once('=').map_or((column, None), |(paths, label)| (paths, Some(label)));
    let first = paths.split('|').next().unwrap_or(paths);
    words.label(label.or_else(|| first.rsplit('.').next()).unwrap_or(first))
}

/// A cell: the first of the fields that has a value (`case_number|case_id`).
fn cell(row: &DynamicMessage, column: &str, shown: &mut Shown<'_>) -> String {
    let paths = column.split('=').next().unwrap_or(column);
    let found = paths.split('|').find_map(|path| at(row, path));
    found.map(|(field, value)| shown.value(&field, &value)).unwrap_or_default()
}

/// The columns that a command names for a list.
fn columns<'l>(lists: &'l str, field: &str) -> Option<&'l str> {
    lists.split(';').find_map(|list| {
        let (name, columns) = list.split_once(':')?;
        (name.trim() == field).then(|| columns.trim())
    })
}

/// Everybody of the answer whom a worker may meet, and how they may be reached. It stands before anything else: who
/// telephones first and reads afterwards may have told the wrong person.
fn safe_contacts(message: &DynamicMessage, words: &Words) -> Vec<String> {
    let mut found = Vec::new();
    collect_contacts(message, &mut found);
    if found.is_empty() {
        return Vec::new();
    }
    let said = words.say("answer-safe-contact");
    vec![format!("{}\n{}", table::paragraph(&said), table::fields(&found, 2))]
}

fn collect_contacts(message: &DynamicMessage, found: &mut Vec<(String, String)>) {
    let contact = text_at(message, SAFE_CONTACT);
    if !contact.is_empty() {
        let case = text_at(message, "case_number");
        let known = found.iter().any(|(number, text)| *number == case && *text == contact);
        if !known {
            found.push((if case.is_empty() { "!".to_owned() } else { case }, contact));
        }
    }
    for (_, value) in message.fields() {
        match value {
            Value::Message(inner) => collect_contacts(inner, found),
            Value::List(values) => {
                values.iter().filter_map(Value::as_message).for_each(|inner| collect_contacts(inner, found));
            }
            _ => (),
        }
    }
}

fn is_page(field: &FieldDescriptor) -> bool {
    matches!(field.kind(), Kind::Message(message) if message.name() == "PageResponse")
}

/// Whether a message says enough to stand under a heading of its own: a name or an amount of money does not.
fn has_parts(message: &DynamicMessage) -> bool {
    message.descriptor().fields().len() > 2
}

fn headed(label: &str, indent: usize, text: &str) -> String {
    format!("{}{label}\n{text}", " ".repeat(indent))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::language::Language;
    use crate::schema::method;

    fn answer(method_name: &str, json: &serde_json::Value) -> DynamicMessage {
        DynamicMessage::deserialize(method(method_name).unwrap().output(), json).unwrap()
    }

    #[test]
    fn how_to_reach_somebody_stands_before_anything_else() {
        let due = answer(
            "ListDueVisits",
            &json!({ "visits": [{ "caseNumber": "PT4K-79QX", "number": 2, "dueOn": "2026-11-21",
                "safeContact": "only through the midwife" }] }),
        );
        for language in [Language::English, Language::Khmer] {
            let text = text(&due, "visits: case_number number due_on", &Words::new(language));
            let contact = text.find("only through the midwife").expect("it is shown");
            assert!(contact < text.find("2026-11-21").expect("it is shown"), "{text}");
            assert_eq!(text.matches("midwife").count(), 1, "{text}");
        }
    }

    #[test]
    fn the_zone_is_said_once_and_json_stays_in_utc() {
        let offers = answer(
            "ListWorklist",
            &json!({ "offers": [{ "offerId": "7b0c1a2e-0000-4000-8000-000000000001", "caseNumber": "PT4K-79QX",
                "offeredAt": "2026-11-21T17:30:00Z", "answerDueAt": "2026-11-22T17:30:00Z" }] }),
        );
        let words = Words::new(Language::English);
        let shown = text(&offers, "offers: offer_id case_number offered_at answer_due_at", &words);
        assert!(shown.contains("7b0c1a2e") && !shown.contains("7b0c1a2e-"), "{shown}");
        assert!(shown.contains("2026-11-22 00:30"), "{shown}");
        assert_eq!(shown.matches("UTC+7").count(), 1, "{shown}");
        let machine = json(&offers).unwrap();
        assert_eq!(machine["offers"][0]["offered_at"], "2026-11-21T17:30:00Z");
    }

    #[test]
    fn an_answer_without_content_says_that_it_was_done() {
        let words = Words::new(Language::English);
        assert_eq!(text(&answer("LinkCases", &json!({})), "", &words), words.say("answer-done"));
        assert_eq!(text(&answer("ListCases", &json!({})), "", &words), words.say("answer-nothing"));
    }
}
