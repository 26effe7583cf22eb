//! A node dies at each point where it matters, a handoff under way, comes back, and everything settles.
//!
//! The points stand in the program (`fail::fail_point!`), and are nothing in one that is delivered.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use spean::demonstration::agencies::{BANTEAY_MEANCHEY, KANDAL, MINISTRY, RATANAK_KIRI, TRANSIT_CENTRE};
use spean::demonstration::compare;
use spean::demonstration::narrator::Narrator;
use spean_testkit::eventually;
use spean_tests::{Handoff, Network, PATIENCE, copy_folder, hand_over, network, settled, spean_program, status_of};
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _, Row as _};
use tokio::time::sleep;

/// The points that a handoff passes, and at which pass after its start a node dies there. Five at a time, each at another
/// node, so that a handoff from one to the next is broken at both ends.
const OF_A_HANDOFF: [[(&str, u32); 5]; 3] = [
    [
        ("store::after_begin", 40),
        ("store::before_commit", 40),
        ("store::after_commit", 40),
        ("relay::before_publish", 5),
        ("relay::after_publish", 5),
    ],
    [
        ("relay::before_note", 4),
        ("relay::after_note", 4),
        ("inbox::before_apply", 4),
        ("inbox::after_apply", 4),
        ("inbox::after_acknowledgement", 4),
    ],
    [
        ("receipt::before", 4),
        ("receipt::after", 4),
        ("store::after_commit", 61),
        ("inbox::after_apply", 1),
        ("relay::after_publish", 1),
    ],
];

/// The points of a recovery, in their order.
const OF_A_RECOVERY: [&str; 6] = [
    "recovery::settled",
    "recovery::renumbered",
    "recovery::recalled",
    "recovery::applied",
    "recovery::offered_afresh",
    "recovery::committed",
];

/// The points of `spean node restore`, and the pass.
const OF_A_RESTORE: [(&str, u32); 5] = [
    ("restore::announced", 1),
    ("restore::set_aside", 1),
    ("restore::one_put_back", 3),
    ("restore::one_marked", 3),
    ("restore::examined", 1),
];

/// The points at which lists of an earlier version are made anew at the start of a node, and the pass: there are more lists
/// than passes.
const OF_A_MIGRATION: [(&str, u32); 4] = [
    ("migration::before_commit", 1),
    ("migration::after_commit", 1),
    ("migration::before_commit", 2),
    ("migration::after_commit", 2),
];

const NODES: [(&str, &str); 5] = [
    ("kandal", KANDAL),
    ("ratanak-kiri", RATANAK_KIRI),
    ("poipet", TRANSIT_CENTRE),
    ("mosvy", MINISTRY),
    ("banteay-meanchey", BANTEAY_MEANCHEY),
];

/// How long a node may live on after it was told to die at its next work.
const DEAD_WITHIN: Duration = Duration::from_mins(1);
const GLANCE: Duration = Duration::from_millis(50);

#[tokio::test]
async fn a_node_may_die_at_every_point_and_nothing_is_lost_or_doubled() {
    let mut network = network().await;
    let mut handoffs = Vec::new();
    for points in OF_A_HANDOFF {
        handoffs.extend(die_in_a_handoff(&mut network, points).await);
    }
    handoffs.push(die_in_a_recovery(&mut network).await);
    handoffs.push(die_in_a_restore(&mut network).await);
    die_while_lists_are_made_anew(&mut network).await;
    die_while_lists_are_migrated(&mut network).await;
    settled(&network).await;
    let cases: Vec<_> = handoffs.into_iter().map(|handoff| handoff.case).collect();
    let books = compare(&network, &Narrator::silent(), &cases).await;
    books.unwrap_or_else(|error| panic!("the books do not balance: {error:#}"));
}

/// A handoff from each of five nodes to the next, until each has died at its point and has come back.
async fn die_in_a_handoff(network: &mut Network, points: [(&str, u32); 5]) -> Vec<Handoff> {
    for ((node, _), (point, pass)) in NODES.into_iter().zip(points) {
        network.cut_power(node).expect("a node can be killed");
        network.set_environment(node, die_at(point, pass)).expect("there is such a node");
        // Some die while they start: letters wait for them.
        let _ = network.start(node).await;
    }
    let desks = NODES.map(|(_, office)| network.desk(office));
    let handoffs = async {
        let mut handoffs = Vec::new();
        for round in 0..2 {
            let ring = (0..desks.len()).map(|from| hand_over(&desks[from], &desks[(from + 1) % 5], 10 * round + from));
            handoffs.extend(futures::future::join_all(ring).await);
        }
        handoffs
    };
    let deaths = async {
        let mut alive: BTreeMap<&str, &str> =
            NODES.into_iter().map(|(node, _)| node).zip(points.map(|(point, _)| point)).collect();
        let deadline = tokio::time::Instant::now() + DEAD_WITHIN;
        while !alive.is_empty() {
            let dead: BTreeSet<&str> = alive.keys().copied().filter(|node| !lives(network, node)).collect();
            for node in dead {
                alive.remove(node);
                come_back(network, node).await;
            }
            assert!(tokio::time::Instant::now() < deadline, "nobody passed these points: {alive:?}");
            sleep(GLANCE).await;
        }
    };
    let (handoffs, ()) = tokio::join!(handoffs, deaths);
    handoffs
}

/// A node that was put back to before a handoff, and dies at each step of finding out what happened since.
async fn die_in_a_recovery(network: &mut Network) -> Handoff {
    let (sender, receiver) = (network.desk(RATANAK_KIRI), network.desk(KANDAL));
    settled(network).await;
    network.cut_power("kandal").expect("a node can be killed");
    let copy = network.folder().join("copy-of-kandal");
    copy_folder(&network.data("kandal"), &copy);
    network.start("kandal").await.expect("it comes back");
    let handoff = hand_over(&sender, &receiver, 40).await;
    settled(network).await;
    network.cut_power("kandal").expect("a node can be killed");
    copy_folder(&copy, &network.data("kandal"));
    for point in OF_A_RECOVERY {
        network.set_environment("kandal", die_at(point, 1)).expect("there is such a node");
        let _ = network.start("kandal").await;
        eventually(DEAD_WITHIN, &format!("the node to die at {point}"), async || !lives(network, "kandal")).await;
        network.cut_power("kandal").expect("it is dead");
    }
    come_back(network, "kandal").await;
    recovered(network).await;
    receiver.held(&handoff.case).await;
    handoff
}

/// `spean node restore` dies at each step; the node refuses to start on half of it, until the restore is done.
async fn die_in_a_restore(network: &mut Network) -> Handoff {
    let (sender, receiver) = (network.desk(RATANAK_KIRI), network.desk(KANDAL));
    let backup = network.folder().join("backup");
    let restore = ["restore", "--from", text(&backup), "--replace"];
    assert!(node(network, &["backup", "--to", text(&backup)], None).success(), "the node can be backed up");
    let handoff = hand_over(&sender, &receiver, 50).await;
    settled(network).await;
    network.cut_power("kandal").expect("a node can be killed");
    for (point, pass) in OF_A_RESTORE {
        assert!(!node(network, &restore, Some((point, pass))).success(), "it dies at {point}");
        let refused = network.start("kandal").await.expect_err("half a backup is no data");
        assert!(refused.to_string().contains("ended"), "at {point}: {refused:#}");
        let log = fs::read_to_string(network.folder().join("kandal/log.txt")).expect("its log");
        assert!(log.contains("a restore of this node did not come to its end"), "at {point}");
    }
    assert!(node(network, &restore, None).success(), "what was broken off can be done");
    come_back(network, "kandal").await;
    recovered(network).await;
    receiver.held(&handoff.case).await;
    handoff
}

/// `spean node rebuild` dies when a list is empty: the list is as it was before.
async fn die_while_lists_are_made_anew(network: &mut Network) {
    settled(network).await;
    network.cut_power("kandal").expect("a node can be killed");
    for pass in [1, 2, 5] {
        assert!(!node(network, &["rebuild"], Some(("rebuild::emptied", pass))).success(), "it dies in the middle");
        assert!(node(network, &["verify"], None).success(), "after {pass} lists: what there is, is whole");
    }
    come_back(network, "kandal").await;
}

/// A node that finds lists of an earlier program makes them anew before it serves, and dies between one page and the next:
/// at the end they are what the log says.
async fn die_while_lists_are_migrated(network: &mut Network) {
    settled(network).await;
    network.cut_power("kandal").expect("a node can be killed");
    make_lists_old(&network.data("kandal").join("referral.sqlite")).await;
    for (point, pass) in OF_A_MIGRATION {
        network.set_environment("kandal", die_at(point, pass)).expect("there is such a node");
        let refused = network.start("kandal").await.expect_err("it dies before it serves");
        assert!(refused.to_string().contains("ended"), "at {point}: {refused:#}");
        network.cut_power("kandal").expect("it is dead");
    }
    come_back(network, "kandal").await;
    network.cut_power("kandal").expect("a node can be killed");
    assert!(node(network, &["verify"], None).success(), "the lists are those of the log");
    come_back(network, "kandal").await;
}

/// Takes the lists of a log for those of a program that made others, of which nothing can be used.
async fn make_lists_old(database: &Path) {
    sqlx::any::install_default_drivers();
    let mut connection = AnyConnection::connect(&format!("sqlite://{}", text(database))).await.expect("the log opens");
    let rows = sqlx::query("select tables from read_model").fetch_all(&mut connection).await.expect("it has lists");
    assert!(rows.len() >= 5, "there are more lists than passes");
    for row in rows {
        for table in row.get::<String, _>(0).split(' ').filter(|table| !table.is_empty()) {
            let empty = format!("delete from {table}");
            sqlx::raw_sql(AssertSqlSafe(empty)).execute(&mut connection).await.expect("a list can be emptied");
        }
    }
    sqlx::query("update read_model set version = 0").execute(&mut connection).await.expect("it can be said");
    connection.close().await.expect("it closes");
}

fn die_at(point: &str, pass: u32) -> BTreeMap<String, String> {
    BTreeMap::from([("SPEAN_DIE_AT".to_owned(), format!("{point}:{pass}"))])
}

async fn come_back(network: &mut Network, node: &str) {
    network.cut_power(node).expect("it is dead, or can be killed");
    network.set_environment(node, BTreeMap::new()).expect("there is such a node");
    network.start(node).await.unwrap_or_else(|error| panic!("{node} does not come back: {error:#}"));
}

async fn recovered(network: &Network) {
    eventually(PATIENCE, "the node to act again", async || status_of(network, KANDAL).await.recovering_from.is_empty())
        .await;
    settled(network).await;
}

/// Whether a node's process runs: one that has ended and that nobody has asked about is left over as `Z`.
fn lives(network: &Network, node: &str) -> bool {
    let Some(process) = network.process_id(node) else { return false };
    let state = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    state.rsplit_once(") ").is_some_and(|(_, fields)| !fields.starts_with('Z'))
}

fn node(network: &Network, arguments: &[&str], dies_at: Option<(&str, u32)>) -> std::process::ExitStatus {
    let settings: PathBuf = network.folder().join("kandal/node.toml");
    let mut command = Command::new(spean_program());
    command.arg("node").arg(arguments[0]).arg("--config").arg(settings).args(&arguments[1..]);
    if let Some((point, pass)) = dies_at {
        command.envs(die_at(point, pass));
    }
    command.output().expect("the program starts").status
}

fn text(path: &Path) -> &str {
    path.to_str().expect("folders of tests have plain names")
}
