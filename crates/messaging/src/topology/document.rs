//! Text in the configuration language of NATS, written so that a person can read it and no value can break out of
//! its quotes.

use std::fmt::Write;
use std::path::Path;

/// Widest line of which a list or a block is still written on one line, in bytes.
const WIDEST: usize = 110;

/// A value of a setting.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Text(String),
    Number(u64),
    Flag(bool),
    List(Vec<Value>),
    Block(Block),
}

/// Settings between braces, in the order in which they were put.
#[derive(Clone, Debug, Default)]
pub(super) struct Block(Vec<Line>);

#[derive(Clone, Debug)]
enum Line {
    Note(String),
    Setting(String, Value),
    Include(String),
}

impl Block {
    pub(super) fn note(mut self, text: &str) -> Self {
        self.0.push(Line::Note(text.replace(['\n', '\r'], " ")));
        self
    }

    /// Puts a setting. The name is one of ours: a word of the language or an account's name.
    pub(super) fn set(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.push(Line::Setting(name.to_owned(), value.into()));
        self
    }

    pub(super) fn set_if(self, name: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.set(name, value),
            None => self,
        }
    }

    /// Puts all settings of another file, named as seen from the folder of this one.
    pub(super) fn include(mut self, file: &str) -> Self {
        self.0.push(Line::Include(file.to_owned()));
        self
    }

    /// The whole as a file: the settings without braces around them.
    pub(super) fn into_file(self) -> String {
        let mut file = String::new();
        self.write_lines(&mut file, 0);
        file
    }

    fn write_lines(&self, out: &mut String, depth: usize) {
        for line in &self.0 {
            let margin = "  ".repeat(depth);
            match line {
                Line::Note(text) => writeln!(out, "{margin}# {text}"),
                Line::Include(file) => writeln!(out, "{margin}include {}", quoted(file)),
                Line::Setting(name, value) => {
                    let colon = if matches!(value, Value::Block(_)) { "" } else { ":" };
                    let value = value.written(depth, margin.len() + name.len() + 2);
                    writeln!(out, "{margin}{name}{colon} {value}")
                }
            }
            .expect("writing to a string cannot fail");
        }
    }

    fn in_one_line(&self) -> Option<String> {
        let settings = self.0.iter().map(|line| match line {
            Line::Note(_) | Line::Include(_) => None,
            Line::Setting(name, value) => Some(format!("{name}: {}", value.in_one_line()?)),
        });
        let settings: Vec<String> = settings.collect::<Option<_>>()?;
        Some(if settings.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", settings.join(", ")) })
    }
}

impl Value {
    fn written(&self, depth: usize, before: usize) -> String {
        match self.in_one_line() {
            Some(line) if before + line.len() <= WIDEST => line,
            _ => self.in_many_lines(depth),
        }
    }

    fn in_one_line(&self) -> Option<String> {
        match self {
            Self::Text(text) => Some(quoted(text)),
            Self::Number(number) => Some(number.to_string()),
            Self::Flag(flag) => Some(flag.to_string()),
            Self::List(values) => {
                let values: Vec<String> = values.iter().map(Self::in_one_line).collect::<Option<_>>()?;
                Some(format!("[{}]", values.join(", ")))
            }
            Self::Block(block) => block.in_one_line(),
        }
    }

    fn in_many_lines(&self, depth: usize) -> String {
        let margin = "  ".repeat(depth);
        match self {
            Self::List(values) => {
                let mut list = String::from("[\n");
                for value in values {
                    let value = value.written(depth + 1, margin.len() + 2);
                    writeln!(list, "{margin}  {value}").expect("writing to a string cannot fail");
                }
                list + &margin + "]"
            }
            Self::Block(block) => {
                let mut lines = String::new();
                block.write_lines(&mut lines, depth + 1);
                format!("{{\n{lines}{margin}}}")
            }
            Self::Text(text) => quoted(text),
            Self::Number(number) => number.to_string(),
            Self::Flag(flag) => flag.to_string(),
        }
    }
}

/// In double quotes a dollar sign is a dollar sign and not a variable; the rest is escaped as the server reads it.
fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            other if other.is_ascii_control() => {
                write!(quoted, "\\x{:02x}", u32::from(other)).expect("writing to a string cannot fail");
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&Path> for Value {
    fn from(path: &Path) -> Self {
        Self::Text(path.display().to_string())
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<Block> for Value {
    fn from(block: Block) -> Self {
        Self::Block(block)
    }
}

impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(values: Vec<T>) -> Self {
        Self::List(values.into_iter().map(Into::into).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_end_its_own_quotes() {
        let file = Block::default().set("name", "a\" }\nport: 1 # \\").into_file();
        assert_eq!(file, "name: \"a\\\" }\\nport: 1 # \\\\\"\n");
    }

    #[test]
    fn a_note_stays_one_line() {
        assert_eq!(Block::default().note("one\nport: 1").into_file(), "# one port: 1\n");
    }

    #[test]
    fn short_blocks_and_lists_stand_on_one_line_and_long_ones_do_not() {
        let short = Block::default().set("max_file", 5u64).set("on", true);
        let long: Vec<String> = (0..12).map(|index| format!("inbox.node-{index}.>")).collect();
        let file = Block::default().set("jetstream", short).set("allow", long).into_file();
        let mut lines = file.lines();
        assert_eq!(lines.next(), Some("jetstream { max_file: 5, on: true }"));
        assert_eq!(lines.next(), Some("allow: ["));
        assert_eq!(lines.next(), Some("  \"inbox.node-0.>\""));
        assert_eq!(lines.last(), Some("]"));
    }
}
