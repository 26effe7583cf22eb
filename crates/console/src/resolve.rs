//! From what a person can copy from a list — the number of a case, the beginning of an id — to the id itself.

use std::collections::{BTreeMap, HashMap};

use prost_reflect::{DynamicMessage, Value};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};
use uuid::Uuid;

use crate::connection::Connection;
use crate::failure::Failure;
use crate::language::Words;
use crate::schema;
use crate::value::{messages_at, text_at};

/// Fewest characters of an id by which it is looked for.
const SHORTEST_BEGINNING: usize = 4;

/// A list in which things of a kind are found.
struct Source {
    method: &'static str,
    /// A word of an enumeration to ask for, as field and number.
    only: Option<(&'static str, i32)>,
    list: &'static str,
    id: &'static str,
    number: &'static str,
}

const fn source(method: &'static str, list: &'static str, id: &'static str) -> Source {
    Source { method, only: None, list, id, number: "case_number" }
}

const fn worklist(number: i32) -> Source {
    Source { only: Some(("worklist", number)), ..source("ListWorklist", "offers", "offer_id") }
}

const CASES: &[Source] = &[source("ListCases", "cases", "case_id"), source("ListWorklist", "offers", "case_id")];
const ARRIVALS: &[Source] = &[source("ListArrivals", "arrivals", "arrival_id")];
/// What waits for this office is meant before what is long decided.
const OFFERS: &[Source] = &[worklist(1), worklist(2), worklist(3), worklist(0)];
const NEEDS: &[Source] = &[source("ListNeeds", "needs", "need_id")];
const REPORTS: &[Source] = &[source("ListReports", "reports", "report_id")];
const MEETINGS: &[Source] = &[source("ListMeetings", "meetings", "meeting_id")];
const PAYMENTS: &[Source] = &[source("ListPayments", "payments", "payment_id")];
const DANGERS: &[Source] = &[source("ListDangers", "dangers", "danger_id")];
const LETTERS: &[Source] = &[source("ListDeadLetters", "dead_letters", "letter_id")];
const REQUESTS: &[Source] = &[source("ListRepatriationRequests", "requests", "request_id")];
const ADMISSIONS: &[Source] =
    &[source("ListResidents", "residents", "admission_id"), source("ListMissing", "missing", "admission_id")];
const OFFERINGS: &[Source] = &[source("ListOfferings", "offerings", "offering_id")];
const SUPERVISIONS: &[Source] = &[source("ListSupervision", "entries", "supervision_id")];
const SUPPORTS: &[Source] = &[source("ListDueOutcomes", "outcomes", "support_id")];
const RISKS: &[Source] = &[source("ListRaisedRisks", "risks", "risk.risk_id")];

fn sources(field: &str) -> &'static [Source] {
    match field {
        "case_id"
        | "other_case_id"
        | "into_case_id"
        | "case_ids"
        | "linked_case_ids"
        | "known_case_ids"
        | "possible_duplicate_case_ids"
        | "merged_into_case_id"
        | "merged_case_ids"
        | "same_person_case_ids" => CASES,
        "arrival_id" | "waiting_arrival_ids" | "unaccounted_arrival_ids" => ARRIVALS,
        "offer_id" | "offer_ids" => OFFERS,
        "need_id" => NEEDS,
        "report_id" => REPORTS,
        "meeting_id" => MEETINGS,
        "payment_id" => PAYMENTS,
        "danger_id" => DANGERS,
        "letter_id" => LETTERS,
        "request_id" | "repatriation_request_id" => REQUESTS,
        "admission_id" => ADMISSIONS,
        "offering_id" => OFFERINGS,
        "supervision_id" => SUPERVISIONS,
        "support_id" => SUPPORTS,
        "risk_id" => RISKS,
        _ => &[],
    }
}

/// Whether a field holds an id that can also be given by its beginning, so that lists need not show all of it.
pub(crate) fn is_known_by_beginning(field: &str) -> bool {
    !sources(field).is_empty()
}

/// Whether a text is an id as it stands.
pub(crate) fn is_id(text: &str) -> bool {
    text.len() == 36 && Uuid::parse_str(text).is_ok()
}

/// The id that a text stands for: itself, the number of a case, or the beginning of an id that stands in a list of the
/// office.
pub(crate) async fn resolve(
    connection: &Connection,
    field: &str,
    text: &str,
    words: &Words,
) -> Result<String, Failure> {
    let sources = sources(field);
    if sources.is_empty() || is_id(text) || text.is_empty() {
        return Ok(text.to_owned());
    }
    if sources.first().is_some_and(|source| source.list == "cases")
        && let Some(id) = case_of_number(connection, text).await?
    {
        return Ok(id);
    }
    for source in sources {
        let mut found: BTreeMap<String, String> = BTreeMap::new();
        for row in rows(connection, source).await? {
            let (id, number) = (text_at(&row, source.id), text_at(&row, source.number));
            if is_meant(text, &id, &number) {
                found.insert(id, number);
            }
        }
        match found.len() {
            0 => (),
            1 => return Ok(found.into_keys().next().unwrap_or_default()),
            _ => {
                let found = found.keys().cloned().collect::<Vec<_>>().join(", ");
                return Err(Failure::Usage(words.say_with("failure-ambiguous", &[("text", text), ("found", &found)])));
            }
        }
    }
    let details = ErrorDetails::with_error_info("NOT_IN_LISTS", "spean", HashMap::new());
    let message = words.say_with("failure-not-in-lists", &[("what", &words.label(field)), ("text", text)]);
    Err(Status::with_error_details(Code::NotFound, message, details).into())
}

fn is_meant(text: &str, id: &str, number: &str) -> bool {
    let text = text.trim().to_lowercase();
    (!number.is_empty() && number.to_lowercase() == text)
        || (text.len() >= SHORTEST_BEGINNING && id.to_lowercase().starts_with(&text))
}

/// The register knows a case by its number as well; asking without a purpose reads nothing about the person.
async fn case_of_number(connection: &Connection, number: &str) -> Result<Option<String>, Failure> {
    let method = schema::method("GetCase").expect("it is part of the interface");
    let mut message = DynamicMessage::new(method.input());
    message.set_field_by_name("case_id", Value::String(number.to_owned()));
    match connection.call(method, &message, None).await {
        Ok(answer) => Ok(Some(text_at(&answer, "summary.case_id")).filter(|id| !id.is_empty())),
        Err(status) if is_for_good(&status) => Err(status.into()),
        Err(_) => Ok(None),
    }
}

async fn rows(connection: &Connection, source: &Source) -> Result<Vec<DynamicMessage>, Failure> {
    let method = schema::method(source.method).expect("a test looks for every source");
    let mut message = DynamicMessage::new(method.input());
    if let Some((field, number)) = source.only {
        message.set_field_by_name(field, Value::EnumNumber(number));
    }
    match connection.ask(method, message, None).await {
        Ok(answer) => Ok(messages_at(&answer, source.list)),
        Err(status) if is_for_good(&status) => Err(status.into()),
        // A list that is not for this role, or a service that this node does not run.
        Err(_) => Ok(Vec::new()),
    }
}

fn is_for_good(status: &Status) -> bool {
    matches!(status.code(), Code::Unauthenticated | Code::Unavailable | Code::DeadlineExceeded | Code::Internal)
}

#[cfg(test)]
mod tests {
    use prost_reflect::ReflectMessage as _;

    use super::*;
    use crate::schema::{leaves, method, methods};

    #[test]
    fn every_source_is_a_list_with_such_an_id() {
        let fields = methods().values().flat_map(|method| leaves(&method.input()));
        for field in fields.map(|leaf| leaf.field().name().to_owned()) {
            for source in sources(&field) {
                let output = method(source.method).unwrap().output();
                let list = output.get_field_by_name(source.list).unwrap();
                let row = DynamicMessage::new(list.kind().as_message().unwrap().clone());
                let mut message = row.descriptor();
                for part in source.id.split('.') {
                    let field = message.get_field_by_name(part).unwrap_or_else(|| panic!("{field}: {part}"));
                    message = field.kind().as_message().cloned().unwrap_or(message);
                }
            }
        }
    }

    #[test]
    fn a_number_is_meant_whole_and_an_id_by_its_beginning() {
        let id = "7b0c1a2e-0000-4000-8000-000000000001";
        assert!(is_meant("7B0C", id, "") && is_meant("pt4k-79qx", id, "PT4K-79QX"));
        assert!(!is_meant("7b0", id, "") && !is_meant("PT4K", id, "PT4K-79QX") && !is_meant("", id, ""));
    }
}
