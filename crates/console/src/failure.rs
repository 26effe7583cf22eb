//! What can go wrong, in words for a person and as an exit code for a script.

use std::process::ExitCode;

use serde_json::json;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::language::Words;
use crate::schema::Leaf;
use crate::table;

/// How the program ended: documented in its help and in `docs/command-line.md`, and never renumbered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It was done.
    Done = 0,
    /// Something on this machine failed: a file, the terminal.
    Failed = 1,
    /// The command line is wrong.
    Usage = 2,
    /// The node says that a value is wrong.
    WrongValue = 3,
    /// The rules forbid it now.
    Refused = 4,
    /// There is no such thing, or it is not for this office to know.
    NotFound = 5,
    /// It is not permitted to this role or office.
    NotPermitted = 6,
    /// The token is missing, expired or not believed.
    NotSignedIn = 7,
    /// Some of it was done: rows or cases were refused.
    Partly = 8,
    /// Others were faster, or the node has too much to do: try again.
    TryAgain = 9,
    /// The node answers and cannot do it now: its database or broker is away.
    Unavailable = 10,
    /// No node answers.
    NoConnection = 11,
    /// The node made a mistake; its log says which.
    NodeFault = 12,
    /// The node does not run this service.
    NotServed = 13,
}

impl Exit {
    /// All of them, in order.
    pub const ALL: [Self; 14] = [
        Self::Done,
        Self::Failed,
        Self::Usage,
        Self::WrongValue,
        Self::Refused,
        Self::NotFound,
        Self::NotPermitted,
        Self::NotSignedIn,
        Self::Partly,
        Self::TryAgain,
        Self::Unavailable,
        Self::NoConnection,
        Self::NodeFault,
        Self::NotServed,
    ];

    /// The number that the program ends with.
    pub const fn number(self) -> u8 {
        self as u8
    }

    const fn of(code: Code) -> Self {
        match code {
            Code::Ok => Self::Done,
            Code::InvalidArgument | Code::OutOfRange => Self::WrongValue,
            Code::FailedPrecondition | Code::AlreadyExists => Self::Refused,
            Code::NotFound => Self::NotFound,
            Code::PermissionDenied => Self::NotPermitted,
            Code::Unauthenticated => Self::NotSignedIn,
            Code::Aborted | Code::ResourceExhausted | Code::Cancelled => Self::TryAgain,
            Code::Unavailable | Code::DeadlineExceeded => Self::Unavailable,
            Code::Unimplemented => Self::NotServed,
            Code::Internal | Code::Unknown | Code::DataLoss => Self::NodeFault,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.number())
    }
}

/// Why a command was not carried out.
#[derive(Debug)]
pub enum Failure {
    /// The command line asks for something that cannot be; the text says what, in the language of the user.
    Usage(String),
    /// Something on this machine failed.
    Own(String),
    /// No node answers at this address.
    NoConnection(String),
    /// A node answered that it cannot, or will not.
    Answered(Box<Status>),
    /// The same, for a command that may have been done before the line broke: how to repeat it without doing it twice.
    Unsure(Box<Status>, Vec<String>),
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        Self::Answered(Box::new(status))
    }
}

impl Failure {
    /// How the program ends.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) => Exit::Usage,
            Self::Own(_) => Exit::Failed,
            Self::NoConnection(_) => Exit::NoConnection,
            Self::Answered(status) | Self::Unsure(status, _) => Exit::of(status.code()),
        }
    }

    /// What a person is told. `leaves` are the fields of the request, to name the option that a field stands for.
    pub(crate) fn text(&self, words: &Words, leaves: &[Leaf]) -> String {
        let said = match self {
            Self::Usage(text) | Self::Own(text) => text.clone(),
            Self::NoConnection(address) => words.say_with("failure-no-connection", &[("address", address)]),
            Self::Answered(status) => answered(status, words, leaves),
            Self::Unsure(status, repeat) => {
                let repeat = words.say_with("failure-repeat", &[("options", &repeat.join(" "))]);
                format!("{}\n{repeat}", answered(status, words, leaves))
            }
        };
        table::paragraph(&format!("spean: {said}"))
    }

    /// The same for a script.
    pub(crate) fn json(&self) -> serde_json::Value {
        let exit_code = self.exit().number();
        let error = match self {
            Self::Usage(message) => json!({ "code": "USAGE", "message": message }),
            Self::Own(message) => json!({ "code": "FAILED", "message": message }),
            Self::NoConnection(address) => json!({ "code": "NO_CONNECTION", "message": address }),
            Self::Answered(status) => described(status),
            Self::Unsure(status, repeat) => {
                let mut error = described(status);
                error["repeat_with"] = json!(repeat);
                error
            }
        };
        json!({ "error": error, "exit_code": exit_code })
    }
}

fn described(status: &Status) -> serde_json::Value {
    let fields: Vec<_> = violations(status)
        .into_iter()
        .map(|(field, description)| json!({ "field": field, "description": description }))
        .collect();
    json!({
        "code": code_name(status.code()),
        "reason": reason(status),
        "message": status.message(),
        "fields": fields,
    })
}

/// The code as the interface writes it: `FAILED_PRECONDITION`.
fn code_name(code: Code) -> String {
    let mut name = String::new();
    for character in format!("{code:?}").chars() {
        if character.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(character.to_ascii_uppercase());
    }
    name
}

/// The reason for programs: `CONSENT_MISSING`; empty when the node gave none.
pub(crate) fn reason(status: &Status) -> String {
    status.get_details_error_info().map(|info| info.reason).unwrap_or_default()
}

fn violations(status: &Status) -> Vec<(String, String)> {
    let details = status.get_details_bad_request();
    let violations = details.map(|details| details.field_violations).unwrap_or_default();
    violations.into_iter().map(|violation| (violation.field, violation.description)).collect()
}

fn answered(status: &Status, words: &Words, leaves: &[Leaf]) -> String {
    let reason = reason(status);
    let code = if reason.is_empty() { code_name(status.code()) } else { reason.clone() };
    let known = words.find(&format!("reason-{}", crate::language::kebab(&code)));
    let mut lines = Vec::new();
    for (field, description) in violations(status) {
        let field = named(&field, leaves, words);
        let description = expectation(&description, words);
        lines.push(
            words.say_with("failure-field", &[("field", &field), ("description", &description), ("code", &code)]),
        );
    }
    if lines.is_empty() || known.is_some() {
        let message = known.unwrap_or_else(|| status.message().to_owned());
        lines.insert(0, words.say_with("failure-answered", &[("message", &message), ("code", &code)]));
    }
    lines.join("\n")
}

/// What a node expected, in the language of the user where it is one of its common sentences.
fn expectation(description: &str, words: &Words) -> String {
    let key = match description {
        "expected a value, it is required" => "expected-value",
        "expected a day that is not in the future" => "expected-past-day",
        "expected one of your offices, since you work at several" => "expected-office",
        "expected text without control characters" => "expected-plain-text",
        _ => return description.to_owned(),
    };
    words.say(key)
}

/// A field of the request as the command line calls it, with its label: `--home-place (home place)`.
fn named(field: &str, leaves: &[Leaf], words: &Words) -> String {
    match field {
        "metadata: spean-office" => return "--office".to_owned(),
        "metadata: spean-command-id" => return "--command-id".to_owned(),
        _ => (),
    }
    let plain: String =
        field.split('.').map(|part| part.split('[').next().unwrap_or(part)).collect::<Vec<_>>().join(".");
    let leaf = leaves.iter().find(|leaf| {
        let path = leaf.path();
        path == plain || path.ends_with(&format!(".{plain}")) || plain.starts_with(&format!("{path}."))
    });
    match leaf {
        Some(leaf) => format!("--{} ({})", leaf.flag, words.label(leaf.field().name())),
        None => field.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeSet, HashMap};

    use tonic_types::ErrorDetails;

    use super::*;
    use crate::language::Language;
    use crate::schema::{leaves, method};

    #[test]
    fn every_code_of_the_interface_has_an_exit_of_its_meaning() {
        let codes: BTreeSet<u8> = (0..=16).map(|code| Exit::of(Code::from_i32(code)).number()).collect();
        assert!(codes.contains(&0) && !codes.contains(&1) && !codes.contains(&2), "{codes:?}");
        for (number, exit) in Exit::ALL.iter().enumerate() {
            assert_eq!(usize::from(exit.number()), number, "{exit:?}");
        }
    }

    #[test]
    fn a_wrong_field_is_named_as_the_option_it_stands_for() {
        let mut details = ErrorDetails::with_error_info("INVALID_FIELD", "spean", HashMap::new());
        details.add_bad_request_violation("person.home_place", "expected a value, it is required");
        let status = Status::with_error_details(Code::InvalidArgument, "person.home_place: expected a value", details);
        let failure = Failure::from(status);
        assert_eq!(failure.exit(), Exit::WrongValue);
        let leaves = leaves(&method("RegisterPerson").unwrap().input());
        for language in [Language::English, Language::Khmer] {
            let text = failure.text(&Words::new(language), &leaves);
            assert!(text.contains("--home-place") && text.contains("INVALID_FIELD"), "{text}");
        }
        assert_eq!(failure.json()["error"]["fields"][0]["field"], "person.home_place");
        assert_eq!(failure.json()["exit_code"], 3);
    }

    #[test]
    fn a_refusal_without_a_message_of_ours_keeps_the_words_of_the_node() {
        let details = ErrorDetails::with_error_info("SOMETHING_NEW", "spean", HashMap::new());
        let status = Status::with_error_details(Code::FailedPrecondition, "the moon is full", details);
        let text = Failure::from(status).text(&Words::new(Language::Khmer), &[]);
        assert!(text.contains("the moon is full") && text.contains("SOMETHING_NEW"), "{text}");
    }
}
