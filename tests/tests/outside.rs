//! A client that shares nothing with this project: Python, which learns by reflection what can be asked.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where it stands")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use spean::demonstration::agencies::{KIEN_SVAY, RATANAK_KIRI, SHELTER};
use spean_identity::Role;
use spean_tests::{Network, network};
use tokio::io::AsyncWriteExt as _;

const ROLES: [Role; 4] = [Role::Caseworker, Role::Supervisor, Role::IntakeOfficer, Role::ShelterManager];

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_to_this_project_hands_two_girls_over_by_reflection_alone() {
    let network = network().await;
    let setting = json!({
        "sender": desk(&network, RATANAK_KIRI),
        "shelter": desk(&network, SHELTER),
        "home": desk(&network, KIEN_SVAY),
    });
    let told = play("play_t1.py", &setting).await;
    for service in ["cases", "directory", "followup", "referral", "repatriation", "shelter"] {
        let capital = format!("{}{}", service[..1].to_uppercase(), &service[1..]);
        let name = format!("spean.{service}.v1.{capital}Service");
        assert!(told["services"].as_array().unwrap().contains(&json!(name)), "{name} is not in {told}");
    }
    assert_eq!(told["serving"], KIEN_SVAY);
    assert_eq!(told["holders"], json!({ RATANAK_KIRI: 0, SHELTER: 1, KIEN_SVAY: 1 }));
    assert_eq!(told["residents"], json!([true]));
    assert_eq!(told["chain"], json!([RATANAK_KIRI, KIEN_SVAY]));
    assert_eq!(told["visits"], 12);
}

fn desk(network: &Network, office: &str) -> Value {
    let node = network.node_of(office);
    json!({
        "address": network.address(&node).unwrap(),
        "office": office,
        "token": network.token("out-01", office, &ROLES).unwrap(),
    })
}

/// Runs a script and reads what it prints: one line of JSON.
async fn play(script: &str, setting: &Value) -> Value {
    let script = outside().join(script);
    let mut command = tokio::process::Command::new(python());
    command
        .arg("-B")
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(setting.to_string().as_bytes()).await.unwrap();
    drop(input);
    let output = child.wait_with_output().await.unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {complaint}", output.status);
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A Python with the packages of `tests/outside/requirements.txt`: what `SPEAN_PYTHON` names, else one that is made now.
fn python() -> PathBuf {
    if let Some(python) = std::env::var_os("SPEAN_PYTHON") {
        return python.into();
    }
    let prepared = Command::new(outside().join("prepare")).output().unwrap();
    assert!(prepared.status.success(), "{}", String::from_utf8_lossy(&prepared.stderr));
    let told = String::from_utf8(prepared.stdout).unwrap();
    let python = told.lines().find_map(|line| line.strip_prefix("SPEAN_PYTHON=")).expect("prepare names it");
    python.into()
}

fn outside() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("outside")
}
