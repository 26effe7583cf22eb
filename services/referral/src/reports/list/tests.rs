//! The lists of reports on both databases.

use std::collections::BTreeSet;
use std::sync::Arc;

use spean_eventsourcing::Context;
use spean_eventstore::{EventStore, Metadata, Options};
use spean_testkit::{Postgres, a_folder};
use spean_vocabulary::{AgeBand, CaseId, CaseNumber, Sex, Urgency};

use super::*;
use crate::desk::report_stream;
use crate::news::Stage;
use crate::reports::report::Command;
use crate::reports::words::{Channel, CloseReason, Concern, PassReason, UnfoundedReason};

const NOW: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);

fn office(code: &str) -> OfficeId {
    code.parse().expect("a code")
}

fn id<K>(number: u8) -> spean_vocabulary::Id<K> {
    format!("00000000-0000-4000-8000-0000000000{number:02x}").parse().expect("an id")
}

fn file(number: u8, urgency: Urgency) -> File {
    File {
        reference: CaseNumber::draw("KD".parse().expect("a tag"), [number; 5]),
        taken_down_by: office("hotline"),
        taken_down_at: NOW,
        place: "080201".parse().expect("a place"),
        concerns: BTreeSet::from([Concern::ChildAlone, Concern::Other]),
        urgency,
        people: Some(2),
        sex: Sex::Unknown,
        age_band: AgeBand::Unknown,
        seen_on: None,
        has_words: true,
    }
}

struct Desk {
    store: EventStore,
}

impl Desk {
    async fn open(url: &str) -> Self {
        let options = Options { read_models: vec![Arc::new(ReportList)], ..Options::new(url, "referral", "test") };
        Self { store: EventStore::open(options).await.expect("the log opens") }
    }

    async fn at(&self, code: &str, report: u8, hours: i64, command: Command) {
        let context = Context { office: office(code), staff: None, now: NOW.plus_hours(hours) };
        let metadata = Metadata::of(&context);
        let stream = report_stream(&office(code), id(report));
        self.store.handle::<Report>(stream, command, context, metadata).await.expect("it is allowed");
    }

    async fn listed(&self, code: &str, list: List) -> Vec<u8> {
        let wanted = Wanted { list, state: None, received_until: NOW.plus_days(9) };
        self.wanted(code, wanted).await
    }

    async fn wanted(&self, code: &str, wanted: Wanted) -> Vec<u8> {
        let entries = super::list(&office(code), wanted, 10, 0, self.store.reader()).await.expect("a list");
        let number = |entry: Entry| u8::from_str_radix(&entry.report_id[34..], 16).expect("an id of this test");
        entries.into_iter().map(number).collect()
    }

    async fn find(&self, code: &str, report: u8) -> Entry {
        find(&office(code), id(report), self.store.reader()).await.expect("a query").expect("it is known")
    }
}

fn submit(number: u8, urgency: Urgency, to: Option<&str>) -> Command {
    Command::Submit {
        file: file(number, urgency),
        channel: Channel::Hotline,
        reporter: Some(id(99)),
        due_at: NOW.plus_hours(answer_within_hours(urgency)),
        pass: to.map(|to| pass(to, PassReason::ServesPlace, &[])),
    }
}

const fn answer_within_hours(urgency: Urgency) -> i64 {
    match urgency {
        Urgency::Emergency => 4,
        Urgency::Urgent => 48,
        Urgency::Routine => 168,
    }
}

fn pass(to: &str, because: PassReason, silent: &[&str]) -> Pass {
    let silent = silent.iter().map(|code| office(code)).collect();
    Pass { to: office(to), pass: id(7), because, silent, due_at: NOW.plus_hours(48) }
}

fn told(state: ReportState) -> Told {
    Told {
        at: office("osvy-kien-svay"),
        state,
        unfounded: None,
        closed: None,
        person: None,
        stage: None,
        outcome: None,
        on: None,
    }
}

fn hear(told: Told) -> Command {
    Command::Hear { from: office("osvy-kien-svay"), told }
}

async fn what_is_due_first_stands_at_the_top_and_what_ended_stands_apart(url: &str) {
    let desk = Desk::open(url).await;
    desk.at("dsvy-kandal", 1, 0, submit(1, Urgency::Routine, None)).await;
    desk.at("dsvy-kandal", 2, 0, submit(2, Urgency::Emergency, None)).await;
    desk.at("dsvy-kandal", 3, 0, submit(3, Urgency::Urgent, Some("osvy-kien-svay"))).await;
    desk.at("dsvy-kandal", 4, 30, submit(4, Urgency::Urgent, None)).await;
    desk.at("dsvy-kandal", 4, 31, Command::TakeUp).await;
    desk.at("dsvy-kandal", 4, 32, Command::FindUnfounded { reason: UnfoundedReason::NobodyThere }).await;
    assert_eq!(desk.listed("dsvy-kandal", List::ToDo).await, [2, 1]);
    assert_eq!(desk.listed("dsvy-kandal", List::Waiting).await, [3]);
    assert_eq!(desk.listed("dsvy-kandal", List::Ended).await, [4]);
    assert_eq!(desk.listed("dsvy-kandal", List::All).await, [2, 3, 4, 1]);
    assert_eq!(desk.listed("osvy-kien-svay", List::All).await, Vec::<u8>::new(), "another office's");
    let old = Wanted { list: List::All, state: Some(ReportState::Received), received_until: NOW };
    assert_eq!(desk.wanted("dsvy-kandal", old).await, [2, 1]);
    let entry = desk.find("dsvy-kandal", 4).await;
    assert_eq!((entry.state.as_str(), entry.unfounded.as_str()), ("unfounded", "nobody_there"));
    assert_eq!(entry.concerns, "child_alone,other");
    assert!(entry.has_words && entry.has_reporter);
}

async fn who_passed_a_report_on_sees_how_far_it_got_and_never_less(url: &str) {
    let desk = Desk::open(url).await;
    desk.at("hotline", 1, 0, submit(1, Urgency::Urgent, Some("osvy-kien-svay"))).await;
    assert_eq!(desk.find("hotline", 1).await.looked_into_by, "osvy-kien-svay");
    desk.at("hotline", 1, 3, hear(told(ReportState::LookedInto))).await;
    desk.at("hotline", 1, 4, hear(Told { person: Some(1), ..told(ReportState::BecameCase) })).await;
    let stage_of = |stage, on: &str| Told {
        person: Some(1),
        stage: Some(stage),
        on: Some(on.parse().expect("a day")),
        ..told(ReportState::BecameCase)
    };
    desk.at("hotline", 1, 5, hear(stage_of(Stage::LeftShelter, "2026-09-20"))).await;
    desk.at("hotline", 1, 6, hear(stage_of(Stage::InShelter, "2026-09-03"))).await;
    desk.at("hotline", 1, 7, hear(told(ReportState::LookedInto))).await;
    let entry = desk.find("hotline", 1).await;
    assert_eq!((entry.state.as_str(), entry.heard_state.as_str()), ("passed_on", "became_case"));
    let persons = persons(&office("hotline"), &entry.report_id, desk.store.reader()).await.expect("a list");
    let [person] = persons.as_slice() else { panic!("one person") };
    assert_eq!((person.stage.as_str(), person.stage_on.as_str()), ("left_shelter", "2026-09-20"), "the later day");
    assert_eq!(person.case_id, "", "those who reported know of no case");
    desk.at("hotline", 1, 8, hear(Told { closed: Some(CloseReason::CasesGoOn), ..told(ReportState::Closed) })).await;
    assert_eq!(desk.listed("hotline", List::Ended).await, [1]);
    assert_eq!(desk.listed("hotline", List::Waiting).await, Vec::<u8>::new());
    assert_eq!(desk.find("hotline", 1).await.closed, "cases_go_on");
}

async fn a_silent_office_stands_on_the_list_and_the_report_goes_above_it(url: &str) {
    let desk = Desk::open(url).await;
    desk.at("dsvy-kandal", 1, 0, submit(1, Urgency::Urgent, Some("osvy-kien-svay"))).await;
    let climb = |silent: &str, to: Option<&str>| Command::ClimbOver {
        silent: office(silent),
        pass: to.map(|to| pass(to, PassReason::NobodyAnswered, &[silent])),
        due_at: NOW.plus_hours(120),
    };
    desk.at("dsvy-kandal", 1, 72, climb("osvy-kien-svay", None)).await;
    let entry = desk.find("dsvy-kandal", 1).await;
    assert_eq!((entry.state.as_str(), entry.silent_offices.as_str()), ("received", "osvy-kien-svay"));
    assert_eq!(entry.answer_due_at, NOW.plus_hours(120).as_micros());
    desk.at("dsvy-kandal", 1, 144, climb("dsvy-kandal", Some("mosvy-atro"))).await;
    let entry = desk.find("dsvy-kandal", 1).await;
    assert_eq!((entry.state.as_str(), entry.looked_into_by.as_str()), ("passed_on", "mosvy-atro"));
    assert_eq!(entry.silent_offices, "osvy-kien-svay,dsvy-kandal");
    let stations = stations(&office("dsvy-kandal"), &entry.report_id, desk.store.reader()).await.expect("a list");
    let told: Vec<_> = stations.iter().map(|station| (station.office.as_str(), station.silent)).collect();
    assert_eq!(told, [("osvy-kien-svay", true), ("mosvy-atro", false)]);
}

async fn a_report_is_found_by_its_number_at_the_offices_that_know_it(url: &str) {
    let desk = Desk::open(url).await;
    let reference = file(1, Urgency::Urgent).reference.to_string();
    desk.at("hotline", 1, 0, submit(1, Urgency::Urgent, Some("osvy-kien-svay"))).await;
    let arrive = Command::Arrive {
        file: file(1, Urgency::Urgent),
        from: office("hotline"),
        because: PassReason::ServesPlace,
        silent: BTreeSet::new(),
        due_at: NOW.plus_hours(48),
    };
    desk.at("osvy-kien-svay", 1, 1, arrive).await;
    desk.at("osvy-kien-svay", 1, 2, Command::LinkCase { case: id(5) }).await;
    let by = async |code: &str| by_reference(&office(code), &reference, desk.store.reader()).await.expect("a query");
    assert_eq!(by("hotline").await.expect("known").state, "passed_on");
    let at_the_district = by("osvy-kien-svay").await.expect("known");
    assert_eq!((at_the_district.state.as_str(), at_the_district.from_offices.as_str()), ("became_case", "hotline"));
    assert!(!at_the_district.has_reporter && at_the_district.channel.is_empty());
    assert!(by("dsvy-kandal").await.is_none());
    let case: CaseId = id(5);
    let persons = persons(&office("osvy-kien-svay"), &at_the_district.report_id, desk.store.reader()).await;
    assert_eq!(persons.expect("a list")[0].case_id, case.to_string());
}

async fn a_reporter_who_was_erased_is_not_on_the_list(url: &str) {
    let desk = Desk::open(url).await;
    desk.at("hotline", 1, 0, submit(1, Urgency::Urgent, None)).await;
    desk.at("hotline", 1, 1, Command::EraseReporter { ground: "REQUEST_OF_PERSON".to_owned() }).await;
    assert!(!desk.find("hotline", 1).await.has_reporter);
}

macro_rules! on_both_databases {
    ($($story:ident)*) => { $(
        mod $story {
            use super::*;

            #[tokio::test]
            async fn on_sqlite() {
                let folder = a_folder();
                let file = folder.path().join("referral.sqlite");
                super::$story(&format!("sqlite://{}", file.display())).await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn on_postgres() {
                super::$story(&Postgres::shared().database()).await;
            }
        }
    )* };
}

on_both_databases! {
    what_is_due_first_stands_at_the_top_and_what_ended_stands_apart
    who_passed_a_report_on_sees_how_far_it_got_and_never_less
    a_silent_office_stands_on_the_list_and_the_report_goes_above_it
    a_report_is_found_by_its_number_at_the_offices_that_know_it
    a_reporter_who_was_erased_is_not_on_the_list
}
