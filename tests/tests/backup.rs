//! Backups of a node that runs, put back into a network that went on: nothing is lost, nothing is doubled, one holder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use futures::future::join_all;
use spean::demonstration::agencies::{BANTEAY_MEANCHEY, KANDAL, NODES, RATANAK_KIRI, TRANSIT_CENTRE};
use spean::demonstration::compare;
use spean::demonstration::narrator::Narrator;
use spean::demonstration::staff::Staff;
use spean_contracts::referral::v1::{OfferState, OpenDossierRequest};
use spean_testkit::eventually;
use spean_tests::{
    Canary, Desk, Handoff, Network, PATIENCE, copy_folder, hand_over, network, network_on_postgres, one_holder,
    open_case, settled, spean_program, status_of,
};
use sqlx::any::AnyConnectOptions;
use sqlx::{AnyConnection, ConnectOptions as _, Executor as _, Row as _};

#[tokio::test]
async fn a_node_that_lost_its_disk_comes_back_from_a_backup_taken_while_handoffs_were_under_way() {
    lost_and_restored(network().await).await;
}

#[tokio::test]
async fn a_node_that_lost_its_database_comes_back_from_a_dump_taken_while_handoffs_were_under_way() {
    lost_and_restored(network_on_postgres().await).await;
}

async fn lost_and_restored(mut network: Network) {
    let (near, far) = (network.desk(KANDAL), network.desk(RATANAK_KIRI));
    let others = [network.desk(BANTEAY_MEANCHEY), network.desk(TRANSIT_CENTRE)];
    let mut to_near = vec![hand_over(&far, &near, 0).await];
    let mut to_far = vec![hand_over(&near, &far, 1).await];

    // Eight handoffs are under way, in both directions, while the backup is taken.
    let backup = network.folder().join("backup");
    let arriving = join_all((0..4).map(|number| hand_over(&others[number % 2], &near, 10 + number)));
    let leaving = join_all((0..4).map(|number| hand_over(&near, &far, 20 + number)));
    let taken = tokio::task::spawn_blocking({
        let (settings, backup) = (settings(&network, "kandal"), backup.clone());
        move || node(&settings, "backup", &["--to", text(&backup)])
    });
    let (arrived, left, taken) = tokio::join!(arriving, leaving, taken);
    said(&taken.expect("the backup was not broken off"), true, "was put back, verified, and is whole");
    to_near.extend(arrived);
    to_far.extend(left);

    // And more since, one of them still open.
    to_near.push(hand_over(&far, &near, 30).await);
    to_far.push(hand_over(&near, &far, 31).await);
    let open = open_case(&far, 32).await;
    let open_offer = far.offer(&open, KANDAL).await;
    near.until("the offer", async |staff: Staff| {
        Ok((staff.state(&open_offer).await? == OfferState::Offered).then_some(()))
    })
    .await;
    settled(&network).await;
    let running = node(&settings(&network, "kandal"), "restore", &["--from", text(&backup), "--replace"]);
    said(&running, false, "the node runs");

    network.cut_power("kandal").expect("a node can be killed");
    lose_everything(&network, "kandal").await;
    said(&node(&settings(&network, "kandal"), "verify", &[]), false, "gone; it had");
    said(&node(&settings(&network, "kandal"), "restore", &["--from", text(&backup)]), true, "Restored as of");
    let twice = node(&settings(&network, "kandal"), "restore", &["--from", text(&backup)]);
    said(&twice, false, "say --replace");
    network.start("kandal").await.expect("the restored node starts");
    eventually(PATIENCE, "the node to act again", async || {
        let status = status_of(&network, KANDAL).await;
        status.incarnation == 2 && status.recovering_from.is_empty()
    })
    .await;
    settled(&network).await;

    one_holder(&network, KANDAL, &cases(&to_near)).await;
    one_holder(&network, RATANAK_KIRI, &cases(&to_far)).await;
    knows_whom_it_holds(&near, to_near.last().expect("the last one")).await;
    near.accept(&open_offer).await;
    near.held(&open).await;
    settled(&network).await;
    one_holder(&network, KANDAL, &[&open]).await;
    let all: Vec<String> = cases(&to_near).into_iter().chain(cases(&to_far)).map(str::to_owned).collect();
    let books = compare(&network, &Narrator::silent(), &all).await;
    books.unwrap_or_else(|error| panic!("the books do not balance: {error:#}"));
    for name in NODES {
        said(&node(&settings(&network, name), "verify", &[]), true, "one holder each");
    }
}

#[tokio::test]
async fn letters_are_deleted_when_a_tried_backup_of_the_receiver_has_them_and_not_before() {
    let mut network = network().await;
    let first = hand_over(&network.desk(RATANAK_KIRI), &network.desk(KANDAL), 0).await;
    settled(&network).await;
    let backup = network.folder().join("backup");
    said(&node(&settings(&network, "kandal"), "backup", &["--to", text(&backup)]), true, "is whole");
    let in_the_backup = last_letter(&network).await;
    // The sender hears of it, and keeps them all the same: for thirty days, should the newest backup turn out unreadable.
    eventually(PATIENCE, "the sender to hear what is in the backup", async || {
        backed_up(&network).await == in_the_backup
    })
    .await;
    let second = hand_over(&network.desk(RATANAK_KIRI), &network.desk(KANDAL), 1).await;
    settled(&network).await;
    let last = last_letter(&network).await;
    assert!(last > in_the_backup, "something was said since");
    assert_eq!(kept(&network).await, (1..=last).collect::<Vec<_>>());

    network.pass_time(31 * 24).expect("the clock can be moved");
    eventually(PATIENCE, "the letters in the backup to be deleted", async || {
        kept(&network).await.first().is_none_or(|first| *first > in_the_backup)
    })
    .await;
    let kept_since: Vec<i64> = kept(&network).await.into_iter().filter(|number| *number <= last).collect();
    assert_eq!(kept_since, (in_the_backup + 1..=last).collect::<Vec<_>>(), "what no backup has is kept");

    // A month later the receiver's disk is gone. What its backup lacks is what the sender kept.
    network.cut_power("kandal").expect("a node can be killed");
    lose_everything(&network, "kandal").await;
    said(&node(&settings(&network, "kandal"), "restore", &["--from", text(&backup)]), true, "Restored as of");
    network.start("kandal").await.expect("the restored node starts");
    let near = network.desk(KANDAL);
    eventually(PATIENCE, "the node to act again", async || {
        let status = status_of(&network, KANDAL).await;
        status.incarnation == 2 && status.recovering_from.is_empty()
    })
    .await;
    settled(&network).await;
    one_holder(&network, KANDAL, &[&first.case, &second.case]).await;
    knows_whom_it_holds(&near, &first).await;
    knows_whom_it_holds(&near, &second).await;
    said(&node(&settings(&network, "kandal"), "verify", &[]), true, "one holder each");
}

#[tokio::test]
async fn a_backup_that_is_not_what_was_written_is_neither_restored_nor_believed() {
    let mut network = network().await;
    hand_over(&network.desk(RATANAK_KIRI), &network.desk(KANDAL), 0).await;
    settled(&network).await;
    let kandal = settings(&network, "kandal");
    let (sound, newer) = (network.folder().join("sound"), network.folder().join("newer"));
    said(&node(&kandal, "backup", &["--to", text(&sound)]), true, "The keys are not in it");
    said(&node(&kandal, "verify", &["--backup", text(&sound)]), true, "one holder each");
    said(&node(&kandal, "verify", &["--since", text(&sound)]), true, "one holder each");
    said(&node(&kandal, "backup", &["--to", text(&sound)]), false, "is not empty");
    let stranger = settings(&network, "ratanak-kiri");
    said(&node(&stranger, "verify", &["--backup", text(&sound)]), false, "was not written by this node");
    network.cut_power("kandal").expect("a node can be killed");

    let damaged = network.folder().join("damaged");
    let refused = |what: &str, damage: &dyn Fn()| {
        copy_folder(&sound, &damaged);
        damage();
        for command in [["verify", "--backup"], ["restore", "--from"]] {
            said(&node(&kandal, command[0], &[command[1], text(&damaged), "--scratch", "/tmp"]), false, what);
        }
    };
    refused("referral.sqlite is not as it was written", &|| flip_a_byte(&damaged.join("referral.sqlite")));
    refused("vault.sqlite of the backup cannot be read", &|| {
        fs::remove_file(damaged.join("vault.sqlite")).expect("it is there");
    });
    refused("manifest.json was not written by this node, or was changed", &|| {
        let text = fs::read_to_string(damaged.join("manifest.json")).expect("it is there");
        fs::write(damaged.join("manifest.json"), text.replace("\"program\": \"", "\"program\": \"9")).expect("ours");
    });
    refused("it is no backup, or an unfinished one", &|| {
        fs::remove_file(damaged.join("manifest.json")).expect("it is there");
    });

    // A later one was tried, and this one grows old.
    network.start("kandal").await.expect("the node starts");
    hand_over(&network.desk(RATANAK_KIRI), &network.desk(KANDAL), 1).await;
    settled(&network).await;
    said(&node(&kandal, "backup", &["--to", text(&newer), "--with-keys"]), true, "It holds the node's keys");
    assert!(newer.join("keys/vault.key").is_file() && !newer.join("keys/referral.mark").exists());
    network.cut_power("kandal").expect("a node can be killed");
    network.pass_time(31 * 24).expect("the clock can be moved");
    said(&node(&kandal, "restore", &["--from", text(&sound), "--replace"]), false, "Restore the later one");
    said(&node(&kandal, "restore", &["--from", text(&newer), "--replace"]), true, "What was there is kept");
}

fn settings(network: &Network, node: &str) -> PathBuf {
    network.folder().join(node).join("node.toml")
}

fn node(settings: &Path, command: &str, arguments: &[&str]) -> Output {
    let mut program = Command::new(spean_program());
    program.args(["node", command, "--config", text(settings)]).args(arguments);
    program.output().expect("the program starts")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("folders of tests have plain names")
}

fn said(output: &Output, success: bool, what: &str) {
    let all = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.success(), success, "{all}");
    assert!(all.contains(what), "it did not say {what:?} but\n{all}");
    for word in Canary::ALL {
        assert!(!all.contains(word), "it said {word:?}");
    }
}

fn cases(handoffs: &[Handoff]) -> Vec<&str> {
    handoffs.iter().map(|handoff| handoff.case.as_str()).collect()
}

fn flip_a_byte(file: &Path) {
    let mut bytes = fs::read(file).expect("it is there");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(file, bytes).expect("the folder is ours");
}

/// All databases of a node, gone; its keys and marks are left.
async fn lose_everything(network: &Network, name: &str) {
    fs::remove_dir_all(network.data(name)).expect("the folder is ours");
    let Some(url) = network.settings(name).database else { return };
    let (server, database) = url.rsplit_once('/').expect("a URL with a database");
    let mut connection = connect(&format!("{server}/postgres")).await;
    for statement in [format!("drop database {database} with (force)"), format!("create database {database}")] {
        connection.execute(sqlx::AssertSqlSafe(statement)).await.expect("the superuser may");
    }
}

async fn connect(url: &str) -> AnyConnection {
    sqlx::any::install_default_drivers();
    let options: AnyConnectOptions = url.parse().expect("a URL");
    options.connect().await.expect("the database can be reached")
}

/// The desk of the sender, past the program.
async fn sender(network: &Network) -> AnyConnection {
    connect(&format!("sqlite://{}?mode=rw", network.data("ratanak-kiri").join("referral.sqlite").display())).await
}

/// The numbers of the letters to the receiver's desk that the sender has.
async fn kept(network: &Network) -> Vec<i64> {
    let rows = sqlx::query("select sequence from post_out where peer = 'kandal/referral' order by sequence")
        .fetch_all(&mut sender(network).await)
        .await
        .expect("the query runs");
    rows.iter().map(|row| row.get(0)).collect()
}

async fn last_letter(network: &Network) -> i64 {
    kept(network).await.into_iter().max().expect("something was said")
}

/// How far the receiver's letters are in its backup, as far as the sender has heard.
async fn backed_up(network: &Network) -> i64 {
    let row = sqlx::query("select state from post_link where peer = 'kandal/referral'")
        .fetch_one(&mut sender(network).await)
        .await
        .expect("the query runs");
    let state: serde_json::Value = serde_json::from_str(row.get(0)).expect("JSON");
    state["backed_up_there"].as_i64().expect("a number")
}

/// The file on the person, which was lost with the disk, is there again.
async fn knows_whom_it_holds(desk: &Desk, handoff: &Handoff) {
    let request = OpenDossierRequest { offer_id: handoff.offer.clone(), purpose: "the visit of this month".to_owned() };
    let dossier =
        desk.ask("the dossier", async |staff: Staff| staff.referral().open_dossier(staff.ask(request.clone())).await);
    let person = dossier.await.into_inner().person.expect("the person is in the dossier");
    assert_eq!(person.latin_name.map(|name| name.family).as_deref(), Some(Canary::FAMILY_LATIN));
}
