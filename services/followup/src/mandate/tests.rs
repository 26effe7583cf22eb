use spean_eventsourcing::specification::given;

use super::*;
use crate::codes::EndReason;

fn context() -> Context {
    let now = spean_vocabulary::Timestamp::from_micros(1_795_300_200_000_000);
    Context { office: "osvy-saang".parse().unwrap(), staff: None, now }
}

fn received(decision: Decision) -> Received {
    Received {
        meeting: "00000000-0000-4000-9000-000000000001".to_owned(),
        case: "00000000-0000-4000-8000-000000000001".parse().unwrap(),
        office: "osvy-saang".parse().unwrap(),
        province: "dsvy-kandal".parse().unwrap(),
        decision,
        known: [Topic::DueToClose].into(),
        decided_on: "2026-05-11".parse().unwrap(),
    }
}

fn came(decision: Decision, answer: Answer) -> Event {
    Event::Received { received: received(decision), answer }
}

fn refused() -> Answer {
    Answer::Refused { reason: "FACTS_HAVE_CHANGED".to_owned() }
}

const CLOSE: Decision = Decision::Close { reason: EndReason::GoalReached };

#[test]
fn a_decision_is_carried_out_once_however_often_it_comes() {
    let command = |answer| Command::Receive { received: received(CLOSE), answer };
    let done = came(CLOSE, Answer::CarriedOut);
    given::<Mandate>([]).when(&context(), command(Answer::CarriedOut)).then([done.clone()]);
    given::<Mandate>([done.clone()]).when(&context(), command(refused())).then_nothing();
    let other = Command::Receive { received: received(Decision::Continue), answer: Answer::CarriedOut };
    given::<Mandate>([done]).when(&context(), other).then_error(&Error::DecisionIdTaken);
}

#[test]
fn what_had_to_wait_is_completed_and_what_was_refused_is_not() {
    let open = came(Decision::FurtherTracing, Answer::Open);
    let completed = Event::Completed { received: received(Decision::FurtherTracing) };
    given::<Mandate>([open.clone()]).when(&context(), Command::Complete).then([completed.clone()]);
    given::<Mandate>([open, completed]).when(&context(), Command::Complete).then_nothing();
    given::<Mandate>([came(CLOSE, refused())]).when(&context(), Command::Complete).then_error(&Error::NothingToDo);
    given::<Mandate>([]).when(&context(), Command::Complete).then_error(&Error::NothingToDo);
}

#[test]
fn stored_events_are_read_for_ever() {
    let events = [
        came(CLOSE, Answer::CarriedOut),
        came(Decision::FurtherTracing, Answer::Open),
        came(CLOSE, refused()),
        Event::Completed { received: received(Decision::FurtherTracing) },
    ];
    crate::golden::check("mandate", &events);
}
