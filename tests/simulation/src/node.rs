//! A node in this process: the real services on real databases, with nothing that runs by itself.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use anyhow::Context as _;
use spean_chassis::{Clock, Node, Parts, Running, Surroundings};
use spean_disk::Picture;
use spean_eventstore::EventStore;
use spean_messaging::Post;
use spean_messaging::post::Taken;
use spean_vocabulary::{Service, Timestamp};

use crate::broker::{Broker, Mail, receiver};
use crate::disk::Disk;
use crate::network::{BEGINNING, Ground, NODES};

/// One node, up or down.
pub(crate) struct SimulatedNode {
    /// Its place among [`NODES`].
    pub(crate) index: usize,
    ground: Ground,
    broker: Broker,
    shows: Arc<AtomicI64>,
    disk: Disk,
    life: u32,
    up: Option<Up>,
}

/// A node whose services are open.
pub(crate) struct Up {
    /// What they share.
    pub(crate) node: Node,
    /// What they serve, do without being asked, and keep.
    pub(crate) parts: Parts,
}

/// A round of a post office.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PostRound {
    /// Sends what is due.
    Send,
    /// Applies what the service wrote to itself.
    Local,
    /// Gives receipts.
    Receipts,
    /// Introduces itself.
    Greet,
    /// Goes on after a restore.
    Recover,
    /// Applies what waits for nothing.
    Free,
    /// Moves the mark.
    Mark,
    /// Takes the note of a backup.
    NoteBackup,
    /// Deletes what need not be kept.
    Forget,
}

impl PostRound {
    pub(crate) const ALL: [Self; 9] = [
        Self::Send,
        Self::Local,
        Self::Receipts,
        Self::Greet,
        Self::Recover,
        Self::Free,
        Self::Mark,
        Self::NoteBackup,
        Self::Forget,
    ];
}

impl SimulatedNode {
    pub(crate) fn new(index: usize, ground: Ground, broker: Broker) -> Self {
        let disk = Disk::at(&ground.home(index));
        Self { index, ground, broker, shows: Arc::new(AtomicI64::new(BEGINNING.as_micros())), disk, life: 0, up: None }
    }

    /// Its name.
    pub(crate) fn name(&self) -> &'static str {
        NODES[self.index]
    }

    /// Where its files lie in its present life.
    pub(crate) fn disk(&self) -> &Disk {
        &self.disk
    }

    /// Who is who.
    pub(crate) fn ground(&self) -> &Ground {
        &self.ground
    }

    /// What its clock shows.
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.shows.load(Ordering::Acquire))
    }

    /// Sets its clock.
    pub(crate) fn set_clock(&self, now: Timestamp) {
        self.shows.store(now.as_micros(), Ordering::Release);
    }

    /// Moves its clock by so many microseconds.
    pub(crate) fn move_clock(&self, by: i64) {
        self.shows.fetch_add(by, Ordering::AcqRel);
    }

    /// Its services; none while it is down.
    pub(crate) fn up(&self) -> Option<&Up> {
        self.up.as_ref()
    }

    /// Whether it waits for its peers after a restore.
    pub(crate) fn is_recovering(&self) -> bool {
        self.up.as_ref().is_some_and(|up| up.parts.services.iter().any(|(_, _, post)| post.is_recovering()))
    }

    /// Starts it from what is on its disk.
    pub(crate) async fn start(&mut self) -> anyhow::Result<()> {
        if self.up.is_some() {
            return Ok(());
        }
        let surroundings =
            Surroundings { clock: Clock::held(Arc::clone(&self.shows)), carrier: self.broker.line(self.index) };
        let node = Node::at_rest(self.ground.configuration(self.index, &self.disk)?, surroundings).await?;
        let mut running = Running::at_rest();
        spean::services::start(&node, &mut running).await.with_context(|| format!("starting {}", self.name()))?;
        self.up = Some(Up { node, parts: running.into_parts() });
        Ok(())
    }

    /// Ends it.
    pub(crate) async fn stop(&mut self) {
        let Some(Up { node, parts }) = self.up.take() else { return };
        let Parts { routes, rounds, services } = parts;
        drop((routes, rounds, node));
        for (_, store, post) in services {
            drop(post);
            store.close().await;
        }
    }

    /// Its power failed: what it finds again is what a picture of its disk holds, marks and all.
    pub(crate) async fn put_picture(&mut self, picture: &Picture) -> anyhow::Result<()> {
        let next = self.next_life();
        self.stop().await;
        picture.put_into(&self.disk.data, &next.data)?;
        picture.put_into(&self.disk.keys, &next.keys)?;
        self.disk = next;
        Ok(())
    }

    /// It is ended, and its databases are those of a backup; the marks stay.
    pub(crate) async fn put_databases(&mut self, data: &Path) -> anyhow::Result<()> {
        let next = self.next_life();
        self.stop().await;
        Disk { data: data.to_owned(), keys: self.disk.keys.clone() }.copy_data_to(&next.data)?;
        self.disk = next;
        Ok(())
    }

    fn next_life(&mut self) -> Disk {
        self.life += 1;
        Disk { data: self.ground.home(self.index).join(format!("data-{}", self.life)), keys: self.disk.keys.clone() }
    }

    /// The post office of a service.
    pub(crate) fn post(&self, service: Service) -> Option<&Post> {
        let services = &self.up.as_ref()?.parts.services;
        services.iter().find(|(name, _, _)| *name == service).map(|(_, _, post)| post)
    }

    /// The log of a service.
    pub(crate) fn store(&self, service: Service) -> Option<&EventStore> {
        let services = &self.up.as_ref()?.parts.services;
        services.iter().find(|(name, _, _)| *name == service).map(|(_, store, _)| store)
    }

    /// How far its logs have got, all together.
    pub(crate) fn heads(&self) -> i64 {
        let Some(up) = &self.up else { return -1 };
        up.parts.services.iter().map(|(_, store, _)| *store.head().borrow()).sum()
    }

    /// A round of a post office. True when it may have done something.
    pub(crate) async fn post_round(&self, service: Service, round: PostRound) -> anyhow::Result<bool> {
        let Some(post) = self.post(service) else { return Ok(false) };
        let rounds = post.rounds();
        match round {
            PostRound::Send => {
                let sent = rounds.send().await?;
                return Ok(sent.published > 0);
            }
            PostRound::Local => rounds.local().await?,
            PostRound::Receipts => rounds.give_receipts().await,
            PostRound::Greet => rounds.greet().await,
            PostRound::Recover => rounds.recover().await?,
            PostRound::Free => rounds.free_waiting().await?,
            PostRound::Mark => rounds.move_mark().await?,
            PostRound::NoteBackup => rounds.note_backup().await?,
            PostRound::Forget => rounds.forget().await?,
        }
        Ok(true)
    }

    /// A message is brought to it. False when it must come again, as it is down or says so.
    pub(crate) async fn receive(&self, mail: &Mail) -> anyhow::Result<bool> {
        let Some((_, service)) = receiver(&mail.subject) else { return Ok(true) };
        let Some(post) = self.post(service) else { return Ok(false) };
        Ok(post.rounds().receive(&mail.subject, &mail.payload).await? == Taken::Stored)
    }
}
