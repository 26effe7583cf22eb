use spean_eventsourcing::specification::given;

use super::*;

fn context() -> Context {
    let now = spean_vocabulary::Timestamp::from_micros(1_795_300_200_000_000);
    Context { office: "kandal-province".parse().unwrap(), staff: None, now }
}

fn fact(measure: Measure) -> Fact {
    Fact {
        fact_id: "referral/120".to_owned(),
        measure,
        office: "kandal-province".parse().unwrap(),
        agency: None,
        province: Some("08".parse().unwrap()),
        occurred_on: "2026-03-01".parse().unwrap(),
        detail: "shelter".to_owned(),
        thing: "offer-1".to_owned(),
        hours: Some(30),
        recorded_hour: 490_000,
    }
}

fn female() -> Description {
    Description { sex: Some(Sex::Female), ..Description::default() }
}

#[test]
fn a_fact_is_counted_once_however_often_it_is_told() {
    let told = fact(Measure::OfferAccepted);
    let recorded = Event::Recorded(told.clone());
    given::<Subject>([]).when(&context(), Command::Record(told.clone())).then([recorded.clone()]);
    given::<Subject>([recorded]).when(&context(), Command::Record(told)).then_nothing();
}

#[test]
fn a_fact_that_is_told_again_after_an_office_moved_to_another_agency_is_the_same() {
    let kept = Fact { agency: Some("dsvy-kandal".parse().unwrap()), ..fact(Measure::OfferMade) };
    let told = Fact { agency: None, province: None, hours: None, ..kept.clone() };
    given::<Subject>([Event::Recorded(kept)]).when(&context(), Command::Record(told)).then_nothing();
}

#[test]
fn another_fact_under_the_same_id_is_refused() {
    given::<Subject>([Event::Recorded(fact(Measure::OfferMade))])
        .when(&context(), Command::Record(fact(Measure::OfferDeclined)))
        .then_error(&Error::FactIdTaken);
}

#[test]
fn what_is_not_said_changes_nothing_of_what_is_known() {
    let described = Event::Described(female());
    given::<Subject>([described.clone()]).when(&context(), Command::Describe(Description::default())).then_nothing();
    given::<Subject>([described.clone()]).when(&context(), Command::Describe(female())).then_nothing();
    let route = Description { route: Some("deportation".to_owned()), ..Description::default() };
    given::<Subject>([described]).when(&context(), Command::Describe(route.clone())).then([Event::Described(route)]);
}

fn said(rank: u8, position: i64, description: Description) -> Description {
    Description { said_by: Source { rank, incarnation: 0, position }, ..description }
}

fn said_since_a_restore(rank: u8, position: i64, description: Description) -> Description {
    Description { said_by: Source { rank, incarnation: 2, position }, ..description }
}

fn male() -> Description {
    Description { sex: Some(Sex::Male), ..Description::default() }
}

#[test]
fn of_one_service_the_later_word_counts_and_before_all_others_the_register_of_cases() {
    let known = Event::Described(said(0, 7, female()));
    let context = context();
    let ask = |command: Description| given::<Subject>([known.clone()]).when(&context, Command::Describe(command));
    ask(said(0, 6, male())).then_nothing();
    ask(said(0, 7, female())).then_nothing();
    ask(said(0, 8, male())).then([Event::Described(said(0, 8, male()))]);
    ask(said_since_a_restore(0, 3, male())).then([Event::Described(said_since_a_restore(0, 3, male()))]);
    ask(said(1, 2, male())).then([Event::Described(said(1, 2, male()))]);
    let by_the_register = Event::Described(said(1, 2, male()));
    given::<Subject>([by_the_register]).when(&context, Command::Describe(said(0, 99, female()))).then_nothing();
}

#[test]
fn of_a_description_only_the_news_are_kept() {
    let known = Event::Described(said(1, 2, female()));
    let more = Description { route: Some("deportation".to_owned()), ..said(0, 9, male()) };
    let news = Description { sex: None, ..more.clone() };
    given::<Subject>([known]).when(&context(), Command::Describe(more)).then([Event::Described(news)]);
}

#[test]
fn stored_events_are_read_for_ever() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/subject.jsonl");
    let plain =
        Fact { province: None, detail: String::new(), thing: String::new(), hours: None, ..fact(Measure::Visit) };
    let whole = Description {
        age_band: Some(AgeBand::Adolescent),
        home_province: Some("08".parse().unwrap()),
        route: Some("deportation".to_owned()),
        country: Some("TH".to_owned()),
        sector: Some("fishing".to_owned()),
        ..female()
    };
    let of_a_need = Description {
        need: Some("medical".to_owned()),
        case: Some("00000000-0000-4000-8000-000000000001".parse().unwrap()),
        ..Description::default()
    };
    let events = [
        Event::Described(whole),
        Event::Described(female()),
        Event::Recorded(fact(Measure::OfferMade)),
        Event::Recorded(plain.clone()),
        Event::Described(said(1, 12, of_a_need)),
        Event::Recorded(Fact { agency: Some("dsvy-kandal".parse().unwrap()), ..plain }),
        Event::Described(said_since_a_restore(1, 3, female())),
    ];
    crate::golden::check(path, &events);
}
