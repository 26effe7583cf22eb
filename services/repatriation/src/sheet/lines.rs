//! A list as CSV. Every line is read for itself: a quotation mark that is never closed spoils its own line and no other;
//! in exchange, a cell cannot contain the end of a line.

use csv::{ReaderBuilder, StringRecord};

use super::cells::Value;
use super::{MOST_ROWS, Reason, Table, Taken, Unfit, Unreadable, header};

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

pub(super) fn take_apart(file: &[u8]) -> Result<Table, Unreadable> {
    let file = file.strip_prefix(BYTE_ORDER_MARK).unwrap_or(file);
    let text = str::from_utf8(file).map_err(|error| {
        let sound = &file[..error.valid_up_to()];
        Unreadable::NotUtf8 { line: 1 + sound.split(|byte| *byte == b'\n').count().saturating_sub(1) }
    })?;
    let mut lines = (1_u32..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    let (_, first) = lines.next().ok_or(Unreadable::NoHeader)?;
    let columns = header::read(&split(first).iter().collect::<Vec<_>>())?;
    let mut rows = Vec::new();
    for (line, row) in lines {
        if rows.len() == MOST_ROWS {
            return Err(Unreadable::TooManyRows);
        }
        rows.push(Taken { line, cells: cells(row, columns.len()) });
    }
    Ok(Table { columns, rows })
}

fn cells(line: &str, columns: usize) -> Result<Vec<Value>, Unfit> {
    // In a sound line they come in pairs, also those that stand for themselves.
    if line.matches('"').count() % 2 == 1 {
        return Err(Unfit::row(Reason::QuoteNotClosed));
    }
    let record = split(line);
    if record.iter().all(|cell| cell.trim().is_empty()) {
        return Err(Unfit::row(Reason::NoPerson));
    }
    if record.len() < columns {
        return Err(Unfit::row(Reason::RowTooShort));
    }
    if record.iter().skip(columns).any(|cell| !cell.trim().is_empty()) {
        return Err(Unfit::row(Reason::RowTooLong));
    }
    Ok(record.iter().take(columns).map(Value::text).collect())
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
