//! Who writes when writers, connections and servers die.

mod support;

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use spean_eventstore::{EventStore, HandleError, Options, Role, StoreError};
use sqlx::{Executor as _, Row as _};
use support::{
    Command, DEADLINE, Database, Tally, TooMuch, becomes, command, context, eventually, gapless_length, metadata,
};

async fn add(store: &EventStore, id: &str) -> Result<(), HandleError<TooMuch>> {
    store.handle::<Tally>(id, Command::Add(1), context(), metadata()).await.map(drop)
}

/// The child of the tests below: appends until it is killed, and tells what was acknowledged.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a child process of other tests"]
async fn child_that_appends_until_it_is_killed() {
    let Ok(url) = std::env::var("SPEAN_TEST_LOG") else { return };
    let store = EventStore::open(Options::new(url, "tally", "child")).await.expect("opened");
    becomes(&store, Role::Writer).await;
    let mut tasks = tokio::task::JoinSet::new();
    for writer in 0..8_u128 {
        let store = store.clone();
        tasks.spawn(async move {
            for number in 0..100_000 {
                let (id, command_id) = (format!("w{writer}"), writer * 1_000_000 + number + 1);
                let handled = store.handle::<Tally>(id, Command::Add(1), context(), command(command_id, "add")).await;
                let position = handled.expect("carried out").events[0].position;
                println!("acknowledged {position} {command_id}");
            }
        });
    }
    while tasks.join_next().await.is_some() {}
}

/// Starts the child and hands on what it says was acknowledged: position and command.
fn start_child(url: &str) -> (Child, Receiver<(i64, u128)>) {
    let mut child = std::process::Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "child_that_appends_until_it_is_killed", "--ignored", "--nocapture"])
        .env("SPEAN_TEST_LOG", url)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("a child");
    let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let (send, receive) = channel();
    std::thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            // The first line may follow the name of the test.
            let Some((_, numbers)) = line.split_once("acknowledged ") else { continue };
            let (position, command) = numbers.split_once(' ').expect("two numbers");
            let acknowledged = (position.parse().expect("a number"), command.parse().expect("a number"));
            if send.send(acknowledged).is_err() {
                return;
            }
        }
    });
    (child, receive)
}

async fn a_killed_writer_loses_nothing_acknowledged(database: Database) {
    let (mut child, acknowledgements) = start_child(&database.url);
    let first = acknowledgements.recv_timeout(DEADLINE).expect("the child appends");
    let standby = database.open().await;
    assert_eq!(*standby.role().borrow(), Role::Standby, "the child is the writer");
    let refused = add(&standby, "a").await;
    assert!(matches!(refused, Err(HandleError::Store(StoreError::NotTheWriter))), "{refused:?}");

    let mut acknowledged = vec![first];
    while acknowledged.len() < 300 {
        acknowledged.push(acknowledgements.recv_timeout(DEADLINE).expect("the child goes on"));
    }
    child.kill().expect("it ran");
    child.wait().expect("it was a child");
    acknowledged.extend(acknowledgements.iter());

    becomes(&standby, Role::Writer).await;
    let events = standby.events_after(0, i64::MAX).await.expect("read");
    for (position, command_id) in acknowledged {
        let index = usize::try_from(position - 1).expect("small");
        let event = events.get(index).expect("what was acknowledged is there");
        assert_eq!(event.metadata.command_id, command(command_id, "add").command_id);
    }
    add(&standby, "a").await.expect("it writes now");
    let verified = standby.verify().await.expect("the chain goes on");
    assert_eq!(verified.events, gapless_length(&standby).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_writer_of_sqlite_loses_nothing_acknowledged() {
    a_killed_writer_loses_nothing_acknowledged(Database::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_writer_of_postgres_loses_nothing_acknowledged() {
    a_killed_writer_loses_nothing_acknowledged(Database::postgres().await).await;
}

const END_WRITERS: &str = "select pg_terminate_backend(pid)::text from pg_locks where locktype = 'advisory' and granted \
                           and database = (select oid from pg_database where datname = current_database())";

#[tokio::test(flavor = "multi_thread")]
async fn the_standby_takes_over_when_the_session_of_the_writer_ends() {
    let database = Database::postgres().await;
    let first = database.open().await;
    let second = database.open().await;
    add(&first, "a").await.expect("it is the writer");
    // The first may win again, being as quick as the second; so end its session until it does not.
    eventually("the second was elected", || async {
        if *second.role().borrow() == Role::Standby {
            database.meddle(END_WRITERS).await;
        }
        let elected = tokio::time::timeout(Duration::from_secs(2), add(&second, "b"));
        elected.await.is_ok_and(|appended| appended.is_ok())
    })
    .await;
    becomes(&first, Role::Standby).await;
    let refused = add(&first, "a").await;
    assert!(
        matches!(refused, Err(HandleError::Store(StoreError::NotTheWriter | StoreError::Unavailable))),
        "{refused:?}"
    );
    add(&second, "a").await.expect("it is the writer now");
    assert_eq!(second.verify().await.expect("sound").events, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_whose_session_ends_in_the_middle_answers_that_the_outcome_is_unknown() {
    let database = Database::postgres().await;
    let store = database.open().await;
    add(&store, "a").await.expect("it is the writer");
    database.meddle(END_WRITERS).await;
    let unknown = add(&store, "a").await;
    assert!(matches!(unknown, Err(HandleError::Store(StoreError::Unavailable))), "{unknown:?}");
    eventually("it writes again", || async { add(&store, "a").await.is_ok() }).await;
    let length = gapless_length(&store).await;
    assert_eq!(store.verify().await.expect("sound").events, length);
}

/// As when the lock of a frozen writer was taken from it, and it wakes up and goes on. The writer still believes
/// that it is one; only the fence tells.
async fn a_fenced_writer_cannot_append(database: Database) {
    let store = database.open().await;
    add(&store, "a").await.expect("it is the writer");
    database.meddle("update writer_fence set fence = fence + 1").await;
    let fenced = add(&store, "b").await;
    assert!(matches!(fenced, Err(HandleError::Store(StoreError::NotTheWriter))), "{fenced:?}");
    assert_eq!(gapless_length(&store).await, 1);
    // Nobody else holds the lock here, so it is elected again, with a new fence.
    eventually("it is elected again", || async { add(&store, "c").await.is_ok() }).await;
    assert_eq!(store.load::<Tally>("b").await.expect("loaded").version, 0);
    store.verify().await.expect("sound");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fenced_writer_of_sqlite_cannot_append() {
    a_fenced_writer_cannot_append(Database::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fenced_writer_of_postgres_cannot_append() {
    a_fenced_writer_cannot_append(Database::postgres().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_server_makes_the_store_unavailable_until_it_is_back() {
    let mut server = support::postgres::Server::start("stopped");
    let url = server.create_database().await;
    let store = EventStore::open(Options::new(url, "tally", "test")).await.expect("opened");
    add(&store, "a").await.expect("it is the writer");
    server.stop();
    for _ in 0..3 {
        let away = add(&store, "a").await;
        assert!(matches!(away, Err(HandleError::Store(StoreError::Unavailable))), "{away:?}");
    }
    server.resume();
    eventually("it writes again", || async { add(&store, "b").await.is_ok() }).await;
    assert_eq!(store.load::<Tally>("a").await.expect("loaded").version, 1);
    assert_eq!(store.verify().await.expect("sound").events, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_after_an_unknown_outcome_is_carried_out_once() {
    let database = Database::postgres().await;
    let store = database.open().await;
    for number in 1..=20 {
        if number % 4 == 0 {
            database.meddle(END_WRITERS).await;
        }
        eventually("the command is carried out", || async {
            store.handle::<Tally>("a", Command::Add(1), context(), command(number, "add")).await.is_ok()
        })
        .await;
    }
    assert_eq!(store.load::<Tally>("a").await.expect("loaded").state, Tally(20));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_may_lose_commits_is_refused() {
    let database = Database::postgres().await;
    database.open().await.close().await;
    let mut meddler = database.meddler().await;
    let row = meddler.fetch_one("select current_database()::text").await.expect("its name");
    let name: String = row.try_get(0).expect("text");
    let statement = format!("alter database {name} set synchronous_commit = off");
    meddler.execute(sqlx::AssertSqlSafe(statement)).await.expect("altered");
    let refused = EventStore::open(database.options()).await;
    let setting = "synchronous_commit";
    assert!(matches!(&refused, Err(StoreError::UnsafeDurability { setting: s, .. }) if *s == setting), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_services_share_a_server_without_hindering_each_other() {
    let database = Database::postgres().await;
    let tally = database.open().await;
    let other = EventStore::open(Options { service: "other".to_owned(), ..database.options() }).await.expect("opened");
    assert_eq!(*other.role().borrow(), Role::Writer);
    add(&tally, "a").await.expect("written");
    assert_eq!((gapless_length(&tally).await, gapless_length(&other).await), (1, 0));
}
