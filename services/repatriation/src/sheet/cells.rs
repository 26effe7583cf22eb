//! The cells of one row, and whom they describe.

use std::collections::{BTreeMap, BTreeSet};

use spean_chassis::field;
use spean_chassis::person::Described;
use spean_vault::{Birth, Contact, Document, Identity, Name};
use spean_vocabulary::{Date, Need, PlaceCode, Sex};

use super::birth::{self, Read};
use super::{Arriving, Column, Note, Reason, Unfit};

/// Longest text of a cell that is kept, in characters; every column has a shorter limit of its own.
pub(super) const LONGEST_TEXT: usize = 1_000;
const LONGEST_NAME: usize = 100;
const LONGEST_WORD: usize = 60;
const LONGEST_TELEPHONE: usize = 40;
/// What a paper is called whose kind was not said.
const SOME_PAPER: &str = "document";
/// Somebody older is a mistake of the list.
const OLDEST: i32 = 120;
/// Whole numbers up to here are exact in a workbook.
const EXACT: f64 = 1e15;

/// What stands in a cell.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Empty,
    Text(String),
    /// A number as a workbook keeps it: 102 may have been written 0102.
    Number(f64),
    /// A cell that a workbook shows as a day.
    Day {
        year: i32,
        month: u8,
        day: u8,
    },
    /// An error of a formula, a truth value, a text without end.
    Unreadable,
}

impl Value {
    /// A text, without the blanks around it.
    pub(super) fn text(text: &str) -> Self {
        let text = text.trim();
        if text.is_empty() { Self::Empty } else { Self::Text(text.to_owned()) }
    }

    /// As a person would read it. Empty when it cannot be read.
    pub(super) fn as_text(&self) -> String {
        match self {
            Self::Empty | Self::Unreadable => String::new(),
            Self::Text(text) => text.clone(),
            Self::Number(number) => whole(*number).map(|number| number.to_string()).unwrap_or_default(),
            Self::Day { year, month, day } => format!("{year:04}-{month:02}-{day:02}"),
        }
    }
}

/// The number, when it is a whole one.
pub(super) fn whole(number: f64) -> Option<i64> {
    let is_whole = number.is_finite() && number.abs() < EXACT && number.fract() == 0.0;
    #[expect(clippy::cast_possible_truncation, reason = "it is whole and far within the bounds")]
    is_whole.then_some(number as i64)
}

/// The cells of a row by their column.
pub(super) struct Cells(BTreeMap<Column, Value>);

impl Cells {
    pub(super) fn of(cells: Vec<Value>, columns: &[Option<Column>]) -> Result<Self, Unfit> {
        let cells = columns.iter().zip(cells).filter_map(|(column, cell)| Some(((*column)?, cell)));
        let cells: BTreeMap<_, _> = cells.filter(|(_, cell)| *cell != Value::Empty).collect();
        if cells.is_empty() { Err(Unfit::row(Reason::NoPerson)) } else { Ok(Self(cells)) }
    }

    /// What stands in a column, as a person would read it.
    pub(super) fn text_of(&self, column: Column) -> String {
        self.0.get(&column).map(Value::as_text).unwrap_or_default()
    }

    pub(super) fn arriving(&self, arrived_on: Date) -> Result<Arriving, Unfit> {
        let mut notes = BTreeSet::new();
        let identity = Identity {
            khmer: self.name(Column::FamilyNameKm, Column::GivenNameKm)?,
            latin: self.name(Column::FamilyName, Column::GivenName)?,
            sex: self.read_with(Column::Sex, Reason::SexUnknownWord, read_sex)?.unwrap_or(Sex::Unknown),
            birth: self.birth(arrived_on, &mut notes)?,
            nationality: self.read_with(Column::Nationality, Reason::NationalityMalformed, read_country)?,
            languages: vec![],
            documents: self.document()?.into_iter().collect(),
        };
        let contact = Contact {
            home_place: self.home_place(&mut notes)?,
            telephone: self.text(Column::Telephone, LONGEST_TELEPHONE)?,
            ..Contact::default()
        };
        let needs = self.read_with(Column::Needs, Reason::UnknownNeed, read_needs)?.unwrap_or_default();
        let described = Described { identity, contact, narrative: None };
        let mut codes = described.codes(arrived_on);
        match (self.0.get(&Column::DocumentKind), self.0.get(&Column::DocumentNumber)) {
            (Some(_), None) => codes.missing.push(Column::DocumentNumber.to_string()),
            (None, Some(_)) => codes.missing.push(Column::DocumentKind.to_string()),
            _ => {}
        }
        Ok(Arriving { described, codes, needs, notes })
    }

    fn text(&self, column: Column, longest: usize) -> Result<Option<String>, Unfit> {
        let malformed = Unfit::cell(Reason::TextMalformed, column);
        let Some(cell) = self.0.get(&column) else { return Ok(None) };
        let cell = Some(cell.as_text()).filter(|cell| !cell.is_empty()).ok_or(malformed)?;
        field::text(column.into(), &cell, longest).map_err(|_| malformed)
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

    /// The birth; when none is given, the year that follows from the age.
    fn birth(&self, arrived_on: Date, notes: &mut BTreeSet<Note>) -> Result<Birth, Unfit> {
        let malformed = Unfit::cell(Reason::BirthMalformed, Column::Birth);
        let birth = match self.0.get(&Column::Birth) {
            None => Birth::Unknown,
            Some(cell) => {
                let Read { birth, notes: found } = birth::read(cell).ok_or(malformed)?;
                notes.extend(found);
                birth
            }
        };
        let year = match birth {
            Birth::Unknown => None,
            Birth::Year { year, .. } => Some(year),
            Birth::On { date } => Some(date.year()),
        };
        let after_arrival = match birth {
            Birth::On { date } => date > arrived_on,
            _ => year.is_some_and(|year| year > arrived_on.year()),
        };
        if after_arrival {
            return Err(Unfit::cell(Reason::BirthAfterArrival, Column::Birth));
        }
        let age = self.read_with(Column::Age, Reason::AgeMalformed, read_age)?;
        match (year, age) {
            (None, Some(age)) => {
                notes.insert(Note::YearFromAge);
                Ok(Birth::Year { year: arrived_on.year() - age, approximate: true })
            }
            (Some(year), Some(age)) => {
                // Ages are counted in many ways; a year more or less is no contradiction.
                if (arrived_on.year() - year - age).abs() > 2 {
                    notes.insert(Note::AgeContradictsBirth);
                }
                Ok(birth)
            }
            _ => Ok(birth),
        }
    }

    /// A workbook that took the code for a number has lost its first zero. Codes have an even number of digits.
    fn home_place(&self, notes: &mut BTreeSet<Note>) -> Result<Option<PlaceCode>, Unfit> {
        let malformed = Unfit::cell(Reason::PlaceMalformed, Column::HomePlace);
        let Some(cell) = self.0.get(&Column::HomePlace) else { return Ok(None) };
        let mut code = plain_digits(&cell.as_text());
        if matches!(cell, Value::Number(_)) && code.len() % 2 == 1 {
            notes.insert(Note::PlacePadded);
            code.insert(0, '0');
        }
        code.parse().map(Some).map_err(|_| malformed)
    }

    fn read_with<T>(
        &self,
        column: Column,
        reason: Reason,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Unfit> {
        let Some(cell) = self.0.get(&column) else { return Ok(None) };
        read(&cell.as_text()).map(Some).ok_or(Unfit::cell(reason, column))
    }
}

/// Khmer and Thai digits as Latin ones.
pub(super) fn plain_digits(text: &str) -> String {
    let plain = |character: char| {
        let first = match character {
            '\u{17e0}'..='\u{17e9}' => '\u{17e0}',
            '\u{0e50}'..='\u{0e59}' => '\u{0e50}',
            _ => return character,
        };
        char::from_digit(u32::from(character) - u32::from(first), 10).unwrap_or(character)
    };
    text.chars().map(plain).collect()
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

fn read_age(cell: &str) -> Option<i32> {
    plain_digits(cell).parse().ok().filter(|age| (0..=OLDEST).contains(age))
}

fn read_country(cell: &str) -> Option<String> {
    let country = cell.to_ascii_uppercase();
    (country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase())).then_some(country)
}

fn read_needs(cell: &str) -> Option<BTreeSet<Need>> {
    let words = cell.split(';').map(str::trim).filter(|word| !word.is_empty());
    words.map(|word| word.to_ascii_lowercase().parse().ok()).collect()
}
