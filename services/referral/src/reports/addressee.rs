//! Which office looks into a report.

use std::collections::BTreeSet;

use spean_identity::{Directory, Office, OfficeLevel};
use spean_vocabulary::{OfficeId, PlaceCode};

use super::report::Report;

/// The office that looks into what happens at a place: the nearest with somebody in it. A commune helps first but holds no
/// cases, so what it reports goes to the district.
pub(crate) fn responsible<'d>(directory: &'d Directory, place: &PlaceCode) -> Option<&'d Office> {
    let serving = directory.serving(place)?.office;
    if can_look_into(serving) {
        return Some(serving);
    }
    directory.ladder(&serving.id).find(|above| can_look_into(above))
}

/// Whether an office looks into reports of others.
pub(crate) fn can_look_into(office: &Office) -> bool {
    office.staffed && office.level != OfficeLevel::Commune
}

/// Who looks into a report that an office is silent about: the nearest above that was not asked already, or this office
/// itself when it stands above.
pub(crate) fn above<'d>(
    directory: &'d Directory,
    report: &Report,
    me: &OfficeId,
    silent: &OfficeId,
) -> Option<&'d Office> {
    let asked: BTreeSet<&OfficeId> = report.from().collect();
    let is_free = |office: &Office| {
        office.id == *me || (!asked.contains(&office.id) && !report.has_been_at(&office.id))
    };
    directory.ladder(silent).find(|above| can_look_into(above) && is_free(above))
}
