use spean_eventsourcing::specification::given;

use super::*;
use crate::report;

fn after_the_period() -> Context {
    // Noon in Cambodia on 1 May 2026.
    let now = Timestamp::from_micros(1_777_611_600_000_000);
    Context { office: "ministry".parse().unwrap(), staff: None, now }
}

fn period() -> Period {
    "2026-1".parse().unwrap()
}

fn report(node: &str, cells: &[(&str, u64)]) -> Issued {
    let figure = |dimension, value: &str, count| report::Figure {
        measure: Measure::CaseRegistered,
        dimension,
        value: value.to_owned(),
        count,
    };
    let total = figure(None, "", cells.iter().map(|(_, count)| count).sum());
    let cells = cells.iter().map(|(value, count)| figure(Some(Dimension::Sex), value, *count));
    Issued {
        period: period(),
        node: node.parse().unwrap(),
        agency: "dsvy".parse().unwrap(),
        issued_at: after_the_period().now,
        edition: 0,
        figures: std::iter::once(total).chain(cells).collect(),
    }
}

fn publish(reports: Vec<Issued>) -> Command {
    Command::Publish { period: period(), reports, is_ministry: true }
}

fn published(reports: &[Issued]) -> Published {
    compile(period(), reports, std::iter::empty(), after_the_period().now)
}

#[test]
fn the_reports_are_added_up_before_small_groups_are_counted_together() {
    let reports = [report("kandal", &[("female", 4), ("male", 30)]), report("poipet", &[("female", 16), ("other", 2)])];
    let figures = published(&reports).figures;
    let counts: Vec<_> = figures.iter().map(|figure| (figure.value.as_str(), figure.count)).collect();
    assert_eq!(counts, [("", Some(52)), ("male", Some(30)), (OTHER, Some(22))]);
}

#[test]
fn of_a_measure_with_fewer_than_five_people_not_even_the_total_is_told() {
    let figures = published(&[report("kandal", &[("female", 4)])]).figures;
    assert_eq!(
        figures,
        [Figure { measure: Measure::CaseRegistered, dimension: None, value: String::new(), count: None }]
    );
}

#[test]
fn figures_are_published_once_by_the_ministry_and_after_the_period() {
    let reports = vec![report("kandal", &[("female", 9)])];
    let event = Event::Published(published(&reports));
    let context = after_the_period();
    given::<Publication>([]).when(&context, publish(reports.clone())).then([event.clone()]);
    given::<Publication>([event]).when(&context, publish(vec![])).then_nothing();
    given::<Publication>([]).when(&context, publish(vec![])).then_error(&Error::NoReports);
    let early = Context { now: context.now.plus_days(-1), ..context.clone() };
    given::<Publication>([]).when(&early, publish(reports.clone())).then_error(&Error::PeriodNotOver);
    let by_another = Command::Publish { period: period(), reports, is_ministry: false };
    given::<Publication>([]).when(&context, by_another).then_error(&Error::NotTheMinistry);
}

#[test]
fn what_the_ministry_published_is_kept_and_does_not_change() {
    let figures = published(&[report("kandal", &[("female", 9)])]);
    let received = Event::Received(figures.clone());
    let context = after_the_period();
    given::<Publication>([]).when(&context, Command::Receive(figures.clone())).then([received.clone()]);
    given::<Publication>([received.clone()]).when(&context, Command::Receive(figures.clone())).then_nothing();
    let other = Published { figures: vec![], ..figures };
    given::<Publication>([received]).when(&context, Command::Receive(other)).then_error(&Error::PublishedOtherwise);
}

/// What is published once these are added to what was published before.
fn corrected(before: &[Published], reports: &[Issued]) -> Published {
    compile(period(), reports, before.iter(), after_the_period().now)
}

fn counts(published: &Published) -> Vec<(&str, Option<u64>)> {
    published.figures.iter().map(|figure| (figure.value.as_str(), figure.count)).collect()
}

#[test]
fn a_correction_counts_what_came_late_and_nothing_else() {
    let first = report("kandal", &[("female", 20), ("male", 30)]);
    let late = Issued { edition: 1, ..report("kandal", &[("female", 26), ("male", 37)]) };
    let before = published(std::slice::from_ref(&first));
    let correction = corrected(std::slice::from_ref(&before), &[first.clone(), late.clone()]);
    assert_eq!(counts(&correction), [("", Some(13)), ("female", Some(6)), ("male", Some(7))]);
    assert_eq!(correction.edition, 1);
    let events = [Event::Published(before)];
    let context = after_the_period();
    given::<Publication>(events.clone()).when(&context, publish(vec![first.clone()])).then_nothing();
    given::<Publication>(events).when(&context, publish(vec![first, late])).then([Event::Published(correction)]);
}

#[test]
fn what_came_late_of_few_people_waits_until_there_are_more() {
    let edition = |edition, female| Issued { edition, ..report("kandal", &[("female", female), ("male", 30)]) };
    let before = published(&[edition(0, 20)]);
    let context = after_the_period();
    let ask = |reports| given::<Publication>([Event::Published(before.clone())]).when(&context, publish(reports));
    ask(vec![edition(0, 20), edition(1, 23)]).then_nothing();
    let all = vec![edition(0, 20), edition(1, 23), edition(2, 26)];
    let correction = corrected(std::slice::from_ref(&before), &all);
    assert_eq!(counts(&correction), [("", Some(6)), ("female", Some(6))]);
    ask(all).then([Event::Published(correction)]);
}

#[test]
fn a_measure_that_was_withheld_is_told_as_a_whole_once_it_can_be() {
    let first = report("kandal", &[("female", 3)]);
    let before = published(std::slice::from_ref(&first));
    let late = Issued { edition: 1, ..report("kandal", &[("female", 9)]) };
    let correction = corrected(&[before], &[first, late]);
    assert_eq!(counts(&correction), [("", Some(9)), ("female", Some(9))]);
}

#[test]
fn of_a_table_in_which_a_description_was_corrected_only_the_total_is_told() {
    let first = report("kandal", &[("female", 20), ("male", 30)]);
    let late = Issued { edition: 1, ..report("kandal", &[("female", 19), ("male", 38)]) };
    let correction = corrected(&[published(std::slice::from_ref(&first))], &[first, late]);
    assert_eq!(counts(&correction), [("", Some(7))]);
}

#[test]
fn stored_events_are_read_for_ever() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/publication.jsonl");
    let withheld = published(&[report("kandal", &[("female", 4)])]);
    let figures = published(&[report("kandal", &[("female", 9)])]);
    // As it was written when there were no corrections.
    let figures = Published { made_from: BTreeMap::new(), ..figures };
    let withheld = Published { made_from: BTreeMap::new(), ..withheld };
    let first = report("kandal", &[("female", 9)]);
    let late = Issued { edition: 1, ..report("kandal", &[("female", 15)]) };
    let correction = corrected(&[published(std::slice::from_ref(&first))], &[first, late]);
    crate::golden::check(path, &[Event::Published(figures), Event::Received(withheld), Event::Published(correction)]);
}
