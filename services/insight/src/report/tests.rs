use spean_eventsourcing::specification::given;

use super::*;

fn on(day: &str) -> Context {
    let day: spean_vocabulary::Date = day.parse().unwrap();
    let first: spean_vocabulary::Date = "1970-01-01".parse().unwrap();
    // Noon in Cambodia.
    let now = Timestamp::from_micros(0).plus_days(day.days_since(first).into()).plus_hours(5);
    Context { office: "ministry".parse().unwrap(), staff: None, now }
}

fn report() -> Issued {
    let figure = |dimension, value: &str, count| Figure {
        measure: Measure::CaseRegistered,
        dimension,
        value: value.to_owned(),
        count,
    };
    Issued {
        period: "2026-1".parse().unwrap(),
        node: "kandal".parse().unwrap(),
        agency: "dsvy-kandal".parse().unwrap(),
        issued_at: Timestamp::from_micros(1_795_300_200_000_000),
        edition: 0,
        figures: vec![figure(None, "", 12), figure(Some(Dimension::Sex), "female", 12)],
    }
}

#[test]
fn a_report_is_fixed_from_the_day_after_the_period() {
    given::<Report>([]).when(&on("2026-04-30"), Command::Issue(report())).then_error(&Error::PeriodNotOver);
    given::<Report>([]).when(&on("2026-05-01"), Command::Issue(report())).then([Event::Issued(report())]);
}

fn amended() -> Issued {
    let more = Figure { measure: Measure::Visit, dimension: None, value: String::new(), count: 3 };
    let figures = report().figures.into_iter().chain([more]).collect();
    Issued { edition: 1, figures, ..report() }
}

#[test]
fn what_comes_late_amends_the_report_and_keeps_what_it_said() {
    let ask = Command::Issue(Issued { edition: 0, ..amended() });
    given::<Report>([Event::Issued(report())]).when(&on("2026-06-01"), ask.clone()).then([Event::Issued(amended())]);
    let again = [Event::Issued(report()), Event::Issued(amended())];
    given::<Report>(again).when(&on("2026-06-02"), ask).then_nothing();
}

#[test]
fn a_report_that_would_say_the_same_is_not_issued_again() {
    let ask = Command::Issue(Issued { issued_at: Timestamp::default(), ..report() });
    given::<Report>([Event::Issued(report())]).when(&on("2026-06-01"), ask).then_nothing();
}

#[test]
fn the_editions_of_a_report_may_come_in_any_order() {
    let received = Event::Received(amended());
    given::<Report>([]).when(&on("2026-06-01"), Command::Receive(amended())).then([received.clone()]);
    let first = Event::Received(report());
    given::<Report>([received.clone()]).when(&on("2026-06-01"), Command::Receive(report())).then([first.clone()]);
    assert_eq!(Report::fold(&[received, first]).issued(), Some(&amended()));
}

#[test]
fn a_report_that_comes_twice_is_kept_once_and_another_one_is_refused() {
    let received = Event::Received(report());
    given::<Report>([]).when(&on("2026-05-01"), Command::Receive(report())).then([received.clone()]);
    given::<Report>([received.clone()]).when(&on("2026-05-01"), Command::Receive(report())).then_nothing();
    let other = Issued { figures: vec![], ..report() };
    given::<Report>([received]).when(&on("2026-05-01"), Command::Receive(other)).then_error(&Error::ReportedOtherwise);
}

#[test]
fn stored_events_are_read_for_ever() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/report.jsonl");
    crate::golden::check(path, &[Event::Issued(report()), Event::Received(report()), Event::Issued(amended())]);
}
