//! What must hold of every command and every message.

use std::collections::{BTreeMap, BTreeSet};

use clap::Command;
use fluent_syntax::ast::{Entry, Expression, InlineExpression, Pattern, PatternElement};
use fluent_syntax::parser;

use crate::language::{Language, Words};
use crate::schema::{self, leaves, method};
use crate::tasks::{self, Task};
use crate::{Exit, explain, mount};

fn program(language: Language) -> Command {
    mount(Command::new("spean"), &Words::new(language))
}

/// Splits an example as a shell does, as far as examples go.
fn words_of(example: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut is_quoted = false;
    for character in example.chars() {
        match character {
            '\'' => is_quoted = !is_quoted,
            ' ' if !is_quoted => words.push(String::new()),
            character => words.last_mut().unwrap().push(character),
        }
    }
    words.into_iter().filter(|word| !word.is_empty()).collect()
}

#[test]
fn the_commands_do_not_contradict_each_other() {
    for language in [Language::English, Language::Khmer] {
        program(language).debug_assert();
    }
}

#[test]
fn every_example_can_be_typed_as_it_stands() {
    let mut program = program(Language::Khmer);
    for task in tasks::all() {
        let words = words_of(task.example);
        let matches = program.try_get_matches_from_mut(&words);
        let matches = matches.unwrap_or_else(|error| panic!("{}: {error}", task.example));
        let (path, _) = crate::run::chosen(&matches);
        assert_eq!(path, task.path, "{}", task.example);
    }
}

#[test]
fn every_task_calls_a_method_with_fields_that_it_has() {
    for task in tasks::all() {
        let method = method(task.method).unwrap_or_else(|| panic!("{}: no method {}", task.path, task.method));
        let leaves = leaves(&method.input());
        for place in task.places {
            assert!(leaves.iter().any(|leaf| crate::commands::is_at(leaf, place)), "{}: {place}", task.path);
        }
        for path in task.today.iter().chain(task.fixed.iter().map(|(path, _)| path)) {
            assert!(leaves.iter().any(|leaf| leaf.path() == *path), "{}: {path}", task.path);
        }
        for path in task.minted {
            assert!(has_path(&method.input(), path), "{}: {path}", task.path);
        }
        columns_exist(task);
    }
}

fn columns_exist(task: &Task) {
    let output = method(task.method).unwrap().output();
    for list in task.lists.split(';').filter(|list| !list.trim().is_empty()) {
        let (list, columns) = list.split_once(':').unwrap();
        let rows = output.get_field_by_name(list.trim()).unwrap_or_else(|| panic!("{}: {list}", task.path));
        let row = rows.kind().as_message().unwrap().clone();
        for column in columns.split_whitespace() {
            for path in column.split('=').next().unwrap().split('|') {
                assert!(has_path(&row, path), "{}: {path}", task.path);
            }
        }
    }
}

fn has_path(message: &prost_reflect::MessageDescriptor, path: &str) -> bool {
    let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    let Some(field) = message.get_field_by_name(first) else { return false };
    rest.is_none_or(|rest| field.kind().as_message().is_some_and(|inner| has_path(inner, rest)))
}

#[test]
fn every_method_can_be_called_and_nearly_all_have_a_command() {
    let mut program = program(Language::English);
    for (name, method) in schema::methods() {
        assert!(program.try_get_matches_from_mut(["spean", "call", name]).is_ok(), "{name}");
        assert!(crate::door::can_be_asked(method), "{name}");
    }
    let mounted: BTreeSet<_> = tasks::all().map(|task| task.method).collect();
    assert!(mounted.len() > 200, "only {} methods have a command of their own", mounted.len());
}

#[test]
fn nothing_said_about_a_person_is_an_option() {
    let program = program(Language::English);
    for task in tasks::all() {
        let words = words_of(&format!("spean {}", task.path));
        let command = words[1..].iter().fold(&program, |command, word| command.find_subcommand(word).unwrap());
        for leaf in leaves(&method(task.method).unwrap().input()).iter().filter(|leaf| leaf.is_personal()) {
            let is_option = command.get_arguments().any(|argument| argument.get_id().as_str() == leaf.flag);
            assert!(!is_option, "{}: {}", task.path, leaf.path());
            assert!(command.get_arguments().any(|argument| argument.get_id() == "personal"), "{}", task.path);
        }
    }
}

#[test]
fn every_shell_completes() {
    for language in [Language::English, Language::Khmer] {
        for shell in [clap_complete::Shell::Bash, clap_complete::Shell::Zsh, clap_complete::Shell::Fish] {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut program(language), "spean", &mut script);
            let script = String::from_utf8(script).unwrap();
            for word in ["arrival", "dead-letters", "json-request", "no-capacity"] {
                assert!(script.contains(word), "{shell}: {word}");
            }
        }
    }
}

#[test]
fn every_help_shows_an_example_and_all_exit_codes() {
    let help = |words: &[&str]| program(Language::English).try_get_matches_from(words).unwrap_err().to_string();
    let long = help(&["spean", "referral", "decline", "--help"]);
    assert!(long.contains("spean referral decline 7b0c1a2e --reason no-capacity"), "{long}");
    let root = help(&["spean", "--help"]);
    for exit in Exit::ALL {
        let line = format!("  {:>2}  ", exit.number());
        assert!(long.contains(&line) && root.contains(&line), "{exit:?}");
    }
    let khmer = program(Language::Khmer).try_get_matches_from(["spean", "referral", "--help"]).unwrap_err().to_string();
    assert!(khmer.contains("របៀបប្រើ") && khmer.contains("ពាក្យបញ្ជា"), "{khmer}");
}

#[test]
fn a_wrong_command_line_is_explained_and_help_is_no_mistake() {
    let explained = |words: &[&str]| {
        let error = program(Language::Khmer).try_get_matches_from(words).unwrap_err();
        explain(&error, &Words::new(Language::Khmer))
    };
    for wrong in [
        vec!["spean", "case"],
        vec!["spean", "case", "shoe"],
        vec!["spean", "referral", "decline", "7b0c1a2e", "--reason", "boredom"],
        vec!["spean", "referral", "decline"],
        vec!["spean", "case", "list", "--nonsense"],
        vec!["spean", "case", "list", "--limit", "0"],
    ] {
        assert_eq!(explained(&wrong), Exit::Usage, "{wrong:?}");
    }
    assert_eq!(explained(&["spean", "case", "list", "--help"]), Exit::Done);
}

/// The messages of a language: their keys, and what is put into each.
fn messages(language: Language) -> BTreeMap<String, BTreeSet<String>> {
    let mut found = BTreeMap::new();
    for text in language.texts() {
        let resource = parser::parse(*text).unwrap_or_else(|(_, errors)| panic!("{language:?}: {errors:?}"));
        for entry in resource.body {
            if let Entry::Message(message) = entry {
                let pattern = message.value.unwrap_or_else(|| panic!("{} says nothing", message.id.name));
                let before = found.insert(message.id.name.to_owned(), variables(&pattern));
                assert!(before.is_none(), "{} stands twice", message.id.name);
            }
        }
    }
    found
}

fn variables(pattern: &Pattern<&str>) -> BTreeSet<String> {
    let elements = pattern.elements.iter().filter_map(|element| match element {
        PatternElement::Placeable { expression: Expression::Inline(InlineExpression::VariableReference { id }) } => {
            Some(id.name.to_owned())
        }
        _ => None,
    });
    elements.collect()
}

#[test]
fn both_languages_say_the_same_things() {
    let (english, khmer) = (messages(Language::English), messages(Language::Khmer));
    assert!(english.len() > 600, "{}", english.len());
    assert_eq!(english, khmer);
}

#[test]
fn every_command_code_and_column_is_said_in_both_languages() {
    let english = messages(Language::English);
    let mut keys: BTreeSet<String> = tasks::all().map(Task::key).collect();
    keys.extend(tasks::GROUPS.iter().map(|(group, _)| format!("command-{group}")));
    for task in tasks::all() {
        let words: Vec<&str> = task.path.split(' ').collect();
        keys.extend((1..words.len()).map(|most| format!("command-{}", words[..most].join("-"))));
        for list in task.lists.split(';').filter_map(|list| list.split_once(':')) {
            let column = |column: &str| {
                let last = column.rsplit(['=', '|', '.']).next().unwrap();
                let first = column.split(['=', '|']).next().unwrap().rsplit('.').next().unwrap();
                let label = if column.contains('=') { last } else { first };
                format!("field-{}", label.replace('_', "-"))
            };
            keys.extend(list.1.split_whitespace().map(column));
        }
    }
    keys.extend(Exit::ALL.iter().map(|exit| format!("exit-{}", exit.number())));
    let missing: Vec<_> = keys.iter().filter(|key| !english.contains_key(*key)).collect();
    assert_eq!(missing, Vec::<&String>::new());
}

#[test]
fn every_message_that_the_program_asks_for_is_there() {
    const FAMILIES: [&str; 9] =
        ["help-", "answer-", "ask-", "failure-", "import-", "recovery-", "usage-", "expected-", "word-"];
    let english = messages(Language::English);
    let sources = [
        include_str!("answer.rs"),
        include_str!("commands.rs"),
        include_str!("connection.rs"),
        include_str!("door.rs"),
        include_str!("failure.rs"),
        include_str!("manifest.rs"),
        include_str!("personal.rs"),
        include_str!("recovery.rs"),
        include_str!("resolve.rs"),
        include_str!("run.rs"),
        include_str!("usage.rs"),
        include_str!("value.rs"),
    ];
    let mut asked = 0;
    for text in sources.iter().flat_map(|source| source.split('"').skip(1).step_by(2)) {
        let is_key = FAMILIES.iter().any(|family| text.starts_with(family)) && !text.contains(['{', ' ', '.']);
        if is_key {
            asked += 1;
            assert!(english.contains_key(text), "{text}");
        }
    }
    assert!(asked > 60, "{asked}");
}

#[test]
fn no_field_of_a_request_hides_an_option_that_all_commands_have() {
    const COMMON: [&str; 9] =
        ["node", "authority", "token-file", "office", "json", "limit", "command-id", "yes", "personal"];
    for (name, method) in schema::methods() {
        for leaf in leaves(&method.input()) {
            assert!(!COMMON.contains(&leaf.flag.as_str()), "{name}: {}", leaf.path());
        }
    }
}
