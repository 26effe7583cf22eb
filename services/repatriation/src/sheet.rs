//! The file of a manifest: its header, its rows, and which of them describe somebody. Pure: the same file and day give
//! the same answer, so that an interrupted import can be taken up again.
//!
//! A list comes as CSV or as a workbook. Both are first taken apart into the same cells, and then read alike.

use std::collections::{BTreeMap, BTreeSet};

use spean_chassis::person::{Codes, Described};
use spean_vocabulary::{Date, Need};
use strum::IntoEnumIterator as _;

use crate::manifest::{Column, Note, Reason};

mod birth;
mod cells;
mod header;
mod lines;
mod workbook;

use cells::{Cells, Value};

/// Most rows of a file, the header not counted.
pub const MOST_ROWS: usize = 5_000;
/// Most columns of a workbook.
pub const MOST_COLUMNS: usize = 64;
/// Most bytes of a file: 2 MiB.
pub const MOST_BYTES: usize = 2 * 1024 * 1024;
/// Most bytes of a workbook when it is unpacked: 24 MiB. A list of 5,000 rows needs about four.
pub const MOST_UNPACKED_BYTES: u64 = 24 * 1024 * 1024;

/// A document number of fewer letters and digits, such as "none", tells nobody apart.
const SHORTEST_NUMBER: usize = 5;

/// A list as it was handed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum File {
    /// CSV in UTF-8.
    Csv(Vec<u8>),
    /// A workbook as Office Open XML.
    Xlsx(Vec<u8>),
}

impl File {
    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Csv(bytes) | Self::Xlsx(bytes) => bytes,
        }
    }
}

/// A row of the file.
#[derive(Clone, Debug)]
pub struct Row {
    /// The line of the file, the first being line 1.
    pub line: u32,
    /// Who it describes, or why nobody.
    pub content: Result<Arriving, Unfit>,
}

/// Somebody who is on the list.
#[derive(Clone, Debug)]
pub struct Arriving {
    /// For the vault.
    pub described: Described,
    /// For events. What is missing names also a document's number or kind when one came without the other.
    pub codes: Codes,
    /// The needs that the list names.
    pub needs: BTreeSet<Need>,
    /// What was converted or left unclear.
    pub notes: BTreeSet<Note>,
}

/// Why a row describes nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unfit {
    /// Why.
    pub reason: Reason,
    /// The column concerned, when one is.
    pub column: Option<Column>,
    /// The line above that is the same person, when one is.
    pub same_as: Option<u32>,
}

impl Unfit {
    const fn row(reason: Reason) -> Self {
        Self { reason, column: None, same_as: None }
    }

    const fn cell(reason: Reason, column: Column) -> Self {
        Self { reason, column: Some(column), same_as: None }
    }
}

/// Why the file as a whole cannot be read. Says what was expected and never repeats what was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It is too large.
    #[error("at most 2 MiB")]
    TooLarge,
    /// It is not UTF-8.
    #[error("UTF-8 (save it as \"CSV UTF-8\"); line {line} is not")]
    NotUtf8 {
        /// The first line that is not.
        line: usize,
    },
    /// It is no workbook.
    #[error("a workbook as Excel and LibreOffice save it (XLSX), without a password")]
    NotAWorkbook,
    /// It grows too large when it is unpacked.
    #[error("a workbook of at most 24 MiB when it is unpacked")]
    UnpacksTooLarge,
    /// It has too many columns.
    #[error("at most 64 columns")]
    TooManyColumns,
    /// It is empty.
    #[error("a header line with the names of the columns")]
    NoHeader,
    /// The header has a name that is none of the columns.
    #[error("known names in the header, separated by commas; name {place} is none of them")]
    UnknownColumn {
        /// Which, from 1 on.
        place: usize,
    },
    /// The header has a column twice.
    #[error("each column once; {column} stands in the header twice")]
    ColumnTwice {
        /// Which.
        column: Column,
    },
    /// It has too many rows.
    #[error("at most 5000 rows; split the file")]
    TooManyRows,
}

/// A row that was taken apart: its line, and its cells in the order of the header.
struct Taken {
    line: u32,
    cells: Result<Vec<Value>, Unfit>,
}

/// A file that was taken apart. A column of the header that is known and carries nothing for us is none.
struct Table {
    columns: Vec<Option<Column>>,
    rows: Vec<Taken>,
}

/// Reads a file. `arrived_on` is the day on which the people on it arrived.
///
/// # Errors
/// When the file as a whole cannot be read. A faulty row is no such reason.
pub fn read(file: &File, arrived_on: Date) -> Result<Vec<Row>, Unreadable> {
    if file.bytes().len() > MOST_BYTES {
        return Err(Unreadable::TooLarge);
    }
    let table = match file {
        File::Csv(bytes) => lines::take_apart(bytes)?,
        File::Xlsx(bytes) => workbook::take_apart(bytes)?,
    };
    let Table { columns, rows } = table;
    let mut earlier = Earlier::default();
    let rows = rows.into_iter().map(|Taken { line, cells }| {
        let content = cells.and_then(|cells| Cells::of(cells, &columns)).and_then(|cells| {
            let arriving = cells.arriving(arrived_on)?;
            earlier.admit(line, &cells)?;
            Ok(arriving)
        });
        Row { line, content }
    });
    Ok(rows.collect())
}

/// The accepted rows above, to notice who stands on the list twice.
#[derive(Default)]
struct Earlier {
    numbers: BTreeMap<String, u32>,
    rows: BTreeMap<String, u32>,
}

impl Earlier {
    /// Refuses somebody who stands above. Two rows without a name and a number may be alike and still be two people.
    fn admit(&mut self, line: u32, cells: &Cells) -> Result<(), Unfit> {
        let number = document_key(&cells.text_of(Column::DocumentNumber));
        let named = [Column::FamilyName, Column::GivenName, Column::FamilyNameKm, Column::GivenNameKm];
        let is_named = named.iter().any(|column| !cells.text_of(*column).is_empty());
        let row: Vec<_> = Column::iter().map(|column| cells.text_of(column)).collect();
        let row = row.join("\u{1f}").to_lowercase();
        if let Some(above) = number.as_ref().and_then(|number| self.numbers.get(number)) {
            let column = Some(Column::DocumentNumber);
            return Err(Unfit { reason: Reason::DuplicateRow, column, same_as: Some(*above) });
        }
        if let Some(above) = is_named.then(|| self.rows.get(&row)).flatten() {
            return Err(Unfit { reason: Reason::DuplicateRow, column: None, same_as: Some(*above) });
        }
        self.numbers.extend(number.map(|number| (number, line)));
        if is_named {
            self.rows.insert(row, line);
        }
        Ok(())
    }
}

/// A document number as it is compared; none when it tells nobody apart.
pub(crate) fn document_key(number: &str) -> Option<String> {
    let number: String = number.to_lowercase().chars().filter(|character| character.is_alphanumeric()).collect();
    (number.chars().count() >= SHORTEST_NUMBER && number.chars().any(char::is_numeric)).then_some(number)
}

#[cfg(test)]
mod tests;
