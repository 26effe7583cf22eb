//! The database server that other tests stand on.

#![expect(clippy::unwrap_used, reason = "a test that cannot start a process has failed")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use spean_testkit::{Postgres, eventually};
use sqlx::{Connection, PgConnection};

fn is_running(process_id: u32) -> bool {
    Command::new("sh")
        .args(["-c", r#"kill -0 "$1" 2>/dev/null"#, "sh", &process_id.to_string()])
        .status()
        .unwrap()
        .success()
}

#[tokio::test]
async fn every_test_gets_a_database_of_its_own() {
    let server = Postgres::shared();
    let (first, second) = (server.database(), server.database());
    let mut first = PgConnection::connect(&first).await.unwrap();
    let mut second = PgConnection::connect(&second).await.unwrap();
    sqlx::query("create table only_here (x bigint)").execute(&mut first).await.unwrap();
    assert!(sqlx::query("select x from only_here").execute(&mut first).await.is_ok());
    assert!(sqlx::query("select x from only_here").execute(&mut second).await.is_err());
}

#[tokio::test]
async fn a_dropped_server_is_gone() {
    let server = Postgres::start();
    let process_id = server.process_id();
    assert!(is_running(process_id));
    drop(server);
    assert!(!is_running(process_id));
}

/// Runs this very test again in a process of its own, which says the server's id and then waits to be killed.
#[tokio::test]
async fn the_server_ends_with_a_killed_test_process() {
    if std::env::var_os("SPEAN_TEST_HOLDS_A_SERVER").is_some() {
        println!("\nserver {}", Postgres::shared().process_id());
        std::future::pending::<()>().await;
    }
    let program: &Path = &std::env::current_exe().unwrap();
    let mut child = Command::new(program)
        .args(["--exact", "the_server_ends_with_a_killed_test_process", "--nocapture"])
        .env("SPEAN_TEST_HOLDS_A_SERVER", "1")
        .env_remove("SPEAN_TEST_RUN")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let said = lines.find_map(|line| line.unwrap().strip_prefix("server ").map(str::to_owned)).unwrap();
    let server = said.parse().unwrap();
    assert!(is_running(server));
    child.kill().unwrap();
    child.wait().unwrap();
    eventually(Duration::from_secs(20), "the server's end", async || !is_running(server)).await;
}

/// Runs this very test again in processes of their own, which say where they found a server.
#[tokio::test]
async fn tests_that_run_together_share_a_server_that_ends_with_the_run() {
    if std::env::var_os("SPEAN_TEST_TELLS_ITS_DATABASE").is_some() {
        let server = Postgres::shared();
        println!("\nserver {} {}", server.process_id(), server.database());
        return;
    }
    let mut run = Command::new("sleep").arg("600").spawn().unwrap();
    // An earlier run of the same number left its word behind, and its server is gone.
    let left_behind = std::env::temp_dir().join(format!("spean-postgres-run-{}", run.id()));
    std::fs::write(&left_behind, "1 1").unwrap();
    let told = || {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "tests_that_run_together_share_a_server_that_ends_with_the_run", "--nocapture"])
            .env("SPEAN_TEST_TELLS_ITS_DATABASE", "1")
            .env("SPEAN_TEST_RUN", run.id().to_string())
            .output()
            .unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let told = said.lines().find_map(|line| line.strip_prefix("server ")).unwrap().to_owned();
        let (server, database) = told.split_once(' ').unwrap();
        (server.parse::<u32>().unwrap(), database.to_owned())
    };
    let [first, second] =
        std::thread::scope(|scope| [scope.spawn(told), scope.spawn(told)].map(|handle| handle.join().unwrap()));
    assert_eq!(first.0, second.0, "one server");
    assert_ne!(first.1, second.1, "a database for each");
    for url in [&first.1, &second.1] {
        assert!(PgConnection::connect(url).await.is_ok(), "the server goes on without whoever started it");
    }
    run.kill().unwrap();
    run.wait().unwrap();
    eventually(Duration::from_secs(20), "the server's end", async || !is_running(first.0)).await;
    eventually(Duration::from_secs(20), "the end of its traces", async || !left_behind.exists()).await;
}
