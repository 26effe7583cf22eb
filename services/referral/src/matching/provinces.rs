//! Which provinces of Cambodia lie side by side, by their official codes; a border across open water does not count.

use spean_vocabulary::PlaceCode;

/// Each border once, the smaller code first: Banteay Meanchey 01 to Tboung Khmum 25, as the provinces have been since
/// Kampong Cham was divided at the end of 2013.
const BORDERS: [(&str, &str); 49] = [
    ("01", "02"),
    ("01", "17"),
    ("01", "22"),
    ("02", "15"),
    ("02", "17"),
    ("02", "24"),
    ("03", "04"),
    ("03", "06"),
    ("03", "08"),
    ("03", "10"),
    ("03", "14"),
    ("03", "25"),
    ("04", "05"),
    ("04", "06"),
    ("04", "08"),
    ("04", "15"),
    ("05", "07"),
    ("05", "08"),
    ("05", "09"),
    ("05", "12"),
    ("05", "15"),
    ("05", "18"),
    ("05", "21"),
    ("06", "10"),
    ("06", "13"),
    ("06", "17"),
    ("06", "19"),
    ("07", "09"),
    ("07", "18"),
    ("07", "21"),
    ("07", "23"),
    ("08", "12"),
    ("08", "14"),
    ("08", "21"),
    ("09", "15"),
    ("09", "18"),
    ("10", "11"),
    ("10", "19"),
    ("10", "25"),
    ("11", "16"),
    ("11", "19"),
    ("13", "17"),
    ("13", "19"),
    ("13", "22"),
    ("14", "20"),
    ("14", "25"),
    ("16", "19"),
    ("17", "22"),
    ("20", "25"),
];

/// Whether two provinces share a border on land.
pub fn are_neighbours(one: PlaceCode, other: PlaceCode) -> bool {
    let pair = [one.as_str(), other.as_str()];
    BORDERS.iter().any(|(first, second)| pair == [*first, *second] || pair == [*second, *first])
}
