//! Disks that fail under real nodes: power that goes in the middle of writing, syncs that fail, no space left. Whatever
//! a node has acknowledged is there afterwards; whatever it could not keep it has refused.
//!
//! A node that is killed loses nothing of what it wrote, since the kernel has it. So the power fails twice here: the
//! process is killed, and then its files are replaced with one of the states in which a disk may be that was told to
//! keep nothing but what was synced (see `spean-disk`). `SPEAN_DISK_CUTS` sets how often, `SPEAN_DISK_SEED` where it begins.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use futures::future::join_all;
use spean::demonstration::agencies::{BANTEAY_MEANCHEY, KANDAL, RATANAK_KIRI};
use spean::demonstration::compare;
use spean::demonstration::narrator::Narrator;
use spean::demonstration::staff::{Staff, new_id};
use spean::demonstration::stories::reason;
use spean_chassis::Configuration;
use spean_contracts::referral::v1::GetNodeStatusRequest;
use spean_disk::{Control, Disk};
use spean_identity::Role;
use spean_testkit::{Postgres, eventually};
use spean_tests::{
    Desk, Handoff, Network, PATIENCE, copy_folder, hand_over, invented, network, network_built, one_holder, settled,
    spean_program, status_of,
};
use sqlx::any::AnyConnectOptions;
use sqlx::{AnyConnection, ConnectOptions as _, Row as _};
use tonic::{Code, Status};

const NODE: &str = "kandal";

/// Cases that were registered, and how long the journal was when that was acknowledged.
type Acknowledged = Vec<(String, u64)>;

#[tokio::test]
async fn what_a_node_acknowledged_outlives_power_that_fails_and_a_disk_that_fails() {
    let mut network = network().await;
    let disk = watch(&mut network).await;
    let mut handoffs = Vec::new();
    for cut in 0..setting("SPEAN_DISK_CUTS", 3) {
        handoffs.extend(the_power_fails(&mut network, &disk, setting("SPEAN_DISK_SEED", 1) + cut).await);
    }
    settled(&network).await;
    assert_eq!(status_of(&network, KANDAL).await.incarnation, 1, "a power cut is no restore");
    at_every_moment_all_is_there(&mut network, &disk).await;
    syncs_fail(&mut network, &disk).await;
    the_disk_is_full(&network, &disk.control().expect("it was made")).await;
    handoffs.extend(handed_over(&network, 900).await);
    settled(&network).await;
    books_balance(&network, &handoffs).await;
    assert_eq!(status_of(&network, KANDAL).await.incarnation, 1, "a disk that fails is no restore");
    let verified = verify(&network.folder().join(NODE).join("node.toml"));
    assert!(verified.0, "{}", verified.1);
}

/// The node with all that it keeps, under a disk that can fail.
async fn watch(network: &mut Network) -> Disk {
    network.cut_power(NODE).expect("a node can be killed");
    let keys = network.settings(NODE).keys;
    let place = network.folder().join("disk");
    let disk = Disk::over(&[network.data(NODE), keys], &place).expect("the folders can be copied");
    // The journal knows what was synced; waiting for the machine's own disk would tell nothing more.
    disk.control().and_then(|control| control.pretend_syncs()).expect("the control file can be written");
    network.set_environment(NODE, disk.environment()).expect("there is such a node");
    start(network).await;
    disk
}

/// Six handoffs are under way in both directions when the power fails.
async fn the_power_fails(network: &mut Network, disk: &Disk, seed: u64) -> Vec<Handoff> {
    let number = usize::try_from(seed).expect("a small number") * 10;
    let (near, far) = (network.desk(KANDAL), [network.desk(RATANAK_KIRI), network.desk(BANTEAY_MEANCHEY)]);
    let arriving = join_all((0..3).map(|which| hand_over(&far[which % 2], &near, number + which)));
    let leaving = join_all((0..3).map(|which| hand_over(&near, &far[which % 2], number + 5 + which)));
    let failure = async {
        // Another moment each time, and none that a person would choose.
        let enough = disk.written().expect("the journal is there") + 40_000 + seed * 7_919 % 400_000;
        eventually(PATIENCE, "the node to have written enough", async || {
            disk.written().is_ok_and(|written| written > enough)
        })
        .await;
        cut_power(network, disk, seed).await;
    };
    let (arrived, left, ()) = tokio::join!(arriving, leaving, failure);
    arrived.into_iter().chain(left).collect()
}

/// Kills the node, leaves on its disk what may be there, and starts it again.
async fn cut_power(network: &mut Network, disk: &Disk, seed: u64) {
    network.cut_power(NODE).expect("a node can be killed");
    let moment = disk.written().expect("the journal is there");
    disk.picture(moment, seed).and_then(|picture| picture.put_back()).expect("the folders can be replaced");
    disk.begin_afresh().expect("the folders can be copied");
    disk.control().and_then(|control| control.pretend_syncs()).expect("the control file can be written");
    start(network).await;
}

/// People are registered one after the other. Then the power fails at moments all over that time, each for itself: all
/// who were acknowledged before it are in the register, and the whole node verifies.
async fn at_every_moment_all_is_there(network: &mut Network, disk: &Disk) {
    let near = network.desk(KANDAL);
    let mut acknowledged = Vec::new();
    for number in 0..20 {
        let case = register(&near, number).await;
        acknowledged.push((case, disk.written().expect("the journal is there")));
    }
    network.cut_power(NODE).expect("a node can be killed");
    assert_journal_is_complete(disk);
    let ends = disk.records().expect("the journal is there").ends();
    let first = ends.partition_point(|end| *end < acknowledged[0].1);
    let cuts = setting("SPEAN_DISK_PICTURES", 12);
    let records = ends.len() - 1 - first;
    let cuts: Vec<(u64, u64)> = (0..cuts)
        .map(|cut| {
            let share = usize::try_from(cut * 1_000 / cuts).expect("a small number");
            (ends[first + records * share / 1_000], cut)
        })
        .collect();
    let pictures = disk.pictures(&cuts).expect("the journal is there");
    for ((cut, seed), picture) in cuts.iter().zip(pictures) {
        let bench = Bench::of(network, &format!("picture-{seed}"));
        picture.put_into(&bench.watched.0, &bench.data).expect("the folder is ours");
        picture.put_into(&bench.watched.1, &bench.keys).expect("the folder is ours");
        let lost = bench.lost(&acknowledged, *cut).await;
        assert!(lost.is_empty(), "{lost:?} were acknowledged and are gone, seed {seed} at {cut}");
        let (sound, report) = verify(&bench.settings);
        assert!(sound, "seed {seed} at {cut}:\n{report}");
    }
    start(network).await;
}

/// What the journal says is what lies on the machine's disk, so nothing was written past it.
fn assert_journal_is_complete(disk: &Disk) {
    let seen = disk.seen(u64::MAX).expect("the journal is there");
    for (path, bytes) in seen.files().iter().filter(|(path, _)| path.extension().is_some_and(|end| end == "sqlite")) {
        let on_disk = std::fs::read(path).expect("it is there");
        assert!(bytes == &on_disk, "{} was written to past the journal", path.display());
    }
}

/// One sync fails, then all of them: what was not synced is refused, and nothing that was acknowledged is gone after the
/// power has failed as well.
async fn syncs_fail(network: &mut Network, disk: &Disk) {
    let control = disk.control().expect("it was made");
    let near = network.desk(KANDAL);
    let mut acknowledged = Vec::new();
    for number in 0..3 {
        control.only("cases.sqlite-wal").expect("it can be written");
        let faults = faults(&control);
        let (case, refused) = loop {
            control.fail_sync(1).expect("it can be written");
            let case = new_id();
            match near.staff().await.register(&case, invented(number)).await {
                Err(refused) => break (case, refused),
                // The sync of something else failed that the register had to do just then.
                Ok(_) => acknowledged.push(case),
            }
        };
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::Unavailable, "DATABASE_AWAY"));
        assert!(self::faults(&control) > faults);
        // Without help, and under the same id.
        near.ask("registering", async |staff: Staff| staff.register(&case, invented(number)).await.map(drop)).await;
        acknowledged.push(case);
    }
    control.only("").expect("it can be written");
    control.fail_every_sync(true).expect("it can be written");
    for number in 10..13 {
        let staff = near.staff().await;
        let refused = staff.register(&new_id(), invented(number)).await.expect_err("nothing can be kept");
        assert_eq!(refused.code(), Code::Unavailable, "{refused:?}");
        staff.held().await.expect("what is known can be read meanwhile");
    }
    control.fail_every_sync(false).expect("it can be written");
    acknowledged.push(register(&near, 20).await);
    cut_power(network, disk, 77).await;
    for case in &acknowledged {
        near.ask("the case", async |staff: Staff| staff.case(case, "").await.map(drop)).await;
    }
}

/// There is no space left: commands are refused and say why, reading goes on, and with space again everything goes on
/// without anybody's help.
async fn the_disk_is_full(network: &Network, control: &Control) {
    let (near, far) = (network.desk(KANDAL), network.desk(RATANAK_KIRI));
    let before = register(&near, 30).await;
    // The vault's connection is lost with the first commit that is refused, and opened anew on a full disk.
    control.only("vault.sqlite").expect("it can be written");
    control.limit_space(Some(0)).expect("it can be written");
    for _ in 0..3 {
        let refused = until_refused(&near).await;
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::Unavailable, "DISK_FULL"), "{refused:?}");
    }
    control.only("").expect("it can be written");
    let arriving = hand_over(&far, &near, 31);
    let full = async {
        // What fits into the files as they are is still written.
        loop {
            let refused = until_refused(&near).await;
            assert_eq!(refused.code(), Code::Unavailable, "{refused:?}");
            if reason(&refused) == "DISK_FULL" {
                break;
            }
        }
        let staff = near.staff().await;
        staff.held().await.expect("the cases can be listed");
        let administrator = network.desk_as(KANDAL, &[Role::Administrator]).staff().await;
        let status = administrator.referral().get_node_status(administrator.ask(GetNodeStatusRequest {})).await;
        status.expect("how the node is can be asked");
        assert!(network.process_id(NODE).is_some_and(is_running), "the node runs on");
        control.limit_space(None).expect("it can be written");
    };
    let (handoff, ()) = tokio::join!(arriving, full);
    one_holder(network, KANDAL, &[&handoff.case]).await;
    near.ask("the case", async |staff: Staff| staff.case(&before, "").await.map(drop)).await;
    register(&near, 32).await;
}

#[tokio::test]
async fn a_node_on_postgres_refuses_while_the_servers_disk_fails_or_is_full_and_goes_on_by_itself() {
    let mut disk = None;
    let server = Postgres::start_with(|data| {
        let watched = Disk::for_faults(&[data.to_owned()], &data.with_file_name("disk")).expect("the folder is ours");
        let environment = watched.environment_for_faults();
        disk = Some(watched);
        environment
    });
    let control = disk.expect("the server was started").control().expect("it was made");
    let _turn = spean_tests::turn().await;
    let mut network = network_built(BTreeMap::from([(NODE.to_owned(), server.database())])).await;
    network.start_all().await.expect("the nodes start");
    let mut handoffs = handed_over(&network, 0).await;
    let near = network.desk(KANDAL);

    // One sync of the server's log fails: it throws everybody out, and begins anew from what is on the disk.
    control.only("").expect("it can be written");
    let faults_before = faults(&control);
    control.fail_sync(1).expect("it can be written");
    let refused = until_refused(&near).await;
    // The vault has its database in the same server: which of the two asks first is chance.
    assert_eq!(refused.code(), Code::Unavailable, "{refused:?}");
    assert!(["DATABASE_AWAY", "VAULT_AWAY"].contains(&reason(&refused).as_str()), "{refused:?}");
    assert!(faults(&control) > faults_before);
    handoffs.extend(handed_over(&network, 10).await);

    control.limit_space(Some(0)).expect("it can be written");
    let refused = until_refused(&near).await;
    assert_eq!(refused.code(), Code::Unavailable, "{refused:?}");
    assert!(["DISK_FULL", "DATABASE_AWAY", "VAULT_AWAY"].contains(&reason(&refused).as_str()), "{refused:?}");
    control.limit_space(None).expect("it can be written");
    handoffs.extend(handed_over(&network, 20).await);
    settled(&network).await;
    books_balance(&network, &handoffs).await;
    let verified = verify(&network.folder().join(NODE).join("node.toml"));
    assert!(verified.0, "{}", verified.1);
}

/// A handoff in each direction.
async fn handed_over(network: &Network, number: usize) -> Vec<Handoff> {
    let (near, far) = (network.desk(KANDAL), network.desk(RATANAK_KIRI));
    let (arrived, left) = tokio::join!(hand_over(&far, &near, number), hand_over(&near, &far, number + 1));
    one_holder(network, KANDAL, &[&arrived.case]).await;
    one_holder(network, RATANAK_KIRI, &[&left.case]).await;
    vec![arrived, left]
}

async fn books_balance(network: &Network, handoffs: &[Handoff]) {
    let cases: Vec<_> = handoffs.iter().map(|handoff| handoff.case.clone()).collect();
    let books = compare(network, &Narrator::silent(), &cases).await;
    books.unwrap_or_else(|error| panic!("the books do not balance: {error:#}"));
}

async fn register(desk: &Desk, number: usize) -> String {
    let case = new_id();
    desk.ask("registering", async |staff: Staff| staff.register(&case, invented(number)).await.map(drop)).await;
    case
}

/// Registers people until one is refused, and gives the refusal.
async fn until_refused(desk: &Desk) -> Status {
    let mut number = 0;
    spean_testkit::eventually_some(PATIENCE, "a command to be refused", async || {
        number += 1;
        let staff = desk.staff().await;
        staff.register(&new_id(), invented(number)).await.err()
    })
    .await
}

async fn start(network: &mut Network) {
    network.start(NODE).await.unwrap_or_else(|error| panic!("the node does not come back: {error:#}"));
}

fn faults(control: &Control) -> u64 {
    control.counts().expect("it can be read").faults
}

fn is_running(process: u32) -> bool {
    Path::new("/proc").join(process.to_string()).join("exe").exists()
}

/// A number from the environment.
fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("{name} is not a number")))
}

/// Folders beside the network's for what a disk may hold.
struct Bench {
    watched: (PathBuf, PathBuf),
    data: PathBuf,
    keys: PathBuf,
    settings: PathBuf,
}

impl Bench {
    fn of(network: &Network, name: &str) -> Self {
        // Not beside the nodes: what lies there counts as one of them.
        let folder = network.folder().join("pictures").join(name);
        let settings = network.settings(NODE);
        let canonical = |path: &Path| path.canonicalize().expect("it is there");
        let watched = (canonical(&settings.data), canonical(&settings.keys));
        let (data, keys) = (folder.join("data"), folder.join("keys"));
        copy_folder(&settings.keys, &keys);
        let file = folder.join("node.toml");
        let settings = Configuration { data: data.clone(), keys: keys.clone(), ..settings };
        std::fs::write(&file, toml::to_string(&settings).expect("settings are TOML")).expect("the folder is ours");
        Self { watched, data, keys, settings: file }
    }

    /// The cases that were acknowledged before this moment and are not in the register's log.
    async fn lost(&self, acknowledged: &Acknowledged, cut: u64) -> Vec<String> {
        let mut connection = connect(&self.data.join("cases.sqlite")).await;
        let rows = sqlx::query("select distinct id from event").fetch_all(&mut connection).await;
        let known: Vec<String> = rows.expect("the query runs").iter().map(|row| row.get(0)).collect();
        let due = acknowledged.iter().filter(|(_, when)| *when <= cut);
        due.map(|(case, _)| case.clone()).filter(|case| !known.contains(case)).collect()
    }
}

async fn connect(database: &Path) -> AnyConnection {
    sqlx::any::install_default_drivers();
    let options: AnyConnectOptions = format!("sqlite://{}", database.display()).parse().expect("a path");
    options.connect().await.expect("it can be opened")
}

/// What `spean node verify` says of a node that does not run, or of a server's database.
fn verify(settings: &Path) -> (bool, String) {
    let verify = Command::new(spean_program()).args(["node", "verify", "--config"]).arg(settings).output();
    let verify = verify.expect("the program starts");
    let said = [verify.stdout, verify.stderr].concat();
    (verify.status.success(), String::from_utf8_lossy(&said).into_owned())
}
