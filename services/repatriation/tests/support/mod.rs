//! What the tests of the transit centre share: a log with its read models on both databases, and invented arrivals.

#![allow(dead_code, reason = "each test program uses a part of it")]

use std::sync::Arc;

use spean_chassis::person::Codes;
use spean_chassis::standing;
use spean_eventsourcing::{Aggregate, Context};
use spean_eventstore::{EventStore, Metadata, Options};
use spean_repatriation::arrival::{Authority, Circumstances, Route};
use spean_repatriation::arrivals::Arrivals;
use spean_repatriation::occupancy::CentreBeds;
use spean_repatriation::requests::Requests;
use spean_repatriation::urgent::UrgentNeeds;
use spean_repatriation::verdicts::Verdicts;
use spean_repatriation::words::AuthorityKind;
use spean_testkit::{Postgres, TempDir, a_folder};
use spean_vocabulary::{AgeBand, Date, Id, OfficeId, Sex, Timestamp};

/// A database for one test.
pub(crate) struct Database {
    pub(crate) url: String,
    folder: TempDir,
}

/// A new database of each kind.
pub(crate) fn databases() -> [Database; 2] {
    let folder = a_folder();
    let url = format!("sqlite://{}", folder.path().join("repatriation.sqlite").display());
    [Database { url, folder }, Database { url: Postgres::shared().database(), folder: a_folder() }]
}

impl Database {
    /// A folder that goes with it.
    pub(crate) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// The log of the centre.
    pub(crate) async fn open(&self) -> EventStore {
        let options = Options {
            tables: vec![standing::TABLES],
            read_models: vec![
                Arc::new(Arrivals),
                Arc::new(UrgentNeeds),
                Arc::new(CentreBeds),
                Arc::new(Verdicts),
                Arc::new(Requests),
            ],
            ..Options::new(&self.url, "repatriation", "test")
        };
        EventStore::open(options).await.expect("the store opens")
    }
}

pub(crate) fn office(code: &str) -> OfficeId {
    code.parse().expect("a code")
}

pub(crate) fn centre() -> OfficeId {
    office("poipet-transit-centre")
}

pub(crate) fn at(office: OfficeId) -> Context {
    let staff = Some("staff-7".parse().expect("a code"));
    Context { office, staff, now: Timestamp::from_micros(1_790_000_000_000_000) }
}

pub(crate) fn day(text: &str) -> Date {
    text.parse().expect("a day")
}

pub(crate) fn id<K>(number: u8) -> Id<K> {
    format!("00000000-0000-4000-8000-0000000000{number:02x}").parse().expect("an id")
}

pub(crate) fn circumstances(arrived_on: &str) -> Circumstances {
    Circumstances {
        route: Route::Repatriation,
        from_country: Some("MY".to_owned()),
        handed_over_by: None,
        authority: Some(Authority { kind: AuthorityKind::Consular, post: None }),
        arrived_on: day(arrived_on),
    }
}

pub(crate) fn codes() -> Codes {
    Codes {
        sex: Sex::Male,
        age_band: AgeBand::Adult,
        language: None,
        home_place: "0203".parse().ok(),
        missing: vec!["birth".to_owned()],
    }
}

/// Carries out a command.
pub(crate) async fn handle<A: Aggregate<Context = Context>>(
    store: &EventStore,
    id: impl Into<String>,
    command: A::Command,
    context: &Context,
) {
    let handled = store.handle::<A>(id, command, context.clone(), Metadata::of(context)).await;
    handled.map(|_| ()).map_err(|error| format!("{error:?}")).expect("the rules allow it");
}
