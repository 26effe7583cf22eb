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
        figures: vec![figure(None, "", 12), figure(Some(Dimension::Sex), "female", 12)],
    }
}

#[test]
fn a_report_is_fixed_from_the_day_after_the_period() {
    given::<Report>([]).when(&on("2026-04-30"), Command::Issue(report())).then_error(&Error::PeriodNotOver);
    given::<Report>([]).when(&on("2026-05-01"), Command::Issue(report())).then([Event::Issued(report())]);
}

#[test]
fn a_report_is_fixed_once_and_what_comes_later_is_for_the_next() {
    let later = Issued { figures: vec![], ..report() };
    given::<Report>([Event::Issued(report())]).when(&on("2026-06-01"), Command::Issue(later)).then_nothing();
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
    crate::golden::check(path, &[Event::Issued(report()), Event::Received(report())]);
}
