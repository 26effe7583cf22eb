//! The directory of the node `battambang` on either database, without a broker: letters are handed to it.

use std::sync::Arc;

use prost::Message;
use spean_chassis::Clock;
use spean_eventsourcing::{Aggregate, Context};
use spean_eventstore::{EventStore, HandleError, Metadata, Options, Recorded, TransactError};
use spean_identity::{Directory, LiveDirectory};
use spean_messaging::{Address, Correspondence as _, Letter, Posting, Unusable};
use spean_testkit::{Postgres, TempDir, a_folder};
use spean_vocabulary::{Date, NodeId, Service, Timestamp};

use crate::examples::a_directory;
use crate::published::postings;
use crate::reactions::Reactions;
use crate::{catalogue, early, newcomers, office_book, roll};

/// Runs each of these specifications on both databases.
macro_rules! on_both_databases {
    ($($name:ident),* $(,)?) => {
        mod sqlite { $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name(crate::stage::Stage::on_sqlite().await).await;
            }
        )* }
        mod postgres { $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name(crate::stage::Stage::on_postgres().await).await;
            }
        )* }
    };
}
pub(crate) use on_both_databases;

/// The node.
pub(crate) const HERE: &str = "battambang";
/// An office of it.
pub(crate) const PROVINCE: &str = "battambang-province";
/// An office of another node.
pub(crate) const SHELTER: &str = "poipet-shelter";

/// The directory of the node.
pub(crate) struct Stage {
    pub(crate) store: EventStore,
    pub(crate) live: LiveDirectory,
    folder: TempDir,
}

impl Stage {
    pub(crate) async fn on_sqlite() -> Self {
        let folder = a_folder();
        let url = format!("sqlite://{}/directory.sqlite", folder.path().display());
        Self::open(url, folder).await
    }

    pub(crate) async fn on_postgres() -> Self {
        let url = tokio::task::spawn_blocking(|| Postgres::shared().database()).await.unwrap();
        Self::open(url, a_folder()).await
    }

    async fn open(url: String, folder: TempDir) -> Self {
        let options = Options {
            tables: vec![catalogue::TABLES, newcomers::TABLES, early::TABLES],
            read_models: vec![Arc::new(catalogue::Catalogue), Arc::new(office_book::OfficeBook)],
            ..Options::new(url, "directory", HERE)
        };
        let store = EventStore::open(options).await.unwrap();
        let stage = Self { store, live: LiveDirectory::new(a_directory()), folder };
        stage.on_day("2026-11-22");
        stage
    }

    /// Moves the clock of the node to a day.
    pub(crate) fn on_day(&self, day: &str) {
        let day: Date = day.parse().unwrap();
        let today = Clock::system().now().date_in_cambodia();
        let offset_us = i64::from(day.days_since(today)) * 24 * 3_600 * 1_000_000;
        std::fs::write(self.folder.path().join("clock"), offset_us.to_string()).unwrap();
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock().now()
    }

    pub(crate) fn today(&self) -> Date {
        self.now().date_in_cambodia()
    }

    fn clock(&self) -> Clock {
        Clock::shifted_by(self.folder.path().join("clock"))
    }

    pub(crate) async fn handle<A>(&self, office: &str, stream: &str, command: A::Command) -> Result<(), A::Error>
    where
        A: Aggregate<Context = Context>,
    {
        let context = Context { office: office.parse().unwrap(), staff: None, now: self.now() };
        let metadata = Metadata::of(&context);
        match self.store.handle::<A>(stream.to_owned(), command, context, metadata).await {
            Ok(_) => Ok(()),
            Err(HandleError::Refused(error)) => Err(error),
            Err(HandleError::CommandIdReused) => unreachable!("no command has an id here"),
            Err(HandleError::Store(error)) => panic!("{error:?}"),
        }
    }

    fn reactions(&self) -> Reactions {
        Reactions { node: here(), directory: self.live.clone(), clock: self.clock() }
    }

    /// Applies a letter, or recalls what this node had written itself.
    pub(crate) async fn receive(&self, letter: Letter) -> Result<(), String> {
        let reactions = self.reactions();
        let received = self.store.transact(move |transaction| {
            Box::pin(async move {
                if letter.from == directory_of(HERE) {
                    return reactions.recall(&directory_of("poipet"), &letter, transaction).await;
                }
                reactions.apply(&letter, transaction).await
            })
        });
        received.await.map_err(|error| match error {
            TransactError::Work(Unusable::Refused(code)) => code,
            other => panic!("{other:?}"),
        })
    }

    /// Works through the edition and the day of this moment.
    pub(crate) async fn work_through(&self) {
        roll::work_through(&self.reactions(), &self.store).await.unwrap();
    }

    /// Puts a later edition in force and works through it.
    pub(crate) async fn take(&self, directory: Directory) {
        self.live.replace(directory).unwrap();
        self.work_through().await;
    }

    pub(crate) async fn recorded(&self) -> Vec<Recorded> {
        self.store.events_after(0, 1_000).await.unwrap()
    }

    /// The events of one kind of thing, with what they are about.
    pub(crate) async fn events<A: Aggregate>(&self) -> Vec<(String, A::Event)> {
        let recorded = self.recorded().await;
        recorded.iter().filter_map(|event| Some((event.id.clone(), event.event::<A>()?.unwrap()))).collect()
    }

    /// The letters that followed from all that happened, of one kind.
    pub(crate) async fn letters(&self, kind: &str) -> Vec<Posting> {
        let recorded = self.recorded().await;
        let letters = recorded.iter().flat_map(|event| postings(&here(), &self.live.current(), event));
        letters.filter(|letter| letter.kind == kind).collect()
    }
}

pub(crate) fn here() -> NodeId {
    HERE.parse().unwrap()
}

pub(crate) fn directory_of(node: &str) -> Address {
    Address { node: node.parse().unwrap(), service: Service::Directory }
}

pub(crate) fn desk_of(node: &str) -> Address {
    Address { service: Service::Referral, ..directory_of(node) }
}

pub(crate) fn id(number: u8) -> String {
    format!("00000000-0000-4000-8000-0000000000{number:02x}")
}

/// A letter; two with the same number have the same id.
pub(crate) fn letter(number: u8, from: Address, kind: &str, body: &impl Message) -> Letter {
    Letter {
        id: id(number).parse().unwrap(),
        from,
        incarnation: 1,
        kind: kind.to_owned(),
        case: None,
        body: body.encode_to_vec(),
        attachment: None,
        trace: None,
        posted_at: Timestamp::from_micros(1_795_300_200_000_000),
    }
}
