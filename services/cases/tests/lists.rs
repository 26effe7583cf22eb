//! The lists of the register on both databases: nothing that waits for somebody is hidden.
#![expect(clippy::unwrap_used, reason = "a specification fails by panicking")]

use std::collections::BTreeSet;

use spean_cases::case::words::{Abuse, AttachmentKind, FileItem, MediaType, RetractReason, RiskKind, Severity};
use spean_cases::case::{Attachment, Case, Command, Fact, Risk};
use spean_cases::{dangers, files, holders, pairs, read_models, register, shelf, sightings, timeline};
use spean_chassis::standing;
use spean_contracts::referral::v1::{Standing, StandingChanged};
use spean_eventsourcing::Context;
use spean_eventstore::{EventStore, Metadata, Options};
use spean_testkit::{Postgres, TempDir, a_folder};
use spean_vocabulary::{AgeBand, CaseId, CaseNumber, Codes, Date, Id, OfficeId, Sex, Timestamp};

const HERE: &str = "kandal-province";
const THERE: &str = "battambang-province";

macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod sqlite { $(#[tokio::test] async fn $name() { super::$name(super::Place::on_sqlite().await).await; })* }
        mod postgres { $(#[tokio::test] async fn $name() { super::$name(super::Place::on_postgres().await).await; })* }
    };
}

on_both! {
    the_likeliest_pair_is_judged_first_and_leaves_the_list,
    a_merged_case_is_marked_on_both_sides_until_it_is_taken_out,
    the_gravest_danger_comes_first_and_leaves_when_it_has_passed,
    the_file_that_lacks_something_for_the_longest_time_comes_first,
    a_person_seen_again_waits_until_somebody_has_seen_to_it,
    papers_are_listed_until_they_are_destroyed,
    a_history_tells_field_time_and_record_time_and_who,
    holders_follow_each_other_as_the_desk_tells_it,
    lists_are_the_same_after_they_were_built_anew,
}

struct Place {
    store: EventStore,
    _folder: TempDir,
}

impl Place {
    async fn on_sqlite() -> Self {
        let folder = a_folder();
        let url = format!("sqlite://{}", folder.path().join("cases.sqlite").display());
        Self::at(url, folder).await
    }

    async fn on_postgres() -> Self {
        Self::at(Postgres::shared().database(), a_folder()).await
    }

    async fn at(url: String, folder: TempDir) -> Self {
        let options = Options {
            tables: vec![standing::TABLES, holders::TABLES],
            read_models: read_models(),
            ..Options::new(url, "cases", "test")
        };
        Self { store: EventStore::open(options).await.unwrap(), _folder: folder }
    }

    async fn order(&self, of: u8, command: Command) {
        let now = Timestamp::from_micros(1_790_000_000_000_000);
        let context = Context { office: office(HERE), staff: Some("kd-07".parse().unwrap()), now };
        let metadata = Metadata::of(&context);
        self.store.handle::<Case>(case(of).to_string(), command, context, metadata).await.unwrap();
    }

    /// Opens a case here, with what is missing.
    async fn open(&self, of: u8, on: &str, missing: &[&str]) {
        let codes = Codes {
            sex: Sex::Female,
            age_band: AgeBand::Adult,
            language: None,
            home_place: None,
            missing: missing.iter().map(|what| (*what).to_owned()).collect(),
        };
        let case_number = CaseNumber::draw("KD".parse().unwrap(), [of, 1, 2, 3, 4]);
        let person = case(of).reinterpret();
        self.order(of, Command::Register { case_number, person, codes, registered_on: day(on) }).await;
        self.tell(of, HERE, Standing::Holds, "").await;
    }

    async fn tell(&self, of: u8, at: &str, standing: Standing, other: &str) {
        let told = StandingChanged {
            case_id: case(of).to_string(),
            office_id: at.to_owned(),
            standing: standing.into(),
            other_office_id: other.to_owned(),
            ..StandingChanged::default()
        };
        let recorded = self.store.transact(move |transaction| {
            Box::pin(async move {
                standing::record(&told, transaction.connection()).await?;
                let now = Timestamp::from_micros(1_790_000_000_000_000);
                holders::record(&told, now, transaction.connection()).await
            })
        });
        recorded.await.unwrap();
    }
}

fn id<K>(number: u8) -> Id<K> {
    format!("00000000-0000-4000-8000-0000000000{number:02x}").parse().unwrap()
}

fn case(number: u8) -> CaseId {
    id(number)
}

fn office(code: &str) -> OfficeId {
    code.parse().unwrap()
}

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn found(other: u8, score: u8) -> Command {
    Command::NotePossibleDuplicate { other: case(other), score, reasons: vec!["SAME_SOUND".to_owned()] }
}

async fn to_judge(place: &Place, at: &str) -> Vec<(String, String)> {
    let pairs = pairs::to_judge(&office(at), 10, 0, place.store.reader()).await.unwrap();
    pairs.into_iter().map(|pair| (pair.case_id, pair.other_case_id)).collect()
}

async fn the_likeliest_pair_is_judged_first_and_leaves_the_list(place: Place) {
    for number in 1..=3 {
        place.open(number, "2026-01-01", &[]).await;
    }
    place.order(2, found(1, 70)).await;
    place.order(3, found(1, 95)).await;
    let pair = |one, two| (case(one).to_string(), case(two).to_string());
    assert_eq!(to_judge(&place, HERE).await, [pair(1, 3), pair(3, 1), pair(1, 2), pair(2, 1)]);
    assert!(to_judge(&place, THERE).await.is_empty(), "it is none of their cases");
    for (this, other) in [(3, 1), (1, 3)] {
        place.order(this, Command::RuleOut { this: case(this), other: case(other), on: day("2026-01-02") }).await;
    }
    for (this, other) in [(2, 1), (1, 2)] {
        let on = Some(day("2026-01-02"));
        place.order(this, Command::Link { this: case(this), other: case(other), on }).await;
    }
    assert!(to_judge(&place, HERE).await.is_empty());
    place.order(3, found(1, 99)).await;
    assert!(to_judge(&place, HERE).await.is_empty(), "what was judged is not asked again");
    let of_one = pairs::of_case(&case(1).to_string(), place.store.reader()).await.unwrap();
    assert_eq!(of_one, [(case(2).to_string(), "LINKED".to_owned())]);
}

async fn a_merged_case_is_marked_on_both_sides_until_it_is_taken_out(place: Place) {
    place.open(1, "2026-01-01", &[]).await;
    place.open(2, "2026-01-01", &[]).await;
    let on = day("2026-01-02");
    place.order(2, Command::Merge { this: case(2), into: case(1), on, both_held: true }).await;
    place.order(1, Command::Absorb { other: case(2), on }).await;
    let entry = register::find(case(2), &office(HERE), place.store.reader()).await.unwrap().unwrap();
    assert_eq!((entry.merged_into, entry.standing), (case(1).to_string(), "HOLDS".to_owned()));
    let merged = register::merged_into(&case(1).to_string(), place.store.reader()).await.unwrap();
    assert_eq!(merged, [case(2).to_string()]);
    let at_work = files::incomplete(&office(HERE), on, 10, 0, place.store.reader()).await.unwrap();
    assert_eq!(at_work.len(), 1, "nobody completes a file that rests");
    place.order(2, Command::Unmerge { on }).await;
    place.order(1, Command::Release { other: case(2), on }).await;
    let entry = register::find(case(2), &office(HERE), place.store.reader()).await.unwrap().unwrap();
    assert_eq!(entry.merged_into, "");
    let at_work = files::incomplete(&office(HERE), on, 10, 0, place.store.reader()).await.unwrap();
    assert_eq!(at_work.len(), 2);
}

fn raise(number: u8, severity: Severity, on: &str) -> Command {
    let risk = Risk { kind: RiskKind::ExploiterNear, severity, raised_on: day(on) };
    Command::RaiseRisk { risk_id: id(number), risk }
}

async fn the_gravest_danger_comes_first_and_leaves_when_it_has_passed(place: Place) {
    place.open(1, "2026-01-01", &[]).await;
    place.open(2, "2026-01-01", &[]).await;
    place.order(1, raise(1, Severity::Serious, "2026-01-02")).await;
    place.order(1, raise(2, Severity::Acute, "2026-01-04")).await;
    place.order(2, raise(3, Severity::Serious, "2026-01-01")).await;
    let of_office = async || {
        let listed = dangers::of_office(&office(HERE), 10, 0, place.store.reader()).await.unwrap();
        listed.into_iter().map(|danger| danger.risk_id).collect::<Vec<_>>()
    };
    let ids = |numbers: &[u8]| numbers.iter().map(|number| case(*number).to_string()).collect::<Vec<_>>();
    assert_eq!(of_office().await, ids(&[2, 3, 1]));
    place.order(1, Command::LowerRisk { risk_id: id(2), lowered_on: day("2026-01-05") }).await;
    assert_eq!(of_office().await, ids(&[3, 1]));
    let of_case = dangers::of_case(&case(1).to_string(), place.store.reader()).await.unwrap();
    assert_eq!((of_case.len(), of_case[0].raised_by.as_str()), (1, "kd-07"));
}

async fn the_file_that_lacks_something_for_the_longest_time_comes_first(place: Place) {
    place.open(1, "2026-01-05", &["birth"]).await;
    place.open(2, "2026-01-01", &["name", "birth", "sex", "home_place"]).await;
    place.open(3, "2025-12-24", &[]).await;
    place.tell(3, HERE, Standing::Held, THERE).await;
    let listed = async |since: &str| {
        let files = files::incomplete(&office(HERE), day(since), 10, 0, place.store.reader()).await.unwrap();
        files.into_iter().map(|file| file.case_id).collect::<Vec<_>>()
    };
    assert_eq!(listed("2026-01-06").await, [case(2).to_string(), case(1).to_string()]);
    assert_eq!(listed("2026-01-03").await, [case(2).to_string()]);
    let files = files::incomplete(&office(HERE), day("2026-01-06"), 10, 0, place.store.reader()).await.unwrap();
    let missing: Vec<_> = files[1].checklist.missing().into_iter().map(|(item, _)| item).collect();
    assert!(missing.contains(&FileItem::Birth) && !missing.contains(&FileItem::Name), "{missing:?}");
}

async fn a_person_seen_again_waits_until_somebody_has_seen_to_it(place: Place) {
    place.open(1, "2026-01-01", &[]).await;
    place.order(1, Command::NoteSeenAgain { other: case(9), by: office(THERE), on: day("2026-02-01") }).await;
    let listed = sightings::of_office(&office(HERE), 10, 0, place.store.reader()).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].seen_by.as_str(), listed[0].seen_on.as_str()), (THERE, "2026-02-01"));
    place.order(1, Command::AcknowledgeSeenAgain { other: case(9) }).await;
    assert!(sightings::of_office(&office(HERE), 10, 0, place.store.reader()).await.unwrap().is_empty());
    assert!(sightings::of_case(&case(1).to_string(), place.store.reader()).await.unwrap().is_empty());
}

async fn papers_are_listed_until_they_are_destroyed(place: Place) {
    place.open(1, "2026-01-01", &[]).await;
    let attachment = Attachment {
        kind: AttachmentKind::Photograph,
        media_type: MediaType::Png,
        size_bytes: 5_000_000,
        digest: "ab".repeat(32),
        made_on: day("2026-01-02"),
    };
    place.order(1, Command::Attach { attachment_id: id(7), attachment }).await;
    let listed = shelf::of_case(&case(1).to_string(), place.store.reader()).await.unwrap();
    assert_eq!((listed.len(), listed[0].size_bytes, listed[0].kind.as_str()), (1, 5_000_000, "photograph"));
    place.order(1, Command::RemoveAttachment { attachment_id: id(7), reason: RetractReason::OtherPerson }).await;
    assert!(shelf::of_case(&case(1).to_string(), place.store.reader()).await.unwrap().is_empty());
}

async fn a_history_tells_field_time_and_record_time_and_who(place: Place) {
    place.open(1, "2026-01-01", &[]).await;
    place.order(1, raise(1, Severity::Acute, "2026-01-02")).await;
    let fact = Fact {
        acts: BTreeSet::new(),
        means: BTreeSet::new(),
        purposes: BTreeSet::new(),
        abuses: BTreeSet::from([Abuse::Neglect]),
        from_day: None,
        until_day: None,
        countries: BTreeSet::new(),
    };
    place.order(1, Command::RecordFact { fact_id: id(4), fact }).await;
    let told = timeline::of_case(&case(1).to_string(), 10, 0, place.store.reader()).await.unwrap();
    let told: Vec<_> =
        told.iter().map(|moment| (moment.what.as_str(), moment.occurred_on.as_str(), moment.staff.as_str())).collect();
    assert_eq!(
        told,
        [
            ("REGISTERED", "2026-01-01", "kd-07"),
            ("RISK_RAISED", "2026-01-02", "kd-07"),
            ("FACT_RECORDED", "2026-09-21", "kd-07"),
        ]
    );
    let page = timeline::of_case(&case(1).to_string(), 1, 1, place.store.reader()).await.unwrap();
    assert_eq!((page.len(), page[0].recorded_at), (1, 1_790_000_000_000_000));
}

async fn holders_follow_each_other_as_the_desk_tells_it(place: Place) {
    let told = async || {
        let holders = holders::of_case(&case(1).to_string(), place.store.reader()).await.unwrap();
        let holds = |holder: holders::Holder| (holder.office, holder.held_from.is_some(), holder.held_until.is_none());
        holders.into_iter().map(holds).collect::<Vec<_>>()
    };
    let holder = |office: &str, begun, lasts| (office.to_owned(), begun, lasts);
    // It came from elsewhere, went on, and came back.
    place.tell(1, HERE, Standing::Holds, THERE).await;
    place.tell(1, HERE, Standing::Holds, THERE).await;
    assert_eq!(told().await, [holder(THERE, false, false), holder(HERE, true, true)]);
    place.tell(1, HERE, Standing::Held, "poipet-transit").await;
    place.tell(1, HERE, Standing::Helps, "poipet-transit").await;
    assert_eq!(told().await[2], holder("poipet-transit", true, true));
    place.tell(1, HERE, Standing::Holds, "poipet-transit").await;
    let whole = [
        holder(THERE, false, false),
        holder(HERE, true, false),
        holder("poipet-transit", true, false),
        holder(HERE, true, true),
    ];
    assert_eq!(told().await, whole);
}

async fn lists_are_the_same_after_they_were_built_anew(place: Place) {
    place.open(1, "2026-01-01", &["birth"]).await;
    place.open(2, "2026-01-01", &[]).await;
    place.order(2, found(1, 70)).await;
    place.order(1, raise(1, Severity::Acute, "2026-01-02")).await;
    place.order(1, Command::NoteSeenAgain { other: case(9), by: office(THERE), on: day("2026-02-01") }).await;
    let everything = async || {
        let (here, reader) = (office(HERE), place.store.reader());
        format!(
            "{:?} {:?} {:?} {:?} {:?} {:?}",
            pairs::to_judge(&here, 10, 0, reader).await.unwrap(),
            dangers::of_office(&here, 10, 0, reader).await.unwrap(),
            files::incomplete(&here, day("2026-12-31"), 10, 0, reader).await.unwrap(),
            sightings::of_office(&here, 10, 0, reader).await.unwrap(),
            timeline::of_case(&case(1).to_string(), 10, 0, reader).await.unwrap(),
            register::of_office(&here, true, 10, 0, reader).await.unwrap(),
        )
    };
    let before = everything().await;
    for list in ["register", "pairs", "dangers", "files", "timeline", "sightings", "shelf"] {
        place.store.rebuild(list).await.unwrap();
    }
    assert_eq!(everything().await, before);
}
