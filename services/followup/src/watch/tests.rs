//! What the meeting hears of a case, and when a decision that had to wait is carried out, on both databases.

use spean_eventsourcing::Aggregate;
use spean_eventstore::Options;
use spean_testkit::{Postgres, a_folder};
use spean_vocabulary::{Urgency, VisitOutcome, kind};

use super::*;
use crate::codes::{DangerSign, EndReason};
use crate::danger::{self, Danger};
use crate::desk::{AtTheDesk, Command as Tell, Matters, Open};
use crate::examples::{NOW, day, id, office};
use crate::mandate::{Answer, Received};
use crate::meeting::Decision;
use crate::plan::{self, HandedOver, Plan, Planned, Rhythm, Visit};

const OFFICE: &str = "kandal-district";
const LATE_AFTER_DAYS: i32 = 7;

struct Log(EventStore);

impl Log {
    async fn open(url: &str) -> Self {
        let options = Options {
            tables: vec![spean_chassis::standing::TABLES],
            read_models: crate::read_models(),
            ..Options::new(url, "followup", "test")
        };
        Self(EventStore::open(options).await.unwrap())
    }

    async fn order<A: Aggregate<Context = Context>>(&self, id: &str, command: A::Command)
    where
        A::Error: std::fmt::Debug,
    {
        let context = Context { office: office(OFFICE), staff: None, now: NOW };
        let metadata = Metadata::of(&context);
        self.0.handle::<A>(id, command, context, metadata).await.unwrap();
    }

    async fn plan(&self, command: plan::Command) {
        self.order::<Plan>(&case().to_string(), command).await;
    }

    /// The only visit of the plan takes place.
    async fn visit(&self) {
        let visit = Visit {
            visit_id: id(21),
            number: 1,
            visited_on: day("2026-03-02"),
            outcome: VisitOutcome::Met,
            responsible_adult_present: false,
            responsible_adult: None,
            present: [].into(),
            findings: [].into(),
            place: None,
            with_offices: [].into(),
            needs: vec![],
            next_on: None,
        };
        self.plan(plan::Command::Record { visit, is_child: false, has_findings: false }).await;
    }

    async fn desk_tells(&self, matters: Matters) {
        self.order::<AtTheDesk>(&format!("{OFFICE}/{}", case()), Tell::Hear(matters)).await;
    }

    /// Why the meeting hears of the case on a day.
    async fn topics(&self, today: &str) -> Vec<Topic> {
        let observed = observe(Some(case()), day(today), LATE_AFTER_DAYS, self.0.reader()).await.unwrap();
        observed.into_iter().flat_map(|(_, standing)| standing.topics.into_keys()).collect()
    }

    async fn is_open(&self, decision: u8) -> bool {
        complete(&self.0, NOW).await.unwrap();
        let open = meetings::open_mandates(self.0.reader()).await.unwrap();
        open.iter().any(|open| open.decision_id == id::<kind::Decision>(decision).to_string())
    }

    async fn decided(&self, decision: u8, what: Decision) {
        let received = Received {
            meeting: id::<kind::Decision>(0x70).to_string(),
            case: case(),
            office: office(OFFICE),
            province: office("kandal-province"),
            decision: what,
            known: [].into(),
            decided_on: day("2026-11-20"),
        };
        let command = mandate::Command::Receive { received, answer: Answer::Open };
        self.order::<Mandate>(&id::<kind::Decision>(decision).to_string(), command).await;
    }
}

fn case() -> CaseId {
    id(1)
}

fn open(since: &str) -> Open {
    Open { count: 1, since: day(since) }
}

fn one_offer() -> Matters {
    Matters { offers: Some(open("2026-02-10")), ..Matters::default() }
}

async fn begun(url: &str) -> Log {
    let log = Log::open(url).await;
    let rhythm = Rhythm { months: 1, every_months: 1 };
    let begin = plan::Command::Begin { reintegrated_on: day("2026-01-31"), rhythm, is_holder: true };
    log.plan(begin).await;
    log
}

async fn open_matters_come_before_the_meeting(url: &str) {
    let log = begun(url).await;
    log.desk_tells(one_offer()).await;
    assert_eq!(log.topics("2026-02-12").await, [], "an answer may take some days");
    assert_eq!(log.topics("2026-02-18").await, [Topic::OfferOpen], "nobody answered");
    log.desk_tells(Matters { services: Some(open("2026-02-10")), ..Matters::default() }).await;
    assert_eq!(log.topics("2026-02-18").await, [], "a service may take its time");
    log.visit().await;
    assert_eq!(log.topics("2026-03-02").await, [Topic::DueToExtend, Topic::ServiceOpen]);
    let all = Matters { needs: Some(open("2026-03-01")), services: Some(open("2026-02-10")), ..one_offer() };
    log.desk_tells(all).await;
    let expected = [Topic::DueToExtend, Topic::OfferOpen, Topic::NeedOpen, Topic::ServiceOpen];
    assert_eq!(log.topics("2026-03-02").await, expected);
    let known = open_matters(case(), &office(OFFICE), log.0.reader()).await.unwrap();
    assert!(known.offer && known.need && known.service && !known.danger);
    let other = open_matters(case(), &office("kandal-other"), log.0.reader()).await.unwrap();
    assert_eq!(other, OpenMatters::default(), "the desk spoke of another office");
    log.desk_tells(Matters::default()).await;
    assert_eq!(log.topics("2026-03-02").await, [Topic::DueToClose]);
    assert_eq!(open_matters(case(), &office(OFFICE), log.0.reader()).await.unwrap(), OpenMatters::default());
    log.0.close().await;
}

async fn what_comes_up_after_the_end_is_heard(url: &str) {
    let log = begun(url).await;
    log.desk_tells(one_offer()).await;
    let (decision, closed_on) = (Some(id(0x71)), day("2026-03-10"));
    let nothing = OpenMatters::default();
    log.plan(plan::Command::Close { decision, closed_on, reason: EndReason::GoalReached, open: nothing }).await;
    assert_eq!(log.topics("2026-06-01").await, [], "a closed case is not late");
    let report = danger::Report {
        case: case(),
        office: office(OFFICE),
        signs: [DangerSign::Threat].into(),
        urgency: Urgency::Urgent,
        found_on: day("2026-06-01"),
        raised_at: NOW,
        plan_due_at: NOW.plus_hours(24),
    };
    log.order::<Danger>(&id::<kind::Danger>(0x30).to_string(), danger::Command::Raise { report, tell: None }).await;
    assert_eq!(log.topics("2026-06-01").await, [Topic::Danger]);
    log.0.close().await;
}

/// The case was handed over before the decision, and nobody took it up; then it goes to a neighbour of the same node.
async fn a_transfer_is_carried_out_when_the_case_moves_after_the_decision(url: &str) {
    let log = begun(url).await;
    log.decided(0x72, Decision::Transfer { to: office("kandal-other") }).await;
    log.decided(0x73, Decision::FurtherTracing).await;
    assert!(log.is_open(0x72).await);
    assert!(!log.is_open(0x73).await, "nobody is lost");
    let (from, to) = (office(OFFICE), office("kandal-other"));
    let plan = HandedOver {
        from: from.clone(),
        to: to.clone(),
        reintegrated_on: day("2026-01-31"),
        visits: vec![Planned::on(day("2026-02-28"))],
        contact_lost_on: None,
        handovers: 1,
    };
    log.plan(plan::Command::HandOver { from, to: Some(to), contact_lost_on: None }).await;
    log.plan(plan::Command::TakeUp(plan)).await;
    assert!(!log.is_open(0x72).await, "another office of the same node keeps it");
    log.0.close().await;
}

macro_rules! on_both_databases {
    ($($story:ident on $sqlite:ident and $postgres:ident;)*) => { $(
        #[tokio::test]
        async fn $sqlite() {
            let folder = a_folder();
            $story(&format!("sqlite://{}", folder.path().join("followup.sqlite").display())).await;
        }

        #[tokio::test]
        async fn $postgres() {
            $story(&Postgres::shared().database()).await;
        }
    )* };
}

on_both_databases! {
    open_matters_come_before_the_meeting
        on open_matters_come_before_the_meeting_on_sqlite
        and open_matters_come_before_the_meeting_on_postgres;
    what_comes_up_after_the_end_is_heard
        on what_comes_up_after_the_end_is_heard_on_sqlite
        and what_comes_up_after_the_end_is_heard_on_postgres;
    a_transfer_is_carried_out_when_the_case_moves_after_the_decision
        on a_transfer_is_carried_out_when_the_case_moves_on_sqlite
        and a_transfer_is_carried_out_when_the_case_moves_on_postgres;
}
