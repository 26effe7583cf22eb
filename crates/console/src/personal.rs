//! What is said about a person in words: from a file, from standard input, or asked for one by one. Never from the
//! command line itself, which everybody on the machine can see while the program runs and which the shell keeps.

use std::io::{BufRead as _, IsTerminal as _, Read as _, Write as _};
use std::path::{Path, PathBuf};

use clap::{Arg, ArgMatches, Command, ValueHint};
use prost_reflect::{DynamicMessage, ReflectMessage as _, Value};

use crate::arguments;
use crate::connection;
use crate::failure::Failure;
use crate::language::Words;
use crate::schema::{self, Leaf};

/// The option that names the file.
const OPTION: &str = "personal";

/// Adds the option for requests that may hold such words.
pub(crate) fn option(command: Command, leaves: &[Leaf], words: &Words) -> Command {
    if !leaves.iter().any(Leaf::is_personal) {
        return command;
    }
    let paths = leaves.iter().filter(|leaf| leaf.is_personal()).map(Leaf::path).collect::<Vec<_>>().join(", ");
    command.arg(
        Arg::new(OPTION)
            .long(OPTION)
            .value_name("FILE")
            .value_hint(ValueHint::FilePath)
            .value_parser(clap::value_parser!(PathBuf))
            .help_heading(words.say("help-options"))
            .help(words.say_with("help-personal", &[("fields", &paths)])),
    )
}

/// Puts into a request what the file says, or what is answered at the terminal.
///
/// # Errors
/// When the file cannot be read or does not fit.
pub(crate) fn fill(
    request: &mut DynamicMessage,
    leaves: &[Leaf],
    matches: &ArgMatches,
    is_quiet: bool,
    words: &Words,
) -> Result<(), Failure> {
    let personal: Vec<&Leaf> = leaves.iter().filter(|leaf| leaf.is_personal()).collect();
    if personal.is_empty() {
        return Ok(());
    }
    if let Ok(Some(path)) = matches.try_get_one::<PathBuf>(OPTION) {
        let text = read(path, words)?;
        let fragment = parse(&text, request, words)?;
        arguments::merge(request, &fragment);
        return Ok(());
    }
    if is_quiet || !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Ok(());
    }
    eprintln!("{}", crate::table::paragraph(&words.say("ask-personal")));
    for leaf in personal {
        let Some(text) = ask(&question(leaf, words))? else { return Ok(()) };
        if text.is_empty() {
            continue;
        }
        let value = arguments::read(leaf.field(), &text, None);
        let value =
            value.ok_or_else(|| Failure::Usage(words.say_with("usage-value", &[("argument", &leaf.path())])))?;
        let value = if leaf.field().is_list() { Value::List(vec![value]) } else { value };
        arguments::put(request, &leaf.way, value);
    }
    Ok(())
}

fn question(leaf: &Leaf, words: &Words) -> String {
    let labels = leaf.way.iter().map(|field| words.label(field.name())).collect::<Vec<_>>();
    let labels = labels.iter().skip(usize::from(labels.len() > 1)).cloned().collect::<Vec<_>>().join(", ");
    match leaf.holds() {
        schema::Holds::Parts => format!("{labels} (kind=passport,number=...): "),
        _ => format!("{labels}: "),
    }
}

/// Asks at the terminal; none at the end of what was typed.
pub(crate) fn ask(question: &str) -> Result<Option<String>, Failure> {
    let failed = |error: std::io::Error| Failure::Own(error.to_string());
    let mut terminal = std::io::stderr();
    write!(terminal, "{question}").and_then(|()| terminal.flush()).map_err(failed)?;
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line).map_err(failed)?;
    Ok((read > 0).then(|| line.trim().to_owned()))
}

/// Whether somebody sits there who can be asked.
pub(crate) fn somebody_is_there() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

fn read(path: &Path, words: &Words) -> Result<String, Failure> {
    if path != Path::new("-") {
        return connection::read(path, words);
    }
    let mut text = String::new();
    let read = std::io::stdin().read_to_string(&mut text);
    read.map_err(|error| Failure::Own(error.to_string()))?;
    Ok(text)
}

/// Reads TOML, or JSON when it begins with a brace. What it says wrong is not repeated: it may be a name.
fn parse(text: &str, request: &DynamicMessage, words: &Words) -> Result<DynamicMessage, Failure> {
    let malformed = || Failure::Usage(words.say("failure-personal"));
    let json: serde_json::Value = if text.trim_start().starts_with('{') {
        serde_json::from_str(text).map_err(|_| malformed())?
    } else {
        toml::from_str(text).map_err(|_| malformed())?
    };
    arguments::of_json(request.descriptor(), &json).map_err(|_| malformed())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Language;
    use crate::schema::method;
    use crate::value::text_at;

    fn person(text: &str) -> Result<DynamicMessage, Failure> {
        let request = DynamicMessage::new(method("RegisterPerson").unwrap().input());
        parse(text, &request, &Words::new(Language::English))
    }

    #[test]
    fn a_person_is_read_from_toml_and_from_json() {
        let toml = "[person]\nkhmer_name = { family = \"គំរូ\", given = \"ដារ៉ា\" }\n";
        let json = r#"{ "person": { "khmer_name": { "family": "គំរូ", "given": "ដារ៉ា" } } }"#;
        for text in [toml, json] {
            assert_eq!(text_at(&person(text).unwrap(), "person.khmer_name.family"), "គំរូ");
        }
    }

    #[test]
    fn what_cannot_be_read_is_not_repeated() {
        for wrong in ["[person]\nname = \"Kumru\"", "{ \"person\": \"Kumru\" }", "Kumru"] {
            let Err(Failure::Usage(text)) = person(wrong) else { panic!("{wrong} is not a person") };
            assert!(!text.contains("Kumru"), "{text}");
        }
    }
}
