//! Reading an edition: four texts in, an edition and a report out. No row is lost silently.

use std::collections::{BTreeMap, BTreeSet};

use csv::StringRecord;
use spean_vocabulary::{PlaceCode, PlaceLevel};
use unicode_normalization::UnicodeNormalization as _;

use super::model::{Contender, Edition, EditionYear, Place};
use super::report::{Defect, Fate, List, Reason, Report};
use super::spelling;

/// The four lists of an edition, each the text of a CSV file with a heading.
#[derive(Clone, Copy, Debug)]
pub struct Lists<'t> {
    /// Columns: province code, name in Khmer, name in Latin letters.
    pub provinces: &'t str,
    /// The same, with the district's code before its names.
    pub districts: &'t str,
    /// The same, with the commune's code as well.
    pub communes: &'t str,
    /// The same, with the village's code as well.
    pub villages: &'t str,
}

/// Why a list could not be read at all.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// The columns are not the ones that this program knows; a new shape needs new code, not a guess.
    #[error("the heading of the list of {0} is not as expected")]
    Heading(List),
    /// Not a CSV file.
    #[error("the list of {0} is not CSV")]
    NotCsv(List, #[source] csv::Error),
}

/// Reads an edition. Rows that are sound, or can be mended without a guess, become places; everything else is in the
/// report. Pure, and reads each list once from top to bottom.
pub fn import(year: EditionYear, lists: &Lists<'_>) -> Result<(Edition, Report), Unreadable> {
    let mut import = Import::new(year);
    import.list(List::Provinces, lists.provinces)?;
    import.list(List::Districts, lists.districts)?;
    import.list(List::Communes, lists.communes)?;
    import.list(List::Villages, lists.villages)?;
    import.point_out_shared_names();
    import.point_out_empty_places();
    Ok(import.finish())
}

/// The headings of the columns, in their order, and the level of the rows.
fn shape(list: List) -> (&'static [&'static str], PlaceLevel) {
    match list {
        List::Provinces => (&["province_code", "province_kh", "province_en"], PlaceLevel::Province),
        List::Districts => (&["province_code", "district_code", "district_kh", "district_en"], PlaceLevel::District),
        List::Communes => {
            (&["province_code", "district_code", "commune_code", "commune_kh", "commune_en"], PlaceLevel::Commune)
        }
        List::Villages => (
            &["province_code", "district_code", "commune_code", "village_code", "village_kh", "village_en"],
            PlaceLevel::Village,
        ),
    }
}

struct Import {
    year: EditionYear,
    places: BTreeMap<PlaceCode, Place>,
    contenders: BTreeMap<PlaceCode, Vec<Contender>>,
    origins: BTreeMap<PlaceCode, Origin>,
    report: Report,
}

/// Where a loaded place stands.
#[derive(Clone, Copy)]
struct Origin {
    list: List,
    line: u64,
    fate: Fate,
}

/// One row and what was found wrong with it so far.
struct Row<'r> {
    record: &'r StringRecord,
    line: u64,
    found: Vec<(Reason, String)>,
}

impl Row<'_> {
    fn blame(&mut self, reason: Reason, detail: impl Into<String>) {
        self.found.push((reason, detail.into()));
    }

    /// The columns with codes: all but the two names.
    fn codes(&self) -> impl DoubleEndedIterator<Item = &str> {
        (0..self.record.len().saturating_sub(2)).filter_map(|column| self.record.get(column))
    }

    /// The row's own code as written.
    fn code(&self) -> &str {
        self.codes().next_back().unwrap_or_default()
    }

    fn fate(&self) -> Fate {
        self.found.iter().map(|(reason, _)| reason.leads_to()).max().unwrap_or(Fate::LoadedAsIs)
    }
}

impl Import {
    fn new(year: EditionYear) -> Self {
        Self {
            year,
            places: BTreeMap::new(),
            contenders: BTreeMap::new(),
            origins: BTreeMap::new(),
            report: Report::new(year),
        }
    }

    fn list(&mut self, list: List, text: &str) -> Result<(), Unreadable> {
        let (columns, level) = shape(list);
        let marked = text.strip_prefix('\u{feff}');
        if marked.is_some() {
            self.report.defects.push(Defect {
                list,
                line: 1,
                code: String::new(),
                reason: Reason::ByteOrderMark,
                fate: Fate::Mended,
                detail: "before the heading".to_owned(),
            });
        }
        let text = marked.unwrap_or(text);
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
        let headings = reader.headers().map_err(|error| Unreadable::NotCsv(list, error))?;
        if headings != columns {
            return Err(Unreadable::Heading(list));
        }
        let mut record = StringRecord::new();
        while reader.read_record(&mut record).map_err(|error| Unreadable::NotCsv(list, error))? {
            let line = record.position().map_or(0, csv::Position::line);
            let mut row = Row { record: &record, line, found: Vec::new() };
            let place = if record.len() == columns.len() {
                self.place(&mut row, level)
            } else {
                row.blame(Reason::WrongNumberOfColumns, format!("{} of {}", record.len(), columns.len()));
                None
            };
            self.settle(list, &row, place);
        }
        Ok(())
    }

    /// The place that a row tells of; none when it must be left out.
    fn place(&mut self, row: &mut Row<'_>, level: PlaceLevel) -> Option<Place> {
        let name_km = clean(row, row.record.len() - 2);
        let name_en = clean(row, row.record.len() - 1);
        let Ok(code) = row.code().parse::<PlaceCode>() else {
            row.blame(Reason::CodeMalformed, both(&name_km, &name_en));
            return None;
        };
        if code.level() != level {
            row.blame(Reason::CodeOfAnotherLevel, both(&name_km, &name_en));
        }
        match (name_km.is_empty(), name_en.is_empty()) {
            (true, true) => row.blame(Reason::NameMissing, ""),
            (true, false) | (false, true) => row.blame(Reason::NameInOneLanguage, both(&name_km, &name_en)),
            (false, false) => point_out_spelling(row, &name_km, &name_en),
        }
        let under = self.under(row, &code);
        if let (Some(first), Some(origin)) = (self.places.get(&code), self.origins.get(&code)) {
            let line = origin.line;
            if (&first.name_km, &first.name_en) == (&name_km, &name_en) && first.under == under {
                row.blame(Reason::RowRepeated, format!("{}; first on line {line}", both(&name_km, &name_en)));
            } else {
                let others = both(&first.name_km, &first.name_en);
                row.blame(
                    Reason::CodeGivenTwice,
                    format!("{}; first on line {line}: {others}", both(&name_km, &name_en)),
                );
                let contender = Contender { name_km, name_en, under, line: row.line };
                self.contenders.entry(code).or_default().push(contender);
            }
            return None;
        }
        (row.fate() != Fate::NotLoaded).then_some(Place { code, name_km, name_en, edition: self.year, under })
    }

    /// The place that a row lies in: the nearest one in its columns that is listed. The columns count for more than
    /// the digits of the code, since renumbered communes keep villages with old codes; but among neighbours of one
    /// name the code decides, since such neighbours come from a number that was counted up by mistake.
    fn under(&self, row: &mut Row<'_>, code: &PlaceCode) -> Option<PlaceCode> {
        let by_code = code.parent()?;
        let columns: Vec<_> = row.codes().rev().skip(1).map(str::parse::<PlaceCode>).collect();
        let nearest = columns.first().and_then(|column| column.as_ref().ok()).copied();
        let listed = columns.iter().flatten().find(|column| self.places.contains_key(column)).copied();
        let Some(listed) = listed else {
            row.blame(Reason::NothingAboveListed, "");
            return None;
        };
        if Some(listed) != nearest {
            row.blame(Reason::ParentNotListed, format!("put under {listed}"));
        }
        let in_order = row.codes().zip(row.codes().skip(1)).all(|(larger, smaller)| smaller.starts_with(larger));
        if in_order {
            return Some(listed);
        }
        let under = if self.same_names(&listed, &by_code) { by_code } else { listed };
        row.blame(Reason::CodeDisagreesWithColumns, format!("put under {under}"));
        Some(under)
    }

    fn same_names(&self, one: &PlaceCode, other: &PlaceCode) -> bool {
        match (self.places.get(one), self.places.get(other)) {
            (Some(one), Some(other)) => (&one.name_km, &one.name_en) == (&other.name_km, &other.name_en),
            _ => false,
        }
    }

    fn settle(&mut self, list: List, row: &Row<'_>, place: Option<Place>) {
        let fate = row.fate();
        let count = &mut self.report.rows[list as usize];
        count.read += 1;
        count.mended += usize::from(fate == Fate::Mended);
        match place {
            Some(place) => {
                count.loaded += 1;
                self.origins.insert(place.code, Origin { list, line: row.line, fate });
                self.places.insert(place.code, place);
            }
            None => count.not_loaded += 1,
        }
        self.report.defects.extend(row.found.iter().map(|(reason, detail)| Defect {
            list,
            line: row.line,
            code: row.code().to_owned(),
            reason: *reason,
            fate,
            detail: detail.clone(),
        }));
    }

    fn point_out_shared_names(&mut self) {
        let mut names = BTreeMap::new();
        let mut shared = Vec::new();
        for place in self.places.values() {
            let [km, en] = [&place.name_km, &place.name_en].map(|name| {
                let first = *names.entry((place.under, name)).or_insert(place.code);
                (first != place.code).then_some(first)
            });
            shared.extend(km.or(en).map(|first| (place.code, format!("shared with {first}"))));
        }
        for (code, detail) in shared {
            self.point_out(code, Reason::NameSharedWithNeighbour, detail);
        }
    }

    fn point_out_empty_places(&mut self) {
        let filled: BTreeSet<_> = self.places.values().filter_map(|place| place.under).collect();
        let empty = self.places.values().filter(|place| place.level() != PlaceLevel::Village);
        let empty: Vec<_> = empty.filter(|place| !filled.contains(&place.code)).cloned().collect();
        for place in empty {
            self.point_out(place.code, Reason::NothingUnderneath, both(&place.name_km, &place.name_en));
        }
    }

    fn point_out(&mut self, code: PlaceCode, reason: Reason, detail: String) {
        let Origin { list, line, fate } = self.origins[&code];
        self.report.defects.push(Defect { list, line, code: code.to_string(), reason, fate, detail });
    }

    fn finish(mut self) -> (Edition, Report) {
        self.report.defects.sort_by_key(|defect| (defect.list, defect.line, defect.reason));
        (Edition::new(self.year, self.places, self.contenders), self.report)
    }
}

/// A name without what nobody can see, in composed form.
fn clean(row: &mut Row<'_>, column: usize) -> String {
    let written = row.record.get(column).unwrap_or_default();
    let visible: String = written.chars().filter(|&character| !spelling::has_no_width(character)).collect();
    let spaced = visible.split_whitespace().collect::<Vec<_>>().join(" ");
    let composed: String = spaced.nfc().collect();
    if visible != written {
        row.blame(Reason::ZeroWidthCharacter, composed.clone());
    }
    if spaced != visible {
        row.blame(Reason::NeedlessBlanks, composed.clone());
    }
    if composed != spaced {
        row.blame(Reason::NameNotComposed, composed.clone());
    }
    composed
}

/// Defects of spelling that are shown and left: only the ministry can say how a place is written.
fn point_out_spelling(row: &mut Row<'_>, name_km: &str, name_en: &str) {
    let names = both(name_km, name_en);
    let stray = |name: &str| {
        let count = |mark: char| name.matches(mark).count();
        name.contains('`')
            || count('"') % 2 == 1
            || [('(', ')'), ('‹', '›'), ('«', '»')].iter().any(|&(open, close)| count(open) != count(close))
    };
    let spelling = [
        (Reason::StrayMark, stray(name_km) || stray(name_en)),
        (Reason::KhmerSignRepeated, spelling::repeats_a_mark(name_km)),
        (Reason::KhmerSubscriptMisplaced, spelling::misplaces_a_subscript(name_km)),
        (Reason::LatinDigitInKhmerName, name_km.contains(|character: char| character.is_ascii_digit())),
        (Reason::SmallInitial, name_en.starts_with(char::is_lowercase)),
    ];
    for (reason, _) in spelling.into_iter().filter(|(_, found)| *found) {
        row.blame(reason, names.clone());
    }
}

fn both(name_km: &str, name_en: &str) -> String {
    format!("{name_km} / {name_en}")
}
