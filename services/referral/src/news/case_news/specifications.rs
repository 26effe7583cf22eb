//! What news does, and who hears of it.

use spean_eventsourcing::specification::given;
use spean_vocabulary::Timestamp;

use super::*;

fn office(code: &str) -> OfficeId {
    code.parse().expect("a code")
}

fn offices(codes: &[&str]) -> BTreeSet<OfficeId> {
    codes.iter().map(|code| office(code)).collect()
}

fn at_the_province() -> Context {
    Context {
        office: office("dsvy-kandal"),
        staff: Some("kd-02".parse().expect("a code")),
        now: Timestamp::from_micros(1_790_000_000_000_000),
    }
}

fn id<K>(number: u8) -> spean_vocabulary::Id<K> {
    format!("00000000-0000-4000-8000-0000000000{number:02x}").parse().expect("an id")
}

fn in_shelter() -> News {
    News {
        what: What::Stage { stage: Stage::InShelter },
        seen_by: office("house-of-hope-phnom-penh"),
        on: "2026-09-03".parse().expect("a day"),
    }
}

fn service(outcome: ServiceOutcome, need: Option<Need>) -> News {
    News { what: What::Service { offer: id(7), need, outcome }, ..in_shelter() }
}

fn seen_again() -> News {
    News { what: What::SeenAgain { other: id(9), taken_back: false }, ..in_shelter() }
}

fn hear(news: News) -> Command {
    Command::Hear { news, from: Some(office("house-of-hope-phnom-penh")), tell: Tell::default() }
}

fn heard(number: u32, news: News) -> Event {
    Event::Heard { number, news, from: Some(office("house-of-hope-phnom-penh")), tell: Tell::default() }
}

#[test]
fn news_is_written_down_once_whoever_tells_it() {
    given::<CaseNews>([]).when(&at_the_province(), hear(in_shelter())).then([heard(1, in_shelter())]);
    let by_another = Command::Hear {
        news: in_shelter(),
        from: Some(office("poipet-transit-centre")),
        tell: Tell { for_information: offices(&["mosvy-atro"]), ..Tell::default() },
    };
    given::<CaseNews>([heard(1, in_shelter())]).when(&at_the_province(), by_another).then_nothing();
}

#[test]
fn what_came_of_a_service_is_one_piece_of_news_whichever_way_it_comes() {
    let told = service(ServiceOutcome::Completed, None);
    given::<CaseNews>([heard(1, service(ServiceOutcome::Completed, Some(Need::Medical)))])
        .when(&at_the_province(), hear(told))
        .then_nothing();
}

#[test]
fn the_same_stage_on_another_day_is_news_again() {
    let later = News { on: "2026-10-01".parse().expect("a day"), ..in_shelter() };
    given::<CaseNews>([heard(1, in_shelter())]).when(&at_the_province(), hear(later.clone())).then([heard(2, later)]);
}

#[test]
fn news_is_read_up_to_a_number_and_not_beyond_what_there_is() {
    let acknowledge = |up_to| Command::Acknowledge { up_to };
    let history = [heard(1, in_shelter()), heard(2, seen_again())];
    given::<CaseNews>(history.clone())
        .when(&at_the_province(), acknowledge(2))
        .then([Event::Acknowledged { up_to: 2 }]);
    for nothing in [0, 3] {
        given::<CaseNews>(history.clone())
            .when(&at_the_province(), acknowledge(nothing))
            .then_error(&Error::NoSuchNews);
    }
    let read = [heard(1, in_shelter()), Event::Acknowledged { up_to: 1 }];
    given::<CaseNews>(read).when(&at_the_province(), acknowledge(1)).then_nothing();
}

/// Poipet referred to the province, the province to the district; a shelter helps the district.
struct Way {
    holder: Option<OfficeId>,
    earlier: BTreeSet<OfficeId>,
    asked_by: BTreeSet<OfficeId>,
}

impl Way {
    fn chain(&self) -> Chain<'_> {
        Chain { holder: self.holder.as_ref(), earlier: &self.earlier, asked_by: &self.asked_by }
    }
}

const EARLIER: [&str; 3] = ["poipet-transit-centre", "dsvy-kandal", "osvy-kien-svay"];

fn at_holder() -> Way {
    Way { holder: Some(office("osvy-kien-svay")), earlier: offices(&EARLIER), asked_by: offices(&[]) }
}

#[test]
fn the_office_that_helps_tells_the_one_that_asked() {
    let way = Way { holder: None, earlier: offices(&[]), asked_by: offices(&["osvy-kien-svay"]) };
    let me = office("house-of-hope-phnom-penh");
    let tell = who_is_told(&me, &in_shelter(), None, false, &way.chain(), &offices(&[]));
    assert_eq!(tell, Tell { towards_holder: offices(&["osvy-kien-svay"]), ..Tell::default() });
}

#[test]
fn the_holder_tells_everybody_who_had_the_case_before_and_not_who_told_it() {
    let shelter = office("house-of-hope-phnom-penh");
    let me = office("osvy-kien-svay");
    let tell = who_is_told(&me, &in_shelter(), Some(&shelter), false, &at_holder().chain(), &offices(&[]));
    let for_information = offices(&["poipet-transit-centre", "dsvy-kandal"]);
    assert_eq!(tell, Tell { for_information, ..Tell::default() });
}

#[test]
fn an_office_that_has_handed_the_case_on_passes_news_towards_the_holder() {
    let shelter = office("house-of-hope-phnom-penh");
    let me = office("dsvy-kandal");
    let tell = who_is_told(&me, &in_shelter(), Some(&shelter), false, &at_holder().chain(), &offices(&[]));
    assert_eq!(tell, Tell { towards_holder: offices(&["osvy-kien-svay"]), ..Tell::default() });
}

#[test]
fn what_the_holder_tells_for_information_goes_no_further() {
    let holder = office("osvy-kien-svay");
    for me in ["dsvy-kandal", "poipet-transit-centre"] {
        let tell = who_is_told(&office(me), &in_shelter(), Some(&holder), true, &at_holder().chain(), &offices(&[]));
        assert_eq!(tell, Tell::default(), "at {me}");
    }
}

#[test]
fn a_consent_that_leaves_an_office_out_keeps_news_from_it_but_not_that_the_case_closed() {
    let me = office("osvy-kien-svay");
    let left_out = offices(&["poipet-transit-centre"]);
    let told = |news: &News| who_is_told(&me, news, None, false, &at_holder().chain(), &left_out).for_information;
    assert_eq!(told(&in_shelter()), offices(&["dsvy-kandal"]));
    let closed = News { what: What::Stage { stage: Stage::Closed }, ..in_shelter() };
    assert_eq!(told(&closed), offices(&["dsvy-kandal", "poipet-transit-centre"]));
}

#[test]
fn that_somebody_was_seen_again_goes_to_the_holder_and_its_services_and_to_nobody_else() {
    let seen = News { seen_by: office("poipet-transit-centre"), ..seen_again() };
    let registering = office("poipet-transit-centre");
    let tell = who_is_told(&registering, &seen, None, false, &at_holder().chain(), &offices(&[]));
    assert_eq!(tell, Tell { towards_holder: offices(&["osvy-kien-svay"]), ..Tell::default() });
    let on_the_way = office("dsvy-kandal");
    let tell = who_is_told(&on_the_way, &seen, Some(&registering), false, &at_holder().chain(), &offices(&[]));
    assert_eq!(tell.towards_holder, offices(&["osvy-kien-svay"]), "the case has moved on");
    let holder = office("osvy-kien-svay");
    let tell = who_is_told(&holder, &seen, Some(&registering), false, &at_holder().chain(), &offices(&[]));
    assert_eq!(tell, Tell { own_services: true, ..Tell::default() });
}

/// One of each kind of event, as it is stored for ever.
fn every_event() -> Vec<Event> {
    let tell = Tell {
        towards_holder: offices(&["osvy-kien-svay"]),
        for_information: offices(&["poipet-transit-centre"]),
        own_services: true,
    };
    vec![
        heard(1, in_shelter()),
        Event::Heard { number: 2, news: service(ServiceOutcome::Completed, Some(Need::Medical)), from: None, tell },
        heard(3, seen_again()),
        heard(4, News { what: What::SeenAgain { other: id(9), taken_back: true }, ..in_shelter() }),
        Event::Acknowledged { up_to: 4 },
    ]
}

#[test]
fn stored_events_are_read_as_they_were_written() {
    const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/news.jsonl");
    let line = |event: &Event| serde_json::to_string(event).expect("an event is JSON") + "\n";
    let lines: String = every_event().iter().map(line).collect();
    if std::env::var_os("SPEAN_BLESS").is_some() {
        std::fs::create_dir_all(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden")).expect("a folder");
        std::fs::write(FILE, &lines).expect("the file can be written");
    }
    let golden = std::fs::read_to_string(FILE).expect("the golden lines are there");
    assert_eq!(lines, golden, "stored events may not change; if this is meant, run again with SPEAN_BLESS=1");
    let read: Vec<Event> = golden.lines().map(|line| serde_json::from_str(line).expect("readable")).collect();
    assert_eq!(read, every_event());
}
