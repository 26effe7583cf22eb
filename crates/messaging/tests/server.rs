//! The server as a process: found, refused when too old, and never left behind.

#![expect(clippy::unwrap_used, reason = "a test that cannot start a process has failed")]

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use spean_messaging::server::{BinaryError, NatsBinary, NatsServer, OLDEST_VERSION, ServerError, Version};
use spean_testkit::{a_folder, eventually, free_port};

fn is_running(process_id: u32) -> bool {
    let mut ask = Command::new("sh");
    ask.args(["-c", r#"kill -0 "$1" 2>/dev/null"#, "sh", &process_id.to_string()]).status().unwrap().success()
}

async fn start(monitor_port: u16) -> (NatsServer, spean_testkit::TempDir) {
    let (binary, folder) = (NatsBinary::find_or_fetch().await.unwrap(), a_folder());
    let configuration = format!("listen: \"127.0.0.1:{}\"\nhttp: \"127.0.0.1:{monitor_port}\"\n", free_port());
    (NatsServer::start(&binary, folder.path(), &configuration, monitor_port).await.unwrap(), folder)
}

#[tokio::test]
async fn a_server_that_is_found_or_fetched_is_new_enough() {
    let binary = NatsBinary::find_or_fetch().await.unwrap();
    assert!(binary.version() >= OLDEST_VERSION);
    assert!(binary.path().is_file());
}

#[tokio::test]
async fn a_server_that_is_too_old_is_refused_and_passed_over_on_the_path() {
    let folder = a_folder();
    let old = folder.path().join("nats-server");
    std::fs::write(&old, "#!/bin/sh\necho 'nats-server: v2.9.10'\n").unwrap();
    std::fs::set_permissions(&old, std::fs::Permissions::from_mode(0o755)).unwrap();

    let refusal = NatsBinary::at(&old).await.unwrap_err();
    assert!(matches!(refusal, BinaryError::TooOld { version: Version(2, 9, 10), .. }));
    assert_eq!(NatsBinary::on_path(Some(folder.path().as_os_str())).await, None);
}

#[tokio::test]
async fn a_stopped_killed_or_dropped_server_is_gone() {
    let (mut server, _folder) = start(free_port()).await;
    let first = server.process_id().unwrap();
    server.stop().await.unwrap();
    assert!(!is_running(first));
    assert_eq!(server.process_id(), None);

    server.restart().await.unwrap();
    let second = server.process_id().unwrap();
    server.kill().await.unwrap();
    assert!(!is_running(second));

    server.restart().await.unwrap();
    let third = server.process_id().unwrap();
    assert!(is_running(third));
    drop(server);
    assert!(!is_running(third));
}

#[tokio::test]
async fn a_server_on_a_port_in_use_is_an_error_though_another_answers_there() {
    let port = free_port();
    let (other, _other_folder) = start(port).await;
    let (binary, folder) = (NatsBinary::find_or_fetch().await.unwrap(), a_folder());
    let configuration = std::fs::read_to_string(other.log().with_file_name("nats.conf")).unwrap();

    let started = NatsServer::start(&binary, folder.path(), &configuration, port).await;

    assert!(matches!(started, Err(ServerError::Ended { .. })), "{started:?}");
}

#[tokio::test]
async fn a_mistake_in_the_configuration_is_said_in_the_error() {
    let (binary, folder) = (NatsBinary::find_or_fetch().await.unwrap(), a_folder());
    let error = NatsServer::start(&binary, folder.path(), "no_such_setting: 1\n", free_port()).await.unwrap_err();
    assert!(error.to_string().contains("no_such_setting"), "{error}");
}

/// Runs this very test again in a process of its own, which says the server's id and then waits to be killed.
#[tokio::test]
async fn a_server_ends_with_the_program_that_started_it() {
    if std::env::var_os("SPEAN_TEST_HOLDS_A_SERVER").is_some() {
        let (server, _folder) = start(free_port()).await;
        println!("\nserver {}", server.process_id().unwrap());
        std::future::pending::<()>().await;
    }
    // It has no time to remove its own folders.
    let folder = a_folder();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .env("TMPDIR", folder.path())
        .args(["--exact", "a_server_ends_with_the_program_that_started_it", "--nocapture"])
        .env("SPEAN_TEST_HOLDS_A_SERVER", "1")
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
