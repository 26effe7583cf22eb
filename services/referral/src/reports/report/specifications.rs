//! What becomes of a report at one office.

use spean_eventsourcing::specification::given;
use spean_vocabulary::{AgeBand, CaseNumber, Sex, Urgency};

use super::*;
use crate::reports::words::Concern;

const NOW: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);

fn office(code: &str) -> OfficeId {
    code.parse().expect("a code")
}

fn offices(codes: &[&str]) -> BTreeSet<OfficeId> {
    codes.iter().map(|code| office(code)).collect()
}

fn at(code: &str) -> Context {
    Context { office: office(code), staff: Some("staff-7".parse().expect("a code")), now: NOW }
}

fn hotline() -> Context {
    at("hotline")
}

fn district() -> Context {
    at("osvy-kien-svay")
}

fn id<K>(number: u8) -> spean_vocabulary::Id<K> {
    format!("00000000-0000-4000-8000-0000000000{number:02x}").parse().expect("an id")
}

fn day(text: &str) -> Date {
    text.parse().expect("a day")
}

fn file() -> File {
    File {
        reference: CaseNumber::draw("HH".parse().expect("a tag"), [1, 2, 3, 4, 5]),
        taken_down_by: office("hotline"),
        taken_down_at: NOW,
        place: "080201".parse().expect("a place"),
        concerns: BTreeSet::from([Concern::ChildAlone, Concern::StrangerRecruiting]),
        urgency: Urgency::Urgent,
        people: Some(2),
        sex: Sex::Female,
        age_band: AgeBand::Adolescent,
        seen_on: Some(day("2026-09-01")),
        has_words: true,
    }
}

fn due() -> Timestamp {
    NOW.plus_hours(48)
}

fn pass(to: &str) -> Pass {
    Pass { to: office(to), pass: id(7), because: PassReason::ServesPlace, silent: BTreeSet::new(), due_at: due() }
}

fn over(to: &str, silent: &[&str]) -> Pass {
    Pass { because: PassReason::NobodyAnswered, silent: offices(silent), ..pass(to) }
}

fn submit(to: Option<&str>) -> Command {
    let pass = to.map(pass);
    Command::Submit { file: file(), channel: Channel::Hotline, reporter: Some(id(5)), due_at: due(), pass }
}

fn taken_down() -> Event {
    Event::TakenDown { file: file(), channel: Some(Channel::Hotline), reporter: Some(id(5)), due_at: due() }
}

fn passed_on(to: &str) -> Event {
    Event::PassedOn { file: file(), pass: pass(to) }
}

fn arrive(from: &str) -> Command {
    Command::Arrive {
        file: file(),
        from: office(from),
        because: PassReason::ServesPlace,
        silent: BTreeSet::new(),
        due_at: due(),
    }
}

fn arrived(from: &str, answer: Option<Told>) -> Event {
    Event::Arrived {
        file: file(),
        from: office(from),
        because: PassReason::ServesPlace,
        silent: BTreeSet::new(),
        due_at: due(),
        answer,
    }
}

fn taken_up() -> Event {
    Event::TakenUp { tell: offices(&["hotline"]) }
}

fn linked(number: u8) -> Event {
    Event::CaseLinked { case: id(number), person: u32::from(number), tell: offices(&["hotline"]) }
}

fn told(at: &str, state: ReportState) -> Told {
    Told { at: office(at), state, unfounded: None, closed: None, person: None, stage: None, outcome: None, on: None }
}

fn heard(from: &str, told: Told) -> Event {
    Event::Heard { from: office(from), told, tell: BTreeSet::new() }
}

#[test]
fn a_report_goes_at_once_to_the_office_that_serves_the_place() {
    given::<Report>([])
        .when(&hotline(), submit(Some("osvy-kien-svay")))
        .then([taken_down(), passed_on("osvy-kien-svay")]);
}

#[test]
fn a_report_about_its_own_place_stays_at_the_office() {
    given::<Report>([]).when(&hotline(), submit(None)).then([taken_down()]);
}

#[test]
fn told_again_it_keeps_its_number_and_who_reported_it() {
    let again = Command::Submit {
        file: File {
            reference: CaseNumber::draw("HH".parse().expect("a tag"), [9; 5]),
            taken_down_at: NOW.plus_hours(1),
            ..file()
        },
        channel: Channel::Hotline,
        reporter: Some(id(6)),
        due_at: due().plus_hours(1),
        pass: Some(pass("osvy-kien-svay")),
    };
    given::<Report>([taken_down(), passed_on("osvy-kien-svay")]).when(&hotline(), again).then_nothing();
}

#[test]
fn another_report_under_the_same_id_is_refused() {
    let other = Command::Submit {
        file: File { people: Some(3), ..file() },
        channel: Channel::Hotline,
        reporter: Some(id(5)),
        due_at: due(),
        pass: None,
    };
    given::<Report>([taken_down()]).when(&hotline(), other).then_error(&Error::ReportIdTaken);
    given::<Report>([arrived("hotline", None)]).when(&district(), submit(None)).then_error(&Error::ReportIdTaken);
}

#[test]
fn a_report_arrives_once_from_each_office() {
    given::<Report>([]).when(&district(), arrive("hotline")).then([arrived("hotline", None)]);
    given::<Report>([arrived("hotline", None)])
        .when(&district(), arrive("commune-banteay-daek"))
        .then([arrived("commune-banteay-daek", None)]);
}

#[test]
fn who_passes_on_what_is_looked_into_already_hears_so_at_once() {
    let answer = told("osvy-kien-svay", ReportState::LookedInto);
    let event = arrived("dsvy-kandal", Some(answer.clone()));
    assert_eq!(event.told(&office("osvy-kien-svay")), Some((answer, offices(&["dsvy-kandal"]))));
    given::<Report>([arrived("hotline", None), taken_up()]).when(&district(), arrive("dsvy-kandal")).then([event]);
}

#[test]
fn an_office_that_looks_into_a_report_tells_who_passed_it_on() {
    given::<Report>([arrived("hotline", None)]).when(&district(), Command::TakeUp).then([taken_up()]);
    let (said, to) = taken_up().told(&office("osvy-kien-svay")).expect("somebody hears of it");
    assert_eq!((said, to), (told("osvy-kien-svay", ReportState::LookedInto), offices(&["hotline"])));
}

#[test]
fn an_office_may_take_up_what_it_had_passed_on() {
    given::<Report>([taken_down(), passed_on("osvy-kien-svay")])
        .when(&hotline(), Command::TakeUp)
        .then([Event::TakenUp { tell: BTreeSet::new() }]);
}

#[test]
fn what_nobody_knows_cannot_be_worked_on() {
    for command in [
        Command::TakeUp,
        Command::PassOn(pass("dsvy-kandal")),
        Command::LinkCase { case: id(1) },
        Command::FindUnfounded { reason: UnfoundedReason::NobodyThere },
        Command::Close { reason: CloseReason::PeopleGone },
        Command::EraseReporter { ground: "REQUEST_OF_PERSON".to_owned() },
    ] {
        given::<Report>([]).when(&district(), command).then_error(&Error::NoSuchReport);
    }
}

#[test]
fn a_report_is_passed_on_to_others_and_not_in_a_circle() {
    given::<Report>([arrived("hotline", None)])
        .when(&district(), Command::PassOn(pass("osvy-saang")))
        .then([passed_on("osvy-saang")]);
    given::<Report>([arrived("hotline", None)])
        .when(&district(), Command::PassOn(pass("osvy-kien-svay")))
        .then_error(&Error::PassedOnToOneself);
    given::<Report>([arrived("hotline", None)])
        .when(&district(), Command::PassOn(pass("hotline")))
        .then_error(&Error::CameFromThere);
}

#[test]
fn over_the_head_of_a_silent_office_it_goes_to_the_one_above() {
    let climb = Command::ClimbOver {
        silent: office("osvy-kien-svay"),
        pass: Some(over("dsvy-kandal", &["osvy-kien-svay"])),
        due_at: due(),
    };
    let history = [taken_down(), passed_on("osvy-kien-svay")];
    given::<Report>(history.clone())
        .when(&hotline(), climb.clone())
        .then([Event::PassedOn { file: file(), pass: over("dsvy-kandal", &["osvy-kien-svay"]) }]);
    let [taken_down, passed_on] = history;
    let answered = heard("osvy-kien-svay", told("osvy-kien-svay", ReportState::LookedInto));
    given::<Report>([taken_down, passed_on, answered]).when(&hotline(), climb).then_nothing();
}

#[test]
fn an_office_that_stands_above_the_silent_one_looks_into_it_itself() {
    let climb = Command::ClimbOver { silent: office("osvy-kien-svay"), pass: None, due_at: due() };
    let back = Event::TakenBack { silent: office("osvy-kien-svay"), due_at: due() };
    given::<Report>([taken_down(), passed_on("osvy-kien-svay")]).when(&at("dsvy-kandal"), climb).then([back]);
}

#[test]
fn an_office_where_nobody_looks_into_a_report_is_passed_over_too() {
    let climb = Command::ClimbOver {
        silent: office("dsvy-kandal"),
        pass: Some(over("mosvy-atro", &["dsvy-kandal"])),
        due_at: due(),
    };
    let province = at("dsvy-kandal");
    given::<Report>([taken_down()])
        .when(&province, climb.clone())
        .then([Event::PassedOn { file: file(), pass: over("mosvy-atro", &["dsvy-kandal"]) }]);
    given::<Report>([taken_down(), Event::TakenUp { tell: BTreeSet::new() }]).when(&province, climb).then_nothing();
}

#[test]
fn the_cases_that_come_of_a_report_are_counted_and_those_who_reported_hear_no_more_than_that() {
    given::<Report>([arrived("hotline", None), taken_up(), linked(1)])
        .when(&district(), Command::LinkCase { case: id(2) })
        .then([linked(2)]);
    let (said, _) = linked(2).told(&office("osvy-kien-svay")).expect("somebody hears of it");
    assert_eq!(said, Told { person: Some(2), ..told("osvy-kien-svay", ReportState::BecameCase) });
    let letter = serde_json::to_string(&said).expect("codes");
    assert!(!letter.contains(&id::<spean_vocabulary::kind::Case>(2).to_string()), "not the case");
}

#[test]
fn nothing_is_unfounded_before_somebody_looked_or_after_a_case_came_of_it() {
    let unfounded = Command::FindUnfounded { reason: UnfoundedReason::NobodyThere };
    let tell = offices(&["hotline"]);
    given::<Report>([arrived("hotline", None), taken_up()])
        .when(&district(), unfounded.clone())
        .then([Event::FoundUnfounded { reason: UnfoundedReason::NobodyThere, tell: tell.clone() }]);
    given::<Report>([arrived("hotline", None)]).when(&district(), unfounded.clone()).then_error(&Error::NotLookedInto);
    given::<Report>([arrived("hotline", None), taken_up(), linked(1)])
        .when(&district(), unfounded.clone())
        .then_error(&Error::BecameACase);
    let closed = Event::Closed { reason: CloseReason::PeopleGone, tell };
    given::<Report>([arrived("hotline", None), taken_up(), closed])
        .when(&district(), unfounded)
        .then_error(&Error::ReportEnded);
}

#[test]
fn a_report_is_closed_with_a_reason_that_is_true() {
    let close = |reason| Command::Close { reason };
    let looked_into = [arrived("hotline", None), taken_up()];
    let tell = offices(&["hotline"]);
    given::<Report>(looked_into.clone())
        .when(&district(), close(CloseReason::HelpedOnTheSpot))
        .then([Event::Closed { reason: CloseReason::HelpedOnTheSpot, tell }]);
    given::<Report>(looked_into.clone())
        .when(&district(), close(CloseReason::CasesGoOn))
        .then_error(&Error::NoCaseLinked);
    given::<Report>(looked_into)
        .when(&district(), close(CloseReason::DealtWithElsewhere))
        .then_error(&Error::NotDealtWithElsewhere);
    given::<Report>([arrived("hotline", None)])
        .when(&district(), close(CloseReason::PeopleGone))
        .then_error(&Error::NotLookedInto);
}

#[test]
fn who_passed_a_report_on_closes_it_when_the_other_office_has_dealt_with_it() {
    let close = Command::Close { reason: CloseReason::DealtWithElsewhere };
    let history =
        |state| [taken_down(), passed_on("osvy-kien-svay"), heard("osvy-kien-svay", told("osvy-kien-svay", state))];
    given::<Report>(history(ReportState::BecameCase))
        .when(&hotline(), close.clone())
        .then([Event::Closed { reason: CloseReason::DealtWithElsewhere, tell: BTreeSet::new() }]);
    given::<Report>(history(ReportState::LookedInto)).when(&hotline(), close).then_error(&Error::NotDealtWithElsewhere);
}

#[test]
fn after_its_end_a_report_goes_nowhere() {
    let closed = Event::Closed { reason: CloseReason::PeopleGone, tell: BTreeSet::new() };
    let history = [taken_down(), taken_up(), closed];
    for command in [
        Command::TakeUp,
        Command::PassOn(pass("osvy-kien-svay")),
        Command::LinkCase { case: id(1) },
        Command::Close { reason: CloseReason::HelpedOnTheSpot },
    ] {
        given::<Report>(history.clone()).when(&hotline(), command).then_error(&Error::ReportEnded);
    }
}

#[test]
fn what_is_heard_goes_back_along_the_way_and_never_to_who_told_it() {
    let looked_into = told("osvy-kien-svay", ReportState::LookedInto);
    let hear = Command::Hear { from: office("osvy-kien-svay"), told: looked_into.clone() };
    let history = [arrived("hotline", None), passed_on("osvy-kien-svay")];
    given::<Report>(history.clone()).when(&at("dsvy-kandal"), hear).then([Event::Heard {
        from: office("osvy-kien-svay"),
        told: looked_into,
        tell: offices(&["hotline"]),
    }]);
    let own = Command::Hear { from: office("osvy-kien-svay"), told: told("dsvy-kandal", ReportState::LookedInto) };
    given::<Report>(history).when(&at("dsvy-kandal"), own).then_nothing();
}

#[test]
fn what_is_heard_of_a_report_that_was_forgotten_is_no_reason_to_stop() {
    let looked_into = told("osvy-kien-svay", ReportState::LookedInto);
    given::<Report>([])
        .when(&hotline(), Command::Hear { from: office("osvy-kien-svay"), told: looked_into.clone() })
        .then([heard("osvy-kien-svay", looked_into)]);
}

#[test]
fn what_becomes_of_a_person_is_told_without_the_case_and_not_to_whom_consent_leaves_out() {
    let note = |left_out: &[&str]| Command::NoteProgress {
        case: id(1),
        stage: Some(Stage::InShelter),
        outcome: None,
        on: day("2026-09-05"),
        left_out: offices(left_out),
    };
    let said = Told {
        person: Some(1),
        stage: Some(Stage::InShelter),
        on: Some(day("2026-09-05")),
        ..told("osvy-kien-svay", ReportState::BecameCase)
    };
    let history = [arrived("hotline", None), arrived("commune-banteay-daek", None), linked(1)];
    given::<Report>(history.clone())
        .when(&district(), note(&[]))
        .then([Event::ProgressNoted { told: said.clone(), tell: offices(&["hotline", "commune-banteay-daek"]) }]);
    given::<Report>(history)
        .when(&district(), note(&["hotline"]))
        .then([Event::ProgressNoted { told: said, tell: offices(&["commune-banteay-daek"]) }]);
    given::<Report>([arrived("hotline", None)]).when(&district(), note(&[])).then_nothing();
}

#[test]
fn the_reporter_is_erased_on_their_own() {
    let erase = || Command::EraseReporter { ground: "REQUEST_OF_PERSON".to_owned() };
    let erased = Event::ReporterErased { ground: "REQUEST_OF_PERSON".to_owned() };
    given::<Report>([taken_down()]).when(&hotline(), erase()).then([erased.clone()]);
    assert_eq!(Report::fold(&[taken_down()]).reporter(), Some(id(5)));
    assert_eq!(Report::fold(&[taken_down(), erased]).reporter(), None);
    given::<Report>([arrived("hotline", None)]).when(&district(), erase()).then_error(&Error::NoReporterKept);
}

#[test]
fn no_letter_and_no_other_office_knows_of_a_reporter() {
    let letter = serde_json::to_string(&passed_on("osvy-kien-svay")).expect("codes");
    assert!(!letter.contains("reporter") && !letter.contains("channel"));
}

#[test]
fn after_a_restore_the_office_that_got_it_gives_it_back() {
    let recall = Command::Recall { file: file(), pass: pass("osvy-kien-svay") };
    let forgotten = Event::TakenDown { file: file(), channel: None, reporter: None, due_at: due() };
    given::<Report>([]).when(&hotline(), recall.clone()).then([forgotten, passed_on("osvy-kien-svay")]);
    given::<Report>([taken_down(), passed_on("osvy-kien-svay")]).when(&hotline(), recall).then_nothing();
}

/// One of each kind of event, as it is stored for ever.
fn every_event() -> Vec<Event> {
    let tell = offices(&["hotline"]);
    let outcome = Told {
        person: Some(1),
        outcome: Some(ServiceOutcome::Completed),
        on: Some(day("2026-09-09")),
        ..told("osvy-kien-svay", ReportState::BecameCase)
    };
    vec![
        taken_down(),
        Event::TakenDown {
            file: File { people: None, seen_on: None, ..file() },
            channel: None,
            reporter: None,
            due_at: due(),
        },
        arrived("hotline", None),
        arrived("dsvy-kandal", Some(told("osvy-kien-svay", ReportState::LookedInto))),
        taken_up(),
        passed_on("osvy-kien-svay"),
        Event::PassedOn { file: file(), pass: over("dsvy-kandal", &["osvy-kien-svay"]) },
        Event::TakenBack { silent: office("osvy-kien-svay"), due_at: due() },
        linked(1),
        Event::FoundUnfounded { reason: UnfoundedReason::TooLittleTold, tell: tell.clone() },
        Event::Closed { reason: CloseReason::KnownAlready, tell: tell.clone() },
        Event::ReporterErased { ground: "REQUEST_OF_PERSON".to_owned() },
        Event::Heard { from: office("osvy-kien-svay"), told: outcome.clone(), tell: tell.clone() },
        Event::ProgressNoted { told: outcome, tell },
    ]
}

#[test]
fn stored_events_are_read_as_they_were_written() {
    const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/report.jsonl");
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
