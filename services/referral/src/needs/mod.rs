//! From a need to a service that is really given: needs, who was asked to meet them, who waits for a place and how many
//! are free. Nothing here moves a case; it only never forgets what somebody needs.

pub mod codes;
pub mod elsewhere;
pub mod need;
pub mod register;

pub(crate) mod figures;
pub(crate) mod known;
pub(crate) mod letters;
pub(crate) mod lines;
pub(crate) mod offers;
pub(crate) mod reactions;
pub(crate) mod search;
pub(crate) mod watch;
pub(crate) mod words;

use spean_eventstore::Transaction;
use spean_messaging::{Letter, Unusable};

use crate::desk::Desk;

/// Whether a letter is about needs, places or waiting lists.
pub(crate) fn is_about_needs(kind: &str) -> bool {
    letters::is_ours(kind) || TOLD_BY_OUR_SERVICES.contains(&kind)
}

const OFFERING_CHANGED: &str = "spean.directory.v1.OfferingChanged";
const AVAILABILITY_REPORTED: &str = "spean.directory.v1.AvailabilityReported";
const AVAILABILITY_CHANGED: &str = "spean.referral.v1.AvailabilityChanged";
const OCCUPANCY_CHANGED: &str = "spean.shelter.v1.OccupancyChanged";
const NEED_FOUND: &str = "spean.followup.v1.NeedFound";
const TOLD_BY_OUR_SERVICES: [&str; 5] =
    [OFFERING_CHANGED, AVAILABILITY_REPORTED, AVAILABILITY_CHANGED, OCCUPANCY_CHANGED, NEED_FOUND];

/// Applies a letter about needs, places or waiting lists.
pub(crate) async fn receive(desk: &Desk, letter: &Letter, transaction: &mut Transaction) -> Result<(), Unusable> {
    match letter.kind.as_str() {
        OFFERING_CHANGED => known::offering_changed(desk, letter, transaction).await,
        AVAILABILITY_REPORTED => known::availability_reported(desk, letter, transaction).await,
        AVAILABILITY_CHANGED => known::availability_changed(desk, letter, transaction).await,
        OCCUPANCY_CHANGED => known::occupancy_changed(desk, letter, transaction).await,
        NEED_FOUND => reactions::need_found(desk, letter, transaction).await,
        letters::CASE_TURNED => reactions::case_turned(desk, letter, transaction).await,
        letters::NEED_HANDED_OVER => reactions::need_handed_over(desk, letter, transaction).await,
        letters::NEED_SERVICE_ENDED => reactions::need_service_ended(desk, letter, transaction).await,
        letters::WAITING_POSITION_CHANGED => reactions::waiting_position_changed(desk, letter, transaction).await,
        letters::PLACE_FREE => reactions::place_free(desk, letter, transaction).await,
        letters::WAITING_GIVEN_UP => reactions::waiting_given_up(desk, letter, transaction).await,
        _ => Err(letters::refused("UNKNOWN_KIND")),
    }
}

#[cfg(test)]
mod databases;
#[cfg(test)]
pub(crate) mod golden;
