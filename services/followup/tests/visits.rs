//! The lists of follow-up on both databases: what is due, for whom, and that no missed visit is forgotten.
#![expect(clippy::unwrap_used, reason = "a specification fails by panicking")]

use spean_chassis::standing;
use spean_contracts::referral::v1::{Standing, StandingChanged};
use spean_eventsourcing::Aggregate;
use spean_eventsourcing::Context;
use spean_eventstore::{EventStore, Metadata, Options};
use spean_followup::codes::{
    Check, CheckResult, Currency, DangerSign, Duty, FollowUpState, LossReason, PaymentPurpose, RescheduleReason,
    Resolution, SearchAction, SupportKind, SupportOutcome, Whereabouts as Seen,
};
use spean_followup::contact::{self, Contact};
use spean_followup::danger::{self, Danger};
use spean_followup::fund::{self, Fund, Money};
use spean_followup::plan::{Command, HandedOver, Plan, Planned, Rhythm, Visit};
use spean_followup::post::{self, Handover, Post};
use spean_followup::supervision::{self, Point, Supervision};
use spean_followup::support::{self, Given, Support};
use spean_followup::visits::{self, Entry};
use spean_followup::whereabouts::{self, Sighting, Whereabouts};
use spean_followup::worker::{self, Assignment};
use spean_followup::{
    contacts, contradictions, dangers, follow_ups, payments, posts, read_models, supervisions, supports,
};
use spean_testkit::{Postgres, TempDir, a_folder};
use spean_vocabulary::{Date, Id, OfficeId, StaffId, Timestamp, Urgency, VisitOutcome, kind};

const DISTRICT: &str = "kandal-district";
const PROVINCE: &str = "kandal-province";

fn id<K>(number: u8) -> Id<K> {
    format!("00000000-0000-4000-8000-0000000000{number:02x}").parse().unwrap()
}

fn case(number: u8) -> Id<kind::Case> {
    id(number)
}

fn office(code: &str) -> OfficeId {
    code.parse().unwrap()
}

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

async fn open(url: &str) -> EventStore {
    let options =
        Options { tables: vec![standing::TABLES], read_models: read_models(), ..Options::new(url, "followup", "test") };
    EventStore::open(options).await.unwrap()
}

/// `hour` stands for the moment of recording.
async fn order(store: &EventStore, of: u8, command: Command, hour: i64) {
    say::<Plan>(store, &case(of).to_string(), command, hour).await;
}

async fn say<A: Aggregate<Context = Context>>(store: &EventStore, id: &str, command: A::Command, hour: i64) {
    let context = Context { office: office(DISTRICT), staff: Some(staff("staff-7")), now: now(hour) };
    let metadata = Metadata::of(&context);
    store.handle::<A>(id.to_owned(), command, context, metadata).await.unwrap();
}

fn now(hour: i64) -> Timestamp {
    Timestamp::from_micros(1_795_300_200_000_000).plus_hours(hour)
}

fn staff(code: &str) -> StaffId {
    code.parse().unwrap()
}

async fn begin(store: &EventStore, of: u8, on: &str) {
    order(
        store,
        of,
        Command::Begin { reintegrated_on: day(on), rhythm: Rhythm { months: 12, every_months: 1 }, is_holder: true },
        0,
    )
    .await;
}

async fn record(store: &EventStore, of: u8, number: u8, visit: u8, on: &str, outcome: VisitOutcome) {
    let visit = Visit {
        visit_id: id(visit),
        number,
        visited_on: day(on),
        outcome,
        responsible_adult_present: false,
        responsible_adult: None,
        present: [].into(),
        findings: [].into(),
        place: None,
        with_offices: [].into(),
        needs: vec![],
        next_on: None,
    };
    order(store, of, Command::Record { visit, is_child: false, has_findings: false }, 9).await;
}

async fn says(store: &EventStore, of: u8, at: &str, standing: Standing) {
    let told = StandingChanged {
        case_id: case(of).to_string(),
        case_number: format!("number of {of}"),
        office_id: at.to_owned(),
        standing: standing.into(),
        ..StandingChanged::default()
    };
    let recorded = store
        .transact(move |transaction| Box::pin(async move { standing::record(&told, transaction.connection()).await }));
    recorded.await.unwrap();
}

async fn due(store: &EventStore, at: &str, until: &str) -> Vec<(u8, i64)> {
    let entries = visits::due(&office(at), day(until), 100, 0, store.reader()).await.unwrap();
    entries.iter().map(short).collect()
}

/// The case and the number of a visit.
fn short(entry: &Entry) -> (u8, i64) {
    let number = (1..=9).find(|number| case(*number).to_string() == entry.case_id).unwrap();
    (number, entry.number)
}

async fn of_case(store: &EventStore, of: u8) -> Vec<Entry> {
    visits::of_case(case(of), &office(DISTRICT), store.reader()).await.unwrap()
}

/// Two people who went home, one of them earlier.
async fn the_most_overdue_visits_come_first_and_none_is_forgotten(url: &str) {
    let store = open(url).await;
    for of in [1, 2] {
        says(&store, of, DISTRICT, Standing::Holds).await;
    }
    begin(&store, 1, "2026-01-31").await;
    begin(&store, 2, "2026-02-10").await;

    assert_eq!(due(&store, DISTRICT, "2026-02-27").await, []);
    assert_eq!(due(&store, DISTRICT, "2026-03-31").await, [(1, 1), (2, 1), (1, 2)]);
    assert_eq!(due(&store, PROVINCE, "2026-03-31").await, [], "another office has other work");

    record(&store, 1, 1, 21, "2026-02-27", VisitOutcome::Missed).await;
    record(&store, 2, 1, 22, "2026-03-09", VisitOutcome::Refused).await;
    assert_eq!(due(&store, DISTRICT, "2026-03-31").await, [(1, 1), (1, 2)]);
    let years_later = due(&store, DISTRICT, "2031-01-01").await;
    assert_eq!((years_later.len(), years_later[0]), (23, (1, 1)), "the missed visit is still the first");
    record(&store, 1, 1, 23, "2026-03-01", VisitOutcome::Met).await;
    assert_eq!(due(&store, DISTRICT, "2026-03-31").await, [(1, 2)]);

    let page = visits::due(&office(DISTRICT), day("2026-05-31"), 2, 2, store.reader()).await.unwrap();
    assert_eq!(page.iter().map(short).collect::<Vec<_>>(), [(1, 3), (2, 3)]);

    let before = (of_case(&store, 1).await, of_case(&store, 2).await);
    store.rebuild("visits").await.unwrap();
    assert_eq!((of_case(&store, 1).await, of_case(&store, 2).await), before);
    store.close().await;
}

/// Entered when the social worker is back: the days in the field decide what is shown.
async fn the_day_in_the_field_and_the_moment_of_recording_are_two_things(url: &str) {
    let store = open(url).await;
    says(&store, 1, DISTRICT, Standing::Holds).await;
    begin(&store, 1, "2026-01-31").await;
    record(&store, 1, 1, 21, "2026-03-09", VisitOutcome::Missed).await;
    record(&store, 1, 1, 22, "2026-02-27", VisitOutcome::Missed).await;
    let entries = of_case(&store, 1).await;
    assert_eq!(entries.len(), 12);
    let first = &entries[0];
    assert_eq!((first.visited_on.as_str(), first.outcome.as_str(), first.settled), ("2026-03-09", "missed", false));
    assert_eq!(first.overdue_days(day("2026-03-10")), 10);
    assert_eq!(first.overdue_days(day("2026-02-28")), 0);
    assert_eq!(first.case_number, "number of 1");

    record(&store, 1, 1, 23, "2026-03-01", VisitOutcome::Met).await;
    let first = of_case(&store, 1).await.remove(0);
    assert_eq!((first.visited_on.as_str(), first.outcome.as_str(), first.settled), ("2026-03-01", "met", true));
    assert_eq!(first.overdue_days(day("2026-09-01")), 0);
    let recorded_at = Timestamp::from_micros(1_795_300_200_000_000).plus_hours(9);
    assert_eq!(first.recorded_at, Some(recorded_at));
    store.close().await;
}

async fn a_case_that_moves_takes_its_visits_along_and_leaves_the_record(url: &str) {
    let store = open(url).await;
    says(&store, 1, DISTRICT, Standing::Holds).await;
    begin(&store, 1, "2026-01-31").await;
    says(&store, 1, DISTRICT, Standing::Held).await;
    assert_eq!(due(&store, DISTRICT, "2026-03-31").await, [], "as nodes of the first version handed it over");
    assert_eq!(of_case(&store, 1).await.len(), 12);
    says(&store, 1, PROVINCE, Standing::Holds).await;
    assert_eq!(due(&store, PROVINCE, "2026-03-31").await, [(1, 1), (1, 2)]);
    store.close().await;
}

async fn stands(store: &EventStore, at: &str) -> Vec<(FollowUpState, i64)> {
    let entries = follow_ups::of_office(&office(at), None, 100, 0, store.reader()).await.unwrap();
    entries.iter().map(|entry| (entry.state.parse().unwrap(), entry.visits_open)).collect()
}

/// From the district to an office of another node: until that one has taken the plan up, the old list shows it.
async fn nothing_that_is_due_falls_between_two_offices(url: &str) {
    let store = open(url).await;
    says(&store, 1, DISTRICT, Standing::Holds).await;
    begin(&store, 1, "2026-01-31").await;
    record(&store, 1, 1, 21, "2026-02-27", VisitOutcome::Met).await;
    let to = office("saang-district");
    let hand_over = Command::HandOver { from: office(DISTRICT), to: Some(to.clone()), contact_lost_on: None };
    says(&store, 1, DISTRICT, Standing::Held).await;
    order(&store, 1, hand_over, 10).await;
    assert_eq!(due(&store, DISTRICT, "2026-03-31").await, [(1, 2)]);
    assert!(visits::due(&office(DISTRICT), day("2026-03-31"), 9, 0, store.reader()).await.unwrap()[0].handed_over);
    assert_eq!(stands(&store, DISTRICT).await, [(FollowUpState::HandedOver, 11)]);
    let waiting = Some(FollowUpState::Open);
    assert_eq!(follow_ups::of_office(&office(DISTRICT), waiting, 9, 0, store.reader()).await.unwrap(), []);
    order(&store, 1, Command::NoteTakenUp { by: to }, 11).await;
    assert_eq!(due(&store, DISTRICT, "2026-03-31").await, []);
    assert_eq!(stands(&store, DISTRICT).await, [(FollowUpState::TakenUpElsewhere, 11)]);

    // What comes from elsewhere is on the list before the certificate is here, and what was settled there is settled.
    let mut visits: Vec<_> = ["2026-02-28", "2026-03-31"].into_iter().map(|on| Planned::on(day(on))).collect();
    visits[0].settled = true;
    let plan = HandedOver {
        from: office("saang-district"),
        to: office(PROVINCE),
        reintegrated_on: day("2026-01-31"),
        visits,
        contact_lost_on: None,
        handovers: 1,
    };
    says(&store, 2, PROVINCE, Standing::Bound).await;
    order(&store, 2, Command::TakeUp(plan), 12).await;
    assert_eq!(due(&store, PROVINCE, "2026-12-31").await, [(2, 2)]);
    store.close().await;
}

async fn a_visit_that_is_moved_shows_its_first_day_and_a_decision_answers_it(url: &str) {
    let store = open(url).await;
    says(&store, 1, DISTRICT, Standing::Holds).await;
    begin(&store, 1, "2026-01-31").await;
    let reason = RescheduleReason::RoadClosed;
    let (due_on, today) = (day("2026-03-05"), day("2026-02-20"));
    order(&store, 1, Command::Reschedule { number: 1, due_on, reason, today }, 1).await;
    assert_eq!(due(&store, DISTRICT, "2026-03-04").await, []);
    let first = of_case(&store, 1).await.remove(0);
    assert_eq!((first.due_on.as_str(), first.first_due_on.as_str()), ("2026-03-05", "2026-02-28"));
    order(&store, 1, Command::Excuse { decision: id(0x70), numbers: [1].into() }, 2).await;
    assert_eq!(due(&store, DISTRICT, "2026-03-31").await, [(1, 2)]);
    assert_eq!(stands(&store, DISTRICT).await, [(FollowUpState::Open, 11)]);
    let numbers = (2..=12).collect();
    order(&store, 1, Command::Excuse { decision: id(0x71), numbers }, 3).await;
    assert_eq!(stands(&store, DISTRICT).await, [(FollowUpState::DueToClose, 0)]);
    store.close().await;
}

async fn a_danger_without_a_plan_comes_first_and_who_watches_sees_it(url: &str) {
    let store = open(url).await;
    for of in [1, 2] {
        says(&store, of, DISTRICT, Standing::Holds).await;
        let urgency = if of == 1 { Urgency::Urgent } else { Urgency::Emergency };
        let report = danger::Report {
            case: case(of),
            office: office(DISTRICT),
            signs: [DangerSign::Threat].into(),
            urgency,
            found_on: day("2026-11-20"),
            raised_at: now(0),
            plan_due_at: now(24),
        };
        let id: Id<kind::Danger> = id(0x30 + of);
        let raise = danger::Command::Raise { report: report.clone(), tell: Some(office(PROVINCE)) };
        say::<Danger>(&store, &id.to_string(), raise, 0).await;
        let hear = danger::Command::Hear { report, by: office(PROVINCE), tell: None, takes_over: false };
        say::<Danger>(&store, &id.to_string(), hear, 0).await;
    }
    let plan = danger::Command::Plan { made_on: day("2026-11-22"), review_on: None };
    say::<Danger>(&store, &id::<kind::Danger>(0x32).to_string(), plan, 1).await;
    for at in [DISTRICT, PROVINCE] {
        let listed = dangers::of_office(&office(at), false, now(25), 9, 0, store.reader()).await.unwrap();
        let shown: Vec<_> = listed.iter().map(|entry| (entry.urgency.as_str(), entry.is_overdue(now(25)))).collect();
        assert_eq!(shown, [("urgent", true), ("emergency", false)], "{at}");
        assert!(listed.iter().all(|entry| entry.cares == (at == DISTRICT)));
    }
    let over = danger::Command::Assess { assessed_on: day("2026-11-23"), is_over: true };
    say::<Danger>(&store, &id::<kind::Danger>(0x31).to_string(), over, 2).await;
    let open = dangers::of_office(&office(PROVINCE), false, now(25), 9, 0, store.reader()).await.unwrap();
    assert_eq!(open.len(), 1);
    assert_eq!(dangers::of_office(&office(PROVINCE), true, now(25), 9, 0, store.reader()).await.unwrap().len(), 2);
    assert_eq!(dangers::open_of(case(1), store.reader()).await.unwrap(), []);
    store.close().await;
}

async fn who_is_lost_is_listed_until_found_and_the_visits_stay_due(url: &str) {
    let store = open(url).await;
    says(&store, 1, DISTRICT, Standing::Holds).await;
    begin(&store, 1, "2026-01-31").await;
    let of = case(1).to_string();
    let (lost_on, to_meeting_on) = (day("2026-03-01"), day("2026-03-08"));
    let lose = contact::Command::Lose { lost_on, reason: LossReason::CrossedBorder, to_meeting_on };
    say::<Contact>(&store, &of, lose, 1).await;
    for (step, action, on) in
        [(1, SearchAction::FamilyAsked, "2026-03-05"), (2, SearchAction::HomeVisited, "2026-03-03")]
    {
        let search = contact::Command::Search { step_id: id(step), action, done_on: day(on) };
        say::<Contact>(&store, &of, search, 2).await;
    }
    let by = office("poipet-transit-centre");
    say::<Contact>(&store, &of, contact::Command::SeeAgain { by, seen_on: day("2026-03-20") }, 3).await;
    let entries = contacts::of_office(&office(DISTRICT), 9, 0, store.reader()).await.unwrap();
    let entry = &entries[0];
    assert_eq!(
        (entry.steps, entry.last_action.as_str(), entry.last_step_on.as_str()),
        (2, "family_asked", "2026-03-05")
    );
    assert_eq!((entry.seen_by.as_str(), entry.seen_on.as_str()), ("poipet-transit-centre", "2026-03-20"));
    assert_eq!(stands(&store, DISTRICT).await, [(FollowUpState::ContactLost, 12)]);
    assert_eq!(due(&store, DISTRICT, "2026-02-28").await, [(1, 1)]);
    let found =
        contact::Command::Find { found_on: day("2026-04-01"), place: spean_followup::codes::FoundPlace::AtHome };
    say::<Contact>(&store, &of, found, 4).await;
    assert_eq!(contacts::of_office(&office(DISTRICT), 9, 0, store.reader()).await.unwrap(), []);
    store.close().await;
}

async fn a_contradiction_stays_on_every_list_until_somebody_looks_into_it(url: &str) {
    let store = open(url).await;
    says(&store, 1, DISTRICT, Standing::Holds).await;
    begin(&store, 1, "2026-01-31").await;
    record(&store, 1, 1, 21, "2026-03-09", VisitOutcome::Met).await;
    let sighting = Sighting {
        office: office("house-of-hope"),
        whereabouts: Seen::InShelter,
        from_day: day("2026-03-01"),
        until_day: None,
    };
    let met = contradictions::met(case(1), store.reader()).await.unwrap();
    assert_eq!(met.len(), 1);
    let sight = whereabouts::Command::Sight { sighting, met, tell: None, above: Some(office(PROVINCE)) };
    say::<Whereabouts>(&store, &case(1).to_string(), sight, 10).await;
    assert!(contradictions::is_open(case(1), store.reader()).await.unwrap());
    for at in [DISTRICT, PROVINCE, "house-of-hope"] {
        let listed = contradictions::of_office(&office(at), false, 9, 0, store.reader()).await.unwrap();
        assert_eq!((listed.len(), listed[0].seen_by.as_str()), (1, "house-of-hope"), "{at}");
    }
    let stranger = contradictions::find(id(21), &office("saang-district"), store.reader()).await.unwrap();
    assert_eq!(stranger, None);
    let resolution = Resolution::VisitNotMade;
    let resolve = whereabouts::Command::Resolve { visit_id: id(21), resolution, tell: [].into() };
    say::<Whereabouts>(&store, &case(1).to_string(), resolve, 11).await;
    assert_eq!(contradictions::of_office(&office(PROVINCE), false, 9, 0, store.reader()).await.unwrap(), []);
    let resolved = contradictions::of_office(&office(PROVINCE), true, 9, 0, store.reader()).await.unwrap();
    assert_eq!((resolved[0].resolution.as_str(), resolved[0].resolved_by.as_str()), ("visit_not_made", DISTRICT));
    store.close().await;
}

async fn what_waits_for_money_is_listed_by_its_day(url: &str) {
    let store = open(url).await;
    let request = |due_on| fund::Request {
        office: office(DISTRICT),
        requested_by: Some(staff("staff-7")),
        case: None,
        purpose: PaymentPurpose::VisitFuel,
        money: Money { currency: Currency::Khr, amount: 20_000 },
        needed_on: day("2026-01-05"),
        due_on: day(due_on),
    };
    for (payment, due_on) in [(1, "2026-04-05"), (2, "2026-01-19")] {
        let ask = fund::Command::Ask { payment_id: id(payment), request: request(due_on) };
        say::<Fund>(&store, PROVINCE, ask, 1).await;
    }
    let ids = async |at: &str, finished: bool| {
        let listed = payments::of_office(&office(at), finished, 9, 0, store.reader()).await.unwrap();
        listed.into_iter().map(|entry| (entry.payment_id, entry.state)).collect::<Vec<_>>()
    };
    let asked = |payment: u8| (id::<kind::Payment>(payment).to_string(), "requested".to_owned());
    for at in [DISTRICT, PROVINCE] {
        assert_eq!(ids(at, false).await, [asked(2), asked(1)]);
    }
    let reason = spean_followup::codes::RefusalReason::GivenElsewhere;
    say::<Fund>(&store, PROVINCE, fund::Command::Refuse { payment_id: id(2), reason }, 2).await;
    assert_eq!(ids(PROVINCE, false).await, [asked(1)]);
    assert_eq!(ids(PROVINCE, true).await.len(), 2);
    assert!(payments::find(id(1), &office("saang-district"), store.reader()).await.unwrap().is_none());
    store.close().await;
}

async fn outcomes_are_due_for_who_holds_the_case(url: &str) {
    let store = open(url).await;
    says(&store, 1, DISTRICT, Standing::Holds).await;
    let support: Id<kind::Support> = id(0x40);
    let given = |kind| Given { case: case(1), kind, given_on: day("2026-01-31"), given_by: office("house-of-hope") };
    say::<Support>(&store, &support.to_string(), support::Command::Give(given(SupportKind::Tools)), 1).await;
    let food = id::<kind::Support>(0x41).to_string();
    say::<Support>(&store, &food, support::Command::Give(given(SupportKind::Food)), 1).await;
    let due = async || supports::due(&office(DISTRICT), day("2026-07-31"), 9, 0, store.reader()).await.unwrap();
    assert_eq!(due().await.iter().map(|entry| entry.after_months).collect::<Vec<_>>(), [3, 6]);
    let see = support::Command::See { after_months: 3, outcome: SupportOutcome::Sold, seen_on: day("2026-05-02") };
    say::<Support>(&store, &support.to_string(), see, 2).await;
    assert_eq!(due().await.iter().map(|entry| entry.after_months).collect::<Vec<_>>(), [6]);
    assert_eq!(supports::of_case(case(1), &office(DISTRICT), store.reader()).await.unwrap().len(), 4);
    store.close().await;
}

async fn a_post_is_handed_over_item_by_item(url: &str) {
    let store = open(url).await;
    for of in [1, 2, 3] {
        says(&store, of, DISTRICT, Standing::Holds).await;
        begin(&store, of, "2026-01-31").await;
    }
    let assign = async |of: u8, worker: &str| {
        let item = case(of).to_string();
        let stream = worker::stream(&office(DISTRICT), Duty::Case, &item);
        let worker = staff(worker);
        say::<Assignment>(&store, &stream, worker::Command::Assign { duty: Duty::Case, item, worker }, 1).await;
    };
    assign(1, "staff-7").await;
    assign(2, "staff-7").await;
    record(&store, 1, 1, 21, "2026-02-27", VisitOutcome::Missed).await;
    let loads = async || {
        let loads = posts::caseload(&office(DISTRICT), day("2026-04-01"), 9, 0, store.reader()).await.unwrap();
        let short = |load: posts::Caseload| (load.worker, load.open_cases, load.overdue_visits, load.unreported_visits);
        loads.into_iter().map(short).collect::<Vec<_>>()
    };
    assert_eq!(loads().await, [(String::new(), 1, 2, 2), ("staff-7".to_owned(), 2, 4, 3)]);

    let point = Point { result: CheckResult::Serious, mend_by: Some(day("2026-06-15")) };
    let visit = supervision::Visit {
        office: office(DISTRICT),
        by: office(PROVINCE),
        worker: Some(staff("staff-7")),
        visited_on: day("2026-06-01"),
        points: [(Check::Visits, point)].into(),
    };
    let visited: Id<kind::Supervision> = id(0x50);
    say::<Supervision>(&store, &visited.to_string(), supervision::Command::Visit(visit), 2).await;
    let points = supervisions::of_office(&office(PROVINCE), true, 9, 0, store.reader()).await.unwrap();
    assert_eq!((points.len(), points[0].overdue_days(day("2026-06-20"))), (1, 5));

    let of_worker = store.transact(|transaction| {
        Box::pin(async move { posts::of_worker(&staff("staff-7"), &office(DISTRICT), transaction.connection()).await })
    });
    let items: std::collections::BTreeSet<_> = of_worker.await.unwrap().into_iter().collect();
    let duties: Vec<_> = items.iter().map(|item| item.duty).collect();
    assert_eq!(duties, [Duty::Case, Duty::Case, Duty::SupervisionPoint]);
    let handover: Id<kind::PostHandover> = id(0x51);
    let (from, to) = (staff("staff-6"), staff("staff-7"));
    let change = Handover { from, to, handed_over_on: day("2026-06-02"), items: items.clone() };
    say::<Post>(&store, &handover.to_string(), post::Command::HandOver(change), 3).await;
    assert_eq!(posts::waiting(&office(DISTRICT), 9, 0, store.reader()).await.unwrap().len(), 3);
    for item in items {
        say::<Post>(&store, &handover.to_string(), post::Command::Acknowledge(item), 4).await;
    }
    assert_eq!(posts::waiting(&office(DISTRICT), 9, 0, store.reader()).await.unwrap(), []);
    let all = posts::of_handover(&handover.to_string(), &office(DISTRICT), store.reader()).await.unwrap();
    assert!(all.iter().all(|item| item.acknowledged_at == Some(now(4))));

    for model in read_models() {
        store.rebuild(model.name()).await.unwrap();
    }
    assert_eq!(loads().await, [(String::new(), 1, 2, 2), ("staff-7".to_owned(), 2, 4, 3)]);
    store.close().await;
}

fn sqlite(folder: &TempDir) -> String {
    format!("sqlite://{}", folder.path().join("followup.sqlite").display())
}

macro_rules! on_both_databases {
    ($($story:ident: $on_sqlite:ident, $on_postgres:ident;)*) => { $(
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

on_both_databases! {
    the_most_overdue_visits_come_first_and_none_is_forgotten:
        the_most_overdue_visits_come_first_on_sqlite, the_most_overdue_visits_come_first_on_postgres;
    the_day_in_the_field_and_the_moment_of_recording_are_two_things:
        the_day_in_the_field_counts_on_sqlite, the_day_in_the_field_counts_on_postgres;
    a_case_that_moves_takes_its_visits_along_and_leaves_the_record:
        a_case_that_moves_takes_its_visits_along_on_sqlite, a_case_that_moves_takes_its_visits_along_on_postgres;
    nothing_that_is_due_falls_between_two_offices:
        nothing_that_is_due_falls_between_on_sqlite, nothing_that_is_due_falls_between_on_postgres;
    a_visit_that_is_moved_shows_its_first_day_and_a_decision_answers_it:
        a_visit_that_is_moved_shows_its_first_day_on_sqlite, a_visit_that_is_moved_shows_its_first_day_on_postgres;
    a_danger_without_a_plan_comes_first_and_who_watches_sees_it:
        a_danger_without_a_plan_comes_first_on_sqlite, a_danger_without_a_plan_comes_first_on_postgres;
    who_is_lost_is_listed_until_found_and_the_visits_stay_due:
        who_is_lost_is_listed_until_found_on_sqlite, who_is_lost_is_listed_until_found_on_postgres;
    a_contradiction_stays_on_every_list_until_somebody_looks_into_it:
        a_contradiction_stays_on_every_list_on_sqlite, a_contradiction_stays_on_every_list_on_postgres;
    what_waits_for_money_is_listed_by_its_day:
        what_waits_for_money_is_listed_on_sqlite, what_waits_for_money_is_listed_on_postgres;
    outcomes_are_due_for_who_holds_the_case:
        outcomes_are_due_for_who_holds_the_case_on_sqlite, outcomes_are_due_for_who_holds_the_case_on_postgres;
    a_post_is_handed_over_item_by_item:
        a_post_is_handed_over_item_by_item_on_sqlite, a_post_is_handed_over_item_by_item_on_postgres;
}
