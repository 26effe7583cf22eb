//! `upgrade`: a network that begins with an older program everywhere and ends with this one, node by node, while cases
//! move between old and new nodes in both directions. Nothing is lost, and going back is refused or harmless.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use clap::Parser;
use futures::future::join_all;
use spean::demonstration::agencies::{
    BANTEAY_MEANCHEY, KANDAL, MINISTRY, NODES, RATANAK_KIRI, SHELTER, TRANSIT_CENTRE,
};
use spean::demonstration::compare;
use spean::demonstration::narrator::Narrator;
use spean_testkit::{Postgres, eventually};
use spean_tests::{Handoff, Network, hand_over, network_of, one_holder, settled, spean_program, turn};
use tokio::time::Instant;

/// An office of each node, in the order of the nodes.
const OFFICES: [&str; 6] = [MINISTRY, TRANSIT_CENTRE, SHELTER, BANTEAY_MEANCHEY, RATANAK_KIRI, KANDAL];
/// How long a node may take to end when it is asked to.
const FAREWELL: Duration = Duration::from_secs(30);

/// Replaces an older program in a running network, node by node.
#[derive(Debug, Parser)]
struct Upgrade {
    /// The revision of the older program, which is built first.
    #[arg(long, required_unless_present = "program")]
    from: Option<String>,
    /// An older program that is built already.
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
    /// How many cases are handed over between each two replacements, and during each.
    #[arg(long, default_value_t = 6)]
    handoffs: usize,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let upgrade = Upgrade::parse();
    let folder = std::env::temp_dir().join(format!("spean-upgrade-{}", std::process::id()));
    let older = match (&upgrade.program, &upgrade.from) {
        (Some(program), _) => program.canonicalize().context("the older program")?,
        (None, Some(revision)) => build(revision, &folder)?,
        (None, None) => bail!("say which program is the older one"),
    };
    let newer = spean_program();
    let _turn = turn().await;
    let began = Instant::now();
    // One node keeps its data in PostgreSQL, the others in SQLite.
    let databases = [("banteay-meanchey".to_owned(), Postgres::shared().database())].into();
    let mut network = network_of(older.clone(), databases).await;
    network.start_all().await?;
    let mut work = Work::default();
    work.go_on(&network, upgrade.handoffs).await;
    for node in NODES {
        work.replace(&mut network, node, &newer, upgrade.handoffs).await?;
        work.go_on(&network, upgrade.handoffs).await;
        println!(
            "{node} runs the newer program; {} cases have moved, {} s",
            work.moved.len(),
            began.elapsed().as_secs()
        );
    }
    work.check(&network).await?;
    for node in NODES {
        verify(&network, &newer, node)?;
    }
    println!(
        "All {} cases are with whom they were handed to; the books balance; every node verifies.",
        work.moved.len()
    );
    println!("{}", go_back(&mut network, &older, &newer).await?);
    work.go_on(&network, upgrade.handoffs).await;
    work.check(&network).await?;
    println!("Nothing was lost: {} handoffs, {} s", work.moved.len(), began.elapsed().as_secs());
    if folder.exists() {
        remove(&folder)?;
    }
    Ok(())
}

/// What was handed over, and to whom.
#[derive(Debug, Default)]
struct Work {
    moved: Vec<(Handoff, &'static str)>,
}

impl Work {
    /// From each office to the next and back, all at once.
    async fn go_on(&mut self, network: &Network, handoffs: usize) {
        let first = self.moved.len();
        let under_way = (first..first + handoffs).map(|number| {
            let from = number % OFFICES.len();
            // The next one, or the one opposite: every node meets every kind of other.
            let to = (from + if (number / OFFICES.len()).is_multiple_of(2) { 1 } else { 3 }) % OFFICES.len();
            let (from, to) = (OFFICES[from], OFFICES[to]);
            async move { (hand_over(&network.desk(from), &network.desk(to), number).await, to) }
        });
        let moved = join_all(under_way).await;
        self.moved.extend(moved);
    }

    /// Ends a node, as an administrator would, and starts the other program in its place, while cases are under way to it
    /// and from it.
    async fn replace(
        &mut self,
        network: &mut Network,
        node: &str,
        program: &Path,
        handoffs: usize,
    ) -> anyhow::Result<()> {
        let own = OFFICES[NODES.iter().position(|other| *other == node).context("there is no such node")?];
        let first = self.moved.len();
        let under_way: Vec<_> = (first..first + handoffs)
            .map(|number| {
                let others: Vec<_> = OFFICES.into_iter().filter(|office| *office != own).collect();
                let other = others[number % others.len()];
                let (from, to) = if number % 2 == 0 { (own, other) } else { (other, own) };
                (network.desk(from), network.desk(to), number, to)
            })
            .collect();
        let under_way = join_all(
            under_way.iter().map(async |(from, to, number, holder)| (hand_over(from, to, *number).await, *holder)),
        );
        let replaced = async {
            // They have begun, and none can be through yet.
            tokio::time::sleep(Duration::from_millis(300)).await;
            end(network, node).await?;
            network.set_program(node, program.to_owned())?;
            network.start(node).await
        };
        let (moved, ()) = tokio::try_join!(async { Ok(under_way.await) }, replaced)?;
        self.moved.extend(moved);
        Ok(())
    }

    async fn check(&self, network: &Network) -> anyhow::Result<()> {
        settled(network).await;
        for office in OFFICES {
            let with_it = self.moved.iter().filter(|(_, to)| *to == office);
            let cases: Vec<_> = with_it.map(|(handoff, _)| handoff.case.as_str()).collect();
            one_holder(network, office, &cases).await;
        }
        let cases: Vec<_> = self.moved.iter().map(|(handoff, _)| handoff.case.clone()).collect();
        compare(network, &Narrator::silent(), &cases).await
    }
}

/// Asks a node to end, and waits until it has.
async fn end(network: &mut Network, node: &str) -> anyhow::Result<()> {
    let process = network.process_id(node).context("it does not run")?;
    let asked = Command::new("kill").arg(process.to_string()).status()?;
    ensure!(asked.success(), "{node} cannot be asked to end");
    eventually(FAREWELL, "the node to end", async || !is_running(process)).await;
    network.cut_power(node)
}

fn is_running(process: u32) -> bool {
    // A process that has ended and was not waited for has no program any more.
    std::fs::read_link(format!("/proc/{process}/exe")).is_ok()
}

/// The older program in the place of the newer one: either it says that it cannot read the tables and ends, or nothing in
/// them is new to it and it serves as before.
async fn go_back(network: &mut Network, older: &Path, newer: &Path) -> anyhow::Result<String> {
    const NODE: &str = "kandal";
    end(network, NODE).await?;
    network.set_program(NODE, older.to_owned())?;
    let told = if network.start(NODE).await.is_ok() {
        end(network, NODE).await?;
        "Going back: the older program finds nothing that is new to it, and serves.".to_owned()
    } else {
        let log = std::fs::read_to_string(network.folder().join(NODE).join("log.txt"))?;
        let last = log.lines().last().unwrap_or_default().to_owned();
        ensure!(last.contains("newer than this program"), "the older program ended with: {last}");
        network.cut_power(NODE)?;
        format!("Going back is refused: {last}")
    };
    network.set_program(NODE, newer.to_owned())?;
    network.start(NODE).await?;
    Ok(told)
}

fn verify(network: &Network, program: &Path, node: &str) -> anyhow::Result<()> {
    let settings = network.folder().join(node).join("node.toml");
    let verify = Command::new(program).args(["node", "verify", "--config"]).arg(settings).output()?;
    let said = String::from_utf8_lossy(&verify.stdout);
    ensure!(verify.status.success(), "{node}:\n{said}{}", String::from_utf8_lossy(&verify.stderr));
    Ok(())
}

/// Builds the program of a revision, in a folder of its own.
fn build(revision: &str, folder: &Path) -> anyhow::Result<PathBuf> {
    println!("Building the program of {revision}, which takes as long as a first build does.");
    let tree = folder.join("tree");
    let added = git().args(["worktree", "add", "--detach"]).arg(&tree).arg(revision).status()?;
    ensure!(added.success(), "there is no revision {revision}");
    let target = folder.join("target");
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--quiet", "--package", "spean", "--bins", "--target-dir"]).arg(&target).current_dir(&tree);
    // Both are built alike.
    let profile = if cfg!(debug_assertions) { "debug" } else { "release" };
    if profile == "release" {
        cargo.arg("--release");
    }
    ensure!(cargo.status()?.success(), "the program of {revision} cannot be built");
    Ok(target.join(profile).join("spean"))
}

fn remove(folder: &Path) -> anyhow::Result<()> {
    git().args(["worktree", "remove", "--force"]).arg(folder.join("tree")).status()?;
    std::fs::remove_dir_all(folder).context("the folder of the older program")
}

fn git() -> Command {
    let mut git = Command::new("git");
    git.current_dir(env!("CARGO_MANIFEST_DIR"));
    git
}
