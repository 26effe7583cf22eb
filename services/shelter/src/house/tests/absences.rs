//! Specifications of beds and absences: away, looked for, back, or heard of.

use super::*;

fn record_absence(since: &str, reason: AbsenceReason) -> Command {
    let absence = Absence { since: day(since), reason, expected_back_on: None };
    Command::RecordAbsence { admission_id: id(1), absence, tracing_after_days: 3 }
}

fn come_back(on: &str) -> Command {
    Command::RecordReturn { admission_id: id(1), returned_on: day(on) }
}

fn release(on: &str) -> Command {
    Command::ReleaseBed { admission_id: id(1), released_on: day(on), after_days: 14 }
}

fn found(on: &str, outcome: ContactOutcome) -> Command {
    Command::RecordContact { admission_id: id(1), found_on: day(on), outcome }
}

fn released(on: &str) -> Event {
    Event::BedReleased { admission_id: id(1), released_on: day(on) }
}

/// The shelter in the evening of a day.
fn on(day: &str) -> Context {
    let noon = Timestamp::from_micros(1_788_238_800_000_000);
    let days = day.parse::<Date>().unwrap().days_since(noon.date_in_cambodia());
    Context { now: noon.plus_days(days.into()), ..the_shelter() }
}

fn a_resident() -> Vec<Event> {
    vec![declared(&[(GIRLS, 1)]), admitted(1, 2, GIRLS, "2026-09-01"), counted(1, 1)]
}

fn after(events: impl IntoIterator<Item = Event>) -> Vec<Event> {
    a_resident().into_iter().chain(events).collect()
}

#[test]
fn a_bed_is_for_one_sleeper() {
    let assign = |stay: u8, bed: &str| Command::AssignBed { admission_id: id(stay), bed: bed.parse().unwrap() };
    let assigned = Event::BedAssigned { admission_id: id(1), bed: "a-1".parse().unwrap() };
    given::<House>(a_resident()).when(&the_shelter(), assign(1, "a-1")).then([assigned.clone()]);
    let two =
        [declared(&[(GIRLS, 2)]), admitted(1, 2, GIRLS, "2026-09-01"), admitted(3, 4, GIRLS, "2026-09-01"), assigned];
    given::<House>(two.clone()).when(&the_shelter(), assign(3, "a-1")).then_error(&Error::BedTaken);
    let third = Admission { bed: Some("a-1".parse().unwrap()), ..a_girl(5, 6, "2026-09-02") };
    given::<House>(two.into_iter().chain([declared(&[(GIRLS, 3)])]))
        .when(&the_shelter(), Command::Admit(third))
        .then_error(&Error::BedTaken);
    given::<House>(after([exited(ExitKind::Moved, "2026-09-03", None)]))
        .when(&the_shelter(), assign(1, "a-1"))
        .then_error(&Error::StayIsOver);
}

#[test]
fn a_full_house_takes_somebody_in_for_a_reason_that_is_written_down() {
    let reason = Some(OverCapacity::Danger);
    let mut over = admitted(3, 4, GIRLS, "2026-09-02");
    if let Event::Admitted { over_capacity, .. } = &mut over {
        *over_capacity = reason;
    }
    let admission = Admission { over_capacity: reason, ..a_girl(3, 4, "2026-09-02") };
    given::<House>(a_resident()).when(&the_shelter(), Command::Admit(admission.clone())).then([over, counted(1, 2)]);
    given::<House>([declared(&[(GIRLS, 1)])])
        .when(&the_shelter(), Command::Admit(admission))
        .then([admitted(3, 4, GIRLS, "2026-09-02"), counted(1, 1)]);
}

#[test]
fn an_absence_ends_nothing_and_the_person_is_looked_for_after_some_days() {
    given::<House>(a_resident())
        .when(&on("2026-09-05"), record_absence("2026-09-03", AbsenceReason::OwnWill))
        .then([away("2026-09-03", AbsenceReason::OwnWill)]);
    let begin = Command::BeginTracing { admission_id: id(1), after_days: 3 };
    let history = after([away("2026-09-03", AbsenceReason::OwnWill)]);
    given::<House>(history.clone()).when(&on("2026-09-05"), begin.clone()).then_nothing();
    given::<House>(history).when(&on("2026-09-06"), begin.clone()).then([lost("2026-09-03", "2026-09-06")]);
    given::<House>(after([away("2026-09-03", AbsenceReason::OwnWill), back("2026-09-04")]))
        .when(&on("2026-09-06"), begin)
        .then_nothing();
}

#[test]
fn an_absence_that_was_entered_late_is_looked_into_at_once_and_so_is_an_abduction() {
    given::<House>(a_resident())
        .when(&on("2026-09-20"), record_absence("2026-09-03", AbsenceReason::Unknown))
        .then([away("2026-09-03", AbsenceReason::Unknown), lost("2026-09-03", "2026-09-06")]);
    given::<House>(a_resident())
        .when(&on("2026-09-03"), record_absence("2026-09-03", AbsenceReason::Abducted))
        .then([away("2026-09-03", AbsenceReason::Abducted), lost("2026-09-03", "2026-09-03")]);
}

#[test]
fn a_visit_that_was_agreed_is_waited_for_until_its_end() {
    let absence = Absence {
        since: day("2026-09-03"),
        reason: AbsenceReason::HomeVisit,
        expected_back_on: Some(day("2026-09-10")),
    };
    let recorded = Event::AbsenceRecorded { admission_id: id(1), case_id: id(2), absence };
    given::<House>(a_resident())
        .when(&on("2026-09-12"), Command::RecordAbsence { admission_id: id(1), absence, tracing_after_days: 3 })
        .then([recorded.clone()]);
    given::<House>(after([recorded]))
        .when(&on("2026-09-13"), Command::BeginTracing { admission_id: id(1), after_days: 3 })
        .then([lost("2026-09-03", "2026-09-13")]);
}

#[test]
fn one_absence_at_a_time_and_none_before_the_person_was_here() {
    let history = after([away("2026-09-03", AbsenceReason::OwnWill)]);
    let now = on("2026-09-05");
    let again = record_absence("2026-09-03", AbsenceReason::OwnWill);
    given::<House>(history.clone()).when(&now, again).then_nothing();
    let otherwise = record_absence("2026-09-03", AbsenceReason::Hospital);
    given::<House>(history.clone()).when(&now, otherwise).then_error(&Error::AbsenceAlreadyRecorded);
    let another = record_absence("2026-09-04", AbsenceReason::OwnWill);
    given::<House>(history.clone()).when(&now, another.clone()).then_error(&Error::AwayAlready);
    given::<House>(history.into_iter().chain([back("2026-09-05")]))
        .when(&now, another)
        .then_error(&Error::AwayBeforePresent);
    let early = record_absence("2026-08-31", AbsenceReason::OwnWill);
    given::<House>(a_resident()).when(&now, early).then_error(&Error::AwayBeforePresent);
    let late = record_absence("2026-09-04", AbsenceReason::OwnWill);
    given::<House>(after([exited(ExitKind::Moved, "2026-09-04", None)]))
        .when(&now, late)
        .then_error(&Error::StayIsOver);
}

#[test]
fn who_comes_back_twice_is_here_both_times() {
    let once = after([away("2026-09-03", AbsenceReason::OwnWill), lost("2026-09-03", "2026-09-06")]);
    given::<House>(once.clone()).when(&on("2026-09-09"), come_back("2026-09-09")).then([back("2026-09-09")]);
    let twice = once.into_iter().chain([back("2026-09-09"), away("2026-09-12", AbsenceReason::OwnWill)]);
    given::<House>(twice).when(&on("2026-09-13"), come_back("2026-09-13")).then([back("2026-09-13")]);
}

#[test]
fn nobody_comes_back_who_was_not_away_or_before_they_left() {
    given::<House>(a_resident()).when(&on("2026-09-09"), come_back("2026-09-09")).then_error(&Error::NotAway);
    given::<House>(after([away("2026-09-03", AbsenceReason::OwnWill)]))
        .when(&on("2026-09-09"), come_back("2026-09-02"))
        .then_error(&Error::BackBeforeAway);
}

#[test]
fn the_bed_goes_to_others_after_some_days_and_the_stay_goes_on() {
    let history = after([away("2026-09-03", AbsenceReason::OwnWill)]);
    given::<House>(history.clone()).when(&the_shelter(), release("2026-09-16")).then_error(&Error::BedIsKept);
    given::<House>(history.clone())
        .when(&the_shelter(), release("2026-09-17"))
        .then([released("2026-09-17"), counted(1, 0)]);
    given::<House>(a_resident()).when(&the_shelter(), release("2026-09-17")).then_error(&Error::NotAway);
    let gone = history.into_iter().chain([released("2026-09-17"), counted(1, 0)]);
    given::<House>(gone.clone()).when(&the_shelter(), release("2026-09-18")).then_error(&Error::BedReleasedAlready);
    given::<House>(gone.clone())
        .when(&the_shelter(), Command::Admit(a_girl(3, 2, "2026-09-20")))
        .then_error(&Error::StaysHereAlready);
    given::<House>(gone)
        .when(&the_shelter(), Command::Admit(a_girl(3, 4, "2026-09-20")))
        .then([admitted(3, 4, GIRLS, "2026-09-20"), counted(1, 1)]);
}

#[test]
fn who_comes_back_to_a_full_house_is_not_turned_away() {
    let history = after([
        away("2026-09-03", AbsenceReason::OwnWill),
        released("2026-09-17"),
        admitted(3, 4, GIRLS, "2026-09-20"),
        counted(1, 1),
    ]);
    let back = Event::Returned {
        admission_id: id(1),
        case_id: id(2),
        returned_on: day("2026-09-25"),
        over_capacity: Some(OverCapacity::CameBack),
    };
    given::<House>(history).when(&the_shelter(), come_back("2026-09-25")).then([back, counted(1, 2)]);
}

#[test]
fn who_was_looked_for_is_heard_of_once_and_not_before() {
    let left = after([exited(ExitKind::OwnWill, "2026-09-05", None), lost("2026-09-05", "2026-09-05"), counted(1, 0)]);
    let heard =
        Event::ContactFound { admission_id: id(1), found_on: day("2026-09-09"), outcome: ContactOutcome::WithFamily };
    given::<House>(left.clone())
        .when(&the_shelter(), found("2026-09-09", ContactOutcome::WithFamily))
        .then([heard.clone()]);
    given::<House>(left.clone())
        .when(&the_shelter(), found("2026-09-04", ContactOutcome::WithFamily))
        .then_error(&Error::FoundBeforeLost);
    given::<House>(left.into_iter().chain([heard]))
        .when(&the_shelter(), found("2026-09-10", ContactOutcome::Detained))
        .then_error(&Error::ContactNotLost);
}

#[test]
fn an_exit_in_the_middle_of_an_absence_starts_the_search_from_its_first_day() {
    let history = after([away("2026-09-03", AbsenceReason::OwnWill)]);
    given::<House>(history.clone())
        .when(&on("2026-09-04"), exit(ExitKind::OwnWill, "2026-09-04", Accountable::ThisOffice))
        .then([exited(ExitKind::OwnWill, "2026-09-04", None), lost("2026-09-03", "2026-09-04"), counted(1, 0)]);
    given::<House>(history)
        .when(&on("2026-09-04"), exit(ExitKind::OwnWill, "2026-09-02", Accountable::ThisOffice))
        .then_error(&Error::ExitedBeforeLastAbsence);
}

#[test]
fn who_is_admitted_again_is_not_looked_for_any_more() {
    let back = after([
        exited(ExitKind::OwnWill, "2026-09-05", None),
        lost("2026-09-05", "2026-09-05"),
        admitted(3, 2, GIRLS, "2026-09-09"),
    ]);
    given::<House>(back)
        .when(&the_shelter(), found("2026-09-10", ContactOutcome::WithFamily))
        .then_error(&Error::ContactNotLost);
}
