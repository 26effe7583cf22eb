//! Specifications of the care for one person: the way it goes, doing it again, and each refusal.

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

fn goal(number: u8, target_on: &str) -> Goal {
    Goal { goal_id: id(number), need: Need::Counselling, target_on: day(target_on) }
}

fn plan(number: u8, agreed_on: &str) -> Plan {
    Plan { plan_id: id(number), agreed_on: day(agreed_on), goals: vec![goal(number + 100, "2026-12-01")] }
}

fn agree(plan: Plan) -> Command {
    Command::AgreePlan { plan, review_after_days: 90 }
}

fn agreed(plan: Plan, review_due_on: &str) -> Event {
    Event::PlanAgreed { plan, review_due_on: day(review_due_on) }
}

fn review(number: u8, reviewed_on: &str, goals: &[(u8, GoalState)]) -> Review {
    let goals = goals.iter().map(|&(goal, state)| (id(goal), state)).collect();
    Review { review_id: id(number), reviewed_on: day(reviewed_on), goals }
}

fn reviewing(review: Review) -> Command {
    Command::ReviewPlan { review, review_after_days: 90 }
}

fn session(kind: SessionKind) -> Session {
    Session {
        session_id: id(7),
        kind,
        held_on: day("2026-09-05"),
        by: "staff-7".parse().unwrap(),
        responsible_adult: None,
    }
}

fn market(demand: Demand) -> Market {
    Market {
        assessment_id: id(8),
        trade: "tailoring".parse().unwrap(),
        place: "0802".parse().unwrap(),
        demand,
        assessed_on: day("2026-09-06"),
        by: "staff-7".parse().unwrap(),
    }
}

fn training() -> Training {
    Training {
        training_id: id(9),
        trade: "tailoring".parse().unwrap(),
        assessment_id: id(8),
        chosen_on: day("2026-09-07"),
        person_insists: false,
    }
}

#[test]
fn a_plan_is_agreed_and_a_day_is_set_for_the_next_look() {
    given::<Care>([])
        .when(&the_shelter(), agree(plan(1, "2026-09-02")))
        .then([agreed(plan(1, "2026-09-02"), "2026-12-01")]);
}

#[test]
fn a_new_plan_takes_the_place_of_the_old_one_but_an_older_paper_does_not() {
    let history = [agreed(plan(1, "2026-09-02"), "2026-12-01")];
    given::<Care>(history.clone())
        .when(&the_shelter(), agree(plan(2, "2026-09-03")))
        .then([agreed(plan(2, "2026-09-03"), "2026-12-02")]);
    given::<Care>(history).when(&the_shelter(), agree(plan(2, "2026-09-01"))).then_error(&Error::LaterPlanExists);
}

#[test]
fn a_plan_has_goals_each_of_them_once_and_none_before_it() {
    let nothing = Plan { goals: vec![], ..plan(1, "2026-09-02") };
    let twice = Plan { goals: vec![goal(3, "2026-12-01"), goal(3, "2026-12-02")], ..plan(1, "2026-09-02") };
    for wrong in [nothing, twice] {
        given::<Care>([]).when(&the_shelter(), agree(wrong)).then_error(&Error::GoalsMissingOrTwice);
    }
    let before = Plan { goals: vec![goal(3, "2026-09-01")], ..plan(1, "2026-09-02") };
    given::<Care>([]).when(&the_shelter(), agree(before)).then_error(&Error::GoalBeforePlan);
}

#[test]
fn a_look_at_the_plan_moves_its_goals_on_and_sets_the_next_day() {
    let seen = review(5, "2026-10-01", &[(101, GoalState::Reached)]);
    let history = [agreed(plan(1, "2026-09-02"), "2026-12-01")];
    let reviewed = Event::PlanReviewed { review: seen.clone(), review_due_on: day("2026-12-30") };
    given::<Care>(history.clone()).when(&the_shelter(), reviewing(seen)).then([reviewed.clone()]);
    let care = Care::fold(&history.into_iter().chain([reviewed]).collect::<Vec<_>>());
    assert_eq!(care.goal_state(id(101)), Some(GoalState::Reached));
    assert_eq!(care.review_due_on(), Some(day("2026-12-30")));
}

#[test]
fn a_look_that_was_entered_late_does_not_bring_the_next_one_forward() {
    let later = Event::PlanReviewed { review: review(5, "2026-10-01", &[]), review_due_on: day("2026-12-30") };
    let late = review(6, "2026-09-20", &[]);
    given::<Care>([agreed(plan(1, "2026-09-02"), "2026-12-01"), later])
        .when(&the_shelter(), reviewing(late.clone()))
        .then([Event::PlanReviewed { review: late, review_due_on: day("2026-12-30") }]);
}

#[test]
fn what_is_looked_at_is_there() {
    let seen = || review(5, "2026-10-01", &[]);
    given::<Care>([]).when(&the_shelter(), reviewing(seen())).then_error(&Error::NoPlan);
    let history = [agreed(plan(1, "2026-09-02"), "2026-12-01")];
    given::<Care>(history.clone())
        .when(&the_shelter(), reviewing(review(5, "2026-09-01", &[])))
        .then_error(&Error::ReviewedBeforePlan);
    given::<Care>(history)
        .when(&the_shelter(), reviewing(review(5, "2026-10-01", &[(77, GoalState::Reached)])))
        .then_error(&Error::NoSuchGoal);
}

#[test]
fn a_child_is_not_questioned_alone() {
    for kind in [SessionKind::Interview, SessionKind::Assessment] {
        let command = |session, is_child| Command::RecordSession { session, is_child };
        given::<Care>([])
            .when(&the_shelter(), command(session(kind), true))
            .then_error(&Error::ResponsibleAdultMissing);
        let adult = Session { responsible_adult: Some(ResponsibleAdult::Relative), ..session(kind) };
        for (session, is_child) in [(adult, true), (session(kind), false)] {
            given::<Care>([])
                .when(&the_shelter(), command(session.clone(), is_child))
                .then([Event::SessionHeld { session }]);
        }
    }
    let session = session(SessionKind::Counselling);
    given::<Care>([])
        .when(&the_shelter(), Command::RecordSession { session: session.clone(), is_child: true })
        .then([Event::SessionHeld { session }]);
}

#[test]
fn an_id_means_one_thing() {
    let held = session(SessionKind::Counselling);
    let other = Command::RecordSession { session: session(SessionKind::Medical), is_child: false };
    given::<Care>([Event::SessionHeld { session: held }]).when(&the_shelter(), other).then_error(&Error::IdTaken);
    given::<Care>([Event::MarketAssessed { market: market(Demand::Yes) }])
        .when(&the_shelter(), Command::AssessMarket(market(Demand::No)))
        .then_error(&Error::IdTaken);
}

#[test]
fn a_trade_is_chosen_against_the_market_at_home() {
    let choose = Command::ChooseTraining(training());
    given::<Care>([])
        .when(&the_shelter(), Command::AssessMarket(market(Demand::Yes)))
        .then([Event::MarketAssessed { market: market(Demand::Yes) }]);
    given::<Care>([]).when(&the_shelter(), choose.clone()).then_error(&Error::NoMarketAssessment);
    for demand in [Demand::Yes, Demand::Unknown] {
        given::<Care>([Event::MarketAssessed { market: market(demand) }])
            .when(&the_shelter(), choose.clone())
            .then([Event::TrainingChosen { training: training() }]);
    }
    let another = Training { trade: "hairdressing".parse().unwrap(), ..training() };
    given::<Care>([Event::MarketAssessed { market: market(Demand::Yes) }])
        .when(&the_shelter(), Command::ChooseTraining(another))
        .then_error(&Error::NoMarketAssessment);
    let early = Training { chosen_on: day("2026-09-05"), ..training() };
    given::<Care>([Event::MarketAssessed { market: market(Demand::Yes) }])
        .when(&the_shelter(), Command::ChooseTraining(early))
        .then_error(&Error::AssessedAfterChoice);
}

#[test]
fn a_trade_that_nobody_pays_for_is_learned_only_when_the_person_insists() {
    let history = [Event::MarketAssessed { market: market(Demand::No) }];
    given::<Care>(history.clone())
        .when(&the_shelter(), Command::ChooseTraining(training()))
        .then_error(&Error::NoLocalDemand);
    let training = Training { person_insists: true, ..training() };
    given::<Care>(history)
        .when(&the_shelter(), Command::ChooseTraining(training.clone()))
        .then([Event::TrainingChosen { training }]);
}

#[test]
fn a_lesson_is_one_in_a_trade_that_was_chosen() {
    let command = Command::RecordSession { session: session(SessionKind::VocationalTraining), is_child: true };
    given::<Care>([]).when(&the_shelter(), command.clone()).then_error(&Error::NoTrainingChosen);
    given::<Care>([Event::TrainingChosen { training: training() }])
        .when(&the_shelter(), command)
        .then([Event::SessionHeld { session: session(SessionKind::VocationalTraining) }]);
}

#[test]
fn stored_events_are_read_for_ever() {
    let accompanied = Session { responsible_adult: Some(ResponsibleAdult::Lawyer), ..session(SessionKind::Interview) };
    let events = [
        agreed(plan(1, "2026-09-02"), "2026-12-01"),
        Event::PlanReviewed {
            review: review(5, "2026-10-01", &[(101, GoalState::UnderWay)]),
            review_due_on: day("2026-12-30"),
        },
        Event::SessionHeld { session: session(SessionKind::Medical) },
        Event::SessionHeld { session: accompanied },
        Event::MarketAssessed { market: market(Demand::Unknown) },
        Event::TrainingChosen { training: training() },
        Event::TrainingChosen { training: Training { person_insists: true, ..training() } },
    ];
    crate::golden::check(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/care.jsonl"), &events);
}
