//! What the store promises, on both databases.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use futures::stream::FuturesUnordered;
use futures::{FutureExt as _, StreamExt as _};
use serde_json::json;
use spean_eventstore::{
    AppendError, BoxFuture, EventStore, Expected, HandleError, Options, Publisher, ReadModel, Recorded, Role,
    StoreError, Tables, TransactError, Transaction, VerifyError,
};
use sqlx::{AnyConnection, Connection as _, Executor as _};
use support::{Command, Database, MOST, Tally, TooMuch, command, context, count, gapless_length, metadata};
use tokio::sync::oneshot;

macro_rules! on_both_databases {
    ($($name:ident),* $(,)?) => {
        mod sqlite { $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name(super::Database::sqlite()).await;
            }
        )* }
        mod postgres { $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name(super::Database::postgres().await).await;
            }
        )* }
    };
}

on_both_databases! {
    what_was_appended_is_read_back_as_it_was,
    an_append_to_a_stream_that_moved_on_is_refused,
    a_refused_command_leaves_nothing,
    a_command_sent_twice_changes_nothing_the_second_time,
    a_command_id_used_for_another_request_is_refused,
    two_decisions_in_one_job_share_a_command_id,
    a_failing_job_undoes_only_itself,
    a_panicking_job_does_not_stop_the_writer,
    a_swallowed_error_never_turns_into_a_false_answer,
    callers_are_turned_away_when_too_much_waits,
    readers_never_skip_under_sixteen_writers,
    a_changed_event_is_noticed,
    a_missing_event_is_noticed,
    a_read_model_of_a_new_version_is_rebuilt_at_the_next_start,
    a_rebuilt_read_model_equals_the_one_written_inline,
    the_publisher_hears_of_each_event_once_and_not_of_undone_ones,
    the_steps_of_durable_tables_run_once,
    tables_of_a_newer_program_are_refused,
    a_follower_finds_its_place_again,
    queries_cannot_write,
    closing_finishes_what_waits_and_the_standby_takes_over,
    a_standby_hears_what_the_writer_commits,
}

async fn add(store: &EventStore, id: &str, amount: i64) {
    store.handle::<Tally>(id, Command::Add(amount), context(), metadata()).await.expect("it is carried out");
}

async fn what_was_appended_is_read_back_as_it_was(database: Database) {
    let store = database.open().await;
    let metadata = spean_eventstore::Metadata {
        occurred_on: Some("2026-11-20".parse().expect("a day")),
        trace: Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned()),
        ..command(1, "add 3")
    };
    let handled = store.handle::<Tally>("a", Command::Add(3), context(), metadata.clone()).await.expect("handled");
    assert_eq!((handled.version, handled.replayed), (1, false));
    let events = store.events_after(0, 10).await.expect("read");
    assert_eq!(events, handled.events);
    assert_eq!(events[0].metadata, metadata);
    assert_eq!(events[0].payload, r#"{"amount":3,"type":"added"}"#);
    assert_eq!(events[0].event_type, "added");
    let event = events[0].event::<Tally>().expect("a tally").expect("readable");
    assert_eq!(event, support::Event::Added { amount: 3 });
    assert_eq!(store.load::<Tally>("a").await.expect("loaded").state, Tally(3));
    assert_eq!(*store.head().borrow(), 1);
    let verified = store.verify().await.expect("sound");
    assert_eq!((verified.events, verified.head_hash), (1, events[0].hash));
}

async fn an_append_to_a_stream_that_moved_on_is_refused(database: Database) {
    let store = database.open().await;
    add(&store, "a", 1).await;
    add(&store, "a", 1).await;
    let append = |expected| {
        store.transact(move |transaction| {
            Box::pin(async move {
                let event = json!({"type": "added", "amount": 1});
                transaction.append("tally", "a", expected, vec![event], &metadata()).await
            })
        })
    };
    let conflict = append(Expected::Version(1)).await.expect_err("it moved on");
    assert!(
        matches!(conflict, TransactError::Work(AppendError::VersionConflict { expected: 1, actual: 2 })),
        "{conflict:?}"
    );
    assert_eq!(gapless_length(&store).await, 2);
    assert_eq!(append(Expected::Version(2)).await.expect("it is there")[0].version, 3);
    assert_eq!(append(Expected::Any).await.expect("wherever it is")[0].version, 4);
}

async fn a_refused_command_leaves_nothing(database: Database) {
    let store = database.open().await;
    let refused = store.handle::<Tally>("a", Command::Add(MOST + 1), context(), command(1, "x")).await;
    assert!(matches!(refused, Err(HandleError::Refused(TooMuch))), "{refused:?}");
    assert_eq!(gapless_length(&store).await, 0);
}

async fn a_command_sent_twice_changes_nothing_the_second_time(database: Database) {
    let store = database.open().await;
    let send = || store.handle::<Tally>("a", Command::Add(3), context(), command(1, "add 3"));
    let first = send().await.expect("handled");
    add(&store, "a", 1).await;
    let again = send().await.expect("handled");
    assert!(again.replayed);
    assert_eq!(again.events, first.events);
    assert_eq!(store.load::<Tally>("a").await.expect("loaded").state, Tally(4));
}

async fn a_command_id_used_for_another_request_is_refused(database: Database) {
    let store = database.open().await;
    store.handle::<Tally>("a", Command::Add(3), context(), command(1, "add 3")).await.expect("handled");
    for (id, request) in [("a", "add 4"), ("b", "add 3")] {
        let reused = store.handle::<Tally>(id, Command::Add(4), context(), command(1, request)).await;
        assert!(matches!(reused, Err(HandleError::CommandIdReused)), "{reused:?}");
    }
    assert_eq!(gapless_length(&store).await, 1);
}

async fn two_decisions_in_one_job_share_a_command_id(database: Database) {
    let store = database.open().await;
    for _ in 0..2 {
        let job = store.transact(|transaction| {
            Box::pin(async move {
                for id in ["a", "b", "a"] {
                    let metadata = command(1, "two tallies");
                    transaction.decide::<Tally>(id, Command::Add(1), &context(), &metadata).await?;
                }
                Ok::<_, HandleError<TooMuch>>(())
            })
        });
        job.await.expect("done, and done before");
    }
    assert_eq!(gapless_length(&store).await, 3);
    assert_eq!(store.load::<Tally>("a").await.expect("loaded").state, Tally(2));
}

/// Holds the writer until told to go on, so that what is sent meanwhile shares a transaction.
async fn hold_the_writer(store: &EventStore) -> (oneshot::Sender<()>, tokio::task::JoinHandle<()>) {
    let (go_on, wait) = oneshot::channel::<()>();
    let (started, holding) = oneshot::channel::<()>();
    let store = store.clone();
    let job = tokio::spawn(async move {
        let held = store.transact(move |transaction| {
            Box::pin(async move {
                let event = json!({"type": "added", "amount": 1});
                transaction.append("tally", "hold", Expected::Any, vec![event], &metadata()).await?;
                started.send(()).expect("the test waits");
                wait.await.expect("the test goes on");
                Ok::<_, AppendError>(())
            })
        });
        held.await.expect("it stands");
    });
    holding.await.expect("it runs");
    (go_on, job)
}

async fn a_failing_job_undoes_only_itself(database: Database) {
    let options = Options { read_models: vec![Arc::new(Sums { version: 1, factor: 1 })], ..database.options() };
    let store = EventStore::open(options).await.expect("opened");
    let (go_on, held) = hold_the_writer(&store).await;
    let mut jobs = Vec::new();
    for number in 0..60 {
        let job = {
            let store = store.clone();
            async move {
                store
                    .transact(move |transaction| {
                        Box::pin(async move {
                            let event = json!({"type": "added", "amount": 1});
                            let id = format!("t{}", number % 3);
                            transaction.append("tally", &id, Expected::Any, vec![event], &metadata()).await?;
                            transaction.save_position(&format!("job {number}"), number).await?;
                            if number % 3 == 1 { Err(StoreError::UnknownReadModel.into()) } else { Ok(()) }
                        })
                    })
                    .await
                    .map_err(|error: TransactError<AppendError>| error)
            }
        };
        jobs.push(tokio::spawn(job));
    }
    go_on.send(()).expect("it waits");
    held.await.expect("it ends");
    for (number, job) in jobs.into_iter().enumerate() {
        let result = job.await.expect("no panic");
        assert_eq!(result.is_err(), number % 3 == 1, "{number}: {result:?}");
    }
    assert_eq!(gapless_length(&store).await, 41);
    assert_eq!(store.load::<Tally>("t1").await.expect("loaded").version, 0);
    assert_eq!(count(&store, "select count(*) from reader_position").await, 40);
    assert_eq!(count(&store, "select cast(sum(total) as bigint) from tally_sum").await, 41);
    store.verify().await.expect("the chain has no break");
}

async fn a_panicking_job_does_not_stop_the_writer(database: Database) {
    let store = database.open().await;
    let (go_on, held) = hold_the_writer(&store).await;
    let panicking = {
        let store = store.clone();
        tokio::spawn(async move {
            let job = store.transact::<(), AppendError, _>(|transaction| {
                Box::pin(async move {
                    let event = json!({"type": "added", "amount": 1});
                    transaction.append("tally", "a", Expected::Any, vec![event], &metadata()).await?;
                    panic!("a bug, provoked by a test");
                })
            });
            job.await
        })
    };
    go_on.send(()).expect("it waits");
    held.await.expect("what shared its transaction stands");
    let result = panicking.await.expect("the panic stays in the writer");
    assert!(matches!(result, Err(TransactError::Store(StoreError::Panicked))), "{result:?}");
    add(&store, "a", 1).await;
    assert_eq!(gapless_length(&store).await, 2);
}

async fn a_swallowed_error_never_turns_into_a_false_answer(database: Database) {
    let store = database.open().await;
    let (go_on, held) = hold_the_writer(&store).await;
    let swallowing = {
        let store = store.clone();
        tokio::spawn(async move {
            let job = store.transact::<(), StoreError, _>(|transaction| {
                Box::pin(async move {
                    transaction.save_position("swallower", 1).await?;
                    let failed = transaction.connection().execute("select no_such_column from event").await;
                    assert!(failed.is_err());
                    Ok(())
                })
            });
            job.await
        })
    };
    go_on.send(()).expect("it waits");
    held.await.expect("what shared its transaction stands");
    let answered = swallowing.await.expect("no panic").is_ok();
    let stored = store.saved_position("swallower").await.expect("read") == 1;
    assert_eq!(answered, stored);
    assert_eq!(answered, !database.is_postgres(), "PostgreSQL gives up a transaction at its first error");
    assert_eq!(gapless_length(&store).await, 1);
}

async fn callers_are_turned_away_when_too_much_waits(database: Database) {
    let store = database.open().await;
    let (go_on, held) = hold_the_writer(&store).await;
    let mut jobs = FuturesUnordered::new();
    for number in 0..2_200 {
        let store = store.clone();
        let id = format!("t{number}");
        jobs.push(async move { store.handle::<Tally>(id, Command::Add(1), context(), metadata()).await });
    }
    // While the writer is held, only a refusal can be the first answer.
    let refused = jobs.next().await.expect("the first answer");
    assert!(matches!(refused, Err(HandleError::Store(StoreError::Overloaded))), "{refused:?}");
    go_on.send(()).expect("it waits");
    held.await.expect("it ends");
    let results: Vec<_> = jobs.collect().await;
    let done = results.iter().filter(|result| result.is_ok()).count();
    let refused = |result: &&Result<_, _>| matches!(result, Err(HandleError::Store(StoreError::Overloaded)));
    assert_eq!(done + results.iter().filter(refused).count() + 1, 2_200);
    assert_eq!(gapless_length(&store).await, i64::try_from(done).expect("few") + 1);
}

async fn readers_never_skip_under_sixteen_writers(database: Database) {
    const WRITERS: i64 = 16;
    const EACH: i64 = 60;
    let store = database.open().await;
    let mut tasks = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let store = store.clone();
        tasks.spawn(async move {
            for _ in 0..EACH {
                add(&store, &format!("t{writer}"), 1).await;
            }
        });
    }
    for _ in 0..3 {
        let store = store.clone();
        tasks.spawn(async move {
            let mut last = 0;
            while last < WRITERS * EACH {
                for event in store.events_after(last, 7).await.expect("read") {
                    assert_eq!(event.position, last + 1, "the reader skipped");
                    last = event.position;
                }
            }
        });
    }
    let all = async { while tasks.join_next().await.transpose().expect("no panic").is_some() {} };
    tokio::time::timeout(support::DEADLINE, all).await.expect("in time");
    assert_eq!(store.verify().await.expect("sound").events, WRITERS * EACH);
}

async fn a_changed_event_is_noticed(database: Database) {
    let store = database.open().await;
    for _ in 0..5 {
        add(&store, "a", 1).await;
    }
    assert_eq!(store.verify().await.expect("sound").events, 5);
    database.meddle(r#"update event set payload = '{"amount":9,"type":"added"}' where position = 3"#).await;
    let broken = store.verify().await;
    assert!(matches!(broken, Err(VerifyError::Broken { position: 3 })), "{broken:?}");
    database.meddle(r#"update event set payload = '{"amount":1,"type":"added"}' where position = 3"#).await;
    store.verify().await.expect("sound again");
    database.meddle("update event set recorded_at = recorded_at - 1 where position = 4").await;
    let broken = store.verify().await;
    assert!(matches!(broken, Err(VerifyError::Broken { position: 4 })), "{broken:?}");
}

async fn a_missing_event_is_noticed(database: Database) {
    let store = database.open().await;
    for _ in 0..5 {
        add(&store, "a", 1).await;
    }
    database.meddle("delete from event where position = 2").await;
    let broken = store.verify().await;
    assert!(matches!(broken, Err(VerifyError::Broken { position: 2 })), "{broken:?}");
    database.meddle("update event set position = position - 1 where position > 2").await;
    let broken = store.verify().await;
    assert!(matches!(broken, Err(VerifyError::Broken { position: 2 })), "{broken:?}");
}

/// The sum of each tally, times a factor that depends on the version.
struct Sums {
    version: i64,
    factor: i64,
}

impl ReadModel for Sums {
    fn name(&self) -> &'static str {
        "sums"
    }

    fn version(&self) -> i64 {
        self.version
    }

    fn ddl(&self) -> &'static [&'static str] {
        &["create table tally_sum (id text primary key, total bigint not null, latest blob not null)"]
    }

    fn tables(&self) -> &'static [&'static str] {
        &["tally_sum"]
    }

    fn apply<'a>(
        &'a self,
        event: &'a Recorded,
        connection: &'a mut AnyConnection,
    ) -> BoxFuture<'a, Result<(), sqlx::Error>> {
        Box::pin(async move {
            let Some(Ok(support::Event::Added { amount })) = event.event::<Tally>() else { return Ok(()) };
            let statement = sqlx::query(
                "insert into tally_sum (id, total, latest) values ($1, $2, $3)
                 on conflict (id) do update set total = tally_sum.total + excluded.total, latest = excluded.latest",
            );
            let statement = statement.bind(&event.id).bind(amount * self.factor);
            statement.bind(event.hash.as_bytes().to_vec()).execute(connection).await.map(drop)
        })
    }
}

async fn sums(store: &EventStore) -> Vec<(String, i64, Vec<u8>)> {
    let query = sqlx::query_as("select id, total, latest from tally_sum order by id");
    query.fetch_all(store.reader()).await.expect("the query runs")
}

async fn a_read_model_of_a_new_version_is_rebuilt_at_the_next_start(database: Database) {
    let with = |version, factor| Options {
        read_models: vec![Arc::new(Sums { version, factor }) as Arc<dyn ReadModel>],
        ..database.options()
    };
    let store = database.open().await;
    for number in 0..1_203 {
        let job = store.handle::<Tally>(format!("t{}", number % 2), Command::Add(1), context(), metadata());
        job.await.expect("handled");
    }
    store.close().await;
    for (version, factor, first, second) in [(1, 1, 602, 601), (1, 5, 602, 601), (2, 10, 6_020, 6_010)] {
        let store = EventStore::open(with(version, factor)).await.expect("opened");
        let totals: Vec<_> = sums(&store).await.into_iter().map(|(_, total, _)| total).collect();
        assert_eq!(totals, [first, second], "version {version}");
        store.close().await;
    }
    let store = EventStore::open(with(2, 10)).await.expect("opened");
    add(&store, "t0", 1).await;
    assert_eq!(sums(&store).await[0].1, 6_030);
    assert_eq!(count(&store, "select position from read_model where name = 'sums'").await, 1_204);
    // While it is not among the options it falls behind, and catches up when it is again.
    store.close().await;
    let store = database.open().await;
    add(&store, "t0", 1).await;
    store.close().await;
    let store = EventStore::open(with(2, 10)).await.expect("opened");
    assert_eq!(sums(&store).await[0].1, 6_040);
}

async fn a_rebuilt_read_model_equals_the_one_written_inline(database: Database) {
    let options = Options { read_models: vec![Arc::new(Sums { version: 1, factor: 1 })], ..database.options() };
    let store = EventStore::open(options).await.expect("opened");
    for number in 0..40 {
        add(&store, &format!("t{}", number % 7), number).await;
    }
    let inline = sums(&store).await;
    assert_eq!(inline.len(), 7);
    database.meddle("update tally_sum set total = 0").await;
    assert_ne!(sums(&store).await, inline);
    store.rebuild("sums").await.expect("rebuilt");
    assert_eq!(sums(&store).await, inline);
    let unknown = store.rebuild("no such").await;
    assert!(matches!(unknown, Err(StoreError::UnknownReadModel)), "{unknown:?}");
    add(&store, "t0", 1).await;
    assert_eq!(sums(&store).await[0].1, inline[0].1 + 1);
}

/// Writes each event into a table and counts how often it was called.
#[derive(Default)]
struct Outbox {
    calls: AtomicI64,
}

const OUTBOX: Tables = Tables {
    name: "outbox",
    steps: &[
        "create table outbox (position bigint primary key, body blob not null)",
        "create table outbox_second (a bigint)",
    ],
};

impl Publisher for Outbox {
    fn publish<'a>(
        &'a self,
        event: &'a Recorded,
        transaction: &'a mut Transaction,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            self.calls.fetch_add(1, Ordering::Relaxed);
            let statement = sqlx::query("insert into outbox (position, body) values ($1, $2)").bind(event.position);
            statement.bind(event.payload.as_bytes().to_vec()).execute(transaction.connection()).await?;
            Ok(())
        })
    }
}

async fn the_publisher_hears_of_each_event_once_and_not_of_undone_ones(database: Database) {
    let outbox = Arc::new(Outbox::default());
    let options = Options {
        tables: vec![OUTBOX],
        read_models: vec![Arc::new(Sums { version: 1, factor: 1 })],
        publisher: Some(Arc::clone(&outbox) as Arc<dyn Publisher>),
        ..database.options()
    };
    let store = EventStore::open(options.clone()).await.expect("opened");
    add(&store, "a", 1).await;
    add(&store, "a", 2).await;
    let failing = store.transact::<(), _, _>(|transaction| {
        Box::pin(async move {
            transaction.decide::<Tally>("a", Command::Add(1), &context(), &metadata()).await?;
            transaction.decide::<Tally>("a", Command::Add(MOST), &context(), &metadata()).await?;
            Ok(())
        })
    });
    let failed = failing.await;
    assert!(matches!(failed, Err(TransactError::Work(HandleError::Refused(TooMuch)))), "{failed:?}");
    assert_eq!(outbox.calls.load(Ordering::Relaxed), 3);
    assert_eq!(count(&store, "select count(*) from outbox").await, 2);
    store.rebuild("sums").await.expect("rebuilt");
    assert_eq!(outbox.calls.load(Ordering::Relaxed), 3);
}

async fn the_steps_of_durable_tables_run_once(database: Database) {
    const FIRST: Tables = Tables { name: "outbox", steps: &[OUTBOX.steps[0]] };
    for tables in [FIRST, OUTBOX, OUTBOX] {
        let store = EventStore::open(Options { tables: vec![tables], ..database.options() }).await.expect("opened");
        store.close().await;
    }
}

async fn tables_of_a_newer_program_are_refused(database: Database) {
    const OLDER: Tables = Tables { name: "outbox", steps: &[OUTBOX.steps[0]] };
    EventStore::open(Options { tables: vec![OUTBOX], ..database.options() }).await.expect("opened").close().await;
    let refused = EventStore::open(Options { tables: vec![OLDER], ..database.options() }).await;
    assert!(matches!(refused, Err(StoreError::NewerTables { .. })), "{refused:?}");
}

async fn a_follower_finds_its_place_again(database: Database) {
    let store = database.open().await;
    assert_eq!(store.saved_position("relay").await.expect("read"), 0);
    for position in [3, 8] {
        let save = store
            .transact(move |transaction| Box::pin(async move { transaction.save_position("relay", position).await }));
        save.await.expect("saved");
        assert_eq!(store.saved_position("relay").await.expect("read"), position);
    }
}

async fn queries_cannot_write(database: Database) {
    let store = database.open().await;
    add(&store, "a", 1).await;
    assert!(store.reader().execute("delete from event").await.is_err());
    assert_eq!(gapless_length(&store).await, 1);
}

async fn closing_finishes_what_waits_and_the_standby_takes_over(database: Database) {
    let first = database.open().await;
    let second = database.open().await;
    assert_eq!(*first.role().borrow(), Role::Writer);
    assert_eq!(*second.role().borrow(), Role::Standby);
    let refused = second.handle::<Tally>("a", Command::Add(1), context(), metadata()).await;
    assert!(matches!(refused, Err(HandleError::Store(StoreError::NotTheWriter))), "{refused:?}");

    let (go_on, held) = hold_the_writer(&first).await;
    let waiting = {
        let first = first.clone();
        tokio::spawn(async move { first.handle::<Tally>("a", Command::Add(1), context(), metadata()).await })
    };
    let closing = tokio::spawn(first.clone().close());
    support::eventually("the store is closed to newcomers", || async {
        // What gets in before the closing waits; it leads to nothing.
        let late = first.handle::<Tally>("late", Command::Reach(0), context(), metadata()).now_or_never();
        matches!(late, Some(Err(HandleError::Store(StoreError::Closed))))
    })
    .await;
    go_on.send(()).expect("it waits");
    held.await.expect("it ends");
    closing.await.expect("closed");
    let waited = waiting.await.expect("no panic");
    // It was sent before or after the closing; when before, it was carried out.
    let expected = i64::from(waited.is_ok());
    support::becomes(&second, Role::Writer).await;
    assert_eq!(gapless_length(&second).await, 1 + expected);
    add(&second, "a", 1).await;
    second.verify().await.expect("the chain goes on");
}

async fn a_standby_hears_what_the_writer_commits(database: Database) {
    let writer = database.open().await;
    let standby = database.open().await;
    add(&writer, "a", 1).await;
    let mut head = standby.head();
    let told = tokio::time::timeout(support::DEADLINE, head.wait_for(|position| *position == 1)).await;
    assert!(told.is_ok(), "the standby never heard");
    assert_eq!(standby.load::<Tally>("a").await.expect("loaded").state, Tally(1));
}

/// Why there is one writer: with positions from a sequence, a reader that goes on from the last position it saw loses
/// whatever was committed out of order.
#[tokio::test]
async fn positions_from_a_sequence_make_readers_skip() {
    let database = Database::postgres().await;
    let store = database.open().await;
    database.meddle("create table naive (position bigserial primary key)").await;
    let (mut slow, mut quick, mut reader) =
        (database.meddler().await, database.meddler().await, database.meddler().await);
    let mut transaction = slow.begin().await.expect("begun");
    transaction.execute("insert into naive default values").await.expect("takes position 1");
    quick.execute("insert into naive default values").await.expect("takes position 2 and commits");
    let after = |last: i64| sqlx::query_scalar::<_, i64>("select position from naive where position > $1").bind(last);
    let seen = after(0).fetch_all(&mut reader).await.expect("read");
    assert_eq!(seen, [2]);
    transaction.commit().await.expect("committed");
    assert!(after(2).fetch_all(&mut reader).await.expect("read").is_empty(), "position 1 was never seen");
    assert_eq!(count(&store, "select count(*) from naive").await, 2);
}
