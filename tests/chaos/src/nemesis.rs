//! What strikes: each fault with its end, at the moments and places that the seed chose.

use std::fs;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use spean::demonstration::agencies::{NODES, REMOTE};
use spean_checker::journal::Line;
use spean_tests::{PATIENCE, copy_folder};
use tokio::time::{Instant, sleep};

use crate::clerk::Clerk;
use crate::draw::Draw;
use crate::fault::{Kind, a_node};
use crate::ground::Ground;
use crate::ledger::Ledger;
use crate::mailboxes;
use crate::wire::Weather;

/// How long a node may take to decide again after it was put back.
const RECOVERED_WITHIN: Duration = PATIENCE;
/// How long it may take until nothing is under way between two nodes.
const QUIET_WITHIN: Duration = Duration::from_secs(20);
const GLANCE: Duration = Duration::from_millis(50);
/// The node of the registry: what it knows, no third node may know better (see the documents on two nodes at once).
const REGISTRY: &str = "mosvy";

/// Whoever strikes.
pub(crate) struct Nemesis {
    draw: Draw,
    ledger: Rc<Ledger>,
    copies: usize,
    /// Where the clerks are who are asked how a node is, by node.
    clerks: Vec<Clerk>,
}

impl Nemesis {
    pub(crate) fn new(draw: Draw, ledger: Rc<Ledger>, clerks: Vec<Clerk>) -> Self {
        Self { draw, ledger, copies: 0, clerks }
    }

    /// Strikes once, and mends it.
    pub(crate) async fn strike(&mut self, kind: Kind, ground: &mut Ground) -> anyhow::Result<()> {
        match kind {
            Kind::NodeKilled => self.kill(kind, 1, ground).await,
            Kind::TwoNodesKilled => self.kill(kind, 2, ground).await,
            Kind::HubKilled => {
                ground.network().hub().kill().await?;
                self.moment(100, 1_500).await;
                ground.network().hub().restart().await?;
                self.mended(kind, vec![]);
                Ok(())
            }
            Kind::LeafKilled => {
                let leaf = ground.leaf(REMOTE[0]).context("the node has no broker of its own")?;
                Ground::signal(leaf, "KILL")?;
                self.mended(kind, vec![REMOTE[0].to_owned()]);
                Ok(())
            }
            Kind::PostgresKilled => {
                let nodes = ground.on_postgres().iter().map(|node| (*node).to_owned()).collect();
                ground.postgres().context("there is no PostgreSQL")?.kill_and_restart();
                self.mended(kind, nodes);
                Ok(())
            }
            Kind::NodePaused => {
                let node = a_node(&mut self.draw);
                let process = ground.network().process_id(&node).context("the node runs")?;
                Ground::signal(process, "STOP")?;
                self.moment(800, 3_500).await;
                Ground::signal(process, "CONT")?;
                self.mended(kind, vec![node]);
                Ok(())
            }
            Kind::LineSlow => self.weather(kind, Weather::Slow(Duration::from_millis(300)), ground).await,
            Kind::BrokerDeaf => self.weather(kind, Weather::DeafBroker, ground).await,
            Kind::NodeDeaf => self.weather(kind, Weather::DeafNode, ground).await,
            Kind::LineHalfOpen => self.weather(kind, Weather::HalfOpen, ground).await,
            Kind::LineTorn => self.weather(kind, Weather::Torn, ground).await,
            Kind::LineCut => self.weather(kind, Weather::Severed, ground).await,
            Kind::LineFlapping => self.flap(kind, ground).await,
            Kind::ClockSecond => self.clock(kind, 1, ground).await,
            Kind::ClockHour => self.clock(kind, 3_600, ground).await,
            Kind::ClockYear => self.clock(kind, 400 * 86_400, ground).await,
            Kind::BrokerWiped
            | Kind::MailboxPurged
            | Kind::MailboxDeleted
            | Kind::MailboxTruncated
            | Kind::BrokerRolledBack
            | Kind::ConsumerDeleted => self.lose_mail(kind, ground).await,
            Kind::BackupRestored => self.restore_backup(kind, ground).await,
            Kind::OldCopy => self.old_copy(kind, ground).await,
            Kind::TwoOldCopies => self.two_old_copies(kind, ground).await,
            Kind::SecondInstance => self.second_instance(kind, ground).await,
            Kind::SixWeeksDark => self.dark(kind, ground).await,
        }
    }

    fn mended(&self, kind: Kind, nodes: Vec<String>) {
        self.ledger.mended(kind, nodes);
    }

    /// Waits for some milliseconds from here to there.
    async fn moment(&mut self, least: u64, most: u64) {
        let range = usize::try_from(most - least).expect("a short while");
        let more = u64::try_from(self.draw.below(range)).expect("a short while");
        sleep(Duration::from_millis(least + more)).await;
    }

    async fn kill(&mut self, kind: Kind, how_many: usize, ground: &mut Ground) -> anyhow::Result<()> {
        let mut nodes = NODES.map(str::to_owned);
        self.draw.shuffle(&mut nodes);
        let nodes = nodes[..how_many].to_vec();
        for node in &nodes {
            ground.network().cut_power(node)?;
        }
        self.moment(0, 600).await;
        for node in &nodes {
            ground.network().start(node).await?;
        }
        self.mended(kind, nodes);
        Ok(())
    }

    async fn weather(&mut self, kind: Kind, weather: Weather, ground: &mut Ground) -> anyhow::Result<()> {
        let node = a_node(&mut self.draw);
        ground.wire(&node).set(weather);
        self.moment(800, 3_000).await;
        ground.wire(&node).set(Weather::Clear);
        self.mended(kind, vec![node]);
        Ok(())
    }

    async fn flap(&mut self, kind: Kind, ground: &mut Ground) -> anyhow::Result<()> {
        let node = a_node(&mut self.draw);
        for _ in 0..6 {
            ground.wire(&node).set(Weather::Severed);
            self.moment(50, 250).await;
            ground.wire(&node).set(Weather::Clear);
            self.moment(50, 250).await;
        }
        self.mended(kind, vec![node]);
        Ok(())
    }

    /// A step, work with the wrong time, and the step back.
    async fn clock(&mut self, kind: Kind, seconds: i64, ground: &mut Ground) -> anyhow::Result<()> {
        let node = a_node(&mut self.draw);
        ground.move_clock(&node, if self.draw.percent(50) { seconds } else { -seconds })?;
        self.moment(800, 2_000).await;
        ground.set_clocks()?;
        self.mended(kind, vec![node]);
        Ok(())
    }

    async fn lose_mail(&mut self, kind: Kind, ground: &mut Ground) -> anyhow::Result<()> {
        let node = a_node(&mut self.draw);
        match kind {
            Kind::BrokerWiped => {
                ground.network().hub().wipe().await?;
                ground.network().hub().restart().await?;
                self.mended(kind, vec![]);
                return Ok(());
            }
            Kind::BrokerRolledBack => {
                let (store, copy) = (ground.folder().join("hub/store"), ground.folder().join("hub-before"));
                ground.network().hub().kill().await?;
                copy_folder(&store, &copy);
                ground.network().hub().restart().await?;
                self.moment(1_000, 2_500).await;
                ground.network().hub().kill().await?;
                copy_folder(&copy, &store);
                ground.network().hub().restart().await?;
                self.mended(kind, vec![]);
                return Ok(());
            }
            Kind::MailboxDeleted => {
                ground.network().hub().kill().await?;
                mailboxes::delete(&mailboxes::folder(ground, &node)?)?;
                ground.network().hub().restart().await?;
            }
            Kind::MailboxTruncated => {
                ground.network().hub().kill().await?;
                mailboxes::shorten(&mailboxes::folder(ground, &node)?)?;
                ground.network().hub().restart().await?;
            }
            // The mailbox may just have been lost otherwise; then there is nothing to purge.
            Kind::MailboxPurged => drop(mailboxes::purge(ground, &node).await),
            _ => drop(mailboxes::forget_places(ground, &node).await),
        }
        self.mended(kind, vec![node]);
        Ok(())
    }

    async fn restore_backup(&mut self, kind: Kind, ground: &mut Ground) -> anyhow::Result<()> {
        let node = a_node(&mut self.draw);
        let backup = self.place(ground, "backup");
        let folder = backup.to_str().context("folders of tests have plain names")?;
        let since = ground.now();
        succeeded(&ground.node_command(&node, &["backup", "--to", folder]).await?)?;
        self.moment(300, 1_500).await;
        ground.network().cut_power(&node)?;
        self.note(&node, since, ground)?;
        succeeded(&ground.node_command(&node, &["restore", "--from", folder, "--replace"]).await?)?;
        let began = Instant::now();
        ground.network().start(&node).await?;
        self.decides_again(kind, &node, began).await
    }

    async fn old_copy(&mut self, kind: Kind, ground: &mut Ground) -> anyhow::Result<()> {
        let in_files: Vec<&str> = NODES.into_iter().filter(|node| !ground.on_postgres().contains(node)).collect();
        let node = (*self.draw.one(&in_files)).to_owned();
        let since = ground.now();
        let copy = self.copy(&node, ground).await?;
        self.moment(500, 2_500).await;
        ground.network().cut_power(&node)?;
        self.note(&node, since, ground)?;
        copy_folder(&copy, &ground.network().data(&node));
        let began = Instant::now();
        ground.network().start(&node).await?;
        self.decides_again(kind, &node, began).await
    }

    /// Both forget what they did in the same while. Nothing is under way between the two then, but with all others: an
    /// acceptance that both forget, while a third knows what came of it, is a case for people.
    async fn two_old_copies(&mut self, kind: Kind, ground: &mut Ground) -> anyhow::Result<()> {
        let others: Vec<&str> = NODES.into_iter().filter(|node| *node != REGISTRY).collect();
        let pair = [REGISTRY.to_owned(), (*self.draw.one(&others)).to_owned()];
        self.ledger.keep_apart(&pair);
        let outcome = self.put_back(kind, &pair, ground).await;
        self.ledger.keep_apart(&[]);
        outcome
    }

    async fn put_back(&mut self, kind: Kind, pair: &[String], ground: &mut Ground) -> anyhow::Result<()> {
        self.nothing_between(pair).await;
        let since = ground.now();
        let mut copies = Vec::new();
        for node in pair {
            copies.push(self.copy(node, ground).await?);
        }
        self.moment(500, 2_000).await;
        for node in pair {
            ground.network().cut_power(node)?;
        }
        for (node, copy) in pair.iter().zip(&copies) {
            self.note(node, since, ground)?;
            copy_folder(copy, &ground.network().data(node));
        }
        let began = Instant::now();
        for node in pair {
            ground.network().start(node).await?;
        }
        for node in pair {
            self.decides_again(kind, node, began).await?;
        }
        Ok(())
    }

    /// Waits until the offices of two nodes have no offers to each other, for a while.
    async fn nothing_between(&self, pair: &[String]) {
        let deadline = Instant::now() + QUIET_WITHIN;
        while Instant::now() < deadline {
            let mut between = 0;
            for clerk in self.clerks.iter().filter(|clerk| pair.iter().any(|node| node == clerk.node())) {
                between += clerk.offers_between(pair, &self.clerks).await.unwrap_or(1);
            }
            if between == 0 {
                return;
            }
            sleep(GLANCE).await;
        }
    }

    /// A copy of a node's data, made while it does not run.
    async fn copy(&mut self, node: &str, ground: &mut Ground) -> anyhow::Result<PathBuf> {
        let copy = self.place(ground, "copy");
        ground.network().cut_power(node)?;
        copy_folder(&ground.network().data(node), &copy);
        ground.network().start(node).await?;
        Ok(copy)
    }

    fn place(&mut self, ground: &Ground, what: &str) -> PathBuf {
        self.copies += 1;
        let last = format!("{what}-{}", self.copies.saturating_sub(4));
        // Old ones are of no use, and there may be thousands.
        let _ = fs::remove_dir_all(ground.folder().join(last));
        ground.folder().join(format!("{what}-{}", self.copies))
    }

    /// Writes into the journal that a node forgets what it did since then.
    fn note(&self, node: &str, since: i64, ground: &Ground) -> anyhow::Result<()> {
        let at = ground.now();
        self.ledger.put_back(node, since, at);
        Ok(ground.journal().write(&Line::Restored { at, since, node: node.to_owned(), may_lose: true })?)
    }

    async fn decides_again(&self, kind: Kind, node: &str, began: Instant) -> anyhow::Result<()> {
        let clerk = self.clerks.iter().find(|clerk| clerk.node() == node).context("somebody works at the node")?;
        while began.elapsed() < RECOVERED_WITHIN {
            if clerk.status().await.is_some_and(|status| status.recovering_from.is_empty()) {
                self.ledger.recovered(kind, began.elapsed());
                return Ok(());
            }
            sleep(GLANCE).await;
        }
        let waits = clerk.status().await.map(|status| status.recovering_from);
        bail!("{node} does not decide again {RECOVERED_WITHIN:?} after it was put back; it waits for {waits:?}")
    }

    async fn second_instance(&mut self, kind: Kind, ground: &mut Ground) -> anyhow::Result<()> {
        let node = (*self.draw.one(ground.on_postgres())).to_owned();
        let second = ground.network().second_instance(&node);
        until(|| second.stands_by(), "a second instance to stand by").await?;
        self.moment(200, 1_000).await;
        ensure!(!second.address.exists(), "the second instance of {node} serves while the first lives");
        ground.network().cut_power(&node)?;
        until(|| second.address.exists(), "the second instance to take over").await?;
        self.mended(kind, vec![node.clone()]);
        self.moment(1_000, 2_500).await;
        let address = second.address.clone();
        drop(second);
        // What it announced is not true any more.
        fs::remove_file(address)?;
        ground.network().start(&node).await?;
        self.mended(Kind::NodeKilled, vec![node]);
        Ok(())
    }

    async fn dark(&mut self, kind: Kind, ground: &mut Ground) -> anyhow::Result<()> {
        let node = a_node(&mut self.draw);
        ground.network().cut_power(&node)?;
        for _ in 0..6 {
            self.moment(300, 700).await;
            ground.network().pass_time(7 * 24)?;
            ground.set_clocks()?;
        }
        ground.network().start(&node).await?;
        self.mended(kind, vec![node]);
        Ok(())
    }
}

async fn until(mut condition: impl FnMut() -> bool, what: &str) -> anyhow::Result<()> {
    let deadline = Instant::now() + RECOVERED_WITHIN;
    while !condition() {
        ensure!(Instant::now() < deadline, "waited {RECOVERED_WITHIN:?} for {what}");
        sleep(GLANCE).await;
    }
    Ok(())
}

fn succeeded(output: &std::process::Output) -> anyhow::Result<()> {
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stdout));
    Ok(())
}
