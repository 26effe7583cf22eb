//! What follow-up knows after letters, on real logs, and what two nodes tell each other.

use spean_contracts::referral::v1::{Standing, StandingChanged};
use spean_contracts::vocabulary::v1::{AgeBand, Sex};
use spean_eventstore::{EventStore, Options, TransactError};
use spean_identity::{Agency, Directory, Node, NodeKeys, Office, OfficeLevel};
use spean_testkit::{TempDir, a_folder};
use spean_vocabulary::{VisitId, VisitOutcome};

use super::*;
use crate::codes::{FollowUpState, FoundPlace};
use crate::examples::{NOW, day, id, office};
use crate::plan::{Rhythm, Visit};
use crate::published::Post as Published;
use crate::visits;

mod along;

const CASE: &str = "00000000-0000-4000-8000-000000000001";
const OFFICE: &str = "kandal-district";

/// The follow-up of one node.
struct Post {
    node: NodeId,
    directory: LiveDirectory,
    store: EventStore,
    posted: i64,
    _folder: TempDir,
}

/// Kandal and Takeo, each with a provincial and a district office, under one ministry.
fn directory() -> LiveDirectory {
    let folder = a_folder();
    let keys = NodeKeys::create(folder.path()).unwrap().public();
    let node = |id: &str, tag: &str| Node {
        id: id.parse().unwrap(),
        agency: "mosvy".parse().unwrap(),
        tag: tag.parse().unwrap(),
        keys: keys.clone(),
    };
    let office = |id: &str, node: &str, level, above: Option<&str>| Office {
        id: id.parse().unwrap(),
        node: node.parse().unwrap(),
        name_en: id.to_owned(),
        name_km: id.to_owned(),
        level,
        place: "0110".parse().unwrap(),
        above: above.map(|above| above.parse().unwrap()),
        staffed: true,
        opened_on: None,
        closed_on: None,
        successor: None,
    };
    let (province, district) = (OfficeLevel::Province, OfficeLevel::District);
    LiveDirectory::new(Directory {
        network: "test".to_owned(),
        edition: 1,
        place_editions: vec![],
        authority: "ministry".parse().unwrap(),
        cosigner: "ministry".parse().unwrap(),
        registry: "ministry".parse().unwrap(),
        agencies: vec![Agency { id: "mosvy".parse().unwrap(), name_en: "M".to_owned(), name_km: "M".to_owned() }],
        nodes: vec![node("kandal", "KD"), node("takeo", "TK")],
        offices: vec![
            office("kandal-province", "kandal", province, None),
            office(OFFICE, "kandal", district, Some("kandal-province")),
            office("kandal-other", "kandal", district, Some("kandal-province")),
            // An office of one node under an office of another.
            office("kandal-branch", "kandal", district, Some("takeo-province")),
            office("takeo-province", "takeo", province, None),
            office("takeo-district", "takeo", district, Some("takeo-province")),
        ],
    })
}

impl Post {
    async fn open() -> Self {
        Self::of("kandal").await
    }

    async fn of(node: &str) -> Self {
        let folder = a_folder();
        let url = format!("sqlite://{}", folder.path().join("followup.sqlite").display());
        let options = Options {
            tables: vec![standing::TABLES],
            read_models: crate::read_models(),
            ..Options::new(url, "followup", "test")
        };
        let store = EventStore::open(options).await.unwrap();
        Self { node: node.parse().unwrap(), directory: directory(), store, posted: 0, _folder: folder }
    }

    async fn brings(&self, kind: &str, body: Vec<u8>) -> Result<(), Unusable> {
        self.brings_from(Address { node: self.node.clone(), service: Service::Referral }, kind, body).await
    }

    async fn brings_from(&self, from: Address, kind: &str, body: Vec<u8>) -> Result<(), Unusable> {
        let letter = Letter {
            id: "00000000-0000-4000-8000-0000000000aa".parse().unwrap(),
            from,
            incarnation: 1,
            kind: kind.to_owned(),
            case: None,
            body,
            attachment: None,
            trace: None,
            posted_at: Timestamp::default(),
        };
        let (node, directory) = (self.node.clone(), self.directory.clone());
        let reactions = Reactions {
            node,
            directory,
            clock: Clock::system(),
            late_after_days: 7,
            rhythm: crate::plan::Rhythm { months: 12, every_months: 1 },
        };
        let applied = self
            .store
            .transact(move |transaction| Box::pin(async move { reactions.apply(&letter, transaction).await }));
        applied.await.map_err(|error| match error {
            TransactError::Work(error) => error,
            TransactError::Store(error) => Unusable::Store(error),
        })
    }

    async fn says(&self, standing: Standing) {
        self.says_of(OFFICE, standing, "").await;
    }

    async fn says_of(&self, office: &str, standing: Standing, other: &str) {
        let told = StandingChanged {
            case_id: CASE.to_owned(),
            office_id: office.to_owned(),
            standing: standing.into(),
            other_office_id: other.to_owned(),
            ..StandingChanged::default()
        };
        self.brings("spean.referral.v1.StandingChanged", told.encode_to_vec()).await.unwrap();
    }

    async fn order<A: Aggregate<Context = Context>>(&self, at: &str, id: &str, command: A::Command) {
        let context = Context { office: office(at), staff: Some("staff-7".parse().unwrap()), now: NOW };
        let metadata = Metadata::of(&context);
        self.store.handle::<A>(id.to_owned(), command, context, metadata).await.unwrap();
    }

    async fn begin(&self) {
        let rhythm = Rhythm { months: 12, every_months: 1 };
        let command = plan::Command::Begin { reintegrated_on: day("2026-01-31"), rhythm, is_holder: true };
        self.order::<Plan>(OFFICE, CASE, command).await;
    }

    /// As a worker reports it, without the other things that a report leads to.
    async fn visit(&self, visit: u8, number: u8, on: &str, outcome: VisitOutcome) {
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
        let command = plan::Command::Record { visit, is_child: false, has_findings: false };
        self.order::<Plan>(OFFICE, CASE, command).await;
    }

    /// The numbers of the visits that are due at an office up to a day.
    async fn due(&self, at: &str, until: &str) -> Vec<i64> {
        let due = visits::due(&office(at), day(until), 99, 0, self.store.reader()).await.unwrap();
        due.iter().map(|entry| entry.number).collect()
    }

    async fn stands(&self, at: &str) -> FollowUpState {
        let entries = follow_ups::of_office(&office(at), None, 9, 0, self.store.reader()).await.unwrap();
        entries[0].state.parse().unwrap()
    }

    async fn dangers(&self, at: &str) -> Vec<dangers::Entry> {
        dangers::of_office(&office(at), false, NOW, 9, 0, self.store.reader()).await.unwrap()
    }

    async fn contradictions(&self, at: &str) -> Vec<contradictions::Entry> {
        contradictions::of_office(&office(at), false, 9, 0, self.store.reader()).await.unwrap()
    }

    async fn known(&self) -> Option<standing::Known> {
        let (case, office) = (CASE.parse().unwrap(), OFFICE.parse().unwrap());
        standing::of(case, &office, self.store.reader()).await.unwrap()
    }

    async fn is_erased(&self) -> bool {
        self.store.load::<Plan>(CASE).await.unwrap().state.is_erased()
    }
}

/// Brings the letters of follow-ups to each other, each twice, until none is left.
async fn deliver(posts: &mut [&mut Post]) {
    loop {
        let mut letters = Vec::new();
        for post in posts.iter_mut() {
            let published = Published { node: post.node.clone(), directory: post.directory.clone() };
            for event in post.store.events_after(post.posted, 1_000).await.unwrap() {
                post.posted = event.position;
                let from = Address { node: post.node.clone(), service: Service::Followup };
                letters.extend(published.postings(&event).into_iter().map(|posting| (from.clone(), posting)));
            }
        }
        letters.retain(|(_, posting)| posting.to.service == Service::Followup);
        if letters.is_empty() {
            return;
        }
        for (from, posting) in letters {
            let post = posts.iter().find(|post| post.node == posting.to.node).unwrap();
            for _ in 0..2 {
                post.brings_from(from.clone(), posting.kind, posting.body.clone()).await.unwrap();
            }
        }
    }
}

#[tokio::test]
async fn a_plan_goes_to_the_office_of_another_node_and_nothing_due_is_missing_meanwhile() {
    let (mut kandal, mut takeo) = (Post::of("kandal").await, Post::of("takeo").await);
    kandal.says(Standing::Holds).await;
    kandal.begin().await;
    kandal.visit(21, 1, "2026-02-27", VisitOutcome::Met).await;
    kandal.says_of(OFFICE, Standing::Held, "takeo-district").await;
    assert_eq!(kandal.due(OFFICE, "2026-03-31").await, [2], "until the other office has it");
    assert_eq!(kandal.stands(OFFICE).await, FollowUpState::HandedOver);
    assert_eq!(takeo.due("takeo-district", "2026-03-31").await, [] as [i64; 0]);
    deliver(&mut [&mut kandal, &mut takeo]).await;
    assert_eq!(takeo.due("takeo-district", "2026-03-31").await, [2]);
    assert_eq!(kandal.due(OFFICE, "2026-03-31").await, [] as [i64; 0]);
    assert_eq!(kandal.stands(OFFICE).await, FollowUpState::TakenUpElsewhere);
    // And home again.
    takeo.says_of("takeo-district", Standing::Holds, OFFICE).await;
    takeo.says_of("takeo-district", Standing::Held, OFFICE).await;
    kandal.says_of(OFFICE, Standing::Holds, "takeo-district").await;
    deliver(&mut [&mut kandal, &mut takeo]).await;
    assert_eq!(kandal.due(OFFICE, "2026-03-31").await, [2]);
    assert_eq!(takeo.due("takeo-district", "2026-03-31").await, [] as [i64; 0]);
}

#[tokio::test]
async fn a_plan_goes_to_a_neighbour_of_the_same_node() {
    let mut kandal = Post::of("kandal").await;
    kandal.says(Standing::Holds).await;
    kandal.begin().await;
    kandal.says_of(OFFICE, Standing::Held, "kandal-other").await;
    assert_eq!(kandal.due(OFFICE, "2026-02-28").await, [1]);
    deliver(&mut [&mut kandal]).await;
    assert_eq!(kandal.due(OFFICE, "2026-02-28").await, [] as [i64; 0]);
    assert_eq!(kandal.due("kandal-other", "2026-02-28").await, [1]);
}

/// An override gave the case to another office, and set aside the certificate by which this one had it.
#[tokio::test]
async fn a_plan_goes_on_with_a_case_that_was_never_rightly_here() {
    let mut kandal = Post::of("kandal").await;
    kandal.says(Standing::Holds).await;
    kandal.begin().await;
    // Who was not known as the holder has lost nothing.
    kandal.says_of("kandal-other", Standing::Unspecified, OFFICE).await;
    deliver(&mut [&mut kandal]).await;
    assert_eq!(kandal.due(OFFICE, "2026-02-28").await, [1]);
    kandal.says_of(OFFICE, Standing::Unspecified, "kandal-other").await;
    deliver(&mut [&mut kandal]).await;
    assert_eq!(kandal.due(OFFICE, "2026-02-28").await, [] as [i64; 0]);
    assert_eq!(kandal.due("kandal-other", "2026-02-28").await, [1]);
}

#[tokio::test]
async fn a_plan_that_came_after_the_case_had_moved_on_follows_it() {
    let (mut kandal, mut takeo) = (Post::of("kandal").await, Post::of("takeo").await);
    kandal.says(Standing::Holds).await;
    kandal.begin().await;
    kandal.says_of(OFFICE, Standing::Held, "takeo-district").await;
    takeo.says_of("takeo-district", Standing::Held, "takeo-province").await;
    deliver(&mut [&mut kandal, &mut takeo]).await;
    assert_eq!(takeo.due("takeo-province", "2026-02-28").await, [1]);
    assert_eq!(takeo.due("takeo-district", "2026-02-28").await, [] as [i64; 0]);
}

#[tokio::test]
async fn a_search_goes_along_with_the_plan() {
    let (mut kandal, mut takeo) = (Post::of("kandal").await, Post::of("takeo").await);
    kandal.says(Standing::Holds).await;
    kandal.begin().await;
    let (lost_on, to_meeting_on) = (day("2026-03-01"), day("2026-03-08"));
    let lose = contact::Command::Lose { lost_on, reason: LossReason::FamilyMoved, to_meeting_on };
    kandal.order::<Contact>(OFFICE, CASE, lose).await;
    kandal.says_of(OFFICE, Standing::Held, "takeo-district").await;
    deliver(&mut [&mut kandal, &mut takeo]).await;
    assert_eq!(takeo.stands("takeo-district").await, FollowUpState::ContactLost);
    let find = contact::Command::Find { found_on: day("2026-04-01"), place: FoundPlace::InTheCountry };
    takeo.order::<Contact>("takeo-district", CASE, find).await;
    assert_eq!(takeo.stands("takeo-district").await, FollowUpState::Open);
}

#[tokio::test]
async fn a_danger_is_heard_above_goes_along_with_the_case_and_its_end_is_told() {
    let (mut kandal, mut takeo) = (Post::of("kandal").await, Post::of("takeo").await);
    kandal.says(Standing::Holds).await;
    kandal.begin().await;
    let report = danger::Report {
        case: CASE.parse().unwrap(),
        office: office(OFFICE),
        signs: [DangerSign::Threat].into(),
        urgency: spean_vocabulary::Urgency::Emergency,
        found_on: day("2026-11-20"),
        raised_at: NOW,
        plan_due_at: NOW.plus_hours(24),
    };
    let tell = Some(office("kandal-province"));
    let danger = id::<spean_vocabulary::kind::Danger>(0x30).to_string();
    kandal.order::<Danger>(OFFICE, &danger, danger::Command::Raise { report, tell }).await;
    deliver(&mut [&mut kandal, &mut takeo]).await;
    assert_eq!(kandal.dangers("kandal-province").await.len(), 1);
    kandal.says_of(OFFICE, Standing::Held, "takeo-district").await;
    deliver(&mut [&mut kandal, &mut takeo]).await;
    assert_eq!((takeo.dangers("takeo-district").await.len(), takeo.dangers("takeo-province").await.len()), (1, 1));
    let plan = danger::Command::Plan { made_on: day("2026-11-22"), review_on: None };
    takeo.order::<Danger>("takeo-district", &danger, plan).await;
    let over = danger::Command::Assess { assessed_on: day("2026-11-23"), is_over: true };
    deliver(&mut [&mut kandal, &mut takeo]).await;
    assert_eq!(kandal.dangers(OFFICE).await[0].plan_made_on, "2026-11-22");
    takeo.order::<Danger>("takeo-district", &danger, over).await;
    deliver(&mut [&mut kandal, &mut takeo]).await;
    assert_eq!(kandal.dangers(OFFICE).await, []);
    assert_eq!(takeo.dangers("takeo-province").await, []);
}

#[tokio::test]
async fn both_offices_and_the_province_hear_of_a_contradiction_and_of_its_end() {
    let (mut kandal, mut takeo) = (Post::of("kandal").await, Post::of("takeo").await);
    kandal.says(Standing::Holds).await;
    kandal.begin().await;
    kandal.visit(21, 1, "2026-03-09", VisitOutcome::Met).await;
    let sighting = Sighting {
        office: office("takeo-district"),
        whereabouts: Seen::InShelter,
        from_day: day("2026-03-01"),
        until_day: None,
    };
    let tell = Some(office(OFFICE));
    let sight = whereabouts::Command::Sight { sighting, met: vec![], tell, above: None };
    takeo.order::<Whereabouts>("takeo-district", CASE, sight).await;
    deliver(&mut [&mut kandal, &mut takeo]).await;
    for (post, at) in [(&kandal, OFFICE), (&kandal, "kandal-province"), (&takeo, "takeo-district")] {
        let listed = post.contradictions(at).await;
        assert_eq!((listed.len(), listed[0].visited_by.as_str()), (1, OFFICE), "{at}");
    }
    let visit_id: VisitId = id(21);
    let tell = [office("takeo-district"), office(OFFICE)].into();
    let resolve = whereabouts::Command::Resolve { visit_id, resolution: Resolution::VisitNotMade, tell };
    kandal.order::<Whereabouts>("kandal-province", CASE, resolve).await;
    deliver(&mut [&mut kandal, &mut takeo]).await;
    assert_eq!(takeo.contradictions("takeo-district").await, []);
    assert_eq!(kandal.contradictions(OFFICE).await, []);
}

#[tokio::test]
async fn a_shelter_that_has_somebody_casts_doubt_on_visits_at_home_until_they_leave() {
    let (mut kandal, mut takeo) = (Post::of("kandal").await, Post::of("takeo").await);
    kandal.says(Standing::Holds).await;
    kandal.begin().await;
    takeo.says_of("takeo-district", Standing::Held, OFFICE).await;
    let stage = |stage: Stage, on: &str| StageReached {
        case_id: CASE.to_owned(),
        office_id: "takeo-district".to_owned(),
        stage: stage.into(),
        occurred_on: on.to_owned(),
    };
    for told in [stage(Stage::InShelter, "2026-03-01"), stage(Stage::LeftShelter, "2026-03-20")] {
        takeo.brings("spean.referral.v1.StageReached", told.encode_to_vec()).await.unwrap();
    }
    deliver(&mut [&mut kandal, &mut takeo]).await;
    for (visit, number, on) in [(21, 1, "2026-03-09"), (22, 2, "2026-03-25")] {
        kandal.visit(visit, number, on, VisitOutcome::Met).await;
        let met = contradictions::met(CASE.parse().unwrap(), kandal.store.reader()).await.unwrap();
        let met = met.into_iter().find(|met| met.visit_id == id(visit)).unwrap();
        let compare = whereabouts::Command::Compare { met, above: None };
        kandal.order::<Whereabouts>(OFFICE, CASE, compare).await;
    }
    deliver(&mut [&mut kandal, &mut takeo]).await;
    for (post, at) in [(&kandal, OFFICE), (&takeo, "takeo-district")] {
        let listed = post.contradictions(at).await;
        assert_eq!(listed.iter().map(|entry| entry.visited_on.as_str()).collect::<Vec<_>>(), ["2026-03-09"], "{at}");
    }
}

#[tokio::test]
async fn who_is_registered_elsewhere_casts_doubt_on_later_visits_and_is_shown_to_who_searches() {
    let kandal = Post::of("kandal").await;
    kandal.says(Standing::Holds).await;
    kandal.begin().await;
    kandal.visit(21, 1, "2026-03-09", VisitOutcome::Met).await;
    let told = PersonSeenAgain {
        case_id: CASE.to_owned(),
        office_id: OFFICE.to_owned(),
        seen_by_office_id: "takeo-district".to_owned(),
        seen_on: "2026-03-01".to_owned(),
        ..PersonSeenAgain::default()
    };
    for _ in 0..2 {
        kandal.brings("spean.referral.v1.PersonSeenAgain", told.encode_to_vec()).await.unwrap();
    }
    assert_eq!(kandal.contradictions("kandal-province").await.len(), 1);
}

#[tokio::test]
async fn a_letter_in_the_name_of_a_foreign_office_is_kept_for_a_person() {
    let takeo = Post::of("takeo").await;
    let told = wire::PlanTakenUp {
        case_id: CASE.to_owned(),
        from_office_id: "takeo-province".to_owned(),
        to_office_id: "takeo-district".to_owned(),
    };
    let kandal = |service| Address { node: "kandal".parse().unwrap(), service };
    let refused =
        |from, body: &wire::PlanTakenUp| takeo.brings_from(from, published::PLAN_TAKEN_UP, body.encode_to_vec());
    let ours = wire::PlanTakenUp { from_office_id: OFFICE.to_owned(), ..told.clone() };
    let misplaced = wire::PlanTakenUp { to_office_id: OFFICE.to_owned(), ..ours.clone() };
    for (from, body, code) in [
        (kandal(Service::Followup), &told, "NOT_THEIR_OFFICE"),
        (kandal(Service::Referral), &ours, "NOT_THEIR_OFFICE"),
        (kandal(Service::Followup), &misplaced, "NOT_OUR_OFFICE"),
    ] {
        let refused = refused(from, body).await.unwrap_err();
        assert!(matches!(&refused, Unusable::Refused(said) if said == code), "{refused:?}");
    }
}

#[tokio::test]
async fn a_person_of_whom_no_age_was_told_is_protected_like_a_child() {
    let post = Post::open().await;
    post.says(Standing::Holds).await;
    let known = post.known().await.unwrap();
    assert_eq!((known.word, known.is_child), ("HOLDS", true));
}

#[tokio::test]
async fn the_age_of_who_was_registered_here_is_that_of_the_register() {
    let post = Post::open().await;
    let told = CaseRegistered {
        case_id: CASE.to_owned(),
        office_id: OFFICE.to_owned(),
        sex: Sex::Female.into(),
        age_band: AgeBand::Adult.into(),
        ..CaseRegistered::default()
    };
    post.brings("spean.cases.v1.CaseRegistered", told.encode_to_vec()).await.unwrap();
    assert!(!post.known().await.unwrap().is_child);
    post.says(Standing::Holds).await;
    assert!(!post.known().await.unwrap().is_child, "a letter without an age forgets none");
}

#[tokio::test]
async fn an_erasure_is_noted_once_and_only_where_the_case_is_known() {
    let post = Post::open().await;
    let erased = PersonErased { case_id: CASE.to_owned(), person_id: CASE.to_owned() }.encode_to_vec();
    post.brings("spean.cases.v1.PersonErased", erased.clone()).await.unwrap();
    assert!(!post.is_erased().await);
    post.says(Standing::Holds).await;
    for _ in 0..2 {
        post.brings("spean.cases.v1.PersonErased", erased.clone()).await.unwrap();
        assert!(post.is_erased().await);
    }
    assert_eq!(post.store.events_after(0, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn letters_that_make_no_sense_are_kept_for_a_person() {
    let post = Post::open().await;
    for (kind, body, code) in [
        ("spean.referral.v1.OfferAnswered", vec![], "UNKNOWN_KIND"),
        ("spean.referral.v1.StandingChanged", vec![0xff], "MALFORMED"),
        ("spean.cases.v1.PersonErased", vec![], "MALFORMED"),
    ] {
        let refused = post.brings(kind, body).await.unwrap_err();
        assert!(matches!(&refused, Unusable::Refused(said) if said == code), "{refused:?}");
    }
}
