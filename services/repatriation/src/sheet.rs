//! The file of a manifest: its header, its rows, and which of them describe somebody. Pure: the same file and day give
//! the same answer, so that an interrupted import can be taken up again.
//!
//! Every line is read for itself. A quotation mark that is never closed spoils its own line and no other; in exchange,
//! a cell cannot contain the end of a line.

use std::collections::{BTreeMap, BTreeSet};

use csv::{ReaderBuilder, StringRecord};
use spean_chassis::field;
use spean_chassis::person::{Codes, Described};
use spean_vault::{Birth, Contact, Document, Identity, Name};
use spean_vocabulary::{Date, Need, PlaceCode, Sex};
use strum::IntoEnumIterator as _;

use crate::manifest::{Column, Reason};

/// Most rows of a file, the header not counted.
pub const MOST_ROWS: usize = 5_000;
/// Most bytes of a file: 2 MiB.
pub const MOST_BYTES: usize = 2 * 1024 * 1024;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
const LONGEST_NAME: usize = 100;
const LONGEST_WORD: usize = 60;
const LONGEST_TELEPHONE: usize = 40;
/// A document number of fewer letters and digits, such as "none", tells nobody apart.
const SHORTEST_NUMBER: usize = 5;
/// What a paper is called whose kind was not said.
const SOME_PAPER: &str = "document";

/// A row of the file.
#[derive(Clone, Debug)]
pub struct Row {
    /// The line of the file, the header being line 1.
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
}

/// Why a row describes nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unfit {
    /// Why.
    pub reason: Reason,
    /// The column concerned, when one is.
    pub column: Option<Column>,
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

/// Reads a file. `arrived_on` is the day on which the people on it arrived.
///
/// # Errors
/// When the file as a whole cannot be read. A faulty row is no such reason.
pub fn read(file: &[u8], arrived_on: Date) -> Result<Vec<Row>, Unreadable> {
    if file.len() > MOST_BYTES {
        return Err(Unreadable::TooLarge);
    }
    let file = file.strip_prefix(BYTE_ORDER_MARK).unwrap_or(file);
    let text = str::from_utf8(file).map_err(|error| {
        let sound = &file[..error.valid_up_to()];
        Unreadable::NotUtf8 { line: 1 + sound.split(|byte| *byte == b'\n').count().saturating_sub(1) }
    })?;
    let mut lines = (1_u32..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    let (_, header) = lines.next().ok_or(Unreadable::NoHeader)?;
    let columns = read_header(header)?;
    let mut earlier = Earlier::default();
    let mut rows = Vec::new();
    for (line, row) in lines {
        if rows.len() == MOST_ROWS {
            return Err(Unreadable::TooManyRows);
        }
        let content = Cells::read(row, &columns).and_then(|cells| {
            let arriving = cells.arriving(arrived_on)?;
            earlier.admit(&cells)?;
            Ok(arriving)
        });
        rows.push(Row { line, content });
    }
    Ok(rows)
}

fn read_header(line: &str) -> Result<Vec<Column>, Unreadable> {
    let mut columns = Vec::new();
    for (place, name) in (1..).zip(&split(line)) {
        let column = name.trim().to_ascii_lowercase().parse().map_err(|_| Unreadable::UnknownColumn { place })?;
        if columns.contains(&column) {
            return Err(Unreadable::ColumnTwice { column });
        }
        columns.push(column);
    }
    Ok(columns)
}

/// The cells of one line.
fn split(line: &str) -> StringRecord {
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .buffer_capacity(line.len().max(1))
        .from_reader(line.as_bytes());
    let mut record = StringRecord::new();
    let read = reader.read_record(&mut record);
    read.expect("text in memory is UTF-8 and can be read, and rows may have any length");
    record
}

/// The cells of a row by their column, without the blanks around them.
struct Cells(BTreeMap<Column, String>);

impl Cells {
    fn read(line: &str, columns: &[Column]) -> Result<Self, Unfit> {
        let unfit = |reason| Err(Unfit { reason, column: None });
        // In a sound line they come in pairs, also those that stand for themselves.
        if line.matches('"').count() % 2 == 1 {
            return unfit(Reason::QuoteNotClosed);
        }
        let record = split(line);
        if record.iter().all(|cell| cell.trim().is_empty()) {
            return unfit(Reason::NoPerson);
        }
        if record.len() < columns.len() {
            return unfit(Reason::RowTooShort);
        }
        if record.iter().skip(columns.len()).any(|cell| !cell.trim().is_empty()) {
            return unfit(Reason::RowTooLong);
        }
        let cells = columns.iter().zip(&record).map(|(column, cell)| (*column, cell.trim().to_owned()));
        Ok(Self(cells.filter(|(_, cell)| !cell.is_empty()).collect()))
    }

    fn get(&self, column: Column) -> Option<&str> {
        self.0.get(&column).map(String::as_str)
    }

    fn arriving(&self, arrived_on: Date) -> Result<Arriving, Unfit> {
        let identity = Identity {
            khmer: self.name(Column::FamilyNameKm, Column::GivenNameKm)?,
            latin: self.name(Column::FamilyName, Column::GivenName)?,
            sex: self.read_with(Column::Sex, Reason::SexUnknownWord, read_sex)?.unwrap_or(Sex::Unknown),
            birth: self.birth(arrived_on)?,
            nationality: self.read_with(Column::Nationality, Reason::NationalityMalformed, read_country)?,
            languages: vec![],
            documents: self.document()?.into_iter().collect(),
        };
        let contact = Contact {
            home_place: self
                .read_with(Column::HomePlace, Reason::PlaceMalformed, |cell| cell.parse::<PlaceCode>().ok())?,
            telephone: self.text(Column::Telephone, LONGEST_TELEPHONE)?,
            ..Contact::default()
        };
        let needs = self.read_with(Column::Needs, Reason::UnknownNeed, read_needs)?.unwrap_or_default();
        let described = Described { identity, contact, narrative: None };
        let mut codes = described.codes(arrived_on);
        match (self.get(Column::DocumentKind), self.get(Column::DocumentNumber)) {
            (Some(_), None) => codes.missing.push(Column::DocumentNumber.to_string()),
            (None, Some(_)) => codes.missing.push(Column::DocumentKind.to_string()),
            _ => {}
        }
        Ok(Arriving { described, codes, needs })
    }

    fn text(&self, column: Column, longest: usize) -> Result<Option<String>, Unfit> {
        let Some(cell) = self.get(column) else { return Ok(None) };
        let text = field::text(column.into(), cell, longest);
        text.map_err(|_| Unfit { reason: Reason::TextMalformed, column: Some(column) })
    }

    fn name(&self, family: Column, given: Column) -> Result<Option<Name>, Unfit> {
        let (family, given) = (self.text(family, LONGEST_NAME)?, self.text(given, LONGEST_NAME)?);
        let known = family.is_some() || given.is_some();
        Ok(known.then(|| Name { family: family.unwrap_or_default(), given: given.unwrap_or_default() }))
    }

    fn document(&self) -> Result<Option<Document>, Unfit> {
        let kind = self.text(Column::DocumentKind, LONGEST_WORD)?.unwrap_or_else(|| SOME_PAPER.to_owned());
        let number = self.text(Column::DocumentNumber, LONGEST_WORD)?;
        Ok(number.map(|number| Document { kind, number }))
    }

    fn birth(&self, arrived_on: Date) -> Result<Birth, Unfit> {
        let birth = self.read_with(Column::Birth, Reason::BirthMalformed, read_birth)?.unwrap_or(Birth::Unknown);
        let after_arrival = match birth {
            Birth::Unknown => false,
            Birth::Year { year, .. } => year > arrived_on.year(),
            Birth::On { date } => date > arrived_on,
        };
        let unfit = Unfit { reason: Reason::BirthAfterArrival, column: Some(Column::Birth) };
        if after_arrival { Err(unfit) } else { Ok(birth) }
    }

    fn read_with<T>(
        &self,
        column: Column,
        reason: Reason,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Unfit> {
        let Some(cell) = self.get(column) else { return Ok(None) };
        read(cell).map(Some).ok_or(Unfit { reason, column: Some(column) })
    }
}

fn read_sex(word: &str) -> Option<Sex> {
    // Khmer is often typed with invisible marks between the words.
    let word: String = word.chars().filter(|character| !matches!(character, '\u{200b}'..='\u{200d}')).collect();
    match word.to_lowercase().as_str() {
        "m" | "male" | "ប្រុស" => Some(Sex::Male),
        "f" | "female" | "ស្រី" => Some(Sex::Female),
        _ => None,
    }
}

fn read_birth(cell: &str) -> Option<Birth> {
    if cell.len() == 4 && cell.bytes().all(|byte| byte.is_ascii_digit()) {
        let year = cell.parse().ok().filter(|year| *year >= 1900)?;
        return Some(Birth::Year { year, approximate: true });
    }
    cell.parse().ok().map(|date| Birth::On { date })
}

fn read_country(cell: &str) -> Option<String> {
    let country = cell.to_ascii_uppercase();
    (country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase())).then_some(country)
}

fn read_needs(cell: &str) -> Option<BTreeSet<Need>> {
    let words = cell.split(';').map(str::trim).filter(|word| !word.is_empty());
    words.map(|word| word.to_ascii_lowercase().parse().ok()).collect()
}

/// The accepted rows above, to notice who stands on the list twice.
#[derive(Default)]
struct Earlier {
    numbers: BTreeSet<String>,
    rows: BTreeSet<String>,
}

impl Earlier {
    /// Refuses somebody who stands above. Two rows without a name and a number may be alike and still be two people.
    fn admit(&mut self, cells: &Cells) -> Result<(), Unfit> {
        let number: String = cells.get(Column::DocumentNumber).unwrap_or_default().to_lowercase();
        let number: String = number.chars().filter(|character| character.is_alphanumeric()).collect();
        let is_number = number.chars().count() >= SHORTEST_NUMBER;
        let named = [Column::FamilyName, Column::GivenName, Column::FamilyNameKm, Column::GivenNameKm];
        let is_named = named.iter().any(|column| cells.get(*column).is_some());
        let row: Vec<_> = Column::iter().map(|column| cells.get(column).unwrap_or_default()).collect();
        let row = row.join("\u{1f}").to_lowercase();
        if is_number && self.numbers.contains(&number) {
            return Err(Unfit { reason: Reason::DuplicateRow, column: Some(Column::DocumentNumber) });
        }
        if is_named && self.rows.contains(&row) {
            return Err(Unfit { reason: Reason::DuplicateRow, column: None });
        }
        if is_number {
            self.numbers.insert(number);
        }
        if is_named {
            self.rows.insert(row);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
