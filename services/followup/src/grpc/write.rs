//! Entries of the lists, as the wire has them.

use std::str::FromStr;

use spean_chassis::words::{instant, stored, write_urgency};
use spean_contracts::followup::v1 as wire;
use spean_vocabulary::{Date, Timestamp, VisitOutcome};

use super::small;
use crate::codes::{
    Check, CheckResult, Currency, DangerSign, Duty, ExtraVisitReason, Finding, FollowUpState, LossReason,
    PaymentPurpose, PaymentState, PersonFunction, Resolution, SearchAction, SupportKind, SupportOutcome, VisitPlace,
    Whereabouts,
};
use crate::lists::read_codes;
use crate::{contacts, contradictions, dangers, follow_ups, payments, posts, supervisions, supports, visits};

/// The number of a code that was stored as its text; unspecified when there is none.
fn code<T: FromStr>(text: &str, number: impl Fn(T) -> i32) -> i32 {
    text.parse().map(number).unwrap_or_default()
}

fn list<T: FromStr>(column: &str, number: impl Fn(T) -> i32) -> Vec<i32> {
    read_codes(column).into_iter().map(number).collect()
}

fn words(column: &str) -> Vec<String> {
    column.split(',').filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

const fn outcome(outcome: VisitOutcome) -> wire::VisitOutcome {
    match outcome {
        VisitOutcome::Met => wire::VisitOutcome::Met,
        VisitOutcome::Missed => wire::VisitOutcome::Missed,
        VisitOutcome::Refused => wire::VisitOutcome::Refused,
    }
}

pub(super) fn visit(entry: visits::Entry, safe_contact: String, today: Date) -> wire::Visit {
    let overdue_days = entry.overdue_days(today);
    wire::Visit {
        overdue_days,
        unreported: overdue_days > 0 && entry.outcome.is_empty(),
        case_id: entry.case_id,
        case_number: entry.case_number,
        number: small(entry.number),
        due_on: entry.due_on,
        visited_on: entry.visited_on,
        outcome: stored(&entry.outcome, outcome),
        recorded_at: entry.recorded_at.map(instant),
        safe_contact,
        first_due_on: entry.first_due_on,
        next_on: entry.next_on,
        extra: code(&entry.extra, ExtraVisitReason::on_the_wire),
        with_office_ids: words(&entry.with_offices),
        handed_over: entry.handed_over,
        contact_lost: entry.contact_lost,
        worker: entry.worker,
    }
}

pub(super) fn report(report: visits::Report) -> wire::VisitReport {
    wire::VisitReport {
        visit_id: report.visit_id,
        number: small(report.number),
        visited_on: report.visited_on,
        recorded_at: Some(instant(report.recorded_at)),
        office_id: report.office,
        staff: report.staff,
        outcome: stored(&report.outcome, outcome),
        place: code(&report.place, VisitPlace::on_the_wire),
        responsible_adult: code(&report.responsible_adult, PersonFunction::on_the_wire),
        present: list(&report.present, PersonFunction::on_the_wire),
        findings: list(&report.findings, Finding::on_the_wire),
        with_office_ids: words(&report.with_offices),
    }
}

pub(super) fn follow_up(entry: follow_ups::Entry) -> wire::FollowUp {
    wire::FollowUp {
        case_id: entry.case_id,
        case_number: entry.case_number,
        reintegrated_on: entry.reintegrated_on,
        state: code(&entry.state, FollowUpState::on_the_wire),
        since: entry.since,
        visits: small(entry.visits),
        visits_open: small(entry.visits_open),
        next_due_on: entry.next_due_on,
        handed_to_office_id: entry.handed_to,
        worker: entry.worker,
        moved_to: entry.moved_to,
    }
}

pub(super) fn danger(entry: dangers::Entry, safe_contact: String, now: Timestamp) -> wire::DangerEntry {
    wire::DangerEntry {
        plan_overdue: entry.is_overdue(now),
        danger_id: entry.danger_id,
        case_id: entry.case_id,
        case_number: entry.case_number,
        office_id: entry.office,
        signs: list(&entry.signs, DangerSign::on_the_wire),
        urgency: stored(&entry.urgency, write_urgency),
        found_on: entry.found_on,
        age_hours: now.hours_since(entry.raised_at),
        plan_due_at: Some(instant(entry.plan_due_at)),
        plan_made_on: entry.plan_made_on,
        review_on: entry.review_on,
        ended_on: entry.ended_on,
        safe_contact,
    }
}

pub(super) fn contact(entry: contacts::Entry, safe_contact: String, today: Date) -> wire::LostContact {
    let days_since = |day: &str| day.parse().map_or(0, |day: Date| today.days_since(day));
    wire::LostContact {
        age_days: days_since(&entry.lost_on).max(0),
        to_meeting: entry.to_meeting_on.parse().is_ok_and(|day: Date| day <= today),
        case_id: entry.case_id,
        case_number: entry.case_number,
        lost_on: entry.lost_on,
        reason: code(&entry.reason, LossReason::on_the_wire),
        steps: small(entry.steps),
        last_action: code(&entry.last_action, SearchAction::on_the_wire),
        last_step_on: entry.last_step_on,
        safe_contact,
        seen_by_office_id: entry.seen_by,
        seen_on: entry.seen_on,
    }
}

pub(super) fn contradiction(entry: contradictions::Entry, now: Timestamp) -> wire::ContradictionEntry {
    wire::ContradictionEntry {
        visit_id: entry.visit_id,
        case_id: entry.case_id,
        case_number: entry.case_number,
        visited_by_office_id: entry.visited_by,
        visited_on: entry.visited_on,
        seen_by_office_id: entry.seen_by,
        whereabouts: code(&entry.whereabouts, Whereabouts::on_the_wire),
        seen_on: entry.seen_on,
        age_hours: now.hours_since(entry.raised_at),
        resolution: code(&entry.resolution, Resolution::on_the_wire),
        resolved_by_office_id: entry.resolved_by,
    }
}

pub(super) fn payment(entry: payments::Entry, now: Timestamp) -> wire::PaymentEntry {
    let due_on = if entry.is_open() { entry.due_on.parse::<Date>().ok() } else { None };
    wire::PaymentEntry {
        overdue_days: due_on.map_or(0, |due_on| now.date_in_cambodia().days_since(due_on).max(0)),
        age_days: small(now.hours_since(entry.since) / 24),
        payment_id: entry.payment_id,
        fund_office_id: entry.fund,
        office_id: entry.office,
        requested_by: entry.requested_by,
        case_id: entry.case_id,
        purpose: code(&entry.purpose, PaymentPurpose::on_the_wire),
        money: Some(wire::Money { currency: code(&entry.currency, Currency::on_the_wire), amount: entry.amount }),
        state: code(&entry.state, PaymentState::on_the_wire),
        since: Some(instant(entry.since)),
        due_on: entry.due_on,
    }
}

pub(super) fn support(entry: supports::Entry, safe_contact: String, today: Date) -> wire::OutcomeEntry {
    let due_on = if entry.outcome.is_empty() { entry.due_on.parse::<Date>().ok() } else { None };
    wire::OutcomeEntry {
        overdue_days: due_on.map_or(0, |due_on| today.days_since(due_on).max(0)),
        support_id: entry.support_id,
        case_id: entry.case_id,
        case_number: entry.case_number,
        kind: code(&entry.kind, SupportKind::on_the_wire),
        given_on: entry.given_on,
        after_months: small(entry.after_months),
        due_on: entry.due_on,
        outcome: code(&entry.outcome, SupportOutcome::on_the_wire),
        seen_on: entry.seen_on,
        safe_contact,
    }
}

pub(super) fn handed_over(entry: posts::Entry, today: Date) -> wire::HandedOverItem {
    let age_days = entry.handed_over_on.parse().map_or(0, |day: Date| today.days_since(day).max(0));
    wire::HandedOverItem {
        handover_id: entry.handover_id,
        duty: code(&entry.duty, Duty::on_the_wire),
        item_id: entry.item,
        from_worker: entry.from,
        to_worker: entry.to,
        handed_over_on: entry.handed_over_on,
        age_days: if entry.acknowledged_at.is_some() { 0 } else { age_days },
        acknowledged_at: entry.acknowledged_at.map(instant),
    }
}

pub(super) fn caseload(entry: posts::Caseload) -> wire::Caseload {
    wire::Caseload {
        worker: entry.worker,
        open_cases: small(entry.open_cases),
        overdue_visits: small(entry.overdue_visits),
        unreported_visits: small(entry.unreported_visits),
        incomplete_cases: small(entry.incomplete_cases),
        open_dangers: small(entry.open_dangers),
        lost_contacts: small(entry.lost_contacts),
    }
}

pub(super) fn supervision(entry: supervisions::Entry, today: Date) -> wire::SupervisionEntry {
    wire::SupervisionEntry {
        overdue_days: entry.overdue_days(today),
        supervision_id: entry.supervision_id,
        office_id: entry.office,
        by_office_id: entry.by_office,
        worker: entry.worker,
        visited_on: entry.visited_on,
        check: code(&entry.check, Check::on_the_wire),
        result: code(&entry.result, CheckResult::on_the_wire),
        mend_by: entry.mend_by,
        outcome: code(&entry.outcome, CheckResult::on_the_wire),
        seen_on: entry.seen_on,
    }
}
