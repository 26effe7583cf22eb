//! What all read models of follow-up share: lists of codes in a column, and whose case it is.

use std::fmt::Display;
use std::str::FromStr;

/// Writes codes into one column.
pub(crate) fn write_codes<T: Display>(codes: impl IntoIterator<Item = T>) -> String {
    codes.into_iter().map(|code| code.to_string()).collect::<Vec<_>>().join(",")
}

/// Reads codes from one column; what this version does not know is left out.
pub(crate) fn read_codes<T: FromStr>(column: &str) -> Vec<T> {
    column.split(',').filter_map(|code| code.parse().ok()).collect()
}

/// An optional value as its text; empty when there is none.
pub(crate) fn text<T: Display>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}
