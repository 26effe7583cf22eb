//! Manifests with a real log and a real vault: sent, sent again, cut off in the middle, and mixed up.

mod support;
#[path = "support/workbook.rs"]
mod workbook;

use std::sync::Arc;
use std::time::Duration;

use spean_chassis::standing;
use spean_eventstore::{Digest, EventStore, HandleError, Metadata};
use spean_identity::NodeKeys;
use spean_repatriation::arrival::Arrival;
use spean_repatriation::import::{ImportError, Importer, Submission, arrival_of};
use spean_repatriation::manifest::Error;
use spean_repatriation::sheet::File;
use spean_repatriation::verdicts::{self, Report};
use spean_repatriation::{arrivals, sheet};
use spean_testkit::eventually;
use spean_vault::{Identity, Reader, Vault};
use spean_vocabulary::{ManifestId, OfficeId};

use support::{Database, at, centre, circumstances, databases, id, office};
use workbook::{Cell, workbook};

const EXAMPLE: &[u8] = include_bytes!("../examples/manifest.csv");
const DEADLINE: Duration = Duration::from_mins(1);

struct Centre {
    store: EventStore,
    vault: Arc<Vault>,
    importer: Importer,
}

impl Centre {
    async fn open(database: &Database) -> Self {
        let keys = database.folder().join("keys");
        let keys = NodeKeys::load(&keys).or_else(|_| NodeKeys::create(&keys)).expect("keys");
        let url = format!("sqlite://{}", database.folder().join("vault.sqlite").display());
        let vault = Arc::new(Vault::open(&url, &keys).await.expect("the vault opens"));
        let store = database.open().await;
        let importer = Importer::new(store.clone(), Arc::clone(&vault));
        Self { store, vault, importer }
    }

    async fn report(&self) -> Option<Report> {
        verdicts::report(manifest(), &centre(), self.store.reader()).await.expect("a query")
    }

    async fn identity(&self, line: u32) -> Option<Identity> {
        let reader =
            Reader { staff: "staff-7".parse().expect("a code"), office: centre(), purpose: "a test".to_owned() };
        let person = arrival_of(manifest(), line).reinterpret();
        self.vault.get(person, &reader, at(centre()).now).await.expect("the vault answers")
    }

    fn head(&self) -> i64 {
        *self.store.head().borrow()
    }
}

fn manifest() -> ManifestId {
    id(7)
}

fn submission(file: &[u8], office: OfficeId) -> Submission {
    let context = at(office);
    let metadata = Metadata::of(&context).with_command(id(8), Digest::of(file));
    Submission {
        manifest: manifest(),
        file: File::Csv(file.to_vec()),
        circumstances: circumstances("2026-09-01"),
        context,
        metadata,
    }
}

fn many_men(count: usize) -> Vec<u8> {
    let rows = (0..count).map(|number| format!("Kumru,Dara,m,1990,N{number:06}\n"));
    ["family_name,given_name,sex,birth,document_number\n".to_owned()].into_iter().chain(rows).collect::<String>().into()
}

#[tokio::test]
async fn sixteen_of_seventeen_men_arrive_and_the_faulty_row_says_why_it_did_not() {
    for database in databases() {
        let centre_of = Centre::open(&database).await;
        centre_of.importer.import(submission(EXAMPLE, centre())).await.expect("it is carried out");
        let report = centre_of.report().await.expect("it is there");
        assert_eq!((report.rows, report.verdicts.len()), (17, 17));
        assert_eq!(report.finished_at, Some(at(centre()).now));
        let refused: Vec<_> = report.verdicts.iter().filter(|row| row.arrival_id.is_empty()).collect();
        assert_eq!(refused.len(), 1);
        assert_eq!((refused[0].line, refused[0].reason.as_str()), (9, "BIRTH_MALFORMED"));
        assert_eq!(refused[0].column, "birth");
        let here = arrivals::of_office(&centre(), true, 100, 0, centre_of.store.reader()).await.expect("a query");
        assert_eq!(here.len(), 16);
        let man = centre_of.identity(2).await.expect("he is in the vault");
        assert!(man.documents[0].number == "N0417733");
        assert!(centre_of.identity(9).await.is_none());
        centre_of.store.close().await;
    }
}

#[tokio::test]
async fn no_name_no_paper_and_no_telephone_number_stands_in_an_event() {
    let [database, _] = databases();
    let centre_of = Centre::open(&database).await;
    centre_of.importer.import(submission(EXAMPLE, centre())).await.expect("it is carried out");
    for event in centre_of.store.events_after(0, 1_000).await.expect("a query") {
        for personal in ["Kumru", "គំរូ", "Sovann", "N0417733", "passport"] {
            assert!(!event.payload.contains(personal), "{}", event.event_type);
        }
    }
    centre_of.store.close().await;
}

#[tokio::test]
async fn sending_it_again_changes_nothing_with_the_same_id_of_the_command_or_another() {
    for database in databases() {
        let centre_of = Centre::open(&database).await;
        centre_of.importer.import(submission(EXAMPLE, centre())).await.expect("it is carried out");
        let (report, head) = (centre_of.report().await, centre_of.head());
        let another = Submission { metadata: Metadata::of(&at(centre())), ..submission(EXAMPLE, centre()) };
        for again in [submission(EXAMPLE, centre()), another] {
            centre_of.importer.import(again).await.expect("it was carried out before");
            assert_eq!((centre_of.report().await, centre_of.head()), (report.clone(), head));
        }
        centre_of.store.close().await;
    }
}

fn many_men_in_a_workbook(count: usize) -> Vec<u8> {
    let numbers: Vec<_> = (0..count).map(|number| format!("N{number:06}")).collect();
    let header = ["Surname", "First name", "Sex", "Date of birth", "Passport no"].map(Cell::Text).to_vec();
    let men = numbers.iter().map(|number| {
        vec![Cell::Text("Kumru"), Cell::Text("Dara"), Cell::Text("m"), Cell::Number(2533.0), Cell::Text(number)]
    });
    workbook(&std::iter::once(header).chain(men).collect::<Vec<_>>())
}

#[tokio::test]
async fn a_workbook_that_was_cut_off_goes_on_without_doubles() {
    let [database, _] = databases();
    let file = many_men_in_a_workbook(200);
    let list = || Submission { file: File::Xlsx(file.clone()), ..submission(b"", centre()) };
    let centre_of = Centre::open(&database).await;
    let begun = async || centre_of.report().await.is_some_and(|report| !report.verdicts.is_empty());
    tokio::select! {
        _ = centre_of.importer.import(list()) => panic!("it was to be cut off"),
        () = eventually(DEADLINE, "the first rows", begun) => {}
    }
    centre_of.store.close().await;

    let centre_of = Centre::open(&database).await;
    assert!(centre_of.report().await.is_some_and(|report| report.finished_at.is_none()));
    centre_of.importer.import(list()).await.expect("it goes on");
    let report = centre_of.report().await.expect("it is there");
    assert!(report.finished_at.is_some() && report.verdicts.len() == 200);
    assert!(report.verdicts.iter().all(|row| row.notes == ["BUDDHIST_YEAR"] && row.known.is_empty()));
    let here = arrivals::of_office(&centre(), true, 1_000, 0, centre_of.store.reader()).await.expect("a query");
    assert_eq!(here.len(), 200);
    centre_of.store.close().await;
}

#[tokio::test]
async fn who_is_known_from_an_earlier_manifest_is_named_and_arrives_all_the_same() {
    let [database, _] = databases();
    let centre_of = Centre::open(&database).await;
    centre_of.importer.import(submission(&many_men(3), centre())).await.expect("it is carried out");
    let later = Submission {
        manifest: id(17),
        metadata: Metadata::of(&at(centre())),
        ..submission(b"given_name,document_number\nVibol,N000001\nTea,N999999\n", centre())
    };
    let preview = centre_of.importer.preview(&later).await.expect("it is readable");
    centre_of.importer.import(later).await.expect("it is carried out");
    let report = verdicts::report(id(17), &centre(), centre_of.store.reader()).await.expect("a query");
    let report = report.expect("it is there");
    let known: Vec<_> = report.verdicts.iter().map(|row| row.known.clone()).collect();
    assert_eq!(known, [vec![arrival_of(manifest(), 3).to_string()], vec![]]);
    assert_eq!(preview.into_iter().map(verdicts::Seen::from).collect::<Vec<_>>(), report.verdicts);
    assert!(report.verdicts.iter().all(|row| !row.arrival_id.is_empty()));
    centre_of.store.close().await;
}

#[tokio::test]
async fn an_import_that_was_cut_off_shows_as_unfinished_and_goes_on_without_doubles() {
    for database in databases() {
        let file = many_men(400);
        let centre_of = Centre::open(&database).await;
        let begun = async || centre_of.report().await.is_some_and(|report| !report.verdicts.is_empty());
        tokio::select! {
            _ = centre_of.importer.import(submission(&file, centre())) => panic!("it was to be cut off"),
            () = eventually(DEADLINE, "the first rows", begun) => {}
        }
        centre_of.store.close().await;

        let centre_of = Centre::open(&database).await;
        let report = centre_of.report().await.expect("it has begun");
        assert!(report.finished_at.is_none() && report.verdicts.len() < 400, "{}", report.verdicts.len());
        centre_of.importer.import(submission(&file, centre())).await.expect("it goes on");
        let report = centre_of.report().await.expect("it is there");
        assert!(report.finished_at.is_some() && report.verdicts.len() == 400);
        let here = arrivals::of_office(&centre(), true, 1_000, 0, centre_of.store.reader()).await.expect("a query");
        assert_eq!(here.len(), 400);
        for verdict in &report.verdicts {
            let loaded = centre_of.store.load::<Arrival>(&verdict.arrival_id).await.expect("a query");
            assert_eq!(loaded.version, 1, "line {}", verdict.line);
        }
        centre_of.store.verify().await.expect("the log is whole");
        centre_of.store.close().await;
    }
}

#[tokio::test]
async fn another_file_under_the_same_id_is_refused_and_stores_nothing() {
    let [database, _] = databases();
    let centre_of = Centre::open(&database).await;
    centre_of.importer.import(submission(EXAMPLE, centre())).await.expect("it is carried out");
    let (report, head) = (centre_of.report().await, centre_of.head());
    let other = Submission { metadata: Metadata::of(&at(centre())), ..submission(&many_men(3), centre()) };
    let elsewhere = office("battambang");
    let strange = Submission { metadata: Metadata::of(&at(elsewhere.clone())), ..submission(EXAMPLE, elsewhere) };
    for refused in [other, strange] {
        let preview = centre_of.importer.preview(&refused).await.map(|_| ());
        for outcome in [preview, centre_of.importer.import(refused).await] {
            assert!(matches!(outcome, Err(ImportError::Manifest(HandleError::Refused(Error::ManifestIdTaken)))));
        }
    }
    assert_eq!((centre_of.report().await, centre_of.head()), (report, head));
    centre_of.store.close().await;
}

#[tokio::test]
async fn a_preview_says_what_would_happen_and_stores_nothing() {
    let [database, _] = databases();
    let centre_of = Centre::open(&database).await;
    let preview = centre_of.importer.preview(&submission(EXAMPLE, centre())).await.expect("it is readable");
    assert_eq!((centre_of.report().await, centre_of.head()), (None, 0));
    assert!(centre_of.identity(2).await.is_none());
    centre_of.importer.import(submission(EXAMPLE, centre())).await.expect("it is carried out");
    let report = centre_of.report().await.expect("it is there");
    assert_eq!(preview.into_iter().map(verdicts::Seen::from).collect::<Vec<_>>(), report.verdicts);
    centre_of.store.close().await;
}

#[tokio::test]
async fn a_row_whose_arrival_was_registered_by_other_means_is_refused_and_stops_no_other() {
    let [database, _] = databases();
    let centre_of = Centre::open(&database).await;
    let other = spean_repatriation::arrival::Command::Register {
        person: arrival_of(manifest(), 3).reinterpret(),
        circumstances: circumstances("2026-08-01"),
        codes: support::codes(),
        needs: std::collections::BTreeSet::new(),
        by_request: None,
    };
    support::handle::<Arrival>(&centre_of.store, arrival_of(manifest(), 3).to_string(), other, &at(centre())).await;
    centre_of.importer.import(submission(&many_men(3), centre())).await.expect("it is carried out");
    let report = centre_of.report().await.expect("it is there");
    let reasons: Vec<_> = report.verdicts.iter().map(|row| row.reason.as_str()).collect();
    assert_eq!(reasons, ["", "ARRIVAL_ID_TAKEN", ""]);
    centre_of.store.close().await;
}

#[tokio::test]
async fn a_file_that_cannot_be_read_leaves_no_trace() {
    let [database, _] = databases();
    let centre_of = Centre::open(&database).await;
    let outcome = centre_of.importer.import(submission(b"family_name;given_name\nKumru;Dara\n", centre())).await;
    assert!(matches!(outcome, Err(ImportError::Unreadable(sheet::Unreadable::UnknownColumn { place: 1 }))));
    assert_eq!((centre_of.report().await, centre_of.head()), (None, 0));
    centre_of.store.close().await;
}

#[tokio::test]
async fn a_case_that_came_from_another_office_is_not_taken_for_an_arrival() {
    for database in databases() {
        let store = database.open().await;
        let case = id(3);
        assert!(!arrivals::is_case_elsewhere(case, store.reader()).await.expect("a query"));
        let held = store.transact(move |transaction| {
            Box::pin(async move { standing::hold(case.reinterpret(), &centre(), transaction.connection()).await })
        });
        held.await.expect("it is written");
        assert!(arrivals::is_case_elsewhere(case, store.reader()).await.expect("a query"));
        store.close().await;
    }
}
