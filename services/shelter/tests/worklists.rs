//! Who is missing, what is due and which families are looked for, on both databases.
#![expect(clippy::unwrap_used, reason = "a specification fails by panicking")]

use std::sync::Arc;

use spean_chassis::Policies;
use spean_contracts::referral::v1::PersonSeenAgain;
use spean_eventsourcing::{Aggregate, Context};
use spean_eventstore::{EventStore, Metadata, Options};
use spean_shelter::care::{Care, Command as CareCommand, Goal, Plan, Review};
use spean_shelter::homecoming::{
    CareOption, Command as HomeCommand, FamilyAssessment, Homecoming, Placement, Recommendation, TracingOutcome,
};
use spean_shelter::house::absence::{Absence, AbsenceReason, ContactOutcome};
use spean_shelter::house::{Accountable, Admission, Command, ExitKind, Group, House, Places};
use spean_shelter::residents::{self, Residents};
use spean_shelter::search::{self, Missing};
use spean_shelter::{TABLES, due};
use spean_testkit::{Postgres, a_folder};
use spean_vocabulary::{CaseId, Date, Id, Need, OfficeId, Sex, Timestamp};

const GIRLS: Group = Group { sex: Sex::Female, children: true };
const NOON: Timestamp = Timestamp::from_micros(1_788_238_800_000_000);

fn id<K>(number: u8) -> Id<K> {
    format!("00000000-0000-4000-8000-0000000000{number:02x}").parse().unwrap()
}

fn office() -> OfficeId {
    "poipet-shelter".parse().unwrap()
}

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn context(days: i64) -> Context {
    Context { office: office(), staff: None, now: NOON.plus_days(days) }
}

async fn open(url: &str) -> EventStore {
    let options = Options {
        tables: TABLES.to_vec(),
        read_models: vec![Arc::new(Residents)],
        ..Options::new(url, "shelter", "test")
    };
    EventStore::open(options).await.unwrap()
}

async fn order<A>(store: &EventStore, stream: &str, command: A::Command)
where
    A: Aggregate<Context = Context>,
{
    let context = context(0);
    let metadata = Metadata::of(&context);
    store.handle::<A>(stream, command, context, metadata).await.map_err(|error| format!("{error:?}")).unwrap();
}

async fn house(store: &EventStore, command: Command) {
    order::<House>(store, "poipet-shelter", command).await;
}

fn of_case(case: u8) -> String {
    format!("{}/{}", office(), id::<spean_vocabulary::kind::Case>(case))
}

fn admit(stay: u8, case: u8) -> Command {
    Command::Admit(Admission {
        admission_id: id(stay),
        case_id: id(case),
        case_number: None,
        sex: Sex::Female,
        is_child: true,
        admitted_on: day("2026-08-01"),
        helping: false,
        stays_elsewhere: false,
        bed: None,
        over_capacity: None,
        plan_due_on: Some(day("2026-08-15")),
    })
}

fn away(stay: u8, since: &str) -> Command {
    let absence = Absence { since: day(since), reason: AbsenceReason::OwnWill, expected_back_on: None };
    Command::RecordAbsence { admission_id: id(stay), absence, tracing_after_days: 3 }
}

fn leave(stay: u8, on: &str) -> Command {
    Command::Exit {
        admission_id: id(stay),
        kind: ExitKind::OwnWill,
        exited_on: day(on),
        accountable: Accountable::ThisOffice,
        agreed: None,
        decided: false,
    }
}

async fn a_house(url: &str) -> EventStore {
    let store = open(url).await;
    let places = vec![Places { group: GIRLS, capacity_persons: 5 }];
    house(&store, Command::DeclareCapacity { places }).await;
    for number in 1..4 {
        house(&store, admit(number, number + 10)).await;
    }
    store
}

async fn missing(store: &EventStore) -> Vec<Missing> {
    search::missing(&office(), 50, 0, store.reader()).await.unwrap()
}

async fn occupied(store: &EventStore) -> i64 {
    residents::capacity(None, store.reader()).await.unwrap()[0].occupied_persons
}

/// One went home without a word, one left for good, one is here.
async fn nobody_who_is_missing_is_forgotten(url: &str) {
    let store = a_house(url).await;
    // It is noon of the first of September 2026.
    house(&store, away(1, "2026-09-01")).await;
    house(&store, leave(2, "2026-08-20")).await;
    let seen = |store: Vec<Missing>| -> Vec<_> {
        let short = |missing: Missing| (missing.since, missing.contact_lost, missing.left, missing.bed_released);
        store.into_iter().map(short).collect()
    };
    let left = ("2026-08-20".to_owned(), true, true, false);
    let gone = |lost, released| ("2026-09-01".to_owned(), lost, false, released);
    assert_eq!(seen(missing(&store).await), [left.clone(), gone(false, false)], "the longest first");
    assert_eq!(occupied(&store).await, 2);

    search::look(&store, &Policies::default(), NOON.plus_days(2)).await.unwrap();
    assert_eq!(seen(missing(&store).await)[1], gone(false, false), "it is not time yet");
    search::look(&store, &Policies::default(), NOON.plus_days(3)).await.unwrap();
    search::look(&store, &Policies::default(), NOON.plus_days(4)).await.unwrap();
    assert_eq!(seen(missing(&store).await), [left.clone(), gone(true, false)]);

    house(&store, Command::ReleaseBed { admission_id: id(1), released_on: day("2026-09-15"), after_days: 14 }).await;
    assert_eq!(seen(missing(&store).await)[1], gone(true, true));
    assert_eq!(occupied(&store).await, 1);
    store.rebuild("residents").await.unwrap();
    assert_eq!(seen(missing(&store).await), [left, gone(true, true)], "the lists come from the log alone");
    assert_eq!(occupied(&store).await, 1);

    house(&store, Command::RecordReturn { admission_id: id(1), returned_on: day("2026-09-20") }).await;
    assert_eq!(occupied(&store).await, 2);
    let found = Command::RecordContact {
        admission_id: id(2),
        found_on: day("2026-09-02"),
        outcome: ContactOutcome::DeclinesHelp,
    };
    house(&store, found).await;
    assert_eq!(missing(&store).await, []);
    store.close().await;
}

/// The desk tells that another office has registered somebody who is away.
async fn who_is_seen_elsewhere_is_shown_so(url: &str) {
    let store = a_house(url).await;
    house(&store, away(1, "2026-08-25")).await;
    for (seen_by, seen_on) in [("takeo", "2026-08-20"), ("poipet-transit", "2026-08-30"), ("kampot", "2026-08-28")] {
        let told = PersonSeenAgain {
            case_id: id::<spean_vocabulary::kind::Case>(11).to_string(),
            office_id: "poipet-shelter".to_owned(),
            seen_by_office_id: seen_by.to_owned(),
            seen_on: seen_on.to_owned(),
            ..PersonSeenAgain::default()
        };
        let recorded = store.transact(move |transaction| {
            Box::pin(async move { search::record_seen(&told, transaction.connection()).await })
        });
        recorded.await.unwrap();
    }
    let shown = missing(&store).await.remove(0);
    assert_eq!((shown.seen_by.as_str(), shown.seen_on.as_str()), ("poipet-transit", "2026-08-30"));
    house(&store, Command::RecordReturn { admission_id: id(1), returned_on: day("2026-08-31") }).await;
    house(&store, away(1, "2026-09-01")).await;
    assert_eq!(missing(&store).await[0].seen_on, "", "that was before this absence");
    store.close().await;
}

async fn care_due(store: &EventStore, until: &str) -> Vec<(CaseId, String, String)> {
    let due = due::care(&office(), day(until), 50, 0, store.reader()).await.unwrap();
    due.into_iter().map(|due| (due.case_id.parse().unwrap(), due.kind, due.due_on)).collect()
}

async fn what_is_due_for_residents_is_listed_until_it_is_done(url: &str) {
    let store = a_house(url).await;
    assert_eq!(care_due(&store, "2026-08-14").await, []);
    assert_eq!(care_due(&store, "2026-08-15").await.len(), 6, "a plan and a placement for each of three children");
    let agree = CareCommand::AgreePlan {
        plan: Plan {
            plan_id: id(1),
            agreed_on: day("2026-08-10"),
            goals: vec![Goal { goal_id: id(2), need: Need::Education, target_on: day("2026-12-01") }],
        },
        review_after_days: 90,
    };
    order::<Care>(&store, &of_case(11), agree).await;
    let placement = Placement {
        placement_id: id(3),
        option: CareOption::FamilyPreservation,
        not_possible: [].into(),
        decided_on: day("2026-08-11"),
    };
    order::<Homecoming>(&store, &of_case(11), HomeCommand::DecidePlacement { placement, is_child: true }).await;
    house(&store, leave(2, "2026-08-20")).await;
    let left: Vec<_> = care_due(&store, "2026-12-31").await;
    let of = |case: u8, kind: &str, on: &str| (id(case), kind.to_owned(), on.to_owned());
    let third = [of(13, "placement", "2026-08-15"), of(13, "plan", "2026-08-15")];
    assert_eq!(left, [third[0].clone(), third[1].clone(), of(11, "review", "2026-11-08")]);
    let review = Review { review_id: id(4), reviewed_on: day("2026-09-01"), goals: [].into() };
    order::<Care>(&store, &of_case(11), CareCommand::ReviewPlan { review, review_after_days: 90 }).await;
    assert_eq!(care_due(&store, "2026-12-31").await[2], of(11, "review", "2026-11-30"));
    let before = care_due(&store, "2026-12-31").await;
    store.rebuild("residents").await.unwrap();
    assert_eq!(care_due(&store, "2026-12-31").await, before);
    store.close().await;
}

async fn tracings(store: &EventStore) -> Vec<(CaseId, String, String)> {
    let entries = due::tracing(&office(), 50, 0, store.reader()).await.unwrap();
    entries.into_iter().map(|entry| (entry.case_id.parse().unwrap(), entry.step, entry.due_on)).collect()
}

async fn a_family_is_looked_for_until_somebody_can_go_home(url: &str) {
    let store = a_house(url).await;
    let home = async |case: u8, command| order::<Homecoming>(&store, &of_case(case), command).await;
    let request = |on: &str| HomeCommand::RequestTracing { offer: id(1), requested_on: day(on), answer_days: 30 };
    let answer = |outcome, on: &str| HomeCommand::RecordAnswer {
        offer: id(1),
        outcome,
        answered_on: day(on),
        assessment_days: 30,
    };
    let visit = |number: u8, on: &str, recommendation| HomeCommand::AssessFamily {
        assessment: FamilyAssessment {
            assessment_id: id(number),
            assessed_on: day(on),
            by: "staff-7".parse().unwrap(),
            recommendation,
            risks: [].into(),
            responsible_adult: None,
        },
        is_child: false,
        assessment_days: 30,
    };
    let of = |case: u8, step: &str, on: &str| (id(case), step.to_owned(), on.to_owned());
    home(11, request("2026-08-02")).await;
    home(12, request("2026-08-01")).await;
    assert_eq!(tracings(&store).await, [of(12, "answer", "2026-08-31"), of(11, "answer", "2026-09-01")]);
    home(11, answer(TracingOutcome::Found, "2026-08-10")).await;
    home(12, answer(TracingOutcome::NotFound, "2026-08-12")).await;
    assert_eq!(tracings(&store).await, [of(12, "search_again", "2026-08-12"), of(11, "assessment", "2026-09-09")]);
    home(11, visit(2, "2026-08-20", Recommendation::NotYet)).await;
    assert_eq!(tracings(&store).await[1], of(11, "assessment_again", "2026-09-19"));
    home(11, visit(3, "2026-08-15", Recommendation::NotYet)).await;
    assert_eq!(tracings(&store).await[1], of(11, "assessment_again", "2026-09-19"), "an older paper changes nothing");
    home(11, visit(4, "2026-09-10", Recommendation::Return)).await;
    assert_eq!(tracings(&store).await, [of(12, "search_again", "2026-08-12")]);
    store.close().await;
}

fn sqlite(folder: &spean_testkit::TempDir) -> String {
    format!("sqlite://{}", folder.path().join("shelter.sqlite").display())
}

macro_rules! on_both {
    ($($story:ident $on_sqlite:ident $on_postgres:ident)*) => { $(
        #[tokio::test]
        async fn $on_sqlite() {
            let folder = a_folder();
            $story(&sqlite(&folder)).await;
        }

        #[tokio::test]
        async fn $on_postgres() {
            $story(&Postgres::shared().database()).await;
        }
    )* };
}

on_both! {
    nobody_who_is_missing_is_forgotten
        nobody_who_is_missing_is_forgotten_on_sqlite nobody_who_is_missing_is_forgotten_on_postgres
    who_is_seen_elsewhere_is_shown_so
        who_is_seen_elsewhere_is_shown_so_on_sqlite who_is_seen_elsewhere_is_shown_so_on_postgres
    what_is_due_for_residents_is_listed_until_it_is_done
        what_is_due_is_listed_until_it_is_done_on_sqlite what_is_due_is_listed_until_it_is_done_on_postgres
    a_family_is_looked_for_until_somebody_can_go_home
        a_family_is_looked_for_on_sqlite a_family_is_looked_for_on_postgres
}
