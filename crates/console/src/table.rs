//! Tables and paragraphs that fit a small terminal, also in Khmer, whose signs stand above, below and inside each other.

use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthChar as _;

/// The widest line, in columns.
pub(crate) const WIDTH: usize = 80;
/// Blanks between two columns.
const GAP: usize = 2;
/// No column with content is made narrower than this.
const NARROWEST: usize = 6;

/// How many columns a text takes: the sum of its characters, as most terminals reckon. One that draws a cluster of
/// characters into a single cell shows a narrower line, never a wider one.
pub(crate) fn width(text: &str) -> usize {
    text.chars().map(|character| character.width().unwrap_or(0)).sum()
}

/// A table under its header; as one block for each row when its columns do not fit side by side. The first column is not
/// broken, so that a number or an id in it can be copied.
pub(crate) fn table(header: &[String], rows: &[Vec<String>]) -> String {
    let used: Vec<usize> =
        (0..header.len()).filter(|column| rows.iter().any(|row| !cell(row, *column).is_empty())).collect();
    let header: Vec<String> = used.iter().map(|column| clean(&header[*column])).collect();
    let rows: Vec<Vec<String>> =
        rows.iter().map(|row| used.iter().map(|column| clean(cell(row, *column))).collect()).collect();
    match widths(&header, &rows) {
        Some(widths) => beside(&header, &rows, &widths),
        None => rows.iter().map(|row| block(&header, row)).collect::<Vec<_>>().join("\n\n"),
    }
}

/// Names and values below each other, those without a value left out.
pub(crate) fn fields(named: &[(String, String)], indent: usize) -> String {
    let named: Vec<(String, String)> = named
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (clean(name), clean_lines(value)))
        .collect();
    let longest = named.iter().map(|(name, _)| width(name)).max().unwrap_or(0).min(WIDTH / 3);
    let mut lines = Vec::new();
    for (name, value) in &named {
        let room = WIDTH.saturating_sub(indent + longest + GAP);
        let labels = wrap(name, longest);
        let values: Vec<String> = value.lines().flat_map(|line| wrap(line, room)).collect();
        for line in 0..labels.len().max(values.len()) {
            let name = labels.get(line).map_or("", String::as_str);
            let value = values.get(line).map_or("", String::as_str);
            let text = format!("{}{}{}{value}", " ".repeat(indent), padded(name, longest), " ".repeat(GAP));
            lines.push(text.trim_end().to_owned());
        }
    }
    lines.join("\n")
}

/// A paragraph.
pub(crate) fn paragraph(text: &str) -> String {
    clean_lines(text).lines().flat_map(|line| wrap(line, WIDTH)).collect::<Vec<_>>().join("\n")
}

/// Breaks a text into lines of at most so many columns: at blanks and hyphens where it has any, else between clusters.
/// Khmer has no blanks between words, and a sign must not be torn from the letter that it belongs to.
fn wrap(text: &str, room: usize) -> Vec<String> {
    let room = room.max(2);
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        for (nth, piece) in word.split_inclusive('-').enumerate() {
            let blank = usize::from(used > 0 && nth == 0);
            if used > 0 && used + blank + width(piece) > room {
                lines.push(String::new());
                used = 0;
            } else if blank > 0 {
                lines.last_mut().expect("there is a line").push(' ');
                used += 1;
            }
            for cluster in piece.graphemes(true) {
                let wide = width(cluster);
                if used + wide > room && used > 0 {
                    lines.push(String::new());
                    used = 0;
                }
                // A cluster that is wider than the room on its own is no writing.
                if wide <= room {
                    lines.last_mut().expect("there is a line").push_str(cluster);
                    used += wide;
                }
            }
        }
    }
    lines
}

fn cell(row: &[String], column: usize) -> &str {
    row.get(column).map_or("", String::as_str)
}

/// Without anything that moves the cursor or colours the terminal: what others wrote is shown, never obeyed.
fn clean(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}

fn clean_lines(text: &str) -> String {
    text.lines().map(clean).collect::<Vec<_>>().join("\n")
}

/// The width of each column; none when they cannot stand side by side.
fn widths(header: &[String], rows: &[Vec<String>]) -> Option<Vec<usize>> {
    let wanted = |column: usize| {
        let cells = rows.iter().map(|row| width(&row[column]));
        cells.chain([width(&header[column])]).max().unwrap_or(0)
    };
    let mut widths: Vec<usize> = (0..header.len()).map(wanted).collect();
    let room = WIDTH.checked_sub(GAP * header.len().saturating_sub(1))?;
    while widths.iter().sum::<usize>() > room {
        let (column, widest) = widths.iter().copied().enumerate().skip(1).max_by_key(|(_, wide)| *wide)?;
        if widest <= NARROWEST {
            return None;
        }
        widths[column] = widest - 1;
    }
    Some(widths)
}

fn beside(header: &[String], rows: &[Vec<String>], widths: &[usize]) -> String {
    let mut lines = line(header, widths);
    lines.push(widths.iter().map(|wide| "-".repeat(*wide)).collect::<Vec<_>>().join(&" ".repeat(GAP)));
    lines.extend(rows.iter().flat_map(|row| line(row, widths)));
    lines.join("\n")
}

fn line(cells: &[String], widths: &[usize]) -> Vec<String> {
    let wrapped: Vec<Vec<String>> = cells.iter().zip(widths).map(|(cell, wide)| wrap(cell, *wide)).collect();
    let height = wrapped.iter().map(Vec::len).max().unwrap_or(0);
    let nth = |nth: usize| {
        let cells = wrapped.iter().zip(widths);
        let cells = cells.map(|(lines, wide)| padded(lines.get(nth).map_or("", String::as_str), *wide));
        cells.collect::<Vec<_>>().join(&" ".repeat(GAP)).trim_end().to_owned()
    };
    (0..height).map(nth).collect()
}

fn block(header: &[String], row: &[String]) -> String {
    let named: Vec<(String, String)> = header.iter().cloned().zip(row.iter().cloned()).collect();
    fields(&named, 0)
}

fn padded(text: &str, wide: usize) -> String {
    format!("{text}{}", " ".repeat(wide.saturating_sub(width(text))))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use unicode_width::UnicodeWidthStr;

    use super::*;

    /// Whether a terminal that reckons by characters, or by clusters, shows no line wider than it should.
    fn fits(text: &str) -> bool {
        let by_clusters = |line: &str| line.graphemes(true).map(UnicodeWidthStr::width).sum::<usize>();
        text.lines().all(|line| width(line) <= WIDTH && by_clusters(line) <= WIDTH)
    }

    fn content() -> impl Strategy<Value = String> {
        prop_oneof![
            "[a-z0-9 -]{0,60}",
            "[\u{1780}-\u{17a2}]([\u{17b6}-\u{17d1}]|\u{17d2}[\u{1780}-\u{17a2}]){0,40}",
            "([\u{1780}-\u{17a2}][\u{17b6}\u{17c1}]?){0,30}",
            "\\PC{0,40}",
            ".{0,40}",
        ]
    }

    /// A header, and rows that begin with an id.
    fn a_table() -> impl Strategy<Value = (Vec<String>, Vec<Vec<String>>)> {
        (1_usize..14).prop_flat_map(|columns| {
            let rest = proptest::collection::vec(content(), columns - 1);
            let row = ("[0-9a-f]{0,36}", rest).prop_map(|(id, rest)| [vec![id], rest].concat());
            let header = proptest::collection::vec("[a-z\u{1780}-\u{17a2}]{1,20}", columns);
            (header, proptest::collection::vec(row, 0..6))
        })
    }

    proptest! {
        #[test]
        fn no_table_is_wider_than_a_small_terminal(whole in a_table()) {
            let (header, rows) = whole;
            let text = table(&header, &rows);
            prop_assert!(fits(&text), "{text}");
        }

        #[test]
        fn no_paragraph_and_no_field_is_wider_either(
            text in content(),
            named in proptest::collection::vec((content(), content()), 0..6),
        ) {
            prop_assert!(fits(&paragraph(&text)));
            prop_assert!(fits(&fields(&named, 4)));
        }

        #[test]
        fn khmer_is_broken_between_clusters_only(
            text in "([\u{1780}-\u{17a2}](\u{17d2}[\u{1780}-\u{17a2}])?[\u{17b6}\u{17c6}]?){1,80}"
        ) {
            let clusters: Vec<&str> = text.graphemes(true).collect();
            let lines = wrap(&text, 12);
            let broken: Vec<&str> = lines.iter().flat_map(|line| line.graphemes(true)).collect();
            prop_assert_eq!(broken, clusters);
        }
    }

    #[test]
    fn an_id_in_the_first_column_stays_whole() {
        let id = "5d1e2f30-0000-4000-8000-000000000001";
        let row = [id, "transfer reintegration follow-up emergency", "poipet-transit to ta-khmau-district", "open"];
        let header: Vec<String> = ["offer", "what", "between", "state"].map(str::to_owned).to_vec();
        let text = table(&header, &[row.map(str::to_owned).to_vec()]);
        assert!(fits(&text) && text.contains(id), "{text}");
    }

    #[test]
    fn what_a_stranger_wrote_does_not_move_the_cursor() {
        let text = paragraph("before\u{1b}[2Jafter");
        assert!(!text.contains('\u{1b}'), "{text:?}");
    }
}
