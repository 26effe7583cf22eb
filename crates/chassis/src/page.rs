//! Lists in pages: a token says where to go on.

use spean_contracts::vocabulary::v1::{PageRequest, PageResponse};
use tonic::Status;

use crate::field::within;
use crate::status::invalid;

/// Rows a page holds when the caller does not say.
const DEFAULT_SIZE: i32 = 50;
/// Most rows a page holds.
const LARGEST_SIZE: i64 = 200;

/// Which rows are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Most rows.
    pub size: i64,
    /// Rows to pass over.
    pub offset: i64,
}

impl Page {
    /// Reads a page request; none means the first page.
    pub fn read(request: Option<&PageRequest>) -> Result<Self, Status> {
        let Some(PageRequest { size, token }) = request else {
            return Ok(Self { size: i64::from(DEFAULT_SIZE), offset: 0 });
        };
        let size = if *size == 0 { DEFAULT_SIZE } else { *size };
        let size = within("page.size", i64::from(size), 1, LARGEST_SIZE)?;
        let offset = if token.is_empty() { Some(0) } else { token.parse().ok().filter(|offset| *offset >= 0) };
        let offset = offset.ok_or_else(|| invalid("page.token", "the next_token of the page before"))?;
        Ok(Self { size, offset })
    }

    /// How many rows to ask the database for: one more than the page holds tells whether there is another page.
    pub const fn limit(self) -> i64 {
        self.size + 1
    }

    /// Cuts the rows to the page and says where the next begins.
    pub fn cut<T>(self, mut rows: Vec<T>) -> (Vec<T>, Option<PageResponse>) {
        let size = usize::try_from(self.size).unwrap_or(usize::MAX);
        let more = rows.len() > size;
        rows.truncate(size);
        let next_token = if more { (self.offset + self.size).to_string() } else { String::new() };
        (rows, Some(PageResponse { next_token }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_walked_page_by_page_to_its_end() {
        let all: Vec<i64> = (0..120).collect();
        let mut token = String::new();
        let mut seen = Vec::new();
        loop {
            let page = Page::read(Some(&PageRequest { size: 50, token })).expect("sound");
            let from = usize::try_from(page.offset).expect("small");
            let rows = all[from..].iter().copied().take(usize::try_from(page.limit()).expect("small")).collect();
            let (rows, next) = page.cut(rows);
            seen.extend(rows);
            token = next.expect("always there").next_token;
            if token.is_empty() {
                break;
            }
        }
        assert_eq!(seen, all);
    }

    #[test]
    fn a_token_from_elsewhere_is_refused() {
        for (size, token) in [(0, "x"), (0, "-1"), (201, ""), (-1, "")] {
            assert!(Page::read(Some(&PageRequest { size, token: token.to_owned() })).is_err());
        }
    }
}
