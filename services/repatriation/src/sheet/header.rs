//! The names that a column may go by. `docs/manifests.md` lists them for those who make the lists.

use strum::IntoEnumIterator as _;

use super::{Column, Unreadable};

/// Other names of the columns, as lists at the border and from embassies have them. Without blanks, dots, hyphens and
/// underscores, in small letters.
const OTHER_NAMES: [(&str, Option<Column>); 50] = [
    ("surname", Some(Column::FamilyName)),
    ("lastname", Some(Column::FamilyName)),
    ("family", Some(Column::FamilyName)),
    ("firstname", Some(Column::GivenName)),
    ("forename", Some(Column::GivenName)),
    ("given", Some(Column::GivenName)),
    ("familynamekhmer", Some(Column::FamilyNameKm)),
    ("surnamekhmer", Some(Column::FamilyNameKm)),
    ("នាមត្រកូល", Some(Column::FamilyNameKm)),
    ("គោត្តនាម", Some(Column::FamilyNameKm)),
    ("givennamekhmer", Some(Column::GivenNameKm)),
    ("firstnamekhmer", Some(Column::GivenNameKm)),
    ("នាមខ្លួន", Some(Column::GivenNameKm)),
    ("gender", Some(Column::Sex)),
    ("sexmf", Some(Column::Sex)),
    ("ភេទ", Some(Column::Sex)),
    ("dob", Some(Column::Birth)),
    ("birthdate", Some(Column::Birth)),
    ("dateofbirth", Some(Column::Birth)),
    ("birthday", Some(Column::Birth)),
    ("yearofbirth", Some(Column::Birth)),
    ("born", Some(Column::Birth)),
    ("ថ្ងៃខែឆ្នាំកំណើត", Some(Column::Birth)),
    ("ageyears", Some(Column::Age)),
    ("អាយុ", Some(Column::Age)),
    ("citizenship", Some(Column::Nationality)),
    ("country", Some(Column::Nationality)),
    ("សញ្ជាតិ", Some(Column::Nationality)),
    ("documenttype", Some(Column::DocumentKind)),
    ("idtype", Some(Column::DocumentKind)),
    ("passport", Some(Column::DocumentNumber)),
    ("passportno", Some(Column::DocumentNumber)),
    ("passportnumber", Some(Column::DocumentNumber)),
    ("documentno", Some(Column::DocumentNumber)),
    ("idnumber", Some(Column::DocumentNumber)),
    ("idno", Some(Column::DocumentNumber)),
    ("លេខលិខិតឆ្លងដែន", Some(Column::DocumentNumber)),
    ("home", Some(Column::HomePlace)),
    ("placecode", Some(Column::HomePlace)),
    ("homeplacecode", Some(Column::HomePlace)),
    ("phone", Some(Column::Telephone)),
    ("phonenumber", Some(Column::Telephone)),
    ("mobile", Some(Column::Telephone)),
    ("tel", Some(Column::Telephone)),
    ("ទូរស័ព្ទ", Some(Column::Telephone)),
    ("need", Some(Column::Needs)),
    // Numbers of the rows say nothing of the people in them.
    ("no", None),
    ("nr", None),
    ("#", None),
    ("លរ", None),
];

/// Reads the names of the header.
pub(super) fn read<N: AsRef<str>>(names: &[N]) -> Result<Vec<Option<Column>>, Unreadable> {
    let mut columns = Vec::new();
    for (place, name) in (1..).zip(names) {
        let column = column(name.as_ref()).map_err(|Unknown| Unreadable::UnknownColumn { place })?;
        if let Some(column) = column.filter(|column| columns.contains(&Some(*column))) {
            return Err(Unreadable::ColumnTwice { column });
        }
        columns.push(column);
    }
    Ok(columns)
}

/// A name that no column goes by.
struct Unknown;

/// The column that goes by a name; none when what stands in it is passed over.
fn column(name: &str) -> Result<Option<Column>, Unknown> {
    let plain = name.trim().to_lowercase();
    if let Ok(column) = plain.parse() {
        return Ok(Some(column));
    }
    // Khmer is often typed with invisible marks between the words.
    let left_out = [' ', '.', '-', '_', '/', '(', ')', '\u{200b}', '\u{200c}', '\u{200d}'];
    let plain: String = plain.chars().filter(|character| !left_out.contains(character)).collect();
    if let Some(column) = Column::iter().find(|column| column.to_string().replace('_', "") == plain) {
        return Ok(Some(column));
    }
    let known = OTHER_NAMES.iter().find(|(other, _)| *other == plain);
    known.map(|(_, column)| *column).ok_or(Unknown)
}
