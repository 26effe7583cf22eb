//! Carries out a command: builds the request, asks the node, shows the answer.

use std::path::PathBuf;

use clap::{ArgMatches, Command};
use prost_reflect::{DynamicMessage, FieldDescriptor, MethodDescriptor, Value};
use tonic::Code;

use crate::answer;
use crate::arguments;
use crate::commands;
use crate::connection::Connection;
use crate::door;
use crate::failure::{Exit, Failure};
use crate::language::Words;
use crate::manifest;
use crate::personal;
use crate::recovery;
use crate::resolve;
use crate::schema::{self, Leaf};
use crate::table;
use crate::tasks::{self, Task};
use crate::value::{at, messages_at, text_at};

/// Carries out a command of this crate. None when the command is not one of them: then it is the program's own.
pub fn run(root: &mut Command, matches: &ArgMatches, words: &Words) -> Option<Exit> {
    let (path, matches) = chosen(matches);
    if path == "completion" {
        let shell = matches.get_one::<clap_complete::Shell>("shell").copied()?;
        clap_complete::generate(shell, root, "spean", &mut std::io::stdout());
        return Some(Exit::Done);
    }
    let task = tasks::all().find(|task| task.path == path);
    if task.is_none() && path != "call" {
        return None;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return Some(told(&Failure::Own(error.to_string()), false, &[], words)),
    };
    Some(runtime.block_on(async {
        let is_json = path == "call" || matches.get_flag("json");
        let Some(task) = task else {
            return match door::open(matches, words).await {
                Ok(json) => printed(&format!("{json:#}")),
                Err(failure) => told(&failure, is_json, &[], words),
            };
        };
        let method = schema::method(task.method).expect("a test looks for every method");
        let leaves = schema::leaves(&method.input());
        match carry_out(task, method, &leaves, matches, words).await {
            Ok(exit) => exit,
            Err(failure) => told(&failure, is_json, &leaves, words),
        }
    }))
}

/// The words of the command that was chosen, and its own options.
pub(crate) fn chosen(matches: &ArgMatches) -> (String, &ArgMatches) {
    let mut path = Vec::new();
    let mut matches = matches;
    while let Some((name, inner)) = matches.subcommand() {
        path.push(name.to_owned());
        matches = inner;
    }
    (path.join(" "), matches)
}

/// Says on standard error why something was not done, as text or as JSON, and how the program ends.
pub fn tell(failure: &Failure, is_json: bool, words: &Words) -> Exit {
    told(failure, is_json, &[], words)
}

/// Says why it was not done: for a person on standard error, for a script as JSON on standard error.
fn told(failure: &Failure, is_json: bool, leaves: &[Leaf], words: &Words) -> Exit {
    if is_json {
        eprintln!("{:#}", failure.json());
    } else {
        eprintln!("{}", failure.text(words, leaves));
    }
    failure.exit()
}

/// Prints; a reader that has gone away (`| head`) is no failure.
fn printed(text: &str) -> Exit {
    use std::io::Write as _;
    match writeln!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Exit::Failed,
        _ => Exit::Done,
    }
}

async fn carry_out(
    task: &Task,
    method: &MethodDescriptor,
    leaves: &[Leaf],
    matches: &ArgMatches,
    words: &Words,
) -> Result<Exit, Failure> {
    let is_json = matches.get_flag("json");
    let is_import = task.method == "ImportManifest";
    let connection = Connection::open(matches, words).await?;
    let mut request = DynamicMessage::new(method.input());
    let needs_today =
        !missing_days(task, leaves, matches).is_empty() || arguments::names_a_day_in_words(leaves, matches);
    let today = if needs_today { Some(connection.today().await?) } else { None };
    arguments::fill(&mut request, leaves, matches, today, words)?;
    for (field, value) in task.fixed {
        if let Some(leaf) = leaf_at(leaves, field)
            && let Some(value) = arguments::read(leaf.field(), value, None)
        {
            arguments::put(&mut request, &leaf.way, value);
        }
    }
    for leaf in missing_days(task, leaves, matches) {
        let day = today.map(|day| day.to_string()).unwrap_or_default();
        arguments::put(&mut request, &leaf.way, Value::String(day));
    }
    personal::fill(&mut request, leaves, matches, is_json, words)?;
    resolve_ids(&mut request, task, &connection, words).await?;
    let minted = if is_import { Vec::new() } else { mint_all(&mut request, task) };
    confirm(task, matches, words)?;
    if is_import {
        return manifest::import(&connection, request, matches, words).await;
    }
    if task.path == "node recovery" {
        recovery::watch(&connection, words).await?;
    }
    let answer = send_minted(&connection, method, &request, matches, &minted).await?;
    let answer = keep_only(answer, task);
    let is_partly = !schema::is_question(method) && answered_in_part(&answer);
    let exit = if is_partly { Exit::Partly } else { Exit::Done };
    let answer = save_content(answer, task, matches, words)?;
    if is_json {
        let mut json = answer::json(&answer)?;
        for (field, id) in &minted {
            if let Some(map) = json.as_object_mut() {
                map.entry(field.clone()).or_insert_with(|| id.clone().into());
            }
        }
        printed(&format!("{json:#}"));
        return Ok(exit);
    }
    printed(&answer::text(&answer, task.lists, words));
    if !minted.is_empty() {
        let named: Vec<_> = minted.iter().map(|(field, id)| (words.label(field), id.clone())).collect();
        printed(&table::fields(&named, 0));
    }
    Ok(exit)
}

/// Asks a method of the interface for a command of the program itself, with the options of [`crate::ask_options`].
///
/// # Errors
/// When no node answers, or it refuses.
pub async fn fetch(
    method: &str,
    request: &serde_json::Value,
    matches: &ArgMatches,
    words: &Words,
) -> Result<serde_json::Value, Failure> {
    let found = schema::method(method).ok_or_else(|| Failure::Own(format!("there is no method {method}")))?;
    let connection = Connection::open(matches, words).await?;
    let mut message = arguments::of_json(found.input(), request).map_err(Failure::Own)?;
    let task = tasks::task("", "", "");
    resolve_ids(&mut message, &task, &connection, words).await?;
    answer::json(&connection.ask(found, message, None).await?)
}

/// Asks, or commands with an id under which it is done once.
pub(crate) async fn send(
    connection: &Connection,
    method: &MethodDescriptor,
    request: &DynamicMessage,
    matches: &ArgMatches,
) -> Result<DynamicMessage, Failure> {
    send_minted(connection, method, request, matches, &[]).await
}

async fn send_minted(
    connection: &Connection,
    method: &MethodDescriptor,
    request: &DynamicMessage,
    matches: &ArgMatches,
    minted: &[(String, String)],
) -> Result<DynamicMessage, Failure> {
    if schema::is_question(method) {
        let most = matches.try_get_one::<u32>("limit").ok().flatten().map(|most| *most as usize);
        // Whoever says which page is wanted turns the pages alone.
        let has_page = request.has_field_by_name("page");
        let answer = if has_page {
            connection.call(method, request, None).await
        } else {
            connection.ask(method, request.clone(), most).await
        };
        return Ok(answer?);
    }
    let given = matches.try_get_one::<String>("command-id").ok().flatten().cloned();
    let command = given.unwrap_or_else(mint);
    connection.call(method, request, Some(&command)).await.map_err(|status| {
        let is_unsure = matches!(
            status.code(),
            Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled | Code::Unknown | Code::ResourceExhausted
        );
        if !is_unsure {
            return status.into();
        }
        let mut repeat = vec![format!("--command-id {command}")];
        repeat.extend(minted.iter().map(|(field, id)| format!("--{} {id}", crate::language::kebab(field))));
        Failure::Unsure(Box::new(status), repeat)
    })
}

fn leaf_at<'l>(leaves: &'l [Leaf], path: &str) -> Option<&'l Leaf> {
    leaves.iter().find(|leaf| leaf.path() == path)
}

/// The days of a task that nobody gave.
fn missing_days<'l>(task: &Task, leaves: &'l [Leaf], matches: &ArgMatches) -> Vec<&'l Leaf> {
    let days = task.today.iter().filter_map(|path| leaf_at(leaves, path));
    days.filter(|leaf| !matches!(matches.try_get_one::<String>(&leaf.flag), Ok(Some(_)))).collect()
}

/// Puts ids in place of numbers of cases and beginnings of ids.
async fn resolve_ids(
    request: &mut DynamicMessage,
    task: &Task,
    connection: &Connection,
    words: &Words,
) -> Result<(), Failure> {
    let mut ids = Vec::new();
    for (field, text) in arguments::given_ids(request) {
        // An id that this command gives to something new is taken as it stands; the register finds numbers by itself.
        let is_new = task.minted.iter().any(|path| path.rsplit('.').next() == Some(field.as_str()));
        if is_new || resolve::is_id(&text) || !resolve::is_known_by_beginning(&field) {
            continue;
        }
        let id = resolve::resolve(connection, &field, &text, words).await?;
        ids.push((field, text, id));
    }
    arguments::replace_ids(request, &ids);
    Ok(())
}

/// A new random id.
fn mint() -> String {
    let mut bytes = [0; 16];
    #[expect(clippy::disallowed_methods, reason = "a client is where ids of commands begin")]
    getrandom::fill(&mut bytes).expect("the operating system has a source of randomness");
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}

/// Gives ids to what is new; those at the top of the request are told to the user.
fn mint_all(request: &mut DynamicMessage, task: &Task) -> Vec<(String, String)> {
    let mut told = Vec::new();
    for path in task.minted {
        let parts: Vec<&str> = path.split('.').collect();
        mint_at(request, &parts, &mut told);
    }
    told
}

fn mint_at(message: &mut DynamicMessage, path: &[&str], told: &mut Vec<(String, String)>) {
    use prost_reflect::ReflectMessage as _;
    let [first, rest @ ..] = path else { return };
    let Some(field): Option<FieldDescriptor> = message.descriptor().get_field_by_name(first) else { return };
    if rest.is_empty() {
        if !message.has_field(&field) {
            let id = mint();
            told.push((field.name().to_owned(), id.clone()));
            message.set_field(&field, Value::String(id));
        }
        return;
    }
    match message.get_field_mut(&field) {
        Value::Message(inner) => mint_at(inner, rest, told),
        Value::List(values) => {
            let inner = values.iter_mut().filter_map(Value::as_message_mut);
            // Each has its own, and the answer says which is which.
            inner.for_each(|inner| mint_at(inner, rest, &mut Vec::new()));
        }
        _ => (),
    }
}

fn confirm(task: &Task, matches: &ArgMatches, words: &Words) -> Result<(), Failure> {
    if !task.is_irreversible || matches.get_flag("yes") {
        return Ok(());
    }
    if !personal::somebody_is_there() {
        return Err(Failure::Usage(words.say("failure-irreversible")));
    }
    let answer = personal::ask(&format!("{} ", words.say("ask-irreversible")))?.unwrap_or_default();
    if is_yes(&answer, words) { Ok(()) } else { Err(Failure::Usage(words.say("failure-not-confirmed"))) }
}

/// Whether somebody said yes, in their language or in English.
pub(crate) fn is_yes(answer: &str, words: &Words) -> bool {
    let answer = answer.to_lowercase();
    answer == "yes" || words.say("word-yes").split('/').any(|yes| yes == answer)
}

/// Only the rows that a command is about.
fn keep_only(mut answer: DynamicMessage, task: &Task) -> DynamicMessage {
    use prost_reflect::ReflectMessage as _;
    if task.only.is_empty() {
        return answer;
    }
    for field in answer.descriptor().fields() {
        if let Value::List(rows) = answer.get_field_mut(&field) {
            rows.retain(|row| row.as_message().is_some_and(|row| at(row, task.only).is_some()));
        } else {
            answer.clear_field(&field);
        }
    }
    answer
}

/// Whether a node did some of what was asked, and some not.
fn answered_in_part(answer: &DynamicMessage) -> bool {
    let verdicts = messages_at(answer, "verdicts");
    let was_done = |verdict: &DynamicMessage| at(verdict, "done").is_some() || at(verdict, "accepted").is_some();
    !verdicts.is_empty() && verdicts.iter().any(|verdict| !was_done(verdict))
}

/// Writes the file that an answer holds, for its owner alone, and never over another.
fn save_content(
    mut answer: DynamicMessage,
    task: &Task,
    matches: &ArgMatches,
    words: &Words,
) -> Result<DynamicMessage, Failure> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    if !commands::gives_content(task) {
        return Ok(answer);
    }
    let Some(path) = matches.get_one::<PathBuf>("output") else { return Ok(answer) };
    let content = answer.take_field_by_name("content");
    let content = content.as_ref().and_then(Value::as_bytes).cloned().unwrap_or_default();
    let file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let written = file.and_then(|mut file| file.write_all(&content));
    written.map_err(|error| {
        let (file, error) = (path.display().to_string(), error.to_string());
        Failure::Own(words.say_with("failure-file", &[("file", &file), ("error", &error)]))
    })?;
    Ok(answer)
}

/// The id of a list of arrivals, made of its content: the same list goes on where it stopped.
pub(crate) fn manifest_id(request: &DynamicMessage, office: &str) -> String {
    use prost::Message as _;
    use sha2::Digest as _;
    let given = text_at(request, "manifest_id");
    if !given.is_empty() {
        return given;
    }
    let mut named = request.clone();
    named.clear_field_by_name("preview");
    let digest = sha2::Sha256::new().chain_update(office.as_bytes()).chain_update(named.encode_to_vec()).finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid().to_string()
}
