//! What was wrong with the lists: one line per defect, and a count of every row.

use std::fmt;

use serde::Serialize;
use strum::{Display, EnumIter};

use super::model::EditionYear;

/// One of the four lists of an edition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Display, EnumIter)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum List {
    /// The provinces and the capital.
    Provinces,
    /// The districts.
    Districts,
    /// The communes.
    Communes,
    /// The villages.
    Villages,
}

/// Why a row, or a whole list, is not as it should be. A closed list, so that its counts can be compared by machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Display, EnumIter)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Reason {
    /// The row has more or fewer columns than its heading.
    WrongNumberOfColumns,
    /// The code is not made of 2, 4, 6 or 8 digits.
    CodeMalformed,
    /// The code is that of another level than the list's.
    CodeOfAnotherLevel,
    /// An earlier row has the same code and the same names.
    RowRepeated,
    /// An earlier row gives the same code to a place of another name.
    CodeGivenTwice,
    /// The place has no name at all.
    NameMissing,
    /// None of the places that it should lie in is listed.
    NothingAboveListed,
    /// The list begins with a byte-order mark.
    ByteOrderMark,
    /// The code does not begin with the code of the place that the row's own columns name.
    CodeDisagreesWithColumns,
    /// The place that it lies in is not listed; it was put under the next larger one.
    ParentNotListed,
    /// A name holds characters of no width.
    ZeroWidthCharacter,
    /// A name has blanks at its ends, or several in a row.
    NeedlessBlanks,
    /// A name is not in the composed form of Unicode (NFC).
    NameNotComposed,
    /// The place has a name in one language only.
    NameInOneLanguage,
    /// A name holds a stray mark: a backquote, or a quotation mark or bracket without its partner.
    StrayMark,
    /// A Khmer sign stands there twice in a row.
    KhmerSignRepeated,
    /// A Khmer subscript is written after the vowel that it belongs before.
    KhmerSubscriptMisplaced,
    /// A Latin digit stands in a Khmer name.
    LatinDigitInKhmerName,
    /// The name in Latin letters begins with a small letter.
    SmallInitial,
    /// A place beside it in the same larger place already has its Khmer or its Latin name.
    NameSharedWithNeighbour,
    /// No place of the next level lies in it.
    NothingUnderneath,
}

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Display)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Fate {
    /// Loaded as it stands; the defect is only pointed out.
    LoadedAsIs,
    /// Loaded with a correction.
    Mended,
    /// Left out.
    NotLoaded,
}

impl Reason {
    /// What this defect alone leads to.
    pub const fn leads_to(self) -> Fate {
        match self {
            Self::WrongNumberOfColumns
            | Self::CodeMalformed
            | Self::CodeOfAnotherLevel
            | Self::RowRepeated
            | Self::CodeGivenTwice
            | Self::NameMissing
            | Self::NothingAboveListed => Fate::NotLoaded,
            Self::ByteOrderMark
            | Self::CodeDisagreesWithColumns
            | Self::ParentNotListed
            | Self::ZeroWidthCharacter
            | Self::NeedlessBlanks
            | Self::NameNotComposed => Fate::Mended,
            Self::NameInOneLanguage
            | Self::StrayMark
            | Self::KhmerSignRepeated
            | Self::KhmerSubscriptMisplaced
            | Self::LatinDigitInKhmerName
            | Self::SmallInitial
            | Self::NameSharedWithNeighbour
            | Self::NothingUnderneath => Fate::LoadedAsIs,
        }
    }
}

/// One thing that is wrong in one place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Defect {
    /// The list it stands in.
    pub list: List,
    /// Its line in the list, where the heading is line 1.
    pub line: u64,
    /// The row's code exactly as written; empty when the defect is the whole list's.
    pub code: String,
    /// What is wrong.
    pub reason: Reason,
    /// What became of the row, all its defects taken together.
    pub fate: Fate,
    /// What helps to correct the list: the names, the other row, the place it was put under.
    pub detail: String,
}

/// What became of the rows of one list. `read` is always `loaded` plus `not_loaded`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RowCount {
    /// Rows below the heading.
    pub read: usize,
    /// Rows that became a place.
    pub loaded: usize,
    /// Rows among the loaded that needed a correction.
    pub mended: usize,
    /// Rows that were left out, each with a reason.
    pub not_loaded: usize,
}

/// What reading one edition brought to light. Prints as CSV, one line per defect, in the order of the lists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The edition that was read.
    pub edition: EditionYear,
    /// Everything that is wrong, in the order of the lists and their lines.
    pub defects: Vec<Defect>,
    pub(super) rows: [RowCount; 4],
}

impl Report {
    pub(super) fn new(edition: EditionYear) -> Self {
        Self { edition, defects: Vec::new(), rows: [RowCount::default(); 4] }
    }

    /// What became of the rows of a list.
    pub fn rows(&self, list: List) -> RowCount {
        self.rows[list as usize]
    }

    /// How often a defect occurs in a list.
    pub fn count(&self, list: List, reason: Reason) -> usize {
        self.defects.iter().filter(|defect| defect.list == list && defect.reason == reason).count()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "edition,list,line,code,reason,fate,detail")?;
        for Defect { list, line, code, reason, fate, detail } in &self.defects {
            let (code, detail) = (Quoted(code), Quoted(detail));
            writeln!(formatter, "{},{list},{line},{code},{reason},{fate},{detail}", self.edition)?;
        }
        Ok(())
    }
}

/// A field of a CSV line. Quoted always: a name may hold commas and quotation marks.
struct Quoted<'t>(&'t str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "\"{}\"", self.0.replace('"', "\"\""))
    }
}
