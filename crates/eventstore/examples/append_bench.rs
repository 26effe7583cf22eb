//! Compares group commit with a commit per command, in one run: `append_bench [postgres://…]`.
//!
//! Without an argument on `SQLite` in a temporary folder; with one also on that server, in the schema `append_bench`.
//! The first column is the number of callers at once, then commands per second; compare within a run only.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use spean_eventsourcing::{Aggregate, Context};
use spean_eventstore::{Digest, EventStore, Expected, Metadata, Options};
use spean_vocabulary::{CommandId, Timestamp};
use tokio::sync::Mutex;

/// How long each measurement takes.
const SPAN: Duration = Duration::from_secs(3);

#[derive(Clone, Default)]
struct Ticket(u64);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
enum Event {
    Stamped { note: String },
}

impl Aggregate for Ticket {
    const CATEGORY: &'static str = "ticket";
    type Command = ();
    type Event = Event;
    type Error = ();
    type Context = Context;

    fn decide(&self, (): (), _context: &Context) -> Result<Vec<Event>, ()> {
        Ok(vec![Event::Stamped { note: "x".repeat(250) }])
    }

    fn evolve(self, _event: &Event) -> Self {
        Self(self.0 + 1)
    }
}

fn context() -> Context {
    Context { office: "poipet-transit".parse().expect("sound"), staff: None, now: Timestamp::from_micros(1) }
}

/// Commands per second of so many callers, each sending the next when the last was answered; with `alone`, never two
/// at once, so that each is committed by itself.
async fn measure(store: &EventStore, callers: u128, run: u128, alone: bool) -> u128 {
    let turn = std::sync::Arc::new(Mutex::new(()));
    let mut tasks = tokio::task::JoinSet::new();
    for caller in 0..callers {
        let (store, turn) = (store.clone(), turn.clone());
        tasks.spawn(async move {
            let mut number = 0;
            let calls = async {
                loop {
                    number += 1;
                    let unique = (run << 100) | (caller << 64) | number;
                    let command = CommandId::from_uuid(uuid::Uuid::from_u128(unique));
                    let metadata = Metadata::of(&context()).with_command(command, Digest::of(b"stamp"));
                    let held = if alone { Some(turn.lock().await) } else { None };
                    let id = format!("{run}-{caller}-{}", number / 20);
                    store.handle::<Ticket>(id, (), context(), metadata).await.expect("handled");
                    drop(held);
                }
            };
            let _: Result<(), _> = tokio::time::timeout(SPAN, calls).await;
            number
        });
    }
    let mut total = 0;
    while let Some(number) = tasks.join_next().await {
        total += number.expect("no panic");
    }
    total / u128::from(SPAN.as_secs())
}

/// Microseconds to load and fold a stream of 1,000 events.
async fn measure_load(store: &EventStore, run: u128) -> u128 {
    const TIMES: u32 = 20;
    let id = format!("long-{run}");
    let stream = id.clone();
    let event = serde_json::to_value(Event::Stamped { note: "x".repeat(250) }).expect("JSON");
    let appended = store.transact(move |transaction| {
        Box::pin(async move {
            let events = vec![event; 1_000];
            transaction.append("ticket", &stream, Expected::Version(0), events, &Metadata::of(&context())).await
        })
    });
    appended.await.expect("appended");
    let began = tokio::time::Instant::now();
    for _ in 0..TIMES {
        store.load::<Ticket>(&id).await.expect("loaded");
    }
    (began.elapsed() / TIMES).as_micros()
}

#[tokio::main]
async fn main() {
    let folder = tempfile::tempdir().expect("a place for the file");
    let mut urls = vec![format!("sqlite://{}", folder.path().join("bench.sqlite").display())];
    urls.extend(std::env::args().nth(1));
    for url in urls {
        let name = url.split(':').next().unwrap_or_default().to_owned();
        let store = EventStore::open(Options::new(url, "append_bench", "bench")).await.expect("opened");
        println!("{name}: callers, one commit each, group commit, ratio");
        // The store may be of an earlier run; its commands must not be taken for ours.
        let mut run = u128::try_from(*store.head().borrow()).expect("positive");
        for callers in [1, 8, 32, 128] {
            run += 1;
            let alone = measure(&store, callers, run, true).await;
            run += 1;
            let grouped = measure(&store, callers, run, false).await;
            let ratio = grouped * 100 / alone.max(1);
            println!("{callers:>4} {alone:>8} {grouped:>8} {:>5}.{:02}x", ratio / 100, ratio % 100);
        }
        println!("a stream of 1,000 events is loaded in {} us", measure_load(&store, run).await);
        store.close().await;
    }
}
