use spean_eventsourcing::specification::given;

use super::*;

fn context() -> Context {
    let now = spean_vocabulary::Timestamp::from_micros(1_795_300_200_000_000);
    Context { office: "osvy-saang".parse().unwrap(), staff: None, now }
}

fn told(to: &str, topics: &[(Topic, &str)]) -> Told {
    Told {
        office: "osvy-saang".parse().unwrap(),
        to: to.parse().unwrap(),
        case_number: None,
        topics: topics.iter().map(|(topic, since)| (*topic, since.parse().unwrap())).collect(),
    }
}

const LATE: &[(Topic, &str)] = &[(Topic::Overdue, "2026-03-01")];

#[test]
fn the_province_is_told_when_there_is_news_and_not_again() {
    let late = told("dsvy-kandal", LATE);
    given::<Agenda>([]).when(&context(), Command::Observe(Some(late.clone()))).then([Event::Told(late.clone())]);
    given::<Agenda>([Event::Told(late.clone())]).when(&context(), Command::Observe(Some(late))).then_nothing();
    given::<Agenda>([]).when(&context(), Command::Observe(Some(told("dsvy-kandal", &[])))).then_nothing();
}

#[test]
fn what_is_settled_is_taken_off_the_agenda() {
    let late = Event::Told(told("dsvy-kandal", LATE));
    let nothing = Event::Told(told("dsvy-kandal", &[]));
    given::<Agenda>([late.clone()]).when(&context(), Command::Observe(None)).then([nothing.clone()]);
    let settled = Command::Observe(Some(told("dsvy-kandal", &[])));
    given::<Agenda>([late.clone()]).when(&context(), settled).then([nothing.clone()]);
    given::<Agenda>([late, nothing]).when(&context(), Command::Observe(None)).then_nothing();
}

#[test]
fn a_case_that_comes_under_another_province_changes_agendas() {
    let (before, after) = (told("dsvy-kandal", LATE), told("dsvy-takeo", LATE));
    given::<Agenda>([Event::Told(before)])
        .when(&context(), Command::Observe(Some(after.clone())))
        .then([Event::Told(told("dsvy-kandal", &[])), Event::Told(after)]);
}

#[test]
fn the_province_keeps_what_it_was_told_last() {
    let late = told("dsvy-kandal", LATE);
    given::<Agenda>([]).when(&context(), Command::Hear(late.clone())).then([Event::Heard(late.clone())]);
    given::<Agenda>([Event::Heard(late.clone())]).when(&context(), Command::Hear(late.clone())).then_nothing();
    let settled = told("dsvy-kandal", &[]);
    given::<Agenda>([Event::Heard(late)])
        .when(&context(), Command::Hear(settled.clone()))
        .then([Event::Heard(settled.clone())]);
    given::<Agenda>([]).when(&context(), Command::Hear(settled)).then_nothing();
}

#[test]
fn stored_events_are_read_for_ever() {
    crate::golden::check("agenda", &[Event::Told(told("dsvy-kandal", LATE)), Event::Heard(told("dsvy-kandal", &[]))]);
}
