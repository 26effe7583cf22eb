//! Answers as tables of at most 80 columns, or as JSON.

use comfy_table::{ColumnConstraint, ContentArrangement, Table, presets};
use prost_types::Timestamp as WireTimestamp;
use serde::Serialize;
use spean_vocabulary::Timestamp;

/// Widest table, in columns: half a screen, and what a small terminal shows.
const WIDTH: u16 = 80;

/// How answers are printed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Output {
    pub(super) json: bool,
}

/// A line of a table.
pub(super) trait Row: Serialize {
    /// The names of the columns. The first column is never broken, so that an id in it can be copied.
    const HEADER: &'static [&'static str];

    fn cells(&self) -> Vec<String>;
}

impl Output {
    /// Prints a list.
    pub(super) fn list<R: Row>(self, rows: &[R]) -> anyhow::Result<()> {
        if self.json {
            println!("{}", serde_json::to_string_pretty(rows)?);
        } else if rows.is_empty() {
            println!("Nothing.");
        } else {
            println!("{}", table(R::HEADER, rows.iter().map(Row::cells)));
        }
        Ok(())
    }

    /// Prints one thing: as JSON whole, else by its named fields, those without a value left out.
    pub(super) fn one(self, whole: &impl Serialize, fields: &[(&str, String)]) -> anyhow::Result<()> {
        if self.json {
            println!("{}", serde_json::to_string_pretty(whole)?);
        } else {
            let known = fields.iter().filter(|(_, value)| !value.is_empty());
            println!("{}", table(&[], known.map(|(name, value)| vec![(*name).to_owned(), value.clone()])));
        }
        Ok(())
    }
}

fn table(header: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_width(WIDTH);
    if !header.is_empty() {
        table.set_header(header.iter().map(|name| name.to_uppercase()));
    }
    table.add_rows(rows);
    if let Some(first) = table.column_mut(0) {
        first.set_constraint(ColumnConstraint::ContentWidth);
        first.set_padding((0, 1));
    }
    let text = table.to_string();
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// A word of a protobuf enum without its prefix: `BOUND` of `OFFER_STATE_BOUND` as `bound`; empty when unspecified.
pub(super) fn word(name: &str, prefix: &str) -> String {
    match name.strip_prefix(prefix).unwrap_or(name) {
        "UNSPECIFIED" => String::new(),
        word => word.to_ascii_lowercase(),
    }
}

/// An instant in UTC, to the second; empty when there is none.
pub(super) fn instant(at: Option<&WireTimestamp>) -> String {
    let micros = at.and_then(|at| at.seconds.checked_mul(1_000_000));
    micros.map(|micros| Timestamp::from_micros(micros).to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_fits_a_small_terminal_and_keeps_ids_whole() {
        let id = "5d1e2f30-0000-4000-8000-000000000001";
        let cells =
            [id, "PT4K-79QX", "transfer reintegration_follow_up emergency", "poipet-transit to ta-khmau", "open"];
        let row = cells.map(str::to_owned).to_vec();
        let text = table(&["offer", "case", "what", "between", "state"], [row.clone(), row].into_iter());
        assert!(text.lines().all(|line| line.chars().count() <= usize::from(WIDTH)), "{text}");
        assert_eq!(text.matches(id).count(), 2, "{text}");
    }

    #[test]
    fn words_of_the_wire_become_words_for_people() {
        assert_eq!(word("OFFER_STATE_BOUND", "OFFER_STATE_"), "bound");
        assert_eq!(word("NEED_UNSPECIFIED", "NEED_"), "");
        let at = WireTimestamp { seconds: 1_795_300_200, nanos: 999 };
        assert_eq!(instant(Some(&at)), "2026-11-21T22:30:00Z");
    }
}
