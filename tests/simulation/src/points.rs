//! The points at which tests break the program: each is a moment at which the power of a node may fail, and some of them
//! take a safety piece away.

use crate::broker::Broker;
use crate::sabotage::Sabotage;

/// Their names, as far as they lie on the way of a letter.
const POINTS: [&str; 11] = [
    "fault::put_off",
    "inbox::before_apply",
    "sabotage::archive",
    "sabotage::asking_again",
    "sabotage::inbox",
    "sabotage::letters_with_their_event",
    "sabotage::memory",
    "sabotage::quarantine",
    "sabotage::receipt_after_commit",
    "sabotage::renumbering",
    "sabotage::resending",
];

/// Lets each pass of a point be a moment of this broker's network, and takes a piece away.
pub(crate) fn set(broker: &Broker, sabotage: Option<Sabotage>) {
    for point in POINTS {
        let broker = broker.clone();
        fail::cfg_callback(point, move || broker.moment()).expect("the points of the program have sound names");
    }
    if let Some(point) = sabotage.and_then(Sabotage::point) {
        fail::cfg(point, "return").expect("the points of the program have sound names");
    }
}

/// All points are nothing again.
pub(crate) fn unset(sabotage: Option<Sabotage>) {
    POINTS.into_iter().chain(sabotage.and_then(Sabotage::point)).for_each(fail::remove);
}
