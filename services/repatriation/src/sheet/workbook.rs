//! A list as a workbook. What is unpacked is measured before it is read, and cells are read one after the other: neither
//! a file that unpacks without end nor a lone cell in the last corner of a sheet fills the memory.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _, copy, sink};
use std::panic::{AssertUnwindSafe, catch_unwind};

use calamine::{Data, DataRef, Reader as _, Xlsx};
use zip::ZipArchive;

use super::cells::{LONGEST_TEXT, Value};
use super::{MOST_COLUMNS, MOST_ROWS, MOST_UNPACKED_BYTES, Reason, Table, Taken, Unfit, Unreadable, header};

/// Most files in the archive that a workbook is.
const MOST_FILES: usize = 500;

pub(super) fn take_apart(file: &[u8]) -> Result<Table, Unreadable> {
    measure(file)?;
    // What a stranger sends may bring the reader of another project down, and must not bring this one down.
    catch_unwind(AssertUnwindSafe(|| read(file))).unwrap_or(Err(Unreadable::NotAWorkbook))
}

/// Unpacks everything to nowhere, and stops as soon as it is too much. What the archive says of itself is not believed.
fn measure(file: &[u8]) -> Result<(), Unreadable> {
    let mut archive = ZipArchive::new(Cursor::new(file)).map_err(|_| Unreadable::NotAWorkbook)?;
    if archive.len() > MOST_FILES {
        return Err(Unreadable::NotAWorkbook);
    }
    let mut unpacked = 0;
    for index in 0..archive.len() {
        let entry = archive.by_index(index).map_err(|_| Unreadable::NotAWorkbook)?;
        let mut entry = entry.take(MOST_UNPACKED_BYTES + 1 - unpacked);
        unpacked += copy(&mut entry, &mut sink()).map_err(|_| Unreadable::NotAWorkbook)?;
        if unpacked > MOST_UNPACKED_BYTES {
            return Err(Unreadable::UnpacksTooLarge);
        }
    }
    Ok(())
}

fn read(file: &[u8]) -> Result<Table, Unreadable> {
    let mut workbook: Xlsx<_> = Xlsx::new(Cursor::new(file)).map_err(|_| Unreadable::NotAWorkbook)?;
    let sheet = workbook.sheet_names().first().cloned().ok_or(Unreadable::NotAWorkbook)?;
    let mut cells = workbook.worksheet_cells_reader(&sheet).map_err(|_| Unreadable::NotAWorkbook)?;
    let mut rows: BTreeMap<u32, BTreeMap<usize, Value>> = BTreeMap::new();
    while let Some(cell) = cells.next_cell().map_err(|_| Unreadable::NotAWorkbook)? {
        let (row, column) = cell.get_position();
        let Some(value) = value(cell.get_value()) else { continue };
        let column = usize::try_from(column).ok().filter(|column| *column < MOST_COLUMNS);
        rows.entry(row).or_default().insert(column.ok_or(Unreadable::TooManyColumns)?, value);
        if rows.len() > MOST_ROWS + 1 {
            return Err(Unreadable::TooManyRows);
        }
    }
    let (_, first) = rows.pop_first().ok_or(Unreadable::NoHeader)?;
    let width = first.keys().next_back().map_or(0, |last| last + 1);
    let names: Vec<_> = (0..width).map(|place| first.get(&place).map(Value::as_text).unwrap_or_default()).collect();
    let columns = header::read(&names)?;
    let rows = rows.into_iter().map(|(row, cells)| Taken { line: row + 1, cells: in_order(cells, width) });
    Ok(Table { columns, rows: rows.collect() })
}

/// Cells at the end of a row may be left out.
fn in_order(mut cells: BTreeMap<usize, Value>, width: usize) -> Result<Vec<Value>, Unfit> {
    if cells.keys().any(|place| *place >= width) {
        return Err(Unfit::row(Reason::RowTooLong));
    }
    Ok((0..width).map(|place| cells.remove(&place).unwrap_or(Value::Empty)).collect())
}

/// What stands in a cell; of a formula what it last came to. None when it is empty.
fn value(cell: &DataRef<'_>) -> Option<Value> {
    let text = |text: &str| {
        // One long text may stand behind a million cells.
        if text.len() > 4 * LONGEST_TEXT { Value::Unreadable } else { Value::text(text) }
    };
    let value = match cell {
        DataRef::Empty => Value::Empty,
        DataRef::String(cell) | DataRef::DateTimeIso(cell) => text(cell),
        DataRef::SharedString(cell) => text(cell),
        DataRef::Int(number) => Value::text(&number.to_string()),
        DataRef::Float(number) => Value::Number(*number),
        DataRef::DateTime(day) if day.is_datetime() => {
            let (year, month, day, ..) = day.to_ymd_hms_milli();
            Value::Day { year: year.into(), month, day }
        }
        other => match Data::from(other.clone()) {
            Data::Bool(_) | Data::Error(_) | Data::DateTime(_) | Data::DurationIso(_) => Value::Unreadable,
            other => text(&other.to_string()),
        },
    };
    (value != Value::Empty).then_some(value)
}

#[cfg(test)]
mod tests;
