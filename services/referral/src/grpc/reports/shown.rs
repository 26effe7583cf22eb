//! What the lists of reports hold, as the wire says it.

use spean_chassis::words::{instant, stored};
use spean_contracts::referral::v1 as wire;
use spean_vocabulary::Timestamp;

use crate::grpc::write;
use crate::reports::list::{self, Entry};
use crate::reports::wire::{write_pass_reason, write_report_state, write_stage};
use crate::reports::words::ReportState;

/// Where a report stands by all that an office knows.
pub(super) fn overall(entry: &Entry) -> Option<ReportState> {
    let state: ReportState = entry.state.parse().ok()?;
    let heard = entry.heard_state.parse().unwrap_or(ReportState::PassedOn);
    Some(if state == ReportState::PassedOn { heard.max(state) } else { state })
}

pub(super) fn is_overdue(entry: &Entry, stations: &[list::Station], now: Timestamp) -> bool {
    let now = now.as_micros();
    let unanswered = entry.state == ReportState::Received.to_string() && entry.answer_due_at <= now;
    let passed_on = entry.state == ReportState::PassedOn.to_string()
        && stations.iter().all(|station| station.said.is_empty())
        && stations.iter().any(|station| station.due_at <= now);
    unanswered || passed_on
}

pub(super) fn listed(offices: &str) -> Vec<String> {
    offices.split(',').filter(|office| !office.is_empty()).map(str::to_owned).collect()
}

pub(super) fn station(station: list::Station) -> wire::ReportStation {
    let said = if station.said.is_empty() { ReportState::PassedOn.to_string() } else { station.said };
    wire::ReportStation {
        office_id: station.office,
        passed_at: Some(instant(Timestamp::from_micros(station.passed_at))),
        answer_due_at: Some(instant(Timestamp::from_micros(station.due_at))),
        because: stored(&station.because, write_pass_reason),
        state: stored(&said, write_report_state),
        silent: station.silent,
    }
}

pub(super) fn person(person: list::Person) -> wire::PersonProgress {
    wire::PersonProgress {
        office_id: person.at_office,
        person_number: i32::try_from(person.person).unwrap_or(i32::MAX),
        stage: stored(&person.stage, write_stage),
        stage_on: person.stage_on,
        outcome: stored(&person.outcome, write::outcome),
        outcome_on: person.outcome_on,
    }
}
