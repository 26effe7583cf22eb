//! The places of Cambodia: official lists of provinces, districts, communes and villages, edition by edition.
//!
//! An edition is a folder of four CSV files beside this crate's sources. Codes change between editions and an address
//! keeps the code it was written with, so a [`Gazetteer`] holds any number of editions and says which of them know a
//! code. The lists have defects; [`import()`] loads what is sound and [`Report`] tells of the rest, row by row.

mod amend;
mod import;
mod model;
mod report;
mod search;
mod spelling;

use std::sync::LazyLock;

pub use import::{Lists, Unreadable, import};
pub use model::{Contender, Edition, EditionYear, Gazetteer, Place, PlaceKey};
pub use report::{Defect, Fate, List, Reason, Report, RowCount};
pub use search::{Hit, Match, Query};

/// The lists of 2025 as they were published. See the `NOTICE` beside them for their source and terms.
const LISTS_2025: Lists<'static> = Lists {
    provinces: include_str!("../gazetteer/2025/CambodiaProvinceList2025.csv"),
    districts: include_str!("../gazetteer/2025/CambodiaDistrictList2025.csv"),
    communes: include_str!("../gazetteer/2025/CambodiaCommuneList2025.csv"),
    villages: include_str!("../gazetteer/2025/CambodiaVillagesList2025.csv"),
};

/// Where the shipped lists come from and on what terms; to be shown wherever they are.
pub const NOTICE_2025: &str = include_str!("../gazetteer/2025/NOTICE");

static SHIPPED: LazyLock<(Gazetteer, Vec<Report>)> = LazyLock::new(|| {
    let (edition, report) = import(EditionYear(2025), &LISTS_2025).expect("the shipped lists are read by the tests");
    (Gazetteer::of([edition]), vec![report])
});

/// All editions that this program ships; read on first use.
pub fn shipped() -> &'static Gazetteer {
    &SHIPPED.0
}

/// What reading the shipped editions brought to light, the oldest edition first.
pub fn shipped_reports() -> &'static [Report] {
    &SHIPPED.1
}
