//! The points at which tests break the program: each takes a safety piece away.

use crate::sabotage::Sabotage;

/// Takes a piece away.
pub(crate) fn set(sabotage: Option<Sabotage>) {
    if let Some(point) = sabotage.and_then(Sabotage::point) {
        fail::cfg(point, "return").expect("the points of the program have sound names");
    }
}

/// All points are nothing again.
pub(crate) fn unset(sabotage: Option<Sabotage>) {
    if let Some(point) = sabotage.and_then(Sabotage::point) {
        fail::remove(point);
    }
}
