//! Logs that were written by any version are read by this one: event by event, byte for byte, and into today's lists.
//!
//! The golden files hold a line of JSON for every form that an event was ever stored in; what a version once wrote is
//! never taken out of them, so together they are the logs of all versions that were released.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use spean::services;
use spean_chassis::Log;
use spean_eventstore::{Beside, Digest, EventStore, Metadata, Options, Recorded, Snapshot};
use spean_testkit::a_folder;
use spean_vocabulary::{CaseNumber, Service, Timestamp};
use sqlx::any::AnyConnectOptions;
use sqlx::{AnyConnection, AssertSqlSafe, ConnectOptions as _, Executor as _};
use strum::IntoEnumIterator as _;
use tokio::time::Instant;

/// How many events the ordinary test migrates, over all services.
const EVENTS: usize = 20_000;
/// By how much the process may grow while it fills the lists, however long the log is.
const GROWTH_BYTES: u64 = 64 * 1024 * 1024;
/// How many events one statement inserts.
const ROWS: usize = 50;

/// A line of a golden file.
#[derive(Clone)]
struct Line {
    category: &'static str,
    payload: String,
}

#[tokio::test]
async fn the_logs_of_every_released_version_are_read_projected_and_given_back_byte_for_byte() {
    for service in Service::iter() {
        let lines = golden_lines(service);
        let folder = a_folder();
        let url = written(folder.path(), service, lines.iter().cloned()).await;
        let tables = services::log(service).tables;
        let without_lists = Options { tables, ..Options::new(&url, service.to_string(), "test") };
        let store = EventStore::open(without_lists).await.expect("the log opens");
        let verified = store.verify().await.unwrap_or_else(|error| panic!("the log of {service}: {error}"));
        assert_eq!(verified.events, i64::try_from(lines.len()).expect("few"));
        let events = store.events_after(0, i64::MAX).await.expect("the log can be read");
        let log = services::log(service);
        for (line, event) in lines.iter().zip(&events) {
            assert_eq!(event.payload.as_bytes(), line.payload.as_bytes(), "{service}: position {}", event.position);
            assert!(log.reads(event), "{service}: {} of {} cannot be read", event.event_type, event.category);
        }
        store.close().await;
        // Two forms of one event cannot both have happened to one case: each gets a number of its own.
        let folder = a_folder();
        let numbered = (1..).zip(&lines).map(|(number, line)| again(line, number));
        let url = written(folder.path(), service, numbered).await;
        opened(&url, service).await.close().await;
        compare(folder.path(), &url, service).await;
    }
}

/// `SPEAN_MIGRATION_EVENTS=1000000` for the long run; `SPEAN_MIGRATION_SERVICE` for one service alone.
#[tokio::test]
async fn a_long_log_is_migrated_into_todays_lists_in_bounded_memory() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<usize>().expect("a number"));
    let only = std::env::var("SPEAN_MIGRATION_SERVICE").ok().map(|name| name.parse::<Service>().expect("a service"));
    let migrated: Vec<_> = Service::iter().filter(|service| only.is_none_or(|only| only == *service)).collect();
    let each = number("SPEAN_MIGRATION_EVENTS").unwrap_or(EVENTS) / migrated.len();
    for service in migrated {
        let lines = golden_lines(service);
        let folder = a_folder();
        let numbered = (1..=each).zip(lines.iter().cycle()).map(|(number, line)| again(line, number));
        let url = written(folder.path(), service, numbered).await;
        let (began, before) = (Instant::now(), resident_bytes("VmRSS"));
        forget_peak();
        let store = opened(&url, service).await;
        let (took, grown) = (began.elapsed(), resident_bytes("VmHWM").saturating_sub(before));
        let models = services::log(service).read_models.len();
        let verified = store.verify().await.expect("the chain holds").events;
        println!("{service}: {verified} events into {models} lists in {took:.1?}, {} KiB more memory", grown / 1024);
        assert_eq!(verified, i64::try_from(each).expect("few"));
        assert!(grown < GROWTH_BYTES, "{service}: {grown} bytes more for {each} events");
        store.close().await;
    }
}

#[test]
fn every_kind_of_event_and_every_list_is_known_to_those_who_examine() {
    let (mut kinds, mut lists) = (BTreeSet::new(), 0);
    for file in sources(&repository().join("services")) {
        let text = fs::read_to_string(file).expect("a source can be read");
        let text = text.split("#[cfg(test)]\nmod tests {").next().expect("there is always a first part");
        kinds.extend(text.lines().filter_map(|line| {
            line.trim().strip_prefix("const CATEGORY: &'static str = \"")?.strip_suffix("\";").map(str::to_owned)
        }));
        lists += text.matches("impl ReadModel for ").count();
    }
    kinds.extend(["custody", "policy"].map(str::to_owned));
    let logs: Vec<Log> = Service::iter().map(services::log).collect();
    let known: BTreeSet<_> = logs.iter().flat_map(Log::categories).map(str::to_owned).collect();
    assert_eq!(kinds, known, "each kind of event stands in the log() of its service");
    let known: usize = logs.iter().map(|log| log.read_models.len()).sum();
    assert_eq!(lists, known, "each read model stands in the log() of its service");
}

/// All golden lines of a service's log, those that stand in every log among them.
fn golden_lines(service: Service) -> Vec<Line> {
    let log = services::log(service);
    let mut folders = vec![repository().join(format!("services/{service}")), repository().join("crates/policy")];
    if service == Service::Referral {
        folders.push(repository().join("crates/custody"));
    }
    let files: BTreeSet<PathBuf> = folders
        .iter()
        .flat_map(|folder| fs::read_dir(folder.join("tests/golden")).expect("golden files"))
        .map(|entry| entry.expect("an entry").path())
        .collect();
    let mut lines = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).expect("a golden file");
        let payloads: Vec<&str> = text.lines().collect();
        let reading = |category: &&'static str| payloads.iter().all(|payload| log.reads(&event(category, payload)));
        let stem = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let mut categories: Vec<_> = log.categories().filter(|category| reading(category)).collect();
        categories.sort_by_key(|category| !stem.starts_with(category));
        let category = categories.first().unwrap_or_else(|| panic!("nothing of {service} reads {}", file.display()));
        lines.extend(payloads.iter().map(|payload| Line { category, payload: (*payload).to_owned() }));
    }
    assert!(lines.len() > 5, "{service} has golden lines");
    lines
}

fn event(category: &str, payload: &str) -> Recorded {
    let value: serde_json::Value = serde_json::from_str(payload).expect("a golden line is JSON");
    Recorded {
        position: 0,
        category: category.to_owned(),
        id: String::new(),
        version: 1,
        event_type: value["type"].as_str().expect("an event has a type").to_owned(),
        payload: payload.to_owned(),
        metadata: Metadata::new("kandal".parse().expect("a code"), Timestamp::from_micros(1_795_300_200_000_000)),
        hash: Digest::default(),
    }
}

/// The same line about other people.
fn again(line: &Line, number: usize) -> Line {
    let ids = format!("-{:04x}-4{:03x}-8000-", number >> 12 & 0xffff, number & 0xfff);
    let digits = u32::try_from(number).expect("few").to_be_bytes();
    let case_number = CaseNumber::draw("RK".parse().expect("a tag"), [0, digits[0], digits[1], digits[2], digits[3]]);
    let payload = line.payload.replace("-0000-4000-8000-", &ids).replace("RK34-567T", &case_number.to_string());
    if !payload.contains("\"period\":") {
        return Line { payload, ..line.clone() };
    }
    // Another edition of the figures: a period has each of them once.
    let mut figures: serde_json::Value = serde_json::from_str(&payload).expect("a golden line is JSON");
    figures["edition"] = number.into();
    Line { payload: figures.to_string(), ..line.clone() }
}

/// Writes a log as a version without any list wrote it: the bytes of the lines as they are.
async fn written(folder: &Path, service: Service, lines: impl Iterator<Item = Line>) -> String {
    let url = format!("sqlite://{}", folder.join(format!("{service}.sqlite")).display());
    let tables = services::log(service).tables;
    let empty = Options { tables, ..Options::new(&url, service.to_string(), "test") };
    EventStore::open(empty).await.expect("an empty log").close().await;
    let mut connection = connect(&url).await;
    connection.execute("pragma synchronous = off; begin").await.expect("a transaction");
    let (mut position, mut hash, mut rows) = (0, Digest::default(), Vec::with_capacity(ROWS));
    for line in lines {
        position += 1;
        let mut recorded = event(line.category, &line.payload);
        (recorded.position, recorded.id) = (position, stream(line.category, position));
        recorded.hash = recorded.hash_after(&hash);
        hash = recorded.hash;
        rows.push(recorded);
        if rows.len() == ROWS {
            insert(&mut connection, &mut rows).await;
        }
    }
    insert(&mut connection, &mut rows).await;
    connection.execute("commit").await.expect("it is committed");
    url
}

/// A stream of its own for each line: two forms of one event cannot both have happened to the same thing.
fn stream(category: &str, position: i64) -> String {
    let subject = format!("{position:08x}-0000-4000-8000-000000000000");
    if ["custody", "report"].contains(&category) { format!("kandal/{subject}") } else { subject }
}

async fn insert(connection: &mut AnyConnection, rows: &mut Vec<Recorded>) {
    if rows.is_empty() {
        return;
    }
    let values = vec!["(?, ?, ?, 1, ?, ?, ?, ?, ?)"; rows.len()].join(", ");
    let sql = format!(
        "insert into event (position, category, id, version, event_type, payload, office, recorded_at, hash)
         values {values}"
    );
    let mut statement = sqlx::query(AssertSqlSafe(sql));
    for row in rows.drain(..) {
        let hash = row.hash.as_bytes().to_vec();
        statement = statement.bind(row.position).bind(row.category).bind(row.id).bind(row.event_type);
        statement = statement.bind(row.payload).bind(row.metadata.office.to_string());
        statement = statement.bind(row.metadata.recorded_at.as_micros()).bind(hash);
    }
    statement.execute(connection).await.expect("the rows are new");
}

/// Opens a log as the service does: all lists are filled from it.
async fn opened(url: &str, service: Service) -> EventStore {
    let Log { tables, read_models, .. } = services::log(service);
    let options = Options { tables, read_models, ..Options::new(url, service.to_string(), "test") };
    EventStore::open(options).await.unwrap_or_else(|error| panic!("the log of {service}: {error:?}"))
}

/// What the start filled is what is built beside it.
async fn compare(folder: &Path, url: &str, service: Service) {
    let Log { tables, read_models, .. } = services::log(service);
    let mut beside = Beside::open(&folder.join("beside.sqlite"), &tables, read_models).await.expect("tables");
    let mut snapshot = Snapshot::open(url, &service.to_string()).await.expect("the log is there");
    beside.take(&snapshot.events_after(0, i64::MAX).await.expect("events")).await.expect("they can be taken in");
    let comparisons = beside.compare(&mut snapshot).await.expect("they can be compared");
    let differing: BTreeMap<_, _> =
        comparisons.iter().filter(|it| it.differences > 0).map(|it| (it.table, &it.told)).collect();
    assert!(differing.is_empty(), "{service}: {differing:?}");
    snapshot.close().await;
    beside.close().await;
}

async fn connect(url: &str) -> AnyConnection {
    sqlx::any::install_default_drivers();
    let options: AnyConnectOptions = format!("{url}?mode=rw").parse().expect("a URL");
    options.connect().await.expect("the file is there")
}

/// A figure of this process, as Linux tells it.
fn resident_bytes(figure: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(figure)?.strip_prefix(':'));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()).unwrap_or(0) * 1024
}

/// From here on the peak of the memory is counted anew.
fn forget_peak() {
    // Where that cannot be done the peak of before counts along, and the test is only stricter.
    let _ = fs::write("/proc/self/clear_refs", "5");
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder of the repository").flatten() {
        let path = entry.path();
        if path.is_dir() && !path.ends_with("tests") && !path.ends_with("examples") {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}
