use spean_eventsourcing::specification::given;

use super::*;

fn province() -> Context {
    let now = spean_vocabulary::Timestamp::from_micros(1_795_300_200_000_000);
    Context { office: "dsvy-kandal".parse().unwrap(), staff: Some("s-17".parse().unwrap()), now }
}

fn another() -> Context {
    Context { office: "dsvy-takeo".parse().unwrap(), ..province() }
}

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn case(number: u8) -> CaseId {
    format!("00000000-0000-4000-8000-0000000000{number:02x}").parse().unwrap()
}

fn decision(number: u8) -> DecisionId {
    format!("00000000-0000-4000-9000-0000000000{number:02x}").parse().unwrap()
}

fn item(number: u8, topics: &[Topic]) -> Item {
    let topics = topics.iter().map(|topic| (*topic, day("2026-03-01"))).collect();
    Item { case: case(number), case_number: None, office: "osvy-saang".parse().unwrap(), topics }
}

fn agenda() -> Vec<Item> {
    vec![item(1, &[Topic::DueToClose]), item(2, &[Topic::Danger, Topic::DueToExtend])]
}

fn convened() -> Event {
    Event::Convened { office: province().office, planned_on: day("2026-05-10"), agenda: agenda() }
}

fn who(kinds: &[(Attendee, u32)]) -> BTreeMap<Attendee, u32> {
    kinds.iter().copied().collect()
}

fn quorum() -> BTreeMap<Attendee, u32> {
    who(&[(Attendee::ProvincialOffice, 1), (Attendee::DistrictOffice, 1), (Attendee::Organisation, 1)])
}

fn hold(present: &[(Attendee, u32)]) -> Command {
    let offices = ["dsvy-kandal".parse().unwrap()].into();
    Command::Hold { held_on: day("2026-05-11"), offices, present: who(present), quorum: quorum() }
}

const ALL: [(Attendee, u32); 3] =
    [(Attendee::ProvincialOffice, 1), (Attendee::DistrictOffice, 3), (Attendee::Organisation, 2)];

fn held(present: &[(Attendee, u32)], quorum: bool) -> Event {
    let offices = ["dsvy-kandal".parse().unwrap()].into();
    Event::Held { held_on: day("2026-05-11"), offices, present: who(present), quorum }
}

fn close() -> Decision {
    Decision::Close { reason: EndReason::GoalReached }
}

fn decide(number: u8, decided: Decision) -> Command {
    Command::Decide { decision_id: decision(number), case: case(number), decision: decided }
}

fn decided(number: u8, decided: Decision) -> Event {
    Event::CaseDecided { decision_id: decision(number), case: case(number), decision: decided }
}

fn signed() -> Event {
    let out = |number: u8, what: Decision, known: &[Topic]| Decided {
        decision_id: decision(number),
        case: case(number),
        office: "osvy-saang".parse().unwrap(),
        decision: what,
        known: known.iter().copied().collect(),
    };
    Event::MinutesSigned {
        office: province().office,
        held_on: day("2026-05-11"),
        decisions: vec![
            out(1, close(), &[Topic::DueToClose]),
            out(2, Decision::Continue, &[Topic::Danger, Topic::DueToExtend]),
        ],
    }
}

fn history() -> Vec<Event> {
    vec![convened(), held(&ALL, true), decided(1, close()), decided(2, Decision::Continue)]
}

#[test]
fn a_province_calls_a_meeting_with_the_agenda_of_the_moment() {
    let convene = |is_province| Command::Convene { planned_on: day("2026-05-10"), agenda: agenda(), is_province };
    given::<Meeting>([]).when(&province(), convene(true)).then([convened()]);
    given::<Meeting>([convened()]).when(&province(), convene(true)).then_nothing();
    given::<Meeting>([]).when(&another(), convene(false)).then_error(&Error::NotAProvince);
    given::<Meeting>([convened()]).when(&another(), convene(true)).then_error(&Error::MeetingIdTaken);
}

#[test]
fn until_it_is_held_the_agenda_can_be_brought_up_to_date() {
    let more = vec![item(3, &[Topic::ContactLost])];
    let refresh = Command::Refresh { agenda: more.clone() };
    given::<Meeting>([convened()]).when(&province(), refresh.clone()).then([Event::AgendaRefreshed { agenda: more }]);
    given::<Meeting>([convened()]).when(&province(), Command::Refresh { agenda: agenda() }).then_nothing();
    given::<Meeting>([convened(), held(&ALL, true)]).when(&province(), refresh.clone()).then_error(&Error::AlreadyHeld);
    given::<Meeting>([convened()]).when(&another(), refresh).then_error(&Error::NoSuchMeeting);
}

#[test]
fn a_quorum_needs_every_kind_of_the_policy() {
    given::<Meeting>([convened()]).when(&province(), hold(&ALL)).then([held(&ALL, true)]);
    given::<Meeting>([convened(), held(&ALL, true)]).when(&province(), hold(&ALL)).then_nothing();
    given::<Meeting>([convened()]).when(&province(), hold(&ALL[..2])).then([held(&ALL[..2], false)]);
    assert_eq!(missing(&who(&ALL[..2]), &quorum()), who(&[(Attendee::Organisation, 1)]));
}

#[test]
fn who_was_there_can_be_corrected_until_something_rests_on_it() {
    given::<Meeting>([convened(), held(&ALL[..2], false)]).when(&province(), hold(&ALL)).then([held(&ALL, true)]);
    given::<Meeting>([convened(), held(&ALL, true), decided(1, close())])
        .when(&province(), hold(&ALL[..2]))
        .then_error(&Error::HeldOtherwise);
}

#[test]
fn nothing_is_decided_before_the_meeting_or_without_a_quorum() {
    given::<Meeting>([convened()]).when(&province(), decide(1, close())).then_error(&Error::NotHeld);
    given::<Meeting>([convened(), held(&ALL[..2], false)])
        .when(&province(), decide(1, close()))
        .then_error(&Error::QuorumMissing);
}

#[test]
fn each_case_of_the_agenda_gets_one_decision_which_can_be_changed_until_it_is_signed() {
    let meeting = [convened(), held(&ALL, true)];
    given::<Meeting>(meeting.clone()).when(&province(), decide(1, close())).then([decided(1, close())]);
    given::<Meeting>(history()).when(&province(), decide(1, close())).then_nothing();
    let tracing = Decision::FurtherTracing;
    given::<Meeting>(history()).when(&province(), decide(1, tracing.clone())).then([decided(1, tracing)]);
    given::<Meeting>(meeting).when(&province(), decide(9, close())).then_error(&Error::NotOnAgenda);
    let under_another = Command::Decide { decision_id: decision(1), case: case(2), decision: Decision::Continue };
    given::<Meeting>(history()).when(&province(), under_another).then_error(&Error::DecisionIdTaken);
}

#[test]
fn nobody_is_left_alone_in_danger() {
    given::<Meeting>([convened(), held(&ALL, true)])
        .when(&province(), decide(2, close()))
        .then_error(&Error::NotSafeToClose);
}

#[test]
fn a_follow_up_is_prolonged_by_a_year_at_most() {
    let extend = |months| Decision::Extend { reason: ExtendReason::Danger, months };
    let meeting = [convened(), held(&ALL, true)];
    given::<Meeting>(meeting.clone()).when(&province(), decide(2, extend(12))).then([decided(2, extend(12))]);
    for months in [0, 13] {
        given::<Meeting>(meeting.clone())
            .when(&province(), decide(2, extend(months)))
            .then_error(&Error::MonthsOutOfRange);
    }
}

#[test]
fn the_minutes_are_signed_when_every_case_has_its_decision() {
    given::<Meeting>(history()).when(&province(), Command::Sign).then([signed()]);
    given::<Meeting>(history().into_iter().chain([signed()])).when(&province(), Command::Sign).then_nothing();
    given::<Meeting>([convened(), held(&ALL, true), decided(1, close())])
        .when(&province(), Command::Sign)
        .then_error(&Error::CasesUndecided);
    given::<Meeting>(history().into_iter().chain([signed()]))
        .when(&province(), decide(1, Decision::Continue))
        .then_error(&Error::AlreadySigned);
}

#[test]
fn what_became_of_a_decision_is_kept_and_what_was_carried_out_stays_so() {
    let hear =
        |from: &str, answer| Command::HearAnswer { decision_id: decision(1), from: from.parse().unwrap(), answer };
    let refused = Answer::Refused { reason: "FACTS_HAVE_CHANGED".to_owned() };
    let answered = |answer| Event::DecisionAnswered { decision_id: decision(1), answer };
    let minutes = || history().into_iter().chain([signed()]);
    given::<Meeting>(minutes())
        .when(&province(), hear("osvy-saang", refused.clone()))
        .then([answered(refused.clone())]);
    let done = answered(Answer::CarriedOut);
    given::<Meeting>(minutes().chain([done.clone()]))
        .when(&province(), hear("osvy-saang", refused.clone()))
        .then_nothing();
    given::<Meeting>(minutes().chain([done])).when(&province(), hear("osvy-saang", Answer::CarriedOut)).then_nothing();
    given::<Meeting>(minutes())
        .when(&province(), hear("osvy-takeo", refused.clone()))
        .then_error(&Error::NoSuchDecision);
    given::<Meeting>(history()).when(&province(), hear("osvy-saang", refused)).then_error(&Error::NoSuchDecision);
}

#[test]
fn stored_events_are_read_for_ever() {
    let refused = Answer::Refused { reason: "FACTS_HAVE_CHANGED".to_owned() };
    let decisions = [
        close(),
        Decision::Extend { reason: ExtendReason::NeedsOpen, months: 3 },
        Decision::Reopen { reason: ReopenReason::SeenAgain },
        Decision::Transfer { to: "osvy-takeo".parse().unwrap() },
        Decision::FurtherTracing,
        Decision::Continue,
    ];
    let mut events = vec![convened(), Event::AgendaRefreshed { agenda: agenda() }, held(&ALL, true)];
    events.extend(decisions.into_iter().map(|what| decided(1, what)));
    events.push(signed());
    events.extend(
        [Answer::CarriedOut, Answer::Open, refused]
            .map(|answer| Event::DecisionAnswered { decision_id: decision(1), answer }),
    );
    crate::golden::check("meeting", &events);
}
