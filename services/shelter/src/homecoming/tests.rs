//! Specifications of the way home: the way it goes, doing it again, and each refusal.

use spean_eventsourcing::specification::given;
use spean_vocabulary::{Id, Timestamp};

use super::*;

fn the_shelter() -> Context {
    Context {
        office: "poipet-shelter".parse().unwrap(),
        staff: Some("staff-7".parse().unwrap()),
        now: Timestamp::from_micros(1_795_300_200_000_000),
    }
}

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn id<K>(number: u8) -> Id<K> {
    format!("00000000-0000-4000-8000-0000000000{number:02x}").parse().unwrap()
}

fn request(on: &str) -> Command {
    Command::RequestTracing { offer: id(1), requested_on: day(on), answer_days: 30 }
}

fn requested() -> Event {
    Event::TracingRequested { offer: id(1), requested_on: day("2026-09-01"), answer_due_on: day("2026-10-01") }
}

fn answer(outcome: TracingOutcome, on: &str) -> Command {
    Command::RecordAnswer { offer: id(1), outcome, answered_on: day(on), assessment_days: 30 }
}

fn answered(outcome: TracingOutcome, assessment_due_on: Option<&str>) -> Event {
    let assessment_due_on = assessment_due_on.map(day);
    Event::TracingAnswered { offer: id(1), outcome, answered_on: day("2026-09-11"), assessment_due_on }
}

fn visited(number: u8, on: &str, recommendation: Recommendation) -> FamilyAssessment {
    let risks = if recommendation == Recommendation::NotSafe { [HomeRisk::Violence].into() } else { BTreeSet::new() };
    FamilyAssessment {
        assessment_id: id(number),
        assessed_on: day(on),
        by: "staff-7".parse().unwrap(),
        recommendation,
        risks,
        responsible_adult: Some(ResponsibleAdult::Relative),
    }
}

fn assess(assessment: FamilyAssessment) -> Command {
    Command::AssessFamily { assessment, is_child: true, assessment_days: 30 }
}

fn assessed(number: u8, on: &str, recommendation: Recommendation) -> Event {
    Event::FamilyAssessed { assessment: visited(number, on, recommendation), again_due_on: None }
}

fn decision(agreed_by: &[ConsentBasis]) -> Reintegration {
    Reintegration {
        decision_id: id(20),
        decided_on: day("2026-10-01"),
        home: Home::Family,
        agreed_by: agreed_by.iter().copied().collect(),
    }
}

fn decide(decision: Reintegration, is_child: bool) -> Command {
    Command::DecideReintegration { decision, is_child }
}

const WITH_GUARDIAN: &[ConsentBasis] = &[ConsentBasis::Person, ConsentBasis::Guardian];

#[test]
fn what_the_home_district_tells_is_an_answer_unless_one_was_entered_by_hand() {
    let hear =
        |outcome| Command::HearAnswer { offer: id(1), outcome, answered_on: day("2026-09-11"), assessment_days: 30 };
    let found = answered(TracingOutcome::Found, Some("2026-10-11"));
    given::<Homecoming>([requested()]).when(&the_shelter(), hear(TracingOutcome::Found)).then([found.clone()]);
    given::<Homecoming>([requested(), found.clone()])
        .when(&the_shelter(), hear(TracingOutcome::NotFound))
        .then_nothing();
    let on = day("2026-09-11");
    let unwritten = Event::TracingRequested { offer: id(1), requested_on: on, answer_due_on: on };
    given::<Homecoming>([]).when(&the_shelter(), hear(TracingOutcome::Found)).then([unwritten, found]);
}

#[test]
fn the_home_district_is_asked_and_its_answer_has_a_day() {
    given::<Homecoming>([]).when(&the_shelter(), request("2026-09-01")).then([requested()]);
    given::<Homecoming>([requested()]).when(&the_shelter(), request("2026-09-02")).then_error(&Error::IdTaken);
    given::<Homecoming>([requested()])
        .when(&the_shelter(), answer(TracingOutcome::Found, "2026-09-11"))
        .then([answered(TracingOutcome::Found, Some("2026-10-11"))]);
    for outcome in [TracingOutcome::NotFound, TracingOutcome::FamilyRefuses, TracingOutcome::Unsafe] {
        given::<Homecoming>([requested()])
            .when(&the_shelter(), answer(outcome, "2026-09-11"))
            .then([answered(outcome, None)]);
    }
}

#[test]
fn one_request_has_one_answer_and_none_before_it() {
    given::<Homecoming>([])
        .when(&the_shelter(), answer(TracingOutcome::Found, "2026-09-11"))
        .then_error(&Error::NoSuchTracing);
    given::<Homecoming>([requested()])
        .when(&the_shelter(), answer(TracingOutcome::Found, "2026-08-31"))
        .then_error(&Error::AnsweredBeforeRequest);
    given::<Homecoming>([requested(), answered(TracingOutcome::NotFound, None)])
        .when(&the_shelter(), answer(TracingOutcome::Found, "2026-09-12"))
        .then_error(&Error::TracingAnsweredAlready);
}

#[test]
fn a_family_that_is_not_ready_is_visited_again() {
    let assessment = visited(2, "2026-09-20", Recommendation::NotYet);
    given::<Homecoming>([])
        .when(&the_shelter(), assess(assessment.clone()))
        .then([Event::FamilyAssessed { assessment, again_due_on: Some(day("2026-10-20")) }]);
}

#[test]
fn a_return_is_not_advised_where_a_risk_is_named_nor_danger_without_naming_one() {
    let risky = FamilyAssessment { risks: [HomeRisk::Debt].into(), ..visited(2, "2026-09-20", Recommendation::Return) };
    let vague = FamilyAssessment { risks: BTreeSet::new(), ..visited(2, "2026-09-20", Recommendation::NotSafe) };
    for assessment in [risky, vague] {
        given::<Homecoming>([]).when(&the_shelter(), assess(assessment)).then_error(&Error::RisksContradictAdvice);
    }
}

#[test]
fn a_child_is_not_questioned_alone_about_its_family() {
    let alone = FamilyAssessment { responsible_adult: None, ..visited(2, "2026-09-20", Recommendation::Return) };
    given::<Homecoming>([]).when(&the_shelter(), assess(alone.clone())).then_error(&Error::ResponsibleAdultMissing);
    given::<Homecoming>([])
        .when(&the_shelter(), Command::AssessFamily { assessment: alone.clone(), is_child: false, assessment_days: 30 })
        .then([Event::FamilyAssessed { assessment: alone, again_due_on: None }]);
    given::<Homecoming>([assessed(2, "2026-09-20", Recommendation::Return)])
        .when(&the_shelter(), assess(visited(2, "2026-09-21", Recommendation::Return)))
        .then_error(&Error::IdTaken);
}

fn placement(option: CareOption, not_possible: &[CareOption]) -> Placement {
    let not_possible = not_possible.iter().map(|option| (*option, Impossible::NotSafe)).collect();
    Placement { placement_id: id(10), option, not_possible, decided_on: day("2026-09-25") }
}

#[test]
fn a_child_lives_in_an_institution_only_when_every_option_before_was_shown_not_to_be_possible() {
    use CareOption::{FamilyPreservation, Institution, KinOrFoster, Reunification};
    let before = [FamilyPreservation, Reunification, KinOrFoster];
    let command = |placement| Command::DecidePlacement { placement, is_child: true };
    let explained = placement(Institution, &before);
    given::<Homecoming>([])
        .when(&the_shelter(), command(explained.clone()))
        .then([Event::PlacementDecided { placement: explained }]);
    for left_out in 0..before.len() {
        let mut others = before.to_vec();
        others.remove(left_out);
        given::<Homecoming>([])
            .when(&the_shelter(), command(placement(Institution, &others)))
            .then_error(&Error::EarlierOptionsNotExplained);
    }
    given::<Homecoming>([])
        .when(&the_shelter(), command(placement(Reunification, &[FamilyPreservation, KinOrFoster])))
        .then_error(&Error::EarlierOptionsNotExplained);
    given::<Homecoming>([])
        .when(&the_shelter(), command(placement(FamilyPreservation, &[])))
        .then([Event::PlacementDecided { placement: placement(FamilyPreservation, &[]) }]);
}

#[test]
fn the_order_of_options_is_for_children_and_an_id_means_one_thing() {
    let known = placement(CareOption::FamilyPreservation, &[]);
    let command = |placement, is_child| Command::DecidePlacement { placement, is_child };
    given::<Homecoming>([]).when(&the_shelter(), command(known.clone(), false)).then_error(&Error::NotAChild);
    let other = Placement { decided_on: day("2026-09-26"), ..known.clone() };
    given::<Homecoming>([Event::PlacementDecided { placement: known }])
        .when(&the_shelter(), command(other, true))
        .then_error(&Error::IdTaken);
}

#[test]
fn a_person_decides_to_go_home_and_for_a_child_somebody_agrees_as_well() {
    let history = || [assessed(2, "2026-09-20", Recommendation::Return)];
    let own = decision(&[ConsentBasis::Person]);
    given::<Homecoming>(history())
        .when(&the_shelter(), decide(own.clone(), false))
        .then([Event::ReintegrationDecided { decision: own.clone() }]);
    given::<Homecoming>(history()).when(&the_shelter(), decide(own, true)).then_error(&Error::NobodyAgreedForChild);
    for other in [ConsentBasis::Guardian, ConsentBasis::BestInterest] {
        let decision = decision(&[ConsentBasis::Person, other]);
        given::<Homecoming>(history())
            .when(&the_shelter(), decide(decision.clone(), true))
            .then([Event::ReintegrationDecided { decision }]);
    }
    let unasked = decision(&[ConsentBasis::Guardian, ConsentBasis::BestInterest]);
    given::<Homecoming>(history()).when(&the_shelter(), decide(unasked, true)).then_error(&Error::PersonHasNotAgreed);
}

#[test]
fn a_risk_at_home_stops_a_return_and_so_does_a_home_that_nobody_has_seen() {
    given::<Homecoming>([])
        .when(&the_shelter(), decide(decision(WITH_GUARDIAN), true))
        .then_error(&Error::HomeNotAssessed);
    for advice in [Recommendation::NotYet, Recommendation::NotSafe] {
        given::<Homecoming>([assessed(2, "2026-09-20", Recommendation::Return), assessed(3, "2026-09-22", advice)])
            .when(&the_shelter(), decide(decision(WITH_GUARDIAN), true))
            .then_error(&Error::RiskAtHome);
    }
    let early = Reintegration { decided_on: day("2026-09-19"), ..decision(WITH_GUARDIAN) };
    given::<Homecoming>([assessed(2, "2026-09-20", Recommendation::Return)])
        .when(&the_shelter(), decide(early, true))
        .then_error(&Error::DecidedBeforeAssessment);
}

#[test]
fn an_older_paper_does_not_hide_a_risk_that_was_seen_later() {
    let history =
        [assessed(2, "2026-09-22", Recommendation::NotSafe), assessed(3, "2026-09-20", Recommendation::Return)];
    given::<Homecoming>(history)
        .when(&the_shelter(), decide(decision(WITH_GUARDIAN), true))
        .then_error(&Error::RiskAtHome);
}

#[test]
fn a_risk_that_was_seen_after_the_decision_voids_it() {
    let decided = Event::ReintegrationDecided { decision: decision(WITH_GUARDIAN) };
    let before = [assessed(2, "2026-09-20", Recommendation::Return), decided];
    assert!(Homecoming::fold(&before).decision().is_some());
    let after: Vec<_> = before.into_iter().chain([assessed(3, "2026-10-05", Recommendation::NotSafe)]).collect();
    assert!(Homecoming::fold(&after).decision().is_none());
    given::<Homecoming>(after)
        .when(&the_shelter(), decide(decision(&[ConsentBasis::Person]), false))
        .then_error(&Error::IdTaken);
}

#[test]
fn who_lives_on_their_own_goes_back_to_nobody_but_no_child_does() {
    let alone = Reintegration { home: Home::OwnPlace, ..decision(WITH_GUARDIAN) };
    let history = || [assessed(2, "2026-09-20", Recommendation::NotSafe)];
    given::<Homecoming>(history())
        .when(&the_shelter(), decide(alone.clone(), false))
        .then([Event::ReintegrationDecided { decision: alone.clone() }]);
    given::<Homecoming>(history()).when(&the_shelter(), decide(alone, true)).then_error(&Error::ChildWithoutHousehold);
}

#[test]
fn stored_events_are_read_for_ever() {
    let not_yet = visited(3, "2026-09-20", Recommendation::NotYet);
    let before = [CareOption::FamilyPreservation, CareOption::Reunification];
    let events = [
        requested(),
        answered(TracingOutcome::Found, Some("2026-10-11")),
        answered(TracingOutcome::FamilyRefuses, None),
        assessed(2, "2026-09-20", Recommendation::NotSafe),
        Event::FamilyAssessed { assessment: not_yet, again_due_on: Some(day("2026-10-20")) },
        Event::PlacementDecided { placement: placement(CareOption::KinOrFoster, &before) },
        Event::ReintegrationDecided { decision: decision(WITH_GUARDIAN) },
    ];
    crate::golden::check(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/homecoming.jsonl"), &events);
}
