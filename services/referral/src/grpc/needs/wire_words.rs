//! Wishes, matches and reasons between the wire and the desk.

use spean_chassis::field;
use spean_chassis::status::invalid;
use spean_chassis::words::{instant, read_sex};
use spean_contracts::referral::v1 as wire;
use tonic::Status;

use crate::matching::{Match, Point};
use crate::needs::codes::OverCapacityReason;
use crate::needs::need::Preferences;
use crate::needs::words;

/// Reads why somebody is taken beyond capacity; nothing when it is not said.
pub(in crate::grpc) fn over_capacity(value: i32) -> Result<Option<OverCapacityReason>, Status> {
    match wire::OverCapacityReason::try_from(value) {
        Ok(wire::OverCapacityReason::Unspecified) => Ok(None),
        Ok(_) => Ok(words::read_over_capacity(value)),
        Err(_) => Err(invalid("over_capacity_reason", "one of the values of OverCapacityReason")),
    }
}

pub(super) fn read_preferences(path: &str, preferences: Option<wire::NeedPreferences>) -> Result<Preferences, Status> {
    let at = |field: &str| format!("{path}.{field}");
    let preferences = preferences.unwrap_or_default();
    let worker_sex = match preferences.worker_sex {
        0 => None,
        sex => Some(read_sex(&at("worker_sex"), sex)?),
    };
    let language = Some(preferences.language).filter(|language| !language.is_empty());
    if language.as_ref().is_some_and(|language| !words::is_language(language)) {
        return Err(invalid(&at("language"), "a code of ISO 639: two or three small letters"));
    }
    let reach = match wire::Reach::try_from(preferences.reach) {
        Ok(_) => words::read_reach(preferences.reach).unwrap_or_default(),
        Err(_) => return Err(invalid(&at("reach"), "one of the values of Reach")),
    };
    let near = field::parse_optional(&at("near_place"), &preferences.near_place)?;
    Ok(Preferences { worker_sex, language, near, reach })
}

pub(super) fn write_match(found: Match) -> wire::ServiceMatch {
    let points = |points: Vec<Point>| points.into_iter().map(write_point).collect();
    wire::ServiceMatch {
        offering_id: found.offering_id.to_string(),
        office_id: found.office.to_string(),
        eligible: found.is_eligible(),
        score: found.score,
        reasons_for: points(found.reasons_for),
        reasons_against: points(found.reasons_against),
        excluded_because: points(found.excluded_because),
        free_persons: found.free_persons.map(i64::from),
        as_of: found.as_of.map(instant),
    }
}

fn write_point(point: Point) -> wire::MatchPoint {
    let name = format!("MATCH_REASON_{}", <&str>::from(point.reason));
    let reason = wire::MatchReason::from_str_name(&name).unwrap_or_default();
    wire::MatchPoint { reason: reason.into(), detail: point.detail }
}
