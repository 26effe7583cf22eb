//! The table of tasks as commands with options and help.

use clap::{Arg, ArgAction, Command, ValueHint};
use prost_reflect::Kind;

use crate::arguments;
use crate::connection;
use crate::failure::Exit;
use crate::language::Words;
use crate::personal;
use crate::schema::{self, Leaf};
use crate::tasks::{self, Task};

/// Adds the commands of this crate to a program. A group that the program has already, such as `node`, keeps its own
/// commands and gets the others beside them.
#[must_use]
pub fn mount(root: Command, words: &Words) -> Command {
    let mut root = root;
    for (group, tasks) in tasks::GROUPS {
        let tree = Tree::of(tasks, 1);
        if root.find_subcommand(group).is_some() {
            let about = words.say(&format!("command-{group}"));
            let own_commands = |own: Command| own.mut_subcommands(|command| framed(command, words));
            root = root.mut_subcommand(group, |own| {
                let own = framed(own_commands(own).about(about).disable_help_subcommand(true), words);
                tree.under(own, group, words)
            });
        } else {
            let own = tree.under(group_command(group, group, words), group, words);
            root = root.subcommand(own);
        }
    }
    root.subcommand(call(words)).subcommand(completion(words)).after_long_help(exit_codes(words))
}

/// The options that say which node is asked, for a command of the program itself that asks one.
#[must_use]
pub fn ask_options(command: Command, words: &Words) -> Command {
    connection::options(command, words)
}

/// Commands that begin with the same words.
struct Tree {
    leaves: Vec<&'static Task>,
    branches: Vec<(&'static str, Tree)>,
}

impl Tree {
    fn of(tasks: &'static [Task], depth: usize) -> Self {
        Self::grown(&tasks.iter().collect::<Vec<_>>(), depth)
    }

    fn grown(tasks: &[&'static Task], depth: usize) -> Self {
        let word = |task: &'static Task| task.path.split(' ').nth(depth).unwrap_or_default();
        let is_leaf = |task: &&&'static Task| task.path.split(' ').count() == depth + 1;
        let leaves = tasks.iter().filter(is_leaf).copied().collect();
        let mut names: Vec<&'static str> = Vec::new();
        for task in tasks.iter().filter(|task| !is_leaf(task)) {
            if !names.contains(&word(task)) {
                names.push(word(task));
            }
        }
        let branch = |name: &&'static str| {
            let below: Vec<_> = tasks.iter().filter(|task| !is_leaf(task) && word(task) == *name).copied().collect();
            (*name, Self::grown(&below, depth + 1))
        };
        Self { leaves, branches: names.iter().map(branch).collect() }
    }

    fn under(&self, command: Command, path: &str, words: &Words) -> Command {
        let command = self.leaves.iter().fold(command, |command, task| command.subcommand(leaf(task, words)));
        self.branches.iter().fold(command, |command, (name, tree)| {
            let path = format!("{path}-{name}");
            command.subcommand(tree.under(group_command(name, &path, words), &path, words))
        })
    }
}

fn group_command(name: &str, path: &str, words: &Words) -> Command {
    let command = Command::new(name.to_owned())
        .about(words.say(&format!("command-{path}")))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .disable_help_subcommand(true)
        .subcommand_help_heading(words.say("help-commands"))
        .subcommand_value_name(words.say("help-command"));
    framed(command, words)
}

/// Help and its frame in the language of the user.
fn framed(command: Command, words: &Words) -> Command {
    let usage = words.say("help-usage");
    let template = format!("{{about-with-newline}}\n{usage} {{usage}}\n\n{{all-args}}{{after-help}}");
    let help = Arg::new("help").short('h').long("help").action(ArgAction::Help).help(words.say("help-help"));
    command
        .disable_help_flag(true)
        .help_template(template)
        .max_term_width(100)
        .arg(help.help_heading(words.say("help-options")))
}

fn leaf(task: &Task, words: &Words) -> Command {
    let method = schema::method(task.method).expect("a test looks for every method");
    let leaves = schema::leaves(&method.input());
    let name = task.path.rsplit(' ').next().unwrap_or(task.path);
    let mut command = Command::new(name).about(words.say(&task.key()));
    command = options(command, task, &leaves, words);
    command = personal::option(command, &leaves, words);
    let options = words.say("help-options");
    if gives_content(task) {
        command = command.arg(
            Arg::new("output")
                .long("output")
                .value_name("FILE")
                .value_hint(ValueHint::FilePath)
                .value_parser(clap::value_parser!(std::path::PathBuf))
                .required(true)
                .help(words.say("help-output"))
                .help_heading(options.clone()),
        );
    }
    if method.input().get_field_by_name("page").is_some() {
        command = command.arg(
            Arg::new("limit")
                .long("limit")
                .value_name("ROWS")
                .value_parser(clap::value_parser!(u32).range(1..))
                .help(words.say("help-limit"))
                .help_heading(options.clone()),
        );
    }
    if task.is_irreversible || task.method == "ImportManifest" {
        command = command.arg(flag("yes", "help-yes", words));
    }
    if !schema::is_question(method) {
        command = command.arg(
            Arg::new("command-id")
                .long("command-id")
                .value_name("UUID")
                .help(words.say("help-command-id"))
                .help_heading(options),
        );
    }
    finished(command, task.example, words)
}

/// An option for each field that is not given by its place, said by the command or personal.
fn options(command: Command, task: &Task, leaves: &[Leaf], words: &Words) -> Command {
    leaves.iter().fold(command, |command, leaf| {
        let path = leaf.path();
        let is_said = task.fixed.iter().any(|(field, _)| *field == path);
        if is_said || leaf.is_personal() || (task.method == "ImportManifest" && path == "xlsx") {
            return command;
        }
        let place = task.places.iter().position(|place| is_at(leaf, place)).map(|place| place + 1);
        command.arg(arguments::argument(leaf, place, words))
    })
}

/// Whether a place of a task means this field: by its path, or by its name alone.
pub(crate) fn is_at(leaf: &Leaf, place: &str) -> bool {
    leaf.path() == place || leaf.field().name() == place && leaf.way.len() == 2
}

/// Whether the answer holds a file, which is written to a file and never to a terminal.
pub(crate) fn gives_content(task: &Task) -> bool {
    let output = schema::method(task.method).map(prost_reflect::MethodDescriptor::output);
    output.is_some_and(|output| output.fields().any(|field| matches!(field.kind(), Kind::Bytes)))
}

fn flag(name: &'static str, key: &str, words: &Words) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue).help(words.say(key)).help_heading(words.say("help-options"))
}

/// What all commands that ask a node have in common.
fn finished(command: Command, example: &str, words: &Words) -> Command {
    let command = command.arg(flag("json", "help-json", words));
    let after = format!("{}\n  {example}", words.say("help-example"));
    framed(connection::options(command, words), words)
        .after_help(after.clone())
        .after_long_help(format!("{after}\n\n{}", exit_codes(words)))
}

/// The exit codes and what they mean.
fn exit_codes(words: &Words) -> String {
    let lines = Exit::ALL.map(|exit| {
        let meaning = words.say(&format!("exit-{}", exit.number()));
        format!("  {:>2}  {meaning}", exit.number())
    });
    format!("{}\n{}", words.say("help-exit-codes"), lines.join("\n"))
}

fn call(words: &Words) -> Command {
    let command = Command::new("call")
        .about(words.say("command-call"))
        .arg(
            Arg::new("method")
                .index(1)
                .value_name("METHOD")
                .required_unless_present("list")
                .help(words.say("help-method"))
                .help_heading(words.say("help-what")),
        )
        .arg(
            Arg::new("json-request")
                .long("json-request")
                .value_name("FILE")
                .value_hint(ValueHint::FilePath)
                .help(words.say("help-json-request"))
                .help_heading(words.say("help-options")),
        )
        .arg(flag("list", "help-list", words))
        .arg(flag("describe", "help-describe", words))
        .arg(
            Arg::new("command-id")
                .long("command-id")
                .value_name("UUID")
                .help(words.say("help-command-id"))
                .help_heading(words.say("help-options")),
        );
    finished(command, "spean call GetOffer --json-request '{\"offer_id\": \"7b0c1a2e-...\"}'", words)
}

fn completion(words: &Words) -> Command {
    let command = Command::new("completion").about(words.say("command-completion")).arg(
        Arg::new("shell")
            .index(1)
            .required(true)
            .value_parser(clap::value_parser!(clap_complete::Shell))
            .help(words.say("help-shell"))
            .help_heading(words.say("help-what")),
    );
    let example = format!(
        "{}\n  spean completion bash > ~/.local/share/bash-completion/completions/spean",
        words.say("help-example")
    );
    framed(command, words).after_help(example)
}
