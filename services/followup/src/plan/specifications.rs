//! Specifications of what changes a plan: other days, further visits, a move, a handover, the meeting, the end.

use spean_eventsourcing::specification::given;

use super::tests::{MONTHLY, begun, day, id, record, the_district, visit};
use super::*;

fn office(code: &str) -> OfficeId {
    code.parse().unwrap()
}

fn reschedule(number: u8, due_on: &str) -> Command {
    let reason = RescheduleReason::RoadClosed;
    Command::Reschedule { number, due_on: day(due_on), reason, today: day("2026-02-20") }
}

fn rescheduled(due_on: &str) -> Event {
    Event::VisitRescheduled { number: 1, due_on: day(due_on), reason: RescheduleReason::RoadClosed }
}

fn add(number: u8, due_on: &str) -> Command {
    Command::Add {
        number,
        due_on: day(due_on),
        reason: ExtraVisitReason::Business,
        with_offices: [office("house-of-hope-phnom-penh")].into(),
        today: day("2026-02-20"),
    }
}

fn added() -> Event {
    Event::VisitAdded {
        number: 13,
        due_on: day("2026-04-10"),
        reason: ExtraVisitReason::Business,
        with_offices: [office("house-of-hope-phnom-penh")].into(),
    }
}

fn closed() -> Event {
    Event::Closed { decision: id(0x70), closed_on: day("2027-02-02"), reason: EndReason::GoalReached }
}

fn close(decision: Option<DecisionId>) -> Command {
    let (closed_on, reason) = (day("2027-02-02"), EndReason::GoalReached);
    Command::Close { decision, closed_on, reason, open: OpenMatters::default() }
}

fn close_over(reason: EndReason, open: OpenMatters) -> Command {
    Command::Close { decision: Some(id(0x70)), closed_on: day("2027-02-02"), reason, open }
}

/// The plan of [`begun`], as the district hands it to Sa'ang.
fn handed_over(handovers: u32) -> HandedOver {
    let Event::Begun { reintegrated_on, due_on, .. } = begun() else { panic!("it begins") };
    HandedOver {
        from: office("kandal-district"),
        to: office("saang-district"),
        reintegrated_on,
        visits: due_on.into_iter().map(Planned::on).collect(),
        contact_lost_on: None,
        handovers,
    }
}

fn hand_over(to: Option<&str>) -> Command {
    Command::HandOver { from: office("kandal-district"), to: to.map(office), contact_lost_on: None }
}

fn goes_to_saang() -> Event {
    Event::HandedOver { to: Some(office("saang-district")), plan: handed_over(1) }
}

#[test]
fn a_visit_is_moved_with_a_reason_and_once() {
    given::<Plan>([begun()]).when(&the_district(), reschedule(1, "2026-03-05")).then([rescheduled("2026-03-05")]);
    given::<Plan>([begun(), rescheduled("2026-03-05")])
        .when(&the_district(), reschedule(1, "2026-03-05"))
        .then_nothing();
}

#[test]
fn a_visit_is_not_moved_on_and_on() {
    let moved_before = [begun(), rescheduled("2026-03-20")];
    given::<Plan>(moved_before.clone())
        .when(&the_district(), reschedule(1, "2026-03-28"))
        .then([rescheduled("2026-03-28")]);
    given::<Plan>(moved_before).when(&the_district(), reschedule(1, "2026-03-29")).then_error(&Error::MovedTooFar);
}

#[test]
fn a_visit_is_planned_for_a_day_to_come() {
    given::<Plan>([begun()]).when(&the_district(), reschedule(1, "2026-02-19")).then_error(&Error::PlannedForThePast);
    given::<Plan>([begun()]).when(&the_district(), add(13, "2026-02-19")).then_error(&Error::PlannedForThePast);
}

#[test]
fn what_is_not_in_the_plan_or_was_made_is_not_moved() {
    given::<Plan>([begun()]).when(&the_district(), reschedule(13, "2026-03-05")).then_error(&Error::NoSuchVisit);
    let met = Event::VisitRecorded(visit(1, 1, "2026-02-27", VisitOutcome::Met));
    given::<Plan>([begun(), met]).when(&the_district(), reschedule(1, "2026-03-05")).then_error(&Error::AlreadySettled);
}

#[test]
fn a_visit_beside_the_monthly_ones_gets_the_next_number() {
    given::<Plan>([begun()]).when(&the_district(), add(13, "2026-04-10")).then([added()]);
    given::<Plan>([begun(), added()]).when(&the_district(), add(13, "2026-04-10")).then_nothing();
    given::<Plan>([begun(), added()]).when(&the_district(), add(13, "2026-04-11")).then_error(&Error::VisitNumberTaken);
    given::<Plan>([begun()]).when(&the_district(), add(14, "2026-04-10")).then_error(&Error::VisitNumberNotNext);
    let on_the_way = visit(1, 13, "2026-04-09", VisitOutcome::Met);
    given::<Plan>([begun(), added()])
        .when(&the_district(), record(&on_the_way))
        .then([Event::VisitRecorded(on_the_way.clone())]);
}

#[test]
fn a_longer_follow_up_is_for_the_meeting() {
    given::<Plan>([begun()]).when(&the_district(), add(13, "2027-02-01")).then_error(&Error::ExtensionNeedsMeeting);
    let extend = |due_on: &[&str]| Command::Extend {
        decision: id(0x71),
        due_on: due_on.iter().map(|due_on| day(due_on)).collect(),
    };
    let extended =
        Event::Extended { decision: id(0x71), first_number: 13, due_on: vec![day("2027-02-28"), day("2027-03-31")] };
    let longer = extend(&["2027-02-28", "2027-03-31"]);
    given::<Plan>([begun()]).when(&the_district(), longer.clone()).then([extended.clone()]);
    given::<Plan>([begun(), extended]).when(&the_district(), longer).then_nothing();
    for none in [extend(&[]), extend(&["2027-01-31"]), extend(&["2027-03-31", "2027-02-28"])] {
        given::<Plan>([begun()]).when(&the_district(), none).then_error(&Error::ExtensionWithoutVisits);
    }
    let far = day("2027-02-01");
    let many = Command::Extend { decision: id(0x72), due_on: (0..244).map(|days| far.plus_days(days)).collect() };
    given::<Plan>([begun()]).when(&the_district(), many).then_error(&Error::TooManyVisits);
}

#[test]
fn the_meeting_lets_a_visit_go_and_nobody_else_does() {
    let excuse = |numbers: &[u8]| Command::Excuse { decision: id(0x73), numbers: numbers.iter().copied().collect() };
    let excused = Event::VisitsExcused { decision: id(0x73), numbers: [1, 2].into() };
    given::<Plan>([begun()]).when(&the_district(), excuse(&[1, 2])).then([excused.clone()]);
    given::<Plan>([begun(), excused.clone()]).when(&the_district(), excuse(&[1, 2])).then_nothing();
    given::<Plan>([begun()]).when(&the_district(), excuse(&[13])).then_error(&Error::NoSuchVisit);
    given::<Plan>([begun(), excused])
        .when(&the_district(), record(&visit(1, 1, "2026-02-27", VisitOutcome::Met)))
        .then_error(&Error::AlreadySettled);
}

#[test]
fn a_second_try_is_for_a_missed_visit_and_comes_after_it() {
    let again_on = |outcome, next: &str| Visit { next_on: Some(day(next)), ..visit(1, 1, "2026-02-27", outcome) };
    let missed = again_on(VisitOutcome::Missed, "2026-03-02");
    given::<Plan>([begun()]).when(&the_district(), record(&missed)).then([Event::VisitRecorded(missed.clone())]);
    for wrong in [again_on(VisitOutcome::Missed, "2026-02-27"), again_on(VisitOutcome::Met, "2026-03-02")] {
        given::<Plan>([begun()]).when(&the_district(), record(&wrong)).then_error(&Error::NextDayNotAfterMissedVisit);
    }
}

#[test]
fn a_move_is_noted_once_and_not_before_the_return() {
    let to = |on: &str| Command::Move { place: "0308".parse().unwrap(), moved_on: day(on) };
    let moved = Event::Moved { place: "0308".parse().unwrap(), moved_on: day("2026-04-02") };
    given::<Plan>([begun()]).when(&the_district(), to("2026-04-02")).then([moved.clone()]);
    given::<Plan>([begun(), moved]).when(&the_district(), to("2026-04-02")).then_nothing();
    given::<Plan>([begun()]).when(&the_district(), to("2026-01-30")).then_error(&Error::MovedBeforeReintegration);
    given::<Plan>([]).when(&the_district(), to("2026-04-02")).then_error(&Error::NotBegun);
}

#[test]
fn the_plan_goes_with_the_case_once_and_again_when_the_case_went_elsewhere() {
    given::<Plan>([begun()]).when(&the_district(), hand_over(Some("saang-district"))).then([goes_to_saang()]);
    for again in [hand_over(Some("saang-district")), hand_over(None)] {
        given::<Plan>([begun(), goes_to_saang()]).when(&the_district(), again).then_nothing();
    }
    let to = office("kandal-province");
    let plan = HandedOver { to: to.clone(), ..handed_over(2) };
    given::<Plan>([begun(), goes_to_saang()])
        .when(&the_district(), hand_over(Some("kandal-province")))
        .then([Event::HandedOver { to: Some(to), plan }]);
    given::<Plan>([]).when(&the_district(), hand_over(Some("saang-district"))).then_nothing();
}

#[test]
fn another_office_goes_on_with_the_rest_and_what_was_settled_stays_settled() {
    let mut plan = handed_over(1);
    plan.visits[0].settled = true;
    let taken_up = Event::TakenUp { plan: plan.clone() };
    given::<Plan>([]).when(&the_district(), Command::TakeUp(plan.clone())).then([taken_up.clone()]);
    given::<Plan>([taken_up.clone()]).when(&the_district(), Command::TakeUp(plan)).then_nothing();
    given::<Plan>([taken_up.clone()])
        .when(&the_district(), record(&visit(1, 1, "2026-02-27", VisitOutcome::Met)))
        .then_error(&Error::AlreadySettled);
    let second = visit(1, 2, "2026-03-30", VisitOutcome::Met);
    given::<Plan>([taken_up]).when(&the_district(), record(&second)).then([Event::VisitRecorded(second.clone())]);
}

#[test]
fn between_two_offices_of_one_node_it_is_the_same_plan() {
    let taken_up = Event::TakenUp { plan: handed_over(1) };
    let by = office("saang-district");
    given::<Plan>([begun(), goes_to_saang()])
        .when(&the_district(), Command::TakeUp(handed_over(1)))
        .then([taken_up.clone()]);
    given::<Plan>([begun(), goes_to_saang(), taken_up])
        .when(&the_district(), Command::NoteTakenUp { by })
        .then_nothing();
}

#[test]
fn who_handed_a_plan_over_is_done_when_it_was_taken_up() {
    let by = office("saang-district");
    let gone = Event::TakenUpElsewhere { by: by.clone() };
    given::<Plan>([begun(), goes_to_saang()])
        .when(&the_district(), Command::NoteTakenUp { by: by.clone() })
        .then([gone.clone()]);
    let history = [begun(), goes_to_saang(), gone];
    given::<Plan>(history.clone()).when(&the_district(), Command::NoteTakenUp { by }).then_nothing();
    given::<Plan>(history)
        .when(&the_district(), record(&visit(1, 1, "2026-02-27", VisitOutcome::Met)))
        .then_error(&Error::GoesOnElsewhere);
}

#[test]
fn nobody_closes_a_follow_up_without_the_meeting() {
    given::<Plan>([begun()]).when(&the_district(), close(None)).then_error(&Error::ClosureNeedsMeeting);
    given::<Plan>([begun()]).when(&the_district(), close(Some(id(0x70)))).then([closed()]);
    for again in [close(None), close(Some(id(0x70)))] {
        given::<Plan>([begun(), closed()]).when(&the_district(), again).then_nothing();
    }
    given::<Plan>([begun(), closed()]).when(&the_district(), close(Some(id(0x74)))).then_error(&Error::ClosedOtherwise);
}

#[test]
fn even_the_meeting_does_not_close_what_is_open() {
    let nothing = OpenMatters::default();
    for (open, error) in [
        (OpenMatters { danger: true, ..nothing }, Error::DangerOpen),
        (OpenMatters { contradiction: true, ..nothing }, Error::ContradictionOpen),
        (OpenMatters { offer: true, ..nothing }, Error::OfferOpen),
        (OpenMatters { need: true, ..nothing }, Error::NeedOpen),
        (OpenMatters { service: true, ..nothing }, Error::ServiceOpen),
    ] {
        given::<Plan>([begun()]).when(&the_district(), close_over(EndReason::GoalReached, open)).then_error(&error);
    }
}

#[test]
fn a_need_of_somebody_who_is_not_there_keeps_no_follow_up_open() {
    let open = OpenMatters { need: true, ..OpenMatters::default() };
    for reason in [EndReason::Died, EndReason::ContactLost, EndReason::MovedAbroad] {
        let closed = Event::Closed { decision: id(0x70), closed_on: day("2027-02-02"), reason };
        given::<Plan>([begun()]).when(&the_district(), close_over(reason, open)).then([closed]);
        let open = OpenMatters { offer: true, ..open };
        given::<Plan>([begun()]).when(&the_district(), close_over(reason, open)).then_error(&Error::OfferOpen);
    }
    for reason in [EndReason::PersonAsked, EndReason::TakenOver] {
        given::<Plan>([begun()]).when(&the_district(), close_over(reason, open)).then_error(&Error::NeedOpen);
    }
}

#[test]
fn a_closed_follow_up_does_not_change_until_it_is_opened_again() {
    let changes = [
        record(&visit(1, 1, "2026-02-27", VisitOutcome::Met)),
        reschedule(1, "2026-03-05"),
        add(13, "2026-04-10"),
        Command::Move { place: "0308".parse().unwrap(), moved_on: day("2026-04-02") },
        Command::Extend { decision: id(0x71), due_on: vec![day("2027-02-28")] },
        Command::Excuse { decision: id(0x73), numbers: [1].into() },
    ];
    for change in changes {
        given::<Plan>([begun(), closed()]).when(&the_district(), change).then_error(&Error::FollowUpClosed);
    }
    given::<Plan>([begun(), closed()]).when(&the_district(), hand_over(Some("saang-district"))).then_nothing();
}

#[test]
fn a_closed_follow_up_is_opened_again_with_visits_from_that_day() {
    let reopen = |on: &str| Command::Reopen {
        reason: ReopenReason::NewDanger,
        reopened_on: day(on),
        rhythm: Rhythm { months: 2, ..MONTHLY },
    };
    let reopened = Event::Reopened {
        reason: ReopenReason::NewDanger,
        reopened_on: day("2027-05-01"),
        first_number: 13,
        due_on: vec![day("2027-06-01"), day("2027-07-01")],
    };
    given::<Plan>([begun(), closed()]).when(&the_district(), reopen("2027-05-01")).then([reopened.clone()]);
    given::<Plan>([begun(), closed(), reopened]).when(&the_district(), reopen("2027-05-01")).then_nothing();
    given::<Plan>([begun()]).when(&the_district(), reopen("2027-05-01")).then_error(&Error::NotClosed);
    given::<Plan>([begun(), closed()])
        .when(&the_district(), reopen("2027-02-01"))
        .then_error(&Error::ReopenedBeforeClosure);
}

#[test]
fn a_worker_may_look_in_after_the_end_and_says_so() {
    let visit = InformalVisit {
        visit_id: id(9),
        visited_on: day("2027-03-01"),
        findings: [Finding::Well].into(),
        responsible_adult: None,
    };
    let look_in = |visit: &InformalVisit, is_child| Command::RecordInformal { visit: visit.clone(), is_child };
    let recorded = Event::InformalVisitRecorded(visit.clone());
    let history = [begun(), closed()];
    given::<Plan>(history.clone()).when(&the_district(), look_in(&visit, false)).then([recorded.clone()]);
    given::<Plan>([begun(), closed(), recorded.clone()]).when(&the_district(), look_in(&visit, false)).then_nothing();
    let other = InformalVisit { visited_on: day("2027-03-02"), ..visit.clone() };
    given::<Plan>([begun(), closed(), recorded])
        .when(&the_district(), look_in(&other, false))
        .then_error(&Error::VisitIdTaken);
    given::<Plan>(history).when(&the_district(), look_in(&visit, true)).then_error(&Error::ResponsibleAdultMissing);
    given::<Plan>([begun()]).when(&the_district(), look_in(&visit, false)).then_error(&Error::NotClosed);
}

/// `SPEAN_BLESS=1` writes the file afresh; a line that is already stored somewhere may never change.
#[test]
fn stored_events_are_read_for_ever() {
    let full = Visit {
        responsible_adult_present: true,
        responsible_adult: Some(PersonFunction::AuntOrUncle),
        present: [PersonFunction::Child, PersonFunction::NgoWorker].into(),
        findings: [Finding::School, Finding::MigrationRisk].into(),
        place: Some(VisitPlace::School),
        with_offices: [office("house-of-hope-phnom-penh")].into(),
        needs: vec![FoundNeed { need_id: id(0x31), need: Need::Education, urgency: Urgency::Routine }],
        ..visit(3, 2, "2026-03-29", VisitOutcome::Met)
    };
    let again = Visit { next_on: Some(day("2026-04-12")), ..visit(4, 3, "2026-04-10", VisitOutcome::Missed) };
    let Event::Begun { reintegrated_on, .. } = begun() else { panic!("it begins") };
    let begun = Event::Begun { reintegrated_on, due_on: vec![], office: Some(office("kandal-district")) };
    let mut moved = handed_over(1);
    moved.visits.truncate(2);
    moved.visits[0] = Planned {
        first_due_on: Some(day("2026-02-28")),
        settled: true,
        ..Planned::extra(day("2026-03-05"), ExtraVisitReason::School)
    };
    moved.contact_lost_on = Some(day("2026-03-09"));
    let informal = InformalVisit {
        visit_id: id(9),
        visited_on: day("2027-03-01"),
        findings: [Finding::Well].into(),
        responsible_adult: Some(PersonFunction::Mother),
    };
    crate::golden::check(
        "plan_changes",
        &[
            begun,
            Event::VisitRecorded(full),
            Event::VisitRecorded(again),
            rescheduled("2026-03-05"),
            added(),
            Event::Moved { place: "0308".parse().unwrap(), moved_on: day("2026-04-02") },
            Event::HandedOver { to: Some(office("saang-district")), plan: moved.clone() },
            Event::TakenUp { plan: moved },
            Event::TakenUpElsewhere { by: office("saang-district") },
            closed(),
            Event::Extended { decision: id(0x71), first_number: 13, due_on: vec![day("2027-02-28")] },
            Event::VisitsExcused { decision: id(0x73), numbers: [1, 2].into() },
            Event::Reopened {
                reason: ReopenReason::ClosedByMistake,
                reopened_on: day("2027-05-01"),
                first_number: 13,
                due_on: vec![day("2027-06-01")],
            },
            Event::InformalVisitRecorded(informal),
        ],
    );
}
