//! What is wrong with a command line, in the language of the user.

use std::error::Error as _;

use clap::Error;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::failure::Exit;
use crate::language::Words;

/// Explains why a command line was not understood, and how the program ends. Help and version are no mistakes and go to
/// standard output.
pub fn explain(error: &Error, words: &Words) -> Exit {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        // A reader that has gone away has seen enough.
        let _ = error.print();
        return Exit::Done;
    }
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        let _ = error.print();
        return Exit::Usage;
    }
    eprintln!("{}", crate::table::paragraph(&format!("spean: {}", text(error, words))));
    Exit::Usage
}

fn text(error: &Error, words: &Words) -> String {
    let argument = said(error, ContextKind::InvalidArg);
    let value = said(error, ContextKind::InvalidValue);
    let known = said(error, ContextKind::ValidValue);
    let sentence = match error.kind() {
        ErrorKind::MissingRequiredArgument => words.say_with("usage-missing", &[("argument", &argument)]),
        ErrorKind::UnknownArgument => words.say_with("usage-unknown", &[("argument", &argument)]),
        ErrorKind::InvalidSubcommand => {
            words.say_with("usage-command", &[("command", &said(error, ContextKind::InvalidSubcommand))])
        }
        ErrorKind::MissingSubcommand => words.say("usage-no-command"),
        ErrorKind::InvalidValue if value.is_empty() => words.say_with("usage-empty", &[("argument", &argument)]),
        ErrorKind::InvalidValue if !known.is_empty() => {
            words.say_with("usage-choice", &[("argument", &argument), ("known", &known)])
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => match error.source() {
            Some(reason) => {
                words.say_with("usage-value-because", &[("argument", &argument), ("reason", &reason.to_string())])
            }
            None => words.say_with("usage-value", &[("argument", &argument)]),
        },
        ErrorKind::ArgumentConflict => {
            words.say_with("usage-conflict", &[("argument", &argument), ("other", &said(error, ContextKind::PriorArg))])
        }
        _ => return error.render().to_string().trim_start_matches("error: ").trim_end().to_owned(),
    };
    let suggestion = [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand, ContextKind::SuggestedValue];
    let suggestion = suggestion.iter().map(|kind| said(error, *kind)).find(|said| !said.is_empty());
    let hint = suggestion.map_or_else(
        || words.say("usage-help"),
        |suggestion| words.say_with("usage-suggestion", &[("suggestion", &suggestion)]),
    );
    format!("{sentence}\n{hint}")
}

fn said(error: &Error, kind: ContextKind) -> String {
    match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::Strings(texts)) => texts.join(", "),
        _ => String::new(),
    }
}
