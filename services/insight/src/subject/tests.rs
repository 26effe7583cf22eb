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
fn how_long_an_answer_took_is_counted_from_the_question() {
    let asked = Fact { hours: None, ..fact(Measure::OfferMade) };
    let answered = |hours| Fact {
        fact_id: "referral/130".to_owned(),
        hours,
        recorded_hour: asked.recorded_hour + 26,
        ..fact(Measure::OfferAccepted)
    };
    let expected = Event::Recorded(answered(Some(26)));
    given::<Subject>([Event::Recorded(asked.clone())])
        .when(&context(), Command::Record(answered(None)))
        .then([expected.clone()]);
    given::<Subject>([Event::Recorded(asked.clone()), expected])
        .when(&context(), Command::Record(answered(None)))
        .then_nothing();
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
    let events = [
        Event::Described(whole),
        Event::Described(female()),
        Event::Recorded(fact(Measure::OfferMade)),
        Event::Recorded(plain),
    ];
    crate::golden::check(path, &events);
}
