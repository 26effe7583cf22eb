//! A clock that a test moves from outside the process that reads it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A file that says by how many microseconds the clock of a node is ahead of the real one (behind, when negative).
///
/// The file holds the number as text. It is replaced in one step, so a reader never sees half a number.
#[derive(Debug)]
pub struct ShiftedClock {
    path: PathBuf,
}

impl ShiftedClock {
    /// A clock that shows the real time, with its file in this folder.
    pub fn new(folder: &Path) -> Self {
        let clock = Self { path: folder.join("clock-offset") };
        clock.set(0);
        clock
    }

    /// The file to tell the node of.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// By how many microseconds it is ahead.
    pub fn offset_us(&self) -> i64 {
        let text = fs::read_to_string(&self.path).expect("the clock's file can be read");
        text.trim().parse().expect("the clock's file holds a number of microseconds")
    }

    /// Puts it ahead by exactly this many microseconds, or behind.
    pub fn set(&self, offset_us: i64) {
        let new = self.path.with_extension("new");
        fs::write(&new, offset_us.to_string()).expect("the clock's file can be written");
        fs::rename(&new, &self.path).expect("the clock's file can be replaced");
    }

    /// Lets time pass.
    pub fn advance(&self, by: Duration) {
        let by = i64::try_from(by.as_micros()).expect("a test lets less than 300,000 years pass");
        self.set(self.offset_us() + by);
    }

    /// Puts it back, as happens to a computer whose battery is empty.
    pub fn put_back(&self, by: Duration) {
        let by = i64::try_from(by.as_micros()).expect("a test puts a clock back by less than 300,000 years");
        self.set(self.offset_us() - by);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moved_clock_stays_moved_until_it_is_moved_again() {
        let folder = crate::a_folder();
        let clock = ShiftedClock::new(folder.path());
        assert_eq!(clock.offset_us(), 0);
        clock.advance(Duration::from_hours(1));
        clock.put_back(Duration::from_millis(1));
        assert_eq!(fs::read_to_string(clock.path()).unwrap(), "3599999000");
    }
}
