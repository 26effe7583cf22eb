//! One history: who moves when, by the numbers of a seed.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use spean_disk::Following;
use spean_messaging::post::{BackedUp, mark_as_restored};
use spean_proof::simulation::Dice;
use spean_vocabulary::{Service, Timestamp};
use sqlx::Connection as _;

use crate::broker::{Broker, receiver, sum};
use crate::disk::Disk;
use crate::history::{History, Restored};
use crate::mix::{Happening, Mix};
use crate::network::{BEGINNING, Ground, NODES, OFFICES};
use crate::node::{PostRound, SimulatedNode};
use crate::sabotage::Sabotage;
use crate::staff::Ask;
use crate::{Lived, points};

/// Microseconds of a second.
pub(crate) const SECOND: i64 = 1_000_000;
/// Microseconds of an hour.
pub(crate) const HOUR: i64 = 3_600 * SECOND;
/// Turns of a history, before all heals.
const TURNS: u64 = 800;
/// Most messages that a node takes in one turn.
const MOST_AT_ONCE: usize = 12;
/// How often it is asked meanwhile who holds what.
const LOOK_EVERY: u64 = 20;
/// A moment of a step is drawn as one of so many parts of it.
const PARTS: usize = 1_000_000;
/// From how long ago a backup is put back: an older one the program itself refuses.
const OLDEST_BACKUP_DAYS: i64 = 29;

mod casework;
mod people;

/// A backup, as far as it has got.
struct Backup {
    data: PathBuf,
    begun: u64,
    at: Timestamp,
    left: Vec<String>,
    heads: Vec<(Service, BackedUp)>,
}

/// A network with all that happens to it.
pub(crate) struct World {
    dice: Dice,
    mix: Mix,
    pub(crate) broker: Broker,
    pub(crate) nodes: Vec<SimulatedNode>,
    pub(crate) history: History,
    asked: Vec<(usize, Ask, String)>,
    backups: Vec<Vec<Backup>>,
    recovering: Option<usize>,
    scratch: PathBuf,
    pub(crate) step: u64,
    pub(crate) lived: Lived,
    pub(crate) sabotage: Option<Sabotage>,
    told: Option<Vec<String>>,
    /// What the disks hold when the power fails; none where it never does.
    disks: Option<Following>,
    /// Whoever asks in this step hears nothing.
    is_failing: bool,
}

impl World {
    pub(crate) fn new(
        seed: u64,
        ground: &Ground,
        disk: Option<spean_disk::Disk>,
        sabotage: Option<Sabotage>,
        tell: bool,
    ) -> anyhow::Result<Self> {
        let mut dice = Dice::new(seed);
        let mix = Mix::drawn(&mut dice);
        spean_chassis::draw_from_seed(seed);
        let broker = Broker::new(seed, mix.lost_acknowledgements, disk.clone());
        let mut disks = disk.map(Following::begin).transpose()?;
        if let Some(disks) = disks.as_mut().filter(|_| sabotage == Some(Sabotage::DisksThatLie)) {
            disks.break_its_word();
        }
        points::set(sabotage);
        let nodes = (0..NODES.len()).map(|node| SimulatedNode::new(node, ground.clone(), broker.clone())).collect();
        Ok(Self {
            dice,
            mix,
            broker,
            nodes,
            history: History::default(),
            asked: Vec::new(),
            backups: NODES.iter().map(|_| Vec::new()).collect(),
            recovering: None,
            scratch: ground.folder.join("scratch"),
            step: 0,
            lived: Lived::default(),
            sabotage,
            told: tell.then(Vec::new),
            disks,
            is_failing: false,
        })
    }

    /// Lives the history to its end.
    pub(crate) async fn live(&mut self) -> anyhow::Result<()> {
        std::fs::create_dir_all(&self.scratch)?;
        for node in &mut self.nodes {
            node.start().await?;
        }
        for turn in 0..TURNS {
            self.turn().await?;
            self.broker.sort();
            self.sign();
            if turn % LOOK_EVERY == 0 {
                self.nobody_is_held_twice().await?;
            }
        }
        self.heal().await?;
        self.all_is_well().await
    }

    /// Lets all nodes start for the first time and hear of each other.
    pub(crate) async fn begin(&mut self) -> anyhow::Result<()> {
        std::fs::create_dir_all(&self.scratch)?;
        self.heal().await
    }

    /// Ends it.
    pub(crate) async fn end(&mut self) -> Vec<String> {
        for node in &mut self.nodes {
            node.stop().await;
        }
        points::unset(self.sabotage);
        self.told.take().unwrap_or_default()
    }

    /// Tells what happened, and adds it to the fingerprint.
    pub(crate) fn tell(&mut self, words: &str) {
        self.step += 1;
        self.lived.steps += 1;
        self.lived.fingerprint = sum(self.lived.fingerprint, words.as_bytes());
        if let Some(told) = &mut self.told {
            told.push(format!("{:4}  {words}", self.step));
        }
    }

    /// How far all logs have got belongs to the fingerprint as well.
    fn sign(&mut self) {
        for node in &self.nodes {
            self.lived.fingerprint = sum(self.lived.fingerprint, &node.heads().to_le_bytes());
        }
    }

    async fn turn(&mut self) -> anyhow::Result<()> {
        let seconds = i64::try_from(1 + self.dice.below(90)).expect("a small number");
        self.nodes.iter().for_each(|node| node.move_clock(seconds * SECOND));
        if let Some(node) = self.recovering
            && self.nodes[node].up().is_some()
            && !self.nodes[node].is_recovering()
        {
            self.recovering = None;
            self.tell(&format!("{} acts again", NODES[node]));
        }
        let happening = self.mix.draw(&mut self.dice);
        let node = self.dice.below(NODES.len());
        match happening {
            Happening::Wipe => self.wipe(node),
            Happening::Cut => self.cut_line(node),
            Happening::Jump => self.jump(node),
            Happening::Loss => self.lose(node),
            Happening::Backup => self.back_up(node).await?,
            Happening::Restore => self.restore(node).await?,
            Happening::PowerCut if self.nodes[node].up().is_some() => self.fail_while_busy(node).await?,
            _ if self.nodes[node].up().is_none() => {
                if self.dice.one_in(3) {
                    self.nodes[node].start().await?;
                    self.tell(&format!("{} is started", NODES[node]));
                }
            }
            _ => self.be_busy(node, happening).await?,
        }
        Ok(())
    }

    /// Something that a node does by itself or for somebody.
    async fn be_busy(&mut self, node: usize, happening: Happening) -> anyhow::Result<()> {
        match happening {
            Happening::Delivery => {
                for _ in 0..=self.dice.below(MOST_AT_ONCE) {
                    self.deliver(node, false).await?;
                }
                Ok(())
            }
            Happening::Repetition => self.deliver(node, true).await,
            Happening::Round => self.post_round(node).await,
            Happening::Watch => self.watch(node).await,
            _ => self.ask_something(node).await,
        }
    }

    /// The power fails while a node is busy, or when it has said that it is done: at any change or sync of a file, with what
    /// was not synced there or not, and after any of the letters that it sent.
    async fn fail_while_busy(&mut self, node: usize) -> anyhow::Result<()> {
        let home = self.nodes[node].ground().home(node);
        let disks = self.disks.as_mut().context("the power fails only where disks are watched")?;
        disks.catch_up()?;
        let happening = self.dice.pick(&[
            Happening::Delivery,
            Happening::Delivery,
            Happening::Round,
            Happening::Asking,
            Happening::Asking,
            Happening::Watch,
        ]);
        self.is_failing = !self.dice.one_in(3);
        let when = if self.is_failing { "while it is busy" } else { "when it has done what comes" };
        self.tell(&format!("the power of {} will fail {when}", NODES[node]));
        self.be_busy(node, happening.unwrap_or(Happening::Asking)).await?;

        let disks = self.disks.as_mut().context("they were there")?;
        // Of a change and a letter at the same place, the letter was later: it left when the journal was so long.
        let changes = disks.changes(&home)?.into_iter().map(|at| (at, false));
        let letters = self.broker.left_in_this_step(node).into_iter().map(|at| (at, true));
        let mut moments: Vec<(u64, bool)> = changes.chain(letters).collect();
        moments.sort_unstable();
        let part = self.dice.below(PARTS);
        let gone = if self.is_failing { (moments.len() + 1) * part / PARTS } else { moments.len() };
        let before = &moments[..gone];
        self.broker.unsay_after(node, before.iter().filter(|(_, is_letter)| *is_letter).count());
        let cut = before.last().map_or(0, |(at, _)| *at);
        let seed = self.dice.below(PARTS) as u64;
        let picture = disks.picture(cut, &home, seed)?;
        self.nodes[node].put_picture(&picture).await?;
        self.take_as_synced(node)?;
        if let Some(sabotage) = self.sabotage {
            sabotage.power_cut(self.nodes[node].disk()).await?;
            self.take_as_synced(node)?;
        }
        self.is_failing = false;
        self.lived.power_cuts += 1;
        self.lived.torn += u64::from(gone < moments.len());
        self.tell(&format!("the power of {} failed", NODES[node]));
        Ok(())
    }

    /// What the files of a node hold now was put there as a whole.
    fn take_as_synced(&mut self, node: usize) -> anyhow::Result<()> {
        let Some(disks) = &mut self.disks else { return Ok(()) };
        let disk = self.nodes[node].disk();
        disks.take_as_synced(&disk.data)?;
        Ok(disks.take_as_synced(&disk.keys)?)
    }

    async fn deliver(&mut self, node: usize, again: bool) -> anyhow::Result<()> {
        let waiting = self.broker.waiting(node);
        if waiting == 0 {
            return Ok(());
        }
        // Mostly in order, as brokers are.
        let at = if self.dice.one_in(3) { self.dice.below(waiting) } else { 0 };
        let mail = if again { self.broker.look(node, at) } else { self.broker.take(node, at) };
        let stored = self.nodes[node].receive(&mail).await?;
        if !stored && !again {
            self.broker.put_back(node, mail.clone());
        }
        let (_, service) = receiver(&mail.subject).context("a subject of ours")?;
        let from = mail.subject.split('.').nth(2).unwrap_or_default();
        let words = match (stored, again) {
            (true, false) => "takes",
            (true, true) => "takes, and will get again,",
            (false, _) => "cannot take yet",
        };
        self.lived.faults += u64::from(again);
        self.tell(&format!("{} ({service}) {words} a message of {from}", NODES[node]));
        Ok(())
    }

    fn lose(&mut self, node: usize) {
        let waiting = self.broker.waiting(node);
        if waiting > 0 {
            let at = self.dice.below(waiting);
            self.broker.take(node, at);
            self.lived.faults += 1;
            self.tell(&format!("a message to {} is lost", NODES[node]));
        }
    }

    fn wipe(&mut self, node: usize) {
        self.lived.faults += 1;
        if self.dice.one_in(3) {
            if self.dice.one_in(2) {
                self.broker.keep();
                self.tell("the broker is copied");
            } else if self.broker.roll_back() {
                self.tell("the broker is put back as it was");
            }
        } else {
            self.broker.wipe(node);
            self.tell(&format!("the mailbox of {} is wiped", NODES[node]));
        }
    }

    fn cut_line(&mut self, node: usize) {
        let away = !self.broker.is_away(node);
        self.broker.set_away(node, away);
        self.lived.faults += 1;
        self.tell(&format!("the line of {} is {}", NODES[node], if away { "cut" } else { "mended" }));
    }

    fn jump(&mut self, node: usize) {
        self.lived.faults += 1;
        if self.dice.one_in(4) {
            let days = i64::try_from(1 + self.dice.below(12)).expect("a small number");
            self.nodes.iter().for_each(|node| node.move_clock(days * 24 * HOUR));
            self.tell(&format!("{days} days go by, and nobody is there"));
        } else {
            let hours = i64::try_from(self.dice.below(60)).expect("a small number") - 30;
            self.nodes[node].move_clock(hours * HOUR);
            self.tell(&format!("the clock of {} jumps by {hours} hours", NODES[node]));
        }
    }

    async fn post_round(&mut self, node: usize) -> anyhow::Result<()> {
        let services = spean_chassis::every_service();
        let service = self.dice.pick(&services).context("there are services")?;
        // What brings letters on their way is done more often than the rest.
        let round =
            if self.dice.one_in(2) { PostRound::Send } else { PostRound::ALL[self.dice.below(PostRound::ALL.len())] };
        // Most of them are one thing for all services of the node.
        let all = !self.dice.one_in(4);
        for name in services.into_iter().filter(|name| all || *name == service) {
            self.nodes[node].post_round(name, round).await.with_context(|| format!("{name}: {round:?}"))?;
        }
        let of = if all { "all services".to_owned() } else { service.to_string() };
        self.tell(&format!("{}: {round:?} of {of}", NODES[node]));
        Ok(())
    }

    async fn watch(&mut self, node: usize) -> anyhow::Result<()> {
        let Some(up) = self.nodes[node].up() else { return Ok(()) };
        let rounds = up.parts.rounds.clone();
        let Some(at) = (!rounds.is_empty()).then(|| self.dice.below(rounds.len())) else { return Ok(()) };
        let round = &rounds[at];
        round.once().await.with_context(|| round.name)?;
        self.tell(&format!("{}: {}", NODES[node], round.name));
        Ok(())
    }

    /// Copies the next database of a backup, the vault last; when all are copied, it is tried, and the node told.
    async fn back_up(&mut self, node: usize) -> anyhow::Result<()> {
        let Some(up) = self.nodes[node].up() else { return Ok(()) };
        if self.recovering == Some(node) {
            return Ok(());
        }
        let (disk, now) = (self.nodes[node].disk().clone(), self.nodes[node].now());
        if self.backups[node].last().is_none_or(|backup| backup.left.is_empty()) {
            let mut left: Vec<String> = up.parts.services.iter().map(|(service, _, _)| service.to_string()).collect();
            left.sort();
            left.push("vault".to_owned());
            left.reverse();
            let data = self.scratch.join(format!("backup-{node}-{}", self.step));
            self.backups[node].push(Backup { data, begun: self.step + 1, at: now, left, heads: Vec::new() });
            self.tell(&format!("a backup of {} is begun", NODES[node]));
            return Ok(());
        }
        let count = 1 + self.dice.below(8);
        let backup = self.backups[node].last_mut().context("one is under way")?;
        for _ in 0..count {
            let Some(name) = backup.left.pop() else { break };
            disk.copy_database(&name, &backup.data)?;
            if let Ok(service) = name.parse::<Service>() {
                backup.heads.push((service, head_of_copy(&backup.data, &name).await?));
            }
        }
        if backup.left.is_empty() {
            for (service, head) in &backup.heads {
                head.note_for(&disk.keys.join(format!("{service}.mark")))?;
            }
            self.tell(&format!("the backup of {} is whole", NODES[node]));
        }
        Ok(())
    }

    async fn restore(&mut self, node: usize) -> anyhow::Result<()> {
        let now = self.nodes[node].now();
        let is_fit = |backup: &&Backup| {
            let age = now.as_micros() - backup.at.as_micros();
            backup.left.is_empty() && age < OLDEST_BACKUP_DAYS * 24 * HOUR
        };
        let fit: Vec<_> =
            self.backups[node].iter().filter(is_fit).map(|backup| (backup.data.clone(), backup.begun)).collect();
        if self.recovering.is_some() || fit.is_empty() {
            return Ok(());
        }
        let (data, begun) = fit[fit.len() - 1 - self.dice.below(fit.len().min(2))].clone();
        self.nodes[node].put_databases(&data).await?;
        for service in spean_chassis::every_service() {
            mark_as_restored(&self.nodes[node].disk().keys.join(format!("{service}.mark")))?;
        }
        self.take_as_synced(node)?;
        // Backups that were begun and not finished are of a disk that is gone.
        self.backups[node].retain(|backup| backup.left.is_empty());
        self.lived.restores += 1;
        self.lived.faults += 1;
        self.recovering = Some(node);
        self.tell(&format!("{} comes back from its backup of step {begun}", NODES[node]));
        self.history.restores.push(Restored { node, from: begun, to: self.step });
        self.nodes[node].start().await
    }

    /// The clocks of all nodes show the latest time that one of them showed.
    pub(crate) fn set_clocks_right(&self) {
        let latest = self.nodes.iter().map(SimulatedNode::now).max().unwrap_or(BEGINNING);
        self.nodes.iter().for_each(|node| node.set_clock(latest));
    }

    /// A drawn choice between accepting and declining, for the end of the history.
    pub(crate) fn declines(&mut self) -> bool {
        self.dice.one_in(4)
    }

    /// Asks at the end of the history, when nothing fails any more.
    pub(crate) async fn ask_at_last(&mut self, office: usize, ask: Ask) -> anyhow::Result<()> {
        let command = self.new_id();
        self.ask(OFFICES[office].1, office, ask, command).await
    }

    /// The node that waits for its peers has heard them all.
    pub(crate) fn nobody_recovers(&mut self) {
        self.recovering = None;
    }
}

/// An answer that must come: the node is up and its disk is sound.
pub(crate) fn said<T>(answer: Result<T, tonic::Status>) -> anyhow::Result<T> {
    answer.map_err(|status| anyhow::anyhow!("{:?}: {}", status.code(), status.message()))
}

/// How far the copy of a log has got.
async fn head_of_copy(data: &Path, name: &str) -> anyhow::Result<BackedUp> {
    sqlx::any::install_default_drivers();
    let tried = tempfile::tempdir_in(data)?;
    Disk { data: data.to_owned(), keys: data.to_owned() }.copy_database(name, tried.path())?;
    let url = format!("sqlite://{}", tried.path().join(format!("{name}.sqlite")).display());
    let mut connection = sqlx::AnyConnection::connect(&url).await?;
    let row = sqlx::query("select position, hash from event order by position desc limit 1");
    let row = row.fetch_optional(&mut connection).await?;
    let (position, hash) = match row {
        None => (0, String::new()),
        Some(row) => {
            use sqlx::Row as _;
            let hash: [u8; 32] = row.try_get::<&[u8], _>(1)?.try_into().context("a hash has 32 bytes")?;
            (row.try_get(0)?, spean_custody::Digest::from_bytes(hash).to_string())
        }
    };
    let head = BackedUp::of_copy(position, hash, &mut connection).await?;
    connection.close().await?;
    Ok(head)
}
